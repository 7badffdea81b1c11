"""What changed: the causes as a chart, and the services that moved, with amounts that add up to the change."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from cost_reporting.contracts import Fact
from cost_reporting.domain.causes import Cause
from cost_reporting.money import cents, total
from cost_reporting.periods import length
from cost_reporting.report import charts
from cost_reporting.report.causes import label
from cost_reporting.report.comparison import Comparison, compare
from cost_reporting.report.edition import Edition, capitalised, one_line
from cost_reporting.report.language import to_say

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


class WhatChanged(Fact):
    """The causes as a chart, the services that moved as a table, and rates per day where the periods differ in length.

    The causes of the first page are the one judge of why; the table says by how much, and no more.
    """

    finding: str
    caption: str
    currency: str
    now_title: str
    before_title: str
    table: Comparison | None
    chart: Contributions
    rates: tuple[Rate, ...]
    rates_caption: str
    rates_title: str


def view(edition: Edition) -> WhatChanged | None:
    """The changes, if there are causes to explain them.

    A weekly report has them on its first page, and beside the services. Where credits or refunds moved the total, net
    costs hide what changed, and the charges before them are compared.
    """
    causes = edition.explanation.causes
    if not edition.comparable or edition.costs.cadence != "monthly" or not causes:
        return None
    of_usage = edition.explanation.basis == "usage" or edition.judged_by_usage
    rates = () if of_usage else _rates(edition)
    finding = _finding(edition)
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
        table=_table(edition, of_usage=of_usage, top=TOP_WITH_RATES if rates else TOP),
        chart=_chart(edition, causes, finding),
        rates=rates,
        rates_caption=edition.say(
            to_say("Net costs of both periods by the day, in {currency}")
            if edition.basis == "partial"
            else to_say("Usage of both periods by the day, without fees, credits and tax, in {currency}"),
            currency=edition.currency,
        ),
        rates_title=edition.say("Net total") if edition.basis == "partial" else edition.say("Usage"),
    )


def _table(edition: Edition, *, of_usage: bool, top: int) -> Comparison | None:
    """The services that changed; None if none did by what a table in cents can show."""
    now, before = (
        (edition.usage_by_service, edition.previous_usage_by_service)
        if of_usage
        else (edition.by_service, edition.previous_by_service)
    )
    table = compare(
        edition,
        now,
        before,
        top=top,
        others=lambda n: edition.say_n("Other ({n} service)", "Other ({n} services)", n),
        name=one_line,
        totals=(edition.usage, edition.previous_usage) if of_usage else (edition.total, edition.previous_total),
        by_change=True,
    )
    return table if any(row.gain for row in table.rows) else None


def _finding(edition: Edition) -> str:
    """What rose and what fell, in amounts that add up to the change."""
    amounts = [cause.amount for cause in edition.explanation.causes]
    up, down = total(each for each in amounts if each > 0), -total(each for each in amounts if each < 0)
    change = edition.explanation.change or Decimal(0)
    if not down:
        return edition.say("Only rises: {up} in all.", up=_money(edition, up))
    if not up:
        return edition.say("Only falls: {down} in all.", down=_money(edition, down))
    said = {"up": _money(edition, up), "down": _money(edition, down)}
    if not change:
        return edition.say("What rose adds up to {up}, and so does what fell.", up=said["up"])
    said["change"] = _money(edition, abs(change))
    if change > 0:
        return edition.say("What rose adds up to {up}, what fell to {down}: a rise of {change} in all.", **said)
    return edition.say("What rose adds up to {up}, what fell to {down}: a fall of {change} in all.", **said)


def _chart(edition: Edition, causes: Sequence[Cause], finding: str) -> Contributions:
    """One bar for each cause. Amounts stand at the ends of the bars, names on the left."""
    gains = [cause.amount for cause in causes]
    low, high = min(Decimal(0), *gains), max(Decimal(0), *gains)
    plot = WIDTH - NAMES - (VALUES if low < 0 else 0) - (VALUES if high > 0 else 0)
    unit = plot / float(high - low) if high > low else 0.0
    zero = round(NAMES + (VALUES if low < 0 else 0) + float(-low) * unit, 2)
    names = [capitalised(label(edition, cause)) for cause in causes]
    values = [edition.figures.difference(gain) for gain in gains]
    spoken = edition.language.listed(
        edition.say("{name} {amount}", name=name, amount=value) for name, value in zip(names, values, strict=True)
    )
    return Contributions(
        alt=edition.say(
            "Bar chart of what changed in {currency}. {finding} {changes}.",
            currency=edition.currency,
            finding=finding,
            changes=spoken,
        ),
        width=WIDTH,
        height=ROW * len(gains),
        zero=zero,
        rises=_path(gains, zero, unit, sign=1),
        falls=_path(gains, zero, unit, sign=-1),
        bars=tuple(
            Bar(
                name=charts.shortened(name, _NAME_LENGTH),
                value=value,
                y=round(at * ROW + ROW / 2 + 3.5, 2),
                at=round(zero + float(gain) * unit + (5 if gain >= 0 else -5), 2),
                anchor="start" if gain >= 0 else "end",
            )
            for at, (name, value, gain) in enumerate(zip(names, values, gains, strict=True))
        ),
    )


def _path(gains: Sequence[Decimal], zero: float, unit: float, *, sign: int) -> str:
    chosen = [(at, float(gain) * unit) for at, gain in enumerate(gains) if gain * sign > 0]
    return charts.bars_across(chosen, zero, row=ROW, thickness=_BAR)


def _rates(edition: Edition) -> tuple[Rate, ...]:
    """Both periods with their days, where they differ in length.

    It is their usage that is compared: what is billed once a month is in no rate of a day. Of a period in which the
    costs began it is the net costs, from the first of them on.
    """
    partial = edition.basis == "partial"
    if edition.days_not_there or not (partial or (edition.basis == "whole" and edition.lengths_differ)):
        return ()
    figures, began = edition.figures, edition.first_cost if partial else None
    now, before = length(edition.period), (edition.previous.end - (began or edition.previous.start)).days
    sums = (edition.total, edition.previous_total) if partial else (edition.demand, edition.previous_demand)
    if cents(sums[1]) <= 0:
        return ()
    rate, rate_before = sums[0] / now, sums[1] / before
    return (
        Rate(
            name=edition.before_title,
            days=figures.count(before),
            total=figures.amount(sums[1]),
            per_day=figures.amount(rate_before),
            is_change=False,
        ),
        Rate(
            name=edition.now_title,
            days=figures.count(now),
            total=figures.amount(sums[0]),
            per_day=figures.amount(rate),
            is_change=False,
        ),
        Rate(
            name=edition.say("Difference"),
            days=_signed(edition, now - before),
            total=figures.difference(cents(sums[0]) - cents(sums[1])),
            per_day=edition.say(
                "{difference} ({percent})",
                difference=figures.difference(cents(rate) - cents(rate_before)),
                percent=figures.percent(rate / rate_before - 1, sign=True),
            ),
            is_change=True,
        ),
    )


def _signed(edition: Edition, count: int) -> str:
    sign = "+" if count > 0 else "\u2212" if count < 0 else ""
    return f"{sign}{edition.figures.count(abs(count))}"


def _money(edition: Edition, amount: Decimal) -> str:
    return edition.figures.money(amount, edition.currency)
