"""Each section's rows add up to the total that it shows, and nothing is lost or made up on the way."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cost_reporting.costs import CostDocument, period_total
from cost_reporting.domain.gate import gate
from cost_reporting.money import CENT, cents
from cost_reporting.report.edition import Edition
from cost_reporting.report.rounding import fitted
from cost_reporting.report.sections import SECTIONS, about, accounts, cover, invoice, services, summary, trend
from tests.builders import a_client, a_cost_document, a_run, some_accounts
from tests.unit.report.conftest import added, adds_up, an_edition, number

THIRDS = {f"Service {number}": "0.3333333333" for number in range(1, 8)}
MANY = {f"Service {number:02d}": f"{number * 3.3333333:.7f}" for number in range(1, 41)}
CREDITS = {"Service 1": {"Credit": "-0.3333333333"}}


@pytest.mark.parametrize(
    "costs",
    [
        a_cost_document(),
        a_cost_document(services=THIRDS, previous=THIRDS),
        a_cost_document(services=MANY, previous=THIRDS),
        a_cost_document(services=THIRDS, previous={}, older=None),
        a_cost_document(services=THIRDS, records=CREDITS),
        a_cost_document(services={"A": "10"}, records={"A": {"Refund": "-30.004"}, "Tax": {"Tax": "0.006"}}),
        a_cost_document("2026-W42", services=MANY, previous=MANY),
    ],
    ids=["ordinary", "thirds", "many", "young", "credits", "negative", "weekly"],
)
def test_rows_add_up_to_the_total_of_the_period(costs: CostDocument) -> None:
    gate(costs)
    edition = an_edition(costs=costs)
    exact = cents(period_total(costs, costs.period))
    by_service, by_day, steps = services.view(edition), trend.view(edition), invoice.view(edition)
    assert by_service is not None
    assert by_day is not None
    assert adds_up(by_service.table)
    assert number(by_service.table.sum.now) == number(by_day.total) == number(steps.net) == exact
    assert added(day.amount for day in by_day.days) == exact
    assert added(step.amount for step in steps.steps) == exact
    if by_day.has_before:
        assert added(day.before for day in by_day.days) == cents(period_total(costs, costs.previous))


def test_reservation_fees_are_commitments_and_only_what_is_unknown_is_other_by_awss_own_word() -> None:
    """Cost Explorer calls fees of reservations Recurring and Upfront, and sells subscriptions at flat rates."""
    records = {
        "RDS": {"Recurring": "1820.40", "Upfront": "9000", "Usage": "10"},
        "Amazon CloudFront": {"FlatRateSubscription": "15", "Other out-of-cycle charges": "5"},
        "Amazon Braket": {"QuantumRebate": "-2", "Leap second": "1"},
    }
    steps = {step.name: step for step in invoice.view(an_edition(costs=a_cost_document(records=records))).steps}
    assert steps["Commitments"].amount == "10,820.40"
    assert steps["Subscriptions"].amount == "20.00"
    assert (steps["Other charges"].amount, steps["Other charges"].what) == (
        "\N{MINUS SIGN}1.00",
        "AWS calls them: Leap second, QuantumRebate",
    )
    known = invoice.view(an_edition(costs=a_cost_document(records={"RDS": {"Recurring": "7"}})))
    assert "Other charges" not in [step.name for step in known.steps]


def test_accounts_add_up_and_their_rest_is_counted() -> None:
    family = some_accounts((f"{number:012d}", f"account-{number}", "3.4016666", "3.2") for number in range(1, 301))
    costs = a_cost_document(services={"A": "1020.49998"}, previous={"A": "960"}, accounts=family)
    view = accounts.view(an_edition(costs=costs))
    assert view is not None
    assert adds_up(view.table)
    assert view.table.rows[-1].name == f"Other ({300 - accounts.TOP} accounts)"
    assert {len(row.id) for row in view.table.rows[:-1]} == {12}


def test_an_account_without_a_name_keeps_its_id() -> None:
    family = some_accounts([("000000000001", "", "1020.50", "968.25")])
    view = accounts.view(an_edition(costs=a_cost_document(accounts=family)))
    assert view is not None
    assert (view.table.rows[0].name, view.table.rows[0].id) == ("no name known", "000000000001")


def test_clients_that_did_not_ask_for_accounts_have_no_such_section() -> None:
    assert accounts.view(an_edition()) is None


def test_services_beyond_the_top_are_counted_not_lost() -> None:
    view = services.view(an_edition(costs=a_cost_document(services=MANY, previous=MANY)))
    assert view is not None
    assert len(view.table.rows) == services.TOP + 1
    assert view.table.rows[-1].name == f"Other ({40 - services.TOP} services)"


def test_one_service_too_many_is_shown_rather_than_called_other() -> None:
    few = {f"Service {number:02d}": "1.00" for number in range(services.TOP + 1)}
    view = services.view(an_edition(costs=a_cost_document(services=few, previous=few)))
    assert view is not None
    assert [row.name for row in view.table.rows] == sorted(few)


def test_a_service_that_is_gone_is_still_shown() -> None:
    view = services.view(an_edition(costs=a_cost_document(services=MANY, previous={"Gone": "9999"})))
    assert view is not None
    gone = next(row for row in view.table.rows if row.name == "Gone")
    assert (gone.now, gone.before, gone.change) == ("0.00", "9,999.00", "\u2212100\u00a0%")


def test_a_service_that_credits_pay_shows_what_was_used() -> None:
    costs = a_cost_document(services={"A": "12"}, records={"A": {"Credit": "-12"}}, previous={"A": "12"})
    view = services.view(an_edition(costs=costs))
    assert view is not None
    assert (view.table.rows[0].usage, view.table.rows[0].now) == ("12.00", "0.00")


def test_a_little_is_not_shown_as_nothing() -> None:
    view = services.view(an_edition(costs=a_cost_document(services={"A": "5", "B": "0.002"}, previous={"A": "5"})))
    assert view is not None
    assert [row.now for row in view.table.rows] == ["5.00", "<\u00a00.01"]


def test_an_amount_is_the_same_wherever_it_is_printed() -> None:
    edition = an_edition(costs=a_cost_document(services=THIRDS, previous={}, older="1"))
    view = services.view(edition)
    assert view is not None
    assert {row.now for row in view.table.rows if row.id} == {"0.33"}
    assert view.table.rows[-1].name == "Rounding"


def test_a_young_account_is_not_compared() -> None:
    edition = an_edition(costs=a_cost_document(services={"A": "5"}, previous={}, older=None))
    by_service, by_day = services.view(edition), trend.view(edition)
    assert by_service is not None
    assert by_day is not None
    assert not by_service.table.has_before
    assert not by_day.has_before
    assert not by_day.chart.previous
    figures = {figure.name: figure for figure in summary.view(edition).figures}
    assert figures["Change"].value == figures["Previous period"].value == "n/a"
    assert figures["Change"].note == "no earlier period to compare with"


def test_a_day_without_figures_is_not_a_zero() -> None:
    costs = a_cost_document()
    costs = costs.model_copy(update={"days": tuple(day for day in costs.days if day.day != date(2026, 10, 5))})
    view = trend.view(an_edition(costs=costs))
    assert view is not None
    assert view.days[4].amount == "n/a"


def test_estimated_days_are_marked_in_the_table_and_hatched_in_the_chart() -> None:
    view = trend.view(an_edition(costs=a_cost_document(estimated=[date(2026, 10, 31)])))
    assert view is not None
    assert [day.mark for day in view.days].count("e") == 1
    assert view.chart.estimated_bars.count("M") == 1
    assert view.chart.bars.count("M") == 30
    assert [entry.kind for entry in view.chart.legend] == ["bar", "estimated", "line", "weekend"]


def test_the_chart_says_its_finding_to_those_who_cannot_see_it() -> None:
    view = trend.view(an_edition())
    assert view is not None
    assert view.finding in view.chart.alt


def test_a_longer_month_stands_beside_a_shorter_one() -> None:
    view = trend.view(an_edition(costs=a_cost_document("2026-11", services={"A": "30"}, previous={"A": "31"})))
    assert view is not None
    assert len(view.days) == 31
    assert (view.days[-1].day, view.days[-1].before_day) == ("", "Sat Oct\u00a031")


def test_a_period_without_costs_has_no_trend_and_no_services() -> None:
    edition = an_edition(costs=a_cost_document(services={}, previous={}, older=None))
    assert trend.view(edition) is None
    assert services.view(edition) is None
    assert invoice.view(edition).steps[0].amount == "0.00"


def test_only_a_monthly_report_has_a_cover() -> None:
    assert cover.view(an_edition()) is not None
    assert cover.view(an_edition(costs=a_cost_document("2026-W42"))) is None


def test_the_cover_tells_preliminary_from_final() -> None:
    final, preliminary = cover.view(an_edition()), cover.view(an_edition(run=a_run(issue="preliminary")))
    assert final is not None
    assert preliminary is not None
    assert (final.badge, preliminary.badge) == ("Final", "Preliminary")


def test_about_names_metric_period_source_and_price() -> None:
    facts = {entry.term: entry.meaning.replace("\u00a0", " ") for entry in about.view(an_edition()).facts}
    assert "unblended cost" in facts["Metric"]
    assert "October 1 to 31, 2026, both days included, in UTC: 31 days" in facts["Period"]
    assert "November 10, 2026, 06:12 UTC from account 111122223333" in facts["Source"]
    assert "2 paid requests to Cost Explorer at USD 0.01: USD 0.02" in facts["Price of these figures"]


def test_months_before_the_first_costs_are_not_drawn_as_zeros() -> None:
    assert summary.view(an_edition(costs=a_cost_document(older=None))).history is None
    history = summary.view(an_edition()).history
    assert history is not None
    assert len(history.months) == 13


def test_large_figures_of_the_history_are_in_thousands() -> None:
    history = summary.view(an_edition(costs=a_cost_document(older="12345678.90"))).history
    assert history is not None
    assert history.title.endswith("in thousands of USD")
    assert history.months[0].value == "12,346"


def test_every_section_has_a_name_of_its_own() -> None:
    assert len({section.name for section in SECTIONS}) == len(SECTIONS)


@given(st.lists(st.decimals(min_value=-3_000, max_value=3_000, places=4), min_size=1, max_size=20))
@example([Decimal("1.004")] * 3 + [Decimal("2.006")])
@settings(max_examples=300, deadline=None)
def test_no_fitted_amount_is_off_by_a_cent_however_unequal_they_are(exact: list[Decimal]) -> None:
    whole = sum(exact, Decimal(0))
    column = fitted(exact, whole)
    assert sum(column) == cents(whole)
    assert all(abs(shown - amount) < CENT for shown, amount in zip(column, exact, strict=True))


def test_what_rounding_leaves_goes_to_the_largest_of_equals_also_among_zeros_and_nothing_has_nothing_to_give() -> None:
    equal = [Decimal("1.004"), Decimal("3.004"), Decimal("2.004")]
    assert fitted(equal, sum(equal, Decimal(0))) == [Decimal("1.00"), Decimal("3.01"), Decimal("2.00")]
    assert fitted([Decimal(0), Decimal(0)], Decimal("0.01")) == [Decimal("0.01"), Decimal(0)]
    assert fitted([], Decimal(0)) == fitted([], Decimal("0.01")) == []


@pytest.mark.parametrize("amount", ["0.003", "0.0049999999", "0.3333333333", "7.777"])
def test_no_fitted_amount_is_off_by_more_than_a_cent(amount: str) -> None:
    exact = [Decimal(amount)] * 31 + [Decimal(0)]
    column = fitted(exact, sum(exact, Decimal(0)))
    assert sum(column) == cents(sum(exact, Decimal(0)))
    assert all(abs(shown - true) <= Decimal("0.01") for shown, true in zip(column, exact, strict=True))
    assert column[-1] == 0


def test_an_edition_takes_the_counterpart_of_each_day_by_its_place() -> None:
    edition: Edition = an_edition(a_client(), a_cost_document("2026-W42"))
    assert edition.period.start - edition.previous.start == timedelta(days=7)
