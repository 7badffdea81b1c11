"""From usage to invoice: how charges, discounts, credits and tax lead to the net total."""

from decimal import Decimal

from cost_reporting.contracts import Fact
from cost_reporting.costs import GROUPS, Group
from cost_reporting.money import cents, total
from cost_reporting.report import words
from cost_reporting.report.edition import Edition

_NAMES: dict[Group, tuple[str, str]] = {
    "usage": ("Usage", "What was used, on demand and under commitments"),
    "commitment": ("Commitments", "Fees of reservations and Savings Plans, less the usage that they pay for"),
    "discount": ("Discounts", "Agreed with AWS or given by volume"),
    "support": ("Support", "The AWS Support plan"),
    "credit": ("Credits", "Promotional and other credits"),
    "refund": ("Refunds", "Paid back by AWS"),
    "tax": ("Tax", "As AWS charges it"),
    "other": ("Other charges", "Charges of no kind listed above"),
}
_MINUS_MEANS: dict[Group, str] = {"refund": "refund", "discount": "discount", "commitment": "already paid"}


class Step(Fact):
    """One step on the way."""

    name: str
    what: str
    amount: str
    word: str


class Invoice(Fact):
    """The steps and the net total that they arrive at."""

    sentence: str
    currency: str
    steps: tuple[Step, ...]
    net: str
    net_what: str
    net_word: str


def view(edition: Edition) -> Invoice:
    """The steps that occurred; usage always stands there, even as an honest zero."""
    groups = [group for group in GROUPS if group == "usage" or edition.by_group.get(group)]
    exact = [edition.by_group.get(group, Decimal(0)) for group in groups]
    steps = [
        Step(
            name=_NAMES[group][0],
            what=_NAMES[group][1],
            amount=edition.figures.amount(amount),
            word=_MINUS_MEANS.get(group, "credit") if amount < 0 else "charge" if amount else "",
        )
        for group, amount in zip(groups, exact, strict=True)
    ]
    if rest := cents(edition.total) - total(cents(amount) for amount in exact):
        what = "What the rounding of the steps leaves"
        steps.append(Step(name="Rounding", what=what, amount=edition.figures.amount(rest), word=""))
    return Invoice(
        sentence=_sentence(edition),
        currency=edition.currency,
        steps=tuple(steps),
        net=edition.figures.amount(edition.total),
        net_what="Covered by credits and refunds" if edition.covered_by_credits else "What the period cost, all told",
        net_word="credit" if cents(edition.total) < 0 else "charge" if cents(edition.total) else "",
    )


def _sentence(edition: Edition) -> str:
    figures, currency = edition.figures, edition.currency
    if edition.covered_by_credits:
        return words.headline(edition)
    usage = f"Your charges before credits and tax were {figures.money(edition.usage, currency)}"
    net = figures.money(edition.total, currency)
    if cents(edition.credits) < 0:
        offset = figures.money(-edition.credits, currency)
        return f"{usage}; credits and refunds took off {offset}; the net total is {net}."
    return f"{usage}; there were no credits or refunds; the net total is {net}."
