"""The cover of a monthly report: whose it is, about what, and how final."""

from cost_reporting.contracts import Fact
from cost_reporting.report.edition import Edition
from cost_reporting.report.state import badge


class Cover(Fact):
    """What the cover says."""

    client_name: str
    period: str
    span: str
    badge: str
    is_settled: bool
    prepared_by: str
    issued: str
    number: str


def view(edition: Edition) -> Cover | None:
    """The cover; a weekly report has none."""
    if edition.costs.cadence != "monthly":
        return None
    return Cover(
        client_name=edition.client_name,
        period=edition.period_title,
        span=edition.figures.span(edition.period),
        badge=badge(edition),
        is_settled=edition.is_settled,
        prepared_by=edition.prepared_by,
        issued=edition.figures.day(edition.issued),
        number=edition.number,
    )
