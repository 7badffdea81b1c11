"""Record Delivery: what became of a mail after SES accepted it, in the ledger."""

from cost_reporting import wiring
from cost_reporting.contracts import DeliveryRecorded, MailEvent
from cost_reporting.operations.record_delivery import record_delivery
from cost_reporting.step import step


@step
def handler(event: MailEvent) -> DeliveryRecorded:
    """Move the recipient's ledger entry on."""
    return record_delivery(event, ledger=wiring.ledger())
