"""Record Delivery: what became of a mail after SES accepted it, in the ledger."""

import logging

from pydantic import ValidationError

from cost_reporting.clients import faults
from cost_reporting.contracts import DeliveryRecorded, MailEvent
from cost_reporting.delivery.events import ledger_event
from cost_reporting.errors import ContractViolated
from cost_reporting.store.ledger import LedgerStore

_log = logging.getLogger(__name__)


def record_delivery(event: MailEvent, *, ledger: LedgerStore) -> DeliveryRecorded:
    """Move the recipient's ledger entry on. Events that say nothing new, or are about no report of ours, do no harm."""
    try:
        news = ledger_event(event.detail, event.time)
    except ValidationError as invalid:
        raise ContractViolated(f"an event of SES: {faults(invalid)}") from None
    if news is None:
        return DeliveryRecorded(recipient=None, state=None)
    entry = ledger.apply(news)
    _log.info(
        "mail_event",
        extra={
            "client_id": news.report.partition("#")[0],
            "period": news.report.split("#")[2],
            "recipient": news.recipient,
            "said": news.state,
            "moved": entry is not None,
        },
    )
    return DeliveryRecorded(recipient=news.recipient, state=entry.state if entry else None)
