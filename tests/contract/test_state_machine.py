"""The state machine: a graph without loose ends, and the house style of its states. No linter reads the file for us."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

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


def test_numbers_come_from_no_path_and_no_substitution() -> None:
    text = json.dumps(machine())
    assert not re.findall(r"(Seconds|Concurrency|Percentage|Count)Path", text)
    assert not re.findall(r"\$\{(?!\w+(FunctionArn|Name)\})[^}]*\}", text), "substitutions are names and ARNs"


def test_the_stages_of_a_client_and_only_they_hand_every_failure_to_record_outcome() -> None:
    catching = {each.name: each.body["Catch"] for each in states() if "Catch" in each.body}
    assert sorted(catching) == sorted(stage for _, stage in STAGES)
    expected = [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.failure", "Next": "Record Outcome"}]
    assert all(catch == expected for catch in catching.values())


def test_the_stages_stand_in_the_order_in_which_the_baton_grows() -> None:
    (child,) = list(graphs())[1:]
    name, order = child["StartAt"], []
    while name:
        order.append(name)
        name = child["States"][name].get("Next")
    assert order == [*(stage for _, stage in STAGES), "Record Outcome"]


def test_the_map_lets_everybody_fail_and_never_runs_everybody_again() -> None:
    body = state("For Each Client")
    assert body["ToleratedFailurePercentage"] == 100
    assert not {"Retry", "Catch", "ToleratedFailureCount", "ToleratedFailurePercentagePath"} & body.keys()
    assert body["ItemProcessor"]["ProcessorConfig"] == {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    assert isinstance(body["MaxConcurrency"], int)
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


def test_settle_run_is_not_tried_again_when_it_may_have_given_its_verdict() -> None:
    names = {name for retrier in state("Settle Run")["Retry"] for name in retrier["ErrorEquals"]}
    assert not names & {*KILLED, "States.TaskFailed", "States.ALL"}


def test_a_mail_that_is_underway_is_waited_for_until_it_is_sent_or_uncertain() -> None:
    send = state("Send Email")
    assert UNDERWAY.total_seconds() >= send["TimeoutSeconds"]
    (retrier,) = [each for each in send["Retry"] if each["ErrorEquals"] == ["DeliveryUnderway"]]
    assert retrier["IntervalSeconds"] * retrier["MaxAttempts"] >= UNDERWAY.total_seconds()


def test_a_client_takes_at_most_six_transitions_when_all_goes_well() -> None:
    (child,) = list(graphs())[1:]
    assert len(child["States"]) + 1 <= 6
