"""Check Health: every part that a run needs, looked at without touching a client."""

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ConnectTimeoutError

from cost_reporting.contracts import Health
from cost_reporting.errors import ContractViolated, Unhealthy
from tests.functional.conftest import ENVIRONMENT, Answer, Wire, World, refusal

Invoke = Callable[[str, Any], Any]
QUOTA = {"Max24HourSend": 50_000.0, "MaxSendRate": 14.0, "SentLast24Hours": 12.0}
VERIFIED = Answer(200, {"VerifiedForSendingStatus": True})


def account(**changes: Any) -> Answer:
    """SES's answer about the account. (moto has none)"""
    return Answer(200, {"SendingEnabled": True, "ProductionAccessEnabled": True, "SendQuota": QUOTA} | changes)


def look(invoke: Invoke) -> Health:
    return Health.model_validate(invoke("check_health", {"test": True}))


@pytest.fixture(autouse=True)
def mail(wire: Wire) -> None:
    wire.order("sesv2.GetAccount", account())
    wire.order("sesv2.GetEmailIdentity", VERIFIED)


def test_a_whole_system_is_healthy_and_every_part_is_listed(invoke: Invoke, world: World, wire: Wire) -> None:
    health = look(invoke)
    assert [check.name for check in health.checks] == [
        "table clients",
        "table outcomes",
        "bucket reports-of-a-test",
        "mail account",
        "sender",
    ]
    assert "production, 12 of 50000 mails in 24 hours" in {check.detail for check in health.checks}
    reads = {"DescribeTable", "HeadBucket", "GetAccount", "GetEmailIdentity"}
    assert {call.operation.partition(".")[2] for call in wire.calls} == reads, "it changes nothing"


def test_every_part_that_is_out_of_order_is_named_at_once(invoke: Invoke, world: World, wire: Wire) -> None:
    boto3.client("dynamodb").delete_table(TableName="clients")
    boto3.client("s3").delete_bucket(Bucket=world.bucket)
    wire.order("dynamodb.DescribeTable", None, ConnectTimeoutError(endpoint_url="https://dynamodb"))
    with pytest.raises(Unhealthy) as raised:
        look(invoke)
    assert str(raised.value) == (
        "table clients: ResourceNotFoundException; table outcomes: ConnectTimeoutError; bucket reports-of-a-test: 404"
    )


def test_a_table_that_is_on_its_way_out_is_out_of_order(invoke: Invoke, world: World, wire: Wire) -> None:
    wire.order("dynamodb.DescribeTable", Answer(200, {"Table": {"TableStatus": "DELETING"}}))
    with pytest.raises(Unhealthy, match=r"^table clients: DELETING$"):
        look(invoke)


def with_mail(wire: Wire, *answers: tuple[str, Answer]) -> None:
    """These answers instead of those of a healthy account."""
    for operation in {operation for operation, _ in answers}:
        wire.forget(operation)
    for operation, answer in answers:
        wire.order(operation, answer)


def test_an_account_that_may_not_send_is_out_of_order(invoke: Invoke, world: World, wire: Wire) -> None:
    with_mail(wire, ("sesv2.GetAccount", account(SendingEnabled=False)))
    with pytest.raises(Unhealthy, match=r"^mail account: sending is switched off$"):
        look(invoke)


def test_a_sandbox_is_healthy_and_says_so(invoke: Invoke, world: World, wire: Wire) -> None:
    with_mail(wire, ("sesv2.GetAccount", account(ProductionAccessEnabled=False)))
    assert any("sandbox: only verified recipients" in check.detail for check in look(invoke).checks)


def test_a_sender_is_verified_by_itself_or_by_its_domain(invoke: Invoke, world: World, wire: Wire) -> None:
    with_mail(
        wire,
        ("sesv2.GetEmailIdentity", refusal("NotFoundException", 404)),
        ("sesv2.GetEmailIdentity", VERIFIED),
    )
    look(invoke)
    asked = [call.parameters["EmailIdentity"] for call in wire.calls if call.operation == "sesv2.GetEmailIdentity"]
    assert asked == [ENVIRONMENT["SENDER"], "consultancy.example"]


def test_a_sender_that_is_not_verified_is_out_of_order(invoke: Invoke, world: World, wire: Wire) -> None:
    missing = ("sesv2.GetEmailIdentity", refusal("NotFoundException", 404))
    with_mail(wire, missing, ("sesv2.GetEmailIdentity", Answer(200, {"VerifiedForSendingStatus": False})))
    with pytest.raises(Unhealthy, match=r"^sender: neither the address nor its domain is verified in SES$"):
        look(invoke)


def test_a_part_that_may_not_be_looked_at_is_out_of_order(invoke: Invoke, world: World, wire: Wire) -> None:
    with_mail(wire, ("sesv2.GetAccount", refusal("AccessDeniedException", 403)))
    with pytest.raises(Unhealthy, match=r"^mail account: AccessDeniedException$"):
        look(invoke)


@pytest.mark.parametrize("event", [{}, {"test": False}, {"test": "true"}, {"test": True, "cadence": "monthly"}])
def test_anything_but_the_question_is_a_violation(event: dict[str, Any], invoke: Invoke, world: World) -> None:
    with pytest.raises(ContractViolated):
        invoke("check_health", event)


def test_a_function_without_its_environment_names_what_is_missing(
    invoke: Invoke, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("BUCKET", "SENDER"):
        monkeypatch.delenv(name)
    with pytest.raises(ContractViolated, match="environment variables missing: BUCKET, SENDER"):
        look(invoke)
