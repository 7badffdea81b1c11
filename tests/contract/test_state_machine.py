"""The state machine: a graph without loose ends, and the house style of its states. No linter reads the file for us."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from cost_reporting.contracts import Worklist
from cost_reporting.ledger import UNDERWAY
from cost_reporting.outcomes import STAGES
from tests.contract.documents import State, functions, graphs, machine, resources, states, tasks
from tests.contract.test_errors import KILLED

TERMINAL = {"Succeed", "Fail"}
ORDER = ["Comment", "Type", "Resource", "Parameters", "OutputPath", "TimeoutSeconds", "Retry", "Catch", "Next", "End"]


def named(every: list[State]) -> Any:
    return pytest.mark.parametrize("state", every, ids=lambda state: state.name)


def exits(body: Mapping[str, Any]) -> Iterator[str]:
    """Where a state may lead to."""
    yield from (body[field] for field in ("Next", "Default") if field in body)
    yield from (each["Next"] for field in ("Choices", "Catch") for each in body.get(field, []))


def reachable(graph: Mapping[str, Any]) -> set[str]:
    found, waiting = set[str](), [graph["StartAt"]]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(exits(graph["States"][name]))
    return found


def state(name: str) -> Mapping[str, Any]:
    (found,) = [each.body for each in states() if each.name == name]
    return found


@named(states())
def test_every_way_out_of_a_state_leads_to_a_state_of_the_same_graph(state: State) -> None:
    assert set(exits(state.body)) <= state.graph["States"].keys()


def test_every_state_can_be_reached_and_every_graph_can_end() -> None:
    for graph in graphs():
        assert reachable(graph) == graph["States"].keys()
        assert [name for name, body in graph["States"].items() if body.get("End") or body["Type"] in TERMINAL]


@named(states())
def test_a_state_leads_on_or_ends_and_never_both(state: State) -> None:
    ways = [field for field in ("Next", "End") if field in state.body]
    assert len(ways) == (0 if state.body["Type"] in TERMINAL | {"Choice"} else 1)
    assert state.body.get("End", True) is True
    if state.body["Type"] == "Choice":
        assert "Default" in state.body, "without one, an input that fits no choice ends as States.NoChoiceMatched"


def test_no_name_stands_twice() -> None:
    names = [each.name for each in states()]
    assert len(set(names)) == len(names)


@named(states())
def test_every_state_says_what_it_is_for(state: State) -> None:
    assert next(iter(state.body)) == "Comment"
    assert re.fullmatch(r"\S.*\.", state.body["Comment"])


@named(tasks())
def test_a_task_has_its_fields_in_the_order_of_the_house_style(state: State) -> None:
    fields = list(state.body)
    assert fields == [field for field in ORDER if field in fields]


@named(tasks())
def test_a_task_hands_the_payload_to_lambda_and_takes_it_back_whole(state: State) -> None:
    assert state.body["Resource"] == "arn:aws:states:::lambda:invoke"
    assert state.body["OutputPath"] == "$.Payload"
    assert not {"InputPath", "ResultPath", "ResultSelector"} & state.body.keys()
    if state.name == "List Clients":
        assert sorted(state.body["Parameters"]["Payload"]) == ["execution_id.$", "request.$", "started_at.$"]
    elif state.name == "Settle Run":
        assert state.body["Parameters"]["Payload"] == {
            "worklist.$": "$",
            "redrives.$": "$$.Execution.RedriveCount",
            "entered_at.$": "$$.State.EnteredTime",
        }
    else:
        assert state.body["Parameters"]["Payload.$"] == "$"


@named(tasks())
def test_a_task_waits_at_least_as_long_as_its_function_may_take(state: State) -> None:
    logical_id = state.body["Parameters"]["FunctionName"].strip("${}").removesuffix("Arn")
    timeout = functions()[logical_id]["Timeout"]
    assert state.body["TimeoutSeconds"] >= timeout
    assert f"{state.body['TimeoutSeconds']} s: the function's {timeout} s" in state.body["Comment"]


@named(tasks())
def test_every_number_is_a_literal_with_its_reason_beside_it(state: State) -> None:
    assert isinstance(state.body["TimeoutSeconds"], int)
    for retrier in state.body["Retry"]:
        assert len(retrier["Comment"]) > 40
        assert all(isinstance(retrier[field], int) for field in ("IntervalSeconds", "MaxAttempts", "BackoffRate"))
        # Only two contend for one mail; everywhere else many clients would come back at the same moment.
        assert (retrier.get("JitterStrategy") == "FULL") is (retrier["ErrorEquals"] != ["DeliveryUnderway"])
        assert retrier["BackoffRate"] == 1 or "MaxDelaySeconds" in retrier


FROM_PATHS = {"MaxConcurrencyPath": "$.concurrent_clients", "TimestampPath": "$.look_again_at"}
"""The two values that the worklist decides: how many clients run at once, and when a run looks again."""


def test_only_the_concurrency_and_the_moment_of_a_second_look_come_from_paths_and_no_number_from_a_substitution() -> (
    None
):
    text = json.dumps(machine())
    assert (
        dict(re.findall(r'"(\w*(?:Seconds|Timestamp|Concurrency|Percentage|Count)Path)": "([^"]*)"', text))
        == FROM_PATHS
    )
    for path in FROM_PATHS.values():
        assert path.removeprefix("$.") in Worklist.model_fields
    assert not re.findall(r"\$\{(?!\w+(FunctionArn|Name)\})[^}]*\}", text), "substitutions are names and ARNs"


def test_the_stages_of_a_client_and_only_they_hand_every_failure_to_record_outcome() -> None:
    catching = {each.name: each.body["Catch"] for each in states() if "Catch" in each.body}
    assert sorted(catching) == sorted([*(stage for _, stage in STAGES), "Render Without Logo"])
    expected = {"ErrorEquals": ["States.ALL"], "ResultPath": "$.failure", "Next": "Record Outcome"}
    assert all(catch[-1] == expected for catch in catching.values())


def catchers(name: str) -> list[tuple[tuple[str, ...], str, str]]:
    """What a state catches before it catches everything, into which field, and where that leads."""
    return [(tuple(each["ErrorEquals"]), each["ResultPath"], each["Next"]) for each in state(name)["Catch"][:-1]]


STALE = (("StaleDocument",), "$.failure", "Restarted Already?")


def test_a_killed_render_is_tried_once_more_without_the_logo_and_no_third_time() -> None:
    assert catchers("Render PDF") == [(tuple(sorted(KILLED)), "$.killed", "Render Without Logo"), STALE]
    assert catchers("Render Without Logo") == [STALE]
    for name in ("Render PDF", "Render Without Logo"):
        assert not {error for retrier in state(name)["Retry"] for error in retrier["ErrorEquals"]} & KILLED


def test_a_document_that_was_replaced_restarts_the_client_once_from_every_state_that_reads_one() -> None:
    assert catchers("Fetch Costs") == []
    assert catchers("Send Email") == [STALE]
    again, restart = state("Restarted Already?"), state("Restart Client")
    (choice,) = again["Choices"]
    assert choice["And"] == [
        {"Variable": "$.restarted", "IsPresent": True},
        {"Variable": "$.restarted", "BooleanEquals": True},
    ]
    assert (choice["Next"], again["Default"]) == ("Record Outcome", "Restart Client")
    assert (restart["Parameters"]["restarted"], restart["Next"]) == (True, "Fetch Costs")


def straight_path() -> list[str]:
    """The states of a client when all goes well."""
    (child,) = list(graphs())[1:]
    name, order = child["StartAt"], []
    while name:
        order.append(name)
        name = child["States"][name].get("Next")
    return order


def test_the_stages_stand_in_the_order_in_which_the_baton_grows() -> None:
    assert straight_path() == [*(stage for _, stage in STAGES), "Record Outcome"]


def test_the_map_lets_everybody_fail_and_never_runs_everybody_again() -> None:
    body = state("For Each Client")
    assert body["ToleratedFailurePercentage"] == 100
    assert not {"Retry", "Catch", "ToleratedFailureCount", "ToleratedFailurePercentagePath"} & body.keys()
    assert body["ItemProcessor"]["ProcessorConfig"] == {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    assert "MaxConcurrency" not in body, "AWS takes it or MaxConcurrencyPath"
    assert body["ResultPath"] is None, "the results are in the outcomes table"


def test_the_map_reads_the_worklist_and_writes_beside_it() -> None:
    body = state("For Each Client")
    assert body["ItemReader"]["ReaderConfig"] == {"InputType": "JSONL"}
    assert body["ItemReader"]["Parameters"] == {"Bucket": "${BucketName}", "Key.$": "$.worklist.key"}
    assert body["ResultWriter"]["Parameters"]["Bucket"] == "${BucketName}"
    assert "runs/{}" in body["ResultWriter"]["Parameters"]["Prefix.$"]


def test_the_map_has_the_label_that_its_permissions_name() -> None:
    (properties,) = resources("AWS::Serverless::StateMachine").values()
    watched = [
        statement["Resource"]
        for policy in properties["Policies"]
        for statement in policy["Statement"]
        if "states:RedriveExecution" in statement["Action"]
    ]
    assert [arn.rpartition("/")[2] for arn in watched] == [f"{state('For Each Client')['Label']}:*"]


def test_a_run_is_never_ended_by_a_fail_state_which_no_redrive_could_repeat() -> None:
    assert not [each.name for each in states() if each.body["Type"] == "Fail"]


def test_settle_run_is_tried_again_when_it_was_killed_since_the_count_of_redrives_tells_a_repeated_call() -> None:
    names = {name for retrier in state("Settle Run")["Retry"] for name in retrier["ErrorEquals"]}
    assert names >= KILLED


def test_no_retry_inside_a_child_waits_longer_than_a_minute() -> None:
    (child,) = list(graphs())[1:]
    for name, body in child["States"].items():
        for retrier in body.get("Retry", []):
            longest = retrier["IntervalSeconds"] * retrier["BackoffRate"] ** (retrier["MaxAttempts"] - 1)
            assert min(longest, retrier.get("MaxDelaySeconds", longest)) <= 60, f"{name}: {retrier['ErrorEquals']}"


def choices(name: str) -> dict[str, Any]:
    """Where a Choice leads, with the fields that its rules look at."""
    rules = state(name)["Choices"]
    return {rule["Next"]: [each["Variable"] for each in rule.get("And", [rule])] for rule in rules}


def test_clients_remaining_tells_a_double_start_from_a_wait_from_work_from_the_verdict() -> None:
    assert list(choices("Clients Remaining?").items()) == [
        ("Started Twice", ["$.double_of"]),
        ("Wait for Figures", ["$.look_again_at", "$.look_again_at"]),
        ("For Each Client", ["$.worklist", "$.client_count"]),
        ("Settle Run", ["$.worklist"]),
    ]
    assert state("Clients Remaining?")["Default"] == "Run Complete"
    assert state("Wait for Figures")["Next"] == "For Each Client"


@pytest.mark.parametrize("choice", ["Health Check?", "Clients Remaining?", "Restarted Already?"])
def test_no_choice_reads_a_field_before_it_has_asked_whether_it_is_there(choice: str) -> None:
    """A path that finds nothing is States.Runtime, which no Catch holds. (Developer Guide, "Handling errors")"""
    known = {"$.client_count"}  # beside $.worklist in every Worklist
    for rule in state(choice)["Choices"]:
        for test in rule.get("And", [rule]):
            assert test.get("IsPresent") or test["Variable"] in known
            known.add(test["Variable"])


def test_a_mail_that_is_underway_is_waited_for_until_it_is_sent_or_uncertain() -> None:
    send = state("Send Email")
    assert UNDERWAY.total_seconds() >= send["TimeoutSeconds"]
    (retrier,) = [each for each in send["Retry"] if each["ErrorEquals"] == ["DeliveryUnderway"]]
    assert retrier["IntervalSeconds"] * retrier["MaxAttempts"] >= UNDERWAY.total_seconds()


def test_a_client_takes_at_most_six_transitions_when_all_goes_well() -> None:
    start_of_the_child = 1
    assert len(straight_path()) + start_of_the_child <= 6
