"""Back Up Tables: a backup of each table with the date in its name, and the oldest ones given up."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import boto3
import pytest

from cost_reporting.errors import StoreRefused, StoreThrottled
from cost_reporting.operations.back_up_tables import KEPT
from tests.functional.conftest import NOW, Wire, World, refusal

Invoke = Callable[[str, Any], Any]


def names(table: str) -> list[str]:
    """The names of a table's backups, sorted."""
    return sorted(
        each["BackupName"] for each in boto3.client("dynamodb").list_backups(TableName=table)["BackupSummaries"]
    )


def back_up(invoke: Invoke, weeks_ago: int = 0) -> Any:
    return invoke("back_up_tables", {"scheduled_at": (NOW - timedelta(weeks=weeks_ago)).isoformat()})


def test_both_tables_are_backed_up_under_the_day_that_was_meant(invoke: Invoke, world: World) -> None:
    answer = invoke("back_up_tables", {"scheduled_at": "2026-11-08T02:00:00Z"})
    assert names("clients") == names("outcomes") == ["weekly-backup-20261108"]
    assert [each["table"] for each in answer["backups"]] == ["clients", "outcomes"]


def test_without_a_schedule_it_is_today_s(invoke: Invoke, world: World) -> None:
    invoke("back_up_tables", {})
    assert names("clients") == [f"weekly-backup-{NOW:%Y%m%d}"]


def test_a_second_start_on_the_day_makes_no_second_backup(invoke: Invoke, world: World) -> None:
    first, second = back_up(invoke), back_up(invoke)
    assert [each["arn"] for each in first["backups"]] == [each["arn"] for each in second["backups"]]
    assert names("clients") == ["weekly-backup-20261108"]


def test_a_try_that_broke_off_is_completed_by_the_next(invoke: Invoke, world: World, wire: Wire) -> None:
    wire.order("dynamodb.CreateBackup", None, refusal("LimitExceededException"))
    with pytest.raises(StoreThrottled, match=r"^back up outcomes: "):
        back_up(invoke)
    assert (len(names("clients")), len(names("outcomes"))) == (1, 0)
    back_up(invoke)
    assert (len(names("clients")), len(names("outcomes"))) == (1, 1)


def test_the_oldest_are_given_up_once_there_are_newer_ones_and_nobody_else_s(invoke: Invoke, world: World) -> None:
    boto3.client("dynamodb").create_backup(TableName="clients", BackupName="before-the-migration")
    for weeks_ago in range(KEPT - 1, -1, -1):
        assert back_up(invoke, weeks_ago)["given_up"] == []
    oldest = names("clients")[1]
    answer = back_up(invoke, -1)
    assert answer["given_up"] == [f"clients: {oldest}", f"outcomes: {oldest}"]
    assert len(names("clients")) == KEPT + 1
    assert "before-the-migration" in names("clients")


def test_nothing_is_given_up_when_the_new_backup_fails(invoke: Invoke, world: World, wire: Wire) -> None:
    for weeks_ago in range(KEPT, 0, -1):
        back_up(invoke, weeks_ago)
    wire.order("dynamodb.CreateBackup", refusal("AccessDeniedException"))
    with pytest.raises(StoreRefused):
        back_up(invoke)
    assert len(names("clients")) == KEPT
