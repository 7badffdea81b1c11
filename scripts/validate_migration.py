"""A client's file before it goes into the system: whether it is sound, and with --check-aws whether a report could be
made and sent from it.
"""

import _console

# isort: split
import logging
import sys
from pathlib import Path
from typing import Annotated

import typer

import _deployment
import _findings
import _records

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(help=__doc__)
def validate_migration(
    config_file: Annotated[Path, typer.Option(help="A record as JSON.")],
    check_aws: Annotated[
        bool, typer.Option("--check-aws", help="Try each permission, for USD 0.01 each; the price is said first.")
    ] = False,
    stack_name: Annotated[
        str | None, typer.Option("--stack-name", help="The deployed stack; else the environment's, else the local one.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Answer with one JSON object.")] = False,
) -> None:
    """The one command. Without --check-aws nothing leaves this machine."""
    logging.getLogger("cost_reporting").addHandler(logging.NullHandler())
    client = _records.record_of(config_file, "--config-file")
    if check_aws:
        _findings.examined(client, _deployment.find(stack_name), yes=True, ask=False, as_json=as_json)
    elif as_json:
        _console.answer({"status": "done", "client_id": client.client_id, "faults": []})
    else:
        print(f"{config_file} is a sound record of {client.client_id}. --check-aws tries what it needs of AWS.")


if __name__ == "__main__":
    sys.exit(_console.main(app))
