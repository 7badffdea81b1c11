"""Back Up Tables: a backup of each table with the date in its name, and the oldest ones given up."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from cost_reporting.contracts import BackedUp, BackupAsked
from cost_reporting.store.backups import BackupStore

PREFIX: Final = "weekly-backup-"
KEPT: Final = 9
"""So many are kept of each table: two months. Counted and not dated, so that none goes unless newer ones have come."""


def back_up_tables(
    asked: BackupAsked, *, tables: tuple[str, ...], backups: BackupStore, now: Callable[[], datetime]
) -> BackedUp:
    """Back each table up as ``weekly-backup-YYYYMMDD``, once a day however often this is asked.

    Backups of other names are somebody else's and stay. Raises StoreThrottled or StoreRefused.
    """
    name = f"{PREFIX}{(asked.scheduled_at or now()).astimezone(UTC):%Y%m%d}"
    made, given_up = [], []
    for table in tables:
        ours = [backup for backup in backups.of(table) if backup.name.startswith(PREFIX)]
        todays = next((backup for backup in ours if backup.name == name), None)
        if todays is None:
            todays = backups.create(table, name)
            ours.append(todays)
        made.append(todays)
        for old in ours[:-KEPT]:
            backups.delete(old)
            given_up.append(f"{table}: {old.name}")
    return BackedUp(backups=tuple(made), given_up=tuple(given_up))
