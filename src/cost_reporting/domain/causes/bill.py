"""The bill of both periods as causes are worked out from it: usage after agreed discounts, and all else beside it.

The base is demand: what was used, on demand, reserved or covered by Savings Plans, less agreed discounts. Usage on
demand alone falls when a Savings Plan begins, and a service's net costs fall when there is a refund; neither is a
reason.

The change is the sum of the changes of all buckets (``record_types``), so whatever moves parts from one cause to
another keeps it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property, lru_cache
from statistics import median
from typing import Final

from cost_reporting.contracts import Period
from cost_reporting.costs import CostDocument, RecordSpan, by_day, holds
from cost_reporting.money import CENT, total
from cost_reporting.periods import days, length, months_before
from cost_reporting.record_types import Bucket, bucket_of, charge_category_of

ZERO: Final = Decimal(0)
FEES: Final[tuple[Bucket, ...]] = ("tax", "support", "reservations", "other")
"""What AWS bills once a month, as a rule."""
NETTED: Final[tuple[Bucket, ...]] = ("credits", "refunds")
"""What is taken off a bill. Days are net of it, so that of a service that has any they do not show the usage."""
DEMAND: Final[tuple[Bucket, ...]] = ("usage", "discounts")

_WEEKEND: Final = 5

type Key = tuple[str, str]
"""A service and a record type."""
type Table = Mapping[Bucket, Mapping[Key, Decimal]]


@dataclass(frozen=True)
class Side:
    """One of the two periods. ``table`` has its exact amounts by bucket, service and record type.

    ``used`` are the services of which the document knows usage at any time.
    """

    period: Period
    table: Table
    used: frozenset[str]

    @property
    def length(self) -> int:
        """How many days it has."""
        return length(self.period)

    @cached_property
    def days(self) -> tuple[date, ...]:
        """Each of its days, in order."""
        return tuple(days(self.period))

    @cached_property
    def working_days(self) -> int:
        """Mondays to Fridays, everywhere: public holidays are not known."""
        return sum(is_working(day) for day in self.days)

    def lines(self, bucket: Bucket) -> Mapping[Key, Decimal]:
        """Its amounts in ``bucket``."""
        return self.table.get(bucket, {})

    def sum(self, *buckets: Bucket) -> Decimal:
        """Its total in ``buckets``; without any, of all of them."""
        return total(total(self.lines(bucket).values()) for bucket in buckets or self.table)

    def of(self, service: str, *buckets: Bucket) -> list[Decimal]:
        """Each amount that ``service`` has in ``buckets``."""
        return [amount for bucket in buckets for (name, _), amount in self.lines(bucket).items() if name == service]

    def by_service(self, bucket: Bucket) -> dict[str, Decimal]:
        """Its amounts in ``bucket`` by service."""
        return _sums((service, amount) for (service, _), amount in self.lines(bucket).items())

    def by_type(self, bucket: Bucket) -> dict[str, Decimal]:
        """Its amounts in ``bucket`` by record type."""
        return _sums((record_type, amount) for (_, record_type), amount in self.lines(bucket).items())

    @cached_property
    def usage(self) -> dict[str, Decimal]:
        """Usage by service before discounts; a service without a line of usage is absent, not zero."""
        return self.by_service("usage")

    @cached_property
    def demand(self) -> dict[str, Decimal]:
        """Usage by service after agreed discounts.

        Discounts that are billed as a service of their own, which never has usage, belong to all services alike.
        """
        discounts = self.by_service("discounts")
        whole = total(self.usage.values())
        apart = {name for name in discounts if name not in self.used} if whole else set()
        share = total(discounts[name] for name in sorted(apart)) / whole if apart else ZERO
        names = sorted((self.usage.keys() | discounts.keys()) - apart)
        return {name: self.usage.get(name, ZERO) * (1 + share) + discounts.get(name, ZERO) for name in names}

    @cached_property
    def covered(self) -> dict[str, Decimal]:
        """The usage by service that Savings Plans take off: flat over the hours, so the days do not show it."""
        plans = self.lines("plans").items()
        return _sums((name, -amount) for (name, kind), amount in plans if charge_category_of(kind) == "Usage")

    @property
    def charges(self) -> Decimal:
        """Everything but credits and refunds."""
        return self.sum() - self.sum(*NETTED)


@dataclass(frozen=True)
class Bill:
    """Both periods of a cost document, and what it knows of the time around them."""

    costs: CostDocument
    before: Side
    now: Side

    @property
    def sides(self) -> tuple[Side, Side]:
        """The period before, and this one."""
        return self.before, self.now

    @property
    def weekly(self) -> bool:
        """Whether weeks are compared: of these the document knows every day by record type, and nothing older."""
        return self.costs.cadence == "weekly"

    @cached_property
    def known_days(self) -> frozenset[date]:
        """The days of which the document has costs, zero among them."""
        return frozenset(day.day for day in self.costs.days)

    @cached_property
    def net(self) -> dict[str, dict[date, Decimal]]:
        """Net costs by service and day: the days that have a line of the service, be it 0.00."""
        found: defaultdict[str, dict[date, Decimal]] = defaultdict(dict)
        for day in self.costs.days:
            for line in day.lines:
                found[line.key][day.day] = found[line.key].get(day.day, ZERO) + line.amount
        return dict(found)

    @cached_property
    def by_record(self) -> dict[date, Side]:
        """Each day of two weeks as a side of its own; empty for months."""
        if not self.weekly:
            return {}
        sides = (_side(self.costs, span.period, self.now.used) for span in self.costs.spans)
        return {side.period.start: side for side in sides}

    def usage_days(self, service: str, side: Side) -> dict[date, Decimal] | None:
        """What ``service`` used on each known day of ``side``, or None if the days cannot tell.

        A week's record lines say it. A month's days are net: with credits or refunds they say nothing of the usage. A
        fee, of which the day is not known, is taken off the day that is nearest to the usual costs without it.
        """
        if self.weekly:
            return {
                day: one.demand.get(service, ZERO) for day, one in self.by_record.items() if holds(side.period, day)
            }
        if any(side.of(service, *NETTED)):
            return None
        costs = self.net.get(service, {})
        found = {day: costs.get(day, ZERO) for day in side.days if day in self.known_days}
        usual = median(found.values()) if found else ZERO
        for fee in sorted(side.of(service, *FEES, "purchase"), key=abs, reverse=True):
            if not fee:
                continue
            day = min(found, key=lambda day: (abs(found[day] - fee - usual), day))
            found[day] -= fee
            if found[day] < -CENT:
                return None
        return found

    @cached_property
    def last_used(self) -> dict[str, date]:
        """The last month before the previous period in which a service had usage of a cent or more."""
        found: dict[str, date] = {}
        for span in self.older:
            used = (line for line in span.lines if _bucket(line.record_type) == "usage")
            usage = _sums((line.service, line.amounts.by(self.costs.metric)) for line in used)
            found |= {name: span.period.start for name, amount in usage.items() if amount >= CENT}
        return found

    @cached_property
    def history_known(self) -> bool:
        """Whether the document knows all of the twelve months before this period."""
        if self.weekly or self.costs.months_not_known:
            return False
        known = {span.period.start for span in self.costs.spans}
        first = months_before(self.now.period, 12)
        return all(day in known for day in days(first) if day.day == 1)

    @cached_property
    def began(self) -> date | None:
        """The first day with costs in the previous period, if the account is known to have had none before."""
        if not self.history_known or any(
            line.amounts.by(self.costs.metric) for span in self.older for line in span.lines
        ):
            return None
        costly = (day for day, amount in by_day(self.costs, self.before.period).items() if abs(amount) >= CENT)
        return min(costly, default=None)

    @cached_property
    def older(self) -> tuple[RecordSpan, ...]:
        """The months before the previous period, in order."""
        older = (span for span in self.costs.spans if span.period.end <= self.before.period.start)
        return tuple(sorted(older, key=lambda span: span.period.start))


def is_working(day: date) -> bool:
    """Whether a day is one from Monday to Friday."""
    return day.weekday() < _WEEKEND


def bill_of(costs: CostDocument) -> Bill:
    """The bill of a cost document."""
    used = _used(costs)
    return Bill(costs=costs, before=_side(costs, costs.previous, used), now=_side(costs, costs.period, used))


def demand(costs: CostDocument, period: Period) -> dict[str, Decimal]:
    """What each service cost in ``period`` by usage after agreed discounts, exact, by the report's metric."""
    return dict(_side(costs, period, _used(costs)).demand)


def usage_total(costs: CostDocument, period: Period) -> Decimal:
    """Usage after agreed discounts in ``period``, exact, by the report's metric."""
    return total(demand(costs, period).values())


def _used(costs: CostDocument) -> frozenset[str]:
    lines = (line for span in costs.spans for line in span.lines)
    return frozenset(line.service for line in lines if _bucket(line.record_type) == "usage")


def _side(costs: CostDocument, period: Period, used: frozenset[str]) -> Side:
    table: defaultdict[Bucket, defaultdict[Key, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for span in costs.spans:
        if period.start <= span.period.start and span.period.end <= period.end:
            for line in span.lines:
                table[_bucket(line.record_type)][line.service, line.record_type] += line.amounts.by(costs.metric)
    return Side(period=period, table={bucket: dict(lines) for bucket, lines in table.items()}, used=used)


_bucket = lru_cache(maxsize=256)(bucket_of)


def _sums[K](pairs: Iterable[tuple[K, Decimal]]) -> dict[K, Decimal]:
    sums: defaultdict[K, Decimal] = defaultdict(Decimal)
    for key, amount in pairs:
        sums[key] += amount
    return dict(sums)
