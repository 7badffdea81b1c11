"""What a client's record asks for beyond the two questions of every report: had, paid, or named as not available."""

import json
from decimal import Decimal
from typing import Any

import pytest

from cost_reporting.costs import (
    Commitments,
    CostDocument,
    Forecast,
    NotAvailable,
    Savings,
    Split,
    TagSplit,
    by_day,
    period_total,
)
from cost_reporting.errors import CostsIncomplete
from cost_reporting.sources.cost_explorer import requests_for
from tests.builders import a_client_due, a_run
from tests.functional.conftest import Costs, World
from tests.functional.test_fetch_costs import BAKERY, EURO, YOUNG, Invoke, document, fetch, of_account

NORTHWIND = "210000000001"
CENT = Decimal("0.01")
EVERYTHING = {
    "sections": ("accounts", "regions", "tags", "forecast", "anomalies", "commitments", "savings"),
    "tag_keys": ("Environment",),
}


def asked(invoke: Invoke, world: World, account: str, **changes: object) -> CostDocument:
    world.add(of_account(account, **changes))
    return document(world, fetch(invoke))


def test_everything_at_once_for_the_largest_client_is_there_and_adds_up(
    invoke: Invoke, world: World, costs: Costs
) -> None:
    costs.emulate(page_size=100_000)
    stored = asked(invoke, world, NORTHWIND, **EVERYTHING)
    assert stored.not_available == {}
    total = period_total(stored, stored.period)
    assert isinstance(stored.regions, Split)
    assert isinstance(stored.tags, tuple)
    (environment,) = stored.tags
    for split in (stored.accounts, stored.regions, environment.split):
        assert isinstance(split, Split)
        assert abs(sum(line.amount for line in split.current) - total) <= CENT
        assert abs(sum(line.amount for line in split.previous) - period_total(stored, stored.previous)) <= CENT
    assert {line.key for line in environment.split.current} == {"production", "staging", "development", ""}
    assert stored.paid_requests == costs.paid == 2 + 1 + 1 + 1 + 1 + 1 + 5 + 2


def test_the_running_month_so_far_costs_no_request_of_its_own(invoke: Invoke, world: World, costs: Costs) -> None:
    stored = asked(invoke, world, BAKERY, sections=("forecast",))
    forecast = stored.forecast
    assert isinstance(forecast, Forecast)
    assert (str(forecast.month.start), str(forecast.until)) == ("2026-11-01", "2026-11-08")
    assert forecast.so_far == sum(by_day(stored, forecast.month).values())
    assert forecast.so_far < forecast.low <= forecast.mean <= forecast.high
    assert stored.paid_requests == costs.paid == 3


def test_days_after_the_period_are_not_in_its_total(invoke: Invoke, world: World, costs: Costs) -> None:
    plain = asked(invoke, world, BAKERY)
    with_forecast = asked(invoke, world, BAKERY, sections=("forecast",))
    assert period_total(with_forecast, with_forecast.period) == period_total(plain, plain.period)


def test_a_young_account_has_no_forecast_and_the_report_goes_on(invoke: Invoke, world: World, costs: Costs) -> None:
    stored = asked(invoke, world, YOUNG, sections=("forecast",))
    assert isinstance(stored.forecast, NotAvailable)
    assert stored.forecast.error == "CostsNotReady"
    assert period_total(stored, stored.period) > 0


def test_a_report_about_an_earlier_period_asks_for_no_forecast(invoke: Invoke, world: World, costs: Costs) -> None:
    world.add(of_account(BAKERY, sections=("forecast",)))
    stored = document(world, fetch(invoke, a_client_due("acme", a_run("2026-07"))))
    assert isinstance(stored.forecast, NotAvailable)
    assert "earlier period" in stored.forecast.reason
    assert stored.paid_requests == costs.paid == 2


def test_an_anomaly_is_exact_to_the_digit_that_aws_gives(invoke: Invoke, world: World, costs: Costs) -> None:
    stored = asked(invoke, world, NORTHWIND, sections=("anomalies",))
    assert isinstance(stored.anomalies, tuple)
    (anomaly,) = stored.anomalies
    assert (str(anomaly.first_day), anomaly.service) == ("2026-10-17", "EC2 - Other")
    assert anomaly.impact > 10_000


def test_a_quiet_account_has_no_anomalies_which_is_a_figure(invoke: Invoke, world: World, costs: Costs) -> None:
    assert asked(invoke, world, BAKERY, sections=("anomalies",)).anomalies == ()


def test_commitments_are_known_with_what_ends_soon(invoke: Invoke, world: World, costs: Costs) -> None:
    commitments = asked(invoke, world, NORTHWIND, sections=("commitments",)).commitments
    assert isinstance(commitments, Commitments)
    for commitment in commitments.commitments:
        assert commitment.coverage is not None
        assert commitment.utilisation is not None
        assert 0 < commitment.coverage < 100
        assert 0 < commitment.utilisation <= 100
    (expiry,) = commitments.expiring
    assert str(expiry.ends) == "2026-12-02"


def test_savings_are_what_was_and_what_could_be_saved(invoke: Invoke, world: World, costs: Costs) -> None:
    stored = asked(invoke, world, NORTHWIND, sections=("commitments", "savings"))
    savings, commitments = stored.savings, stored.commitments
    assert isinstance(savings, Savings)
    assert isinstance(commitments, Commitments)
    assert isinstance(savings.achieved, tuple)
    assert isinstance(savings.purchases, tuple)
    assert isinstance(savings.resizes, tuple)
    assert [each.net_savings for each in savings.achieved] == [each.net_savings for each in commitments.commitments]
    (purchase,) = savings.purchases
    assert purchase.monthly_savings > 0 < purchase.hourly
    worth = [resize.monthly_savings for resize in savings.resizes]
    assert worth == sorted(worth, reverse=True)
    assert {resize.target is None for resize in savings.resizes} == {True, False}
    assert len({resize.resource_id for resize in savings.resizes}) == len(worth)
    asked_for = [query.name for query in stored.queries]
    assert len(asked_for) == len(set(asked_for)), "the use of commitments is asked for once"


def test_savings_alone_take_four_paid_questions(invoke: Invoke, world: World, costs: Costs) -> None:
    client = of_account(NORTHWIND, sections=("savings",))
    costs.emulate(page_size=100_000)
    world.add(client)
    assert fetch(invoke).costs.paid_requests == costs.paid == 6 == requests_for(client, "monthly")


def test_advice_that_nobody_opted_in_to_is_a_gap_beside_the_rest(invoke: Invoke, world: World, costs: Costs) -> None:
    stored = asked(invoke, world, BAKERY, sections=("savings",))
    savings = stored.savings
    assert isinstance(savings, Savings)
    assert savings.purchases == ()
    assert isinstance(savings.achieved, tuple)
    assert [each.net_savings for each in savings.achieved] == [None, None]
    (name, gap), *others = stored.not_available.items()
    assert (name, gap.error, others) == ("savings.resizes", "CostExplorerDisabled", [])
    assert "Receive Amazon EC2 resource recommendations" in gap.reason
    assert not stored.complete


def test_advice_in_another_currency_than_the_bill_is_no_amount(invoke: Invoke, world: World, costs: Costs) -> None:
    def in_euro(request: dict[str, object], body: dict[str, object]) -> dict[str, object]:
        return json.loads(json.dumps(body).replace('"USD"', '"EUR"')) if "RightsizingRecommendations" in body else body

    costs.emulate(page_size=100_000)
    costs.tamper = in_euro
    gaps = asked(invoke, world, NORTHWIND, sections=("savings",)).not_available
    assert {name: gap.error for name, gap in gaps.items()} == {"savings.resizes": "CostsDoNotReconcile"}


def test_the_advice_of_several_accounts_is_one_list_or_none(invoke: Invoke, world: World, costs: Costs) -> None:
    costs.emulate(page_size=100_000)
    role = {"kind": "role", "role_arn": f"arn:aws:iam::{EURO}:role/reader", "external_id": "ours"}
    more = ({"name": "Euro", "access": role},)
    (alone, euro) = (asked(invoke, world, account, sections=("savings",)).savings for account in (NORTHWIND, EURO))
    both = asked(invoke, world, NORTHWIND, sections=("savings",), more_accounts=more).savings
    assert isinstance(alone, Savings)
    assert isinstance(euro, Savings)
    assert isinstance(both, Savings)
    assert both.purchases == (*alone.purchases, *euro.purchases)  # type: ignore[misc]
    assert isinstance(both.resizes, NotAvailable)
    assert both.resizes.accounts == ("Euro",)
    assert both.achieved == alone.achieved


def test_an_account_without_commitments_has_none_which_is_a_figure(invoke: Invoke, world: World, costs: Costs) -> None:
    commitments = asked(invoke, world, BAKERY, sections=("commitments",)).commitments
    assert isinstance(commitments, Commitments)
    assert [each.coverage for each in commitments.commitments] == [None, None]


@pytest.mark.parametrize("section", EVERYTHING["sections"])
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((400, {"__type": "AccessDeniedException", "message": "no"}), "ClientAccessDenied"),
        ((400, {"__type": "ValidationException", "message": "no"}), "CostsRefused"),
    ],
)
def test_a_section_that_fails_is_named_and_never_the_end_of_the_report(
    section: str, answer: tuple[int, dict[str, str]], error: str, invoke: Invoke, world: World, costs: Costs
) -> None:
    tags = {"tag_keys": ("Environment",)} if section == "tags" else {}
    world.add(of_account(BAKERY, sections=(section,), **tags))
    costs.refuse_after(2, answer)
    stored = document(world, fetch(invoke))
    assert list(stored.not_available) == [section]
    assert stored.not_available[section].error == error
    assert period_total(stored, stored.period) > 0


def test_a_client_that_wants_all_or_nothing_has_its_report_held(invoke: Invoke, world: World, costs: Costs) -> None:
    world.add(of_account(YOUNG, sections=("forecast",), on_partial="hold"))
    with pytest.raises(CostsIncomplete, match="forecast: CostsNotReady"):
        fetch(invoke)
    assert not any(key.endswith("costs.json") for key in world.keys())  # noqa: SIM118 - not a mapping


def test_a_split_that_does_not_add_up_is_not_available_by_name(invoke: Invoke, world: World, costs: Costs) -> None:
    def tamper(request: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
        for result in body["ResultsByTime"] if "REGION" in str(request) else ():
            result["Groups"] = []
        return body

    world.add(of_account(EURO, sections=("regions",)))
    costs.tamper = tamper
    regions = document(world, fetch(invoke)).regions
    assert isinstance(regions, NotAvailable)
    assert regions.error == "CostsDoNotReconcile"
    assert "by region" in regions.reason


def test_tags_keep_what_is_untagged_apart(invoke: Invoke, world: World, costs: Costs) -> None:
    tags = asked(invoke, world, EURO, sections=("tags",), tag_keys=("Environment", "Project")).tags
    assert isinstance(tags, tuple)
    assert [(type(tag), tag.tag_key) for tag in tags] == [(TagSplit, "Environment"), (TagSplit, "Project")]
    assert not [line.key for tag in tags for line in tag.split.current if "$" in line.key]


def test_a_final_report_knows_what_the_preliminary_one_said(invoke: Invoke, world: World, costs: Costs) -> None:
    world.add(of_account(BAKERY))
    first = fetch(invoke, a_client_due("acme", a_run(issue="preliminary")))
    final = document(world, fetch(invoke))
    assert final.preliminary is not None
    assert final.preliminary.total == first.costs.total
    assert document(world, first).preliminary is None


def test_a_rerun_asks_again_for_what_was_missing(invoke: Invoke, world: World, costs: Costs) -> None:
    world.add(of_account(BAKERY, sections=("regions",)))
    costs.refuse_after(2, (400, {"__type": "LimitExceededException", "message": "Rate exceeded"}))
    assert list(document(world, fetch(invoke)).not_available) == ["regions"]
    costs.emulate()
    costs.refuse_after(100, (500, {}))
    again = fetch(invoke)
    assert document(world, again).not_available == {}
    assert again.costs.paid_requests == 3
    assert fetch(invoke).costs.paid_requests == 0
