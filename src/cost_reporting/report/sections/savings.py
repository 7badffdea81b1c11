"""Savings: what commitments have brought, and what AWS estimates that could be saved, piece by piece."""

from collections.abc import Iterator
from typing import Final

from cost_reporting.contracts import Fact
from cost_reporting.costs import NotAvailable, Purchase, Resize, Savings
from cost_reporting.money import shown, total
from cost_reporting.report import charts, gaps, potential
from cost_reporting.report.edition import Edition, one_line
from cost_reporting.report.figures import EN_DASH
from cost_reporting.report.gaps import Gap, gap
from cost_reporting.report.sections.commitments import achieved

TOP: Final = 6
_ID_LENGTH: Final = 22


class Advice(Fact):
    """A row of the table: what to do, where, what it takes, and what AWS estimates that it saves in a month."""

    what: str
    meaning: str
    instance: str
    account: str
    savings: str
    is_rest: bool = False


class Advised(Fact):
    """The sentence, the parts that could not be had, and the table; ``aside`` says what an estimate is."""

    finding: str
    missing: tuple[str, ...]
    currency: str
    rows: tuple[Advice, ...]
    sum: str
    aside: str


def view(edition: Edition) -> Advised | Gap | None:
    """The savings, if they were asked for; a weekly report says them in a sentence."""
    savings = edition.costs.savings
    if isinstance(savings, NotAvailable):
        return gap(edition, edition.say("Savings"), "savings", savings)
    if savings is None:
        return None
    rows = tuple(_rows(edition, savings)) if edition.costs.cadence == "monthly" else ()
    return Advised(
        finding=edition.language.together(*_finding(edition, savings)),
        missing=tuple(_missing(edition, savings)),
        currency=edition.currency,
        rows=rows,
        sum=edition.figures.amount(potential.monthly(savings)),
        aside=edition.say(
            "Estimates by AWS, made from what was used recently and at the prices on demand, with nothing to pay "
            "upfront. They overlap: acting on one lowers what the others would save."
        )
        if potential.advice(savings)
        else "",
    )


def _finding(edition: Edition, savings: Savings) -> Iterator[str]:
    told = edition.costs.commitments is not None  # by the section before
    if not told and not isinstance(savings.achieved, NotAvailable):
        known = [saved.net_savings for saved in savings.achieved if saved.net_savings is not None]
        yield achieved(edition, exists=bool(known), saved=total(known))
    whole = not any(isinstance(part, NotAvailable) for part in (savings.purchases, savings.resizes))
    if potential.advice(savings):
        amount = edition.figures.money(potential.monthly(savings), edition.currency)
        if whole:
            yield edition.say("AWS estimates that {amount} a month could be saved.", amount=amount)
        else:
            yield edition.say(
                "AWS estimates that {amount} a month could be saved, as far as its advice could be read.", amount=amount
            )
    elif whole:
        yield edition.say("AWS has no advice on how to save more.")


def _missing(edition: Edition, savings: Savings) -> Iterator[str]:
    for name, part in savings:
        if isinstance(part, NotAvailable):
            yield gaps.missing(edition, f"savings.{name}", part)


def _rows(edition: Edition, savings: Savings) -> Iterator[Advice]:
    """All purchases and the best changes; the others in one row, which takes the rounding rest too."""
    advice = potential.advice(savings)
    if not advice:
        return
    head, tail = (advice, ()) if len(advice) <= TOP + 1 else (advice[:TOP], advice[TOP:])
    rest = total(each.monthly_savings for each in tail)
    column = shown([*(each.monthly_savings for each in head), rest])
    for each, amount in zip(head, column, strict=False):
        written = edition.figures.cell(amount, each.monthly_savings)
        yield _purchase(edition, each, written) if isinstance(each, Purchase) else _resize(edition, each, written)
    if tail or column[-1]:
        what = (
            edition.say_n("Other ({n} piece of advice)", "Other ({n} pieces of advice)", len(tail))
            if tail
            else edition.say("Rounding")
        )
        yield Advice(
            what=what,
            meaning="",
            instance="",
            account="",
            savings=edition.figures.cell(column[-1], rest),
            is_rest=True,
        )


def _purchase(edition: Edition, purchase: Purchase, savings: str) -> Advice:
    amount = edition.figures.money(purchase.hourly, edition.currency)
    return Advice(
        what=edition.say("Buy a Compute Savings Plan of {amount} an hour", amount=amount),
        meaning=edition.say("A commitment for a year"),
        instance=EN_DASH,
        account=_account(purchase.account_id),
        savings=savings,
    )


def _resize(edition: Edition, resize: Resize, savings: str) -> Advice:
    kind = one_line(resize.instance_type)
    if resize.target is None:
        what = edition.say("End a {type} that idles", type=kind)
        meaning = edition.say("Ask who needs it")
    else:
        what = edition.say("Change a {type} to {target}", type=kind, target=one_line(resize.target))
        meaning = edition.say("A restart")
    found = (resize.resource_id, resize.region or "?")
    return Advice(
        what=what,
        meaning=meaning,
        instance=" · ".join(charts.shortened(one_line(each), _ID_LENGTH) for each in found if each),
        account=_account(resize.account_id),
        savings=savings,
    )


def _account(account_id: str) -> str:
    return charts.shortened(one_line(account_id), 16)
