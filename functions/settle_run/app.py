"""Settle Run: the verdict on a pass, or the next pass: of late clients, or, after a redrive, of the failed ones."""

from cost_reporting import wiring
from cost_reporting.contracts import RunSummary, SettleAsked, Worklist
from cost_reporting.operations.settle_run import settle_run
from cost_reporting.settings import settings
from cost_reporting.step import step


@step
def handler(asked: SettleAsked | Worklist) -> Worklist | RunSummary:
    """Judge the run by its recorded outcomes."""
    return settle_run(asked, waits=settings().waits, runs=wiring.runs(), objects=wiring.objects(), now=wiring.now)
