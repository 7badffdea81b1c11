"""The operators' report about the system's own work and cost, in words and tables."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Final

from cost_reporting.performance import FunctionFigures, PerformanceReport
from cost_reporting.periods import last_day
from cost_reporting.report.operators.document import Document, Figure, Part, table
from cost_reporting.report.operators.words import count, moment, percent, plural, usd

_WHO_PAYS: Final = "Requests to Cost Explorer are paid by the account whose credentials ask: with a role, the client's."


def document(report: PerformanceReport) -> Document:
    """The report, ready to print."""
    kind = "Weekly" if report.cadence == "weekly" else "Monthly"
    invocations = known_sum(each.invocations for each in report.functions)
    slowest = max(report.functions, key=lambda each: each.p95_ms or Decimal(0), default=None)
    return Document(
        title=f"{kind} performance report",
        subtitle=f"{report.label}, {report.period.start} to {last_day(report.period)} UTC",
        issued=report.read_at,
        lead=_lead(report, invocations),
        figures=(
            Figure(name="The system's cost", value=small(report.usd), note="of what is listed below"),
            Figure(
                name="Per report sent", value=small(report.usd_per_report), note=f"{count(report.reports_sent)} reports"
            ),
            Figure(
                name="Slowest function (p95)",
                value=seconds(slowest.p95_ms if slowest else None),
                note=slowest.name if slowest and slowest.p95_ms is not None else "",
            ),
            Figure(
                name="Cold starts",
                value=count(known_sum(each.cold_starts for each in report.functions)),
                note=f"of {count(invocations)} invocations",
            ),
        ),
        parts=tuple(_parts(report)),
    )


def _lead(report: PerformanceReport, invocations: int | None) -> str:
    said = f"{count(invocations)} invocations for {count(report.reports_sent)} reports sent."
    if report.suggestions:
        said += f" {plural(len(report.suggestions), 'thing needs', 'things need')} a look."
    elif invocations:
        said += " Nothing needs a look."
    return said if report.over else f"{said} The period is not over: figures until {moment(report.read_at)} UTC."


def _parts(report: PerformanceReport) -> Iterator[Part]:
    yield Part(
        title="What needs a look",
        paragraphs=() if report.suggestions else ("Nothing.",),
        table=table(
            "Functions whose memory, time or concurrency is not as it should be",
            "Function, Fact, Advice",
            [(each.function, each.fact, each.advice) for each in report.suggestions],
        )
        if report.suggestions
        else None,
    )
    yield Part(
        title="Durations",
        table=table(
            "Time of the handlers, without the start of their environments; nearest-rank percentiles",
            "Function, State, #Calls, #p50, #p95, #Max, #Timeout, #Timed out, #Throttled, #Errors",
            [_durations(each) for each in report.functions],
        ),
    )
    yield Part(
        title="Memory and starts",
        table=table(
            "The most memory that an environment had, and how long environments took to start",
            "Function, #Memory, #Used, #Share, #Cold starts, #Of calls, #Start p95, #GB-seconds",
            [_memory(each) for each in report.functions],
        ),
    )
    yield Part(
        title="What the system cost",
        table=table(
            "List prices in US East (N. Virginia), without the free tier",
            "What, #Quantity, #USD, Known how, Price, As of",
            [
                (
                    line.what,
                    f"{line.quantity:,.0f}",
                    dollars(line.usd),
                    line.basis,
                    f"{line.price.usd:f} for {line.price.per:,}",
                    f"{line.price.as_of}",
                )
                for line in report.costs
            ],
        ),
        items=(f"Together {small(report.usd)}. {_WHO_PAYS}",),
    )
    yield Part(title="What is missing", items=report.unknowns)


def _durations(each: FunctionFigures) -> tuple[str, ...]:
    return (
        each.name,
        ", ".join(each.states) or "on events",
        count(each.invocations),
        seconds(each.p50_ms),
        seconds(each.p95_ms),
        seconds(each.max_ms),
        f"{each.timeout_s} s",
        count(each.timeouts),
        count(each.throttles),
        count(each.errors),
    )


def _memory(each: FunctionFigures) -> tuple[str, ...]:
    return (
        each.name,
        f"{each.memory_mb} MB",
        "n/a" if each.used_mb is None else f"{each.used_mb} MB",
        percent(each.used_share),
        count(each.cold_starts),
        percent(each.cold_rate),
        seconds(each.init_p95_ms),
        "n/a" if each.gb_seconds is None else f"{each.gb_seconds:,.1f}",
    )


def known_sum(counts: Iterable[int | None]) -> int | None:
    """The sum of what is known, or None if nothing is."""
    known = [each for each in counts if each is not None]
    return sum(known) if known else None


def seconds(milliseconds: Decimal | None) -> str:
    """``0.81 s``, or ``n/a``."""
    return "n/a" if milliseconds is None else f"{milliseconds / 1000:,.2f} s"


def small(amount: Decimal | None) -> str:
    """Dollars, with four decimals below one."""
    if amount is None or amount >= 1:
        return usd(amount)
    return f"USD {amount:.4f}"


def dollars(amount: Decimal) -> str:
    """Four decimals, and never a zero for what is not nothing."""
    return "< 0.0001" if 0 < amount < Decimal("0.0001") else f"{amount:,.4f}"
