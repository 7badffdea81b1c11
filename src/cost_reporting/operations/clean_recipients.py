"""Clean Recipients: addresses whose mail bounces, or who complained, are taken out of client records, and put back.

A change is one transaction: the record with its next version in the history, and one audit item for each address. So
two at once are safe, and nothing is done without a word about it.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from cost_reporting.clients import Client, parse_client
from cost_reporting.contracts import Fact
from cost_reporting.delivery.alerts import AlertTopic
from cost_reporting.delivery.suppression import SuppressionList
from cost_reporting.errors import ClientChanged, CostReportingError, InvalidRequest
from cost_reporting.ledger import fingerprint
from cost_reporting.operations.clients import changing
from cost_reporting.operations.clients.changing import Author
from cost_reporting.quarantine import Deeded, Finding, Sign, finding, sign_of
from cost_reporting.store.ledger import LedgerStore
from cost_reporting.store.quarantines import QuarantineStore
from cost_reporting.store.records import Action, RecordStore

_REMEDY = (
    "Ask the client for an address that works and put it into the record; "
    "`scripts/clean_recipient_lists.py --undo --client-id {client_id}` puts the old ones back. "
    "Until then every run of this client fails before anything is paid."
)


class Change(Fact):
    """What is done about one address of a client, or would be. The address is for the operator's eyes."""

    client_id: str
    address: str
    recipient: str
    reason: str
    evidence: str | None = None
    evidence_at: datetime | None = None


class Cleaned(Fact):
    """What a run has done: the changes, the clients that nobody can be mailed for, and what went wrong, by client."""

    run_id: str
    dry_run: bool
    changes: tuple[Change, ...]
    without_recipient: tuple[str, ...]
    failed: Mapping[str, str]


@dataclass(frozen=True)
class Cleaning:
    """What a run works with, who it is, and when. ``dry_run`` changes nothing and alerts nobody."""

    records: RecordStore
    ledger: LedgerStore
    suppression: SuppressionList
    trail: QuarantineStore
    alerts: AlertTopic
    run_id: str
    by: str
    at: datetime
    dry_run: bool


Signs = Mapping[tuple[str | None, str], list[Sign]]
"""What is known, by client (None: whoever has the address) and recipient."""


def gather(cleaning: Cleaning, seen: Callable[[int], None]) -> Signs:
    """Every sign in the ledger, which is read whole, and on SES's suppression list. ``seen`` counts items read."""
    signs: defaultdict[tuple[str | None, str], list[Sign]] = defaultdict(list)
    for entry in cleaning.ledger.all_of(seen):
        sign = sign_of(entry)
        if sign is not None:
            signs[entry.report.partition("#")[0], sign.recipient].append(sign)
    for sign in cleaning.suppression.signs():
        signs[None, sign.recipient].append(sign)
    return signs


def quarantine(client_ids: Iterable[str], signs: Signs, cleaning: Cleaning) -> Cleaned:
    """Take out every recipient against whom there is a finding. One client's trouble is its own."""

    def of_client(client: Client) -> list[Change]:
        lifted = _lifted(cleaning.trail.of(client.client_id))
        changes = []
        for address in client.recipients:
            name = fingerprint(address)
            known = [*signs.get((client.client_id, name), ()), *signs.get((None, name), ())]
            found = finding(known, now=cleaning.at, lifted_at=lifted.get(name))
            if found is not None:
                changes.append(_change(client, address, found))
        return changes

    return _each(client_ids, cleaning, of_client, _without, "quarantined")


def restore(
    client_ids: Iterable[str],
    cleaning: Cleaning,
    *,
    address: str | None = None,
    of_run: str | None = None,
    lift: bool = False,
) -> Cleaned:
    """Put quarantined addresses back: all, or ``address``, or those of the run ``of_run``.

    What was known against them is forgiven. With ``lift`` they are taken off SES's suppression list first: while they
    stand there, SES sends them nothing.
    """

    def of_client(client: Client) -> list[Change]:
        last = {deed.recipient: deed for deed in cleaning.trail.of(client.client_id)}
        changes = []
        for each in client.quarantined:
            name = fingerprint(each)
            of = last[name].run_id if name in last else None
            if (address is None or name == fingerprint(address)) and of_run in (None, of):
                changes.append(Change(client_id=client.client_id, address=each, recipient=name, reason="restored"))
        if lift and not cleaning.dry_run:
            for change in changes:
                cleaning.suppression.lift(change.address)
        return changes

    return _each(client_ids, cleaning, of_client, _with, "put back")


def _each(
    client_ids: Iterable[str],
    cleaning: Cleaning,
    of_client: Callable[[Client], list[Change]],
    changed: Callable[[Client, list[Change]], Client],
    action: Action,
) -> Cleaned:
    changes: list[Change] = []
    empty: list[str] = []
    failed: dict[str, str] = {}
    for client_id in client_ids:
        try:
            try:
                after, found = _one(client_id, cleaning, of_client, changed, action)
            except ClientChanged:  # by another writer, so it is judged once more as it stands there now
                after, found = _one(client_id, cleaning, of_client, changed, action)
            changes += found
            if after.status == "active" and not after.recipients and after.quarantined:
                empty.append(client_id)
        except CostReportingError as trouble:
            failed[client_id] = f"{trouble.name}: {trouble} {trouble.remedy}"
    if not cleaning.dry_run:
        failed |= _alerted(empty, cleaning)
    return Cleaned(
        run_id=cleaning.run_id,
        dry_run=cleaning.dry_run,
        changes=tuple(changes),
        without_recipient=tuple(empty),
        failed=failed,
    )


def _one(
    client_id: str,
    cleaning: Cleaning,
    of_client: Callable[[Client], list[Change]],
    changed: Callable[[Client, list[Change]], Client],
    action: Action,
) -> tuple[Client, list[Change]]:
    client = cleaning.records.clients.get(client_id)
    found = of_client(client)
    after = changed(client, found) if found else client
    if found and not cleaning.dry_run:
        author = Author(who=cleaning.by, at=cleaning.at, reason=_reason(found, cleaning))
        revision = changing.revision(client, after, action, store=cleaning.records, author=author)
        version = revision.versions[-1].version
        along = [cleaning.trail.noting(client_id, _deed(change, version, cleaning)) for change in found]
        changing.write(revision, store=cleaning.records, along=along)
    return after, found


def _without(client: Client, changes: list[Change]) -> Client:
    out = {change.address for change in changes}
    kept = tuple(address for address in client.recipients if address not in out)
    known = {address.casefold() for address in client.quarantined}
    added = tuple(change.address for change in changes if change.address.casefold() not in known)
    return client.model_copy(update={"recipients": kept, "quarantined": client.quarantined + added})


def _with(client: Client, changes: list[Change]) -> Client:
    back = {change.address for change in changes}
    known = {address.casefold() for address in client.recipients}
    added = tuple(change.address for change in changes if change.address.casefold() not in known)
    kept = tuple(address for address in client.quarantined if address not in back)
    if len(client.recipients) + len(added) > 50:
        raise InvalidRequest(f"client_id: {client.client_id} would have more than 50 recipients")
    after = client.model_copy(update={"recipients": client.recipients + added, "quarantined": kept})
    return parse_client(after.model_dump())  # what was quarantined long ago may be no address by the rules of today


def _change(client: Client, address: str, found: Finding) -> Change:
    return Change(
        client_id=client.client_id,
        address=address,
        recipient=found.sign.recipient,
        reason=found.why,
        evidence=found.sign.source,
        evidence_at=found.sign.at,
    )


def _reason(changes: list[Change], cleaning: Cleaning) -> str:
    """Why, for the history: without an address, which the version's changes name."""
    told = sorted({f"{each.reason} ({each.evidence})" if each.evidence else each.reason for each in changes})
    return f"{'; '.join(told)}; {cleaning.run_id}"


def _deed(change: Change, version: int, cleaning: Cleaning) -> Deeded:
    return Deeded(
        deed="restored" if change.reason == "restored" else "quarantined",
        recipient=change.recipient,
        at=cleaning.at,
        by=cleaning.by,
        run_id=cleaning.run_id,
        version=version,
        reason=change.reason,
        evidence=change.evidence,
        evidence_at=change.evidence_at,
    )


def _lifted(trail: Iterable[Deeded]) -> dict[str, datetime]:
    """When each recipient was last put back."""
    return {deed.recipient: deed.at for deed in trail if deed.deed == "restored"}


def _alerted(empty: list[str], cleaning: Cleaning) -> dict[str, str]:
    """Alert the operators about each client that nobody can be mailed for. Returns what that did not work for."""
    unheard: dict[str, str] = {}
    for client_id in empty:
        text = f"{client_id}: every recipient is quarantined, so its reports reach nobody.\n"
        try:
            cleaning.alerts.raise_alert(f"No recipient left: {client_id}", text + _REMEDY.format(client_id=client_id))
        except CostReportingError as trouble:
            unheard[client_id] = f"{trouble.name}: {trouble} Nobody was alerted that it has no recipient left."
    return unheard
