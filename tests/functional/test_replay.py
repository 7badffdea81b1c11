"""Recorded events of SES, replayed: twice and shuffled, they leave the same ledger as once in order."""

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cost_reporting.delivery.events import STATES
from cost_reporting.ledger import Entry
from cost_reporting.store.ledger import LedgerStore
from tests.functional.conftest import World
from tests.recorded import EVENTS, SETTLED, sent

Invoke = Callable[[str, Any], Any]
TWICE = [*EVENTS, *EVENTS]


@pytest.fixture
def replayed(invoke: Invoke, world: World) -> Callable[[list[dict[str, Any]]], list[Any]]:
    def replayed(events: list[dict[str, Any]]) -> list[Any]:
        """The whole ledger after ``events``."""
        table = boto3.resource("dynamodb").Table("outcomes")
        for item in table.scan()["Items"]:
            table.delete_item(Key={"pk": item["pk"], "sk": item["sk"]})
        for entry in sent():
            assert LedgerStore("outcomes").begin(Entry.model_validate(entry), replacing=None)
        for event in events:
            invoke("record_delivery", event)
        return sorted(table.scan()["Items"], key=lambda item: (item["pk"], item["sk"]))

    return replayed


Replayed = Callable[[list[dict[str, Any]]], list[Any]]


def test_the_recording_holds_every_kind_of_event_and_some_twice() -> None:
    assert {event["detail"]["eventType"] for event in EVENTS} == set(STATES)
    assert len({json.dumps(event) for event in EVENTS}) < len(EVENTS)
    tries = {event["detail"]["mail"]["tags"]["try_id"][0] for event in EVENTS}
    assert {try_id for try_id, _ in SETTLED.values()} < tries


def test_in_order_they_leave_what_became_of_each_mail(replayed: Replayed) -> None:
    ledger = replayed(EVENTS)
    assert {
        (item["report"].partition("#")[0], item["recipient"]): (item["try_id"], item["state"]) for item in ledger
    } == SETTLED


@given(st.permutations(TWICE))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_twice_and_shuffled_they_leave_the_same(replayed: Replayed, events: list[dict[str, Any]]) -> None:
    assert said(replayed(events)) == said(replayed(EVENTS))


def said(ledger: list[Any]) -> list[dict[str, Any]]:
    """All that the items say of the mails. ``revision`` counts writes, and an order that skips states has fewer."""
    return [{name: value for name, value in item.items() if name != "revision"} for item in ledger]
