"""What changed: causes that add up to the change, the services that moved, like for like."""

import re
from datetime import date
from decimal import Decimal

from cost_reporting.report.comparison import Row
from cost_reporting.report.edition import Edition
from cost_reporting.report.sections import what_changed
from cost_reporting.report.sections.what_changed import WhatChanged
from tests.builders import a_cost_document, not_available
from tests.unit.report.conftest import a_cause, added, an_edition, explained, number, plain

NOW = {"EC2": "900", "S3": "50", "Bedrock": "30", "Idle": "7"}
BEFORE = {"EC2": "850", "S3": "120", "Glue": "12", "Idle": "7"}


def rows_of(view: WhatChanged) -> tuple[Row, ...]:
    assert view.table is not None
    return view.table.rows


def sum_of(view: WhatChanged) -> Row:
    assert view.table is not None
    return view.table.sum


def view_of(edition: Edition) -> WhatChanged:
    view = what_changed.view(edition)
    assert view is not None
    return view


def with_causes(*amounts: str) -> WhatChanged:
    found = (a_cause("service", amount, service=f"Service {number}") for number, amount in enumerate(amounts, 1))
    return view_of(explained(an_edition(), *found))


def changed(**costs: object) -> WhatChanged:
    return view_of(an_edition(costs=a_cost_document(**costs)))  # type: ignore[arg-type]


def test_contributions_add_up_to_the_change_and_their_shares_to_all_of_it() -> None:
    view = changed(services=NOW, previous=BEFORE)
    assert added(row.difference for row in rows_of(view)) == number(sum_of(view).difference) == Decimal("-2.00")
    assert sum(row.gain for row in rows_of(view)) == sum_of(view).gain
    assert sum_of(view).contribution == "100\u00a0%"


def test_the_largest_change_comes_first_and_what_did_not_change_is_last() -> None:
    view = changed(services=NOW, previous=BEFORE)
    assert [row.name for row in rows_of(view)] == ["S3", "EC2", "Bedrock", "Glue", "Idle"]


def test_beyond_the_top_changes_are_counted_not_lost() -> None:
    many = {f"Service {n:02d}": f"{n}.333" for n in range(1, 41)}
    view = changed(services=many, previous=dict.fromkeys(many, "1"))
    assert rows_of(view)[-1].name == f"Other ({40 - what_changed.TOP_WITH_RATES} services)"
    assert added(row.difference for row in rows_of(view)) == number(sum_of(view).difference)


def test_the_finding_says_what_rose_and_what_fell_and_they_make_the_change() -> None:
    assert plain(with_causes("80", "-70", "-12").finding) == (
        "What rose adds up to USD 80.00, what fell to USD 82.00: a fall of USD 2.00 in all."
    )
    assert plain(with_causes("2").finding) == "Only rises: USD 2.00 in all."
    assert plain(with_causes("-2").finding) == "Only falls: USD 2.00 in all."
    assert plain(with_causes("2", "-2").finding) == "What rose adds up to USD 2.00, and so does what fell."


def test_no_word_of_the_page_judges_what_is_new() -> None:
    view = changed(services=NOW, previous=BEFORE)
    assert [row.change for row in rows_of(view) if row.name == "Bedrock"] == ["\u2013"]
    assert "new" not in re.findall(r"[a-z]+", view.model_dump_json().lower())


def test_months_of_different_length_are_compared_day_for_day() -> None:
    view = changed(services={"A": "310"}, previous={"A": "270"})
    before, now, difference = view.rates
    assert (before.days, before.total, before.per_day) == ("30", "270.00", "9.00")
    assert (now.days, now.total, now.per_day) == ("31", "310.00", "10.00")
    assert (difference.days, difference.total, plain(difference.per_day)) == ("+1", "+40.00", "+1.00 (+11 %)")


def test_a_period_in_which_costs_began_counts_from_the_first() -> None:
    view = changed(services={"A": "310"}, previous={"A": "110"}, older=None, began=date(2026, 9, 20))
    assert view.rates[0].days == "11"
    assert view.rates[0].per_day == "10.00"


def test_months_of_the_same_length_need_no_rates() -> None:
    assert changed(period="2026-08", services={"A": "5"}, previous={"A": "4"}).rates == ()


def test_bars_go_right_for_a_rise_and_left_for_a_fall_in_one_path_each() -> None:
    chart = with_causes("-70", "50", "30", "-12").chart
    assert (chart.rises.count("M"), chart.falls.count("M")) == (2, 2)
    assert [bar.anchor for bar in chart.bars] == ["end", "start", "start", "end"]
    assert all(what_changed.NAMES < bar.at <= what_changed.WIDTH for bar in chart.bars)


def test_the_chart_says_its_finding_and_every_bar() -> None:
    view = with_causes("-70", "50")
    assert view.finding in view.chart.alt
    assert "Service 1 \u221270.00, Service 2 +50.00" in view.chart.alt


def test_where_credits_pay_for_all_of_it_usage_is_compared() -> None:
    costs = a_cost_document(
        services={"A": "40"},
        records={"A": {"Credit": "-40"}},
        previous={"A": "30"},
        previous_records={"A": {"Credit": "-30"}},
    )
    view = view_of(explained(an_edition(costs=costs), a_cause("service", "10", service="A"), basis="usage"))
    assert view.caption.startswith("Charges before credits and tax")
    assert (sum_of(view).now, sum_of(view).before, sum_of(view).difference) == ("40.00", "30.00", "+10.00")


def test_without_an_earlier_period_or_any_change_there_is_no_section() -> None:
    assert what_changed.view(an_edition(costs=a_cost_document(previous={}, older=None))) is None
    assert what_changed.view(explained(an_edition())) is None


def test_a_weekly_report_has_the_changes_beside_its_services() -> None:
    assert what_changed.view(an_edition(costs=a_cost_document("2026-W42"))) is None


def test_what_rounding_leaves_is_a_row() -> None:
    thirds = {f"Service {n}": "0.3333333333" for n in range(1, 8)}
    view = changed(services=thirds, previous={"Service 1": "5"})
    assert rows_of(view)[-1].name == "Rounding"


def test_a_change_that_no_cent_shows_has_no_table() -> None:
    """A change of 0.8 cents between two amounts that are both printed as nothing."""
    costs = a_cost_document(services={"AWS Support": "-0.004"}, previous={"AWS Support": "0.004"})
    assert view_of(explained(an_edition(costs=costs), a_cause("service", "0.01", service="A"))).table is None


def test_costs_that_are_not_compared_have_no_page_of_changes() -> None:
    costs = a_cost_document(not_comparable=not_available("CostsDoNotReconcile"))
    assert what_changed.view(explained(an_edition(costs=costs), basis="previous_not_known")) is None
