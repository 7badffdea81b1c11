"""`status`: how the last runs ended, and how a client's reports stand."""

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

import _console
import _operating
from _operating import Json, StackName
from cost_reporting import wiring
from cost_reporting.contracts import Cadence
from cost_reporting.domain.report_status import MISSING, SENT, UNDELIVERED, Status, short_name
from cost_reporting.errors import InvalidRequest
from cost_reporting.ledger import State
from cost_reporting.operations import status as verbs
from cost_reporting.operations.resend import named_period
from cost_reporting.operations.status import ReportStatus, RunStatus
from cost_reporting.periods import label


def status(
    client_id: Annotated[str | None, typer.Option(help="This client's reports, instead of the runs.")] = None,
    period: Annotated[str | None, typer.Option(help="2026-10 or 2026-W42.")] = None,
    cadence: Annotated[Cadence | None, typer.Option(help="Only these.")] = None,
    run_id: Annotated[str | None, typer.Option(help="Only this run, with how each client ended.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="So many runs; of a client, so many to look into.")] = 10,
    stack_name: StackName = None,
    as_json: Json = False,
) -> None:
    """The last runs and how they ended; or, of a client, its reports: what was sent to whom, what waits, what failed.

    AWS keeps executions for 90 days; with `--client-id` and `--period` an older report is found as well.
    """
    here = _operating.account(stack_name)
    try:
        covered = named_period(period, cadence) if period else None
    except InvalidRequest as wrong:
        raise _operating.as_option(wrong) from None
    if client_id is not None:
        reports = list(
            verbs.reports_of(
                client_id,
                executions=here.executions,
                runs=here.runs,
                clients=here.clients,
                objects=here.objects,
                approvals=here.approvals,
                ledger=here.ledger,
                zone=here.deployment.zone,
                now=wiring.now(),
                cadence=cadence,
                period=covered,
                run_id=run_id,
                among=max(limit, 50),
            )
        )
        _tell_reports(client_id, reports, as_json=as_json)
        return
    if run_id is not None:
        _one_run(here, run_id, as_json=as_json)
        return
    runs = list(
        verbs.last_runs(
            here.executions, here.deployment.zone, limit, cadence=cadence, period=label(covered[0]) if covered else None
        )
    )
    _tell_runs(runs, as_json=as_json)


def _one_run(here: _operating.Account, run_id: str, *, as_json: bool) -> None:
    try:
        moment = verbs.one_run(run_id, executions=here.executions, runs=here.runs, zone=here.deployment.zone)
    except InvalidRequest as wrong:
        raise _operating.as_option(wrong) from None
    if as_json:
        _console.answer({"status": "done"} | _operating.told(moment))
    else:
        _operating.show(moment)


def _tell_runs(found: list[RunStatus], *, as_json: bool) -> None:
    if as_json:
        _console.answer({"status": "done", "runs": [_run(each) for each in found]})
        return
    table = Table("started (UTC)", Column("run", no_wrap=True), "execution", "verdict", box=None, pad_edge=False)
    for each in found:
        style = {"SUCCEEDED": "green", "RUNNING": ""}.get(each.execution.status, "red")
        table.add_row(
            f"{each.execution.started_at:%Y-%m-%d %H:%M}",
            Text(each.run.run_id if each.run else "-"),
            Text(each.execution.status, style=style),
            Text(each.verdict),
        )
    _print(table if found else "No execution is known. AWS keeps them for 90 days.")


def _run(each: RunStatus) -> dict[str, Any]:
    run, execution = each.run, each.execution
    return {
        "execution_arn": execution.arn,
        "execution_status": execution.status,
        "started_at": execution.started_at.isoformat(),
        "stopped_at": execution.stopped_at.isoformat() if execution.stopped_at else None,
        "run_id": run.run_id if run else None,
        "cadence": run.cadence if run else None,
        "period": label(run.period) if run else None,
        "issue": run.issue if run else None,
        "mode": run.mode if run else None,
        "verdict": each.verdict,
    }


def _tell_reports(client_id: str, found: list[ReportStatus], *, as_json: bool) -> None:
    if as_json:
        reports = [each.model_dump(mode="json", exclude_none=True) for each in found]
        _console.answer({"status": "done", "client_id": client_id, "reports": reports})
        return
    if not found:
        _print(f"No report of {client_id} is known here. Name an older one's --period.")
        return
    table = Table("report", "when (UTC)", "status", "paid", "why, and each mail", box=None, pad_edge=False)
    for each in found:
        outcome = each.outcome
        moment = each.at or (each.delivered.at if each.delivered else None)
        table.add_row(
            Text(f"{each.cadence} {each.period}\n{each.issue}{'' if each.mode == 'live' else f', {each.mode}'}"),
            Text(f"{moment:%Y-%m-%d %H:%M}" if moment else "-"),
            Text(short_name(each.status), style=_style(each.status)),
            Text(str(outcome.paid_requests) if outcome else "-"),
            Text("\n".join(_lines(each))),
        )
    _print(table)


def _style(status: Status) -> str:
    if status in MISSING | UNDELIVERED:
        return "red"
    return "green" if status in SENT else "yellow" if status in ("held", "closed") else ""


def _lines(each: ReportStatus) -> list[str]:
    lines = [f"{mail.recipient} {_state(mail.state)} {mail.updated_at:%Y-%m-%d %H:%M}" for mail in each.mails]
    held = each.held
    if held is not None:
        who = f" by {held.by} at {held.decided_at:%Y-%m-%d %H:%M}" if held.by and held.decided_at else ""
        state = "CLOSED" if held.state == "REJECTED" else held.state
        lines.append(f"{state}{who}{f': {held.reason}' if held.reason else ''}")
    lines += [each.detail] if each.detail else []
    lines += [f"→ {each.remedy}"] if each.remedy else []
    return lines or ["none"]


def _state(state: State) -> str:
    """A mail's state. SES rejects mails; what an operator rejects is a report, and closed."""
    return "REJECTED_BY_SES" if state == "REJECTED" else state


def _print(what: Table | str) -> None:
    Console(highlight=False, soft_wrap=isinstance(what, str)).print(what)
