"""The sums that a report shows, and the two views of the same days that must agree."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cost_reporting.costs import (
    GROUPS,
    CostDocument,
    Line,
    by_day,
    by_group,
    by_month,
    by_service,
    period_total,
    reconcile,
)
from cost_reporting.errors import CostsDoNotReconcile
from cost_reporting.periods import days
from tests.builders import a_cost_document, some_accounts

EC2, S3 = "Amazon Elastic Compute Cloud - Compute", "Amazon Simple Storage Service"
CENTS = st.decimals(min_value=-(10**6), max_value=10**6, places=2)


def moved(costs: CostDocument, by: str, service: str = S3) -> CostDocument:
    """The same costs, with ``service`` dearer ``by`` that much on the last day, but only in the view by day."""
    *others, last = costs.days
    lines = tuple(
        Line(key=line.key, amount=line.amount + (Decimal(by) if line.key == service else 0)) for line in last.lines
    )
    return costs.model_copy(update={"days": (*others, last.model_copy(update={"lines": lines}))})


@given(st.dictionaries(st.sampled_from([EC2, S3, "AWS Lambda", "Amazon Route 53"]), CENTS, min_size=1))
def test_every_view_of_a_period_has_the_same_total(services: dict[str, Decimal]) -> None:
    costs = a_cost_document(services=services)
    expected = sum(services.values())
    assert period_total(costs, costs.period) == expected
    assert by_service(costs, costs.period) == services
    assert sum(by_day(costs, costs.period).values()) == expected
    assert sum(by_group(costs, costs.period).values()) == expected
    assert by_month(costs)[costs.period] == expected
    reconcile(costs)


def test_a_period_takes_only_its_own_days() -> None:
    costs = a_cost_document(services={S3: "12.00"}, previous={S3: "10.00"})
    assert by_service(costs, costs.previous) == {S3: Decimal("10.00")}
    assert list(by_day(costs, costs.period)) == list(days(costs.period))


def test_a_day_that_cost_explorer_did_not_answer_for_is_absent_and_not_zero() -> None:
    costs = a_cost_document()
    gap = costs.model_copy(update={"days": tuple(day for day in costs.days if day.day != date(2026, 10, 15))})
    assert date(2026, 10, 15) not in by_day(gap, gap.period)


@pytest.mark.parametrize(
    ("record_type", "group"),
    [
        ("Usage", "usage"),
        ("DiscountedUsage", "usage"),
        ("SavingsPlanCoveredUsage", "usage"),
        ("SavingsPlanNegation", "commitment"),
        ("RIFee", "commitment"),
        ("EdpDiscount", "discount"),
        ("Credit", "credit"),
        ("Refund", "refund"),
        ("Support", "support"),
        ("Tax", "tax"),
        ("SomethingThatAwsInventsTomorrow", "other"),
    ],
)
def test_every_record_type_has_a_step_on_the_way_to_the_invoice(record_type: str, group: str) -> None:
    costs = a_cost_document(services={}, records={S3: {record_type: "5.00"}})
    assert by_group(costs, costs.period) == {group: Decimal("5.00")}
    assert group in GROUPS


def test_the_reports_metric_decides_which_amounts_are_summed() -> None:
    costs = a_cost_document(services={S3: "12.00"})
    amounts = costs.spans[-1].lines[0].amounts.model_copy(update={"amortized": Decimal("9.00")})
    line = costs.spans[-1].lines[0].model_copy(update={"amounts": amounts})
    span = costs.spans[-1].model_copy(update={"lines": (line,)})
    amortized = costs.model_copy(update={"metric": "amortized", "spans": (*costs.spans[:-1], span)})
    assert by_group(amortized, amortized.period) == {"usage": Decimal("9.00")}


def test_a_weekly_document_reconciles_day_by_day() -> None:
    costs = a_cost_document("2026-W42", services={S3: "7.77"})
    assert by_group(costs, costs.period) == {"usage": Decimal("7.77")}
    reconcile(costs)


@pytest.mark.parametrize("difference", ["0.01", "-0.01", "0.0099999999"])
def test_a_cent_of_rounding_between_the_views_is_no_difference(difference: str) -> None:
    reconcile(moved(a_cost_document(), difference))


@pytest.mark.parametrize("difference", ["0.0100000001", "-0.02", "250"])
def test_more_than_a_cent_between_the_views_names_service_views_and_amounts(difference: str) -> None:
    costs = a_cost_document(services={EC2: "900.00", S3: "120.50"})
    by_days = Decimal("120.50") + Decimal(difference)
    with pytest.raises(CostsDoNotReconcile) as raised:
        reconcile(moved(costs, difference))
    said = str(raised.value)
    assert "USD in 2026-10-01 to 2026-11-01" in said
    assert f"{S3}: {by_days.normalize():f}" in said
    assert "120.50" in said
    assert EC2 not in said


def test_two_services_that_differ_and_cancel_out_are_still_a_difference() -> None:
    costs = moved(moved(a_cost_document(), "5", service=EC2), "-5", service=S3)
    with pytest.raises(CostsDoNotReconcile, match=EC2):
        reconcile(costs)


def test_a_service_that_only_one_view_knows_is_a_difference() -> None:
    costs = a_cost_document(services={S3: "10.00"})
    missing = costs.model_copy(update={"spans": ()})
    with pytest.raises(CostsDoNotReconcile, match=rf"{S3}: 10\.0+ by day, 0 by record type"):
        reconcile(missing)


def test_linked_accounts_that_do_not_add_up_are_a_difference() -> None:
    agreeing = some_accounts([("310000000001", "prod", "8.00", "0"), ("310000000002", "dev", "4.00", "0")])
    reconcile(a_cost_document(services={S3: "12.00"}, accounts=agreeing))
    lacking = some_accounts([("310000000001", "prod", "8.00", "0")])
    with pytest.raises(CostsDoNotReconcile, match="by account"):
        reconcile(a_cost_document(services={S3: "12.00"}, accounts=lacking))


def test_a_hundred_differences_are_still_one_readable_sentence() -> None:
    costs = a_cost_document(services={f"Service {number:03d}": "10.00" for number in range(100)})
    with pytest.raises(CostsDoNotReconcile) as raised:
        reconcile(costs.model_copy(update={"spans": ()}))
    assert len(str(raised.value)) < 1000


def test_costs_are_estimated_if_a_day_of_the_period_itself_is() -> None:
    assert not a_cost_document(estimated=[date(2026, 9, 30)]).estimated
    assert a_cost_document(estimated=[date(2026, 10, 31)]).estimated


def test_every_page_is_a_paid_request() -> None:
    costs = a_cost_document()
    pages = costs.queries[0].model_copy(update={"request_ids": ("request-1", "request-3", "request-4")})
    assert costs.model_copy(update={"queries": (pages, costs.queries[1])}).paid_requests == 4


def test_a_document_survives_its_storage_exactly() -> None:
    costs = a_cost_document(services={S3: "0.0000000001", EC2: "123456789012.3456789"})
    assert CostDocument.model_validate_json(costs.model_dump_json()) == costs
