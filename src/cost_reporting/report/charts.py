"""The geometry of charts: amounts to SVG path data. Pure; one path per series; the words are the caller's."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final
from unicodedata import east_asian_width

from cost_reporting.contracts import Fact

_STEPS: Final = tuple(Decimal(step) for step in (1, 2, 5, 10))


class Scale(Fact):
    """A vertical axis: the value at the bottom and at the top, and the values that get a line."""

    low: Decimal
    high: Decimal
    ticks: tuple[Decimal, ...]

    def y(self, value: Decimal, height: float) -> float:
        """How far below the top of a plot of ``height`` the value lies."""
        return round(float((self.high - value) / (self.high - self.low)) * height, 2)


def width(text: str) -> int:
    """The width of a text in Latin characters: those of East Asian scripts take the place of two."""
    return sum(2 if east_asian_width(char) in {"W", "F"} else 1 for char in text)


def shortened(text: str, room: int) -> str:
    """As much of a text as fits into ``room`` Latin characters."""
    if width(text) <= room:
        return text
    kept, taken = 0, 1
    for char in text:
        taken += width(char)
        if taken > room:
            break
        kept += 1
    return text[:kept].rstrip() + "\u2026"


def scale(values: Sequence[Decimal], *, lines: int = 4) -> Scale:
    """A round scale that holds zero and all ``values``."""
    low, high = min([Decimal(0), *values]), max([Decimal(0), *values])
    if low == high:
        return Scale(low=Decimal(0), high=Decimal(1), ticks=(Decimal(0),))
    raw = (high - low) / lines
    magnitude = Decimal(1).scaleb(raw.adjusted())
    step = next(unit * magnitude for unit in _STEPS if unit * magnitude >= raw)
    first, last = (low / step).to_integral_value("ROUND_FLOOR"), (high / step).to_integral_value("ROUND_CEILING")
    ticks = tuple(step * at for at in range(int(first), int(last) + 1))
    return Scale(low=ticks[0], high=ticks[-1], ticks=ticks)


def bars(values: Sequence[tuple[int, Decimal]], axis: Scale, *, slot: float, height: float, fill: float = 0.64) -> str:
    """Bars from zero, one per (slot number, value), as a single path."""
    width, zero = slot * fill, axis.y(Decimal(0), height)
    parts = []
    for at, value in values:
        x, y = round(at * slot + (slot - width) / 2, 2), axis.y(value, height)
        if y != zero:
            parts.append(f"M{x} {zero}V{y}h{round(width, 2)}V{zero}z")
    return "".join(parts)


def line(values: Sequence[tuple[int, Decimal]], axis: Scale, *, slot: float, height: float) -> str:
    """A line through the middles of the slots as a single path; it breaks where a slot has no value."""
    parts, last = [], None
    for at, value in values:
        command = "L" if last is not None and at == last + 1 else "M"
        parts.append(f"{command}{round((at + 0.5) * slot, 2)} {axis.y(value, height)}")
        last = at
    return "".join(parts)


def bars_across(lengths: Sequence[tuple[int, float]], zero: float, *, row: float, thickness: float) -> str:
    """Bars to the left and right of ``zero``, one per (row number, length), as a single path."""
    return "".join(
        f"M{zero} {round(at * row + (row - thickness) / 2, 2)}h{round(length, 2)}v{thickness}H{zero}z"
        for at, length in lengths
        if round(length, 2)
    )
