"""What the events of `events/` name in an account: `make local-up` puts it there, so that each runs as it stands.

Events of single functions are about a test report of tiny-bakery, each about a run of its own: in any order, and as
often as one likes, none spoils another, and no client's real report, mark or ledger is touched. What they name was
recorded from the deployed functions and lies in `events/stored`, by its last name; the hashes in the events are of
these bytes. `.venv/bin/python -m local.recording` records it anew, with the events.
"""

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from unittest import mock

import boto3

from cost_reporting.contracts import ClientDue, Outcome, SettleAsked, StoredObject
from cost_reporting.delivery.events import ledger_event
from cost_reporting.ledger import Entry
from cost_reporting.operations.fetch_costs import made_for
from cost_reporting.store.ledger import LedgerStore
from cost_reporting.store.objects import JSON, JSON_LINES, PDF, ObjectStore, report_prefix
from cost_reporting.store.runs import RunStore
from local.process import ROOT
from local.world import Names, twelve

EVENTS: Final = ROOT / "events"
STORED: Final = EVENTS / "stored"
CLIENT: Final = "tiny-bakery"
SENT_AT: Final = datetime(2026, 11, 8, 6, 1, 9, tzinfo=UTC)


def event(name: str) -> dict[str, Any]:
    """The event of a function, as it stands."""
    return dict(json.loads((EVENTS / f"{name}.json").read_text()))


def named(part: Any) -> Iterator[StoredObject]:
    """Every document of the bucket that an event, or a part of one, names."""
    if isinstance(part, Mapping):
        if {"key", "sha256"} <= part.keys():
            yield StoredObject.model_validate(part)
        else:
            yield from (stored for each in part.values() for stored in named(each))
    elif isinstance(part, list):
        yield from (stored for each in part for stored in named(each))


def body(stored: StoredObject) -> bytes:
    """The bytes of a document that an event names."""
    return (STORED / stored.key.rpartition("/")[2]).read_bytes()


def seed(names: Names, variables: Mapping[str, str]) -> bool:
    """Put into the account what the events name and it lacks. False: it lacks nothing.

    By the product's own stores; ``variables`` are those of the account.
    """
    with _as_the_product(variables):
        objects = ObjectStore(names.bucket)
        done = [
            _document(stored, objects) for path in sorted(EVENTS.glob("*.json")) for stored in named(event(path.stem))
        ]
        done += [_costs(objects), _outcome(RunStore(names.outcomes_table)), _mail(LedgerStore(names.outcomes_table))]
    return any(done)


def _document(stored: StoredObject, objects: ObjectStore) -> bool:
    there = objects.open(stored.key)
    if there is not None and there.stored.sha256 == stored.sha256:
        return False
    objects.put(stored.key, body(stored), _CONTENT_TYPES[stored.key.rpartition(".")[2]])
    return True


_CONTENT_TYPES: Final = {
    "csv": "text/csv",
    "json": JSON,
    "jsonl": JSON_LINES,
    "pdf": PDF,
}


def _costs(objects: ObjectStore) -> bool:
    """The costs that Fetch Costs finds, asked for by the record of the world. It asks anew if the run says refresh."""
    due = ClientDue.model_validate(event("fetch_costs"))
    key = f"{report_prefix(due.run, due.client_id)}costs.json"
    if objects.find(key, fingerprint=None) is not None:
        return False
    client = next(client for client in twelve() if client.client_id == due.client_id)
    objects.put(key, (STORED / "costs.json").read_bytes(), JSON, fingerprint=made_for(client))
    return True


def _outcome(runs: RunStore) -> bool:
    """How the client of the worklist that Settle Run judges has ended: with its report."""
    run = SettleAsked.model_validate(event("settle_run")).worklist.run
    if runs.recorded_of(run.run_id, CLIENT) is not None:
        return False
    runs.record(run, Outcome(client_id=CLIENT, status="SENT", recipients=1), SENT_AT)
    return True


def _mail(ledger: LedgerStore) -> bool:
    """The mail that SES's event is about: accepted, and not heard of since."""
    told = event("record_delivery")
    about = ledger_event(told["detail"], datetime.fromisoformat(told["time"]))
    assert about is not None
    if ledger.find(about.report, about.recipient) is not None:
        return False
    entry = Entry(
        report=about.report,
        recipient=about.recipient,
        state="SENDING",
        try_id=about.try_id,
        attempt=1,
        run_id=told["detail"]["mail"]["tags"]["run_id"][0],
        report_sha256=StoredObject.model_validate(event("send_email")["report"]["pdf"]).sha256,
        updated_at=SENT_AT,
        began_at=SENT_AT,
    )
    begun = ledger.begin(entry, replacing=None)
    assert begun is not None
    ledger.conclude(begun, at=SENT_AT, message_id=about.message_id)
    return True


@contextlib.contextmanager
def _as_the_product(variables: Mapping[str, str]) -> Iterator[None]:
    """The product's stores in this process talk to the account that ``variables`` name."""
    session = boto3.DEFAULT_SESSION
    nothing = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    with mock.patch.dict(os.environ, {**variables, **nothing}):
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
            os.environ.pop(name, None)
        boto3.setup_default_session()
        try:
            yield
        finally:
            boto3.DEFAULT_SESSION = session
