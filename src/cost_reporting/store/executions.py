"""Executions of the deployed state machine: started, looked at, and redriven where AWS allows it."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, Literal

from pydantic import AwareDatetime

from cost_reporting import aws
from cost_reporting.contracts import Fact
from cost_reporting.errors import InvalidRequest, RunNotStarted, StoreThrottled

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

    @property
    def double_of(self) -> str | None:
        """The ARN of the execution that does the work, if this one was the second start of the same moment."""
        found = (self.output or {}).get("double_of")
        return None if found is None else str(found)


class ExecutionStore:
    """The executions of one state machine. Every method raises RunNotStarted if Step Functions does not answer it."""

    def __init__(self, state_machine_arn: str) -> None:
        self._machine = state_machine_arn
        self._states = aws.client("stepfunctions")

    def start(self, name: str, request: Any) -> str:
        """The ARN of the execution called ``name``, started with ``request`` unless it has been already."""
        with _asked("start the run"):
            try:
                return self._states.start_execution(
                    stateMachineArn=self._machine, name=name, input=json.dumps(request, ensure_ascii=False)
                )["executionArn"]
            except aws.Refused as refused:
                # A running execution of the same name and input is no refusal; this is one that has ended.
                if aws.code(refused) != "ExecutionAlreadyExists":
                    raise
                return f"{self._machine.replace(':stateMachine:', ':execution:')}:{name}"

    def get(self, arn: str) -> Execution:
        """The execution. Raises InvalidRequest if there is none such (any more: AWS keeps them for 90 days)."""
        with _asked("look at the run"):
            try:
                shown = self._states.describe_execution(executionArn=arn)
            except aws.Refused as refused:
                if aws.code(refused) in _UNKNOWN:
                    raise InvalidRequest(f"execution_arn: there is no execution {arn}") from None
                raise
        return _execution(dict(shown))

    def under_way(self, arn: str) -> bool:
        """Whether an execution is running, or is about to be redriven. One that AWS has forgotten is not.

        Raises StoreThrottled if AWS cannot say so at the moment.
        """
        try:
            return not self.get(arn).ended
        except InvalidRequest:
            return False
        except RunNotStarted as refused:
            cause = refused.__cause__
            if isinstance(cause, aws.NoAnswer) or (
                isinstance(cause, aws.Refused) and (aws.code(cause) in aws.THROTTLES or aws.status(cause) >= 500)
            ):
                raise StoreThrottled(str(refused)) from refused
            raise

    def recent(self, limit: int, *, status: Status | None = None) -> Iterator[Execution]:
        """The last ``limit`` executions, the newest first, or those of them that ended as ``status`` says."""
        asked: dict[str, Any] = {"stateMachineArn": self._machine, "maxResults": min(limit, 1000)}
        if status is not None:
            asked["statusFilter"] = status
        left = limit
        while left > 0:
            with _asked("list the runs"):
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
                with _asked("redrive the run"):
                    raise
            return f"{aws.code(refused)}: {aws.message(refused)}"
        except aws.NoAnswer:
            with _asked("redrive the run"):
                raise
        return None


@contextmanager
def _asked(what: str) -> Iterator[None]:
    try:
        yield
    except aws.Refused as refused:
        raise RunNotStarted(f"{what}: {aws.code(refused)}: {aws.message(refused)}") from refused
    except aws.NoAnswer as none:
        raise RunNotStarted(f"{what}: {type(none).__name__}") from none


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
