"""What could not be had is said in its place and on the first page, in words for clients and never as a zero."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from cost_reporting.costs import Preliminary
from cost_reporting.errors import leaves
from cost_reporting.report import words
from cost_reporting.report.gaps import Gap, gaps, reason
from cost_reporting.report.sections import SECTIONS, printed, summary
from tests.builders import SECTIONS as PARTS
from tests.builders import a_client, a_cost_document, a_failed_document, a_forecast, a_run, not_available
from tests.unit.report.conftest import an_edition, plain


def test_every_part_that_failed_is_named_on_the_first_page() -> None:
    (caveat,) = summary.view(an_edition(costs=a_failed_document())).caveats
    parts = "costs by account, costs by region, costs by tag, forecast, anomalies, commitments, savings"
    assert caveat == f"Not available: {parts} (AWS was too busy to answer)."


def test_each_reason_is_said_once_with_the_parts_that_it_took_away() -> None:
    denied = not_available("ClientAccessDenied", "role: AccessDenied")
    said = gaps(an_edition(costs=a_cost_document(regions=not_available(), tags=denied, anomalies=not_available())))
    assert said == (
        "Not available: costs by region, anomalies (AWS was too busy to answer).",
        "Not available: costs by tag (the access that we were given does not extend to it).",
    )


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("error", [*leaves(), "KeyError"])
def test_no_reason_speaks_of_errors_or_requests(part: str, error: str) -> None:
    missing = not_available(error, f"Cost Explorer: {error}Exception: RequestId 6f1c-22, see arn:aws:iam::1:role/x")
    said = reason(an_edition(), part, missing)
    assert not any(word in said for word in ("Exception", "Error", "RequestId", "arn:", error))
    assert said[0].islower() or said.startswith(("AWS", "Cost Explorer"))


def test_our_own_refusals_have_reasons_of_their_own() -> None:
    edition = an_edition()
    earlier = not_available("CostsRefused", "the report is about an earlier period, and a forecast about …")
    assert reason(edition, "forecast", earlier).startswith("the report is about an earlier period")
    assert reason(edition, "anomalies", not_available("CostsRefused", "AWS keeps anomalies for 90 days")).startswith(
        "AWS keeps anomalies for 90 days"
    )
    refused = not_available("CostsRefused", "Cost Explorer: ValidationException: no")
    assert reason(edition, "forecast", refused) == "AWS does not answer this question about the account"


def test_a_forecast_is_missing_for_want_of_history_or_of_days_and_the_two_are_told_apart() -> None:
    edition = an_edition()
    young = not_available("CostsNotReady", "Cost Explorer: DataUnavailableException")
    assert "too little history" in reason(edition, "forecast", young)
    days = not_available("CostsNotReady", "the costs of 2026-11-03 are not known yet")
    assert reason(edition, "forecast", days) == "not all days of the running month are known yet"


def test_a_client_without_a_monitor_is_told_what_to_do() -> None:
    missing = not_available("AnomaliesNotMonitored", "Cost Explorer: the account has no anomaly monitor")
    assert "create one" in reason(an_edition(), "anomalies", missing)


def test_each_failed_section_has_a_gap_in_its_place() -> None:
    names = [name for name, _ in printed(an_edition(costs=a_failed_document()))]
    assert names.count("gap") == len(PARTS) - 1  # the forecast's is beside the budget
    assert names.index("services") < names.index("gap") < names.index("invoice")
    assert all(name in {section.name for section in SECTIONS} | {"gap"} for name in names)
    views = [view for _, view in printed(an_edition(costs=a_failed_document())) if isinstance(view, Gap)]
    assert [view.title for view in views] == [
        "By account",
        "By region",
        "By tag",
        "Anomalies",
        "Commitments",
        "Savings",
    ]


def test_a_forecast_that_failed_is_not_a_figure() -> None:
    figure = summary.view(an_edition(costs=a_failed_document())).figures[2]
    assert (figure.name, figure.value) == ("Forecast", "n/a")
    assert figure.note == "not available: AWS was too busy to answer"


def test_the_four_figures_are_the_forecast_and_the_budget_if_there_are_any() -> None:
    edition = an_edition(a_client(monthly_budget="1000.00"), a_cost_document(forecast=a_forecast()))
    figures = [(plain(each.name), plain(each.value), plain(each.note)) for each in summary.view(edition).figures[2:]]
    assert figures == [
        ("Forecast, November 2026", "1,100", "most likely; the range is 980.30 to 1,220"),
        ("Budget used, October 2026", "102 %", "USD 20.50 too much"),
    ]
    assert [each.name for each in summary.view(an_edition()).figures[2:]] == [
        "Before credits and tax",
        "Previous period",
    ]


@pytest.mark.parametrize(
    ("then", "said"),
    [
        ("1000.00", "Since {report} the total has risen by USD 20.50; it was USD 1,000.00 then."),
        ("1050.00", "Since {report} the total has fallen by USD 29.50; it was USD 1,050.00 then."),
        ("1020.499", "The total has not changed since {report}."),
    ],
)
def test_a_final_report_says_in_one_line_what_the_preliminary_one_said(then: str, said: str) -> None:
    preliminary = Preliminary(total=Decimal(then), fetched_at=datetime(2026, 11, 3, 6, tzinfo=UTC))
    costs = a_cost_document(preliminary=preliminary)
    assert plain(words.caveats(an_edition(costs=costs))[0]) == said.format(
        report="the preliminary report of November 3, 2026"
    )
    assert "Since" not in words.caveats(an_edition(costs=costs, run=a_run(issue="preliminary")))[0]
