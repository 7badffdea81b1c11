"""Builders of the product's facts for tests: complete, plausible, and changed by what a test is about.

    a_cost_document(month="2026-10", services={"Amazon S3": "12.00"}, previous={"Amazon S3": "10.00"})

Amounts are spread over the days of their period, to the cent and exactly, so that every view agrees with every other.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from cost_reporting.approvals import Held, State
from cost_reporting.clients import Attachment, Client
from cost_reporting.contracts import (
    Attached,
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
from cost_reporting.costs import (
    AccountNotRead,
    Amounts,
    Anomaly,
    Commitment,
    Commitments,
    CostDocument,
    DayCosts,
    Expiry,
    Forecast,
    Line,
    NotAvailable,
    Preliminary,
    Query,
    RecordLine,
    RecordSpan,
    Savings,
    Split,
    TagSplit,
)
from cost_reporting.errors import remedy_of
from cost_reporting.ledger import report_key
from cost_reporting.periods import cadence_of, days, issue_at, months_before, parse, preceding
from cost_reporting.report.naming import CONTENT_TYPES
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
    accounts: Split | NotAvailable | None = None,
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


def a_split(now: Mapping[str, Amount], before: Mapping[str, Amount] | None = None) -> Split:
    """Costs by the keys of one dimension, the same in both periods unless ``before`` says otherwise."""
    return Split(
        current=tuple(Line(key=key, amount=Decimal(amount)) for key, amount in now.items()),
        previous=tuple(
            Line(key=key, amount=Decimal(amount)) for key, amount in (now if before is None else before).items()
        ),
        names={},
    )


def a_tag(
    key: str = "team", now: Mapping[str, Amount] | None = None, before: Mapping[str, Amount] | None = None
) -> TagSplit:
    """Costs by the values of a tag; the key "" is what carries no such tag."""
    split = (
        a_split(now, before)
        if now is not None
        else a_split({"shop": "700", "data": "250.50", "": "70"}, {"shop": "650", "data": "240.25", "": "78"})
    )
    return TagSplit(tag_key=key, split=split)


def a_forecast(month: str = "2026-11", **changes: Any) -> Forecast:
    """A month of which nine days are billed."""
    period = parse(month)
    facts: dict[str, Any] = {
        "month": period,
        "until": period.start + timedelta(days=9),
        "so_far": "300.10",
        "mean": "1100.20",
        "low": "980.30",
        "high": "1220.40",
    }
    return Forecast.model_validate(facts | changes)


def an_anomaly(first_day: date = date(2026, 10, 17), **changes: Any) -> Anomaly:
    """Two days of unexpected traffic."""
    facts: dict[str, Any] = {
        "first_day": first_day,
        "last_day": first_day + timedelta(days=1),
        "impact": "126.85",
        "expected": "20.24",
        "service": "EC2 - Other",
        "region": "sa-east-1",
        "account_id": ACCOUNT,
        "usage_type": "SAE1-NatGateway-Bytes",
    }
    return Anomaly.model_validate(facts | changes)


def some_commitments(*ends: date) -> Commitments:
    """Savings Plans and reservations, both well used, with Savings Plans that end on these days."""
    return Commitments(
        commitments=(
            Commitment.model_validate(
                {"kind": "savings_plans", "coverage": "63.4", "utilisation": "98.2", "net_savings": "81.234"}
            ),
            Commitment.model_validate(
                {"kind": "reservations", "coverage": "81", "utilisation": "93.02", "net_savings": "22.113"}
            ),
        ),
        expiring=tuple(
            Expiry(kind="savings_plans", commitment_id=f"3f1b2c4d-1111-4222-8333-{number:012d}", ends=end)
            for number, end in enumerate(ends)
        ),
    )


def no_commitments() -> Commitments:
    """An account that pays for everything on demand."""
    kinds = ("savings_plans", "reservations")
    return Commitments.model_validate(
        {
            "commitments": [{"kind": k, "coverage": None, "utilisation": None, "net_savings": None} for k in kinds],
            "expiring": (),
        }
    )


def some_savings(count: int = 3, **changes: Any) -> Savings:
    """Commitments that paid off, a plan to buy, and so many instances to end or to shrink."""
    facts: dict[str, Any] = {
        "achieved": (
            {"kind": "savings_plans", "net_savings": "81.234"},
            {"kind": "reservations", "net_savings": "22.113"},
        ),
        "purchases": ({"account_id": ACCOUNT, "hourly": "0.1234", "monthly_savings": "35.0333"},),
        "resizes": tuple(
            {
                "account_id": ACCOUNT,
                "resource_id": f"i-{number:017x}",
                "name": f"shop-{number}",
                "region": "eu-west-1",
                "instance_type": "m5.xlarge",
                "target": None if number % 3 == 0 else "m5.large",
                "monthly_savings": f"{70 - number}.3333",
            }
            for number in range(count)
        ),
    }
    return Savings.model_validate(facts | changes)


def not_available(error: str = "CostsThrottled", reason: str = "Cost Explorer: ThrottlingException") -> NotAvailable:
    """A section that failed; the reason is for us, and no client reads it."""
    return NotAvailable(error=error, reason=reason)


def not_read(
    account_id: str | None = "444455556666", name: str = "Lager Berlin", error: str = "ClientAccessDenied"
) -> AccountNotRead:
    """An account of the client that refused; the reason is for us, and no client reads it."""
    return AccountNotRead(account_id=account_id, name=name, error=error, reason=f"Cost Explorer: {error}Exception")


SECTIONS = ("accounts", "regions", "tags", "forecast", "anomalies", "commitments", "savings")


def a_full_client(**changes: Any) -> Client:
    """A client that asked for everything there is, budget included."""
    return a_client(**({"sections": SECTIONS, "tag_keys": ("team", "stage"), "monthly_budget": "1000.00"} | changes))


def a_full_document(period: str = "2026-10", **changes: Any) -> CostDocument:
    """A document in which nothing is missing that a client can ask for."""
    covered = parse(period)
    facts: dict[str, Any] = {
        "accounts": some_accounts(
            [(ACCOUNT, "northwind-payer", "900.00", "850.00"), ("222233334444", "northwind-shop", "120.50", "118.25")]
        ),
        "regions": a_split(
            {"eu-west-1": "800", "global": "120.50", "NoRegion": "100"},
            {"eu-west-1": "760", "global": "118.25", "NoRegion": "90"},
        ),
        "tags": (a_tag("team"), a_tag("stage", {"": "1020.50"}, {"": "968.25"})),
        "forecast": a_forecast(f"{covered.end:%Y-%m}"),
        "anomalies": (an_anomaly(covered.start + timedelta(days=3)),),
        "commitments": some_commitments(covered.end + timedelta(days=20), covered.end + timedelta(days=50)),
        "savings": some_savings(),
        "preliminary": Preliminary(
            total=Decimal("1010.50"), fetched_at=datetime.combine(covered.end + timedelta(days=2), time(6), UTC)
        ),
    }
    return a_cost_document(period, **(facts | changes))


def a_failed_document(period: str = "2026-10", **changes: Any) -> CostDocument:
    """A document of which every optional part failed."""
    return a_cost_document(period, **({section: not_available() for section in SECTIONS} | changes))


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


def a_held(client_id: str = "northwind-retail", period: str = "2026-10", state: State = "HELD", **changes: Any) -> Held:
    """A report that waits for an operator, or about which one has decided."""
    run = a_run(period)
    facts: dict[str, Any] = {
        "client_id": client_id,
        "report": report_key(run, client_id),
        "state": state,
        "pdf_key": f"{report_prefix(run, client_id)}report.pdf",
        "pdf_sha256": "a" * 64,
        "run_id": run.run_id,
        "nominal_at": run.nominal_at,
        "at": run.nominal_at,
    }
    if state != "HELD":
        facts |= {"by": "arn:aws:iam::1:user/ada", "reason": "looked at it", "decided_at": run.nominal_at}
    return Held.model_validate(facts | changes)


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


def report_rendered(
    client_id: str = "northwind-retail", run: Run | None = None, *, attachments: tuple[Attachment, ...] = ()
) -> ReportRendered:
    """A client whose report is stored, with ``attachments`` beside it."""
    fetched = costs_fetched(client_id, run)
    prefix = report_prefix(fetched.run, client_id)
    report = RenderedReport(
        pdf=a_stored_object(f"{prefix}report.pdf"),
        mail=a_stored_object(f"{prefix}mail.json"),
        evidence=a_stored_object(f"{prefix}evidence.json"),
        attachments=tuple(
            Attached(
                document=a_stored_object(f"{prefix}costs.{kind}"),
                file_name=f"{client_id}_aws-costs_2026-10_final.{kind}",
                content_type=CONTENT_TYPES[kind],
            )
            for kind in attachments
        ),
        file_name=f"{client_id}_aws-costs_2026-10_final.pdf",
    )
    return ReportRendered(**dict(fetched), report=report)


def report_sent(
    client_id: str = "northwind-retail",
    run: Run | None = None,
    *,
    state: str = "SENT",
    recipients: int = 1,
    attachments: tuple[Attachment, ...] = (),
    reason: str | None = None,
) -> ReportSent:
    """A client whose mails all ended in ``state``."""
    deliveries = tuple(
        Delivery.model_validate({"recipient": f"{number:016x}", "state": state, "message_id": f"message-{number}"})
        for number in range(recipients)
    )
    rendered = report_rendered(client_id, run, attachments=attachments)
    return ReportSent(**dict(rendered), delivery=Receipt(deliveries=deliveries, reason=reason))


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
