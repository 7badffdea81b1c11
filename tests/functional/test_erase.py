"""`client_manager.py erase`: a client's or a person's data is gone from every version and store, and nobody else's."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cost_reporting.ledger import Entry, fingerprint
from cost_reporting.quarantine import Deeded
from cost_reporting.store.ledger import LedgerStore
from cost_reporting.store.quarantines import QuarantineStore
from cost_reporting.store.records import RecordStore
from tests.builders import a_client
from tests.functional.conftest import NOW, Clock, Wire, World, refusal
from tests.functional.test_client_manager import Manage, manage, write

__all__ = ["manage"]

ANNA, BEN = "anna.secret@acme.example", "ben@acme.example"
IDS = ("acme", "acme-2")
LONG_AGO = timedelta(days=40)


def store() -> RecordStore:
    return RecordStore("clients", "outcomes")


def item(world: World, pk: str, sk: str, **more: Any) -> None:
    world._dynamodb.Table("outcomes").put_item(Item={"pk": pk, "sk": sk} | more)


@pytest.fixture
def two(world: World, manage: Manage) -> World:
    """Two clients of which one's id begins with the other's, with something of each in every store, twice."""
    world._s3.put_bucket_versioning(Bucket=world.bucket, VersioningConfiguration={"Status": "Enabled"})
    for client_id, account in zip(IDS, ("210000000001", "210000000002"), strict=True):
        access = {
            "kind": "role",
            "role_arn": f"arn:aws:iam::{account}:role/reader",
            "external_id": f"id-of-{client_id}",
        }
        name = f"The {client_id}"
        client = a_client(client_id=client_id, client_name=name, recipients=(ANNA, BEN), reply_to=ANNA, access=access)
        manage("add", "--config", write(f"{client_id}.json", client), "--reason", f"asked by {ANNA}")
        changed = client.model_copy(update={"quarantined": (ANNA.upper(),), "recipients": (ANNA, BEN)})
        manage("update", "--client-id", client_id, "--config", write(f"{client_id}.json", changed), "--overwrite")
        entry = Entry(
            report=f"{client_id}#monthly#2026-10#final#live", recipient=fingerprint(ANNA), state="DELIVERED",
            try_id="try-00000", attempt=1, run_id="run-1", report_sha256="0" * 64, updated_at=NOW,
        )  # fmt: skip
        assert LedgerStore("outcomes").begin(entry, replacing=None)
        deed = Deeded(
            deed="quarantined", recipient=fingerprint(ANNA), at=NOW, by="olga", run_id="c1", version=2, reason="bounced"
        )
        note = QuarantineStore("outcomes").noting(client_id, deed)
        world._dynamodb.Table("outcomes").put_item(Item=note.write["Put"]["Item"])
        item(world, f"CLIENT#{client_id}", "ONBOARDING", client_id=client_id, who=f"{ANNA}")
        item(world, "DELIVERED#monthly#2026-10#final", client_id, run_id="run-1")
        item(world, "HELD#monthly#2026-10#final", client_id, client_id=client_id)
        item(world, f"APPROVED#{client_id}", "REPORTS", reports={"r"})
        item(world, "RUN#run-1", f"OUTCOME#{client_id}", client_id=client_id, message=f"no mail to {ANNA}")
        for folder in ("clients", "reports", "onboarding"):
            world.put(f"{folder}/{client_id}/a.json", f'{{"to": "{ANNA}"}}'.encode())
            world.put(f"{folder}/{client_id}/a.json", b"{}")
        world.put(f"reports/{client_id}/gone.pdf", b"%PDF")
        world.delete(f"reports/{client_id}/gone.pdf")
        world.put(f"runs/run-{client_id}/worklist-1.jsonl", json.dumps({"client_id": client_id}).encode())
    item(world, "RUN#run-1", "RUN", run={"recipients": [ANNA, BEN]})
    return world


def everything(world: World) -> str:
    """All that is stored, as one text: every item, and every version of every document."""
    tables = [world._dynamodb.Table(name).scan()["Items"] for name in ("clients", "outcomes")]
    found = world._s3.list_object_versions(Bucket=world.bucket)
    bodies = [
        world._s3.get_object(Bucket=world.bucket, Key=each["Key"], VersionId=each["VersionId"])["Body"].read().decode()
        for each in found.get("Versions", [])
    ]
    keys = [each["Key"] for each in (*found.get("Versions", []), *found.get("DeleteMarkers", []))]
    return json.dumps([tables, bodies, keys], default=str)


def of(client_id: str, world: World) -> str:
    """All items and documents of one client."""
    items = [
        each for name in ("clients", "outcomes") for each in world._dynamodb.Table(name).scan()["Items"]
        if client_id in json.dumps(each, default=str).replace("#", '"').split('"')
    ]  # fmt: skip
    found = world._s3.list_object_versions(Bucket=world.bucket)
    keys = [
        (each["Key"], each["VersionId"])
        for each in (*found.get("Versions", []), *found.get("DeleteMarkers", []))
        if f"/{client_id}/" in each["Key"] or f"run-{client_id}/" in each["Key"]
    ]
    return json.dumps([items, keys], default=str)


def later(clock: Clock) -> None:
    """A time at which no run of the test's can be redriven; moto stores documents at today's real time."""
    clock.time = max(clock.time, datetime.now(UTC)) + LONG_AGO


# -- a client ----------------------------------------------------------------------------------------------------------


def test_an_active_client_is_not_erased_and_the_remedy_is_named(manage: Manage, two: World) -> None:
    before = everything(two)
    refused = manage("erase", "--client-id", "acme", "--confirm", "--json")
    assert refused.code == 2
    assert "--client-id: acme is active" in refused.json["message"]
    assert "suspend" in refused.json["remedy"]
    assert everything(two) == before


def test_nothing_of_an_erased_client_is_left_and_everything_of_its_neighbour(
    manage: Manage, two: World, clock: Clock
) -> None:
    later(clock)
    manage("suspend", "--client-id", "acme")
    neighbour = of("acme-2", two)
    dry = manage("erase", "--client-id", "acme", "--dry-run", "--json")
    assert dry.code == 0, dry.err
    assert dry.json["counts"] == {
        "accounts": 1, "approvals": 1, "documents": 9, "held reports": 1, "mail ledger": 1, "marks": 1, "onboarding": 1,
        "outcomes": 1, "recipients' notes": 1, "record": 1, "versions": 3,
    }  # fmt: skip
    ended = manage("erase", "--client-id", "acme", "--confirm", "--reason", "contract ended", "--json")
    assert (ended.code, ended.json["counts"]) == (0, dry.json["counts"])
    assert of("acme-2", two) == neighbour
    (said,) = store().versions("acme")
    assert (said.action, said.record, said.changes, said.reason) == ("erased", None, (), "contract ended")
    left = [each for each in two.outcomes("") if "acme" in json.dumps(each, default=str).replace("#", '"').split('"')]
    assert [each["sk"] for each in left] == [f"VERSION#{said.version:06d}"]
    assert "/acme/" not in everything(two)
    assert "run-acme/" not in everything(two)
    assert store().find("acme") is None
    again = manage("erase", "--client-id", "acme", "--confirm")
    assert (again.code, "Nothing is left" in again.out) == (0, True)
    assert [each["what"] if "what" in each else each["action"] for each in
            manage("history", "--client-id", "acme", "--json").json["versions"]] == ["erased"]  # fmt: skip


def test_the_id_of_an_erased_client_is_not_given_to_another(manage: Manage, two: World) -> None:
    """The ledger has forgotten what was mailed under it, and executions of its runs may still be redriven."""
    manage("remove", "--client-id", "acme", "--confirm")
    assert manage("erase", "--client-id", "acme", "--confirm").code == 0
    for arguments in (("add", "--config"), ("import", "--file"), ("import", "--dry-run", "--file")):
        refused = manage(*arguments, "acme.json")
        assert (refused.code, "not used again" in refused.err) == (2, True), refused.err
    assert manage("rollback", "--client-id", "acme").code == 2
    assert store().find("acme") is None


def test_documents_of_runs_that_can_be_redriven_are_left_and_named_with_the_date(
    manage: Manage, two: World, clock: Clock
) -> None:
    clock.time = datetime.now(UTC)
    manage("remove", "--client-id", "acme", "--confirm")
    ended = manage("erase", "--client-id", "acme", "--confirm", "--json")
    assert ended.code == 0
    (left,) = ended.json["later"]
    assert left == f"runs/run-acme/worklist-1.jsonl (after {clock.time + timedelta(days=14):%Y-%m-%d})"
    later(clock)
    assert manage("erase", "--client-id", "acme", "--confirm", "--json").json["counts"] == {"documents": 1}
    assert "run-acme/" not in everything(two)
    assert len(store().versions("acme")) == 1


def test_an_interrupted_erasure_is_resumed_by_the_same_command(
    manage: Manage, two: World, wire: Wire, clock: Clock
) -> None:
    later(clock)
    manage("suspend", "--client-id", "acme")
    wire.order("s3.DeleteObjects", *[refusal("InternalError", 500)])
    stopped = manage("erase", "--client-id", "acme", "--confirm")
    assert stopped.code == 1
    assert store().find("acme") is None, "the record goes first"
    assert manage("erase", "--client-id", "acme", "--confirm").code == 0
    assert "/acme/" not in everything(two)
    assert [each.action for each in store().versions("acme")] == ["erased"]


def test_without_confirm_and_a_terminal_nothing_is_erased(manage: Manage, two: World) -> None:
    manage("suspend", "--client-id", "acme")
    before = everything(two)
    refused = manage("erase", "--client-id", "acme")
    assert (refused.code, "--confirm" in refused.err) == (2, True)
    assert everything(two) == before


def test_a_record_that_is_changed_meanwhile_is_not_erased(
    manage: Manage, two: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have been activated: nothing is erased before the record is."""
    manage("suspend", "--client-id", "acme")
    theirs: Callable[..., Any] = RecordStore.write

    def write(self: RecordStore, changes: Any, **more: Any) -> Any:
        monkeypatch.setattr(RecordStore, "write", theirs)
        manage("activate", "--client-id", "acme")
        return theirs(self, changes, **more)

    monkeypatch.setattr(RecordStore, "write", write)
    before = len(two.outcomes(""))
    assert manage("erase", "--client-id", "acme", "--confirm").code == 1
    assert (store().clients.get("acme").status, len(two.outcomes(""))) == ("active", before + 1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--client-id", "nobody"), "nobody: no such client record"),
        (("--client-id", "acme", "--address", "Anna <a@b.example>"), "--address: expected one mail address"),
    ],
)
def test_wrong_input_is_exit_code_2(arguments: tuple[str, ...], said: str, manage: Manage, two: World) -> None:
    refused = manage("erase", *arguments, "--confirm")
    assert (refused.code, said in refused.err) == (2, True), refused.err


# -- a person ----------------------------------------------------------------------------------------------------------


def test_a_person_is_gone_from_every_version_and_the_ledger_still_knows_what_was_mailed(
    manage: Manage, two: World, clock: Clock
) -> None:
    later(clock)
    neighbour = of("acme-2", two)
    dry = manage("erase", "--client-id", "acme", "--address", ANNA.title(), "--dry-run", "--json")
    assert dry.json["counts"] == {
        "documents": 3, "onboarding": 1, "outcomes": 1, "recipients' notes": 1, "record": 1, "runs": 1, "versions": 2,
    }  # fmt: skip
    assert dry.json["ledger_kept"] == 1
    ended = manage("erase", "--client-id", "acme", "--address", ANNA, "--confirm", "--reason", f"{ANNA} asked")
    assert ended.code == 0, ended.err
    assert ANNA.casefold() not in of("acme", two).casefold()
    assert ANNA.casefold() not in (ended.out + ended.err).casefold(), "the audit trail is a fingerprint"
    assert of("acme-2", two) == neighbour
    record = store().clients.get("acme")
    assert (record.recipients, record.quarantined, record.reply_to) == ((BEN,), (), None)
    *_, said = store().versions("acme")
    assert (said.action, said.record) == ("recipient erased", store().find("acme"))
    assert said.reason == f"recipient {fingerprint(ANNA)}: (erased {fingerprint(ANNA)}) asked"
    assert two.outcomes("LEDGER#acme#"), "a report is not mailed twice while the client exists"
    assert manage("history", "--client-id", "acme", "--json").json["changed_by_hand"] is False
    assert manage("rollback", "--client-id", "acme", "--to", "1").code == 0
    assert ANNA.casefold() not in of("acme", two).casefold(), "no version brings it back"


def test_another_person_later_is_another_version_and_the_same_one_again_is_none(manage: Manage, two: World) -> None:
    manage("suspend", "--client-id", "acme")
    for address in (ANNA, BEN, BEN, ANNA):
        assert manage("erase", "--client-id", "acme", "--address", address, "--confirm").code == 0
    actions = [each.action for each in store().versions("acme")]
    assert actions == ["added", "updated", "suspended", "recipient erased", "recipient erased"]


def test_a_person_is_erased_from_the_versions_of_a_removed_client_and_of_a_row_changed_by_hand(
    manage: Manage, two: World
) -> None:
    row = dict(store().find("acme-2") or {})
    two.add_row(row | {"client_name": f"Renamed by {ANNA}"})
    assert manage("erase", "--client-id", "acme-2", "--address", ANNA, "--confirm").code == 0
    assert ANNA.casefold() not in of("acme-2", two).casefold()
    assert [each.action for each in store().versions("acme-2")][-2:] == ["found", "recipient erased"]
    manage("remove", "--client-id", "acme", "--confirm")
    assert manage("erase", "--client-id", "acme", "--address", ANNA, "--confirm").code == 0
    assert ANNA.casefold() not in of("acme", two).casefold()


def test_the_last_recipient_of_an_active_client_is_not_erased(manage: Manage, world: World) -> None:
    manage("add", "--config", write("a.json", a_client(client_id="acme", recipients=(ANNA,))))
    refused = manage("erase", "--client-id", "acme", "--address", ANNA, "--confirm")
    assert (refused.code, "--address: it is the last recipient" in refused.err) == (2, True)
    assert store().clients.get("acme").recipients == (ANNA,)
