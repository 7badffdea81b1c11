"""What needs a decision: at most three, the most pressing first, and nothing where nothing does."""

from datetime import date

from cost_reporting.report.decisions import decisions
from tests.builders import (
    a_client,
    a_cost_document,
    a_forecast,
    a_full_client,
    a_full_document,
    a_tag,
    an_anomaly,
    not_available,
    some_commitments,
)
from tests.unit.report.conftest import an_edition, plain


def decided(budget: str | None = None, period: str = "2026-10", **costs: object) -> list[str]:
    client = a_client(monthly_budget=budget)
    edition = an_edition(client, a_cost_document(period, **costs))  # type: ignore[arg-type]
    return [plain(each) for each in decisions(edition)]


def test_an_ordinary_month_needs_none() -> None:
    calm = {"anomalies": (an_anomaly(impact="5"),), "commitments": some_commitments(date(2026, 12, 31))}
    assert decided("2000.00", forecast=a_forecast(), tags=(a_tag(),), **calm) == []


def test_a_budget_that_was_exceeded() -> None:
    assert decided("1000.00") == [
        "October 2026 is USD 20.50 over its budget of USD 1,000.00: raise the budget, or bring the costs down?"
    ]


def test_a_budget_that_probably_will_be() -> None:
    (said,) = decided("1050.00", forecast=a_forecast())
    assert said.startswith("November 2026 is likely to end USD 50.20 over its budget of USD 1,050.00: raise the budget")


def test_the_month_of_a_week_is_not_named_twice() -> None:
    forecast = a_forecast("2026-10", so_far="600", mean="900", low="800", high="1000")
    assert len(decided("500.00", "2026-W42", forecast=forecast)) == 1


def test_a_large_anomaly() -> None:
    days = {"first_day": date(2026, 10, 17), "last_day": date(2026, 10, 17)}
    assert decided(anomalies=(an_anomaly(**days),)) == [  # type: ignore[arg-type]
        "EC2 - Other cost USD 126.85 more than expected on Oct 17: was that intended?"
    ]
    assert decided(anomalies=(an_anomaly(),)) == [
        "EC2 - Other cost USD 126.85 more than expected from Oct 17 to Oct 18: was that intended?"
    ]


def test_commitments_that_end_within_thirty_days_of_the_issue() -> None:
    assert decided(commitments=some_commitments(date(2026, 12, 10), date(2026, 12, 11))) == [
        "1 commitment ends within 30 days, on December 10, 2026: renew it?"
    ]
    assert decided(commitments=some_commitments(date(2026, 12, 1), date(2026, 11, 20))) == [
        "2 commitments end within 30 days, the first on November 20, 2026: renew them?"
    ]


def test_a_large_part_without_a_tag_that_others_carry() -> None:
    tags = (a_tag("team", {"shop": "720.50", "": "300"}), a_tag("stage", {"": "1020.50"}))
    assert decided(tags=tags) == ["29 % of the costs carry no tag team: who answers for them?"]


def test_three_are_enough() -> None:
    everything = a_full_document(tags=(a_tag("team", {"shop": "20.50", "": "1000"}),))
    assert len(decisions(an_edition(a_full_client(), everything))) == 3


def test_what_is_not_known_asks_for_nothing() -> None:
    failed = {part: not_available() for part in ("forecast", "anomalies", "commitments", "tags")}
    assert decided("2000.00", **failed) == []
