"""A client's costs as figures: what Cost Explorer said, in one shape, and the sums that a report shows.

Amounts are exact Decimals in ``currency``. The document holds two independent views of the same days, one split by
record type (usage, credit, tax, …) and one by day, so that ``domain.gate`` can hold one against the other.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, timedelta
from decimal import Decimal
from typing import Annotated, Final, Literal, NamedTuple

from pydantic import AfterValidator, AwareDatetime, Field, field_validator

from cost_reporting.clients import Metric
from cost_reporting.contracts import Amount, Cadence, Fact, Issue, Period
from cost_reporting.money import total
from cost_reporting.periods import closed_at
from cost_reporting.periods import days as days_of
from cost_reporting.record_types import Group, group_of
from cost_reporting.service_names import PRESENT_NAMES, present_name

TOLERANCE: Final = Decimal("0.01")
PRICE_PER_REQUEST: Final = Decimal("0.01")
"""US dollars for each request to Cost Explorer and each further page (AWS Cost Management pricing)."""

AccountId = Annotated[str, Field(pattern=r"^\d{12}$")]
Service = Annotated[str, AfterValidator(present_name)]
"""A service as AWS calls it now, however old the answer or the stored document is (``service_names``)."""


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


def added(amounts: Iterable[Amounts]) -> Amounts:
    """The exact sum by each metric."""
    known = tuple(amounts)
    return Amounts.model_validate(
        {metric: total(getattr(each, metric) for each in known) for metric in Amounts.model_fields}
    )


class RecordLine(Fact):
    """What one service cost by one record type (Cost Explorer's RECORD_TYPE, its own spelling)."""

    service: Service
    record_type: str
    amounts: Amounts


class RecordSpan(Fact):
    """The record lines of one month (monthly reports) or one day (weekly reports)."""

    period: Period
    estimated: bool
    lines: tuple[RecordLine, ...]

    @field_validator("lines")
    @classmethod
    def _one_line_each(cls, lines: tuple[RecordLine, ...]) -> tuple[RecordLine, ...]:
        """A renamed service is one line, also in a month that has both its names."""
        alike: dict[tuple[str, str], list[Amounts]] = {}
        for line in lines:
            alike.setdefault((line.service, line.record_type), []).append(line.amounts)
        if len(alike) == len(lines):
            return lines
        return tuple(
            RecordLine(service=service, record_type=record_type, amounts=added(amounts))
            for (service, record_type), amounts in alike.items()
        )


class Line(Fact):
    """What one service or linked account cost, by the report's metric. ``key`` is as Cost Explorer spells it."""

    key: str
    amount: Amount


class DayCosts(Fact):
    """The costs of one UTC day by service."""

    day: date
    estimated: bool
    lines: tuple[Line, ...]

    @field_validator("lines")
    @classmethod
    def _under_present_names(cls, lines: tuple[Line, ...]) -> tuple[Line, ...]:
        """A renamed service is one line, also on a day that has both its names."""
        if not any(line.key in PRESENT_NAMES for line in lines):
            return lines
        sums = _sums((present_name(line.key), line.amount) for line in lines)
        return tuple(Line(key=key, amount=amount) for key, amount in sums.items())


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
    """The costs of both periods by one dimension, exact; ``names`` by key, for keys that are ids.

    ``previous`` is None if what Cost Explorer says of it does not add up to the previous period, or was not asked about
    the days that are compared: it is not known, and not 0.00.
    """

    current: tuple[Line, ...]
    previous: tuple[Line, ...] | None
    names: dict[str, str]


class TagSplit(Fact):
    """The costs by the values of one tag. What carries no such tag has the key ``""``."""

    tag_key: str
    split: Split | NotAvailable


class Forecast(Fact):
    """What the month that is running may come to: billed until ``until`` (exclusive), and a range for the whole.

    ``low`` and ``high`` are None where AWS does not say them: they are optional in botocore's model.
    """

    month: Period
    until: date
    so_far: Amount
    mean: Amount
    low: Amount | None
    high: Amount | None

    @property
    def bounds(self) -> tuple[Decimal, Decimal]:
        """The range, or the most likely amount twice where there is none."""
        return (self.mean, self.mean) if self.low is None or self.high is None else (self.low, self.high)


SEVERAL_SERVICES: Final = "several services"
"""The ``service`` of an anomaly of which AWS names none."""


class Anomaly(Fact):
    """Spend that AWS's anomaly detection found unusual. ``impact`` is the amount above what was expected.

    ``last_day`` and ``expected`` are None where AWS does not say them: they are optional in botocore's model.
    """

    first_day: date
    last_day: date | None
    impact: Amount
    expected: Amount | None
    service: Service
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


class Billed(NamedTuple):
    """A sum over ``days``, all of which are known."""

    days: Period
    amount: Decimal


class Preliminary(Fact):
    """What the preliminary report about the same period said."""

    total: Amount
    fetched_at: AwareDatetime


class Restated(Fact):
    """What the last report about the previous period said of it, and what the answers of this one say."""

    then: Amount
    now: Amount
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

    ``days_not_filled`` are trailing days that Cost Explorer has not filled, or not whole, when it was asked: they are
    not among ``days``, since their costs are unknown and not zero. What there is of them stands in
    ``days_partly_filled``: it is in the record types of a month and in the splits, and in no total. ``not_comparable``
    says why the previous period is not known in full, so that nothing may be compared with it. ``months_not_known`` are
    months of the history that are absent from an answer, or about which two answers disagree.
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
    days_not_filled: tuple[date, ...] = ()
    days_partly_filled: tuple[DayCosts, ...] = ()
    not_comparable: NotAvailable | None = None
    months_not_known: tuple[Period, ...] = ()
    accounts: Split | NotAvailable | None = None
    regions: Split | NotAvailable | None = None
    tags: tuple[TagSplit, ...] | NotAvailable | None = None
    forecast: Forecast | NotAvailable | None = None
    anomalies: tuple[Anomaly, ...] | NotAvailable | None = None
    commitments: Commitments | NotAvailable | None = None
    savings: Savings | NotAvailable | None = None
    preliminary: Preliminary | None = None
    restated: Restated | None = None

    @property
    def estimated(self) -> bool:
        """Whether any day of the period may still change, says Cost Explorer."""
        return any(day.estimated for day in self.days if holds(self.period, day.day))

    @property
    def total_is_incomplete(self) -> bool:
        """Whether the period's total lacks an account or a day."""
        return bool(self.accounts_not_read or self.absent)

    @property
    def absent(self) -> tuple[date, ...]:
        """The days of the period that are in no total: those ``missing``, and any other that the document lacks."""
        there = {day.day for day in self.days}
        return tuple(day for day in days_of(self.period) if day not in there)

    @property
    def missing(self) -> tuple[date, ...]:
        """The days of the period that Cost Explorer has not filled."""
        return tuple(day for day in self.days_not_filled if holds(self.period, day))

    @property
    def known(self) -> Period:
        """The days of the period that its figures are about: all of them, or those before the first that is missing."""
        return Period(start=self.period.start, end=min(self.missing, default=self.period.end))

    @property
    def compared(self) -> Period:
        """The days of the previous period that ``known`` is compared with.

        All of them if no day is missing; else as many from its start: the same weekdays, or the same days of the month.
        """
        if not self.missing:
            return self.previous
        start, known = self.previous.start, self.known
        return Period(start=start, end=min(start + (known.end - known.start), self.previous.end))

    @property
    def closed(self) -> bool:
        """Whether the bill was closed: what the issue says, or, of a week, the day on which the costs were fetched."""
        return self.issue == "final" if self.cadence == "monthly" else closed_at(self.period, self.fetched_at)

    @property
    def not_available(self) -> dict[str, NotAvailable]:
        """The sections whose figures could not be had, and the parts of one that has several: ``savings.resizes``."""
        found = {name: value for name, value in self if isinstance(value, NotAvailable) and name != "not_comparable"}
        tags = self.tags if isinstance(self.tags, tuple) else ()
        found |= {f"tags.{tag.tag_key}": tag.split for tag in tags if isinstance(tag.split, NotAvailable)}
        parts = self.savings if isinstance(self.savings, Savings) else ()
        return found | {f"savings.{name}": value for name, value in parts if isinstance(value, NotAvailable)}

    @property
    def complete(self) -> bool:
        """Whether everything is there that was asked for, of every account and day, and of the period before."""
        lacking = self.not_available or self.accounts_not_read or self.missing or self.not_comparable
        return not lacking

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
    """The exact total of what is known of ``period``, which must be one that the document covers."""
    return total(by_service(costs, period).values())


def by_service(costs: CostDocument, period: Period) -> dict[str, Decimal]:
    """Exact costs of ``period`` by service, from the days."""
    return _sums((line.key, line.amount) for day in costs.days if holds(period, day.day) for line in day.lines)


def by_day(costs: CostDocument, period: Period) -> dict[date, Decimal]:
    """Exact costs of ``period`` by day; a day that the document does not know is absent, not zero."""
    return {day.day: total(line.amount for line in day.lines) for day in costs.days if holds(period, day.day)}


def partly_filled(costs: CostDocument, period: Period) -> Decimal:
    """What there is of the days of ``period`` that are not filled, and in no total."""
    return total(line.amount for day in costs.days_partly_filled if holds(period, day.day) for line in day.lines)


def running_month(costs: CostDocument) -> Billed | None:
    """What the month in which the costs were fetched has cost so far; None if its first day is not known.

    It ends before the first day that is not known, so that the sum has no gap; None if it was not asked for up to then.
    """
    today = costs.fetched_at.astimezone(UTC).date()
    so_far = billed(costs.days, Period(start=today.replace(day=1), end=today + timedelta(days=1)))
    return so_far if so_far and so_far.days.end in {today, *costs.days_not_filled} else None


def billed(days: Iterable[DayCosts], period: Period) -> Billed | None:
    """The sum of the days of ``period`` up to the first that is not among ``days``; None if that is the first one."""
    known = {day.day: day for day in days}
    until = next((day for day in days_of(period) if day not in known), period.end)
    if until == period.start:
        return None
    counted = Period(start=period.start, end=until)
    return Billed(counted, total(line.amount for day in days_of(counted) for line in known[day].lines))


def by_group(costs: CostDocument, period: Period) -> dict[Group, Decimal]:
    """Exact costs of ``period`` on the way from usage to invoice.

    In months, what there is of days that are not filled (see :func:`partly_filled`) is contained.
    """
    return _sums((group_of(line.record_type), line.amounts.by(costs.metric)) for line in records(costs, period))


def records_by_service(costs: CostDocument, period: Period) -> dict[str, Decimal]:
    """Exact costs of ``period`` by service, from the record types."""
    return _sums((line.service, line.amounts.by(costs.metric)) for line in records(costs, period))


def by_record_type(costs: CostDocument, period: Period, group: Group) -> dict[str, Decimal]:
    """Exact costs of ``period`` that are in ``group``, by record type as Cost Explorer spells it."""
    lines = (line for line in records(costs, period) if group_of(line.record_type) == group)
    return _sums((line.record_type, line.amounts.by(costs.metric)) for line in lines)


def by_month(costs: CostDocument) -> dict[Period, Decimal]:
    """Exact total of each span of the record view, in order: months for a monthly report, days for a weekly one."""
    return {span.period: total(line.amounts.by(costs.metric) for line in span.lines) for span in costs.spans}


def records(costs: CostDocument, period: Period) -> Iterable[RecordLine]:
    """The record lines of the spans that lie in ``period``."""
    for span in costs.spans:
        if period.start <= span.period.start and span.period.end <= period.end:
            yield from span.lines


def _sums[K](pairs: Iterable[tuple[K, Decimal]]) -> dict[K, Decimal]:
    sums: defaultdict[K, Decimal] = defaultdict(Decimal)
    for key, amount in pairs:
        sums[key] += amount
    return dict(sums)
