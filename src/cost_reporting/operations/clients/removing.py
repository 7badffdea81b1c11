"""Remove: the record first, then what the bucket keeps of the client. Done again, it finishes what was interrupted.

Outcomes, the mail ledger and the versions of the record stay: they are the proof of what was sent to whom.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from cost_reporting.clients import ClientId
from cost_reporting.contracts import Fact
from cost_reporting.errors import ClientChanged, ClientUnknown
from cost_reporting.operations.clients.changing import Author, change, write
from cost_reporting.store.accounts import Binding
from cost_reporting.store.records import RecordStore, Version
from cost_reporting.store.sweeping import Kept, Sweeper

PREFIXES: Final = ("clients", "reports", "onboarding")
"""Where a client has a folder of its own. What runs have written is below ``runs/`` and about many clients."""


class Plan(Fact):
    """What a removal will do: ``record`` is the row, None if it is gone already. ``accounts`` are the client's."""

    client_id: str
    record: Mapping[str, Any] | None
    kept: tuple[Kept, ...]
    accounts: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Bytes in the bucket."""
        return sum(each.size for each in self.kept)


def plan(client_id: str, *, purge: bool, store: RecordStore, sweeper: Sweeper) -> Plan:
    """What there is of the client. ``purge``: every version of every object, for good.

    Raises ClientUnknown if there never was such a client.
    """
    record = store.find(client_id)
    accounts = tuple(sorted(store.accounts.held([client_id])[client_id].accounts))
    if record is None and not accounts and store.last(client_id) is None:
        raise ClientUnknown(f"{client_id}: no such client record")
    kept = tuple(each for folder in folders(client_id) for each in sweeper.below(folder, versions=purge))
    return Plan(client_id=client_id, record=record, kept=kept, accounts=accounts)


def folders(client_id: str) -> tuple[str, ...]:
    """The client's folders. A row whose id could not be a client's never had any."""
    try:
        TypeAdapter(ClientId).validate_python(client_id)
    except ValidationError:
        return ()
    return tuple(f"{top}/{client_id}/" for top in PREFIXES)


def remove_record(planned: Plan, *, store: RecordStore, author: Author) -> Version | None:
    """Remove the record; None if it is gone already. Raises ClientChanged if it is not the one that was planned for.

    Its accounts are nobody's from then on, be they bound by the record or only by an onboarding.
    """
    if planned.record is None:
        release = Binding(client_id=planned.client_id, accounts={}, at=author.at, by="record")
        if not store.accounts.bind(release):
            raise ClientChanged(f"{planned.client_id}: another writer has bound its accounts at this moment")
        return None
    removal = change(planned.client_id, planned.record, None, "removed", store=store, author=author)
    return write(removal, store=store)


def remove_kept(kept: Iterable[Kept], *, sweeper: Sweeper) -> Iterator[int]:
    """Remove the objects, saying after each request how many."""
    return sweeper.remove(kept)
