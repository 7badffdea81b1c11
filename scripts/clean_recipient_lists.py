"""Take recipients out of client records whose mail bounces or who complained; with --undo, put them back."""

import _console

# isort: split
import logging
import sys
from typing import Annotated
from uuid import uuid4

import typer
from pydantic import TypeAdapter, ValidationError

import _deployment
from _console import WrongInput
from cost_reporting import wiring
from cost_reporting.contracts import FormerAddress
from cost_reporting.delivery.alerts import AlertTopic
from cost_reporting.delivery.suppression import SuppressionList
from cost_reporting.operations.clean_recipients import Cleaned, Cleaning, gather, quarantine, restore
from cost_reporting.sources.access import ourselves
from cost_reporting.store.ledger import LedgerStore
from cost_reporting.store.quarantines import QuarantineStore
from cost_reporting.store.records import RecordStore

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
_WHY = {
    "complained": "it complained",
    "bounced": "a mail bounced for good",
    "bounced_repeatedly": "three mails bounced within 90 days",
    "suppressed": "SES sends it nothing any more",
    "restored": "put back",
}


@app.command(help=__doc__)
def clean(
    client_id: Annotated[str | None, typer.Option(help="This client only.")] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Put quarantined addresses back.")] = False,
    address: Annotated[str | None, typer.Option(help="With --undo: this address only.")] = None,
    run_id: Annotated[
        str | None, typer.Option(help="With --undo: what that run of this command has taken out.")
    ] = None,
    lift_suppression: Annotated[
        bool, typer.Option("--lift-suppression", help="With --undo: take them off SES's suppression list as well.")
    ] = False,
    by: Annotated[str | None, typer.Option(help="Who is responsible, for the audit trail; you by default.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Change records unasked.")] = False,
    stack_name: Annotated[
        str | None, typer.Option(help="The deployed stack; else the environment's, else the local one.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Answer with one JSON object.")] = False,
) -> int:
    """Reads the whole mail ledger and SES's suppression list. Addresses stay in the record as quarantined.

    Exit code 1 if a client is left without any recipient, which alerts the operators, or if one could not be cleaned.
    """
    _sensible(client_id, address, run_id, undo=undo, lift=lift_suppression)
    logging.getLogger("cost_reporting").addHandler(logging.NullHandler())
    deployment = _deployment.find(stack_name)
    if not deployment.alerts_topic_arn:
        raise WrongInput(
            "ALERTS_TOPIC_ARN: nothing says where alerts go.", remedy="Name the stack with --stack-name, or set it."
        )
    store = RecordStore(deployment.clients_table, deployment.outcomes_table)
    ids = sorted(str(row.get("client_id")) for row in store.clients.rows())
    if client_id is not None and client_id not in ids:
        raise WrongInput(
            f"--client-id: {client_id}: no such client record.", remedy="Compare it with the clients table."
        )
    ids = ids if client_id is None else [client_id]
    at, who = wiring.now(), by or ourselves()

    def cleaning(*, trying: bool) -> Cleaning:
        return Cleaning(
            records=store,
            ledger=LedgerStore(deployment.outcomes_table),
            suppression=SuppressionList(),
            trail=QuarantineStore(deployment.outcomes_table),
            alerts=AlertTopic(deployment.alerts_topic_arn),
            run_id=f"clean-{at:%Y%m%dT%H%M%SZ}-{uuid4().hex[:6]}",
            by=who,
            at=at,
            dry_run=trying,
        )

    if undo:

        def work(each: Cleaning) -> Cleaned:
            return restore(ids, each, address=address, of_run=run_id, lift=lift_suppression)
    else:
        read = 0
        with _console.notes.status("Reading the ledger") as progress:

            def seen(count: int) -> None:
                nonlocal read
                read += count
                progress.update(f"Reading the ledger: {read:,} items")

            signs = gather(cleaning(trying=True), seen)

        def work(each: Cleaning) -> Cleaned:
            return quarantine(ids, signs, each)

    plan = work(cleaning(trying=True))
    _told(plan, undo=undo)
    if dry_run or not (plan.changes or plan.without_recipient):
        return _ended(plan, as_json=as_json, undo=undo, lifted=lift_suppression)
    if plan.changes:
        verb = "Put back" if undo else "Quarantine"
        _console.agreed(f"{verb} {len(plan.changes)} addresses?", yes=yes)
    return _ended(work(cleaning(trying=False)), as_json=as_json, undo=undo, lifted=lift_suppression)


def _sensible(client_id: str | None, address: str | None, run_id: str | None, *, undo: bool, lift: bool) -> None:
    for name, given in (("address", address is not None), ("run-id", run_id is not None), ("lift-suppression", lift)):
        if given and not undo:
            raise WrongInput(f"--{name}: goes with --undo.", remedy="Leave it out, or say --undo.")
    if undo and not (client_id or address or run_id):
        raise WrongInput(
            "--undo: whose addresses?", remedy="Name a client, an --address, or the --run-id of the run to undo."
        )
    if address is not None:
        try:
            TypeAdapter(FormerAddress).validate_python(address)
        except ValidationError:
            raise WrongInput("--address: this is no mail address.", remedy="Give the bare address.") from None


def _told(plan: Cleaned, *, undo: bool) -> None:
    for change in plan.changes:
        when = f" on {change.evidence_at:%Y-%m-%d}" if change.evidence_at else ""
        source = f" ({change.evidence}{when})" if change.evidence else ""
        _console.tell(f"{change.client_id}: {change.address}: {_WHY[change.reason]}{source}")
    if not plan.changes:
        _console.tell("Nothing is quarantined that fits." if undo else "No recipient has to be left out.")


def _ended(cleaned: Cleaned, *, as_json: bool, undo: bool, lifted: bool) -> int:
    for client_id in cleaned.without_recipient:
        told = "would be" if cleaned.dry_run else "are"
        _console.tell(f"{client_id}: nobody is left to send its reports to; the operators {told} alerted.", "red")
    for client_id, trouble in cleaned.failed.items():
        _console.tell(f"{client_id}: {trouble}", "red")
    if undo and cleaned.changes and not lifted:
        _console.tell(
            "note: an address on SES's suppression list gets nothing: --lift-suppression takes it off", "yellow"
        )
    if not cleaned.dry_run:
        done = "put back" if undo else "quarantined"
        _console.tell(f"{len(cleaned.changes)} addresses {done}, run {cleaned.run_id}.")
    wrong = bool(cleaned.without_recipient or cleaned.failed)
    if as_json:
        _console.answer({"status": "attention" if wrong else "done"} | cleaned.model_dump(mode="json"))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(_console.main(app))
