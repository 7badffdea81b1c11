"""The operators' report about a week or a month of runs, in words and tables."""

from collections.abc import Iterator
from typing import Final

from cost_reporting.domain.report_status import MISSING, NAMES, SENT, STATUSES, UNDELIVERED
from cost_reporting.ops_report import OpsReport, ReportLine, Trend
from cost_reporting.periods import last_day
from cost_reporting.report.operators.document import Document, Figure, Part, table
from cost_reporting.report.operators.words import count, figures, moment, percent, plural, some, usd

LONGEST: Final = 400
"""Rows of a table on paper. A report of thousands of clients is read as JSON; what wants attention stands first."""


def document(report: OpsReport) -> Document:
    """The report, ready to print."""
    totals, kind = report.totals, "Weekly" if report.cadence == "weekly" else "Monthly"
    return Document(
        title=f"{kind} operations report",
        subtitle=f"{report.label}, {report.period.start} to {last_day(report.period)} UTC",
        issued=report.read_at,
        lead=_lead(report),
        figures=(
            Figure(
                name="Reports sent",
                value=percent(totals.reports_sent_rate),
                note=f"of {count(totals.reports)} asked for",
            ),
            Figure(
                name="Mails delivered",
                value=percent(totals.mails_delivered_rate),
                note=f"of {count(totals.mails_accepted)} accepted",
            ),
            Figure(name="Runs", value=count(totals.runs), note=_states(report)),
            Figure(
                name="Paid requests",
                value=count(totals.paid_requests),
                note=usd(totals.paid_usd),
            ),
        ),
        parts=tuple(_parts(report)),
    )


def _lead(report: OpsReport) -> str:
    by_status = report.totals.reports_by_status
    if not report.totals.runs:
        said = "No run began in this period."
    elif not report.totals.reports:
        said = "No client's report was asked for."
    else:
        lacking = sum(by_status[status] for status in (MISSING | UNDELIVERED) - {"undecided"})
        good = sum(by_status[status] for status in SENT - UNDELIVERED)
        waiting = by_status["held"] + by_status["undecided"]
        said = f"{plural(good, 'report', 'reports')} of {report.totals.reports:,} reached SES or their clients"
        said += f"; {plural(lacking, 'client report', 'client reports')} did not." if lacking else "."
        if waiting:
            said += f" {plural(waiting, 'waits', 'wait')} for approval."
        if by_status["underway"]:
            said += f" {plural(by_status['underway'], 'is', 'are')} underway."
    return said if report.over else f"{said} The period is not over: figures until {moment(report.read_at)} UTC."


def _states(report: OpsReport) -> str:
    return ", ".join(f"{number} {state}" for state, number in sorted(report.totals.runs_by_state.items()))


def _parts(report: OpsReport) -> Iterator[Part]:
    yield Part(
        title="Errors",
        paragraphs=() if report.errors else ("No client's part of a run failed.",),
        table=table(
            "Clients' parts of live runs that failed, by error; the most frequent first",
            "Error, #Failed, #Still without, Clients, Remedy",
            [
                (each.error, count(each.count), count(len(each.without_report)), some(each.clients), each.remedy)
                for each in report.errors
            ],
        )
        if report.errors
        else None,
    )
    yield Part(
        title="Against the period before",
        paragraphs=() if report.previous else ("No run is on record for the period before, so there is no trend.",),
        table=table(
            "Figures of this period and of the one before",
            "Figure, #This period, #Before, #Difference",
            [(trend.what, *_shown(trend)) for trend in report.trends],
        )
        if report.previous
        else None,
    )
    yield _runs(report)
    yield _clients(report)
    yield from _loose_ends(report)
    yield Part(
        title="Held against CloudWatch",
        table=table(
            "The table's counts beside those of the metrics",
            "Count, #Table, #CloudWatch, Verdict",
            [(each.what, count(each.recorded), count(each.measured), each.note) for each in report.checks],
        ),
    )
    yield Part(
        title="What the figures mean",
        items=(
            *(f"{name.replace('_', ' ')}: {meaning}" for name, meaning in report.definitions.items()),
            *(f"Not known: {unknown}" for unknown in report.unknowns),
        ),
    )


def _shown(trend: Trend) -> tuple[str, str, str]:
    if trend.what.endswith("rate"):
        points = "n/a" if trend.difference is None else f"{figures().difference(trend.difference * 100)} points"
        return percent(trend.now), percent(trend.before), points
    if trend.what.endswith("USD"):
        change = "n/a" if trend.difference is None else figures().difference(trend.difference)
        return usd(trend.now), usd(trend.before), change
    change = "n/a" if trend.difference is None else f"{trend.difference:+,.0f}".replace("-", "\u2212")
    return count(trend.now), count(trend.before), change


def _runs(report: OpsReport) -> Part:
    return Part(
        title="Runs",
        paragraphs=() if report.runs else ("No run began in this period.",),
        table=table(
            _cut("Runs in the order in which they began, in UTC", len(report.runs)),
            "Run, Began, State, #Clients, #Sent, #Failed, #No outcome, #Paid",
            [
                (
                    run.run_id,
                    moment(run.started_at),
                    run.state,
                    count(run.clients),
                    count(run.sent),
                    count(run.failed),
                    count(run.without_outcome),
                    count(run.paid_requests),
                )
                for run in report.runs[:LONGEST]
            ],
        )
        if report.runs
        else None,
    )


def _clients(report: OpsReport) -> Part:
    by_status = report.totals.reports_by_status
    counts = "; ".join(f"{NAMES[status]}: {by_status[status]:,}" for status in STATUSES if by_status[status])
    return Part(
        title="Clients",
        paragraphs=(f"{plural(report.totals.reports, 'report', 'reports')}: {counts}.",) if report.reports else (),
        table=table(
            _cut("Each client's report; what wants attention first", len(report.reports)),
            "Client, Report, Status, Mails, Why not",
            [
                (
                    line.client_id,
                    f"{line.cadence} {line.period} {line.issue}",
                    NAMES[line.status],
                    _mails(line),
                    line.error or line.detail,
                )
                for line in report.reports[:LONGEST]
            ],
        )
        if report.reports
        else None,
        items=(f"Active, but in no live run of this period: {some(report.idle, 50)}.",) if report.idle else (),
    )


def _loose_ends(report: OpsReport) -> Iterator[Part]:
    strays = [stray for stray in report.strays or () if stray.status not in ("SUCCEEDED", "RUNNING")]
    if strays:
        yield Part(
            title="Executions that began no run",
            paragraphs=("They failed before their clients were listed, or were health checks that found a fault.",),
            table=table(
                _cut("Executions without a run", len(strays)),
                "Execution, Began, Status, Error",
                [(stray.name, moment(stray.started_at), stray.status, stray.error or "") for stray in strays[:LONGEST]],
            ),
        )


def _mails(line: ReportLine) -> str:
    return ", ".join(f"{number} {state.casefold()}" for state, number in sorted(line.mails.items()))


def _cut(caption: str, rows: int) -> str:
    return caption if rows <= LONGEST else f"{caption}; the first {LONGEST:,} of {rows:,}, all of them in the JSON form"
