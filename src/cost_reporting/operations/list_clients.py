"""List Clients: from what was asked to the worklist of a run."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from cost_reporting import periods
from cost_reporting.clients import UNREADABLE, faults, is_due, said
from cost_reporting.contracts import (
    Cadence,
    ClientDue,
    ForceSend,
    Mode,
    Period,
    Run,
    RunAsked,
    RunRequest,
    StartedTwice,
    Worklist,
)
from cost_reporting.domain.account_binding import contests
from cost_reporting.domain.recipients import PARAMETER, outside
from cost_reporting.errors import InvalidRequest
from cost_reporting.ledger import fingerprint, issue_key
from cost_reporting.operations.addressees import write_addressees
from cost_reporting.operations.hold import approval_is_due
from cost_reporting.operations.owned_accounts import FIELDS, claims_of
from cost_reporting.operations.worklists import write_worklist
from cost_reporting.store.accounts import AccountStore
from cost_reporting.store.approvals import ApprovalStore
from cost_reporting.store.clients import ClientStore
from cost_reporting.store.executions import ExecutionStore
from cost_reporting.store.objects import ObjectStore
from cost_reporting.store.runs import RunStore

CLOCK_SKEW: Final = timedelta(hours=1)
"""How far ahead of the execution's start its nominal time may lie."""


def list_clients(
    asked: RunAsked,
    *,
    zone: ZoneInfo,
    test_domains: frozenset[str],
    concurrent_clients: int,
    looks: int,
    clients: ClientStore,
    accounts: AccountStore,
    runs: RunStore,
    approvals: ApprovalStore,
    objects: ObjectStore,
    executions: ExecutionStore,
) -> Worklist | StartedTwice:
    """Judge the request, work out the period, and write down who is due.

    Clients that have this report already are left out, unless the request is for a test, or forces a second mail.
    A live run for all clients is written down as such, so that the watch knows whom it was for, however it ends. If it
    was started for a moment of a schedule that another execution is still working on, it ends as StartedTwice.

    ``looks``: so often a run looks again at clients whose figures are not there yet; a test report never does, since
    its operator waits for the answer.

    Two clients whose records lead to the same AWS account are listed with each other's names, be they both in this run
    or not: Fetch Costs then refuses each.
    Raises InvalidRequest naming the field that makes no sense, before any client is touched.
    """
    request, run = what_is_asked(asked, zone)
    for_all = _wanted(request) is None and run.mode == "live"
    if for_all and request.scheduled_at is not None:
        first = _at_work(run, request.scheduled_at, asked.execution_id, runs=runs, executions=executions)
        if first is not None:
            return StartedTwice(run=run, double_of=first)
    rows = list(clients.rows(*FIELDS))
    due = who_is_due(request, run, rows, runs=runs)
    require_allowed(request, run, test_domains, clients=clients, approvals=approvals)
    if request.recipients is not None:
        stored = write_addressees(objects, run, request.recipients)
        run = run.model_copy(update={"test_recipients": stored})
    contested = contests(claims_of(rows, accounts))
    last_look = looks == 0 or run.mode == "test"
    lines = (
        ClientDue(
            run=run,
            client_id=client_id,
            last_look=last_look,
            contested_by=tuple(each.other for each in contested.get(client_id, ())),
        )
        for client_id in due
    )
    worklist = write_worklist(objects, run, 1, lines, concurrent_clients=concurrent_clients)
    runs.begin(worklist, asked.execution_id, asked.started_at, client_ids=due)
    if for_all:
        runs.expect(worklist, asked.started_at)
    return worklist


def _at_work(
    run: Run, moment: datetime, execution_id: str, *, runs: RunStore, executions: ExecutionStore
) -> str | None:
    """Another execution that works on this moment of a schedule, or None: then the moment is ours.

    EventBridge Scheduler delivers at least once (User Guide, "Managing a schedule"), and an execution's name cannot
    make a moment unique: names hold no colon, and the scheduler's execution id differs by attempt. An execution that
    has ended works on nothing: the same input, started again, works off the clients that have no report.
    """
    issue = issue_key(run)
    first = runs.claim(issue, moment, execution_id)
    while first != execution_id:
        if executions.under_way(first):
            return first
        first = runs.take_over(issue, moment, execution_id, ended=first)
    return None


def who_is_due(request: RunRequest, run: Run, rows: Iterable[Mapping[str, Any]], *, runs: RunStore) -> list[str]:
    """The ids of the clients of a run, in order. Raises InvalidRequest naming those that there are not.

    A rerun may name clients that were removed since: they end as REMOVED, and the others get their reports.
    """
    wanted, rows = _wanted(request), list(rows)
    known = {str(row.get("client_id")) for row in rows}
    if wanted is not None and request.rerun_of is None and (unknown := sorted(wanted - known)):
        raise InvalidRequest(f"{_who_field(request)}: no such client: {', '.join(unknown[:20])}")
    due = (
        wanted
        if wanted is not None
        else {str(row.get("client_id")) for row in rows if is_due(row, run.cadence, run.issue)}
    )
    if run.mode != "test" and run.force_send is None:
        due = due - runs.delivered(run)
    return sorted(due)


def require_allowed(
    request: RunRequest, run: Run, test_domains: frozenset[str], *, clients: ClientStore, approvals: ApprovalStore
) -> None:
    """Refuse a test report to addresses that the operators do not answer for.

    Allowed are ``test_domains``, and the client's own recipients once no approval is due for it.
    Raises InvalidRequest naming the field and the parameter, and no address.
    """
    foreign = dict(outside(request.recipients or (), test_domains))
    if not foreign:
        return
    row = next(
        (row for row in clients.rows("recipients", "approve_first") if row.get("client_id") == request.client_id), {}
    )
    listed = said(row, "recipients")
    own = set() if listed is UNREADABLE else {each.casefold() for each in listed}
    strangers = [at for at, to in foreign.items() if to.casefold() not in own]
    allowed = ", ".join(sorted(test_domains))
    if strangers:
        raise InvalidRequest(
            f"{_places(strangers)}: outside of the domains for test reports ({allowed}), and no recipient of the "
            f"client. Name an address in these domains, or deploy with another {PARAMETER}"
        )
    first = said(row, "approve_first")
    if first is UNREADABLE or approval_is_due(run, str(request.client_id), first, approvals):
        raise InvalidRequest(
            f"{_places(list(foreign))}: a recipient of the client, whose report still waits for an approval. "
            f"Approve it first, or name an address in {allowed}"
        )


def what_is_asked(asked: RunAsked, zone: ZoneInfo) -> tuple[RunRequest, Run]:
    """The request and the run that it means. Raises InvalidRequest naming the field that makes no sense."""
    request = _parse(asked)
    return request, _run(asked, request, zone)


def _parse(asked: RunAsked) -> RunRequest:
    try:
        request = RunRequest.model_validate(asked.request)
    except ValidationError as invalid:
        raise InvalidRequest(faults(invalid)) from None
    for problem in _contradictions(request):
        raise InvalidRequest(problem)
    if request.scheduled_at is not None and request.scheduled_at > asked.started_at + CLOCK_SKEW:
        raise InvalidRequest(f"scheduled_at: {request.scheduled_at.isoformat()} is in the future")
    return request


def _contradictions(request: RunRequest) -> Iterator[str]:
    if request.cadence is None and not request.test_report:
        yield "cadence: say weekly or monthly"
    if request.test_report and request.client_id is None:
        yield "client_id: a test report needs the id of its client"
    if not request.test_report and request.client_id is not None:
        yield "client_id: goes with test_report; name the clients of a real run in client_ids"
    if not request.test_report and request.recipients is not None:
        yield "recipients: go with test_report only; a real report goes to the client's own recipients"
    if request.test_report and request.client_ids is not None:
        yield "client_ids: a test report is for the one client in client_id"
    if request.test_report and (request.dry_run or request.force_send):
        yield f"{'dry_run' if request.dry_run else 'force_send'}: makes no sense with test_report"
    if request.rerun_of and _wanted(request) is None:
        yield "rerun_of: goes with client_ids, the clients of that run"
    if request.dry_run and request.force_send:
        yield "force_send: makes no sense with dry_run"
    if request.force_send and request.client_ids is None:
        yield "force_send: name the clients in client_ids; nobody mails everybody twice"
    if request.force_send:
        yield from _contradictions_of_force(request, request.force_send)


def _contradictions_of_force(request: RunRequest, force: ForceSend) -> Iterator[str]:
    if force.pdf_sha256 and len(request.client_ids or ()) != 1:
        yield "force_send.pdf_sha256: is the report of one client; name it, and nobody else, in client_ids"
    if force.missing and not force.pdf_sha256:
        yield "force_send.missing: is about the stored report; name its PDF in force_send.pdf_sha256"
    if force.missing and force.again:
        yield "force_send.again: makes no sense with force_send.missing, which mails nobody twice"
    if force.pdf_sha256 and request.refresh:
        yield "refresh: makes no sense with force_send.pdf_sha256, which takes what is stored"


def _run(asked: RunAsked, request: RunRequest, zone: ZoneInfo) -> Run:
    cadence = request.cadence or "monthly"
    nominal_at = request.scheduled_at or asked.started_at
    try:
        latest = periods.last_complete(cadence, nominal_at, zone)
    except OverflowError:
        raise InvalidRequest(f"scheduled_at: no period ends before {nominal_at.isoformat()}") from None
    period = _named_period(request, cadence) or latest
    if period.end > latest.end:
        raise InvalidRequest(
            f"period: {period.start} to {period.end} is not over yet; the last one that is: {periods.label(latest)}"
        )
    issue = periods.issue_at(period, nominal_at, zone)
    mode: Mode = "test" if request.test_report else "dry_run" if request.dry_run else "live"
    short = fingerprint(asked.execution_id)[:8]
    # The id of an execution's run is worked out by each version anew, and never changes: so it goes on to say of a
    # weekly run, too, whether the bill was closed.
    closed = "final" if periods.closed_at(period, nominal_at, zone) else "preliminary"
    parts = (cadence, periods.label(period), closed, *((mode,) if mode != "live" else ()), short)
    return Run(
        run_id="-".join(parts),
        cadence=cadence,
        period=period,
        issue=issue,
        mode=mode,
        nominal_at=nominal_at,
        force_send=request.force_send,
        refresh=request.refresh,
        rerun_of=request.rerun_of,
        named=_wanted(request) is not None and request.rerun_of is None,
    )


def _named_period(request: RunRequest, cadence: Cadence) -> Period | None:
    if request.period is None:
        return None
    try:
        period = periods.parse(request.period) if isinstance(request.period, str) else request.period
        fits = periods.cadence_of(period) == cadence
    except (ValueError, OverflowError) as unreadable:
        raise InvalidRequest(f"period: {unreadable}") from None
    if not fits:
        kind = "a calendar month" if cadence == "monthly" else "an ISO week, Monday to Monday"
        raise InvalidRequest(f"period: {period.start} to {period.end} (exclusive) is not {kind}: cadence is {cadence}")
    return period


def _places(places: list[int]) -> str:
    return ", ".join(f"recipients.{at}" for at in places)


def _wanted(request: RunRequest) -> frozenset[str] | None:
    if request.client_id is not None:
        return frozenset({request.client_id})
    return None if request.client_ids is None else frozenset(request.client_ids)


def _who_field(request: RunRequest) -> str:
    return "client_id" if request.client_id is not None else "client_ids"
