"""Watch Deliveries: who should have a report, who has it, and who has to be told."""

from cost_reporting import wiring
from cost_reporting.contracts import DeliveriesWatched, WatchAsked
from cost_reporting.operations.watch_deliveries import watch_deliveries
from cost_reporting.settings import settings
from cost_reporting.step import step


@step
def handler(asked: WatchAsked) -> DeliveriesWatched:
    """Compare what was due with what became of it."""
    return watch_deliveries(
        asked,
        zone=settings().zone,
        clients=wiring.clients(),
        runs=wiring.runs(),
        post=wiring.post(),
        now=wiring.now,
    )
