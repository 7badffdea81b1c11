"""Executions of the deployed state machine: started, looked at, and redriven where AWS allows it."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

from pydantic import AwareDatetime

from cost_reporting import aws
from cost_reporting.contracts import Fact
from cost_reporting.errors import InvalidRequest
from cost_reporting.store.translation import translated

Status = Literal["RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED", "PENDING_REDRIVE"]
_UNKNOWN: Final = frozenset({"ExecutionDoesNotExist", "InvalidArn", "StateMachineDoesNotExist"})


class Execution(Fact):
    """An execution as it is now. ``input`` is whatever it was started with; ``said`` is a failure's sentence."""

    arn: str
    name: str
    status: Status
    started_at: AwareDatetime
    stopped_at: AwareDatetime | None = None
    redriven_at: AwareDatetime | None = None
    input: Any
    output: dict[str, Any] | None = None
    error: str | None = None
    said: str | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing happens any more unless somebody asks again."""
        return self.status not in ("RUNNING", "PENDING_REDRIVE")


class ExecutionStore:
    """The executions of one state machine."""

    def __init__(self, state_machine_arn: str) -> None:
        self._machine = state_machine_arn
        self._states = aws.client("stepfunctions")

    def start(self, name: str, request: Mapping[str, Any]) -> str:
        """Start an execution called ``name`` with ``request`` and return its ARN.

        A name can be used once, so a start that botocore repeats is still one execution.
        """
        with translated("start an execution"):
            return self._states.start_execution(
                stateMachineArn=self._machine, name=name, input=json.dumps(request, ensure_ascii=False)
            )["executionArn"]

    def get(self, arn: str) -> Execution:
        """The execution. Raises InvalidRequest if there is none such (any more: AWS keeps them for 90 days)."""
        with translated("describe an execution"):
            try:
                shown = self._states.describe_execution(executionArn=arn)
            except aws.Refused as refused:
                if aws.code(refused) in _UNKNOWN:
                    raise InvalidRequest(f"execution_arn: there is no execution {arn}") from None
                raise
        return _execution(dict(shown))

    def recent(self, limit: int, *, status: Status | None = None) -> Iterator[Execution]:
        """The last ``limit`` executions, the newest first, or those of them that ended as ``status`` says."""
        asked: dict[str, Any] = {"stateMachineArn": self._machine, "maxResults": min(limit, 1000)}
        if status is not None:
            asked["statusFilter"] = status
        left = limit
        while left > 0:
            with translated("list the executions"):
                page = self._states.list_executions(**asked)
            for each in page["executions"][:left]:
                yield self.get(each["executionArn"])
            left -= len(page["executions"])
            if "nextToken" not in page:
                return
            asked["nextToken"] = page["nextToken"]

    def redrive(self, arn: str) -> str | None:
        """Ask AWS to go on with a failed execution where it failed. None if it does, else why it does not."""
        try:
            self._states.redrive_execution(executionArn=arn)
        except aws.Refused as refused:
            if aws.code(refused) in aws.THROTTLES or aws.status(refused) >= 500:
                with translated("redrive an execution"):
                    raise
            return f"{aws.code(refused)}: {aws.message(refused)}"
        except aws.NoAnswer:
            with translated("redrive an execution"):
                raise
        return None


def _execution(shown: Mapping[str, Any]) -> Execution:
    return Execution(
        arn=shown["executionArn"],
        name=shown.get("name", shown["executionArn"].rpartition(":")[2]),
        status=shown["status"],
        started_at=shown["startDate"],
        stopped_at=shown.get("stopDate"),
        redriven_at=shown.get("redriveDate"),
        input=_json(shown.get("input")),
        output=_json(shown.get("output")) if shown["status"] == "SUCCEEDED" else None,
        error=shown.get("error"),
        said=_said(shown.get("cause")),
    )


def _json(text: str | None) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError:
        return None


def _said(cause: str | None) -> str | None:
    """The sentence in a cause: the message of a Lambda function's error, or the cause itself."""
    told = _json(cause)
    return str(told["errorMessage"]) if isinstance(told, dict) and told.get("errorMessage") else cause or None
