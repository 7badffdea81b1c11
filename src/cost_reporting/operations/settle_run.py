"""Settle Run: the verdict on a pass, and, when somebody has asked again, the next pass."""

import json
from collections.abc import Callable
from datetime import datetime

from cost_reporting.contracts import ClientDue, Outcome, Run, RunSummary, StoredObject, Worklist
from cost_reporting.errors import RunIncomplete
from cost_reporting.operations.worklists import read_worklist, write_worklist
from cost_reporting.outcomes import settle, verdict, with_status
from cost_reporting.store.objects import JSON, ObjectStore, run_prefix
from cost_reporting.store.runs import RunStore


def settle_run(
    worklist: Worklist, *, runs: RunStore, objects: ObjectStore, now: Callable[[], datetime]
) -> Worklist | RunSummary:
    """Judge the run by its recorded outcomes.

    Everybody has a report: the summary. Somebody has none: RunIncomplete, which names them. But if the verdict on this
    pass is on record already, then the failed execution has been redriven: the failed clients, and only they, become
    the worklist of the next pass.
    """
    run = worklist.run
    clients = [due.client_id for due in read_worklist(objects, run.run_id, 1)]
    outcomes = settle(clients, runs.outcomes(run.run_id))
    losses = with_status(outcomes, "FAILED")
    summary = _write_summary(objects, worklist, outcomes)
    if not losses:
        return RunSummary(
            run=run,
            pass_number=worklist.pass_number,
            client_count=len(outcomes),
            sent=len(with_status(outcomes, "SENT")),
            not_sent=len(with_status(outcomes, "NOT_SENT")),
            held=len(with_status(outcomes, "HELD")),
            rejected=len(with_status(outcomes, "REJECTED")),
            summary=summary,
        )
    if runs.judge(run.run_id, worklist.pass_number, len(losses), now()):
        raise RunIncomplete(verdict(outcomes))
    again = (ClientDue(run=run, client_id=loss.client_id) for loss in losses)
    return write_worklist(objects, run, worklist.pass_number + 1, again)


def _write_summary(objects: ObjectStore, worklist: Worklist, outcomes: list[Outcome]) -> StoredObject:
    body = {
        "run": _dump(worklist.run),
        "pass_number": worklist.pass_number,
        "clients": [outcome.model_dump(mode="json", exclude_none=True) for outcome in outcomes],
    }
    text = json.dumps(body, ensure_ascii=False, indent=2)
    return objects.put(f"{run_prefix(worklist.run.run_id)}summary.json", text.encode(), JSON)


def _dump(run: Run) -> dict[str, object]:
    return run.model_dump(mode="json", exclude_none=True, exclude={"recipients"})
