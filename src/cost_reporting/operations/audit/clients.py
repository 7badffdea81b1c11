"""The clients' doors: how old their keys are, how strong their ExternalIds, and whether their roles ask for them."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from cost_reporting import aws
from cost_reporting.audit import Finding, external_ids, finding
from cost_reporting.clients import Client, RoleAccess, SecretAccess, parse_client
from cost_reporting.domain.account_binding import REMEDY, claim_of, contests
from cost_reporting.errors import ClientMisconfigured
from cost_reporting.operations.audit.scope import NotLookedAt, Scope
from cost_reporting.operations.owned_accounts import FIELDS, told
from cost_reporting.records import printable
from cost_reporting.store.clients import ClientStore
from cost_reporting.store.translation import translated

SESSION: Final = "cost-reporting-audit"


def records(scope: Scope) -> tuple[list[Client], list[str]]:
    """The clients whose records are sound, and the ids of the others."""
    sound: list[Client] = []
    broken: list[str] = []
    for row in ClientStore(scope.clients_table).whole_rows():
        try:
            sound.append(parse_client(row))
        except ClientMisconfigured:
            broken.append(str(row.get("client_id")))
    return sound, sorted(broken)


def accesses(clients: Iterable[Client]) -> Iterator[tuple[str, RoleAccess | SecretAccess]]:
    """How every account of every client is read, by the client's id, or ``acme/Lab`` for a further account."""
    for client in clients:
        for way in client.ways:
            yield printable(way.of(client.client_id)), way.access


def keys(scope: Scope) -> Iterator[Finding]:
    """The age of the clients' secrets, which hold access keys."""
    secrets, seen = aws.client("secretsmanager"), 0
    clients, _ = records(scope)
    for name, access in accesses(clients):
        if not isinstance(access, SecretAccess):
            continue
        seen += 1
        try:
            with translated(f"describe the secret of {name}"):
                found: Any = _described(secrets, access.secret_arn)
        except NotLookedAt:
            yield finding(
                "KEY-MISSING",
                "high",
                name,
                "its secret does not exist",
                "Store its keys, or ask for a role.",
            )
            continue
        age = (scope.now - (found.get("LastChangedDate") or found["CreatedDate"])).days
        if age > scope.key_age_days:
            yield finding(
                "KEY-OLD",
                "high" if age > 4 * scope.key_age_days else "medium",
                name,
                f"its access keys were last changed {age} days ago",
                f"Rotate them: at most {scope.key_age_days} days.",
            )
        yield finding(
            "KEY-LONG-LIVED",
            "low",
            name,
            "is read with access keys, which do not end by themselves",
            "Ask the client for a role.",
        )
    scope.note(f"{seen} secrets described; a secret's age is that of its last change")


def strength(scope: Scope) -> Iterator[Finding]:
    """ExternalIds that are shared, known or weak, and accounts and secrets to which two records lead without leave."""
    clients, broken = records(scope)
    by_client = {
        name: (access.account_id, access.external_id)
        for name, access in accesses(clients)
        if isinstance(access, RoleAccess)
    }
    yield from external_ids(by_client)
    claims = [claim_of(row) for row in ClientStore(scope.clients_table).rows(*FIELDS)]
    for client_id, found in sorted(contests(claims).items()):
        yield finding("ACCOUNT-SHARED", "high", printable(client_id), told(found), REMEDY)
    for client_id in broken:
        yield finding(
            "CLIENT-UNREADABLE",
            "medium",
            client_id,
            "its record cannot be read, so neither can its access",
            "Correct the record, and audit again.",
        )
    scope.note(f"{len(by_client)} ExternalIds judged")


def trust(scope: Scope) -> Iterator[Finding]:
    """Clients' roles that let us in without the ExternalId, and so whoever talks us into it.

    Only a role that opens with the ExternalId proves something by staying shut without it.
    """
    if not scope.probe:
        raise NotLookedAt("only with --probe-clients, since each try leaves a trace in the client's account")
    clients, _ = records(scope)
    roles = [(name, access) for name, access in accesses(clients) if isinstance(access, RoleAccess)]
    shut: list[str] = []
    for done, (name, access) in enumerate(roles):
        scope.progress("clients' roles", done, len(roles))
        if not _opens(access.role_arn, access.external_id):
            shut.append(name)
        elif _opens(access.role_arn, None):
            yield finding(
                "ROLE-WITHOUT-EXTERNAL-ID",
                "high",
                name,
                "its role opens without the ExternalId",
                "Ask the client to add the condition sts:ExternalId to the role's trust policy.",
            )
    scope.note(f"{len(roles) - len(shut)} roles tried")
    if shut:
        told = ", ".join(shut[:10])
        raise NotLookedAt(f"{len(shut)} roles do not open to these credentials at all, so nothing is proved: {told}")


def _opens(role_arn: str, external_id: str | None) -> bool:
    with translated("assume a client's role"):
        try:
            aws.client("sts").assume_role(
                RoleArn=role_arn,
                RoleSessionName=SESSION,
                DurationSeconds=900,
                **({} if external_id is None else {"ExternalId": external_id}),  # type: ignore[arg-type]
            )
        except aws.Refused as refused:
            if aws.code(refused) in ("AccessDenied", "AccessDeniedException"):
                return False
            raise
    return True


def _described(secrets: Any, arn: str) -> Any:
    try:
        return secrets.describe_secret(SecretId=arn)
    except aws.Refused as refused:
        if aws.code(refused) == "ResourceNotFoundException":
            raise NotLookedAt from None
        raise
