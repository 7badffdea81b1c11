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

A forced mail replaces an entry and remembers it, and all that this one had replaced. Events about a replaced mail are
kept with it. If the forced mail is refused by SES, at once or later by event, the last mail before it that went, or may
have gone, is the entry again, with all that was heard of it meanwhile. The runs that have mailed are never forgotten.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Annotated, Final, Literal, get_args

from pydantic import AwareDatetime, Field

from cost_reporting import periods
from cost_reporting.contracts import Cadence, Fact, Issue, Run, Sha256
from cost_reporting.schedules import Due

State = Literal["REFUSED", "SENDING", "SENT", "DELAYED", "DELIVERED", "BOUNCED", "COMPLAINED", "REJECTED"]
Bounce = Literal["Permanent", "Transient", "Undetermined"]
"""How a mail came back, in SES's words. Only a Permanent one is a state of its own; after the others it is DELAYED."""
Decision = Literal["send", "already_sent", "underway", "uncertain", "repeated"]
"""``repeated``: another run has forced a mail to the recipient a moment ago."""
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
UNSENT: Final[frozenset[State]] = frozenset({"REFUSED", "REJECTED"})
"""States in which the recipient certainly has nothing, and will not."""
_ACCEPTED: Final[frozenset[State]] = frozenset({"SENT", "DELAYED", "DELIVERED", "BOUNCED", "COMPLAINED"})
"""States of a mail that SES has accepted, and has not taken back."""

UNDERWAY: Final = timedelta(seconds=90)
"""How long a sender may still be at work on an entry: the timeout of Send Email's task.

Clocks differ, so an entry may lie in the future by as much. Beyond that, the clock that wrote it was wrong, and its age
is not known: it counts as uncertain, which an operator can overrule.
"""

FORCED_AGAIN_AFTER: Final = timedelta(minutes=10)
"""How long after a forced mail another one to the same recipient needs the word ``again``."""

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


class Try(Fact):
    """A mail that a forced one has replaced: as much as is needed to make it the entry again, and of its events."""

    try_id: Annotated[str, Field(min_length=8)]
    state: State
    updated_at: AwareDatetime
    attempt: Annotated[int, Field(ge=1)]
    run_id: str
    report_sha256: Sha256
    message_id: str | None = None
    reason: str | None = None
    bounce: Bounce | None = None
    began_at: AwareDatetime | None = None


class Entry(Mail):
    """What is known about the mail of one report to one recipient.

    ``try_id`` is of the one call of SES that the entry is about: its writer and SES's events know it by that.
    ``reason`` is that of an operator who has forced the mail; ``began_at`` is when the try began. ``earlier`` are the
    mails that it replaced and that went, or may have gone, the last one last; ``mailed_by`` are the runs that have
    mailed before it. ``revision`` counts the changes of the item: of two writers who saw the same one, only one writes.
    Items of older versions have none of the last four.
    """

    try_id: Annotated[str, Field(min_length=8)]
    attempt: Annotated[int, Field(ge=1)]
    run_id: str
    report_sha256: Sha256
    message_id: str | None = None
    reason: str | None = None
    bounce: Bounce | None = None
    began_at: AwareDatetime | None = None
    earlier: tuple[Try, ...] = ()
    mailed_by: tuple[str, ...] = ()
    revision: Annotated[int, Field(ge=0)] = 0

    @property
    def mailers(self) -> tuple[str, ...]:
        """The runs that have mailed, or may have: those before, and its own unless SES refused the call."""
        runs = (*self.mailed_by, *(each.run_id for each in self.earlier))
        return tuple(dict.fromkeys(runs if self.state == "REFUSED" else (*runs, self.run_id)))

    @property
    def tries(self) -> tuple[Try, ...]:
        """The mails that went, or may have gone: those before, and its own, if it did."""
        return self.earlier if self.state in UNSENT else (*self.earlier, _as_try(self))


class Event(Fact):
    """What SES says has become of a message. It names the entry by the tags that the message was sent with.

    ``report`` is a name as :func:`report_key` or a letter to operators has one: at least client, cadence and period.
    """

    report: Annotated[str, Field(max_length=300, pattern=r"^[^#]+(#[^#]+){2,}$")]
    recipient: Annotated[str, Field(min_length=8)]
    try_id: Annotated[str, Field(min_length=8)]
    message_id: Annotated[str, Field(min_length=1)]
    state: State
    at: AwareDatetime
    bounce: Bounce | None = None


def after(entry: Entry, event: Event) -> Entry | None:
    """The entry as ``event`` leaves it, or None if it says nothing new, or is about a message that is not known."""
    if entry.try_id == event.try_id:
        if entry.state == "REFUSED" or not _is_news(entry, event):
            return None
        moved = entry.model_copy(update=_told(event))
        return _given_back(moved, moved.mailers) if event.state == "REJECTED" else moved
    earlier = tuple(each.model_copy(update=_told(event)) if _is_about(each, event) else each for each in entry.earlier)
    if earlier == entry.earlier:
        return None
    gone = tuple(each.run_id for each in earlier if each.state in UNSENT)
    return entry.model_copy(
        update={
            "earlier": tuple(each for each in earlier if each.state not in UNSENT),
            "mailed_by": tuple(dict.fromkeys((*entry.mailed_by, *gone))),
        }
    )


def _is_about(earlier: Try, event: Event) -> bool:
    return earlier.try_id == event.try_id and _is_news(earlier, event)


def _is_news(known: Entry | Try, event: Event) -> bool:
    return (_ORDER.index(event.state), event.bounce is not None) > (_ORDER.index(known.state), known.bounce is not None)


def _told(event: Event) -> dict[str, object]:
    return {"state": event.state, "message_id": event.message_id, "updated_at": event.at, "bounce": event.bounce}


def replacing(entry: Entry, found: Entry | None) -> Entry:
    """``entry`` as it takes the place of ``found``, which it remembers."""
    if found is None:
        return entry
    return entry.model_copy(update={"earlier": found.tries, "mailed_by": found.mailers, "revision": found.revision + 1})


def once_refused(entry: Entry, try_id: str, at: datetime) -> Entry | None:
    """What the ledger says once SES has refused the call of ``try_id`` for certain; None if it says so already.

    An earlier mail that went, or may have gone, is not forgotten because another, on an operator's word, was refused.
    """
    if entry.try_id == try_id:
        if entry.state != "SENDING":
            return None
        refused = entry.model_copy(update={"state": "REFUSED", "updated_at": at})
        return _given_back(refused, entry.mailed_by)
    earlier = tuple(each for each in entry.earlier if (each.try_id, each.state) != (try_id, "SENDING"))
    return None if earlier == entry.earlier else entry.model_copy(update={"earlier": earlier})


def _given_back(entry: Entry, mailed_by: tuple[str, ...]) -> Entry:
    """The last mail before ``entry``, which certainly did not go; ``entry`` itself if there was none."""
    if not entry.earlier:
        return entry
    *before, last = entry.earlier
    return Entry(
        report=entry.report,
        recipient=entry.recipient,
        **dict(last),
        earlier=tuple(before),
        mailed_by=mailed_by,
        revision=entry.revision,
    )


def _as_try(entry: Entry) -> Try:
    return Try.model_validate({name: getattr(entry, name) for name in Try.model_fields})


def begun(entries: Iterable[Entry]) -> bool:
    """Whether SES has accepted any mail of a report of which these are the entries.

    Then the report has begun to go out, and is finished, whatever an operator has said since: the other recipients get
    the version of its documents that was begun with, although another execution may have replaced them.
    """
    return any(each.state in _ACCEPTED for entry in entries for each in entry.tries)


def missing_recipients(recipients: Iterable[str], mails: Iterable[Mail]) -> tuple[str, ...]:
    """Those of ``recipients`` (addresses, or their fingerprints) to whom no mail of the report was ever tried.

    An address that SES has refused has an entry: a rerun is what mends that.
    """
    known = {mail.recipient for mail in mails}
    return tuple(each for each in recipients if (fingerprint(each) if "@" in each else each) not in known)


def standing(mail: Mail, *, now: datetime) -> Standing:
    """How one mail stands at ``now``."""
    age = abs(now - mail.updated_at)
    if mail.state in ("SENT", "DELAYED"):
        return "accepted" if age < CONFIRMED_WITHIN else "unconfirmed"
    if mail.state == "SENDING":
        return "underway" if age < UNDERWAY else "uncertain"
    return _SETTLED[mail.state]


def report_standing(mails: Iterable[Mail], *, now: datetime) -> Standing:
    """How a report stands of which these are the mails: as the worst of them, so delivered means every recipient."""
    return max((standing(mail, now=now) for mail in mails), key=_RANK.index, default="nothing")


def report_key(run: Run, client_id: str) -> str:
    """The ledger's name for a report: client, cadence, period, issue. A test run has a ledger of its own."""
    scope = f"test#{run.run_id}" if run.mode == "test" else "live"
    return report_name(client_id, run.cadence, periods.label(run.period), run.issue, scope)


def report_name(client_id: str, cadence: Cadence, period: str, issue: Issue, scope: str = "live") -> str:
    """The same of a report whose parts are known; ``period`` is its label."""
    return f"{client_id}#{cadence}#{period}#{issue}#{scope}"


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


def decide(entry: Entry | None, *, now: datetime, forced_by: str | None = None, again: bool = False) -> Decision:
    """What may happen to a mail whose ledger entry is ``entry``.

    ``forced_by`` is the id of a run for which an operator answers for a second mail. It overrules what other runs left,
    never what the same run did, so that a retry within it still mails once, whatever other runs have done meanwhile.
    A mail that another run forced within the last ten minutes is overruled only if the operator says ``again``, and one
    that is being forced at this moment is not overruled at all.
    """
    if entry is None or entry.state in UNSENT:
        return "send"
    overrules = forced_by is not None and forced_by not in entry.mailers
    if standing(entry, now=now) == "underway":
        return "repeated" if overrules and entry.reason is not None else "underway"
    if overrules:
        last = last_forced(entry)
        return "repeated" if last is not None and is_lately(last, now) and not again else "send"
    return "uncertain" if entry.state == "SENDING" else "already_sent"


def last_forced(entry: Entry) -> datetime | None:
    """When the last forced mail to the recipient began that went, or may have gone."""
    return max((each.began_at or each.updated_at for each in entry.tries if each.reason is not None), default=None)


def is_lately(forced: datetime, now: datetime) -> bool:
    """Whether a mail that was forced then keeps another one back that is forced without the word ``again``."""
    return abs(now - forced) < FORCED_AGAIN_AFTER
