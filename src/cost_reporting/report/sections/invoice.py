"""From usage to invoice: how charges, discounts, credits and tax lead to the net total."""

from decimal import Decimal

from cost_reporting.contracts import Fact
from cost_reporting.costs import by_record_type
from cost_reporting.money import cents, total
from cost_reporting.record_types import GROUPS, Group
from cost_reporting.report import headline, unfilled
from cost_reporting.report.edition import Edition, one_line
from cost_reporting.report.language import to_say

_NAMES: dict[Group, tuple[str, str]] = {
    "usage": (to_say("Usage"), to_say("What was used, on demand and under commitments")),
    "commitment": (
        to_say("Commitments"),
        to_say("Fees of reservations and Savings Plans, less the usage that they pay for"),
    ),
    "discount": (to_say("Discounts"), to_say("Agreed with AWS or given by volume")),
    "subscription": (to_say("Subscriptions"), to_say("Flat rates and other subscriptions")),
    "support": (to_say("Support"), to_say("The AWS Support plan")),
    "credit": (to_say("Credits"), to_say("Promotional and other credits")),
    "refund": (to_say("Refunds"), to_say("Paid back by AWS")),
    "tax": (to_say("Tax"), to_say("As AWS charges it")),
    "other": (to_say("Other charges"), ""),
}
_CREDIT, _CHARGE = to_say("credit"), to_say("charge")
_MINUS_MEANS: dict[Group, str] = {
    "refund": to_say("refund"),
    "discount": to_say("discount"),
    "commitment": to_say("saved"),
}


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
            name=edition.say(_NAMES[group][0]),
            what=_unknown(edition) if group == "other" else edition.say(_NAMES[group][1]),
            amount=edition.figures.amount(amount),
            word=_word(edition, amount, _MINUS_MEANS.get(group, _CREDIT)),
        )
        for group, amount in zip(groups, exact, strict=True)
    ]
    if partly := -edition.contained:
        exact.append(partly)
        name, what = unfilled.partly(edition), edition.say("Counted once AWS has filled them")
        steps.append(Step(name=name, what=what, amount=edition.figures.amount(partly), word=""))
    if rest := cents(edition.total) - total(cents(amount) for amount in exact):
        name, what = edition.say("Rounding"), edition.say("What the rounding of the steps leaves")
        steps.append(Step(name=name, what=what, amount=edition.figures.amount(rest), word=""))
    return Invoice(
        sentence=_sentence(edition),
        currency=edition.currency,
        steps=tuple(steps),
        net=edition.figures.amount(edition.total),
        net_what=edition.say("Covered by credits and refunds")
        if edition.covered_by_credits
        else edition.say("What the period cost, all told"),
        net_word=_word(edition, cents(edition.total), _CREDIT),
    )


def _unknown(edition: Edition) -> str:
    """Record types that this version does not know, in AWS's own words: the reader can look them up there."""
    types = by_record_type(edition.costs, edition.period, "other")
    return edition.say("AWS calls them: {names}", names=", ".join(sorted(map(one_line, types))))


def _word(edition: Edition, amount: Decimal, minus: str) -> str:
    """What the sign of an amount means."""
    return edition.say(minus if amount < 0 else _CHARGE) if amount else ""


def _sentence(edition: Edition) -> str:
    figures, currency = edition.figures, edition.currency
    if edition.covered_by_credits:
        return headline.opening(edition)
    usage, net = figures.money(edition.usage, currency), figures.money(edition.total, currency)
    if cents(edition.credits) < 0:
        return edition.say(
            "Your charges before credits and tax were {usage}; credits and refunds took off {offset}; the net total is "
            "{net}.",
            usage=usage,
            offset=figures.money(-edition.credits, currency),
            net=net,
        )
    return edition.say(
        "Your charges before credits and tax were {usage}; there were no credits or refunds; the net total is {net}.",
        usage=usage,
        net=net,
    )
