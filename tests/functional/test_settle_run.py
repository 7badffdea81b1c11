"""Settle Run: the verdict on a pass, and, when somebody has asked again, the next pass."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from cost_reporting.contracts import ClientDue, RunSummary, Worklist
from cost_reporting.errors import RunIncomplete, StoreRefused, StoreThrottled
from cost_reporting.operations.worklists import write_worklist
from cost_reporting.outcomes import failed
from cost_reporting.store.objects import ObjectStore
from cost_reporting.store.runs import RunStore
from tests.builders import a_client_due, a_run, an_outcome
from tests.functional.conftest import NOW, Wire, World, refusal

Invoke = Callable[[str, Any], Any]
RUN = a_run()
SUMMARY = f"runs/{RUN.run_id}/summary.json"


@pytest.fixture
def worklist(world: World) -> Worklist:
    """Pass 1 of a run of three clients."""
    due = [a_client_due(client_id, RUN) for client_id in ("acme", "globex", "initech")]
    return write_worklist(ObjectStore(world.bucket), RUN, 1, due)


def ended(*sent: str, lost: str = "") -> None:
    """Record outcomes as the children of the map do."""
    for client_id in sent:
        RunStore("outcomes").record(RUN, an_outcome(client_id), NOW)
    for client_id in lost.split():
        outcome = failed(client_id, "Fetch Costs", "ClientAccessDenied", "role: AccessDenied")
        RunStore("outcomes").record(RUN, outcome, NOW)


def settle(invoke: Invoke, worklist: Worklist) -> Worklist | RunSummary:
    answer = invoke("settle_run", worklist)
    return RunSummary.model_validate(answer) if "summary" in answer else Worklist.model_validate(answer)


def next_pass(invoke: Invoke, worklist: Worklist) -> Worklist:
    """What a redrive gets: the same input again."""
    answer = settle(invoke, worklist)
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
    assert world.outcomes("RUN#")[0]["sk"].startswith("OUTCOME#"), "no verdict is needed"


def test_a_run_of_nobody_is_complete(invoke: Invoke, world: World) -> None:
    worklist = write_worklist(ObjectStore(world.bucket), RUN, 1, [])
    summary = settle(invoke, worklist)
    assert isinstance(summary, RunSummary)
    assert summary.client_count == 0


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


def test_the_same_input_again_is_a_pass_of_the_failed_clients_only(
    invoke: Invoke, world: World, worklist: Worklist
) -> None:
    ended("acme", lost="globex initech")
    with pytest.raises(RunIncomplete):
        settle(invoke, worklist)
    again = next_pass(invoke, worklist)
    assert (again.pass_number, again.client_count, again.run) == (2, 2, worklist.run)
    assert clients(world, again) == ["globex", "initech"]
    assert again.worklist.key != worklist.worklist.key


def test_a_pass_that_mends_everything_completes_the_run(invoke: Invoke, world: World, worklist: Worklist) -> None:
    ended("acme", lost="globex initech")
    with pytest.raises(RunIncomplete):
        settle(invoke, worklist)
    again = next_pass(invoke, worklist)
    ended("globex", "initech")
    summary = settle(invoke, again)
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
        settle(invoke, second)
    third = next_pass(invoke, second)
    assert (third.pass_number, clients(world, third)) == (3, ["initech"])


def test_a_redrive_after_the_clients_were_mended_elsewhere_completes_at_once(
    invoke: Invoke, world: World, worklist: Worklist
) -> None:
    ended("acme", "globex", lost="initech")
    with pytest.raises(RunIncomplete):
        settle(invoke, worklist)
    ended("initech")
    assert isinstance(settle(invoke, worklist), RunSummary)


def test_outcomes_of_several_pages_are_all_read(invoke: Invoke, world: World, wire: Wire) -> None:
    ids = [f"client-{number}" for number in range(4)]
    worklist = write_worklist(ObjectStore(world.bucket), RUN, 1, [a_client_due(each, RUN) for each in ids])
    for client_id in ids:
        RunStore("outcomes").record(RUN, an_outcome(client_id, report_key="x" * 380_000), NOW)
    summary = settle(invoke, worklist)
    assert isinstance(summary, RunSummary)
    assert summary.sent == 4
    assert wire.count("dynamodb.Query") > 1


def test_clients_whose_ids_start_alike_are_not_confused(invoke: Invoke, world: World) -> None:
    due = [a_client_due(client_id, RUN) for client_id in ("acme", "acme-2")]
    worklist = write_worklist(ObjectStore(world.bucket), RUN, 1, due)
    ended("acme-2")
    with pytest.raises(RunIncomplete, match=r"1 of 2 clients have no report\.\nacme: NoOutcome"):
        settle(invoke, worklist)


def test_a_worklist_that_is_gone_is_no_run_without_clients(invoke: Invoke, world: World, worklist: Worklist) -> None:
    world.delete(worklist.worklist.key)
    with pytest.raises(StoreRefused, match="worklist of pass 1"):
        settle(invoke, worklist)


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
    worklist = write_worklist(ObjectStore(world.bucket), run, 1, [])
    settle(invoke, worklist)
    assert b"@" not in world.get(f"runs/{run.run_id}/summary.json")
