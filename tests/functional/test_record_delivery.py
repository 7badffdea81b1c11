"""Record Delivery: what became of a mail after SES accepted it, in the ledger."""

import itertools
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from cost_reporting.delivery.events import ledger_event
from cost_reporting.errors import ContractViolated
from cost_reporting.ledger import Entry, fingerprint, report_key, report_tag
from cost_reporting.store.ledger import LedgerStore
from tests.builders import a_run
from tests.contract.documents import EVENTS
from tests.functional.conftest import Wire, World

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


def poisoned(**changes: Any) -> dict[str, Any]:
    """A bounce with one part of it replaced, by its path."""
    event = an_event("Bounce", bounce={"bounceType": "Permanent"})
    for path, value in changes.items():
        *parents, last = path.split("__")
        part = event["detail"]
        for name in parents:
            part = part[name]
        part[last] = value
    return event


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"bounce": None}, "bounce"),
        ({"bounce": []}, "bounce"),
        ({"bounce": [{"bounceType": "Permanent"}]}, "bounce"),
        ({"bounce": "Permanent"}, "bounce"),
        ({"bounce__bounceType": None}, "bounce.bounceType"),
        ({"bounce__bounceType": ["Permanent"]}, "bounce.bounceType"),
        ({"eventType": None}, "eventType"),
        ({"eventType": ["Bounce"]}, "eventType"),
        ({"mail": None}, "mail"),
        ({"mail": []}, "mail"),
        ({"mail__messageId": None}, "mail.messageId"),
        ({"mail__messageId": ""}, "message_id"),
        ({"mail__destination": None}, "mail.destination"),
        ({"mail__destination": [None]}, "mail.destination.0"),
        ({"mail__destination": ADDRESS}, "mail.destination"),
        ({"mail__tags": None}, "mail.tags"),
        ({"mail__tags": []}, "mail.tags"),
        ({"mail__tags__try_id": None}, "mail.tags.try_id"),
        ({"mail__tags__try_id": [None]}, "mail.tags.try_id.0"),
        ({"mail__tags__try_id": ["short"]}, "try_id"),
        ({"mail__tags__report_id": ["tiny-bakery"]}, "report"),
        ({"mail__tags__report_id": ["tiny-bakery_monthly"]}, "report"),
        ({"mail__tags__report_id": [""]}, "report"),
        ({"mail__tags__report_id": ["__"]}, "report"),
    ],
    ids=str,
)
def test_a_poisoned_event_is_a_violated_contract_and_moves_nothing(
    changes: dict[str, Any], field: str, invoke: Invoke, ledger: LedgerStore, world: World, wire: Wire
) -> None:
    sending(ledger)
    before, wire.calls[:] = world.outcomes("LEDGER#"), []
    with pytest.raises(ContractViolated, match=f"an event of SES: {field}: "):
        invoke("record_delivery", poisoned(**changes))
    assert wire.count("dynamodb.GetItem", "dynamodb.PutItem") == 0, "judged before the ledger is touched"
    assert world.outcomes("LEDGER#") == before


@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=9), lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["bounceType", "tags", "x"]), inner, max_size=2)
    ), max_leaves=4),
    st.sampled_from(["bounce", "eventType", "mail", "mail__tags", "mail__destination", "mail__messageId",
                     "mail__tags__report_id", "mail__tags__try_id"]),
)  # fmt: skip
def test_whatever_an_event_says_it_is_read_or_refused_by_name(value: Any, path: str) -> None:
    try:
        news = ledger_event(poisoned(**{path: value})["detail"], SENT_AT)
    except ValidationError:
        return
    assert news is None or len(news.report.split("#")) >= 3


def test_a_bounce_of_no_kind_is_a_delay(invoke: Invoke, ledger: LedgerStore) -> None:
    sending(ledger)
    invoke("record_delivery", an_event("Bounce", bounce={}))
    assert state_of(ledger) == "DELAYED"


def test_no_event_moves_an_entry_that_ses_has_refused(invoke: Invoke, ledger: LedgerStore) -> None:
    ledger.refuse(sending(ledger), at=SENT_AT)
    for kind in (*EVENTS_OF_A_COMPLAINT, "Reject"):
        assert invoke("record_delivery", an_event(kind))["state"] is None
    assert state_of(ledger) == "REFUSED"


def test_no_address_is_logged_or_answered(
    invoke: Invoke, ledger: LedgerStore, capsys: pytest.CaptureFixture[str]
) -> None:
    sending(ledger)
    answer = invoke("record_delivery", an_event("Delivery"))
    assert ADDRESS not in json.dumps(answer) + capsys.readouterr().out
