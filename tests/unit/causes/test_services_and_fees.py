"""What came and went, what plans and discounts did, and what is billed once a month."""

from datetime import date
from decimal import Decimal

import pytest

from cost_reporting.domain.causes import explain
from tests.unit.causes.rows import EC2, RDS, S3, Row, a_bill, daily, every_first, once, said, the

D = Decimal
STEADY = daily(EC2, "100")
DAY_MORE = ("calendar", None, "100.00")


def test_a_service_without_a_history_is_new() -> None:
    made = explain(a_bill("2026-10", [*STEADY, *daily(S3, "10", date(2026, 10, 20))]))
    assert said(made) == [("new", S3, "120.00"), DAY_MORE]


def test_a_service_that_was_free_until_now_is_not_new() -> None:
    rows = [*STEADY, *daily(S3, "0", end=date(2026, 10, 1)), *daily(S3, "10", date(2026, 10, 1))]
    assert said(explain(a_bill("2026-10", rows))) == [("service", S3, "310.00"), DAY_MORE]


def test_a_service_that_is_not_billed_any_more_has_ended() -> None:
    rows = [*STEADY, *daily(S3, "10", end=date(2026, 10, 1))]
    assert said(explain(a_bill("2026-10", rows))) == [("ended", S3, "-300.00"), DAY_MORE]


def test_a_service_that_stops_within_the_month_has_nothing_since_its_last_day() -> None:
    rows = [*STEADY, *daily(S3, "10", end=date(2026, 10, 11))]
    made = explain(a_bill("2026-10", rows))
    assert the(made, "service").amount == D("-200.00")
    assert the(made, "service").day == date(2026, 10, 10)


def test_the_first_whole_month_of_a_service_is_no_rise() -> None:
    made = explain(a_bill("2026-10", [*STEADY, *daily(S3, "10", date(2026, 9, 21))]))
    assert said(made) == [("begun", S3, "210.00"), DAY_MORE]
    assert the(made, "begun").day == date(2026, 9, 21)


def test_the_first_whole_month_of_an_account_is_one_cause() -> None:
    rows = [*daily(EC2, "100", date(2026, 9, 21)), *daily(S3, "10", date(2026, 9, 21))]
    made = explain(a_bill("2026-10", rows))
    assert said(made) == [("costs_began", None, "2310.00")]
    assert the(made, "costs_began").day == date(2026, 9, 21)


def test_in_a_week_nothing_is_new() -> None:
    made = explain(a_bill("2026-W42", [*STEADY, *daily(S3, "10", date(2026, 10, 12))]))
    assert said(made) == [("again", S3, "70.00")]


# -- plans and discounts -----------------------------------------------------------------------------------------------


def planned(fee: str, covered: str, start: date) -> list[Row]:
    """A Savings Plan: what it covers goes from usage on demand to covered usage, and is taken off."""
    return [
        *daily(EC2, f"-{covered}", start),
        *daily(EC2, covered, start, record_type="SavingsPlanCoveredUsage"),
        *daily(EC2, f"-{covered}", start, record_type="SavingsPlanNegation"),
        *daily("Savings Plans for AWS Compute usage", fee, start, record_type="SavingsPlanRecurringFee"),
    ]


def test_a_new_savings_plan_is_a_cause_and_the_service_has_not_fallen() -> None:
    made = explain(a_bill("2026-10", [*STEADY, *planned("36", "50", date(2026, 10, 1))]))
    assert said(made) == [("new_plan", None, "-434.00"), DAY_MORE]
    parts = {part.name: part.amount for part in the(made, "new_plan").parts}
    assert parts == {"SavingsPlanRecurringFee": D("1116.00"), "SavingsPlanNegation": D("-1550.00")}


def test_savings_plans_are_compared_at_equal_days() -> None:
    rows = [*STEADY, *planned("36", "50", date(2026, 1, 1)), *planned("8", "10", date(2026, 10, 1))]
    made = explain(a_bill("2026-10", rows))
    plans = the(made, "plans")
    assert (plans.now, plans.before, plans.amount) == (D("-496.00"), D("-434.00"), D("-62.00"))
    assert the(made, "calendar").amount == D("86.00")


def test_a_discount_at_another_rate_is_a_cause_and_no_service_has_fallen() -> None:
    rows = [
        *STEADY,
        *daily(EC2, "-4", end=date(2026, 10, 1), record_type="EdpDiscount"),
        *daily(EC2, "-9", date(2026, 10, 1), record_type="EdpDiscount"),
    ]
    made = explain(a_bill("2026-10", rows))
    assert said(made) == [("discounts", None, "-155.00"), ("calendar", None, "96.00")]
    assert (the(made, "discounts").rate, the(made, "discounts").rate_before) == (D("0.09"), D("0.04"))


def test_a_discount_at_the_same_rate_goes_with_the_usage() -> None:
    rows = [*daily(EC2, "100", end=date(2026, 10, 1)), *daily(EC2, "200", date(2026, 10, 1))]
    off = [Row(row.service, row.amount / -10, row.on, "EdpDiscount") for row in rows]
    assert said(explain(a_bill("2026-10", [*rows, *off]))) == [("service", EC2, "2790.00"), ("calendar", None, "90.00")]


# -- fees --------------------------------------------------------------------------------------------------------------


def test_small_fees_are_one_cause_and_their_parts_make_it() -> None:
    rows = [
        *daily(EC2, "100", end=date(2026, 10, 1)),
        *daily(EC2, "110", date(2026, 10, 1)),
        *once("Tax", "300", date(2026, 9, 1), record_type="Tax"),
        *once("Tax", "341", date(2026, 10, 1), record_type="Tax"),
        *once("AWS Support (Business)", "300", date(2026, 9, 1), record_type="Support"),
        *once("AWS Support (Business)", "330", date(2026, 10, 1), record_type="Support"),
    ]
    made = explain(a_bill("2026-10", rows))
    assert said(made) == [("service", EC2, "310.00"), DAY_MORE, ("fees", None, "71.00")]
    assert [(part.name, part.amount) for part in the(made, "fees").parts] == [
        ("tax", D("41.00")),
        ("support", D("30.00")),
    ]


def test_a_large_fee_stays_a_cause_of_its_own() -> None:
    rows = [
        *STEADY,
        *once("Tax", "341", date(2026, 10, 1), record_type="Tax"),
        *once("AWS Support (Business)", "30", date(2026, 10, 1), record_type="Support"),
    ]
    kinds = [cause.kind for cause in explain(a_bill("2026-10", rows)).causes]
    assert kinds == ["tax", "calendar", "support"]


def test_what_was_bought_once_is_told_as_such() -> None:
    made = explain(a_bill("2026-10", [*STEADY, *once(RDS, "9000", date(2026, 10, 7), record_type="Upfront")]))
    assert said(made) == [("purchase", None, "9000.00"), DAY_MORE]
    assert (the(made, "purchase").now, the(made, "purchase").before) == (D("9000.00"), D("0.00"))


@pytest.mark.parametrize("record_type", ["FlatRateSubscription", "Other out-of-cycle charges", "Something new"])
def test_other_charges_have_aws_own_word(record_type: str) -> None:
    rows = [*STEADY, *once("AWS Data Exchange", "70", date(2026, 10, 7), record_type=record_type)]
    made = explain(a_bill("2026-10", rows))
    assert said(made) == [DAY_MORE, ("other", None, "70.00")]
    assert [part.name for part in the(made, "other").parts] == [record_type]


def test_a_reservation_fee_is_no_rise_of_its_service() -> None:
    rows = [*daily(RDS, "10"), *once(RDS, "900", date(2026, 10, 1), record_type="Recurring"), *STEADY]
    made = explain(a_bill("2026-10", rows))
    assert said(made) == [("reservations", None, "900.00"), ("calendar", None, "110.00")]
    assert [part.name for part in the(made, "reservations").parts] == [RDS]


def test_a_monthly_fee_may_move_inside_its_month() -> None:
    on_the_1st = a_bill("2026-10", [*STEADY, *daily(RDS, "10", weekend="4"), *every_first(RDS, "900", "Recurring")])
    moved = [
        *STEADY,
        *daily(RDS, "10", weekend="4"),
        *once(RDS, "900", date(2026, 9, 12), date(2026, 10, 21), record_type="Recurring"),
    ]
    assert explain(a_bill("2026-10", moved)).causes == explain(on_the_1st).causes
