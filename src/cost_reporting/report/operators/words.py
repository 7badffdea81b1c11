"""Figures as operators read them: English, with a word where there is none."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache

from cost_reporting.report.figures import Figures


@lru_cache(maxsize=1)
def figures() -> Figures:
    """How figures are written."""
    return Figures("en_US")


def count(number: int | Decimal | None) -> str:
    """``1,234``, or ``n/a``."""
    return figures().not_available if number is None else f"{number:,.0f}"


def percent(ratio: Decimal | None) -> str:
    """``98.4 %``, or ``n/a``."""
    return figures().not_available if ratio is None else figures().percent(ratio)


def usd(amount: Decimal | None) -> str:
    """``USD 12.40``, or ``n/a``."""
    return figures().not_available if amount is None else figures().money(amount, "USD")


def moment(at: datetime) -> str:
    """``2026-10-17 06:00``."""
    return f"{at:%Y-%m-%d %H:%M}"


def some(names: Sequence[str], limit: int = 8) -> str:
    """The first names, and how many there are beyond them."""
    shown = ", ".join(names[:limit])
    return shown if len(names) <= limit else f"{shown} and {len(names) - limit:,} more"


def plural(number: int, one: str, many: str) -> str:
    """``1 client``, ``2 clients``."""
    return f"{number:,} {one if number == 1 else many}"
