"""Client records from a backup: restored beside the clients table, compared with it, and copied back one by one.

Nothing but `copy` writes to the clients table, and it overwrites no record that has changed since the backup unless
told to. The order of things: `backups`, `restore`, `compare`, `copy`, `discard`.
"""

import _console

# isort: split
import re
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

import _deployment
import _records
from _console import Failed, WrongInput
from cost_reporting import wiring
from cost_reporting.contracts import Backup
from cost_reporting.operations.clients import ownership
from cost_reporting.operations.clients.changing import Author
from cost_reporting.operations.restore_clients import RESTORED, Difference, contested, copy_back, differences, unsound
from cost_reporting.sources.access import ourselves
from cost_reporting.store.backups import BackupStore
from cost_reporting.store.clients import ClientStore
from cost_reporting.store.records import RecordStore

PATIENCE = 60 * 60
"""Seconds. AWS promises no time for a restore; most of small tables take some minutes."""
POLL = 5.0

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

StackName = Annotated[str | None, typer.Option(help="The deployed stack; else the environment's, else the local one.")]
FromTable = Annotated[str, typer.Option(help="The table that `restore` has made.")]
AsJson = Annotated[bool, typer.Option("--json", help="Answer with one JSON object.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it unasked.")]


@app.callback(help=__doc__)
def _restore_clients() -> None:
    """The commands."""


@app.command()
def backups(stack_name: StackName = None, as_json: AsJson = False) -> None:
    """What there is to restore from: backups, and the window of point-in-time recovery."""
    deployment, store = _deployment.find(stack_name), BackupStore()
    found = store.of(deployment.clients_table)
    window = store.window(deployment.clients_table)
    if as_json:
        _console.answer(
            {
                "status": "done",
                "table": deployment.clients_table,
                "backups": [backup.model_dump(mode="json") for backup in found],
                "window": [moment.isoformat() for moment in window] if window else None,
            }
        )
        return
    shown = Table("backup", "made at (UTC)", "bytes")
    for backup in found:
        shown.add_row(escape(backup.name), _stamp(backup.made_at), f"{backup.size}")
    _console.notes.print(shown)
    _console.tell(
        f"Any moment from {_stamp(window[0])} to {_stamp(window[1])} UTC, with `restore --at`."
        if window
        else "Point-in-time recovery is off."
    )


@app.command()
def restore(
    backup: Annotated[str | None, typer.Option(help="The name of a backup: weekly-backup-20261108.")] = None,
    at: Annotated[datetime | None, typer.Option(help="Or a moment, in UTC: 2026-11-08T05:59:00.")] = None,
    stack_name: StackName = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done.")] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Make a new table from a backup or a moment, and wait until it can be read. The clients table is left alone."""
    if (backup is None) == (at is None):
        raise WrongInput("--backup: name a backup, or a moment with --at.", remedy="`backups` lists what there is.")
    deployment, store = _deployment.find(stack_name), BackupStore()
    source, begin = _chosen(store, deployment.clients_table, backup, at)
    made = f"{deployment.clients_table}{RESTORED}{datetime.now(UTC):%Y%m%d%H%M%S}"
    if dry_run:
        _console.tell(f"Would make {made} from {source}.")
    else:
        _console.agreed(f"Make the table {made} from {source}? It costs what it holds until `discard`.", yes=yes)
        begin(made)
        _wait(store, made)
        _console.tell(f"{made} is there. Next: compare --from-table {made}")
    if as_json:
        _console.answer({"status": "dry_run" if dry_run else "done", "table": made, "source": source})
    elif not dry_run:
        print(made)


@app.command()
def compare(from_table: FromTable, stack_name: StackName = None, as_json: AsJson = False) -> None:
    """Which clients are missing or different now. Names of fields are shown, values are not."""
    deployment = _deployment.find(stack_name)
    there, here = _rows(from_table), _rows(deployment.clients_table)
    found = list(differences(there, here))
    only_here = len(here.keys() - there.keys())
    if as_json:
        _console.answer(
            {
                "status": "done",
                "differences": [each.model_dump(mode="json") | {"newer_here": each.newer_here} for each in found],
                "only_here": only_here,
            }
        )
        return
    _show(found)
    _console.tell(f"{len(there)} clients in the backup, {len(here)} now; {only_here} of these are not in the backup.")


@app.command()
def copy(
    from_table: FromTable,
    client_id: Annotated[list[str] | None, typer.Option(help="Whose record; may be given again.")] = None,
    missing: Annotated[bool, typer.Option("--missing", help="Every record that is missing now.")] = False,
    over_newer: Annotated[
        bool, typer.Option("--over-newer", help="Also replace records that have changed since the backup.")
    ] = False,
    stack_name: StackName = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done.")] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> int:
    """Copy records back into the clients table. A record that somebody changes meanwhile is left as they leave it."""
    if not client_id and not missing:
        raise WrongInput("--client-id: which records?", remedy="Name clients, or say --missing for all that are gone.")
    deployment = _deployment.find(stack_name)
    there, here = _rows(from_table), _rows(deployment.clients_table)
    unknown = sorted(set(client_id or ()) - there.keys())
    if unknown:
        raise WrongInput(f"--client-id: not in {from_table}: {', '.join(unknown)}.", remedy="Compare it first.")
    wanted = [
        each
        for each in differences(there, here)
        if each.client_id in (client_id or ()) or (missing and each.kind == "missing")
    ]
    newer = [each.client_id for each in wanted if each.newer_here]
    if newer and not over_newer:
        raise WrongInput(
            f"--over-newer: changed since the backup: {', '.join(newer)}.",
            remedy="Compare the records; --over-newer puts the old ones back all the same. Nothing was copied.",
        )
    store = RecordStore(deployment.clients_table, deployment.outcomes_table)
    taken = contested(wanted, there, here, store=store)
    if taken:
        faults = [fault for client_id, found in sorted(taken.items()) for fault in ownership.faults(client_id, found)]
        raise _records.refused(f"--from-table: {from_table}", faults, remedy="Copy the others; nothing was copied.")
    if found := tuple(unsound(wanted, there, _records.standpoint())):
        remedy = "Copy the others with --client-id, and `add` these corrected; nothing was copied."
        raise _records.refused(f"--from-table: {from_table}", found, remedy=remedy)
    _show(wanted)
    if dry_run or not wanted:
        if as_json:
            status = "dry_run" if dry_run else "done"
            _console.answer({"status": status, "copied": [], "lost": [], "wanted": [each.client_id for each in wanted]})
        return 0
    _console.agreed(f"Copy {len(wanted)} records into {deployment.clients_table}?", yes=yes)
    author = Author(who=ourselves(), at=wiring.now(), reason=f"from {from_table}")
    done = list(copy_back(wanted, there, here, store=store, author=author))
    copied, lost, erased = (
        [each.client_id for each in done if each.status == status] for status in ("COPIED", "LOST", "ERASED")
    )
    _console.tell(f"{len(copied)} copied.")
    if lost:
        _console.tell(f"Left alone, because somebody changed them meanwhile: {', '.join(lost)}.", "yellow")
    if erased:
        _console.tell(f"Not copied, because the client's data was erased: {', '.join(erased)}.", "yellow")
    if as_json:
        status = "failed" if lost or erased else "done"
        ids = [each.client_id for each in wanted]
        _console.answer({"status": status, "copied": copied, "lost": lost, "erased": erased, "wanted": ids})
    return 1 if lost or erased else 0


@app.command()
def discard(
    from_table: FromTable,
    stack_name: StackName = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done.")] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Delete a table that `restore` has made, and no other."""
    deployment = _deployment.find(stack_name)
    if not re.fullmatch(re.escape(deployment.clients_table + RESTORED) + r"\d{14}", from_table):
        raise WrongInput(f"--from-table: {from_table} was not made by `restore`.", remedy="Name one that was.")
    if dry_run:
        _console.tell(f"Would delete {from_table}.")
    else:
        _console.agreed(f"Delete {from_table}?", yes=yes)
        BackupStore().drop(from_table)
        _console.tell(f"{from_table} is deleted.")
    if as_json:
        _console.answer({"status": "dry_run" if dry_run else "done", "table": from_table})


def _chosen(store: BackupStore, table: str, name: str | None, at: datetime | None) -> tuple[str, Callable[[str], None]]:
    """What to restore from, in words, and how."""
    if at is not None:
        moment, window = at.replace(tzinfo=at.tzinfo or UTC), store.window(table)
        if window is None or not window[0] <= moment <= window[1]:
            raise WrongInput(f"--at: {_stamp(moment)} is outside the window of {table}.", remedy="See `backups`.")
        return f"{table} as of {_stamp(moment)} UTC", lambda made: store.restore_at(table, moment, made)
    found: list[Backup] = [backup for backup in store.of(table) if backup.name == name]
    if not found:
        raise WrongInput(f"--backup: {table} has no backup {name}.", remedy="`backups` lists what there is.")
    return f"{name} of {_stamp(found[-1].made_at)} UTC", lambda made: store.restore(found[-1], made)


def _wait(store: BackupStore, table: str) -> None:
    began = time.monotonic()
    with _console.notes.status(f"{table} is being restored; this takes minutes"):
        while not store.is_ready(table):
            if time.monotonic() - began > PATIENCE:
                raise Failed(f"{table} is not there after an hour.", remedy=f"See aws dynamodb describe-table {table}.")
            time.sleep(POLL)


def _rows(table: str) -> dict[str, Mapping[str, Any]]:
    return {str(row["client_id"]): row for row in ClientStore(table).whole_rows()}


def _show(found: list[Difference]) -> None:
    if not found:
        _console.tell("No difference.")
        return
    shown = Table("client", "is", "version then → now", "fields")
    for each in found:
        then, now = ("–" if version is None else str(version) for version in each.versions)
        newer = ", and newer than the backup" if each.newer_here else ""
        shown.add_row(escape(each.client_id), each.kind + newer, f"{then} → {now}", escape(", ".join(each.fields)))
    _console.notes.print(shown)


def _stamp(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


if __name__ == "__main__":
    sys.exit(_console.main(app))
