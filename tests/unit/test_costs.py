"""The sums that a report shows, and the two views of the same days that must agree."""

from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from cost_reporting.costs import (
    CostDocument,
    by_day,
    by_group,
    by_month,
    by_record_type,
    by_service,
    period_total,
)
from cost_reporting.domain.gate import gate
from cost_reporting.periods import days
from tests.builders import a_cost_document

EC2, S3 = "Amazon Elastic Compute Cloud - Compute", "Amazon Simple Storage Service"
CENTS = st.decimals(min_value=-(10**6), max_value=10**6, places=2)


@given(st.dictionaries(st.sampled_from([EC2, S3, "AWS Lambda", "Amazon Route 53"]), CENTS, min_size=1))
def test_every_view_of_a_period_has_the_same_total(services: dict[str, Decimal]) -> None:
    costs = a_cost_document(services=services)
    expected = sum(services.values())
    assert period_total(costs, costs.period) == expected
    assert by_service(costs, costs.period) == services
    assert sum(by_day(costs, costs.period).values()) == expected
    assert sum(by_group(costs, costs.period).values()) == expected
    assert by_month(costs)[costs.period] == expected
    gate(costs)


def test_a_period_takes_only_its_own_days() -> None:
    costs = a_cost_document(services={S3: "12.00"}, previous={S3: "10.00"})
    assert by_service(costs, costs.previous) == {S3: Decimal("10.00")}
    assert list(by_day(costs, costs.period)) == list(days(costs.period))


def test_a_day_that_cost_explorer_did_not_answer_for_is_absent_and_not_zero() -> None:
    costs = a_cost_document()
    gap = costs.model_copy(update={"days": tuple(day for day in costs.days if day.day != date(2026, 10, 15))})
    assert date(2026, 10, 15) not in by_day(gap, gap.period)


def test_record_types_are_summed_into_the_steps_of_their_group_and_stay_known_by_name() -> None:
    records = {S3: {"Usage": "5.00", "SavingsPlanCoveredUsage": "2.00", "Recurring": "3.00", "Invented": "0.50"}}
    costs = a_cost_document(services={}, records=records)
    assert by_group(costs, costs.period) == {"usage": Decimal(7), "commitment": Decimal(3), "other": Decimal("0.50")}
    assert by_record_type(costs, costs.period, "other") == {"Invented": Decimal("0.50")}


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
    gate(costs)


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
