"""What is wrong with a record is the same at every door: files that go in, rows that are there, and runs."""

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3
import pytest

import _console
import client_manager
import restore_clients
import validate_migration
from cost_reporting import aws
from cost_reporting.clients import Client
from cost_reporting.errors import ClientMisconfigured
from cost_reporting.store.clients import ClientStore, row
from tests.builders import a_client
from tests.functional.conftest import NOW, Wire, World
from tests.functional.test_client_manager import Ended, rows
from tests.unit.test_soundness import FAULTY

ID = "northwind-retail"
Run = Callable[..., Ended]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(restore_clients, "POLL", 0.0)

    def run(app: Any, *arguments: str) -> Ended:
        capsys.readouterr()
        code = _console.main(app, [*arguments, "--json"])
        return Ended(code, *capsys.readouterr())

    return run


OF_EACH_CHECK = (
    "a locale that CLDR does not know", "a currency that does not exist", "a rate from the future",
    "a budget with separators", "a role of China", "two points in an address", "a section twice",
    "a name of zero-width spaces", "no rate", "another client's secret",
)  # fmt: skip
"""tests/unit/test_soundness.py has all kinds; here are those whose checks differ."""


def faulty(*kinds: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    sound = row(a_client())
    for kind in kinds or OF_EACH_CHECK:
        changes, field, _ = FAULTY[kind]
        yield kind, field, {name: value for name, value in (sound | changes).items() if name != "version"}


def fields(answer: Ended) -> list[str]:
    assert answer.code == 2, answer.err
    for fault in answer.json["faults"]:
        assert fault["expected"]
        assert fault["remedy"]
    return [fault["field"].rpartition(": ")[2] for fault in answer.json["faults"]]


def store(item: dict[str, Any]) -> None:
    plain = json.loads(json.dumps(item, default=str), parse_float=Decimal)
    boto3.resource("dynamodb").Table("clients").put_item(Item=plain)


def test_a_file_is_refused_alike_by_validate_add_update_and_import(run: Run, world: World) -> None:
    world.add(a_client())
    before = rows(world)
    file, many = Path("a.json"), Path("many.json")
    for kind, field, document in faulty():
        file.write_text(json.dumps(document, default=str))
        many.write_text(json.dumps([document | {"client_id": "newcomer"}], default=str))
        assert fields(run(validate_migration.app, "--config-file", "a.json")) == [field], kind
        assert fields(run(client_manager.app, "add", "--config", "a.json")) == [field], kind
        assert fields(run(client_manager.app, "update", "--client-id", ID, "--config", "a.json")) == [field], kind
        assert field in fields(run(client_manager.app, "import", "--file", "many.json")), kind
    assert rows(world) == before


def test_a_row_is_refused_alike_by_validate_list_activate_and_the_run(run: Run, world: World) -> None:
    for kind, field, document in faulty():
        store(document | {"status": "suspended"})
        assert fields(run(client_manager.app, "validate", "--client-id", ID)) == [field], kind
        assert fields(run(client_manager.app, "activate", "--client-id", ID)) == [field], kind
        (listed,) = run(client_manager.app, "list").json["clients"]
        assert [each["field"] for each in listed["faults"]] == [field], kind
        with pytest.raises(ClientMisconfigured, match=field.rpartition(".")[2]):
            ClientStore("clients", now=lambda: NOW, partition="aws").get(ID)


def test_an_earlier_version_and_a_backup_are_refused_by_the_rules_of_today(run: Run, world: World) -> None:
    for kind, field, document in faulty("a locale that CLDR does not know", "a rate from the future"):
        store(document)
        boto3.client("dynamodb").create_backup(TableName="clients", BackupName="before")
        table = run(restore_clients.app, "restore", "--backup", "before", "--yes").json["table"]
        sound = a_client()
        Path("sound.json").write_text(sound.model_dump_json(exclude_none=True, exclude={"version"}))
        assert run(client_manager.app, "update", "--client-id", ID, "--config", "sound.json").code == 0, kind
        there = rows(world)
        access = ("--access", "restore")
        assert fields(run(client_manager.app, "rollback", "--client-id", ID, *access)) == [field], kind
        copy = ("copy", "--from-table", table, "--client-id", ID, "--over-newer", "--yes")
        assert fields(run(restore_clients.app, *copy)) == [field], kind
        assert rows(world) == there, kind
        run(restore_clients.app, "discard", "--from-table", table, "--yes")
        (backup,) = boto3.client("dynamodb").list_backups(TableName="clients")["BackupSummaries"]
        boto3.client("dynamodb").delete_backup(BackupArn=backup["BackupArn"])


def test_a_partition_is_that_of_the_region(run: Run, world: World, wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    china: Client = a_client(
        access={"kind": "role", "role_arn": "arn:aws-cn:iam::210000000001:role/reader", "external_id": "some-id"}
    )
    Path("a.json").write_text(china.model_dump_json(exclude_none=True, exclude={"version"}))
    assert fields(run(validate_migration.app, "--config-file", "a.json")) == ["access.role_arn"]
    monkeypatch.setattr(aws, "partition", lambda: "aws-cn")
    assert run(validate_migration.app, "--config-file", "a.json").code == 0


@pytest.mark.parametrize(
    ("region", "partition"), [("eu-central-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")]
)
def test_the_partition_is_told_by_the_region(region: str, partition: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", region)
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    aws.partition.cache_clear()
    assert aws.partition() == partition
    aws.partition.cache_clear()


@pytest.mark.parametrize("stored", [True, "true", "yes", Decimal(1)])
def test_a_client_that_is_read_as_wanting_a_preliminary_report_is_listed(
    stored: Any, invoke: Callable[..., Any], world: World
) -> None:
    world.add_row(row(a_client(client_id="acme")) | {"preliminary": stored})
    assert ClientStore("clients").get("acme").preliminary
    assert invoke("list_clients", _preliminary())["client_count"] == 1


@pytest.mark.parametrize(
    "odd",
    [
        {"preliminary": "please"},
        {"preliminary": None},
        {"cadences": "monthly"},
        {"cadences": [" monthly"]},
        {"cadences": ["Monthly"]},
        {"status": " suspended"},
        {"status": "Suspended"},
        {"status": None},
    ],
    ids=str,
)
def test_a_client_whose_row_cannot_be_read_is_in_the_run_and_fails_by_name(
    odd: dict[str, Any], invoke: Callable[..., Any], world: World
) -> None:
    world.add_row(row(a_client(client_id="acme", preliminary=True)) | odd)
    assert invoke("list_clients", _preliminary())["client_count"] == 1
    with pytest.raises(ClientMisconfigured, match=f"acme: {next(iter(odd))}"):
        ClientStore("clients").get("acme")


def _preliminary() -> dict[str, Any]:
    execution = "arn:aws:states:eu-central-1:123456789012:execution:cost-reporting:x"
    request = {"cadence": "monthly", "scheduled_at": "2026-11-03T06:00:00Z"}
    return {"request": request, "execution_id": execution, "started_at": "2026-11-03T06:00:01Z"}
