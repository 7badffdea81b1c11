"""Log events in CloudWatch Logs."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from cost_reporting import aws
from cost_reporting.store.translation import translated


class LogStore:
    """Reads log groups."""

    def __init__(self) -> None:
        self._logs = aws.client("logs")

    def lines(self, group: str, start: datetime, end: datetime, *, pattern: str = "") -> Iterator[str]:
        """The messages from ``start`` on and before ``end`` that match ``pattern``, a filter of CloudWatch Logs."""
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
            yield from (event["message"] for event in page["events"])
            if "nextToken" not in page:
                return
            token = {"nextToken": page["nextToken"]}
