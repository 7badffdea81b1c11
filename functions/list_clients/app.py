"""List Clients: from what was asked to the worklist of a run."""

from cost_reporting import wiring
from cost_reporting.contracts import RunAsked, StartedTwice, Worklist
from cost_reporting.operations.list_clients import list_clients
from cost_reporting.settings import settings
from cost_reporting.step import step


@step
def handler(asked: RunAsked) -> Worklist | StartedTwice:
    """Judge the request and write down who is due."""
    return list_clients(
        asked,
        zone=settings().zone,
        test_domains=settings().test_domains,
        concurrent_clients=settings().concurrent_clients,
        looks=len(settings().waits),
        clients=wiring.clients(),
        accounts=wiring.accounts(),
        runs=wiring.runs(),
        approvals=wiring.approvals(),
        objects=wiring.objects(),
        executions=wiring.executions_by_arn(),
    )
