"""Bills of which one thing is known to have changed, each with the causes that are true of it."""

from datetime import date
from decimal import Decimal

import pytest

from cost_reporting.costs import NotAvailable
from cost_reporting.domain.causes import demand, explain, judged_by_usage, usage_total
from cost_reporting.periods import parse
from tests.builders import an_anomaly
from tests.unit.causes.rows import EC2, RDS, S3, Row, a_bill, daily, every_first, once, said, the

D = Decimal
STEADY = [*daily(EC2, "120.50"), *daily(S3, "14.25")]


def credited(month: date, usage: str, credit: str, tax: str | None = None) -> list[Row]:
    """A month with one charge, what credits paid of it, and tax."""
    return [
        *once(EC2, usage, month),
        *(once(EC2, credit, month, record_type="Credit") if credit != "0" else []),
        *(once("Tax", tax, month, record_type="Tax") if tax else []),
    ]


CREDITS = [
    *credited(date(2026, 2, 2), "136", "-136"),
    *credited(date(2026, 3, 2), "160", "-160"),
    *credited(date(2026, 4, 2), "162", "-108.60", "5.40"),
    *credited(date(2026, 5, 2), "166", "0", "16.60"),
]


def test_credits_that_run_dry_are_the_cause_and_not_the_service_they_paid_for() -> None:
    made = explain(a_bill("2026-04", CREDITS))
    assert (made.basis, made.change) == ("change", D("58.80"))
    assert said(made) == [("credits", None, "51.40"), ("tax", None, "5.40"), ("service", EC2, "2.00")]
    credits_ = the(made, "credits")
    assert (credits_.now, credits_.before, credits_.rate_before) == (D("-108.60"), D("-160.00"), D(1))


def test_credits_that_are_gone_are_the_cause() -> None:
    made = explain(a_bill("2026-05", CREDITS))
    assert said(made) == [("credits", None, "108.60"), ("tax", None, "11.20"), ("service", EC2, "4.00")]
    assert judged_by_usage(a_bill("2026-05", CREDITS))


def test_credits_hide_no_usage() -> None:
    rows = [
        *daily(EC2, "33", end=date(2026, 10, 1)),
        *daily(EC2, str(D(4980) / 31), date(2026, 10, 1)),
        *once(EC2, "-990", date(2026, 9, 20), record_type="Credit"),
        *once(EC2, "-4890", date(2026, 10, 20), record_type="Credit"),
    ]
    costs = a_bill("2026-10", rows)
    made = explain(costs)
    assert said(made) == [("service", EC2, "3957.00"), ("credits", None, "-3900.00"), ("calendar", None, "33.00")]
    assert made.change == D("90.00")
    assert judged_by_usage(costs)


def test_credits_that_pay_for_everything_leave_the_usage_to_be_explained() -> None:
    rows = [
        *daily(S3, "3.00"),
        *daily(S3, "-3.00", record_type="Credit"),
        *daily(EC2, "1.00", date(2026, 10, 11)),
        *daily(EC2, "-1.00", date(2026, 10, 11), record_type="Credit"),
    ]
    made = explain(a_bill("2026-10", rows))
    assert (made.basis, made.change) == ("usage", D("24.00"))
    assert said(made) == [("new", EC2, "21.00"), ("calendar", None, "3.00")]


def test_charges_of_the_1st_in_a_week_are_one_cause_and_nothing_is_new() -> None:
    rows = [
        *STEADY,
        *every_first(RDS, "1820.40", "Recurring"),
        *daily(RDS, "0", record_type="DiscountedUsage"),
        *every_first("AWS Support (Business)", "412.00", "Support"),
        *every_first("Tax", "310.00", "Tax"),
    ]
    made = explain(a_bill("2026-W44", rows))
    assert said(made) == [("once_a_month", None, "2542.40")]
    parts = {part.name: part.amount for part in the(made, "once_a_month").parts}
    assert parts == {"reservations": D("1820.40"), "support": D("412.00"), "tax": D("310.00")}
    assert said(explain(a_bill("2026-W45", rows))) == [("once_a_month", None, "-2542.40")]


def test_usage_of_the_1st_is_billed_once_a_month_too() -> None:
    rows = [*STEADY, *every_first("Amazon Route 53", "25.00"), *daily("Amazon Route 53", "0.10")]
    made = explain(a_bill("2026-W44", rows))
    assert [(part.name, part.amount) for part in the(made, "once_a_month").parts] == [("Amazon Route 53", D("25.00"))]
    assert made.change == D("25.00")


def test_a_tax_that_is_not_of_the_1st_is_not_said_to_be() -> None:
    rows = [*STEADY, *once("Tax", "310.00", date(2026, 10, 22), record_type="Tax")]
    assert said(explain(a_bill("2026-W43", rows))) == [("tax", None, "310.00")]


def test_a_service_that_begins_on_the_1st_is_no_monthly_charge() -> None:
    rows = [*STEADY, *daily("AWS Glue", "100", date(2026, 10, 1))]  # a Thursday
    made = explain(a_bill("2026-W40", rows))
    assert said(made) == [("again", "AWS Glue", "400.00")]
    assert the(made, "again").month is None


def test_after_a_pause_a_service_is_in_use_again_and_not_new() -> None:
    rows = [
        *daily(EC2, "120.50", end=date(2026, 9, 1)),
        *daily(S3, "14.25", end=date(2026, 9, 1)),
        *daily(EC2, "120.50", date(2026, 10, 1)),
        *daily(S3, "14.25", date(2026, 10, 1)),
    ]
    made = explain(a_bill("2026-10", rows))
    assert said(made) == [("again", EC2, "3735.50"), ("again", S3, "441.75")]
    assert {cause.month for cause in made.causes} == {date(2026, 8, 1)}


def test_a_renamed_service_is_one_service() -> None:
    rows = [
        *STEADY,
        *daily("Amazon Elasticsearch Service", "20", end=date(2026, 10, 1)),
        *daily("Amazon OpenSearch Service", "20", date(2026, 10, 1)),
    ]
    assert said(explain(a_bill("2026-10", rows))) == [("calendar", None, "154.75")]


def test_without_last_months_refund_costs_did_not_rise_by_usage() -> None:
    rows = [*STEADY, *once(EC2, "-4042.50", date(2026, 9, 14), record_type="Refund")]
    made = explain(a_bill("2026-10", rows))
    assert said(made) == [("refunds", None, "4042.50"), ("calendar", None, "134.75")]
    assert judged_by_usage(a_bill("2026-10", rows))


def test_an_anomaly_that_the_bill_does_not_show_is_no_cause() -> None:
    costs = a_bill(
        "2026-10",
        STEADY,
        anomalies=(an_anomaly(date(2026, 10, 12), last_day=date(2026, 10, 18), impact="5400", service=EC2),),
    )
    assert said(explain(costs)) == [("calendar", None, "134.75")]


def test_support_that_is_billed_days_later_is_not_said_to_have_fallen() -> None:
    rows = [*STEADY, *once("AWS Support (Business)", "412.00", date(2026, 9, 1), record_type="Support")]
    early = explain(a_bill("2026-10", rows, issue="preliminary"))
    assert said(early) == [("not_billed_yet", None, "-412.00"), ("calendar", None, "134.75")]
    assert the(early, "not_billed_yet").parts[0].name == "AWS Support (Business)"
    assert ("support", None, "-412.00") in said(explain(a_bill("2026-10", rows)))


# -- nothing to explain ------------------------------------------------------------------------------------------------


def test_a_first_month_has_nothing_to_compare_with() -> None:
    made = explain(a_bill("2026-10", daily(EC2, "9", date(2026, 10, 3))))
    assert (made.basis, made.change, made.causes) == ("first", None, ())


def test_a_month_that_is_not_known_in_full_is_not_compared_with() -> None:
    costs = a_bill("2026-10", STEADY)
    without = tuple(day for day in costs.days if day.day != date(2026, 9, 12))
    assert explain(costs.model_copy(update={"days": without})).basis == "previous_not_known"
    emptied = tuple(day.model_copy(update={"lines": ()}) if day.day == date(2026, 9, 12) else day for day in costs.days)
    assert explain(costs.model_copy(update={"days": emptied})).basis == "previous_not_known"
    judged = costs.model_copy(update={"not_comparable": NotAvailable(error="CostsDoNotReconcile", reason="differs")})
    assert explain(judged).basis == "previous_not_known"


def test_a_month_whose_own_days_are_not_known_is_not_explained() -> None:
    costs = a_bill("2026-10", STEADY)
    without = tuple(day for day in costs.days if day.day != date(2026, 10, 12))
    assert explain(costs.model_copy(update={"days": without})).basis == "not_known"


@pytest.mark.parametrize("period", ["2026-10", "2026-W44"])
def test_days_that_are_not_there_yet_explain_nothing(period: str) -> None:
    costs = a_bill(period, STEADY)
    *others, last = costs.days
    unfilled = costs.model_copy(update={"days": tuple(others), "days_not_filled": (last.day,)})
    assert explain(unfilled).basis == "not_there_yet"
    empty = last.model_copy(update={"lines": (), "estimated": True})
    spans = tuple(
        span
        if span.period.end != costs.period.end
        else a_bill(period, [*daily(EC2, "120.50", end=last.day), *daily(S3, "14.25", end=last.day)]).spans[-1]
        for span in costs.spans
    )
    assert explain(costs.model_copy(update={"days": (*others, empty), "spans": spans})).basis == "not_there_yet"


def test_a_month_of_the_history_that_two_answers_differ_about_makes_nothing_new() -> None:
    rows = [*STEADY, *daily("AWS Glue", "9", date(2026, 10, 1))]
    assert ("new", "AWS Glue", "279.00") in said(explain(a_bill("2026-10", rows)))
    unsure = explain(a_bill("2026-10", rows, months_not_known=(parse("2026-04"),)))
    assert ("again", "AWS Glue", "279.00") in said(unsure)


def test_a_history_that_is_shorter_than_a_year_makes_nothing_new() -> None:
    rows = [*STEADY, *daily("AWS Glue", "9", date(2026, 10, 1))]
    costs = a_bill("2026-10", rows)
    short = explain(costs.model_copy(update={"spans": costs.spans[3:]}))
    assert ("again", "AWS Glue", "279.00") in said(short)


# -- demand ------------------------------------------------------------------------------------------------------------


def test_demand_is_usage_on_demand_reserved_and_covered_less_agreed_discounts() -> None:
    day = date(2026, 10, 5)
    rows = [
        *once(EC2, "100", day),
        *once(EC2, "50", day, record_type="SavingsPlanCoveredUsage"),
        *once(EC2, "-50", day, record_type="SavingsPlanNegation"),
        *once(EC2, "-10", day, record_type="EdpDiscount"),
        *once(RDS, "30", day, record_type="DiscountedUsage"),
        *once(EC2, "-40", day, record_type="Credit"),
    ]
    costs = a_bill("2026-10", rows)
    assert demand(costs, costs.period) == {EC2: D(140), RDS: D(30)}
    assert usage_total(costs, costs.period) == D(170)
    assert usage_total(costs, costs.previous) == D(0)


def test_discounts_that_are_billed_as_a_service_of_their_own_belong_to_all_services() -> None:
    september, october = date(2026, 9, 5), date(2026, 10, 5)
    rows = [
        *once(EC2, "100", date(2026, 8, 5), september, october),
        *once(S3, "100", date(2026, 8, 5), september),
        *once(S3, "300", october),
        *once("AWS Discount", "-20", september, record_type="Enterprise Discount Program Discount"),
        *once("AWS Discount", "-40", october, record_type="Enterprise Discount Program Discount"),
    ]
    costs = a_bill("2026-10", rows)
    assert demand(costs, costs.period) == {EC2: D(90), S3: D(270)}
    assert said(explain(costs)) == [("service", S3, "180.00")]
