"""preflight.py: every check in order, a fault with what mends it, or not checked; before and after a deployment."""

import json
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ConnectTimeoutError

import _console
import _deployment
import _layers
import _template
import preflight as command
from cost_reporting.domain.readiness import Verdict
from cost_reporting.operations.readiness import AT_ONCE
from tests.builders import a_client
from tests.functional.conftest import Answer, Stack, Wire, World, refusal
from tests.functional.test_check_health import account
from tests.functional.test_preview import Ended
from tests.unit.test_alarm_definitions import OF_THE_OLD_RUNBOOK

Preflight = Callable[..., Ended]
NAMES = ["region", "credentials", *command.AFTER]
SIGNED = {
    "VerifiedForSendingStatus": True,
    "DkimAttributes": {"SigningEnabled": True, "Status": "SUCCESS"},
}
NO_STACK = refusal("ValidationError", 400, "Stack with id cost-reporting does not exist")
SCHEDULE = {
    "Name": "weekly", "GroupName": "default", "State": "ENABLED", "ScheduleExpression": "cron(0 6 ? * TUE *)",
    "FlexibleTimeWindow": {"Mode": "OFF"},
    "Target": {"Arn": "arn:aws:states:eu-central-1:1:stateMachine:a", "RoleArn": "arn:aws:iam::1:role/a-role"},
}  # fmt: skip


@pytest.fixture
def sound(stack: Stack, world: World, wire: Wire, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Stack:
    """A deployed stack in which everything is in order, and built layers."""
    monkeypatch.setattr(_deployment, "LOCAL_ENV", tmp_path / "none")
    for name in (*_deployment._PARTS, "STACK_NAME", "STACK_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(command._layers, "BUILT", built(tmp_path / "built"))
    monkeypatch.setattr(
        command._template,
        "configured",
        lambda environment: {"parameter_overrides": "Sender=reports@consultancy.example"},
    )
    stack.deploy(Schedules="ENABLED")
    wire.order("sesv2.GetAccount", *[account()] * 9)
    wire.order("sesv2.GetEmailIdentity", *[Answer(200, SIGNED)] * 9)
    limit = {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 1000}
    wire.order("lambda.GetAccountSettings", *[Answer(200, {"AccountLimit": limit})] * 9)
    wire.order("stepfunctions.DescribeStateMachine", *[Answer(200, {"status": "ACTIVE"})] * 9)
    wire.order("stepfunctions.ListStateMachines", *[Answer(200, {"stateMachines": []})] * 9)
    wire.order("scheduler.GetSchedule", *[Answer(200, SCHEDULE)] * 9)
    with wire.another():
        boto3.client("s3").create_bucket(
            Bucket="cost-reporting-AccessLog".lower(), CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
        )
    wire.order("s3.HeadBucket", *[Answer(200, {})] * 9)
    return stack


def built(folder: Path, machine: int = 62, *, pango: bool = True) -> Path:
    """Layers of one native library each, as `sam build` leaves them."""
    header = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x03\x00" + machine.to_bytes(2, "little")
    for layer, name in (("CommonLayer", "_pydantic_core.so"), ("PdfLayer", "libpango-1.0.so.0" if pango else "x.so")):
        (folder / layer / "lib").mkdir(parents=True)
        (folder / layer / "lib" / name).write_bytes(header)
        (folder / layer / "README").write_text("no ELF file")
    return folder


@pytest.fixture
def preflight(sound: Stack, capsys: pytest.CaptureFixture[str]) -> Preflight:
    def preflight(*arguments: str) -> Ended:
        capsys.readouterr()
        return Ended(_console.main(command.app, list(arguments)), *capsys.readouterr())

    return preflight


def found(answer: Ended) -> dict[str, dict[str, str]]:
    """The last verdict of each check."""
    return {each["check"]: each for each in answer.json["checks"]}


def faults(answer: Ended) -> list[str]:
    return [each["check"] for each in answer.json["checks"] if each["state"] == "fault"]


def test_a_sound_deployment_has_no_fault_and_every_check_is_told(preflight: Preflight) -> None:
    answer = preflight("--json")
    assert (answer.code, faults(answer)) == (0, []), answer.out
    assert list(found(answer)) == NAMES
    assert {name for name, each in found(answer).items() if each["state"] == "not checked"} == {"Cost Explorer"}
    assert all(set(each) == {"check", "state", "fact", "fix"} for each in answer.json["checks"])
    assert "There is stack cost-reporting in account 123456789012, eu-central-1: checked as --after" in answer.err


def test_each_line_is_a_state_a_check_and_a_fact_and_a_fault_has_a_command(preflight: Preflight, wire: Wire) -> None:
    wire.forget("sesv2.GetAccount")
    wire.order("sesv2.GetAccount", account(ProductionAccessEnabled=False))
    answer = preflight()
    assert answer.code == 1
    lines = answer.out.splitlines()
    at = next(at for at, line in enumerate(lines) if line.startswith("fault: "))
    assert lines[at].startswith("fault: mail account: in the sandbox")
    assert lines[at + 1].startswith("    fix: aws sesv2 put-account-details --production-access-enabled")
    assert shlex.split(lines[at + 1].removeprefix("    fix: "))
    others = [line for each, line in enumerate(lines) if each not in (at, at + 1)]
    assert all(line.startswith(("ok: ", "not checked: ")) for line in others)


def test_nothing_is_changed_and_nothing_is_paid(preflight: Preflight, wire: Wire, costs: Any) -> None:
    wire.calls.clear()
    preflight("--after")
    verbs = {call.operation.partition(".")[2] for call in wire.calls}
    assert {verb for verb in verbs if not verb.startswith(("Get", "Describe", "List", "Head", "Scan"))} == set()
    assert costs.paid == 0


@pytest.mark.parametrize("how", [["--before"], []])
def test_without_a_stack_what_a_deployment_needs_is_checked(how: list[str], preflight: Preflight, wire: Wire) -> None:
    wire.forget("cloudformation.DescribeStacks")
    wire.order("cloudformation.DescribeStacks", *[NO_STACK] * 3)
    wire.forget("s3.HeadBucket")
    wire.order("s3.HeadBucket", *[refusal("404", 404)] * 9)
    answer = preflight(*how, "--json")
    assert (answer.code, answer.json["when"]) == (0, "before"), answer.out
    assert list(found(answer)) == ["region", "credentials", *command.BEFORE]
    assert "there is no stack yet" in found(answer)["sending quota"]["fact"]
    assert found(answer)["bucket"]["fact"].startswith("the name cost-reporting-")
    assert ("checked as --before has it" in answer.err) == (how == ["--before"]) or "There is no stack" in answer.err


@pytest.mark.parametrize(("status", "said"), [(403, "another account's"), (200, "kept from a stack that was deleted")])
def test_a_bucket_s_name_that_is_taken_is_a_fault_before_a_deployment(
    status: int, said: str, preflight: Preflight, wire: Wire
) -> None:
    wire.forget("cloudformation.DescribeStacks")
    wire.order("cloudformation.DescribeStacks", *[NO_STACK] * 3)
    wire.forget("s3.HeadBucket")
    wire.order("s3.HeadBucket", *[refusal("403", 403) if status == 403 else Answer(200, {})] * 9)
    answer = preflight("--before", "--json")
    assert "bucket" in faults(answer)
    assert said in found(answer)["bucket"]["fact"]


def test_what_the_next_deployment_will_have_is_checked_before_it(preflight: Preflight, wire: Wire) -> None:
    answer = preflight("--before", "--json", "--parameter-overrides", f"Architecture=arm64 {AT_ONCE}=999")
    assert {"layers", "Lambda concurrency"} <= set(faults(answer))
    assert "ARCHITECTURE=arm64 make build" in found(answer)["layers"]["fix"]


def test_a_deployment_that_does_not_say_who_sends_has_no_sender_in_order(
    preflight: Preflight, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SAM asks for parameters that have no default."""
    monkeypatch.setattr(command._template, "configured", lambda environment: {})
    monkeypatch.setattr(command._template, "values", lambda *layers: {"Architecture": "x86_64"})
    wire.forget("cloudformation.DescribeStacks")
    wire.order("cloudformation.DescribeStacks", *[NO_STACK] * 3)
    answer = preflight("--before", "--json")
    for check in ("sender", "DKIM"):
        assert found(answer)[check]["state"] == "not checked"
        assert "Sender=" in found(answer)[check]["fact"]


FAULTS: dict[str, tuple[str, Answer]] = {
    "mail account": ("sesv2.GetAccount", account(SendingEnabled=False)),
    "sender": ("sesv2.GetEmailIdentity", refusal("NotFoundException", 404)),
    "DKIM": ("sesv2.GetEmailIdentity", Answer(200, {"VerifiedForSendingStatus": True})),
    "Lambda concurrency": (
        "lambda.GetAccountSettings",
        Answer(200, {"AccountLimit": {"ConcurrentExecutions": 10, "UnreservedConcurrentExecutions": 6}}),
    ),
    "Step Functions": ("stepfunctions.DescribeStateMachine", Answer(200, {"status": "DELETING"})),
    "bucket": ("s3.HeadBucket", refusal("404", 404)),
    "schedules": ("scheduler.GetSchedule", Answer(200, SCHEDULE | {"State": "DISABLED"})),
    "alerts": (
        "sns.ListSubscriptionsByTopic",
        Answer(200, {"Subscriptions": [{"SubscriptionArn": "PendingConfirmation", "Protocol": "email"}]}),
    ),
}


@pytest.mark.parametrize("check", FAULTS)
def test_what_is_out_of_order_is_a_fault_with_what_mends_it(check: str, preflight: Preflight, wire: Wire) -> None:
    operation, answer = FAULTS[check]
    wire.forget(operation)
    wire.order(operation, *[answer] * 9)
    ended = preflight("--json")
    assert ended.code == 1
    assert check in faults(ended)
    assert found(ended)[check]["fix"].startswith(("aws ", "sam ", "In the console: "))


READS = {
    "mail account": "sesv2.GetAccount",
    "sending quota": "dynamodb.Scan",
    "sender": "sesv2.GetEmailIdentity",
    "DKIM": "sesv2.GetEmailIdentity",
    "Lambda concurrency": "lambda.GetAccountSettings",
    "alerts": "sns.ListSubscriptionsByTopic",
    "alarms": "cloudwatch.DescribeAlarms",
    "schedules": "scheduler.GetSchedule",
}


@pytest.mark.parametrize("check", READS)
@pytest.mark.parametrize("refused", [True, False], ids=["refused", "silent"])
def test_what_cannot_be_read_is_not_checked_and_says_why(
    check: str, refused: bool, preflight: Preflight, wire: Wire
) -> None:
    wire.forget(READS[check])
    why = refusal("AccessDeniedException", 403) if refused else ConnectTimeoutError(endpoint_url="https://aws")
    wire.order(READS[check], *[why] * 9)
    ended = preflight("--json")
    assert found(ended)[check]["state"] == "not checked"
    assert ("AccessDeniedException" if refused else "ConnectTimeoutError") in found(ended)[check]["fact"]
    assert found(ended)[check]["fix"] == ""


def test_credentials_that_may_not_look_at_state_machines_are_a_fault(preflight: Preflight, wire: Wire) -> None:
    wire.forget("stepfunctions.DescribeStateMachine")
    wire.order("stepfunctions.DescribeStateMachine", refusal("AccessDeniedException", 403))
    ended = preflight("--json")
    assert found(ended)["Step Functions"]["state"] == "fault"
    assert "states:DescribeStateMachine" in found(ended)["Step Functions"]["fix"]


@pytest.mark.parametrize("old", OF_THE_OLD_RUNBOOK, ids=lambda alarm: alarm["AlarmName"])
def test_an_alarm_that_the_old_runbook_has_replaced_is_a_fault_until_its_fix_was_run(
    old: dict[str, Any], preflight: Preflight, sound: Stack
) -> None:
    boto3.client("cloudwatch").put_metric_alarm(**old)
    ended = preflight("--json")
    (fault,) = [each for each in ended.json["checks"] if each["state"] == "fault"]
    assert (fault["check"], ended.code) == ("alarms", 1)
    assert old["AlarmName"] in fault["fact"]
    words = shlex.split(fault["fix"])
    boto3.client("cloudwatch").put_metric_alarm(**json.loads(words[words.index("--cli-input-json") + 1]))
    assert preflight().code == 0


def test_a_report_to_every_active_client_has_to_fit_into_a_day(preflight: Preflight, world: World, wire: Wire) -> None:
    three = ("a@a.example", "b@a.example", "c@a.example")
    world.add(a_client(client_id="acme", recipients=three), a_client(client_id="bakery", recipients=three))
    world.add(a_client(client_id="asleep", recipients=three), status="suspended")
    quota = {"Max24HourSend": 5.0, "SentLast24Hours": 0.0}
    wire.forget("sesv2.GetAccount")
    wire.order("sesv2.GetAccount", account(SendQuota=quota))
    ended = preflight("--json")
    assert found(ended)["sending quota"]["state"] == "fault"
    assert "takes 6 mails; SES sends 5" in found(ended)["sending quota"]["fact"]


@pytest.mark.parametrize(
    ("answer", "state", "fix"),
    [
        (Answer(200, {"ResultsByTime": []}), "ok", ""),
        (refusal("AccessDeniedException", 400), "fault", "aws iam put-user-policy"),
        (refusal("DataUnavailableException", 400), "fault", "In the console: Billing"),
        (refusal("LimitExceededException", 400), "not checked", ""),
    ],
)
def test_cost_explorer_is_asked_once_and_only_if_that_is_said(
    answer: Answer, state: str, fix: str, preflight: Preflight, wire: Wire
) -> None:
    assert "--paid" in found(preflight("--json"))["Cost Explorer"]["fact"]
    assert wire.count("ce.GetCostAndUsage") == 0
    wire.order("ce.GetCostAndUsage", *[answer] * 3)
    told = found(preflight("--paid", "--json"))["Cost Explorer"]
    assert (told["state"], wire.count("ce.GetCostAndUsage")) == (state, 1)
    assert told["fix"].startswith(fix)


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"AWS_REGION": "us-east-1"}, "AWS_REGION is us-east-1 and AWS_DEFAULT_REGION is eu-central-1"),
        ({"AWS_DEFAULT_REGION": "cn-north-1"}, "in the partition aws-cn"),
        ({"AWS_DEFAULT_REGION": ""}, "nothing names a region"),
    ],
)
def test_a_region_that_is_not_clear_is_a_fault_and_nothing_else_is_in_order(
    environment: dict[str, str], said: str, preflight: Preflight, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    ended = preflight("--json")
    assert (ended.code, faults(ended)) == (1, ["region"])
    assert said in found(ended)["region"]["fact"]
    assert found(ended)["region"]["fix"].startswith("export AWS_REGION=")
    assert {each["state"] for each in ended.json["checks"][1:]} == {"not checked"}


def test_a_region_that_only_aws_region_names_is_the_one_that_is_asked(
    preflight: Preflight, monkeypatch: pytest.MonkeyPatch
) -> None:
    """boto3 reads AWS_DEFAULT_REGION alone."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    assert found(preflight("--json"))["region"]["fact"] == "eu-central-1, by AWS_REGION"


def test_credentials_that_aws_does_not_take_are_a_fault(preflight: Preflight, wire: Wire) -> None:
    wire.order("sts.GetCallerIdentity", refusal("ExpiredToken", 403))
    ended = preflight("--json")
    assert (ended.code, faults(ended)) == (1, ["credentials"])
    assert {each["state"] for each in ended.json["checks"][2:]} == {"not checked"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--before", "--after"], "--before: goes without --after"),
        (["--before", "--parameter-overrides", "Sender"], "'Sender' is not Name=value"),
        (["--before", "--parameter-overrides", "Nothing=1"], "no parameter Nothing"),
        (["--before", "--parameter-overrides", "Architecture=mips"], "expected one of x86_64, arm64"),
        (["--before", "--parameter-overrides", f"{AT_ONCE}=0"], "expected 1 to 1000"),
        (["--after", "--parameter-overrides", "Architecture=arm64"], "the stack has its own"),
    ],
)
def test_wrong_input_is_told_with_the_field_and_is_exit_code_two(
    arguments: list[str], said: str, preflight: Preflight
) -> None:
    ended = preflight(*arguments, "--json")
    assert (ended.code, ended.json["status"]) == (2, "failed")
    assert said in ended.json["message"]


def test_after_a_deployment_there_has_to_be_a_stack(preflight: Preflight, wire: Wire) -> None:
    wire.forget("cloudformation.DescribeStacks")
    wire.order("cloudformation.DescribeStacks", NO_STACK)
    ended = preflight("--after", "--json")
    assert ended.code == 2
    assert "there is no stack cost-reporting" in ended.json["message"]


# -- what is built, and what samconfig.toml says ----------------------------------------------------------------------


def layers(architecture: str, folder: Path) -> Verdict:
    (verdict,) = _layers.looked_at(architecture, folder)
    return verdict


def test_layers_are_for_the_architecture_that_is_deployed_and_have_pango(tmp_path: Path) -> None:
    assert layers("x86_64", built(tmp_path / "a")).state == "ok"
    assert layers("arm64", built(tmp_path / "b", 183)).state == "ok"
    assert layers("arm64", tmp_path / "a").fix == "ARCHITECTURE=arm64 make build"
    assert layers("x86_64", built(tmp_path / "c", 8)).state == "fault"
    assert "has no Pango" in layers("x86_64", built(tmp_path / "d", pango=False)).fact
    assert layers("x86_64", tmp_path / "nothing").state == "not checked"


@pytest.mark.parametrize(
    "said", ['A=1 B="two words"', ["A=1", 'B="two words"'], {"A": 1, "B": "two words"}], ids=["text", "list", "table"]
)
def test_overrides_are_read_in_each_form_that_sam_takes(said: Any) -> None:
    assert _template.overrides(said, "samconfig.toml") == {"A": "1", "B": "two words"}


def test_both_environments_of_samconfig_can_be_read_and_another_is_wrong_input() -> None:
    for environment in ("default", "local"):
        found = _template.configured(environment)
        assert found["stack_name"] == "cost-reporting"
        _template.values(
            _template.body(), ("samconfig.toml", _template.overrides(found.get("parameter_overrides", ""), "x"))
        )
    with pytest.raises(_console.WrongInput, match="has no production"):
        _template.configured("production")


@pytest.fixture(autouse=True)
def no_region_is_left_behind() -> Iterator[None]:
    """The command puts the region where boto3 reads it."""
    import os

    before = os.environ.get("AWS_DEFAULT_REGION")
    yield
    if before is not None:
        os.environ["AWS_DEFAULT_REGION"] = before
