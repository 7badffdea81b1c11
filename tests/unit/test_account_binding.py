"""One account, one client: which records lead to the same place, and which of them may."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from cost_reporting.domain.account_binding import MOST_NAMED, claim_of, contest, contests, secret_names, still_led_to
from cost_reporting.soundness import is_own_secret, is_own_secret_arn
from tests.builders import a_client

SECRET = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:cost-reporting/clients/"


def by_role(client_id: str, account: int, role: str = "reader", **more: Any) -> dict[str, Any]:
    return {"client_id": client_id, "access": {"role_arn": f"arn:aws:iam::{account:012d}:role/{role}"}} | more


def by_keys(client_id: str, secret: str, **more: Any) -> dict[str, Any]:
    return {"client_id": client_id, "access": {"secret_arn": SECRET + secret}} | more


def contested(*rows: dict[str, Any]) -> dict[str, set[str]]:
    return {who: {each.other for each in found} for who, found in contests([claim_of(row) for row in rows]).items()}


def test_two_roles_in_one_account_are_one_account() -> None:
    assert contested(by_role("acme", 1), by_role("other", 1, "another-role"), by_role("third", 2)) == {
        "acme": {"other"},
        "other": {"acme"},
    }


def test_a_further_account_counts_as_the_first_one_does() -> None:
    lab = {"name": "Lab", "access": by_role("x", 2)["access"]}
    assert contested(by_role("acme", 1, more_accounts=[lab]), by_role("other", 2)).keys() == {"acme", "other"}
    (found,) = contests([claim_of(by_role("acme", 1, more_accounts=[lab])), claim_of(by_role("other", 2))])["acme"]
    assert (found.place.field, found.said) == (
        "more_accounts.0.access.role_arn",
        "AWS account 000000000002 is that of other",
    )


def test_a_secret_is_one_whether_or_not_its_arn_ends_with_aws_own_characters() -> None:
    assert contested(by_keys("acme", "acme-AbCdEf"), by_keys("other", "acme")).keys() == {"acme", "other"}
    assert contested(by_keys("acme", "acme-AbCdEf"), by_keys("other", "acme-AbCdEf")).keys() == {"acme", "other"}


def test_a_client_whose_id_goes_on_by_six_letters_is_not_taken_for_the_shorter_one() -> None:
    assert contested(by_keys("acme", "acme"), by_keys("acme-second", "acme-second")) == {}
    assert contested(by_keys("acme", "acme-second"), by_keys("acme-second", "acme-second")).keys() >= {"acme"}


def test_an_account_behind_a_secret_is_known_once_it_has_answered() -> None:
    keys, role = by_keys("acme", "acme"), by_role("other", 1)
    led_to = {"000000000001": "cost-reporting/clients/acme"}
    assert contest(claim_of(keys), claim_of(role)) is None
    found = contest(claim_of(role), claim_of(keys, led_to))
    assert found is not None
    assert found.place.name == "000000000001"
    moved = by_keys("acme", "acme/new")
    assert contest(claim_of(role), claim_of(moved, led_to)) is None, "the record names that secret no more"


def test_sharing_needs_both_sides_and_their_reasons() -> None:
    def shares(client_id: str, *others: str, reason: Any = "one for the board") -> dict[str, Any]:
        return by_role(client_id, 1, shared_with=list(others), shared_reason=reason)

    assert contested(shares("acme", "board"), shares("board", "acme")) == {}
    for half in (by_role("board", 1), shares("board"), shares("board", "acme", reason=None), shares("board", "x")):
        assert contested(shares("acme", "board"), half).keys() == {"acme", "board"}
    (found,) = contests([claim_of(shares("acme", "board")), claim_of(by_role("board", 1))])["acme"]
    assert found.said.endswith("is that of board, whose record does not name acme in shared_with")


@pytest.mark.parametrize(
    "access",
    [None, "x", [], {}, {"role_arn": None}, {"role_arn": "x"}, {"role_arn": ["x"]}, {"secret_arn": 3}],
)
def test_what_cannot_be_read_leads_nowhere_and_fails_no_other_client(access: Any) -> None:
    rows = [{"client_id": who, "access": access, "more_accounts": access, "shared_with": access} for who in "ab"]
    assert contested(*rows, by_role("acme", 1)) == {}


def test_a_malformed_record_still_leads_where_it_leads() -> None:
    access = {"kind": "?", "role_arn": " arn:aws:iam::000000000001:role/"}
    broken = {"client_id": "broken", "status": 7, "access": access}
    assert contested(by_role("acme", 1), broken).keys() == {"acme", "broken"}
    assert contested(by_role("acme", 1), {**broken, "shared_with": "acme", "shared_reason": "x"}).keys() == {
        "acme",
        "broken",
    }


def test_ten_thousand_records_that_lead_to_one_account_name_a_few_others_each() -> None:
    found = contests([claim_of(by_role(f"client-{number}", 1)) for number in range(10_000)])
    assert len(found) == 10_000
    assert max(len(each) for each in found.values()) == MOST_NAMED


def test_of_what_was_bound_a_record_keeps_what_it_still_leads_to() -> None:
    held = {"000000000001": "", "000000000002": "cost-reporting/clients/acme"}
    assert still_led_to(claim_of(by_role("acme", 3)), held) == {"000000000003": ""}
    assert still_led_to(claim_of(by_keys("acme", "acme-AbCdEf")), held) == {
        "000000000002": "cost-reporting/clients/acme"
    }


ids = st.sampled_from(["a", "b", "c", "d"])
rows = st.builds(
    lambda who, account, shared, reason: by_role(who, account, shared_with=shared, shared_reason=reason),
    ids,
    st.integers(1, 3),
    st.lists(ids, max_size=3),
    st.sampled_from(["because", "", None]),
)


@given(st.lists(rows, max_size=6, unique_by=lambda row: row["client_id"]))
def test_who_is_contested_is_symmetric_and_shared_accounts_name_each_other(listed: list[dict[str, Any]]) -> None:
    found = contested(*listed)
    by_id = {row["client_id"]: row for row in listed}
    for one in by_id.values():
        for other in by_id.values():
            if one is other:
                continue
            who, whom = one["client_id"], other["client_id"]
            leave = all(
                this["shared_reason"] and that["client_id"] in this["shared_with"]
                for this, that in ((one, other), (other, one))
            )
            expected = one["access"] == other["access"] and not leave
            assert (whom in found.get(who, set())) is expected
            assert (who in found.get(whom, set())) is expected


@pytest.mark.parametrize(
    ("name", "own"),
    [
        ("cost-reporting/clients/acme", True),
        ("cost-reporting/clients/acme/keys", True),
        ("cost-reporting/clients/acme-2", False),
        ("cost-reporting/clients/acme-second", False),
        ("cost-reporting/clients/acm", False),
        ("cost-reporting/clients/", False),
        ("clients/acme", False),
        ("elsewhere", False),
    ],
)
def test_a_secret_lies_below_the_client_s_own_name(name: str, own: bool) -> None:
    assert is_own_secret(name, "acme") is own
    assert is_own_secret_arn(f"arn:aws:secretsmanager:eu-central-1:123456789012:secret:{name}-AbCdEf", "acme") is own
    assert is_own_secret(name, "acme", "another-prefix") is False


def test_the_likeliest_name_of_a_secret_is_the_last() -> None:
    assert secret_names(":secret:p/clients/acme-AbCdEf", "acme") == ("p/clients/acme-AbCdEf", "p/clients/acme")
    assert secret_names(":secret:p/clients/acme-second", "acme-second") == ("p/clients/acme-second",)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"shared_with": ["acme"]}, "shared_reason"),
        ({"shared_reason": "for the board"}, "shared_reason"),
        ({"shared_with": ["northwind-retail"], "shared_reason": "for the board"}, "shared_with"),
        ({"shared_with": ["No Id"], "shared_reason": "for the board"}, "shared_with.0"),
        ({"access": {"kind": "secret", "secret_arn": f"{SECRET}acme"}}, "access.secret_arn"),
    ],
)
def test_a_record_names_others_with_a_reason_and_no_other_client_s_secret(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as invalid:
        a_client(**changes)
    (fault,) = invalid.value.errors()
    assert field in (".".join(map(str, fault["loc"])) + fault["msg"])


def test_a_client_may_be_named_before_there_is_one() -> None:
    assert a_client(shared_with=["not-there-yet"], shared_reason="for the board").shared_with == ("not-there-yet",)
