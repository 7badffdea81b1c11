"""Phrases that stand in a place of a sentence: when, of what, without what. Each fits its places in every language."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from cost_reporting.report import charts
from cost_reporting.report.edition import Edition, one_line

_FEW: int = 2
_SHORT: int = 30


def during(edition: Edition) -> str:
    """``in October 2026``, ``in the week of 12 to 18 October 2026``: the days that the total holds.

    Where the last days are not there yet: ``from 1 to 30 October 2026``.
    """
    if edition.days_not_there and edition.days_there is not None:
        return edition.say("from {days}", days=edition.figures.span(edition.days_there))
    if edition.costs.cadence == "monthly":
        return edition.say("in {month}", month=edition.period_words)
    return edition.say("in the week of {days}", days=edition.period_words)


def during_previous(edition: Edition) -> str:
    """``in September``, ``in the week before``: when the previous period was, to stand in a sentence."""
    match edition.previous_kind:
        case "monthly":
            return edition.say("in {month}", month=edition.previous_words)
        case "weekly":
            return edition.say("in the week before")
        case _:
            return edition.say("in the days before")


def lacking(edition: Edition) -> str:
    """What an incomplete total is without: ``Lager Gdańsk``, ``3 accounts``, ``Oct 31``; nothing if it is complete."""
    unread = edition.costs.accounts_not_read
    names = (
        [charts.shortened(one_line(account.name), _SHORT) for account in unread]
        if len(unread) <= _FEW
        else [edition.say_n("{n} account", "{n} accounts", len(unread))]
    )
    days = [day_ranges(edition, edition.days_not_there)] if edition.days_not_there else []
    return edition.language.listed([*names, *days])


def day_ranges(edition: Edition, dates: Sequence[date]) -> str:
    """``3 Oct, 29 Oct to 31 Oct``."""
    figures = edition.figures
    return edition.language.listed(
        figures.short_day(first)
        if first == last
        else figures.from_to(figures.short_day(first), figures.short_day(last))
        for first, last in _runs(sorted(dates))
    )


def _runs(dates: Sequence[date]) -> Iterator[tuple[date, date]]:
    first = last = None
    for day in dates:
        if first is None or last is None or day - last != timedelta(days=1):
            if first is not None and last is not None:
                yield first, last
            first = day
        last = day
    if first is not None and last is not None:
        yield first, last
