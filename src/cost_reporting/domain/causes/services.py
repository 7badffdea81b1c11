"""Services that are new, in use again, ended or begun, and what is left of all the others."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Final, NamedTuple

from cost_reporting.domain.causes.bill import NETTED, ZERO, Bill
from cost_reporting.domain.causes.facts import Cause
from cost_reporting.domain.causes.left import Left
from cost_reporting.money import CENT, cents
from cost_reporting.periods import last_day

_LATE: Final = timedelta(days=3)
"""A service whose first costs are later in its first month than the third day has begun in it."""
_SILENT: Final = 3
"""Days without costs at the end of a period, beyond which there is nothing since."""
_NEARLY: Final = Decimal("0.9")
_INEXACT: Final = Decimal("1e-9")
"""What divisions by days leave of an amount of which everything is explained."""


class Turnover(NamedTuple):
    """The services that came or went, each with its whole change."""

    services: frozenset[str]
    causes: tuple[Cause, ...]


def turnover(bill: Bill, left: Left) -> Turnover:
    """Services with no line in the period before, and those of which nothing is billed now.

    Lines that cost 0.00 are lines: the service was in use for free, and is neither new nor ended.
    """
    causes = []
    for service in left.services:
        now, before = bill.now.demand.get(service, ZERO), bill.before.demand.get(service, ZERO)
        amount = cents(left.change(service))
        if service not in bill.before.demand and now >= CENT:
            causes.append(_come(bill, service, amount))
        elif abs(now) < CENT <= before and service not in left.incidents:
            causes.append(Cause(kind="ended", amount=amount, service=service))
    return Turnover(frozenset(cause.service for cause in causes if cause.service), tuple(causes))


def _come(bill: Bill, service: str, amount: Decimal) -> Cause:
    last = bill.last_used.get(service)
    if last is None and bill.history_known:
        return Cause(kind="new", amount=amount, service=service)
    return Cause(kind="again", amount=amount, service=service, month=last)


class Begun(NamedTuple):
    """The services that began within the period before, and how much more a whole month of each is."""

    amounts: dict[str, Decimal]
    causes: tuple[Cause, ...]


def begun(bill: Bill, left: Left, *, but: frozenset[str]) -> Begun:
    """Services without a history whose first costs lie late in the period before, so that this is a first whole month.

    Those that began on the first day of the account are one cause together.
    """
    if not bill.history_known:
        return Begun({}, ())
    amounts, first_days = {}, {}
    for service in left.services:
        first = None if service in but or service in bill.last_used else _first_day(bill, service)
        if first is not None and first >= bill.before.period.start + _LATE:
            seen = (bill.before.period.end - first).days
            amounts[service] = left.before.get(service, ZERO) / seen * (bill.now.length - seen)
            first_days[service] = first
    whole = [service for service, first in first_days.items() if first == bill.began]
    whole = whole if len(whole) > 1 else []
    causes = [
        Cause(kind="begun", amount=cents(amounts[service]), service=service, day=first_days[service])
        for service in amounts
        if service not in whole
    ]
    if whole:
        amount = cents(sum((amounts[service] for service in whole), ZERO))
        causes.append(Cause(kind="costs_began", amount=amount, day=bill.began))
    return Begun(amounts, tuple(causes))


def _first_day(bill: Bill, service: str) -> date | None:
    """The first day with costs of ``service`` in the period before; with a line, if credits hide its costs."""
    netted = any(bill.before.of(service, *NETTED))
    costs = bill.net.get(service, {})
    return next((day for day in bill.before.days if day in costs and (netted or abs(costs[day]) >= CENT)), None)


def rest(bill: Bill, left: Left, explained: dict[str, Decimal], *, but: frozenset[str]) -> Iterator[Cause]:
    """What is left of each service ``but`` those that came or went, less what is ``explained`` otherwise."""
    for service in left.services:
        if service not in but:
            amount = left.change(service) - explained.get(service, ZERO)
            if abs(amount) > _INEXACT:
                since = _nothing_since(bill, service) if amount < 0 else None
                yield Cause(kind="service", amount=cents(amount), service=service, day=since)


def _nothing_since(bill: Bill, service: str) -> date | None:
    """The last day with costs of a service that cost something on nearly every day, and then on none."""
    by_day = bill.usage_days(service, bill.now) or {}
    costly = [day for day, amount in by_day.items() if amount >= CENT]
    last = max(costly, default=None)
    if last is None or (last_day(bill.now.period) - last).days <= _SILENT:
        return None
    behind = [day for day in bill.costs.days if last < day.day < bill.now.period.end]
    known = len(behind) == (last_day(bill.now.period) - last).days and not any(day.estimated for day in behind)
    often = len(costly) >= _NEARLY * ((last - bill.now.period.start).days + 1)
    return last if known and often else None
