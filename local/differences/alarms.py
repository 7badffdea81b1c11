"""CloudWatch's alarms, evaluated as on AWS, and a clock of CloudWatch's own.

Restored here, where MiniStack differs:

- an alarm looks at the metric with its dimensions; upstream adds up all metrics of the name;
- it looks at each of its ``EvaluationPeriods`` and counts those that breach (``DatapointsToAlarm``); upstream takes
  them together as one;
- what is missing counts as ``TreatMissingData`` says, so an alarm returns to OK by itself when time passes; upstream
  waits for the next datum;
- an alarm may watch an expression over several metrics (``Metrics``): numbers, ``+ - * /`` and SUM, MAX, MIN and AVG
  of a list of ids. Others are refused.

Unlike AWS, periods end now instead of at a full minute, and no data older than the evaluated periods is looked at.

Time passes for CloudWatch as everywhere, and in steps when somebody asks for it: ``POST /_local/later?seconds=300``
moves its clock, and its clock only, so nobody waits twelve hours to see an alarm clear.
"""

import ast
import contextvars
import operator
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from local.differences.upstream import upstream

LOOK_EVERY = 5
"""Seconds between two looks at all alarms."""

Values = list[float | None]
"""One for each evaluated period, the latest first; None where there is no datum."""


class Clock:
    """The module ``time`` for CloudWatch, with the time moved on by ``ahead`` seconds."""

    ahead = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)

    def time(self) -> float:
        """Seconds since 1970."""
        return time.time() + self.ahead


clock = Clock()
_sampled: list[Callable[[], None]] = []
"""Called before each look: services whose metrics are gauges say what they are."""


def restore() -> None:
    """Evaluate alarms this way, every few seconds and whenever somebody asks for them."""
    cloudwatch = upstream("services.cloudwatch")
    provisioners = upstream("services.cloudformation.provisioners")
    theirs_put, theirs_describe = cloudwatch._put_metric_alarm, cloudwatch._describe_alarms
    theirs_record = provisioners._cw_metric_alarm_record

    def put(params: Any, data: dict[str, Any], is_cbor: bool, is_json: bool = False) -> Any:
        metrics = data.get("Metrics")
        if metrics:
            data = data | {"MetricName": "expression", "Namespace": "expression"}
            check(metrics)
        answer = theirs_put(params, data, is_cbor, is_json)
        if metrics:
            over(cloudwatch._alarms[data["AlarmName"]], metrics)
        return answer

    def record(name: str, properties: dict[str, Any]) -> dict[str, Any]:
        metrics = properties.get("Metrics")
        if not metrics:
            alarm: dict[str, Any] = theirs_record(name, properties)
            return alarm
        metrics = [plain(query) for query in metrics]
        check(metrics)
        bare = {key: value for key, value in properties.items() if key != "Metrics"}
        return over(theirs_record(name, bare | {"MetricName": "expression", "Namespace": "expression"}), metrics)

    def describe(*asked: Any, **more: Any) -> Any:
        look()
        return theirs_describe(*asked, **more)

    cloudwatch.time = clock
    cloudwatch._evaluate_alarm = evaluate
    cloudwatch._put_metric_alarm, cloudwatch._describe_alarms = put, describe
    provisioners._cw_metric_alarm_record = record
    threading.Thread(target=watch, daemon=True, name="alarms").start()


def before_each_look(sample: Callable[[], None]) -> None:
    """Have ``sample`` called before the alarms of an account are looked at."""
    _sampled.append(sample)


def later(seconds: float) -> None:
    """Move CloudWatch's clock on, and look at every alarm. An emulator with nothing restored has no such clock."""
    if upstream("services.cloudwatch").time is not clock:
        return
    clock.ahead += seconds
    for context in accounts():
        context.run(look)


def watch() -> None:
    """Look at every alarm, for ever."""
    while True:
        time.sleep(LOOK_EVERY)
        for context in accounts():
            try:
                context.run(look)
            except Exception as error:  # noqa: BLE001 - the next look must still come
                print(f"alarms: {error!r}", flush=True)


def accounts() -> Iterator[contextvars.Context]:
    """A context for each account and region that has alarms."""
    responses = upstream("core.responses")
    for account, region in {key[:2] for key in list(upstream("services.cloudwatch")._alarms._data)}:
        context = contextvars.copy_context()
        context.run(responses._request_account_id.set, account)
        context.run(responses._request_region.set, region)
        yield context


def look() -> None:
    """Look at every alarm of this account."""
    for sample in _sampled:
        sample()
    for alarm in upstream("services.cloudwatch")._alarms.values():
        evaluate(alarm)


def evaluate(alarm: dict[str, Any]) -> None:
    """Move the alarm into the state that its metric is in, and do what it says about that."""
    cloudwatch = upstream("services.cloudwatch")
    values = watched(alarm)
    state = verdict(alarm, values)
    if state == alarm["StateValue"]:
        return
    before, seen = alarm["StateValue"], [value for value in values if value is not None]
    reason = (
        f"Threshold {'Crossed' if state == 'ALARM' else 'not crossed'}: {len(seen)} of {len(values)} datapoints, "
        f"the latest {seen[:3]}, {alarm['ComparisonOperator']} {alarm['Threshold']}"
    )
    alarm |= {"StateValue": state, "StateReason": reason, "StateUpdatedTimestamp": int(clock.time())}
    cloudwatch._record_history(alarm["AlarmName"], before, state, reason)
    cloudwatch._dispatch_alarm_actions(alarm, before, state, reason)
    cloudwatch._evaluate_parent_alarms(alarm)


_COMPARED: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


def verdict(alarm: dict[str, Any], values: Values) -> str:
    """ALARM, OK or INSUFFICIENT_DATA; the state as it is, if what is missing is to be ignored and decides."""
    breaches = _COMPARED[alarm["ComparisonOperator"]]
    needed = int(alarm.get("DatapointsToAlarm") or len(values))
    missing = values.count(None)
    breaching = sum(value is not None and breaches(value, alarm["Threshold"]) for value in values)
    treatment = alarm.get("TreatMissingData") or "missing"
    if breaching + (missing if treatment == "breaching" else 0) >= needed:
        return "ALARM"
    if missing == len(values) and treatment == "missing":
        return "INSUFFICIENT_DATA"
    if treatment == "ignore" and breaching + missing >= needed:
        return str(alarm["StateValue"])
    return "OK"


def watched(alarm: dict[str, Any]) -> Values:
    """What the alarm compares with its threshold."""
    count = int(alarm.get("EvaluationPeriods", 1))
    queries = alarm.get("Metrics")
    if not queries:
        dimensions = {each["Name"]: each["Value"] for each in alarm.get("Dimensions") or ()}
        statistic = alarm.get("ExtendedStatistic") or alarm.get("Statistic", "Average")
        return metric(alarm["Namespace"], alarm["MetricName"], dimensions, statistic, alarm["Period"], count)
    known: dict[str, Values] = {}
    for query in sorted(queries, key=lambda each: "Expression" in each):
        if "Expression" not in query:
            asked = query["MetricStat"]
            of = asked["Metric"]
            dimensions = {each["Name"]: each["Value"] for each in of.get("Dimensions") or ()}
            period, stat = int(asked["Period"]), asked["Stat"]
            known[query["Id"]] = metric(of["Namespace"], of["MetricName"], dimensions, stat, period, count)
    (result,) = (query for query in queries if query.get("ReturnData", True))
    expressions = {query["Id"]: query["Expression"] for query in queries if "Expression" in query}
    return [calculated(result["Id"], expressions, {name: of[at] for name, of in known.items()}) for at in range(count)]


def metric(namespace: str, name: str, dimensions: dict[str, str], statistic: str, period: int, count: int) -> Values:
    """The statistic of a metric in each of the last ``count`` periods of so many seconds."""
    cloudwatch, now = upstream("services.cloudwatch"), clock.time()
    points: list[list[Any]] = [[] for _ in range(count)]
    for point in reversed(cloudwatch._metrics.get((namespace, name, cloudwatch._dims_key(dimensions)), ())):
        at = int((now - point["Timestamp"]) // period)
        if at > count + 60:
            break
        if at < count:
            points[max(at, 0)].append(point)
    return [cloudwatch._stat_value(cloudwatch._calc_stats(each), statistic, each) if each else None for each in points]


# -- expressions ------------------------------------------------------------------------------------------------------

_ARITHMETIC: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_OF_A_LIST: dict[str, Callable[[list[float]], float]] = {
    "SUM": sum,
    "MAX": max,
    "MIN": min,
    "AVG": lambda values: sum(values) / len(values),
}


def calculated(wanted: str, expressions: dict[str, str], known: dict[str, float | None]) -> float | None:
    """The value of the query ``wanted`` in one period. In a list what is missing is left out."""

    def value(node: ast.expr) -> float | None:
        match node:
            case ast.Constant(value=int() | float() as number):
                return float(number)
            case ast.Name(id=name):
                return known[name] if name in known else value(ast.parse(expressions[name], mode="eval").body)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
                one, other = value(left), value(right)
                return None if one is None or other is None else _ARITHMETIC[type(op)](one, other)
            case ast.Call(func=ast.Name(id=function), args=[ast.List(elts=elements)]) if function in _OF_A_LIST:
                there = [number for number in map(value, elements) if number is not None]
                return _OF_A_LIST[function](there) if there else None
        raise ValueError(f"this emulator does not know the expression {ast.unparse(node)}")

    return value(ast.Name(wanted))


def check(queries: list[dict[str, Any]]) -> None:
    """Refuse what AWS or this emulator would not evaluate."""
    metrics = [query["Id"] for query in queries if "MetricStat" in query]
    expressions = {query["Id"]: query["Expression"] for query in queries if "Expression" in query}
    if len(metrics) > 10 or len(expressions) > 10:
        raise ValueError("an alarm takes at most ten metrics and ten expressions")
    if sum(query.get("ReturnData", True) for query in queries) != 1:
        raise ValueError("exactly one of Metrics must have ReturnData true")
    for name in expressions:
        calculated(name, expressions, dict.fromkeys(metrics, 1.0))


def plain(query: dict[str, Any]) -> dict[str, Any]:
    """A query as the API takes it: a template's parameters may have made words of its numbers."""
    said = query.get("ReturnData", True)
    more: dict[str, Any] = {"ReturnData": said if isinstance(said, bool) else said == "true"}
    if "MetricStat" in query:
        more["MetricStat"] = query["MetricStat"] | {"Period": int(query["MetricStat"]["Period"])}
    return query | more


def over(alarm: dict[str, Any], metrics: list[dict[str, Any]]) -> dict[str, Any]:
    """The alarm, as one over ``metrics``."""
    for name in ("MetricName", "Namespace", "Dimensions", "Statistic", "ExtendedStatistic", "Period", "Unit"):
        alarm.pop(name, None)
    alarm["Metrics"] = metrics
    return alarm
