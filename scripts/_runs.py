"""`run`, `rerun`, `resend`, `backfill`, `test`: executions of the deployed state machine, started and watched."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer

import _console
import _operating
from _console import WrongInput
from _operating import Account, DryRun, Json, StackName, Wait, Yes
from cost_reporting import wiring
from cost_reporting.contracts import Cadence, Issue
from cost_reporting.costs import PRICE_PER_REQUEST
from cost_reporting.errors import InvalidRequest
from cost_reporting.ledger import Entry, report_key
from cost_reporting.operations import backfill as backfills
from cost_reporting.operations import resend as resends
from cost_reporting.operations import runs as verbs
from cost_reporting.operations.backfill import Past
from cost_reporting.operations.runs import Progress, Request
from cost_reporting.periods import label
from cost_reporting.store.executions import Execution

Period = Annotated[str | None, typer.Option(help="2026-10 or 2026-W42; the last one that is over.")]
ClientIds = Annotated[list[str] | None, typer.Option("--client-id", help="This client only; may be repeated.")]
OfCadence = Annotated[Cadence | None, typer.Option(help="The period's own.")]
Again = Annotated[bool, typer.Option("--again", help="Although a mail was forced less than ten minutes ago.")]


def run(
    cadence: Annotated[Cadence, typer.Option(help="Which reports.")],
    period: Period = None,
    client_id: ClientIds = None,
    refresh: Annotated[bool, typer.Option("--refresh", help="Ask Cost Explorer again, and pay again.")] = False,
    no_mail: Annotated[bool, typer.Option("--no-mail", help="Fetch and render, and mail nobody.")] = False,
    force_send: Annotated[
        str | None, typer.Option(metavar="REASON", help="Mail the named clients although they have the report.")
    ] = None,
    again: Again = False,
    stack_name: StackName = None,
    wait: Wait = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Start a run. The same again is safe: clients that have the report are left out, and none is mailed twice.

    `--dry-run` starts nothing and says who would get what; `--no-mail` starts a run that does everything but mail.
    With `--force-send` you answer for a second mail to the clients that you name, and are asked first.
    """
    if again and force_send is None:
        raise WrongInput("--again: goes with --force-send.", remedy="Leave it out, or say --force-send and a reason.")
    request: Request = {"cadence": cadence}
    request |= {"period": period} if period else {}
    request |= {"client_ids": list(dict.fromkeys(client_id))} if client_id else {}
    request |= {name: True for name, said in {"refresh": refresh, "dry_run": no_mail}.items() if said}
    if force_send is not None and len(force_send.strip()) < 3:
        raise WrongInput("--force-send: say why, in at least 3 characters.", remedy="It is kept in the ledger.")
    hint = f"run-{cadence}-{period or 'latest'}"
    if force_send is None:
        _start(stack_name, hint, request, wait=wait, dry_run=dry_run, as_json=as_json)
        return
    request |= {"force_send": {"reason": force_send} | ({"again": True} if again else {})}
    here = _operating.account(stack_name)
    plan = _plan(here, request)
    if dry_run:
        _tell_plans(here, [(request, plan)], as_json=as_json)
        return
    mailed = [entry for each in plan.due for entry in here.ledger.of_report(report_key(plan.run, each.client_id))]
    request = _again_agreed(request, mailed, again=again)
    _console.agreed(f"{plan.mails} mails will go out, whether or not the recipients have them. Send?", yes=yes)
    _operating.finish(here, [_operating.start(here, hint, request)], wait=wait, as_json=as_json, requests=[request])


def _again_agreed(request: Request, mailed: Sequence[Entry], *, again: bool) -> Request:
    """The request, with the second word of the operator where a mail was forced a moment ago."""
    last = resends.forced_lately(mailed, wiring.now())
    if last is None:
        return request
    _console.agreed(
        f"A mail was forced at {last:%H:%M} UTC, less than ten minutes ago. Send a further one?",
        yes=again,
        flag="--again",
    )
    return resends.again(request)


def send_test(
    client_id: Annotated[str, typer.Option(help="Whose report.")],
    to: Annotated[list[str] | None, typer.Option(help="To this address instead; may be repeated.")] = None,
    period: Period = None,
    cadence: OfCadence = None,
    stack_name: StackName = None,
    wait: Wait = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Mail a client's report marked TEST: to `--to`, or else to the client's own recipients, after asking you.

    While the client's reports wait for approval, a test without `--to` goes to the operators. Addresses given with
    `--to` lie in the domains that the stack allows (its parameter TestRecipientDomains; by default that of Operators).
    The client's ledger knows nothing of a test: the real report is sent all the same.
    """
    request: Request = {"test_report": True, "client_id": client_id}
    request |= {"recipients": list(to)} if to else {}
    try:
        kind = resends.named_period(period, cadence)[1] if period else cadence
    except InvalidRequest as wrong:
        raise _operating.as_option(wrong) from None
    request |= {name: value for name, value in {"period": period, "cadence": kind}.items() if value}
    question = "" if to else f"A test report will be mailed to {client_id}'s own recipients. Do it?"
    hint = f"test-{client_id}"
    _start(stack_name, hint, request, wait=wait, dry_run=dry_run, as_json=as_json, question=question, yes=yes)


def _start(
    stack_name: str | None,
    hint: str,
    request: Request,
    *,
    wait: bool,
    dry_run: bool,
    as_json: bool,
    question: str = "",
    yes: bool = False,
) -> None:
    here = _operating.account(stack_name)
    plan = _plan(here, request)
    if dry_run:
        _tell_plans(here, [(request, plan)], as_json=as_json)
        return
    if any(each.to_operators for each in plan.due):
        _console.tell("Its reports still wait for approval, so the test goes to the operators only.")
    elif question:
        _console.agreed(question, yes=yes)
    _operating.finish(here, [_operating.start(here, hint, request)], wait=wait, as_json=as_json, requests=[request])


def _plan(here: Account, request: Request) -> verbs.Plan:
    """What a request would do. Judged here, so that what makes no sense is not started."""
    try:
        return verbs.plan(
            request, at=wiring.now(), zone=here.deployment.zone, test_domains=here.deployment.test_domains,
            clients=here.clients, runs=here.runs, approvals=here.approvals, details=_operating.SHOWN,
        )  # fmt: skip
    except InvalidRequest as wrong:
        raise _operating.as_option(wrong) from None


def _tell_plans(here: Account, plans: list[tuple[Request, verbs.Plan]], *, as_json: bool, **more: Any) -> None:
    if as_json:
        _console.answer({"status": "planned", "runs": [_operating.planned(*each) for each in plans]} | more)
        return
    for request, plan in plans:
        _operating.show_plan(here, request, plan)


def rerun(
    run_id: Annotated[str | None, typer.Option(help="The run; the last one that failed.")] = None,
    execution_arn: Annotated[str | None, typer.Option(help="Its execution, instead.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start anew with the failed clients, do not redrive.")] = False,
    stack_name: StackName = None,
    wait: Wait = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Run the failed clients of a run again, and only them. Nobody who has the report is mailed.

    The failed execution is redriven where AWS allows it (for 14 days), as the console's button does. Where it does not,
    or with `--fresh`, a new execution is started with the clients that still have no report.
    """
    if run_id is not None and execution_arn is not None:
        raise WrongInput("--execution-arn: is said as well as --run-id.", remedy="Leave one of them out.")
    here = _operating.account(stack_name)
    try:
        failed = (
            verbs.execution_of(run_id, executions=here.executions, runs=here.runs)
            if run_id
            else here.executions.get(execution_arn)
            if execution_arn
            else verbs.last_failed(here.executions)
        )
        request, clients, meant, removed = _again(here, failed)
    except InvalidRequest as wrong:
        raise _operating.as_option(wrong) from None
    if not failed.ended:
        raise WrongInput(f"--run-id: {failed.name} is still running.", remedy="Wait for its end.")
    if removed:
        _console.tell(f"left out, since they were removed: {', '.join(removed[:20])}")
    if failed.status == "SUCCEEDED" or not (clients or removed):
        _console.tell(f"{meant}: nobody is left without a report, so nothing is started.")
        if as_json:
            _console.answer({"status": "done", "executions": []})
        return
    _console.tell(f"{meant} ended {failed.status} and left {len(clients)} without a report: {', '.join(clients[:20])}")
    if dry_run:
        _console.tell("It would be redriven, or, where AWS does not allow that, started anew with this input:")
        _tell_plans(here, [(request, _plan(here, request))] if clients else [], as_json=as_json)
        return
    refused = "you asked for a fresh start" if fresh else here.executions.redrive(failed.arn)
    if refused is None:
        _console.tell(f"redriven {failed.name}: only the failed clients run again")
        _operating.finish(here, [failed.arn], wait=wait, as_json=as_json)
        return
    if not clients:
        _console.tell(f"It is not redriven ({refused}), and no client is left without a report: nothing is started.")
        if as_json:
            _console.answer({"status": "done", "executions": []})
        return
    _console.tell(f"It is not redriven ({refused}); a new execution is started with the failed clients only.")
    arn = _operating.start(here, f"rerun-{meant}", request)
    _operating.finish(here, [arn], wait=wait, as_json=as_json, requests=[request])


def _again(here: Account, failed: Execution) -> tuple[Request, list[str], str, list[str]]:
    """The request that repeats a failed execution, for which clients, its name, and which clients were removed since.

    One that failed before its run began has recorded no client: its own input is started again.
    """
    if failed.double_of:
        raise InvalidRequest(
            f"execution_arn: {failed.name} was a second start of the same moment, and worked on no client; "
            f"name the one that did: {failed.double_of}"
        )
    found = verbs.run_of(failed, here.deployment.zone)
    if found is None:
        raise InvalidRequest(f"execution_arn: {failed.name} was no run: {failed.error or failed.status}")
    if here.runs.begun(found.run_id) is None:
        repeated = verbs.repeated(failed.input, found)
        plan = verbs.plan(
            repeated, at=wiring.now(), zone=here.deployment.zone, test_domains=here.deployment.test_domains,
            clients=here.clients, runs=here.runs, approvals=here.approvals,
        )  # fmt: skip
        return repeated, [each.client_id for each in plan.due], found.run_id, []
    lacking = verbs.failed_clients(found, here.runs, here.objects)
    removed = verbs.without_record(lacking, here.clients)
    clients = [each for each in lacking if each not in removed]
    to = failed.input.get("recipients") or ()
    return (verbs.again(found, clients, to) if clients else {}), clients, found.run_id, removed


def resend(
    client_id: Annotated[str, typer.Option(help="Whose report.")],
    period: Annotated[str, typer.Option(help="2026-10 or 2026-W42.")],
    reason: Annotated[str, typer.Option(help="Why; it is kept in the ledger.")],
    cadence: OfCadence = None,
    issue: Annotated[Issue | None, typer.Option(help="The last one that was mailed.")] = None,
    missing: Annotated[bool, typer.Option("--missing", help="Only to recipients added since it was mailed.")] = False,
    again: Again = False,
    stack_name: StackName = None,
    wait: Wait = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Mail a report once more, to the byte as it was mailed before. Nothing is fetched, paid or rendered.

    With `--missing` it goes only to recipients of the client's record that have not been mailed it.
    """
    if missing and again:
        raise WrongInput("--again: makes no sense with --missing.", remedy="Leave it out: no second mail is sent.")
    here = _operating.account(stack_name)
    try:
        found = resends.resend(
            client_id, period, reason, cadence=cadence, issue=issue, at=wiring.now(), zone=here.deployment.zone,
            clients=here.clients, ledger=here.ledger, objects=here.objects, missing=missing,
        )  # fmt: skip
    except InvalidRequest as wrong:
        raise _operating.as_option(wrong) from None
    plan = _plan(here, found.request)
    had = ", ".join(f"{each.recipient} {each.state} {each.updated_at:%Y-%m-%d %H:%M}" for each in found.mailed)
    _console.tell(f"{client_id}, {found.run.cadence} {label(found.run.period)}, {found.run.issue}; mailed: {had}")
    if found.missing:
        _console.tell(f"never mailed to: {', '.join(found.missing)}")
    if missing and not found.missing:
        _console.tell("Every recipient of the record has been mailed, so nothing is started.")
        if as_json:
            _console.answer({"status": "done", "executions": [], "missing": []})
        return
    if dry_run:
        mails = tuple(each.model_copy(update={"recipients": found.recipients}) for each in plan.due)
        plans = [(found.request, plan.model_copy(update={"due": mails}))]
        _tell_plans(here, plans, as_json=as_json, pdf_sha256=found.pdf.sha256, missing=list(found.missing))
        return
    request = found.request if missing else _again_agreed(found.request, found.mailed, again=again)
    more = "it" if missing else "it once more"
    _console.agreed(f"{found.recipients} recipients will get {more}. Send?", yes=yes)
    hint = f"resend-{client_id}-{label(found.run.period)}"
    arn = _operating.start(here, hint, request)
    _operating.finish(here, [arn], wait=wait, as_json=as_json, requests=[request])


def backfill(
    client_id: Annotated[list[str], typer.Option(help="This client; may be repeated.")],
    first: Annotated[str, typer.Option("--from", help="The first period: 2026-01 or 2026-W03.")],
    last: Annotated[str, typer.Option("--to", help="The last period, included.")],
    cadence: OfCadence = None,
    at_once: Annotated[int, typer.Option(min=1, max=5, help="So many runs at a time.")] = 1,
    stack_name: StackName = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Report past periods: one run for each, watched to its end. Whoever has a period's report is left out.

    A suspended client is left out, though it is named here: `run --client-id` reports about it, period by period.

    Cost Explorer keeps 13 months and the current one, and a report compares its period with the one before. Accounts
    that opted in to more get no more from this product.
    """
    here = _operating.account(stack_name)
    ids = list(dict.fromkeys(client_id))
    try:
        periods, kind = backfills.periods_of(first, last, cadence=cadence, at=wiring.now())
        found = [
            backfills.past(
                each, kind, ids, name=f"backfill-{first}-{last}", at=wiring.now(), zone=here.deployment.zone,
                clients=here.clients, runs=here.runs, approvals=here.approvals, objects=here.objects,
            )
            for each in periods
        ]  # fmt: skip
    except InvalidRequest as wrong:
        raise _operating.as_option(wrong) from None
    paid, mails = sum(each.paid_requests for each in found), sum(each.plan.mails for each in found)
    price = f"about {paid} paid requests, USD {paid * PRICE_PER_REQUEST:.2f}"
    if dry_run:
        plans = [(each.request, each.plan) for each in found]
        _tell_plans(here, plans, as_json=as_json, paid_requests=paid, price_usd=f"{paid * PRICE_PER_REQUEST:.2f}")
        _console.tell(f"{len(found)} periods, {mails} mails, {price}, and one more for each further page.")
        return
    due = [each for each in found if each.plan.due]
    if due:
        _console.agreed(f"{len(due)} runs will send {mails} mails and take {price}. Start?", yes=yes)
    _operating.report(_all_run(here, due, at_once), as_json=as_json)


def _all_run(here: Account, due: list[Past], at_once: int) -> list[Progress]:
    ended: list[Progress] = []
    for begin in range(0, len(due), at_once):
        batch = due[begin : begin + at_once]
        arns = [_operating.start(here, f"backfill-{label(each.plan.run.period)}", each.request) for each in batch]
        ended += [_operating.watched(here, arn) for arn in arns]
    return ended
