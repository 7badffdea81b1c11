"""Rotate the credentials of one client, whatever their age, or go on with a rotation that was begun."""

import _console

# isort: split
import sys
from pathlib import Path
from typing import Annotated

import typer

import _credentials
import _deployment
from _console import WrongInput
from cost_reporting.operations.rotate_credentials import rotate_one
from cost_reporting.records import printable

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(help=__doc__)
def rotate(
    client_id: Annotated[str, typer.Option(help="Whose credentials.")],
    account: Annotated[
        str | None, typer.Option(help="The name of one of its further accounts; the client's first account.")
    ] = None,
    finish: Annotated[
        bool, typer.Option("--finish", help="Go on with a rotation of the ExternalId; begin none.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    stack_name: Annotated[
        str | None, typer.Option(help="The deployed stack; else the environment's, else the local one.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Where the files for the client go, in a folder of its own.")] = Path(
        "out/credentials"
    ),
    as_json: Annotated[bool, typer.Option("--json", help="Answer with one JSON object.")] = False,
) -> int:
    """A key: created, stored, tested, promoted, and the old one deleted, in about three minutes and one paid request.

    An ExternalId: the first call makes a new one and writes what the client has to do; the next one switches to it
    once the client's role accepts it; the last one looks whether the old one is refused. Runs never notice.
    """
    deployment = _deployment.find(stack_name)
    desk = _credentials.desk(deployment)
    if client_id not in _credentials.client_ids(desk.records.clients):
        raise WrongInput(
            f"--client-id: {client_id}: no such client record.", remedy="Compare it with the clients table."
        )
    if account is not None:
        names = [each.name for each in desk.records.clients.get(client_id).more_accounts]
        if account not in names:
            raise WrongInput(
                f"--account: {client_id} has no further account of that name.",
                remedy=f"Its record names {', '.join(map(printable, names)) or 'none'} in more_accounts.",
            )
    ended = rotate_one(client_id, desk, account=account, dry_run=dry_run, begin=not finish)
    said = _credentials.told(ended, out, deployment)
    unfinished = finish and ended.turn is not None and ended.turn.phase == "add"
    failed = said["status"] == "failed" or unfinished
    if as_json:
        _console.answer(said | {"status": "failed" if failed else said["status"]})
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(_console.main(app))
