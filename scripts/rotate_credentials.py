"""Rotate all credentials of clients that are due, one after the other; one failure does not stop the others."""

import _console

# isort: split
import sys
from pathlib import Path
from typing import Annotated

import typer

import _credentials
import _deployment
from cost_reporting.credentials import EXTERNAL_ID_DAYS, KEY_DAYS, CredentialAge
from cost_reporting.operations.credential_ages import credential_ages
from cost_reporting.operations.rotate_credentials import Desk, Ended, rotate_one
from cost_reporting.store.objects import ObjectStore
from cost_reporting.store.onboardings import OnboardingStore

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(help=__doc__)
def rotate(
    older_than: Annotated[
        int | None,
        typer.Option(min=0, help=f"Days, instead of {KEY_DAYS} for keys and {EXTERNAL_ID_DAYS} for ExternalIds."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Rotate unasked.")] = False,
    stack_name: Annotated[
        str | None, typer.Option(help="The deployed stack; else the environment's, else the local one.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Where files for clients go, each in a folder of its own.")] = Path(
        "out/credentials"
    ),
    as_json: Annotated[bool, typer.Option("--json", help="Answer with one JSON object.")] = False,
) -> int:
    """A key takes about three minutes and one paid request; an ExternalId waits for the client in between.

    A rotation that was begun is gone on with, whatever its age. Exit code 1 if one failed, or could not be looked at.
    """
    deployment = _deployment.find(stack_name)
    desk = _credentials.desk(deployment)
    ids = _credentials.client_ids(desk.records.clients)
    with _console.notes.status(f"Looking at {len(ids)} clients in {deployment.name}"):
        ages = tuple(
            credential_ages(
                ids,
                clients=desk.records.clients,
                secrets=desk.secrets,
                journal=desk.journal,
                objects=ObjectStore(deployment.bucket),
                onboardings=OnboardingStore(deployment.outcomes_table),
                at=desk.now(),
                older_than=older_than,
            )
        )
    due = [each for each in ages if each.verdict in ("due", "unfinished") or _has_begun(each, desk)]
    ends = [
        Ended(
            client_id=each.client_id,
            account=each.account,
            kind=each.kind,
            status="failed",
            detail=each.detail or each.verdict,
            remedy=each.remedy,
        )
        for each in ages
        if each.verdict in ("unreachable", "malformed") and each not in due
    ]
    _console.tell(f"{len(due)} of {len(ages)} accounts of {len(ids)} clients are due in {deployment.name}.")
    if due and not dry_run:
        _console.agreed(f"Rotate the credentials of {', '.join(map(_credentials.named, due))}?", yes=yes)
    ends += [rotate_one(each.client_id, desk, account=each.account, dry_run=dry_run) for each in due]
    clients = [_credentials.told(each, out, deployment) for each in ends]
    failed = sum(each["status"] == "failed" for each in clients)
    _console.tell(f"{len(ends) - failed} of {len(ends)} in order, {failed} failed." if ends else "Nothing is due.")
    if as_json:
        _console.answer({"status": "failed" if failed else "done", "dry_run": dry_run, "clients": clients})
    return 1 if failed else 0


def _has_begun(aged: CredentialAge, desk: Desk) -> bool:
    """Whether a rotation of the account's ExternalId waits to be gone on with."""
    if aged.kind != "external_id":
        return False
    ways = desk.records.clients.get(aged.client_id).ways
    return any(
        desk.journal.of(way).note(aged.client_id).replaces is not None for way in ways if way.account == aged.account
    )


if __name__ == "__main__":
    sys.exit(_console.main(app))
