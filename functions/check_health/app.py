"""Check Health: every part that a run needs, looked at without touching a client."""

from cost_reporting import wiring
from cost_reporting.contracts import Health, HealthAsked
from cost_reporting.operations.check_health import check_health
from cost_reporting.step import step


@step
def handler(_asked: HealthAsked) -> Health:
    """Look at every part."""
    return check_health(probes=wiring.probes, now=wiring.now)
