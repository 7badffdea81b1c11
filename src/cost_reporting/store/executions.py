"""Executions of the state machine: started once, and looked at."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cost_reporting import aws
from cost_reporting.contracts import Failure, RunAnswer
from cost_reporting.errors import RunNotStarted, remedy_of
from cost_reporting.outcomes import message_of


class Executions:
    """The executions of one state machine."""

    def __init__(self, state_machine_arn: str) -> None:
        self._machine = state_machine_arn

    def start(self, name: str, request: Any) -> str:
        """The ARN of the execution called ``name``, started with ``request`` unless it has been already.

        Raises RunNotStarted.
        """
        with _said("start the run"):
            try:
                return aws.client("stepfunctions").start_execution(
                    stateMachineArn=self._machine, name=name, input=json.dumps(request)
                )["executionArn"]
            except aws.Refused as refused:
                # A running execution of the same name and input is no refusal; this is one that has ended.
                if aws.code(refused) != "ExecutionAlreadyExists":
                    raise
                return f"{self._machine.replace(':stateMachine:', ':execution:')}:{name}"

    def look(self, arn: str) -> RunAnswer:
        """How the execution stands. Raises RunNotStarted if Step Functions does not say."""
        with _said("look at the run"):
            shown = aws.client("stepfunctions").describe_execution(executionArn=arn)
        error = shown.get("error")
        failure = Failure(error=error, cause=shown.get("cause", "")) if error else None
        return RunAnswer(
            status=shown["status"],
            execution_arn=arn,
            result=json.loads(shown["output"]) if shown.get("output") else None,
            error=error,
            message=message_of(failure) if failure else None,
            remedy=remedy_of(failure.error) if failure else None,
            look=f"aws stepfunctions describe-execution --execution-arn {arn}",
        )


@contextmanager
def _said(what: str) -> Iterator[None]:
    try:
        yield
    except aws.Refused as refused:
        raise RunNotStarted(f"{what}: {aws.code(refused)}: {aws.message(refused)}") from refused
    except aws.NoAnswer as none:
        raise RunNotStarted(f"{what}: {type(none).__name__}") from none
