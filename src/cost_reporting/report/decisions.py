"""What needs somebody's decision, in words: at most three, the most pressing first, and nothing if nothing does."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import islice
from typing import Final

from cost_reporting.costs import Anomaly, Commitments, Savings
from cost_reporting.money import cents, total
from cost_reporting.report import budget, potential, unusual
from cost_reporting.report.edition import Edition, one_line

MOST: Final = 3
SOON: Final = 30
"""Days within which a commitment's end is pressing."""
_LARGE_ANOMALY: Final = Decimal("0.02")
_LARGE_SAVINGS: Final = Decimal("0.02")
_LARGE_UNTAGGED: Final = Decimal("0.25")
"""Parts of the total: from there on, an anomaly, an estimate or costs without a tag are worth a question."""


def decisions(edition: Edition) -> tuple[str, ...]:
    """The first three of what there is to decide."""
    return tuple(islice(_all(edition), MOST))


def expiring_soon(edition: Edition, commitments: Commitments) -> int:
    """How many commitments end within 30 days of the day of issue."""
    return sum(1 for expiry in commitments.expiring if (expiry.ends - edition.issued).days <= SOON)


def _all(edition: Edition) -> Iterator[str]:
    yield from _over_budget(edition)
    yield from _anomaly(edition)
    yield from _expiring(edition)
    yield from _savings(edition)
    yield from _untagged(edition)


def _over_budget(edition: Edition) -> Iterator[str]:
    spent, expected = budget.spending(edition), budget.expected(edition)
    if spent is not None and spent.over > 0:
        yield edition.say(
            "{month} is {over} over its budget of {budget}: raise the budget, or bring the costs down?",
            month=edition.figures.period(spent.month),
            over=_money(edition, spent.over),
            budget=_money(edition, spent.budget),
        )
    if expected is not None and expected.over > 0 and not (spent and spent.month == expected.month and spent.over > 0):
        yield edition.say(
            "{month} is likely to end {over} over its budget of {budget}: raise the budget, or bring the costs down?",
            month=edition.figures.period(expected.month),
            over=_money(edition, expected.over),
            budget=_money(edition, expected.budget),
        )


def _anomaly(edition: Edition) -> Iterator[str]:
    largest = max(unusual.numbered(edition), key=lambda anomaly: anomaly.impact, default=None)
    if largest is not None and cents(edition.total) > 0 and largest.impact >= _LARGE_ANOMALY * edition.total:
        yield _anomaly_words(edition, largest)


def _anomaly_words(edition: Edition, anomaly: Anomaly) -> str:
    service, impact = unusual.service(edition, anomaly), _money(edition, anomaly.impact)
    first, last = (edition.figures.short_day(day) for day in (anomaly.first_day, anomaly.last_day))
    if anomaly.first_day == anomaly.last_day:
        return edition.say(
            "{service} cost {impact} more than expected on {day}: was that intended?",
            service=service,
            impact=impact,
            day=first,
        )
    return edition.say(
        "{service} cost {impact} more than expected from {first} to {last}: was that intended?",
        service=service,
        impact=impact,
        first=first,
        last=last,
    )


def _expiring(edition: Edition) -> Iterator[str]:
    commitments = edition.costs.commitments
    if not isinstance(commitments, Commitments) or not (soon := expiring_soon(edition, commitments)):
        return
    yield edition.say_n(
        "{n} commitment ends within 30 days, on {day}: renew it?",
        "{n} commitments end within 30 days, the first on {day}: renew them?",
        soon,
        day=edition.figures.day(min(expiry.ends for expiry in commitments.expiring)),
    )


def _savings(edition: Edition) -> Iterator[str]:
    """What AWS estimates is of a month, so a week's total is no measure for it."""
    savings = edition.costs.savings
    if not isinstance(savings, Savings) or edition.costs.cadence != "monthly" or cents(edition.total) <= 0:
        return
    amount = potential.monthly(savings)
    if cents(amount) and amount >= _LARGE_SAVINGS * edition.total:
        yield edition.say(
            "AWS estimates that {amount} a month could be saved: which of its advice is to be followed?",
            amount=_money(edition, amount),
        )


def _untagged(edition: Edition) -> Iterator[str]:
    """The tag that most costs lack."""
    if not isinstance(edition.costs.tags, tuple) or cents(edition.total) <= 0:
        return
    lacking = [
        (total(line.amount for line in tag.split.current if not line.key) / edition.total, tag.tag_key)
        for tag in edition.costs.tags
        if any(line.key for line in tag.split.current)
    ]
    share, key = max(lacking, default=(Decimal(0), ""))
    if share >= _LARGE_UNTAGGED:
        yield edition.say(
            "{share} of the costs carry no tag {tag}: who answers for them?",
            share=edition.figures.percent(share),
            tag=one_line(key),
        )


def _money(edition: Edition, amount: Decimal) -> str:
    return edition.figures.money(amount, edition.currency)
