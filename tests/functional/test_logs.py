"""Log lines of one function, where functions share a log group."""

from datetime import UTC, datetime, timedelta

import boto3
import pytest

from cost_reporting.store.logs import LogStore, writer
from tests.functional.conftest import World

GROUP = "/aws/lambda/cost-reporting-lambda"
NOW = datetime.now(UTC)
STREAMS = {
    "2026/11/28/cost-reporting-settle-run[$LATEST]6f0c1e": "settled",
    "2026/11/28/cost-reporting-lambda[$LATEST]8a3b6c": "started",
    "2026/11/27/[$LATEST]0d0d0f": "started before the group was configured",
    "2026/11/28/cost-reporting-settle-run-2[$LATEST]aa11bb": "another function, whose name begins like it",
}


@pytest.fixture
def logs(world: World) -> LogStore:
    """A group into which several functions write."""
    client = boto3.client("logs")
    client.create_log_group(logGroupName=GROUP)
    for stream, said in STREAMS.items():
        client.create_log_stream(logGroupName=GROUP, logStreamName=stream)
        event = {"timestamp": int(NOW.timestamp() * 1000), "message": said}
        client.put_log_events(logGroupName=GROUP, logStreamName=stream, logEvents=[event])
    return LogStore()


def said(logs: LogStore, function: str | None) -> set[str]:
    return set(logs.lines(GROUP, NOW - timedelta(hours=1), NOW + timedelta(hours=1), function=function))


def test_each_line_of_a_shared_group_counts_for_one_function(logs: LogStore) -> None:
    assert said(logs, "cost-reporting-settle-run") == {"settled"}
    assert said(logs, "cost-reporting-lambda") == {"started", "started before the group was configured"}
    assert said(logs, "cost-reporting-record-outcome") == set()
    assert said(logs, None) == set(STREAMS.values())


@pytest.mark.parametrize("stream", ["2026/11/28/[7]0d0d0f", "2026/11/28/[$LATEST]0d0d0f", "whatever", ""])
def test_a_stream_that_names_no_function_is_that_of_the_group_s_own(stream: str) -> None:
    assert writer(stream, "/aws/lambda/cost-reporting-fetch-costs") == "cost-reporting-fetch-costs"
