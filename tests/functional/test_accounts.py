"""Clients of several accounts: all added up, and one that cannot be read named and left out of every total."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any, cast

import boto3
import pytest

from cost_reporting.clients import Client
from cost_reporting.costs import (
    Commitments,
    CostDocument,
    Forecast,
    NotAvailable,
    Split,
    by_day,
    by_service,
    period_total,
)
from cost_reporting.domain.gate import views
from cost_reporting.errors import (
    ClientAccessDenied,
    ClientMisconfigured,
    CostExplorerDisabled,
    CostReportingError,
    CostsDoNotReconcile,
    CostsIncomplete,
    CostsThrottled,
)
from local.accounts import ACCOUNTS
from tests.builders import a_client_due, a_run
from tests.functional.conftest import Costs, Wire, World, refusal
from tests.functional.test_fetch_costs import (
    BAKERY,
    CREDITS,
    DENIED,
    EURO,
    NOT_ENABLED,
    OWN,
    SECRET,
    THROTTLED,
    YOUNG,
    Invoke,
    answers_of,
    document,
    fetch,
    of_account,
)

NORTHWIND = "210000000001"
CENT = Decimal("0.01")


def another(account: str, name: str | None = None) -> dict[str, Any]:
    """A further account, as a record names it."""
    role = f"arn:aws:iam::{account}:role/reader"
    return {
        "name": name or f"Account {account[-2:]}",
        "access": {"kind": "role", "role_arn": role, "external_id": "ours"},
    }


def of_accounts(first: str, *more: str, **changes: Any) -> Client:
    return of_account(first, more_accounts=tuple(another(account) for account in more), **changes)


def asked(invoke: Invoke, world: World, client: Client, run: Any = None) -> CostDocument:
    world.add(client)
    return document(world, fetch(invoke, a_client_due("acme", run)))


def singly(invoke: Invoke, world: World, *accounts: str, **changes: Any) -> list[CostDocument]:
    return [asked(invoke, world, of_account(account, **changes)) for account in accounts]


@pytest.mark.parametrize("label", ["2026-10", "2026-W43"])
def test_the_costs_of_several_accounts_are_their_exact_sums(
    label: str, invoke: Invoke, world: World, costs: Costs
) -> None:
    run = a_run(label)
    parts = [asked(invoke, world, of_account(account), run) for account in (BAKERY, CREDITS, YOUNG)]
    whole = asked(invoke, world, of_accounts(BAKERY, CREDITS, YOUNG), run)
    for period in (whole.period, whole.previous):
        assert period_total(whole, period) == sum(period_total(part, period) for part in parts)
        for view in (by_service, by_day):
            keys = view(whole, period).keys()
            assert keys == set().union(*(view(part, period) for part in parts))  # type: ignore[operator]
            for key in keys:
                assert view(whole, period)[key] == sum(view(part, period).get(key, 0) for part in parts)  # type: ignore[arg-type, call-overload]
    assert [account.account_id for account in whole.accounts_read] == [BAKERY, CREDITS, YOUNG]
    assert [account.name for account in whole.accounts_read] == ["Northwind Retail", "Account 03", "Account 06"]
    assert whole.paid_requests == 9
    assert [query.account_id for query in whole.queries] == [BAKERY] * 3 + [CREDITS] * 3 + [YOUNG] * 3
    assert set(views(whole).values()) == {period_total(whole, whole.period)}


def test_each_account_has_its_row_without_a_section(invoke: Invoke, world: World, costs: Costs) -> None:
    bakery, credits_only = singly(invoke, world, BAKERY, CREDITS)
    accounts = asked(invoke, world, of_accounts(BAKERY, CREDITS)).accounts
    assert isinstance(accounts, Split)
    assert [(line.key, line.amount) for line in accounts.current] == [
        (BAKERY, period_total(bakery, bakery.period)),
        (CREDITS, period_total(credits_only, bakery.period)),
    ]
    assert accounts.names == {BAKERY: "Northwind Retail", CREDITS: "Account 03"}


def test_the_members_of_an_organization_stand_beside_the_other_accounts(
    invoke: Invoke, world: World, costs: Costs
) -> None:
    whole = asked(invoke, world, of_accounts(BAKERY, EURO, sections=("accounts",)))
    assert isinstance(whole.accounts, Split)
    assert {line.key for line in whole.accounts.current} == {BAKERY, EURO, "320000000001", "320000000002"}
    assert whole.accounts.names[EURO] == "Account 08"
    assert whole.accounts.names["320000000001"] == "euro-logistik-prod"
    assert abs(sum(line.amount for line in whole.accounts.current) - period_total(whole, whole.period)) <= CENT


def test_an_account_that_an_organization_pays_for_is_not_counted_twice(
    invoke: Invoke, world: World, costs: Costs
) -> None:
    costs.emulate(replace(ACCOUNTS[BAKERY], id="320000000001"))
    world.add(of_accounts(EURO, "320000000001", sections=("accounts",)))
    with pytest.raises(ClientMisconfigured, match="more_accounts: 320000000001 is counted twice"):
        fetch(invoke)


@pytest.mark.parametrize("section", ["regions", "forecast", "commitments", "anomalies", "tags"])
def test_a_section_is_the_sum_over_the_accounts(section: str, invoke: Invoke, world: World, costs: Costs) -> None:
    costs.emulate(page_size=100_000)
    wanted: dict[str, Any] = {"sections": (section,)} | ({"tag_keys": ("Project",)} if section == "tags" else {})
    parts = [getattr(part, section) for part in singly(invoke, world, EURO, NORTHWIND, **wanted)]
    whole = getattr(asked(invoke, world, of_accounts(EURO, NORTHWIND, **wanted)), section)
    match section:
        case "regions" | "tags":
            one = [part[0].split if section == "tags" else part for part in parts]
            both = whole[0].split if section == "tags" else whole
            for period in ("current", "previous"):
                sums: dict[str, Decimal] = {}
                for line in (line for split in one for line in getattr(split, period)):
                    sums[line.key] = sums.get(line.key, Decimal(0)) + line.amount
                assert {line.key: line.amount for line in getattr(both, period)} == sums
        case "forecast":
            assert isinstance(whole, Forecast)
            for field in ("so_far", "mean", "low", "high"):
                assert getattr(whole, field) == sum(getattr(part, field) for part in parts)
        case "anomalies":
            assert len(whole) == sum(len(part) for part in parts) > 0
        case "commitments":
            assert isinstance(whole, Commitments)
            saved = [sum(each.net_savings or 0 for each in part.commitments) for part in (*parts, whole)]
            assert saved[-1] == sum(saved[:-1]) != 0
            plans, reservations = whole.commitments
            assert plans.coverage is None, "what euro-logistik could have had covered is not known"
            assert reservations.coverage is not None
            assert reservations.coverage < parts[1].commitments[1].coverage
            assert whole.expiring == parts[1].expiring


def test_a_section_that_fails_for_one_account_is_no_partial_sum(invoke: Invoke, world: World, costs: Costs) -> None:
    whole = asked(invoke, world, of_accounts(BAKERY, YOUNG, sections=("forecast", "regions")))
    assert whole.forecast == NotAvailable(
        error="CostsNotReady", reason="Cost Explorer: DataUnavailableException", accounts=("Account 06",)
    )
    assert isinstance(whole.regions, Split)
    assert whole.accounts_not_read == ()


REFUSING = [
    (DENIED, "ClientAccessDenied"),
    (NOT_ENABLED, "CostExplorerDisabled"),
    ("999999999999", "CredentialsRejected"),
]


@pytest.mark.parametrize(("account", "error"), REFUSING)
@pytest.mark.parametrize("place", ["first", "last"])
def test_an_account_that_refuses_is_named_and_in_no_total(
    place: str, account: str, error: str, invoke: Invoke, world: World, costs: Costs
) -> None:
    (alone,) = singly(invoke, world, CREDITS)
    order = (account, CREDITS) if place == "first" else (CREDITS, account)
    whole = asked(invoke, world, of_accounts(*order))
    for period in (whole.period, whole.previous):
        assert by_service(whole, period) == by_service(alone, period)
    (left_out,) = whole.accounts_not_read
    assert (left_out.account_id, left_out.error) == (account, error)
    assert left_out.name == ("Northwind Retail" if place == "first" else f"Account {account[-2:]}")
    assert left_out.reason.startswith("Cost Explorer: ")
    assert [each.account_id for each in whole.accounts_read] == [CREDITS] == [whole.account_id]
    assert isinstance(whole.accounts, Split)
    assert [line.key for line in whole.accounts.current] == [CREDITS]
    assert whole.paid_requests == 3


def test_a_role_or_keys_that_do_not_let_us_in_leave_their_account_out(
    invoke: Invoke, world: World, costs: Costs, wire: Wire
) -> None:
    wire.order("sts.AssumeRole", None, refusal("AccessDenied", 403))
    gone = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:cost-reporting/clients/acme/2-AbCdEf"
    keys = {"name": "Keys", "access": {"kind": "secret", "secret_arn": gone}}
    whole = asked(invoke, world, of_account(BAKERY, more_accounts=(another(CREDITS), keys)))
    assert [(each.account_id, each.error, each.reason) for each in whole.accounts_not_read] == [
        (CREDITS, "ClientAccessDenied", "role: AccessDenied: no"),
        (None, "ClientMisconfigured", "more_accounts.1.access.secret_arn: there is no such secret"),
    ]


def test_an_account_without_figures_yet_leaves_the_others_theirs(invoke: Invoke, world: World, costs: Costs) -> None:
    costs.emulate(replace(ACCOUNTS[CREDITS], no_data=True))
    (left_out,) = asked(invoke, world, of_accounts(BAKERY, CREDITS)).accounts_not_read
    assert left_out.error == "CostsNotReady"


@pytest.mark.parametrize("day", ["2026-10-12", "2026-09-12"])
def test_an_account_that_lacks_a_day_is_left_out_or_not_compared(
    day: str, invoke: Invoke, world: World, costs: Costs
) -> None:
    """Without a day of the period its total is false. Without one of the period before, nothing is compared."""
    alone, other = singly(invoke, world, BAKERY, CREDITS)

    def without_a_day(request: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
        if request["Granularity"] != "DAILY":
            return body
        kept = [each for each in body["ResultsByTime"] if each["TimePeriod"]["Start"] != day]
        return body | {"ResultsByTime": kept}

    costs.tamper, costs.tampered = without_a_day, CREDITS
    whole = asked(invoke, world, of_accounts(BAKERY, CREDITS))
    if day.startswith("2026-10"):
        assert [(each.account_id, each.error) for each in whole.accounts_not_read] == [(CREDITS, "CostsNotReady")]
        assert period_total(whole, whole.period) == period_total(alone, alone.period)
        assert whole.not_comparable is None
        return
    assert whole.accounts_not_read == ()
    assert period_total(whole, whole.period) == period_total(alone, alone.period) + period_total(other, other.period)
    assert whole.not_comparable is not None


def test_an_account_that_is_not_in_use_is_a_zero_and_not_a_gap(invoke: Invoke, world: World, costs: Costs) -> None:
    costs.emulate(replace(ACCOUNTS[CREDITS], services=()))
    whole = asked(invoke, world, of_accounts(BAKERY, CREDITS), a_run("2026-W43", issue="preliminary"))
    assert whole.accounts_not_read == ()
    assert isinstance(whole.accounts, Split)
    assert [line.amount for line in whole.accounts.current][1] == 0


def test_throttling_is_retried_and_never_a_gap(invoke: Invoke, world: World, costs: Costs) -> None:
    world.add(of_accounts(BAKERY, THROTTLED))
    for _ in range(2):
        with pytest.raises(CostsThrottled):
            fetch(invoke)
    assert not any(key.endswith("costs.json") for key in world.keys())  # noqa: SIM118 - not a mapping
    stored = document(world, fetch(invoke))
    assert stored.accounts_not_read == ()
    assert len(stored.accounts_read) == 2


def test_an_assumed_role_that_is_throttled_costs_nothing(
    invoke: Invoke, world: World, costs: Costs, wire: Wire
) -> None:
    world.add(of_accounts(BAKERY, CREDITS))
    wire.order("sts.AssumeRole", None, refusal("Throttling"))
    with pytest.raises(CostsThrottled):
        fetch(invoke)
    assert costs.paid == 0


@pytest.mark.parametrize(
    ("accounts", "error"), [((DENIED, NOT_ENABLED), ClientAccessDenied), ((NOT_ENABLED, DENIED), CostExplorerDisabled)]
)
def test_without_any_account_the_client_fails_as_the_first_one_did(
    accounts: tuple[str, ...], error: type[CostReportingError], invoke: Invoke, world: World, costs: Costs
) -> None:
    world.add(of_accounts(*accounts))
    with pytest.raises(error, match=r"^acme: "):
        fetch(invoke)
    assert world.keys() == []


def test_a_client_that_wants_all_or_nothing_has_no_report_without_an_account(
    invoke: Invoke, world: World, costs: Costs
) -> None:
    world.add(of_accounts(BAKERY, DENIED, on_partial="hold"))
    with pytest.raises(CostsIncomplete, match=rf"account Account 09 \({DENIED}\): ClientAccessDenied: Cost Explorer"):
        fetch(invoke)
    assert not any(key.endswith("costs.json") for key in world.keys())  # noqa: SIM118 - not a mapping


def test_a_rerun_asks_again_while_an_account_is_missing(invoke: Invoke, world: World, costs: Costs) -> None:
    world.add(of_accounts(BAKERY, DENIED))
    assert document(world, fetch(invoke)).accounts_not_read != ()
    costs.emulate(replace(ACCOUNTS[DENIED], access_denied=False))
    again = fetch(invoke)
    assert document(world, again).accounts_not_read == ()
    assert again.costs.paid_requests == 6
    assert fetch(invoke).costs.paid_requests == 0


@pytest.mark.parametrize("more", [(), (CREDITS, YOUNG), (YOUNG,)])
def test_other_accounts_are_other_costs(more: tuple[str, ...], invoke: Invoke, world: World, costs: Costs) -> None:
    asked(invoke, world, of_accounts(BAKERY, CREDITS))
    world.add(of_accounts(BAKERY, *more))
    assert fetch(invoke).costs.paid_requests == (3 if more else 2) * (1 + len(more))


def test_accounts_in_different_currencies_are_never_added(invoke: Invoke, world: World, costs: Costs) -> None:
    def in_euro(request: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
        return cast("dict[str, Any]", json.loads(json.dumps(body).replace('"USD"', '"EUR"')))

    world.add(of_accounts(BAKERY, CREDITS))
    costs.tamper, costs.tampered = in_euro, CREDITS
    with pytest.raises(CostsDoNotReconcile, match=f"different currencies: {CREDITS} in EUR and {BAKERY} in USD"):
        fetch(invoke)


def test_two_ways_into_one_account_are_one_too_many(invoke: Invoke, world: World, costs: Costs) -> None:
    costs.emulate(replace(ACCOUNTS[BAKERY], id=OWN))
    made = boto3.client("secretsmanager").create_secret(
        Name="cost-reporting/clients/acme", SecretString=json.dumps(SECRET)
    )
    keys = {"name": "Keys", "access": {"kind": "secret", "secret_arn": made["ARN"]}}
    world.add(of_account(OWN, more_accounts=(keys,)))
    with pytest.raises(
        ClientMisconfigured, match=r"more_accounts\.0\.access: leads to an account that is read already"
    ):
        fetch(invoke)
    assert costs.paid == 0


def test_a_final_report_compares_itself_with_a_preliminary_one_of_the_same_accounts_only(
    invoke: Invoke, world: World, costs: Costs
) -> None:
    world.add(of_accounts(BAKERY, CREDITS))
    fetch(invoke, a_client_due("acme", a_run(issue="preliminary")))
    assert document(world, fetch(invoke)).preliminary is not None
    costs.emulate(replace(ACCOUNTS[CREDITS], access_denied=True))
    final = document(world, fetch(invoke, a_client_due("acme", a_run(refresh=True))))
    assert final.preliminary is None


def test_the_answers_of_each_account_are_kept_apart(invoke: Invoke, world: World, costs: Costs) -> None:
    world.add(of_accounts(BAKERY, CREDITS))
    fetch(invoke)
    answers = json.loads(world.get(answers_of(world)[0]))
    assert {account: sorted(asked) for account, asked in answers.items()} == {
        BAKERY: ["days", "members", "record types"],
        CREDITS: ["days", "members", "record types"],
    }
