"""Record Delivery: what became of a mail after SES accepted it, in the ledger."""

import itertools
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from cost_reporting.errors import ContractViolated
from cost_reporting.ledger import Entry, fingerprint, report_key, report_tag
from cost_reporting.store.ledger import LedgerStore
from tests.builders import a_run
from tests.contract.documents import EVENTS
from tests.functional.conftest import World

Invoke = Callable[[str, Any], Any]
ADDRESS = "anna@tiny-bakery.example"
RUN = a_run()
REPORT = report_key(RUN, "tiny-bakery")
SENT_AT = datetime(2026, 11, 8, 6, 1, tzinfo=UTC)


@pytest.fixture
def ledger(world: World) -> LedgerStore:
    return LedgerStore("outcomes")


def sending(ledger: LedgerStore, **changes: Any) -> Entry:
    entry = Entry(
        report=REPORT,
        recipient=fingerprint(ADDRESS),
        state="SENDING",
        try_id="try-0001",
        attempt=1,
        run_id=RUN.run_id,
        report_sha256="0" * 64,
        updated_at=SENT_AT,
    ).model_copy(update=changes)
    assert ledger.begin(entry, replacing=None)
    return entry


def an_event(kind: str, **changes: Any) -> dict[str, Any]:
    """An event of SES about the mail, in the shape of the sample."""
    event = json.loads(json.dumps(EVENTS["record_delivery"]))
    tags = {"report_id": report_tag(REPORT), "try_id": "try-0001"} | changes.pop("tags", {})
    event["detail"]["eventType"] = kind
    event["detail"]["mail"] |= {"destination": [ADDRESS], "messageId": "m-1"} | changes.pop("mail", {})
    event["detail"]["mail"]["tags"] |= {name: [value] for name, value in tags.items()}
    event["detail"] |= changes
    return event


def state_of(ledger: LedgerStore) -> str:
    entry = ledger.find(REPORT, fingerprint(ADDRESS))
    assert entry is not None
    return entry.state


@pytest.mark.parametrize(
    ("kind", "more", "state"),
    [
        ("Send", {}, "SENT"),
        ("Delivery", {}, "DELIVERED"),
        ("DeliveryDelay", {}, "DELAYED"),
        ("Bounce", {"bounce": {"bounceType": "Permanent"}}, "BOUNCED"),
        ("Bounce", {"bounce": {"bounceType": "Transient"}}, "DELAYED"),
        ("Complaint", {}, "COMPLAINED"),
        ("Reject", {}, "REJECTED"),
        ("Rendering Failure", {}, "REJECTED"),
    ],
)
def test_an_event_settles_an_entry_whose_outcome_was_unknown(
    kind: str, more: dict[str, Any], state: str, invoke: Invoke, ledger: LedgerStore
) -> None:
    sending(ledger)
    assert invoke("record_delivery", an_event(kind, **more)) == {"recipient": fingerprint(ADDRESS), "state": state}
    entry = ledger.find(REPORT, fingerprint(ADDRESS))
    assert entry is not None
    assert (entry.state, entry.message_id) == (state, "m-1")


EVENTS_OF_A_COMPLAINT = ("Send", "DeliveryDelay", "Delivery", "Complaint")


@pytest.mark.parametrize("order", list(itertools.permutations(EVENTS_OF_A_COMPLAINT)))
def test_any_order_of_the_same_events_twice_ends_the_same(
    order: tuple[str, ...], invoke: Invoke, ledger: LedgerStore
) -> None:
    sending(ledger)
    for kind in order + order:
        invoke("record_delivery", an_event(kind))
    assert state_of(ledger) == "COMPLAINED"


@pytest.mark.parametrize(
    "stranger",
    [
        {"tags": {"report_id": "nobody_monthly_2026-10_final_live"}},
        {"tags": {"try_id": "try-0002"}},
        {"mail": {"destination": ["somebody@else.example"]}},
        {"mail": {"destination": [ADDRESS, "second@tiny-bakery.example"]}},
    ],
)
def test_an_event_about_something_else_does_no_harm(
    stranger: dict[str, Any], invoke: Invoke, ledger: LedgerStore
) -> None:
    sending(ledger)
    assert (
        invoke("record_delivery", an_event("Bounce", bounce={"bounceType": "Permanent"}, **stranger))["state"] is None
    )
    assert state_of(ledger) == "SENDING"


def test_an_event_about_an_earlier_message_does_not_touch_the_later_one(invoke: Invoke, ledger: LedgerStore) -> None:
    sending(ledger, try_id="try-0002", message_id="m-2", state="SENT")
    invoke("record_delivery", an_event("Bounce", bounce={"bounceType": "Permanent"}))
    assert state_of(ledger) == "SENT"


def test_an_event_without_our_tags_is_left_alone(invoke: Invoke, ledger: LedgerStore) -> None:
    event = an_event("Delivery")
    del event["detail"]["mail"]["tags"]["report_id"]
    assert invoke("record_delivery", event) == {"recipient": None, "state": None}


def test_what_is_no_event_of_ses_is_a_violated_contract(invoke: Invoke, ledger: LedgerStore) -> None:
    with pytest.raises(ContractViolated, match="mail"):
        invoke("record_delivery", EVENTS["record_delivery"] | {"detail": {"eventType": "Delivery"}})


def test_no_address_is_logged_or_answered(
    invoke: Invoke, ledger: LedgerStore, capsys: pytest.CaptureFixture[str]
) -> None:
    sending(ledger)
    answer = invoke("record_delivery", an_event("Delivery"))
    assert ADDRESS not in json.dumps(answer) + capsys.readouterr().out
