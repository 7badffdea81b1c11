"""The ledger under any interleaving, some times: with the table of moto, whose conditions are DynamoDB's."""

from collections.abc import Callable
from typing import Any

import boto3
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.functional.conftest import World
from tests.ledger_machine import LedgerMachine


def emptied(world: World) -> Callable[[], Any]:
    """Makes the outcomes table empty, and gives it."""

    def make() -> Any:
        table = boto3.resource("dynamodb").Table("outcomes")
        for item in table.scan()["Items"]:
            table.delete_item(Key={"pk": item["pk"], "sk": item["sk"]})
        return table

    return make


def test_no_interleaving_mails_twice_or_forgets_a_mail(world: World) -> None:
    machine = type("OnMoto", (LedgerMachine,), {"make_table": staticmethod(emptied(world))})
    quick = settings(max_examples=15, stateful_step_count=25, deadline=None, phases=[Phase.generate])
    run_state_machine_as_test(machine, settings=quick)
