"""Rotate a client's access key: created, stored, tested, promoted, and only then is the old one ended.

Whatever kills it in between, the secret's AWSCURRENT works, and the same call again goes on from the facts.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

from cost_reporting import aws
from cost_reporting.clients import Client, SecretAccess
from cost_reporting.contracts import Fact, Period
from cost_reporting.credentials import LEASE, PAUSE, Rotation, Step, masked, next_step
from cost_reporting.errors import (
    ClientAccessDenied,
    ClientMisconfigured,
    CostExplorerDisabled,
    CostReportingError,
    CostsNotReady,
    CostsRefused,
    CostsThrottled,
    CredentialsRejected,
    PayerDeniesAccess,
    PolicyDeniesAccess,
    RotationStopped,
)
from cost_reporting.sources.access import Reader
from cost_reporting.sources.cost_explorer.asking import Questions
from cost_reporting.sources.cost_explorer.usage import OPERATION, question
from cost_reporting.sources.keys import KeyRing
from cost_reporting.store.rotations import RotationStore
from cost_reporting.store.secrets import PENDING, SecretStore

SETTLING: Final = timedelta(seconds=90)
"""How long a new key may be unknown to parts of AWS: IAM promises seconds and no number."""
_MOST_STEPS: Final = 30
_SLICE: Final = 5
"""Seconds between two looks."""


class Rotated(Fact):
    """A client's key was rotated: the ids, masked, and the paid requests that the test took."""

    client_id: str
    old: str
    new: str
    paid_requests: int


def rotate_key(
    client: Client,
    *,
    secrets: SecretStore,
    journal: RotationStore,
    now: Callable[[], datetime],
    wait: Callable[[float], None],
    say: Callable[[str], None],
) -> Rotated:
    """Rotate the key of a client with SecretAccess, or finish the rotation that an earlier call has begun.

    ``wait`` takes seconds, ``say`` lines for people. Raises RotationStopped with what somebody has to do,
    ClientAccessDenied if the stored key is refused, ClientMisconfigured, CostsThrottled, or a store's errors. After any
    of them the client can be read as before.
    """
    if not isinstance(client.access, SecretAccess):
        raise ClientMisconfigured(f"{client.client_id}: access: a role has no keys; its ExternalId is rotated")
    turn = _Turn(client, client.access.secret_arn, secrets, journal, now, wait, say)
    turn.take()
    try:
        return turn.run()
    finally:
        turn.release()


@dataclass
class _Turn:
    """One process at work on one client's key."""

    client: Client
    arn: str
    secrets: SecretStore
    journal: RotationStore
    now: Callable[[], datetime]
    wait: Callable[[float], None]
    say: Callable[[str], None]
    holder: str = field(default_factory=lambda: uuid4().hex)
    paid: int = 0
    _rotation: Rotation | None = None

    @property
    def rotation(self) -> Rotation:
        assert self._rotation is not None  # noqa: S101 - taken first of all
        return self._rotation

    def take(self) -> None:
        """Begin a rotation, or take over the one that nobody is at work on any more."""
        deadline = self.now() + LEASE + timedelta(seconds=_SLICE)
        while (found := self.journal.rotation(self.client.client_id)) is not None and found.until > self.now():
            if self.now() >= deadline:
                raise RotationStopped(f"{self.client.client_id}: another rotation of its key is at work")
            self.say(
                f"{self.client.client_id}: another rotation may be at work until {found.until:%H:%M:%S} UTC; waiting"
            )
            self.wait(_SLICE)
        if found is not None:
            self.say(
                f"{self.client.client_id}: going on with the rotation that began {found.began_at:%Y-%m-%d %H:%M} UTC"
            )
            self._write(found, holder=self.holder)
            return
        current = self._current()
        known = tuple(sorted(self._ring(current).keys()))
        if current.access_key_id not in known:
            raise RotationStopped(
                f"{self.client.client_id}: IAM does not list the key in the secret: try again in a minute"
            )
        at = self.now()
        begun = Rotation(replaces=current.access_key_id, known=known, began_at=at, holder=self.holder, until=at + LEASE)
        if not self.journal.write(self.client.client_id, begun, replacing=None):
            raise RotationStopped(f"{self.client.client_id}: another rotation of its key has just begun")
        self._rotation = begun

    def release(self) -> None:
        """Say that nobody is at work any more. If even that fails, the lease ends by itself."""
        if self._rotation is None:
            return
        try:
            self._write(self._rotation, until=self.now())
        except CostReportingError:
            return

    def run(self) -> Rotated:
        for _ in range(_MOST_STEPS):
            current, pending = self._current(), self.secrets.keys(self.client.client_id, self.arn, PENDING)
            ring = self._ring(current, pending)
            try:
                step = next_step(
                    self.rotation,
                    current.access_key_id,
                    pending.access_key_id if pending else None,
                    ring.keys(),
                    self.now(),
                )
            except RotationStopped as stopped:
                raise RotationStopped(f"{self.client.client_id}: {stopped}") from None
            self._write(self.rotation, until=self.now() + LEASE)
            if step.action == "close":
                self.journal.close(self.client.client_id, self.rotation, current.access_key_id, self.now())
                old, self._rotation = self.rotation.replaces, None
                return Rotated(
                    client_id=self.client.client_id,
                    old=masked(old),
                    new=masked(current.access_key_id),
                    paid_requests=self.paid,
                )
            self._do(step, ring, current, pending)
        raise RotationStopped(f"{self.client.client_id}: it does not end; somebody else changes the same keys")

    def _do(self, step: Step, ring: KeyRing, current: aws.Credentials, pending: aws.Credentials | None) -> None:
        self.say(f"{self.client.client_id}: {_SAID[step.action]} {masked(step.key_id) if step.key_id else ''}".rstrip())
        key_id = step.key_id or ""
        match step.action:
            case "create":
                self.secrets.prepare(self.client.client_id, self.arn, ring.create())
            case "promote" if pending is not None:
                self._prove(pending, ring, asking=True)
                self.secrets.promote(self.client.client_id, self.arn)
            case "pause":
                self._pause()
            case "deactivate":
                self._prove(current, ring)
                ring.deactivate(key_id)
            case "delete":
                self._prove(current, ring)
                ring.delete(key_id)
            case "delete_lost":
                ring.delete(key_id)
            case "discard":
                if key_id not in self.rotation.known:
                    ring.delete(key_id)
                self.secrets.drop_pending(self.client.client_id, self.arn)
            case _:
                self.secrets.drop_pending(self.client.client_id, self.arn)

    def _pause(self) -> None:
        """Let whoever has read the old key finish. Runs that begin now read the new one."""
        if self.rotation.promoted_at is None:
            self._write(self.rotation, promoted_at=self.now())
        end = (self.rotation.promoted_at or self.now()) + PAUSE
        while self.now() < end:
            self._write(self.rotation, until=self.now() + LEASE)
            self.say(f"{self.client.client_id}: {(end - self.now()).total_seconds():.0f} s left")
            self.wait(min(_SLICE * 3, max((end - self.now()).total_seconds(), 0.1)))

    def _prove(self, keys: aws.Credentials, ring: KeyRing, *, asking: bool = False) -> None:
        """The keys are of the same user, and, if ``asking``, may read costs: a paid request. New ones take a while."""
        deadline, seconds = self.now() + SETTLING, 1.0
        while True:
            try:
                proved = KeyRing(self.client.client_id, keys)
                if (proved.account_id, proved.user) != (ring.account_id, ring.user):
                    raise RotationStopped(f"{self.client.client_id}: {masked(keys.access_key_id)} is of another user")
                if asking:
                    self._ask(Reader(account_id=proved.account_id, credentials=keys))
            except (ClientAccessDenied, CredentialsRejected, CostsThrottled) as not_yet:
                if self.now() >= deadline:
                    raise RotationStopped(
                        f"{self.client.client_id}: {masked(keys.access_key_id)} is not accepted after "
                        f"{SETTLING.seconds} seconds ({not_yet}): the old key stays in use; "
                        "ask the client whether the user may call ce:GetCostAndUsage"
                    ) from None
                self.say(f"{self.client.client_id}: the key is not known everywhere yet; waiting {seconds:.0f} s")
                self.wait(seconds)
                seconds = min(seconds * 2, 15)
            else:
                return

    def _ask(self, account: Reader) -> None:
        today = self.now().date()
        yesterday = Period(start=today - timedelta(days=1), end=today)
        try:
            Questions(self.client.client_id, account).ask(
                "test", OPERATION, question(yesterday, "DAILY", by=(), metrics=("unblended",))
            )
        except (CostExplorerDisabled, CostsNotReady, CostsRefused, PayerDeniesAccess, PolicyDeniesAccess):
            return  # whoever is told this was let in
        self.paid += 1

    def _current(self) -> aws.Credentials:
        keys = self.secrets.keys(self.client.client_id, self.arn)
        if keys is None:
            raise ClientMisconfigured(f"{self.client.client_id}: access.secret_arn: the secret has no current version")
        return keys

    def _ring(self, current: aws.Credentials, pending: aws.Credentials | None = None) -> KeyRing:
        try:
            return KeyRing(self.client.client_id, current)
        except ClientAccessDenied:
            if pending is None:
                raise
            return KeyRing(self.client.client_id, pending)

    def _write(self, rotation: Rotation, **changes: object) -> None:
        changed = rotation.model_copy(update={"until": self.now() + LEASE} | changes)
        if not self.journal.write(self.client.client_id, changed, replacing=rotation):
            self._rotation = None
            raise RotationStopped(f"{self.client.client_id}: another rotation of its key has taken over")
        self._rotation = changed


_SAID: Final = {
    "create": "creating a key and storing it beside the current one",
    "discard": "giving up the key that was prepared,",
    "delete_lost": "deleting a key of which only the id is known,",
    "promote": "testing the new key, then making it the current one:",
    "drop_pending": "clearing the mark of the preparation of",
    "pause": f"letting runs that have the old key finish ({PAUSE.seconds} s)",
    "deactivate": "testing again, then switching off the old key,",
    "delete": "testing again, then deleting the old key,",
}
