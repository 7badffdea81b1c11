"""Executions of the state machine, as Step Functions remembers them: for 90 days."""

from collections.abc import Iterator
from datetime import datetime

from pydantic import AwareDatetime

from cost_reporting import aws
from cost_reporting.contracts import Fact
from cost_reporting.store.translation import translated


class Execution(Fact):
    """An execution, but not what was in it."""

    arn: str
    name: str
    status: str
    started_at: AwareDatetime


class ExecutionStore:
    """Reads the executions of a state machine; children of a map are not among them."""

    def __init__(self, machine_arn: str) -> None:
        self._machine_arn = machine_arn
        self._states = aws.client("stepfunctions")

    def began(self, start: datetime, end: datetime) -> Iterator[Execution]:
        """Those that began from ``start`` on and before ``end``. Step Functions gives the newest first."""
        token: dict[str, str] = {}
        while True:
            with translated("list the executions"):
                page = self._states.list_executions(
                    stateMachineArn=self._machine_arn,
                    maxResults=1000,
                    **token,  # type: ignore[arg-type]
                )
            found = [
                Execution(arn=one["executionArn"], name=one["name"], status=one["status"], started_at=one["startDate"])
                for one in page["executions"]
            ]
            yield from (one for one in found if start <= one.started_at < end)
            if "nextToken" not in page or (found and all(one.started_at < start for one in found)):
                return
            token = {"nextToken": page["nextToken"]}

    def error(self, arn: str) -> str | None:
        """The name of the error with which an execution failed."""
        with translated("describe an execution"):
            return self._states.describe_execution(executionArn=arn).get("error")

    def transitions(self, arn: str) -> int:
        """How many transitions an execution has taken so far, without its map's children: its states, and each retry.

        AWS bills a transition for every state that is entered and for every retry of one.
        """
        entered = tries = tasks = 0
        token: dict[str, str] = {}
        while True:
            with translated("read the history of an execution"):
                page = self._states.get_execution_history(
                    executionArn=arn,
                    maxResults=1000,
                    includeExecutionData=False,
                    **token,  # type: ignore[arg-type]
                )
            for event in page["events"]:
                entered += event["type"].endswith("StateEntered")
                tasks += event["type"] == "TaskStateEntered"
                tries += event["type"] in ("TaskScheduled", "LambdaFunctionScheduled")
            if "nextToken" not in page:
                return entered + max(0, tries - tasks)
            token = {"nextToken": page["nextToken"]}
