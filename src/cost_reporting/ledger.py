"""The mail ledger: the memory that makes a second mail impossible. SES has no client token, so it is ours.

One entry for each report and recipient:

    (none) ─► SENDING ─► SENT ─► DELAYED ─► DELIVERED ─► BOUNCED ─► COMPLAINED
                 ├─ SES refused for certain ─► REFUSED: a rerun may send; or what a forced mail had replaced
                 └─ crash or timeout ─► stays SENDING: whether SES accepted the message is unknown

SENDING is written, under a condition, just before SES is called, so of two senders only one calls. An entry found in
SENDING is never sent again by itself: while it is fresh another execution is at it, and later its outcome is unknown,
until SES's own event about the message settles it or an operator decides.

SES's events come late, twice and out of order. So an event only ever moves an entry forward along the line above (SES
found malware: REJECTED, the end of it, and a rerun may send), which makes any order of the same events end the same.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Annotated, Final, Literal, get_args

from pydantic import AwareDatetime, Field

from cost_reporting import periods
from cost_reporting.contracts import Cadence, Fact, Run, Sha256
from cost_reporting.schedules import Due

State = Literal["REFUSED", "SENDING", "SENT", "DELAYED", "DELIVERED", "BOUNCED", "COMPLAINED", "REJECTED"]
Bounce = Literal["Permanent", "Transient", "Undetermined"]
"""How a mail came back, in SES's words. Only a Permanent one is a state of its own; after the others it is DELAYED."""
Decision = Literal["send", "already_sent", "underway", "uncertain"]
Standing = Literal[
    "delivered",
    "accepted",
    "unconfirmed",
    "underway",
    "complained",
    "bounced",
    "rejected",
    "refused",
    "uncertain",
    "nothing",
]
"""How a mail, or a whole report, stands: the best first; ``nothing`` if nobody has tried to send it.

``accepted``: SES has taken it and says no more yet; ``unconfirmed``: and has said no more for too long.
"""

_ORDER: Final[tuple[State, ...]] = ("SENDING", "SENT", "DELAYED", "DELIVERED", "BOUNCED", "COMPLAINED", "REJECTED")
_UNSENT: Final[frozenset[State]] = frozenset({"REFUSED", "REJECTED"})
"""States in which the recipient certainly has nothing, and will not."""

UNDERWAY: Final = timedelta(seconds=90)
"""How long a sender may still be at work on an entry: the timeout of Send Email's task."""


CONFIRMED_WITHIN: Final = timedelta(hours=24)
"""How long SES may say nothing about an accepted mail: it gives up a delayed one after 14 hours."""

_SETTLED: Final[dict[State, Standing]] = {
    "DELIVERED": "delivered",
    "COMPLAINED": "complained",
    "BOUNCED": "bounced",
    "REJECTED": "rejected",
    "REFUSED": "refused",
}
_RANK: Final[tuple[str, ...]] = get_args(Standing)


class Mail(Fact):
    """How far the mail of one report to one recipient has come."""

    report: Annotated[str, Field(min_length=1)]
    recipient: Annotated[str, Field(min_length=8)]
    state: State
    updated_at: AwareDatetime


class Entry(Mail):
    """What is known about the mail of one report to one recipient.

    ``try_id`` is of the one call of SES that the entry is about: its writer and SES's events know it by that.
    """

    try_id: Annotated[str, Field(min_length=8)]
    attempt: Annotated[int, Field(ge=1)]
    run_id: str
    report_sha256: Sha256
    message_id: str | None = None
    reason: str | None = None
    bounce: Bounce | None = None


class Event(Fact):
    """What SES says has become of a message. It names the entry by the tags that the message was sent with."""

    report: str
    recipient: str
    try_id: str
    message_id: str
    state: State
    at: AwareDatetime
    bounce: Bounce | None = None


def after(entry: Entry, event: Event) -> Entry | None:
    """The entry as ``event`` leaves it, or None if it says nothing new, or is about another message."""
    if entry.try_id != event.try_id or entry.state == "REFUSED":
        return None
    if (_ORDER.index(event.state), event.bounce is not None) <= (_ORDER.index(entry.state), entry.bounce is not None):
        return None
    news = {"state": event.state, "message_id": event.message_id, "updated_at": event.at, "bounce": event.bounce}
    return entry.model_copy(update=news)


def standing(mail: Mail, *, now: datetime) -> Standing:
    """How one mail stands at ``now``."""
    age = now - mail.updated_at
    if mail.state in ("SENT", "DELAYED"):
        return "accepted" if age < CONFIRMED_WITHIN else "unconfirmed"
    if mail.state == "SENDING":
        return "underway" if age < UNDERWAY else "uncertain"
    return _SETTLED[mail.state]


def report_standing(mails: Iterable[Mail], *, now: datetime) -> Standing:
    """How a report stands of which these are the mails: as the worst of them, so delivered means every recipient."""
    return max((standing(mail, now=now) for mail in mails), key=_RANK.index, default="nothing")


def once_refused(entry: Entry, earlier: Entry | None, at: datetime) -> Entry:
    """What the ledger says once SES has refused ``entry``, which took the place of ``earlier``, for certain.

    An earlier mail that went, or may have gone, is not forgotten because another, on an operator's word, was refused.
    """
    if earlier is not None and earlier.state not in _UNSENT:
        return earlier
    return entry.model_copy(update={"state": "REFUSED", "updated_at": at})


def report_key(run: Run, client_id: str) -> str:
    """The ledger's name for a report: client, cadence, period, issue. A test run has a ledger of its own."""
    scope = f"test#{run.run_id}" if run.mode == "test" else "live"
    return "#".join((client_id, run.cadence, periods.label(run.period), run.issue, scope))


def issue_key(run: Run | Due) -> str:
    """The name that the reports of all clients share: cadence, period, issue."""
    return "#".join((run.cadence, periods.label(run.period), run.issue))


def issue_of(report: str) -> str | None:
    """The :func:`issue_key` of a client's report; None of what no client gets: tests, and letters to operators."""
    _, cadence, period, issue, *scope = report.split("#")
    return f"{cadence}#{period}#{issue}" if cadence in get_args(Cadence) and scope == ["live"] else None


def report_tag(report: str) -> str:
    """The report's name as a tag of its mails: SES takes letters, digits, hyphens and underscores."""
    return report.replace("#", "_")


def report_of(tag: str) -> str:
    """The report that a tag names: no part of a report's name holds an underscore."""
    return tag.replace("_", "#")


def fingerprint(address: str) -> str:
    """A recipient's name in logs, states and keys: the same for every spelling, and not an address."""
    return sha256(address.strip().casefold().encode()).hexdigest()[:16]


def decide(entry: Entry | None, *, now: datetime, forced_by: str | None = None) -> Decision:
    """What may happen to a mail whose ledger entry is ``entry``.

    ``forced_by`` is the id of a run for which an operator answers for a second mail. It overrules what other runs left,
    never what the same run did, so that a retry within it still mails once.
    """
    if entry is None or entry.state in _UNSENT:
        return "send"
    if entry.state == "SENDING" and now - entry.updated_at < UNDERWAY:
        return "underway"
    if forced_by is not None and entry.run_id != forced_by:
        return "send"
    return "uncertain" if entry.state == "SENDING" else "already_sent"
