"""The executive summary: one page, read in a minute."""

from decimal import Decimal
from itertools import dropwhile
from math import ceil
from typing import Final, Literal

from cost_reporting.contracts import Fact, Period
from cost_reporting.costs import Forecast, NotAvailable, by_month
from cost_reporting.money import cents
from cost_reporting.report import budget, charts, gaps, headline, words
from cost_reporting.report.causes import Reason
from cost_reporting.report.decisions import DECISIONS_TITLE, decisions
from cost_reporting.report.edition import Edition
from cost_reporting.report.language import to_say
from cost_reporting.report.phrases import during_previous, lacking
from cost_reporting.report.state import badge

WIDTH: Final = 600.0
HEIGHT: Final = 125.0
LOW: Final = 35.0
"""What does not fit beside the text is lower, and left out if it would be lower than this: the page stays one."""
_NO_ROOM: Final = -100.0
"""From here down the text itself needs more than the page, and is set closer."""
_PAGES: Final = {"A4": (172.0, 256.0), "Letter": (177.9, 238.4)}
"""Width and height of the page's text in millimetres."""
_ENOUGH_MONTHS: Final = 3
_TOO_WIDE: Final = Decimal(1_000_000)
"""From here on thirteen figures do not fit beside each other, and thousands are shown."""
_THOUSAND: Final = Decimal(1000)
_LONG, _LONGEST = 10, 13
"""Characters of a large figure, with two for its unit, that fit into a quarter of the page at 20 and at 14 points."""


class Figure(Fact):
    """A large figure with its name above and what it means below."""

    name: str
    unit: str
    value: str
    note: str

    @property
    def length(self) -> Literal["", "long", "longest"]:
        """How small the value is to be printed, so that it stays in its quarter of the page."""
        room = charts.width(self.value) + (2 if self.unit else 0)
        return "" if room <= _LONG else "long" if room <= _LONGEST else "longest"


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
    """The page: a sentence, four figures, the reasons, what needs a decision, and how far to trust the figures."""

    headline: str
    badge: str
    number: str
    is_first_page: bool
    figures: tuple[Figure, ...]
    has_long_names: bool
    reasons_title: str
    reasons: tuple[Reason, ...]
    has_amounts: bool
    decisions_title: str
    decisions: tuple[str, ...]
    trust_title: str
    caveats: tuple[str, ...]
    equivalent: str | None
    history: History | None
    is_dense: bool


def view(edition: Edition) -> Summary:
    """The summary of any edition."""
    reasons, pressing, caveats = words.reasons(edition), decisions(edition), words.caveats(edition)
    opening, equivalent = headline.headline(edition), words.equivalent(edition)
    figures = tuple(
        figure.model_copy(update={"name": figure.name + edition.dagger})
        for figure in (_net(edition), _change(edition), _outlook(edition), _yardstick(edition))
    )
    room = _room(edition, figures, (opening, equivalent), (tuple(each.sentence for each in reasons), caveats, pressing))
    return Summary(
        headline=opening,
        badge=badge(edition),
        number=edition.number,
        is_first_page=edition.costs.cadence != "monthly",
        figures=figures,
        has_long_names=any(
            _lines(figure.name, 7.9, _PAGES[edition.client.page_size][0] / 4 - 8) > 1 for figure in figures
        ),
        reasons_title=words.reasons_title(edition),
        reasons=reasons,
        has_amounts=any(reason.amount for reason in reasons),
        decisions_title=edition.say(DECISIONS_TITLE),
        decisions=pressing,
        trust_title=edition.say(words.TRUST_TITLE),
        caveats=caveats,
        equivalent=equivalent,
        history=_history(edition, min(HEIGHT, room)) if room >= LOW else None,
        is_dense=room < _NO_ROOM,
    )


def _net(edition: Edition) -> Figure:
    note = edition.say("what the period cost, all told")
    if edition.is_incomplete:
        note = edition.say("incomplete: without {what}", what=lacking(edition))
    elif edition.covered_by_credits:
        note = edition.say("after {amount} of usage", amount=edition.figures.money(edition.usage, edition.currency))
    elif cents(edition.total) < 0:
        note = edition.say("a credit in your favour")
    elif estimated := edition.estimated_days & edition.by_day.keys():
        whole = estimated == edition.by_day.keys()
        note = edition.say("e\u00a0estimated") if whole else edition.say("e\u00a0partly estimated")
    value = edition.figures.headline(edition.total)
    return Figure(name=edition.say("Net total"), unit=edition.currency, value=value, note=note)


def _change(edition: Edition) -> Figure:
    figures, say = edition.figures, edition.say
    if not edition.comparable:
        known = edition.costs.not_comparable is None
        note = say("no earlier period to compare with") if known else say("the period before is not known in full")
        return Figure(name=say("Change"), unit="", value=figures.not_available, note=note)
    if edition.covered_by_credits or (edition.judged_by_usage and not edition.days_not_there):
        change = figures.change(edition.demand, edition.previous_demand)
        note = say(
            "{now}, against {before} {then}",
            now=figures.amount(edition.demand),
            before=figures.amount(edition.previous_demand),
            then=during_previous(edition),
        )
        return Figure(name=say("Change of usage"), unit="", value=change, note=note)
    if edition.basis == "partial" and (percent := headline.rate_change(edition)):
        compared = headline.rates(edition)
        note = say("{rates}, p\u00a0partial", rates=compared) if compared else say("p\u00a0partial")
        return Figure(name=say("Change per day"), unit="", value=percent, note=note)
    change = figures.change(edition.total, edition.previous_total)
    difference = figures.difference(cents(edition.total) - cents(edition.previous_total))
    note = headline.like_for_like(edition) or say(
        "{difference} on {before}",
        difference=figures.of_currency(difference, edition.currency),
        before=headline.days_before(edition) if edition.days_not_there else edition.previous_words,
    )
    return Figure(name=say("Change"), unit="", value=change, note=note)


def _outlook(edition: Edition) -> Figure:
    """The forecast, if it was asked for; what was used before credits, if not."""
    forecast, figures, say = edition.costs.forecast, edition.figures, edition.say
    if forecast is None or (
        edition.covered_by_credits and isinstance(forecast, Forecast) and not cents(forecast.bounds[1])
    ):
        return _usage(edition)
    if isinstance(forecast, NotAvailable):
        note = say("not available: {reason}", reason=gaps.reason(edition, "forecast", forecast))
        return Figure(name=say("Forecast"), unit="", value=figures.not_available, note=note)
    low, high = (figures.headline(amount) for amount in forecast.bounds)
    note = say("most likely; the range is {low} to {high}", low=low, high=high) if low != high else say("most likely")
    name = say("Forecast, {month}", month=figures.period(forecast.month))
    return Figure(name=name, unit=edition.currency, value=figures.headline(forecast.mean), note=note)


def _yardstick(edition: Edition) -> Figure:
    """The part of the budget that is used, if there is one; the previous period, if not."""
    spent, figures = budget.spending(edition), edition.figures
    if spent is None:
        return _previous(edition)
    amount = figures.money(abs(spent.over), edition.currency)
    if edition.is_incomplete:  # a share of it would be too small, and what is left too much
        note = (
            edition.say("{amount} too much at least; the total is incomplete", amount=amount)
            if spent.over > 0
            else edition.say(
                "at least {spent} is used; the total is incomplete", spent=figures.money(spent.spent, edition.currency)
            )
        )
        name = edition.say("Budget, {month}", month=figures.period(spent.month))
        return Figure(name=name, unit=edition.currency, value=figures.headline(spent.budget), note=note)
    note = (
        edition.say("{amount} too much", amount=amount)
        if spent.over > 0
        else edition.say("{amount} left", amount=amount)
    )
    name = edition.say("Budget used, {month}", month=figures.period(spent.month))
    return Figure(name=name, unit="", value=figures.percent(spent.ratio), note=note)


def _room(
    edition: Edition, figures: tuple[Figure, ...], said: tuple[str, str | None], lists: tuple[tuple[str, ...], ...]
) -> float:
    """How high the chart of the months may be, in its own units: what report.css leaves of the page, on the safe side.

    The lists are the reasons, the caveats and the decisions.
    """
    width, height = _PAGES[edition.client.page_size]
    (lead, equivalent), (reasons, caveats, pressing) = said, lists
    taken = 29.0 + 8.05 * _lines(lead, 17.5, width)
    cell = width / 4 - 10
    taken += 15.0 + 3.9 * max(_lines(figure.name, 8.5, cell) for figure in figures)
    taken += 3.9 * max(_lines(figure.note, 8.5, cell) for figure in figures)
    taken += 3.0 + 4.6 * _lines(equivalent, 9.0, width) if equivalent else 0.0
    for texts, padding, line, beside in ((reasons, 2.4, 4.7, 30), (caveats, 1.6, 5.0, 8), (pressing, 2.8, 5.0, 8)):
        taken += 15.4 + sum(padding + line * _lines(text, 9.75, width - beside) for text in texts) if texts else 0.0
    title, words_of_the_chart, spare = 15.4, 48.0, 6.0
    return (height - taken - title - spare) * WIDTH / width // 5 * 5 - words_of_the_chart


def _lines(text: str, size: float, width: float) -> int:
    """About how many lines a text takes, set in ``size`` points to a width in millimetres."""
    latin, room = 0.45 * size, width * 72 / 25.4 * 0.98
    wide = charts.width(text) - len(text)
    return ceil(((len(text) - wide) * latin + wide * size) / room)


def _previous(edition: Edition) -> Figure:
    figures, say = edition.figures, edition.say
    name = say("Previous period")
    if not edition.comparable:
        known = edition.costs.not_comparable is None
        note = say("the account has no earlier costs") if known else say("not known in full")
        return Figure(name=name, unit="", value=figures.not_available, note=note)
    note = figures.period(edition.previous)
    if edition.basis == "partial":
        note = say("{period}, p\u00a0partial", period=note)
    elif edition.previous_covered_by_credits and edition.had_refunds:
        note = say("{period}: credits or refunds covered the usage", period=note)
    elif edition.previous_covered_by_credits:
        note = say("{period}: credits covered the usage", period=note)
    elif not edition.previous_total:
        note = say("{period}: nothing was charged", period=note)
    return Figure(name=name, unit=edition.currency, value=figures.headline(edition.previous_total), note=note)


def _usage(edition: Edition) -> Figure:
    note = (
        edition.say("credits and refunds: {amount}", amount=edition.figures.amount(edition.credits))
        if edition.credits
        else edition.say("there were no credits")
    )
    name, value = edition.say("Before credits and tax"), edition.figures.headline(edition.usage)
    return Figure(name=name, unit=edition.currency, value=value, note=note)


def _months(edition: Edition) -> list[tuple[Period, Decimal | None]]:
    """Every month from the first with costs on, with what it cost: None if that is not known; of the period, so far."""
    amounts: dict[Period, Decimal | None] = dict(by_month(edition.costs))
    amounts |= dict.fromkeys(edition.costs.months_not_known)
    amounts |= {edition.period: edition.total}
    months = sorted(amounts.items(), key=lambda item: item[0].start)
    return list(dropwhile(lambda item: not item[1], months))


def _history(edition: Edition, height: float) -> History | None:
    """The months that the document knows, from the first with costs on; nothing for fewer than three, or for a week."""
    if edition.costs.cadence != "monthly":
        return None
    months = _months(edition)
    known = [(at, period, amount) for at, (period, amount) in enumerate(months) if amount is not None]
    if len(known) < _ENOUGH_MONTHS:
        return None
    axis, slot = charts.scale([amount for _, _, amount in known]), WIDTH / len(months)
    current = [(at, amount) for at, period, amount in known if period == edition.period]
    older = [(at, amount) for at, period, amount in known if period != edition.period]
    figures = edition.figures
    spoken = edition.language.listed(
        edition.say(
            "{period} {amount}",
            period=figures.period(period),
            amount=figures.not_available if amount is None else figures.headline(amount),
        )
        for period, amount in months
    )
    wide = max(abs(amount) for _, _, amount in known) >= _TOO_WIDE
    unit = _THOUSAND if wide else Decimal(1)
    return History(
        title=edition.say(
            to_say("The last {n} months, in thousands of {currency}")
            if wide
            else to_say("The last {n} months, in {currency}"),
            n=figures.count(len(months)),
            currency=edition.currency,
        ),
        alt=edition.say(
            "Bar chart of the net costs of each month in {currency}: {months}.",
            currency=edition.currency,
            months=spoken,
        ),
        width=WIDTH,
        height=height,
        zero=axis.y(Decimal(0), height),
        bars=charts.bars(older, axis, slot=slot, height=height),
        current=charts.bars(current, axis, slot=slot, height=height),
        months=tuple(
            Month(
                label=figures.short_month(period.start),
                year=figures.year(period.start) if at == 0 or period.start.month == 1 else "",
                value=figures.not_available if amount is None else figures.headline(amount / unit),
                at=round((at + 0.5) * slot, 2),
                y=min(axis.y(amount or Decimal(0), height), axis.y(Decimal(0), height)) - 4,
                is_current=period == edition.period,
            )
            for at, (period, amount) in enumerate(months)
        ),
    )
