"""What changed: contributions that add up to the change, like for like, and what is new or gone."""

from datetime import date
from decimal import Decimal

from cost_reporting.report.sections import what_changed
from cost_reporting.report.sections.what_changed import WhatChanged
from tests.builders import a_cost_document
from tests.unit.report.conftest import added, an_edition, number, plain

NOW = {"EC2": "900", "S3": "50", "Bedrock": "30", "Idle": "7"}
BEFORE = {"EC2": "850", "S3": "120", "Glue": "12", "Idle": "7"}


def changed(**costs: object) -> WhatChanged:
    view = what_changed.view(an_edition(costs=a_cost_document(**costs)))  # type: ignore[arg-type]
    assert view is not None
    return view


def test_contributions_add_up_to_the_change_and_their_shares_to_all_of_it() -> None:
    view = changed(services=NOW, previous=BEFORE)
    assert added(row.difference for row in view.table.rows) == number(view.table.sum.difference) == Decimal("-2.00")
    assert sum(row.gain for row in view.table.rows) == view.table.sum.gain
    assert view.table.sum.contribution == "100\u00a0%"


def test_the_largest_change_comes_first_and_what_did_not_change_is_last() -> None:
    view = changed(services=NOW, previous=BEFORE)
    assert [row.name for row in view.table.rows] == ["S3", "EC2", "Bedrock", "Glue", "Idle"]


def test_beyond_the_top_changes_are_counted_not_lost() -> None:
    many = {f"Service {n:02d}": f"{n}.333" for n in range(1, 41)}
    view = changed(services=many, previous=dict.fromkeys(many, "1"))
    assert view.table.rows[-1].name == f"Other ({40 - what_changed.TOP_WITH_RATES} services)"
    assert added(row.difference for row in view.table.rows) == number(view.table.sum.difference)


def test_the_finding_says_what_rose_and_what_fell_and_they_make_the_change() -> None:
    assert plain(changed(services=NOW, previous=BEFORE).finding) == (
        "What rose adds up to USD 80.00, what fell to USD 82.00: a fall of USD 2.00 in all."
    )
    assert plain(changed(services={"A": "3"}, previous={"A": "1"}).finding) == (
        "1 service costs more, USD 2.00 in all; none costs less."
    )
    assert plain(changed(services={"A": "3", "B": "1"}, previous={"A": "1", "B": "3"}).finding) == (
        "What rose adds up to USD 2.00, and so does what fell."
    )


def test_new_and_gone_services_are_named_with_what_they_cost() -> None:
    new, gone = changed(services=NOW, previous=BEFORE).turnover
    assert (new.title, new.text) == ("New services", "Bedrock (30.00)")
    assert (gone.title, gone.text) == ("Services without costs now", "Glue (12.00)")


def test_many_new_services_are_counted_with_their_sum() -> None:
    services = {"Old": "1"} | {f"New {n}": str(n) for n in range(1, 8)}
    (new,) = changed(services=services, previous={"Old": "1"}).turnover
    assert new.text == "New 7 (7.00), New 6 (6.00), New 5 (5.00), New 4 (4.00) and 3 others (6.00)"


def test_months_of_different_length_are_compared_day_for_day() -> None:
    view = changed(services={"A": "310"}, previous={"A": "270"})
    before, now, difference = view.rates
    assert (before.days, before.total, before.per_day) == ("30", "270.00", "9.00")
    assert (now.days, now.total, now.per_day) == ("31", "310.00", "10.00")
    assert (difference.days, difference.total, plain(difference.per_day)) == ("+1", "+40.00", "+1.00 (+11 %)")
    assert plain(view.rates_note) == (
        "The period has 1 day more: at the rate of the period before, that alone is USD 9.00 more."
    )


def test_a_period_in_which_costs_began_counts_from_the_first() -> None:
    view = changed(services={"A": "310"}, previous={"A": "110"}, older=None, began=date(2026, 9, 20))
    assert view.rates[0].days == "11"
    assert view.rates[0].per_day == "10.00"
    assert view.rates_note == ""


def test_months_of_the_same_length_need_no_rates() -> None:
    assert changed(period="2026-08", services={"A": "5"}, previous={"A": "4"}).rates == ()


def test_bars_go_right_for_a_rise_and_left_for_a_fall_in_one_path_each() -> None:
    chart = changed(services=NOW, previous=BEFORE).chart
    assert (chart.rises.count("M"), chart.falls.count("M")) == (2, 2)
    assert [bar.anchor for bar in chart.bars] == ["end", "start", "start", "end"]
    assert all(what_changed.NAMES < bar.at <= what_changed.WIDTH for bar in chart.bars)


def test_the_chart_says_its_finding_and_every_bar() -> None:
    view = changed(services=NOW, previous=BEFORE)
    assert view.finding in view.chart.alt
    assert "S3 \u221270.00, EC2 +50.00" in view.chart.alt


def test_where_credits_pay_for_all_of_it_usage_is_compared() -> None:
    view = changed(
        services={"A": "40"},
        records={"A": {"Credit": "-40"}},
        previous={"A": "30"},
        previous_records={"A": {"Credit": "-30"}},
    )
    assert view.caption.startswith("Charges before credits and tax")
    assert (view.table.sum.now, view.table.sum.before, view.table.sum.difference) == ("40.00", "30.00", "+10.00")


def test_without_an_earlier_period_or_any_change_there_is_no_section() -> None:
    assert what_changed.view(an_edition(costs=a_cost_document(previous={}, older=None))) is None
    assert what_changed.view(an_edition(costs=a_cost_document(services={"A": "5"}, previous={"A": "5"}))) is None


def test_a_weekly_report_has_the_changes_beside_its_services() -> None:
    assert what_changed.view(an_edition(costs=a_cost_document("2026-W42"))) is None


def test_what_rounding_leaves_is_a_row_and_no_bar() -> None:
    thirds = {f"Service {n}": "0.3333333333" for n in range(1, 8)}
    view = changed(services=thirds, previous={"Service 1": "5"})
    assert view.table.rows[-1].name == "Rounding"
    assert len(view.chart.bars) == len(view.table.rows) - 1


def test_a_change_that_no_cent_shows_is_not_called_one() -> None:
    """A change of 0.8 cents between two amounts that are both printed as nothing."""
    costs = a_cost_document(services={"AWS Support": "-0.004"}, previous={"AWS Support": "0.004"})
    assert what_changed.view(an_edition(costs=costs)) is None
