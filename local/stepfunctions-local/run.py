"""Run the cases on Step Functions Local, and compare how each goes with what is expected.

    python local/stepfunctions-local/run.py [--endpoint http://localhost:8083] [--case NAME]… [--json]

Exit code 0: every case goes as expected; 1: one does not, and the state at which it differs is said; 2: wrong input,
the engine does not answer, or the derived files are not up to date.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final, NamedTuple, override
from uuid import uuid4

import boto3
import derive
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

HERE: Final = Path(__file__).parent
ENDPOINT: Final = "http://localhost:8083"
ROLE: Final = "arn:aws:iam::123456789012:role/step-functions-local"
PATIENCE: Final = 900
"""Seconds. Retries wait as on AWS: a client that is throttled to the last try waits up to five minutes."""
_FAILED: Final = {
    "TaskFailed": "taskFailedEventDetails",
    "TaskTimedOut": "taskTimedOutEventDetails",
    "LambdaFunctionFailed": "lambdaFunctionFailedEventDetails",
    "LambdaFunctionTimedOut": "lambdaFunctionTimedOutEventDetails",
}


class Went(NamedTuple):
    """How a case went: as which error it ended, or SUCCEEDED, and its trace."""

    ends: str
    trace: list[str]


class Difference(NamedTuple):
    """Where a case first differs from what is expected. ``state`` is the last one in which both were."""

    case: str
    state: str
    expected: str
    found: str

    @override
    def __str__(self) -> str:
        return f"{self.case}: after {self.state}: expected {self.expected}, found {self.found}"


def expected() -> dict[str, Any]:
    """traces.json."""
    return dict(json.loads((HERE / "traces.json").read_text(encoding="utf-8")))


def trace_of(events: Iterable[Mapping[str, Any]]) -> list[str]:
    """The states that a history enters, and ``!`` with the name of each error of a call."""
    trace = []
    for event in events:
        if event["type"].endswith("StateEntered"):
            trace.append(str(event["stateEnteredEventDetails"]["name"]))
        elif event["type"] in _FAILED:
            trace.append(f"!{event.get(_FAILED[event['type']], {}).get('error', '?')}")
    return trace


def compared(case: str, wanted: Mapping[str, Any], went: Went) -> Difference | None:
    """The first difference, if there is one."""
    state = "the start"
    for should, does in zip_longest(wanted["trace"], went.trace):
        if should != does:
            return Difference(case, state, should or "the end", does or "the end")
        state = should
    if wanted["ends"] != went.ends:
        return Difference(case, state, f"the end {wanted['ends']}", f"the end {went.ends}")
    return None


def create(states: Any) -> dict[str, str]:
    """The ARN of each state machine of the cases, created, or brought to the definition that is derived now."""
    arns = {}
    for name in (derive.MACHINE, derive.REDRIVEN):
        definition = (HERE / f"{name}.asl.json").read_text(encoding="utf-8")
        known = {each["name"]: each["stateMachineArn"] for each in states.list_state_machines()["stateMachines"]}
        if name in known:
            states.update_state_machine(stateMachineArn=known[name], definition=definition)
            arns[name] = known[name]
        else:
            made = states.create_state_machine(name=name, definition=definition, roleArn=ROLE)
            arns[name] = made["stateMachineArn"]
    return arns


def run(states: Any, cases: Mapping[str, Any], *, pause: Callable[[float], None] = time.sleep) -> dict[str, Went]:
    """How each of the cases goes. All are started at once, since their retries wait."""
    arns = create(states)
    started = {
        name: states.start_execution(
            stateMachineArn=f"{arns[case['machine']]}#{name}",
            name=f"{name}-{uuid4().hex[:8]}",
            input=json.dumps(case["input"]),
        )["executionArn"]
        for name, case in cases.items()
    }
    return {name: _went(states, arn, pause) for name, arn in started.items()}


def _went(states: Any, arn: str, pause: Callable[[float], None]) -> Went:
    until = time.monotonic() + PATIENCE
    while (shown := states.describe_execution(executionArn=arn))["status"] == "RUNNING" and time.monotonic() < until:
        pause(0.5)
    pages = states.get_paginator("get_execution_history").paginate(executionArn=arn)
    events = [event for page in pages for event in page["events"]]
    ends = shown["status"] if shown["status"] in ("SUCCEEDED", "RUNNING") else _error(shown, events)
    return Went(ends, trace_of(events))


def _error(shown: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> str:
    """The error as which an execution failed. An older engine says it in the last event only."""
    last = events[-1].get("executionFailedEventDetails", {}) if events else {}
    return str(shown.get("error") or last.get("error") or shown["status"])


def main(arguments: Sequence[str] | None = None, *, connect: Callable[[str], Any] | None = None) -> int:
    """Run, compare, and say what differs."""
    parser = argparse.ArgumentParser(description="Run the cases on Step Functions Local and compare their traces.")
    parser.add_argument("--endpoint", default=ENDPOINT, help=f"where it listens (default: {ENDPOINT})")
    parser.add_argument("--case", action="append", metavar="NAME", help="only this case (default: all)")
    parser.add_argument("--json", action="store_true", help="for machines")
    asked = parser.parse_args(arguments)
    known = expected()
    unknown = [name for name in asked.case or () if name not in known]
    if unknown:
        return _stop(f"--case: no such case: {', '.join(unknown)}. There are: {', '.join(known)}.")
    if derived := derive.stale():
        return _stop(f"{', '.join(derived)}: not up to date. Run `python local/stepfunctions-local/derive.py`.")
    cases = {name: known[name] for name in asked.case or known}
    try:
        went = run((connect or _client)(asked.endpoint), cases)
    except (ClientError, BotoCoreError) as refused:
        how = "`docker compose --file local/stepfunctions-local/compose.yaml up --detach`"
        return _stop(f"{asked.endpoint}: {type(refused).__name__}: {refused}\nStart it with {how}.")
    differences = {name: compared(name, case, went[name]) for name, case in cases.items()}
    if asked.json:
        print(json.dumps({name: each and each._asdict() for name, each in differences.items()}, indent=2))
    else:
        for name, difference in differences.items():
            print(f"differs  {difference}" if difference else f"ok       {name}: {cases[name]['says']}")
    return 1 if any(differences.values()) else 0


def _client(endpoint: str) -> Any:
    return boto3.client(
        "stepfunctions",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="none",
        aws_secret_access_key="none",  # noqa: S106 - the engine asks for some, and looks at none
        config=Config(connect_timeout=5, retries={"total_max_attempts": 2}),
    )


def _stop(message: str) -> int:
    print(message, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
