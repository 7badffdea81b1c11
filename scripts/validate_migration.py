"""A client's file before it goes into the system: whether it is sound, whether its AWS account is another client's, and
with --check-aws whether a report could be made and sent from it.
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
from cost_reporting import records, wiring
from cost_reporting.operations.clients import ownership
from cost_reporting.operations.owned_accounts import FIELDS
from cost_reporting.store.clients import row
from cost_reporting.store.records import RecordStore

_OTHERS = "other clients' accounts"
"""What cannot be compared without a deployment."""

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
    """The one command. Without --check-aws only the clients table is read, of the named stack or the local one."""
    logging.getLogger("cost_reporting").addHandler(logging.NullHandler())
    client = _records.record_of(config_file, "--config-file")
    deployment = _deployment.find(stack_name) if check_aws else _deployment.find_any(stack_name)
    if deployment is not None:
        store = RecordStore(deployment.clients_table, deployment.outcomes_table)
        ownership.require_own(None, row(client), store.clients.rows(*FIELDS), store.accounts)
    warnings = records.warnings_of(client, wiring.now().date())
    not_checked = [] if deployment is not None else [_OTHERS]
    if check_aws and deployment is not None:
        _findings.examined(client, deployment, yes=True, ask=False, as_json=as_json)
    elif as_json:
        told = [each.model_dump() for each in warnings]
        _console.answer(
            {
                "status": "done",
                "client_id": client.client_id,
                "faults": [],
                "warnings": told,
                "not_checked": not_checked,
            }
        )
    else:
        print(f"{config_file} is a sound record of {client.client_id}. --check-aws tries what it needs of AWS.")
        for warning in warnings:
            print(f"warning: {warning.field}: expected {warning.expected}. {warning.remedy}")
        for each in not_checked:
            print(f"not checked: {each}")


if __name__ == "__main__":
    sys.exit(_console.main(app))
