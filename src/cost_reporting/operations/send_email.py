"""Send Email: one mail to each recipient, never two."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cost_reporting.approvals import Held, letter_key
from cost_reporting.clients import Client
from cost_reporting.contracts import Delivery, MailWords, Receipt, ReportRendered, ReportSent, Run, StoredObject
from cost_reporting.delivery import Channel
from cost_reporting.delivery.message import Enclosure, compose, with_links
from cost_reporting.delivery.once import Parcel, send_once
from cost_reporting.domain.suspension import is_stopped
from cost_reporting.errors import (
    ClientMisconfigured,
    ClientSuspended,
    CostReportingError,
    DeliveryRepeated,
    DeliveryThrottled,
    DeliveryUncertain,
    DeliveryUnderway,
    ReportNotStored,
    StaleDocument,
    Transient,
)
from cost_reporting.ledger import Entry, begun, fingerprint, report_key
from cost_reporting.operations.addressees import read_addressees
from cost_reporting.operations.hold import approval_is_due, kept_back, waiting_words
from cost_reporting.store.approvals import ApprovalStore
from cost_reporting.store.clients import ClientStore
from cost_reporting.store.ledger import LedgerStore
from cost_reporting.store.links import LinkStore
from cost_reporting.store.objects import PDF, ObjectStore

_log = logging.getLogger(__name__)

PATIENCE: Final = timedelta(seconds=30)
"""After so long nobody further is begun with: a call that hangs takes up to 25 s, and the function has 60."""


def send_email(
    rendered: ReportRendered,
    *,
    clients: ClientStore,
    objects: ObjectStore,
    links: LinkStore,
    ledger: LedgerStore,
    approvals: ApprovalStore,
    channel: Channel,
    sender: str,
    operators: str,
    now: Callable[[], datetime],
) -> ReportSent:
    """Mail the stored report to every recipient that the ledger does not know to have it.

    A report that waits for approval goes to ``operators`` instead, once, and one that was rejected to nobody. The test
    of a report that its client may not see yet goes to them as well, unless its request names other recipients.
    Raises ClientSuspended if the client was suspended and no mail of the report is accepted.

    The mail carries the very bytes that were stored, or links to them where its words say that they are too large.

    One recipient's trouble keeps nobody else's mail back: everyone is tried, then the first trouble is raised, those
    that a retry may mend before the others. Whom a slow SES leaves no time for is left to the next try.
    """
    client = clients.get(rendered.client_id)
    _require_not_stopped(rendered, client, ledger)
    recipients = _recipients(rendered.run, client, objects=objects, approvals=approvals, operators=operators)
    if not recipients:
        raise ClientMisconfigured(f"{client.client_id}: recipients: nobody is left to send the report to")
    if rendered.run.mode == "dry_run":
        return _sent(rendered, [Delivery(recipient=fingerprint(to), state="NOT_SENT") for to in recipients])
    held = kept_back(rendered, client, approvals=approvals, ledger=ledger, now=now)
    if held is not None and held.state == "REJECTED":
        return _kept(rendered, recipients, held)
    words, enclosures = _contents(
        rendered,
        read=_reading(rendered, recipients, objects=objects, ledger=ledger),
        links=links,
        worded=(lambda words: waiting_words(words, held, rendered)) if held else None,
    )
    sending = _Sending(rendered, client, words, enclosures, ledger, channel, sender, now)
    if held is not None:
        _tell(operators, sending, held)
        return _kept(rendered, recipients, held)
    deliveries: list[Delivery] = []
    troubles: list[CostReportingError] = []
    began = now()
    for recipient in recipients:
        try:
            if now() - began >= PATIENCE:
                raise DeliveryThrottled(f"{fingerprint(recipient)}: SES is slow, and was not asked in time")
            deliveries.append(sending.to(recipient))
        except CostReportingError as trouble:
            troubles.append(trouble)
    if troubles:
        raise min(troubles, key=lambda each: not isinstance(each, Transient))
    return _sent(rendered, deliveries)


def _require_not_stopped(rendered: ReportRendered, client: Client, ledger: LedgerStore) -> None:
    """Raises ClientSuspended if the client's suspension stops the report. The ledger is read for that only."""
    if not is_stopped(client, rendered.run):
        return
    if is_stopped(client, rendered.run, ledger.of_report(report_key(rendered.run, client.client_id))):
        raise ClientSuspended(f"{client.client_id}: suspended, and not named by an operator")


def _recipients(
    run: Run, client: Client, *, objects: ObjectStore, approvals: ApprovalStore, operators: str
) -> tuple[str, ...]:
    """Who gets the report: for a test whom its request names, or the operators while an approval is due."""
    named = read_addressees(objects, run)
    if named is not None:
        return named
    if run.mode == "test" and approval_is_due(run, client.client_id, client.approve_first, approvals):
        return (operators,)
    return client.recipients


def _tell(operators: str, sending: "_Sending", held: Held) -> None:
    """The operators' mail about a held report. Whether they have it may stay unknown: the report is held all the same.

    An entry of its own in the ledger keeps it from going twice, and from counting as the client's.
    """
    run = sending.rendered.run
    about = letter_key(run, held.client_id, held.pdf_sha256)
    try:
        sending.to(operators, report=about)
    except (DeliveryUncertain, DeliveryRepeated):
        _log.warning("held_letter_uncertain", extra={"pdf_key": held.pdf_key})


def _kept(rendered: ReportRendered, recipients: tuple[str, ...], held: Held) -> ReportSent:
    """The report stays here. Says why, in the operator's words if there are any."""
    if held.state == "REJECTED":
        state, reason = "REJECTED", f"rejected at {held.decided_at:%Y-%m-%d %H:%M} UTC: {held.reason}"
    else:
        state, reason = "HELD", f"waits for approval since {held.at:%Y-%m-%d %H:%M} UTC"
    deliveries = tuple(Delivery.model_validate({"recipient": fingerprint(to), "state": state}) for to in recipients)
    return ReportSent(**dict(rendered), delivery=Receipt(deliveries=deliveries, reason=reason))


@dataclass(frozen=True)
class _Sending:
    """One report on its way to its recipients, one after the other."""

    rendered: ReportRendered
    client: Client
    words: MailWords
    enclosures: tuple[Enclosure, ...]
    ledger: LedgerStore
    channel: Channel
    sender: str
    now: Callable[[], datetime]

    def to(self, address: str, *, report: str = "") -> Delivery:
        """Mail ``address``, unless the ledger says that it has, or may have, this report.

        ``report`` is the ledger's name for what is mailed, if it is not the client's report.
        """
        run, recipient = self.rendered.run, fingerprint(address)
        parcel = Parcel(
            report=report or report_key(run, self.client.client_id),
            client_id=self.client.client_id,
            address=address,
            run_id=run.run_id,
            sha256=self.rendered.report.pdf.sha256,
            message=lambda: self._message(address),
            force=None if run.force_send is None or run.force_send.missing else run.force_send,
        )
        answer = send_once(parcel, ledger=self.ledger, channel=self.channel, sender=self.sender, now=self.now)
        match answer.decision:
            case "sent":
                return Delivery(recipient=recipient, state="SENT", message_id=answer.message_id)
            case "already_sent":
                return Delivery(recipient=recipient, state="ALREADY_SENT", message_id=answer.message_id)
            case "underway":
                raise DeliveryUnderway(f"{recipient}: another sender is at it")
            case "uncertain":
                raise DeliveryUncertain(f"{recipient}: {_began(answer.found)}")
            case "repeated":
                raise DeliveryRepeated(f"{recipient}: a forced mail: {_began(answer.found)}")

    def _message(self, address: str) -> bytes:
        return compose(
            self.words,
            sender=self.sender,
            recipient=address,
            reply_to=self.client.reply_to,
            enclosures=self.enclosures,
        )


def _began(found: Entry | None) -> str:
    return f"{found.run_id} began to send at {found.began_at or found.updated_at:%Y-%m-%d %H:%M:%SZ}" if found else "?"


def _reading(
    rendered: ReportRendered, recipients: tuple[str, ...], *, objects: ObjectStore, ledger: LedgerStore
) -> Callable[[StoredObject], bytes]:
    """How the documents of the report are read: as they are there; once a mail of it has gone, as they were stored.

    Other bytes than those that were rendered are never mailed. Until the ledger has an accepted mail of this report,
    StaleDocument leads back to Fetch Costs; after that, the other recipients get the same version of the documents,
    which the bucket keeps. A report that is to go out as it is stored cannot be made anew: ReportNotStored.
    """
    about = report_key(rendered.run, rendered.client_id)

    def read(document: StoredObject) -> bytes:
        try:
            try:
                return objects.read(document)
            except StaleDocument:
                if not begun(filter(None, (ledger.find(about, fingerprint(to)) for to in recipients))):
                    raise
                return objects.read_version(document)
        except StaleDocument as stale:
            if rendered.run.as_stored is not None:
                raise ReportNotStored(f"{rendered.client_id}: {stale}") from stale
            raise

    return read


def _contents(
    rendered: ReportRendered,
    *,
    read: Callable[[StoredObject], bytes],
    links: LinkStore,
    worded: Callable[[MailWords], MailWords] | None = None,
) -> tuple[MailWords, tuple[Enclosure, ...]]:
    """The words and files of the mail. Every file is read, so that nothing else than what was rendered is sent.

    ``worded`` makes of the client's words those of somebody else's mail.
    """
    report = rendered.report
    words = MailWords.model_validate_json(read(report.mail))
    words = worded(words) if worded else words
    files: tuple[tuple[str, str, StoredObject], ...] = (
        (report.file_name, PDF, report.pdf),
        *((each.file_name, each.content_type, each.document) for each in report.attachments),
    )
    enclosures = tuple(
        Enclosure(file_name=name, content_type=content_type, body=read(document))
        for name, content_type, document in files
    )
    if words.downloads is None:
        return words, enclosures
    signed = links.to((name, document) for name, _, document in files)
    _log.warning("report_linked", extra={"until": f"{signed.until:%Y-%m-%dT%H:%M:%SZ}", "files": len(files)})
    named = ((link.file_name, link.url) for link in signed.links)
    return with_links(words, words.downloads, named, until=signed.until), ()


def _sent(rendered: ReportRendered, deliveries: list[Delivery]) -> ReportSent:
    return ReportSent(**dict(rendered), delivery=Receipt(deliveries=tuple(deliveries)))
