"""Which causes are named, in which order, and where the cents go, so that the printed list adds up to the change."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

from cost_reporting.domain.causes.bill import Bill
from cost_reporting.domain.causes.facts import Cause
from cost_reporting.money import cents, total

_MOST: Final = 6
_MORE: Final = 3
"""So many more are named if everything else would be over a fifth of all that moved."""
_PART_OF_BILL: Final = Decimal("0.002")
_PART_OF_LARGEST: Final = Decimal("0.03")
_PART_OF_SMALL: Final = Decimal("0.05")
_SMALL_BILL: Final = Decimal(50)
_LEAST: Final = Decimal("0.50")
_LEAST_OF_SMALL: Final = Decimal("0.05")
_ROUNDING: Final = Decimal("0.05")
"""What rounding and the views' own difference leave at most, and one cause may take."""
_WHOLE_UNITS: Final = frozenset({"CLP", "ISK", "JPY", "KRW", "PYG", "UGX", "VND", "XAF", "XOF"})
"""Currencies without decimals (ISO 4217): their unit is worth about a cent of the others."""
_TOLD: Final = ("usage_type", "account_id", "region")
_SERVICES: Final = frozenset({"service", "new", "again", "ended", "begun"})


def chosen(bill: Bill, causes: Iterable[Cause], change: Decimal) -> tuple[Cause, ...]:
    """The causes as they are printed, the largest first, and everything else behind them: together ``change``."""
    every = sorted(causes, key=_rank)
    moved = [cause for cause in every if cause.amount]
    little = {cause.service for cause in every if not cause.amount and cause.kind in _SERVICES}
    floor = _floor(bill, moved)
    named, others = _named(moved, floor, change)
    if len(others) == 1 and not little:  # a single one is named, not hidden
        named, others = [*named, *others], []
    if not change and all(abs(cause.amount) < floor for cause in named):
        return ()
    rest = change - total(cause.amount for cause in named)
    if rest and not others and abs(rest) <= _ROUNDING:
        named, rest = _with_cents(named, rest)
    sides = _both_sides(others, rest, floor)
    shown = tuple(sorted(_with_incidents(named), key=_rank))
    if not rest and sides is None:
        return shown
    services = little | {cause.service for cause in others if cause.kind in _SERVICES}
    up, down = sides or (None, None)
    return (*shown, Cause(kind="else", amount=cents(rest), services=len(services), up=up, down=down))


def _rank(cause: Cause) -> tuple[object, ...]:
    """The largest first, in both directions; ties by kind, then by name, so that the same bytes come again."""
    said: tuple[object, ...] = ()
    if cause.anomaly is not None:
        said = (cause.anomaly.first_day, *(getattr(cause.anomaly, name) or "" for name in _TOLD))
    return (-abs(cause.amount), cause.kind, cause.service or "", said)


def _floor(bill: Bill, moved: Sequence[Cause]) -> Decimal:
    """What is too little to be named. On a small bill little is much."""
    largest = max((abs(cause.amount) for cause in moved), default=Decimal(0))
    size = max(abs(amount) for side in bill.sides for amount in (side.sum(), total(side.demand.values())))
    unit = 100 if bill.costs.currency in _WHOLE_UNITS else 1
    if size < _SMALL_BILL * unit:
        return max(_LEAST_OF_SMALL * unit, largest * _PART_OF_SMALL)
    return max(_LEAST * unit, size * _PART_OF_BILL, largest * _PART_OF_LARGEST)


def _named(moved: Sequence[Cause], floor: Decimal, change: Decimal) -> tuple[list[Cause], list[Cause]]:
    """Which of ``moved``, the largest first, are named, and which are not."""
    large, count = sum(abs(cause.amount) >= floor for cause in moved), _MOST
    whole = total(abs(cause.amount) for cause in moved)

    def is_named(place: int) -> bool:
        return place < min(large, count) or _always(moved[place])

    def everything_else() -> Decimal:
        return change - total(cause.amount for place, cause in enumerate(moved) if is_named(place))

    while count < min(large, _MOST + _MORE) and abs(everything_else()) * 5 > whole:
        count += 1
    places = range(len(moved))
    return [moved[n] for n in places if is_named(n)], [moved[n] for n in places if not is_named(n)]


def _always(cause: Cause) -> bool:
    """Refunds and incidents of this period are named, however small they are."""
    return cause.kind == "incident" or (cause.kind == "refunds" and bool(cause.now))


def _with_cents(named: list[Cause], rest: Decimal) -> tuple[list[Cause], Decimal]:
    """The largest cause that prints one amount only takes the rest; without one, the rest stays."""
    free = [cause for cause in named if cause.now is None and not cause.parts]
    if not free:
        return named, rest
    largest = min(free, key=_rank)
    others = [cause for cause in named if cause is not largest]
    changed = largest.model_copy(update={"amount": largest.amount + rest})
    return ([*others, changed] if changed.amount else others), Decimal(0)


def _with_incidents(named: Iterable[Cause]) -> list[Cause]:
    """The rest of a service of which an incident is named says so: else the service would seem to have only risen."""
    known = list(named)
    had = {cause.service for cause in known if cause.kind in {"incident", "incident_before"}}
    return [
        cause.model_copy(update={"otherwise": True}) if cause.kind == "service" and cause.service in had else cause
        for cause in known
    ]


def _both_sides(others: Sequence[Cause], rest: Decimal, floor: Decimal) -> tuple[Decimal, Decimal] | None:
    """Rises and falls of everything else, where each is much more than what they come to."""
    up = total(cause.amount for cause in others if cause.amount > 0)
    down = total(cause.amount for cause in others if cause.amount < 0)
    if min(up, -down) <= max(2 * abs(rest), floor):
        return None
    cents_left = rest - up - down
    return (up + cents_left, down) if up >= -down else (up, down + cents_left)
