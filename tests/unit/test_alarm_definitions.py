"""The alarms of the template, resolved, and held against what CloudWatch has."""

import copy
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

import _template
from cost_reporting.domain.alarm_definitions import compared, expected_alarms, replaced_alarms
from cost_reporting.domain.readiness import alarms
from cost_reporting.domain.templates import Template, Unresolvable
from tests.deployed import deployed

EXPECTED = expected_alarms(deployed())
TOPIC = "arn:aws:sns:eu-central-1:123456789012:cost-reporting-alerts"
OF_THE_OLD_RUNBOOK: list[dict[str, Any]] = [
    {
        "AlarmName": "CostReporting-HighErrorRate",
        "AlarmDescription": "High error rate in cost reporting",
        "MetricName": "Errors",
        "Namespace": "AWS/Lambda",
        "Statistic": "Sum",
        "Period": 300,
        "Threshold": 5.0,
        "ComparisonOperator": "GreaterThanThreshold",
        "EvaluationPeriods": 2,
        "AlarmActions": ["arn:aws:sns:us-east-1:123456789012:cost-reporting-alerts"],
        "Dimensions": [{"Name": "FunctionName", "Value": "cost-reporting-lambda"}],
    },
    {
        "AlarmName": "CostReporting-LongExecution",
        "AlarmDescription": "Long execution time in cost reporting",
        "MetricName": "Duration",
        "Namespace": "AWS/Lambda",
        "Statistic": "Average",
        "Period": 300,
        "Threshold": 600000.0,
        "ComparisonOperator": "GreaterThanThreshold",
        "EvaluationPeriods": 1,
        "AlarmActions": ["arn:aws:sns:us-east-1:123456789012:cost-reporting-alerts"],
        "Dimensions": [{"Name": "FunctionName", "Value": "cost-reporting-lambda"}],
    },
]


def there() -> list[dict[str, Any]]:
    """What CloudWatch has when all is as the template says."""
    return [copy.deepcopy(dict(each.input)) for each in EXPECTED]


def test_every_alarm_of_the_template_can_be_resolved_and_is_an_input_of_put_metric_alarm() -> None:
    declared = [each for each in _template.body()["Resources"].values() if each["Type"] == "AWS::CloudWatch::Alarm"]
    assert len(EXPECTED) == len(declared) > 9
    shape = botocore.session.get_session().get_service_model("cloudwatch").operation_model("PutMetricAlarm").input_shape
    for each in EXPECTED:
        report = ParamValidator().validate(dict(each.input), shape)
        assert not report.has_errors(), f"{each.name}: {report.generate_report()}"
        assert each.input["AlarmActions"] == each.input["OKActions"] == [TOPIC]


def test_alarms_as_the_template_has_them_are_in_order() -> None:
    assert replaced_alarms(EXPECTED, there()) == ()
    (verdict,) = alarms(EXPECTED, there(), region="eu-central-1")
    assert (verdict.state, verdict.fact) == ("ok", f"all {len(EXPECTED)} are as the template has them")


def test_what_cloudwatch_adds_by_itself_is_no_difference() -> None:
    answered = [
        {"ActionsEnabled": True, "InsufficientDataActions": [], "Dimensions": [], "StateValue": "OK", "AlarmArn": "a"}
        | each
        for each in there()
    ]
    for each in answered:
        each["AlarmDescription"] = "said otherwise"
        each["OKActions"].reverse()
        for query in each.get("Metrics", ()):
            query["Label"] = "a label"
        each.get("Metrics", []).reverse()
    assert replaced_alarms(EXPECTED, answered) == ()


@pytest.mark.parametrize("old", OF_THE_OLD_RUNBOOK, ids=lambda alarm: alarm["AlarmName"])
def test_the_two_alarms_that_the_old_runbook_puts_are_noticed(old: dict[str, Any]) -> None:
    now = [old if each["AlarmName"] == old["AlarmName"] else each for each in there()]
    (found,) = replaced_alarms(EXPECTED, now)
    assert found.expected.name == old["AlarmName"]
    assert {"AlarmActions", "MetricName", "Namespace"} <= set(found.how)


def test_an_alarm_that_is_gone_is_noticed_and_one_of_your_own_is_not_looked_at() -> None:
    now = [*there()[1:], {"AlarmName": "CostReporting-Watching-RenderPdf", "Threshold": 1.0}]
    (found,) = replaced_alarms(EXPECTED, now)
    assert (found.expected.name, found.how) == (EXPECTED[0].name, ())


CHANGES: dict[str, Any] = {
    "ActionsEnabled": False,
    "AlarmActions": [],
    "OKActions": ["arn:aws:sns:eu-central-1:123456789012:another"],
    "InsufficientDataActions": [TOPIC],
    "Threshold": 987_654.0,
    "ComparisonOperator": "LessThanThreshold",
    "TreatMissingData": "missing",
    "EvaluationPeriods": 99,
    "DatapointsToAlarm": 7,
}
OF_ONE_METRIC: dict[str, Any] = {
    "MetricName": "Another",
    "Namespace": "Another",
    "Statistic": "SampleCount",
    "Dimensions": [{"Name": "Another", "Value": "one"}],
    "Period": 7_200 + 60,
    "Unit": "Bytes",
}


@pytest.mark.parametrize("alarm", EXPECTED, ids=lambda alarm: alarm.name)
def test_every_change_of_what_an_alarm_watches_or_tells_is_noticed(alarm: Any) -> None:
    changes = CHANGES | ({} if "Metrics" in alarm.input else OF_ONE_METRIC)
    for key, value in changes.items():
        assert compared(alarm.input) != compared(alarm.input | {key: value}), (alarm.name, key)
    for at, query in enumerate(alarm.input.get("Metrics", ())):
        other = copy.deepcopy(dict(alarm.input))
        if "Expression" in query:
            other["Metrics"][at]["Expression"] = "SUM([list_clients])"
        else:
            other["Metrics"][at]["MetricStat"]["Metric"]["Dimensions"][0]["Value"] = "another-function"
        assert compared(alarm.input) != compared(other), (alarm.name, query["Id"])


def test_parameters_decide_what_is_expected() -> None:
    def threshold(**parameters: str) -> float:
        alarms = {each.name: each.input for each in expected_alarms(deployed(**parameters))}
        return float(alarms[f"{parameters.get('AlarmPrefix', 'CostReporting')}-PaidRequests"]["Threshold"])

    assert threshold() == 1000
    assert threshold(PaidRequestsPerDay="7", AlarmPrefix="Second") == 7


def test_a_replaced_alarm_is_put_back_by_the_command_that_is_told() -> None:
    import json
    import shlex

    (fault,) = alarms(EXPECTED, there()[1:], region="eu-central-1")
    words = shlex.split(fault.fix)
    assert words[:4] == ["aws", "cloudwatch", "put-metric-alarm", "--cli-input-json"]
    mended = [json.loads(words[4]), *there()[1:]]
    assert replaced_alarms(EXPECTED, mended) == ()


def a_template(properties: Any, **more: Any) -> Template:
    body = {"Resources": {"A": {"Type": "T", "Properties": properties}, "Q": {"Type": "AWS::SQS::Queue"}}, **more}
    return Template(
        body=body, parameters={"P": "5"}, physical={"Q": "https://sqs/1/the-queue"}, pseudo={"AWS::Region": "r"}
    )


@pytest.mark.parametrize(
    ("node", "value"),
    [
        ({"Ref": "P"}, "5"),
        ({"Fn::Sub": "${P}-${AWS::Region}-${!P}-${Q.QueueName}"}, "5-r-${P}-the-queue"),
        ({"Fn::Sub": ["${X}", {"X": {"Ref": "P"}}]}, "5"),
        ({"Fn::GetAtt": ["Q", "QueueName"]}, "the-queue"),
        ({"Fn::GetAtt": "Q.QueueName"}, "the-queue"),
        ({"Fn::Join": ["-", ["a", {"Ref": "P"}]]}, "a-5"),
        ({"Fn::If": ["Five", "yes", "no"]}, "yes"),
        ({"Fn::If": ["NotFive", "yes", {"Ref": "AWS::NoValue"}]}, None),
    ],
)
def test_a_value_is_what_cloudformation_makes_of_it(node: Any, value: Any) -> None:
    conditions = {
        "Five": {"Fn::Equals": [{"Ref": "P"}, 5]},
        "NotFive": {"Fn::Or": [{"Fn::Not": [{"Condition": "Five"}]}, {"Fn::And": [{"Fn::Equals": ["a", "b"]}]}]},
    }
    found = a_template({"X": node}, Conditions=conditions).resources("T")["A"]
    assert found.get("X") == value


@pytest.mark.parametrize(
    "node",
    [
        {"Ref": "Nothing"},
        {"Fn::GetAtt": ["Q", "Arn"]},
        {"Fn::ImportValue": "x"},
        {"Fn::Sub": "${Nothing}"},
        {"Fn::If": ["Unknown", 1, 2]},
        {"Fn::Select": [0, ["a"]]},
    ],
)
def test_what_cannot_be_resolved_is_never_taken_for_a_value(node: Any) -> None:
    with pytest.raises(Unresolvable):
        a_template({"X": node}).resources("T")


def test_a_resource_that_its_condition_leaves_out_is_not_expected() -> None:
    body = {"Conditions": {"No": {"Fn::Equals": ["a", "b"]}}, "Resources": {"A": {"Type": "T", "Condition": "No"}}}
    assert Template(body=body, parameters={}).resources("T") == {}
