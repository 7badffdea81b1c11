"""One account, one client: at each door of a record, in List Clients, and in Fetch Costs."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest

import _console
import client_manager
import validate_migration
from cost_reporting.clients import Client
from cost_reporting.contracts import ClientDue
from cost_reporting.errors import ClientMisconfigured
from cost_reporting.store.clients import row
from local.accounts import ACCOUNTS
from tests.builders import a_client, a_client_due, a_run
from tests.functional.conftest import NOW, Answer, Costs, Wire, World, refusal
from tests.functional.test_preview import Ended

Run = Callable[..., Ended]
Invoke = Callable[[str, Any], Any]
BAKERY, CREDITS, YOUNG = "210000000002", "210000000003", "210000000006"
OWN = "123456789012"
"""The account to which moto counts keys that it has not given out itself."""
BOARD = {"shared_reason": "a second report for the board"}


def in_account(client_id: str, account: str = BAKERY, **changes: Any) -> Client:
    role_arn = f"arn:aws:iam::{account}:role/reader"
    access = {"kind": "role", "role_arn": role_arn, "external_id": f"of-{client_id}"}
    return a_client(**({"client_id": client_id, "client_name": client_id, "access": access} | changes))


def by_keys(client_id: str, **changes: Any) -> Client:
    value = json.dumps({"access_key_id": "AKIA", "secret_access_key": "secret"})
    made = boto3.client("secretsmanager").create_secret(Name=f"cost-reporting/clients/{client_id}", SecretString=value)
    return a_client(client_id=client_id, access={"kind": "secret", "secret_arn": made["ARN"]}, **changes)


@pytest.fixture
def run(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, app: Any = client_manager.app) -> Ended:
        capsys.readouterr()
        code = _console.main(app, list(arguments))
        return Ended(code, *capsys.readouterr())

    return run


def file(client: Client, name: str = "c.json") -> str:
    document = client.model_dump(mode="json", exclude_none=True)
    Path(name).write_text(json.dumps({key: value for key, value in document.items() if key != "version"}))
    return name


def stored(world: World) -> dict[str, Any]:
    return {item["client_id"]: item for item in world._dynamodb.Table("clients").scan()["Items"]}


def owners(world: World, account: str = BAKERY) -> set[str]:
    found = world.outcomes(f"ACCOUNT#{account}")
    return set(found[0]["clients"]) if found else set()


def refused(ended: Ended, *names: str) -> None:
    assert (ended.code, ended.out) == (2, "")
    for name in names:
        assert name in ended.err


# -- the doors ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["active", "suspended"])
def test_a_copy_with_another_id_is_refused_at_every_door_and_the_other_client_is_named(
    status: str, run: Run, world: World
) -> None:
    world.add(in_account("acme", status=status))
    before = stored(world)
    copy = file(in_account("other"))
    for ended in (
        run("--config-file", copy, app=validate_migration.app),
        run("add", "--config", copy),
        run("import", "--file", copy),
        run("onboard", "--client-id", "other", "--account", BAKERY),
    ):
        if "--stack-name" not in ended.err:  # onboard needs to know more of the stack than this environment says
            refused(ended, f"AWS account {BAKERY} is that of acme", "shared_with")
    assert stored(world) == before
    assert world.outcomes("CLIENT#") == world.outcomes("ACCOUNT") == []


def test_an_import_names_every_account_that_is_another_s_also_within_the_file(run: Run, world: World) -> None:
    world.add(in_account("acme"))
    rows = [in_account("one"), in_account("two", CREDITS), in_account("three", CREDITS), in_account("four", YOUNG)]
    Path("many.json").write_text(json.dumps([row(each) for each in rows], default=str))
    ended = run("import", "--file", "many.json", "--json")
    assert ended.code == 2
    assert [(each["field"], each["expected"].rpartition(" ")[2]) for each in ended.json["faults"]] == [
        ("one: access.role_arn", "acme"),
        ("three: access.role_arn", "two"),
        ("two: access.role_arn", "three"),
    ]
    assert list(stored(world)) == ["acme"]


def test_an_update_and_a_rollback_to_another_s_account_are_refused_and_a_move_is_bound(run: Run, world: World) -> None:
    assert run("add", "--config", file(in_account("acme"))).code == 0
    assert owners(world) == {"acme"}
    assert run("update", "--client-id", "acme", "--config", file(in_account("acme", CREDITS))).code == 0
    assert (owners(world), owners(world, CREDITS)) == (set(), {"acme"})
    assert run("add", "--config", file(in_account("other"))).code == 0
    refused(run("rollback", "--client-id", "acme", "--to", "1", "--access", "restore"), "is that of other")
    refused(run("update", "--client-id", "acme", "--config", file(in_account("acme"))), "is that of other")
    assert stored(world)["acme"]["access"]["role_arn"].split(":")[4] == CREDITS
    assert run("remove", "--client-id", "other", "--confirm").code == 0
    assert owners(world) == set()
    assert run("rollback", "--client-id", "acme", "--to", "1", "--access", "restore").code == 0
    assert (owners(world), owners(world, CREDITS)) == ({"acme"}, set())
    refused(run("rollback", "--client-id", "other", "--to", "1"), "is that of acme")


def test_records_that_name_each_other_share_an_account_and_neither_may_take_it_back(run: Run, world: World) -> None:
    assert run("add", "--config", file(in_account("acme"))).code == 0
    board = in_account("board", shared_with=["acme"], **BOARD)
    refused(run("add", "--config", file(board)), "acme, whose record does not name board in shared_with")
    shared = in_account("acme", shared_with=["board"], **BOARD)
    assert run("update", "--client-id", "acme", "--config", file(shared)).code == 0
    assert run("add", "--config", file(board)).code == 0
    assert owners(world) == {"acme", "board"}
    refused(run("update", "--client-id", "acme", "--config", file(in_account("acme"))), "is that of board")
    assert run("activate", "--client-id", "board").code == 0


def test_two_records_written_by_hand_are_mended_by_naming_each_other_one_after_the_other(
    run: Run, world: World
) -> None:
    world.add(in_account("acme"), in_account("board"))
    refused(run("validate", "--client-id", "acme"), "is that of board")
    refused(run("activate", "--client-id", "acme"), "is that of board")
    renamed = file(in_account("acme", client_name="Acme Ltd"))
    refused(run("update", "--client-id", "acme", "--config", renamed), "is that of board")
    for who, other in (("acme", "board"), ("board", "acme")):
        named = file(in_account(who, shared_with=[other], **BOARD))
        ended = run("update", "--client-id", who, "--config", named)
        assert ended.code == 0, ended.err
    assert owners(world) == {"acme", "board"}
    assert run("activate", "--client-id", "acme").code == 0


def test_a_suspension_works_whatever_the_account_and_confirms_none(run: Run, world: World) -> None:
    world.add(in_account("acme"), in_account("other"))
    assert run("suspend", "--client-id", "other").code == 0
    assert world.outcomes("ACCOUNT") == []


# -- List Clients and Fetch Costs --------------------------------------------------------------------------------------


def listed(invoke: Invoke, world: World, **request: Any) -> dict[str, ClientDue]:
    asked = {"request": {"cadence": "monthly"} | request, "execution_id": "arn:1a2b", "started_at": NOW.isoformat()}
    lines = world.get(invoke("list_clients", asked)["worklist"]["key"]).splitlines()
    return {due.client_id: due for due in map(ClientDue.model_validate_json, lines)}


def fetched(invoke: Invoke, due: ClientDue | str) -> Any:
    return invoke("fetch_costs", a_client_due(due) if isinstance(due, str) else due)


def test_rows_written_by_hand_fail_both_by_name_before_anything_is_paid(
    invoke: Invoke, world: World, costs: Costs
) -> None:
    world.add(in_account("acme"), in_account("other"), in_account("innocent", CREDITS))
    lines = listed(invoke, world)
    for who, other in (("acme", "other"), ("other", "acme")):
        with pytest.raises(
            ClientMisconfigured, match=f"^{who}: access.role_arn: AWS account {BAKERY} is that of {other}"
        ):
            fetched(invoke, lines[who])
    assert costs.paid == 0
    assert world.outcomes("ACCOUNT") == []
    assert fetched(invoke, lines["innocent"])["costs"]["paid_requests"] == 2


def test_a_run_that_names_one_of_the_two_fails_it_as_well_also_if_the_other_is_suspended_or_malformed(
    invoke: Invoke, world: World, costs: Costs
) -> None:
    world.add(in_account("acme"))
    for other in (row(in_account("other", status="suspended")), {**row(in_account("other")), "locale": 7}):
        world.add_row(other)
        with pytest.raises(ClientMisconfigured, match="is that of other"):
            fetched(invoke, listed(invoke, world, client_ids=["acme"])["acme"])
    world.add_row({"client_id": "other", "access": "nothing"})
    assert fetched(invoke, listed(invoke, world, client_ids=["acme"])["acme"])["costs"]["paid_requests"] == 2


def test_what_was_mended_since_the_run_began_is_not_held_against_a_client(
    invoke: Invoke, world: World, costs: Costs
) -> None:
    world.add(in_account("acme"), in_account("other"))
    lines = listed(invoke, world)
    world.add(in_account("other", CREDITS))
    for who in ("acme", "other"):
        assert fetched(invoke, lines[who])["costs"]["paid_requests"] == 2


def test_records_that_name_each_other_both_get_their_costs(invoke: Invoke, world: World, costs: Costs) -> None:
    world.add(in_account("acme", shared_with=["board"], **BOARD), in_account("board", shared_with=["acme"], **BOARD))
    for due in listed(invoke, world).values():
        assert due.contested_by == ()
        fetched(invoke, due)
    assert owners(world) == {"acme", "board"}


def test_the_first_good_answer_binds_the_account_and_refuses_who_comes_later_though_nothing_was_listed(
    invoke: Invoke, world: World, costs: Costs
) -> None:
    world.add(in_account("acme"))
    fetched(invoke, "acme")
    assert owners(world) == {"acme"}
    world.add(in_account("other"))
    paid = costs.paid
    with pytest.raises(ClientMisconfigured, match="other: access: AWS account 210000000002 is that of acme"):
        fetched(invoke, "other")
    assert (costs.paid, owners(world)) == (paid, {"acme"})


def test_a_role_that_lets_nobody_in_binds_nothing(invoke: Invoke, world: World, costs: Costs, wire: Wire) -> None:
    world.add(in_account("acme"))
    wire.order("sts.AssumeRole", refusal("AccessDenied", 403))
    with pytest.raises(Exception, match="AccessDenied"):
        fetched(invoke, "acme")
    assert world.outcomes("ACCOUNT") == []


def test_the_account_behind_a_secret_is_bound_and_another_one_that_answers_is_refused(
    invoke: Invoke, world: World, costs: Costs, wire: Wire, emulate_own: None
) -> None:
    world.add(by_keys("acme"))
    fetched(invoke, "acme")
    assert owners(world, OWN) == {"acme"}
    world.add(in_account("other", OWN))
    assert {who: due.contested_by for who, due in listed(invoke, world).items()} == {
        "acme": ("other",),
        "other": ("acme",),
    }
    with pytest.raises(ClientMisconfigured, match="is that of acme"):
        fetched(invoke, "other")
    wire.order("sts.GetCallerIdentity", Answer(200, {"Account": BAKERY, "Arn": "arn", "UserId": "x"}))
    paid = costs.paid
    with pytest.raises(ClientMisconfigured, match=f"AWS account {BAKERY} answers, and the client's is {OWN}"):
        fetched(invoke, a_client_due("acme", a_run(refresh=True)))
    assert costs.paid == paid


def test_an_arn_that_may_be_the_shorter_name_s_is_judged_by_the_secret_that_answers(
    invoke: Invoke, world: World, costs: Costs
) -> None:
    other = by_keys("acme-second")
    arn = other.access.secret_arn.rpartition("-")[0]  # type: ignore[union-attr]
    world.add(a_client(client_id="acme", access={"kind": "secret", "secret_arn": arn}))
    with pytest.raises(ClientMisconfigured, match="not called <Prefix>/clients/acme"):
        fetched(invoke, "acme")
    assert costs.paid == 0


def test_stored_costs_of_an_account_that_is_another_client_s_by_now_are_not_taken(
    invoke: Invoke, world: World, costs: Costs
) -> None:
    world.add(in_account("acme"))
    fetched(invoke, "acme")
    world.add(in_account("other"))
    with pytest.raises(ClientMisconfigured):
        fetched(invoke, a_client_due("acme").model_copy(update={"contested_by": ("other",)}))


@pytest.fixture
def emulate_own(costs: Costs) -> None:
    costs.emulate(replace(ACCOUNTS[BAKERY], id=OWN))
