"""How old the credentials of every client are, account by account: keys and ExternalIds, last use, what is due."""

import _console

# isort: split
import sys
from typing import Annotated

import typer

import _credentials
import _deployment
from cost_reporting import wiring
from cost_reporting.credentials import EXTERNAL_ID_DAYS, KEY_DAYS, CredentialAge
from cost_reporting.operations.credential_ages import credential_ages
from cost_reporting.store.objects import ObjectStore
from cost_reporting.store.onboardings import OnboardingStore

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
_STYLES = {"ok": "", "due": "yellow", "unfinished": "yellow", "unreachable": "red", "malformed": "red"}


@app.command(help=__doc__)
def check(
    older_than: Annotated[
        int | None,
        typer.Option(min=0, help=f"Days, instead of {KEY_DAYS} for keys and {EXTERNAL_ID_DAYS} for ExternalIds."),
    ] = None,
    stack_name: Annotated[
        str | None, typer.Option(help="The deployed stack; else the environment's, else the local one.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Answer with one JSON object.")] = False,
) -> int:
    """Nothing is changed, nothing is paid, and no secret is shown. Exit code 1 if anything is not in order."""
    deployment = _deployment.find(stack_name)
    desk = _credentials.desk(deployment)
    ids = _credentials.client_ids(desk.records.clients)
    at = wiring.now()
    found: list[CredentialAge] = []
    with _console.notes.status(f"{len(ids)} clients in {deployment.name}") as progress:
        for each in credential_ages(
            ids,
            clients=desk.records.clients,
            secrets=desk.secrets,
            journal=desk.journal,
            objects=ObjectStore(deployment.bucket),
            onboardings=OnboardingStore(deployment.outcomes_table),
            at=at,
            older_than=older_than,
        ):
            found.append(each)
            done = len({account.client_id for account in found})
            progress.update(f"{done} of {len(ids)} clients in {deployment.name}")
    counts = {verdict: sum(each.verdict == verdict for each in found) for verdict in _STYLES}
    in_order = counts["ok"] == len(found)
    if as_json:
        clients = [each.model_dump(mode="json") for each in found]
        _console.answer(
            {"status": "in_order" if in_order else "attention", "at": at.isoformat(), **counts, "clients": clients}
        )
        return 0 if in_order else 1
    width = max((len(_credentials.named(each)) for each in found), default=9)
    print(f"{'client':<{width}}  {'kind':<11}  {'days':>5}  {'limit':>5}  {'last used':<10}  verdict")
    for each in found:
        print(_line(each, width))
    for each in found:
        if each.detail or each.remedy:
            _console.tell(f"{_credentials.named(each)}: {each.detail or each.verdict}", _STYLES[each.verdict])
            if each.remedy:
                _console.tell(f"  {each.remedy}")
    _console.tell(
        ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count) or "There is no client."
    )
    return 0 if in_order else 1


def _line(aged: CredentialAge, width: int) -> str:
    days = "?" if aged.age_days is None else str(aged.age_days)
    used = f"{aged.last_used:%Y-%m-%d}" if aged.last_used else "?"
    limit = "" if aged.limit_days is None else str(aged.limit_days)
    name = f"{_credentials.named(aged):<{width}}"
    return f"{name}  {aged.kind or '?':<11}  {days:>5}  {limit:>5}  {used:<10}  {aged.verdict}"


if __name__ == "__main__":
    sys.exit(_console.main(app))
