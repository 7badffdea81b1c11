"""A run of many clients on the local stack: the deployed template, the real state machine, the real renderer.

Each client has costs of its own, a PDF and a mail. The same input is started twice, so that the second run shows that
nobody is mailed again. `--runs 1000` takes as long as it takes.
"""

import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import subject
import table

from local import evidence
from local.stack import Stack, down, up
from local.watch import Moment, Watch

PERIOD: Final = subject.PERIOD
PAYLOAD_LIMIT: Final = 256
"""KiB that a state may hand on (Step Functions quotas)."""
HISTORY_LIMIT: Final = 25_000
"""Events of an execution's history (Step Functions quotas)."""


class Ended(NamedTuple):
    """A run that has ended."""

    last: Moment
    payload: float
    events: int


def main() -> None:
    """Measure, print, and leave with 1 if a limit is missed."""
    asked = table.arguments("A run of many clients.", runs=300, unit="clients")
    with tempfile.TemporaryDirectory(prefix="load-") as name:
        folder = Path(name) / "local"
        try:
            stack = up(folder, clients=asked.runs, attached=True)
            first = _run(stack)
            mails = _mails(stack)
            again = _run(stack)
            rows = list(_rows(asked.runs, first, again, mails, _mails(stack)))
        finally:
            down(folder)
    table.say(f"A run of {asked.runs} clients, each with a PDF and a mail", rows, as_json=asked.json)


def _rows(clients: int, first: Ended, again: Ended, mails: Counter[str], after: Counter[str]) -> Iterator[table.Row]:
    yield table.Row("time of the run", first.last.seconds / 60, "min")
    yield table.Row("clients a minute", clients / first.last.seconds * 60, "")
    yield table.Row("clients without exactly one mail", sum(mails[each] != 1 for each in _ids(clients)), "", 0)
    yield table.Row("runs that did not succeed", sum(run.last.status != "SUCCEEDED" for run in (first, again)), "", 0)
    yield table.Row("further mails after the same input again", sum((after - mails).values()), "", 0)
    yield table.Row("time of the same input again", again.last.seconds, "s")
    yield table.Row("largest payload of a state", max(first.payload, again.payload), "KiB", PAYLOAD_LIMIT)
    yield table.Row("events of the execution", first.events, "", HISTORY_LIMIT)


def _run(stack: Stack) -> Ended:
    states = stack.session().client("stepfunctions", endpoint_url=stack.emulator.endpoint)
    told = 0.0
    for moment in Watch(states, stack.names.state_machine_arn).run({"cadence": "monthly", "period": PERIOD}, every=1):
        last = moment
        if time.monotonic() - told > 15:
            told = time.monotonic()
            print(f"  {moment.seconds:6.0f} s  {moment.ended} of {moment.total}", file=sys.stderr, flush=True)
    newest = next(_all(states, "list_executions", stateMachineArn=stack.names.state_machine_arn))["executionArn"]
    events = list(_all(states, "get_execution_history", executionArn=newest))
    children = [
        child["executionArn"]
        for map_run in states.list_map_runs(executionArn=newest)["mapRuns"]
        for child in _all(states, "list_executions", mapRunArn=map_run["mapRunArn"])
    ]
    theirs = (event for child in children[:50] for event in _all(states, "get_execution_history", executionArn=child))
    largest = max(map(_size, [*events, *theirs]))
    return Ended(last, largest / 1024, len(events))


def _all(client: Any, operation: str, **asked: Any) -> Iterator[dict[str, Any]]:
    for page in client.get_paginator(operation).paginate(**asked):
        yield from page.get("executions") or page.get("events") or ()


def _size(event: dict[str, Any]) -> int:
    details = (value for name, value in event.items() if name.endswith("EventDetails"))
    return max(
        (len(str(each[field]).encode()) for each in details for field in ("input", "output") if field in each),
        default=0,
    )


def _mails(stack: Stack) -> Counter[str]:
    return Counter(each["tags"]["client_id"] for each in evidence.sent(stack.mail) if "client_id" in each["tags"])


def _ids(clients: int) -> Iterator[str]:
    return (f"client-{number:05d}" for number in range(1, clients + 1))


if __name__ == "__main__":
    main()
