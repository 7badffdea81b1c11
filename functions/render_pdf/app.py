"""Render PDF: the report and the words of its mail, in the bucket."""

from cost_reporting import wiring
from cost_reporting.contracts import CostsFetched, ReportRendered
from cost_reporting.operations.render_pdf import render_pdf
from cost_reporting.step import step


@step
def handler(fetched: CostsFetched) -> ReportRendered:
    """Find the stored report, or make it."""
    return render_pdf(fetched, clients=wiring.clients(), renderer=wiring.renderer(), objects=wiring.objects())
