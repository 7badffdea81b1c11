"""Approve and reject: an operator's word about a report that waits for it."""

from collections.abc import Callable, Sequence
from datetime import datetime

from cost_reporting.approvals import SHOWN, Held, State, held_key, held_key_of
from cost_reporting.clients import Client
from cost_reporting.contracts import Amount, Cadence, Fact, Issue, Outcome, Run
from cost_reporting.errors import CostReportingError, InvalidRequest, NotHeld, StoreThrottled
from cost_reporting.operations.resend import named_period
from cost_reporting.operations.runs import Request
from cost_reporting.periods import issues_of, label
from cost_reporting.store.approvals import ApprovalStore
from cost_reporting.store.clients import ClientStore
from cost_reporting.store.runs import RunStore


class Waiting(Fact):
    """A report that a run holds, as an operator decides about it.

    ``total`` is None if the run does not say it, ``recipients`` if the client's record cannot be read. ``note`` says
    why the report will not be sent although it is approved.
    """

    held: Held
    total: Amount | None = None
    currency: str | None = None
    recipients: int | None = None
    note: str | None = None


class NotApproved(Fact):
    """A report that could not be approved, and why."""

    client_id: str
    error: str
    message: str
    remedy: str


class HeldByRun(Fact):
    """What a run holds: the reports that wait, or were approved and are not sent, and those that are others by now."""

    run: Run
    waiting: tuple[Waiting, ...]
    replaced: tuple[NotApproved, ...]


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


def held_by(run_id: str, *, runs: RunStore, approvals: ApprovalStore, clients: ClientStore) -> HeldByRun:
    """The reports that a run holds, by client, whether it was the first to hold these bytes or found them held.

    Raises InvalidRequest if there was no such run, NotHeld if it holds none.
    """
    begun = runs.begun(run_id)
    if begun is None:
        raise InvalidRequest(f"run_id: there was no run {run_id}")
    run, recorded = begun.run, runs.recorded(run_id)
    delivered = runs.delivered(run)
    waiting, replaced, decided = [], [], 0
    for held in approvals.of_issue(held_key(run)) if run.mode == "live" else ():
        kept = recorded.get(held.client_id)
        saw_it_held = kept is not None and kept.outcome.status == "HELD"
        if held.run_id != run_id and not saw_it_held:
            continue
        if held.run_id != run_id and kept is not None and held.at > kept.at:
            replaced.append(_not_approved(held.client_id, NotHeld(f"another PDF waits by now: run {held.run_id}")))
        elif held.state == "HELD" or (held.state == "APPROVED" and held.client_id not in delivered):
            waiting.append(_waiting(held, kept.outcome if kept else None, clients))
        else:
            decided += 1
    if not waiting and not replaced:
        raise NotHeld(f"{run_id}: {'all that it held is decided' if decided else 'it holds no report'}")
    return HeldByRun(run=run, waiting=tuple(waiting), replaced=tuple(replaced))


def approve_all(
    found: HeldByRun, *, by: str, reason: str | None, approvals: ApprovalStore, now: Callable[[], datetime]
) -> tuple[tuple[Held, ...], tuple[NotApproved, ...]]:
    """Approve what a run holds, report by report; one that cannot be approved keeps no other back.

    Returns those that are approved, and those that are not, ``replaced`` included. Saying it again finishes it.
    """
    done, refused = [], list(found.replaced)
    for each in found.waiting:
        try:
            done.append(approve(each.held, by=by, reason=reason, approvals=approvals, now=now))
        except CostReportingError as trouble:
            refused.append(_not_approved(each.held.client_id, trouble))
    return tuple(done), tuple(refused)


def request_for_all(run: Run, client_ids: Sequence[str]) -> Request:
    """The run that sends what was approved of ``run``: the same period and issue, for these clients, in one."""
    return {
        "cadence": run.cadence,
        "period": label(run.period),
        "scheduled_at": run.nominal_at.isoformat(),
        "client_ids": list(client_ids),
        "rerun_of": run.run_id,
    }


def _waiting(held: Held, outcome: Outcome | None, clients: ClientStore) -> Waiting:
    recipients, note = None, None
    try:
        client = clients.get(held.client_id)
        recipients, note = len(client.recipients), keeps_back(client)
    except CostReportingError as trouble:
        note = f"{trouble.name}: it is not sent"
    return Waiting(
        held=held,
        total=outcome.total if outcome else None,
        currency=outcome.currency if outcome else None,
        recipients=recipients,
        note=note,
    )


def keeps_back(client: Client) -> str | None:
    """Why an approved report of the client is not sent all the same, if it is not."""
    if client.status == "suspended":
        return "suspended: it is not sent until the client is active again and run again"
    return None if client.recipients else "no recipients: it is not sent"


def _not_approved(client_id: str, trouble: CostReportingError) -> NotApproved:
    return NotApproved(client_id=client_id, error=trouble.name, message=str(trouble), remedy=trouble.remedy)


def request_for(held: Held) -> Request:
    """The run that sends an approved report: the same period and issue, for its client alone."""
    _, cadence, period, *_ = held.report.split("#")
    return {
        "cadence": cadence,
        "period": period,
        "scheduled_at": held.nominal_at.isoformat(),
        "client_ids": [held.client_id],
        "rerun_of": held.run_id,
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
