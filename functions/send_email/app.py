"""Send Email: one mail to each recipient, never two."""

from cost_reporting import wiring
from cost_reporting.contracts import ReportRendered, ReportSent
from cost_reporting.operations.send_email import send_email
from cost_reporting.settings import settings
from cost_reporting.step import step


@step
def handler(rendered: ReportRendered) -> ReportSent:
    """Mail the stored report to whom the ledger does not know to have it, if nobody has to approve it first."""
    return send_email(
        rendered,
        clients=wiring.clients(),
        objects=wiring.objects(),
        links=wiring.links(),
        ledger=wiring.ledger(),
        approvals=wiring.approvals(),
        channel=wiring.channel(),
        sender=settings().sender,
        operators=settings().operators,
        now=wiring.now,
    )
