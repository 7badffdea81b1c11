"""Record Outcome: how a client's part of the run ended, written down for good."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from cost_reporting.contracts import Failure, Outcome
from cost_reporting.errors import ContractViolated, StoreThrottled
from cost_reporting.outcomes import failed
from cost_reporting.store.runs import RunStore
from tests.builders import (
    a_client_due,
    a_failure,
    a_run,
    an_outcome,
    client_ended,
    costs_fetched,
    report_rendered,
    report_sent,
)
from tests.functional.conftest import NOW, Wire, World, refusal

Invoke = Callable[[str, Any], Any]
RUN = a_run()


def marked_failed(world: World) -> list[Any]:
    """What the watch finds of clients that failed."""
    return [item for item in world.outcomes("FAILED#") if item.get("status", "FAILED") == "FAILED"]


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


# -- late, left out, removed, without the logo ------------------------------------------------------------------------


def due(*, last_look: bool) -> Any:
    return a_client_due().model_copy(update={"last_look": last_look})


def test_figures_that_are_not_there_yet_are_late_and_no_failure_while_a_look_is_left(
    invoke: Invoke, world: World
) -> None:
    outcome = record(invoke, client_ended(due(last_look=False), a_failure("CostsNotReady")))
    assert (outcome.status, outcome.error) == ("LATE", "CostsNotReady")
    assert "Rerun" not in (outcome.remedy or ""), "there is nothing to do yet"
    assert marked_failed(world) == [], "the watch would tell operators of a client whose run is still looking"


def test_figures_that_are_not_there_on_the_last_look_are_a_failure(invoke: Invoke, world: World) -> None:
    outcome = record(invoke, client_ended(due(last_look=True), a_failure("CostsNotReady")))
    assert outcome.status == "FAILED"
    assert len(marked_failed(world)) == 1


@pytest.mark.parametrize(("error", "status"), [("ClientSuspended", "LEFT_OUT"), ("ClientUnknown", "REMOVED")])
@pytest.mark.parametrize("baton", [a_client_due(), report_rendered()], ids=["fetching", "sending"])
def test_a_client_that_an_operator_took_out_is_no_failure(
    error: str, status: str, baton: Any, invoke: Invoke, world: World
) -> None:
    outcome = record(invoke, client_ended(baton, a_failure(error)))
    assert (outcome.status, outcome.error) == (status, error)
    assert marked_failed(world) == world.outcomes("DELIVERED#") == []


def test_a_report_whose_first_render_was_killed_says_that_it_has_no_logo(invoke: Invoke, world: World) -> None:
    why = "rendering with it was killed: Sandbox.Timedout"
    sent = report_sent().model_copy(update={"killed": Failure(error="Sandbox.Timedout", cause="")})
    without = sent.model_copy(update={"report": sent.report.model_copy(update={"logo_left_out": why})})
    outcome = record(invoke, client_ended(without))
    assert (outcome.status, outcome.message) == ("SENT", f"without the client's logo: {why}")
    assert record(invoke, client_ended(sent)).message is None, "a client without a logo lacks none"


# -- repeated late ----------------------------------------------------------------------------------------------------

WELL = ("SENT", "NOT_SENT", "HELD", "REJECTED", "LEFT_OUT", "REMOVED")


@pytest.mark.parametrize("well", WELL)
@pytest.mark.parametrize("late", ["FAILED", "LATE"])
def test_a_failure_that_is_recorded_late_changes_no_outcome_that_is_settled(well: Any, late: Any, world: World) -> None:
    runs, settled = RunStore("outcomes"), an_outcome("acme", well)
    runs.record(RUN, settled, NOW)
    stands = runs.record(
        RUN, failed("acme", "Send Email", "States.Timeout", "late").model_copy(update={"status": late}), NOW
    )
    assert stands == settled == runs.outcomes(RUN.run_id)["acme"]


def test_a_late_duplicate_of_a_failure_turns_no_sent_report_into_a_failed_one(invoke: Invoke, world: World) -> None:
    record(invoke, client_ended())
    assert record(invoke, client_ended(report_rendered(), a_failure("States.Timeout"))).status == "SENT"
    assert marked_failed(world) == [], "nor does the watch hear of it"


@pytest.mark.parametrize(
    ("before", "after", "stands"),
    [("LATE", "LATE", "new"), ("LATE", "FAILED", "new"), ("FAILED", "FAILED", "new"), ("FAILED", "LATE", "old")],
)
def test_failures_of_later_passes_replace_those_of_earlier_ones(
    before: Any, after: Any, stands: str, world: World
) -> None:
    runs = RunStore("outcomes")
    for status, said in ((before, "old"), (after, "new")):
        runs.record(
            RUN, failed("acme", "Fetch Costs", "CostsNotReady", said).model_copy(update={"status": status}), NOW
        )
    assert runs.outcomes(RUN.run_id)["acme"].message == stands


@pytest.mark.parametrize("before", ["FAILED", "LATE"])
@pytest.mark.parametrize("well", WELL)
def test_what_a_redrive_or_a_second_look_mends_is_recorded(before: Any, well: Any, world: World) -> None:
    runs = RunStore("outcomes")
    runs.record(RUN, failed("acme", "Fetch Costs", "CostsNotReady", "old").model_copy(update={"status": before}), NOW)
    runs.record(RUN, an_outcome("acme", well), NOW)
    assert runs.outcomes(RUN.run_id)["acme"].status == well


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
