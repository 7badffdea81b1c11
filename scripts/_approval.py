"""`approve` and `reject`: an operator's word about a report that waits for it."""

import json
from typing import Annotated

import typer

import _console
import _operating
from _operating import Account, DryRun, Json, StackName, Wait
from cost_reporting import wiring
from cost_reporting.approvals import SHOWN, Held
from cost_reporting.contracts import Cadence, Issue
from cost_reporting.errors import InvalidRequest
from cost_reporting.operations import approve as verbs

ClientId = Annotated[str, typer.Option(help="Whose report.")]
Period = Annotated[str, typer.Option(help="2026-10 or 2026-W42.")]
OfCadence = Annotated[Cadence | None, typer.Option(help="The period's own.")]
OfIssue = Annotated[Issue | None, typer.Option(help="The one that waits.")]
Sha256 = Annotated[
    str | None, typer.Option("--sha256", help="How the PDF's hash begins, as in the mail: that PDF and no other.")
]


def approve(
    client_id: ClientId,
    period: Period,
    cadence: OfCadence = None,
    issue: OfIssue = None,
    sha256: Sha256 = None,
    reason: Annotated[str | None, typer.Option(help="Why, if there is something to say.")] = None,
    stack_name: StackName = None,
    wait: Wait = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Approve the held report, to the byte, and start the run that sends it. Twice is as good as once.

    If the report would be another by now (its client's record or the templates have changed), it is held anew instead.
    """
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
    arn = _operating.start(here, f"approve-{client_id}-{period}", request)
    _operating.finish(here, [arn], wait=wait, as_json=as_json, requests=[request])


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
