"""Client records: written by one store, each change a version, in one transaction with what goes along."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from cost_reporting.clients import Client, RoleAccess
from cost_reporting.errors import ClientChanged, InvalidRequest, StoreThrottled
from cost_reporting.operations import rotate_external_id
from cost_reporting.operations.clients import changing
from cost_reporting.operations.clients.changing import Author, Change
from cost_reporting.store.records import Along, RecordStore
from cost_reporting.store.rotations import RotationStore
from tests.builders import a_client
from tests.functional.conftest import NOW, Wire, World, refusal

ROOT = Path(__file__).parents[2]
ANNA = Author(who="anna", at=NOW, reason="asked by the client")
ALONG = Along(
    "NOTE#1",
    {
        "Put": {
            "TableName": "outcomes",
            "Item": {"pk": "NOTE#1", "sk": "OWNER", "client_id": "acme"},
            "ConditionExpression": "attribute_not_exists(pk)",
        }
    },
)


@pytest.fixture
def store(world: World) -> RecordStore:
    store = RecordStore("clients", "outcomes")
    changing.add(a_client(client_id="acme"), store=store, author=ANNA)
    return store


def renamed(read: Client, name: str, store: RecordStore) -> Change:
    return changing.revision(read, read.model_copy(update={"client_name": name}), "updated", store=store, author=ANNA)


def test_of_two_changes_to_the_same_version_one_wins_and_the_loser_is_told(store: RecordStore, world: World) -> None:
    read = store.clients.get("acme")
    mine, theirs = renamed(read, "Mine", store), renamed(read, "Theirs", store)
    assert changing.write(theirs, store=store).version == 2
    with pytest.raises(ClientChanged, match="acme: another writer has changed the record"):
        changing.write(mine, store=store, along=[ALONG])
    with pytest.raises(ClientChanged, match="since it was read"):
        renamed(read, "Mine", store)
    assert store.clients.get("acme").client_name == "Theirs"
    assert world.outcomes("NOTE#") == [], "what goes along does not go alone"


def test_what_goes_along_is_written_with_the_record_and_named_if_it_loses(store: RecordStore, world: World) -> None:
    changing.write(renamed(store.clients.get("acme"), "Once", store), store=store, along=[ALONG])
    assert [item["client_id"] for item in world.outcomes("NOTE#1")] == ["acme"]
    with pytest.raises(ClientChanged, match="another writer has changed NOTE#1"):
        changing.write(renamed(store.clients.get("acme"), "Twice", store), store=store, along=[ALONG])
    assert store.clients.get("acme").client_name == "Once"
    assert [each.version for each in store.versions("acme")] == [1, 2]


def test_a_record_that_was_removed_meanwhile_does_not_come_back(store: RecordStore) -> None:
    read = store.clients.get("acme")
    change = renamed(read, "Mine", store)
    found = store.find("acme")
    changing.write(changing.change("acme", found, None, "removed", store=store, author=ANNA), store=store)
    with pytest.raises(ClientChanged):
        changing.write(change, store=store)
    assert list(store.clients.rows()) == []


def test_a_conflict_with_another_transaction_is_told_as_a_change(store: RecordStore, wire: Wire) -> None:
    answer = refusal("TransactionCanceledException")
    answer.body["CancellationReasons"] = [{"Code": "TransactionConflict"}]
    wire.order("dynamodb.TransactWriteItems", answer)
    with pytest.raises(ClientChanged):
        changing.write(renamed(store.clients.get("acme"), "Mine", store), store=store)


def test_more_than_a_transaction_takes_is_a_fault_before_anything_is_written(store: RecordStore, wire: Wire) -> None:
    change = renamed(store.clients.get("acme"), "Mine", store)
    wire.calls.clear()
    with pytest.raises(ValueError, match="101 items"):
        store.write([change], along=[ALONG] * 99)
    assert wire.count("dynamodb.TransactWriteItems") == 0


def test_a_lost_answer_to_a_change_that_was_written_is_a_success_even_if_the_record_went_on(
    store: RecordStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The version tells, and not the record, which another writer may have changed since."""
    written = RecordStore._write

    def lost(self: RecordStore, changes: Any, along: Any = ()) -> tuple[str, ...]:
        written(self, changes, along)
        monkeypatch.setattr(RecordStore, "_write", written)
        changing.set_status("acme", "suspended", store=self, author=ANNA)
        raise StoreThrottled("write client records: ReadTimeoutError")

    change = renamed(store.clients.get("acme"), "Mine", store)
    monkeypatch.setattr(RecordStore, "_write", lost)
    assert changing.write(change, store=store).version == 2
    assert [each.action for each in store.versions("acme")] == ["added", "updated", "suspended"]


def test_a_change_that_never_arrived_is_no_success(store: RecordStore, wire: Wire) -> None:
    change = renamed(store.clients.get("acme"), "Mine", store)
    wire.order("dynamodb.TransactWriteItems", *[ReadTimeoutError(endpoint_url="x")] * 3)
    with pytest.raises(StoreThrottled):
        changing.write(change, store=store)
    assert store.clients.get("acme").client_name != "Mine"


def test_every_try_of_one_write_carries_one_token(store: RecordStore, wire: Wire) -> None:
    """botocore fills ClientRequestToken in, which its model of DynamoDB marks as an idempotency token."""
    tokens = []
    events = store._clients.meta.client.meta.events

    def look(request: Any, **_: Any) -> None:
        tokens.append(request.body.partition(b'"ClientRequestToken"')[2][:42])

    events.register_first("before-send.dynamodb.TransactWriteItems", look)
    wire.silent.add("dynamodb.TransactWriteItems")
    change = renamed(store.clients.get("acme"), "Mine", store)
    assert changing.write(change, store=store).version == 2, "no answer came, and the version tells"
    assert (len(tokens), len(set(tokens)), len(tokens[0]) > 36) == (3, 1, True)


def test_only_what_differs_is_changed_in_a_row_that_was_written_by_hand(world: World) -> None:
    store = RecordStore("clients", "outcomes")
    row = a_client(client_id="globex").model_dump(mode="json", exclude_none=True)
    del row["version"], row["preliminary"]
    world.add_row(row)
    changing.write(renamed(store.clients.get("globex"), "Mine", store), store=store)
    found, updated = store.versions("globex")
    assert (found.action, found.record) == ("found", row)
    assert [each.field for each in updated.changes] == ["client_name"]
    assert store.find("globex") == row | {"client_name": "Mine", "version": updated.version}


def test_a_rotation_of_an_external_id_is_a_version_and_a_rollback_over_it_asks_about_access(
    store: RecordStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = store.clients.get("acme")
    assert isinstance(old.access, RoleAccess)
    accepted = {old.access.external_id}
    monkeypatch.setattr(rotate_external_id, "lets_in", lambda role_arn, external_id: external_id in accepted)

    def rotate() -> rotate_external_id.ExternalIdTurn:
        client = store.clients.get("acme")
        return rotate_external_id.rotate_external_id(
            client, client.ways[0], records=store, notes=RotationStore("outcomes"), who=lambda: "olga", now=lambda: NOW
        )

    accepted |= set(rotate().accepts)
    assert rotate().switched
    _, rotated = store.versions("acme")
    assert (rotated.action, rotated.who, rotated.at) == ("rotated", "olga", NOW)
    assert rotated.reason == "access: its role accepts the new ExternalId"
    (changed,) = rotated.changes
    assert (changed.field, changed.before, changed.after) == ("access.external_id", "(secret)", "(secret)")
    assert rotated.record == store.find("acme"), "nothing of it was written by hand"
    with pytest.raises(InvalidRequest, match="access: version 1 has another ExternalId"):
        changing.rollback("acme", None, access=None, store=store, author=ANNA)
    assert changing.rollback("acme", None, access="keep", store=store, author=ANNA) is None
    assert changing.rollback("acme", None, access="restore", store=store, author=ANNA) is not None
    assert store.clients.get("acme").access == old.access


def test_a_rollback_goes_back_over_a_quarantine_to_the_version_before(store: RecordStore) -> None:
    read = store.clients.get("acme")
    without = read.model_copy(update={"recipients": (), "quarantined": read.recipients})
    changing.write(changing.revision(read, without, "quarantined", store=store, author=ANNA), store=store)
    changing.rollback("acme", None, access=None, store=store, author=ANNA)
    assert store.clients.get("acme").recipients == read.recipients
    assert [each.action for each in store.versions("acme")] == ["added", "quarantined", "rolled back"]


# -- no other module writes the table ----------------------------------------------------------------------------------

WRITES = {
    "batch_write_item", "batch_writer", "delete_item", "execute_statement", "execute_transaction", "put_item",
    "transact_write_items", "update_item", "batch_execute_statement",
}  # fmt: skip
READERS = {"ClientStore", "RecordStore"}
TRANSACTIONS = {"src/cost_reporting/store/accounts.py", "src/cost_reporting/store/records.py"}


def code() -> Iterator[tuple[str, ast.Module]]:
    for top in ("src", "functions", "scripts"):
        for path in sorted((ROOT / top).rglob("*.py")):
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text())


def called(node: ast.AST) -> str:
    if isinstance(node, ast.Call):
        return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return ""


def test_the_clients_table_is_opened_by_its_two_stores_only() -> None:
    """Whatever is called with the table's name is a store of records, a backup of it, or facts about the stack."""
    opened = {
        (path, called(node))
        for path, tree in code()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and any(getattr(each, "attr", getattr(each, "id", "")) == "clients_table" for each in node.args)
    }
    names = {name for _, name in opened}
    harmless = {"_table", "of", "window", "_chosen", "_rows", "escape", "table"}
    assert names <= READERS | harmless, opened
    assert {path for path, name in opened if name == "table"} == {"src/cost_reporting/store/records.py"}, (
        "the table itself is opened by the store that writes it"
    )


def test_only_the_store_of_records_writes_the_clients_table_or_takes_part_in_a_transaction() -> None:
    writers = {(path, called(node)) for path, tree in code() for node in ast.walk(tree) if called(node) in WRITES}
    assert {path for path, name in writers if name.startswith("transact")} == TRANSACTIONS
    assert "src/cost_reporting/store/clients.py" not in {path for path, _ in writers}, "it reads only"
    store = ast.parse((ROOT / "src/cost_reporting/store/records.py").read_text())
    assert [called(node) for node in ast.walk(store) if called(node) in WRITES] == ["transact_write_items"]
    outside = {path for path, _ in writers if not path.startswith("src/cost_reporting/store/")}
    assert outside == set(), "DynamoDB is written by stores"


def test_no_function_of_the_stack_may_write_the_clients_table() -> None:
    """Commands write records, with their operators' credentials."""
    from tests.contract.documents import resources

    for name, function in resources("AWS::Serverless::Function").items():
        for policy in function.get("Policies", []):
            for statement in policy.get("Statement", []) if isinstance(policy, dict) else []:
                actions, of = statement["Action"], str(statement["Resource"])
                writes = [each for each in actions if each.startswith("dynamodb:") and not each.startswith(READS)]
                assert not (writes and "ClientsTable.Arn'" in of), (name, statement)


READS = ("dynamodb:Get", "dynamodb:BatchGet", "dynamodb:Query", "dynamodb:Scan", "dynamodb:Describe",
         "dynamodb:CreateBackup", "dynamodb:ListBackups", "dynamodb:DeleteBackup")  # fmt: skip
