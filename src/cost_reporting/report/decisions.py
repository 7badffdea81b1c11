"""What needs a decision, in words: at most three, the most pressing first, and nothing if nothing does."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import islice
from typing import Final

from cost_reporting.costs import AccountNotRead, Anomaly, Commitments, Savings, Split
from cost_reporting.money import cents, total
from cost_reporting.report import budget, charts, gaps, potential, unusual
from cost_reporting.report.edition import Edition, one_line
from cost_reporting.report.language import to_say

MOST: Final = 3
DECISIONS_TITLE: Final = to_say("What needs a decision")
SOON: Final = 30
"""Days within which a commitment's end is pressing."""
_CLOSED: Final = frozenset({"ClientAccessDenied", "ClientMisconfigured", "CredentialsRejected", "PolicyDeniesAccess"})
"""Why an account is not read, where its client can give access again."""
_FEW: Final = 3
_SHORT: Final = 30
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
    yield from _access(edition)
    yield from _over_budget(edition)
    yield from _anomaly(edition)
    yield from _expiring(edition)
    yield from _savings(edition)
    yield from _untagged(edition)


def _access(edition: Edition) -> Iterator[str]:
    """Accounts that only the client can open again; the others come back by themselves, or are ours to set up."""
    closed = [account for account in edition.costs.accounts_not_read if account.error in _CLOSED]
    off = [account for account in edition.costs.accounts_not_read if account.error == "CostExplorerDisabled"]
    barred = [account for account in edition.costs.accounts_not_read if account.error == "PayerDeniesAccess"]
    if closed:
        yield edition.say_n(
            "Give us access to {accounts} again: without this account, every total is incomplete.",
            "Give us access to {accounts} again: without these accounts, every total is incomplete.",
            len(closed),
            accounts=_accounts(edition, closed),
        )
    if off:
        yield edition.say_n(
            "Switch on Cost Explorer in {accounts}: without this account, every total is incomplete.",
            "Switch on Cost Explorer in {accounts}: without these accounts, every total is incomplete.",
            len(off),
            accounts=_accounts(edition, off),
        )
    if barred:
        yield edition.say_n(
            "Let {accounts} use Cost Explorer, in the management account: without this account, every total is "
            "incomplete.",
            "Let {accounts} use Cost Explorer, in the management account: without these accounts, every total is "
            "incomplete.",
            len(barred),
            accounts=_accounts(edition, barred),
        )


def _accounts(edition: Edition, accounts: list[AccountNotRead]) -> str:
    few = accounts[:_FEW]
    named = edition.language.listed(
        gaps.named(edition, each) if len(accounts) <= _FEW else charts.shortened(one_line(each.name), _SHORT)
        for each in few
    )
    if len(accounts) <= _FEW:
        return named
    rest = len(accounts) - _FEW
    return edition.say_n("{names} and {n} other account", "{names} and {n} other accounts", rest, names=named)


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
    service, impact = unusual.service(edition, anomaly), unusual.impact(edition, anomaly)
    first = edition.figures.short_day(anomaly.first_day)
    if anomaly.last_day is None:
        return edition.say(
            "{service} has cost {impact} more than expected since {day}: was that intended?",
            service=service,
            impact=impact,
            day=first,
        )
    last = edition.figures.short_day(anomaly.last_day)
    if anomaly.last_day <= anomaly.first_day:
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
        if isinstance(tag.split, Split) and any(line.key for line in tag.split.current)
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
