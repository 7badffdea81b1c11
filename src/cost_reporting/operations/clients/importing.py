"""Import: many new records, all or none of them.

A transaction of DynamoDB takes a hundred items: each record with its version, and whose its accounts are. Beyond that
all records are held against the table first, and if one is taken meanwhile nevertheless, those that were written are
taken back. A crash in between leaves some of them; the same file again then writes the rest, since it knows its own by
the hash of the file.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from cost_reporting.clients import Client
from cost_reporting.contracts import Fact
from cost_reporting.domain.account_binding import Contest
from cost_reporting.errors import ClientChanged, CostReportingError
from cost_reporting.operations.clients.changing import Author, change, is_erased
from cost_reporting.operations.clients.ownership import breaches
from cost_reporting.operations.owned_accounts import FIELDS
from cost_reporting.store.clients import row
from cost_reporting.store.records import LARGEST, Change, RecordStore


class Plan(Fact):
    """What an import will write. It is not carried out if ids are ``taken`` or ``erased``, or records ``contested``.

    ``taken`` have a record of another origin. ``erased`` are ids whose clients' data was erased: they are not used
    again. ``contested`` are the accounts and secrets of other clients, in the table or in the same file, by the client
    whose record leads there.
    """

    import_id: str
    new: tuple[Client, ...]
    already: tuple[str, ...]
    taken: tuple[str, ...]
    contested: Mapping[str, tuple[Contest, ...]]
    erased: tuple[str, ...] = ()


def plan(clients: Sequence[Client], import_id: str, *, store: RecordStore) -> Plan:
    """Hold the records against the table. ``import_id`` is the hash of their file."""
    wanted, rows = {client.client_id for client in clients}, list(store.clients.rows(*FIELDS))
    there = {str(found["client_id"]) for found in rows if found["client_id"] in wanted}
    already = {client_id for client_id in there if _is_ours(client_id, import_id, store)}
    new = tuple(client for client in clients if client.client_id not in there)
    return Plan(
        import_id=import_id,
        new=new,
        contested=breaches(list(map(row, new)), rows, store.accounts),
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
        for clients in _transactions(planned.new):
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


def _transactions(clients: Iterable[Client]) -> Iterator[list[Client]]:
    """The clients in groups that one transaction can write.

    Each is its record, its version, perhaps a version of what stood there before, which accounts it has, and for each
    account whose it is.
    """
    group, items = list[Client](), 0
    for client in clients:
        size = 4 + len(client.ways)
        if items + size > LARGEST:
            yield group
            group, items = [], 0
        group.append(client)
        items += size
    if group:
        yield group


def _is_ours(client_id: str, import_id: str, store: RecordStore) -> bool:
    last = store.last(client_id)
    return last is not None and last.import_id == import_id and last.record == store.find(client_id)


def _take_back(written: list[Change], store: RecordStore, author: Author) -> None:
    """Remove what this import has written. A record that was changed since then is somebody's, and stays."""
    undone = author.model_copy(update={"reason": "the import failed and was taken back"})
    for each in written:
        store.write([change(each.client_id, each.after, None, "removed", store=store, author=undone)])
