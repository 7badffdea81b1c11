"""Client records as a backup has them, held against the clients table, and copied back one by one."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Literal

from cost_reporting.contracts import Fact
from cost_reporting.domain.account_binding import Contest
from cost_reporting.errors import InvalidRequest
from cost_reporting.operations.clients.changing import Author, change
from cost_reporting.operations.clients.ownership import breaches
from cost_reporting.records import faults_of
from cost_reporting.soundness import Fault, Standpoint
from cost_reporting.store.records import RecordStore

Row = Mapping[str, Any]
RESTORED: Final = "-restored-"
"""Tables made from backups have this in their names, and no other table is ever deleted."""


class Difference(Fact):
    """How a client's row differs from the one in the backup. ``fields`` are names; values may be nobody's business.

    missing: the clients table has none. changed: both have one. ``versions`` are the backup's and the table's; a
    record that was written by hand may have none.
    """

    client_id: str
    kind: Literal["missing", "changed"]
    fields: tuple[str, ...]
    versions: tuple[int | None, int | None]

    @property
    def newer_here(self) -> bool:
        """Whether somebody has changed the record since the backup."""
        there, here = self.versions
        return here is not None and (there is None or here > there)


class Copied(Fact):
    """How the copying of a row ended. LOST: it was changed in between, and is left so. ERASED: its client's data was
    erased, and does not come back.
    """

    client_id: str
    status: Literal["COPIED", "LOST", "ERASED"]


def differences(backup: Mapping[str, Row], table: Mapping[str, Row]) -> Iterator[Difference]:
    """What of the backup is not in the table as it was, by client id. What only the table has is no difference."""
    for client_id, there in sorted(backup.items()):
        here = table.get(client_id)
        if here is None:
            gone = (_version(there), None)
            yield Difference(client_id=client_id, kind="missing", fields=tuple(sorted(there)), versions=gone)
        elif here != there:
            fields = tuple(sorted(name for name in {*here, *there} if here.get(name) != there.get(name)))
            versions = (_version(there), _version(here))
            yield Difference(client_id=client_id, kind="changed", fields=fields, versions=versions)


def contested(
    wanted: Iterable[Difference], backup: Mapping[str, Row], table: Mapping[str, Row], *, store: RecordStore
) -> dict[str, tuple[Contest, ...]]:
    """By client, the accounts and secrets of other clients that the backup's records would lead to."""
    return breaches([backup[each.client_id] for each in wanted], table.values(), store.accounts)


def unsound(wanted: Iterable[Difference], backup: Mapping[str, Row], at: Standpoint) -> Iterator[Fault]:
    """The faults, by the rules of today, of the backup's records, each with the client's id before its field."""
    for each in wanted:
        for fault in faults_of(backup[each.client_id], at):
            yield fault.model_copy(update={"field": f"{each.client_id}: {fault.field}"})


def copy_back(
    wanted: Iterable[Difference],
    backup: Mapping[str, Row],
    table: Mapping[str, Row],
    *,
    store: RecordStore,
    author: Author,
) -> Iterator[Copied]:
    """Put the backup's rows into the table, each only if the row there is still the one that was compared.

    Each is a new version in the record's history, so whoever edits the old one loses and not the restore.
    """
    for difference in wanted:
        client_id = difference.client_id
        try:
            restored = change(
                client_id, table.get(client_id), backup[client_id], "restored", store=store, author=author
            )
        except InvalidRequest:
            yield Copied(client_id=client_id, status="ERASED")
            continue
        yield Copied(client_id=client_id, status="LOST" if store.write([restored]) else "COPIED")


def _version(row: Row) -> int | None:
    """The row's version, if it is one."""
    try:
        return int(row["version"])
    except (KeyError, TypeError, ValueError):
        return None
