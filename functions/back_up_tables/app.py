"""Back Up Tables: a backup of each table with the date in its name, and the oldest ones given up."""

from cost_reporting import wiring
from cost_reporting.contracts import BackedUp, BackupAsked
from cost_reporting.operations.back_up_tables import back_up_tables
from cost_reporting.settings import settings
from cost_reporting.step import step


@step
def handler(asked: BackupAsked) -> BackedUp:
    """Make the day's backups."""
    return back_up_tables(
        asked,
        tables=(settings().clients_table, settings().outcomes_table),
        backups=wiring.backups(),
        now=wiring.now,
    )
