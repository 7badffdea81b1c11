"""What the commands that start and watch runs have in common."""

import json
import logging
import os
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final
from uuid import uuid4

import typer
from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

import _console
import _deployment
from _console import Failed, WrongInput
from cost_reporting import aws, wiring
from cost_reporting.contracts import Outcome
from cost_reporting.errors import InvalidRequest
from cost_reporting.operations.runs import Plan, Progress, Request, follow
from cost_reporting.periods import label
from cost_reporting.store.approvals import ApprovalStore
from cost_reporting.store.clients import ClientStore
from cost_reporting.store.executions import ExecutionStore
from cost_reporting.store.ledger import LedgerStore
from cost_reporting.store.objects import ObjectStore
from cost_reporting.store.runs import RunStore

StackName = Annotated[str | None, typer.Option(help="The deployed stack; else the environment's, else the local one.")]
Wait = Annotated[bool, typer.Option("--wait", help="Watch the run to its end; exit code 1 if somebody has no report.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, to the last field, and do nothing.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it unasked.")]
Json = Annotated[bool, typer.Option("--json", help="Answer with one JSON object.")]

_OPTIONS: Final = {
    "client_ids": "client_id",
    "recipients": "to",
    "force_send.reason": "reason",
    "force_send.again": "again",
}
"""Fields of a request that an option of another name has set."""
SHOWN: Final = 40
"""Clients that a list for people names, at most."""


@dataclass(frozen=True)
class Account:
    """The deployment, and what is kept in it."""

    deployment: _deployment.Deployment
    executions: ExecutionStore
    runs: RunStore
    clients: ClientStore
    objects: ObjectStore
    ledger: LedgerStore
    approvals: ApprovalStore


def account(stack_name: str | None) -> Account:
    """The account that is meant. Raises WrongInput if none is, or if nothing says which state machine."""
    logging.getLogger("cost_reporting").addHandler(logging.NullHandler())
    deployment = _deployment.find(stack_name)
    if not deployment.state_machine_arn:
        raise WrongInput(
            f"--stack-name: {deployment.name} does not say which state machine it is.",
            remedy="Name the stack, or set STATE_MACHINE_ARN beside the other names.",
        )
    return Account(
        deployment,
        ExecutionStore(deployment.state_machine_arn),
        RunStore(deployment.outcomes_table),
        ClientStore(deployment.clients_table),
        ObjectStore(deployment.bucket),
        LedgerStore(deployment.outcomes_table),
        ApprovalStore(deployment.outcomes_table),
    )


def as_option(wrong: InvalidRequest) -> WrongInput:
    """A field of a request as the option that has set it."""
    field, _, rest = str(wrong).partition(":")
    option = _OPTIONS.get(field.partition(".")[0] if field.startswith("recipients") else field, field)
    return WrongInput(f"--{option.replace('_', '-')}:{rest}", remedy="Correct it; see --help.")


def execution_name(hint: str) -> str:
    """A name that tells people what it was, and that nobody has used: ``run-monthly-2026-10-20261108T060003-1a2b``."""
    stem = re.sub(r"[^A-Za-z0-9-]+", "-", hint).strip("-")[:58]
    return f"{stem}-{wiring.now():%Y%m%dT%H%M%S}-{uuid4().hex[:4]}"


def start(here: Account, hint: str, request: Request) -> str:
    """Start an execution and say so. Returns its ARN."""
    arn = here.executions.start(execution_name(hint), request)
    _console.tell(f"started {arn.rpartition(':')[2]} in {here.deployment.name}")
    return arn


def watched(here: Account, arn: str) -> Progress:
    """The execution at its end. What happens until then is shown on the terminal, if there is one."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    last: Progress | None = None
    quiet = not _console.notes.is_terminal
    try:
        with Bar(*columns, TimeElapsedColumn(), console=_console.notes, transient=True, disable=quiet) as bar:
            task = bar.add_task("starts", total=None)
            moments = follow(
                arn, executions=here.executions, runs=here.runs, zone=here.deployment.zone, pause=time.sleep
            )
            for moment in moments:
                last = moment
                failed, late = (sum(each.status == of for each in moment.outcomes) for of in ("FAILED", "LATE"))
                text = "clients" + (f", [red]{failed} failed[/]" if failed else "")
                text += f", {late} late, looked at again" if late else ""
                bar.update(task, total=moment.total, completed=len(moment.outcomes), description=text)
    except KeyboardInterrupt:
        raise Failed(
            "You have stopped watching; the execution goes on.",
            remedy=f"`scripts/report.py status` tells how it ends: {arn}",
            error="Interrupted",
        ) from None
    assert last is not None  # noqa: S101 - follow yields at least once
    return last


def succeeded(moment: Progress) -> bool:
    """Whether nobody has failed."""
    return moment.execution.status == "SUCCEEDED"


def told(moment: Progress) -> dict[str, Any]:
    """How an execution ended, for machines."""
    execution = moment.execution
    return {
        "execution_arn": execution.arn,
        "execution_status": execution.status,
        "run_id": moment.run.run_id if moment.run else None,
        "error": execution.error,
        "cause": execution.said,
        "clients": [outcome(each) for each in moment.outcomes],
    } | ({"double_of": execution.double_of} if execution.double_of else {})


def outcome(each: Outcome) -> dict[str, Any]:
    """How a client ended, for machines."""
    return each.model_dump(mode="json", exclude_none=True)


def show(moment: Progress) -> None:
    """How an execution ended, for people: each client with what went wrong and what to do about it."""
    execution, run = moment.execution, moment.run
    if execution.double_of:
        print(f"STARTED TWICE  {execution.name}")
        print(f"  Nothing was read, paid or mailed: {execution.double_of.rpartition(':')[2]} works on the same moment.")
        print(f"  → scripts/report.py status tells how that one ends: {execution.double_of}")
        return
    print(f"{execution.status}  {run.run_id if run else execution.name}")
    order = {"FAILED": 0, "LATE": 1, "HELD": 2, "REJECTED": 3}
    for each in sorted(moment.outcomes, key=lambda one: (order.get(one.status, 4), one.client_id)):
        total = f"  {each.currency} {each.total:,.2f}" if each.total is not None and each.currency else ""
        error = f"  {each.error} at {each.stage}" if each.error else ""
        status = "CLOSED" if each.status == "REJECTED" else each.status
        print(f"  {status:<8}  {each.client_id}{total}{error}")
        for line in filter(None, (each.message, each.remedy and f"→ {each.remedy}")):
            print(f"            {line}")
    if execution.status != "SUCCEEDED" and not any(each.status == "FAILED" for each in moment.outcomes):
        print(f"  {execution.error or execution.status}: {execution.said or 'no cause was given'}")


def finish(
    here: Account,
    arns: Sequence[str],
    *,
    wait: bool,
    as_json: bool,
    requests: Iterable[Request] = (),
    refused: Sequence[Mapping[str, Any]] = (),
) -> None:
    """Say what was started, or, with ``wait``, how it ended. Ends with exit code 1 if a client has no report.

    ``refused`` are clients, each with an error, for which nothing could be started: then the exit code is 1 as well.
    """
    if wait:
        report([watched(here, arn) for arn in arns], as_json=as_json, refused=refused)
        return
    if as_json:
        more = {"refused": list(refused)} if refused else {}
        status = "failed" if refused else "started"
        _console.answer({"status": status, "execution_arns": list(arns), "inputs": list(requests)} | more)
    else:
        for arn in arns:
            print(arn)
    if refused:
        raise typer.Exit(1)


def report(moments: Sequence[Progress], *, as_json: bool, refused: Sequence[Mapping[str, Any]] = ()) -> None:
    """Say how executions ended. ``refused`` is as in :func:`finish`."""
    ran = all(map(succeeded, moments))
    well = ran and not refused
    if as_json:
        more = {"refused": list(refused)} if refused else {}
        doubles = bool(moments) and all(each.execution.double_of for each in moments)
        status = "started_twice" if doubles else "done" if well else "failed"
        _console.answer({"status": status, "executions": [told(each) for each in moments]} | more)
    else:
        for moment in moments:
            show(moment)
        if not ran:
            _console.tell("Mend what the remedies say, then: scripts/report.py rerun --wait", "red")
    if not well:
        raise typer.Exit(1)


def planned(request: Request, plan: Plan) -> dict[str, Any]:
    """What a request would start, for machines."""
    return {
        "input": request,
        "period": label(plan.run.period),
        "issue": plan.run.issue,
        "mode": plan.run.mode,
        "mails": plan.mails,
        "clients": [each.model_dump(mode="json", exclude_none=True) for each in plan.due],
    }


def show_plan(here: Account, request: Request, plan: Plan) -> None:
    """What a request would start, for people. The input stands alone, so that it can be copied."""
    run = plan.run
    print(json.dumps(request, ensure_ascii=False))
    print(f"{run.cadence} {label(run.period)}, {run.issue}, {run.mode}, in {here.deployment.name}")
    for each in plan.due[:SHOWN]:
        held = ", waits for approval unless it was approved" if each.needs_approval else ""
        mails = f"{each.recipients} mail{'' if each.recipients == 1 else 's'}"
        what = f"{each.error}: {each.message}" if each.error else f"{mails}{held}"
        print(f"  {each.client_id}: {what}")
    if len(plan.due) > SHOWN:
        print(f"  and {len(plan.due) - SHOWN} more")
    if not plan.due:
        print("  nobody is due: whoever is meant has this report already")
    print("Nothing was started.")


def whoami() -> str:
    """Who types this, as AWS knows them."""
    try:
        return aws.client("sts").get_caller_identity()["Arn"]
    except (aws.Refused, aws.NoAnswer):
        return os.environ.get("USER", "somebody")
