"""Backups of tables, and tables that are made from them."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from cost_reporting import aws
from cost_reporting.contracts import Backup
from cost_reporting.store.translation import translated


class BackupStore:
    """DynamoDB's on-demand backups and point-in-time recovery, of any table."""

    def create(self, table: str, name: str) -> Backup:
        """Make a backup. It is of this moment, and takes no capacity of the table."""
        with translated(f"back up {table}"):
            made = aws.client("dynamodb").create_backup(TableName=table, BackupName=name)
        details = made["BackupDetails"]
        return Backup(table=table, name=name, arn=details["BackupArn"], made_at=details["BackupCreationDateTime"])

    def of(self, table: str) -> list[Backup]:
        """The table's backups that are whole, the oldest first."""
        return sorted(self._pages(table), key=lambda backup: backup.made_at)

    def delete(self, backup: Backup) -> None:
        """Give a backup up for good."""
        with translated(f"delete the backup {backup.name} of {backup.table}"):
            aws.client("dynamodb").delete_backup(BackupArn=backup.arn)

    def window(self, table: str) -> tuple[datetime, datetime] | None:
        """From when to when the table can be had as it was; None if point-in-time recovery is off."""
        with translated(f"describe the recovery of {table}"):
            found = aws.client("dynamodb").describe_continuous_backups(TableName=table)
        recovery = found["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
        earliest, latest = recovery.get("EarliestRestorableDateTime"), recovery.get("LatestRestorableDateTime")
        return (earliest, latest) if earliest and latest else None

    def restore(self, backup: Backup, to: str) -> None:
        """Begin to make the new table ``to`` from a backup."""
        with translated(f"restore {backup.name} to {to}"):
            aws.client("dynamodb").restore_table_from_backup(TargetTableName=to, BackupArn=backup.arn)

    def restore_at(self, table: str, moment: datetime, to: str) -> None:
        """Begin to make the new table ``to`` as ``table`` was at a moment of its window."""
        with translated(f"restore {table} as of {moment.isoformat()} to {to}"):
            aws.client("dynamodb").restore_table_to_point_in_time(
                SourceTableName=table, TargetTableName=to, RestoreDateTime=moment
            )

    def is_ready(self, table: str) -> bool:
        """Whether a table that is being restored can be read."""
        with translated(f"describe {table}"):
            return aws.client("dynamodb").describe_table(TableName=table)["Table"].get("TableStatus") == "ACTIVE"

    def drop(self, table: str) -> None:
        """Delete a table."""
        with translated(f"delete {table}"):
            aws.client("dynamodb").delete_table(TableName=table)

    def _pages(self, table: str) -> Iterator[Backup]:
        more: dict[str, Any] = {}
        while True:
            with translated(f"list the backups of {table}"):
                page: dict[str, Any] = dict(
                    aws.client("dynamodb").list_backups(TableName=table, BackupType="ALL", **more)
                )
            for each in page["BackupSummaries"]:
                if each.get("BackupStatus") == "AVAILABLE":
                    yield Backup(
                        table=table,
                        name=each["BackupName"],
                        arn=each["BackupArn"],
                        made_at=each["BackupCreationDateTime"],
                        size=each.get("BackupSizeBytes", 0),
                    )
            if "LastEvaluatedBackupArn" not in page:
                return
            more = {"ExclusiveStartBackupArn": page["LastEvaluatedBackupArn"]}
