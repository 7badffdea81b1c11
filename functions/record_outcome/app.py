"""Record Outcome: how a client's part of the run ended, written down for good."""

from cost_reporting import wiring
from cost_reporting.contracts import ClientEnded, Outcome
from cost_reporting.operations.record_outcome import record_outcome
from cost_reporting.step import step


@step
def handler(ended: ClientEnded) -> Outcome:
    """Write the outcome, be it sent or failed."""
    return record_outcome(ended, runs=wiring.runs(), now=wiring.now)
