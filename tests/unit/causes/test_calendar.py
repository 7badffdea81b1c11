"""What a longer month alone makes: by working days where a service has them, and without what has no daily rate."""

from datetime import date
from decimal import Decimal

import pytest

from cost_reporting.domain.causes import explain
from tests.unit.causes.rows import EC2, RDS, S3, a_bill, daily, every_first, once, said, the

D = Decimal


@pytest.mark.parametrize(
    ("period", "amount", "days"), [("2026-10", "10.00", 1), ("2026-09", "-10.00", -1), ("2026-03", "30.00", 3)]
)
def test_a_flat_bill_changes_with_the_calendar_alone(period: str, amount: str, days: int) -> None:
    made = explain(a_bill(period, daily(EC2, "10")))
    assert said(made) == [("calendar", None, amount)]
    assert the(made, "calendar").days == days


@pytest.mark.parametrize("period", ["2026-08", "2026-01", "2026-W42"])
def test_a_flat_bill_over_equally_long_periods_has_no_cause(period: str) -> None:
    made = explain(a_bill(period, daily(EC2, "10")))
    assert (made.change, made.causes) == (D("0.00"), ())


def test_a_day_more_that_is_a_saturday_costs_what_a_saturday_costs() -> None:
    made = explain(a_bill("2026-10", daily(EC2, "100", weekend="20")))
    assert said(made) == [("calendar", None, "20.00")]
    assert the(made, "calendar").working_days == 0


def test_months_of_equal_length_differ_by_their_working_days() -> None:
    made = explain(a_bill("2026-08", daily(EC2, "100", weekend="20")))
    assert said(made) == [("calendar", None, "-160.00")]
    assert (the(made, "calendar").days, the(made, "calendar").working_days) == (0, -2)


def test_where_the_day_fell_is_told_only_if_it_matters_to_much_of_the_bill() -> None:
    made = explain(a_bill("2026-10", [*daily(EC2, "100"), *daily(S3, "10", weekend="2")]))
    assert the(made, "calendar").working_days is None
    assert made.change == the(made, "calendar").amount == D("102.00")


def test_what_is_billed_in_lumps_has_no_daily_rate() -> None:
    on = tuple(date(2026, month, 2) for month in range(1, 11))
    rows = [*once(EC2, "160", *on[:-1]), *once(EC2, "162", on[-1])]
    assert said(explain(a_bill("2026-10", rows))) == [("service", EC2, "2.00")]


@pytest.mark.parametrize("record_type", ["Recurring", "Upfront"])
def test_fees_are_in_no_rate(record_type: str) -> None:
    rows = [*daily(RDS, "10", weekend="4"), *every_first(RDS, "3000", record_type)]
    assert said(explain(a_bill("2026-10", rows))) == [("calendar", None, "4.00")]


def test_usage_of_the_1st_is_in_no_rate() -> None:
    rows = [*daily("Amazon Route 53", "1.00"), *every_first("Amazon Route 53", "50.00")]
    assert said(explain(a_bill("2026-10", rows))) == [("calendar", None, "1.00")]


def test_usage_that_plans_cover_is_flat_and_so_are_the_plans() -> None:
    rows = [
        *daily(EC2, "100", weekend="20"),
        *daily(EC2, "50", record_type="SavingsPlanCoveredUsage"),
        *daily(EC2, "-50", record_type="SavingsPlanNegation"),
        *daily("Savings Plans for AWS Compute usage", "36", record_type="SavingsPlanRecurringFee"),
    ]
    made = explain(a_bill("2026-10", rows))
    assert made.change == D("56.00")
    assert said(made) == [("calendar", None, "56.00")]


def test_a_day_of_zeros_counts_as_a_day_of_use() -> None:
    rows = [*daily(EC2, "10"), *daily(EC2, "-10", record_type="Credit")]
    made = explain(a_bill("2026-10", [*rows, *daily(S3, "5")]))
    assert ("calendar", None, "15.00") in said(made)


def test_an_even_rate_where_credits_hide_the_kinds_of_days() -> None:
    rows = [*daily(EC2, "100", weekend="20"), *once(EC2, "-100", date(2026, 9, 5), record_type="Credit")]
    made = explain(a_bill("2026-10", rows))
    assert the(made, "calendar").amount == D("78.67")  # 22 working and 8 other days of September, by 30
    assert the(made, "calendar").working_days is None
