"""What an account spends: the daily amounts behind its bill, kept as running totals."""

import calendar
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import accumulate

from local.accounts.account import Account, Reservation, Spike
from local.accounts.dice import throw
from local.accounts.services import (
    EC2,
    NO_REGION,
    NO_USAGE_TYPE,
    PLANNED,
    RDS,
    RESERVED,
    SAVINGS_PLANS,
    TAX,
    UsageType,
    usage_types,
    without_region,
)
from local.accounts.spread import Cell, Cells, cells_of, shared_cells, spike_cell

UNIT = 10**10
"""One US dollar."""

HISTORY_MONTHS = 13
"""Whole months before the current one that an account keeps: what Cost Explorer shows without the 38-month opt-in."""


@dataclass(frozen=True)
class Row:
    """One kind of charge of an account, as running totals: ``sums[metric][d]`` is the sum of the first d days.

    Of usage there is a row for each usage type. Days are counted from the ledger's ``start``. Metrics are named as
    GetCostAndUsage names them.
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
    """First and last day of the spike; the last is yesterday if it goes on."""
    first = months_before(today, spike.months_ago) + timedelta(days=spike.day - 1)
    return first, today - timedelta(days=1) if spike.days is None else first + timedelta(days=spike.days - 1)


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
        plan = self.account.savings_plan
        committed = int(plan.hourly * 24 * UNIT) if plan else 0
        fee = [committed if day >= self.opened else 0 for day in self.days]
        free = fee
        for service, monthly in self.account.services:
            for kind in usage_types(service):
                free = yield from self.charges(service, kind, monthly, free)
        if plan:
            yield self.row(SAVINGS_PLANS, "SavingsPlanRecurringFee", fee, amortized=free)

    def charges(
        self, service: str, kind: UsageType, monthly: Decimal, free: list[int]
    ) -> Generator[Row, None, list[int]]:
        """All charges for one usage type. Returns what is left of the Savings Plan's commitment of each day.

        SavingsPlanNegation carries the quantity that SavingsPlanCoveredUsage has: so it does in the Cost and Usage
        Report, and that Cost Explorer counts both is inferred from it.
        """
        account, plan = self.account, self.account.savings_plan
        spend = self.spend(service, kind, monthly)
        self.usage = [total + amount for total, amount in zip(self.usage, spend, strict=True)]
        if plan and service in PLANNED:
            most = [amount * plan.covers * plan.rate // 10**6 for amount in spend]
            used = [min(left, amount) for left, amount in zip(free, most, strict=True)]
            free = [left - amount for left, amount in zip(free, used, strict=True)]
            covered = [amount * 1000 // plan.rate for amount in used]
            spend = [amount - part for amount, part in zip(spend, covered, strict=True)]
            negated = [-part for part in covered]
            yield self.used(service, kind, "SavingsPlanCoveredUsage", covered, amortized=used, bought=covered)
            yield self.used(service, kind, "SavingsPlanNegation", negated, amortized=self.nothing(), bought=covered)
        discount = [amount * account.discount // 1000 for amount in spend]
        net = [amount - part for amount, part in zip(spend, discount, strict=True)]
        yield self.used(service, kind, "Usage", spend, net=net, bought=spend)
        if account.discount:
            off = [-part for part in discount]
            yield self.used(service, kind, "Enterprise Discount Program Discount", off, net=self.nothing())
        if account.credit:
            yield self.used(service, kind, "Credit", [-amount * account.credit // 1000 for amount in spend])
        return free

    def spend(self, service: str, kind: UsageType, monthly: Decimal) -> list[int]:
        """List price of each day: base, trend and the month's mood; of use, the week's rhythm and noise as well.

        What is metered by the month costs its whole price in each month, however many days that has.
        """
        whole = int(monthly * UNIT) * kind.share // 1000
        weekend, mood = self.account.weekend, self.account.mood
        amounts: list[int] = []
        for month in self.months:
            dice = throw(self.account.id, service, kind.name, month.isoformat())
            since = (month.year - 2025) * 12 + month.month - 1
            level = max(1000 + self.account.trend * since, 100) * (1000 - mood + dice[0] * 2 * mood // 255)
            first_weekday, length = calendar.monthrange(month.year, month.month)
            if kind.by_month:
                price = whole * level // 10**6
                amounts += [price * (n + 1) // length - price * n // length for n in range(length)]
                continue
            for n in range(length):
                rhythm = weekend if (first_weekday + n) % 7 >= 5 else 1000
                amounts.append(whole // 30 * level * rhythm * (965 + dice[n + 1] * 70 // 255) // 10**12)
        del amounts[len(self.days) :]
        closed = (self.opened - self.start).days
        amounts[:closed] = [0] * closed
        return amounts

    def reservation(self, terms: Reservation) -> Iterator[Row]:
        """The hours that ran, at no price; the fee of each month on its 1st; and what was paid in advance.

        A reserved hour is taken to cost 6/10 of one on demand.
        """
        hourly, upfront = int(terms.hourly * 24 * UNIT), int(terms.upfront * UNIT)
        each_day = hourly + upfront // 365
        used = each_day * terms.used // 1000
        live = [int(day >= self.opened) for day in self.days]
        hours = next(kind for kind in usage_types(RDS) if kind.unit == "Hrs")
        cells = cells_of(self.account, RDS, hours.name)
        fee_cells = Cells(
            tuple(replace(cell, usage_type=cell.usage_type.replace(hours.name, RESERVED)) for cell in cells.members),
            cells.bounds,
        )
        yield self.used(
            RDS,
            hours,
            "DiscountedUsage",
            self.nothing(),
            amortized=[used * on for on in live],
            bought=[used * 10 // 6 * on for on in live],
        )
        fees = [
            hourly * calendar.monthrange(day.year, day.month)[1] * on if day.day == 1 else 0
            for day, on in zip(self.days, live, strict=True)
        ]
        unused = [(each_day - used) * on for on in live]
        yield self.row(RDS, "Recurring", fees, amortized=unused, cells=lambda: fee_cells)
        bought = [
            upfront * on if (day.month, day.day) == (3, 1) else 0 for day, on in zip(self.days, live, strict=True)
        ]
        yield self.row(RDS, "Upfront", bought, amortized=self.nothing(), cells=lambda: fee_cells)

    def spike(self, spike: Spike) -> Row:
        amounts = self.nothing()
        first, last = spike_days(spike, self.today)
        for n in range((last - first).days + 1):
            self.book(amounts, first, n + 1, int(spike.amount * UNIT) * (900 + 100 * (n % 3)) // 1000)
        cell = spike_cell(self.account, spike)
        name = without_region(cell.usage_type)
        kind = next(each for each in usage_types(spike.service) if each.name == name)
        return self.used(spike.service, kind, "Usage", amounts, bought=amounts, cells=lambda: Cells.of([(cell, 1)]))

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

    def used(
        self,
        service: str,
        kind: UsageType,
        record_type: str,
        amounts: list[int],
        *,
        bought: list[int] | None = None,
        cells: Callable[[], Cells] | None = None,
        **more: list[int],
    ) -> Row:
        """A row of one usage type. Its quantity is what ``bought`` buys at the price on demand."""
        account = self.account
        quantity = [amount * UNIT // kind.price for amount in bought] if bought else None
        factor = _normalization(kind.name) if service in (EC2, RDS) else 0
        cells = cells or (lambda: cells_of(account, service, kind.name))
        return self.row(service, record_type, amounts, quantity=quantity, factor=factor, cells=cells, **more)

    def row(
        self,
        service: str,
        record_type: str,
        amounts: list[int],
        *,
        amortized: list[int] | None = None,
        net: list[int] | None = None,
        quantity: list[int] | None = None,
        factor: int = 0,
        cells: Callable[[], Cells] | None = None,
    ) -> Row:
        """Running totals of one row; what is not told apart is the same: amortized as unblended, net as gross."""
        amounts = self.filled(amounts)
        amortized = amounts if amortized is None else self.filled(amortized)
        if record_type not in ("Credit", "Refund", "Enterprise Discount Program Discount"):
            self.taxable = [total + amount for total, amount in zip(self.taxable, amounts, strict=True)]
        unblended, amortized_sums = _running(amounts), _running(amortized)
        net_sums = unblended if net is None else _running(self.filled(net))
        usage = _running(self.nothing() if quantity is None else self.filled(quantity))
        sums = {
            "UnblendedCost": unblended,
            "BlendedCost": unblended,
            "AmortizedCost": amortized_sums,
            "NetUnblendedCost": net_sums,
            "NetAmortizedCost": amortized_sums if net is None else net_sums,
            "UsageQuantity": usage,
            "NormalizedUsageAmount": [factor * total for total in usage],
        }
        charged = [amount != 0 or other != 0 for amount, other in zip(amounts, amortized, strict=True)]
        account = self.account
        return Row(service, record_type, cells or (lambda: cells_of(account, service)), sums, _running(charged))

    def filled(self, amounts: list[int]) -> list[int]:
        """``amounts`` as far as Cost Explorer has filled the last days of this account."""
        late, part = self.account.unfilled_days, self.account.last_filled
        if not late and part == 1000:
            return amounts
        known = amounts[: len(amounts) - late]
        if known:
            known[-1] = known[-1] * part // 1000
        return known + [0] * (len(amounts) - len(known))


def _normalization(usage_type: str) -> int:
    """Units of an instance's hour. (Amazon EC2 User Guide, Instance size flexibility)"""
    return 8 if usage_type.endswith(".xlarge") else 4 if usage_type.endswith(".large") else 0


def _running(amounts: Iterable[int]) -> list[int]:
    return list(accumulate(amounts, initial=0))
