"""Rotate a client's ExternalId in two phases, with the client's part in between. Runs never notice.

The record keeps the old one until the new one works, and the client is asked to drop the old one only after that.
"""

from collections.abc import Callable
from datetime import datetime
from secrets import token_urlsafe
from typing import Final, Literal

from cost_reporting.clients import Client, RoleAccess, Way
from cost_reporting.contracts import Fact
from cost_reporting.credentials import ExternalIdNote
from cost_reporting.errors import ClientAccessDenied, ClientMisconfigured, InvalidRequest, RotationStopped
from cost_reporting.operations.clients import changing
from cost_reporting.operations.clients.changing import Author
from cost_reporting.sources.access import lets_in
from cost_reporting.store.records import RecordStore
from cost_reporting.store.rotations import RotationStore

Phase = Literal["add", "drop", "done"]
_BYTES: Final = 32


class ExternalIdTurn(Fact):
    """Where the rotation stands: the client has to ``add`` the new ExternalId, to ``drop`` the old one, or it is done.

    ``accepts`` are the ExternalIds that the role's trust policy is to name now. They are for the client's eyes only.
    """

    client_id: str
    account: str | None = None
    phase: Phase
    role_arn: str
    accepts: tuple[str, ...]
    switched: bool = False


def rotate_external_id(
    client: Client,
    way: Way,
    *,
    records: RecordStore,
    notes: RotationStore,
    who: Callable[[], str],
    now: Callable[[], datetime],
    begin: bool = True,
) -> ExternalIdTurn:
    """Go on with the rotation as far as the role at ``way`` allows; ``begin`` one if none has begun.
    ``who`` is asked when the record is changed: that is a version of it.

    Raises RotationStopped if the role lets us in under any ExternalId, InvalidRequest if nothing has begun and nothing
    is to, ClientAccessDenied if the role does not let us in, ClientChanged, CostsThrottled, or a store's errors.
    """
    access = way.access
    if not isinstance(access, RoleAccess):
        raise ClientMisconfigured(f"{client.client_id}: {way.field}: keys have no ExternalId; the key is rotated")
    if not lets_in(access.role_arn, access.external_id):
        raise ClientAccessDenied(f"{client.client_id}: role: the ExternalId of the record is refused")
    note = _that_fits(notes.note(client.client_id), access)
    if note.pending is not None:
        return _switched(client, way, access, note, records, notes, who, now)
    if note.replaces is not None:
        return _dropped(client, way, access, note, notes)
    if not begin:
        raise InvalidRequest(f"finish: no rotation of the ExternalId of {client.client_id} has begun")
    begun = note.model_copy(
        update={"pending": token_urlsafe(_BYTES), "replaces": access.external_id, "waiting_since": now()}
    )
    if not notes.write_note(client.client_id, begun):
        raise RotationStopped(f"{client.client_id}: another rotation of its ExternalId has just begun")
    return _turn(client, way, access, "add", (access.external_id, begun.pending or ""))


def _that_fits(note: ExternalIdNote, access: RoleAccess) -> ExternalIdNote:
    """The note, unless the record was given another ExternalId by hand meanwhile: then nothing is known of that."""
    if note.pending is None or access.external_id == note.replaces:
        return note
    return ExternalIdNote(revision=note.revision)


def _switched(
    client: Client,
    way: Way,
    access: RoleAccess,
    note: ExternalIdNote,
    records: RecordStore,
    notes: RotationStore,
    who: Callable[[], str],
    now: Callable[[], datetime],
) -> ExternalIdTurn:
    old, new = access.external_id, note.pending or ""
    renewed = access.model_copy(update={"external_id": new})
    if not lets_in(access.role_arn, new):
        return _turn(client, way, access, "add", (old, new))
    if lets_in(access.role_arn, token_urlsafe(_BYTES)):
        raise RotationStopped(
            f"{client.client_id}: its role lets us in under any ExternalId, and so others through us: "
            "ask the client to create it from the template that was written"
        )
    at = now()
    settling = note.model_copy(update={"since": at, "pending": None, "waiting_since": at})
    changed = client.entered_by(way, renewed)
    author = Author(who=who(), at=at, reason=f"{way.field}: its role accepts the new ExternalId")
    revision = changing.revision(client, changed, "rotated", store=records, author=author)
    changing.write(revision, store=records, along=[notes.noting(client.client_id, settling)])
    settling = settling.model_copy(update={"revision": note.revision + 1})
    return _dropped(changed, way, renewed, settling, notes).model_copy(update={"switched": True})


def _dropped(
    client: Client, way: Way, access: RoleAccess, note: ExternalIdNote, notes: RotationStore
) -> ExternalIdTurn:
    if lets_in(access.role_arn, note.replaces):
        return _turn(client, way, access, "drop", (access.external_id,))
    settled = note.model_copy(update={"replaces": None, "waiting_since": None})
    if not notes.write_note(client.client_id, settled):
        raise RotationStopped(f"{client.client_id}: another rotation of its ExternalId is at work")
    return _turn(client, way, access, "done", (access.external_id,))


def _turn(client: Client, way: Way, access: RoleAccess, phase: Phase, accepts: tuple[str, ...]) -> ExternalIdTurn:
    return ExternalIdTurn(
        client_id=client.client_id, account=way.account, phase=phase, role_arn=access.role_arn, accepts=accepts
    )
