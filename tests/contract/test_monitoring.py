"""Alarms, dashboard and saved queries, held against the functions, metrics and log lines that they speak of."""

import ast
import io
import json
import re
from typing import Any

import pytest

from cost_reporting import measures
from cost_reporting import step as stepped
from cost_reporting.contracts import ClientDue, CostsFetched
from cost_reporting.errors import ClientAccessDenied
from tests.builders import a_client_due
from tests.contract.documents import FUNCTIONS, ROOT, SOURCE, functions, resources, states, template
from tests.contract.test_names import logical_id

ALARMS = resources("AWS::CloudWatch::Alarm")
QUERIES = resources("AWS::Logs::QueryDefinition")
(DASHBOARD,) = resources("AWS::CloudWatch::Dashboard").values()
OF_AWS = {
    "AWS/Lambda": ({"Invocations", "Errors", "Duration", "Throttles"}, {"FunctionName"}),
    "AWS/States": (
        {"ExecutionsStarted", "ExecutionsSucceeded", "ExecutionsFailed", "ExecutionTime"},
        {"StateMachineArn"},
    ),
    "AWS/SQS": ({"ApproximateNumberOfMessagesVisible"}, {"QueueName"}),
    "AWS/SES": ({"Reputation.BounceRate", "Reputation.ComplaintRate"}, set()),
}
"""Metrics of AWS's own, with their dimensions, from its documentation of each service."""
STATES = ("Delivered", "Bounced", "Complained", "Rejected")
EMF = {"MemoryUtilization": {"FunctionName"}}
"""The one metric of ours that has a dimension."""


def ours() -> set[str]:
    """The names of all metrics that the product counts, as they stand in measures.py."""
    tree = ast.parse((SOURCE / "measures.py").read_text())
    keys = {
        key.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Dict)
        for key in node.keys
        if isinstance(key, ast.Constant)
    }
    return {str(key) for key in keys} | {f"Emails{state}" for state in STATES}


def is_known(namespace: str, name: str, dimensions: set[str]) -> bool:
    """Whether there is such a metric."""
    if namespace == "${AlarmPrefix}":
        return dimensions == EMF.get(name, set()) and (name in EMF or name in ours())
    names, of = OF_AWS[namespace]
    return name in names and dimensions == of


def watched(alarm: dict[str, Any]) -> list[tuple[str, str, dict[str, str]]]:
    """Namespace, name and dimensions of each metric that an alarm looks at."""
    of_queries = [query["MetricStat"]["Metric"] for query in alarm.get("Metrics", ()) if "MetricStat" in query]
    return [
        (of["Namespace"], of["MetricName"], {each["Name"]: each["Value"] for each in of.get("Dimensions", ())})
        for of in of_queries or [alarm]
    ]


def body() -> dict[str, Any]:
    """The dashboard."""
    limit = str(template()["Parameters"]["PaidRequestsPerDay"]["Default"])
    return json.loads(DASHBOARD["DashboardBody"].replace("${PaidRequestsPerDay}", limit))


def plotted() -> list[tuple[str, str, dict[str, str]]]:
    """Each metric on the dashboard."""
    rows = [row for widget in body()["widgets"] for row in widget["properties"].get("metrics", ())]
    named = [[part for part in row if isinstance(part, str)] for row in rows]
    return [(row[0], row[1], dict(zip(row[2::2], row[3::2], strict=True))) for row in named if row]


@pytest.mark.parametrize("name", sorted(ALARMS))
def test_an_alarm_tells_people_when_it_begins_and_when_it_is_over_and_what_to_do(name: str) -> None:
    alarm = ALARMS[name]
    assert alarm["AlarmName"] == f"${{AlarmPrefix}}-{name.removesuffix('Alarm')}"
    assert alarm["AlarmActions"] == alarm["OKActions"] == ["${AlertsTopic}"]
    assert len(alarm["AlarmDescription"].split(". ")) >= 2
    assert alarm["TreatMissingData"] in ("notBreaching", "ignore", ["RunsBySchedule", "breaching", "ignore"])
    period = alarm.get("Period") or alarm["Metrics"][-1]["MetricStat"]["Period"]
    assert period * alarm["EvaluationPeriods"] <= 86_400, "CloudWatch looks back a day where periods are short"


@pytest.mark.parametrize("name", sorted(ALARMS))
def test_an_alarm_looks_at_metrics_that_there_are(name: str) -> None:
    for namespace, metric, dimensions in watched(ALARMS[name]):
        assert is_known(namespace, metric, set(dimensions)), (namespace, metric, dimensions)
        for value in dimensions.values():
            assert value.removeprefix("${").partition(".")[0].rstrip("}") in template()["Resources"]


@pytest.mark.parametrize("name", sorted(name for name in ALARMS if "Metrics" in ALARMS[name]))
def test_an_expression_names_what_it_has_and_stays_below_cloudwatch_s_ten(name: str) -> None:
    queries = {query["Id"]: query for query in ALARMS[name]["Metrics"]}
    used = {word for query in queries.values() for word in re.findall(r"[a-z]\w*", query.get("Expression", ""))}
    shown = [query for query in queries.values() if query["ReturnData"]]
    assert used == queries.keys() - {shown[0]["Id"]}
    assert len(shown) == 1
    assert sum("MetricStat" in query for query in queries.values()) <= 10
    assert sum("Expression" in query for query in queries.values()) <= 10


def test_every_function_of_a_run_is_in_the_error_rate() -> None:
    tasks = {
        state.body["Parameters"]["FunctionName"].removesuffix("Arn}") + "}"
        for state in states()
        if state.body["Type"] == "Task"
    }
    assert tasks <= {dimensions["FunctionName"] for _, _, dimensions in watched(ALARMS["HighErrorRateAlarm"])}


def test_a_function_s_duration_is_held_against_its_own_limit() -> None:
    queries = {query["Id"]: query for query in ALARMS["HighDurationAlarm"]["Metrics"]}
    metrics = {key: query for key, query in queries.items() if "MetricStat" in query}
    for function, query in metrics.items():
        (dimension,) = query["MetricStat"]["Metric"]["Dimensions"]
        assert dimension["Value"] == f"${{{logical_id(function)}}}"
        limit = functions()[logical_id(function)]["Timeout"] * 1000
        assert queries[f"{function}_used"]["Expression"] == f"100 * {function} / {limit}"


def test_what_the_runbook_s_alarms_are_is_what_they_are_here() -> None:
    rate, long = ALARMS["HighErrorRateAlarm"], ALARMS["LongExecutionAlarm"]
    assert (rate["Threshold"], rate["ComparisonOperator"], rate["EvaluationPeriods"]) == (5, "GreaterThanThreshold", 2)
    assert {query["MetricStat"]["Period"] for query in rate["Metrics"] if "MetricStat" in query} == {300}
    assert template()["Parameters"]["LongExecutionMilliseconds"]["Default"] == 600_000
    assert (long["Statistic"], long["Period"], long["EvaluationPeriods"]) == ("Average", 300, 1)
    assert template()["Parameters"]["AlarmPrefix"]["Default"] == measures.NAMESPACE == "CostReporting"


def test_every_alarm_is_shown_to_go_off_by_a_test() -> None:
    said = "".join(path.read_text() for path in (ROOT / "tests" / "workflow").glob("test_*.py"))
    assert [name for name in ALARMS if name.removesuffix("Alarm") not in said] == []


def test_the_dashboard_shows_every_alarm() -> None:
    (alarms,) = [widget["properties"]["alarms"] for widget in body()["widgets"] if widget["type"] == "alarm"]
    assert sorted(alarms) == sorted(f"${{{name}.Arn}}" for name in ALARMS)


def test_the_dashboard_plots_metrics_that_there_are_of_resources_that_there_are() -> None:
    assert plotted()
    for namespace, name, dimensions in plotted():
        assert is_known(namespace, name, set(dimensions)), (namespace, name, dimensions)
    references = set(re.findall(r"\$\{(\w+)", DASHBOARD["DashboardBody"])) - {"AWS"}
    assert references <= template()["Resources"].keys() | template()["Parameters"].keys()


def test_every_metric_that_the_product_counts_is_on_the_dashboard() -> None:
    assert {name for namespace, name, _ in plotted() if namespace == "${AlarmPrefix}"} == ours() | set(EMF)


def test_widgets_lie_within_the_dashboard_and_none_on_another() -> None:
    taken: set[tuple[int, int]] = set()
    for widget in body()["widgets"]:
        assert widget["x"] + widget["width"] <= 24
        cells = {
            (widget["x"] + across, widget["y"] + down)
            for across in range(widget["width"])
            for down in range(widget["height"])
        }
        assert not cells & taken
        taken |= cells


def lines(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What `step` and the layers below it really log, of a step that works and one that fails."""
    stream = io.StringIO()
    (handler,) = stepped.logger.handlers
    monkeypatch.setattr(handler, "stream", stream)

    @stepped.step
    def fails(_due: ClientDue) -> CostsFetched:
        raise ClientAccessDenied("acme: role: AccessDenied")

    @stepped.step
    def works(due: ClientDue) -> ClientDue:
        return due

    event = json.loads(a_client_due("acme").model_dump_json())
    works(event, None)
    with pytest.raises(ClientAccessDenied):
        fails(event, None)
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def keys_said() -> set[str]:
    """The keys that the code below hands to its logs: ``extra={"said": …}``."""
    return {
        str(key.value)
        for path in SOURCE.rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.keyword) and call.arg == "extra" and isinstance(call.value, ast.Dict)
        for key in call.value.keys
        if isinstance(key, ast.Constant)
    }


@pytest.mark.parametrize("name", sorted(QUERIES))
def test_a_saved_query_asks_for_fields_that_the_log_lines_have(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    logged = set().union(*lines(monkeypatch)) | keys_said()
    text = re.sub(r'"[^"]*"|#.*', "", QUERIES[name]["QueryString"])
    verbs = {
        "fields",
        "filter",
        "sort",
        "stats",
        "limit",
        "by",
        "as",
        "asc",
        "desc",
        "count",
        "count_distinct",
        "max",
        "avg",
        "pct",
    }
    named = set(re.findall(r" as (\w+)", text))
    assert set(re.findall(r"(?<![@\w])[a-z]\w*", text)) - verbs - named <= logged
    of_lambda = {"timestamp", "type", "duration", "maxMemoryUsed", "memorySize", "initDuration", "log"}
    assert set(re.findall(r"@(\w+)", text)) <= of_lambda


@pytest.mark.parametrize("name", sorted(QUERIES))
def test_a_saved_query_looks_into_the_log_of_every_function(name: str) -> None:
    groups = {f"${{{logical_id(function).removesuffix('Function')}LogGroup}}" for function in FUNCTIONS}
    assert set(QUERIES[name]["LogGroupNames"]) == groups


def test_words_that_saved_queries_look_for_are_said() -> None:
    code = "".join(path.read_text() for path in SOURCE.rglob("*.py"))
    for query in QUERIES.values():
        for word in re.findall(r'message = "(\w+)"', query["QueryString"]):
            assert f'"{word}"' in code


def test_backups_are_made_on_sundays_at_two_in_utc() -> None:
    (schedule,) = functions()["BackUpTablesFunction"]["Events"].values()
    properties = schedule["Properties"]
    assert properties["ScheduleExpression"] == "cron(0 2 ? * SUN *)"
    assert properties["ScheduleExpressionTimezone"] == "UTC"
    assert json.loads(properties["Input"]) == {"scheduled_at": "<aws.scheduler.scheduled-time>"}


@pytest.mark.parametrize("kind", ["AWS::Serverless::Function", "AWS::Serverless::StateMachine"])
def test_what_a_schedule_could_not_start_is_kept_for_people(kind: str) -> None:
    schedules = [
        event["Properties"]
        for each in resources(kind).values()
        for event in each.get("Events", {}).values()
        if event["Type"] == "ScheduleV2"
    ]
    assert schedules
    for schedule in schedules:
        assert schedule["DeadLetterConfig"] == {"Arn": "${LostSchedules.Arn}"}
