"""Who the emulated clients are, and what each of them spends per day.

Every figure is worked out, never stored: from a hash of account, service and month, from the account's own traits,
and from today's date for what is told relative to it ("a refund last month"). The same account on the same day always
spends the same. Money is an int of 10**-10 USD, the finest amount that Cost Explorer prints, so every sum is exact.
"""

from __future__ import annotations

import calendar
import hashlib
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from itertools import accumulate

UNIT = 10**10
"""One US dollar."""

HISTORY_MONTHS = 13
"""Whole months before the current one that an account keeps: what Cost Explorer shows without the 38-month opt-in."""

EC2 = "Amazon Elastic Compute Cloud - Compute"
EC2_OTHER = "EC2 - Other"
S3 = "Amazon Simple Storage Service"
RDS = "Amazon Relational Database Service"
LAMBDA = "AWS Lambda"
TAX = "Tax"
SAVINGS_PLANS = "Savings Plans for AWS Compute usage"

NO_REGION, NO_USAGE_TYPE = "NoRegion", "NoUsageType"

_USAGE_TYPES: dict[str, tuple[str, ...]] = {
    EC2: ("BoxUsage:m7i.large", "BoxUsage:c7g.xlarge", "SpotUsage:c7g.xlarge"),
    EC2_OTHER: ("NatGateway-Bytes", "NatGateway-Hours", "EBS:VolumeUsage.gp3"),
    S3: ("TimedStorage-ByteHrs", "Requests-Tier1", "DataTransfer-Out-Bytes"),
    RDS: ("InstanceUsage:db.r6g.large", "RDS:GP3-Storage"),
    LAMBDA: ("Lambda-GB-Second", "Request"),
    "Amazon CloudFront": ("DataTransfer-Out-Bytes", "Requests-HTTPS-Proxy"),
    "Amazon DynamoDB": ("TimedStorage-ByteHrs", "WriteRequestUnits"),
    "Amazon Elastic Load Balancing": ("LoadBalancerUsage", "LCUUsage"),
    "Amazon Route 53": ("HostedZone", "DNS-Queries"),
    "AmazonCloudWatch": ("CW:MetricMonitorUsage", "DataProcessing-Bytes"),
    "Amazon Virtual Private Cloud": ("PublicIPv4:InUseAddress", "VpcEndpoint-Hours"),
    "AWS Key Management Service": ("KMS-Keys", "KMS-Requests"),
    SAVINGS_PLANS: ("ComputeSP:1yrNoUpfront",),
}
_GLOBAL = frozenset({"Amazon Route 53", "Amazon CloudFront", "AWS Global Accelerator", "AWS Shield"})
_REGION_CODES = {
    "us-east-1": "",
    "us-east-2": "USE2-",
    "us-west-2": "USW2-",
    "eu-west-1": "EU-",
    "eu-central-1": "EUC1-",
    "ap-northeast-1": "APN1-",
    "ap-northeast-3": "APN3-",
    "ap-southeast-1": "APS1-",
    "ap-southeast-2": "APS2-",
    "sa-east-1": "SAE1-",
}


@dataclass(frozen=True)
class Linked:
    """A member account of a client's organization, as LINKED_ACCOUNT shows it."""

    id: str
    name: str


@dataclass(frozen=True)
class SavingsPlan:
    """A no-upfront Compute Savings Plan.

    `hourly` is the commitment in USD an hour; `covers` the permille of each day's EC2, Fargate and Lambda usage that it
    may cover, and `rate` the permille of the on-demand price that covered usage costs.
    """

    hourly: Decimal
    covers: int = 600
    rate: int = 720


@dataclass(frozen=True)
class Reservation:
    """Reserved RDS instances: `upfront` USD each 1 March, and `hourly` USD billed on the first of each month."""

    upfront: Decimal
    hourly: Decimal
    used: int = 930
    """Permille of the reserved hours that ran."""


@dataclass(frozen=True)
class Event:
    """One charge, so many calendar months before the current one: a refund, a promotional credit."""

    months_ago: int
    day: int
    service: str
    record_type: str
    amount: Decimal


@dataclass(frozen=True)
class Spike:
    """Unusual usage by one linked account: `amount` USD of extra `service` usage on each of `days` days."""

    months_ago: int
    day: int
    days: int
    service: str
    amount: Decimal


@dataclass(frozen=True)
class Account:
    """One client's payer account: what it uses, how its bill is made up, and how it misbehaves.

    `services` holds (Cost Explorer's name, list price in USD a month at the trend's start). The permilles: `trend` per
    month since January 2025, `weekend` for Saturdays and Sundays, `credit` of each day's usage given back, `tax` and
    `support` of a month's usage, `discount` of an enterprise discount programme. `opened_months_ago` counts calendar
    months; nothing was spent before that month. The last block are faults.
    """

    id: str
    name: str
    services: tuple[tuple[str, Decimal], ...]
    regions: tuple[str, ...] = ("us-east-1",)
    linked: tuple[Linked, ...] = ()
    trend: int = 0
    weekend: int = 1000
    mood: int = 120
    """Permille by which a service's month may differ from its trend."""
    tax: int = 0
    support: tuple[str, int] | None = None
    credit: int = 0
    discount: int = 0
    savings_plan: SavingsPlan | None = None
    reservation: Reservation | None = None
    events: tuple[Event, ...] = ()
    spikes: tuple[Spike, ...] = ()
    opened_months_ago: int | None = None

    access_denied: bool = False
    not_enabled: bool = False
    no_data: bool = False
    throttle_first: int = 0

    @property
    def members(self) -> tuple[Linked, ...]:
        """The accounts of the organization; an account without one is its own only member."""
        return self.linked or (Linked(self.id, self.name),)


@dataclass(frozen=True)
class Cell:
    """The smallest part of a service's cost that a query can tell apart."""

    linked: Linked
    region: str
    usage_type: str
    tags: Mapping[str, str]


@dataclass(frozen=True)
class Cells:
    """A cost split by weight: cell i owns the part from `bounds[i]` to `bounds[i + 1]` of `bounds[-1]`."""

    members: tuple[Cell, ...]
    bounds: tuple[int, ...]

    @classmethod
    def of(cls, weighted: Iterable[tuple[Cell, int]]) -> Cells:
        pairs = tuple(weighted)
        return cls(tuple(cell for cell, _ in pairs), tuple(accumulate((weight for _, weight in pairs), initial=0)))


@dataclass(frozen=True)
class Row:
    """One (service, record type) of an account, as running totals: `sums[metric][d]` is the sum of the first d days.

    Days are counted from the ledger's `start`. Metrics are named as GetCostAndUsage names them.
    """

    service: str
    record_type: str
    cells: Callable[[], Cells]
    sums: Mapping[str, Sequence[int]]
    charges: Sequence[int]
    """Running count of days with a charge: a group whose charges cancel out is still a group."""


@dataclass(frozen=True)
class Ledger:
    """All that an account spent from `start` (a first of month) until `today`, exclusive: today is not billed yet."""

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


def spike_cell(account: Account, spike: Spike) -> Cell:
    """Whose usage a spike is: the root cause that anomaly detection names."""
    weighted = _cells(account, spike.service)
    return weighted.members[_digest(account.id, spike.service, "spike")[0] % len(weighted.members)]


def ledger(account: Account, today: date) -> Ledger:
    """Work out an account's costs as they stand on the morning of `today` (UTC)."""
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
        account = self.account
        if account.savings_plan:
            committed = int(account.savings_plan.hourly * 24 * UNIT)
            free = [committed if day >= self.opened else 0 for day in self.days]
            fee = list(free)
        for service, monthly in account.services:
            spend = self.spend(service, monthly)
            self.usage = [total + amount for total, amount in zip(self.usage, spend, strict=True)]
            if account.savings_plan and service in _PLAN_SERVICES:
                rate, covers = account.savings_plan.rate, account.savings_plan.covers
                used = [min(left, amount * covers * rate // 10**6) for left, amount in zip(free, spend, strict=True)]
                free = [left - amount for left, amount in zip(free, used, strict=True)]
                covered = [amount * 1000 // rate for amount in used]
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
        if account.savings_plan:
            yield self.row(SAVINGS_PLANS, "SavingsPlanRecurringFee", fee, amortized=free)
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
            yield self.row(TAX, "Tax", taxes, cells=lambda: _shared_cells(account))

    def spend(self, service: str, monthly: Decimal) -> list[int]:
        """List price of each day: base, trend, the month's mood, the week's rhythm and noise, all in whole units."""
        base = int(monthly * UNIT) // 30
        weekend, mood = self.account.weekend, self.account.mood
        amounts: list[int] = []
        for month in self.months:
            dice = _digest(self.account.id, service, month.isoformat())
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
        """A month's share of what `base` has summed up to so far, booked on its first day."""
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
        per_dollar = 2 + _digest(service)[0] % 40
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
        return Row(service, record_type, cells or (lambda: _cells(account, service)), sums, _running(charged))


_PLAN_SERVICES = (EC2, LAMBDA, "Amazon Elastic Container Service")


def _running(amounts: Iterable[int]) -> list[int]:
    return list(accumulate(amounts, initial=0))


def _digest(*parts: str) -> bytes:
    return hashlib.blake2b("|".join(parts).encode(), digest_size=32).digest()


@lru_cache(maxsize=512)
def _cells(account: Account, service: str) -> Cells:
    """How a service's cost is spread over linked accounts, regions, usage types and tags; the same on every day.

    Cells of one linked account stand side by side, which makes grouping by account cheap.
    """
    members = account.members
    reach = 70 + _digest(service)[1] % 180
    dice = [(member, _digest(account.id, service, member.id)) for member in members]
    users = [(member, roll) for member, roll in dice if len(members) == 1 or roll[0] < reach] or dice[:1]
    return Cells.of(_spread(account, service, users))


def _spread(account: Account, service: str, users: list[tuple[Linked, bytes]]) -> Iterator[tuple[Cell, int]]:
    for member, roll in users:
        tags = _tags(member.id if account.linked else f"{member.id}|{service}")
        for rank, region in enumerate(_regions(account, service, member, roll)):
            prefix = _REGION_CODES.get(region, "")
            for n, usage_type in enumerate(_USAGE_TYPES.get(service, ("Usage",))):
                weight = (10 + roll[1] * roll[2]) * (10 + roll[4 + n]) // (1 + 2 * rank) + 1
                yield Cell(member, region, prefix + usage_type, tags), weight


def _regions(account: Account, service: str, member: Linked, roll: bytes) -> tuple[str, ...]:
    if service in _GLOBAL:
        return ("global",)
    if service == SAVINGS_PLANS:
        return (NO_REGION,)
    if not account.linked:
        return account.regions
    home = _digest(member.id, "home")[0] * len(account.regions) // 256
    away = (home + 1 + roll[3] % max(len(account.regions) - 1, 1)) % len(account.regions)
    return (account.regions[home],) if roll[3] >= 64 or away == home else (account.regions[home], account.regions[away])


def _shared_cells(account: Account) -> Cells:
    """Tax: every member pays a part, in no region and for no usage type."""
    return Cells.of(
        (Cell(member, NO_REGION, NO_USAGE_TYPE, {}), 1 + _digest(member.id, TAX)[0]) for member in account.members
    )


_ENVIRONMENTS = ((150, "production"), (200, "staging"), (232, "development"))
_PROJECTS = ("atlas", "borealis", "cascade", "delta", "ember")


def _tags(seed: str) -> dict[str, str]:
    """Tags of a cell; about one in ten is untagged, as in life."""
    roll = _digest(seed, "tags")
    place = bisect_right([limit for limit, _ in _ENVIRONMENTS], roll[0])
    if place == len(_ENVIRONMENTS):
        return {}
    return {"Environment": _ENVIRONMENTS[place][1], "Project": _PROJECTS[roll[1] % len(_PROJECTS)]}


def _prices(*priced: tuple[str, str]) -> tuple[tuple[str, Decimal], ...]:
    return tuple((service, Decimal(monthly)) for service, monthly in priced)


_EVERYDAY = _prices(
    (EC2, "1900"),
    (EC2_OTHER, "640"),
    (RDS, "820"),
    (S3, "410"),
    ("AmazonCloudWatch", "190"),
    ("Amazon Elastic Load Balancing", "160"),
    ("Amazon Virtual Private Cloud", "95"),
    (LAMBDA, "88"),
    ("Amazon DynamoDB", "74"),
    ("Amazon CloudFront", "120"),
    ("Amazon Route 53", "9.5"),
    ("AWS Key Management Service", "14"),
)

_LARGE = _prices(
    (EC2, "61000"),
    (RDS, "27400"),
    (S3, "18900"),
    (EC2_OTHER, "15300"),
    ("Amazon CloudFront", "9800"),
    ("AmazonCloudWatch", "7200"),
    ("Amazon Elastic Container Service", "6900"),
    ("Amazon DynamoDB", "6100"),
    ("Amazon Redshift", "5900"),
    ("Amazon ElastiCache", "4800"),
    ("Amazon Elastic Load Balancing", "4300"),
    ("Amazon OpenSearch Service", "4100"),
    (LAMBDA, "3800"),
    ("Amazon Virtual Private Cloud", "3100"),
    ("Amazon Elastic Container Service for Kubernetes", "2900"),
    ("Amazon Managed Streaming for Apache Kafka", "2600"),
    ("AWS Glue", "2300"),
    ("Amazon Kinesis", "1900"),
    ("AWS Data Transfer", "1750"),
    ("Amazon SageMaker", "1700"),
    ("Amazon Bedrock", "1600"),
    ("AWS WAF", "1250"),
    ("Amazon Athena", "980"),
    ("AWS Config", "910"),
    ("Amazon GuardDuty", "870"),
    ("AWS CloudTrail", "640"),
    ("AWS Security Hub", "590"),
    ("Amazon Elastic File System", "560"),
    ("AWS Backup", "530"),
    ("Amazon EC2 Container Registry (ECR)", "410"),
    ("AWS Key Management Service", "380"),
    ("AWS Secrets Manager", "320"),
    ("Amazon API Gateway", "310"),
    ("AWS Step Functions", "270"),
    ("Amazon Simple Queue Service", "240"),
    ("AWS CodeBuild", "230"),
    ("Amazon Inspector", "210"),
    ("Amazon Simple Notification Service", "160"),
    ("AWS Systems Manager", "140"),
    ("Amazon Macie", "120"),
    ("Amazon Route 53", "110"),
    ("Amazon Cognito", "85"),
    ("AWS Database Migration Service", "70"),
    ("Amazon Simple Email Service", "45"),
    ("AWS Cost Explorer", "6"),
)

_TEAMS = ("checkout", "catalogue", "search", "payments", "stores", "logistics", "loyalty", "data", "platform", "mobile")
_STAGES = ("prod", "staging", "dev")


def _organization(payer: Linked, count: int) -> tuple[Linked, ...]:
    """The payer and its members, `count` in all, with names that are unique and readable."""
    names = (f"{payer.name}-{_TEAMS[n % len(_TEAMS)]}-{_STAGES[n % 3]}-{n:03d}" for n in range(1, count))
    return (payer, *(Linked(f"31{n:010d}", name) for n, name in enumerate(names, 1)))


_NORTHWIND = Linked("210000000001", "northwind-retail")
_RETAIL_REGIONS = (
    "us-east-1",
    "us-east-2",
    "us-west-2",
    "eu-west-1",
    "eu-central-1",
    "ap-northeast-1",
    "ap-southeast-2",
    "sa-east-1",
)

_CLIENTS = (
    Account(
        id=_NORTHWIND.id,
        name=_NORTHWIND.name,
        services=_LARGE,
        regions=_RETAIL_REGIONS,
        linked=_organization(_NORTHWIND, 300),
        trend=18,
        weekend=1130,
        mood=70,
        tax=62,
        support=("AWS Support (Business)", 55),
        discount=45,
        savings_plan=SavingsPlan(hourly=Decimal("38.5")),
        reservation=Reservation(upfront=Decimal(48000), hourly=Decimal("4.2")),
        spikes=(Spike(months_ago=1, day=17, days=3, service=EC2_OTHER, amount=Decimal(4200)),),
    ),
    Account(
        id="210000000002",
        name="tiny-bakery",
        services=_prices((S3, "4.10"), ("Amazon CloudFront", "28.80"), ("Amazon Route 53", "1.20")),
        mood=40,
    ),
    Account(
        id="210000000003",
        name="credits-startup",
        services=_prices(
            (EC2, "980"), (RDS, "460"), (LAMBDA, "210"), (S3, "120"), ("Amazon Bedrock", "290"), (EC2_OTHER, "60")
        ),
        regions=("us-east-1", "eu-west-1"),
        mood=50,
        credit=1000,
    ),
    Account(
        id="210000000004",
        name="refund-media",
        services=_EVERYDAY,
        regions=("us-west-2", "us-east-1"),
        weekend=1180,
        events=(Event(1, 14, EC2, "Refund", Decimal("-2750.00")),),
    ),
    Account(
        id="210000000005",
        name="negative-labs",
        services=_prices((EC2, "520"), ("Amazon SageMaker", "310"), (S3, "70"), (LAMBDA, "12")),
        credit=350,
        mood=90,
        events=(
            Event(1, 9, "Amazon SageMaker", "Refund", Decimal("-640.25")),
            Event(1, 21, EC2, "Credit", Decimal("-500")),
        ),
    ),
    Account(
        id="210000000006",
        name="young-fintech",
        services=_EVERYDAY[:9],
        regions=("eu-central-1",),
        weekend=820,
        opened_months_ago=1,
    ),
    Account(
        id="210000000007",
        name="tokyo-data",
        services=_prices(
            ("Amazon Redshift", "5200"),
            ("AWS Glue", "2900"),
            (S3, "2500"),
            ("Amazon Athena", "1100"),
            (EC2, "1050"),
            ("Amazon Kinesis", "760"),
            (EC2_OTHER, "420"),
            (LAMBDA, "260"),
            ("AmazonCloudWatch", "210"),
            ("AWS Step Functions", "60"),
            ("AWS Key Management Service", "22"),
            ("Amazon Route 53", "3"),
        ),
        regions=("ap-northeast-1", "ap-northeast-3"),
        trend=9,
        weekend=640,
        tax=100,
        support=("AWS Support (Developer)", 30),
    ),
    Account(
        id="210000000008",
        name="euro-logistik",
        services=(
            *_EVERYDAY,
            *_prices(
                ("Amazon Elastic Container Service", "540"),
                ("Amazon Simple Queue Service", "65"),
                ("Amazon API Gateway", "58"),
                ("AWS Secrets Manager", "21"),
                ("Amazon EC2 Container Registry (ECR)", "26"),
                ("AWS Cost Explorer", "3.6"),
            ),
        ),
        regions=("eu-central-1", "eu-west-1"),
        linked=tuple(
            Linked(identity, f"euro-logistik-{stage}")
            for identity, stage in (("210000000008", "payer"), ("320000000001", "prod"), ("320000000002", "test"))
        ),
        trend=-3,
        weekend=780,
        tax=190,
    ),
    Account(id="210000000009", name="denied-corp", services=_EVERYDAY[:6], access_denied=True),
    Account(id="210000000010", name="notenabled-inc", services=_EVERYDAY[:4], not_enabled=True),
    Account(
        id="210000000011",
        name="throttled-games",
        services=_EVERYDAY,
        regions=("us-east-1", "ap-southeast-1"),
        trend=12,
        weekend=1350,
        throttle_first=4,
    ),
    Account(
        id="210000000012",
        name="silent-partners",
        services=_prices(
            (EC2, "140"), (EC2_OTHER, "32"), (S3, "18"), ("Amazon Route 53", "1.5"), ("AmazonCloudWatch", "6")
        ),
        weekend=900,
    ),
    Account(
        id="111122223333",
        name="consultancy",
        services=_prices((LAMBDA, "3.2"), (S3, "5.5"), ("AWS Step Functions", "0.9"), ("AWS Cost Explorer", "2.4")),
    ),
)

ACCOUNTS: dict[str, Account] = {account.id: account for account in _CLIENTS}
"""The twelve demo clients and the consultancy's own account, by account id."""


def crowd(n: int) -> dict[str, Account]:
    """So many ordinary accounts for worlds under load, ids from 220000000001: 4 to 12 services, no faults."""
    return {account.id: account for account in map(_ordinary, range(1, n + 1))}


def _ordinary(number: int) -> Account:
    identity = f"22{number:010d}"
    roll = _digest(identity, "crowd")
    size = Decimal(10 + roll[0] * roll[1] // 48) / 100
    services = tuple((service, monthly * size) for service, monthly in _EVERYDAY[: 4 + roll[2] % 9])
    regions = tuple(_REGION_CODES)[roll[3] % 8 : roll[3] % 8 + 2]
    return Account(
        id=identity,
        name=f"client-{number:05d}",
        services=services,
        regions=regions,
        trend=roll[4] % 24 - 6,
        weekend=700 + 2 * roll[5],
        tax=(0, 0, 190, 77)[roll[6] % 4],
    )
