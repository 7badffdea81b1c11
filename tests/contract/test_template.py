"""The template, held against the state machine and the code that it deploys."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest

from cost_reporting.contracts import RunRequest, WatchAsked
from cost_reporting.delivery.ses import READ_TIMEOUT
from cost_reporting.errors import RollUpNotSent
from cost_reporting.ledger import Mail
from cost_reporting.measures import of
from cost_reporting.operations.list_clients import _contradictions
from cost_reporting.schedules import GRACE, SCHEDULES
from cost_reporting.store.ledger import BY_ISSUE
from local.differences.event_logs import find
from tests.contract.documents import ROOT, functions, machine, resources, template
from tests.recorded import EVENTS as RECORDED

(MACHINE,) = resources("AWS::Serverless::StateMachine").values()
COMMON, *OTHERS = sorted(ROOT.glob("src/requirements.txt")) + sorted(ROOT.glob("layers/*/requirements.txt"))


def packages(requirements: Path) -> set[str]:
    """The names that a file of requirements pins."""
    return set(re.findall(r"^([A-Za-z0-9._-]+)==", requirements.read_text(), flags=re.MULTILINE))


def test_every_substitution_of_the_state_machine_is_given_and_none_in_vain() -> None:
    used = set(re.findall(r"\$\{(\w+)\}", json.dumps(machine())))
    assert used == MACHINE["DefinitionSubstitutions"].keys()


def test_a_substitution_is_called_as_what_it_stands_for() -> None:
    for name, value in MACHINE["DefinitionSubstitutions"].items():
        expected = "${Bucket}" if name == "BucketName" else "${" + name.removesuffix("Arn") + ".Arn}"
        assert value == expected


def test_the_state_machine_may_call_the_functions_that_it_names_and_no_others() -> None:
    allowed = [
        statement["Resource"]
        for policy in MACHINE["Policies"]
        for statement in policy["Statement"]
        if statement["Action"] == "lambda:InvokeFunction"
    ]
    assert sorted(allowed[0]) == sorted(
        value for name, value in MACHINE["DefinitionSubstitutions"].items() if name.endswith("FunctionArn")
    )


@pytest.mark.parametrize("schedule", sorted(MACHINE["Events"]))
def test_a_schedule_asks_for_what_list_clients_understands_at_its_nominal_time(schedule: str) -> None:
    properties = MACHINE["Events"][schedule]["Properties"]
    text = properties["Input"].replace("<aws.scheduler.scheduled-time>", "2026-11-08T05:00:00Z")
    request = RunRequest.model_validate_json(text)
    assert request.cadence == {"Weekly": "weekly"}.get(schedule, "monthly")
    assert request.scheduled_at is not None
    assert not list(_contradictions(request))
    assert properties["ScheduleExpressionTimezone"] == "${TimeZone}"
    assert properties["State"] == "${Schedules}"


def test_the_watch_knows_the_schedules_as_they_are() -> None:
    crons = {name: each["Properties"]["ScheduleExpression"] for name, each in MACHINE["Events"].items()}
    assert crons == {schedule.name: schedule.cron for schedule in SCHEDULES}
    for schedule in SCHEDULES:
        text = MACHINE["Events"][schedule.name]["Properties"]["Input"]
        asked = text.replace("<aws.scheduler.scheduled-time>", "2026-11-08T05:00:00Z")
        assert RunRequest.model_validate_json(asked).cadence == schedule.cadence


def test_the_watch_looks_as_soon_as_the_grace_of_a_schedule_is_over_and_its_alarm_misses_it_when_it_does_not() -> None:
    (schedule,) = functions()["WatchDeliveriesFunction"]["Events"].values()
    properties = schedule["Properties"]
    assert WatchAsked.model_validate_json(
        properties["Input"].replace("<aws.scheduler.scheduled-time>", "2026-11-08T08:00:00Z")
    )
    assert properties["ScheduleExpression"] == "cron(0 * * * ? *)"
    assert GRACE % timedelta(hours=1) == timedelta(0)
    assert (properties["ScheduleExpressionTimezone"], properties["State"]) == ("${TimeZone}", "${Schedules}")
    alarm = resources("AWS::CloudWatch::Alarm")["MissingReportsAlarm"]
    assert alarm["AlarmName"] == "${AlarmPrefix}-MissingReports"
    assert (alarm["Namespace"], alarm["MetricName"]) == (
        "${AlarmPrefix}",
        next(iter(of(RollUpNotSent("no", missing=1, bounced=0)))),
    )
    assert alarm["Period"] * alarm["EvaluationPeriods"] == timedelta(hours=2).total_seconds()
    assert alarm["TreatMissingData"] == ["RunsBySchedule", "breaching", "ignore"]
    assert alarm["AlarmActions"] == alarm["OKActions"] == ["${AlertsTopic}"]


def test_every_event_of_a_mail_is_logged_by_exactly_one_rule_and_without_an_address() -> None:
    rules = resources("AWS::Events::Rule")
    kinds = {name: rule["EventPattern"]["detail"]["eventType"] for name, rule in rules.items()}
    assert kinds == {"MailEvents": [{"anything-but": "Bounce"}], "MailBounces": ["Bounce"]}
    for rule in rules.values():
        (target,) = rule["Targets"]
        assert target["Arn"].endswith(":log-group:${MailEventsLogGroup}")
        paths, words = target["InputTransformer"]["InputPathsMap"], target["InputTransformer"]["InputTemplate"]
        assert set(re.findall(r"<(\w+)>", words)) == paths.keys()
        read = {find(event, path) for event in RECORDED for path in paths.values()}
        assert not [value for value in read if "@" in value]
        line = json.loads(re.sub(r"<\w+>", "x", words.replace("<time>", '"x"')))
        assert line.keys() == {"timestamp", "message"}
        assert '"' not in line["message"]


def test_event_bridge_may_write_into_the_log_group_of_mail_events_and_no_other() -> None:
    policy = json.loads(resources("AWS::Logs::ResourcePolicy")["MailEventsPolicy"]["PolicyDocument"])
    name = resources("AWS::Logs::LogGroup")["MailEventsLogGroup"]["LogGroupName"]
    assert {statement["Action"] for statement in policy["Statement"]} == {"logs:CreateLogStream", "logs:PutLogEvents"}
    for statement in policy["Statement"]:
        assert statement["Resource"].endswith(f":log-group:{name}:*")
        assert set(statement["Principal"]["Service"]) == {"events.amazonaws.com", "delivery.logs.amazonaws.com"}


def test_the_index_of_mails_holds_what_the_watch_reads() -> None:
    (index,) = resources("AWS::DynamoDB::Table")["OutcomesTable"]["GlobalSecondaryIndexes"]
    assert index["IndexName"] == BY_ISSUE
    assert set(index["Projection"]["NonKeyAttributes"]) == Mail.model_fields.keys()


def test_only_the_renderer_carries_the_pdf_layer() -> None:
    with_layer = [name for name, each in functions().items() if "${PdfLayer}" in each.get("Layers", [])]
    assert with_layer == ["RenderPdfFunction"]
    assert template()["Globals"]["Function"]["Layers"] == ["${CommonLayer}"]


@pytest.mark.parametrize("requirements", [COMMON, *OTHERS], ids=lambda path: path.parent.name)
def test_no_layer_brings_what_the_runtime_has(requirements: Path) -> None:
    assert packages(requirements)
    assert not packages(requirements) & {"boto3", "botocore", "s3transfer", "urllib3"}


def test_the_common_layer_holds_nothing_that_only_the_pdf_needs() -> None:
    assert not packages(COMMON) & {"weasyprint", "jinja2", "babel", "pillow", "fonttools", "xlsxwriter"}


def test_a_mail_without_an_answer_is_an_error_with_a_name_before_the_function_is_killed() -> None:
    assert functions()["SendEmailFunction"]["Timeout"] >= 2 * READ_TIMEOUT


@pytest.mark.parametrize("function", ["SendEmailFunction", "WatchDeliveriesFunction"])
def test_mail_can_only_be_sent_from_the_sender(function: str) -> None:
    statements = [
        statement
        for policy in functions()[function]["Policies"]
        for statement in policy["Statement"]
        if "ses:SendEmail" in statement["Action"]
    ]
    assert [statement["Condition"] for statement in statements] == [{"StringEquals": {"ses:FromAddress": "${Sender}"}}]


def test_every_log_is_given_up_after_a_while() -> None:
    assert {each["RetentionInDays"] for each in resources("AWS::Logs::LogGroup").values()} == {"${LogRetentionDays}"}
