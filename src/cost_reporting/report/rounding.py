"""Columns in cents that add up where there is no "Other" to take what rounding leaves."""

from collections.abc import Sequence
from decimal import Decimal

from cost_reporting.money import CENT, cents, total


def fitted(exact: Sequence[Decimal], to: Decimal) -> list[Decimal]:
    """``exact`` in cents that add up to the cents of ``to``: their sum, or another view of it that differs by a cent.

    What is left after rounding goes cent by cent to the amounts whose rounding moved them furthest, so that none is off
    by more than a cent: given to one row, the rest of thirty small amounts would be larger than the row. An exact zero
    stays one.
    """
    rounded = [cents(amount) for amount in exact]
    rest = cents(to) - total(rounded)
    step = CENT if rest > 0 else -CENT
    candidates = [at for at, amount in enumerate(exact) if amount] or list(range(len(exact)))
    candidates.sort(key=lambda at: (-(exact[at] - rounded[at]) * step, -abs(exact[at]), at))
    for turn in range(int(abs(rest) / CENT) if candidates else 0):
        rounded[candidates[turn % len(candidates)]] += step
    return rounded
