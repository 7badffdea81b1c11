"""The worklist of a pass: JSON Lines of ClientDue in the bucket, as the Distributed Map reads them."""

from collections.abc import Iterable

from cost_reporting.contracts import ClientDue, Run, Worklist
from cost_reporting.errors import StoreRefused
from cost_reporting.store.objects import JSON_LINES, ObjectStore, run_prefix


def write_worklist(objects: ObjectStore, run: Run, pass_number: int, due: Iterable[ClientDue]) -> Worklist:
    """Store the clients of pass ``pass_number``, one per line."""
    lines = [client.model_dump_json() for client in due]
    stored = objects.put(_key(run.run_id, pass_number), "".join(f"{line}\n" for line in lines).encode(), JSON_LINES)
    return Worklist(run=run, pass_number=pass_number, worklist=stored, client_count=len(lines))


def read_worklist(objects: ObjectStore, run_id: str, pass_number: int) -> list[ClientDue]:
    """The clients of pass ``pass_number``. Raises StoreRefused if the worklist is gone."""
    body = objects.get(_key(run_id, pass_number))
    if body is None:
        raise StoreRefused(f"the worklist of pass {pass_number} of {run_id} is not in the bucket any more")
    return [ClientDue.model_validate_json(line) for line in body.splitlines()]


def _key(run_id: str, pass_number: int) -> str:
    return f"{run_prefix(run_id)}worklist-{pass_number}.jsonl"
