"""Rotate what is due, one client after the other. One client's trouble is its own."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from cost_reporting.clients import Client, SecretAccess, Way
from cost_reporting.contracts import Fact
from cost_reporting.credentials import Kind
from cost_reporting.errors import CostReportingError, InvalidRequest
from cost_reporting.operations.rotate_external_id import ExternalIdTurn, rotate_external_id
from cost_reporting.operations.rotate_key import rotate_key
from cost_reporting.store.records import RecordStore
from cost_reporting.store.rotations import RotationStore
from cost_reporting.store.secrets import SecretStore

Status = Literal["rotated", "waiting", "would_rotate", "failed"]


class Ended(Fact):
    """How a client's rotation ended. ``waiting``: for the client to do what ``turn`` says."""

    client_id: str
    account: str | None = None
    kind: Kind | None
    status: Status
    detail: str
    remedy: str | None = None
    turn: ExternalIdTurn | None = None


@dataclass(frozen=True)
class Desk:
    """What a rotation works with. ``wait`` takes seconds, ``say`` lines for people; ``who`` is who changes a record."""

    records: RecordStore
    secrets: SecretStore
    journal: RotationStore
    now: Callable[[], datetime]
    wait: Callable[[float], None]
    say: Callable[[str], None]
    who: Callable[[], str]


def rotate_one(
    client_id: str, desk: Desk, *, account: str | None = None, dry_run: bool = False, begin: bool = True
) -> Ended:
    """Rotate the credentials of one account, whatever their age: the client's first, or the further one of that name.

    What goes wrong is told, not raised.
    """
    kind: Kind | None = None
    try:
        client = desk.records.clients.get(client_id)
        way = _way(client, account)
        kind = "key" if isinstance(way.access, SecretAccess) else "external_id"
        journal = desk.journal.of(way)
        if dry_run:
            detail = _plan(client, kind, journal)
            return Ended(client_id=client_id, account=account, kind=kind, status="would_rotate", detail=detail)
        return _rotated(client, way, journal, desk, begin=begin)
    except CostReportingError as trouble:
        detail = f"{trouble.name}: {trouble}"
        return Ended(
            client_id=client_id, account=account, kind=kind, status="failed", detail=detail, remedy=trouble.remedy
        )


def _way(client: Client, account: str | None) -> Way:
    found = next((way for way in client.ways if way.account == account), None)
    if found is None:
        names = ", ".join(way.account for way in client.ways if way.account is not None) or "none"
        raise InvalidRequest(f"account: {client.client_id} has no further account of that name; it has {names}")
    return found


def _rotated(client: Client, way: Way, journal: RotationStore, desk: Desk, *, begin: bool) -> Ended:
    if isinstance(way.access, SecretAccess):
        done = rotate_key(
            client.alone(way), secrets=desk.secrets, journal=journal, now=desk.now, wait=desk.wait, say=desk.say
        )
        detail = f"{done.old} is deleted, {done.new} is in use; paid requests: {done.paid_requests}"
        return Ended(client_id=client.client_id, account=way.account, kind="key", status="rotated", detail=detail)
    turn = rotate_external_id(client, way, records=desk.records, notes=journal, who=desk.who, now=desk.now, begin=begin)
    said = {
        "add": "the old ExternalId is in use until the client's role accepts the new one as well",
        "drop": "the new ExternalId is in use; the client has still to drop the old one",
        "done": "the new ExternalId is in use, and the old one is refused",
    }[turn.phase]
    return Ended(
        client_id=client.client_id,
        account=way.account,
        kind="external_id",
        status="rotated" if turn.phase == "done" else "waiting",
        detail=said,
        turn=None if turn.phase == "done" else turn,
    )


def _plan(client: Client, kind: Kind, journal: RotationStore) -> str:
    """What would be done next, from what is known without asking the client's account."""
    if kind == "key":
        begun = journal.rotation(client.client_id)
        if begun is not None:
            return f"would go on with the rotation that began {begun.began_at:%Y-%m-%d %H:%M} UTC"
        return "would create a key, test it, make it the current one, and delete the old one"
    note = journal.note(client.client_id)
    if note.pending is not None:
        return "would try the new ExternalId, and switch to it if the client's role accepts it"
    if note.replaces is not None:
        return "would look whether the client's role still accepts the old ExternalId"
    return "would make a new ExternalId and write down what the client has to do"
