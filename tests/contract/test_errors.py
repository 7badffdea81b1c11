"""The names in the state machine's Retry and Catch blocks, held against the error tree: it knows no inheritance."""

import pytest

from cost_reporting.errors import CostReportingError, Permanent, Transient, leaves
from cost_reporting.operations.record_outcome import outcome_of
from tests.builders import a_client_due, a_failure, client_ended
from tests.contract.documents import State, states, tasks

PLATFORM = {
    "Lambda.AWSLambdaException",
    "Lambda.ClientExecutionTimeoutException",
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


LOOKED_AT_AGAIN = {"CostsNotReady"}
"""Waited for by the run, not by the client: Record Outcome calls it LATE, and Settle Run looks at the client again."""
RESTARTED = {"StaleDocument"}
"""Mended by starting the client anew from Fetch Costs, once."""


def retried(state: State) -> set[str]:
    return {name for retrier in state.body.get("Retry", []) for name in retrier["ErrorEquals"]}


def named(state: State) -> set[str]:
    return retried(state) | {name for catcher in state.body.get("Catch", []) for name in catcher["ErrorEquals"]}


def test_what_is_transient_is_retried_or_restarted_or_looked_at_again_and_never_two_of_them() -> None:
    ours = set().union(*map(retried, states())) - PLATFORM
    restarted = {
        name
        for state in states()
        for catcher in state.body.get("Catch", [])
        for name in catcher["ErrorEquals"]
        if catcher["Next"] == "Restarted Already?"
    }
    assert restarted == RESTARTED
    assert sorted([*ours, *restarted, *LOOKED_AT_AGAIN]) == sorted(leaves(Transient))


@pytest.mark.parametrize("name", sorted(LOOKED_AT_AGAIN))
def test_what_is_looked_at_again_ends_late_unless_this_was_the_last_look(name: str) -> None:
    early, last = (a_client_due().model_copy(update={"last_look": last}) for last in (False, True))
    assert outcome_of(client_ended(early, a_failure(name))).status == "LATE"
    assert outcome_of(client_ended(last, a_failure(name))).status == "FAILED"
    assert [
        each
        for each in leaves(Transient)
        if each != name and outcome_of(client_ended(early, a_failure(each))).status == "LATE"
    ] == []


def test_nothing_permanent_is_ever_retried() -> None:
    assert not set().union(*map(retried, states())) & set(leaves(Permanent))


def test_every_name_exists() -> None:
    assert set().union(*map(named, states())) <= PLATFORM | set(leaves(CostReportingError))


@pytest.mark.parametrize("state", tasks(), ids=lambda state: state.name)
def test_a_task_retries_what_it_can_meet(state: State) -> None:
    expected = LAMBDAS_OWN | {
        name
        for name in leaves(Transient)
        if (name == "StoreThrottled" and state.name != "Check Health")
        or (name == "CostsThrottled" and state.name == "Fetch Costs")
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
