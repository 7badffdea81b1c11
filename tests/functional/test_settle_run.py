"""Settle Run: the verdict on a pass, or the next pass: of late clients, or, after a redrive, of the failed ones."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cost_reporting.contracts import ClientDue, Run, RunSummary, SettleAsked, Worklist
from cost_reporting.errors import CostsNotReady, RunIncomplete, StoreRefused, StoreThrottled, WorklistChanged
from cost_reporting.operations.worklists import write_worklist
from cost_reporting.outcomes import failed
from cost_reporting.store.objects import ObjectStore
from cost_reporting.store.runs import RunStore
from tests.builders import a_client_due, a_run, an_outcome
from tests.functional.conftest import NOW, Clock, Wire, World, refusal

Invoke = Callable[[str, Any], Any]
RUN = a_run()
ENTERED = datetime(2026, 11, 8, 6, 20, 7, 345_000, tzinfo=UTC)
SUMMARY = f"runs/{RUN.run_id}/summary.json"


@pytest.fixture
def worklist(world: World) -> Worklist:
    """Pass 1 of a run of three clients."""
    return listed(world, "acme", "globex", "initech")


def listed(world: World, *client_ids: str, run: Run = RUN, looks: int = 0) -> Worklist:
    """The worklist of a run that List Clients began."""
    due = [a_client_due(client_id, run) for client_id in client_ids]
    worklist = write_worklist(ObjectStore(world.bucket), run, 1, due, looks=looks)
    RunStore("outcomes").begin(worklist, "arn", NOW, client_ids=client_ids)
    return worklist


def ended(*sent: str, lost: str = "", late: str = "") -> None:
    """Record outcomes as the children of the map do."""
    for client_id in sent:
        RunStore("outcomes").record(RUN, an_outcome(client_id), NOW)
    for client_id in late.split():
        outcome = failed(client_id, "Fetch Costs", "CostsNotReady", "no figures yet")
        RunStore("outcomes").record(RUN, outcome.model_copy(update={"status": "LATE"}), NOW)
    for client_id in lost.split():
        outcome = failed(client_id, "Fetch Costs", "ClientAccessDenied", "role: AccessDenied")
        RunStore("outcomes").record(RUN, outcome, NOW)


def settle(invoke: Invoke, worklist: Worklist, *, redrives: int = 0) -> Worklist | RunSummary:
    """What the state answers when the execution has been redriven so often."""
    asked = SettleAsked(worklist=worklist, redrives=redrives, entered_at=ENTERED)
    return answered(invoke("settle_run", asked))


def answered(answer: Any) -> Worklist | RunSummary:
    return RunSummary.model_validate(answer) if "summary" in answer else Worklist.model_validate(answer)


def next_pass(invoke: Invoke, worklist: Worklist, *, redrives: int = 1) -> Worklist:
    """What a redrive gets: the same input again, and one more redrive."""
    answer = settle(invoke, worklist, redrives=redrives)
    assert isinstance(answer, Worklist)
    return answer


def clients(world: World, worklist: Worklist) -> list[str]:
    lines = world.get(worklist.worklist.key).decode().splitlines()
    return [ClientDue.model_validate_json(line).client_id for line in lines]


def test_when_everybody_has_a_report_the_run_is_summed_up(invoke: Invoke, world: World, worklist: Worklist) -> None:
    ended("acme", "globex", "initech")
    summary = settle(invoke, worklist)
    assert isinstance(summary, RunSummary)
    assert (summary.client_count, summary.sent, summary.not_sent, summary.pass_number) == (3, 3, 0, 1)
    written = json.loads(world.get(SUMMARY))
    assert [client["client_id"] for client in written["clients"]] == ["acme", "globex", "initech"]
    assert not [item for item in world.outcomes("RUN#") if item["sk"].startswith("VERDICT#")], "none is needed"


def test_a_run_of_nobody_is_complete(invoke: Invoke, world: World) -> None:
    summary = settle(invoke, listed(world))
    assert isinstance(summary, RunSummary)
    assert summary.client_count == 0


def processed(capsys: pytest.CaptureFixture[str]) -> list[float]:
    """What Settle Run has added to ClientsProcessed since the last look, call by call."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    assert all(
        line["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [[]] for line in lines if "ClientsProcessed" in line
    )
    return [line["ClientsProcessed"][0] for line in lines if "ClientsProcessed" in line]


def test_each_client_is_counted_as_processed_once_in_a_run_however_many_passes_it_takes(
    invoke: Invoke, worklist: Worklist, capsys: pytest.CaptureFixture[str]
) -> None:
    ended("acme", lost="globex initech")
    with pytest.raises(RunIncomplete):
        settle(invoke, worklist)
    assert processed(capsys) == [3]
    again = next_pass(invoke, worklist)
    ended("globex", lost="initech")
    with pytest.raises(RunIncomplete):
        settle(invoke, again, redrives=1)
    third = next_pass(invoke, again, redrives=2)
    ended("initech")
    assert isinstance(settle(invoke, third, redrives=2), RunSummary)
    assert processed(capsys) == [0, 0]


def test_a_late_client_is_counted_as_processed_when_the_run_has_ended_and_not_with_each_look(
    invoke: Invoke, worklist: Worklist, capsys: pytest.CaptureFixture[str]
) -> None:
    ended("acme", "globex", late="initech")
    again = settle(invoke, worklist)
    assert isinstance(again, Worklist)
    assert processed(capsys) == []
    ended("initech")
    assert isinstance(settle(invoke, again), RunSummary)
    assert processed(capsys) == [3]


def test_a_client_without_an_outcome_is_marked_as_failed_with_the_verdict_so_that_every_door_says_so(
    invoke: Invoke, world: World, worklist: Worklist
) -> None:
    ended("acme", lost="globex")
    with pytest.raises(RunIncomplete):
        settle(invoke, worklist)
    ends = RunStore("outcomes").ends("monthly#2026-10#final")
    assert {client_id: end.error for client_id, end in ends.items()} == {"initech": "NoOutcome"}


def test_clients_that_an_operator_took_out_are_not_processed(
    invoke: Invoke, worklist: Worklist, capsys: pytest.CaptureFixture[str]
) -> None:
    ended("acme")
    for client_id, status in (("globex", "LEFT_OUT"), ("initech", "REMOVED")):
        RunStore("outcomes").record(RUN, an_outcome(client_id, status), NOW)
    assert isinstance(settle(invoke, worklist), RunSummary)
    assert processed(capsys) == [1]


def test_a_dry_run_is_complete_without_a_mail(invoke: Invoke, world: World, worklist: Worklist) -> None:
    for client_id in ("acme", "globex", "initech"):
        RunStore("outcomes").record(RUN, an_outcome(client_id, "NOT_SENT"), NOW)
    summary = settle(invoke, worklist)
    assert isinstance(summary, RunSummary)
    assert (summary.sent, summary.not_sent) == (0, 3)


def test_what_an_operator_keeps_back_is_counted_and_fails_no_run(
    invoke: Invoke, world: World, worklist: Worklist
) -> None:
    for client_id, status in (("acme", "SENT"), ("globex", "HELD"), ("initech", "REJECTED")):
        RunStore("outcomes").record(RUN, an_outcome(client_id, status), NOW)
    summary = settle(invoke, worklist)
    assert isinstance(summary, RunSummary)
    assert (summary.sent, summary.held, summary.rejected, summary.not_sent) == (1, 1, 1, 0)


def test_when_some_have_none_the_run_fails_and_names_them_with_their_remedies(
    invoke: Invoke, world: World, worklist: Worklist
) -> None:
    ended("acme", lost="globex initech")
    with pytest.raises(RunIncomplete) as raised:
        settle(invoke, worklist)
    said = str(raised.value).splitlines()
    assert said[0] == "2 of 3 clients have no report."
    assert said[1].startswith("globex: ClientAccessDenied at Fetch Costs: role: AccessDenied Remedy: Ask the client")
    assert said[2].startswith("initech: ")
    (verdict,) = [item for item in world.outcomes("RUN#") if item["sk"].startswith("VERDICT#")]
    assert (verdict["sk"], verdict["failed"]) == ("VERDICT#0001", 2)
    assert len(json.loads(world.get(SUMMARY))["clients"]) == 3, "the summary is written of a failed run as well"


def test_a_client_without_an_outcome_counts_as_failed(invoke: Invoke, world: World, worklist: Worklist) -> None:
    ended("acme", "globex")
    with pytest.raises(RunIncomplete, match="initech: NoOutcome"):
        settle(invoke, worklist)


def test_a_redrive_is_a_pass_of_the_failed_clients_only(invoke: Invoke, world: World, worklist: Worklist) -> None:
    ended("acme", lost="globex initech")
    with pytest.raises(RunIncomplete):
        settle(invoke, worklist)
    again = next_pass(invoke, worklist)
    assert (again.pass_number, again.client_count, again.run) == (2, 2, worklist.run)
    assert clients(world, again) == ["globex", "initech"]
    assert again.worklist.key != worklist.worklist.key
    assert again.look_again_at is None, "an operator who redrives gets an answer at once"


def test_a_pass_that_mends_everything_completes_the_run(invoke: Invoke, world: World, worklist: Worklist) -> None:
    ended("acme", lost="globex initech")
    with pytest.raises(RunIncomplete):
        settle(invoke, worklist)
    again = next_pass(invoke, worklist)
    ended("globex", "initech")
    summary = settle(invoke, again, redrives=1)
    assert isinstance(summary, RunSummary)
    assert (summary.pass_number, summary.client_count, summary.sent) == (2, 3, 3)


def test_a_second_pass_fails_at_its_own_end_and_can_be_asked_again_as_well(
    invoke: Invoke, world: World, worklist: Worklist
) -> None:
    ended("acme", lost="globex initech")
    with pytest.raises(RunIncomplete):
        settle(invoke, worklist)
    second = next_pass(invoke, worklist)
    ended("globex", lost="initech")
    with pytest.raises(RunIncomplete, match=r"1 of 3 clients have no report\.\ninitech: "):
        settle(invoke, second, redrives=1)
    third = next_pass(invoke, second, redrives=2)
    assert (third.pass_number, clients(world, third)) == (3, ["initech"])


def test_a_redrive_after_the_clients_were_mended_elsewhere_completes_at_once(
    invoke: Invoke, world: World, worklist: Worklist
) -> None:
    ended("acme", "globex", lost="initech")
    with pytest.raises(RunIncomplete):
        settle(invoke, worklist)
    ended("initech")
    assert isinstance(settle(invoke, worklist, redrives=1), RunSummary)


def test_outcomes_of_several_pages_are_all_read(invoke: Invoke, world: World, wire: Wire) -> None:
    ids = [f"client-{number}" for number in range(4)]
    worklist = listed(world, *ids)
    for client_id in ids:
        RunStore("outcomes").record(RUN, an_outcome(client_id, report_key="x" * 380_000), NOW)
    summary = settle(invoke, worklist)
    assert isinstance(summary, RunSummary)
    assert summary.sent == 4
    assert wire.count("dynamodb.Query") > 1


def test_clients_whose_ids_start_alike_are_not_confused(invoke: Invoke, world: World) -> None:
    worklist = listed(world, "acme", "acme-2")
    ended("acme-2")
    with pytest.raises(RunIncomplete, match=r"1 of 2 clients have no report\.\nacme: NoOutcome"):
        settle(invoke, worklist)


# -- a repeated call is no redrive ------------------------------------------------------------------------------------


def test_an_answer_that_was_lost_is_given_again_and_starts_no_pass(
    invoke: Invoke, world: World, worklist: Worklist
) -> None:
    ended("acme", lost="globex initech")
    said = []
    for _ in range(3):
        with pytest.raises(RunIncomplete) as raised:
            settle(invoke, worklist)
        said.append(str(raised.value))
    assert len(set(said)) == 1


def test_a_verdict_that_botocore_writes_twice_is_no_redrive(
    invoke: Invoke, world: World, worklist: Worklist, wire: Wire
) -> None:
    """The write arrives, its answer does not, and botocore repeats it within the same call."""
    ended("acme", lost="globex initech")
    wire.silent.add("dynamodb.PutItem")
    with pytest.raises(StoreThrottled):
        settle(invoke, worklist)
    assert wire.sent["dynamodb.PutItem"] > 1
    wire.silent.clear()
    with pytest.raises(RunIncomplete):
        settle(invoke, worklist)


def test_a_redrive_whose_answer_was_lost_gets_the_same_pass_again(
    invoke: Invoke, world: World, worklist: Worklist
) -> None:
    ended("acme", lost="globex initech")
    with pytest.raises(RunIncomplete):
        settle(invoke, worklist)
    assert next_pass(invoke, worklist) == next_pass(invoke, worklist)


# -- late clients -----------------------------------------------------------------------------------------------------


def test_late_clients_and_only_they_are_looked_at_again_after_half_an_hour(
    invoke: Invoke, world: World, worklist: Worklist
) -> None:
    ended("acme", late="globex initech")
    again = settle(invoke, worklist)
    assert isinstance(again, Worklist)
    assert (again.pass_number, again.looks, clients(world, again)) == (2, 1, ["globex", "initech"])
    assert again.look_again_at == datetime(2026, 11, 8, 6, 50, 7, tzinfo=UTC), "from when the state was entered"
    assert not [item for item in world.outcomes("RUN#") if item["sk"].startswith("VERDICT#")]


def test_the_second_look_is_two_hours_later_and_the_last(invoke: Invoke, world: World, worklist: Worklist) -> None:
    ended("acme", "globex", late="initech")
    first = settle(invoke, worklist)
    assert isinstance(first, Worklist)
    second = settle(invoke, first)
    assert isinstance(second, Worklist)
    assert (second.pass_number, second.looks, second.look_again_at) == (
        3,
        2,
        ENTERED.replace(microsecond=0) + timedelta(hours=2),
    )
    looks = [last_looks(world, each) for each in (first, second)]
    assert looks == [[False], [True]]


def last_looks(world: World, worklist: Worklist) -> list[bool]:
    lines = world.get(worklist.worklist.key).decode().splitlines()
    return [ClientDue.model_validate_json(line).last_look for line in lines]


def test_a_repeated_call_gives_the_same_moment_to_look_again(invoke: Invoke, world: World, worklist: Worklist) -> None:
    ended("acme", "globex", late="initech")
    assert settle(invoke, worklist) == settle(invoke, worklist)


def test_a_client_that_failed_for_good_waits_in_the_record_while_the_run_looks_again_and_is_named_at_its_end(
    invoke: Invoke, world: World, worklist: Worklist
) -> None:
    ended("acme", lost="globex", late="initech")
    again = settle(invoke, worklist)
    assert isinstance(again, Worklist)
    assert clients(world, again) == ["initech"]
    ended("initech")
    with pytest.raises(RunIncomplete, match=r"1 of 3 clients have no report\.\nglobex: ClientAccessDenied"):
        settle(invoke, again)


def test_late_on_the_last_look_is_failed_and_the_redrive_looks_once_more_at_once(
    invoke: Invoke, world: World, worklist: Worklist
) -> None:
    ended("acme", "globex", late="initech")
    first = settle(invoke, worklist)
    assert isinstance(first, Worklist)
    second = settle(invoke, first)
    assert isinstance(second, Worklist)
    outcome = failed("initech", "Fetch Costs", "CostsNotReady", "no figures yet")
    RunStore("outcomes").record(RUN, outcome, NOW)
    with pytest.raises(RunIncomplete, match="initech: CostsNotReady at Fetch Costs: no figures yet Remedy: Rerun"):
        settle(invoke, second)
    again = next_pass(invoke, second)
    assert (again.pass_number, again.looks, again.look_again_at) == (4, 2, None)
    assert last_looks(world, again) == [True]


def test_a_last_look_that_left_no_outcome_is_not_told_as_figures_that_are_not_there(
    invoke: Invoke, world: World, worklist: Worklist
) -> None:
    """The LATE on record is of the look before: why the client has no report now, nobody knows."""
    ended("acme", "globex", late="initech")
    first = settle(invoke, worklist)
    assert isinstance(first, Worklist)
    second = settle(invoke, first)
    assert isinstance(second, Worklist)
    with pytest.raises(RunIncomplete, match="initech: NoOutcome at Record Outcome: the last look") as raised:
        settle(invoke, second)
    assert CostsNotReady.remedy not in str(raised.value)


def test_where_no_second_look_is_wanted_late_is_failed_at_once(
    invoke: Invoke, world: World, worklist: Worklist, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOOK_AGAIN_SECONDS", "never")
    ended("acme", "globex", late="initech")
    with pytest.raises(RunIncomplete, match="initech: CostsNotReady") as raised:
        settle(invoke, worklist)
    assert CostsNotReady.remedy in str(raised.value)


def test_the_number_of_clients_at_once_is_handed_on(invoke: Invoke, world: World, worklist: Worklist) -> None:
    ended("acme", "globex", late="initech")
    late = settle(invoke, worklist.model_copy(update={"concurrent_clients": 40}))
    assert isinstance(late, Worklist)
    assert late.concurrent_clients == 40


def test_how_long_a_run_worked_is_told_without_its_waits_and_not_after_a_redrive(
    invoke: Invoke, world: World, worklist: Worklist, clock: Clock
) -> None:
    """The alarm LongExecution looks at it: a run that waits for figures is not slow."""
    ended("acme", "globex", late="initech")
    clock.pass_by(minutes=4)
    first = settle(invoke, worklist)
    assert isinstance(first, Worklist)
    ended("initech")
    clock.pass_by(minutes=31)
    summary = settle(invoke, first)
    assert isinstance(summary, RunSummary)
    assert summary.worked_ms == 5 * 60 * 1000
    summary = settle(invoke, first, redrives=1)
    assert isinstance(summary, RunSummary)
    assert summary.worked_ms is None


# -- left out, removed ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "counted"), [("LEFT_OUT", "left_out"), ("REMOVED", "removed")])
def test_a_client_that_an_operator_took_out_fails_no_run_and_is_counted(
    status: Any, counted: str, invoke: Invoke, world: World, worklist: Worklist
) -> None:
    ended("acme", "globex")
    outcome = failed("initech", "Fetch Costs", "ClientUnknown", "initech").model_copy(update={"status": status})
    RunStore("outcomes").record(RUN, outcome, NOW)
    summary = settle(invoke, worklist)
    assert isinstance(summary, RunSummary)
    assert (summary.client_count, summary.sent, getattr(summary, counted)) == (3, 2, 1)


# -- the worklist in the bucket is compared with the record -----------------------------------------------------------


def test_a_client_lost_from_the_worklist_is_named_and_the_redrive_works_on_it(
    invoke: Invoke, world: World, worklist: Worklist
) -> None:
    whole = world.get(worklist.worklist.key)
    world.put(worklist.worklist.key, b"".join(whole.splitlines(keepends=True)[:-1]))
    ended("acme", "globex")
    with pytest.raises(RunIncomplete, match="initech: NoOutcome") as raised:
        settle(invoke, worklist)
    assert "is not the one that List Clients wrote; missing from it: initech." in str(raised.value)
    again = next_pass(invoke, worklist)
    assert clients(world, again) == ["initech"]
    ended("initech")
    assert isinstance(settle(invoke, again, redrives=1), RunSummary), "an operator was told, and has redriven"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda lines: lines[:-1], "missing from it: initech"),
        (lambda lines: [*lines[:-1], lines[-1][:-9]], "missing from it: initech"),
        (lambda lines: [*lines, lines[0].replace(b"acme", b"hooli")], "added to it: hooli"),
        (lambda lines: lines[::-1], "is not the one that List Clients wrote."),
        (lambda lines: [], "missing from it: acme, globex, initech"),
    ],
    ids=["cut", "cut within a line", "added", "other order", "empty"],
)
def test_a_worklist_that_was_replaced_never_lets_the_run_succeed_unasked(
    change: Callable[[list[bytes]], list[bytes]], said: str, invoke: Invoke, world: World, worklist: Worklist
) -> None:
    lines = world.get(worklist.worklist.key).splitlines(keepends=True)
    world.put(worklist.worklist.key, b"".join(change(lines)))
    ended("acme", "globex", "initech", "hooli")
    with pytest.raises(WorklistChanged) as raised:
        settle(invoke, worklist)
    assert said in str(raised.value)
    with pytest.raises(WorklistChanged):
        settle(invoke, worklist)
    summary = settle(invoke, worklist, redrives=1)
    assert isinstance(summary, RunSummary), "every client that was listed has its report, and an operator has looked"
    assert (summary.client_count, summary.sent) == (3, 3)


def test_a_worklist_that_is_gone_is_told_and_its_clients_are_known_all_the_same(
    invoke: Invoke, world: World, worklist: Worklist
) -> None:
    world.delete(worklist.worklist.key)
    ended("acme", "globex")
    with pytest.raises(RunIncomplete, match="initech: NoOutcome") as raised:
        settle(invoke, worklist)
    assert "is not in the bucket any more" in str(raised.value)


def begun_by_the_version_before(world: World, *client_ids: str) -> Worklist:
    """A run whose record has no ids."""
    worklist = write_worklist(ObjectStore(world.bucket), RUN, 1, [a_client_due(each, RUN) for each in client_ids])
    RunStore("outcomes").begin(worklist, "arn", NOW)
    return worklist


def test_of_a_run_without_ids_on_record_the_lost_are_named_by_their_outcomes_and_else_counted(
    invoke: Invoke, world: World
) -> None:
    worklist = begun_by_the_version_before(world, "acme", "globex", "initech")
    world.put(worklist.worklist.key, world.get(worklist.worklist.key).splitlines(keepends=True)[0])
    ended("acme", "globex")
    for redrives in (0, 1, 2):
        with pytest.raises(WorklistChanged, match="missing from it: globex; 1 more are missing from it"):
            settle(invoke, worklist, redrives=redrives)


def test_of_a_run_without_ids_on_record_a_worklist_that_is_gone_is_no_run_without_clients(
    invoke: Invoke, world: World
) -> None:
    worklist = begun_by_the_version_before(world, "acme")
    world.delete(worklist.worklist.key)
    with pytest.raises(StoreRefused, match="worklist of pass 1"):
        settle(invoke, worklist)


# -- executions of the definition before ------------------------------------------------------------------------------


def test_an_old_execution_is_judged_and_its_redrive_gets_a_pass_of_the_failed(invoke: Invoke, world: World) -> None:
    worklist = begun_by_the_version_before(world, "acme", "globex")
    ended("acme", lost="globex")
    with pytest.raises(RunIncomplete):
        invoke("settle_run", worklist)
    again = answered(invoke("settle_run", worklist))
    assert isinstance(again, Worklist)
    assert (again.pass_number, clients(world, again), again.look_again_at) == (2, ["globex"], None)


def test_a_verdict_of_the_version_before_on_record_means_that_its_execution_was_redriven(
    invoke: Invoke, world: World
) -> None:
    worklist = begun_by_the_version_before(world, "acme", "globex")
    ended("acme", lost="globex")
    RunStore("outcomes")._put(f"RUN#{RUN.run_id}", "VERDICT#0001", {"failed": 1, "at": NOW.isoformat()})
    assert isinstance(answered(invoke("settle_run", worklist)), Worklist)


def test_an_old_execution_has_no_state_that_waits_so_that_late_is_failed(invoke: Invoke, world: World) -> None:
    worklist = begun_by_the_version_before(world, "acme", "globex")
    ended("acme", late="globex")
    with pytest.raises(RunIncomplete, match="globex: CostsNotReady") as raised:
        invoke("settle_run", worklist)
    assert CostsNotReady.remedy in str(raised.value)


def test_a_verdict_that_could_not_be_written_is_no_request_to_run_again(
    invoke: Invoke, world: World, worklist: Worklist, wire: Wire
) -> None:
    ended("acme", lost="globex initech")
    wire.order("dynamodb.PutItem", refusal("ThrottlingException"))
    with pytest.raises(StoreThrottled):
        settle(invoke, worklist)
    with pytest.raises(RunIncomplete):
        settle(invoke, worklist)


def test_the_addresses_of_a_test_run_are_not_in_its_summary(invoke: Invoke, world: World) -> None:
    run = a_run(mode="test", recipients=("me@consultancy.example",))
    settle(invoke, listed(world, run=run))
    assert b"@" not in world.get(f"runs/{run.run_id}/summary.json")


def test_a_redrive_names_nobody_so_that_a_suspension_since_stops_it(invoke: Invoke, world: World) -> None:
    run = a_run(named=True)
    due = [a_client_due(client_id, run) for client_id in ("acme", "globex")]
    worklist = write_worklist(ObjectStore(world.bucket), run, 1, due)
    ended("acme", lost="globex")
    with pytest.raises(RunIncomplete):
        settle(invoke, worklist)
    again = next_pass(invoke, worklist)
    assert (again.run.named, again.run.rerun_of) == (False, run.run_id)
    (line,) = world.get(again.worklist.key).splitlines()
    assert ClientDue.model_validate_json(line) == a_client_due("globex", again.run)
