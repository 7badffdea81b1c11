"""What AWS calls an anomaly, as far as the bill shows it: one cause for each event, and never more than was paid."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from cost_reporting.costs import SEVERAL_SERVICES, Anomaly, CostDocument
from cost_reporting.domain.causes import explain
from tests.builders import an_anomaly
from tests.unit.causes.rows import EC2, S3, a_bill, daily, once, said, the

D = Decimal
STEADY = [*daily(EC2, "100"), *daily(S3, "10")]


def report(first: date, last: date | None, impact: str, **changes: object) -> Anomaly:
    facts = {"last_day": last, "impact": impact, "service": EC2, "account_id": None, "usage_type": None, "region": None}
    return an_anomaly(first, **(facts | changes))


def october(*days: int) -> tuple[date, ...]:
    return tuple(date(2026, 10, day) for day in days)


def a_spike(
    period: str, *on: date, more: str = "500", anomalies: tuple[Anomaly, ...], **changes: object
) -> CostDocument:
    return a_bill(period, [*STEADY, *once(EC2, more, *on)], anomalies=anomalies, **changes)


OCTOBER = october(12, 13, 14)
EVENT = report(date(2026, 10, 12), date(2026, 10, 14), "1500")


def test_an_incident_is_a_cause_of_its_own_and_the_service_has_not_risen() -> None:
    made = explain(a_spike("2026-10", *OCTOBER, anomalies=(EVENT,)))
    assert said(made) == [("incident", EC2, "1500.00"), ("calendar", None, "110.00")]
    incident = the(made, "incident")
    assert incident.anomaly == EVENT
    assert incident.over is True
    assert (incident.now, incident.before) == (None, None)


def test_the_rest_of_its_service_is_told_beside_it() -> None:
    rows = [
        *daily(EC2, "100", end=date(2026, 10, 1)),
        *daily(EC2, "80", date(2026, 10, 1)),
        *once(EC2, "500", *OCTOBER),
    ]
    made = explain(a_bill("2026-10", rows, anomalies=(EVENT,)))
    assert said(made) == [("incident", EC2, "1500.00"), ("service", EC2, "-620.00"), ("calendar", None, "100.00")]
    assert the(made, "service").otherwise


@pytest.mark.parametrize(
    "other",
    [
        report(date(2026, 10, 12), date(2026, 10, 13), "900", account_id="111122223333"),
        report(date(2026, 10, 13), date(2026, 10, 14), "1700", service=SEVERAL_SERVICES, account_id="111122223333"),
        report(date(2026, 10, 14), None, "1500"),
    ],
)
def test_one_event_that_two_monitors_report_is_one_cause(other: Anomaly) -> None:
    for both in ((EVENT, other), (other, EVENT)):
        made = explain(a_spike("2026-10", *OCTOBER, anomalies=both))
        assert [cause.kind for cause in made.causes].count("incident") == 1
        assert the(made, "incident").anomaly.service == EC2  # type: ignore[union-attr]


def test_two_events_are_two_causes() -> None:
    second = report(date(2026, 10, 22), date(2026, 10, 22), "500")
    made = explain(a_spike("2026-10", *OCTOBER, *october(22), anomalies=(EVENT, second)))
    assert said(made)[:2] == [("incident", EC2, "1500.00"), ("incident", EC2, "500.00")]


def test_an_event_over_the_end_of_a_month_has_a_part_in_each() -> None:
    event = report(date(2026, 9, 29), date(2026, 10, 1), "1500")
    on = (date(2026, 9, 29), date(2026, 9, 30), date(2026, 10, 1))
    incident = the(explain(a_spike("2026-10", *on, anomalies=(event,))), "incident")
    assert (incident.now, incident.before, incident.amount) == (D("500.00"), D("1000.00"), D("-500.00"))


def test_last_months_event_that_is_over_is_a_cause_of_the_fall() -> None:
    event = report(date(2026, 9, 14), date(2026, 9, 16), "1500")
    made = explain(a_spike("2026-10", *(date(2026, 9, day) for day in (14, 15, 16)), anomalies=(event,)))
    assert said(made) == [("incident_before", EC2, "-1500.00"), ("calendar", None, "110.00")]


def test_an_event_partly_outside_the_weeks_counts_by_what_their_days_show() -> None:
    event = report(date(2026, 10, 17), date(2026, 10, 19), "1500")  # the 19th is behind the week
    made = explain(a_spike("2026-W42", *october(17, 18), anomalies=(event,)))
    assert said(made) == [("incident", EC2, "1000.00")]


def test_a_bill_that_shows_less_than_half_of_the_impact_counts_by_what_it_shows() -> None:
    made = explain(a_spike("2026-10", *OCTOBER, more="50", anomalies=(EVENT,)))
    assert ("incident", EC2, "150.00") in said(made)


def test_an_impact_a_little_above_what_the_days_show_is_believed() -> None:
    made = explain(a_spike("2026-10", *OCTOBER, more="400", anomalies=(EVENT,)))
    assert said(made)[:2] == [("incident", EC2, "1500.00"), ("service", EC2, "-300.00")]


def test_no_incident_costs_more_than_its_service() -> None:
    rows = [*STEADY, *once("AWS Glue", "20", *OCTOBER)]
    event = report(date(2026, 10, 12), date(2026, 10, 14), "90", service="AWS Glue")
    made = explain(a_bill("2026-10", rows, anomalies=(event,)))
    assert ("incident", "AWS Glue", "60.00") in said(made)
    assert sum(cause.amount for cause in made.causes) == made.change


def test_several_services_and_services_without_costs_are_no_cause() -> None:
    for service in (SEVERAL_SERVICES, "Amazon Braket"):
        event = report(date(2026, 10, 12), date(2026, 10, 14), "1500", service=service)
        made = explain(a_spike("2026-10", *OCTOBER, anomalies=(event,)))
        assert said(made) == [("service", EC2, "1500.00"), ("calendar", None, "110.00")]


def test_spend_below_what_was_expected_is_no_incident() -> None:
    event = report(date(2026, 10, 12), date(2026, 10, 14), "-1500")
    assert "incident" not in {cause.kind for cause in explain(a_spike("2026-10", *OCTOBER, anomalies=(event,))).causes}


def test_an_event_goes_on_while_the_days_behind_it_are_dear() -> None:
    event = report(date(2026, 10, 12), date(2026, 10, 14), "1500")
    rows = [*STEADY, *daily(EC2, "400", date(2026, 10, 12))]
    assert the(explain(a_bill("2026-10", rows, anomalies=(event,))), "incident").over is False


@pytest.mark.parametrize(
    ("last", "fetched", "over"),
    [
        (date(2026, 10, 31), datetime(2026, 11, 9, tzinfo=UTC), True),
        (date(2026, 10, 31), datetime(2026, 11, 2, tzinfo=UTC), False),
        (None, datetime(2026, 11, 9, tzinfo=UTC), None),
    ],
)
def test_whether_an_event_is_over_is_only_said_if_known(
    last: date | None, fetched: datetime, over: bool | None
) -> None:
    event = report(date(2026, 10, 30), last, "1000")
    made = explain(a_spike("2026-10", *october(30, 31), anomalies=(event,), fetched_at=fetched))
    assert the(made, "incident").amount == D("1000.00")
    assert the(made, "incident").over is over


def test_credits_do_not_hide_an_incident_nor_make_one() -> None:
    credit = [*daily(EC2, "-100", record_type="Credit"), *once(EC2, "-500", *OCTOBER, record_type="Credit")]
    shown = a_bill("2026-10", [*STEADY, *credit, *once(EC2, "500", *OCTOBER)], anomalies=(EVENT,))
    assert the(explain(shown), "incident").amount == D("1500.00")
    flat = a_bill("2026-10", [*STEADY, *daily(EC2, "-60", record_type="Credit")], anomalies=(EVENT,))
    assert the(explain(flat), "calendar").amount == D("110.00")
    assert "incident" not in {cause.kind for cause in explain(flat).causes}
