"""Costs by service."""

from cost_reporting.contracts import Fact
from cost_reporting.report import unfilled
from cost_reporting.report.comparison import Comparison, compare
from cost_reporting.report.edition import Edition, one_line

TOP = 15
TOP_OF_A_WEEK = 5


class Services(Fact):
    """The table of services."""

    currency: str
    note: str
    now_title: str
    before_title: str
    table: Comparison
    new_page: bool


def view(edition: Edition) -> Services | None:
    """The services, unless there are none."""
    if not edition.by_service and not edition.previous_by_service:
        return None
    monthly = edition.costs.cadence == "monthly"
    table = compare(
        edition,
        edition.by_service,
        edition.previous_by_service,
        top=TOP if monthly else TOP_OF_A_WEEK,
        others=lambda n: edition.say_n("Other ({n} service)", "Other ({n} services)", n),
        name=one_line,
        usage=edition.usage_by_service if edition.credits and not edition.contained else None,
    )
    return Services(
        currency=edition.currency,
        note=edition.language.together(*unfilled.notes(edition)),
        now_title=edition.now_title,
        before_title=edition.before_title,
        table=table,
        new_page=monthly,
    )
