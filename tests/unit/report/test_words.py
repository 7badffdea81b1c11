"""The sentences say what happened, and never more than the figures do."""

from datetime import date
from decimal import Decimal

import pytest

from cost_reporting.report import headline, words
from cost_reporting.report.causes import Reason
from cost_reporting.report.edition import Edition, one_line
from tests.builders import a_client, a_cost_document, a_run
from tests.unit.report.conftest import an_edition

EC2, S3 = "Amazon Elastic Compute Cloud - Compute", "Amazon Simple Storage Service"


def opening(edition: Edition) -> str:
    return headline.headline(edition).replace("\u00a0", " ")


def said(lines: tuple[str, ...] | tuple[Reason, ...]) -> str:
    return " ".join(line if isinstance(line, str) else f"{line.amount} {line.sentence}" for line in lines).replace(
        "\u00a0", " "
    )


def test_the_headline_is_the_total_and_its_change() -> None:
    edition = an_edition(costs=a_cost_document(services={EC2: "112.00"}, previous={EC2: "100.00"}))
    assert opening(edition) == (
        "You spent USD 112.00 in October 2026, up 12 % (USD 12.00) on September. Most of the rise: "
        "Amazon Elastic Compute Cloud - Compute."
    )


def test_a_young_account_has_no_earlier_period() -> None:
    edition = an_edition(costs=a_cost_document(services={EC2: "50"}, previous={}, older=None))
    assert opening(edition) == "You spent USD 50.00 in October 2026; there is no earlier period to compare with."
    assert "100 % of all usage" in said(words.reasons(edition))


def test_a_month_after_an_honest_zero_has_no_percentage() -> None:
    edition = an_edition(costs=a_cost_document(services={EC2: "50"}, previous={}, older="20"))
    assert opening(edition).startswith("You spent USD 50.00 in October 2026, after nothing in September.")


def test_a_month_after_one_that_credits_paid_says_so_instead_of_nothing() -> None:
    costs = a_cost_document(services={EC2: "50"}, previous={EC2: "40"}, previous_records={EC2: {"Credit": "-40"}})
    assert opening(an_edition(costs=costs)).endswith(
        "; in September, credits covered all of the usage. Usage rose 25 % to USD 50.00."
    )


def test_usage_that_credits_cover_is_never_a_bare_zero() -> None:
    costs = a_cost_document(services={EC2: "33.86"}, records={EC2: {"Credit": "-33.86"}})
    edition = an_edition(costs=costs)
    assert opening(edition) == "Your usage in October 2026 was USD 33.86; credits covered all of it."


def test_a_negative_total_is_a_credit() -> None:
    costs = a_cost_document(services={EC2: "10"}, records={EC2: {"Refund": "-30"}}, previous={EC2: "25"})
    edition = an_edition(costs=costs)
    assert opening(edition).startswith("You have a net credit of USD 20.00 in October 2026")


def test_a_month_after_a_credit_has_no_percentage() -> None:
    costs = a_cost_document(services={EC2: "10"}, previous={EC2: "5"}, previous_records={EC2: {"Refund": "-8"}})
    assert opening(an_edition(costs=costs)) == (
        "You spent USD 10.00 in October 2026, after a net credit of USD 3.00 in September. Usage rose 100 % to "
        "USD 10.00."
    )


def test_nothing_at_all_is_an_honest_zero() -> None:
    assert opening(an_edition(costs=a_cost_document(services={}, previous={}, older=None))) == (
        "AWS charged nothing in October 2026."
    )


def test_less_than_a_cent_is_not_nothing() -> None:
    costs = a_cost_document(services={S3: "0.003"}, previous={}, older=None)
    assert opening(an_edition(costs=costs)).startswith("You spent USD < 0.01 in October 2026")


def test_a_period_in_which_costs_began_is_compared_by_the_day() -> None:
    costs = a_cost_document(services={EC2: "310"}, previous={EC2: "110"}, older=None, began=date(2026, 9, 20))
    edition = an_edition(costs=costs)
    assert opening(edition).startswith(
        "You spent USD 310.00 in October 2026, as much per day as in September, when costs began on September 20, 2026."
    )
    assert "p partial" in said(words.caveats(edition))
    assert "%" not in said(words.reasons(edition))


def test_months_of_different_length_are_compared_by_the_day_too() -> None:
    costs = a_cost_document(services={EC2: "310"}, previous={EC2: "300"})
    assert (headline.like_for_like(an_edition(costs=costs)) or "").replace("\u00a0", " ") == "usage per day unchanged"


def test_weeks_have_the_same_length_and_no_rate() -> None:
    assert headline.like_for_like(an_edition(costs=a_cost_document("2026-W42"))) is None


def test_what_is_estimated_is_said_with_its_days() -> None:
    costs = a_cost_document(estimated=[date(2026, 10, 29), date(2026, 10, 30), date(2026, 10, 12)])
    assert "3 of 31 days (Oct 12, Oct 29 to Oct 30)" in said(words.caveats(an_edition(costs=costs)))


def test_a_preliminary_report_says_when_final_figures_come() -> None:
    edition = an_edition(run=a_run(issue="preliminary"))
    assert "final figures are available from November 8, 2026" in said(words.caveats(edition))


def test_a_day_without_figures_is_named() -> None:
    costs = a_cost_document()
    costs = costs.model_copy(update={"days": tuple(day for day in costs.days if day.day != date(2026, 10, 5))})
    assert "no figures for Oct 5" in said(words.caveats(an_edition(costs=costs)))


def test_nothing_missing_is_said_as_well() -> None:
    assert words.caveats(an_edition()) == ("Nothing is estimated, and nothing is missing.",)


def test_the_equivalent_names_rate_day_and_source() -> None:
    client = a_client(
        locale="ja_JP",
        currency="JPY",
        exchange_rate={"rate": "150.5", "as_of": date(2026, 10, 30), "source": "Bank of Japan"},
    )
    edition = an_edition(client, a_cost_document(services={EC2: "100"}, previous={EC2: "100"}))
    assert (words.equivalent(edition) or "").replace("\u00a0", " ") == (
        "JPY 15,050（1 USD＝JPY 150.50、2026年10月30日、Bank of Japan）"
    )


def test_a_rate_that_is_too_old_loses_the_second_currency_and_nothing_else() -> None:
    def edition(as_of: date, **more: int) -> Edition:
        rate = {"rate": "0.92", "as_of": as_of, "source": "ECB"} | more
        return an_edition(a_client(currency="EUR", exchange_rate=rate), a_cost_document())

    old = edition(date(2026, 9, 25))
    assert words.equivalent(old) is None
    (said,) = words.caveats(old)
    assert said.replace("\u00a0", " ") == (
        "No amounts in EUR: the exchange rate is of September 25, 2026, too long before the end of the period."
    )
    for recent in (edition(date(2026, 9, 26)), edition(date(2026, 9, 25), max_age_days=36)):
        assert words.equivalent(recent) is not None
        assert words.caveats(recent) == ("Nothing is estimated, and nothing is missing.",)


def test_a_client_that_pays_in_dollars_needs_no_equivalent() -> None:
    assert words.equivalent(an_edition()) is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Acme\r\nBcc: x", "Acme Bcc: x"),
        ("\u202egro.elpmaxe", "gro.elpmaxe"),
        ("a\u2028b\u2066c\u2069", "a b c"),
        ("東京データ株式会社", "東京データ株式会社"),
        ("👩\u200d💻", "👩\u200d💻"),
        ("\u202e", "(no name)"),
    ],
)
def test_a_name_is_one_line_that_nobody_can_turn_around(name: str, expected: str) -> None:
    assert one_line(name) == expected


def test_the_number_of_a_report_tells_issue_and_test_apart() -> None:
    assert an_edition().number == "NORTHWIND-RETAIL-2026-10-F"
    assert an_edition(run=a_run(issue="preliminary")).number == "NORTHWIND-RETAIL-2026-10-P"
    assert an_edition(run=a_run(mode="test")).number == "NORTHWIND-RETAIL-2026-10-F-TEST"
    assert an_edition(costs=a_cost_document("2026-W42")).number == "NORTHWIND-RETAIL-2026-W42-P"


def test_the_totals_are_exact() -> None:
    edition = an_edition(costs=a_cost_document(services={EC2: "1.0000000001"}))
    assert edition.total == Decimal("1.0000000001")
