"""One mail of one report to one recipient, never two: the ledger's protocol, which stands here and nowhere else.

Find the entry, decide, begin, send, then refuse or conclude. Clients' reports, letters about held reports and roll-ups
all leave this way.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import uuid4

from cost_reporting.contracts import Fact, ForceSend, Sha256
from cost_reporting.delivery import Channel, Letter
from cost_reporting.errors import CostReportingError, DeliveryRejected, DeliveryThrottled, LetterMalformed
from cost_reporting.ledger import Decision, Entry, decide, fingerprint, report_tag
from cost_reporting.store.ledger import LedgerStore


@dataclass(frozen=True)
class Parcel:
    """What is to be mailed, to one address. ``report`` is the ledger's name for it; ``client_id`` tags its events.

    ``message`` composes the MIME message. It is called only if the mail may be sent, and before the ledger is touched,
    so that an error in it leaves nothing begun.
    """

    report: str
    client_id: str
    address: str
    run_id: str
    sha256: Sha256
    message: Callable[[], bytes]
    force: ForceSend | None = None


class Answer(Fact):
    """What the ledger has decided: ``sent`` by this call, or why not. ``found`` is the entry that stood in its way."""

    decision: Literal["sent", "already_sent", "underway", "uncertain", "repeated"]
    message_id: str | None = None
    found: Entry | None = None


def send_once(
    parcel: Parcel, *, ledger: LedgerStore, channel: Channel, sender: str, now: Callable[[], datetime]
) -> Answer:
    """Mail the parcel, unless the ledger says that its recipient has it, or may have it.

    Raises LetterMalformed, and what the channel raises: after DeliveryRejected and DeliveryThrottled the entry is given
    back, after anything else it stays SENDING, since SES may have accepted the message.
    """
    began, recipient = now(), fingerprint(parcel.address)
    found = ledger.find(parcel.report, recipient)
    forced_by, again = (parcel.run_id, parcel.force.again) if parcel.force else (None, False)
    decision: Decision = decide(found, now=began, forced_by=forced_by, again=again)
    if decision != "send":
        return Answer(decision=decision, message_id=found.message_id if found else None, found=found)
    entry = Entry(
        report=found.report if found else parcel.report,
        recipient=recipient,
        state="SENDING",
        try_id=uuid4().hex,
        attempt=found.attempt + 1 if found else 1,
        run_id=parcel.run_id,
        report_sha256=parcel.sha256,
        updated_at=began,
        began_at=began,
        reason=parcel.force.reason if parcel.force else None,
    )
    tags = {
        "client_id": parcel.client_id,
        "report_id": report_tag(entry.report),
        "run_id": entry.run_id,
        "try_id": entry.try_id,
    }
    letter = _composed(parcel, recipient, sender, tags)
    begun = ledger.begin(entry, replacing=found)
    if begun is None:
        return _overtaken(ledger.find(parcel.report, recipient), now=began, forced_by=forced_by)
    try:
        message_id = channel.send(letter)
    except (DeliveryRejected, DeliveryThrottled):
        ledger.refuse(begun, at=now())
        raise
    ledger.conclude(begun, at=now(), message_id=message_id)
    return Answer(decision="sent", message_id=message_id)


def _composed(parcel: Parcel, recipient: str, sender: str, tags: dict[str, str]) -> Letter:
    """The letter. Whatever goes wrong in it is this recipient's trouble, by name and without the address."""
    try:
        return Letter(sender=sender, recipient=parcel.address, message=parcel.message(), tags=tags)
    except CostReportingError:
        raise
    except Exception as fault:  # noqa: BLE001 - the library of mails raises errors of many kinds
        raise LetterMalformed(f"{recipient}: the mail could not be composed: {type(fault).__name__}") from None


def _overtaken(found: Entry | None, *, now: datetime, forced_by: str | None) -> Answer:
    """Another writer was first. A forced mail that has won is not followed by a second one, whatever was said."""
    decision = decide(found, now=now, forced_by=forced_by)
    return Answer(decision="repeated" if decision == "repeated" else "underway", found=found)
