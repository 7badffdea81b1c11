"""A run of the deployed state machine, watched from outside with what any AWS account offers."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

STAGES = ("costs", "report", "delivery")
"""The fields that the baton gains, in order: costs fetched, report rendered, mail sent."""


@dataclass(frozen=True)
class Part:
    """How far one client's part has come: so many stages done; ``status`` and ``error`` when it has ended."""

    client_id: str
    done: int = 0
    status: str = ""
    error: str = ""

    @property
    def ended(self) -> bool:
        """Whether it has its outcome."""
        return bool(self.status)


@dataclass(frozen=True)
class Moment:
    """A run at one moment."""

    status: str
    seconds: float
    run_id: str = ""
    total: int = 0
    ended: int = 0
    parts: dict[str, Part] = field(default_factory=dict)
    error: str = ""
    cause: str = ""


class Watch:
    """Starts an execution and looks at it until it has ended."""

    def __init__(self, client: Any, state_machine_arn: str) -> None:
        self._states = client
        self._machine = state_machine_arn
        self._parts: dict[str, Part] = {}
        self._inputs: dict[str, str] = {}
        self._run_id = ""

    def run(self, request: dict[str, Any], *, every: float = 0.4, detail: int = 40) -> Iterator[Moment]:
        """The run of ``request``, moment by moment. Clients are told apart only if there are at most ``detail``."""
        began = time.monotonic()
        started = self._states.start_execution(stateMachineArn=self._machine, input=json.dumps(request))
        arn = started["executionArn"]
        while True:
            execution = self._states.describe_execution(executionArn=arn)
            yield self._moment(arn, execution, time.monotonic() - began, detail)
            if execution["status"] != "RUNNING":
                return
            time.sleep(every)

    def _moment(self, arn: str, execution: dict[str, Any], seconds: float, detail: int) -> Moment:
        if not self._run_id:
            self._run_id = self.find_run_id(arn)
        map_runs = self._states.list_map_runs(executionArn=arn)["mapRuns"]
        total = ended = 0
        for map_run in map_runs:
            counts = self._states.describe_map_run(mapRunArn=map_run["mapRunArn"])["executionCounts"]
            total += counts["total"]
            ended += counts["succeeded"] + counts["failed"] + counts["timedOut"] + counts["aborted"]
            if counts["total"] <= detail:
                self._look_at_parts(map_run["mapRunArn"])
        return Moment(
            status=execution["status"],
            seconds=seconds,
            run_id=self._run_id,
            total=total,
            ended=ended,
            parts=dict(self._parts),
            error=execution.get("error", ""),
            cause=execution.get("cause", ""),
        )

    def find_run_id(self, arn: str) -> str:
        """In what List Clients has answered, once it has."""
        for event in self._states.get_execution_history(executionArn=arn, maxResults=30)["events"]:
            payload = _payload(event)
            if "run" in payload:
                return str(payload["run"]["run_id"])
        return ""

    def _look_at_parts(self, map_run: str) -> None:
        for page in self._states.get_paginator("list_executions").paginate(mapRunArn=map_run):
            for child in page["executions"]:
                arn = child["executionArn"]
                known = self._parts.get(self._inputs.get(arn, ""))
                if known is None or not known.ended:
                    part = self._part(arn)
                    self._inputs[arn] = part.client_id
                    self._parts[part.client_id] = part

    def _part(self, arn: str) -> Part:
        execution = self._states.describe_execution(executionArn=arn)
        client_id = str(json.loads(execution["input"])["client_id"])
        if execution["status"] == "SUCCEEDED":
            outcome = json.loads(execution["output"])
            done = STAGES.index(_FIELD[outcome["stage"]]) if outcome["status"] == "FAILED" else len(STAGES)
            return Part(client_id, done, outcome["status"], outcome.get("error") or "")
        if execution["status"] != "RUNNING":
            return Part(client_id, 0, "FAILED", execution.get("error", execution["status"]))
        events = self._states.get_execution_history(executionArn=arn, maxResults=20, reverseOrder=True)["events"]
        payload = next(filter(None, map(_payload, events)), {})
        return Part(client_id, sum(stage in payload for stage in STAGES))


_FIELD = {"Fetch Costs": "costs", "Render PDF": "report", "Send Email": "delivery", "Record Outcome": "delivery"}


def _payload(event: dict[str, Any]) -> dict[str, Any]:
    """What a Lambda function has answered, if that is what the event is about."""
    answer = json.loads(event.get("taskSucceededEventDetails", {}).get("output", "{}"))
    payload = answer.get("Payload") if isinstance(answer, dict) else None
    return payload if isinstance(payload, dict) else {}
