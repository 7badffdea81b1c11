"""Settle Run: the verdict on a pass, and, when somebody has asked again, the next pass."""

from cost_reporting import wiring
from cost_reporting.contracts import RunSummary, Worklist
from cost_reporting.operations.settle_run import settle_run
from cost_reporting.step import step


@step
def handler(worklist: Worklist) -> Worklist | RunSummary:
    """Judge the run by its recorded outcomes."""
    return settle_run(worklist, runs=wiring.runs(), objects=wiring.objects(), now=wiring.now)
