"""The time of a run against the state machine and the template, which it is worked out from."""

from datetime import timedelta
from typing import Any

from cost_reporting.contracts import Worklist
from cost_reporting.domain.run_time import CLIENT_SECONDS, LONGEST_CLIENT
from cost_reporting.schedules import GRACE
from tests.contract.documents import functions, resources, template
from tests.contract.test_errors import KILLED
from tests.contract.test_state_machine import state, straight_path


def waits(name: str, *, killed: bool) -> timedelta:
    """How long a state waits before its retries, if every kind of error that is waited out comes until the last one."""
    seconds = 0.0
    for retrier in state(name)["Retry"]:
        kind = set(retrier["ErrorEquals"])
        if kind & KILLED and not killed:
            continue
        longest = retrier.get("MaxDelaySeconds", float("inf"))
        tries = range(retrier["MaxAttempts"])
        seconds += sum(min(retrier["IntervalSeconds"] * retrier["BackoffRate"] ** at, longest) for at in tries)
    return timedelta(seconds=seconds)


def limit(name: str) -> timedelta:
    return timedelta(seconds=state(name)["TimeoutSeconds"])


def test_a_client_whose_states_are_all_killed_once_and_throttled_to_the_last_retry_is_through_within_its_hour() -> None:
    """Its tries that are throttled answer at once; full jitter takes half of each wait on average, and none is cut."""
    stages = [name for name in straight_path() if name != "Render PDF"]
    worked = sum((2 * limit(name) for name in stages), timedelta())
    worked += limit("Render PDF") + limit("Render Without Logo")
    waited = sum((waits(name, killed=True) / 2 for name in straight_path()), timedelta())
    assert worked + waited <= LONGEST_CLIENT, (worked, waited)


def test_the_parameters_are_what_the_rule_and_the_worklist_take() -> None:
    parameters: dict[str, Any] = template()["Parameters"]
    assert parameters["ClientSeconds"]["Default"] == CLIENT_SECONDS
    at_once = parameters["AtOnce"]
    schema = Worklist.model_json_schema()["properties"]["concurrent_clients"]
    assert (at_once["MinValue"], at_once["MaxValue"]) == (schema["minimum"], schema["maximum"]) == (1, 1000)
    assert at_once["Default"] == schema["default"] == 5
    variables = template()["Globals"]["Function"]["Environment"]["Variables"]
    assert (variables["CONCURRENT_CLIENTS"], variables["CLIENT_SECONDS"]) == ("${AtOnce}", "${ClientSeconds}")


def test_a_schedule_s_grace_is_longer_than_its_retries_and_the_listing_of_its_clients() -> None:
    (machine,) = resources("AWS::Serverless::StateMachine").values()
    for schedule in machine["Events"].values():
        retried = timedelta(seconds=schedule["Properties"]["RetryPolicy"]["MaximumEventAgeInSeconds"])
        assert retried + 2 * limit("List Clients") + waits("List Clients", killed=True) < GRACE


def test_the_long_execution_alarm_takes_the_longest_run_and_lasts_from_one_look_of_the_watch_to_the_next() -> None:
    alarm = resources("AWS::CloudWatch::Alarm")["LongExecutionAlarm"]
    assert (alarm["MetricName"], alarm["Statistic"]) == ("RunOverrunSeconds", "Maximum")
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 0)
    assert functions()["WatchDeliveriesFunction"]["Events"]["Hourly"]["Properties"]["ScheduleExpression"].startswith(
        "cron(0 * "
    )
    assert alarm["Period"] * alarm["EvaluationPeriods"] == 7200
    assert (alarm["DatapointsToAlarm"], alarm["TreatMissingData"]) == (1, "notBreaching")
