"""How a client's credentials age, and in which steps they are renewed. Nothing here asks AWS.

An access key is renewed like this, and :func:`next_step` says from the facts alone which step comes next:

    create ─► store (AWSPENDING) ─► test ─► promote (AWSCURRENT) ─► pause ─► test ─► deactivate ─► test ─► delete
                └─ a crash before: the new key's secret half is lost, so the key is deleted and another one created

The facts are the keys that IAM lists, the stages of the secret, and the :class:`Rotation` that says which keys were
there when it began. So a rotation that died goes on wherever it was, and never deletes a key that is not its own.

An ExternalId is renewed in two phases, because the client has to do its part in between:

    settled ─► pending (the client adds the new one) ─► switched (the client drops the old one) ─► settled
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, Field

from cost_reporting.contracts import Fact
from cost_reporting.errors import RotationStopped

KEY_DAYS: Final = 90
EXTERNAL_ID_DAYS: Final = 365
PATIENCE: Final = timedelta(days=14)
"""How long a client may take for its part of a rotation before it is called unfinished."""
LEASE: Final = timedelta(minutes=3)
"""How long a rotation of which nothing is heard may still be at work."""
PAUSE: Final = timedelta(seconds=150)
"""From the new key's promotion to the old one's end: Fetch Costs may have read the old one, and has 120 seconds."""
MOST_KEYS: Final = 2
"""So many keys a user may have. (IAM User Guide, "IAM and AWS STS quotas")"""

Kind = Literal["key", "external_id"]
Verdict = Literal["ok", "due", "unfinished", "unreachable", "malformed"]
Action = Literal[
    "create", "discard", "delete_lost", "promote", "drop_pending", "pause", "deactivate", "delete", "close"
]


class Key(Fact):
    """An access key as IAM lists it: never its secret half."""

    key_id: str
    active: bool
    created_at: AwareDatetime


class Rotation(Fact):
    """A rotation of a client's key that has begun. ``known`` are the keys that were there: no others are its own.

    ``holder`` is the process that is at work on it, which counts as alive until ``until``.
    """

    replaces: str
    known: tuple[str, ...]
    began_at: AwareDatetime
    promoted_at: AwareDatetime | None = None
    holder: str
    until: AwareDatetime


class Step(Fact):
    """What is to be done next, and to which key."""

    action: Action
    key_id: str | None = None


class ExternalIdNote(Fact):
    """What is known about a client's ExternalId beyond the one that the record says.

    ``since``: when the record's own was made; None if nobody knows. ``pending`` will take the place of ``replaces``;
    without it, ``replaces`` is the old one that the client has still to drop. ``waiting_since``: for the client.
    """

    since: AwareDatetime | None = None
    pending: str | None = None
    replaces: str | None = None
    waiting_since: AwareDatetime | None = None
    revision: Annotated[int, Field(ge=0)] = 0


class CredentialAge(Fact):
    """How old the credentials of an account are, and what that means. Days are whole; None: nobody knows, which is due.

    ``account`` is the name of a further account, None for the client's first one.
    """

    client_id: str
    account: str | None = None
    kind: Kind | None
    verdict: Verdict
    limit_days: int | None = None
    age_days: int | None = None
    since: AwareDatetime | None = None
    last_used: AwareDatetime | None = None
    detail: str | None = None
    remedy: str | None = None


def next_step(rotation: Rotation, current: str, pending: str | None, keys: Mapping[str, Key], now: datetime) -> Step:
    """The step after the facts: the key in the secret's AWSCURRENT, the one in AWSPENDING, and all that IAM lists.

    Raises RotationStopped if there is no room for a new key and the one in the way is not ours.
    """
    if pending == current:
        return Step(action="drop_pending", key_id=pending)
    if current == rotation.replaces:
        return _towards_promotion(rotation, current, pending, keys)
    if rotation.promoted_at is None or now < rotation.promoted_at + PAUSE:
        return Step(action="pause", key_id=current)
    old = keys.get(rotation.replaces)
    if old is not None:
        return Step(action="deactivate" if old.active else "delete", key_id=old.key_id)
    if pending is not None:
        return Step(action="discard", key_id=pending)
    return Step(action="close", key_id=current)


def _towards_promotion(rotation: Rotation, current: str, pending: str | None, keys: Mapping[str, Key]) -> Step:
    if pending is not None:
        ready = pending in keys and keys[pending].active
        return Step(action="promote" if ready else "discard", key_id=pending)
    lost = sorted(keys.keys() - set(rotation.known))
    if lost:
        return Step(action="delete_lost", key_id=lost[0])
    if len(keys) >= MOST_KEYS:
        other = next(key for key in sorted(keys) if key != current)
        raise RotationStopped(
            f"the user has a second key, {masked(other)}, that this rotation did not make, and IAM allows two: "
            "ask the client whether anybody uses it, and to delete it if nobody does"
        )
    return Step(action="create")


def judged(since: datetime | None, limit_days: int, now: datetime) -> tuple[Verdict, int | None]:
    """The verdict on something made at ``since``, and its age in whole days. What nobody knows is due."""
    if since is None:
        return "due", None
    age = (now - since).days
    return ("due" if age > limit_days else "ok"), age


def masked(key_id: str) -> str:
    """Enough of an access key's id to find it, and no more."""
    return f"{key_id[:4]}…{key_id[-4:]}"
