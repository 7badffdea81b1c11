"""The executive summary: one page, read in a minute."""

from decimal import Decimal
from itertools import dropwhile
from typing import Final

from cost_reporting.contracts import Fact
from cost_reporting.costs import by_month
from cost_reporting.money import cents
from cost_reporting.report import charts, words
from cost_reporting.report.edition import Edition
from cost_reporting.report.figures import NOT_AVAILABLE

WIDTH: Final = 600.0
HEIGHT: Final = 125.0
_ENOUGH_MONTHS: Final = 3
_TOO_WIDE: Final = Decimal(1_000_000)
"""From here on thirteen figures do not fit beside each other, and thousands are shown."""
_THOUSAND: Final = (Decimal(1000), "thousands of ")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Figure(Fact):
    """A large figure with its name above and what it means below."""

    name: str
    unit: str
    value: str
    note: str


class Month(Fact):
    """A bar of the history with its words. Places are in the units of the chart's view box."""

    label: str
    year: str
    value: str
    at: float
    y: float
    is_current: bool


class History(Fact):
    """The months before, and the one of the report, as bars with their figures on them."""

    title: str
    alt: str
    width: float
    height: float
    zero: float
    bars: str
    current: str
    months: tuple[Month, ...]


class Summary(Fact):
    """The page: a sentence, four figures, the reasons, and how far to trust them."""

    headline: str
    badge: str
    number: str
    is_first_page: bool
    figures: tuple[Figure, ...]
    reasons_title: str
    reasons: tuple[str, ...]
    trust_title: str
    caveats: tuple[str, ...]
    equivalent: str | None
    history: History | None


def view(edition: Edition) -> Summary:
    """The summary of any edition."""
    return Summary(
        headline=words.headline(edition),
        badge=edition.badge,
        number=edition.number,
        is_first_page=edition.costs.cadence != "monthly",
        figures=(_net(edition), _change(edition), _previous(edition), _usage(edition)),
        reasons_title=words.reasons_title(edition),
        reasons=words.reasons(edition),
        trust_title=words.TRUST_TITLE,
        caveats=words.caveats(edition),
        equivalent=words.equivalent(edition),
        history=_history(edition),
    )


def _net(edition: Edition) -> Figure:
    note = "what the period cost, all told"
    if edition.covered_by_credits:
        note = f"after {edition.figures.money(edition.usage, edition.currency)} of usage"
    elif cents(edition.total) < 0:
        note = "a credit in your favour"
    elif estimated := edition.estimated_days & edition.by_day.keys():
        note = "e\u00a0estimated" if estimated == edition.by_day.keys() else "e\u00a0partly estimated"
    return Figure(name="Net total", unit=edition.currency, value=edition.figures.headline(edition.total), note=note)


def _change(edition: Edition) -> Figure:
    figures, before = edition.figures, words.during_previous(edition)
    if not edition.comparable:
        return Figure(name="Change", unit="", value=NOT_AVAILABLE, note="no earlier period to compare with")
    if edition.covered_by_credits:
        change = figures.change(edition.usage, edition.previous_usage)
        note = f"{figures.amount(edition.usage)}, against {figures.amount(edition.previous_usage)} {before}"
        return Figure(name="Change of usage", unit="", value=change, note=note)
    if edition.basis == "partial" and (rate := words.like_for_like(edition)):
        percent, _, amounts = rate.partition(" per day: ")
        return Figure(name="Change per day", unit="", value=percent, note=f"{amounts}, p\u00a0partial")
    change = figures.change(edition.total, edition.previous_total)
    difference = figures.difference(cents(edition.total) - cents(edition.previous_total))
    note = f"{edition.currency}\u00a0{difference} on {edition.previous_words}"
    return Figure(name="Change", unit="", value=change, note=words.like_for_like(edition) or note)


def _previous(edition: Edition) -> Figure:
    if not edition.comparable:
        return Figure(name="Previous period", unit="", value=NOT_AVAILABLE, note="the account has no earlier costs")
    note = edition.figures.period(edition.previous)
    if edition.basis == "partial":
        note = f"{note}, p\u00a0partial"
    elif edition.previous_covered_by_credits:
        note = f"{note}: credits covered the usage"
    elif not edition.previous_total:
        note = f"{note}: nothing was charged"
    return Figure(
        name="Previous period", unit=edition.currency, value=edition.figures.headline(edition.previous_total), note=note
    )


def _usage(edition: Edition) -> Figure:
    note = (
        f"credits and refunds: {edition.figures.amount(edition.credits)}"
        if edition.credits
        else "there were no credits"
    )
    return Figure(
        name="Before credits and tax", unit=edition.currency, value=edition.figures.headline(edition.usage), note=note
    )


def _history(edition: Edition) -> History | None:
    """The months that the document knows, from the first with costs on; nothing for fewer than three, or for a week."""
    if edition.costs.cadence != "monthly":
        return None
    months = list(dropwhile(lambda item: not item[1], by_month(edition.costs).items()))
    if len(months) < _ENOUGH_MONTHS:
        return None
    axis, slot = charts.scale([amount for _, amount in months]), WIDTH / len(months)
    current = [(at, amount) for at, (period, amount) in enumerate(months) if period == edition.period]
    older = [(at, amount) for at, (period, amount) in enumerate(months) if period != edition.period]
    figures = edition.figures
    spoken = ", ".join(f"{figures.period(period)} {figures.headline(amount)}" for period, amount in months)
    unit, name = _THOUSAND if max(abs(amount) for _, amount in months) >= _TOO_WIDE else (Decimal(1), "")
    return History(
        title=f"The last {figures.count(len(months))} months, in {name}{edition.currency}",
        alt=f"Bar chart of the net costs of each month in {edition.currency}: {spoken}.",
        width=WIDTH,
        height=HEIGHT,
        zero=axis.y(Decimal(0), HEIGHT),
        bars=charts.bars(older, axis, slot=slot, height=HEIGHT),
        current=charts.bars(current, axis, slot=slot, height=HEIGHT),
        months=tuple(
            Month(
                label=_MONTHS[period.start.month - 1],
                year=str(period.start.year) if at == 0 or period.start.month == 1 else "",
                value=figures.headline(amount / unit),
                at=round((at + 0.5) * slot, 2),
                y=min(axis.y(amount, HEIGHT), axis.y(Decimal(0), HEIGHT)) - 4,
                is_current=period == edition.period,
            )
            for at, (period, amount) in enumerate(months)
        ),
    )
