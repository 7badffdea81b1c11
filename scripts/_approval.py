"""`approve` and `reject`: an operator's word about a report that waits for it."""

import json
from typing import Annotated

import typer
from rich.table import Table

import _console
import _operating
from _console import WrongInput
from _operating import Account, DryRun, Json, StackName, Wait, Yes
from cost_reporting import wiring
from cost_reporting.approvals import SHOWN, Held
from cost_reporting.contracts import Cadence, Issue
from cost_reporting.errors import CostReportingError, InvalidRequest
from cost_reporting.operations import approve as verbs
from cost_reporting.operations.approve import HeldByRun
from cost_reporting.periods import label

ClientId = Annotated[str, typer.Option(help="Whose report.")]
Period = Annotated[str, typer.Option(help="2026-10 or 2026-W42.")]
RunId = Annotated[str | None, typer.Option(help="All reports that this run holds, instead of one client's.")]
OfCadence = Annotated[Cadence | None, typer.Option(help="The period's own.")]
OfIssue = Annotated[Issue | None, typer.Option(help="The one that waits.")]
Sha256 = Annotated[
    str | None, typer.Option("--sha256", help="How the PDF's hash begins, as in the mail: that PDF and no other.")
]


def approve(
    client_id: Annotated[str | None, typer.Option(help="Whose report.")] = None,
    period: Annotated[str | None, typer.Option(help="2026-10 or 2026-W42.")] = None,
    run_id: RunId = None,
    cadence: OfCadence = None,
    issue: OfIssue = None,
    sha256: Sha256 = None,
    reason: Annotated[str | None, typer.Option(help="Why, if there is something to say.")] = None,
    stack_name: StackName = None,
    wait: Wait = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Approve the held report, to the byte, and start the run that sends it. Twice is as good as once.

    If the report would be another by now (its client's record or the templates have changed), it is held anew instead.
    A suspended client's report is approved and not sent.

    With `--run-id`, all reports that the run holds are shown, and approved once you have agreed (or said `--yes`).
    Exit code 1 if one of them could not be approved; the others are sent all the same.
    """
    if run_id is not None:
        if any(each is not None for each in (client_id, period, cadence, issue, sha256)):
            raise WrongInput(
                "--run-id: means all reports that the run holds, and a single one is named as well.",
                remedy="Give --run-id alone, or --client-id and --period without it.",
            )
        _approve_run(stack_name, run_id, reason=reason, wait=wait, dry_run=dry_run, yes=yes, as_json=as_json)
        return
    if client_id is None or period is None:
        missing = "--client-id" if client_id is None else "--period"
        raise WrongInput(f"{missing}: is missing.", remedy="Give --client-id and --period, or --run-id.")
    here, held = _found(stack_name, client_id, period, cadence, issue, sha256)
    request = verbs.request_for(held)
    if dry_run:
        _console.tell(f"{_which(held)} is {held.state}; it would be approved, and this input started:")
        if as_json:
            _console.answer({"status": "planned", "held": held.model_dump(mode="json"), "input": request})
        else:
            print(json.dumps(request))
        return
    decided = verbs.approve(held, by=_operating.whoami(), reason=reason, approvals=here.approvals, now=wiring.now)
    _console.tell(f"{_which(decided)} is approved by {decided.by}")
    _note(here, client_id)
    arn = _operating.start(here, f"approve-{client_id}-{period}", request)
    _operating.finish(here, [arn], wait=wait, as_json=as_json, requests=[request])


def _note(here: Account, client_id: str) -> None:
    """Say so if the report will not be sent all the same."""
    try:
        note = verbs.keeps_back(here.clients.get(client_id))
    except CostReportingError as trouble:
        note = f"{trouble.name}: it is not sent"
    if note:
        _console.tell(f"{client_id}: {note}", "yellow")


def _approve_run(
    stack_name: str | None,
    run_id: str,
    *,
    reason: str | None,
    wait: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Approve all that a run holds, and start one run that sends it."""
    here = _operating.account(stack_name)
    try:
        found = verbs.held_by(run_id, runs=here.runs, approvals=here.approvals, clients=here.clients)
    except InvalidRequest as wrong:
        raise _operating.as_option(wrong) from None
    _show(found)
    request = verbs.request_for_all(found.run, [each.held.client_id for each in found.waiting])
    if dry_run:
        if as_json:
            _console.answer(
                {
                    "status": "planned",
                    "run_id": run_id,
                    "held": [each.model_dump(mode="json", exclude_none=True) for each in found.waiting],
                    "refused": [each.model_dump() for each in found.replaced],
                    "input": request,
                }
            )
        else:
            _console.tell("They would be approved, and this input started:")
            print(json.dumps(request))
        return
    if found.waiting:
        count = len(found.waiting)
        _console.agreed(f"Approve {'this report' if count == 1 else f'these {count} reports'} and send?", yes=yes)
    done, refused = verbs.approve_all(
        found, by=_operating.whoami(), reason=reason, approvals=here.approvals, now=wiring.now
    )
    for each in refused:
        _console.tell(f"{each.client_id} is not approved: {each.error}: {each.message}. {each.remedy}", "red")
    arns, requests = [], []
    if done:
        requests = [verbs.request_for_all(found.run, [each.client_id for each in done])]
        _console.tell(f"approved: {', '.join(each.client_id for each in done)}")
        arns = [_operating.start(here, f"approve-{run_id}", requests[0])]
    _operating.finish(
        here, arns, wait=wait, as_json=as_json, requests=requests, refused=[each.model_dump() for each in refused]
    )


def _show(found: HeldByRun) -> None:
    """What a run holds, for people."""
    shown = Table(box=None, pad_edge=False)
    for name in ("client", "period", "issue", "total", "recipients", "state", "sha256"):
        shown.add_column(name, justify="right" if name in ("total", "recipients") else "left", no_wrap=True)
    for each in found.waiting:
        held = each.held
        total = f"{each.currency} {each.total:,.2f}" if each.total is not None and each.currency else "?"
        recipients = "?" if each.recipients is None else str(each.recipients)
        which = (held.client_id, label(found.run.period), found.run.issue, total, recipients, held.state)
        shown.add_row(*which, held.pdf_sha256[:SHOWN])
    _console.notes.print(shown, width=None if _console.notes.is_terminal else 200)
    for each in found.waiting:
        if each.note:
            _console.tell(f"{each.held.client_id}: {each.note}", "yellow")
    for gone in found.replaced:
        _console.tell(f"{gone.client_id}: {gone.message}", "red")


def reject(
    client_id: ClientId,
    period: Period,
    reason: Annotated[str, typer.Option(help="Why; it is kept with the report.", min=3)],
    cadence: OfCadence = None,
    issue: OfIssue = None,
    sha256: Sha256 = None,
    stack_name: StackName = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Reject the held report: no run sends it. A run with force_send and a reason holds it anew."""
    here, held = _found(stack_name, client_id, period, cadence, issue, sha256)
    if not dry_run:
        held = verbs.reject(held, by=_operating.whoami(), reason=reason, approvals=here.approvals, now=wiring.now)
    if as_json:
        _console.answer({"status": "planned" if dry_run else "done", "held": held.model_dump(mode="json")})
    else:
        print(f"{_which(held)} {'would be' if dry_run else 'is'} rejected")


def _found(
    stack_name: str | None,
    client_id: str,
    period: str,
    cadence: Cadence | None,
    issue: Issue | None,
    sha256: str | None,
) -> tuple[Account, Held]:
    here = _operating.account(stack_name)
    try:
        return here, verbs.find_held(
            client_id, period, cadence=cadence, issue=issue, sha256=sha256, approvals=here.approvals
        )
    except InvalidRequest as wrong:
        raise _operating.as_option(wrong) from None


def _which(held: Held) -> str:
    _, cadence, period, issue, _ = held.report.split("#")
    return f"{held.client_id}, {cadence} {period}, {issue}, PDF {held.pdf_sha256[:SHOWN]}…"
