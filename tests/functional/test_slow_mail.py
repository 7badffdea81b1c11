"""Send Email while SES hangs: nobody is begun with whose call the function's timeout could cut off."""

from typing import Any

import pytest

from cost_reporting import wiring
from cost_reporting.contracts import ReportSent
from cost_reporting.delivery import Letter
from cost_reporting.errors import DeliveryThrottled, DeliveryUncertain
from cost_reporting.ledger import UNDERWAY
from cost_reporting.operations.send_email import PATIENCE, send_email
from tests.builders import a_client
from tests.contract.documents import functions
from tests.functional.conftest import Clock, World

FIVE = tuple(f"reader-{number}@northwind.example" for number in range(5))
HANG = 25.0
"""Seconds: 5 to connect, 20 to wait for an answer."""


class Hanging:
    """SES, which takes long to answer some of its callers nothing."""

    def __init__(self, clock: Clock, *silent: str) -> None:
        self._clock, self._silent = clock, silent
        self.asked: list[str] = []

    def send(self, letter: Letter) -> str:
        self.asked.append(letter.recipient)
        if letter.recipient in self._silent:
            self._clock.pass_by(seconds=HANG)
            raise DeliveryUncertain("SES: ReadTimeoutError")
        return f"message-{len(self.asked)}"


def send(world: World, clock: Clock, channel: Hanging) -> ReportSent:
    stores: dict[str, Any] = {
        name: getattr(wiring, name)() for name in ("clients", "objects", "links", "ledger", "approvals")
    }
    addresses = {"sender": "reports@consultancy.example", "operators": "operations@consultancy.example"}
    return send_email(world.rendered(), **stores, **addresses, channel=channel, now=clock)


def test_who_is_not_asked_for_in_time_is_left_to_the_next_try(world: World, clock: Clock) -> None:
    world.add(a_client(recipients=FIVE))
    ses = Hanging(clock, *FIVE[:2])
    with pytest.raises(DeliveryThrottled):
        send(world, clock, ses)
    assert ses.asked == list(FIVE[:2])
    clock.pass_by(seconds=UNDERWAY.total_seconds())
    with pytest.raises(DeliveryUncertain):
        send(world, clock, ses)
    assert ses.asked == list(FIVE)


def test_the_last_call_ends_before_the_function_does() -> None:
    timeout = functions()["SendEmailFunction"]["Timeout"]
    assert PATIENCE.total_seconds() + HANG < timeout
