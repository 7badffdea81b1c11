"""Whether the alarms of CloudWatch are those of the template.

``put-metric-alarm`` with the name of a deployed alarm replaces it without a word, and the next deployment of the same
template does not put it back: CloudFormation compares templates, not resources. (CloudWatch API Reference,
"PutMetricAlarm": "the update completely overwrites the previous configuration of the alarm"; CloudFormation User Guide,
"Update behaviors of stack resources")

What an alarm says about itself (its description and tags) and how a graph labels it is not compared.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from cost_reporting.contracts import Fact
from cost_reporting.domain.templates import Template

ALARM: Final = "AWS::CloudWatch::Alarm"
_WORDS: Final = (
    "ComparisonOperator",
    "EvaluateLowSampleCountPercentile",
    "ThresholdMetricId",
)
_OF_ONE_METRIC: Final = ("Namespace", "MetricName", "Statistic", "ExtendedStatistic", "Unit")
_ACTIONS: Final = ("AlarmActions", "OKActions", "InsufficientDataActions")
_TAKEN: Final = (
    *("AlarmName", "AlarmDescription", "ActionsEnabled", "Metrics", "Dimensions", "Period", "EvaluationPeriods"),
    *("DatapointsToAlarm", "Threshold", "TreatMissingData"),
    *_WORDS,
    *_OF_ONE_METRIC,
    *_ACTIONS,
)
"""Of a template's properties, those that PutMetricAlarm takes as they are (botocore, cloudwatch 2010-08-01)."""


class Expected(Fact):
    """An alarm as the template has it: its name, and the input of PutMetricAlarm that makes it so."""

    name: str
    input: Mapping[str, Any]


class Replaced(Fact):
    """An alarm that is not what the template says. ``how`` lists what differs; nothing, if there is no such alarm."""

    expected: Expected
    how: tuple[str, ...]


def expected_alarms(template: Template) -> tuple[Expected, ...]:
    """The alarms of a template, by name. Raises Unresolvable if one says what cannot be resolved here."""
    found = (
        _input(str(properties.get("AlarmName") or template.value({"Ref": logical_id})), properties)
        for logical_id, properties in template.resources(ALARM).items()
    )
    return tuple(sorted(found, key=lambda each: each.name))


def _input(name: str, properties: Mapping[str, Any]) -> Expected:
    """The input of PutMetricAlarm: numbers as numbers, which a template's parameters have made words of."""
    taken: dict[str, Any] = {key: properties[key] for key in _TAKEN if key in properties} | {"AlarmName": name}
    for key in ("Period", "EvaluationPeriods", "DatapointsToAlarm"):
        if key in taken:
            taken[key] = int(taken[key])
    if "Threshold" in taken:
        taken["Threshold"] = float(taken["Threshold"])
    if "ActionsEnabled" in taken:
        taken["ActionsEnabled"] = _true(taken["ActionsEnabled"])
    if "Metrics" in taken:
        taken["Metrics"] = [_query(each) for each in taken["Metrics"]]
    return Expected(name=name, input=taken)


def _query(query: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(query)
    if "ReturnData" in found:
        found["ReturnData"] = _true(found["ReturnData"])
    if "MetricStat" in found:
        found["MetricStat"] = {**found["MetricStat"], "Period": int(found["MetricStat"]["Period"])}
    return found


def replaced_alarms(expected: Iterable[Expected], deployed: Iterable[Mapping[str, Any]]) -> tuple[Replaced, ...]:
    """The alarms that are missing, or are not what the template says. ``deployed`` as DescribeAlarms answers them."""
    there = {each.get("AlarmName"): each for each in deployed}
    found = []
    for each in expected:
        if each.name not in there:
            found.append(Replaced(expected=each, how=()))
            continue
        wanted, actual = compared(each.input), compared(there[each.name])
        how = sorted(key for key in wanted.keys() | actual.keys() if wanted.get(key) != actual.get(key))
        if how:
            found.append(Replaced(expected=each, how=tuple(how)))
    return tuple(found)


def compared(alarm: Mapping[str, Any]) -> dict[str, Any]:
    """What an alarm watches, when it rings and whom it tells, in one form for templates and for CloudWatch's answers.

    What is left out has the value that CloudWatch takes for it: actions are enabled, missing data is ``missing``, and
    as many datapoints must breach as are looked at (CloudWatch API Reference, "PutMetricAlarm").
    """
    periods = alarm.get("EvaluationPeriods")
    threshold = alarm.get("Threshold")
    found: dict[str, Any] = {
        "ActionsEnabled": _true(alarm.get("ActionsEnabled", True)),
        "TreatMissingData": alarm.get("TreatMissingData") or "missing",
        "EvaluationPeriods": _whole(periods),
        "DatapointsToAlarm": _whole(alarm.get("DatapointsToAlarm") or periods),
        "Threshold": None if threshold is None else Decimal(str(threshold)).normalize(),
        "Metrics": sorted((_metric(each) for each in alarm.get("Metrics") or ()), key=str),
    }
    found |= {key: alarm.get(key) or None for key in _WORDS}
    found |= {key: sorted(map(str, alarm.get(key) or ())) for key in _ACTIONS}
    if found["Metrics"]:
        # Of these an alarm over several metrics has none.
        return found | {"MetricName": alarm.get("MetricName") or None, "Namespace": alarm.get("Namespace") or None}
    found |= {key: alarm.get(key) or None for key in _OF_ONE_METRIC}
    return found | {"Period": _whole(alarm.get("Period")), "Dimensions": _dimensions(alarm)}


def _metric(query: Mapping[str, Any]) -> dict[str, Any]:
    stat = query.get("MetricStat") or {}
    metric = stat.get("Metric") or {}
    return {
        "Id": query.get("Id"),
        "Expression": query.get("Expression") or None,
        "ReturnData": _true(query.get("ReturnData", True)),
        "AccountId": query.get("AccountId") or None,
        "Namespace": metric.get("Namespace") or None,
        "MetricName": metric.get("MetricName") or None,
        "Dimensions": _dimensions(metric),
        "Period": _whole(stat.get("Period") or query.get("Period")),
        "Stat": stat.get("Stat") or None,
        "Unit": stat.get("Unit") or None,
    }


def _dimensions(of: Mapping[str, Any]) -> list[tuple[str, str]]:
    return sorted((str(each.get("Name")), str(each.get("Value"))) for each in of.get("Dimensions") or ())


def _whole(value: Any) -> int | None:
    return None if value is None else int(value)


def _true(value: Any) -> bool:
    """A boolean, of which a template may have made a word."""
    return str(value).casefold() == "true"
