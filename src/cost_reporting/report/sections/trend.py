"""The daily trend: a bar for each day, the previous period as a line, and the table behind them."""

from datetime import date
from decimal import Decimal
from itertools import zip_longest
from typing import Final, Literal

from cost_reporting.contracts import Fact
from cost_reporting.money import cents
from cost_reporting.periods import days
from cost_reporting.report import charts, words
from cost_reporting.report.edition import Edition
from cost_reporting.report.figures import NOT_AVAILABLE
from cost_reporting.report.rounding import fitted

WIDTH: Final = 600.0
HEIGHT: Final = 120.0
_CHARACTER: Final = 5.4
"""The width of a character of the chart's labels, about, in units of its view box."""
_FEW_DAYS: Final = 10
_SATURDAY: Final = 5
_WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


class Tick(Fact):
    """A labelled place on an axis."""

    at: float
    label: str


class Entry(Fact):
    """What a series is called, where its name stands."""

    kind: Literal["bar", "estimated", "line", "weekend"]
    label: str
    at: float


class Chart(Fact):
    """What the chart's macro draws. Lengths are in the units of its view box."""

    alt: str
    width: float
    height: float
    gutter: float
    zero: float
    slot: float
    bars: str
    estimated_bars: str
    previous: str
    weekends: tuple[float, ...]
    y_ticks: tuple[Tick, ...]
    x_ticks: tuple[Tick, ...]
    legend: tuple[Entry, ...]


class Day(Fact):
    """One row of the table."""

    day: str
    is_weekend: bool
    amount: str
    mark: str
    running: str
    before_day: str
    before: str


class Trend(Fact):
    """The chart, its finding, and its table."""

    finding: str
    currency: str
    chart: Chart
    days: tuple[Day, ...]
    total: str
    before_total: str
    now_title: str
    before_title: str
    before_day_title: str
    has_before: bool
    has_marks: bool


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
        now_title=edition.now_title,
        before_title=edition.before_title,
        before_day_title="Day",
        has_before=edition.comparable,
        has_marks=bool(edition.estimated_days & edition.by_day.keys()),
    )


def _finding(edition: Edition) -> str:
    figures, currency = edition.figures, edition.currency
    shown = _column(edition.by_day, edition.total)
    highest = max(shown.items(), key=lambda item: (item[1], -item[0].toordinal()))
    lowest = min(shown.items(), key=lambda item: (item[1], item[0].toordinal()))
    average = figures.money(edition.per_day, currency)
    sentence = f"A day came to {average} on average"
    if edition.basis == "whole":
        sentence += f", against {figures.money(edition.previous_per_day, currency)} {words.during_previous(edition)}"
    if cents(highest[1]) == cents(lowest[1]):
        return f"{sentence}; the days differed by less than a cent."
    return (
        f"{sentence}. The highest day was {figures.short_day(highest[0])} ({figures.money(highest[1], currency)}), "
        f"the lowest {figures.short_day(lowest[0])} ({figures.money(lowest[1], currency)})."
    )


def _chart(edition: Edition, finding: str) -> Chart:
    now, before = edition.by_day, edition.previous_by_day if edition.comparable else {}
    here, there = list(days(edition.period)), list(days(edition.previous))
    slot = WIDTH / max(len(here), len(there) if before else 0)
    axis = charts.scale([*now.values(), *before.values()])
    labels = [edition.figures.axis(value, axis.ticks) for value in axis.ticks]

    def bars(*, estimated: bool) -> str:
        chosen = [
            (at, now[day]) for at, day in enumerate(here) if day in now and (day in edition.estimated_days) is estimated
        ]
        return charts.bars(chosen, axis, slot=slot, height=HEIGHT)

    few = len(here) <= _FEW_DAYS
    return Chart(
        alt=f"Bar chart of the costs of each day. {finding} The table below holds every figure.",
        width=WIDTH,
        height=HEIGHT,
        gutter=_CHARACTER * max(len(label) for label in labels) + 12,
        zero=axis.y(Decimal(0), HEIGHT),
        slot=round(slot, 2),
        bars=bars(estimated=False),
        estimated_bars=bars(estimated=True),
        previous=charts.line(
            [(at, before[day]) for at, day in enumerate(there) if day in before], axis, slot=slot, height=HEIGHT
        ),
        weekends=tuple(round(at * slot, 2) for at, day in enumerate(here) if day.weekday() >= _SATURDAY),
        y_ticks=tuple(
            Tick(at=axis.y(value, HEIGHT), label=label) for value, label in zip(axis.ticks, labels, strict=True)
        ),
        x_ticks=tuple(
            Tick(at=round((at + 0.5) * slot, 2), label=f"{_WEEKDAYS[day.weekday()]} {day.day}" if few else str(day.day))
            for at, day in enumerate(here)
            if few or day.day == 1 or day.day % 5 == 0
        ),
        legend=_legend(edition, here),
    )


def _legend(edition: Edition, here: list[date]) -> tuple[Entry, ...]:
    wanted: list[tuple[Literal["bar", "estimated", "line", "weekend"], str, bool]] = [
        ("bar", edition.now_title, True),
        ("estimated", "e estimated", any(day in edition.estimated_days for day in here)),
        ("line", edition.before_title, edition.comparable),
        ("weekend", "weekend", any(day.weekday() >= _SATURDAY for day in here)),
    ]
    entries, at = [], 0.0
    for kind, label, present in wanted:
        if present:
            entries.append(Entry(kind=kind, label=label, at=round(at, 2)))
            at += _CHARACTER * len(label) + 36
    return tuple(entries)


def _days(edition: Edition) -> tuple[Day, ...]:
    """A row for each day of the longer period: the tenth day stands beside the tenth day."""
    figures = edition.figures
    now, before = _column(edition.by_day, edition.total), _column(edition.previous_by_day, edition.previous_total)
    here, there = list(days(edition.period)), list(days(edition.previous)) if edition.comparable else []
    rows, running = [], Decimal(0)
    for day, counterpart in zip_longest(here, there):
        running += now.get(day, Decimal(0))
        rows.append(
            Day(
                day=_day_name(edition, day) if day else "",
                is_weekend=bool(day) and day.weekday() >= _SATURDAY,
                amount=_amount(edition, day, now, edition.by_day),
                mark="e" if day in edition.estimated_days else "",
                running=figures.amount(running) if day else "",
                before_day=_day_name(edition, counterpart) if counterpart else "",
                before=_amount(edition, counterpart, before, edition.previous_by_day),
            )
        )
    return tuple(rows)


def _day_name(edition: Edition, day: date) -> str:
    return f"{_WEEKDAYS[day.weekday()]} {edition.figures.short_day(day)}"


def _amount(edition: Edition, day: date | None, column: dict[date, Decimal], exact: dict[date, Decimal]) -> str:
    if day is None:
        return ""
    return edition.figures.cell(column[day], exact[day]) if day in column else NOT_AVAILABLE


def _column(amounts: dict[date, Decimal], exact_sum: Decimal) -> dict[date, Decimal]:
    return dict(zip(amounts, fitted(list(amounts.values()), exact_sum), strict=True))
