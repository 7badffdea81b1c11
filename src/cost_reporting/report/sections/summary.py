"""The executive summary: one page, read in a minute."""

from cost_reporting.contracts import Fact
from cost_reporting.money import cents
from cost_reporting.report import words
from cost_reporting.report.edition import Edition
from cost_reporting.report.figures import NOT_AVAILABLE


class Figure(Fact):
    """A large figure with its name above and what it means below."""

    name: str
    value: str
    note: str


class Summary(Fact):
    """The page: a sentence, four figures, the reasons, and how far to trust them."""

    headline: str
    badge: str
    number: str
    is_first_page: bool
    figures: tuple[Figure, ...]
    reasons_title: str
    reasons: tuple[str, ...]
    caveats: tuple[str, ...]
    equivalent: str | None


def view(edition: Edition) -> Summary:
    """The summary of any edition."""
    return Summary(
        headline=words.headline(edition),
        badge="Final" if edition.is_final else "Preliminary",
        number=edition.number,
        is_first_page=edition.costs.cadence != "monthly",
        figures=(_net(edition), _change(edition), _previous(edition), _usage(edition)),
        reasons_title="Why it changed" if edition.comparable else "What it was spent on",
        reasons=words.reasons(edition),
        caveats=words.caveats(edition),
        equivalent=words.equivalent(edition),
    )


def _net(edition: Edition) -> Figure:
    note = "what the period cost, all told"
    if edition.covered_by_credits:
        note = f"after {edition.figures.money(edition.usage, edition.currency)} of usage"
    elif cents(edition.total) < 0:
        note = "a credit in your favour"
    elif edition.estimated_days & edition.by_day.keys():
        note = "e\u00a0partly estimated"
    return Figure(name="Net total", value=edition.figures.money_headline(edition.total, edition.currency), note=note)


def _change(edition: Edition) -> Figure:
    if not edition.comparable:
        return Figure(name="Change", value=NOT_AVAILABLE, note="no earlier period to compare with")
    change = edition.figures.change(edition.total, edition.previous_total)
    difference = edition.figures.difference(cents(edition.total) - cents(edition.previous_total))
    note = f"{edition.currency}\u00a0{difference} on {edition.previous_words}"
    return Figure(name="Change", value=change, note=words.like_for_like(edition) or note)


def _previous(edition: Edition) -> Figure:
    if not edition.comparable:
        return Figure(name="Previous period", value=NOT_AVAILABLE, note="the account has no earlier costs")
    note = edition.figures.period(edition.previous)
    if edition.basis == "partial":
        note = f"{note}, p\u00a0partial"
    elif edition.basis == "zero":
        note = f"{note}: nothing was charged"
    return Figure(name="Previous period", value=edition.figures.money_headline(edition.previous_total, edition.currency), note=note)


def _usage(edition: Edition) -> Figure:
    note = f"credits and refunds: {edition.figures.amount(edition.credits)}" if edition.credits else "there were no credits"
    return Figure(name="Usage before credits", value=edition.figures.money_headline(edition.usage, edition.currency), note=note)
