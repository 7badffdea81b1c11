"""The budget is a share of a month, and a forecast is a range or the reason why there is none."""

from datetime import timedelta
from decimal import Decimal

from cost_reporting.report.sections import budget_and_forecast
from cost_reporting.report.sections.budget_and_forecast import BudgetAndForecast
from tests.builders import a_client, a_cost_document, a_forecast, not_available
from tests.unit.report.conftest import an_edition, plain


def seen(budget: str | None = "1000.00", period: str = "2026-10", **costs: object) -> BudgetAndForecast:
    client = a_client(monthly_budget=budget)
    view = budget_and_forecast.view(an_edition(client, a_cost_document(period, **costs)))  # type: ignore[arg-type]
    assert view is not None
    return view


def test_a_budget_that_was_exceeded_says_by_how_much() -> None:
    view = seen()
    assert view.title == "Budget"
    assert plain(view.finding) == "October 2026 used 102 % of its budget of USD 1,000.00: USD 20.50 too much."
    assert (view.lines[0].used, view.lines[0].left) == ("102\u00a0%", "\u221220.50")


def test_a_budget_that_was_kept_says_what_is_left() -> None:
    assert (
        plain(seen("2041.00").finding) == "October 2026 used 50 % of its budget of USD 2,041.00: USD 1,020.50 was left."
    )


def test_a_credit_uses_nothing_of_the_budget() -> None:
    view = seen(services={"A": "5"}, records={"A": {"Refund": "-50"}})
    assert view.lines[0].used == "0\u00a0%"
    assert view.lines[0].left == "1,045.00"


def test_a_forecast_is_a_range_with_a_most_likely_amount() -> None:
    view = seen(None, forecast=a_forecast())
    assert view.title == "Forecast"
    assert plain(view.finding).startswith(
        "AWS expects November 2026 to come to between USD 980.30 and USD 1,220.40, most likely USD 1,100.20"
    )
    assert view.budget is None
    assert view.chart is not None
    assert not view.chart.has_budget


def test_a_forecast_without_a_width_is_one_amount() -> None:
    same = a_forecast(so_far="0", mean="5", low="5", high="5")
    assert plain(seen(None, forecast=same).finding) == "AWS expects November 2026 to come to USD 5.00."


def test_a_forecast_whose_bounds_are_not_known_has_no_range() -> None:
    bare = a_forecast().model_copy(update={"low": None, "high": None})
    view = seen(None, forecast=bare)
    assert plain(view.finding) == "AWS expects November 2026 to come to USD 1,100.20."
    assert (view.lines[0].low, view.lines[0].high) == ("–", "–")
    assert view.chart is not None
    assert not view.chart.has_band


def test_a_forecast_that_stands_for_days_that_are_gone_says_so() -> None:
    early = a_forecast()
    early = early.model_copy(update={"until": early.until - timedelta(days=1)})
    assert "known up to" not in plain(seen(None, forecast=a_forecast()).finding)
    assert "The costs of November 2026 are known up to Nov 8; AWS's forecast stands for the days after it." in plain(
        seen(None, forecast=early).finding
    )


def test_both_together_hold_the_forecast_against_the_budget() -> None:
    view = seen(forecast=a_forecast())
    assert view.title == "Budget and forecast"
    assert plain(view.finding).endswith("At the most likely amount, that is USD 100.20 over the budget.")
    assert [plain(line.month) for line in view.lines] == ["October 2026", "November 2026 (forecast)"]
    assert view.chart is not None
    assert [bool(row.band) for row in view.chart.rows] == [False, True]


def test_a_forecast_that_could_not_be_had_is_a_reason_and_no_figure() -> None:
    view = seen(None, forecast=not_available("CostsNotReady", "Cost Explorer: DataUnavailableException"))
    assert view.gap == "Forecast: not available, the account has too little history for AWS to forecast its costs."
    assert (view.finding, view.lines, view.chart) == ("", (), None)


def test_the_budget_stands_although_the_forecast_failed() -> None:
    view = seen(forecast=not_available())
    assert view.gap == "Forecast: not available, AWS was too busy to answer."
    assert len(view.lines) == 1
    assert "102" in view.finding


def test_a_weekly_report_holds_the_running_month_against_the_budget() -> None:
    view = seen(period="2026-W42", forecast=a_forecast("2026-10"))
    assert plain(view.finding).startswith("October 2026 used 30 % of its budget of USD 1,000.00: USD 699.90 was left.")
    assert view.lines == ()


def test_a_week_says_nothing_about_a_month_that_it_does_not_know() -> None:
    edition = an_edition(a_client(monthly_budget="1000.00"), a_cost_document("2026-W42"))
    assert budget_and_forecast.view(edition) is None


def test_without_either_there_is_no_section() -> None:
    assert budget_and_forecast.view(an_edition()) is None


def test_the_chart_stays_inside_its_box_and_says_its_finding() -> None:
    view = seen("50.00", forecast=a_forecast(low="-20", mean="10", high="9999"))
    assert view.chart is not None
    assert view.finding in view.chart.alt
    assert all(0 <= tick.at <= view.chart.width for tick in view.chart.ticks)
    assert 0 < view.chart.zero < view.chart.width


def test_nothing_billed_and_nothing_expected_has_no_chart() -> None:
    nothing = a_forecast(so_far=Decimal(0), mean=Decimal(0), low=Decimal(0), high=Decimal(0))
    assert seen(None, forecast=nothing).chart is None


def test_credits_that_will_cover_the_next_month_too_are_said_instead_of_a_zero() -> None:
    nothing = a_forecast(so_far="0", mean="0", low="0", high="0")
    view = seen(None, services={"A": "12"}, records={"A": {"Credit": "-12"}}, forecast=nothing)
    assert plain(view.finding) == "AWS expects credits to cover all of November 2026 as well."
    assert (view.lines, view.chart) == ((), None)
