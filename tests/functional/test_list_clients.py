"""List Clients: from what was asked to the worklist of a run."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cost_reporting import settings
from cost_reporting.contracts import ClientDue, Outcome, StartedTwice, Worklist
from cost_reporting.errors import InvalidRequest, RunNotStarted, StoreThrottled
from cost_reporting.operations.worklists import write_worklist
from cost_reporting.periods import label
from cost_reporting.store.approvals import ApprovalStore
from cost_reporting.store.objects import ObjectStore
from cost_reporting.store.runs import RunStore
from tests.builders import a_client, a_client_due, a_held, a_run, an_outcome
from tests.functional.conftest import ENVIRONMENT, NOW, Answer, Clock, Wire, World, refusal

Invoke = Callable[[str, Any], Any]
CANARY = "canary-7f3a@leak.example"


def asked(request: Any, **changes: Any) -> dict[str, Any]:
    """A request as the state machine hands it over."""
    execution = "arn:aws:states:eu-central-1:111122223333:execution:cost-reporting:1a2b3c4d"
    return {"request": request, "execution_id": execution, "started_at": NOW.isoformat()} | changes


def listed(invoke: Invoke, world: World, request: dict[str, Any], **changes: Any) -> tuple[Worklist, list[ClientDue]]:
    """The answer, and the lines of the worklist that it points at."""
    worklist = Worklist.model_validate(invoke("list_clients", asked(request, **changes)))
    assert worklist.concurrent_clients == 5
    lines = world.get(worklist.worklist.key).decode().splitlines()
    return worklist, [ClientDue.model_validate_json(line) for line in lines]


def due(invoke: Invoke, world: World, request: dict[str, Any], **changes: Any) -> list[str]:
    return [client.client_id for client in listed(invoke, world, request, **changes)[1]]


def deliver(client_id: str, period: str = "2026-10", **changes: Any) -> Outcome:
    """Put on record that the client has its report."""
    run = a_run(period).model_copy(update=changes)
    outcome = an_outcome(client_id)
    RunStore("outcomes").mark_delivered(run, outcome, NOW)
    return outcome


def some_clients(world: World) -> None:
    world.add(*(a_client(client_id=each) for each in ("acme", "globex")))
    world.add(a_client(client_id="weekly-only", cadences=("weekly",)))
    world.add(a_client(client_id="gone", status="suspended"))


def test_a_run_is_about_the_last_complete_period_and_the_clients_that_are_due(invoke: Invoke, world: World) -> None:
    some_clients(world)
    worklist, lines = listed(invoke, world, {"cadence": "monthly"})
    assert [line.client_id for line in lines] == ["acme", "globex"]
    assert {line.run for line in lines} == {worklist.run}
    run = worklist.run
    assert (str(run.period.start), str(run.period.end)) == ("2026-10-01", "2026-11-01")
    assert (run.issue, run.mode, run.cadence) == ("final", "live", "monthly")
    assert run.run_id.startswith("monthly-2026-10-final-")
    assert (worklist.pass_number, worklist.client_count) == (1, 2)
    assert due(invoke, world, {"cadence": "weekly"}) == ["acme", "globex", "weekly-only"]


def test_a_run_is_written_down_with_its_execution_before_any_client_is_touched(
    invoke: Invoke, world: World, wire: Wire
) -> None:
    some_clients(world)
    wire.calls.clear()
    worklist, _ = listed(invoke, world, {"cadence": "monthly"})
    listed_ids, item = world.outcomes(f"RUN#{worklist.run.run_id}")
    assert listed_ids["client_ids"] == ["acme", "globex"]
    assert item["execution_id"].endswith(":1a2b3c4d")
    assert item["client_count"] == 2


def test_a_late_start_reports_the_period_of_its_nominal_time(invoke: Invoke, world: World) -> None:
    some_clients(world)
    request = {"cadence": "monthly", "scheduled_at": "2026-10-08T06:00:00Z"}
    worklist, _ = listed(invoke, world, request)
    assert worklist.run.run_id.startswith("monthly-2026-09-final-")
    assert worklist.run.nominal_at.isoformat() == "2026-10-08T06:00:00+00:00"


@pytest.mark.parametrize(
    ("request_", "run_id"),
    [
        ({"cadence": "monthly", "period": "2026-09"}, "monthly-2026-09-final-"),
        ({"cadence": "weekly", "period": "2026-W42"}, "weekly-2026-W42-final-"),
        ({"cadence": "weekly"}, "weekly-2026-W44-preliminary-"),
        ({"cadence": "monthly", "period": {"start": "2026-09-01", "end": "2026-10-01"}}, "monthly-2026-09-final-"),
        ({"cadence": "monthly", "dry_run": True}, "monthly-2026-10-final-dry_run-"),
        ({"test_report": True, "client_id": "acme"}, "monthly-2026-10-final-test-"),
        ({"test_report": True, "client_id": "acme", "cadence": "weekly"}, "weekly-2026-W44-preliminary-test-"),
    ],
)
def test_a_run_id_says_cadence_period_issue_and_mode(
    request_: dict[str, Any], run_id: str, invoke: Invoke, world: World
) -> None:
    some_clients(world)
    assert listed(invoke, world, request_)[0].run.run_id.startswith(run_id)


def test_before_the_eighth_a_monthly_report_is_preliminary(invoke: Invoke, world: World) -> None:
    worklist, _ = listed(invoke, world, {"cadence": "monthly"}, started_at="2026-11-07T22:59:59Z")
    assert worklist.run.issue == "preliminary"


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "Pacific/Auckland", "Europe/Berlin", "America/Los_Angeles"])
def test_the_schedule_on_the_eighth_is_for_final_reports_wherever_it_is_six_o_clock(
    zone: str, invoke: Invoke, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIME_ZONE", zone)
    settings.settings.cache_clear()
    moment = datetime(2026, 11, 8, 6, tzinfo=ZoneInfo(zone)).isoformat()
    worklist, _ = listed(invoke, world, {"cadence": "monthly", "scheduled_at": moment}, started_at=moment)
    assert (worklist.run.issue, label(worklist.run.period)) == ("final", "2026-10")


def test_two_executions_of_the_same_input_are_two_runs(invoke: Invoke, world: World) -> None:
    first, _ = listed(invoke, world, {"cadence": "monthly"})
    second, _ = listed(invoke, world, {"cadence": "monthly"}, execution_id="arn:…:another")
    assert first.run.run_id != second.run.run_id


def test_the_same_execution_tried_again_is_the_same_run(invoke: Invoke, world: World) -> None:
    assert listed(invoke, world, {"cadence": "monthly"}) == listed(invoke, world, {"cadence": "monthly"})


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        ({}, "cadence"),
        ({"cadence": "hourly"}, "cadence"),
        ({"cadence": None}, "cadence"),
        ({"cadence": "monthly", "unknown": CANARY}, "unknown"),
        ({"cadence": "monthly", "test": False}, "test"),
        ({"cadence": "monthly", "client_ids": ["acme", "nobody"]}, "client_ids"),
        ({"cadence": "monthly", "client_ids": []}, "client_ids"),
        ({"cadence": "monthly", "client_ids": "acme"}, "client_ids"),
        ({"test_report": True, "client_id": "nobody"}, "client_id"),
        ({"test_report": True}, "client_id"),
        ({"cadence": "monthly", "client_id": "acme"}, "client_id"),
        ({"test_report": True, "client_id": "acme", "client_ids": ["acme"]}, "client_ids"),
        ({"cadence": "monthly", "recipients": ["me@consultancy.example"]}, "recipients"),
        ({"test_report": True, "client_id": "acme", "recipients": []}, "recipients"),
        ({"test_report": True, "client_id": "acme", "recipients": [f"<{CANARY}>"]}, "recipients"),
        ({"test_report": True, "client_id": "acme", "dry_run": True}, "dry_run"),
        ({"test_report": True, "client_id": "acme", "force_send": {"reason": "because"}}, "force_send"),
        ({"cadence": "monthly", "force_send": {"reason": "because"}}, "force_send"),
        ({"cadence": "monthly", "client_ids": ["acme"], "force_send": True}, "force_send"),
        ({"cadence": "monthly", "client_ids": ["acme"], "force_send": {"reason": " "}}, "force_send"),
        (
            {"cadence": "monthly", "client_ids": ["acme"], "force_send": {"reason": "because"}, "dry_run": True},
            "force_send",
        ),
        ({"cadence": "monthly", "dry_run": "perhaps"}, "dry_run"),
        ({"cadence": "monthly", "rerun_of": "monthly-2026-10-final-1a2b"}, "rerun_of"),
        ({"cadence": "monthly", "client_ids": ["acme"], "rerun_of": ""}, "rerun_of"),
        ({"test_report": True, "client_id": "acme", "recipients": [CANARY]}, "recipients.0"),
        ({"cadence": "monthly", "period": "2026-11"}, "period"),
        ({"cadence": "monthly", "period": "2027-10"}, "period"),
        ({"cadence": "weekly", "period": "2026-W45"}, "period"),
        ({"cadence": "monthly", "period": "2026-W42"}, "period"),
        ({"cadence": "monthly", "period": "October"}, "period"),
        ({"cadence": "monthly", "period": "9999-12"}, "period"),
        ({"cadence": "monthly", "period": {"start": "2026-10-01", "end": "2026-09-01"}}, "period"),
        ({"cadence": "monthly", "period": {"start": "2026-10-01", "end": "2026-10-31"}}, "period"),
        ({"cadence": "monthly", "period": {"start": "9999-12-01", "end": "9999-12-31"}}, "period"),
        ({"cadence": "weekly", "period": {"start": "2026-10-13", "end": "2026-10-20"}}, "period"),
        ({"cadence": "monthly", "period": {"start": "2026-10-01"}}, "period"),
        ({"cadence": "monthly", "scheduled_at": "2026-11-08T08:00:00Z"}, "scheduled_at"),
        ({"cadence": "monthly", "scheduled_at": "2026-11-08T06:00:00"}, "scheduled_at"),
        ({"cadence": "monthly", "scheduled_at": "0001-01-01T00:00:00Z"}, "scheduled_at"),
        ({"cadence": "monthly", "scheduled_at": "<aws.scheduler.scheduled-time>"}, "scheduled_at"),
    ],
    ids=json.dumps,
)
def test_input_that_makes_no_sense_is_refused_by_field_before_any_client_is_touched(
    request_: dict[str, Any], field: str, invoke: Invoke, world: World, wire: Wire
) -> None:
    some_clients(world)
    wire.calls.clear()
    with pytest.raises(InvalidRequest, match=rf"(^|; ){field}\b") as raised:
        invoke("list_clients", asked(request_))
    assert CANARY not in str(raised.value)
    assert {call.operation for call in wire.calls} <= {"dynamodb.Scan"}


@pytest.mark.parametrize("request_", ["monthly", ["monthly"], 7, None])
def test_input_that_is_no_object_is_refused_as_well(request_: Any, invoke: Invoke) -> None:
    with pytest.raises(InvalidRequest):
        invoke("list_clients", asked(request_))


def test_every_contradiction_of_a_field_is_named_with_all_others(invoke: Invoke) -> None:
    with pytest.raises(InvalidRequest) as raised:
        invoke("list_clients", asked({"cadence": "hourly", "dry_run": "perhaps", "surprise": 1}))
    assert all(f"{field}: " in str(raised.value) for field in ("cadence", "dry_run", "surprise"))


def test_a_malformed_row_is_listed_so_that_it_fails_by_its_id(invoke: Invoke, world: World) -> None:
    some_clients(world)
    world.add_row({"client_id": "bare"})
    world.add_row({"client_id": "Bad/Id", "status": 7, "cadences": {"not": "a list"}})
    assert due(invoke, world, {"cadence": "monthly"}) == ["Bad/Id", "acme", "bare", "globex"]


def test_clients_that_have_this_report_are_left_out_of_the_same_input(invoke: Invoke, world: World) -> None:
    some_clients(world)
    deliver("acme")
    deliver("globex", "2026-09")
    assert due(invoke, world, {"cadence": "monthly"}) == ["globex"]
    assert due(invoke, world, {"cadence": "monthly", "client_ids": ["acme"]}) == []


def test_a_preliminary_report_does_not_stand_for_the_final_one(invoke: Invoke, world: World) -> None:
    some_clients(world)
    deliver("acme", issue="preliminary")
    assert due(invoke, world, {"cadence": "monthly"}) == ["acme", "globex"]


def test_a_client_that_has_its_report_can_be_forced_and_tested(invoke: Invoke, world: World) -> None:
    some_clients(world)
    deliver("acme")
    forced = {"cadence": "monthly", "client_ids": ["acme"], "force_send": {"reason": "deleted by mistake"}}
    worklist, lines = listed(invoke, world, forced)
    assert [line.client_id for line in lines] == ["acme"]
    assert worklist.run.force_send is not None
    assert worklist.run.force_send.reason == "deleted by mistake"
    assert due(invoke, world, {"test_report": True, "client_id": "acme"}) == ["acme"]


def test_a_dry_run_leaves_out_whom_a_real_run_would(invoke: Invoke, world: World) -> None:
    some_clients(world)
    deliver("acme")
    assert due(invoke, world, {"cadence": "monthly", "dry_run": True}) == ["globex"]


@pytest.mark.parametrize(
    ("request_", "named"),
    [
        ({"cadence": "monthly"}, False),
        ({"cadence": "monthly", "client_ids": ["gone"]}, True),
        ({"test_report": True, "client_id": "gone"}, True),
        ({"cadence": "monthly", "client_ids": ["gone"], "force_send": {"reason": "they asked"}}, True),
        ({"cadence": "monthly", "client_ids": ["gone"], "rerun_of": "monthly-2026-10-final-1a2b"}, False),
        ({"test_report": True, "client_id": "gone", "rerun_of": "monthly-2026-10-final-1a2b"}, False),
    ],
    ids=json.dumps,
)
def test_an_operator_names_clients_by_typing_them_and_not_by_repeating_a_run(
    request_: dict[str, Any], named: bool, invoke: Invoke, world: World
) -> None:
    some_clients(world)
    worklist, lines = listed(invoke, world, request_)
    assert {each.run.named for each in lines} | {worklist.run.named} == {named}
    assert worklist.run.rerun_of == request_.get("rerun_of")


def test_a_run_that_repeats_another_lists_the_clients_that_were_removed_or_suspended_since(
    invoke: Invoke, world: World
) -> None:
    some_clients(world)
    request = {"cadence": "monthly", "client_ids": ["acme", "gone", "removed"], "rerun_of": "monthly-1a2b"}
    assert due(invoke, world, request) == ["acme", "gone", "removed"]
    with pytest.raises(InvalidRequest, match="client_ids: no such client: removed"):
        due(invoke, world, {"cadence": "monthly", "client_ids": ["acme", "removed"]})


# -- the recipients of tests -------------------------------------------------------------------------------------------

OURS, FINANCE = "ada@consultancy.example", "finance@northwind.example"


def a_test(*recipients: str) -> dict[str, Any]:
    return {"test_report": True, "client_id": "acme", "recipients": list(recipients)}


def test_the_recipients_of_a_test_stand_in_one_document_and_nowhere_else(invoke: Invoke, world: World) -> None:
    world.add(a_client(client_id="acme"))
    worklist = Worklist.model_validate(answer := invoke("list_clients", asked(a_test(OURS))))
    stored = worklist.run.test_recipients
    assert stored is not None
    assert json.loads(world.get(stored.key)) == [OURS]
    assert OURS not in json.dumps(answer)
    assert OURS not in json.dumps(world.outcomes(""), default=str)
    assert [key for key in iter(world.keys()) if OURS.encode() in world.get(key)] == [stored.key]


@pytest.mark.parametrize(
    "stranger",
    [
        CANARY,
        "a@evil-consultancy.example",
        "a@consultancy.example.evil.example",
        "a@sub.consultancy.example",
        "consultancy.example@evil.example",
    ],
)
def test_a_test_to_another_domain_is_refused_by_place_with_the_parameter_and_nothing_is_written(
    stranger: str, invoke: Invoke, world: World, wire: Wire
) -> None:
    world.add(a_client(client_id="acme"))
    with pytest.raises(InvalidRequest, match=r"^recipients\.1: .*consultancy\.example.*TestRecipientDomains") as raised:
        invoke("list_clients", asked(a_test(OURS, stranger, FINANCE)))
    assert stranger not in str(raised.value)
    assert (world.keys(), world.outcomes("")) == ([], [])


def test_the_operators_domain_is_allowed_in_any_case(invoke: Invoke, world: World) -> None:
    world.add(a_client(client_id="acme"))
    assert due(invoke, world, a_test("ADA@Consultancy.EXAMPLE")) == ["acme"]


def test_the_parameter_says_which_domains_are_allowed_instead(
    invoke: Invoke, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_RECIPIENT_DOMAINS", "lab.example, other.example")
    settings.settings.cache_clear()
    world.add(a_client(client_id="acme"))
    assert due(invoke, world, a_test("a@lab.example", "b@OTHER.example")) == ["acme"]
    with pytest.raises(InvalidRequest, match=r"recipients\.0: .*lab\.example, other\.example"):
        invoke("list_clients", asked(a_test(OURS)))


@pytest.mark.parametrize(
    ("approve_first", "approved", "allowed"), [(0, 0, True), (1, 0, False), (1, 1, True), (2, 1, False)]
)
def test_the_clients_own_recipients_may_get_a_test_once_no_approval_is_due(
    approve_first: int, approved: int, allowed: bool, invoke: Invoke, world: World
) -> None:
    world.add(a_client(client_id="acme", approve_first=approve_first))
    for month in ("2026-08", "2026-09")[:approved]:
        ApprovalStore("outcomes").count(a_held("acme", month))
    if allowed:
        assert due(invoke, world, a_test(FINANCE.upper())) == ["acme"]
        return
    with pytest.raises(InvalidRequest, match=r"^recipients\.0: .*waits for an approval"):
        invoke("list_clients", asked(a_test(FINANCE)))
    assert due(invoke, world, a_test(OURS)) == ["acme"]


@pytest.mark.parametrize(("state", "allowed"), [("HELD", False), ("REJECTED", False), ("APPROVED", True)])
def test_a_report_that_was_held_is_shown_to_its_client_by_no_test_though_approve_first_is_lowered(
    state: Any, allowed: bool, invoke: Invoke, world: World
) -> None:
    world.add(a_client(client_id="acme", approve_first=0))
    held = a_held("acme", "2026-10", state)
    assert ApprovalStore("outcomes").hold("monthly#2026-10#final", held, replacing=None)
    if allowed:
        assert due(invoke, world, a_test(FINANCE)) == ["acme"]
        return
    with pytest.raises(InvalidRequest, match="waits for an approval"):
        invoke("list_clients", asked(a_test(FINANCE)))


@pytest.mark.parametrize(
    "row", [{"approve_first": "many"}, {"approve_first": None}, {"recipients": "finance@northwind.example"}]
)
def test_a_record_that_is_unsound_allows_no_address_of_its_own(
    row: dict[str, Any], invoke: Invoke, world: World
) -> None:
    world.add(a_client(client_id="acme"), **row)
    with pytest.raises(InvalidRequest, match=r"^recipients\.0: "):
        invoke("list_clients", asked(a_test(FINANCE)))


def test_nobody_due_is_an_empty_worklist_and_no_error(invoke: Invoke, world: World) -> None:
    worklist, lines = listed(invoke, world, {"cadence": "monthly"})
    assert (worklist.client_count, lines) == (0, [])


def test_a_table_of_several_pages_is_read_to_its_end(invoke: Invoke, world: World, wire: Wire) -> None:
    """DynamoDB ends a page after 1 MB, whatever the projection leaves of it."""
    ids = [f"client-{number:02d}" for number in range(12)]
    for client_id in ids:
        world.add(a_client(client_id=client_id), ballast="x" * 300_000)
    assert due(invoke, world, {"cadence": "monthly"}) == ids
    assert wire.count("dynamodb.Scan") > 1


def test_delivered_clients_of_several_pages_are_all_left_out(invoke: Invoke, world: World, wire: Wire) -> None:
    ids = [f"client-{number:02d}" for number in range(5)]
    world.add(*(a_client(client_id=client_id) for client_id in ids))
    store = RunStore("outcomes")
    for client_id in ids:
        store.mark_delivered(a_run(), an_outcome(client_id, report_key="x" * 380_000), NOW)
    assert due(invoke, world, {"cadence": "monthly"}) == []
    assert wire.count("dynamodb.Query") > 1


def test_a_table_that_is_throttled_is_worth_another_try(invoke: Invoke, wire: Wire) -> None:
    wire.order("dynamodb.Scan", refusal("ProvisionedThroughputExceededException"))
    with pytest.raises(StoreThrottled):
        invoke("list_clients", asked({"cadence": "monthly"}))


def test_the_month_of_a_run_turns_in_the_schedules_zone(
    invoke: Invoke, world: World, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    monkeypatch.setenv("TIME_ZONE", "Australia/Sydney")
    worklist, _ = listed(invoke, world, {"cadence": "monthly"}, started_at="2026-10-31T14:00:00Z")
    assert worklist.run.run_id.startswith("monthly-2026-10-preliminary-")


# -- two starts of one moment of a schedule ---------------------------------------------------------------------------

MACHINE = ENVIRONMENT["STATE_MACHINE_ARN"].replace("stateMachine", "execution")
SCHEDULED = {"cadence": "monthly", "scheduled_at": "2026-11-08T06:00:00+00:00"}


def execution(name: str, status: str) -> Answer:
    """What DescribeExecution answers."""
    shown = {"executionArn": f"{MACHINE}:{name}", "status": status, "startDate": NOW, "input": "{}"}
    return Answer(200, shown)


def start(invoke: Invoke, name: str, request: dict[str, Any] = SCHEDULED, **changes: Any) -> Worklist | StartedTwice:
    """An execution of its own."""
    answer = invoke("list_clients", asked(request, execution_id=f"{MACHINE}:{name}", **changes))
    return (StartedTwice if "double_of" in answer else Worklist).model_validate(answer)


@pytest.mark.parametrize("status", ["RUNNING", "PENDING_REDRIVE"])
def test_a_second_start_of_a_moment_that_is_being_worked_on_is_a_double_and_touches_nothing(
    status: str, invoke: Invoke, world: World, wire: Wire
) -> None:
    some_clients(world)
    first = start(invoke, "first")
    assert isinstance(first, Worklist)
    kept, keys = world.outcomes(""), world.keys()
    wire.order("stepfunctions.DescribeExecution", execution("first", status))
    second = start(invoke, "second")
    assert isinstance(second, StartedTwice)
    assert second.double_of == f"{MACHINE}:first"
    assert (world.outcomes(""), world.keys()) == (kept, keys)


@pytest.mark.parametrize("status", ["SUCCEEDED", "FAILED", "ABORTED", "TIMED_OUT"])
def test_once_the_first_has_ended_the_same_input_works_and_the_moment_is_its_own(
    status: str, invoke: Invoke, world: World, wire: Wire
) -> None:
    some_clients(world)
    start(invoke, "first")
    wire.order("stepfunctions.DescribeExecution", execution("first", status))
    second = start(invoke, "second")
    assert isinstance(second, Worklist)
    assert second.client_count == 2
    wire.order("stepfunctions.DescribeExecution", execution("second", "RUNNING"))
    third = start(invoke, "third")
    assert isinstance(third, StartedTwice)
    assert third.double_of == f"{MACHINE}:second"


def test_an_execution_that_aws_has_forgotten_works_on_nothing(invoke: Invoke, world: World, wire: Wire) -> None:
    some_clients(world)
    start(invoke, "first")
    wire.order("stepfunctions.DescribeExecution", refusal("ExecutionDoesNotExist"))
    assert isinstance(start(invoke, "second"), Worklist)


def test_of_two_that_take_over_one_wins(invoke: Invoke, world: World, wire: Wire) -> None:
    """The second sees that the first has ended, and before it takes over, the third has."""
    some_clients(world)
    start(invoke, "first")
    issue, moment = "monthly#2026-10#final", datetime.fromisoformat(SCHEDULED["scheduled_at"])
    runs = RunStore("outcomes")
    assert runs.take_over(issue, moment, "third", ended=f"{MACHINE}:first") == "third"
    assert runs.take_over(issue, moment, "second", ended=f"{MACHINE}:first") == "third"


def test_the_loser_of_a_take_over_is_the_double_of_the_winner(invoke: Invoke, world: World, wire: Wire) -> None:
    some_clients(world)
    start(invoke, "first")
    wire.order("stepfunctions.DescribeExecution", execution("first", "FAILED"), execution("third", "RUNNING"))
    lost = refusal("ConditionalCheckFailedException")
    wire.order("dynamodb.PutItem", refusal("ConditionalCheckFailedException"), lost)
    second = start(invoke, "second")
    assert isinstance(second, StartedTwice)


def test_a_repeated_call_of_the_same_execution_is_no_double(invoke: Invoke, world: World, wire: Wire) -> None:
    some_clients(world)
    assert start(invoke, "first") == start(invoke, "first")
    assert wire.count("stepfunctions.DescribeExecution") == 0


def test_a_claim_whose_answer_was_lost_is_our_own(invoke: Invoke, world: World, wire: Wire) -> None:
    runs, moment = RunStore("outcomes"), datetime.fromisoformat(SCHEDULED["scheduled_at"])
    for _ in range(2):
        assert runs.claim("monthly#2026-10#final", moment, "mine") == "mine"
    assert runs.claim("monthly#2026-10#final", moment, "other") == "mine"


def test_one_moment_written_in_two_time_zones_is_one_moment(invoke: Invoke, world: World, wire: Wire) -> None:
    some_clients(world)
    start(invoke, "first")
    wire.order("stepfunctions.DescribeExecution", execution("first", "RUNNING"))
    second = start(invoke, "second", {"cadence": "monthly", "scheduled_at": "2026-11-08T07:00:00+01:00"})
    assert isinstance(second, StartedTwice)


@pytest.mark.parametrize(
    "request_",
    [
        {"cadence": "monthly"},
        SCHEDULED | {"client_ids": ["acme"]},
        SCHEDULED | {"dry_run": True},
        {"scheduled_at": SCHEDULED["scheduled_at"], "test_report": True, "client_id": "acme"},
        SCHEDULED | {"scheduled_at": "2026-11-08T05:59:59+00:00"},
        {"cadence": "weekly", "scheduled_at": SCHEDULED["scheduled_at"]},
    ],
    ids=["no moment", "named clients", "dry run", "test", "another moment", "another report"],
)
def test_only_two_live_runs_for_all_clients_of_one_moment_and_report_are_doubles(
    request_: dict[str, Any], invoke: Invoke, world: World, wire: Wire
) -> None:
    some_clients(world)
    start(invoke, "first")
    assert isinstance(start(invoke, "second", request_), Worklist)
    assert wire.count("stepfunctions.DescribeExecution") == 0


@pytest.mark.parametrize("answer", [refusal("ThrottlingException"), refusal("InternalFailure", status=500)])
def test_while_aws_does_not_say_how_the_first_stands_the_second_is_tried_again_later(
    answer: Answer, invoke: Invoke, world: World, wire: Wire
) -> None:
    some_clients(world)
    start(invoke, "first")
    wire.order("stepfunctions.DescribeExecution", answer)
    with pytest.raises(StoreThrottled):
        start(invoke, "second")


def test_a_role_that_may_not_look_at_the_first_fails_by_name(invoke: Invoke, world: World, wire: Wire) -> None:
    some_clients(world)
    start(invoke, "first")
    wire.order("stepfunctions.DescribeExecution", refusal("AccessDeniedException"))
    with pytest.raises(RunNotStarted, match="AccessDenied"):
        start(invoke, "second")


# -- late clients, and clients removed since --------------------------------------------------------------------------


def test_a_client_has_looks_left_unless_an_operator_waits_for_a_test(invoke: Invoke, world: World) -> None:
    some_clients(world)
    _, real = listed(invoke, world, {"cadence": "monthly"})
    _, test = listed(invoke, world, {"test_report": True, "client_id": "acme"})
    assert ({line.last_look for line in real}, {line.last_look for line in test}) == ({False}, {True})


def test_where_no_second_look_is_wanted_the_first_is_the_last(
    invoke: Invoke, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    some_clients(world)
    monkeypatch.setenv("LOOK_AGAIN_SECONDS", "never")
    _, lines = listed(invoke, world, {"cadence": "monthly"})
    assert {line.last_look for line in lines} == {True}


def test_the_number_of_clients_at_once_is_the_stack_s(
    invoke: Invoke, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    some_clients(world)
    monkeypatch.setenv("CONCURRENT_CLIENTS", "40")
    assert invoke("list_clients", asked({"cadence": "monthly"}))["concurrent_clients"] == 40


def test_a_rerun_goes_on_without_a_client_that_was_removed_since(invoke: Invoke, world: World) -> None:
    """Fetch Costs then says ClientUnknown of it, which is REMOVED, and the others get their reports."""
    some_clients(world)
    again = {"cadence": "monthly", "client_ids": ["acme", "removed"], "rerun_of": "monthly-2026-10-final-1a2b3c4d"}
    assert due(invoke, world, again) == ["acme", "removed"]
    with pytest.raises(InvalidRequest, match="no such client: removed"):
        due(invoke, world, {name: value for name, value in again.items() if name != "rerun_of"})


def test_the_ids_of_a_large_run_are_on_record_in_several_items_and_in_order(invoke: Invoke, world: World) -> None:
    ids = [f"client-{number:05d}-{'x' * 30}" for number in range(12_000)]
    worklist = write_worklist(ObjectStore(world.bucket), a_run(), 1, [a_client_due(each) for each in ids[:3]])
    RunStore("outcomes").begin(worklist, "arn", NOW, client_ids=ids)
    record = RunStore("outcomes").on_record(a_run().run_id)
    assert record.client_ids == tuple(ids)
    assert len([item for item in world.outcomes("RUN#") if item["sk"].startswith("LISTED#")]) > 1


def test_a_repeated_call_that_lists_fewer_clients_replaces_the_ids_on_record(invoke: Invoke, world: World) -> None:
    some_clients(world)
    first, _ = listed(invoke, world, {"cadence": "monthly"})
    deliver("globex")
    listed(invoke, world, {"cadence": "monthly"})
    assert RunStore("outcomes").on_record(first.run.run_id).client_ids == ("acme",)
