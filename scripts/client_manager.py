"""The clients: who gets reports, how, and what ever changed about them."""

import _console

# isort: split
import hashlib
import logging
import sys
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from pydantic import TypeAdapter, ValidationError

import _deployment
import _findings
import _onboarding
import _records
from _console import WrongInput
from _deployment import Deployment
from cost_reporting import records, wiring
from cost_reporting.clients import Client, parse_client
from cost_reporting.contracts import Cadence, FormerAddress
from cost_reporting.errors import ClientUnknown
from cost_reporting.operations.back_up_tables import KEPT
from cost_reporting.operations.clients import changing, erasing, importing, listing, ownership, removing
from cost_reporting.operations.clients.changing import Author
from cost_reporting.operations.clients.listing import Listed
from cost_reporting.operations.owned_accounts import FIELDS
from cost_reporting.records import printable
from cost_reporting.soundness import Fault
from cost_reporting.sources.access import ourselves
from cost_reporting.store.clients import row
from cost_reporting.store.erasing import Eraser
from cost_reporting.store.records import RecordStore, Version
from cost_reporting.store.sweeping import Sweeper

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

ClientIdOption = Annotated[str, typer.Option("--client-id", help="The client's id.")]
ConfigOption = Annotated[Path, typer.Option("--config", help="A record as JSON.")]
StackOption = Annotated[
    str | None, typer.Option("--stack-name", help="The deployed stack; else the environment's, else the local one.")
]
ReasonOption = Annotated[str | None, typer.Option("--reason", help="Why, for the history.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Answer with one JSON object.")]
COLUMNS = (
    "client_id", "client_name", "status", "cadences", "recipients", "account", "access", "locale", "currency",
    "version", "faults",
)  # fmt: skip


@app.callback(help=__doc__)
def _client_manager() -> None:
    logging.getLogger("cost_reporting").addHandler(logging.NullHandler())


@app.command("list")
def list_command(
    status: Annotated[
        Literal["active", "suspended", "malformed"] | None, typer.Option(help="Only those; all of them.")
    ] = None,
    cadence: Annotated[Cadence | None, typer.Option(help="Only those who get this report.")] = None,
    search: Annotated[str | None, typer.Option(help="Only those with this in their id, name or recipients.")] = None,
    form: Annotated[Literal["table", "json", "csv"], typer.Option("--format", help="How they are shown.")] = "table",
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    stack_name: StackOption = None,
) -> None:
    """Every client, or those that fit. A malformed row is shown with what is wrong, under every filter that a run
    would let it pass.
    """
    store = _store(_deployment.find(stack_name))
    with _records.progress("reading", None) as moved:
        found = listing.listed(
            _counted(store.clients.whole_rows(), moved),
            status=status,
            cadence=cadence,
            search=search,
            at=_records.standpoint(),
        )
    if as_json or form == "json":
        _console.answer({"status": "done", "count": len(found), "clients": [each.model_dump() for each in found]})
        return
    (_records.as_csv if form == "csv" else _records.table)(COLUMNS, map(_cells, found))
    malformed = sum(bool(each.faults) for each in found)
    _console.tell(f"{len(found)} clients" + (f", {malformed} of them malformed" if malformed else ""))


@app.command("sample-config")
def sample_config(
    output: Annotated[Path, typer.Option(help="The new file; its JSON Schema goes beside it.")],
    force: Annotated[bool, typer.Option("--force", help="Write over what is there.")] = False,
    as_json: JsonOption = False,
) -> None:
    """A record to be edited, and beside it the JSON Schema that explains every field to your editor."""
    schema = output.with_name(f"{output.stem}.schema.json")
    _records.write(output, records.sample(f"./{schema.name}"), "--output", replace=force)
    _records.write(schema, records.schema(), "--output", replace=True)
    _console.tell(f"Edit {', '.join(records.PLACEHOLDERS)}; `onboard --config {output}` writes the access part.")
    _done(as_json, f"{output}\n{schema}", output=str(output), schema=str(schema), placeholders=[*records.PLACEHOLDERS])


@app.command()
def add(
    config: ConfigOption, reason: ReasonOption = None, as_json: JsonOption = False, stack_name: StackOption = None
) -> None:
    """Add a client. Every fault of its record is shown at once, and then nothing is added."""
    client = _records.record_of(config)
    store = _store(_deployment.find(stack_name))
    with _records.asked("`update` changes it; another client needs another id."):
        version = changing.add(client, store=store, author=_author(reason))
    if client.approve_first == 0:
        _console.tell("Its first report goes out without an approval: approve_first is 0 in its record.", "yellow")
    _told(as_json, f"{client.client_id} is added, as version {version.version}.", version)


@app.command("import")
def import_command(
    file: Annotated[Path, typer.Option("--file", help="JSON, JSON Lines or CSV, by its ending.")],
    reason: ReasonOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check every record, and add none.")] = False,
    as_json: JsonOption = False,
    stack_name: StackOption = None,
) -> None:
    """Add many clients, or none of them if one record has a fault. Interrupted, the same file again does the rest."""
    body = _records.body_of(file, "--file")
    read = records.read_many(body, _records.standpoint(), as_csv=file.suffix.casefold() == ".csv")
    clients, faults = _told_apart(read)
    store = _store(_deployment.find(stack_name))
    planned = importing.plan(clients, hashlib.sha256(body).hexdigest(), store=store)
    faults += [
        Fault(field=f"{client_id}: client_id", expected="no record yet", remedy="`update` it, or leave it out.")
        for client_id in planned.taken
    ]
    faults += [
        Fault(field=f"{client_id}: client_id", expected="an id of no client whose data was erased", remedy=_ANOTHER_ID)
        for client_id in planned.erased
    ]
    for client_id, found in sorted(planned.contested.items()):
        faults += ownership.faults(client_id, found)
    if faults:
        raise _records.refused(f"--file: {printable(str(file))}", faults)
    if not dry_run:
        with _records.progress("importing", len(planned.new)) as moved:
            importing.carry_out(planned, store=store, author=_author(reason), done=moved)
    already = f"; {len(planned.already)} were added by this file before" if planned.already else ""
    what = "would be added" if dry_run else "are added"
    _done(as_json, f"{len(planned.new)} clients {what}{already}.", added=0 if dry_run else len(planned.new),
          would_add=len(planned.new), already=list(planned.already))  # fmt: skip


@app.command()
def export(
    client_id: ClientIdOption,
    output: Annotated[Path | None, typer.Option(help="The file; stdout without.")] = None,
    as_json: JsonOption = False,
    stack_name: StackOption = None,
) -> None:
    """The record as a file that `update` takes. It holds the ExternalId, so only its owner can read the file."""
    found = _row(client_id, _store(_deployment.find(stack_name)))
    body = records.exported(found)
    if output is None:
        sys.stdout.write(body.decode())
        return
    _records.write(output, body, "--output", replace=True)
    _done(as_json, str(output), client_id=client_id, output=str(output))


@app.command()
def update(
    client_id: ClientIdOption,
    config: ConfigOption,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Whatever stands there now, also if somebody changed it since.")
    ] = False,
    reason: ReasonOption = None,
    as_json: JsonOption = False,
    stack_name: StackOption = None,
) -> None:
    """Replace a client's record. If it was changed since the file was exported, nothing is written."""
    body = _records.body_of(config)
    client = _records.record_of(config, body=body)
    since = client.version if "version" in client.model_fields_set and not overwrite else None
    store = _store(_deployment.find(stack_name))
    with _records.asked("Name the client whose record the file holds."):
        version = changing.update(client_id, client, since=since, store=store, author=_author(reason))
    _told(as_json, f"{client_id} is updated.", version)


@app.command()
def remove(
    client_id: ClientIdOption,
    confirm: Annotated[bool, typer.Option("--confirm", help="Remove it unasked.")] = False,
    backup: Annotated[Path | None, typer.Option(help="The backup; backup-<id>-<time>.json here.")] = None,
    purge: Annotated[bool, typer.Option("--purge", help="Remove every version of every object, for good.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and leave it.")] = False,
    reason: ReasonOption = None,
    as_json: JsonOption = False,
    stack_name: StackOption = None,
) -> None:
    """Remove a client: its record, after a backup of it, and its objects in the bucket.

    Outcomes, the mail ledger and the history stay, as proof of what was sent to whom; so do the client's own role, and
    a secret with its keys. Without --purge, S3 keeps the versions of what is removed: reports for 30 more days, a logo
    until somebody purges. Interrupted, the same command again does the rest.
    """
    deployment = _deployment.find(stack_name)
    store, sweeper = _store(deployment), Sweeper(deployment.bucket)
    planned = removing.plan(client_id, purge=purge, store=store, sweeper=sweeper)
    what = _removal(planned, purge)
    if dry_run:
        for each in planned.kept:
            _console.tell(f"  {each.key}" + (f" {each.version_id}" if each.version_id else ""))
        _done(as_json, f"Would go: {what}.", client_id=client_id, record=planned.record is not None,
              objects=[each.model_dump(exclude_none=True, exclude={"stored_at"}) for each in planned.kept])  # fmt: skip
        return
    if planned.record is None and not planned.kept and not planned.accounts:
        _done(as_json, f"{client_id} is removed already; nothing of it is left.", client_id=client_id, objects=0)
        return
    _console.agreed(f"Remove {what}?", yes=confirm, flag="--confirm")
    file = None
    if planned.record is not None:
        name = f"backup-{client_id}-{wiring.now():%Y%m%dT%H%M%SZ}.json"
        file = backup or Path(name.replace("/", "_"))
        _records.write(file, records.exported(planned.record), "--backup", replace=False)
        _console.tell(f"The backup is {file}.")
    if planned.record is not None or planned.accounts:
        removing.remove_record(planned, store=store, author=_author(reason))
    with _records.progress("removing objects", len(planned.kept)) as moved:
        done = 0
        for count in removing.remove_kept(planned.kept, sweeper=sweeper):
            done += count
            moved(done)
    _done(as_json, f"{client_id} is removed.", client_id=client_id, backup=str(file) if file else None, objects=done)


@app.command()
def erase(
    client_id: ClientIdOption,
    address: Annotated[str | None, typer.Option(help="A person's address; without it, all data of the client.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count what would be erased, and leave it.")] = False,
    confirm: Annotated[bool, typer.Option("--confirm", help="Erase without asking.")] = False,
    reason: ReasonOption = None,
    as_json: JsonOption = False,
    stack_name: StackOption = None,
) -> None:
    """Erase the data of a client, or of one person, from every version and store, for good. There is no backup.

    A client must be suspended or removed first. Its history, outcomes, approvals and mail ledger go, and every version
    of its documents; the version "erased" stays, so that its id is not used again. Of a person, the mail ledger keeps
    the fingerprint while the client exists, so that no report is mailed twice. Logs, backups and the histories of
    executions cannot be edited: the answer says when they end. If interrupted, run it again to resume.
    """
    if address is not None:
        try:
            address = TypeAdapter(FormerAddress).validate_python(address)
        except ValidationError:
            raise WrongInput("--address: expected one mail address.", remedy="Give the bare address.") from None
    deployment = _deployment.find(stack_name)
    store, eraser = _store(deployment), Eraser(deployment.outcomes_table, deployment.bucket)
    sweeper, read = Sweeper(deployment.bucket), 0
    with _console.notes.status("Reading the stored items") as status, _records.asked(_ERASE_REMEDY):

        def seen(count: int) -> None:
            nonlocal read
            read += count
            status.update(f"Reading the stored items: {read:,}")

        planned = erasing.plan(
            client_id, address, store=store, eraser=eraser, sweeper=sweeper, at=wiring.now(), seen=seen
        )
    who = client_id if planned.recipient is None else f"recipient {planned.recipient} of {client_id}"
    counts = ", ".join(f"{count:,} {kind}" for kind, count in planned.counts.items()) or "nothing"
    facts: dict[str, Any] = {
        "client_id": client_id, "recipient": planned.recipient, "counts": dict(planned.counts),
        "ledger_kept": planned.ledger_kept, "later": list(planned.later), "ends": _ends(),
    }  # fmt: skip
    if dry_run or planned.is_empty:
        _left(planned)
        said = f"Would be erased of {who}: {counts}." if dry_run else f"Nothing is left to be erased of {who}."
        _done(as_json, said, dry_run=dry_run, **facts)
        return
    _console.agreed(f"Erase {counts} of {who}, for good?", yes=confirm, flag="--confirm")
    total = len(planned.deleted) + len(planned.rewritten) + len(planned.documents)
    with _records.progress("erasing", total) as moved, _records.asked(_ERASE_REMEDY):
        version = erasing.erase(
            planned, address, store=store, eraser=eraser, sweeper=sweeper, author=_author(reason), done=moved
        )
    _left(planned)
    _done(as_json, f"Erased of {who}: {counts}.", dry_run=False, version=version.version if version else None, **facts)


_ANOTHER_ID = "Take another id: this one is not used again."
_ERASE_REMEDY = "`client_manager.py suspend` or `remove`, or `update` with another recipient; nothing was erased."


def _ends() -> dict[str, str]:
    """When what cannot be edited ends, counted from today."""
    days = {"logs": 90, "execution_histories": 90, "point_in_time_recovery": 35, "weekly_backups": 7 * KEPT}
    return {name: f"{wiring.now() + timedelta(days=count):%Y-%m-%d}" for name, count in days.items()}


def _left(planned: erasing.Plan) -> None:
    """Say what stays, and until when."""
    ends = _ends()
    if planned.ledger_kept:
        _console.tell(f"{planned.ledger_kept} entries of the mail ledger stay: a fingerprint, and no address.")
    for each in planned.later:
        _console.tell(f"Left, since its run can be redriven: {each}; erase again then.", "yellow")
    _console.tell(
        f"Cannot be edited: logs until {ends['logs']} (LogRetentionDays, 90 by default), histories of executions until "
        f"{ends['execution_histories']}, point-in-time recovery until {ends['point_in_time_recovery']}, weekly backups "
        f"until {ends['weekly_backups']}. Delete your own backups and the files of `export`, `remove` and `onboard` "
        "yourself. SES's suppression list stays."
    )


@app.command()
def history(client_id: ClientIdOption, as_json: JsonOption = False, stack_name: StackOption = None) -> None:
    """Every change of a client's record: who, when, what, why."""
    store = _store(_deployment.find(stack_name))
    versions, found = store.versions(client_id), store.find(client_id)
    if not versions and found is None:
        raise ClientUnknown(f"{printable(client_id)}: no such client record")
    by_hand = found != (versions[-1].record if versions else None)
    if as_json:
        told = [each.model_dump(mode="json", exclude={"record"}) for each in versions]
        _console.answer({"status": "done", "client_id": client_id, "versions": told, "changed_by_hand": by_hand})
        return
    lines = [
        (each.version, f"{each.at:%Y-%m-%d %H:%M:%S}", each.action, each.who,
         _fields(each), each.reason or "")
        for each in versions
    ]  # fmt: skip
    _records.table(("version", "at (UTC)", "what", "who", "fields", "reason"), lines)
    if by_hand:
        _console.tell("What stands in the table now was not written by these commands.", "yellow")


@app.command()
def diff(
    client_id: ClientIdOption,
    config: Annotated[Path | None, typer.Option(help="A record as JSON, held against the stored one.")] = None,
    old: Annotated[int | None, typer.Option("--from", help="A version; the stored record.")] = None,
    new: Annotated[int | None, typer.Option("--to", help="Another version; the stored record.")] = None,
    as_json: JsonOption = False,
    stack_name: StackOption = None,
) -> None:
    """What a file would change of the stored record, or what differs between two versions."""
    if config is not None and (old, new) != (None, None):
        raise WrongInput("--config: makes no sense with versions.", remedy="Leave one of them out.")
    if (config, old, new) == (None, None, None):
        raise WrongInput("--config: with what shall the record be compared?", remedy="Name a file, or --from and --to.")
    after: Mapping[str, Any] | None = None if config is None else row(_records.record_of(config))
    store = _store(_deployment.find(stack_name))
    stored = _row(client_id, store) if None in (old, new) else None
    before = stored if old is None else _at(client_id, old, "--from", store)
    if after is None:
        after = stored if new is None else _at(client_id, new, "--to", store)
    found = records.differences(before, after)
    lines = "\n".join(f"{each.field}: {each.before or '(none)'} → {each.after or '(none)'}" for each in found)
    _done(as_json, lines or "No difference.", client_id=client_id, differences=[each.model_dump() for each in found])


@app.command()
def rollback(
    client_id: ClientIdOption,
    to: Annotated[int | None, typer.Option(help="A version; the one before the last change.")] = None,
    access: Annotated[
        Literal["restore", "keep"] | None,
        typer.Option(help="Where the version has another access: restore it, or keep today's."),
    ] = None,
    reason: ReasonOption = None,
    as_json: JsonOption = False,
    stack_name: StackOption = None,
) -> None:
    """Make a record what it was. That is a new version: nothing of the history is lost. A removed client comes back."""
    store = _store(_deployment.find(stack_name))
    with _records.asked("`history` has the versions; --access keep leaves today's access."):
        version = changing.rollback(
            client_id, to, access=access, store=store, author=_author(reason), at=_records.standpoint()
        )
    _told(as_json, f"{client_id} is what it was.", version)


@app.command()
def suspend(
    client_id: ClientIdOption, reason: ReasonOption = None, as_json: JsonOption = False, stack_name: StackOption = None
) -> None:
    """No more reports to this client, until `activate`. Works for a malformed record too."""
    store = _store(_deployment.find(stack_name))
    version = changing.set_status(client_id, "suspended", store=store, author=_author(reason))
    _told(as_json, f"{client_id} is suspended.", version)


@app.command()
def activate(
    client_id: ClientIdOption, reason: ReasonOption = None, as_json: JsonOption = False, stack_name: StackOption = None
) -> None:
    """Reports to this client again."""
    store = _store(_deployment.find(stack_name))
    with _records.asked("Export, correct and update the record."):
        version = changing.set_status(
            client_id, "active", store=store, author=_author(reason), at=_records.standpoint()
        )
    _told(as_json, f"{client_id} is active.", version)


@app.command()
def validate(
    client_id: ClientIdOption,
    yes: Annotated[
        bool, typer.Option("--yes", "--check-aws", help="Pay for the questions to Cost Explorer, unasked.")
    ] = False,
    as_json: JsonOption = False,
    stack_name: StackOption = None,
) -> None:
    """Whether the client's next report can be made and sent: its record, then each permission in turn.

    Your credentials must be allowed to assume the client's role, and its trust has to name you (`onboard`). What costs
    money is asked only if somebody says so, and is "not checked" otherwise. Exit code 1 if something failed, 2 if the
    record is malformed or leads to another client's account.
    """
    deployment = _deployment.find(stack_name)
    store = _store(deployment)
    found = _row(client_id, store)
    faults = records.faults_of(found, _records.standpoint())
    if faults:
        raise _records.refused(f"--client-id: {printable(client_id)}", faults, remedy="Export, correct and update it.")
    ownership.require_own(None, found, store.clients.rows(*FIELDS), store.accounts)
    _findings.examined(parse_client(found), deployment, yes=yes, ask=True, as_json=as_json)


@app.command()
def onboard(
    client_id: ClientIdOption,
    account: Annotated[
        str | None, typer.Option(help="The client's AWS account: 12 digits. Not needed a second time.")
    ] = None,
    output_dir: Annotated[Path | None, typer.Option(help="Where the files go; out/onboarding/<id>.")] = None,
    config: Annotated[
        Path | None, typer.Option(help="A record's file, as of `sample-config`, to write the access part into.")
    ] = None,
    operator: Annotated[
        list[str] | None,
        typer.Option(help="ARN, * allowed, of who else of your account may use the role to validate; you, by default."),
    ] = None,
    new: Annotated[bool, typer.Option("--new", help="Another ExternalId, or another account.")] = False,
    link_hours: Annotated[int, typer.Option(min=1, max=12, help="How long the link works, at most.")] = 12,
    as_json: JsonOption = False,
    stack_name: StackOption = None,
) -> None:
    """What a client needs to let us in: the CloudFormation template of its read-only role, and what to do with it.

    Asked again it gives the same ExternalId. Only the files hold it: the template for the client, access.json for its
    record. The link to CloudFormation's page is signed with your credentials, and ends when they do.
    """
    _onboarding.onboard(
        client_id, account, output_dir=output_dir or Path("out/onboarding") / client_id, config=config,
        operators=operator or (), new=new, hours=link_hours, as_json=as_json, deployment=_deployment.find(stack_name),
    )  # fmt: skip


def _store(deployment: Deployment) -> RecordStore:
    return RecordStore(deployment.clients_table, deployment.outcomes_table)


def _author(reason: str | None) -> Author:
    return Author(who=ourselves(), at=wiring.now(), reason=reason)


def _row(client_id: str, store: RecordStore) -> Mapping[str, Any]:
    found = store.find(client_id)
    if found is None:
        raise ClientUnknown(f"{printable(client_id)}: no such client record")
    return found


def _at(client_id: str, number: int, option: str, store: RecordStore) -> Mapping[str, Any] | None:
    for version in store.versions(client_id):
        if version.version == number:
            return version.record
    raise WrongInput(f"{option}: there is no version {number} of {printable(client_id)}.", remedy="See `history`.")


def _counted(rows: Iterator[Mapping[str, Any]], moved: Any) -> Iterator[Mapping[str, Any]]:
    for number, found in enumerate(rows, start=1):
        yield found
        moved(number)


def _cells(client: Listed) -> tuple[object, ...]:
    faults = "; ".join(f"{fault.field}: {fault.expected}" for fault in client.faults)
    return (
        client.client_id, client.client_name, client.status, ", ".join(client.cadences), client.recipients,
        client.account, client.access, client.locale, client.currency, client.version or "", faults,
    )  # fmt: skip


def _fields(version: Version) -> str:
    names = [change.field for change in version.changes]
    return ", ".join(names) if len(names) <= 6 else f"{len(names)} fields"


def _told_apart(read: tuple[records.Numbered, ...] | records.Faults) -> tuple[list[Client], list[Fault]]:
    """The records of a file and every fault of every one, each with the record that it is of."""
    clients, faults = [], []
    for each in read:
        if isinstance(each, Fault):
            faults.append(each)
        elif isinstance(each.read, Client):
            clients.append(each.read)
        else:
            who = f"record {each.number}" + (f" ({printable(each.client_id)})" if each.client_id else "")
            faults += [fault.model_copy(update={"field": f"{who}: {fault.field}"}) for fault in each.read]
    return clients, faults


def _removal(planned: removing.Plan, purge: bool) -> str:
    record = "the record and " if planned.record is not None else ""
    things = "versions of objects" if purge else "objects"
    folders = ", ".join(removing.folders(planned.client_id)) or "no folder"
    accounts = f"; AWS account {', '.join(planned.accounts)} is nobody's then" if planned.accounts else ""
    return f"{record}{len(planned.kept)} {things}, {planned.size:,} bytes, below {folders}{accounts}"


def _told(as_json: bool, said: str, version: Version | None) -> None:
    if version is None:
        _done(as_json, "Nothing differs, so nothing was written.", changed=False)
        return
    changes = [each.model_dump() for each in version.changes]
    for each in version.changes if version.action not in ("added", "imported") else ():
        _console.tell(f"  {each.field}: {printable(each.before or '(none)')} → {printable(each.after or '(none)')}")
    _done(as_json, said, client_id=version.client_id, version=version.version, changed=True, changes=changes)


def _done(as_json: bool, said: str, **facts: Any) -> None:
    if as_json:
        _console.answer({"status": "done", **facts})
    else:
        print("\n".join(map(printable, said.splitlines())))


if __name__ == "__main__":
    sys.exit(_console.main(app))
