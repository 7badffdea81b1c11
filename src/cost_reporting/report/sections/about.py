"""About these figures: what they mean, where they come from and how they were rounded."""

from decimal import Decimal

from cost_reporting.contracts import Fact
from cost_reporting.costs import PRICE_PER_REQUEST
from cost_reporting.periods import length
from cost_reporting.report import words
from cost_reporting.report.edition import Edition


class Entry(Fact):
    """A term and what it means."""

    term: str
    meaning: str


class About(Fact):
    """Facts about the figures, the marks, and a glossary."""

    facts: tuple[Entry, ...]
    marks: tuple[Entry, ...]
    glossary: tuple[Entry, ...]


_MARKS = (
    Entry(term="e", meaning="estimated: AWS may still change the figure"),
    Entry(term="p", meaning="partial: the period holds fewer days of costs than it has days"),
    Entry(term="new", meaning="there were no such costs in the previous period, so there is no percentage"),
    Entry(term="n/a", meaning="not available: the figure would have no meaning, for instance a change from a credit"),
    Entry(term="< 0.01", meaning="more than nothing and less than half a cent"),
    Entry(term="\u2212", meaning="a minus: a credit, a refund, a discount or a fall"),
)
_GLOSSARY = (
    Entry(term="Usage", meaning="what was used of AWS's services, before credits, refunds and tax"),
    Entry(term="Credit", meaning="an amount that AWS takes off the bill, for instance from a promotion"),
    Entry(term="Refund", meaning="an amount that AWS pays back for an earlier charge"),
    Entry(term="Net total", meaning="charges less credits and refunds, with tax"),
    Entry(term="Savings Plan, reservation", meaning="a commitment to use AWS for one or three years at a lower price"),
    Entry(term="Linked account", meaning="an AWS account whose bill is paid through another one"),
)


def view(edition: Edition) -> About:
    """The same for every client, apart from the facts."""
    costs, figures = edition.costs, edition.figures
    price = figures.money(costs.paid_requests * PRICE_PER_REQUEST, "USD")
    requests = f"{figures.count(costs.paid_requests)} paid request{'' if costs.paid_requests == 1 else 's'}"
    facts = [
        Entry(
            term="Metric",
            meaning=f"AWS's {words.METRIC_NAMES[costs.metric]}: {words.METRIC_WORDS[costs.metric]}.",
        ),
        Entry(
            term="Period",
            meaning=f"{figures.span(edition.period)}, both days included, in UTC: {length(edition.period)} days. "
            f"Compared with {figures.span(edition.previous)}: {length(edition.previous)} days.",
        ),
        Entry(term="Source", meaning=f"AWS Cost Explorer, read on {figures.moment(costs.fetched_at)} from account {costs.account_id}."),
        Entry(
            term="Price of these figures",
            meaning=f"{requests} to Cost Explorer at {figures.money(PRICE_PER_REQUEST, 'USD')}: {price}, charged by AWS to that account.",
        ),
        Entry(
            term="Rounding",
            meaning="Sums are made of exact amounts and rounded once, half away from zero. The rows of a table add up to its "
            f"total: the difference of rounding, at most a few cents, is in \u201cOther\u201d or in the largest row.",
        ),
    ]
    if equivalent := words.equivalent(edition):
        facts.append(
            Entry(
                term=f"Amounts in {edition.client.currency}",
                meaning=f"AWS bills in {edition.currency}, and so does this report. For orientation: the net total is about {equivalent}.",
            )
        )
    marks = [mark if mark.term != "< 0.01" else Entry(term=figures.amount(Decimal("0.001")), meaning=mark.meaning) for mark in _MARKS]
    return About(facts=tuple(facts), marks=tuple(marks), glossary=_GLOSSARY)
