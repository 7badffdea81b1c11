"""The events of functions: what they name is there to be put into an account, and none is about a real report."""

from hashlib import sha256
from typing import Any

import pytest

from cost_reporting.contracts import StoredObject
from cost_reporting.ledger import report_of
from local.samples import STORED, body, named
from tests.contract.documents import EVENTS, FUNCTIONS

NAMED = [(function, stored) for function in FUNCTIONS for stored in named(EVENTS[function])]


def runs(event: Any) -> list[dict[str, Any]]:
    """Every run that is named in an event."""
    if not isinstance(event, dict):
        return []
    here = [event["run"]] if "run" in event else []
    return here + [run for part in event.values() for run in runs(part)]


@pytest.mark.parametrize(("function", "stored"), NAMED, ids=lambda each: getattr(each, "key", each))
def test_a_document_that_an_event_names_is_kept_with_the_bytes_that_it_says(
    function: str, stored: StoredObject
) -> None:
    kept = body(stored)
    assert (len(kept), sha256(kept).hexdigest()) == (stored.size, stored.sha256), function
    assert stored.version_id is None  # which a bucket gives, and each another one


def test_nothing_is_kept_that_no_event_names() -> None:
    assert {path.name for path in STORED.iterdir()} == {stored.key.rpartition("/")[2] for _, stored in NAMED}


def test_events_of_functions_are_about_tests_each_of_its_own() -> None:
    found = {function: runs(EVENTS[function]) for function in FUNCTIONS}
    assert {run["mode"] for each in found.values() for run in each} == {"test"}
    ids = [run_id for each in found.values() for run_id in {run["run_id"] for run in each}]
    tags = EVENTS["record_delivery"]["detail"]["mail"]["tags"]
    ids += tags["run_id"]
    assert len(set(ids)) == len(ids) == 6
    assert report_of(tags["report_id"][0]).split("#")[-2:] == ["test", tags["run_id"][0]]


@pytest.mark.parametrize(("function", "stored"), NAMED, ids=lambda each: getattr(each, "key", each))
def test_the_key_of_a_document_is_that_of_its_run(function: str, stored: StoredObject) -> None:
    (run_id,) = {run["run_id"] for run in runs(EVENTS[function])}
    assert f"/{run_id}/" in stored.key
