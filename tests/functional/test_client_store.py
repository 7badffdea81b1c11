"""Client records: replaced whole, under the version that was read, with whatever goes along."""

from typing import Any

import pytest

from cost_reporting.errors import ClientChanged
from cost_reporting.store.clients import ClientStore
from tests.builders import a_client
from tests.functional.conftest import Wire, World, refusal

ALONG: dict[str, Any] = {"Put": {"TableName": "outcomes", "Item": {"pk": "CLIENT#acme", "sk": "WORD"}}}


@pytest.fixture
def clients(world: World) -> ClientStore:
    world.add(a_client(client_id="acme"))
    return ClientStore("clients")


def test_of_two_changes_to_the_same_version_one_wins_and_the_loser_is_told(clients: ClientStore, world: World) -> None:
    mine = theirs = clients.get("acme")
    assert clients.replace(theirs.model_copy(update={"client_name": "Theirs"})).version == 2
    with pytest.raises(ClientChanged, match="acme: version 1 is not the last one"):
        clients.replace(mine.model_copy(update={"client_name": "Mine"}), along=[ALONG])
    assert clients.get("acme").client_name == "Theirs"
    assert world.outcomes("CLIENT#") == [], "what goes along does not go alone"


def test_what_goes_along_is_written_with_the_record(clients: ClientStore, world: World) -> None:
    clients.replace(clients.get("acme"), along=[ALONG])
    assert [item["sk"] for item in world.outcomes("CLIENT#acme")] == ["WORD"]


def test_a_record_that_was_removed_meanwhile_does_not_come_back(clients: ClientStore, world: World) -> None:
    with pytest.raises(ClientChanged):
        clients.replace(a_client(client_id="removed"))
    assert [row["client_id"] for row in clients.rows()] == ["acme"]


def test_a_conflict_with_another_transaction_is_told_as_a_change(clients: ClientStore, wire: Wire) -> None:
    answer = refusal("TransactionCanceledException")
    answer.body["CancellationReasons"] = [{"Code": "TransactionConflict"}]
    wire.order("dynamodb.TransactWriteItems", answer)
    with pytest.raises(ClientChanged):
        clients.replace(clients.get("acme"))
