"""List: every row of the clients table as far as it can be read, sound or not."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from cost_reporting.clients import UNREADABLE, is_active, parse_client, said
from cost_reporting.contracts import Cadence, Fact
from cost_reporting.records import account_of, faults_of
from cost_reporting.soundness import NOWHERE, Fault, Standpoint

Status = Literal["active", "suspended", "malformed"]


class Listed(Fact):
    """A row, in short. Of a malformed one there is what it says, and what is wrong with it."""

    client_id: str
    client_name: str
    status: str
    cadences: tuple[str, ...] = ()
    recipients: int = 0
    account: str = ""
    access: str = ""
    locale: str = ""
    currency: str = ""
    version: int | None = None
    faults: tuple[Fault, ...] = ()


def listed(
    rows: Iterable[Mapping[str, Any]],
    *,
    status: Status | None,
    cadence: Cadence | None,
    search: str | None,
    at: Standpoint = NOWHERE,
) -> list[Listed]:
    """The rows that fit, by id. A row that does not say what a filter asks for fits, as it would fit into a run."""
    found = [_listed(row, at) for row in rows if _fits(row, status, cadence, (search or "").casefold())]
    if status == "malformed":
        found = [each for each in found if each.faults]
    return sorted(found, key=lambda each: each.client_id)


def _fits(row: Mapping[str, Any], status: Status | None, cadence: Cadence | None, search: str) -> bool:
    cadences = said(row, "cadences")
    if status in ("active", "suspended") and is_active(row) != (status == "active"):
        return False
    if cadence is not None and cadences is not UNREADABLE and cadence not in cadences:
        return False
    recipients = row.get("recipients")
    texts = [row.get("client_id"), row.get("client_name"), *(recipients if isinstance(recipients, list) else ())]
    return any(search in str(text).casefold() for text in texts)


def _listed(row: Mapping[str, Any], at: Standpoint) -> Listed:
    faults = faults_of(row, at)
    if faults:
        return Listed(
            client_id=str(row.get("client_id", "")),
            client_name=str(row.get("client_name", "")),
            status="malformed",
            faults=faults,
        )
    client = parse_client(row)
    return Listed(
        client_id=client.client_id,
        client_name=client.client_name,
        status=client.status,
        cadences=client.cadences,
        recipients=len(client.recipients),
        account=account_of(client),
        access=client.access.kind,
        locale=client.locale,
        currency=client.currency,
        version=client.version,
    )
