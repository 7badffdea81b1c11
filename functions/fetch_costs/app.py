"""Fetch Costs: the client's costs, complete and reconciled, in the bucket."""

from cost_reporting import wiring
from cost_reporting.contracts import ClientDue, CostsFetched
from cost_reporting.operations.fetch_costs import fetch_costs
from cost_reporting.step import step


@step
def handler(due: ClientDue) -> CostsFetched:
    """Find the stored costs, or ask for them."""
    return fetch_costs(
        due,
        clients=wiring.clients(),
        ownership=wiring.ownership(),
        source=wiring.source(),
        objects=wiring.objects(),
        now=wiring.now,
    )
