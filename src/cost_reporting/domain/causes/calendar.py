"""The calendar: what a longer or a shorter month alone makes, at the daily rate of the one before.

A service that is used by working days costs less on an added Saturday than on an average day, so its rate is by kind of
day where its days show that. Charges of the 1st are in no rate, and usage that Savings Plans cover is flat.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Final, NamedTuple

from cost_reporting.domain.causes.bill import FEES, ZERO, Bill, is_working
from cost_reporting.domain.causes.facts import Cause
from cost_reporting.domain.causes.fees import lump
from cost_reporting.domain.causes.incidents import Event, incident_days
from cost_reporting.domain.causes.left import Left
from cost_reporting.money import cents, total

_MOST_DAYS: Final = Decimal("0.8")
"""A service with lines on fewer days than this part of them is billed in lumps, and has no daily rate."""
_FEW: Final = 3
"""Days of a kind below which their mean says nothing."""
_ALIKE: Final = Decimal("0.05")
"""Working days and weekends that differ less are alike."""
_MANY: Final = 7
"""Other days that it takes to tell a lump of the 1st."""


class Calendar(NamedTuple):
    """What the calendar moved of each service, and the one cause that it makes, if it makes any."""

    by_service: Mapping[str, Decimal]
    causes: tuple[Cause, ...]


def calendar(bill: Bill, left: Left, found: list[Event], of_plans: Decimal, *, but: frozenset[str]) -> Calendar:
    """The calendar's part of all services ``but`` those that began or ended; ``of_plans`` is what plans add to it.

    Weeks have none: they are equally long, with the same days.
    """
    if bill.weekly:
        return Calendar({}, ())
    rates = {
        service: rate
        for service in left.services
        if service not in but and (rate := _rate(bill, left, service, incident_days(found, service)))
    }
    by_service = {service: rate.amount for service, rate in rates.items()}
    amount = cents(total(by_service.values()) + of_plans)
    longer = bill.now.length - bill.before.length
    weighted = total(left.before.get(service, ZERO) for service, rate in rates.items() if rate.weighted)
    worth_saying = not longer or weighted * 3 > total(bill.before.demand.values())
    working = bill.now.working_days - bill.before.working_days if worth_saying else None
    cause = Cause(kind="calendar", amount=amount, days=longer, working_days=working)
    return Calendar(by_service, (cause,) if amount else ())


class _Rate(NamedTuple):
    amount: Decimal
    weighted: bool


def _rate(bill: Bill, left: Left, service: str, unusual: frozenset[date]) -> _Rate | None:
    """What the calendar moves of one service; None if it is billed in lumps."""
    known = bill.net.get(service, {})
    if any(sum(day in known for day in side.days) < _MOST_DAYS * side.length for side in bill.sides):
        return None
    by_day = bill.usage_days(service, bill.before)
    calm = {day: amount for day, amount in (by_day or {}).items() if day not in unusual}
    first = bill.before.period.start
    once = lump(calm, first) if len(calm) > _MANY else ZERO
    covered = bill.before.covered.get(service, ZERO)
    base = left.before.get(service, ZERO) - once - covered
    longer = bill.now.length - bill.before.length
    even = Decimal(longer) / bill.before.length
    if once or any(bill.before.of(service, *FEES, "purchase")):
        calm.pop(first, None)
    ratio = None if any(bill.before.of(service, "tax", "support", "other")) else _by_kind_of_day(bill, calm)
    return _Rate(base * (even if ratio is None else ratio) + covered * even, ratio is not None)


def _by_kind_of_day(bill: Bill, calm: Mapping[date, Decimal]) -> Decimal | None:
    """How much more this month's days come to than those of the one before, each at the mean of its kind; or None."""
    working = [amount for day, amount in calm.items() if is_working(day)]
    weekend = [amount for day, amount in calm.items() if not is_working(day)]
    if min(len(working), len(weekend)) < _FEW:
        return None
    busy, free = total(working) / len(working), total(weekend) / len(weekend)
    if busy <= 0 or free <= 0 or abs(free / busy - 1) <= _ALIKE:
        return None
    before, now = (side.working_days * busy + (side.length - side.working_days) * free for side in bill.sides)
    return now / before - 1
