"""Status: how the last runs ended, and what became of a client's reports."""

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime

from cost_reporting.approvals import Held, held_key_of
from cost_reporting.contracts import Cadence, Fact, Issue, Mode, Outcome, Period, Run
from cost_reporting.ledger import Entry, report_key
from cost_reporting.operations.runs import Progress, execution_of, progress_of, run_of
from cost_reporting.periods import issues_of, label, moment_of
from cost_reporting.store.approvals import ApprovalStore
from cost_reporting.store.executions import Execution, ExecutionStore
from cost_reporting.store.ledger import LedgerStore
from cost_reporting.store.runs import Delivered, RunStore


class RunStatus(Fact):
    """A run: its execution, what it was about, and its verdict in one line."""

    execution: Execution
    run: Run | None
    verdict: str


class ReportStatus(Fact):
    """A client's report: how the newest run that was about it ended for the client, and what the ledger knows.

    ``paid_requests`` are those of that run.
    """

    client_id: str
    cadence: Cadence
    period: str
    issue: Issue
    mode: Mode
    run_id: str | None
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
    counted = {name: output.get(name, 0) for name in ("sent", "held", "rejected", "left_out", "removed", "not_sent")}
    told = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counted.items() if count)
    return told or "nobody was due"


def one_run(run_id: str, *, executions: ExecutionStore, runs: RunStore, zone: ZoneInfo) -> Progress:
    """A run with how each client ended. Raises InvalidRequest if there was none such, or AWS keeps it no more."""
    return progress_of(execution_of(run_id, executions=executions, runs=runs), runs=runs, zone=zone)


def reports_of(
    client_id: str,
    *,
    executions: ExecutionStore,
    runs: RunStore,
    approvals: ApprovalStore,
    ledger: LedgerStore,
    zone: ZoneInfo,
    cadence: Cadence | None = None,
    period: tuple[Period, Cadence] | None = None,
    run_id: str | None = None,
    among: int = 50,
) -> Iterator[ReportStatus]:
    """The client's reports in the last ``among`` executions, the newest first; of ``period``, however old it is."""
    seen: set[str] = set()
    for execution in executions.recent(among):
        run = run_of(execution, zone)
        if run is None or not _fits(run, cadence, label(period[0]) if period else None, run_id):
            continue
        recorded = runs.recorded_of(run.run_id, client_id)
        if recorded is None or report_key(run, client_id) in seen:
            continue
        seen.add(report_key(run, client_id))
        yield _report(run, client_id, recorded.outcome, recorded.at, runs, approvals, ledger)
    if period is None or run_id is not None:
        return
    covered, kind = period
    for issue in issues_of(kind):
        run = _imagined(covered, kind, issue)
        if report_key(run, client_id) in seen:
            continue
        delivered = runs.delivered_at(kind, covered, issue, client_id)
        recorded = runs.recorded_of(delivered.run_id, client_id) if delivered else None
        found = _report(
            run,
            client_id,
            recorded.outcome if recorded else None,
            recorded.at if recorded else None,
            runs,
            approvals,
            ledger,
        )
        if delivered or found.held or found.mails:
            yield found.model_copy(update={"run_id": delivered.run_id if delivered else None})


def _imagined(period: Period, cadence: Cadence, issue: Issue) -> Run:
    """A run that names a report and has never been."""
    return Run(
        run_id="-", cadence=cadence, period=period, issue=issue, mode="live", nominal_at=moment_of(period, issue)
    )


def _report(
    run: Run,
    client_id: str,
    outcome: Outcome | None,
    at: datetime | None,
    runs: RunStore,
    approvals: ApprovalStore,
    ledger: LedgerStore,
) -> ReportStatus:
    live = run.mode == "live"
    return ReportStatus(
        client_id=client_id,
        cadence=run.cadence,
        period=label(run.period),
        issue=run.issue,
        mode=run.mode,
        run_id=run.run_id,
        outcome=outcome,
        at=at,
        delivered=runs.delivered_at(run.cadence, run.period, run.issue, client_id) if live else None,
        held=approvals.find(held_key_of(run.cadence, run.period, run.issue), client_id) if live else None,
        mails=ledger.of_report(report_key(run, client_id)) if run.mode != "dry_run" else (),
    )
