"""`scripts/client_manager.py`: records read, written and removed as an operator does."""

import ast
import json
import stat
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any
from zlib import crc32

import boto3
import pytest

import _console
import client_manager
from cost_reporting.clients import Client
from cost_reporting.records import PLACEHOLDERS
from cost_reporting.store.clients import row
from tests.builders import a_client
from tests.functional.conftest import Wire, World, refusal

WHO = "arn:aws:sts::123456789012:user/moto"
CANARY = "canary-external-id-7f3a"


class Ended:
    """How a command ended: its exit code, its JSON if it gave any, and what it said to people."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.out)


@pytest.fixture
def manage(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Ended]:
    """Run a command of the client manager in a folder of the test's own."""
    monkeypatch.chdir(tmp_path)

    def manage(*arguments: str | Path) -> Ended:
        capsys.readouterr()
        code = _console.main(client_manager.app, list(map(str, arguments)))
        return Ended(code, *capsys.readouterr())

    return manage


Manage = Callable[..., Ended]


def acme(**changes: Any) -> Client:
    """Acme, or a client of another id in an account of its own."""
    client_id = changes.get("client_id", "acme")
    account = 210000000002 if client_id == "acme" else 230000000000 + crc32(client_id.encode())
    role_arn = f"arn:aws:iam::{account}:role/cost-reporting-reader"
    access = {"kind": "role", "role_arn": role_arn, "external_id": CANARY}
    return a_client(**({"client_id": "acme", "client_name": "Acme", "access": access} | changes))


def write(path: str, client: Client | dict[str, Any]) -> Path:
    document = client.model_dump(mode="json", exclude_none=True) if isinstance(client, Client) else client
    Path(path).write_text(json.dumps({key: value for key, value in document.items() if key != "version"}))
    return Path(path)


def rows(world: World) -> dict[str, dict[str, Any]]:
    return {item["client_id"]: item for item in world._dynamodb.Table("clients").scan()["Items"]}


# -- sample-config, add ------------------------------------------------------------------------------------------------


def test_the_sample_is_refused_until_it_is_edited_and_accepted_once_it_is(manage: Manage, world: World) -> None:
    assert manage("sample-config", "--output", "new.json").code == 0
    unedited = manage("add", "--config", "new.json", "--json")
    assert unedited.code == 2
    assert [fault["field"] for fault in unedited.json["faults"]] == list(PLACEHOLDERS)
    sample = json.loads(Path("new.json").read_text())
    assert Path(sample["$schema"]).exists()
    sample |= {"client_id": "acme", "client_name": "Acme", "recipients": ["a@acme.example"]}
    sample["reply_to"] = "us@consultancy.example"
    sample["access"] |= {"role_arn": "arn:aws:iam::210000000002:role/x", "external_id": CANARY}
    Path("new.json").write_text(json.dumps(sample))
    added = manage("add", "--config", "new.json")
    assert (added.code, added.out) == (0, "acme is added, as version 1.\n")
    assert rows(world)["acme"]["recipients"] == ["a@acme.example"]


def test_an_edited_sample_is_never_written_over(manage: Manage) -> None:
    Path("new.json").write_text("mine")
    refused = manage("sample-config", "--output", "new.json")
    assert refused.code == 2
    assert "--output: new.json is there already." in refused.err
    assert Path("new.json").read_text() == "mine"
    assert [path.name for path in Path.cwd().iterdir()] == ["new.json"]
    assert manage("sample-config", "--output", "new.json", "--force").code == 0


def test_every_fault_of_a_record_is_shown_at_once_and_nothing_is_written(
    manage: Manage, world: World, wire: Wire
) -> None:
    broken = row(acme()) | {"locale": "English", "branding": {"color": "blue"}, "currncy": "USD"}
    del broken["currency"]
    answer = manage("add", "--config", write("a.json", broken))
    assert answer.code == 2
    for field in ("locale: ", "branding.colour: ", "branding.color: ", "currncy: ", "currency: "):
        assert f"\n  {field}expected " in answer.err
    assert "Did you mean currency?" in answer.err
    assert CANARY not in answer.err
    assert wire.calls == [], "AWS is not even asked"
    assert (rows(world), world.outcomes("CLIENT#")) == ({}, [])


def test_a_client_is_added_once(manage: Manage, world: World) -> None:
    assert manage("add", "--config", write("a.json", acme())).code == 0
    again = manage("add", "--config", write("a.json", acme(client_name="Another")), "--json")
    assert (again.code, again.json["message"]) == (2, "--client-id: there is a record of acme already.")
    assert rows(world)["acme"]["client_name"] == "Acme"


def test_a_record_and_its_history_are_written_together_or_not_at_all(manage: Manage, world: World, wire: Wire) -> None:
    wire.order("dynamodb.TransactWriteItems", refusal("AccessDeniedException"))
    assert manage("add", "--config", write("a.json", acme())).code == 1
    assert (rows(world), world.outcomes("CLIENT#")) == ({}, [])
    assert manage("add", "--config", "a.json").code == 0
    (version,) = world.outcomes("CLIENT#acme")
    assert (version["sk"], version["action"], version["record"]) == ("VERSION#000001", "added", rows(world)["acme"])
    assert version["who"] == boto3.client("sts").get_caller_identity()["Arn"]


def test_a_change_whose_answer_is_lost_is_known_by_its_version(manage: Manage, world: World, wire: Wire) -> None:
    manage("add", "--config", write("a.json", acme()))
    sent = wire.sent["dynamodb.TransactWriteItems"]
    wire.silent.add("dynamodb.TransactWriteItems")
    answer = manage("suspend", "--client-id", "acme", "--reason", "unpaid", "--json")
    assert rows(world)["acme"]["status"] == "suspended"
    assert wire.sent["dynamodb.TransactWriteItems"] == sent + 3
    assert (answer.code, answer.json["version"]) == (0, 2)
    assert len(world.outcomes("CLIENT#acme")) == 2


def test_a_change_that_never_arrived_is_not_taken_for_done(manage: Manage, world: World, wire: Wire) -> None:
    manage("add", "--config", write("a.json", acme()))
    wire.order("dynamodb.TransactWriteItems", refusal("ThrottlingException"))
    answer = manage("suspend", "--client-id", "acme")
    assert (answer.code, rows(world)["acme"]["status"]) == (1, "active")
    assert "StoreThrottled" in answer.err


# -- export, update ----------------------------------------------------------------------------------------------------


def test_what_is_exported_can_be_edited_and_updated(manage: Manage, world: World) -> None:
    world.add_row(row(acme(monthly_budget="1200.50")))
    assert manage("export", "--output", "current.json", "--client-id", "acme").code == 0
    assert stat.S_IMODE(Path("current.json").stat().st_mode) == 0o600
    record = json.loads(Path("current.json").read_text())
    Path("current.json").write_text(json.dumps(record | {"client_name": "Acme Ltd"}))
    answer = manage("update", "--client-id", "acme", "--config", "current.json")
    assert (answer.code, answer.out) == (0, "acme is updated.\n")
    assert 'client_name: "Acme" → "Acme Ltd"' in answer.err
    assert rows(world)["acme"] == row(acme(monthly_budget="1200.50", client_name="Acme Ltd", version=2))


def test_an_update_without_a_difference_writes_nothing(manage: Manage, world: World, wire: Wire) -> None:
    world.add_row(row(acme(monthly_budget="1200.50")))
    manage("export", "--output", "current.json", "--client-id", "acme")
    answer = manage("update", "--client-id", "acme", "--config", "current.json", "--json")
    assert (answer.code, answer.json["changed"]) == (0, False)
    assert not wire.count("dynamodb.TransactWriteItems")


def test_who_updates_an_older_export_is_told_and_changes_nothing(manage: Manage, world: World) -> None:
    world.add_row(row(acme()))
    manage("export", "--output", "mine.json", "--client-id", "acme")
    manage("suspend", "--client-id", "acme")
    answer = manage("update", "--client-id", "acme", "--config", "mine.json", "--json")
    assert (answer.code, answer.json["error"]) == (1, "ClientChanged")
    assert "version 2 stands there, and the file is of 1: " in answer.json["message"]
    assert answer.json["remedy"].startswith("Export the record again")
    assert rows(world)["acme"]["status"] == "suspended"
    assert manage("update", "--client-id", "acme", "--config", "mine.json", "--overwrite").code == 0
    assert rows(world)["acme"]["status"] == "active"


def test_of_two_updates_at_the_same_moment_one_loses_and_is_told(
    manage: Manage, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.add_row(row(acme()))
    manage("export", "--output", "mine.json", "--client-id", "acme")
    Path("mine.json").write_text(Path("mine.json").read_text().replace('"Acme"', '"Mine"'))
    theirs = client_manager.ourselves

    def meanwhile() -> str:
        world.add_row(row(acme(client_name="Theirs", version=2)))
        return theirs()

    read = client_manager.changing.change

    def change(*arguments: Any, **more: Any) -> Any:
        made = read(*arguments, **more)
        meanwhile()
        return made

    monkeypatch.setattr(client_manager.changing, "change", change)
    answer = manage("update", "--client-id", "acme", "--config", "mine.json")
    assert answer.code == 1
    assert "ClientChanged: acme: another writer has changed the record at this moment" in answer.err
    assert rows(world)["acme"]["client_name"] == "Theirs"
    assert world.outcomes("CLIENT#") == []


def test_an_update_of_another_client_s_file_is_refused(manage: Manage, world: World) -> None:
    world.add_row(row(acme()))
    answer = manage("update", "--client-id", "acme", "--config", write("b.json", acme(client_id="acme-2")))
    assert answer.code == 2
    assert "--client-id: the record is that of acme-2, not of acme" in answer.err
    assert sorted(rows(world)) == ["acme"]


@pytest.mark.parametrize("command", ["export", "suspend", "history", "remove", "rollback"])
def test_a_client_that_is_not_there_is_wrong_input(command: str, manage: Manage, world: World) -> None:
    answer = manage(command, "--client-id", "nobody", "--json")
    assert (answer.code, answer.json["error"]) == (2, "ClientUnknown")


def test_a_malformed_row_can_be_replaced(manage: Manage, world: World) -> None:
    world.add_row({"client_id": "acme", "client_name": "test"})
    assert manage("update", "--client-id", "acme", "--config", write("a.json", acme())).code == 0
    found, updated = world.outcomes("CLIENT#acme")
    assert (found["action"], found["record"]) == ("found", {"client_id": "acme", "client_name": "test"})
    assert (updated["action"], updated["version"]) == ("updated", 2)


# -- list --------------------------------------------------------------------------------------------------------------


def test_a_row_of_two_fields_is_listed_as_malformed_with_what_is_missing(manage: Manage, world: World) -> None:
    world.add_row(row(acme()))
    world.add_row({"client_id": "test", "client_name": "test"})
    table = manage("list", "--status", "active", "--format", "table")
    assert table.code == 0
    (line,) = [line for line in table.out.splitlines() if line.startswith("test ")]
    assert "malformed" in line
    assert "recipients: to be there" in line
    assert table.err == "2 clients, 1 of them malformed\n"
    listed = manage("list", "--format", "json").json["clients"]
    assert {fault["field"] for fault in listed[1]["faults"]} >= {"status", "recipients", "access"}
    assert manage("list", "--status", "malformed", "--json").json["count"] == 1


@pytest.mark.parametrize(
    ("arguments", "ids"),
    [
        ((), ["acme", "acme-2", "globex"]),
        (("--status", "active"), ["acme", "acme-2"]),
        (("--status", "suspended"), ["globex"]),
        (("--cadence", "weekly"), ["acme"]),
        (("--search", "GLOB"), ["globex"]),
        (("--search", "cfo@acme-2"), ["acme-2"]),
    ],
)
def test_the_list_is_filtered(arguments: tuple[str, ...], ids: list[str], manage: Manage, world: World) -> None:
    world.add_row(row(acme()))
    world.add_row(row(acme(client_id="acme-2", cadences=("monthly",), recipients=("cfo@acme-2.example",))))
    world.add_row(row(acme(client_id="globex", client_name="Globex", status="suspended", cadences=("monthly",))))
    assert [each["client_id"] for each in manage("list", "--json", *arguments).json["clients"]] == ids
    csv = manage("list", "--format", "csv", *arguments).out.splitlines()
    assert [line.partition(",")[0] for line in csv] == ["client_id", *ids]


def test_names_from_the_table_reach_neither_a_terminal_nor_a_spreadsheet_as_commands(
    manage: Manage, world: World
) -> None:
    world.add_row({"client_id": "x", "client_name": "=HYPERLINK(1)\x1b[31m[bold]"})
    assert "'=HYPERLINK(1)\\u001b[31m[bold]" in manage("list", "--format", "csv").out
    table = manage("list").out
    assert "\x1b" not in table
    assert "[bold]" in table


def test_a_thousand_clients_are_listed(manage: Manage, world: World) -> None:
    table = world._dynamodb.Table("clients")
    with table.batch_writer() as batch:
        for number in range(1200):
            batch.put_item(Item=row(acme(client_id=f"client-{number:04d}")) | {"padding": "x" * 2000})
    listed = manage("list", "--json").json
    assert listed["count"] == 1200


# -- history, diff, rollback, suspend ----------------------------------------------------------------------------------


def test_the_history_says_who_changed_what_and_why_and_not_the_external_id(manage: Manage, world: World) -> None:
    manage("add", "--config", write("a.json", acme()))
    manage("suspend", "--client-id", "acme", "--reason", "unpaid")
    told = manage("history", "--client-id", "acme", "--json").json
    assert [(each["version"], each["action"], each.get("reason")) for each in told["versions"]] == [
        (1, "added", None),
        (2, "suspended", "unpaid"),
    ]
    assert told["versions"][1]["changes"] == [{"field": "status", "before": '"active"', "after": '"suspended"'}]
    assert told["changed_by_hand"] is False
    assert CANARY not in json.dumps(told)
    table = manage("history", "--client-id", "acme")
    assert "unpaid" in table.out
    assert CANARY not in table.out + table.err


def test_what_was_written_by_hand_is_kept_before_it_is_changed(manage: Manage, world: World) -> None:
    manage("add", "--config", write("a.json", acme()))
    world.add_row(row(acme(client_name="By hand")))
    assert manage("history", "--client-id", "acme", "--json").json["changed_by_hand"] is True
    assert manage("suspend", "--client-id", "acme").code == 0
    told = manage("history", "--client-id", "acme", "--json").json
    assert [(each["version"], each["action"]) for each in told["versions"]] == [
        (1, "added"),
        (2, "found"),
        (3, "suspended"),
    ]
    assert manage("rollback", "--client-id", "acme", "--to", "2").code == 0
    assert rows(world)["acme"] == row(acme(client_name="By hand", version=4))


def test_a_rollback_is_a_new_version_that_says_what_the_old_one_said(manage: Manage, world: World) -> None:
    manage("add", "--config", write("a.json", acme()))
    manage("update", "--client-id", "acme", "--config", write("a.json", acme(client_name="Typo")))
    assert manage("rollback", "--client-id", "acme").code == 0
    assert rows(world)["acme"] == row(acme(version=3))
    assert manage("rollback", "--client-id", "acme", "--to", "2").code == 0
    assert rows(world)["acme"]["client_name"] == "Typo"
    wrong = manage("rollback", "--client-id", "acme", "--to", "9")
    assert (wrong.code, "--to: there is no version 9 of acme; there are 1 to 4." in wrong.err) == (2, True)


def test_a_rollback_over_a_rotated_external_id_asks_which_one(manage: Manage, world: World) -> None:
    manage("add", "--config", write("a.json", acme()))
    rotated = acme(client_name="New", access=acme().access.model_copy(update={"external_id": "rotated-id"}))
    manage("update", "--client-id", "acme", "--config", write("a.json", rotated))
    refused = manage("rollback", "--client-id", "acme")
    assert refused.code == 2
    assert "--access: version 1 has another ExternalId than the record has today" in refused.err
    assert manage("rollback", "--client-id", "acme", "--access", "keep").code == 0
    assert rows(world)["acme"]["access"]["external_id"] == "rotated-id"
    assert rows(world)["acme"]["client_name"] == "Acme"
    assert manage("rollback", "--client-id", "acme", "--to", "1", "--access", "restore").code == 0
    assert rows(world)["acme"]["access"]["external_id"] == CANARY


def test_the_external_id_of_a_further_account_is_as_secret_and_as_carefully_rolled_back(
    manage: Manage, world: World
) -> None:
    def with_lab(external_id: str, **changes: Any) -> Client:
        access = {"kind": "role", "role_arn": "arn:aws:iam::210000000003:role/reader", "external_id": external_id}
        return acme(more_accounts=[{"name": "Lab", "access": access}], **changes)

    manage("add", "--config", write("a.json", with_lab("canary-of-the-lab")))
    manage("update", "--client-id", "acme", "--config", write("a.json", with_lab("canary-rotated", client_name="New")))
    said = [manage("diff", "--client-id", "acme", "--from", "1"), manage("history", "--client-id", "acme", "--json")]
    assert "more_accounts" in said[0].out
    assert "canary" not in "".join(each.out + each.err for each in said)
    refused = manage("rollback", "--client-id", "acme")
    assert (refused.code, "--access: version 1 has another access" in refused.err) == (2, True)
    assert manage("rollback", "--client-id", "acme", "--access", "keep").code == 0
    stored = rows(world)["acme"]
    assert (stored["more_accounts"][0]["access"]["external_id"], stored["client_name"]) == ("canary-rotated", "Acme")


def test_a_removed_client_comes_back(manage: Manage, world: World) -> None:
    manage("add", "--config", write("a.json", acme()))
    manage("remove", "--client-id", "acme", "--confirm")
    assert rows(world) == {}
    assert manage("rollback", "--client-id", "acme").code == 0
    assert rows(world)["acme"] == row(acme(version=3))


def test_a_diff_says_what_a_file_would_change_and_what_two_versions_changed(manage: Manage, world: World) -> None:
    manage("add", "--config", write("a.json", acme()))
    write("b.json", acme(client_name="New", access=acme().access.model_copy(update={"external_id": "other-id"})))
    file = manage("diff", "--client-id", "acme", "--config", "b.json")
    assert file.out.splitlines() == ["access.external_id: (secret) → (secret)", 'client_name: "Acme" → "New"']
    manage("update", "--client-id", "acme", "--config", "b.json")
    versions = manage("diff", "--client-id", "acme", "--from", "1", "--to", "2", "--json").json
    assert [each["field"] for each in versions["differences"]] == ["access.external_id", "client_name"]
    assert manage("diff", "--client-id", "acme").code == 2


def test_suspending_and_activating_are_one_word_each(manage: Manage, world: World) -> None:
    world.add_row({"client_id": "test", "client_name": "test"})
    world.add_row(row(acme()))
    for client_id in ("test", "acme"):
        assert manage("suspend", "--client-id", client_id).code == 0
        assert rows(world)[client_id]["status"] == "suspended"
    assert manage("suspend", "--client-id", "acme", "--json").json["changed"] is False
    assert manage("activate", "--client-id", "acme").code == 0
    refused = manage("activate", "--client-id", "test")
    assert refused.code == 2
    assert "cadences: expected to be there. Add it." in refused.err


# -- remove ------------------------------------------------------------------------------------------------------------


OBJECTS = (
    "clients/acme/logo.png",
    "reports/acme/monthly/2026-10/final/report.pdf",
    "clients/acme-2/logo.png",
    "reports/acme-2/monthly/2026-10/final/report.pdf",
    "reports/xacme/a.pdf",
    "runs/r/summary.json",
)


@pytest.fixture
def two(world: World) -> World:
    """acme and acme-2, with objects of both, in a versioned bucket."""
    world._s3.put_bucket_versioning(Bucket=world.bucket, VersioningConfiguration={"Status": "Enabled"})
    world.add_row(row(acme()))
    world.add_row(row(acme(client_id="acme-2")))
    for key in OBJECTS:
        world.put(key, b"first")
        world.put(key, b"second")
    return world


def test_removing_a_client_leaves_the_one_whose_id_begins_the_same(manage: Manage, two: World) -> None:
    before = {key: two.get(key) for key in OBJECTS[2:]}
    answer = manage("remove", "--client-id", "acme", "--confirm", "--json")
    assert (answer.code, answer.json["objects"]) == (0, 2)
    assert sorted(rows(two)) == ["acme-2"]
    assert {key: two.get(key) for key in sorted(two.keys())} == before
    (backup,) = Path.cwd().glob("backup-acme-*.json")
    assert backup.name == answer.json["backup"]
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    versions = two._s3.list_object_versions(Bucket=two.bucket, Prefix="reports/acme/")
    assert len(versions["Versions"]) == 2, "without --purge S3 keeps them"
    assert manage("add", "--config", backup).code == 0
    assert rows(two)["acme"]["client_name"] == "Acme"


def test_a_purge_leaves_no_version(manage: Manage, two: World) -> None:
    manage("remove", "--client-id", "acme", "--confirm")
    again = manage("remove", "--client-id", "acme", "--confirm", "--purge", "--json")
    assert (again.code, again.json["objects"]) == (0, 6), "four versions and two delete markers"
    left = two._s3.list_object_versions(Bucket=two.bucket)
    assert {each["Key"] for each in left["Versions"]} == set(OBJECTS[2:])


def test_where_the_backup_cannot_be_written_nothing_is_removed(manage: Manage, two: World) -> None:
    Path("backup.json").write_text("an older backup")
    for backup in ("backup.json", "no-such-folder/backup.json"):
        answer = manage("remove", "--client-id", "acme", "--confirm", "--backup", backup)
        assert answer.code in (1, 2)
        assert f"--backup: {backup}" in answer.err
    assert sorted(rows(two)) == ["acme", "acme-2"]
    assert sorted(two.keys()) == sorted(OBJECTS)
    assert Path("backup.json").read_text() == "an older backup"


@pytest.mark.parametrize(("word", "code"), [("y", 0), ("", 1), ("n", 1)])
def test_a_person_is_asked_before_a_client_is_removed(
    word: str, code: int, manage: Manage, two: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda: word)
    answer = manage("remove", "--client-id", "acme")
    assert (answer.code, "acme" in rows(two)) == (code, bool(code))
    assert "Remove the record and 2 objects, 12 bytes, below clients/acme/, reports/acme/" in answer.err


def test_without_a_person_and_without_confirm_nothing_is_removed(manage: Manage, two: World) -> None:
    answer = manage("remove", "--client-id", "acme")
    assert (answer.code, sorted(rows(two))) == (2, ["acme", "acme-2"])
    assert answer.err.startswith("WrongInput: --confirm: ")
    assert list(Path.cwd().iterdir()) == []


def test_a_dry_run_says_what_would_go(manage: Manage, two: World, wire: Wire) -> None:
    wire.calls.clear()
    answer = manage("remove", "--client-id", "acme", "--dry-run", "--json")
    assert [each["key"] for each in answer.json["objects"]] == list(OBJECTS[:2])
    assert not wire.count("dynamodb.TransactWriteItems", "s3.DeleteObjects")
    assert list(Path.cwd().iterdir()) == []


def test_an_interrupted_removal_is_finished_by_the_same_command(manage: Manage, two: World, wire: Wire) -> None:
    wire.order("s3.DeleteObjects", refusal("InternalError", 500))
    assert manage("remove", "--client-id", "acme", "--confirm").code == 1
    assert sorted(rows(two)) == ["acme-2"]
    again = manage("remove", "--client-id", "acme", "--confirm", "--json")
    assert (again.code, again.json["objects"]) == (0, 2)
    assert sorted(two.keys()) == sorted(OBJECTS[2:])
    assert "nothing of it is left" in manage("remove", "--client-id", "acme", "--confirm").out


def test_an_object_that_cannot_be_removed_is_named(manage: Manage, two: World, wire: Wire) -> None:
    denied = {"Errors": [{"Key": OBJECTS[0], "Code": "AccessDenied"}]}
    wire.order("s3.DeleteObjects", type(refusal("x"))(200, denied))
    answer = manage("remove", "--client-id", "acme", "--confirm")
    assert answer.code == 1
    assert f"StoreRefused: remove {OBJECTS[0]}: AccessDenied" in answer.err


def test_a_row_whose_id_could_be_no_client_s_has_no_folder(manage: Manage, two: World) -> None:
    two.add_row({"client_id": "acme/../acme-2"})
    assert manage("remove", "--client-id", "acme/../acme-2", "--confirm").code == 0
    assert sorted(rows(two)) == ["acme", "acme-2"]
    assert sorted(two.keys()) == sorted(OBJECTS)


# -- import ------------------------------------------------------------------------------------------------------------

CSV = (
    "client_id,client_name,status,cadences,recipients,access.kind,access.role_arn,access.external_id,branding.colour,"
    "locale,currency,cost_metric,monthly_budget,preliminary\r\n"
    'acme,"Acme, Inc.",active,monthly;weekly,a@acme.example; b@acme.example,role,'
    "arn:aws:iam::210000000002:role/cost-reporting-reader,some-id,#0b4f6c,en_US,USD,unblended,1200.10,true\r\n"
    "globex,Globex,active,monthly,a@globex.example,role,arn:aws:iam::210000000003:role/cost-reporting-reader,"
    "other-id,#0b4f6c,de_DE,USD,unblended,,\r\n"
)


def test_a_csv_file_becomes_records(manage: Manage, world: World) -> None:
    Path("clients.csv").write_bytes(b"\xef\xbb\xbf" + CSV.encode())
    answer = manage("import", "--file", "clients.csv", "--json")
    assert (answer.code, answer.json["added"]) == (0, 2), answer.err
    acme = rows(world)["acme"]
    assert acme["recipients"] == ["a@acme.example", "b@acme.example"]
    assert (acme["monthly_budget"], acme["preliminary"]) == (Decimal("1200.10"), True)
    assert "monthly_budget" not in rows(world)["globex"]
    assert [each["action"] for each in world.outcomes("CLIENT#")] == ["imported", "imported"]


@pytest.mark.parametrize("form", ["array", "object", "lines"])
def test_json_is_imported_in_the_forms_it_comes_in(form: str, manage: Manage, world: World) -> None:
    documents = [row(acme(client_id=f"client-{number}")) for number in range(3)]
    text = {
        "array": json.dumps(documents, default=str, indent=1),
        "object": json.dumps({"clients": documents}, default=str),
        "lines": "\n".join(json.dumps(each, default=str) for each in documents),
    }[form]
    Path("clients.json").write_text(text)
    assert manage("import", "--file", "clients.json").code == 0
    assert len(rows(world)) == 3


def test_one_faulty_record_keeps_all_out_and_every_fault_is_told(manage: Manage, world: World) -> None:
    world.add_row(row(acme(client_id="client-9")))
    documents = [row(acme(client_id=f"client-{number}")) for number in (0, 1, 1, 9)]
    documents[0]["locale"] = "English"
    del documents[1]["status"]
    Path("clients.json").write_text(json.dumps(documents, default=str))
    answer = manage("import", "--file", "clients.json", "--json")
    assert answer.code == 2
    assert [fault["field"] for fault in answer.json["faults"]] == [
        "record 1 (client-0): locale",
        "record 2 (client-1): status",
        "record 3 (client-1): client_id",
        "client-9: client_id",
    ]
    assert sorted(rows(world)) == ["client-9"]


def crowd(path: str, count: int) -> None:
    documents = [row(acme(client_id=f"client-{number:03d}")) for number in range(count)]
    Path(path).write_text(json.dumps(documents, default=str))


def test_a_large_import_that_meets_a_rival_takes_everything_back(
    manage: Manage, world: World, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd("clients.json", 80)
    planned = client_manager.importing.plan

    def plan(*arguments: Any, **more: Any) -> Any:
        made = planned(*arguments, **more)
        world.add_row(row(acme(client_id="client-070", client_name="A rival")))
        return made

    monkeypatch.setattr(client_manager.importing, "plan", plan)
    answer = manage("import", "--file", "clients.json")
    assert answer.code == 1
    assert "client-070: somebody else has added a record" in answer.err
    assert [each["client_name"] for each in rows(world).values()] == ["A rival"]
    versions = world.outcomes("CLIENT#client-000")
    assert [each["action"] for each in versions] == ["imported", "removed"]
    assert versions[1]["reason"] == "the import failed and was taken back"


def test_a_large_import_that_crashed_is_finished_by_the_same_file(manage: Manage, world: World, wire: Wire) -> None:
    crowd("clients.json", 80)
    wire.order("dynamodb.TransactWriteItems", None, KeyboardInterrupt())
    assert manage("import", "--file", "clients.json").code != 0
    assert 0 < len(rows(world)) < 80
    again = manage("import", "--file", "clients.json", "--json").json
    assert again["added"] + len(again["already"]) == len(rows(world)) == 80
    crowd("others.json", 81)
    assert manage("import", "--file", "others.json").code == 2


def test_a_dry_run_of_an_import_checks_and_writes_nothing(manage: Manage, world: World) -> None:
    crowd("clients.json", 3)
    answer = manage("import", "--file", "clients.json", "--dry-run", "--json")
    assert (answer.json["would_add"], answer.json["added"], rows(world)) == (3, 0, {})


@pytest.mark.parametrize("script", ["client_manager.py", "validate_migration.py"])
def test_any_python_3_can_read_the_commands_far_enough_to_refuse_itself(script: str) -> None:
    text = Path(client_manager.__file__).with_name(script).read_text()
    body = ast.parse(text, feature_version=(3, 9)).body
    assert ast.unparse(body[1]) == "import _console", "before anything that may be missing"
