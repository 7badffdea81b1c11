"""The baton: each state takes what the one before gives, the sample events are such, and none grows too large."""

import json
from itertools import pairwise
from typing import Any, get_args

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from cost_reporting.clients import Attachment
from cost_reporting.contracts import (
    Check,
    ClientDue,
    ClientEnded,
    Failure,
    Health,
    HealthAsked,
    RunAsked,
    RunRequest,
    RunSummary,
    SettleAsked,
    StartedTwice,
    Worklist,
)
from cost_reporting.operations.list_clients import _contradictions
from cost_reporting.operations.record_outcome import outcome_of
from cost_reporting.outcomes import STAGES
from tests.builders import (
    a_client_due,
    a_run,
    a_stored_object,
    client_ended,
    costs_fetched,
    report_rendered,
    report_sent,
)
from tests.contract.documents import EVENTS, FUNCTIONS, states
from tests.contract.handlers import received, returned

RUNS = sorted(name for name in EVENTS if name.startswith("run_") and name != "run_health_check")
LIMIT = 200 * 1024
"""Bytes. Step Functions allows 256 KiB between two states."""
CAUSE_LIMIT = 32_768
CHAIN = ["fetch_costs", "render_pdf", "send_email"]


@pytest.mark.parametrize(("giver", "taker"), list(pairwise(CHAIN)))
def test_a_stage_takes_exactly_what_the_one_before_gives(giver: str, taker: str) -> None:
    assert received(taker) is returned(giver)


@pytest.mark.parametrize(("function", "field"), list(zip(CHAIN, dict(STAGES), strict=True)))
def test_a_stage_adds_the_one_field_that_names_it(function: str, field: str) -> None:
    assert returned(function).model_fields.keys() - received(function).model_fields.keys() == {field}


@pytest.mark.parametrize(
    "baton", [a_client_due(), costs_fetched(), report_rendered(), report_sent()], ids=lambda baton: type(baton).__name__
)
def test_record_outcome_takes_the_baton_of_any_stage_with_a_failure_beside_it(baton: BaseModel) -> None:
    caught = json.loads(baton.model_dump_json()) | {"failure": {"Error": "States.Timeout", "Cause": ""}}
    assert TypeAdapter(received("record_outcome")).validate_python(caught).failure is not None


def test_settle_run_takes_what_list_clients_and_it_itself_give_with_how_it_was_asked() -> None:
    assert returned("list_clients") == Worklist | StartedTwice
    assert SettleAsked.model_fields["worklist"].annotation is Worklist
    assert returned("settle_run") == Worklist | RunSummary


def test_settle_run_takes_the_bare_worklist_of_executions_that_began_with_the_definition_before() -> None:
    assert received("settle_run") == SettleAsked | Worklist


@pytest.mark.parametrize("redrives", [None, -1, "1", 1.5, True])
def test_a_count_of_redrives_that_is_no_count_is_refused_and_never_taken_for_an_old_execution(redrives: Any) -> None:
    asked = EVENTS["settle_run"] | {"redrives": redrives}
    with pytest.raises(ValidationError, match="redrives"):
        TypeAdapter(received("settle_run")).validate_python(asked)


@pytest.mark.parametrize("without", ["redrives", "entered_at"])
def test_settle_run_refuses_a_question_without_how_it_was_asked(without: str) -> None:
    asked = {name: value for name, value in EVENTS["settle_run"].items() if name != without}
    with pytest.raises(ValidationError, match=without):
        TypeAdapter(received("settle_run")).validate_python(asked)


OLD_WORKLIST = {
    name: value
    for name, value in EVENTS["settle_run"]["worklist"].items()
    if name not in ("concurrent_clients", "looks", "look_again_at")
}


def test_a_worklist_and_a_line_of_the_version_before_are_still_read() -> None:
    worklist = TypeAdapter(received("settle_run")).validate_python(OLD_WORKLIST)
    assert (worklist.concurrent_clients, worklist.looks, worklist.look_again_at) == (5, 0, None)
    line = {name: EVENTS["fetch_costs"][name] for name in ("run", "client_id")}
    assert ClientDue.model_validate(line).last_look is True


@pytest.mark.parametrize("field", ["run", "client_id", "last_look"])
def test_what_a_restart_takes_of_the_baton_is_in_it_after_fetch_costs_whichever_version_wrote_the_line(
    field: str,
) -> None:
    """Restart Client reads these by path, and a path that finds nothing ends the child without an outcome."""
    line = ClientDue.model_validate({name: EVENTS["fetch_costs"][name] for name in ("run", "client_id")})
    for baton in (costs_fetched(line.client_id, line.run), report_rendered(line.client_id, line.run)):
        assert field in json.loads(baton.model_dump_json())


def test_a_restarted_client_is_what_fetch_costs_takes() -> None:
    (restart,) = [each.body["Parameters"] for each in states() if each.name == "Restart Client"]
    baton = json.loads(report_rendered().model_dump_json())
    made = {
        name.removesuffix(".$"): baton[name.removesuffix(".$")] if name.endswith(".$") else value
        for name, value in restart.items()
    }
    assert TypeAdapter(received("fetch_costs")).validate_python(made).restarted is True


def test_a_killed_render_is_handed_to_the_render_without_the_logo_as_the_same_baton() -> None:
    caught = json.loads(costs_fetched().model_dump_json()) | {"killed": {"Error": "Runtime.ExitError", "Cause": ""}}
    assert TypeAdapter(received("render_pdf")).validate_python(caught).killed is not None


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_sample_event_of_a_function_is_what_it_takes(function: str) -> None:
    fact = TypeAdapter(received(function)).validate_python(EVENTS[function])
    if isinstance(fact, RunAsked):
        assert not list(_contradictions(RunRequest.model_validate(fact.request)))


@pytest.mark.parametrize("name", RUNS)
def test_the_sample_input_of_a_run_makes_sense(name: str) -> None:
    assert not list(_contradictions(RunRequest.model_validate(EVENTS[name])))


def test_the_sample_input_of_a_health_check_is_its_question() -> None:
    assert HealthAsked.model_validate(EVENTS["run_health_check"]) == HealthAsked.model_validate(EVENTS["check_health"])


WORST_RUN = a_run(
    run_id="monthly-2026-10-preliminary-dry_run-1a2b3c4d",
    mode="test",
    recipients=tuple(f"{number:02d}{'x' * 240}@a.example" for number in range(50)),
    force_send={"reason": "原" * 500, "pdf_sha256": "f" * 64},
    refresh=True,
)
WORST_ID = "x" * 2048
"""The longest partition key that DynamoDB takes: an id is judged only when its record is read."""
ALL_FILES: tuple[Attachment, ...] = get_args(Attachment)
WORST_SENT = report_sent(WORST_ID, WORST_RUN, recipients=50, attachments=ALL_FILES)
WORST_LIST = Worklist(
    run=WORST_RUN,
    pass_number=9999,
    worklist=a_stored_object("x" * 1024),
    client_count=10_000,
    concurrent_clients=1000,
    looks=5,
    look_again_at=WORST_RUN.nominal_at,
)
FACTS: list[BaseModel] = [
    RunAsked(request={"client_ids": ["x" * 48] * 3000}, execution_id="x" * 256, started_at=WORST_RUN.nominal_at),
    WORST_LIST,
    SettleAsked(worklist=WORST_LIST, redrives=1000, entered_at=WORST_RUN.nominal_at),
    StartedTwice(run=WORST_RUN, double_of="x" * 256),
    a_client_due(WORST_ID, WORST_RUN),
    costs_fetched(WORST_ID, WORST_RUN),
    report_rendered(WORST_ID, WORST_RUN, attachments=ALL_FILES),
    WORST_SENT,
    report_sent(WORST_ID, WORST_RUN, state="HELD", recipients=50, attachments=ALL_FILES, reason="原" * 600),
    client_ended(WORST_SENT, Failure(error="x" * 256, cause="\\" * CAUSE_LIMIT)),
    client_ended(
        WORST_SENT.model_copy(update={"killed": Failure(error="x" * 256, cause="\\" * CAUSE_LIMIT)}),
        Failure(error="x" * 256, cause="\\" * CAUSE_LIMIT),
    ),
    client_ended(WORST_SENT, Failure(error="x" * 256, cause="é" * CAUSE_LIMIT)),
    outcome_of(client_ended(costs_fetched(WORST_ID), Failure(error="x" * 256, cause="💸" * CAUSE_LIMIT))),
    RunSummary(
        run=WORST_RUN, pass_number=1, client_count=10_000, sent=1, not_sent=1, summary=a_stored_object("x" * 1024)
    ),
    Health(
        status="healthy",
        checked_at=WORST_RUN.nominal_at,
        checks=tuple(Check(name="x" * 300, healthy=True, detail="x" * 300) for _ in range(5)),
    ),
]


@pytest.mark.parametrize("fact", FACTS, ids=[f"{at}-{type(fact).__name__}" for at, fact in enumerate(FACTS)])
def test_the_worst_case_of_every_payload_stays_below_the_limit(fact: BaseModel) -> None:
    payload: dict[str, Any] = json.loads(fact.model_dump_json(by_alias=True))
    assert len(json.dumps(payload, ensure_ascii=False).encode()) < LIMIT
    type(fact).model_validate(payload)


def test_no_address_travels_with_a_client_of_a_real_run() -> None:
    sent = client_ended(report_sent(recipients=50))
    assert "@" not in sent.model_dump_json()
    assert ClientEnded.model_validate_json(sent.model_dump_json()) == sent
