"""Fetch Costs: the client's costs, complete and reconciled, in the bucket."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from hashlib import sha256
from typing import Any

import boto3
import pytest
from botocore.exceptions import ConnectTimeoutError

from cost_reporting.clients import Client
from cost_reporting.contracts import ClientDue, CostsFetched
from cost_reporting.costs import CostDocument, by_group, by_month, period_total
from cost_reporting.errors import (
    ClientAccessDenied,
    ClientMisconfigured,
    ClientSuspended,
    ClientUnknown,
    CostExplorerDisabled,
    CostReportingError,
    CostsDoNotReconcile,
    CostsNotReady,
    CostsRefused,
    CostsThrottled,
    CredentialsRejected,
    StaleDocument,
    StoreRefused,
    StoreThrottled,
)
from local.accounts import ACCOUNTS
from tests.builders import a_client, a_client_due, a_run
from tests.functional.conftest import Clock, Costs, Wire, World, refusal

Invoke = Callable[[str, Any], Any]
BAKERY, CREDITS, YOUNG, EURO, DENIED, NOT_ENABLED, THROTTLED = (f"2100000000{n:02d}" for n in (2, 3, 6, 8, 9, 10, 11))
OWN = "123456789012"
"""The account to which moto counts keys that it has not given out itself."""


def of_account(account: str, **changes: Any) -> Client:
    """A client whose costs are those of an emulated account."""
    access = {"kind": "role", "role_arn": f"arn:aws:iam::{account}:role/reader", "external_id": "our-external-id"}
    return a_client(client_id="acme", access=access, **changes)


def fetch(invoke: Invoke, due: ClientDue | None = None) -> CostsFetched:
    return CostsFetched.model_validate(invoke("fetch_costs", due or a_client_due("acme")))


def answers_of(world: World) -> list[str]:
    return list(filter(re.compile("/answers-").search, world.keys()))


@pytest.mark.parametrize("changes", [{}, {"rerun_of": "an-older-run"}, {"mode": "dry_run"}, {"refresh": True}], ids=str)
def test_a_suspended_client_is_stopped_before_anything_is_paid(
    changes: dict[str, Any], invoke: Invoke, world: World, costs: Costs
) -> None:
    world.add(of_account(BAKERY, status="suspended"))
    with pytest.raises(ClientSuspended, match="acme"):
        fetch(invoke, a_client_due("acme", a_run(**changes)))
    assert (costs.paid, world.keys()) == (0, [])


def test_a_suspended_client_that_an_operator_has_named_is_fetched(invoke: Invoke, world: World, costs: Costs) -> None:
    world.add(of_account(BAKERY, status="suspended"))
    assert fetch(invoke, a_client_due("acme", a_run(named=True))).costs.paid_requests == 2


def test_once_the_report_is_rendered_send_email_says_whether_a_suspension_stops_it(
    invoke: Invoke, world: World, costs: Costs
) -> None:
    """Some recipients may have it, and Fetch Costs does not know the ledger."""
    world.add(of_account(BAKERY))
    first = fetch(invoke)
    invoke("render_pdf", first)
    world.add(of_account(BAKERY, status="suspended"))
    again = fetch(invoke)
    assert (again.costs.document, again.costs.paid_requests) == (first.costs.document, 0)
    with pytest.raises(ClientSuspended):
        invoke("send_email", invoke("render_pdf", again))


def document(world: World, fetched: CostsFetched) -> CostDocument:
    return CostDocument.model_validate_json(world.get(fetched.costs.document.key))


@pytest.mark.parametrize("account", [BAKERY, CREDITS, EURO, "210000000005"])
def test_the_document_holds_a_year_and_both_periods_to_the_last_digit(
    account: str, invoke: Invoke, world: World, costs: Costs
) -> None:
    world.add(of_account(account))
    fetched = fetch(invoke)
    stored = document(world, fetched)
    assert fetched.costs.document.key == "reports/acme/monthly/2026-10/final/costs.json"
    assert stored.account_id == account
    assert len(by_month(stored)) == 13
    assert len(stored.days) == 30 + 31
    assert period_total(stored, stored.period) == fetched.costs.total
    assert sum(by_group(stored, stored.period).values()) == fetched.costs.total
    assert fetched.costs.previous == period_total(stored, stored.previous)
    assert not fetched.costs.estimated


def test_a_report_costs_two_paid_requests_and_says_so(invoke: Invoke, world: World, costs: Costs) -> None:
    world.add(of_account(BAKERY))
    assert fetch(invoke).costs.paid_requests == costs.paid == 2


def test_a_section_that_asks_for_accounts_costs_one_request_more(invoke: Invoke, world: World, costs: Costs) -> None:
    costs.emulate(page_size=100_000)
    world.add(of_account(EURO, sections=("accounts",)))
    fetched = fetch(invoke)
    accounts = document(world, fetched).accounts
    assert accounts is not None
    assert sorted(accounts.names.values()) == ["euro-logistik-payer", "euro-logistik-prod", "euro-logistik-test"]
    assert abs(sum(line.amount for line in accounts.current) - fetched.costs.total) <= Decimal("0.01")
    assert fetched.costs.paid_requests == costs.paid == 3


def test_a_week_over_the_turn_of_a_month_has_its_accounts_whole(invoke: Invoke, world: World, costs: Costs) -> None:
    world.add(of_account(EURO, sections=("accounts",)))
    fetched = fetch(invoke, a_client_due("acme", a_run("2026-W40", issue="preliminary")))
    accounts = document(world, fetched).accounts
    assert accounts is not None
    assert abs(sum(line.amount for line in accounts.current) - fetched.costs.total) <= Decimal("0.01")
    assert fetched.costs.previous is not None
    assert abs(sum(line.amount for line in accounts.previous) - fetched.costs.previous) <= Decimal("0.01")


def test_every_page_is_read_and_each_is_counted(invoke: Invoke, world: World, costs: Costs) -> None:
    world.add(of_account(EURO))
    whole = fetch(invoke)
    costs.emulate(page_size=50)
    paged = fetch(invoke, a_client_due("acme", a_run(refresh=True)))
    assert paged.costs.total == whole.costs.total
    assert paged.costs.paid_requests == costs.paid > 20


def test_a_weekly_report_compares_two_weeks(invoke: Invoke, world: World, costs: Costs) -> None:
    world.add(of_account(BAKERY))
    fetched = fetch(invoke, a_client_due("acme", a_run("2026-W44", issue="preliminary")))
    stored = document(world, fetched)
    assert fetched.costs.document.key == "reports/acme/weekly/2026-W44/preliminary/costs.json"
    assert len(stored.days) == 14
    assert fetched.costs.estimated
    assert fetched.costs.paid_requests == 2


def test_a_young_account_has_no_costs_to_compare_with(invoke: Invoke, world: World, costs: Costs) -> None:
    world.add(of_account(YOUNG))
    assert fetch(invoke).costs.previous is None


def test_the_answers_are_stored_as_they_came(invoke: Invoke, world: World, costs: Costs) -> None:
    world.add(of_account(BAKERY))
    fetch(invoke)
    (key,) = answers_of(world)
    answers = json.loads(world.get(key))
    assert sorted(answers) == ["days", "record types"]
    assert answers["days"][0]["ResultsByTime"][0]["TimePeriod"] == {"Start": "2026-09-01", "End": "2026-09-02"}


def test_what_is_stored_is_used_again_and_nothing_is_paid_or_assumed(
    invoke: Invoke, world: World, costs: Costs, wire: Wire
) -> None:
    world.add(of_account(BAKERY))
    first = fetch(invoke)
    wire.calls.clear()
    second = fetch(invoke, a_client_due("acme", a_run(run_id="another-run")))
    assert second.costs == first.costs.model_copy(update={"paid_requests": 0})
    assert costs.paid == 2
    assert wire.count("sts.AssumeRole", "s3.PutObject") == 0


def test_refresh_asks_again_and_pays_again(invoke: Invoke, world: World, costs: Costs) -> None:
    world.add(of_account(BAKERY))
    fetch(invoke)
    assert fetch(invoke, a_client_due("acme", a_run(refresh=True))).costs.paid_requests == 2
    assert costs.paid == 4


@pytest.mark.parametrize(
    "change",
    [{"cost_metric": "amortized"}, {"sections": ("accounts",)}, {"account": CREDITS}],
    ids=lambda c: next(iter(c)),
)
def test_a_client_record_that_asks_for_other_figures_is_asked_again(
    change: dict[str, Any], invoke: Invoke, world: World, costs: Costs
) -> None:
    world.add(of_account(BAKERY))
    fetch(invoke)
    world.add(of_account(**({"account": BAKERY} | change)))
    assert fetch(invoke).costs.paid_requests > 0


def test_a_new_recipient_costs_nothing(invoke: Invoke, world: World, costs: Costs) -> None:
    world.add(of_account(BAKERY))
    fetch(invoke)
    world.add(of_account(BAKERY, recipients=("somebody@else.example",)))
    assert fetch(invoke).costs.paid_requests == 0


def test_a_test_run_and_a_preliminary_one_have_documents_of_their_own(
    invoke: Invoke, world: World, costs: Costs
) -> None:
    world.add(of_account(BAKERY))
    runs = [a_run(), a_run(issue="preliminary"), a_run(mode="test", run_id="one"), a_run(mode="test", run_id="two")]
    assert len({fetch(invoke, a_client_due("acme", run)).costs.document.key for run in runs}) == 4


def test_the_role_is_assumed_with_the_external_id_of_the_client(
    invoke: Invoke, world: World, costs: Costs, wire: Wire
) -> None:
    world.add(of_account(BAKERY))
    fetch(invoke)
    (assumed,) = [call.parameters for call in wire.calls if call.operation == "sts.AssumeRole"]
    assert assumed["ExternalId"] == "our-external-id"
    assert assumed["RoleArn"] == f"arn:aws:iam::{BAKERY}:role/reader"
    assert assumed["DurationSeconds"] == 900


@pytest.mark.parametrize(
    ("account", "error"),
    [(DENIED, ClientAccessDenied), (NOT_ENABLED, CostExplorerDisabled), ("999999999999", CredentialsRejected)],
)
def test_what_an_account_refuses_has_a_name_of_its_own(
    account: str, error: type[CostReportingError], invoke: Invoke, world: World, costs: Costs
) -> None:
    world.add(of_account(account))
    with pytest.raises(error, match=r"^acme: "):
        fetch(invoke)
    assert costs.paid == 0
    assert world.keys() == []


def test_an_account_without_data_yet_is_worth_another_look(invoke: Invoke, world: World, costs: Costs) -> None:
    costs.emulate(replace(ACCOUNTS[BAKERY], no_data=True))
    world.add(of_account(BAKERY))
    with pytest.raises(CostsNotReady):
        fetch(invoke)


def test_throttling_is_a_name_that_the_state_machine_retries_until_it_ends(
    invoke: Invoke, world: World, costs: Costs
) -> None:
    world.add(of_account(THROTTLED))
    for _ in range(2):
        with pytest.raises(CostsThrottled):
            fetch(invoke)
    assert fetch(invoke).costs.paid_requests == 2


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ((400, {"__type": "LimitExceededException"}), CostsThrottled),
        ((503, {"__type": "ServiceUnavailable"}), CostsThrottled),
        ((500, {"__type": "InternalServerException"}), CostsThrottled),
        ((400, {"__type": "DataUnavailableException"}), CostsNotReady),
        ((400, {"__type": "ValidationException", "message": "end date past"}), CostsRefused),
        ((400, {"__type": "BillExpirationException"}), CostsRefused),
        ((400, {"__type": "ExpiredTokenException"}), CredentialsRejected),
        ((400, {"__type": "UnrecognizedClientException"}), CredentialsRejected),
    ],
    ids=lambda value: value[1]["__type"] if isinstance(value, tuple) else value.__name__,
)
def test_every_answer_that_says_no_is_a_word_of_the_state_machine(
    fault: tuple[int, dict[str, Any]], error: type[CostReportingError], invoke: Invoke, world: World, costs: Costs
) -> None:
    world.add(of_account(BAKERY))
    costs.faults.extend([fault, fault])
    with pytest.raises(error):
        fetch(invoke)


def test_a_page_that_gets_lost_leaves_nothing_that_could_be_taken_for_costs(
    invoke: Invoke, world: World, costs: Costs, wire: Wire
) -> None:
    world.add(of_account(BAKERY))
    costs.emulate(page_size=20)
    lost = refusal("InvalidNextTokenException")
    wire.order("ce.GetCostAndUsage", None, None, lost, None, lost)
    with pytest.raises(CostsRefused, match="InvalidNextTokenException"):
        fetch(invoke)
    assert [key for key in world.keys() if "/asked/" not in key] == []  # noqa: SIM118 - not a mapping
    assert fetch(invoke).costs.total > 0


def test_a_blip_of_cost_explorer_is_the_sdks_own_affair(invoke: Invoke, world: World, costs: Costs, wire: Wire) -> None:
    world.add(of_account(BAKERY))
    costs.faults.append((400, {"__type": "LimitExceededException"}))
    assert fetch(invoke).costs.paid_requests == 2
    assert (wire.count("ce.GetCostAndUsage"), wire.sent["cost-explorer.GetCostAndUsage"]) == (2, 3)


def test_without_an_answer_the_question_is_asked_again_later(invoke: Invoke, world: World, wire: Wire) -> None:
    world.add(of_account(BAKERY))
    wire.order("ce.GetCostAndUsage", ConnectTimeoutError(endpoint_url="https://ce"))
    with pytest.raises(CostsThrottled, match="ConnectTimeoutError"):
        fetch(invoke)


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [("AccessDenied", 403, ClientAccessDenied), ("Throttling", 400, CostsThrottled), ("Boom", 500, CostsThrottled)],
)
def test_a_role_that_does_not_let_us_in_is_not_the_fault_of_a_service_that_is_busy(
    code: str, status: int, error: type[CostReportingError], invoke: Invoke, world: World, wire: Wire
) -> None:
    world.add(of_account(BAKERY))
    wire.order("sts.AssumeRole", refusal(code, status))
    with pytest.raises(error, match=code):
        fetch(invoke)


def test_a_day_that_is_missing_from_the_answers_is_not_zero(invoke: Invoke, world: World, costs: Costs) -> None:
    world.add(of_account(BAKERY))

    def without_halloween(request: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
        kept = [each for each in body["ResultsByTime"] if each["TimePeriod"]["Start"] != "2026-10-31"]
        return body | {"ResultsByTime": kept}

    costs.tamper = without_halloween
    with pytest.raises(CostsNotReady, match="2026-10-31"):
        fetch(invoke)


def test_an_empty_period_is_zero_only_once_the_bill_is_closed(invoke: Invoke, world: World, costs: Costs) -> None:
    costs.emulate(replace(ACCOUNTS[BAKERY], opened_months_ago=0))
    world.add(of_account(BAKERY))
    with pytest.raises(CostsNotReady):
        fetch(invoke, a_client_due("acme", a_run(issue="preliminary")))
    assert fetch(invoke).costs.total == 0


def test_views_that_differ_leave_the_answers_as_evidence_and_no_costs(
    invoke: Invoke, world: World, costs: Costs
) -> None:
    world.add(of_account(BAKERY))

    def dearer(request: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
        if request["Granularity"] == "DAILY":
            body["ResultsByTime"][-1]["Groups"][0]["Metrics"]["UnblendedCost"]["Amount"] = "99.99"
        return body

    costs.tamper = dearer
    with pytest.raises(CostsDoNotReconcile, match="by day"):
        fetch(invoke)
    (key,) = (key for key in world.keys() if "/asked/" not in key)  # noqa: SIM118 - not a mapping
    assert key.startswith("reports/acme/monthly/2026-10/final/answers-")
    assert b"99.99" in world.get(key)


def test_two_currencies_in_one_answer_are_never_added(invoke: Invoke, world: World, costs: Costs) -> None:
    world.add(of_account(BAKERY))

    def mixed(request: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
        body["ResultsByTime"][-1]["Groups"][0]["Metrics"]["UnblendedCost"]["Unit"] = "EUR"
        return body

    costs.tamper = mixed
    with pytest.raises(CostsDoNotReconcile, match="EUR and USD"):
        fetch(invoke)


@pytest.mark.parametrize("label", ["2026-10", "2025-11"])
def test_a_period_and_the_one_before_that_cost_explorer_keeps_can_be_reported(
    label: str, invoke: Invoke, world: World, costs: Costs
) -> None:
    world.add(of_account(BAKERY))
    assert fetch(invoke, a_client_due("acme", a_run(label))).costs.paid_requests == 2


@pytest.mark.parametrize("label", ["2025-10", "2024-01", "0001-01"])
def test_a_period_that_cost_explorer_does_not_keep_is_refused_before_anything_is_paid(
    label: str, invoke: Invoke, world: World, costs: Costs
) -> None:
    """13 months and the current one, of which the first can only be compared with."""
    world.add(of_account(BAKERY))
    with pytest.raises(CostsRefused, match="2025-10-01"):
        fetch(invoke, a_client_due("acme", a_run(label)))
    assert costs.paid == 0


def test_without_recipients_nothing_is_assumed_or_paid(invoke: Invoke, world: World, costs: Costs, wire: Wire) -> None:
    world.add(of_account(BAKERY, recipients=()))
    with pytest.raises(ClientMisconfigured, match="acme: recipients: "):
        fetch(invoke)
    assert wire.count("sts.AssumeRole") == costs.paid == 0


def test_a_test_report_with_recipients_of_its_own_needs_none_in_the_record(
    invoke: Invoke, world: World, costs: Costs
) -> None:
    world.add(of_account(BAKERY, recipients=()))
    run = a_run(mode="test", recipients=("me@consultancy.example",))
    assert fetch(invoke, a_client_due("acme", run)).costs.paid_requests == 2


def test_a_client_that_is_not_there_and_one_that_is_wrong_fail_by_name(
    invoke: Invoke, world: World, costs: Costs
) -> None:
    world.add_row({"client_id": "bare", "recipients": "canary@leak.example"})
    with pytest.raises(ClientUnknown, match="nobody"):
        fetch(invoke, a_client_due("nobody"))
    with pytest.raises(ClientMisconfigured, match=r"^bare: .*recipients: ") as raised:
        fetch(invoke, a_client_due("bare"))
    assert "canary" not in str(raised.value)


SECRET = {"access_key_id": "AKIAIOSFODNN7EXAMPLE", "secret_access_key": "very-secret"}


def with_secret(world: World, text: str) -> None:
    """A client that is read with keys from a secret that holds ``text``."""
    made = boto3.client("secretsmanager").create_secret(Name="cost-reporting/clients/acme", SecretString=text)
    world.add(a_client(client_id="acme", access={"kind": "secret", "secret_arn": made["ARN"]}))


def test_keys_from_a_secret_are_the_last_resort_and_work(invoke: Invoke, world: World, costs: Costs) -> None:
    costs.emulate(replace(ACCOUNTS[BAKERY], id=OWN))
    with_secret(world, json.dumps(SECRET))
    fetched = fetch(invoke)
    assert document(world, fetched).account_id == OWN
    assert "very-secret" not in json.dumps(fetched.model_dump(mode="json"))


@pytest.mark.parametrize("text", ["very-secret", '{"access_key_id": "very-secret"}', '["very-secret"]'])
def test_a_secret_that_is_not_what_it_should_be_is_named_and_not_shown(
    text: str, invoke: Invoke, world: World, costs: Costs
) -> None:
    with_secret(world, text)
    with pytest.raises(ClientMisconfigured, match=r"access\.secret_arn") as raised:
        fetch(invoke)
    assert "very-secret" not in str(raised.value)


def test_a_secret_that_is_gone_is_a_fault_of_the_record(invoke: Invoke, world: World, costs: Costs) -> None:
    arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:cost-reporting/clients/acme-AbCdEf"
    world.add(a_client(client_id="acme", access={"kind": "secret", "secret_arn": arn}))
    with pytest.raises(ClientMisconfigured, match="no such secret"):
        fetch(invoke)


@pytest.mark.parametrize(
    ("operation", "answer", "error"),
    [
        ("s3.GetObject", refusal("SlowDown", 503), StoreThrottled),
        ("s3.PutObject", refusal("InternalError", 500), StoreThrottled),
        ("s3.PutObject", refusal("AccessDenied", 403), StoreRefused),
        ("s3.GetObject", refusal("AccessDenied", 403), StoreRefused),
        ("dynamodb.GetItem", refusal("ProvisionedThroughputExceededException"), StoreThrottled),
        ("dynamodb.GetItem", refusal("AccessDeniedException"), StoreRefused),
    ],
)
def test_a_store_that_is_busy_is_not_a_store_that_refuses(
    operation: str, answer: Any, error: type[CostReportingError], invoke: Invoke, world: World, costs: Costs, wire: Wire
) -> None:
    world.add(of_account(BAKERY))
    wire.order(operation, answer)
    with pytest.raises(error):
        fetch(invoke)


def overwrite(world: World, key: str, body: bytes, **metadata: str) -> None:
    """Put other bytes in the place of a document, under its own metadata but for ``metadata``."""
    s3 = boto3.client("s3")
    kept = s3.head_object(Bucket=world.bucket, Key=key)["Metadata"]
    s3.put_object(Bucket=world.bucket, Key=key, Body=body, Metadata=kept | metadata)


def test_costs_whose_bytes_are_not_those_that_were_stored_are_asked_for_anew(
    invoke: Invoke, world: World, costs: Costs
) -> None:
    world.add(of_account(BAKERY))
    first = fetch(invoke)
    overwrite(world, first.costs.document.key, b"{}")
    again = fetch(invoke)
    assert (again.costs.total, again.costs.paid_requests, costs.paid) == (first.costs.total, 2, 4)
    assert document(world, again).period == again.run.period
    assert fetch(invoke).costs.paid_requests == 0


def test_a_document_that_is_no_costs_or_anothers_is_asked_for_anew(invoke: Invoke, world: World, costs: Costs) -> None:
    world.add(of_account(BAKERY))
    first = fetch(invoke)
    of_september = fetch(invoke, a_client_due("acme", a_run("2026-09")))
    copied = world.get(of_september.costs.document.key)
    for body in (b"[]", copied):
        overwrite(world, first.costs.document.key, body, sha256=sha256(body).hexdigest())
        paid = costs.paid
        assert fetch(invoke).costs.total == first.costs.total
        assert costs.paid == paid + 2


def test_preliminary_costs_that_were_changed_leave_the_final_report_without_a_comparison(
    invoke: Invoke, world: World, costs: Costs
) -> None:
    world.add(of_account(BAKERY))
    early = fetch(invoke, a_client_due("acme", a_run(issue="preliminary")))
    overwrite(world, early.costs.document.key, b"not even JSON")
    assert document(world, fetch(invoke)).preliminary is None


# -- two executions at once --------------------------------------------------------------------------------------------


def meanwhile(costs: Costs, do: Callable[[], object]) -> None:
    """Have ``do`` happen while the next questions are under way, once."""
    due = [do]

    def tamper(request: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
        if due:
            due.pop()()
        return body

    costs.tamper = tamper


def test_the_second_of_two_executions_takes_what_the_first_has_stored(
    invoke: Invoke, world: World, costs: Costs, clock: Clock
) -> None:
    world.add(of_account(BAKERY))
    first: list[CostsFetched] = []
    meanwhile(costs, lambda: (first.append(fetch(invoke)), clock.pass_by(seconds=5)))
    second = fetch(invoke, a_client_due("acme", a_run(run_id="double")))
    assert second.costs == first[0].costs
    assert sha256(world.get(second.costs.document.key)).hexdigest() == first[0].costs.document.sha256
    assert second.costs.paid_requests == 2, "it has asked, and paid"


def test_a_first_writer_that_is_gone_again_leaves_the_place_to_the_second(
    invoke: Invoke, world: World, costs: Costs, wire: Wire
) -> None:
    world.add(of_account(BAKERY))
    single, all_together = [None, None], None
    wire.order("s3.PutObject", *single, all_together, refusal("ConditionalRequestConflict", 409))
    fetched = fetch(invoke)
    assert sha256(world.get(fetched.costs.document.key)).hexdigest() == fetched.costs.document.sha256


def test_a_refresh_replaces_what_was_asked_before_it(invoke: Invoke, world: World, costs: Costs, clock: Clock) -> None:
    world.add(of_account(BAKERY))
    fetch(invoke)
    clock.pass_by(seconds=5)
    refresh = a_client_due("acme", a_run(refresh=True))
    refreshed = fetch(invoke, refresh)
    assert document(world, refreshed).fetched_at == clock()
    other: list[CostsFetched] = []
    meanwhile(costs, lambda: other.append(fetch(invoke, refresh)))
    clock.pass_by(seconds=5)
    assert fetch(invoke, refresh).costs.document == other[0].costs.document, "it was asked for no later"


def test_complete_costs_replace_those_with_a_gap_and_not_the_other_way_round(
    invoke: Invoke, world: World, costs: Costs, wire: Wire
) -> None:
    world.add(of_account(EURO, sections=("accounts", "forecast"), on_partial="send_marked"))
    costs.emulate(page_size=100_000)
    gap = refusal("DataUnavailableException")

    def with_a_gap() -> CostsFetched:
        wire.order("ce.GetCostForecast", gap)
        return fetch(invoke)

    partly: list[CostsFetched] = []
    meanwhile(costs, lambda: partly.append(with_a_gap()))
    whole = fetch(invoke)
    assert not CostDocument.model_validate_json(world.get(whole.costs.document.key)).not_available
    assert whole.costs.document.sha256 != partly[0].costs.document.sha256
    complete: list[CostsFetched] = []
    meanwhile(costs, lambda: complete.append(fetch(invoke, a_client_due("acme", a_run(refresh=True)))))
    world.delete(whole.costs.document.key)
    wire.order("ce.GetCostForecast", None, gap)
    late = fetch(invoke, a_client_due("acme", a_run(run_id="late")))
    assert late.costs.document == complete[0].costs.document


def test_costs_of_a_record_that_was_changed_meanwhile_do_not_replace_those_of_the_new_one(
    invoke: Invoke, world: World, costs: Costs
) -> None:
    world.add(of_account(BAKERY))
    changed: list[CostsFetched] = []

    def change() -> None:
        world.add(of_account(BAKERY, cost_metric="amortized"))
        changed.append(fetch(invoke))

    meanwhile(costs, change)
    with pytest.raises(StaleDocument, match="record was changed"):
        fetch(invoke)
    assert sha256(world.get(changed[0].costs.document.key)).hexdigest() == changed[0].costs.document.sha256


def test_each_execution_leaves_its_own_answers_and_the_costs_name_theirs(
    invoke: Invoke, world: World, costs: Costs, clock: Clock
) -> None:
    world.add(of_account(BAKERY))
    fetch(invoke)
    clock.pass_by(seconds=5)
    costs.tamper = lambda request, body: body | {"DimensionValueAttributes": [{"Value": "another", "Attributes": {}}]}
    fetched = fetch(invoke, a_client_due("acme", a_run(refresh=True)))
    answers = answers_of(world)
    assert len(answers) == 2
    named = boto3.client("s3").head_object(Bucket=world.bucket, Key=fetched.costs.document.key)["Metadata"]["answers"]
    (own,) = [key for key in answers if named[:16] in key]
    assert sha256(world.get(own)).hexdigest() == named


def test_an_execution_that_begins_again_pays_nothing_for_what_is_stored_by_now(
    invoke: Invoke, world: World, costs: Costs, wire: Wire
) -> None:
    world.add(of_account(BAKERY, sections=("forecast",), on_partial="send_marked"))
    wire.order("ce.GetCostForecast", refusal("DataUnavailableException"))
    first = fetch(invoke)
    assert document(world, first).not_available
    for run in (a_run(), a_run(refresh=True)):
        again = fetch(invoke, a_client_due("acme", run).model_copy(update={"restarted": True}))
        assert again.costs == first.costs.model_copy(update={"paid_requests": 0})
    assert fetch(invoke).costs.paid_requests > 0, "a later run asks anew"


def test_a_rotated_external_id_costs_nothing(invoke: Invoke, world: World, costs: Costs) -> None:
    world.add(of_account(BAKERY))
    fetch(invoke)
    rotated = {"kind": "role", "role_arn": f"arn:aws:iam::{BAKERY}:role/reader", "external_id": "another-one"}
    world.add(of_account(BAKERY), access=rotated)
    assert (fetch(invoke).costs.paid_requests, costs.paid) == (0, 2)


def test_the_next_report_knows_what_the_last_one_about_the_month_before_said(
    invoke: Invoke, world: World, costs: Costs
) -> None:
    world.add(of_account(BAKERY))
    assert document(world, fetch(invoke)).restated is None, "there was no report about September"
    september = document(world, fetch(invoke, a_client_due("acme", a_run("2026-09"))))
    october = document(world, fetch(invoke, a_client_due("acme", a_run(refresh=True))))
    assert october.restated is not None
    assert october.restated.fetched_at == september.fetched_at
    assert october.restated.then == period_total(september, september.period)
    assert october.restated.now == period_total(october, october.previous)


def test_a_report_by_another_metric_is_no_measure_of_what_aws_has_changed(
    invoke: Invoke, world: World, costs: Costs
) -> None:
    world.add(of_account(BAKERY))
    fetch(invoke, a_client_due("acme", a_run("2026-09")))
    world.add(of_account(BAKERY, cost_metric="amortized"))
    assert document(world, fetch(invoke)).restated is None
