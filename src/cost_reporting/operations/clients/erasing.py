"""Erase a client's or a person's data from every version and store. If interrupted, run it again to resume.

The record comes first, with a version that says who erased, when and why, and holds nothing of what was erased; then
the items of the outcomes table, then the bucket. So whatever stops it, no run mails what is half erased.

What stays, and why: of a person, the entries of the mail ledger. They hold a fingerprint and no address, and are what
keeps a report from being mailed twice while the client exists. Of a client nothing stays but the version "erased",
which keeps its id from being given to another client: the ledger has forgotten what was mailed under it.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from itertools import chain
from typing import Any, Final

from cost_reporting.clients import is_active
from cost_reporting.contracts import Fact
from cost_reporting.domain.erasure import kind_of, mentions, without
from cost_reporting.errors import ClientUnknown, InvalidRequest
from cost_reporting.ledger import fingerprint
from cost_reporting.operations.clients.changing import Author, change, write
from cost_reporting.operations.clients.removing import folders
from cost_reporting.store.erasing import Eraser
from cost_reporting.store.records import Change, RecordStore, Version
from cost_reporting.store.sweeping import Kept, Sweeper

RUNS: Final = "runs/"
REDRIVEN: Final = timedelta(days=14)
"""How long an execution can be redriven, and needs its worklist (Step Functions Developer Guide, "Redriving")."""
Items = tuple[Mapping[str, Any], ...]


class Plan(Fact):
    """What an erasure will do. ``kept`` are ledger entries that stay; ``later`` documents that a run may still need."""

    client_id: str
    recipient: str | None
    record: bool
    deleted: Items
    rewritten: Items
    documents: tuple[Kept, ...]
    counts: Mapping[str, int]
    ledger_kept: int = 0
    later: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left to be erased."""
        return not (self.record or self.deleted or self.rewritten or self.documents)


def plan(
    client_id: str,
    address: str | None,
    *,
    store: RecordStore,
    eraser: Eraser,
    sweeper: Sweeper,
    at: datetime,
    seen: Callable[[int], None],
) -> Plan:
    """Find all that there is, which reads the outcomes table and the documents of runs whole.

    Raises ClientUnknown, or InvalidRequest naming the field: for a whole client that is active, and for the last
    recipient of one.
    """
    record, last = store.find(client_id), store.last(client_id)
    if address is None:
        if record is not None and is_active(record):
            raise InvalidRequest(f"client_id: {client_id} is active: suspend or remove it first")
    else:
        _require_another(record, address)
    deleted, rewritten, counts, ledger_kept = _items(client_id, address, eraser, seen)
    documents, later = _documents(client_id, address, eraser, sweeper, at)
    if record is None and last is None and not (deleted or documents):
        raise ClientUnknown(f"{client_id}: no such client record, and nothing is stored of such a client")
    counts["documents"] = len(documents)
    holds = record is not None and (address is None or without(record, address) != record)
    counts["record"] = int(holds)
    return Plan(
        client_id=client_id,
        recipient=None if address is None else fingerprint(address),
        record=holds,
        deleted=deleted,
        rewritten=rewritten,
        documents=documents,
        counts={name: count for name, count in sorted(counts.items()) if count},
        ledger_kept=ledger_kept,
        later=later,
    )


def erase(
    planned: Plan,
    address: str | None,
    *,
    store: RecordStore,
    eraser: Eraser,
    sweeper: Sweeper,
    author: Author,
    done: Callable[[int], None],
) -> Version | None:
    """Carry the plan out; ``done`` is told how many items and documents are erased. Returns the version, if one came.

    Raises ClientChanged if the record is another one meanwhile: nothing was done then. Store errors are raised as they
    are: what they leave is found by the next plan.
    """
    version = None
    if planned.record or _unsaid(planned, store):
        version = write(_change(planned, address, store, author), store=store)
    count = 0
    for item in planned.rewritten:
        eraser.rewrite(item)
        count += 1
        done(count)
    for some in chain(eraser.delete(planned.deleted), sweeper.remove(planned.documents)):
        count += some
        done(count)
    return version


def _unsaid(planned: Plan, store: RecordStore) -> bool:
    """Whether the history does not say yet that this was erased."""
    if planned.is_empty:
        return False
    last = store.last(planned.client_id)
    if last is None:
        return True
    if planned.recipient is None:
        return last.action != "erased"
    return last.action not in ("erased", "recipient erased") or planned.recipient not in (last.reason or "")


def _change(planned: Plan, address: str | None, store: RecordStore, author: Author) -> Change:
    """The version of the erasure: of a client it holds nothing, of a person the record without the address."""
    before = store.find(planned.client_id)
    if address is None:
        made = change(planned.client_id, before, None, "erased", store=store, author=author)
        (*_, last) = made.versions
        return made.model_copy(update={"versions": (last.model_copy(update={"changes": ()}),)})
    _require_another(before, address)
    after = None if before is None else without(before, address)
    why = f": {without(author.reason, address)}" if author.reason else ""
    told = author.model_copy(update={"reason": f"recipient {fingerprint(address)}{why}"})
    made = change(planned.client_id, before, after, "recipient erased", store=store, author=told)
    versions = tuple(Version.model_validate(without(each.model_dump(), address)) for each in made.versions)
    return made.model_copy(update={"versions": versions})


def _require_another(record: Mapping[str, Any] | None, address: str) -> None:
    if record is None or not is_active(record) or not record.get("recipients"):
        return
    if not without({"recipients": record["recipients"]}, address)["recipients"]:
        raise InvalidRequest("address: it is the last recipient of an active client: add another, or suspend it first")


def _items(
    client_id: str, address: str | None, eraser: Eraser, seen: Callable[[int], None]
) -> tuple[Items, Items, Counter[str], int]:
    """What of the outcomes table is deleted, what is rewritten, how much of each kind, and how much stays."""
    deleted: list[Mapping[str, Any]] = []
    rewritten: list[Mapping[str, Any]] = []
    counts: Counter[str] = Counter()
    ledger_kept = 0
    for item in eraser.items(seen):
        kind = kind_of(item, client_id)
        if address is None:
            if kind is not None and not (kind == "versions" and item.get("action") == "erased"):
                deleted.append(item)
                counts[kind] += 1
            continue
        if kind == "recipients' notes" and item.get("recipient") == fingerprint(address):
            deleted.append(item)
            counts[kind] += 1
        elif kind == "mail ledger" and item["sk"] == f"TO#{fingerprint(address)}":
            ledger_kept += 1
        elif kind is not None or (str(item["pk"]).startswith("RUN#") and not item["sk"].startswith("OUTCOME#")):
            left = without(item, address)
            if left != item:
                rewritten.append(left)
                counts[kind or "runs"] += 1
    return tuple(deleted), tuple(rewritten), counts, ledger_kept


def _documents(
    client_id: str, address: str | None, eraser: Eraser, sweeper: Sweeper, at: datetime
) -> tuple[tuple[Kept, ...], tuple[str, ...]]:
    """Every version of the client's documents, or those that hold the address; and those of runs that name either.

    Those of a run that can still be redriven are left for later: other clients' reports need them.
    """
    own = [each for folder in folders(client_id) for each in sweeper.below(folder, versions=True)]
    found = own if address is None else [each.kept for each in eraser.look(own) if _holds(each.text, address, None)]
    later: list[str] = []
    for each in eraser.look(sweeper.below(RUNS, versions=True)):
        if not _holds(each.text, address, client_id if address is None else None):
            continue
        stored = each.kept.stored_at
        if stored is not None and at - stored < REDRIVEN:
            later.append(f"{each.kept.key} (after {(stored + REDRIVEN):%Y-%m-%d})")
        else:
            found.append(each.kept)
    return tuple(found), tuple(later)


def _holds(text: str | None, address: str | None, client_id: str | None) -> bool:
    return text is not None and mentions(text, address=address, client_id=client_id)
