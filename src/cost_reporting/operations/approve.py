"""Approve and reject: an operator's word about a report that waits for it."""

from collections.abc import Callable
from datetime import datetime

from cost_reporting.approvals import SHOWN, Held, State, held_key_of
from cost_reporting.contracts import Cadence, Issue
from cost_reporting.errors import InvalidRequest, NotHeld, StoreThrottled
from cost_reporting.operations.resend import named_period
from cost_reporting.operations.runs import Request
from cost_reporting.periods import issues_of
from cost_reporting.store.approvals import ApprovalStore


def find_held(
    client_id: str,
    period: str,
    *,
    cadence: Cadence | None,
    issue: Issue | None,
    sha256: str | None,
    approvals: ApprovalStore,
) -> Held:
    """The held report that is meant, whatever has been decided about it; ``sha256`` is how its PDF's hash begins.

    Raises NotHeld if there is none such, InvalidRequest if two could be meant.
    """
    covered, kind = named_period(period, cadence)
    keys = [held_key_of(kind, covered, each) for each in ((issue,) if issue else issues_of(kind))]
    found = [each for each in (approvals.find(key, client_id) for key in keys) if each is not None]
    waiting = [each for each in found if each.state == "HELD"] or found
    which = f"{client_id}, {kind} {period}{f', {issue}' if issue else ''}"
    if not waiting:
        raise NotHeld(f"{which}: no report has ever been held")
    if len(waiting) > 1:
        raise InvalidRequest("issue: both the preliminary and the final report wait; say which is meant")
    (held,) = waiting
    if sha256 is not None and not held.pdf_sha256.startswith(sha256.casefold()):
        raise NotHeld(f"{which}: another PDF than the one that was meant: {held.pdf_sha256[:SHOWN]}…")
    return held


def approve(held: Held, *, by: str, reason: str | None, approvals: ApprovalStore, now: Callable[[], datetime]) -> Held:
    """Say that these very bytes may be sent. Saying it again changes nothing.

    Raises NotHeld if the report was rejected, or if another one waits by now.
    """
    decided = _decide(held, "APPROVED", by=by, reason=reason, approvals=approvals, now=now)
    approvals.count(decided)
    return decided


def reject(held: Held, *, by: str, reason: str, approvals: ApprovalStore, now: Callable[[], datetime]) -> Held:
    """Say that the report is never sent. Saying it again changes nothing.

    Raises NotHeld if it was approved, since it may be sent already, or if another one waits by now.
    """
    return _decide(held, "REJECTED", by=by, reason=reason, approvals=approvals, now=now)


def request_for(held: Held) -> Request:
    """The run that sends an approved report: the same period and issue, for its client alone."""
    _, cadence, period, *_ = held.report.split("#")
    return {
        "cadence": cadence,
        "period": period,
        "scheduled_at": held.nominal_at.isoformat(),
        "client_ids": [held.client_id],
    }


def _decide(
    held: Held,
    state: State,
    *,
    by: str,
    reason: str | None,
    approvals: ApprovalStore,
    now: Callable[[], datetime],
) -> Held:
    _, cadence, period, issue, _ = held.report.split("#", 4)
    key, which = f"{cadence}#{period}#{issue}", f"{held.client_id}, {cadence} {period}, {issue}"
    for _try in range(3):
        if held.state == state:
            return held
        if held.state != "HELD":
            told = f"{held.decided_at:%Y-%m-%d %H:%M} UTC" if held.decided_at else "some time"
            raise NotHeld(f"{which}: was {held.state.casefold()} at {told} by {held.by}: {held.reason or 'no reason'}")
        decided = approvals.decide(key, held, state, by=by, reason=reason, at=now())
        if decided is not None:
            return decided
        there = approvals.find(key, held.client_id)
        if there is None or there.pdf_sha256 != held.pdf_sha256:
            raise NotHeld(f"{which}: another PDF waits by now; look at it first")
        held = there
    raise StoreThrottled(f"{which}: others decide about it at this moment")
