"""How the system's functions did in a period, and what the system itself cost: figures from Lambda's REPORT lines.

Pure. A REPORT line is Lambda's own account of an invocation and of what is billed for it:

    REPORT RequestId: …  Duration: 812.31 ms  Billed Duration: 2403 ms  Memory Size: 512 MB  Max Memory Used: 131 MB
    Init Duration: 1590.20 ms  XRAY TraceId: …  Status: timeout

Its parts are separated by tabs. Init Duration stands on the first invocation of an environment: a cold start.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, Field

from cost_reporting import prices
from cost_reporting.contracts import Amount, Cadence, Fact, Period
from cost_reporting.periods import label
from cost_reporting.prices import Architecture, Price

Count = Annotated[int, Field(ge=0)]
Milliseconds = Amount
Basis = Literal["measured", "worked out", "approximate"]
"""measured: from REPORT lines or the record. worked out: from counts and the definition. approximate: from a rule of
thumb about how often a function reads and writes."""

FEW: Final = 20
"""Invocations below which nothing is said about too much memory."""
NEARLY_FULL: Final = Decimal("0.85")
MOSTLY_EMPTY: Final = Decimal("0.4")
NEARLY_LATE: Final = Decimal("0.8")
LONG_START_MS: Final = Decimal(8_000)
"""Lambda gives initialisation 10 seconds."""
SMALLEST_MB: Final = 128


class Invocation(Fact):
    """What a REPORT line says. ``used_mb`` is None where Lambda did not say, ``init_ms`` where nothing was started."""

    duration_ms: Milliseconds
    billed_ms: Milliseconds
    memory_mb: Count
    used_mb: Count | None
    init_ms: Milliseconds | None
    timed_out: bool
    error: str | None


class FunctionFacts(Fact):
    """A function as it is deployed, and what was found about it. What could not be had is None.

    ``states`` are the states that call it; none if events do. ``unreadable`` REPORT lines did not say what they should.
    """

    name: str
    states: tuple[str, ...]
    architecture: Architecture
    memory_mb: Count
    timeout_s: Count
    invocations: tuple[Invocation, ...] | None
    unreadable: Count = 0
    throttles: Amount | None = None
    errors: Amount | None = None
    counted: Amount | None = None


class Work(Fact):
    """What the runs of a period did. ``transitions`` is None if the executions' histories could not be read."""

    reports_sent: Count
    mails: Count
    paid_requests: Count
    transitions: Count | None


class FunctionFigures(Fact):
    """A function in a period. Percentiles are nearest-rank: a value that really occurred."""

    name: str
    states: tuple[str, ...]
    invocations: Count | None
    counted_by_cloudwatch: Amount | None
    p50_ms: Milliseconds | None
    p95_ms: Milliseconds | None
    max_ms: Milliseconds | None
    cold_starts: Count | None
    cold_rate: Decimal | None
    init_p95_ms: Milliseconds | None
    memory_mb: Count
    used_mb: Count | None
    used_share: Decimal | None
    timeout_s: Count
    timeouts: Count | None
    throttles: Amount | None
    errors: Amount | None
    gb_seconds: Amount | None
    unreadable: Count


class CostLine(Fact):
    """What one thing cost in a period: how much of it there was, and how well that is known."""

    what: str
    quantity: Amount
    usd: Amount
    basis: Basis
    price: Price


class Suggestion(Fact):
    """Something about a function that somebody should look at."""

    function: str
    fact: str
    advice: str


class PerformanceReport(Fact):
    """A week or a month of the system's own work.

    ``usd`` is the sum of ``costs``, if any are known; ``unknowns`` say what it lacks.
    """

    cadence: Cadence
    period: Period
    label: str
    over: bool
    read_at: AwareDatetime
    functions: tuple[FunctionFigures, ...]
    costs: tuple[CostLine, ...]
    usd: Amount | None
    reports_sent: Count | None
    usd_per_report: Amount | None
    suggestions: tuple[Suggestion, ...]
    unknowns: tuple[str, ...]


def parse_report(line: str) -> Invocation | None:
    """The invocation of a REPORT line, or None if it is another line.

    Raises ValueError if it is a REPORT line without what every one has.
    """
    if not line.startswith("REPORT RequestId: "):
        return None
    parts = (part.partition(": ") for part in line.strip().split("\t"))
    fields = {name.strip(): value.strip() for name, _, value in parts}
    try:
        return Invocation(
            duration_ms=_number(fields["Duration"], "ms"),
            billed_ms=_number(fields["Billed Duration"], "ms"),
            memory_mb=int(_number(fields["Memory Size"], "MB")),
            used_mb=int(_number(fields["Max Memory Used"], "MB")) if "Max Memory Used" in fields else None,
            init_ms=_number(fields["Init Duration"], "ms") if "Init Duration" in fields else None,
            timed_out=fields.get("Status") == "timeout",
            error=fields.get("Error Type"),
        )
    except (KeyError, ArithmeticError) as fault:
        raise ValueError(f"a REPORT line without {fault}") from None


def _number(text: str, unit: str) -> Decimal:
    number = Decimal(text.removesuffix(unit).strip())
    if not number.is_finite() or number < 0:
        raise ArithmeticError(text)
    return number


def percentile(values: Sequence[Decimal], percent: int) -> Decimal | None:
    """The nearest-rank percentile: the smallest value that at least ``percent`` of a hundred do not exceed."""
    if not values:
        return None
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


def figures_of(facts: FunctionFacts) -> FunctionFigures:
    """The figures of a function."""
    done = facts.invocations
    durations = [each.duration_ms for each in done or ()]
    starts = [each.init_ms for each in done or () if each.init_ms is not None]
    used = max((each.used_mb for each in done or () if each.used_mb is not None), default=None)
    return FunctionFigures(
        name=facts.name,
        states=facts.states,
        invocations=None if done is None else len(done),
        counted_by_cloudwatch=facts.counted,
        p50_ms=percentile(durations, 50),
        p95_ms=percentile(durations, 95),
        max_ms=max(durations, default=None),
        cold_starts=None if done is None else len(starts),
        cold_rate=Decimal(len(starts)) / len(done) if done else None,
        init_p95_ms=percentile(starts, 95),
        memory_mb=facts.memory_mb,
        used_mb=used,
        used_share=None if used is None or not facts.memory_mb else Decimal(used) / facts.memory_mb,
        timeout_s=facts.timeout_s,
        timeouts=None if done is None else sum(each.timed_out for each in done),
        throttles=facts.throttles,
        errors=facts.errors,
        gb_seconds=None if done is None else gb_seconds(done),
        unreadable=facts.unreadable,
    )


def gb_seconds(invocations: Sequence[Invocation]) -> Decimal:
    """What is billed for duration: memory in GB times billed seconds."""
    return sum((each.billed_ms * each.memory_mb for each in invocations), Decimal(0)) / (1024 * 1000)


def performance_report(
    functions: Sequence[FunctionFacts],
    work: Work | None,
    *,
    cadence: Cadence,
    period: Period,
    read_at: datetime,
    unknowns: Sequence[str] = (),
) -> PerformanceReport:
    """The report about ``period``. ``work`` is None if the record of the runs could not be read."""
    figures = tuple(figures_of(each) for each in functions)
    costs = tuple(_costs(functions, work))
    usd = sum((line.usd for line in costs), Decimal(0)) if costs else None
    sent = None if work is None else work.reports_sent
    return PerformanceReport(
        cadence=cadence,
        period=period,
        label=label(period),
        over=read_at.astimezone(UTC).date() >= period.end,
        read_at=read_at,
        functions=figures,
        costs=costs,
        usd=usd,
        reports_sent=sent,
        usd_per_report=usd / sent if usd is not None and sent else None,
        suggestions=tuple(suggestion for each in figures for suggestion in suggestions(each)),
        unknowns=(*unknowns, *_unknowns(functions, work)),
    )


class _Touches(Fact):
    """About how often an invocation reads and writes: objects of S3, items of DynamoDB."""

    written: Count = 0
    read: Count = 0
    items_written: Count = 0
    items_read: Count = 0


_TOUCHES: Final[Mapping[str, _Touches]] = {
    "fetch-costs": _Touches(written=2, read=1, items_read=2),
    "render-pdf": _Touches(written=3, read=3, items_read=2),
    "send-email": _Touches(read=2, items_read=4, items_written=2),
    "record-outcome": _Touches(items_written=2),
    "record-delivery": _Touches(items_read=2, items_written=1),
    "list-clients": _Touches(written=1, items_read=2, items_written=2),
    "settle-run": _Touches(written=1, read=1, items_read=2, items_written=1),
}
"""By the end of a function's name. A strongly consistent read counts twice."""


def _costs(functions: Sequence[FunctionFacts], work: Work | None) -> Iterator[CostLine]:
    by_architecture: dict[Architecture, Decimal] = {}
    for each in functions:
        if each.invocations is not None:
            before = by_architecture.get(each.architecture, Decimal(0))
            by_architecture[each.architecture] = before + gb_seconds(each.invocations)
    for architecture, seconds in sorted(by_architecture.items()):
        yield _line(prices.LAMBDA_GB_SECONDS[architecture], seconds, "measured")
    known = [(each.name, len(each.invocations)) for each in functions if each.invocations is not None]
    if known:
        yield _line(prices.LAMBDA_REQUESTS, sum(times for _, times in known), "measured")
    if work is not None:
        if work.transitions is not None:
            yield _line(prices.TRANSITIONS, work.transitions, "worked out")
        yield _line(prices.COST_EXPLORER, work.paid_requests, "measured")
        yield _line(prices.MAILS, work.mails, "measured")
    touched = [
        (touches, times) for name, times in known for ending, touches in _TOUCHES.items() if name.endswith(f"-{ending}")
    ]
    if touched:
        for price, count in (
            (prices.OBJECTS_WRITTEN, sum(touches.written * times for touches, times in touched)),
            (prices.OBJECTS_READ, sum(touches.read * times for touches, times in touched)),
            (prices.ITEMS_WRITTEN, sum(touches.items_written * times for touches, times in touched)),
            (prices.ITEMS_READ, sum(touches.items_read * times for touches, times in touched)),
        ):
            yield _line(price, count, "approximate")


def _line(price: Price, quantity: Decimal | int, basis: Basis) -> CostLine:
    return CostLine(what=price.what, quantity=Decimal(quantity), usd=price.of(quantity), basis=basis, price=price)


def _unknowns(functions: Sequence[FunctionFacts], work: Work | None) -> Iterator[str]:
    for each in functions:
        if each.invocations is None:
            yield f"{each.name}: its log could not be read, so its time and its cost are missing from the sums."
        elif each.counted is not None and each.counted > len(each.invocations):
            lost = each.counted - len(each.invocations)
            yield f"{each.name}: CloudWatch counts {lost:.0f} more invocations than its log has REPORT lines."
        if each.unreadable:
            yield f"{each.name}: {each.unreadable} REPORT lines could not be read and are missing from the sums."
    if work is None:
        yield "The record of the runs: transitions, Cost Explorer and mails are missing from the sums."
    elif work.transitions is None:
        yield "State transitions are missing from the sums."
    yield "Storage, logs, metrics, alarms, traces, queues and data transfer are not in the sums."


def suggestions(figures: FunctionFigures) -> Iterator[Suggestion]:
    """What somebody should look at."""

    def say(fact: str, advice: str) -> Suggestion:
        return Suggestion(function=figures.name, fact=fact, advice=advice)

    if figures.used_share is not None and figures.used_mb is not None:
        used = f"at most {figures.used_mb} of {figures.memory_mb} MB used"
        if figures.used_share >= NEARLY_FULL:
            more = _sized(figures.used_mb / 0.7)
            yield say(used, f"Raise MemorySize to {more} MB: a larger client would end it for lack of memory.")
        elif figures.used_share <= MOSTLY_EMPTY and (figures.invocations or 0) >= FEW:
            less = max(SMALLEST_MB, _sized(figures.used_mb / 0.6))
            if less < figures.memory_mb:
                yield say(
                    used,
                    f"MemorySize {less} MB would hold it. Processor time shrinks with memory, so compare durations "
                    "before and after: what takes longer may cost more.",
                )
    late = NEARLY_LATE * figures.timeout_s * 1000
    if figures.timeouts:
        yield say(
            f"{figures.timeouts} timeouts after {figures.timeout_s} s", "Raise Timeout, or find what it waits for."
        )
    elif figures.max_ms is not None and figures.max_ms >= late:
        yield say(
            f"took {figures.max_ms / 1000:.1f} s of {figures.timeout_s} s at most", "Raise Timeout before one is lost."
        )
    if figures.throttles:
        yield say(
            f"{figures.throttles:.0f} invocations throttled",
            "Lower the parameter ConcurrentClients, or ask AWS for more concurrency.",
        )
    if figures.init_p95_ms is not None and figures.init_p95_ms >= LONG_START_MS:
        yield say(
            f"starting takes {figures.init_p95_ms / 1000:.1f} s (p95)",
            "AWS gives it 10 s: raise MemorySize, or import less.",
        )


def _sized(megabytes: float) -> int:
    """The next multiple of 64."""
    return math.ceil(megabytes / 64) * 64
