"""Incidents: what AWS's anomaly detection reports, as far as the bill shows it, one cause for each event.

AWS says an impact over days that may lie in both periods, before them, or behind. Each period gets the part of it that
its days show above the usual costs, and never more than the service cost.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from decimal import Decimal
from statistics import median
from typing import Final

from cost_reporting.costs import SEVERAL_SERVICES, Anomaly, holds
from cost_reporting.domain.causes.bill import FEES, ZERO, Bill, Side
from cost_reporting.domain.causes.facts import Cause
from cost_reporting.domain.causes.left import Left
from cost_reporting.money import CENT, cents, total

_NEAR: Final = 35
"""How many days around an incident say what is usual."""
_SETTLED: Final = 2
"""AWS's end date is believed if it lies more than two days before the day of fetching."""


@dataclass(frozen=True)
class Event:
    """An anomaly with its days, the last one included; where AWS says no end, until the last day that is known."""

    anomaly: Anomaly
    last: date

    @property
    def days(self) -> tuple[date, ...]:
        """Its days, in order."""
        first = self.anomaly.first_day
        return tuple(first + timedelta(days=n) for n in range((self.last - first).days + 1))


def events(bill: Bill) -> list[Event]:
    """Each event once, the largest first: a monitor of services and one of accounts may both report it."""
    reports = bill.costs.anomalies
    found = reports if isinstance(reports, tuple) else ()
    return once(found, until=max(bill.known_days, default=bill.now.period.start))


def once(reports: Iterable[Anomaly], *, until: date) -> list[Event]:
    """The events of some reports with an impact; one that goes on lasts ``until`` then.

    Two reports are of one event if their days overlap and service, account, usage type and region are equal or not
    said. The one that says more stays.
    """
    found = [
        Event(anomaly, anomaly.last_day or max(until, anomaly.first_day)) for anomaly in reports if anomaly.impact > 0
    ]
    kept: list[Event] = []
    for event in sorted(found, key=_says_most):
        if not any(_same(event, other) for other in kept):
            kept.append(event)
    return sorted(kept, key=lambda event: (-event.anomaly.impact, _says_most(event)))


def _says_most(event: Event) -> tuple[object, ...]:
    anomaly = event.anomaly
    said = (anomaly.usage_type, anomaly.account_id, anomaly.region)
    return (
        anomaly.service == SEVERAL_SERVICES,
        said.count(None),
        -anomaly.impact,
        anomaly.first_day,
        event.last,
        anomaly.service,
        *(each or "" for each in said),
        anomaly.last_day is None,
        anomaly.expected is None,
        anomaly.expected or ZERO,
    )


def _same(one: Event, other: Event) -> bool:
    mine, its = one.anomaly, other.anomaly
    return (
        mine.first_day <= other.last
        and its.first_day <= one.last
        and (mine.service == its.service or SEVERAL_SERVICES in {mine.service, its.service})
        and all(
            a is None or b is None or a == b
            for a, b in (
                (mine.account_id, its.account_id),
                (mine.usage_type, its.usage_type),
                (mine.region, its.region),
            )
        )
    )


def incident_days(found: Iterable[Event], service: str) -> frozenset[date]:
    """The days on which ``service`` had an incident."""
    return frozenset(day for event in found if event.anomaly.service == service for day in event.days)


def incidents(bill: Bill, left: Left, found: list[Event]) -> Iterator[Cause]:
    """One cause for each event, taken out of what is ``left`` of its service."""
    reported = _reported(bill)
    for event in found:
        service = event.anomaly.service
        if service not in left.before and service not in left.now:
            continue
        seen = _Seen(bill, event, reported)
        before, now = (
            max(min(part, rest.get(service, ZERO)), ZERO)
            for part, rest in zip(seen.parts(), (left.before, left.now), strict=True)
        )
        before, now = (part if part >= CENT else ZERO for part in (before, now))
        if not before and not now:
            continue
        taken = left.incidents.get(service, (ZERO, ZERO))
        left.incidents[service] = (taken[0] + before, taken[1] + now)
        left.before[service] = left.before.get(service, ZERO) - before
        left.now[service] = left.now.get(service, ZERO) - now
        both = {"now": cents(now), "before": cents(before)} if now and before else {}
        yield Cause.model_validate(
            {
                "kind": "incident" if now else "incident_before",
                "amount": cents(now) - cents(before),
                "service": service,
                "anomaly": event.anomaly,
                "over": seen.over(),
            }
            | both
        )


def _reported(bill: Bill) -> dict[str, frozenset[date]]:
    """The days of all reports by service, also of those that tell of the same event."""
    reports = bill.costs.anomalies if isinstance(bill.costs.anomalies, tuple) else ()
    until = max(bill.known_days, default=bill.now.period.start)
    every = [Event(each, each.last_day or max(until, each.first_day)) for each in reports]
    return {service: incident_days(every, service) for service in {each.anomaly.service for each in every}}


class _Seen:
    """What the days of a service show of an event."""

    def __init__(self, bill: Bill, event: Event, reported: dict[str, frozenset[date]]) -> None:
        self.bill, self.event, self.service = bill, event, event.anomaly.service
        self.by_side = [bill.usage_days(self.service, side) for side in bill.sides]
        self.costs = self._costs()
        near = timedelta(days=_NEAR)
        calm = [
            amount
            for day, amount in self.costs.items()
            if day not in reported[self.service] and event.anomaly.first_day - near <= day <= event.last + near
        ]
        self.usual = median(calm) if calm else None
        self.excess = {day: self._above(day) for day in event.days if day in self.costs}

    def _costs(self) -> dict[date, Decimal]:
        """Its usage by day. Behind the period days are net: those on which a fee may lie are left out."""
        net = self.bill.net.get(self.service, {})
        has_fees = any(amount for side in self.bill.sides for amount in side.of(self.service, *FEES, "purchase"))
        behind = (day for day in self.bill.known_days if day >= self.bill.now.period.end)
        found = {day: net.get(day, ZERO) for day in behind if not (has_fees and day.day == 1)}
        for known in self.by_side:
            found |= known or {}
        return found

    def _above(self, day: date) -> Decimal:
        return ZERO if self.usual is None else max(self.costs[day] - self.usual, ZERO)

    def parts(self) -> list[Decimal]:
        """What of the impact belongs to the period before, and to this one."""
        return [self._part(side, known) for side, known in zip(self.bill.sides, self.by_side, strict=True)]

    def _part(self, side: Side, known: dict[date, Decimal] | None) -> Decimal:
        impact, own = self.event.anomaly.impact, [day for day in self.event.days if holds(side.period, day)]
        if not own:
            return ZERO
        by_number = impact * len(own) / len(self.event.days)
        if known is None:
            return min(by_number, self._more_than_before(side)) if self._in_one_period else by_number
        if self.usual is None:
            return by_number
        shown, whole = total(self.excess.get(day, ZERO) for day in own), total(self.excess.values())
        if not all(day in self.costs for day in self.event.days):
            part = shown * min(impact / whole, Decimal(1)) if whole else ZERO
        else:
            part = impact * shown / whole if whole else by_number
        return shown if shown * 2 < part else part

    @property
    def _in_one_period(self) -> bool:
        return not any(holds(self.bill.before.period, day) for day in self.event.days) or not any(
            holds(self.bill.now.period, day) for day in self.event.days
        )

    def _more_than_before(self, side: Side) -> Decimal:
        """What the bill shows of an event where its days do not: how much more was used, at equal days."""
        other = self.bill.now if side is self.bill.before else self.bill.before
        usual = other.demand.get(self.service, ZERO) * side.length / other.length
        return max(side.demand.get(self.service, ZERO) - usual, ZERO)

    def over(self) -> bool | None:
        """Whether the event has ended: by the three days behind it, or by AWS's end date once that has settled."""
        last = self.event.anomaly.last_day
        if last is None:
            return None
        behind = [self.costs[day] for n in (1, 2, 3) if (day := last + timedelta(days=n)) in self.costs]
        peak = max(self.excess.values(), default=ZERO)
        if len(behind) >= 2 and self.usual is not None and peak:
            return (total(behind) / len(behind) - self.usual) * 5 <= peak
        fetched = self.bill.costs.fetched_at.astimezone(UTC).date()
        return last < fetched - timedelta(days=_SETTLED)
