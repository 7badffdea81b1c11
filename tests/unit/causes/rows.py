"""Bills of fixed rows: what a service cost by one record type on given days, and the document that they make."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from cost_reporting.contracts import Period
from cost_reporting.costs import Amounts, CostDocument, DayCosts, Line, RecordLine, RecordSpan
from cost_reporting.domain.causes import Cause, Explanation
from cost_reporting.periods import cadence_of, days, month_of, months_before, parse, preceding
from tests.builders import ACCOUNT

EC2, S3, RDS = "Amazon Elastic Compute Cloud - Compute", "Amazon Simple Storage Service", "Amazon RDS"
EVER, EVER_AFTER = date(2025, 1, 1), date(2027, 1, 1)


@dataclass(frozen=True)
class Row:
    """One charge a day: ``amount`` by each metric, or by all the same."""

    service: str
    amount: Decimal
    on: tuple[date, ...]
    record_type: str = "Usage"
    amortized: Decimal | None = None


def daily(
    service: str,
    amount: str,
    start: date = EVER,
    end: date = EVER_AFTER,
    *,
    record_type: str = "Usage",
    weekend: str | None = None,
) -> list[Row]:
    """The same on each day from ``start`` to ``end`` (exclusive); ``weekend`` is what Saturdays and Sundays cost."""
    every = tuple(start + timedelta(days=n) for n in range((end - start).days))
    if weekend is None:
        return [Row(service, Decimal(amount), every, record_type)]
    free = tuple(day for day in every if day.weekday() >= 5)
    busy = tuple(day for day in every if day.weekday() < 5)
    return [Row(service, Decimal(amount), busy, record_type), Row(service, Decimal(weekend), free, record_type)]


def once(service: str, amount: str, *on: date, record_type: str = "Usage") -> list[Row]:
    """The same on each of some days."""
    return [Row(service, Decimal(amount), on, record_type)]


def every_first(service: str, amount: str, record_type: str = "Usage") -> list[Row]:
    """The same on the 1st of each month."""
    firsts = tuple(date(year, month, 1) for year in (2025, 2026) for month in range(1, 13))
    return once(service, amount, *firsts, record_type=record_type)


def a_bill(period: str, rows: Iterable[Row], **changes: Any) -> CostDocument:
    """The document that the rows make: days of both periods, and record lines as a source would ask for them."""
    covered = parse(period)
    cadence = cadence_of(covered) or "monthly"
    before = preceding(covered, cadence)
    by_record: defaultdict[date, defaultdict[tuple[str, str], list[Decimal]]] = defaultdict(
        lambda: defaultdict(lambda: [Decimal(0), Decimal(0)])
    )
    for row in rows:
        for day in row.on:
            sums = by_record[day][row.service, row.record_type]
            sums[0] += row.amount
            sums[1] += row.amount if row.amortized is None else row.amortized
    both = Period(start=before.start, end=covered.end)
    amortized = changes.get("metric", "unblended") in {"amortized", "net_amortized"}
    spans = _months(months_before(covered, 12)) if cadence == "monthly" else _single(both)
    facts: dict[str, Any] = {
        "client_id": "northwind-retail",
        "account_id": ACCOUNT,
        "cadence": cadence,
        "issue": "final" if cadence == "monthly" else "preliminary",
        "period": covered,
        "previous": before,
        "metric": "unblended",
        "currency": "USD",
        "fetched_at": datetime.combine(covered.end + timedelta(days=9), time(6, 12), UTC),
        "spans": tuple(_span(span, by_record) for span in spans),
        "days": tuple(_day(day, by_record[day], amortized=amortized) for day in days(both)),
        "queries": (),
    }
    return CostDocument.model_validate(facts | changes)


def _months(whole: Period) -> list[Period]:
    return [month_of(day) for day in days(whole) if day.day == 1]


def _single(whole: Period) -> list[Period]:
    return [Period(start=day, end=day + timedelta(days=1)) for day in days(whole)]


def _span(period: Period, by_record: Mapping[date, Mapping[tuple[str, str], list[Decimal]]]) -> RecordSpan:
    sums: defaultdict[tuple[str, str], list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for day in days(period):
        for key, (plain, spread) in by_record.get(day, {}).items():
            sums[key][0] += plain
            sums[key][1] += spread
    lines = tuple(
        RecordLine(
            service=service,
            record_type=record_type,
            amounts=Amounts(unblended=plain, amortized=spread, net_unblended=plain, net_amortized=spread),
        )
        for (service, record_type), (plain, spread) in sums.items()
    )
    return RecordSpan(period=period, estimated=False, lines=lines)


def _day(day: date, lines: Mapping[tuple[str, str], list[Decimal]], *, amortized: bool) -> DayCosts:
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for (service, _), amounts in lines.items():
        sums[service] += amounts[amortized]
    return DayCosts(day=day, estimated=False, lines=tuple(Line(key=key, amount=sums[key]) for key in sums))


def said(explanation: Explanation) -> list[tuple[str, str | None, str]]:
    """The causes as kind, service and amount."""
    return [(cause.kind, cause.service, str(cause.amount)) for cause in explanation.causes]


def the(explanation: Explanation, kind: str) -> Cause:
    """The only cause of a kind."""
    (cause,) = (cause for cause in explanation.causes if cause.kind == kind)
    return cause
