"""`check_credential_age.py`, `rotate_credentials.py` and `rotate_client_credentials.py`, for clients with keys.

What a role's trust policy lets in no emulator of this folder enforces: tests/workflow has the ExternalIds.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
import typer

import _console
import _credentials
import check_credential_age
import rotate_client_credentials
import rotate_credentials
from cost_reporting.clients import Client
from cost_reporting.credentials import ExternalIdNote
from cost_reporting.store.clients import ClientStore
from cost_reporting.store.onboardings import Onboarding, OnboardingStore
from cost_reporting.store.rotations import RotationStore
from local.accounts import ACCOUNTS
from tests.builders import a_client
from tests.functional.conftest import Clock, Costs, Wire, World, refusal
from tests.functional.test_preview import Ended

OWN = "123456789012"
DAYS = 150
Command = Callable[..., Ended]


@pytest.fixture
def command(
    world: World, costs: Costs, clock: Clock, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    tmp_path: Any,
) -> Command:  # fmt: skip
    """Run one of the commands, with waiting that takes no time."""
    costs.emulate(replace(ACCOUNTS["210000000002"], id=OWN))
    monkeypatch.setenv(
        "FETCH_COSTS_ROLE_ARN", f"arn:aws:iam::{OWN}:role/cost-reporting-FetchCostsFunctionRole-AbCdEfGh1234"
    )
    monkeypatch.setattr(_credentials, "time", SimpleNamespace(sleep=lambda seconds: clock.pass_by(seconds=seconds)))

    def run(app: typer.Typer, *arguments: str) -> Ended:
        capsys.readouterr()
        return Ended(_console.main(app, arguments), *capsys.readouterr())

    return run


def with_key(world: World, client_id: str, clock: Clock, *, days: int = DAYS, owner: str | None = None) -> Client:
    """A client whose key is so many days old."""
    iam = boto3.client("iam")
    iam.create_user(UserName=f"{client_id}-reader")
    key = iam.create_access_key(UserName=f"{client_id}-reader")["AccessKey"]
    clock.time = max(clock.time, key["CreateDate"] + timedelta(days=days, hours=1))
    value = {"access_key_id": key["AccessKeyId"], "secret_access_key": key["SecretAccessKey"]}
    secret = boto3.client("secretsmanager").create_secret(
        Name=f"cost-reporting/clients/{owner or client_id}", SecretString=json.dumps(value)
    )
    client = a_client(client_id=owner or client_id, access={"kind": "secret", "secret_arn": secret["ARN"]})
    world.add(client)
    return client


def key_of(client: Client) -> str:
    (key,) = boto3.client("iam").list_access_keys(UserName=f"{client.client_id}-reader")["AccessKeyMetadata"]
    return str(key["AccessKeyId"])


def by_client(ended: Ended) -> dict[str, dict[str, Any]]:
    return {each["client_id"]: each for each in ended.json["clients"]}


def test_every_client_is_judged_and_nothing_secret_or_paid_is_part_of_it(
    command: Command, world: World, clock: Clock, costs: Costs, wire: Wire
) -> None:
    keys = with_key(world, "globex", clock)
    world.add(a_client(client_id="acme"), a_client(client_id="initech"))
    notes = RotationStore("outcomes")
    assert notes.write_note("acme", ExternalIdNote(since=clock()))
    world.add_row({"client_id": "two-fields", "client_name": "x"})
    world.put("reports/acme/monthly/2026-10/final/costs.json", b"{}")
    wire.calls.clear()
    ended = command(check_credential_age.app, "--json")
    assert ended.code == 1
    found = by_client(ended)
    assert {name: each["verdict"] for name, each in found.items()} == {
        "acme": "ok", "globex": "due", "initech": "due", "two-fields": "malformed",
    }  # fmt: skip
    assert (found["globex"]["age_days"], found["globex"]["limit_days"]) == (DAYS, 90)
    assert found["acme"]["last_used"] is not None
    assert (found["initech"]["age_days"], "nobody has written down" in found["initech"]["detail"]) == (None, True)
    assert "rotate_client_credentials.py --client-id globex" in found["globex"]["remedy"]
    assert key_of(keys) not in ended.out + ended.err
    assert "northwind-external-id" not in ended.out + ended.err
    assert costs.paid == 0
    assert not [
        call for call in wire.calls if call.operation.partition(".")[2].startswith(("Put", "Upd", "Del", "Cre"))
    ]


def with_more(world: World, clock: Clock) -> tuple[Client, Client]:
    """A client of which one further account is read with an old key, and another with a role; and the key's owner."""
    keys = with_key(world, "globex", clock, owner="acme").model_copy(update={"client_id": "globex"})
    role = {"kind": "role", "role_arn": "arn:aws:iam::210000000003:role/reader", "external_id": "of-the-shop"}
    more = [{"name": "Lab", "access": keys.access.model_dump()}, {"name": "Shop", "access": role}]
    world.add(a_client(client_id="acme", more_accounts=more))
    assert RotationStore("outcomes").write_note("acme", ExternalIdNote(since=clock()))
    return ClientStore("clients").get("acme"), keys


def by_account(ended: Ended) -> dict[str | None, dict[str, Any]]:
    return {each.get("account"): each for each in ended.json["clients"]}


def test_every_account_of_a_client_has_a_row_of_its_own(command: Command, world: World, clock: Clock) -> None:
    with_more(world, clock)
    ended = command(check_credential_age.app, "--json")
    found = by_account(ended)
    assert (ended.code, {name: (each["kind"], each["verdict"]) for name, each in found.items()}) == (
        1, {None: ("external_id", "ok"), "Lab": ("key", "due"), "Shop": ("external_id", "due")},
    )  # fmt: skip
    assert "rotate_client_credentials.py --client-id acme --account Lab" in found["Lab"]["remedy"]
    rows = [line.split()[0] for line in command(check_credential_age.app).out.splitlines()]
    assert rows == ["client", "acme", "acme/Lab", "acme/Shop"]


def test_a_further_account_that_is_shut_is_named_and_the_others_are_judged(
    command: Command, world: World, clock: Clock, wire: Wire
) -> None:
    with_more(world, clock)
    wire.order("secretsmanager.GetSecretValue", refusal("ResourceNotFoundException"))
    wire.order("sts.AssumeRole", None, refusal("AccessDenied", 403))
    found = by_account(command(check_credential_age.app, "--json"))
    assert {name: each["verdict"] for name, each in found.items()} == {
        None: "ok", "Lab": "malformed", "Shop": "unreachable",
    }  # fmt: skip


def test_the_credentials_of_a_further_account_are_rotated_and_no_other(
    command: Command, world: World, clock: Clock, tmp_path: Any
) -> None:
    client, keys = with_more(world, clock)
    before = key_of(keys)
    ended = command(rotate_credentials.app, "--yes", "--out", str(tmp_path), "--json")
    assert ended.code == 0, ended.err
    assert {name: each["status"] for name, each in by_account(ended).items()} == {"Lab": "rotated", "Shop": "waiting"}
    assert key_of(keys) != before
    assert (tmp_path / "acme" / "210000000003" / "trust-policy.json").exists()
    assert ClientStore("clients").get("acme") == client, "no record changes before the client has done its part"
    assert RotationStore("outcomes").note("acme").pending is None, "the first account's is another one"
    again = command(rotate_credentials.app, "--dry-run", "--json")
    assert "would try the new ExternalId" in by_account(again)["Shop"]["detail"]


def test_a_new_external_id_of_a_further_account_goes_to_its_place(
    command: Command, world: World, clock: Clock, wire: Wire, tmp_path: Any
) -> None:
    client, _ = with_more(world, clock)
    arguments = ["--client-id", "acme", "--account", "Shop", "--out", str(tmp_path), "--json"]
    assert command(rotate_client_credentials.app, *arguments).json["phase"] == "add"
    new = RotationStore("outcomes").of(client.ways[2]).note("acme").pending
    wire.order("sts.AssumeRole", None, None, refusal("AccessDenied", 403), refusal("AccessDenied", 403))
    ended = command(rotate_client_credentials.app, *arguments)
    assert (ended.code, ended.json["status"], ended.json["account"]) == (0, "rotated", "Shop"), ended.err
    after = ClientStore("clients").get("acme")
    assert (after.access, after.more_accounts[0]) == (client.access, client.more_accounts[0])
    assert after.more_accounts[1].access.external_id == new  # type: ignore[union-attr]
    assert by_account(command(check_credential_age.app, "--json"))["Shop"]["verdict"] == "ok"


def test_an_account_that_the_record_does_not_name_is_wrong_input(command: Command, world: World, clock: Clock) -> None:
    with_more(world, clock)
    ended = command(rotate_client_credentials.app, "--client-id", "acme", "--account", "Attic")
    assert ended.code == 2
    assert "Lab, Shop" in ended.err


@pytest.mark.parametrize(("made_at", "verdict"), [(True, "ok"), (False, "due")])
def test_an_external_id_is_as_old_as_its_onboarding_if_that_has_made_it(
    made_at: bool, verdict: str, command: Command, world: World, clock: Clock
) -> None:
    client = a_client(client_id="acme")
    world.add(client)
    agreed = Onboarding(
        client_id="acme", access=client.access, operators=(), who="olga", at=clock(),
        made_at=clock() if made_at else None,
    )  # fmt: skip
    assert OnboardingStore("outcomes").write(agreed, replacing=None)
    assert by_client(command(check_credential_age.app, "--json"))["acme"]["verdict"] == verdict


def test_all_in_order_is_exit_code_0_and_a_table(command: Command, world: World, clock: Clock) -> None:
    with_key(world, "globex", clock)
    ended = command(check_credential_age.app, "--older-than", "151")
    assert ended.code == 0, ended.err
    assert ended.out.splitlines()[1].split()[:4] == ["globex", "key", str(DAYS), "151"]


@pytest.mark.parametrize(
    ("operation", "answer", "verdict", "said"),
    [
        ("sts.GetCallerIdentity", refusal("InvalidClientTokenId", 403), "unreachable", "ClientAccessDenied"),
        ("iam.ListAccessKeys", refusal("AccessDenied", 403), "due", "at least so old"),
        ("iam.GetAccessKeyLastUsed", refusal("AccessDenied", 403), "due", None),
        ("secretsmanager.DescribeSecret", refusal("ResourceNotFoundException"), "malformed", "no such secret"),
    ],
)
def test_what_cannot_be_looked_at_is_named_with_its_cause(
    operation: str,
    answer: Any,
    verdict: str,
    said: str | None,
    command: Command,
    world: World,
    clock: Clock,
    wire: Wire,
) -> None:
    with_key(world, "globex", clock)
    wire.order(operation, answer)
    found = by_client(command(check_credential_age.app, "--json"))["globex"]
    assert found["verdict"] == verdict
    assert (said or "") in (found["detail"] or "")
    assert found["remedy"]


def test_what_is_due_is_rotated_and_one_failure_stops_nobody(
    command: Command, world: World, clock: Clock, wire: Wire
) -> None:
    clients = [with_key(world, name, clock) for name in ("aaa", "bbb", "ccc")]
    old = [key_of(client) for client in clients]
    wire.order("iam.CreateAccessKey", None, refusal("AccessDenied", 403), None)
    ended = command(rotate_credentials.app, "--yes", "--json")
    assert ended.code == 1
    assert {name: each["status"] for name, each in by_client(ended).items()} == {
        "aaa": "rotated", "bbb": "failed", "ccc": "rotated",
    }  # fmt: skip
    assert "may not do iam:CreateAccessKey to itself: ask the client" in by_client(ended)["bbb"]["detail"]
    now = [key_of(client) for client in clients]
    assert [one == other for one, other in zip(old, now, strict=True)] == [False, True, False]
    again = command(rotate_credentials.app, "--yes", "--json")
    assert (again.code, by_client(again)["bbb"]["status"]) == (0, "rotated"), "what was begun is gone on with"
    assert not [key for key in [*old, *now] if key in ended.out + ended.err]


def test_a_dry_run_names_what_is_due_and_changes_nothing(
    command: Command, world: World, clock: Clock, wire: Wire
) -> None:
    with_key(world, "globex", clock)
    world.add(a_client(client_id="acme"))
    wire.calls.clear()
    for arguments in ([rotate_credentials.app], [rotate_client_credentials.app, "--client-id", "globex"]):
        ended = command(*arguments, "--dry-run", "--json")
        assert ended.code == 0, ended.err
        assert "would create a key, test it, make it the current one, and delete the old one" in ended.err
    assert not [
        call for call in wire.calls if call.operation.partition(".")[2].startswith(("Put", "Upd", "Del", "Cre"))
    ]


def test_nothing_due_is_nothing_done(command: Command, world: World, clock: Clock) -> None:
    client = with_key(world, "globex", clock)
    before = key_of(client)
    ended = command(rotate_credentials.app, "--older-than", "400", "--json")
    assert (ended.code, ended.json["clients"], key_of(client)) == (0, [], before)


def test_nobody_there_to_agree_rotates_nothing(command: Command, world: World, clock: Clock) -> None:
    client = with_key(world, "globex", clock)
    before = key_of(client)
    ended = command(rotate_credentials.app, "--json")
    assert (ended.code, key_of(client)) == (2, before)
    assert ended.json["message"].startswith("--yes:")


def test_one_client_is_rotated_whatever_its_age(command: Command, world: World, clock: Clock) -> None:
    client = with_key(world, "globex", clock, days=1)
    before = key_of(client)
    ended = command(rotate_client_credentials.app, "--client-id", "globex", "--json")
    assert (ended.code, ended.json["status"]) == (0, "rotated")
    assert key_of(client) != before
    assert "s left" in ended.err


@pytest.mark.parametrize("arguments", [["--client-id", "nobody"], [], ["--client-id", "globex", "--older-than", "x"]])
def test_wrong_input_is_exit_code_2(arguments: list[str], command: Command, world: World, clock: Clock) -> None:
    with_key(world, "globex", clock)
    assert command(rotate_client_credentials.app, *arguments).code == 2
    assert command(rotate_credentials.app, "--older-than", "x").code == 2
    assert command(check_credential_age.app, "--older-than", "-1").code == 2


def test_a_role_that_accepts_any_external_id_is_a_finding_and_is_not_switched(
    command: Command, world: World, clock: Clock, tmp_path: Any
) -> None:
    """moto's roles let everybody in, which is just the fault that is looked for."""
    world.add(a_client(client_id="acme"))
    arguments = ["--client-id", "acme", "--out", str(tmp_path), "--json"]
    first = command(rotate_client_credentials.app, *arguments)
    assert (first.code, first.json["phase"]) == (0, "add"), first.err
    second = command(rotate_client_credentials.app, *arguments)
    assert second.code == 1
    assert "lets us in under any ExternalId" in second.json["detail"]


def test_files_that_cannot_be_written_are_one_failure_with_a_remedy(
    command: Command, world: World, clock: Clock, tmp_path: Any
) -> None:
    world.add(a_client(client_id="acme"))
    (tmp_path / "file").write_text("")
    ended = command(rotate_client_credentials.app, "--client-id", "acme", "--out", str(tmp_path / "file"), "--json")
    assert ended.code == 1
    assert "--out" in ended.json["remedy"]
