"""Status: how the last runs ended, and how a client's reports stand."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime

from cost_reporting.approvals import Held, held_key_of
from cost_reporting.contracts import Cadence, Fact, Issue, Mode, Outcome, Period, Run
from cost_reporting.domain.report_status import Status, judge, with_outcome
from cost_reporting.errors import StoreRefused
from cost_reporting.ledger import Entry, report_key
from cost_reporting.operations.report_facts import Row, facts_of_report
from cost_reporting.operations.runs import Progress, execution_of, progress_of, run_of
from cost_reporting.operations.worklists import read_worklist
from cost_reporting.outcomes import OutcomeKept
from cost_reporting.periods import issues_of, label, moment_of, present_name
from cost_reporting.store.approvals import ApprovalStore
from cost_reporting.store.clients import ClientStore
from cost_reporting.store.executions import Execution, ExecutionStore
from cost_reporting.store.ledger import LedgerStore
from cost_reporting.store.objects import ObjectStore
from cost_reporting.store.runs import Delivered, RunStore

_COUNTS: Final = {
    "sent": "sent",
    "held": "held",
    "rejected": "closed",
    "left_out": "left out",
    "removed": "removed",
    "not_sent": "not sent",
}
"""Counts of a run's summary, and their words. What an operator rejects is closed; SES rejects mails."""


class RunStatus(Fact):
    """A run: its execution, what it was about, and its verdict in one line."""

    execution: Execution
    run: Run | None
    verdict: str


class ReportStatus(Fact):
    """A client's report: its status as the judge has it, and what that rests on.

    ``status``, ``detail``, ``remedy`` and ``error`` are those of :class:`~cost_reporting.domain.report_status.Judged`,
    as are ``unmailed`` recipients. ``outcome`` is how the newest run that was about it ended for the client.
    """

    client_id: str
    cadence: Cadence
    period: str
    issue: Issue
    mode: Mode
    run_id: str | None
    status: Status
    detail: str
    remedy: str
    error: str | None
    unmailed: tuple[str, ...]
    outcome: Outcome | None
    at: AwareDatetime | None
    delivered: Delivered | None
    held: Held | None
    mails: tuple[Entry, ...]


def last_runs(
    executions: ExecutionStore,
    zone: ZoneInfo,
    limit: int,
    *,
    cadence: Cadence | None = None,
    period: str | None = None,
    run_id: str | None = None,
    among: int = 200,
) -> Iterator[RunStatus]:
    """The newest runs first. With a filter, those of the last ``among`` executions that it fits."""
    wanted = cadence or period or run_id
    count = 0
    for execution in executions.recent(among if wanted else limit):
        run = run_of(execution, zone)
        if wanted and (run is None or not _fits(run, cadence, period, run_id)):
            continue
        yield RunStatus(execution=execution, run=run, verdict=verdict_of(execution))
        count += 1
        if count == limit:
            return


def _fits(run: Run, cadence: Cadence | None, period: str | None, run_id: str | None) -> bool:
    return cadence in (None, run.cadence) and period in (None, label(run.period)) and run_id in (None, run.run_id)


def verdict_of(execution: Execution) -> str:
    """How an execution ended, in one line."""
    output = execution.output or {}
    if not execution.ended:
        return "runs"
    if execution.status != "SUCCEEDED":
        said = (execution.said or "").splitlines()[:1]
        return ": ".join(filter(None, (execution.error or execution.status, *said)))
    if execution.double_of:
        return f"started twice: {execution.double_of.rpartition(':')[2]} does the work"
    if "client_count" not in output:
        return str(output.get("status", "done"))
    told = ", ".join(f"{output[name]} {word}" for name, word in _COUNTS.items() if output.get(name))
    return told or "no client was due"


def one_run(run_id: str, *, executions: ExecutionStore, runs: RunStore, zone: ZoneInfo) -> Progress:
    """A run with how each client ended. Raises InvalidRequest if there was none such, or AWS keeps it no more."""
    return progress_of(execution_of(run_id, executions=executions, runs=runs), runs=runs, zone=zone)


def reports_of(
    client_id: str,
    *,
    executions: ExecutionStore,
    runs: RunStore,
    clients: ClientStore,
    objects: ObjectStore,
    approvals: ApprovalStore,
    ledger: LedgerStore,
    zone: ZoneInfo,
    now: datetime,
    cadence: Cadence | None = None,
    period: tuple[Period, Cadence] | None = None,
    run_id: str | None = None,
    among: int = 50,
) -> Iterator[ReportStatus]:
    """The client's reports in the last ``among`` executions, the newest first; of ``period``, however old it is."""
    row = clients.find(client_id) or {}

    def report(run: Run, end: OutcomeKept | None, began: datetime | None) -> ReportStatus:
        return _report(run, client_id, row, end, began, now, runs=runs, approvals=approvals, ledger=ledger)

    seen: set[str] = set()
    for execution in executions.recent(among):
        run = run_of(execution, zone)
        if run is None or not _fits(run, cadence, label(period[0]) if period else None, run_id):
            continue
        name = present_name(report_key(run, client_id))
        if name in seen:
            continue
        end = runs.recorded_of(run.run_id, client_id)
        if end is None and not _has_listed(run, client_id, runs, objects):
            continue
        seen.add(name)
        yield report(run, end, execution.started_at)
    if period is None or run_id is not None:
        return
    covered, kind = period
    for issue in issues_of(kind):
        run = _imagined(covered, kind, issue)
        if report_key(run, client_id) in seen:
            continue
        delivered = runs.delivered_at(kind, covered, issue, client_id)
        end = runs.recorded_of(delivered.run_id, client_id) if delivered else None
        found = report(run, end, None)
        if delivered or found.held or found.mails or found.error:
            yield found.model_copy(update={"run_id": delivered.run_id if delivered else None})


def _has_listed(run: Run, client_id: str, runs: RunStore, objects: ObjectStore) -> bool:
    """Whether ``run``, which has no outcome of the client, has listed it. A list that is gone tells nothing."""
    if runs.begun(run.run_id) is None:
        return False
    try:
        return any(due.client_id == client_id for due in read_worklist(objects, run.run_id, 1))
    except StoreRefused:
        return False


def _imagined(period: Period, cadence: Cadence, issue: Issue) -> Run:
    """A run that names a report and has never been."""
    return Run(
        run_id="-", cadence=cadence, period=period, issue=issue, mode="live", nominal_at=moment_of(period, issue)
    )


def _report(
    run: Run,
    client_id: str,
    row: Row,
    end: OutcomeKept | None,
    began: datetime | None,
    now: datetime,
    *,
    runs: RunStore,
    approvals: ApprovalStore,
    ledger: LedgerStore,
) -> ReportStatus:
    live = run.mode == "live"
    mails = ledger.of_report(report_key(run, client_id)) if run.mode != "dry_run" else ()
    facts = facts_of_report(run, client_id, row, mails, runs=runs, began=began)
    if end is not None:
        facts = with_outcome(facts, end.outcome, run_id=run.run_id, at=end.at)
    judged = judge(facts, now=now)
    return ReportStatus(
        client_id=client_id,
        cadence=run.cadence,
        period=label(run.period),
        issue=run.issue,
        mode=run.mode,
        run_id=run.run_id,
        status=judged.status,
        detail=judged.detail,
        remedy=judged.remedy,
        error=judged.error,
        unmailed=judged.unmailed,
        outcome=None if end is None else end.outcome,
        at=None if end is None else end.at,
        delivered=runs.delivered_at(run.cadence, run.period, run.issue, client_id) if live else None,
        held=approvals.find(held_key_of(run.cadence, run.period, run.issue), client_id) if live else None,
        mails=mails,
    )
