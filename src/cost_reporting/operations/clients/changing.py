"""Changes of one client's record: each is a version, and each names the record that it is made to."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import AwareDatetime

from cost_reporting.clients import Client, parse_client
from cost_reporting.contracts import Fact
from cost_reporting.errors import ClientChanged, ClientUnknown, InvalidRequest
from cost_reporting.operations.clients.ownership import require_own
from cost_reporting.operations.owned_accounts import FIELDS
from cost_reporting.records import SECRET, Unsound, differences, faults_of
from cost_reporting.soundness import NOWHERE, Standpoint
from cost_reporting.store.clients import row
from cost_reporting.store.records import Action, Along, Change, RecordStore, Version

Row = Mapping[str, Any]
_ACCESSES = ("access.", "more_accounts.")


class Author(Fact):
    """Who changes a record, when and, if they say so, why. ``who`` is the ARN of the caller."""

    who: str
    at: AwareDatetime
    reason: str | None = None


def add(client: Client, *, store: RecordStore, author: Author) -> Version:
    """A new record. Raises InvalidRequest if there is one with this id, ClientChanged if there is one meanwhile.

    Raises AccountTaken if it leads to another client's account or secret.
    """
    if store.find(client.client_id) is not None:
        raise InvalidRequest(f"client_id: there is a record of {client.client_id} already")
    _require_own(None, row(client), store)
    return write(change(client.client_id, None, row(client), "added", store=store, author=author), store=store)


def update(client_id: str, client: Client, *, since: int | None, store: RecordStore, author: Author) -> Version | None:
    """The record becomes ``client``; None if it is so already. ``since`` is the version that the change was made to.

    An update also makes the record's accounts the client's, where somebody has moved the record by hand.
    Raises InvalidRequest if the record is another client's, AccountTaken if its account is, ClientUnknown, or
    ClientChanged.
    """
    if client.client_id != client_id:
        raise InvalidRequest(f"client_id: the record is that of {client.client_id}, not of {client_id}")
    before = _found(client_id, store)
    if since is not None and before.get("version", since) != since:
        last = store.last(client_id)
        by = f": {last.who} {last.action} it at {last.at:%Y-%m-%d %H:%M} UTC" if last else ""
        raise ClientChanged(f"{client_id}: version {before['version']} stands there, and the file is of {since}{by}")
    after = row(client)
    if not differences(before, after) and "version" in before and store.is_bound(client_id, after):
        return None
    _require_own(before, after, store)
    return write(change(client_id, before, after, "updated", store=store, author=author), store=store)


def revision(read: Client, after: Client, action: Action, *, store: RecordStore, author: Author) -> Change:
    """The change of the record that ``read`` was read from into ``after``, to be written with :func:`write`.

    Only what differs between the two is changed. Raises ClientUnknown, or ClientChanged if the record is another one.
    """
    before = _found(read.client_id, store)
    if parse_client(before) != read:
        raise ClientChanged(f"{read.client_id}: another writer has changed the record since it was read")
    old, new = row(read), row(after)
    kept = {name: value for name, value in before.items() if name in new or name not in old}
    left = kept | {name: value for name, value in new.items() if value != old.get(name)}
    return change(read.client_id, before, left, action, store=store, author=author)


def set_status(
    client_id: str,
    status: Literal["active", "suspended"],
    *,
    store: RecordStore,
    author: Author,
    at: Standpoint = NOWHERE,
) -> Version | None:
    """The client gets reports, or none; None if it is so already. Even a malformed record can be suspended.

    Raises ClientUnknown, ClientChanged, and of one that is to be active Unsound if its record has faults, or
    AccountTaken if it leads to another client's account.
    """
    before = _found(client_id, store)
    after = {**before, "status": status}
    faults = faults_of(after, at)
    if faults and status == "active":
        raise Unsound(f"--client-id: {client_id}", faults)
    if status == "active":
        _require_own(before, after, store, strict=True)
    if before.get("status") == status:
        return None
    action: Action = "activated" if status == "active" else "suspended"
    return write(change(client_id, before, after, action, store=store, author=author), store=store)


def rollback(
    client_id: str,
    to: int | None,
    *,
    access: Literal["restore", "keep"] | None,
    store: RecordStore,
    author: Author,
    at: Standpoint = NOWHERE,
) -> Version | None:
    """The record becomes what it was at version ``to``, or before the last change. A removed one comes back.

    An older ``access`` may no longer open the client's account, so where it differs somebody has to choose.
    Raises InvalidRequest naming the field, Unsound if that version has faults by the rules of today, AccountTaken,
    ClientUnknown, or ClientChanged.
    """
    versions = store.versions(client_id)
    before = store.find(client_id)
    if not versions:
        raise ClientUnknown(f"{client_id}: nothing is known of an earlier record")
    wanted = _wanted(client_id, versions, before, to)
    assert wanted.record is not None  # noqa: S101 - _wanted takes none without
    after = dict(wanted.record)
    moved = [each.field for each in differences(before, after) if f"{each.field}.".startswith(_ACCESSES)]
    if before is not None and moved:
        if access is None:
            what = "another ExternalId" if moved == [SECRET] else "another access"
            raise InvalidRequest(f"access: version {wanted.version} has {what} than the record has today")
        if access == "keep":
            after |= {name: before[name] for name in ("access", "more_accounts") if name in before}
            if "more_accounts" not in before:
                after.pop("more_accounts", None)
    if faults := faults_of(after, at):
        raise Unsound(f"--to: version {wanted.version}", faults)
    if before is not None and not differences(before, after):
        return None
    _require_own(before, after, store)
    return write(change(client_id, before, after, "rolled back", store=store, author=author), store=store)


def _require_own(before: Row | None, after: Row, store: RecordStore, *, strict: bool = False) -> None:
    require_own(before, after, store.clients.rows(*FIELDS), store.accounts, strict=strict)


def _wanted(client_id: str, versions: tuple[Version, ...], before: Row | None, to: int | None) -> Version:
    if to is not None:
        found = next((each for each in versions if each.version == to), None)
        if found is None:
            known = f"{versions[0].version} to {versions[-1].version}"
            raise InvalidRequest(f"to: there is no version {to} of {client_id}; there are {known}")
        if found.record is None:
            raise InvalidRequest(f"to: at version {to} there was no record of {client_id}")
        return found
    earlier = [each for each in versions if each.record is not None and differences(before, each.record)]
    if not earlier:
        raise InvalidRequest(f"to: there is no earlier version of {client_id}")
    return earlier[-1]


def change(
    client_id: str,
    before: Row | None,
    after: Row | None,
    action: Action,
    *,
    store: RecordStore,
    author: Author,
    import_id: str | None = None,
) -> Change:
    """The change with its version. What stood there and was never written down becomes a version of its own first.

    Raises InvalidRequest for a new record of a client whose data was erased.
    """
    last = store.last(client_id)
    if is_erased(last) and before is None and after is not None:
        raise InvalidRequest(f"client_id: the data of {client_id} was erased, and its id is not used again")
    top, stood = (last.version, last.record) if last else (0, None)
    version = _number(before)
    versions = []
    if before != stood:
        top = max(version, top + 1)
        versions.append(
            Version(
                client_id=client_id,
                version=top,
                action="found",
                who="unknown",
                at=author.at,
                changes=differences(stood, before),
                record=before,
            )
        )
    number = max(version, top) + 1
    left = None if after is None else {**after, "version": number}
    versions.append(
        Version(
            client_id=client_id,
            version=number,
            action=action,
            who=author.who,
            at=author.at,
            changes=differences(before, after),
            record=left,
            reason=author.reason,
            import_id=import_id,
        )
    )
    return Change(client_id=client_id, before=before, after=left, versions=tuple(versions))


def is_erased(last: Version | None) -> bool:
    """Whether a client's last version says that all its data was erased. Its id is not used again: the mail ledger has
    forgotten what was mailed under it, so a report of an old period could go out a second time.
    """
    return last is not None and last.action == "erased"


def _number(row: Row | None) -> int:
    try:
        return max(int((row or {}).get("version", 0)), 0)
    except (TypeError, ValueError):
        return 0


def _found(client_id: str, store: RecordStore) -> Row:
    found = store.find(client_id)
    if found is None:
        raise ClientUnknown(f"{client_id}: no such client record")
    return found


def write(change: Change, *, store: RecordStore, along: Sequence[Along] = ()) -> Version:
    """Write the change and what goes ``along``, or nothing. Raises ClientChanged if another writer was first."""
    lost = store.write([change], along=along)
    if change.client_id in lost:
        raise ClientChanged(f"{change.client_id}: another writer has changed the record at this moment")
    if lost:
        raise ClientChanged(f"{change.client_id}: another writer has changed {', '.join(lost)} at this moment")
    return change.versions[-1]
