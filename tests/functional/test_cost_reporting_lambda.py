"""Cost Reporting Lambda: a run for whoever calls a function and waits for what became of it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from cost_reporting import wiring
from cost_reporting.contracts import RunAnswer
from cost_reporting.errors import InvalidRequest, RunNotStarted
from tests.functional.conftest import ENVIRONMENT, NOW, Answer, Clock, Json, Wire, World, refusal

Invoke = Callable[[str, Any], Any]
MACHINE = ENVIRONMENT["STATE_MACHINE_ARN"]
EXECUTION = f"{MACHINE.replace('stateMachine', 'execution')}:lambda-request-1"
STARTED = Answer(200, {"executionArn": EXECUTION, "startDate": NOW})


def standing(status: str, **more: Any) -> Answer:
    """What DescribeExecution says of an execution."""
    about = {"executionArn": EXECUTION, "stateMachineArn": MACHINE, "name": "lambda-request-1", "startDate": NOW}
    return Answer(200, about | {"status": status} | more)


def asked(wire: Wire) -> list[Json]:
    """What Step Functions was asked to start."""
    return [call.parameters for call in wire.calls if call.operation == "stepfunctions.StartExecution"]


@pytest.fixture(autouse=True)
def waiting(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    monkeypatch.setattr(wiring, "pause", lambda: clock.pass_by(seconds=0.5))


@pytest.mark.parametrize("request_", [{"test": True}, {"test_report": True, "client_id": "ö"}, {"x": [1]}, [], None, 7])
def test_whatever_is_sent_reaches_the_state_machine_as_it_is(
    request_: Any, invoke: Invoke, world: World, wire: Wire
) -> None:
    wire.order("stepfunctions.StartExecution", STARTED)
    wire.order("stepfunctions.DescribeExecution", standing("SUCCEEDED", output='{"sent": 1}'))
    answer = RunAnswer.model_validate(invoke("cost_reporting_lambda", request_))
    (start,) = asked(wire)
    assert (start["stateMachineArn"], json.loads(start["input"])) == (MACHINE, request_)
    assert (answer.status, answer.result, answer.execution_arn) == ("SUCCEEDED", {"sent": 1}, EXECUTION)


def test_a_second_start_is_answered_as_such_and_points_at_the_one_that_works(
    invoke: Invoke, world: World, wire: Wire
) -> None:
    first = f"{EXECUTION}-first"
    wire.order("stepfunctions.StartExecution", STARTED)
    wire.order("stepfunctions.DescribeExecution", standing("SUCCEEDED", output=json.dumps({"double_of": first})))
    answer = RunAnswer.model_validate(invoke("cost_reporting_lambda", {"cadence": "monthly"}))
    assert (answer.status, answer.result) == ("SUCCEEDED", {"double_of": first})
    assert (answer.message or "").startswith("Started twice: ")
    assert answer.look.endswith(first)


def test_it_waits_for_the_end(invoke: Invoke, world: World, wire: Wire) -> None:
    wire.order("stepfunctions.StartExecution", STARTED)
    wire.order("stepfunctions.DescribeExecution", standing("RUNNING"), standing("RUNNING"), standing("SUCCEEDED"))
    assert invoke("cost_reporting_lambda", {"test": True})["status"] == "SUCCEEDED"
    assert wire.count("stepfunctions.DescribeExecution") == 3


def test_a_failed_run_is_an_answer_with_error_message_and_remedy(invoke: Invoke, world: World, wire: Wire) -> None:
    cause = json.dumps({"errorMessage": "client_ids: no such client: nobody", "errorType": "InvalidRequest"})
    wire.order("stepfunctions.StartExecution", STARTED)
    wire.order("stepfunctions.DescribeExecution", standing("FAILED", error="InvalidRequest", cause=cause))
    answer = invoke("cost_reporting_lambda", {"cadence": "monthly", "client_ids": ["nobody"]})
    assert answer == {
        "status": "FAILED",
        "execution_arn": EXECUTION,
        "result": None,
        "error": "InvalidRequest",
        "message": "client_ids: no such client: nobody",
        "remedy": InvalidRequest.remedy,
        "look": f"aws stepfunctions describe-execution --execution-arn {EXECUTION}",
    }


def test_a_run_that_takes_longer_is_answered_as_running_before_the_cli_gives_up(
    invoke: Invoke, world: World, wire: Wire, clock: Clock
) -> None:
    wire.order("stepfunctions.StartExecution", STARTED)
    wire.order("stepfunctions.DescribeExecution", *[standing("RUNNING")] * 200)
    answer = RunAnswer.model_validate(invoke("cost_reporting_lambda", {"cadence": "monthly"}))
    assert (answer.status, answer.result) == ("RUNNING", None)
    assert EXECUTION in answer.look
    assert 40 <= (clock.time - NOW).total_seconds() < 55


def test_the_same_invocation_again_finds_the_run_that_has_ended(invoke: Invoke, world: World, wire: Wire) -> None:
    wire.order("stepfunctions.StartExecution", refusal("ExecutionAlreadyExists"))
    wire.order("stepfunctions.DescribeExecution", standing("SUCCEEDED"))
    answer = invoke("cost_reporting_lambda", {"test": True})
    assert (answer["status"], answer["execution_arn"]) == ("SUCCEEDED", EXECUTION)
    assert asked(wire)[0]["name"] == "lambda-request-1", "named after the invocation, not after the moment"


@pytest.mark.parametrize(
    "fault",
    [
        refusal("AccessDeniedException", message="not authorized to perform: states:StartExecution"),
        refusal("StateMachineDoesNotExist"),
        ReadTimeoutError(endpoint_url="https://states"),
    ],
)
def test_a_run_that_could_not_be_started_is_an_error_that_says_so(
    fault: Any, invoke: Invoke, world: World, wire: Wire
) -> None:
    wire.order("stepfunctions.StartExecution", fault)
    with pytest.raises(RunNotStarted, match=r"^start the run: "):
        invoke("cost_reporting_lambda", {"test": True})


def test_a_run_that_is_started_and_not_to_be_seen_is_an_error_that_says_so(
    invoke: Invoke, world: World, wire: Wire
) -> None:
    wire.order("stepfunctions.StartExecution", STARTED)
    wire.order("stepfunctions.DescribeExecution", refusal("AccessDeniedException"))
    with pytest.raises(RunNotStarted, match=r"^look at the run: AccessDeniedException"):
        invoke("cost_reporting_lambda", {"test": True})
