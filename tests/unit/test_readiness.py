"""The judgements about a deployment: in order, a fault with what mends it, or not checked; never in order unread."""

import json
import shlex
from itertools import product
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from cost_reporting.domain import readiness
from cost_reporting.domain.readiness import (
    Identity,
    MailAccount,
    Subscription,
    Verdict,
    deciding,
    domains_first,
    identities_for,
)

REGION = "eu-central-1"
TOPIC = "arn:aws:sns:eu-central-1:123456789012:cost-reporting-alerts"
SOUND = MailAccount(sending=True, production=True, reputation="HEALTHY", quota=50_000, sent=12)


def identity(name: str, **changes: Any) -> Identity:
    known: dict[str, Any] = {"verified": True, "signing": True, "dkim": "SUCCESS", "mail_from": None}
    return Identity(name=name, **known | changes)


def mail(**changes: Any) -> Verdict:
    account = SOUND.model_copy(update=changes)
    return readiness.mail_account(account, sender="reports@mail.consultancy.example", region=REGION)


def is_a_call_of_aws(fix: str) -> dict[str, Any]:
    """Hold a command of the AWS CLI against botocore's model of the operation; its options as it takes them."""
    words = shlex.split(fix, comments=True)
    assert words[0] == "aws"
    session = botocore.session.get_session()
    model = session.get_service_model(words[1])
    operation = model.operation_model("".join(part.capitalize() for part in words[2].split("-")))
    given: dict[str, Any] = {}
    options = iter(words[3:])
    for option in options:
        name = {"--notification-endpoint": "endpoint"}.get(option, option.removeprefix("--").replace("-", ""))
        if name in ("region", "query"):
            next(options)
            continue
        if name == "cliinputjson":
            given |= json.loads(next(options))
            continue
        members = {member.lower(): member for member in operation.input_shape.members}
        switched_on = name in members and operation.input_shape.members[members[name]].type_name == "boolean"
        assert name in members, f"{words[1]} {words[2]} has no --{name}"
        kind = operation.input_shape.members[members[name]].type_name
        value: Any = True if switched_on else next(options)
        given[members[name]] = float(value) if kind == "double" else value
    report = ParamValidator().validate(given, operation.input_shape)
    assert not report.has_errors(), report.generate_report()
    return given


def test_an_account_in_production_is_in_order_and_says_what_it_has_used() -> None:
    assert (mail().state, mail().fact) == ("ok", "production, 12 of 50000 mails in 24 hours")
    assert mail(quota=-1).fact == "production, 12 mails in 24 hours, which are not limited"


@pytest.mark.parametrize(
    ("changes", "said", "mended_by"),
    [
        ({"production": False}, "in the sandbox", "put-account-details --production-access-enabled"),
        ({"production": False, "review": "DENIED"}, "denied", "put-account-details"),
        ({"production": False, "review": "PENDING"}, "is reviewing", "Support Center"),
        ({"sending": False}, "sending is switched off", "put-account-sending-attributes"),
        ({"reputation": "SHUTDOWN"}, "switched off by AWS", "Support Center"),
        ({"reputation": "PROBATION"}, "probation", "Support Center"),
        ({"sent": 50_000}, "no mail can be sent now", "request-service-quota-increase"),
    ],
)
def test_an_account_from_which_no_client_gets_mail_is_a_fault(changes: Any, said: str, mended_by: str) -> None:
    found = mail(**changes)
    assert (found.check, found.state) == ("mail account", "fault")
    assert said in found.fact
    assert mended_by in found.fix
    if found.fix.startswith("aws"):
        is_a_call_of_aws(found.fix)
    else:
        assert found.fix.startswith("In the console: ")


@pytest.mark.parametrize("absent", ["sending", "production"])
def test_what_ses_does_not_say_about_the_account_is_not_in_order(absent: str) -> None:
    assert mail(**{absent: None}).state == "not checked"


def test_no_verdict_shows_an_address_in_its_fact() -> None:
    found = [mail(production=False), readiness.sender_identity("a@consultancy.example", [], region=REGION)]
    found.append(readiness.alerts([], topic=TOPIC, operators="o@consultancy.example", region=REGION))
    assert not [each.fact for each in found if "@" in each.fact]


def test_a_day_s_quota_is_held_against_a_report_to_every_client() -> None:
    assert readiness.sending_quota(SOUND, 50_000, region=REGION).state == "ok"
    small = SOUND.model_copy(update={"quota": 200})
    found = readiness.sending_quota(small, 201, region=REGION)
    assert (found.state, is_a_call_of_aws(found.fix)["DesiredValue"]) == ("fault", 402)
    assert readiness.sending_quota(small.model_copy(update={"quota": -1}), 201, region=REGION).state == "ok"
    assert readiness.sending_quota(small.model_copy(update={"quota": None}), 1, region=REGION).state == "not checked"


def test_a_verified_domain_covers_every_subdomain_and_no_other_domain() -> None:
    assert identities_for("reports@a.b.consultancy.example") == (
        "reports@a.b.consultancy.example",
        "a.b.consultancy.example",
        "b.consultancy.example",
        "consultancy.example",
    )
    assert identities_for("root@localhost") == ("root@localhost", "localhost")
    assert domains_first("r@a.consultancy.example")[-1] == "r@a.consultancy.example"


@pytest.mark.parametrize("name", identities_for("reports@a.b.consultancy.example"))
def test_a_sender_is_verified_by_itself_its_domain_or_one_above(name: str) -> None:
    sender = "reports@a.b.consultancy.example"
    assert readiness.sender_identity(sender, [identity(name)], region=REGION).state == "ok"
    found = readiness.sender_identity(sender, [identity(name, verified=False)], region=REGION)
    assert found.state == "fault"
    is_a_call_of_aws(found.fix)


def test_a_sender_that_ses_does_not_know_is_told_to_make_its_domain_an_identity() -> None:
    found = readiness.sender_identity("reports@mail.consultancy.example", [], region=REGION)
    assert is_a_call_of_aws(found.fix) == {"EmailIdentity": "mail.consultancy.example"}
    waiting = [identity("consultancy.example", verified=False)]
    found = readiness.sender_identity("reports@mail.consultancy.example", waiting, region=REGION)
    assert "consultancy.example waits for its DNS records" in found.fact
    assert "get-email-identity" in found.fix


@pytest.mark.parametrize(
    ("identities", "state"),
    [
        ([identity("consultancy.example")], "ok"),
        ([identity("mail.consultancy.example", dkim="PENDING"), identity("consultancy.example")], "fault"),
        ([identity("consultancy.example", dkim="NOT_STARTED")], "fault"),
        ([identity("consultancy.example", dkim=None)], "fault"),
        ([identity("consultancy.example", signing=False)], "fault"),
        ([identity("reports@mail.consultancy.example", signing=False, dkim="NOT_STARTED")], "fault"),
        ([identity("reports@mail.consultancy.example")], "ok"),
        ([], "fault"),
    ],
)
def test_the_nearest_domain_says_whether_mails_are_signed(identities: list[Identity], state: str) -> None:
    found = readiness.dkim("reports@mail.consultancy.example", identities, region=REGION)
    assert found.state == state
    if state == "fault":
        is_a_call_of_aws(found.fix)


def test_the_settings_of_the_address_count_only_without_a_domain() -> None:
    address, domain = identity("a@consultancy.example"), identity("consultancy.example")
    assert deciding([address, domain]) == deciding([domain, address]) == domain
    assert deciding([address]) == address


def test_alarms_are_heard_only_if_every_subscription_is_confirmed() -> None:
    def alerts(*confirmed: bool) -> Verdict:
        subscriptions = [Subscription(protocol="email", confirmed=each) for each in confirmed]
        return readiness.alerts(subscriptions, topic=TOPIC, operators="o@consultancy.example", region=REGION)

    for count in range(4):
        for confirmed in product((True, False), repeat=count):
            found = alerts(*confirmed)
            assert (found.state == "ok") == (bool(confirmed) and all(confirmed)), confirmed
            if found.state == "fault":
                assert is_a_call_of_aws(found.fix)["TopicArn"] == TOPIC
    assert "1 of 2 subscriptions" in alerts(True, False).fact


def test_lambda_has_to_run_the_clients_and_two_functions_besides() -> None:
    def found(unreserved: int | None, at_once: int) -> Verdict:
        return readiness.concurrency(limit=10, unreserved=unreserved, at_once=at_once, name="AtOnce", region=REGION)

    assert found(10, 8).state == "ok"
    assert found(10, 9).state == "fault"
    assert found(6, 5).state == "fault"
    assert found(None, 5).state == "not checked"
    assert is_a_call_of_aws(found(6, 5).fix)["QuotaCode"] == "L-B99A9384"


SCHEDULE = {
    "Name": "weekly", "GroupName": "default", "State": "ENABLED", "ScheduleExpression": "cron(0 6 ? * TUE *)",
    "ScheduleExpressionTimezone": "Europe/Berlin", "FlexibleTimeWindow": {"Mode": "OFF"},
    "Target": {"Arn": "arn:aws:states:eu-central-1:1:stateMachine:a", "RoleArn": "arn:aws:iam::1:role/r-1"},
}  # fmt: skip


def test_a_schedule_that_is_not_as_the_parameter_has_it_is_put_back_whole() -> None:
    def found(wanted: str, *states: str | None) -> list[Verdict]:
        schedules = {str(at): None if state is None else SCHEDULE | {"State": state} for at, state in enumerate(states)}
        return list(readiness.schedules(schedules, wanted=wanted, stack="cost-reporting", region=REGION))

    assert [each.state for each in found("ENABLED", "ENABLED", "ENABLED")] == ["ok"]
    assert "no report is made by itself" in found("DISABLED", "DISABLED")[0].fact
    assert [each.state for each in found("DISABLED", "DISABLED")] == ["ok"]
    (fault,) = found("ENABLED", "ENABLED", "DISABLED")
    assert is_a_call_of_aws(fault.fix) == SCHEDULE
    assert [each.state for each in found("ENABLED", None)] == ["fault"]
    assert [each.state for each in found("ENABLED")] == ["not checked"]


def test_a_bucket_s_name_is_free_the_stack_s_or_in_the_way() -> None:
    def found(holder: str, *, own: bool) -> str:
        return readiness.bucket("b", holder, own=own, mend="sam deploy").state

    assert (found("nobody", own=False), found("this account", own=True)) == ("ok", "ok")
    for holder, own in (
        ("this account", False),
        ("another account", False),
        ("nobody", True),
        ("another account", True),
    ):
        assert found(holder, own=own) == "fault", (holder, own)


@pytest.mark.parametrize(
    ("arn", "holder"),
    [
        ("arn:aws:sts::123456789012:assumed-role/Deployer/anna", {"RoleName": "Deployer"}),
        ("arn:aws:iam::123456789012:user/people/anna", {"UserName": "anna"}),
        ("arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Admin_0a1b/anna", None),
        ("arn:aws:iam::123456789012:root", None),
    ],
)
def test_a_missing_permission_is_given_to_the_holder_of_the_credentials(
    arn: str, holder: dict[str, str] | None
) -> None:
    fix = readiness.grant(arn, ["ce:GetCostAndUsage"], "costs")
    if holder is None:
        assert fix.startswith("In the console: ")
    else:
        assert is_a_call_of_aws(fix).items() >= holder.items()
