"""Costs by service."""

from cost_reporting.contracts import Fact
from cost_reporting.report.comparison import Comparison, compare
from cost_reporting.report.edition import Edition, one_line

TOP = 15


class Services(Fact):
    """The table of services."""

    currency: str
    now_title: str
    before_title: str
    table: Comparison


def view(edition: Edition) -> Services | None:
    """The services, unless there are none."""
    if not edition.by_service and not edition.previous_by_service:
        return None
    return Services(
        currency=edition.currency,
        now_title=edition.period_words if edition.costs.cadence == "monthly" else "This week",
        before_title=edition.figures.period(edition.previous) if edition.costs.cadence == "monthly" else "Week before",
        table=compare(
            edition,
            edition.by_service,
            edition.previous_by_service,
            top=TOP,
            plural="services",
            name=lambda service: (one_line(service), None),
        ),
    )
