"""Import: many new records, all or none of them.

A transaction of DynamoDB takes a hundred items, so fifty records with their versions. Beyond that all records are held
against the table first, and if one is taken meanwhile nevertheless, those that were written are taken back. A crash in
between leaves some of them; the same file again then writes the rest, since it knows its own by the hash of the file.
"""

from collections.abc import Callable, Sequence
from itertools import batched

from cost_reporting.clients import Client
from cost_reporting.contracts import Fact
from cost_reporting.errors import ClientChanged, CostReportingError
from cost_reporting.operations.clients.changing import Author, change, is_erased
from cost_reporting.store.clients import row
from cost_reporting.store.records import LARGEST, Change, RecordStore

AT_ONCE = LARGEST // 3
"""Records in one transaction: each with its version, and perhaps one of what stood there before."""


class Plan(Fact):
    """What an import will write. ``taken`` are ids that have a record of another origin: it will not be carried out.
    ``erased`` are ids whose clients' data was erased: they are not used again, so it will not be carried out either.
    """

    import_id: str
    new: tuple[Client, ...]
    already: tuple[str, ...]
    taken: tuple[str, ...]
    erased: tuple[str, ...] = ()


def plan(clients: Sequence[Client], import_id: str, *, store: RecordStore) -> Plan:
    """Hold the records against the table. ``import_id`` is the hash of their file."""
    wanted = {client.client_id for client in clients}
    there = {str(found["client_id"]) for found in store.clients.whole_rows() if found["client_id"] in wanted}
    already = {client_id for client_id in there if _is_ours(client_id, import_id, store)}
    return Plan(
        import_id=import_id,
        new=tuple(client for client in clients if client.client_id not in there),
        already=tuple(sorted(already)),
        taken=tuple(sorted(there - already)),
        erased=tuple(sorted(each for each in wanted - there if is_erased(store.last(each)))),
    )


def carry_out(planned: Plan, *, store: RecordStore, author: Author, done: Callable[[int], None]) -> None:
    """Write every record of the plan, and say how many after each transaction.

    Raises ClientChanged, after taking everything back, if one was taken meanwhile, and store errors as they are.
    """
    written: list[Change] = []
    try:
        for clients in batched(planned.new, AT_ONCE, strict=False):
            changes = [
                change(
                    client.client_id,
                    None,
                    row(client),
                    "imported",
                    store=store,
                    author=author,
                    import_id=planned.import_id,
                )
                for client in clients
            ]
            lost = store.write(changes)
            if lost:
                raise ClientChanged(f"{', '.join(lost)}: somebody else has added a record at this moment")
            written += changes
            done(len(written))
    except CostReportingError:
        _take_back(written, store, author)
        raise


def _is_ours(client_id: str, import_id: str, store: RecordStore) -> bool:
    last = store.last(client_id)
    return last is not None and last.import_id == import_id and last.record == store.find(client_id)


def _take_back(written: list[Change], store: RecordStore, author: Author) -> None:
    """Remove what this import has written. A record that was changed since then is somebody's, and stays."""
    undone = author.model_copy(update={"reason": "the import failed and was taken back"})
    for each in written:
        store.write([change(each.client_id, each.after, None, "removed", store=store, author=undone)])
