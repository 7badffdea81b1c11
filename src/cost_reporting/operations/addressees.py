"""The recipients that a test report was asked for: kept beside the run's worklist, so that no state carries them."""

from typing import Final

from pydantic import TypeAdapter

from cost_reporting.contracts import FormerAddress, Run, StoredObject
from cost_reporting.store.objects import JSON, ObjectStore, run_prefix

_ADDRESSES: Final = TypeAdapter(tuple[FormerAddress, ...])


def write_addressees(objects: ObjectStore, run: Run, recipients: tuple[str, ...]) -> StoredObject:
    """Store the recipients of the test report of ``run``. Send Email alone reads them."""
    return objects.put(f"{run_prefix(run.run_id)}recipients.json", _ADDRESSES.dump_json(recipients), JSON)


def read_addressees(objects: ObjectStore, run: Run) -> tuple[str, ...] | None:
    """The recipients that the request of ``run`` names, or None. Raises StoreRefused if they are gone, or others.

    A run that began before a deployment of this version carries them itself.
    """
    if run.test_recipients is None:
        return run.recipients
    return _ADDRESSES.validate_json(objects.read(run.test_recipients))
