"""`scripts/restore_clients.py`: records from a backup, compared with what is there and copied back one by one."""

from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

import _console
import restore_clients
from cost_reporting.clients import Client, parse_client
from cost_reporting.operations.clients import changing
from cost_reporting.operations.clients.changing import Author
from cost_reporting.store.records import RecordStore
from tests.builders import a_client
from tests.functional.conftest import NOW, Answer, Wire, World
from tests.functional.test_preview import Ended

BACKUP = "weekly-backup-20261108"
WRITES = {
    "dynamodb.PutItem",
    "dynamodb.DeleteItem",
    "dynamodb.UpdateItem",
    "dynamodb.DeleteTable",
    "dynamodb.TransactWriteItems",
}


def row(client_id: str) -> dict[str, Any] | None:
    """The row as it stands in the clients table."""
    return boto3.resource("dynamodb").Table("clients").get_item(Key={"client_id": client_id}).get("Item")


def in_its_own_account(client_id: str, **changes: Any) -> Client:
    """A client whose account no other client has."""
    account = f"2300000000{['acme', 'globex', 'initech', 'newcomer'].index(client_id):02d}"
    access = {"kind": "role", "role_arn": f"arn:aws:iam::{account}:role/reader", "external_id": f"of-{client_id}"}
    return a_client(client_id=client_id, access=access, **changes)


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Any:
    def command(*arguments: str) -> Ended:
        capsys.readouterr()
        code = _console.main(restore_clients.app, arguments)
        return Ended(code, *capsys.readouterr())

    return command


@pytest.fixture
def restored(world: World, command: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """A table from a backup of three clients, after which the clients table went its own way.

    acme is gone, globex has been edited, initech is as it was, and newcomer has come.
    """
    monkeypatch.setattr(restore_clients, "POLL", 0.0)
    world.add(*(in_its_own_account(each, version=3) for each in ("acme", "globex", "initech")))
    boto3.client("dynamodb").create_backup(TableName="clients", BackupName=BACKUP)
    boto3.resource("dynamodb").Table("clients").delete_item(Key={"client_id": "acme"})
    world.add(in_its_own_account("globex", client_name="Globex renamed", version=4), in_its_own_account("newcomer"))
    answer = command("restore", "--backup", BACKUP, "--yes")
    assert answer.code == 0, answer.err
    return str(answer.out.strip())


def test_what_there_is_to_restore_from_is_listed(command: Any, restored: str) -> None:
    said = command("backups", "--json").json
    assert [each["name"] for each in said["backups"]] == [BACKUP]


def test_a_restore_makes_a_table_of_its_own(restored: str) -> None:
    assert restored.startswith("clients-restored-")
    assert boto3.client("dynamodb").scan(TableName=restored)["Count"] == 3
    assert row("acme") is None, "the clients table is left alone"


def test_a_comparison_names_clients_and_fields_and_shows_no_value(command: Any, restored: str) -> None:
    found = {
        each["client_id"]: each for each in command("compare", "--from-table", restored, "--json").json["differences"]
    }
    assert {client_id: each["kind"] for client_id, each in found.items()} == {"acme": "missing", "globex": "changed"}
    assert (found["globex"]["fields"], found["globex"]["newer_here"]) == (["client_name", "version"], True)
    told = command("compare", "--from-table", restored)
    assert "Globex renamed" not in told.out + told.err


def test_a_dry_run_writes_nothing(command: Any, restored: str, wire: Wire) -> None:
    wire.calls.clear()
    answer = command("copy", "--from-table", restored, "--missing", "--dry-run", "--json")
    assert (answer.code, answer.json["status"], answer.json["wanted"]) == (0, "dry_run", ["acme"])
    assert not {call.operation for call in wire.calls} & WRITES


def test_what_is_missing_comes_back_as_it_was(command: Any, restored: str) -> None:
    answer = command("copy", "--from-table", restored, "--missing", "--yes", "--json")
    assert (answer.code, answer.json["copied"]) == (0, ["acme"])
    assert parse_client(row("acme") or {}) == in_its_own_account("acme", version=1), "its history begins here"
    assert (row("globex") or {})["client_name"] == "Globex renamed"
    assert row("newcomer") is not None


def test_a_record_that_is_newer_than_the_backup_is_not_overwritten_unasked(command: Any, restored: str) -> None:
    answer = command("copy", "--from-table", restored, "--client-id", "acme", "--client-id", "globex", "--yes")
    assert answer.code == 2
    assert "globex" in answer.err
    assert row("acme") is None, "all or nothing"


def test_a_record_that_is_put_back_over_a_newer_one_gets_the_next_version(command: Any, restored: str) -> None:
    assert command("copy", "--from-table", restored, "--client-id", "globex", "--over-newer", "--yes").code == 0
    assert parse_client(row("globex") or {}) == in_its_own_account("globex", version=5)
    found, back = RecordStore("clients", "outcomes").versions("globex")
    assert (found.action, (found.record or {})["client_name"]) == ("found", "Globex renamed")
    assert (back.action, back.version, back.reason) == ("restored", 5, f"from {restored}")


def test_a_record_that_changes_while_it_is_copied_is_left_alone_and_named(
    command: Any, restored: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def somebody_is_faster(*_: Any, **__: Any) -> None:
        world.add(in_its_own_account("globex", client_name="Globex again", version=5))

    monkeypatch.setattr(_console, "agreed", somebody_is_faster)
    answer = command("copy", "--from-table", restored, "--client-id", "globex", "--over-newer", "--json")
    assert (answer.code, answer.json["lost"], answer.json["copied"]) == (1, ["globex"], [])
    assert (row("globex") or {})["client_name"] == "Globex again"


def test_a_row_without_a_version_is_compared_and_copied_all_the_same(command: Any, restored: str, world: World) -> None:
    world.add_row({"client_id": "globex", "client_name": "by hand"})
    found = {
        each["client_id"]: each for each in command("compare", "--from-table", restored, "--json").json["differences"]
    }
    assert found["globex"]["newer_here"] is False
    assert command("copy", "--from-table", restored, "--client-id", "globex", "--yes").code == 0
    assert parse_client(row("globex") or {}).version == 2


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (["restore"], "--backup"),
        (["restore", "--backup", BACKUP, "--at", "2026-11-08T05:59:00"], "--backup"),
        (["restore", "--backup", "weekly-backup-19990101", "--yes"], "--backup"),
        (["restore", "--at", "1999-01-01T00:00:00", "--yes"], "--at"),
        (["copy", "--from-table", "clients"], "--client-id"),
        (["copy", "--from-table", "clients", "--client-id", "nobody", "--yes"], "--client-id"),
        (["discard", "--from-table", "clients", "--yes"], "--from-table"),
        (["discard", "--from-table", "outcomes", "--yes"], "--from-table"),
        (["discard", "--from-table", "clients-restored-2026", "--yes"], "--from-table"),
    ],
)
def test_what_makes_no_sense_is_named_and_changes_nothing(
    arguments: list[str], field: str, command: Any, world: World, wire: Wire
) -> None:
    answer = command(*arguments)
    assert answer.code == 2
    assert field in answer.err
    assert not {call.operation for call in wire.calls} & (WRITES | {"dynamodb.RestoreTableFromBackup"})


def test_a_restored_table_is_discarded(command: Any, restored: str) -> None:
    assert command("discard", "--from-table", restored, "--dry-run").code == 0
    assert restored in boto3.client("dynamodb").list_tables()["TableNames"]
    assert command("discard", "--from-table", restored, "--yes").code == 0
    assert boto3.client("dynamodb").list_tables()["TableNames"] == ["clients", "outcomes"]


def test_a_moment_of_the_window_is_restored(command: Any, world: World, wire: Wire) -> None:
    window = {"EarliestRestorableDateTime": NOW - timedelta(days=35), "LatestRestorableDateTime": NOW}
    described = {"ContinuousBackupsDescription": {"PointInTimeRecoveryDescription": window}}
    wire.order("dynamodb.DescribeContinuousBackups", Answer(200, described), Answer(200, described))
    world.add(in_its_own_account("acme"))
    assert command("backups", "--json").json["window"] == ["2026-10-04T06:00:03+00:00", "2026-11-08T06:00:03+00:00"]
    answer = command("restore", "--at", "2026-11-08T05:59:00", "--yes", "--json")
    assert answer.code == 0, answer.err
    (asked,) = [call for call in wire.calls if call.operation == "dynamodb.RestoreTableToPointInTime"]
    assert asked.parameters["TargetTableName"] == answer.json["table"]
    assert asked.parameters["RestoreDateTime"] == datetime(2026, 11, 8, 5, 59, tzinfo=UTC)


def test_a_client_whose_data_was_erased_does_not_come_back_from_a_backup(
    command: Any, world: World, restored: str
) -> None:
    store, author = RecordStore("clients", "outcomes"), Author(who="olga", at=NOW)
    erased = changing.change("globex", store.find("globex"), None, "erased", store=store, author=author)
    changing.write(erased, store=store)
    ended = command("copy", "--from-table", restored, "--missing", "--yes", "--json")
    assert (ended.code, ended.json["erased"]) == (1, ["globex"])
    assert row("globex") is None
    assert row("acme") is not None, "the other is copied"
