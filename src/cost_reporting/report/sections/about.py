"""About these figures: what they mean, where they come from and how they were rounded."""

from typing import Final

from cost_reporting.contracts import Fact
from cost_reporting.costs import PRICE_PER_REQUEST
from cost_reporting.money import CENT
from cost_reporting.periods import length
from cost_reporting.report import words
from cost_reporting.report.edition import Edition
from cost_reporting.report.figures import MINUS, NEW, NOT_AVAILABLE


class Entry(Fact):
    """A term and what it means."""

    term: str
    meaning: str


class About(Fact):
    """Facts about the figures, the marks, and a glossary."""

    facts: tuple[Entry, ...]
    marks: tuple[Entry, ...]
    glossary: tuple[Entry, ...]


_GLOSSARY: Final = (
    Entry(term="Usage", meaning="what was used of AWS's services, before credits, refunds and tax"),
    Entry(term="Credit", meaning="an amount that AWS takes off the bill, for instance from a promotion"),
    Entry(term="Refund", meaning="an amount that AWS pays back for an earlier charge"),
    Entry(term="Net total", meaning="charges less credits and refunds, with tax"),
    Entry(term="Commitment", meaning="a Savings Plan or a reservation: AWS for one or three years at a lower price"),
    Entry(term="Linked account", meaning="an AWS account whose bill another account pays"),
)


def view(edition: Edition) -> About:
    """The same for every client, apart from the facts."""
    return About(facts=_facts(edition), marks=_marks(edition), glossary=_GLOSSARY)


def _facts(edition: Edition) -> tuple[Entry, ...]:
    costs, figures = edition.costs, edition.figures
    each, price = (figures.money(amount, "USD") for amount in (PRICE_PER_REQUEST, edition.price))
    requests = f"{figures.count(costs.paid_requests)} paid request{'' if costs.paid_requests == 1 else 's'}"
    facts = {
        "Metric": f"AWS's {words.METRIC_NAMES[costs.metric]}: {words.METRIC_WORDS[costs.metric]}.",
        "Period": f"{figures.span(edition.period)}, both days included, in UTC: {length(edition.period)} days. "
        f"Compared with {figures.span(edition.previous)}: {length(edition.previous)} days.",
        "Source": f"AWS Cost Explorer, read on {figures.moment(costs.fetched_at)} from account {costs.account_id}.",
        "Price of these figures": f"{requests} to Cost Explorer at {each}: {price}, charged by AWS to that account.",
        "Rounding": "Sums are made of exact amounts and rounded once, half away from zero. A table's rows add up to "
        "its total: the cents that rounding leaves are in \u201cOther\u201d or \u201cRounding\u201d; among the days, "
        "single ones are rounded the other way.",
    }
    if equivalent := words.equivalent(edition):
        facts[f"Amounts in {edition.client.currency}"] = (
            f"AWS bills in {edition.currency}, and so does this report. For orientation: the net total is about "
            f"{equivalent}."
        )
    return tuple(Entry(term=term, meaning=meaning) for term, meaning in facts.items())


def _marks(edition: Edition) -> tuple[Entry, ...]:
    marks = {
        "e": "estimated: AWS may still change the figure",
        "p": "partial: costs began within the period",
        NEW: "no such costs in the previous period, so no percentage",
        NOT_AVAILABLE: "not available, or without meaning, such as a change from a credit",
        edition.figures.amount(CENT / 10): "more than nothing and less than half a cent",
        MINUS: "a minus: a credit, a refund, a discount or a fall",
    }
    return tuple(Entry(term=term, meaning=meaning) for term, meaning in marks.items())
