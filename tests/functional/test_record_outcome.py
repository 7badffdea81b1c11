"""Record Outcome: how a client's part of the run ended, written down for good."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from cost_reporting.contracts import Failure, Outcome
from cost_reporting.errors import ContractViolated, StoreThrottled
from cost_reporting.store.runs import RunStore
from tests.builders import (
    a_client_due,
    a_failure,
    a_run,
    client_ended,
    costs_fetched,
    report_rendered,
    report_sent,
)
from tests.functional.conftest import Wire, World, refusal

Invoke = Callable[[str, Any], Any]
RUN = a_run()


def record(invoke: Invoke, ended: Any) -> Outcome:
    return Outcome.model_validate(invoke("record_outcome", ended))


def test_a_sent_report_is_recorded_and_the_client_marked_as_having_it(invoke: Invoke, world: World) -> None:
    outcome = record(invoke, client_ended())
    assert RunStore("outcomes").outcomes(RUN.run_id) == {"northwind-retail": outcome}
    assert RunStore("outcomes").delivered(RUN) == {"northwind-retail"}
    assert (outcome.status, str(outcome.total), str(outcome.change)) == ("SENT", "1020.50", "52.25")


@pytest.mark.parametrize("baton", [a_client_due(), costs_fetched(), report_rendered()], ids=lambda b: type(b).__name__)
def test_a_failure_is_recorded_with_stage_and_remedy_and_marks_nothing(
    baton: Any, invoke: Invoke, world: World
) -> None:
    outcome = record(invoke, client_ended(baton, a_failure("StoreRefused", "get: AccessDenied")))
    (item,) = world.outcomes("RUN#")
    assert (item["status"], item["error"], item["message"]) == ("FAILED", "StoreRefused", "get: AccessDenied")
    assert item["remedy"] == outcome.remedy
    assert world.outcomes("DELIVERED#") == []


@pytest.mark.parametrize(
    ("baton", "ended"),
    [
        (report_sent(run=a_run(mode="dry_run"), state="NOT_SENT"), "NOT_SENT"),
        (report_sent(run=a_run(mode="test", run_id="test-run")), "SENT"),
    ],
    ids=["dry run", "test"],
)
def test_neither_a_dry_run_nor_a_test_gives_the_client_its_report(
    baton: Any, ended: str, invoke: Invoke, world: World
) -> None:
    assert record(invoke, client_ended(baton)).status == ended
    assert world.outcomes("DELIVERED#") == []


def test_the_event_that_step_functions_makes_of_a_catch_is_understood(invoke: Invoke, world: World) -> None:
    caught = json.loads(costs_fetched().model_dump_json()) | {
        "failure": {"Error": "Lambda.Unknown", "Cause": "The cause could not be determined because Lambda did not …"}
    }
    outcome = record(invoke, caught)
    assert (outcome.stage, outcome.error) == ("Render PDF", "Lambda.Unknown")
    assert "look at its log" in (outcome.remedy or "")


def test_a_later_pass_replaces_what_an_earlier_one_wrote(invoke: Invoke, world: World) -> None:
    record(invoke, client_ended(a_client_due(), a_failure()))
    record(invoke, client_ended())
    (outcome,) = RunStore("outcomes").outcomes(RUN.run_id).values()
    assert (outcome.status, outcome.error) == ("SENT", None)


def test_recording_twice_is_recording_once(invoke: Invoke, world: World) -> None:
    assert record(invoke, client_ended()) == record(invoke, client_ended())
    assert len(world.outcomes("")) == 2


def test_a_cause_of_32_kib_is_recorded_short(invoke: Invoke, world: World) -> None:
    record(invoke, client_ended(a_client_due(), Failure(error="Lambda.Unknown", cause="é" * 16_384)))
    (item,) = world.outcomes("RUN#")
    assert len(item["message"]) == 2000


def test_a_table_that_is_throttled_is_worth_another_try(invoke: Invoke, world: World, wire: Wire) -> None:
    wire.order("dynamodb.PutItem", None, refusal("ThrottlingException"))
    with pytest.raises(StoreThrottled):
        record(invoke, client_ended())
    assert record(invoke, client_ended()).status == "SENT"


def test_a_baton_with_a_field_that_nobody_expects_is_a_violation(invoke: Invoke) -> None:
    with pytest.raises(ContractViolated, match="surprise"):
        invoke("record_outcome", json.loads(client_ended().model_dump_json(by_alias=True)) | {"surprise": 1})
