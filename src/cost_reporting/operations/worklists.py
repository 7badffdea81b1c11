"""The worklist of a pass: JSON Lines of ClientDue in the bucket, as the Distributed Map reads them."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from hashlib import sha256
from typing import Final, NamedTuple

from pydantic import ValidationError

from cost_reporting.contracts import ClientDue, Run, StoredObject, Worklist
from cost_reporting.errors import StoreRefused
from cost_reporting.store.objects import JSON_LINES, ObjectStore, run_prefix
from cost_reporting.store.runs import RunOnRecord

_NAMED: Final = 20
"""So many ids a sentence names at most."""


class ListedClients(NamedTuple):
    """The clients of a run's first pass. ``changed`` says how the worklist in the bucket differs from what was written.

    ``unknown``: so many further clients were listed, and nothing names them any more.
    """

    client_ids: tuple[str, ...]
    changed: str | None = None
    unknown: int = 0


def write_worklist(
    objects: ObjectStore,
    run: Run,
    pass_number: int,
    due: Iterable[ClientDue],
    *,
    concurrent_clients: int = 5,
    looks: int = 0,
    look_again_at: datetime | None = None,
) -> Worklist:
    """Store the clients of pass ``pass_number``, one per line."""
    lines = [client.model_dump_json() for client in due]
    stored = objects.put(_key(run.run_id, pass_number), "".join(f"{line}\n" for line in lines).encode(), JSON_LINES)
    return Worklist(
        run=run,
        pass_number=pass_number,
        worklist=stored,
        client_count=len(lines),
        concurrent_clients=concurrent_clients,
        looks=looks,
        look_again_at=look_again_at,
    )


def read_worklist(objects: ObjectStore, run_id: str, pass_number: int) -> list[ClientDue]:
    """The clients of pass ``pass_number``. Raises StoreRefused if the worklist is gone."""
    body = objects.get(_key(run_id, pass_number))
    if body is None:
        raise _gone(run_id, pass_number)
    return [ClientDue.model_validate_json(line) for line in body.splitlines()]


def listed_clients(run_id: str, record: RunOnRecord, objects: ObjectStore) -> ListedClients:
    """The clients that List Clients listed, by the run's record; the worklist in the bucket is compared with it.

    Where an older version has written no ids, the worklist is all there is: those whom it lacks are named by their
    outcomes, as far as they have one, and counted. Raises StoreRefused if such a worklist is gone.
    """
    begun = record.begun
    try:
        body = objects.get(_key(run_id, 1))
    except StoreRefused:  # S3 says so of what is gone to those who may not list the bucket
        body = None
    on_list = tuple(_ids(body or b""))
    if begun is None:  # The run is on no record: there is nothing to compare with.
        if body is None:
            raise _gone(run_id, 1)
        return ListedClients(on_list)
    if body is not None and _is(body, begun.worklist) and len(on_list) == begun.client_count:
        return ListedClients(on_list)
    if record.client_ids is None and body is None:
        raise _gone(run_id, 1)
    listed = record.client_ids
    if listed is None:
        listed = tuple(sorted({*on_list, *record.outcomes}))
    unknown = max(begun.client_count - len(listed), 0)
    return ListedClients(listed, _difference(begun.worklist.key, body, on_list, listed, unknown), unknown)


def contested_clients(run_id: str, objects: ObjectStore) -> dict[str, tuple[str, ...]]:
    """The clients of a run whose AWS account another record led to when they were listed, with those others."""
    return {due.client_id: due.contested_by for due in _lines(objects.get(_key(run_id, 1)) or b"") if due.contested_by}


def _difference(key: str, body: bytes | None, on_list: tuple[str, ...], listed: tuple[str, ...], unknown: int) -> str:
    if body is None:
        return f"The worklist {key} is not in the bucket any more, or may not be read."
    missing = [client_id for client_id in listed if client_id not in set(on_list)]
    strange = [client_id for client_id in on_list if client_id not in set(listed)]
    parts = [f"The worklist {key} is not the one that List Clients wrote"]
    parts += [f"missing from it: {_named(missing)}"] if missing else []
    parts += [f"{unknown} more are missing from it, and nothing names them"] if unknown else []
    parts += [f"added to it: {_named(strange)}"] if strange else []
    return "; ".join(parts) + "."


def _named(client_ids: list[str]) -> str:
    more = len(client_ids) - _NAMED
    return ", ".join(client_ids[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _ids(body: bytes) -> Iterator[str]:
    """The ids on a worklist. A line that cannot be read, such as half a line at its end, is no client."""
    return (due.client_id for due in _lines(body))


def _lines(body: bytes) -> Iterator[ClientDue]:
    for line in body.splitlines():
        try:
            yield ClientDue.model_validate_json(line)
        except ValidationError:
            continue


def _is(body: bytes, stored: StoredObject) -> bool:
    return sha256(body).hexdigest() == stored.sha256


def _gone(run_id: str, pass_number: int) -> StoreRefused:
    return StoreRefused(f"the worklist of pass {pass_number} of {run_id} is not in the bucket any more")


def _key(run_id: str, pass_number: int) -> str:
    return f"{run_prefix(run_id)}worklist-{pass_number}.jsonl"
