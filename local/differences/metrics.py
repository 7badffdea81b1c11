"""Metrics in log lines: the embedded metric format.

On AWS, CloudWatch Logs turns every log event with an ``_aws.CloudWatchMetrics`` directive into metrics. MiniStack only
stores the line. Each value is recorded once per set of dimensions of the directive, at the directive's time.
"""

import json
from collections.abc import Iterator
from typing import Any

from local.differences.alarms import clock
from local.differences.upstream import upstream

Datum = tuple[str, str, dict[str, str], float, str, list[float]]


def restore() -> None:
    """Look at every log event that is stored."""
    logs, cloudwatch = upstream("services.cloudwatch_logs"), upstream("services.cloudwatch")
    theirs = logs._append_log_events

    def append(stream: Any, events: list[dict[str, Any]]) -> None:
        theirs(stream, events)
        found = False
        for event in events:
            for namespace, name, dimensions, time, unit, values in data(event.get("message", "")):
                when = time + clock.ahead
                cloudwatch._store_datum(namespace, name, dimensions, when, unit, None, values, None, None)
                found = True
        if found:
            cloudwatch._evaluate_all_alarms()

    logs._append_log_events = append


def data(line: str) -> Iterator[Datum]:
    """The metrics in a log line: namespace, name, dimensions, seconds since 1970, unit, values."""
    if '"CloudWatchMetrics"' not in line:
        return
    try:
        document = json.loads(line)
        directives = document["_aws"]["CloudWatchMetrics"]
        seconds = document["_aws"]["Timestamp"] / 1000
    except (ValueError, KeyError, TypeError):
        return  # AWS, too, ignores a malformed directive
    for directive in directives:
        for names in directive.get("Dimensions") or [[]]:
            dimensions = {name: str(document[name]) for name in names}
            for metric in directive["Metrics"]:
                value = document[metric["Name"]]
                values = [float(one) for one in (value if isinstance(value, list) else [value])]
                yield directive["Namespace"], metric["Name"], dimensions, seconds, metric.get("Unit", "None"), values
