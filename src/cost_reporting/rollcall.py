"""The roll call: what became of the report that each client should have.

Everything that is known about a client's report is a :class:`Known`; :func:`judge` puts it into exactly one status.
Whatever is not certainly well has a status of its own, so that nothing is lost for want of a word.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, Literal, get_args

from pydantic import AwareDatetime

from cost_reporting.contracts import Fact
from cost_reporting.errors import DeliveryUncertain, remedy_of
from cost_reporting.ledger import Mail, report_standing, standing

Status = Literal[
    "missing",
    "failed",
    "uncertain",
    "bounced",
    "rejected",
    "complained",
    "unconfirmed",
    "held",
    "withheld",
    "newcomer",
    "left_out",
    "underway",
    "accepted",
    "delivered",
]
"""How a client's report stands, what needs somebody most first.

``missing``: nothing is known of it at all. ``failed``: its part of a run ended with an error. ``uncertain``: SES may or
may not have accepted a mail. ``bounced``, ``rejected``, ``complained``: what became of a mail later. ``unconfirmed``:
accepted, and for a day nothing more was heard. ``held``: waits for an approval; ``withheld``: was refused it.
``newcomer``: due now, but not when the run listed its clients. ``left_out``: listed, and removed or suspended since.
``underway``: its run is still at it. ``accepted``: SES has every mail. ``delivered``: every recipient has it.
"""
STATUSES: Final[tuple[Status, ...]] = get_args(Status)
MISSING: Final = frozenset[Status]({"missing", "failed", "uncertain"})
"""The client has no report, as far as anybody can tell."""
UNDELIVERED: Final = frozenset[Status]({"bounced", "rejected"})
"""SES took the report and could not deliver it to somebody."""
CALM: Final = frozenset[Status]({"delivered", "accepted", "underway", "left_out", "withheld"})
"""Nobody has to do anything."""

RUN_TAKES: Final = timedelta(hours=9)
"""How long a run may be at work on a client of its list: twice what 10,000 clients take, and its waits for figures."""
_ACCEPTED: Final = frozenset({"SENT", "DELAYED", "DELIVERED", "BOUNCED", "COMPLAINED"})

_REMEDIES: Final[dict[Status, str]] = {
    "uncertain": DeliveryUncertain.remedy,
    "bounced": "Correct the address in the client's record, then run the client again with force_send and a reason.",
    "rejected": "SES found something wrong with the message itself: look at the report, then run the client again.",
    "complained": "A recipient called the mail spam: ask the client who wants it, and correct the record.",
    "unconfirmed": "Ask the recipient; see whether SES's events arrive (queue of lost delivery events, event rule).",
    "held": "Look at the report and approve or reject it.",
    "newcomer": "Nothing is lost: it gets the next one. Run the client by its id if it should have this one as well.",
}
_NEVER_STARTED: Final = "Start the run by hand with this cadence; then find out why its schedule did not."
_NO_OUTCOME: Final = "Look at the run's execution; redrive it, or run the client again by its id."


class Mark(Fact):
    """The mark that SES has accepted a client's report for so many recipients."""

    recipients: int
    at: AwareDatetime


class Loss(Fact):
    """How a client's part of a run failed."""

    error: str
    stage: str | None = None
    message: str | None = None
    remedy: str | None = None
    run_id: str
    at: AwareDatetime


class Known(Fact):
    """All that is known about a client's report.

    ``name`` and ``recipients`` (fingerprints) are what its record says, if it can be read. ``active``: it has a record
    and is not suspended. ``due``: a run for everybody would list it now. ``listed``: when the last such run that did
    began. ``mails`` are its entries in the ledger.
    """

    client_id: str
    name: str | None = None
    recipients: frozenset[str] = frozenset()
    active: bool = True
    due: bool = True
    listed: AwareDatetime | None = None
    mark: Mark | None = None
    mails: tuple[Mail, ...] = ()
    loss: Loss | None = None
    held: str | None = None


class Judged(Fact):
    """How a client's report stands, why, and what somebody can do about it."""

    client_id: str
    name: str | None
    status: Status
    detail: str = ""
    remedy: str = ""


def judge(known: Known, *, fired: bool, now: datetime) -> Judged:
    """The one status of a client's report. ``fired``: some run for everybody has listed its clients."""
    said = _of_mark(known, now) or _of_approval(known) or _of_ledger(known, now) or _lost(known, fired, now)
    status, detail, remedy = said
    return Judged(
        client_id=known.client_id,
        name=known.name,
        status=status,
        detail=detail,
        remedy=remedy or _REMEDIES.get(status, ""),
    )


_Said = tuple[Status, str, str]


def _of_mark(known: Known, now: datetime) -> _Said | None:
    """A marked report was accepted for everybody. Mails to addresses that the record no longer has are past."""
    if known.mark is None:
        return None
    mails = [mail for mail in known.mails if mail.recipient in known.recipients] or list(known.mails)
    if len(known.mails) < known.mark.recipients:
        mails.append(Mail(report="?", recipient="unknown!", state="SENT", updated_at=known.mark.at))
    return _as_mails_stand(mails, now)


def _of_approval(known: Known) -> _Said | None:
    if known.held == "HELD":
        return "held", "", ""
    return ("withheld", "an operator has rejected it", "") if known.held == "REJECTED" else None


def _of_ledger(known: Known, now: datetime) -> _Said | None:
    """What SES itself says: every recipient's mail was accepted, though the run did not hear of it, or may be."""
    mails = [mail for mail in known.mails if mail.recipient in known.recipients]
    accepted = {mail.recipient for mail in mails if mail.state in _ACCEPTED}
    if known.recipients and accepted == known.recipients:
        return _as_mails_stand(mails, now)
    if known.active and any(standing(mail, now=now) == "uncertain" for mail in known.mails):
        return "uncertain", _which(known.mails, "uncertain", now), ""
    return None


def _lost(known: Known, fired: bool, now: datetime) -> _Said:
    if not known.active:
        return "left_out", "removed or suspended since", ""
    if known.loss is not None:
        loss = known.loss
        where = f"{loss.error} at {loss.stage}" if loss.stage else loss.error
        return "failed", f"{where}: {loss.message or ''}".rstrip(": "), loss.remedy or remedy_of(loss.error)
    if known.listed is not None and now - known.listed < RUN_TAKES:
        return "underway", "", ""
    if known.listed is not None:
        mailed = len({mail.recipient for mail in known.mails if mail.state in _ACCEPTED})
        some = f"; {mailed} of {len(known.recipients)} recipients were mailed" if mailed else ""
        return "missing", f"a run listed the client, and left no outcome{some}", _NO_OUTCOME
    if fired:
        return "newcomer", "added or resumed since the run, or due only since", ""
    return "missing", "no run for everybody was started", _NEVER_STARTED


def _as_mails_stand(mails: Iterable[Mail], now: datetime) -> _Said:
    mails = tuple(mails)
    stands = report_standing(mails, now=now)
    match stands:
        case "refused":
            which = _which(mails, stands, now)
            return "failed", f"SES refused a further mail to {which}", remedy_of("DeliveryRejected")
        case "nothing":
            return "missing", "", _NO_OUTCOME
        case "delivered" | "accepted" | "underway":
            return stands, "", ""
        case _:
            return stands, _which(mails, stands, now), ""


def _which(mails: Iterable[Mail], stands: str, now: datetime) -> str:
    those = sorted(mail.recipient for mail in mails if standing(mail, now=now) == stands)
    return f"recipient {', '.join(those)}"
