"""Log events in CloudWatch Logs."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from cost_reporting import aws
from cost_reporting.store.translation import translated

_STREAM: Final = re.compile(r"[0-9]{4}/[0-9]{2}/[0-9]{2}/(?P<function>[A-Za-z0-9_-]*)\[")
_OWN: Final = "/aws/lambda/"


class LogStore:
    """Reads log groups."""

    def __init__(self) -> None:
        self._logs = aws.client("logs")

    def lines(
        self, group: str, start: datetime, end: datetime, *, pattern: str = "", function: str | None = None
    ) -> Iterator[str]:
        """The messages from ``start`` on and before ``end`` that match ``pattern``, a filter of CloudWatch Logs.

        Those of ``function`` only, if one is named: functions may share a group.
        """
        last = end - timedelta(milliseconds=1)  # theirs is inclusive
        token: dict[str, str] = {}
        while True:
            with translated(f"read the log group {group}"):
                page = self._logs.filter_log_events(
                    logGroupName=group,
                    startTime=int(start.timestamp() * 1000),
                    endTime=int(last.timestamp() * 1000),
                    **({"filterPattern": pattern} if pattern else {}),  # type: ignore[arg-type]
                    **token,  # type: ignore[arg-type]
                )
            for event in page["events"]:
                if function is None or writer(event.get("logStreamName", ""), group) == function:
                    yield event["message"]
            if "nextToken" not in page:
                return
            token = {"nextToken": page["nextToken"]}


def writer(stream: str, group: str) -> str:
    """The function that wrote ``stream`` of ``group``.

    Where a log group is configured, a stream is ``2026/11/28/<function>[<version>]<environment>`` (Lambda Developer
    Guide, "Configuring CloudWatch log groups"). Where none is, it is ``2026/11/28/[<version>]<environment>``, and the
    group is named for the function.
    """
    named = _STREAM.match(stream)
    return (named["function"] if named else "") or group.removeprefix(_OWN)
