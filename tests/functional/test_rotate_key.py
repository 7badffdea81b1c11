"""Rotate Key: whatever kills it, the client can be read, and the same call again ends with one tested key."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest

from cost_reporting import aws
from cost_reporting.clients import Client
from cost_reporting.credentials import LEASE, PAUSE
from cost_reporting.errors import ClientAccessDenied, CostReportingError, RotationStopped
from cost_reporting.operations.rotate_key import Rotated, rotate_key
from cost_reporting.sources.access import reader
from cost_reporting.store.rotations import RotationStore
from cost_reporting.store.secrets import PENDING, SecretStore
from local.accounts import ACCOUNTS
from tests.builders import a_client
from tests.functional.conftest import Answer, Clock, Costs, Wire, World, refusal

USER, OWN = "cost-reporting-reader", "123456789012"


class Killed(BaseException):
    """The process is gone: nothing of it runs any more."""


class Grave:
    """Kills the process after so many changes in AWS: every later call finds it dead."""

    CHANGES = ("CreateAccessKey", "UpdateAccessKey", "DeleteAccessKey", "PutSecretValue", "UpdateSecretVersionStage")

    def __init__(self) -> None:
        self.changes: list[str] = []
        self.after: int | None = None
        self.dead = False

    def before(self, **_: Any) -> None:
        if self.dead:
            raise Killed

    def later(self, model: Any, parsed: Any, **_: Any) -> None:
        if model.name in (*self.CHANGES, "PutItem", "DeleteItem") and "Error" not in parsed:
            self.changes.append(model.name)
            if self.after is not None and len(self.changes) == self.after:
                self.dead = True
                raise Killed


@pytest.fixture
def grave(wire: Wire) -> Iterator[Grave]:
    grave, events = Grave(), boto3.DEFAULT_SESSION.events  # type: ignore[union-attr]
    events.register("before-call", grave.before)
    events.register("after-call", grave.later)
    yield grave
    events.unregister("before-call", grave.before)
    events.unregister("after-call", grave.later)


@pytest.fixture
def client(world: World, costs: Costs) -> Client:
    """A client whose keys are in a secret, beside something else."""
    costs.emulate(replace(ACCOUNTS["210000000002"], id=OWN))
    iam = boto3.client("iam")
    iam.create_user(UserName=USER)
    key = iam.create_access_key(UserName=USER)["AccessKey"]
    value = {"access_key_id": key["AccessKeyId"], "secret_access_key": key["SecretAccessKey"], "note": "kept"}
    secret = boto3.client("secretsmanager").create_secret(
        Name="cost-reporting/clients/globex", SecretString=json.dumps(value)
    )
    client = a_client(client_id="globex", access={"kind": "secret", "secret_arn": secret["ARN"]})
    world.add(client)
    return client


class Rotating:
    """Rotates, with a clock that passes by itself when somebody waits."""

    def __init__(self, client: Client, clock: Clock) -> None:
        self.client, self.clock, self.said = client, clock, list[str]()

    def __call__(self, wait: Callable[[float], None] | None = None) -> Rotated:
        return rotate_key(
            self.client,
            secrets=SecretStore(),
            journal=RotationStore("outcomes"),
            now=self.clock,
            wait=wait or (lambda seconds: self.clock.pass_by(seconds=seconds)),
            say=self.said.append,
        )


@pytest.fixture
def rotating(client: Client, clock: Clock) -> Rotating:
    return Rotating(client, clock)


def listed() -> dict[str, str]:
    keys = boto3.client("iam").list_access_keys(UserName=USER)["AccessKeyMetadata"]
    return {key["AccessKeyId"]: key["Status"] for key in keys}


def stored(client: Client) -> dict[str, str]:
    arn = client.access.secret_arn  # type: ignore[union-attr]
    return dict(
        json.loads(
            boto3.client("secretsmanager").get_secret_value(SecretId=arn, VersionStage="AWSCURRENT")["SecretString"]
        )
    )


def assert_rotated(client: Client, old: str, world: World) -> None:
    """One key, active, stored, nothing else prepared, no steps left over."""
    said = stored(client)
    assert listed() == {said["access_key_id"]: "Active"}
    assert said["access_key_id"] != old
    assert said["note"] == "kept"
    assert SecretStore().keys(client.client_id, client.access.secret_arn, PENDING) is None  # type: ignore[union-attr]
    kept = [item["sk"] for item in world.outcomes("CLIENT#globex")]
    assert [sk.partition("#")[0] for sk in kept] == ["ROTATED"]


def test_a_key_is_replaced_by_another_that_was_tested_before(
    rotating: Rotating, client: Client, world: World, wire: Wire, clock: Clock, costs: Costs
) -> None:
    (old,), began = listed(), clock()
    wire.calls.clear()
    rotated = rotating()
    assert_rotated(client, old, world)
    assert (rotated.paid_requests, costs.paid) == (1, 1)
    assert clock() - began >= PAUSE, "a run that has read the old key is given time to end"
    made = [call.operation.partition(".")[2] for call in wire.calls]
    steps = [name for name in made if name in (*Grave.CHANGES, "GetCostAndUsage")]
    assert steps == [
        "CreateAccessKey", "PutSecretValue", "GetCostAndUsage", "UpdateSecretVersionStage", "UpdateSecretVersionStage",
        "UpdateAccessKey", "DeleteAccessKey",
    ]  # fmt: skip
    before_each = {name: made[: made.index(name)].count("GetCallerIdentity") for name in ("UpdateAccessKey",)}
    assert before_each["UpdateAccessKey"] > 1


def test_neither_half_of_a_key_is_said_or_kept_where_it_does_not_belong(
    rotating: Rotating, client: Client, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    (old,) = listed()
    before = stored(client)["secret_access_key"]
    rotated = rotating()
    after = stored(client)
    said = "\n".join(rotating.said) + rotated.model_dump_json() + str(capsys.readouterr())
    assert not [part for part in (old, before, *after.values()) if part != "kept" and part in said]
    assert after["secret_access_key"] not in json.dumps(world.outcomes(""), default=str)


@pytest.mark.parametrize("after", range(1, 30))
def test_killed_after_any_change_it_goes_on_and_ends_the_same(
    after: int, rotating: Rotating, client: Client, world: World, grave: Grave, clock: Clock
) -> None:
    (old,) = listed()
    grave.changes.clear()
    grave.after = after
    try:
        rotating()
    except Killed:
        pass
    else:
        assert len(grave.changes) < after, "it ended before it was to be killed"
    grave.dead, grave.after = False, None
    assert reader(client.client_id, client.access).account_id == OWN, (
        "a run between the crash and the rerun reads the client"
    )
    said = stored(client)["access_key_id"]
    assert listed()[said] == "Active"
    began = clock()
    if any(item["sk"] == "KEY_ROTATION" for item in world.outcomes("CLIENT#globex")):
        rotating()
        assert clock() - began <= LEASE + PAUSE * 2
    assert_rotated(client, old, world)


def test_the_matrix_above_covers_every_change(rotating: Rotating, grave: Grave) -> None:
    grave.changes.clear()
    rotating()
    assert 10 < len(grave.changes) < 30, grave.changes
    assert set(grave.changes) == {*Grave.CHANGES, "PutItem", "DeleteItem"}


def test_killed_again_and_again_it_still_ends(rotating: Rotating, client: Client, world: World, grave: Grave) -> None:
    (old,) = listed()
    for after in (2, 5, 4, 3, 6, 2, 4, 3, 5, 7):
        grave.changes.clear()
        grave.after, grave.dead = after, False
        try:
            rotating()
        except Killed:
            continue
        break
    grave.after, grave.dead = None, False
    if any(item["sk"] == "KEY_ROTATION" for item in world.outcomes("CLIENT#globex")):
        rotating()
    said = stored(client)
    assert listed() == {said["access_key_id"]: "Active"}
    assert said["access_key_id"] != old


def test_a_second_key_of_somebody_else_is_left_alone_and_named(
    rotating: Rotating, client: Client, world: World
) -> None:
    other = boto3.client("iam").create_access_key(UserName=USER)["AccessKey"]["AccessKeyId"]
    before = listed()
    with pytest.raises(RotationStopped, match=f"globex: the user has a second key, {other[:4]}….*ask the client"):
        rotating()
    assert listed() == before
    boto3.client("iam").delete_access_key(UserName=USER, AccessKeyId=other)
    rotating()
    assert len(listed()) == 1


def test_a_key_that_is_not_known_everywhere_yet_is_waited_for(
    rotating: Rotating, client: Client, world: World, wire: Wire
) -> None:
    (old,) = listed()
    wire.order("sts.GetCallerIdentity", None, None, None, *[refusal("InvalidClientTokenId", 403)] * 3)
    rotating()
    assert sum("not known everywhere" in line for line in rotating.said) == 3
    assert_rotated(client, old, world)


def test_a_key_that_may_not_read_costs_never_becomes_the_current_one(
    rotating: Rotating, client: Client, world: World, costs: Costs
) -> None:
    (old,) = listed()
    costs.refuse_after(0, (400, {"__type": "AccessDeniedException", "message": "not authorized"}))
    with pytest.raises(RotationStopped, match=r"is not accepted after 90 seconds.*the old key stays in use"):
        rotating()
    assert stored(client)["access_key_id"] == old
    assert listed()[old] == "Active"
    costs.emulate(replace(ACCOUNTS["210000000002"], id=OWN))
    costs._refusal = None
    rotating()
    assert_rotated(client, old, world)


@pytest.mark.parametrize(
    ("operation", "answer", "error", "said"),
    [
        (
            "iam.ListAccessKeys",
            refusal("AccessDenied", 403),
            RotationStopped,
            "may not do iam:ListAccessKeys to itself",
        ),
        ("iam.CreateAccessKey", refusal("AccessDenied", 403), RotationStopped, "may not do iam:CreateAccessKey"),
        ("iam.CreateAccessKey", refusal("LimitExceeded", 409), RotationStopped, "iam:CreateAccessKey: LimitExceeded"),
        ("sts.GetCallerIdentity", refusal("InvalidClientTokenId", 403), ClientAccessDenied, "InvalidClientTokenId"),
        ("secretsmanager.PutSecretValue", refusal("AccessDeniedException"), CostReportingError, "the secret"),
        ("iam.UpdateAccessKey", refusal("AccessDenied", 403), RotationStopped, "may not do iam:UpdateAccessKey"),
        ("iam.DeleteAccessKey", refusal("AccessDenied", 403), RotationStopped, "may not do iam:DeleteAccessKey"),
    ],
)
def test_a_refusal_stops_it_and_it_goes_on_once_that_is_mended(
    operation: str, answer: Any, error: Any, said: str, rotating: Rotating, client: Client, world: World, wire: Wire
) -> None:
    (old,) = listed()
    wire.order(operation, answer)
    with pytest.raises(error, match=said):
        rotating()
    assert reader(client.client_id, client.access).account_id == OWN
    rotating()
    assert_rotated(client, old, world)


def test_of_two_at_once_one_ends_it_and_the_other_gives_up(
    rotating: Rotating, client: Client, world: World, clock: Clock
) -> None:
    (old,) = listed()
    other = Rotating(client, clock)
    journal = RotationStore("outcomes")

    def alive(_: float) -> None:
        """The first one is at work all the time that the other waits."""
        clock.pass_by(seconds=60)
        found = journal.rotation("globex")
        assert found is not None
        journal.write("globex", found.model_copy(update={"until": clock() + LEASE}), replacing=found)

    def meanwhile(seconds: float) -> None:
        clock.pass_by(seconds=seconds)
        if not other.said:
            with pytest.raises(RotationStopped, match="another rotation of its key is at work"):
                other(wait=alive)

    rotating(wait=meanwhile)
    assert "another rotation may be at work" in other.said[0]
    assert_rotated(client, old, world)


def test_one_that_was_taken_for_dead_is_told_and_does_nothing_more(
    rotating: Rotating, client: Client, world: World, clock: Clock
) -> None:
    """A machine that slept: its lease ran out, and another one has finished."""
    (old,) = listed()
    other = Rotating(client, clock)

    def asleep(_: float) -> None:
        if not other.said:
            clock.pass_by(hours=1)
            other()

    with pytest.raises(RotationStopped, match="another rotation of its key has taken over"):
        rotating(wait=asleep)
    assert_rotated(client, old, world)


def test_the_keys_of_a_root_user_are_not_rotated(rotating: Rotating, client: Client, wire: Wire) -> None:
    root = {"UserId": OWN, "Account": OWN, "Arn": f"arn:aws:iam::{OWN}:root"}
    wire.order("sts.GetCallerIdentity", Answer(200, root))
    with pytest.raises(RotationStopped, match="those of the account's root, which must not be used"):
        rotating()
    assert len(listed()) == 1


def test_a_pending_key_is_used_where_the_client_has_ended_the_current_one(
    rotating: Rotating, client: Client, world: World, wire: Wire, grave: Grave
) -> None:
    """Killed after it was stored; then the client deletes the old key by itself."""
    (old,) = listed()
    grave.changes.clear()
    grave.after = 4
    with pytest.raises(Killed):
        rotating()
    grave.dead, grave.after = False, None
    assert grave.changes[-1] == "PutSecretValue"
    boto3.client("iam").delete_access_key(UserName=USER, AccessKeyId=old)
    wire.order("sts.GetCallerIdentity", refusal("InvalidClientTokenId", 403))
    rotating()
    assert_rotated(client, old, world)


def test_credentials_say_nothing_of_themselves() -> None:
    assert "AKIA" not in repr(aws.Credentials(access_key_id="AKIAEXAMPLE", secret_access_key="s"))
