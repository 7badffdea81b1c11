"""Cost Reporting Lambda: a run for whoever calls a function and waits for what became of it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from cost_reporting.contracts import AnyRequest, RunAnswer
from cost_reporting.errors import remedy_of
from cost_reporting.store.executions import Execution, ExecutionStore

PATIENCE: Final = timedelta(seconds=45)
"""The AWS CLI waits 60 seconds for an answer, and then asks again."""
STARTED_TWICE: Final = (
    "another execution works on the same moment of the schedule; this one has read, paid and mailed nothing"
)


def cost_reporting_lambda(
    request: AnyRequest,
    request_id: str,
    *,
    executions: ExecutionStore,
    now: Callable[[], datetime],
    pause: Callable[[], None],
) -> RunAnswer:
    """Start an execution with the request as it is, and answer how it ended, or that it is RUNNING and where to look.

    A failed run is an answer, not a failure of this function, so nothing tries it again. The execution is named after
    the invocation: whoever repeats that, as Lambda does with asynchronous ones, finds the execution that there is.
    Raises RunNotStarted.
    """
    until = now() + PATIENCE
    arn = executions.start(f"lambda-{request_id}", request.root)
    while True:
        execution = executions.get(arn)
        if execution.status != "RUNNING" or now() >= until:
            return _answer(execution)
        pause()


def _answer(execution: Execution) -> RunAnswer:
    double_of = execution.double_of
    return RunAnswer(
        status=execution.status,
        execution_arn=execution.arn,
        result=execution.output,
        error=execution.error,
        message=f"Started twice: {STARTED_TWICE}." if double_of else execution.said or execution.error,
        remedy=remedy_of(execution.error) if execution.error else None,
        look=f"aws stepfunctions describe-execution --execution-arn {double_of or execution.arn}",
    )
