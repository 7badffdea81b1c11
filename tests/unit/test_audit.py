"""What a security audit judges: policies, ExternalIds, log lines, and what becomes of findings."""

import secrets
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cost_reporting.audit import (
    WEAK_BITS,
    Check,
    Finding,
    audit_report,
    bits,
    demands_tls,
    external_ids,
    finding,
    given_away,
    open_to_all,
    too_much,
    trusted,
)

AT = datetime(2026, 11, 23, tzinfo=UTC)
ACCOUNT = "111122223333"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"


def a_policy(**statement: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "arn:aws:s3:::b/*", **statement}]}


def found(*statements: dict[str, Any]) -> list[tuple[str, str]]:
    return [(each.id, each.severity) for document in statements for each in too_much("role", document)]


@pytest.mark.parametrize(
    ("statement", "ids"),
    [
        ({"Action": "s3:GetObject"}, []),
        ({"Action": ["ses:GetAccount", "xray:PutTraceSegments"], "Resource": "*"}, []),
        ({"Action": "*"}, [("IAM-WILDCARD-ACTION:*:role", "high")]),
        ({"Action": "s3:*"}, [("IAM-WILDCARD-ACTION:s3:*:role", "high")]),
        ({"Action": ["s3:Get*"]}, [("IAM-WILDCARD-ACTION:s3:Get*:role", "medium")]),
        ({"Action": "s3:GetObject", "Resource": ["*"]}, [("IAM-ALL-RESOURCES:s3:GetObject:role", "medium")]),
        ({"NotAction": "iam:*"}, [("IAM-NOTACTION:role", "high")]),
        ({"Action": "s3:GetObject", "NotResource": "arn:aws:s3:::b"}, [("IAM-NOTRESOURCE:role", "high")]),
        ({"Effect": "Deny", "Action": "*", "Resource": "*"}, []),
    ],
)
def test_a_policy_that_allows_too_much_is_found(statement: dict[str, Any], ids: list[tuple[str, str]]) -> None:
    assert found(a_policy(**statement)) == ids


def test_a_policy_may_be_text_and_have_one_statement() -> None:
    assert [each.severity for each in too_much("role", '{"Statement": {"Effect": "Allow", "Action": "*"}}')] == ["high"]


@pytest.mark.parametrize(
    ("statement", "ids"),
    [
        ({"Principal": {"Service": "lambda.amazonaws.com"}}, []),
        ({"Principal": {"AWS": ROOT}}, []),
        ({"Principal": "*"}, ["IAM-TRUSTS-ALL:role"]),
        ({"Principal": {"AWS": "*"}}, ["IAM-TRUSTS-ALL:role"]),
        ({"Principal": {"AWS": [ROOT, "arn:aws:iam::9:root"]}}, ["IAM-TRUSTS-OTHERS:arn:aws:iam::9:root:role"]),
    ],
)  # fmt: skip
def test_a_role_that_others_may_assume_is_found(statement: dict[str, Any], ids: list[str]) -> None:
    assert [each.id for each in trusted("role", a_policy(Action="sts:AssumeRole", **statement), ACCOUNT)] == ids


def test_a_policy_for_everybody_is_public_unless_it_has_a_condition() -> None:
    everybody = {"Principal": {"AWS": "*"}, "Action": "sns:Publish"}
    condition = {"StringEquals": {"aws:SourceOwner": ACCOUNT}}
    assert [each.severity for each in open_to_all("SNS-PUBLIC", "topic", a_policy(**everybody))] == ["high"]
    assert not list(open_to_all("SNS-PUBLIC", "topic", a_policy(**everybody, Condition=condition)))


def test_only_a_denial_of_everything_without_tls_demands_it() -> None:
    denial = {"Effect": "Deny", "Principal": "*", "Action": "s3:*"}
    without = {"Bool": {"aws:SecureTransport": "false"}}
    assert demands_tls(a_policy(**denial, Condition=without))
    assert not demands_tls(a_policy(**denial))
    assert not demands_tls(a_policy(**denial | {"Action": "s3:GetObject"}, Condition=without))
    assert not demands_tls(a_policy(**denial | {"Effect": "Allow"}, Condition=without))


# -- ExternalIds ------------------------------------------------------------------------------------------------------


def judged(**ids: str) -> dict[str, str]:
    return {each.id: each.severity for each in external_ids({name: ("1", given) for name, given in ids.items()})}


def test_a_random_id_of_one_s_own_is_strong() -> None:
    assert judged(acme=str(uuid.uuid4()), globex=secrets.token_urlsafe(24)) == {}


def test_a_shared_id_is_grave_for_each_who_has_it() -> None:
    same = str(uuid.uuid4())
    assert judged(acme=same, globex=same) == {"EXTERNAL-ID-SHARED:acme": "high", "EXTERNAL-ID-SHARED:globex": "high"}


@pytest.mark.parametrize(
    ("given", "id_"),
    [("acme", "EXTERNAL-ID-IS-CLIENT-ID"), ("ACME", "EXTERNAL-ID-IS-CLIENT-ID"), ("12345", "EXTERNAL-ID-WEAK"),
     ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "EXTERNAL-ID-WEAK")],
)  # fmt: skip
def test_a_known_or_weak_id_is_found(given: str, id_: str) -> None:
    assert list(judged(acme=given)) == [f"{id_}:acme"]


def test_an_id_is_never_shown() -> None:
    weak = list(external_ids({"acme": ("1", "hunter2"), "globex": ("1", "hunter2")}))
    assert len(weak) == 4
    assert not [each for each in weak if "hunter2" in each.model_dump_json()]


@given(st.text(max_size=80))
def test_bits_are_never_more_than_characters_can_hold(text: str) -> None:
    assert 0 <= bits(text) <= len(text) * 6.2


def test_a_uuid_is_far_from_weak() -> None:
    assert all(bits(str(uuid.uuid4())) > WEAK_BITS for _ in range(200))


# -- logs -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "kinds"),
    [
        ('{"event": "step_done", "client_id": "acme", "recipient": "3f2a9c0011223344"}', set()),
        ("REPORT RequestId: 8a3b6c1e-6f1d-4c0e-9a55-0d0d0f9f7a11\tDuration: 3.00 ms", set()),
        ("message_id=0100018c-1f@email.amazonses.com", set()),
        ("message_id=0100018c-1f@us-east-1.amazonses.com to finance@northwind.example", {"an address"}),
        ("to finance@northwind.example", {"an address"}),
        ("key AKIAIOSFODNN7EXAMPLE", {"an access key id"}),
        ('"aws_secret_access_key": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"', {"a secret key"}),
        ("https://b.s3.amazonaws.com/x?X-Amz-Signature=0123456789abcdef0123", {"a signed link"}),
        ("assumed with our-own-id-77", {"an ExternalId"}),
    ],
)
def test_what_a_log_line_gives_away_is_named_by_its_kind(line: str, kinds: set[str]) -> None:
    assert given_away(line, ["our-own-id-77"]) == kinds


# -- findings ---------------------------------------------------------------------------------------------------------


def a_finding(code: str, severity: Any = "high") -> Finding:
    return finding(code, severity, "thing", "is so", "mend it")


def test_an_accepted_finding_is_shown_with_its_reason_and_does_not_count() -> None:
    shown = audit_report("s", AT, [], [a_finding("A"), a_finding("B", "low")], {"A:thing": "known", "C:thing": "was"})
    assert [(each.id, each.accepted) for each in shown.findings] == [("B:thing", None), ("A:thing", "known")]
    assert shown.high == 0
    assert shown.stale == ("C:thing",)


def test_the_gravest_stands_first_and_one_id_stands_once() -> None:
    shown = audit_report("s", AT, [], [a_finding("Z", "low"), a_finding("Y"), a_finding("Y")], {})
    assert [each.id for each in shown.findings] == ["Y:thing", "Z:thing"]
    assert shown.high == 1


def test_a_check_stands_in_one_of_three_ways() -> None:
    with pytest.raises(ValueError, match="standing"):
        Check.model_validate({"name": "x", "standing": "skipped", "note": ""})
