"""Each alarm of the template goes off by what a run does, tells people, and is over when that is over.

Nobody sets a state. Where the real number is out of reach here (ten minutes, a thousand requests), the deployed alarm
is put again with a lower one and nothing else changed. CloudWatch's clock is moved on instead of waiting.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from local.stack import Stack
from local.world import twelve
from tests.workflow.conftest import deployed
from tests.workflow.machine import Machine

CLIENTS = {client.client_id: client for client in twelve()}
DAY = 24 * 60 * 60
CONFIGURATION = [
    "AlarmName",
    "AlarmDescription",
    "ActionsEnabled",
    "OKActions",
    "AlarmActions",
    "MetricName",
    "Namespace",
    "Statistic",
    "Dimensions",
    "Period",
    "EvaluationPeriods",
    "DatapointsToAlarm",
    "Threshold",
    "ComparisonOperator",
    "TreatMissingData",
    "Metrics",
]


class Alarm:
    """A deployed alarm, and what the topic's subscribers hear of it."""

    def __init__(self, machine: Machine, topic: Callable[[], list[dict[str, Any]]], name: str) -> None:
        self._machine, self._topic = machine, topic
        self.name = f"CostReporting-{name}"
        self._heard: list[str] = []

    def shown(self) -> dict[str, Any]:
        found = self._machine.client("cloudwatch").describe_alarms(AlarmNames=[self.name])["MetricAlarms"]
        assert found, f"{self.name} is not deployed"
        return dict(found[0])

    def is_in(self, state: str) -> bool:
        """Whether the alarm comes into this state, and says so to the topic."""
        deadline = time.monotonic() + 10
        while self.shown()["StateValue"] != state:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.1)
        return True

    def told(self) -> list[str]:
        """The states that subscribers have heard of, in order."""
        self._heard += [each["NewStateValue"] for each in self._topic() if each["AlarmName"] == self.name]
        return self._heard

    @contextmanager
    def with_threshold(self, threshold: float) -> Iterator[None]:
        """The deployed alarm with another number."""
        before = {key: value for key, value in self.shown().items() if key in CONFIGURATION and value is not None}
        cloudwatch = self._machine.client("cloudwatch")
        cloudwatch.put_metric_alarm(**before | {"Threshold": threshold})
        try:
            yield
        finally:
            cloudwatch.put_metric_alarm(**before)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of this file's own: CloudWatch's clock does not come back."""
    with deployed(tmp_path_factory.mktemp("alarms") / "local") as stack:
        yield stack


@pytest.fixture(scope="module")
def machine(stack: Stack) -> Machine:
    return Machine(stack)


@pytest.fixture(scope="module")
def topic(machine: Machine) -> Callable[[], list[dict[str, Any]]]:
    """What the alerts topic says, as a subscriber hears it."""
    sqs, sns = machine.client("sqs"), machine.client("sns")
    url = sqs.create_queue(QueueName="alerts-as-heard")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    may = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [may]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    sns.subscribe(TopicArn=machine.stack.names.alerts_topic_arn, Protocol="sqs", Endpoint=arn)

    def heard() -> list[dict[str, Any]]:
        found = []
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                found.append(json.loads(json.loads(message["Body"])["Message"]))
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return found

    return heard


@pytest.fixture
def alarm(machine: Machine, topic: Callable[[], list[dict[str, Any]]]) -> Callable[[str], Alarm]:
    """An alarm after a quiet day: whatever other tests have done is over, and was said."""

    def alarm(name: str) -> Alarm:
        machine.stack.emulator.later(DAY + 1)
        topic()
        return Alarm(machine, topic, name)

    return alarm


def run(machine: Machine, *client_ids: str) -> Any:
    return machine.run({"cadence": "weekly", "period": machine.a_week(*client_ids), "client_ids": list(client_ids)})


def test_a_failed_run_is_told_and_is_seen_until_the_afternoon(machine: Machine, alarm: Any) -> None:
    failures = alarm("ExecutionFailures")
    assert failures.is_in("OK")
    assert run(machine, "denied-corp").status == "FAILED"
    assert failures.is_in("ALARM")
    machine.stack.emulator.later(11 * 3600)
    assert failures.is_in("ALARM")
    machine.stack.emulator.later(3600 + 60)
    assert failures.is_in("OK")
    assert failures.told() == ["ALARM", "OK"]


def test_a_run_that_succeeds_is_no_alarm(machine: Machine, alarm: Any) -> None:
    alarm("ExecutionFailures")
    assert run(machine, "tiny-bakery").status == "SUCCEEDED"
    shown = machine.client("cloudwatch").describe_alarms(AlarmNamePrefix="CostReporting-")["MetricAlarms"]
    assert [each["AlarmName"] for each in shown if each["StateValue"] == "ALARM"] == []


def test_a_mail_that_ses_refuses_is_told(machine: Machine, alarm: Any) -> None:
    failures = alarm("EmailFailures")
    assert failures.is_in("OK")
    ses, sender = machine.client("sesv2"), machine.stack.names.sender
    ses.delete_email_identity(EmailIdentity=sender)
    try:
        assert run(machine, "tiny-bakery").status == "FAILED"
    finally:
        ses.create_email_identity(EmailIdentity=sender)
    assert failures.is_in("ALARM")
    machine.stack.emulator.later(DAY / 2 + 60)
    assert failures.is_in("OK")
    assert failures.told() == ["ALARM", "OK"]


def test_a_client_that_fails_is_told_when_its_part_ends_and_a_late_one_is_not(machine: Machine, alarm: Any) -> None:
    """The run may go on for hours, waiting for other clients' figures, before it fails itself."""
    failures = alarm("ClientsFailed")
    assert failures.is_in("OK")
    run(machine, "denied-corp", "tiny-bakery")
    assert failures.is_in("ALARM")
    machine.stack.emulator.later(DAY / 2 + 60)
    assert failures.is_in("OK")
    assert failures.told() == ["ALARM", "OK"]


def test_many_errors_are_told_if_they_go_on(machine: Machine, alarm: Any) -> None:
    rate = alarm("HighErrorRate")

    def a_bad_five_minutes() -> None:
        """Each run: three clients' functions fail, and then the run's own."""
        for _ in range(2):
            run(machine, "denied-corp", "notenabled-inc")

    a_bad_five_minutes()
    assert rate.is_in("OK")
    machine.stack.emulator.later(300)
    a_bad_five_minutes()
    assert rate.is_in("ALARM")
    machine.stack.emulator.later(301)
    assert rate.is_in("OK")
    assert rate.told() == ["ALARM", "OK"]


@pytest.mark.parametrize(
    ("name", "lower", "until"), [("HighDuration", 0.01, 3600), ("LongExecution", 1.0, 300), ("PaidRequests", 1.0, DAY)]
)
def test_what_a_run_uses_is_told_beyond_the_limit(
    name: str, lower: float, until: float, machine: Machine, alarm: Any
) -> None:
    used = alarm(name)
    assert used.is_in("OK")
    run(machine, "tiny-bakery")
    assert used.is_in("OK"), "the deployed number is beyond what one client uses"
    with used.with_threshold(lower):
        assert used.is_in("ALARM")
        machine.stack.emulator.later(until + 60)
        assert used.is_in("OK")
    assert used.told() == ["ALARM", "OK"]


def broken(machine: Machine, function: str, event: Any) -> None:
    """Invoke a function as events and schedules do, with what it must refuse."""
    machine.client("lambda").invoke(
        FunctionName=f"cost-reporting-{function}", InvocationType="Event", Payload=json.dumps(event)
    )


@pytest.mark.parametrize(
    ("name", "function", "queue"),
    [
        ("LostDeliveryEvents", "record-delivery", "cost-reporting-lost-delivery-events"),
        ("ScheduleFailures", "back-up-tables", "cost-reporting-lost-schedules"),
    ],
)
def test_what_waits_in_a_queue_for_people_is_told_until_they_have_taken_it(
    name: str, function: str, queue: str, machine: Machine, alarm: Any
) -> None:
    lost, sqs = alarm(name), machine.client("sqs")
    assert lost.is_in("OK")
    broken(machine, function, {"surprise": 1})
    assert lost.is_in("ALARM")
    machine.stack.emulator.later(2 * DAY)
    assert lost.is_in("ALARM"), "it stays until somebody has looked"
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    assert json.loads(message["Body"])["requestPayload"] == {"surprise": 1}
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    machine.stack.emulator.later(301)
    assert lost.is_in("OK")
    assert lost.told() == ["ALARM", "OK"]


@pytest.mark.parametrize(("name", "recipient"), [("BounceRate", "bounce"), ("ComplaintRate", "complaint")])
def test_a_sender_s_falling_reputation_is_told(name: str, recipient: str, machine: Machine, alarm: Any) -> None:
    rate, tiny = alarm(name), CLIENTS["tiny-bakery"]
    run(machine, "tiny-bakery")
    assert rate.is_in("OK")
    machine.put(tiny.model_copy(update={"recipients": (f"{recipient}@simulator.amazonses.com",)}))
    try:
        run(machine, "tiny-bakery")
    finally:
        machine.put(tiny)
    assert rate.is_in("ALARM")
    machine.stack.emulator.later(7200)
    assert rate.is_in("ALARM"), "no news is no better news"
    machine.stack.emulator.later(DAY)
    run(machine, "tiny-bakery")
    assert rate.is_in("OK")
    assert rate.told()[-2:] == ["ALARM", "OK"]
