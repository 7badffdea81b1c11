"""Credentials and recipients on the deployed stack, where roles, keys and trust policies are enforced."""

import json
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
import typer

import _console
import _credentials
import check_credential_age
import clean_recipient_lists
import rotate_client_credentials
from cost_reporting import settings
from cost_reporting.clients import Client, RoleAccess, SecretAccess
from cost_reporting.credentials import LEASE
from cost_reporting.operations.rotate_key import rotate_key
from cost_reporting.sources.access import lets_in, reader
from cost_reporting.store.clients import ClientStore
from cost_reporting.store.records import RecordStore
from cost_reporting.store.rotations import RotationStore
from cost_reporting.store.secrets import PENDING, SecretStore
from local.deployment import session
from local.stack import Stack
from local.world import twelve
from tests.workflow.machine import Machine

KEYS = next(client for client in twelve() if isinstance(client.access, SecretAccess))
KEYS_ACCOUNT, USER = "210000000004", "cost-reporting-reader"
TOKYO, BAKERY = "tokyo-data", "tiny-bakery"
CHANGES = ("CreateAccessKey", "UpdateAccessKey", "DeleteAccessKey", "PutSecretValue", "UpdateSecretVersionStage")


class Killed(BaseException):
    """The process is gone."""


class Grave:
    """Kills the process just after so many changes of keys or secrets; from then on it makes no call any more."""

    def __init__(self) -> None:
        self.changes, self.after, self.dead = list[str](), 0, False

    def before(self, **_: Any) -> None:
        if self.dead:
            raise Killed

    def later(self, model: Any, parsed: Any, **_: Any) -> None:
        if model.name in CHANGES and "Error" not in parsed:
            self.changes.append(model.name)
            if len(self.changes) == self.after:
                self.dead = True
                raise Killed


@pytest.fixture
def grave(stack: Stack) -> Iterator[Grave]:
    grave, events = Grave(), boto3.DEFAULT_SESSION.events  # type: ignore[union-attr]
    events.register("before-call", grave.before)
    events.register("after-call", grave.later)
    yield grave
    events.unregister("before-call", grave.before)
    events.unregister("after-call", grave.later)


class Clock:
    """The time, which waiting moves on."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def sleep(self, seconds: float) -> None:
        self.ahead += timedelta(seconds=seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(_credentials, "time", SimpleNamespace(sleep=clock.sleep))
    monkeypatch.setattr(_credentials, "wiring", SimpleNamespace(now=clock))
    return clock


def iam(stack: Stack, account: str) -> Any:
    return session(account).client("iam", endpoint_url=stack.emulator.endpoint)


def listed(stack: Stack) -> dict[str, str]:
    keys = iam(stack, KEYS_ACCOUNT).list_access_keys(UserName=USER)["AccessKeyMetadata"]
    return {key["AccessKeyId"]: key["Status"] for key in keys}


def stored() -> str:
    keys = SecretStore().keys(KEYS.client_id, arn())
    assert keys is not None
    return keys.access_key_id


def arn() -> str:
    assert isinstance(KEYS.access, SecretAccess)
    return KEYS.access.secret_arn


def rotate(stack: Stack, clock: Clock) -> None:
    journal = RotationStore(stack.names.outcomes_table)
    rotate_key(
        KEYS, secrets=SecretStore(), journal=journal, now=clock, wait=clock.sleep, say=lambda _: None
    )  # fmt: skip


@pytest.mark.parametrize("after", range(1, 7))
def test_killed_after_any_step_the_client_is_read_and_a_rerun_ends_with_one_tested_key(
    after: int, stack: Stack, clock: Clock, grave: Grave
) -> None:
    old, grave.after = stored(), after
    with pytest.raises(Killed):
        rotate(stack, clock)
    grave.dead, grave.after = False, 0
    assert reader(KEYS.client_id, KEYS.access).account_id == KEYS_ACCOUNT, (
        "what the secret holds is a key that AWS accepts"
    )
    if after == 1:
        assert len(listed(stack)) == 2, "a key of which only the id is known"
    clock.sleep(LEASE.total_seconds())
    rotate(stack, clock)
    assert listed(stack) == {stored(): "Active"}
    assert stored() != old
    assert SecretStore().keys(KEYS.client_id, arn(), PENDING) is None
    assert reader(KEYS.client_id, KEYS.access).account_id == KEYS_ACCOUNT
    assert RotationStore(stack.names.outcomes_table).rotation(KEYS.client_id) is None


def test_a_run_in_the_middle_of_a_rotation_is_read_with_the_key_that_works(
    stack: Stack, machine: Machine, clock: Clock, grave: Grave
) -> None:
    grave.after = 3
    with pytest.raises(Killed):
        rotate(stack, clock)
    grave.dead, grave.after = False, 0
    run = machine.run({"cadence": "monthly", "client_ids": [KEYS.client_id], "dry_run": True, "refresh": True})
    assert run.status == "SUCCEEDED", run.said
    clock.sleep(LEASE.total_seconds())
    rotate(stack, clock)
    again = {"cadence": "monthly", "client_ids": [KEYS.client_id], "dry_run": True, "refresh": True}
    assert machine.run(again).status == "SUCCEEDED"


def command(app: typer.Typer, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    code = _console.main(app, [*arguments, "--json"])
    out, _ = capsys.readouterr()
    return code, json.loads(out)


def test_an_external_id_is_rotated_in_two_phases_and_runs_never_notice(
    stack: Stack, machine: Machine, clock: Clock, capsys: pytest.CaptureFixture[str], tmp_path: Any
) -> None:
    records = ClientStore(stack.names.clients_table)
    before = records.get(TOKYO)
    assert isinstance(before.access, RoleAccess)
    account = before.access.role_arn.split(":")[4]

    def turn(*more: str) -> tuple[int, dict[str, Any]]:
        arguments = ("--client-id", TOKYO, "--stack-name", "cost-reporting", "--out", str(tmp_path), *more)
        return command(rotate_client_credentials.app, capsys, *arguments)

    def client_does_its_part() -> None:
        """With the very template that was written for it."""
        template = json.loads((tmp_path / TOKYO / "reader-role.json").read_text())
        role = template["Resources"]["CostReportingReader"]["Properties"]
        (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert any("FetchCosts" in who for who in trust["Condition"]["ArnLike"]["aws:PrincipalArn"]), "and nobody else"
        assert json.loads((tmp_path / TOKYO / "trust-policy.json").read_text()) == role["AssumeRolePolicyDocument"]
        iam(stack, account).update_assume_role_policy(
            RoleName=role["RoleName"], PolicyDocument=json.dumps(role["AssumeRolePolicyDocument"])
        )
        (policy,) = role["Policies"]
        iam(stack, account).put_role_policy(
            RoleName=role["RoleName"], PolicyName=policy["PolicyName"],
            PolicyDocument=json.dumps(policy["PolicyDocument"]),
        )  # fmt: skip

    def reported() -> str:
        return machine.run({"cadence": "monthly", "client_ids": [TOKYO], "dry_run": True}).status

    assert turn("--finish")[0] == 1, "nothing has begun"
    code, said = turn()
    assert (code, said["status"], said["phase"]) == (0, "waiting", "add")
    assert turn("--finish")[0] == 1, "the client has not done its part"
    assert records.get(TOKYO) == before
    assert reported() == "SUCCEEDED"
    client_does_its_part()
    assert reported() == "SUCCEEDED"
    code, said = turn("--finish")
    assert (code, said["status"], said["phase"]) == (0, "waiting", "drop")
    after = records.get(TOKYO)
    assert isinstance(after.access, RoleAccess)
    assert after == before.model_copy(update={"access": after.access, "version": before.version + 1})
    assert (len(after.access.external_id) >= 43, after.access.external_id != before.access.external_id) == (True, True)
    assert reported() == "SUCCEEDED"
    assert lets_in(before.access.role_arn, before.access.external_id), (
        "the old one is still let in, which the next call finds"
    )
    history = RecordStore(stack.names.clients_table, stack.names.outcomes_table).versions(TOKYO)
    assert (history[-1].action, history[-1].who != "unknown") == ("rotated", True)
    assert turn()[1]["phase"] == "drop"
    client_does_its_part()
    assert turn()[1]["status"] == "rotated"
    assert not lets_in(before.access.role_arn, before.access.external_id)
    assert reported() == "SUCCEEDED"
    _, ages = command(check_credential_age.app, capsys, "--stack-name", "cost-reporting")
    (aged,) = [each for each in ages["clients"] if each["client_id"] == TOKYO]
    assert (aged["verdict"], aged["age_days"], aged["detail"]) == ("ok", 0, None)
    shown = json.dumps(ages) + json.dumps(said)
    assert after.access.external_id not in shown


def test_a_client_that_asks_nobody_is_called_unfinished_after_two_weeks(
    stack: Stack, clock: Clock, capsys: pytest.CaptureFixture[str], tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ("--client-id", "negative-labs", "--stack-name", "cost-reporting", "--out", str(tmp_path))
    assert command(rotate_client_credentials.app, capsys, *arguments)[1]["phase"] == "add"
    for days, verdict in ((13, "ok"), (15, "unfinished")):
        at = datetime.now(UTC) + timedelta(days=days)
        monkeypatch.setattr(check_credential_age, "wiring", SimpleNamespace(now=lambda at=at: at))
        _, ages = command(check_credential_age.app, capsys, "--stack-name", "cost-reporting")
        (aged,) = [each for each in ages["clients"] if each["client_id"] == "negative-labs"]
        assert aged["verdict"] == verdict
        assert "asked to add the new ExternalId" in aged["detail"]


def test_the_health_of_every_client_s_credentials_is_known(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    code, ages = command(check_credential_age.app, capsys, "--stack-name", "cost-reporting")
    found = {each["client_id"]: each for each in ages["clients"]}
    assert (code, set(found)) == (1, {client.client_id for client in twelve()})
    assert [name for name, each in found.items() if each["verdict"] == "unreachable"] == ["denied-corp"]
    assert "client_manager.py validate" in found["denied-corp"]["remedy"]


def test_a_recipient_whose_mail_bounces_is_taken_out_and_put_back(
    stack: Stack, machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    records = ClientStore(stack.names.clients_table)
    before = records.get(BAKERY)
    bounces, complains = "bounce+anna@simulator.amazonses.com", "complaint+ben@simulator.amazonses.com"
    dead = "gone@tiny-bakery.example"
    machine.put(before.model_copy(update={"recipients": (bounces, complains, dead)}))
    machine.client("sesv2").put_suppressed_destination(EmailAddress=dead, Reason="BOUNCE")
    queue = listening(stack, machine)
    week = machine.a_week()
    request = {"cadence": "weekly", "period": week, "client_ids": [BAKERY]}
    assert machine.run(request).status == "SUCCEEDED"
    deadline = time.monotonic() + 20
    while set(machine.settled_ledger(BAKERY, week)) != {"BOUNCED", "COMPLAINED"} and time.monotonic() < deadline:
        time.sleep(0.2)
    arguments = ("--stack-name", "cost-reporting", "--client-id", BAKERY)
    try:
        code, dry = command(clean_recipient_lists.app, capsys, *arguments, "--dry-run")
        assert (code, dry["without_recipient"]) == (1, [BAKERY]), (dry, machine.settled_ledger(BAKERY, week))
        assert records.get(BAKERY).recipients == (bounces, complains, dead)
        code, said = command(clean_recipient_lists.app, capsys, *arguments, "--yes")
        assert (code, said["without_recipient"], said["failed"]) == (1, [BAKERY], {})
        assert {each["address"]: each["reason"] for each in said["changes"]} == {
            bounces: "bounced", complains: "complained", dead: "suppressed",
        }  # fmt: skip
        assert records.get(BAKERY).recipients == ()
        (alert,) = received(machine, queue)
        assert alert["Subject"] == f"No recipient left: {BAKERY}"
        run = machine.run({"cadence": "weekly", "period": machine.a_week(), "client_ids": [BAKERY]})
        assert "recipients: nobody is left to send the report to" in run.said
        undone = (*arguments, "--undo", "--run-id", said["run_id"], "--lift-suppression", "--yes")
        code, back = command(clean_recipient_lists.app, capsys, *undone)
        assert (code, len(back["changes"])) == (0, 3)
        assert set(records.get(BAKERY).recipients) == {bounces, complains, dead}
        assert not machine.client("sesv2").list_suppressed_destinations()["SuppressedDestinationSummaries"]
        assert command(clean_recipient_lists.app, capsys, *arguments, "--dry-run")[1]["changes"] == []
    finally:
        machine.put(Client.model_validate(before))


def listening(stack: Stack, machine: Machine) -> str:
    """A queue that hears every alert."""
    target = "arn:aws:sqs:us-east-1:111122223333:alerts-of-a-test"
    from_sns = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [from_sns | {"Resource": target}]})
    asked = {"QueueName": target.rpartition(":")[2], "Attributes": {"Policy": policy}}
    queue = str(machine.client("sqs").create_queue(**asked)["QueueUrl"])
    machine.client("sns").subscribe(TopicArn=stack.names.alerts_topic_arn, Protocol="sqs", Endpoint=target)
    return queue


def received(machine: Machine, queue: str) -> list[dict[str, Any]]:
    """The alerts about recipients; alarms use the same topic."""
    deadline = time.monotonic() + 15
    found: list[dict[str, Any]] = []
    while not found and time.monotonic() < deadline:
        time.sleep(0.2)
        answer = machine.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=0)
        bodies = (json.loads(message["Body"]) for message in answer.get("Messages", []))
        found += [body for body in bodies if body["Subject"].startswith("No recipient")]
    return found


@pytest.fixture(autouse=True)
def names_of_the_stack(stack: Stack) -> Iterator[None]:
    """The commands find the stack by its name, and not by what a test before has left."""
    settings.settings.cache_clear()
    assert os.environ["AWS_ENDPOINT_URL"] == stack.emulator.endpoint
    yield
    settings.settings.cache_clear()
