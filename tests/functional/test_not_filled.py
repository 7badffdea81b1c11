"""What Cost Explorer has not filled, or contradicts itself about, is said, and never printed as 0.00."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from cost_reporting.costs import Forecast, NotAvailable, Split, period_total, running_month
from cost_reporting.errors import ClientMisconfigured, CostsNotReady
from cost_reporting.sources.cost_explorer import requests_for
from local.accounts import ACCOUNTS
from tests.builders import a_client_due, a_run
from tests.functional.conftest import Clock, Costs, World
from tests.functional.test_fetch_costs import BAKERY, EURO, Invoke, document, fetch, of_account

LAST_OF_WEEK, LAST_OF_MONTH = "2026-11-01", "2026-10-31"
Tamper = Callable[[Any, Any], Any]


def emptied(*days: str, granularity: str = "DAILY", by: str = "SERVICE", gone: bool = False) -> Tamper:
    """Answers by ``by`` have no groups for ``days``, or not even the days, and all days are estimated."""

    def tamper(request: Any, body: Any) -> Any:
        if request.get("Granularity") != granularity or "ResultsByTime" not in body:
            return body
        chosen = by in [group["Key"] for group in request.get("GroupBy", [])]
        results = [result | {"Estimated": True} for result in body["ResultsByTime"]]
        if chosen and gone:
            results = [result for result in results if result["TimePeriod"]["Start"] not in days]
        elif chosen:
            results = [
                result | {"Groups": []} if result["TimePeriod"]["Start"] in days else result for result in results
            ]
        return body | {"ResultsByTime": results}

    return tamper


def due(period: str, *, last_look: bool = True, **changes: Any) -> Any:
    return a_client_due("acme", a_run(period, **changes)).model_copy(update={"last_look": last_look})


@pytest.mark.parametrize("gone", [False, True])
def test_a_last_day_that_is_not_there_is_worth_another_look_and_then_a_marked_weekly_report(
    gone: bool, invoke: Invoke, world: World, costs: Costs
) -> None:
    costs.tamper = emptied(LAST_OF_WEEK, gone=gone)
    world.add(of_account(BAKERY))
    with pytest.raises(CostsNotReady, match=LAST_OF_WEEK):
        fetch(invoke, due("2026-W44", last_look=False))
    found = fetch(invoke, due("2026-W44"))
    stored = document(world, found)
    assert stored.missing == (date(2026, 11, 1),)
    assert stored.not_comparable is None
    assert found.costs.previous == period_total(stored, stored.compared) < period_total(stored, stored.previous)
    invoke("render_pdf", found)


def test_a_report_that_lacks_a_day_is_asked_for_again_by_the_next_run(
    invoke: Invoke, world: World, costs: Costs
) -> None:
    costs.tamper = emptied(LAST_OF_WEEK)
    world.add(of_account(BAKERY))
    fetch(invoke, due("2026-W44"))
    costs.tamper = lambda _, body: body
    assert document(world, fetch(invoke, due("2026-W44"))).missing == ()


def test_a_final_report_is_not_made_without_its_last_day(invoke: Invoke, world: World, costs: Costs) -> None:
    costs.tamper = emptied(LAST_OF_MONTH)
    world.add(of_account(BAKERY))
    with pytest.raises(CostsNotReady, match=LAST_OF_MONTH):
        fetch(invoke, due("2026-10"))


def test_a_preliminary_report_goes_out_without_its_last_day_on_the_last_look(
    invoke: Invoke, world: World, costs: Costs, clock: Clock
) -> None:
    """The record types of the month have that day already, so nothing contradicts itself."""
    costs.tamper = emptied(LAST_OF_MONTH)
    world.add(of_account(BAKERY, sections=("regions",)))
    stored = document(world, found := fetch(invoke, due("2026-10", issue="preliminary")))
    assert stored.missing == (date(2026, 10, 31),)
    assert [day.day for day in stored.days_partly_filled] == [date(2026, 10, 31)]
    assert isinstance(stored.regions, Split)
    assert stored.regions.previous is None
    invoke("render_pdf", found)


def test_days_of_the_period_before_that_are_cut_take_the_comparison_and_not_the_report(
    invoke: Invoke, world: World, costs: Costs
) -> None:
    costs.tamper = emptied(*(f"2026-09-{day}" for day in range(11, 31)))
    world.add(of_account(BAKERY))
    found = fetch(invoke)
    assert found.costs.previous is None
    assert document(world, found).not_comparable is not None
    invoke("render_pdf", found)


def test_a_breakdown_without_the_period_before_loses_that_column(invoke: Invoke, world: World, costs: Costs) -> None:
    costs.tamper = emptied("2026-09-01", granularity="MONTHLY", by="REGION")
    world.add(of_account(BAKERY, sections=("regions",)))
    regions = document(world, fetch(invoke)).regions
    assert isinstance(regions, Split)
    assert regions.previous is None


def test_an_account_view_that_lacks_a_charge_is_not_available_and_the_report_is_made(
    invoke: Invoke, world: World, costs: Costs
) -> None:
    costs.tamper = emptied("2026-10-01", granularity="MONTHLY", by="LINKED_ACCOUNT")
    world.add(of_account(BAKERY, sections=("accounts",)))
    found = fetch(invoke)
    accounts = document(world, found).accounts
    assert isinstance(accounts, NotAvailable)
    assert accounts.error == "CostsDoNotReconcile"
    invoke("render_pdf", found)


def test_weekly_and_monthly_know_the_same_of_the_running_month(
    invoke: Invoke, world: World, costs: Costs, clock: Clock
) -> None:
    clock.pass_by(days=16)
    world.add(of_account(BAKERY, sections=("forecast",), monthly_budget="40.00"))
    month, week = (document(world, fetch(invoke, due(period))) for period in ("2026-10", "2026-W47"))
    assert isinstance(month.forecast, Forecast)
    assert week.forecast == month.forecast
    assert running_month(week) == running_month(month)
    assert (week.paid_requests, month.paid_requests) == (3, 3)


def test_a_weekly_budget_needs_the_running_month_without_a_forecast(
    invoke: Invoke, world: World, costs: Costs, clock: Clock
) -> None:
    clock.pass_by(days=16)
    world.add(of_account(BAKERY, monthly_budget="40.00"))
    week = document(world, fetch(invoke, due("2026-W47")))
    so_far = running_month(week)
    assert so_far is not None
    assert (so_far.days.start, so_far.days.end) == (date(2026, 11, 1), date(2026, 11, 24))
    assert week.paid_requests == 2


def test_yesterday_that_is_not_there_is_no_zero_in_the_forecast_and_holds_nothing_back(
    invoke: Invoke, world: World, costs: Costs
) -> None:
    forecasts, empty = [], emptied("2026-11-07")

    def tamper(request: Any, body: Any) -> Any:
        forecasts.extend([request["TimePeriod"]] if "ForecastResultsByTime" in body else [])
        return empty(request, body)

    costs.tamper = tamper
    world.add(of_account(BAKERY, sections=("forecast",)))
    found = document(world, fetch(invoke, due("2026-10", last_look=False)))
    so_far = running_month(found)
    assert so_far is not None
    assert so_far.days.end == date(2026, 11, 7)
    assert isinstance(found.forecast, Forecast)
    assert (found.forecast.until, found.forecast.so_far) == (so_far.days.end, so_far.amount)
    assert forecasts == [{"Start": "2026-11-07", "End": "2026-12-01"}]
    assert found.missing == ()


@pytest.mark.parametrize("sections", [(), ("accounts",)])
@pytest.mark.parametrize("period", ["2026-10", "2026-W43"])
def test_a_member_of_an_organization_that_is_read_as_well_is_found_without_a_section(
    period: str, sections: tuple[str, ...], invoke: Invoke, world: World, costs: Costs
) -> None:
    costs.emulate(replace(ACCOUNTS[BAKERY], id="320000000001"), page_size=100_000)
    access = {"kind": "role", "role_arn": "arn:aws:iam::320000000001:role/reader", "external_id": "ours"}
    client = of_account(EURO, more_accounts=({"name": "Lab", "access": access},), sections=sections)
    world.add(client)
    with pytest.raises(ClientMisconfigured, match="more_accounts: 320000000001 is counted twice"):
        fetch(invoke, due(period))
    assert costs.paid == requests_for(client, "monthly" if period == "2026-10" else "weekly")
