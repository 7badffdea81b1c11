"""The daily trend: a bar for each day, the previous period as a line, and the table behind them."""

from datetime import date
from decimal import Decimal
from itertools import zip_longest
from typing import Final, Literal

from cost_reporting.contracts import Fact
from cost_reporting.costs import holds
from cost_reporting.money import cents
from cost_reporting.periods import days
from cost_reporting.report import charts, unfilled, unusual
from cost_reporting.report.edition import Edition
from cost_reporting.report.figures import EN_DASH
from cost_reporting.report.phrases import during_previous
from cost_reporting.report.rounding import fitted

WIDTH: Final = 600.0
HEIGHT: Final = 120.0
LOWEST: Final = 60.0
_NOTE_HEIGHT: Final = 15.0
_NOTE_LINE: Final = 112
"""A line of a note, in units of the view box and in characters."""
_CHARACTER: Final = 5.4
"""The width of a character of the chart's labels, about, in units of its view box."""
_FEW_DAYS: Final = 10
_SATURDAY: Final = 5
_NOTES: Final = 3
"""Explanations below the chart; more would push the days off the page."""


class Tick(Fact):
    """A labelled place on an axis."""

    at: float
    label: str


class Entry(Fact):
    """What a series is called, where its name stands."""

    kind: Literal["bar", "estimated", "line", "weekend"]
    label: str
    at: float


class Marker(Fact):
    """The numbers of the anomalies that begin on one day, above it, and a line over all of their days."""

    label: str
    at: float
    width: float
    first: float
    last: float


class Note(Fact):
    """What a number in the chart stands for."""

    number: str
    text: str


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
    markers: tuple[Marker, ...]
    y_ticks: tuple[Tick, ...]
    x_ticks: tuple[Tick, ...]
    legend: tuple[Entry, ...]


class Day(Fact):
    """One row of the table."""

    day: str
    is_weekend: bool
    amount: str
    mark: str
    before_day: str
    before: str


class Trend(Fact):
    """The chart, its finding, and its table."""

    finding: str
    currency: str
    chart: Chart
    notes: tuple[Note, ...]
    more_notes: str | None
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
    notes = _notes(edition)
    return Trend(
        finding=finding,
        currency=edition.currency,
        chart=_chart(edition, finding, _height(notes[:_NOTES])),
        notes=notes[:_NOTES],
        more_notes=edition.say("The other numbers are explained under \u201cAnomalies\u201d.")
        if len(notes) > _NOTES
        else None,
        days=_days(edition),
        total=edition.figures.amount(edition.total),
        before_total=edition.figures.amount(edition.previous_total),
        now_title=edition.now_title,
        before_title=edition.before_title,
        before_day_title=edition.say("Day"),
        has_before=edition.comparable,
        has_marks=bool(edition.estimated_days & edition.by_day.keys()),
    )


def _finding(edition: Edition) -> str:
    figures, currency = edition.figures, edition.currency
    shown = _column(edition.by_day, edition.total)
    highest = max(shown.items(), key=lambda item: (item[1], -item[0].toordinal()))
    lowest = min(shown.items(), key=lambda item: (item[1], item[0].toordinal()))
    average = figures.money(edition.per_day, currency)
    sentence = (
        edition.say(
            "A day came to {average} on average, against {previous} {then}.",
            average=average,
            previous=figures.money(edition.previous_per_day, currency),
            then=during_previous(edition),
        )
        if edition.basis == "whole"
        else edition.say("A day came to {average} on average.", average=average)
    )
    if cents(highest[1]) == cents(lowest[1]):
        alike = edition.say("The days differed by less than a cent.")
        return edition.language.together(sentence, alike, *unfilled.notes(edition))
    extremes = edition.say(
        "The highest day was {highest} ({most}), the lowest {lowest} ({least}).",
        highest=figures.short_day(highest[0]),
        most=figures.money(highest[1], currency),
        lowest=figures.short_day(lowest[0]),
        least=figures.money(lowest[1], currency),
    )
    return edition.language.together(sentence, extremes, *unfilled.notes(edition))


def _height(notes: tuple[Note, ...]) -> float:
    """Room for the notes is taken from the chart, so that the days of a month stay on its page."""
    if not notes:
        return HEIGHT
    lines = sum(-(-charts.width(note.text) // _NOTE_LINE) for note in notes)
    return max(LOWEST, HEIGHT - _NOTE_HEIGHT * lines)


def _chart(edition: Edition, finding: str, height: float) -> Chart:
    now, before = edition.by_day, edition.previous_by_day if edition.comparable else {}
    here, there = list(days(edition.period)), list(days(edition.previous))
    slot = WIDTH / max(len(here), len(there) if before else 0)
    axis = charts.scale([*now.values(), *before.values()])
    labels = [edition.figures.axis(value, axis.ticks) for value in axis.ticks]

    def bars(*, estimated: bool) -> str:
        chosen = [
            (at, now[day]) for at, day in enumerate(here) if day in now and (day in edition.estimated_days) is estimated
        ]
        return charts.bars(chosen, axis, slot=slot, height=height)

    few = len(here) <= _FEW_DAYS
    return Chart(
        alt=edition.language.together(
            edition.say("Bar chart of the costs of each day."),
            finding,
            edition.say("The table below holds every figure."),
        ),
        width=WIDTH,
        height=height,
        gutter=_CHARACTER * max(charts.width(label) for label in labels) + 12,
        zero=axis.y(Decimal(0), height),
        slot=round(slot, 2),
        bars=bars(estimated=False),
        estimated_bars=bars(estimated=True),
        previous=charts.line(
            [(at, before[day]) for at, day in enumerate(there) if day in before], axis, slot=slot, height=height
        ),
        weekends=tuple(round(at * slot, 2) for at, day in enumerate(here) if day.weekday() >= _SATURDAY),
        markers=_markers(edition, slot),
        y_ticks=tuple(
            Tick(at=axis.y(value, height), label=label) for value, label in zip(axis.ticks, labels, strict=True)
        ),
        x_ticks=tuple(
            Tick(at=round((at + 0.5) * slot, 2), label=edition.figures.weekday_short(day) if few else str(day.day))
            for at, day in enumerate(here)
            if few or day.day == 1 or day.day % 5 == 0
        ),
        legend=_legend(edition, here),
    )


def _markers(edition: Edition, slot: float) -> tuple[Marker, ...]:
    """Anomalies are numbered in the order of their days, so those of one day have numbers that follow each other."""
    by_day: dict[int, list[tuple[int, int]]] = {}
    for number, anomaly in enumerate(unusual.numbered(edition), 1):
        if places := unusual.days_in(edition.period, anomaly):
            by_day.setdefault(places[0], []).append((number, places[1]))
    markers = []
    for first, found in by_day.items():
        numbers = [number for number, _ in found]
        low, high = (edition.figures.count(each) for each in (min(numbers), max(numbers)))
        label = low if low == high else f"{low}\u2013{high}"
        markers.append(
            Marker(
                label=label,
                at=round((first + 0.5) * slot, 2),
                width=_CHARACTER * len(label) + 7,
                first=round(first * slot, 2),
                last=round((max(last for _, last in found) + 1) * slot, 2),
            )
        )
    return tuple(markers)


def _notes(edition: Edition) -> tuple[Note, ...]:
    """Those in the chart, the largest first to be kept, in the order of their numbers."""
    drawn = [
        (number, anomaly)
        for number, anomaly in enumerate(unusual.numbered(edition), 1)
        if unusual.days_in(edition.period, anomaly)
    ]
    largest = sorted(drawn, key=lambda item: (-item[1].impact, item[0]))
    chosen = [*sorted(largest[:_NOTES], key=lambda item: item[0]), *largest[_NOTES:]]
    return tuple(
        Note(number=edition.figures.count(number), text=unusual.note(edition, anomaly)) for number, anomaly in chosen
    )


def _legend(edition: Edition, here: list[date]) -> tuple[Entry, ...]:
    wanted: list[tuple[Literal["bar", "estimated", "line", "weekend"], str, bool]] = [
        ("bar", edition.now_title, True),
        ("estimated", edition.say("e\u00a0estimated"), any(day in edition.estimated_days for day in here)),
        ("line", edition.before_title, edition.comparable),
        ("weekend", edition.say("weekend"), any(day.weekday() >= _SATURDAY for day in here)),
    ]
    entries, at = [], 0.0
    for kind, label, present in wanted:
        if present:
            entries.append(Entry(kind=kind, label=label, at=round(at, 2)))
            at += _CHARACTER * charts.width(label) + 36
    return tuple(entries)


def _days(edition: Edition) -> tuple[Day, ...]:
    """A row for each day of the longer period: the tenth day stands beside the tenth day.

    A day that is not known has no amount; a day before that is not compared has none either.
    """
    figures = edition.figures
    now, before = _column(edition.by_day, edition.total), _column(edition.previous_by_day, edition.previous_total)
    here, there = list(days(edition.period)), list(days(edition.previous)) if edition.comparable else []
    rows = []
    for day, counterpart in zip_longest(here, there):
        rows.append(
            Day(
                day=figures.weekday(day) if day else "",
                is_weekend=bool(day) and day.weekday() >= _SATURDAY,
                amount=_amount(edition, day, now, edition.by_day),
                mark="e" if day in edition.estimated_days else "",
                before_day=figures.weekday(counterpart) if counterpart else "",
                before=_amount(edition, counterpart, before, edition.previous_by_day)
                if counterpart is None or holds(edition.compared, counterpart)
                else EN_DASH,
            )
        )
    return tuple(rows)


def _amount(edition: Edition, day: date | None, column: dict[date, Decimal], exact: dict[date, Decimal]) -> str:
    if day is None:
        return ""
    return edition.figures.cell(column[day], exact[day]) if day in column else edition.figures.not_available


def _column(amounts: dict[date, Decimal], exact_sum: Decimal) -> dict[date, Decimal]:
    return dict(zip(amounts, fitted(list(amounts.values()), exact_sum), strict=True))
