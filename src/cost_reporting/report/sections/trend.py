"""The daily trend: a bar for each day, the previous period as a line, and the table behind them."""

from datetime import date, timedelta
from decimal import Decimal

from cost_reporting.contracts import Fact
from cost_reporting.costs import TOLERANCE
from cost_reporting.money import cents, shown, total
from cost_reporting.periods import days, last_day, length
from cost_reporting.report import charts
from cost_reporting.report.edition import Edition

WIDTH, HEIGHT = 600.0, 150.0
_SATURDAY = 5


class Tick(Fact):
    """A labelled place on an axis."""

    at: float
    label: str


class Chart(Fact):
    """What the chart's macro draws. Lengths are in the units of its view box."""

    alt: str
    width: float
    height: float
    zero: float
    slot: float
    bars: str
    estimated_bars: str
    previous: str
    weekends: tuple[float, ...]
    y_ticks: tuple[Tick, ...]
    x_ticks: tuple[Tick, ...]
    now_label: str
    before_label: str


class Day(Fact):
    """One row of the table."""

    day: str
    weekday: str
    is_weekend: bool
    amount: str
    mark: str
    running: str
    before: str


class Trend(Fact):
    """The chart, its finding, and its table."""

    finding: str
    currency: str
    chart: Chart
    days: tuple[Day, ...]
    total: str
    before_total: str
    before_title: str
    has_before: bool


def view(edition: Edition) -> Trend | None:
    """The trend, unless not a single day has costs."""
    if not any(edition.by_day.values()):
        return None
    finding = _finding(edition)
    return Trend(
        finding=finding,
        currency=edition.currency,
        chart=_chart(edition, finding),
        days=_days(edition),
        total=edition.figures.amount(edition.total),
        before_total=edition.figures.amount(edition.previous_total),
        before_title=edition.figures.period(edition.previous) if edition.costs.cadence == "monthly" else "Week before",
        has_before=edition.comparable,
    )


def _finding(edition: Edition) -> str:
    figures, currency = edition.figures, edition.currency
    dearest = max(edition.by_day.items(), key=lambda item: (item[1], -item[0].toordinal()))
    cheapest = min(edition.by_day.items(), key=lambda item: (item[1], item[0].toordinal()))
    average = figures.money(edition.per_day, currency)
    sentence = f"A day cost {average} on average"
    if edition.basis == "whole":
        sentence += f", against {figures.money(edition.previous_per_day, currency)} in {edition.previous_words}"
    if cents(dearest[1]) == cents(cheapest[1]):
        return f"{sentence}; every day cost the same."
    return (
        f"{sentence}. The dearest day was {figures.short_day(dearest[0])} with {figures.money(dearest[1], currency)}, "
        f"the cheapest {figures.short_day(cheapest[0])} with {figures.money(cheapest[1], currency)}."
    )


def _chart(edition: Edition, finding: str) -> Chart:
    now, before = edition.by_day, edition.previous_by_day if edition.comparable else {}
    count = max(length(edition.period), length(edition.previous) if before else 0)
    slot = WIDTH / count
    axis = charts.scale([*now.values(), *before.values()])
    current = [(at, day, now[day]) for at, day in enumerate(days(edition.period)) if day in now]
    previous = [(at, before[day]) for at, day in enumerate(days(edition.previous)) if day in before]
    monthly = edition.costs.cadence == "monthly"
    return Chart(
        alt=f"Bar chart of the costs of each day. {finding} The table below holds every figure.",
        width=WIDTH,
        height=HEIGHT,
        zero=axis.y(Decimal(0), HEIGHT),
        slot=round(slot, 2),
        bars=charts.bars([(at, value) for at, day, value in current if day not in edition.estimated_days], axis, slot=slot, height=HEIGHT),
        estimated_bars=charts.bars([(at, value) for at, day, value in current if day in edition.estimated_days], axis, slot=slot, height=HEIGHT),
        previous=charts.line(previous, axis, slot=slot, height=HEIGHT),
        weekends=tuple(round(at * slot, 2) for at, day in enumerate(days(edition.period)) if day.weekday() >= _SATURDAY),
        y_ticks=tuple(Tick(at=axis.y(value, HEIGHT), label=edition.figures.axis(value, axis.ticks)) for value in axis.ticks),
        x_ticks=tuple(
            Tick(at=round((at + 0.5) * slot, 2), label=f"{day:%a} {day.day}" if length(edition.period) <= 10 else str(day.day))
            for at, day in enumerate(days(edition.period))
            if length(edition.period) <= 10 or day.day == 1 or day.day % 5 == 0
        ),
        now_label=edition.period_words if monthly else "This week",
        before_label=edition.figures.period(edition.previous) if monthly else "Week before",
    )


def _days(edition: Edition) -> tuple[Day, ...]:
    figures = edition.figures
    now, before = _column(edition.by_day, edition.total), _column(edition.previous_by_day, edition.previous_total)
    rows, running = [], Decimal(0)
    offset = edition.previous.start - edition.period.start
    extra = length(edition.previous) - length(edition.period) if edition.comparable else 0
    for day in days(edition.period):
        counterpart = day + offset
        running += now.get(day, Decimal(0))
        rows.append(
            Day(
                day=figures.short_day(day),
                weekday=f"{day:%a}",
                is_weekend=day.weekday() >= _SATURDAY,
                amount=figures.cell(now[day], edition.by_day[day]) if day in now else "n/a",
                mark="e" if day in edition.estimated_days else "",
                running=figures.amount(running),
                before=_before(edition, counterpart, before),
            )
        )
    for over in range(max(extra, 0)):
        rows.append(
            Day(
                day="",
                weekday="",
                is_weekend=False,
                amount="",
                mark="",
                running="",
                before=_before(edition, last_day(edition.previous) - timedelta(days=extra - 1 - over), before),
            )
        )
    return tuple(rows)


def _before(edition: Edition, day: date, column: dict[date, Decimal]) -> str:
    if day >= edition.previous.end:
        return ""
    return edition.figures.cell(column[day], edition.previous_by_day[day]) if day in column else "n/a"


def _column(amounts: dict[date, Decimal], exact_sum: Decimal) -> dict[date, Decimal]:
    """The days in cents that add up to the cents of their sum; the rest goes into the dearest day."""
    if not amounts:
        return {}
    exact = list(amounts.values())
    assert abs(total(exact) - exact_sum) <= TOLERANCE
    rest = max(range(len(exact)), key=lambda at: abs(exact[at]))
    return dict(zip(amounts, shown(exact, rest=rest), strict=True))
