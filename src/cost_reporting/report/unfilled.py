"""Days that Cost Explorer has not filled: what tables say of them, and of what there is of them already."""

from cost_reporting.periods import length
from cost_reporting.report.edition import Edition


def notes(edition: Edition) -> tuple[str, ...]:
    """Which days a table is about, and compares: a sentence, or none if they are all of both periods."""
    if edition.known == edition.period:
        return ()
    days = edition.figures.span(edition.known)
    missing = edition.say_n(
        "AWS has not filled {n} day at the end of the period yet.",
        "AWS has not filled {n} days at the end of the period yet.",
        length(edition.period) - length(edition.known),
    )
    if not edition.comparable:
        return (edition.say("Figures of {days} only.", days=days), missing)
    said = edition.say(
        "Figures of {days} only, compared with {before}.", days=days, before=edition.figures.span(edition.compared)
    )
    return (said, missing)


def partly(edition: Edition) -> str:
    """``Partly there: 31 Oct``: what a row is called that takes unfilled days out of a sum that contains them."""
    days = [day.day for day in edition.costs.days_partly_filled if day.day in edition.costs.missing]
    listed = edition.language.listed(edition.figures.short_day(day) for day in days)
    return edition.say("Partly there: {days}", days=listed)
