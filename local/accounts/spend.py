"""What an account spends: the daily amounts behind its bill, kept as running totals."""

import calendar
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import accumulate

from local.accounts.account import Account, Reservation, Spike
from local.accounts.dice import throw
from local.accounts.services import EC2, NO_REGION, NO_USAGE_TYPE, PLANNED, RDS, SAVINGS_PLANS, TAX
from local.accounts.spread import Cell, Cells, cells_of, shared_cells, spike_cell

UNIT = 10**10
"""One US dollar."""

HISTORY_MONTHS = 13
"""Whole months before the current one that an account keeps: what Cost Explorer shows without the 38-month opt-in."""


@dataclass(frozen=True)
class Row:
    """One (service, record type) of an account, as running totals: ``sums[metric][d]`` is the sum of the first d days.

    Days are counted from the ledger's ``start``. Metrics are named as GetCostAndUsage names them.
    """

    service: str
    record_type: str
    cells: Callable[[], Cells]
    sums: Mapping[str, Sequence[int]]
    charges: Sequence[int]
    """Running count of days with a charge: a group whose charges cancel out is still a group."""


@dataclass(frozen=True)
class Ledger:
    """All that an account spent from ``start``, a first of month, until yesterday: ``today`` is not billed yet."""

    account: Account
    start: date
    today: date
    rows: tuple[Row, ...]

    def index(self, day: date) -> int:
        """Where a day stands in the running totals, clipped to the days on record."""
        return min(max((day - self.start).days, 0), (self.today - self.start).days)


def months_before(day: date, months: int) -> date:
    """The first day of the month so many months before the day's own."""
    count = day.year * 12 + day.month - 1 - months
    return date(count // 12, count % 12 + 1, 1)


def spike_days(spike: Spike, today: date) -> tuple[date, date]:
    """First and last day of the spike."""
    first = months_before(today, spike.months_ago) + timedelta(days=spike.day - 1)
    return first, first + timedelta(days=spike.days - 1)


def ledger(account: Account, today: date) -> Ledger:
    """Work out an account's costs as they stand on the morning of ``today`` (UTC)."""
    return Ledger(account, months_before(today, HISTORY_MONTHS), today, tuple(_Book(account, today).rows()))


class _Book:
    """The making of one ledger: daily amounts first, running totals last."""

    def __init__(self, account: Account, today: date) -> None:
        self.account = account
        self.today = today
        self.start = months_before(today, HISTORY_MONTHS)
        self.days = [self.start + timedelta(days=n) for n in range((today - self.start).days)]
        self.months = [months_before(today, ago) for ago in range(HISTORY_MONTHS, -1, -1)]
        self.opened = self.start
        if account.opened_months_ago is not None:
            self.opened = max(self.start, months_before(today, account.opened_months_ago))
        self.taxable = [0] * len(self.days)
        self.usage = [0] * len(self.days)

    def rows(self) -> Iterator[Row]:
        """As they depend on each other: support is a share of the usage, and tax of all that comes before it."""
        account = self.account
        yield from self.services()
        if account.reservation:
            yield from self.reservation(account.reservation)
        for spike in account.spikes:
            yield self.spike(spike)
        if account.support:
            yield self.support(*account.support)
        for event in account.events:
            amounts = self.nothing()
            self.book(amounts, months_before(self.today, event.months_ago), event.day, int(event.amount * UNIT))
            yield self.row(event.service, event.record_type, amounts)
        if account.tax:
            taxes = self.by_month(self.taxable, account.tax)
            yield self.row(TAX, "Tax", taxes, cells=lambda: shared_cells(account))

    def services(self) -> Iterator[Row]:
        """Usage, less what a Savings Plan covers, discounts and credits; then the plan's own fee."""
        account, plan = self.account, self.account.savings_plan
        committed = int(plan.hourly * 24 * UNIT) if plan else 0
        fee = [committed if day >= self.opened else 0 for day in self.days]
        free = fee
        for service, monthly in account.services:
            spend = self.spend(service, monthly)
            self.usage = [total + amount for total, amount in zip(self.usage, spend, strict=True)]
            if plan and service in PLANNED:
                most = [amount * plan.covers * plan.rate // 10**6 for amount in spend]
                used = [min(left, amount) for left, amount in zip(free, most, strict=True)]
                free = [left - amount for left, amount in zip(free, used, strict=True)]
                covered = [amount * 1000 // plan.rate for amount in used]
                spend = [amount - part for amount, part in zip(spend, covered, strict=True)]
                yield self.row(service, "SavingsPlanCoveredUsage", covered, amortized=used, quantity=covered)
                yield self.row(service, "SavingsPlanNegation", [-part for part in covered], amortized=self.nothing())
            discount = [amount * account.discount // 1000 for amount in spend]
            net = [amount - part for amount, part in zip(spend, discount, strict=True)]
            yield self.row(service, "Usage", spend, net=net, quantity=spend)
            if account.discount:
                off = [-part for part in discount]
                yield self.row(service, "Enterprise Discount Program Discount", off, net=self.nothing())
            if account.credit:
                yield self.row(service, "Credit", [-amount * account.credit // 1000 for amount in spend])
        if plan:
            yield self.row(SAVINGS_PLANS, "SavingsPlanRecurringFee", fee, amortized=free)

    def spend(self, service: str, monthly: Decimal) -> list[int]:
        """List price of each day: base, trend, the month's mood, the week's rhythm and noise, all in whole units."""
        base = int(monthly * UNIT) // 30
        weekend, mood = self.account.weekend, self.account.mood
        amounts: list[int] = []
        for month in self.months:
            dice = throw(self.account.id, service, month.isoformat())
            since = (month.year - 2025) * 12 + month.month - 1
            level = base * max(1000 + self.account.trend * since, 100) * (1000 - mood + dice[0] * 2 * mood // 255)
            first_weekday, length = calendar.monthrange(month.year, month.month)
            for n in range(length):
                rhythm = weekend if (first_weekday + n) % 7 >= 5 else 1000
                amounts.append(level * rhythm * (965 + dice[n + 1] * 70 // 255) // 10**12)
        del amounts[len(self.days) :]
        closed = (self.opened - self.start).days
        amounts[:closed] = [0] * closed
        return amounts

    def reservation(self, terms: Reservation) -> Iterator[Row]:
        hourly, upfront = int(terms.hourly * 24 * UNIT), int(terms.upfront * UNIT)
        each_day = hourly + upfront // 365
        used = each_day * terms.used // 1000
        live = [int(day >= self.opened) for day in self.days]
        yield self.row(
            RDS,
            "DiscountedUsage",
            self.nothing(),
            amortized=[used * on for on in live],
            quantity=[each_day * terms.used // 600 * on for on in live],
        )
        fees = [
            hourly * calendar.monthrange(day.year, day.month)[1] * on if day.day == 1 else 0
            for day, on in zip(self.days, live, strict=True)
        ]
        yield self.row(RDS, "Recurring", fees, amortized=[(each_day - used) * on for on in live])
        bought = [
            upfront * on if (day.month, day.day) == (3, 1) else 0 for day, on in zip(self.days, live, strict=True)
        ]
        yield self.row(RDS, "Upfront", bought, amortized=self.nothing())

    def spike(self, spike: Spike) -> Row:
        amounts = self.nothing()
        first, last = spike_days(spike, self.today)
        for n in range((last - first).days + 1):
            self.book(amounts, first, n + 1, int(spike.amount * UNIT) * (900 + 100 * (n % 3)) // 1000)
        cells = Cells.of([(spike_cell(self.account, spike), 1)])
        return self.row(spike.service, "Usage", amounts, quantity=amounts, cells=lambda: cells)

    def support(self, name: str, permille: int) -> Row:
        """Booked on the first of its own month, but on the bill only from the 7th of the next."""
        amounts = self.by_month(self.usage, permille)
        for month in self.months:
            if self.today < months_before(month, -1) + timedelta(days=6):
                self.book(amounts, month, 1, 0)
        owner = self.account.members[0]
        cell = Cell(owner, NO_REGION, NO_USAGE_TYPE, {})
        return self.row(name, "Support", amounts, cells=lambda: Cells.of([(cell, 1)]))

    def by_month(self, base: Sequence[int], permille: int) -> list[int]:
        """A month's share of what ``base`` has summed up to so far, booked on its first day."""
        amounts = self.nothing()
        for month in self.months:
            begin = (month - self.start).days
            end = (months_before(month, -1) - self.start).days
            self.book(amounts, month, 1, sum(base[begin:end]) * permille // 1000)
        return amounts

    def book(self, amounts: list[int], month: date, day: int, amount: int) -> None:
        n = (month - self.start).days + day - 1
        if 0 <= n < len(amounts):
            amounts[n] = amount

    def nothing(self) -> list[int]:
        return [0] * len(self.days)

    def row(
        self,
        service: str,
        record_type: str,
        amounts: list[int],
        *,
        amortized: list[int] | None = None,
        net: list[int] | None = None,
        quantity: list[int] | None = None,
        cells: Callable[[], Cells] | None = None,
    ) -> Row:
        """Running totals of one row; what is not told apart is the same: amortized as unblended, net as gross."""
        if record_type not in ("Credit", "Refund", "Enterprise Discount Program Discount"):
            self.taxable = [total + amount for total, amount in zip(self.taxable, amounts, strict=True)]
        unblended = _running(amounts)
        amortized_sums = unblended if amortized is None else _running(amortized)
        net_sums = unblended if net is None else _running(net)
        units = self.nothing() if quantity is None else quantity
        per_dollar = 2 + throw(service)[0] % 40
        usage = _running([amount * per_dollar for amount in units])
        sums = {
            "UnblendedCost": unblended,
            "BlendedCost": unblended,
            "AmortizedCost": amortized_sums,
            "NetUnblendedCost": net_sums,
            "NetAmortizedCost": amortized_sums if net is None else net_sums,
            "UsageQuantity": usage,
            "NormalizedUsageAmount": [8 * total for total in usage] if service in (EC2, RDS) else [0] * len(usage),
        }
        spread = amounts if amortized is None else amortized
        charged = [amount != 0 or other != 0 for amount, other in zip(amounts, spread, strict=True)]
        account = self.account
        return Row(service, record_type, cells or (lambda: cells_of(account, service)), sums, _running(charged))


def _running(amounts: Iterable[int]) -> list[int]:
    return list(accumulate(amounts, initial=0))
