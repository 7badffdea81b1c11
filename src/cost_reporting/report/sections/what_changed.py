"""What changed: which services moved the total, by how much, and which of them are new or gone."""

from decimal import Decimal
from typing import Final

from cost_reporting.contracts import Fact
from cost_reporting.money import cents, total
from cost_reporting.periods import length
from cost_reporting.report import charts
from cost_reporting.report.comparison import Comparison, Row, compare
from cost_reporting.report.edition import Edition, one_line

TOP: Final = 12
TOP_WITH_RATES: Final = 8
"""So that the days stay on the same page."""
WIDTH: Final = 600.0
ROW: Final = 17.0
NAMES: Final = 212.0
"""The part of the chart's width that names take."""
VALUES: Final = 62.0
"""The part on each side of the bars that their amounts take."""
_BAR: Final = 10.0
_NAME_LENGTH: Final = 40
_FEW: Final = 4


class Bar(Fact):
    """The words of one bar of the chart. Places are in the units of its view box."""

    name: str
    value: str
    y: float
    at: float
    anchor: str


class Contributions(Fact):
    """Bars about zero: rises to the right, falls to the left."""

    alt: str
    width: float
    height: float
    zero: float
    rises: str
    falls: str
    bars: tuple[Bar, ...]


class Rate(Fact):
    """A period with its length, so that like is compared with like."""

    name: str
    days: str
    total: str
    per_day: str
    is_change: bool


class Turnover(Fact):
    """Services that are new, or gone."""

    title: str
    text: str


class WhatChanged(Fact):
    """The movers as a chart and a table, rates per day where the periods differ in length, and what is new and gone."""

    finding: str
    caption: str
    currency: str
    now_title: str
    before_title: str
    table: Comparison
    chart: Contributions
    rates: tuple[Rate, ...]
    rates_note: str
    turnover: tuple[Turnover, ...]


def view(edition: Edition) -> WhatChanged | None:
    """The changes, if there is an earlier period and a service whose costs changed by what a table in cents can show.

    A weekly report has them beside the services, and the largest on its first page. Where credits paid for all of a
    period, net costs hide what changed, and the charges before them are compared.
    """
    if not edition.comparable or edition.costs.cadence != "monthly":
        return None
    of_usage = edition.covered_by_credits or edition.previous_covered_by_credits
    now, before = (
        (edition.usage_by_service, edition.previous_usage_by_service)
        if of_usage
        else (edition.by_service, edition.previous_by_service)
    )
    totals = (edition.usage, edition.previous_usage) if of_usage else (edition.total, edition.previous_total)
    if not any(cents(now.get(key, Decimal(0)) - before.get(key, Decimal(0))) for key in now.keys() | before.keys()):
        return None
    rates = () if of_usage else _rates(edition)
    table = compare(
        edition,
        now,
        before,
        top=TOP_WITH_RATES if rates else TOP,
        others=lambda n: edition.say_n("Other ({n} service)", "Other ({n} services)", n),
        name=one_line,
        totals=totals,
        by_change=True,
    )
    bars = [row for row in table.rows if row.gain and row.change]
    if not bars:
        return None
    finding = _finding(edition, now, before, table.sum.gain)
    return WhatChanged(
        finding=finding,
        caption=(
            edition.say(
                "Charges before credits and tax, largest change first, in {currency}", currency=edition.currency
            )
            if of_usage
            else edition.say("Net costs, largest change first, in {currency}", currency=edition.currency)
        ),
        currency=edition.currency,
        now_title=edition.now_title,
        before_title=edition.before_title,
        table=table,
        chart=_chart(edition, bars, finding),
        rates=rates,
        rates_note=_rates_note(edition),
        turnover=_turnover(edition, now, before),
    )


def _finding(edition: Edition, now: dict[str, Decimal], before: dict[str, Decimal], change: Decimal) -> str:
    """What rose and what fell, in amounts that add up to the change."""
    changes = [now.get(key, Decimal(0)) - before.get(key, Decimal(0)) for key in now.keys() | before.keys()]
    rises, falls = ([each for each in changes if cents(each) * sign > 0] for sign in (1, -1))
    up = cents(total(each for each in changes if each > 0)) if falls else change
    down = up - change if rises else -change
    if not falls:
        return edition.say_n(
            "{n} service costs more, {up} in all; none costs less.",
            "{n} services cost more, {up} in all; none costs less.",
            len(rises),
            up=_money(edition, up),
        )
    if not rises:
        return edition.say_n(
            "{n} service costs less, {down} in all; none costs more.",
            "{n} services cost less, {down} in all; none costs more.",
            len(falls),
            down=_money(edition, down),
        )
    amounts = {"up": _money(edition, up), "down": _money(edition, down), "change": _money(edition, abs(change))}
    if not change:
        return edition.say("What rose adds up to {up}, and so does what fell.", **amounts)
    if change > 0:
        return edition.say("What rose adds up to {up}, what fell to {down}: a rise of {change} in all.", **amounts)
    return edition.say("What rose adds up to {up}, what fell to {down}: a fall of {change} in all.", **amounts)


def _chart(edition: Edition, rows: list[Row], finding: str) -> Contributions:
    """One bar for each row but rounding. Amounts stand at the ends of the bars, names on the left."""
    low, high = min(Decimal(0), *(row.gain for row in rows)), max(Decimal(0), *(row.gain for row in rows))
    plot = WIDTH - NAMES - (VALUES if low < 0 else 0) - (VALUES if high > 0 else 0)
    unit = plot / float(high - low)
    zero = round(NAMES + (VALUES if low < 0 else 0) + float(-low) * unit, 2)
    spoken = edition.language.listed(
        edition.say("{name} {amount}", name=row.name, amount=row.difference) for row in rows
    )
    return Contributions(
        alt=edition.say(
            "Bar chart of the changes by service in {currency}. {finding} {changes}.",
            currency=edition.currency,
            finding=finding,
            changes=spoken,
        ),
        width=WIDTH,
        height=ROW * len(rows),
        zero=zero,
        rises=_path(rows, zero, unit, sign=1),
        falls=_path(rows, zero, unit, sign=-1),
        bars=tuple(
            Bar(
                name=charts.shortened(row.name, _NAME_LENGTH),
                value=row.difference,
                y=round(at * ROW + ROW / 2 + 3.5, 2),
                at=round(zero + float(row.gain) * unit + (5 if row.gain > 0 else -5), 2),
                anchor="start" if row.gain > 0 else "end",
            )
            for at, row in enumerate(rows)
        ),
    )


def _path(rows: list[Row], zero: float, unit: float, *, sign: int) -> str:
    chosen = [(at, float(row.gain) * unit) for at, row in enumerate(rows) if row.gain * sign > 0]
    return charts.bars_across(chosen, zero, row=ROW, thickness=_BAR)


def _rates(edition: Edition) -> tuple[Rate, ...]:
    """Both periods with their days, where they differ in length; a partial one counts from its first cost on."""
    partial = edition.basis == "partial"
    if not partial and not (edition.basis == "whole" and edition.lengths_differ):
        return ()
    figures = edition.figures
    began = edition.first_cost if partial else None
    now, before = length(edition.period), (edition.previous.end - (began or edition.previous.start)).days
    more, per_day = now - before, cents(edition.per_day) - cents(edition.previous_per_day)
    difference = cents(edition.total) - cents(edition.previous_total)
    rate = edition.per_day / edition.previous_per_day - 1
    return (
        Rate(
            name=edition.before_title,
            days=figures.count(before),
            total=figures.amount(edition.previous_total),
            per_day=figures.amount(edition.previous_per_day),
            is_change=False,
        ),
        Rate(
            name=edition.now_title,
            days=figures.count(now),
            total=figures.amount(edition.total),
            per_day=figures.amount(edition.per_day),
            is_change=False,
        ),
        Rate(
            name=edition.say("Difference"),
            days=_signed(edition, more),
            total=figures.difference(difference),
            per_day=edition.say(
                "{difference} ({percent})",
                difference=figures.difference(per_day),
                percent=figures.percent(rate, sign=True),
            ),
            is_change=True,
        ),
    )


def _signed(edition: Edition, count: int) -> str:
    sign = "+" if count > 0 else "\u2212" if count < 0 else ""
    return f"{sign}{edition.figures.count(abs(count))}"


def _rates_note(edition: Edition) -> str:
    """How much of the change is only the calendar."""
    more = length(edition.period) - length(edition.previous)
    if edition.basis != "whole" or not more:
        return ""
    worth = _money(edition, abs(more) * edition.previous_per_day)
    if more > 0:
        return edition.say_n(
            "The period has {n} day more: at the rate of the period before, that alone is {amount} more.",
            "The period has {n} days more: at the rate of the period before, that alone is {amount} more.",
            more,
            amount=worth,
        )
    return edition.say_n(
        "The period has {n} day less: at the rate of the period before, that alone is {amount} less.",
        "The period has {n} days less: at the rate of the period before, that alone is {amount} less.",
        -more,
        amount=worth,
    )


def _turnover(edition: Edition, now: dict[str, Decimal], before: dict[str, Decimal]) -> tuple[Turnover, ...]:
    sides = (
        (edition.say("New services"), now, before),
        (edition.say("Services without costs now"), before, now),
    )
    return tuple(
        Turnover(title=title, text=text) for title, here, there in sides if (text := _only(edition, here, there))
    )


def _only(edition: Edition, here: dict[str, Decimal], there: dict[str, Decimal]) -> str:
    only = sorted(
        ((name, amount) for name, amount in here.items() if cents(amount) and not there.get(name)),
        key=lambda item: (-abs(item[1]), item[0]),
    )
    few = len(only) if len(only) == _FEW + 1 else _FEW
    named = edition.language.listed(
        edition.say("{name} ({amount})", name=one_line(name), amount=edition.figures.amount(amount))
        for name, amount in only[:few]
    )
    if not (rest := only[few:]):
        return named
    return edition.say_n(
        "{names} and {n} other ({amount})",
        "{names} and {n} others ({amount})",
        len(rest),
        names=named,
        amount=edition.figures.amount(total(amount for _, amount in rest)),
    )


def _money(edition: Edition, amount: Decimal) -> str:
    return edition.figures.money(amount, edition.currency)
