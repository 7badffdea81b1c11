"""The figures of an operators' report: what is on record about a week's or a month's runs, counted.

Pure: facts in, figures out. Whatever is not known is None, or stands in ``unknowns`` in words; it is never a zero.
Each report (client, cadence, period, issue) of a live run has exactly one status, so the statuses add up to the reports
asked for.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, Field

from cost_reporting.contracts import Amount, Cadence, Fact, Issue, Mode, Period
from cost_reporting.costs import PRICE_PER_REQUEST
from cost_reporting.domain.report_status import (
    MISSING,
    SENT,
    STATUSES,
    Judged,
    ReportFacts,
    Status,
    judge,
    with_outcome,
)
from cost_reporting.errors import remedy_of
from cost_reporting.ledger import State, report_name
from cost_reporting.outcomes import OutcomeKept, RunKept, RunListed
from cost_reporting.periods import label, present_name

Count = Annotated[int, Field(ge=0)]
RunState = Literal["complete", "incomplete", "underway", "stopped", "unknown"]
"""complete: nobody lacks a report. incomplete: somebody does. underway: it still runs. stopped: its execution ended
without a verdict. unknown: clients lack an outcome, and nothing says whether the execution still runs."""
ARRIVED: Final[frozenset[State]] = frozenset({"DELIVERED", "COMPLAINED"})
LOST: Final[frozenset[State]] = frozenset({"BOUNCED", "REJECTED"})
ACCEPTED: Final[frozenset[State]] = frozenset({"SENT", "DELAYED", "DELIVERED", "BOUNCED", "COMPLAINED", "REJECTED"})

DEFINITIONS: Final = {
    "reports_sent_rate": "Of the reports that are missing, failed, uncertain or sent, those of which SES accepted "
    "every recipient's mail.",
    "reports_by_status": "Each report has one status, the same as in the roll-up and in `report.py status`.",
    "mails_delivered_rate": "Of the mails that SES accepted, those that arrived; a complaint is about one that did.",
    "mails_bounced_rate": "Of the mails that SES accepted, those that bounced or that SES found unfit on its way.",
    "mails_complained_rate": "Of the mails that arrived, those whose recipient called them spam.",
    "paid_requests": "Requests to Cost Explorer of which the outcomes of all runs tell. A client that failed while its "
    "costs were fetched may have paid for some that no outcome tells of.",
    "period": "UTC days. A run belongs to the period in which it began, and so does all that came of it.",
}


class RunFacts(Fact):
    """A run, with what the account says beside its record.

    ``execution`` is the status that Step Functions gives, or None if it no longer knows. ``lacking`` are the clients
    without an outcome as far as the worklist names them, ``unnamed`` how many more there are.
    """

    kept: RunKept
    execution: str | None
    lacking: tuple[str, ...] = ()
    unnamed: Count = 0


class Stray(Fact):
    """An execution that began no run: a health check, or one that failed before its clients were listed."""

    name: str
    status: str
    started_at: AwareDatetime
    error: str | None


class PeriodFacts(Fact):
    """What was found about a period. ``known`` is what is on record about reports, by their names in the ledger;
    ``measured`` sums of CloudWatch by metric, None where it has no data. A whole part that could not be had is None,
    and its reason in ``unknowns``."""

    period: Period
    runs: tuple[RunFacts, ...]
    strays: tuple[Stray, ...] | None
    known: Mapping[str, ReportFacts]
    measured: Mapping[str, Decimal | None] | None
    active: tuple[str, ...] | None
    unknowns: tuple[str, ...] = ()


class Totals(Fact):
    """The counts of a period, and the rates, which are None where there is nothing to divide by."""

    runs: Count
    runs_by_state: Mapping[RunState, Count]
    reports: Count
    reports_by_status: Mapping[Status, Count]
    mails: Count
    mails_by_state: Mapping[State, Count]
    mails_accepted: Count
    reports_sent_rate: Decimal | None
    mails_delivered_rate: Decimal | None
    mails_bounced_rate: Decimal | None
    mails_complained_rate: Decimal | None
    paid_requests: Count
    paid_usd: Amount
    failed_executions: Count | None


class ErrorClass(Fact):
    """The clients' parts of runs that ended with one error. ``without_report`` lack the report to this day."""

    error: str
    count: Count
    clients: tuple[str, ...]
    without_report: tuple[str, ...]
    remedy: str


class RunLine(Fact):
    """A run in one line."""

    run_id: str
    cadence: Cadence
    period: str
    issue: Issue
    mode: Mode
    started_at: AwareDatetime
    state: RunState
    clients: Count
    sent: Count
    not_sent: Count
    failed: Count
    without_outcome: Count
    passes: Count
    paid_requests: Count


class ReportLine(Fact):
    """How a client's report stands. ``unmailed`` recipients, by fingerprint, were added since it was sent."""

    client_id: str
    cadence: Cadence
    period: str
    issue: Issue
    status: Status
    detail: str
    error: str | None
    remedy: str
    mails: Mapping[State, Count]
    unmailed: tuple[str, ...]


class CrossCheck(Fact):
    """A count of the table held against CloudWatch's. ``agrees`` is None if CloudWatch could not be asked."""

    what: str
    recorded: Count
    measured: Amount | None
    agrees: bool | None
    note: str


class Trend(Fact):
    """A figure and the same one of the period before; None where there is no such figure."""

    what: str
    now: Amount | None
    before: Amount | None
    difference: Amount | None


class OpsReport(Fact):
    """A week or a month of the system, for those who run it."""

    cadence: Cadence
    period: Period
    label: str
    over: bool
    read_at: AwareDatetime
    totals: Totals
    previous: Totals | None
    trends: tuple[Trend, ...]
    errors: tuple[ErrorClass, ...]
    runs: tuple[RunLine, ...]
    reports: tuple[ReportLine, ...]
    strays: tuple[Stray, ...] | None
    idle: tuple[str, ...] | None
    checks: tuple[CrossCheck, ...]
    unknowns: tuple[str, ...]
    definitions: Mapping[str, str]


def ops_report(now: PeriodFacts, before: PeriodFacts | None, *, cadence: Cadence, read_at: datetime) -> OpsReport:
    """The report about ``now``. ``before`` are the facts of the period before, or None if nothing is known of it."""
    reports = report_lines(now, read_at)
    totals = totals_of(now, reports)
    previous = None if before is None else totals_of(before, report_lines(before, read_at))
    return OpsReport(
        cadence=cadence,
        period=now.period,
        label=label(now.period),
        over=read_at.astimezone(UTC).date() >= now.period.end,
        read_at=read_at,
        totals=totals,
        previous=previous,
        trends=trends(totals, previous),
        errors=error_classes(now, reports),
        runs=tuple(run_line(run) for run in now.runs),
        reports=reports,
        strays=now.strays,
        idle=_idle(now, reports),
        checks=cross_checks(now),
        unknowns=now.unknowns,
        definitions=DEFINITIONS,
    )


def rate(part: int, whole: int) -> Decimal | None:
    """``part`` of ``whole``, or None if there is no whole."""
    return None if whole == 0 else Decimal(part) / Decimal(whole)


def state_of(run: RunFacts) -> RunState:
    """How a run stands."""
    missing = bool(run.lacking) or run.unnamed > 0
    failed = any(each.outcome.status == "FAILED" for each in run.kept.recorded)
    if run.execution == "RUNNING":
        return "underway"
    if not missing and not failed:
        return "complete"
    if run.kept.verdicts or run.execution == "SUCCEEDED":
        return "incomplete"
    if run.execution is not None:
        return "stopped"
    return "unknown" if missing else "incomplete"


def run_line(run: RunFacts) -> RunLine:
    """A run in one line."""
    listed, outcomes = run.kept.listed, [each.outcome for each in run.kept.recorded]
    by_status = Counter(outcome.status for outcome in outcomes)
    return RunLine(
        run_id=listed.run_id,
        cadence=listed.cadence,
        period=listed.period,
        issue=listed.issue,
        mode=listed.mode,
        started_at=listed.started_at,
        state=state_of(run),
        clients=listed.client_count,
        sent=by_status["SENT"],
        not_sent=by_status["NOT_SENT"],
        failed=by_status["FAILED"],
        without_outcome=len(run.lacking) + run.unnamed,
        passes=len(run.kept.verdicts) + (state_of(run) == "complete"),
        paid_requests=sum(outcome.paid_requests for outcome in outcomes),
    )


def report_lines(facts: PeriodFacts, read_at: datetime) -> tuple[ReportLine, ...]:
    """Each report that live runs of the period were to make, once, as it stands now; what wants attention first."""
    listed: dict[str, RunListed] = {}
    known: dict[str, ReportFacts] = {}
    for run in sorted(facts.runs, key=lambda run: run.kept.listed.started_at):
        for report, client_id, outcome in _ends(run):
            listed[report] = run.kept.listed
            found = known.get(report) or facts.known.get(report) or ReportFacts(client_id=client_id, report=report)
            known[report] = _with_end(found, run.kept.listed, outcome)
    lines = [_line(listed[report], found, judge(found, now=read_at)) for report, found in known.items()]
    return tuple(sorted(lines, key=lambda line: (STATUSES.index(line.status), line.client_id, line.period, line.issue)))


def _ends(run: RunFacts) -> Iterable[tuple[str, str, OutcomeKept | None]]:
    """The reports of a live run: each one's name in the ledger, its client, and how it ended, if that is known."""
    listed = run.kept.listed
    if listed.mode != "live":
        return
    unnamed = (f"(unnamed {number + 1} of {listed.run_id})" for number in range(run.unnamed))
    for each in run.kept.recorded:
        if each.outcome.status != "NOT_SENT":
            yield report_of_run(listed, each.outcome.client_id), each.outcome.client_id, each
    for client_id in (*run.lacking, *unnamed):
        yield report_of_run(listed, client_id), client_id, None


def report_of_run(listed: RunListed, client_id: str) -> str:
    """The ledger's name of the report of a live run, as :func:`cost_reporting.ledger.report_key` makes it."""
    return present_name(report_name(client_id, listed.cadence, listed.period, listed.issue))


def _with_end(known: ReportFacts, listed: RunListed, end: OutcomeKept | None) -> ReportFacts:
    if end is not None:
        return with_outcome(known, end.outcome, run_id=listed.run_id, at=end.at)
    if known.listed is not None and known.listed >= listed.started_at:
        return known
    return known.model_copy(update={"listed": listed.started_at})


def _line(listed: RunListed, known: ReportFacts, judged: Judged) -> ReportLine:
    return ReportLine(
        client_id=known.client_id,
        cadence=listed.cadence,
        period=listed.period,
        issue=listed.issue,
        status=judged.status,
        detail=judged.detail,
        error=judged.error,
        remedy=judged.remedy,
        mails=dict(Counter(mail.state for mail in known.mails)),
        unmailed=judged.unmailed,
    )


def totals_of(facts: PeriodFacts, reports: Sequence[ReportLine]) -> Totals:
    """The counts and rates of a period."""
    lines = [run_line(run) for run in facts.runs]
    mails: Counter[State] = Counter()
    for line in reports:
        mails.update(line.mails)
    by_status = Counter(line.status for line in reports)
    accepted, arrived = sum(mails[state] for state in ACCEPTED), sum(mails[state] for state in ARRIVED)
    sent = sum(by_status[status] for status in SENT)
    settled = sent + sum(by_status[status] for status in MISSING - {"undecided"})
    paid = sum(line.paid_requests for line in lines)
    return Totals(
        runs=len(lines),
        runs_by_state=dict(Counter(line.state for line in lines)),
        reports=len(reports),
        reports_by_status={status: by_status[status] for status in STATUSES},
        mails=mails.total(),
        mails_by_state=dict(mails),
        mails_accepted=accepted,
        reports_sent_rate=rate(sent, settled),
        mails_delivered_rate=rate(arrived, accepted),
        mails_bounced_rate=rate(sum(mails[state] for state in LOST), accepted),
        mails_complained_rate=rate(mails["COMPLAINED"], arrived),
        paid_requests=paid,
        paid_usd=paid * PRICE_PER_REQUEST,
        failed_executions=None
        if facts.strays is None
        else sum(stray.status not in ("SUCCEEDED", "RUNNING") for stray in facts.strays),
    )


def error_classes(facts: PeriodFacts, reports: Sequence[ReportLine]) -> tuple[ErrorClass, ...]:
    """The errors with which clients' parts of live runs ended, and those behind missing reports; most frequent first.

    Each has a remedy as long as one of its reports is missing. What was sent after all needs none.
    """
    seen: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for run in facts.runs:
        over = state_of(run) not in ("underway", "unknown")
        for report, client_id, end in _ends(run):
            if end is None and over:
                seen["NoOutcome"].append((report, client_id))
            if end is not None and end.outcome.status == "FAILED":
                seen[end.outcome.error or "NoOutcome"].append((report, client_id))
    lines = {present_name(report_name(line.client_id, line.cadence, line.period, line.issue)): line for line in reports}
    for report, line in lines.items():
        if line.status in MISSING and line.error and (report, line.client_id) not in seen[line.error]:
            seen[line.error].append((report, line.client_id))
    classes = [_error_class(error, ends, [lines[report] for report, _ in ends]) for error, ends in seen.items()]
    return tuple(sorted(classes, key=lambda each: (-each.count, each.error)))


def _error_class(error: str, ends: Sequence[tuple[str, str]], lines: Sequence[ReportLine]) -> ErrorClass:
    without = [line for line in lines if line.status in MISSING]
    judged = {line.remedy for line in without if line.error == error}
    if without:
        remedy = judged.pop() if len(judged) == 1 else remedy_of(error)
    elif all(line.status in SENT or line.status in ("closed", "left_out", "removed") for line in lines):
        remedy = "None: each of these clients has its report by now, or is to get none."
    else:
        remedy = "None yet: what is not sent by now is underway, or waits for approval."
    return ErrorClass(
        error=error,
        count=len(ends),
        clients=tuple(sorted({client_id for _, client_id in ends})),
        without_report=tuple(sorted({line.client_id for line in without})),
        remedy=remedy,
    )


_TRENDS: Final = (
    ("Runs", "runs"),
    ("Reports asked for", "reports"),
    ("Reports sent, rate", "reports_sent_rate"),
    ("Mails accepted", "mails_accepted"),
    ("Mails delivered, rate", "mails_delivered_rate"),
    ("Mails bounced, rate", "mails_bounced_rate"),
    ("Paid requests", "paid_requests"),
    ("Paid requests, USD", "paid_usd"),
)


def trends(now: Totals, before: Totals | None) -> tuple[Trend, ...]:
    """Each figure beside that of the period before, with the difference where both are known."""

    def trend(what: str, field: str) -> Trend:
        this = _decimal(getattr(now, field))
        last = None if before is None else _decimal(getattr(before, field))
        return Trend(what=what, now=this, before=last, difference=None if this is None or last is None else this - last)

    return tuple(trend(what, field) for what, field in _TRENDS)


def cross_checks(facts: PeriodFacts) -> tuple[CrossCheck, ...]:
    """Counts of the table held against CloudWatch's for the same period."""
    recorded = [
        each
        for run in facts.runs
        for each in run.kept.recorded
        if facts.period.start <= each.at.astimezone(UTC).date() < facts.period.end
    ]
    sent = sum(each.outcome.status == "SENT" for each in recorded)
    failed = sum(each.outcome.status == "FAILED" for each in recorded)
    paid = sum(each.outcome.paid_requests for each in recorded)
    redriven = "A redriven or earlier run counts once more in CloudWatch, where the table keeps the last word."
    return (
        _check("Reports sent, tests included", "ReportsSent", sent, facts.measured, redriven),
        _check("Clients failed", "ClientsFailed", failed, facts.measured, redriven),
        _check(
            "Paid requests",
            "PaidRequests",
            paid,
            facts.measured,
            "CloudWatch counts what was paid when it was paid; a later pass overwrites it in the table.",
        ),
    )


def _check(
    what: str, metric: str, recorded: int, measured: Mapping[str, Decimal | None] | None, why: str
) -> CrossCheck:
    if measured is None:
        return CrossCheck(
            what=what, recorded=recorded, measured=None, agrees=None, note="CloudWatch could not be asked."
        )
    counted = measured.get(metric)
    agrees = (counted or 0) == recorded
    if agrees:
        note = "They agree."
    elif counted is None:
        note = f"CloudWatch has no data of {metric}: the function's log lines did not become metrics."
    elif counted > recorded:
        note = f"CloudWatch counts {counted - recorded:.0f} more. {why}"
    else:
        note = f"CloudWatch counts {recorded - counted:.0f} fewer: metrics of a killed function are lost."
    return CrossCheck(what=what, recorded=recorded, measured=counted, agrees=agrees, note=note)


def _idle(facts: PeriodFacts, reports: Sequence[ReportLine]) -> tuple[str, ...] | None:
    """Active clients of whom no live run of the period says anything."""
    if facts.active is None:
        return None
    return tuple(sorted(set(facts.active) - {line.client_id for line in reports}))


def _decimal(figure: int | Decimal | None) -> Decimal | None:
    return None if figure is None else Decimal(figure)
