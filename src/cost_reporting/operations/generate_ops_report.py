"""Generate Ops Report: read what is on record about a period and the one before, and count it."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Final

from cost_reporting import periods
from cost_reporting.clients import is_active
from cost_reporting.contracts import Cadence, Period
from cost_reporting.errors import CostReportingError, InvalidRequest
from cost_reporting.ledger import State
from cost_reporting.operations.worklists import read_worklist
from cost_reporting.ops_report import OpsReport, PeriodFacts, RunFacts, Stray, ledger_key, ops_report
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

    def facts(covered: Period) -> PeriodFacts:
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
        strays = None if found is None else tried("Executions", lambda: _strays(found, kept, executions))
        return PeriodFacts(
            period=covered,
            runs=run_facts,
            strays=strays,
            mails=_mails(kept, ledger, lambda done: progress(f"mails of {periods.label(covered)}", done, 0)),
            measured=tried("CloudWatch", lambda: metrics.sums(METRICS, covered)),
            active=tried("Clients", lambda: _active(clients)) if covered == period else None,
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


def _mails(
    kept: Sequence[RunKept], ledger: LedgerStore, progress: Callable[[int], None]
) -> dict[str, tuple[State, ...]]:
    """The states of the mails of each report that live runs told of, read issue by issue."""
    live = [run for run in kept if run.listed.mode == "live"]
    reports = {ledger_key(run, each.outcome.client_id) for run in live for each in run.recorded}
    mails: defaultdict[str, list[State]] = defaultdict(list)
    read = 0
    for issue in sorted({f"{run.listed.cadence}#{run.listed.period}#{run.listed.issue}" for run in live}):
        for mail in ledger.of_issue(issue):
            read += 1
            if mail.report in reports:
                mails[mail.report].append(mail.state)
            if read % 500 == 0:
                progress(read)
    return {report: tuple(states) for report, states in mails.items()}


def _active(clients: ClientStore) -> tuple[str, ...]:
    return tuple(sorted(str(row.get("client_id")) for row in clients.rows() if is_active(row)))
