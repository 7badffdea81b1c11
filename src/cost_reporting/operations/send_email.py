"""Send Email: one mail to each recipient, never two."""

from collections.abc import Callable
from datetime import datetime

from cost_reporting.clients import Client
from cost_reporting.contracts import Delivery, MailWords, Receipt, ReportRendered, ReportSent
from cost_reporting.delivery import Channel, Letter
from cost_reporting.delivery.message import compose
from cost_reporting.errors import (
    ClientMisconfigured,
    CostReportingError,
    DeliveryRejected,
    DeliveryThrottled,
    DeliveryUncertain,
    DeliveryUnderway,
    Transient,
)
from cost_reporting.ledger import Entry, decide, fingerprint, report_key
from cost_reporting.store.clients import ClientStore
from cost_reporting.store.ledger import LedgerStore
from cost_reporting.store.objects import ObjectStore


def send_email(
    rendered: ReportRendered,
    *,
    clients: ClientStore,
    objects: ObjectStore,
    ledger: LedgerStore,
    channel: Channel,
    sender: str,
    now: Callable[[], datetime],
) -> ReportSent:
    """Mail the stored report to every recipient that the ledger does not know to have it.

    One recipient's trouble keeps nobody else's mail back: everyone is tried, then the first trouble is raised, those
    that a retry may mend before the others.
    """
    client = clients.get(rendered.client_id)
    recipients = rendered.run.recipients or client.recipients
    if not recipients:
        raise ClientMisconfigured(f"{client.client_id}: recipients: nobody is left to send the report to")
    if rendered.run.mode == "dry_run":
        return _sent(rendered, [Delivery(recipient=fingerprint(to), state="NOT_SENT") for to in recipients])
    words = MailWords.model_validate_json(objects.read(rendered.report.mail))
    pdf = objects.read(rendered.report.pdf)
    deliveries: list[Delivery] = []
    troubles: list[CostReportingError] = []
    for recipient in recipients:
        letter = _letter(rendered, client, sender=sender, recipient=recipient, words=words, pdf=pdf)
        try:
            deliveries.append(_deliver(rendered, letter, ledger=ledger, channel=channel, now=now))
        except CostReportingError as trouble:
            troubles.append(trouble)
    if troubles:
        raise min(troubles, key=lambda each: not isinstance(each, Transient))
    return _sent(rendered, deliveries)


def _deliver(
    rendered: ReportRendered, letter: Letter, *, ledger: LedgerStore, channel: Channel, now: Callable[[], datetime]
) -> Delivery:
    run = rendered.run
    report, recipient = report_key(run, rendered.client_id), fingerprint(letter.recipient)
    found = ledger.find(report, recipient)
    decision = decide(found, now=now(), forced_by=run.run_id if run.force_send else None)
    if decision == "already_sent" and found is not None:
        return Delivery(recipient=recipient, state="ALREADY_SENT", message_id=found.message_id)
    if decision == "uncertain" and found is not None:
        raise DeliveryUncertain(f"{recipient}: {found.run_id} began to send at {found.updated_at:%Y-%m-%d %H:%M:%SZ}")
    entry = Entry(
        report=report,
        recipient=recipient,
        state="SENDING",
        attempt=found.attempt + 1 if found else 1,
        run_id=run.run_id,
        report_sha256=rendered.report.pdf.sha256,
        updated_at=now(),
        reason=run.force_send.reason if run.force_send else None,
    )
    if decision == "underway" or not ledger.begin(entry, replacing=found):
        raise DeliveryUnderway(f"{recipient}: another sender is at it")
    try:
        message_id = channel.send(letter)
    except (DeliveryRejected, DeliveryThrottled):
        ledger.conclude(entry, "REFUSED", at=now())
        raise
    ledger.conclude(entry, "SENT", at=now(), message_id=message_id)
    return Delivery(recipient=recipient, state="SENT", message_id=message_id)


def _letter(
    rendered: ReportRendered, client: Client, *, sender: str, recipient: str, words: MailWords, pdf: bytes
) -> Letter:
    message = compose(
        words,
        sender=sender,
        recipient=recipient,
        reply_to=client.reply_to,
        pdf=pdf,
        file_name=rendered.report.file_name,
    )
    tags = {
        "client_id": client.client_id,
        "report_id": report_key(rendered.run, client.client_id).replace("#", "_"),
        "run_id": rendered.run.run_id,
    }
    return Letter(sender=sender, recipient=recipient, message=message, tags=tags)


def _sent(rendered: ReportRendered, deliveries: list[Delivery]) -> ReportSent:
    return ReportSent(**dict(rendered), delivery=Receipt(deliveries=tuple(deliveries)))
