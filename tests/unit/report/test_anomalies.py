"""Anomalies have the same number in the chart, below it and in their table."""

from datetime import date, timedelta
from decimal import Decimal

from cost_reporting.costs import Anomaly
from cost_reporting.report import unusual
from cost_reporting.report.decisions import decisions
from cost_reporting.report.gaps import Gap
from cost_reporting.report.sections import anomalies, trend
from cost_reporting.report.sections.anomalies import Anomalies
from tests.builders import a_client, a_cost_document, an_anomaly, not_available
from tests.unit.report.conftest import added, an_edition, number, plain

THIRD = date(2026, 10, 3)


def table(*found: object) -> Anomalies:
    view = anomalies.view(an_edition(costs=a_cost_document(anomalies=found)))
    assert isinstance(view, Anomalies)
    return view


def chart(*found: object) -> trend.Trend:
    view = trend.view(an_edition(costs=a_cost_document(anomalies=found)))
    assert view is not None
    return view


def a_case(number: int, days: int = 0) -> Anomaly:
    """One event of several: each is of a service of its own."""
    return an_anomaly(THIRD + timedelta(days=days), impact=str(number + 1), service=f"Service {number}")


def test_they_are_numbered_by_their_days_and_add_up() -> None:
    others = (an_anomaly(THIRD, impact="7.005"), an_anomaly(THIRD, impact="50", region="eu-west-1"))
    view = table(an_anomaly(impact="100.005"), *others)
    assert [(row.number, row.impact) for row in view.rows[:3]] == [("1", "50.00"), ("2", "7.01"), ("3", "100.01")]
    assert added(row.impact for row in view.rows) == number(view.sum) == Decimal("157.01")


def test_the_smallest_of_many_are_counted_not_lost() -> None:
    view = table(*(a_case(n, days=n) for n in range(15)))
    assert len(view.rows) == unusual.MOST + 1
    assert view.rows[-1].what == "Other (6 anomalies)"
    assert added(row.impact for row in view.rows) == number(view.sum) == sum(range(1, 16))


def test_the_finding_counts_and_adds() -> None:
    assert plain(table(an_anomaly()).finding) == (
        "AWS's anomaly detection reported 1 case of unusual costs: USD 126.85 above what it expected."
    )


def test_nothing_unusual_is_said_as_well() -> None:
    view = table()
    assert view.rows == ()
    assert view.finding == "AWS's anomaly detection reported nothing unusual in this period."


def test_a_cause_that_aws_does_not_name_has_no_name() -> None:
    (row,) = table(an_anomaly(service="several services", region=None, account_id=None, usage_type=None)).rows
    assert (row.what, row.region, row.account, row.usage_type) == ("several services", "\u2013", "\u2013", "\u2013")


def test_failed_anomalies_are_a_gap_and_leave_the_chart_alone() -> None:
    edition = an_edition(costs=a_cost_document(anomalies=not_available()))
    days = trend.view(edition)
    assert isinstance(anomalies.view(edition), Gap)
    assert days is not None
    assert days.chart.markers == days.notes == ()
    assert anomalies.view(an_edition()) is None


def test_the_chart_has_the_numbers_of_the_table_above_the_days() -> None:
    view = chart(an_anomaly(), an_anomaly(THIRD))
    assert [marker.label for marker in view.chart.markers] == ["1", "2"]
    first, second = view.chart.markers
    assert (round(first.first / view.chart.slot), round(first.last / view.chart.slot)) == (2, 4)
    assert round((second.last - second.first) / view.chart.slot) == 2
    assert [note.number for note in view.notes] == ["1", "2"]
    assert plain(view.notes[1].text) == (
        "Oct 17 to Oct 18: EC2 - Other cost USD 126.85 more than the 20.24 that AWS expected."
    )


def test_anomalies_of_one_day_share_a_mark() -> None:
    view = chart(*(a_case(n) for n in range(4)))
    assert [marker.label for marker in view.chart.markers] == ["1\u20134"]
    assert len(view.notes) == 3
    assert view.more_notes is not None


def test_the_largest_are_explained_below_the_chart_in_the_order_of_their_numbers() -> None:
    view = chart(*(a_case(n, days=n) for n in range(6)))
    assert [note.number for note in view.notes] == ["4", "5", "6"]


def test_an_anomaly_that_goes_on_ends_with_the_chart_and_one_elsewhere_is_not_drawn() -> None:
    view = chart(an_anomaly(date(2026, 10, 30), last_day=date(2026, 11, 4)), an_anomaly(date(2026, 9, 1)))
    (marker,) = view.chart.markers
    assert marker.last <= view.chart.width + 0.2
    assert marker.label == "1", "one that was over before the period has no number in it"


def test_notes_take_their_room_from_the_chart() -> None:
    assert trend.LOWEST <= chart(*(an_anomaly(impact=str(n)) for n in range(3))).chart.height < chart().chart.height


def test_a_weekly_report_explains_them_below_its_chart() -> None:
    edition = an_edition(a_client(), a_cost_document("2026-W42", anomalies=(an_anomaly(date(2026, 10, 13)),)))
    view, days = anomalies.view(edition), trend.view(edition)
    assert isinstance(view, Anomalies)
    assert days is not None
    assert (view.rows, len(days.notes)) == ((), 1)


def test_only_those_that_overlap_the_period_are_its_anomalies() -> None:
    before = an_anomaly(date(2026, 9, 12), impact="7")
    into = an_anomaly(date(2026, 9, 28), last_day=date(2026, 10, 1), impact="5")
    out_of = an_anomaly(date(2026, 10, 28), last_day=date(2026, 11, 3), impact="5400")
    after = an_anomaly(date(2026, 11, 2), impact="9")
    view = table(before, into, out_of, after)
    assert [row.impact for row in view.rows] == ["5.00", "5,400.00"]
    assert view.sum == "5,405.00"
    assert "2 cases" in view.finding
    assert table(before, after).finding == "AWS's anomaly detection reported nothing unusual in this period."


def test_one_of_which_aws_says_no_end_is_told_since_when() -> None:
    (row,) = table(an_anomaly(THIRD, last_day=None)).rows
    assert plain(row.when) == "since Oct 3"
    edition = an_edition(costs=a_cost_document(anomalies=(an_anomaly(THIRD, last_day=None),)))
    assert plain(decisions(edition)[0]).startswith("EC2 - Other has cost USD 126.85 more than expected since Oct 3:")


def test_amounts_are_about_so_much_where_the_report_is_amortised() -> None:
    edition = an_edition(costs=a_cost_document(metric="amortized", anomalies=(an_anomaly(THIRD),)))
    view = anomalies.view(edition)
    assert isinstance(view, Anomalies)
    assert view.finding.endswith("Amounts of incidents are approximate here: AWS gives them as unblended cost.")
    assert "cost about USD 126.85 more" in plain(unusual.note(edition, an_anomaly(THIRD)))


def test_without_a_monitor_nothing_is_called_usual() -> None:
    view = anomalies.view(an_edition(costs=a_cost_document(anomalies=not_available("AnomaliesNotMonitored"))))
    assert isinstance(view, Gap)
    assert "the account has none: create one in the Billing and Cost Management console" in view.sentence
