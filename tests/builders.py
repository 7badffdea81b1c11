"""Builders of the product's facts for tests: complete, plausible, and changed by what a test is about.

    a_cost_document(month="2026-10", services={"Amazon S3": "12.00"}, previous={"Amazon S3": "10.00"})

Amounts are spread over the days of their period, to the cent and exactly, so that every view agrees with every other.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from cost_reporting.clients import Client
from cost_reporting.contracts import (
    ClientDue,
    ClientEnded,
    CostsFetched,
    Delivery,
    Failure,
    FetchedCosts,
    Outcome,
    Period,
    Receipt,
    RenderedReport,
    ReportRendered,
    ReportSent,
    Run,
    StoredObject,
)
from cost_reporting.costs import Split, Amounts, CostDocument, DayCosts, Line, Query, RecordLine, RecordSpan
from cost_reporting.errors import remedy_of
from cost_reporting.periods import cadence_of, days, issue_at, months_before, parse, preceding
from cost_reporting.store.objects import report_prefix

Amount = str | Decimal
ACCOUNT = "111122223333"


def a_client(**changes: Any) -> Client:
    """Northwind Retail, an active client that pays in US dollars."""
    record: dict[str, Any] = {
        "client_id": "northwind-retail",
        "client_name": "Northwind Retail",
        "status": "active",
        "cadences": ("monthly", "weekly"),
        "recipients": ("finance@northwind.example",),
        "reply_to": "accounts@consultancy.example",
        "access": {
            "kind": "role",
            "role_arn": f"arn:aws:iam::{ACCOUNT}:role/CostReportReader",
            "external_id": "northwind-external-id",
        },
        "branding": {"colour": "#0b4f6c"},
        "locale": "en_US",
        "currency": "USD",
        "cost_metric": "unblended",
    }
    return Client.model_validate(record | changes)


def a_run(period: str | Period = "2026-10", **changes: Any) -> Run:
    """A live run about a month or an ISO week, some days after its bill was closed."""
    covered = parse(period) if isinstance(period, str) else period
    cadence = cadence_of(covered) or "monthly"
    nominal = datetime.combine(covered.end + timedelta(days=9), time(6), UTC)
    facts: dict[str, Any] = {
        "run_id": f"{cadence}-{covered.start:%Y-%m-%d}-final-abc123",
        "cadence": cadence,
        "period": covered,
        "issue": issue_at(covered, nominal),
        "mode": "live",
        "nominal_at": nominal,
    }
    return Run.model_validate(facts | changes)


def a_cost_document(
    period: str | Period = "2026-10",
    *,
    services: Mapping[str, Amount] | None = None,
    previous: Mapping[str, Amount] | None = None,
    records: Mapping[str, Mapping[str, Amount]] | None = None,
    previous_records: Mapping[str, Mapping[str, Amount]] | None = None,
    older: Amount | None = "100.00",
    accounts: Split | None = None,
    estimated: Iterable[date] = (),
    began: date | None = None,
    **changes: Any,
) -> CostDocument:
    """The costs of a month or an ISO week and of the one before.

    ``services`` are amounts of usage. ``records`` adds other lines, by service and record type:
    ``{"AWS Tax": {"Tax": "19.00"}}``. ``older`` is what each month before cost, None if there is none. ``began`` is the
    first day with costs in the previous period.
    """
    covered = parse(period) if isinstance(period, str) else period
    cadence = cadence_of(covered) or "monthly"
    before = preceding(covered, cadence)
    now_lines = _record_lines(
        {"Amazon Elastic Compute Cloud - Compute": "900.00", "Amazon Simple Storage Service": "120.50"}
        if services is None
        else services,
        records,
    )
    before_lines = _record_lines(
        {"Amazon Elastic Compute Cloud - Compute": "850.00", "Amazon Simple Storage Service": "118.25"}
        if previous is None
        else previous,
        previous_records,
    )
    marked = frozenset(estimated)
    day_costs = (*_days(before, before_lines, marked, began), *_days(covered, now_lines, marked, None))
    facts: dict[str, Any] = {
        "client_id": "northwind-retail",
        "account_id": ACCOUNT,
        "cadence": cadence,
        "issue": "final",
        "period": covered,
        "previous": before,
        "metric": "unblended",
        "currency": "USD",
        "fetched_at": datetime.combine(covered.end + timedelta(days=9), time(6, 12), UTC),
        "spans": _month_spans(covered, before, now_lines, before_lines, older)
        if cadence == "monthly"
        else (*_day_spans(before, before_lines), *_day_spans(covered, now_lines)),
        "days": day_costs,
        "accounts": accounts,
        "queries": (
            Query(name="records", operation="GetCostAndUsage", request_ids=("request-1",)),
            Query(name="days", operation="GetCostAndUsage", request_ids=("request-2",)),
        ),
    }
    return CostDocument.model_validate(facts | changes)


def some_accounts(amounts: Iterable[tuple[str, str, Amount, Amount]]) -> Split:
    """Linked accounts from (id, name, amount now, amount before)."""
    rows = tuple(amounts)
    return Split(
        current=tuple(Line(key=key, amount=Decimal(now)) for key, _, now, _ in rows),
        previous=tuple(Line(key=key, amount=Decimal(before)) for key, _, _, before in rows),
        names={key: name for key, name, _, _ in rows if name},
    )


def _record_lines(
    usage: Mapping[str, Amount], records: Mapping[str, Mapping[str, Amount]] | None
) -> tuple[RecordLine, ...]:
    lines = [_record(service, "Usage", amount) for service, amount in usage.items()]
    for service, by_type in (records or {}).items():
        lines += [_record(service, record_type, amount) for record_type, amount in by_type.items()]
    return tuple(lines)


def _record(service: str, record_type: str, amount: Amount) -> RecordLine:
    exact = Decimal(amount)
    return RecordLine(
        service=service,
        record_type=record_type,
        amounts=Amounts(unblended=exact, amortized=exact, net_unblended=exact, net_amortized=exact),
    )


def _days(
    period: Period, lines: tuple[RecordLine, ...], marked: frozenset[date], began: date | None
) -> tuple[DayCosts, ...]:
    spread = [(line.service, _spread(line.amounts.unblended, _costly(period, began))) for line in lines]
    return tuple(
        DayCosts(
            day=day,
            estimated=day in marked,
            lines=tuple(
                Line(
                    key=service,
                    amount=sum(
                        (amounts[day] for name, amounts in spread if name == service and day in amounts), Decimal(0)
                    ),
                )
                for service in dict.fromkeys(name for name, amounts in spread if day in amounts)
            ),
        )
        for day in days(period)
    )


def _costly(period: Period, began: date | None) -> list[date]:
    return [day for day in days(period) if began is None or day >= began]


def _spread(amount: Decimal, over: list[date]) -> dict[date, Decimal]:
    """Weekends cost two thirds of a working day; the last day takes what is left, so that nothing is lost."""
    weights = {day: Decimal(2 if day.weekday() >= 5 else 3) for day in over}
    parts = {
        day: (amount * weight / sum(weights.values())).quantize(Decimal("0.0000000001"))
        for day, weight in weights.items()
    }
    parts[over[-1]] += amount - sum(parts.values())
    return parts


def _month_spans(
    covered: Period,
    before: Period,
    now_lines: tuple[RecordLine, ...],
    before_lines: tuple[RecordLine, ...],
    older: Amount | None,
) -> tuple[RecordSpan, ...]:
    spans, month = [], parse(f"{months_before(covered, 12).start:%Y-%m}")
    while month.end <= covered.end:
        lines = {covered: now_lines, before: before_lines}.get(month)  # type: ignore[call-overload]
        if lines is None:
            lines = (_record("Amazon Simple Storage Service", "Usage", older),) if older is not None else ()
        spans.append(RecordSpan(period=month, estimated=False, lines=lines))
        month = parse(f"{month.end:%Y-%m}")
    return tuple(spans)


def _day_spans(period: Period, lines: tuple[RecordLine, ...]) -> tuple[RecordSpan, ...]:
    spread = [(line, _spread(line.amounts.unblended, list(days(period)))) for line in lines]
    return tuple(
        RecordSpan(
            period=Period(start=day, end=day + timedelta(days=1)),
            estimated=False,
            lines=tuple(_record(line.service, line.record_type, amounts[day]) for line, amounts in spread),
        )
        for day in days(period)
    )


# -- the baton ---------------------------------------------------------------------------------------------------------


def a_stored_object(key: str = "reports/some-client/monthly/2026-10/final/costs.json", **changes: Any) -> StoredObject:
    """A reference to a document in the bucket."""
    return StoredObject.model_validate({"key": key, "size": 48_211, "sha256": "0" * 64} | changes)


def a_client_due(client_id: str = "northwind-retail", run: Run | None = None) -> ClientDue:
    """A client at the start of its part of a run."""
    return ClientDue(run=run or a_run(), client_id=client_id)


def costs_fetched(client_id: str = "northwind-retail", run: Run | None = None, **figures: Any) -> CostsFetched:
    """A client whose costs are stored. ``figures`` change what is known about them."""
    due = a_client_due(client_id, run)
    known: dict[str, Any] = {
        "document": a_stored_object(f"{report_prefix(due.run, client_id)}costs.json"),
        "total": "1020.50",
        "previous": "968.25",
        "currency": "USD",
        "estimated": False,
        "paid_requests": 2,
    }
    return CostsFetched(**dict(due), costs=FetchedCosts.model_validate(known | figures))


def report_rendered(client_id: str = "northwind-retail", run: Run | None = None) -> ReportRendered:
    """A client whose report is stored."""
    fetched = costs_fetched(client_id, run)
    prefix = report_prefix(fetched.run, client_id)
    report = RenderedReport(
        pdf=a_stored_object(f"{prefix}report.pdf"),
        mail=a_stored_object(f"{prefix}mail.json"),
        file_name=f"{client_id}_aws-costs_2026-10_final.pdf",
    )
    return ReportRendered(**dict(fetched), report=report)


def report_sent(
    client_id: str = "northwind-retail", run: Run | None = None, *, state: str = "SENT", recipients: int = 1
) -> ReportSent:
    """A client whose mails all ended in ``state``."""
    deliveries = tuple(
        Delivery.model_validate({"recipient": f"{number:016x}", "state": state, "message_id": f"message-{number}"})
        for number in range(recipients)
    )
    return ReportSent(**dict(report_rendered(client_id, run)), delivery=Receipt(deliveries=deliveries))


def a_failure(error: str = "ClientAccessDenied", message: str = "role: AccessDenied") -> Failure:
    """A failure as Step Functions hands on what a Lambda function raised."""
    cause = {"errorMessage": message, "errorType": error, "requestId": "request-1", "stackTrace": []}
    return Failure(error=error, cause=json.dumps(cause))


def client_ended(baton: ClientDue | None = None, failure: Failure | None = None) -> ClientEnded:
    """A client at the end of its part of a run, with ``failure`` if there was one."""
    return ClientEnded(**dict(baton or report_sent()), failure=failure)


def an_outcome(client_id: str = "northwind-retail", status: str = "SENT", **changes: Any) -> Outcome:
    """How a client's part of a run ended: well, unless ``status`` is FAILED."""
    told: dict[str, Any] = {"client_id": client_id, "status": status}
    if status == "FAILED":
        told |= {"stage": "Fetch Costs", "error": "ClientAccessDenied", "message": "role: AccessDenied"}
        told |= {"remedy": remedy_of("ClientAccessDenied")}
    return Outcome.model_validate(told | changes)
