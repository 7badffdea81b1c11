"""Cost Reporting Lambda: a run for whoever calls a function and waits for what became of it."""

from cost_reporting import wiring
from cost_reporting.contracts import AnyRequest, RunAnswer
from cost_reporting.operations.cost_reporting_lambda import cost_reporting_lambda
from cost_reporting.step import step


@step
def handler(request: AnyRequest, request_id: str) -> RunAnswer:
    """Start the state machine and wait a while."""
    return cost_reporting_lambda(
        request, request_id, executions=wiring.executions(), now=wiring.now, pause=wiring.pause
    )
