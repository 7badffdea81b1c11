"""A client's costs as figures: what Cost Explorer said, in one shape, and the sums that a report shows.

Amounts are exact Decimals in ``currency``. The document holds two independent views of the same days, one split by
record type (usage, credit, tax, …) and one by day, so that :func:`reconcile` can hold one against the other.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, Field

from cost_reporting.clients import Metric
from cost_reporting.contracts import Amount, Cadence, Fact, Issue, Period
from cost_reporting.errors import CostsDoNotReconcile
from cost_reporting.money import total
from cost_reporting.periods import closed_at

TOLERANCE: Final = Decimal("0.01")
PRICE_PER_REQUEST: Final = Decimal("0.01")
"""US dollars for each request to Cost Explorer and each further page (AWS Cost Management pricing)."""

Group = Literal["usage", "commitment", "discount", "credit", "refund", "support", "tax", "other"]
GROUPS: Final[tuple[Group, ...]] = ("usage", "commitment", "discount", "support", "credit", "refund", "tax", "other")
"""The steps from usage to invoice, in the order in which a report walks them."""

_GROUPS_BY_RECORD_TYPE: Final[dict[str, Group]] = {
    "Usage": "usage",
    "DiscountedUsage": "usage",
    "SavingsPlanCoveredUsage": "usage",
    "SavingsPlanNegation": "commitment",
    "SavingsPlanRecurringFee": "commitment",
    "SavingsPlanUpfrontFee": "commitment",
    "RIFee": "commitment",
    "Fee": "commitment",
    "Credit": "credit",
    "Refund": "refund",
    "Support": "support",
    "Tax": "tax",
}


AccountId = Annotated[str, Field(pattern=r"^\d{12}$")]


class Amounts(Fact):
    """One sum by each of Cost Explorer's metrics."""

    unblended: Amount
    amortized: Amount
    net_unblended: Amount
    net_amortized: Amount

    def by(self, metric: Metric) -> Decimal:
        """The amount by ``metric``."""
        amount: Decimal = getattr(self, metric)
        return amount


class RecordLine(Fact):
    """What one service cost by one record type (Cost Explorer's RECORD_TYPE, its own spelling)."""

    service: str
    record_type: str
    amounts: Amounts


class RecordSpan(Fact):
    """The record lines of one month (monthly reports) or one day (weekly reports)."""

    period: Period
    estimated: bool
    lines: tuple[RecordLine, ...]


class Line(Fact):
    """What one service or linked account cost, by the report's metric. ``key`` is as Cost Explorer spells it."""

    key: str
    amount: Amount


class DayCosts(Fact):
    """The costs of one UTC day by service."""

    day: date
    estimated: bool
    lines: tuple[Line, ...]


class AccountRead(Fact):
    """An account whose costs are in the document, and what its client calls it."""

    account_id: AccountId
    name: str


class AccountNotRead(Fact):
    """An account of the client that could not be read, so that no total has anything of it, in neither period.

    ``account_id`` is None if its keys, which would have told it, do not let us in. ``error`` is the error's name,
    ``reason`` its sentence.
    """

    account_id: AccountId | None
    name: str
    error: str
    reason: str


class NotAvailable(Fact):
    """Figures that were asked for and could not be had. ``error`` is the error's name, ``reason`` its sentence.

    ``accounts`` are the names of those of several accounts that did not answer: a sum without them would be false.
    """

    error: str
    reason: str
    accounts: tuple[str, ...] = ()


class Split(Fact):
    """The costs of both periods by one dimension, exact; ``names`` by key, for keys that are ids."""

    current: tuple[Line, ...]
    previous: tuple[Line, ...]
    names: dict[str, str]


class TagSplit(Fact):
    """The costs by the values of one tag. What carries no such tag has the key ``""``."""

    tag_key: str
    split: Split


class Forecast(Fact):
    """What the month that is running may come to: billed until ``until`` (exclusive), and a range for the whole."""

    month: Period
    until: date
    so_far: Amount
    mean: Amount
    low: Amount
    high: Amount


class Anomaly(Fact):
    """Spend that AWS's anomaly detection found unusual. ``impact`` is the amount above what was expected."""

    first_day: date
    last_day: date
    impact: Amount
    expected: Amount
    service: str
    region: str | None
    account_id: str | None
    usage_type: str | None


class Commitment(Fact):
    """How well one kind of commitment did in the period. Percentages from 0 to 100; None: there is none of it."""

    kind: Literal["savings_plans", "reservations"]
    coverage: Amount | None
    utilisation: Amount | None
    net_savings: Amount | None


class Expiry(Fact):
    """A commitment that ends, on its last day."""

    kind: Literal["savings_plans", "reservations"]
    commitment_id: str
    ends: date


class Commitments(Fact):
    """Savings Plans and reservations: coverage, utilisation, and which of them end within 60 days."""

    commitments: tuple[Commitment, ...]
    expiring: tuple[Expiry, ...]


class Saved(Fact):
    """What one kind of commitment saved in the period against the prices on demand. None: there is none of it."""

    kind: Literal["savings_plans", "reservations"]
    net_savings: Amount | None


class Purchase(Fact):
    """AWS's advice to an account to commit to ``hourly`` for a year, and what that would save in a month."""

    account_id: str
    hourly: Amount
    monthly_savings: Amount


class Resize(Fact):
    """AWS's advice to turn an instance into a ``target``, or to end it if that is None, and what a month would save."""

    account_id: str
    resource_id: str
    name: str | None
    region: str | None
    instance_type: str
    target: str | None
    monthly_savings: Amount


class Savings(Fact):
    """What commitments have saved, and what AWS estimates that could be saved, each if it could be had."""

    achieved: tuple[Saved, ...] | NotAvailable
    purchases: tuple[Purchase, ...] | NotAvailable
    resizes: tuple[Resize, ...] | NotAvailable


class Preliminary(Fact):
    """What the preliminary report about the same period said."""

    total: Amount
    fetched_at: AwareDatetime


class Query(Fact):
    """A question to Cost Explorer, as evidence: its paid requests (one per page) with AWS's request ids, of whom."""

    name: str
    operation: str
    request_ids: tuple[str, ...]
    account_id: AccountId | None = None

    @property
    def paid_requests(self) -> int:
        """Each page is a request, and each successful request is paid."""
        return len(self.request_ids)


class CostDocument(Fact):
    """Everything that a report about one client and period needs to know about costs.

    What a section asked for is there, or NotAvailable with the reason; None was not asked for. ``days`` go on after the
    period if a forecast needs to know what the running month has cost so far.

    All of it is the sum over ``accounts_read``, of which ``account_id`` is the first, and holds nothing of
    ``accounts_not_read``. Documents from before there could be several name the first one only.
    """

    client_id: str
    account_id: AccountId
    cadence: Cadence
    issue: Issue
    period: Period
    previous: Period
    metric: Metric
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    fetched_at: AwareDatetime
    spans: tuple[RecordSpan, ...]
    days: tuple[DayCosts, ...]
    queries: tuple[Query, ...]
    accounts_read: tuple[AccountRead, ...] = ()
    accounts_not_read: tuple[AccountNotRead, ...] = ()
    accounts: Split | NotAvailable | None = None
    regions: Split | NotAvailable | None = None
    tags: tuple[TagSplit, ...] | NotAvailable | None = None
    forecast: Forecast | NotAvailable | None = None
    anomalies: tuple[Anomaly, ...] | NotAvailable | None = None
    commitments: Commitments | NotAvailable | None = None
    savings: Savings | NotAvailable | None = None
    preliminary: Preliminary | None = None

    @property
    def estimated(self) -> bool:
        """Whether any day of the period may still change, says Cost Explorer."""
        return any(day.estimated for day in self.days if holds(self.period, day.day))

    @property
    def closed(self) -> bool:
        """Whether the bill was closed: what the issue says, or, of a week, the day on which the costs were fetched."""
        return self.issue == "final" if self.cadence == "monthly" else closed_at(self.period, self.fetched_at)

    @property
    def not_available(self) -> dict[str, NotAvailable]:
        """The sections whose figures could not be had, and the parts of one that has several: ``savings.resizes``."""
        found = {name: value for name, value in self if isinstance(value, NotAvailable)}
        parts = self.savings if isinstance(self.savings, Savings) else ()
        return found | {f"savings.{name}": value for name, value in parts if isinstance(value, NotAvailable)}

    @property
    def complete(self) -> bool:
        """Whether everything is there that was asked for, of every account."""
        return not self.not_available and not self.accounts_not_read

    @property
    def paid_requests(self) -> int:
        """How many paid requests the document cost."""
        return sum(query.paid_requests for query in self.queries)


def account_ids(costs: CostDocument) -> frozenset[str]:
    """The accounts whose costs the document holds, those of a member of an organization under its payer's."""
    return frozenset(account.account_id for account in costs.accounts_read) or frozenset({costs.account_id})


def holds(period: Period, day: date) -> bool:
    """Whether ``day`` belongs to the half-open ``period``."""
    return period.start <= day < period.end


def period_total(costs: CostDocument, period: Period) -> Decimal:
    """The exact total of ``period``, which must be one that the document covers."""
    return total(by_service(costs, period).values())


def by_service(costs: CostDocument, period: Period) -> dict[str, Decimal]:
    """Exact costs of ``period`` by service, from the days."""
    return _sums((line.key, line.amount) for day in costs.days if holds(period, day.day) for line in day.lines)


def by_day(costs: CostDocument, period: Period) -> dict[date, Decimal]:
    """Exact costs of ``period`` by day; a day that the document does not know is absent, not zero."""
    return {day.day: total(line.amount for line in day.lines) for day in costs.days if holds(period, day.day)}


def by_group(costs: CostDocument, period: Period) -> dict[Group, Decimal]:
    """Exact costs of ``period`` on the way from usage to invoice."""
    return _sums((group_of(line.record_type), line.amounts.by(costs.metric)) for line in _records(costs, period))


def by_month(costs: CostDocument) -> dict[Period, Decimal]:
    """Exact total of each span of the record view, in order: months for a monthly report, days for a weekly one."""
    return {span.period: total(line.amounts.by(costs.metric) for line in span.lines) for span in costs.spans}


def group_of(record_type: str) -> Group:
    """Discounts have many record types ("EdpDiscount", "Enterprise Discount Program Discount", …) and one word."""
    return _GROUPS_BY_RECORD_TYPE.get(record_type, "discount" if "discount" in record_type.casefold() else "other")


def _records(costs: CostDocument, period: Period) -> Iterable[RecordLine]:
    for span in costs.spans:
        if period.start <= span.period.start and span.period.end <= period.end:
            yield from span.lines


def _sums[K](pairs: Iterable[tuple[K, Decimal]]) -> dict[K, Decimal]:
    sums: defaultdict[K, Decimal] = defaultdict(Decimal)
    for key, amount in pairs:
        sums[key] += amount
    return dict(sums)


def views(costs: CostDocument) -> dict[str, Decimal]:
    """The exact total of the period by each view of it that the document holds, the report's own, the days, first."""
    found = {
        "by day": period_total(costs, costs.period),
        "by record type": total(by_group(costs, costs.period).values()),
    }
    splits: list[tuple[str, object]] = [("by account", costs.accounts), ("by region", costs.regions)]
    if isinstance(costs.tags, tuple):
        splits += ((f"by tag {tag.tag_key}", tag.split) for tag in costs.tags)
    return found | {
        name: total(line.amount for line in split.current) for name, split in splits if isinstance(split, Split)
    }


def reconcile(costs: CostDocument) -> None:
    """Hold the views of the period against each other, to 0.01.

    Raises CostsDoNotReconcile naming each view that differs from the days, and by how much.
    """
    services = by_service(costs, costs.period)
    records = _sums((line.service, line.amounts.by(costs.metric)) for line in _records(costs, costs.period))
    differences = [
        f"{service}: {services.get(service, Decimal(0)):f} by day, {records.get(service, Decimal(0)):f} by record type"
        for service in sorted(services.keys() | records.keys())
        if abs(services.get(service, Decimal(0)) - records.get(service, Decimal(0))) > TOLERANCE
    ]
    (_, by_days), *others = views(costs).items()
    differences += [
        f"total: {by_days:f} by day, {by_view:f} {name}"
        for name, by_view in others
        if abs(by_view - by_days) > TOLERANCE
    ]
    if differences:
        span = f"{costs.period.start} to {costs.period.end}"
        raise CostsDoNotReconcile(f"{costs.currency} in {span}: " + "; ".join(differences[:10]))
