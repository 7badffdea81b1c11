"""Whether a client's report can be made and sent, told finding by finding."""

import typer

import _console
import _records
from _deployment import Deployment
from cost_reporting import wiring
from cost_reporting.clients import Client
from cost_reporting.costs import PRICE_PER_REQUEST
from cost_reporting.delivery.standing import Standing
from cost_reporting.operations.clients.examining import Finding, Surroundings, examine
from cost_reporting.sources.cost_explorer.permissions import price
from cost_reporting.store.objects import ObjectStore

_STYLES = {"ok": "green", "failed": "red", "warning": "yellow", "not needed": "dim", "not checked": "yellow"}


def examined(client: Client, deployment: Deployment, *, yes: bool, ask: bool, as_json: bool) -> None:
    """Examine the client, tell every finding, and end the command with 1 if something failed.

    ``ask``: a person who is there is asked whether to pay; without one, what costs money is left out.
    """
    paying = yes or (ask and _console.is_willing(f"{_price(client)} Ask Cost Explorer?"))
    _console.tell(f"{client.client_id}, from {deployment.name}. {_price(client) if paying else 'Nothing is paid.'}")
    surroundings = Surroundings(
        sender=deployment.sender, prefix=deployment.prefix, reader_role_name=deployment.reader_role_name
    )
    found = []
    for finding in examine(
        client,
        surroundings,
        paying=paying,
        standing=Standing(),
        objects=ObjectStore(deployment.bucket),
        now=wiring.now,
    ):
        found.append(finding)
        if not as_json and _console.notes.is_terminal:
            _console.tell(f"  {finding.name}: {finding.verdict}", _STYLES[finding.verdict])
    failed = [finding for finding in found if finding.verdict == "failed"]
    if as_json:
        _console.answer(
            {
                "status": "failed" if failed else "done",
                "client_id": client.client_id,
                "findings": [finding.model_dump() for finding in found],
            }
        )
    else:
        _records.table(("what", "how it is", "why", "what to do"), [_cells(finding) for finding in found])
        unknown = sum(finding.verdict == "not checked" for finding in found)
        _console.tell(f"{len(failed)} failed, {unknown} not checked, of {len(found)}", "red" if failed else "")
    if failed:
        raise typer.Exit(1)


def _price(client: Client) -> str:
    count = price(client)
    return f"That takes {count} paid requests, USD {count * PRICE_PER_REQUEST:.2f}, billed to the client's account."


def _cells(finding: Finding) -> tuple[str, ...]:
    return finding.name, finding.verdict, finding.cause, finding.remedy
