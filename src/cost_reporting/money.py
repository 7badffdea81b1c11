"""Money: Decimal amounts with their currency beside them, and sums that stay true when they are shown rounded."""

from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Decimal

from cost_reporting.contracts import Amount, Fact

CENT = Decimal("0.01")


class Money(Fact):
    """An exact amount in a currency (ISO 4217). Adding two currencies is an error, never a number."""

    amount: Amount
    currency: str

    def __add__(self, other: "Money") -> "Money":
        return Money(amount=self.amount + other._same(self.currency), currency=self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(amount=self.amount - other._same(self.currency), currency=self.currency)

    def _same(self, currency: str) -> Decimal:
        if self.currency != currency:
            raise ValueError(f"{self.currency} and {currency} cannot be added")
        return self.amount


def cents(amount: Decimal) -> Decimal:
    """``amount`` to two decimals, half away from zero, as an invoice rounds; never a negative zero."""
    rounded = amount.quantize(CENT, rounding=ROUND_HALF_UP)
    return rounded or Decimal("0.00")


def total(amounts: Iterable[Decimal]) -> Decimal:
    """The exact sum."""
    return sum(amounts, Decimal(0))


def shown(amounts: Sequence[Decimal], *, rest: int = -1) -> list[Decimal]:
    """``amounts`` in cents such that they add up to the cents of their exact sum.

    The rounding difference goes into the amount at index ``rest`` (the last one: "Other"), so that a reader who adds up
    a table arrives at its total.
    """
    if not amounts:
        return []
    rounded = [cents(amount) for amount in amounts]
    rounded[rest] += cents(total(amounts)) - total(rounded)
    return rounded
