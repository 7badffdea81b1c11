"""How old every client's credentials are, whether they work, and whether a rotation waits for somebody."""

from collections.abc import Iterator
from datetime import datetime
from shlex import quote
from typing import Final

from cost_reporting.clients import Client, RoleAccess, SecretAccess, Way
from cost_reporting.credentials import (
    EXTERNAL_ID_DAYS,
    KEY_DAYS,
    PATIENCE,
    CredentialAge,
    ExternalIdNote,
    Kind,
    Verdict,
    judged,
    masked,
)
from cost_reporting.errors import (
    ClientAccessDenied,
    ClientMisconfigured,
    ClientUnknown,
    CostReportingError,
    RotationStopped,
)
from cost_reporting.sources.access import lets_in
from cost_reporting.sources.keys import KeyRing
from cost_reporting.store.clients import ClientStore
from cost_reporting.store.objects import ObjectStore
from cost_reporting.store.onboardings import OnboardingStore
from cost_reporting.store.rotations import RotationStore
from cost_reporting.store.secrets import SecretStore

_UNKNOWN_AGE: Final = "nobody has written down when it was made, so it counts as due"


def credential_ages(
    client_ids: list[str],
    *,
    clients: ClientStore,
    secrets: SecretStore,
    journal: RotationStore,
    objects: ObjectStore,
    onboardings: OnboardingStore,
    at: datetime,
    older_than: int | None = None,
) -> Iterator[CredentialAge]:
    """One for each account of each of ``client_ids``, as it is known; ``older_than`` days replace both limits.

    Nothing is written, and nothing is paid. Raises a store's errors only: what is wrong with one client is its verdict.
    """
    for client_id in client_ids:
        try:
            client = clients.get(client_id)
        except (ClientMisconfigured, ClientUnknown) as fault:
            yield CredentialAge(
                client_id=client_id, kind=None, verdict="malformed", detail=str(fault), remedy=fault.remedy
            )
            continue
        used = objects.newest(f"reports/{client_id}/", "/costs.json")
        for way in client.ways:
            aged = _of_account(client, way, secrets, journal.of(way), onboardings, at, older_than)
            yield aged if aged.last_used is not None else aged.model_copy(update={"last_used": used})


def _of_account(
    client: Client,
    way: Way,
    secrets: SecretStore,
    journal: RotationStore,
    onboardings: OnboardingStore,
    at: datetime,
    older_than: int | None,
) -> CredentialAge:
    kind: Kind = "external_id" if isinstance(way.access, RoleAccess) else "key"
    limit = older_than if older_than is not None else EXTERNAL_ID_DAYS if kind == "external_id" else KEY_DAYS
    try:
        if isinstance(way.access, RoleAccess):
            return _of_role(client, way, way.access, journal, onboardings, limit, at)
        return _of_key(client, way, way.access, secrets, journal, limit, at)
    except CostReportingError as trouble:
        return CredentialAge(
            client_id=client.client_id,
            account=way.account,
            kind=kind,
            verdict="malformed" if isinstance(trouble, ClientMisconfigured) else "unreachable",
            limit_days=limit,
            detail=f"{trouble.name}: {trouble}",
            remedy=trouble.remedy,
        )


def _of_role(
    client: Client,
    way: Way,
    access: RoleAccess,
    notes: RotationStore,
    onboardings: OnboardingStore,
    limit: int,
    at: datetime,
) -> CredentialAge:
    if not lets_in(access.role_arn, access.external_id):
        raise ClientAccessDenied(f"{client.client_id}: role: it does not let us in")
    note = notes.note(client.client_id)
    if access.external_id not in (note.replaces, note.pending) and note.pending is not None:
        note = ExternalIdNote()
    agreed = onboardings.find(client.client_id)
    made_at = agreed.made_at if agreed is not None and agreed.access == access else None
    since = made_at or note.since
    verdict, age = judged(since, limit, at)
    detail = None if since else _UNKNOWN_AGE
    if note.replaces is not None and note.waiting_since is not None:
        verdict = "unfinished" if at - note.waiting_since > PATIENCE else "ok"
        part = "add the new ExternalId" if note.pending else "drop the old ExternalId"
        detail = f"rotation: the client was asked to {part} on {note.waiting_since:%Y-%m-%d}"
    return _aged(client, way, "external_id", verdict, limit, age, since, None, detail)


def _of_key(
    client: Client,
    way: Way,
    access: SecretAccess,
    secrets: SecretStore,
    journal: RotationStore,
    limit: int,
    at: datetime,
) -> CredentialAge:
    arn = access.secret_arn
    current = secrets.keys(client.client_id, arn)
    if current is None:
        raise ClientMisconfigured(f"{client.client_id}: {way.field}.secret_arn: the secret has no current version")
    ring = KeyRing(client.client_id, current)
    details: list[str] = []
    try:
        keys = ring.keys()
        since = keys[current.access_key_id].created_at if current.access_key_id in keys else None
        details += [f"a second key: {masked(key)}" for key in sorted(keys) if key != current.access_key_id]
    except RotationStopped as stopped:
        since = secrets.stored_at(client.client_id, arn)
        details.append(f"at least so old; {str(stopped).partition(': ')[2]}")
    try:
        last_used = ring.last_used(current.access_key_id)
    except RotationStopped:
        last_used = None
    verdict, age = judged(since, limit, at)
    begun = journal.rotation(client.client_id)
    if begun is not None:
        verdict = "unfinished"
        details.append(f"a rotation began on {begun.began_at:%Y-%m-%d} and has not ended")
    return _aged(client, way, "key", verdict, limit, age, since, last_used, "; ".join(details) or None)


def _aged(
    client: Client,
    way: Way,
    kind: Kind,
    verdict: Verdict,
    limit: int,
    age: int | None,
    since: datetime | None,
    last_used: datetime | None,
    detail: str | None,
) -> CredentialAge:
    command = f"scripts/rotate_client_credentials.py --client-id {client.client_id}"
    if way.account is not None:
        command += f" --account {quote(way.account)}"
    return CredentialAge(
        client_id=client.client_id,
        account=way.account,
        kind=kind,
        verdict=verdict,
        limit_days=limit,
        age_days=age,
        since=since,
        last_used=last_used,
        detail=detail,
        remedy=None if verdict == "ok" else f"Rotate it: `{command}`.",
    )
