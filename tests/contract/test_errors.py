"""The names in the state machine's Retry and Catch blocks, held against the error tree: it knows no inheritance."""

import pytest

from cost_reporting.errors import CostReportingError, Permanent, Transient, leaves
from tests.contract.documents import State, states, tasks

PLATFORM = {
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.ServiceException",
    "Lambda.TooManyRequestsException",
    "Lambda.Unknown",
    "Runtime.ExitError",
    "Sandbox.Timedout",
    "States.ALL",
    "States.Timeout",
}
"""Names of AWS's own. (Step Functions Developer Guide, "Handling errors"; Lambda's API reference)"""
KILLED = {"Lambda.Unknown", "Runtime.ExitError", "Sandbox.Timedout", "States.Timeout"}
"""What a function that was killed by time, memory or itself is called: by Lambda's answer, or by Step Functions."""
LAMBDAS_OWN = {name for name in PLATFORM if name.startswith("Lambda.")} - {"Lambda.Unknown"}


def retried(state: State) -> set[str]:
    return {name for retrier in state.body.get("Retry", []) for name in retrier["ErrorEquals"]}


def named(state: State) -> set[str]:
    return retried(state) | {name for catcher in state.body.get("Catch", []) for name in catcher["ErrorEquals"]}


def test_what_is_retried_of_ours_is_exactly_what_is_transient() -> None:
    ours = set().union(*map(retried, states())) - PLATFORM
    assert ours == set(leaves(Transient))


def test_nothing_permanent_is_ever_retried() -> None:
    assert not set().union(*map(retried, states())) & set(leaves(Permanent))


def test_every_name_exists() -> None:
    assert set().union(*map(named, states())) <= PLATFORM | set(leaves(CostReportingError))


@pytest.mark.parametrize("state", tasks(), ids=lambda state: state.name)
def test_a_task_retries_what_it_can_meet(state: State) -> None:
    expected = LAMBDAS_OWN | {
        name
        for name in leaves(Transient)
        if (name.startswith("Store") and state.name != "Check Health")
        or (name.startswith("Costs") and state.name == "Fetch Costs")
        or (name.startswith("Delivery") and state.name == "Send Email")
    }
    assert retried(state) - KILLED == expected


@pytest.mark.parametrize("state", tasks(), ids=lambda state: state.name)
def test_no_name_is_retried_twice_with_different_patience(state: State) -> None:
    names = [name for retrier in state.body["Retry"] for name in retrier["ErrorEquals"]]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("state", tasks(), ids=lambda state: state.name)
def test_everything_is_never_retried(state: State) -> None:
    assert not retried(state) & {"States.ALL", "States.TaskFailed", "States.Runtime"}


@pytest.mark.parametrize("state", tasks(), ids=lambda state: state.name)
def test_who_tries_a_killed_function_again_knows_each_of_its_names(state: State) -> None:
    assert retried(state) & KILLED in (KILLED, set())
