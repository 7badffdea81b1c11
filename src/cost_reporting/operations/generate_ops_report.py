"""Generate Ops Report: read what is on record about a period and the one before, and count it."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Final

from cost_reporting import periods
from cost_reporting.clients import is_active
from cost_reporting.contracts import Cadence, Period
from cost_reporting.domain.report_status import ReportFacts
from cost_reporting.errors import CostReportingError, InvalidRequest
from cost_reporting.operations.report_facts import FIELDS, Row, facts_of_issue, issue_of_run
from cost_reporting.operations.worklists import read_worklist
from cost_reporting.ops_report import OpsReport, PeriodFacts, RunFacts, Stray, ops_report
from cost_reporting.outcomes import RunKept
from cost_reporting.store.clients import ClientStore
from cost_reporting.store.histories import Execution, ExecutionStore
from cost_reporting.store.ledger import LedgerStore
from cost_reporting.store.metrics import MetricStore
from cost_reporting.store.objects import ObjectStore
from cost_reporting.store.runs import RunStore

METRICS: Final = ("ReportsSent", "ClientsFailed", "PaidRequests")
Progress = Callable[[str, int, int], None]
"""Told what is being read, how much of it is done, and how much there is."""


def period_asked(cadence: Cadence, at: str | None, now: datetime) -> Period:
    """The period that ``at`` names (``2026-10``, ``2026-W42``) or holds (``2026-10-17``), or the last one that is over.

    Raises InvalidRequest naming the field if it is unreadable, of another cadence, or has not begun.
    """
    today = now.astimezone(UTC).date()
    if at is None:
        return periods.preceding(periods.period_holding(cadence, today), cadence)
    try:
        period = periods.period_holding(cadence, date.fromisoformat(at)) if len(at) == 10 else periods.parse(at)
    except (ValueError, OverflowError):
        raise InvalidRequest(f"at: {at!r} is neither a day like 2026-10-17, a month nor an ISO week") from None
    if periods.cadence_of(period) != cadence:
        raise InvalidRequest(f"at: {at} is not a period of a {cadence} report")
    if period.start > today:
        raise InvalidRequest(f"at: {periods.label(period)} has not begun")
    return period


def generate_ops_report(
    cadence: Cadence,
    period: Period,
    *,
    runs: RunStore,
    ledger: LedgerStore,
    clients: ClientStore,
    objects: ObjectStore,
    executions: ExecutionStore,
    metrics: MetricStore,
    now: Callable[[], datetime],
    progress: Progress,
) -> OpsReport:
    """The report about ``period``.

    What may not be read or does not answer is named in ``unknowns`` and left unknown, but for the runs themselves:
    without them there is no report, so that StoreRefused or StoreThrottled ends it.
    """

    rows: dict[str, Row] | None = None

    def facts(covered: Period) -> PeriodFacts:
        nonlocal rows
        unknowns: list[str] = []

        def tried[T](what: str, read: Callable[[], T]) -> T | None:
            try:
                return read()
            except CostReportingError as fault:
                unknowns.append(f"{what}: {fault}")
                return None

        start, end = _instants(covered)
        found = tried("Executions", lambda: list(executions.began(start, end)))
        known = {one.arn: one for one in found or ()}
        kept: list[RunKept] = []
        for listed in runs.listed(start, end):
            kept.append(runs.kept(listed))
            progress(f"runs of {periods.label(covered)}", len(kept), 0)
        run_facts = tuple(_run_facts(run, known, objects, unknowns) for run in kept)
        if covered == period:
            rows = tried("Clients", lambda: {str(row.get("client_id")): row for row in clients.rows(*FIELDS)})
        strays = None if found is None else tried("Executions", lambda: _strays(found, kept, executions))
        return PeriodFacts(
            period=covered,
            runs=run_facts,
            strays=strays,
            known=_known(
                kept,
                rows,
                runs=runs,
                ledger=ledger,
                objects=objects,
                progress=lambda done, all_of: progress(f"reports of {periods.label(covered)}", done, all_of),
            ),
            measured=tried("CloudWatch", lambda: metrics.sums(METRICS, covered)),
            active=None if rows is None or covered != period else _active(rows),
            unknowns=tuple(dict.fromkeys(unknowns)),
        )

    this, last = facts(period), facts(periods.preceding(period, cadence))
    return ops_report(this, last if last.runs else None, cadence=cadence, read_at=now())


def _instants(period: Period) -> tuple[datetime, datetime]:
    return datetime.combine(period.start, time(), UTC), datetime.combine(period.end, time(), UTC)


def _run_facts(run: RunKept, known: Mapping[str, Execution], objects: ObjectStore, unknowns: list[str]) -> RunFacts:
    recorded = {each.outcome.client_id for each in run.recorded}
    lacking: tuple[str, ...] = ()
    unnamed = max(0, run.listed.client_count - len(recorded))
    if unnamed:
        try:
            due = {each.client_id for each in read_worklist(objects, run.listed.run_id, 1)}
            lacking, unnamed = tuple(sorted(due - recorded)), 0
        except CostReportingError as fault:
            unknowns.append(f"Who lacks an outcome in {run.listed.run_id}: {fault}")
    execution = known.get(run.listed.execution_id)
    return RunFacts(kept=run, execution=execution.status if execution else None, lacking=lacking, unnamed=unnamed)


def _strays(found: Sequence[Execution], kept: Sequence[RunKept], executions: ExecutionStore) -> tuple[Stray, ...]:
    """Executions that began no run, with the error of those that failed."""
    ours = {run.listed.execution_id for run in kept}
    return tuple(
        Stray(
            name=one.name,
            status=one.status,
            started_at=one.started_at,
            error=executions.error(one.arn) if one.status not in ("SUCCEEDED", "RUNNING") else None,
        )
        for one in found
        if one.arn not in ours
    )


def _known(
    kept: Sequence[RunKept],
    rows: Mapping[str, Row] | None,
    *,
    runs: RunStore,
    ledger: LedgerStore,
    objects: ObjectStore,
    progress: Callable[[int, int], None],
) -> dict[str, ReportFacts]:
    """What is on record about the reports that live runs were to make, read issue by issue."""
    by_issue: defaultdict[str, list[RunKept]] = defaultdict(list)
    for run in kept:
        if run.listed.mode == "live":
            by_issue[issue_of_run(run.listed)].append(run)
    known: dict[str, ReportFacts] = {}
    for done, (issue, live) in enumerate(sorted(by_issue.items()), start=1):
        among = [run.listed for run in live]
        found = facts_of_issue(issue, rows, runs=runs, ledger=ledger, objects=objects, among=among)
        recorded = {each.outcome.client_id for run in live for each in run.recorded}
        for each in map(found.of, recorded | found.listed.keys()):
            known[each.report] = each
        progress(done, len(by_issue))
    return known


def _active(rows: Mapping[str, Row]) -> tuple[str, ...]:
    return tuple(sorted(client_id for client_id, row in rows.items() if is_active(row)))
