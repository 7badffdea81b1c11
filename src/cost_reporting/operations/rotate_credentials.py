"""Rotate what is due, one client after the other. One client's trouble is its own."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from cost_reporting.clients import Client, SecretAccess
from cost_reporting.contracts import Fact
from cost_reporting.credentials import Kind
from cost_reporting.errors import CostReportingError
from cost_reporting.operations.rotate_external_id import ExternalIdTurn, rotate_external_id
from cost_reporting.operations.rotate_key import rotate_key
from cost_reporting.store.clients import ClientStore
from cost_reporting.store.rotations import RotationStore
from cost_reporting.store.secrets import SecretStore

Status = Literal["rotated", "waiting", "would_rotate", "failed"]


class Ended(Fact):
    """How a client's rotation ended. ``waiting``: for the client to do what ``turn`` says."""

    client_id: str
    kind: Kind | None
    status: Status
    detail: str
    remedy: str | None = None
    turn: ExternalIdTurn | None = None


@dataclass(frozen=True)
class Desk:
    """What a rotation works with. ``wait`` takes seconds; ``say`` takes lines for people."""

    clients: ClientStore
    secrets: SecretStore
    journal: RotationStore
    now: Callable[[], datetime]
    wait: Callable[[float], None]
    say: Callable[[str], None]


def rotate_one(client_id: str, desk: Desk, *, dry_run: bool = False, begin: bool = True) -> Ended:
    """Rotate the credentials of one client, whatever their age. What goes wrong is told, not raised."""
    kind: Kind | None = None
    try:
        client = desk.clients.get(client_id)
        kind = "key" if isinstance(client.access, SecretAccess) else "external_id"
        if dry_run:
            return Ended(client_id=client_id, kind=kind, status="would_rotate", detail=_plan(client, desk))
        return _rotated(client, desk, begin=begin)
    except CostReportingError as trouble:
        return Ended(
            client_id=client_id, kind=kind, status="failed", detail=f"{trouble.name}: {trouble}", remedy=trouble.remedy
        )


def _rotated(client: Client, desk: Desk, *, begin: bool) -> Ended:
    if isinstance(client.access, SecretAccess):
        done = rotate_key(
            client, secrets=desk.secrets, journal=desk.journal, now=desk.now, wait=desk.wait, say=desk.say
        )
        detail = f"{done.old} is deleted, {done.new} is in use; paid requests: {done.paid_requests}"
        return Ended(client_id=client.client_id, kind="key", status="rotated", detail=detail)
    turn = rotate_external_id(client, clients=desk.clients, notes=desk.journal, now=desk.now, begin=begin)
    said = {
        "add": "the old ExternalId is in use until the client's role accepts the new one as well",
        "drop": "the new ExternalId is in use; the client has still to drop the old one",
        "done": "the new ExternalId is in use, and the old one is refused",
    }[turn.phase]
    return Ended(
        client_id=client.client_id,
        kind="external_id",
        status="rotated" if turn.phase == "done" else "waiting",
        detail=said,
        turn=None if turn.phase == "done" else turn,
    )


def _plan(client: Client, desk: Desk) -> str:
    """What would be done next, from what is known without asking the client's account."""
    if isinstance(client.access, SecretAccess):
        begun = desk.journal.rotation(client.client_id)
        if begun is not None:
            return f"would go on with the rotation that began {begun.began_at:%Y-%m-%d %H:%M} UTC"
        return "would create a key, test it, make it the current one, and delete the old one"
    note = desk.journal.note(client.client_id)
    if note.pending is not None:
        return "would try the new ExternalId, and switch to it if the client's role accepts it"
    if note.replaces is not None:
        return "would look whether the client's role still accepts the old ExternalId"
    return "would make a new ExternalId and write down what the client has to do"
