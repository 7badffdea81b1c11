"""The one judge of a client's report: from everything that is on record about it to one status, reason and remedy.

Everything that is known about a client's report is a :class:`ReportFacts`; :func:`judge` puts it into exactly one
:data:`Status`. Roll-up, alarm, operations report, ``report.py status`` and the local index page all ask here, so none
of them can say otherwise than another. Whatever is not certainly well has a status of its own.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final, Literal, get_args

from pydantic import AwareDatetime

from cost_reporting.contracts import Fact, Outcome
from cost_reporting.errors import DeliveryUncertain, remedy_of
from cost_reporting.ledger import Mail, Standing, missing_recipients, report_standing, standing

Status = Literal[
    "missing",
    "failed",
    "uncertain",
    "undecided",
    "bounced",
    "rejected_by_ses",
    "complained",
    "unconfirmed",
    "held",
    "not_included",
    "closed",
    "left_out",
    "removed",
    "not_sent",
    "underway",
    "accepted",
    "delivered",
]
"""How a client's report stands, in the order in which it wants attention; :data:`NAMES` has each in words.

``missing``: nothing is known of it. ``failed``: its part of a run ended with an error. ``uncertain``: SES may or may
not have accepted a mail. ``undecided``: held for more than a day without an operator's decision. ``bounced``,
``rejected_by_ses``, ``complained``: what SES has said of a mail since. ``unconfirmed``: accepted, and SES has said no
more for a day. ``held``: waits for an approval. ``not_included``: due now, but no run was to make it. ``closed``: an
operator has rejected it. ``left_out``: its client is suspended. ``removed``: its client has no record any more.
``not_sent``: a dry run, which mails nothing. ``underway``: a run is at work on it. ``accepted``: SES has every mail.
``delivered``: every recipient has it.
"""
STATUSES: Final[tuple[Status, ...]] = get_args(Status)
NAMES: Final[dict[Status, str]] = {
    "missing": "Missing",
    "failed": "Failed",
    "uncertain": "Uncertain: may or may not have been sent",
    "undecided": "Held for more than a day without a decision",
    "bounced": "Bounced",
    "rejected_by_ses": "Rejected by SES",
    "complained": "Marked as spam",
    "unconfirmed": "Accepted a day ago, delivery unconfirmed",
    "held": "Held for approval",
    "not_included": "Not included in the run",
    "closed": "Closed: an operator has rejected it",
    "left_out": "Left out: client suspended",
    "removed": "Client removed",
    "not_sent": "Not sent: dry run",
    "underway": "Underway",
    "accepted": "Accepted, not yet delivered",
    "delivered": "Delivered to every recipient",
}
MISSING: Final = frozenset[Status]({"missing", "failed", "uncertain", "undecided"})
"""The client has no report, as far as is known. The metric MissingReports counts these."""
UNDELIVERED: Final = frozenset[Status]({"bounced", "rejected_by_ses"})
"""SES took the report and could not deliver it to a recipient. The metric ReportsBounced counts these."""
SENT: Final = UNDELIVERED | frozenset[Status]({"complained", "unconfirmed", "accepted", "delivered"})
"""SES has accepted the report for every recipient."""
CALM: Final = frozenset[Status]({"delivered", "accepted", "underway", "left_out", "removed", "closed", "not_sent"})
"""No operator has to do anything."""

RUN_TAKES: Final = timedelta(hours=9)
"""How long a run may be at work on a client of its list: twice what 10,000 clients take, and its waits for figures."""
LATE_FOR: Final = timedelta(hours=12)
"""How long after a look that came too early the run may still look again: its waits, and the passes between them."""
DECIDED_WITHIN: Final = timedelta(hours=24)
"""How long a report may wait for an operator's decision before it counts as missing."""

_ACCEPTED: Final = frozenset({"SENT", "DELAYED", "DELIVERED", "BOUNCED", "COMPLAINED", "REJECTED"})
_STATUS_OF: Final[dict[Standing, Status]] = {
    "delivered": "delivered",
    "accepted": "accepted",
    "unconfirmed": "unconfirmed",
    "underway": "underway",
    "complained": "complained",
    "bounced": "bounced",
    "rejected": "rejected_by_ses",
    "refused": "failed",
    "uncertain": "uncertain",
    "nothing": "missing",
}
"""Each standing of mails as a status. Of SES a mail is rejected; what an operator rejects is closed."""
_REMEDIES: Final[dict[Status, str]] = {
    "uncertain": DeliveryUncertain.remedy,
    "bounced": "Correct the address in the client's record, then run the client again with force_send and a reason.",
    "rejected_by_ses": "SES found something wrong with the message itself: look at the report, then run the client "
    "again.",
    "complained": "A recipient marked the mail as spam: ask the client who wants it, and correct the record.",
    "unconfirmed": "Ask the recipient; see whether SES's events arrive (queue of lost delivery events, event rule).",
    "not_included": "Nothing is lost: it gets the next one. Run the client by its id if it should have this one too.",
}
_NEVER_STARTED: Final = "Start the run by hand with this cadence; then find out why its schedule did not."
_NO_OUTCOME: Final = "Look at the run's execution; redrive it, or run the client again by its id."
_RUN_AGAIN: Final = "Run the client again by its id: it mails only the recipients that have no mail of this report."
_UNSURE: Final = frozenset({"DeliveryUncertain", "DeliveryUnderway"})
"""Errors about a mail of which the ledger may have heard since."""

ClientState = Literal["active", "suspended", "removed", "unknown"]
"""What the table of clients says about a client; ``unknown`` if it could not be read."""
EndedAs = Literal["FAILED", "LATE", "LEFT_OUT", "REMOVED"]
"""Outcomes with no word of a mail or of an approval, which have records of their own."""


def short_name(status: Status) -> str:
    """A status in as few words as it has."""
    return status.replace("_", " ").capitalize().replace(" ses", " SES")


class Mark(Fact):
    """The mark that SES has accepted a client's report for so many recipients."""

    recipients: int
    at: AwareDatetime


class Hold(Fact):
    """That a report was held, since when, and when it was decided. ``state``: HELD, APPROVED or REJECTED."""

    state: str
    at: AwareDatetime | None = None
    decided_at: AwareDatetime | None = None


class Ended(Fact):
    """How a client's part of a run ended, last, without a report. Before LATE was an outcome, it always FAILED."""

    status: EndedAs = "FAILED"
    error: str | None = None
    stage: str | None = None
    message: str | None = None
    remedy: str | None = None
    run_id: str
    at: AwareDatetime


class ReportFacts(Fact):
    """All that is on record about a client's report. ``report`` is its name in the ledger.

    ``name`` and ``recipients`` (fingerprints) are what the client's record says, if it can be read. ``listed``: when
    the last run that listed the client began; ``fired``: some run for all clients has listed its clients. ``mails`` are
    the report's entries in the ledger. ``dry_run``: the run that it is of mails nothing.
    """

    client_id: str
    report: str
    name: str | None = None
    recipients: frozenset[str] = frozenset()
    client: ClientState = "active"
    listed: AwareDatetime | None = None
    fired: bool = True
    mark: Mark | None = None
    mails: tuple[Mail, ...] = ()
    hold: Hold | None = None
    ended: Ended | None = None
    dry_run: bool = False

    @property
    def options(self) -> str:
        """The options of ``report.py`` that name this report."""
        _, cadence, period, issue, *_ = self.report.split("#")
        named = f"--client-id {self.client_id} --period {period} --cadence {cadence}"
        return named if cadence == "weekly" else f"{named} --issue {issue}"


class Judged(Fact):
    """How a client's report stands, why, and what an operator can do about it.

    ``error`` is the class name of the error behind it, if there is one. ``unmailed`` are recipients of the record to
    whom no mail of this report was ever tried, although it was sent: they were added since.
    """

    client_id: str
    name: str | None = None
    status: Status
    detail: str = ""
    remedy: str = ""
    error: str | None = None
    unmailed: tuple[str, ...] = ()

    @property
    def is_calm(self) -> bool:
        """Whether no operator has to do anything, nor may want to."""
        return self.status in CALM and not self.unmailed


class _Said(Fact):
    status: Status
    detail: str = ""
    remedy: str = ""
    error: str | None = None


def judge(facts: ReportFacts, *, now: datetime) -> Judged:
    """The one status of a client's report at ``now``."""
    said = (
        _of_dry_run(facts)
        or _of_mark(facts, now)
        or _of_complete_mails(facts, now)
        or _of_operators(facts)
        or _of_uncertain_mails(facts, now)
        or _of_hold(facts, now)
        or _of_end(facts, now)
        or _of_listing(facts, now)
    )
    unmailed = _unmailed(facts) if said.status in SENT else ()
    resend = f"Mail it to them: `scripts/report.py resend --missing {facts.options}`." if unmailed else ""
    return Judged(
        client_id=facts.client_id,
        name=facts.name,
        status=said.status,
        detail="; ".join(filter(None, (said.detail, _unmailed_words(unmailed)))),
        remedy=" ".join(filter(None, (said.remedy or _REMEDIES.get(said.status, ""), resend))),
        error=said.error,
        unmailed=unmailed,
    )


def with_outcome(facts: ReportFacts, outcome: Outcome, *, run_id: str, at: datetime) -> ReportFacts:
    """``facts``, and what a run has recorded about the client. An older outcome than the one that is known is past."""
    changes: dict[str, Any] = {}
    match outcome.status:
        case "NOT_SENT":
            changes = {"dry_run": True}
        case "SENT":
            if facts.mark is None:
                changes = {"mark": Mark(recipients=outcome.recipients, at=at)}
        case "HELD" | "REJECTED":
            if facts.hold is None:
                changes = {"hold": Hold(state=outcome.status, at=at)}
        case "FAILED" | "LATE" | "LEFT_OUT" | "REMOVED":
            if facts.ended is None or facts.ended.at < at:
                told = outcome.model_dump(include={"status", "error", "stage", "message", "remedy"})
                changes = {"ended": Ended.model_validate(told | {"run_id": run_id, "at": at})}
    return facts.model_copy(update=changes)


def _of_dry_run(facts: ReportFacts) -> _Said | None:
    return _Said(status="not_sent") if facts.dry_run else None


def _of_mark(facts: ReportFacts, now: datetime) -> _Said | None:
    """A marked report was accepted for every recipient. Mails to addresses that the record no longer has are past."""
    if facts.mark is None:
        return None
    mails = _current(facts) or list(facts.mails)
    if len(facts.mails) < facts.mark.recipients or not mails:
        mails.append(Mail(report=facts.report, recipient="unknown!", state="SENT", updated_at=facts.mark.at))
    return _as_mails_stand(mails, now)


def _of_complete_mails(facts: ReportFacts, now: datetime) -> _Said | None:
    """SES's own word: every recipient's mail was accepted, though the run did not hear of it, or was cut off."""
    mails = _current(facts)
    accepted = {mail.recipient for mail in mails if mail.state in _ACCEPTED}
    return _as_mails_stand(mails, now) if facts.recipients and accepted == facts.recipients else None


def _of_operators(facts: ReportFacts) -> _Said | None:
    """What an operator has decided: this report is closed, or its client gets none."""
    if facts.hold is not None and facts.hold.state == "REJECTED":
        return _Said(status="closed")
    if facts.client == "removed":
        return _Said(status="removed")
    return _Said(status="left_out") if facts.client == "suspended" else None


def _of_uncertain_mails(facts: ReportFacts, now: datetime) -> _Said | None:
    if any(standing(mail, now=now) == "uncertain" for mail in facts.mails):
        return _as_mails_stand([mail for mail in facts.mails if standing(mail, now=now) == "uncertain"], now)
    return None


def _of_hold(facts: ReportFacts, now: datetime) -> _Said | None:
    hold, ended = facts.hold, facts.ended
    if hold is None:
        return None
    approve = f"`scripts/report.py approve {facts.options}`"
    if hold.state == "HELD":
        since = f"since {hold.at:%Y-%m-%d %H:%M} UTC" if hold.at else ""
        remedy = f"Look at the report, then {approve}, or `reject` with the same options and a --reason."
        late = hold.at is not None and now - hold.at >= DECIDED_WITHIN
        return _Said(status="undecided" if late else "held", detail=since, remedy=remedy)
    decided = hold.decided_at or hold.at
    if hold.state != "APPROVED" or decided is None or (ended is not None and ended.at > decided):
        return None
    if now - decided < RUN_TAKES:
        return _Said(status="underway", detail="approved")
    said = f"approved at {decided:%Y-%m-%d %H:%M} UTC, and no run has sent it"
    return _Said(status="missing", detail=said, remedy=f"Approve it again, which starts the run: {approve}.")


def _of_end(facts: ReportFacts, now: datetime) -> _Said | None:
    ended = facts.ended
    if ended is None:
        return None
    if ended.status in ("LEFT_OUT", "REMOVED"):
        was = "suspended" if ended.status == "LEFT_OUT" else "removed"
        return _Said(status="not_included", detail=f"its client was {was} during the run, and is active now")
    if ended.status == "LATE" and now - ended.at < LATE_FOR:
        return _Said(status="underway", detail="its figures were not there yet, and the run looks again")
    where = f"{ended.error} at {ended.stage}" if ended.stage else ended.error or "no error is on record"
    detail = f"{where}: {ended.message or ''}".rstrip(": ")
    error = ended.error or "NoOutcome"
    if ended.status == "LATE":
        return _Said(status="failed", detail=f"{detail}; the run has not looked again", remedy=_NO_OUTCOME, error=error)
    if error in _UNSURE and not any(standing(mail, now=now) == "underway" for mail in facts.mails):
        return _Said(status="failed", detail=f"{detail}; {_mailed(facts)}", remedy=_RUN_AGAIN, error=error)
    return _Said(status="failed", detail=detail, remedy=ended.remedy or remedy_of(error), error=error)


def _of_listing(facts: ReportFacts, now: datetime) -> _Said:
    if facts.listed is not None and now - facts.listed < RUN_TAKES:
        return _Said(status="underway")
    if facts.listed is not None:
        some = f"; {_mailed(facts)}" if facts.mails else ""
        said = f"a run listed the client, and left no outcome{some}"
        return _Said(status="missing", detail=said, remedy=_NO_OUTCOME, error="NoOutcome")
    if facts.fired:
        return _Said(status="not_included", detail="added or resumed since the run, or due only since")
    return _Said(status="missing", detail="no run for all clients was started", remedy=_NEVER_STARTED)


def _as_mails_stand(mails: Iterable[Mail], now: datetime) -> _Said:
    mails = tuple(mails)
    stands = report_standing(mails, now=now)
    which = ", ".join(sorted(mail.recipient for mail in mails if standing(mail, now=now) == stands))
    if stands == "refused":
        return _Said(
            status="failed",
            detail=f"SES refused a further mail to {which}",
            remedy=remedy_of("DeliveryRejected"),
            error="DeliveryRejected",
        )
    status = _STATUS_OF[stands]
    return _Said(
        status=status,
        detail="" if status in CALM else f"recipient {which}",
        error="DeliveryUncertain" if status == "uncertain" else None,
    )


def _current(facts: ReportFacts) -> list[Mail]:
    return [mail for mail in facts.mails if mail.recipient in facts.recipients]


def _mailed(facts: ReportFacts) -> str:
    mails = _current(facts) if facts.recipients else facts.mails
    mailed = len({mail.recipient for mail in mails if mail.state in _ACCEPTED})
    return f"{mailed} of {len(facts.recipients) or len(facts.mails)} recipients were mailed"


def _unmailed(facts: ReportFacts) -> tuple[str, ...]:
    """Recipients of the record without an entry. As long as the ledger lacks a mail of the mark, that is not known."""
    if facts.mark is None or len(facts.mails) < facts.mark.recipients:
        return ()
    return tuple(sorted(missing_recipients(facts.recipients, facts.mails)))


def _unmailed_words(unmailed: tuple[str, ...]) -> str:
    if not unmailed:
        return ""
    has = "1 recipient of the record has" if len(unmailed) == 1 else f"{len(unmailed)} recipients of the record have"
    return f"{has} no mail of this report: {', '.join(unmailed)}"
