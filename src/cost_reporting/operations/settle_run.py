"""Settle Run: the verdict on a pass, or the next pass: of late clients, or, after a redrive, of the failed ones."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from cost_reporting.contracts import ClientDue, Outcome, Run, RunSummary, SettleAsked, StoredObject, Worklist
from cost_reporting.errors import RunIncomplete, WorklistChanged
from cost_reporting.operations.worklists import contested_clients, listed_clients, write_worklist
from cost_reporting.outcomes import left_late, processed, settle, verdict, with_status
from cost_reporting.store.objects import JSON, ObjectStore, run_prefix
from cost_reporting.store.runs import Begun, RunStore


def settle_run(
    asked: SettleAsked | Worklist,
    *,
    waits: Sequence[timedelta],
    runs: RunStore,
    objects: ObjectStore,
    now: Callable[[], datetime],
) -> Worklist | RunSummary:
    """Judge the run by its recorded outcomes.

    - Every client has its report, or was left out on purpose: the summary.
    - Some clients' figures are not there yet, and a look is left: a worklist of these, which waits. The moment counts
      from when the state was entered, so that a repeated call answers the same.
    - The execution was redriven since this pass was judged: a worklist of the clients without a report, at once, and
      for the last time. No operator has named them a second time, so a client suspended since is left out.
    - Else the verdict is put on record, and RunIncomplete names each client without a report. A call with as many
      redrives as the verdict has is a repeated call, whose answer was lost: it gets the same answer.

    The clients are those on record; a worklist in the bucket that is another one fails the run, as WorklistChanged if
    no client lacks its report. A redrive is an operator's answer to that, unless clients are lost for good.

    Executions of the definition before this one hand over the bare worklist. They have no count of redrives, so that
    any verdict on record means a redrive, and no state that waits, so that late clients count as failed.

    Clients are counted as processed once in a run: with its first verdict, or with its summary.
    """
    worklist = asked.worklist if isinstance(asked, SettleAsked) else asked
    run, record = worklist.run, runs.on_record(worklist.run.run_id)
    listed = listed_clients(run.run_id, record, objects)
    outcomes = settle(listed.client_ids, record.outcomes)
    judged = record.verdicts.get(worklist.pass_number)
    redriven = judged is not None and (isinstance(asked, Worklist) or asked.redrives > judged)
    late = with_status(outcomes, "LATE")
    looks_left = worklist.looks < len(waits) and isinstance(asked, SettleAsked) and judged is None
    if not (late and looks_left):
        outcomes = [left_late(each, worklist.looks) if each.status == "LATE" else each for each in outcomes]
    losses = with_status(outcomes, "FAILED")
    counted = 0 if record.verdicts else processed(outcomes)
    summary = _write_summary(objects, worklist, outcomes)
    contested = contested_clients(run.run_id, objects) if late or losses else {}
    if late and looks_left and isinstance(asked, SettleAsked):
        looks = worklist.looks + 1
        return write_worklist(
            objects,
            run,
            worklist.pass_number + 1,
            (_again(run, each, contested, last_look=looks == len(waits)) for each in late),
            concurrent_clients=worklist.concurrent_clients,
            looks=looks,
            look_again_at=(asked.entered_at + waits[worklist.looks]).replace(microsecond=0),
        )
    redrives = asked.redrives if isinstance(asked, SettleAsked) else int(redriven)
    worked_ms = _worked_ms(record.begun, waits[: worklist.looks], now()) if redrives == 0 else None
    told = redriven or any(number < worklist.pass_number for number in record.verdicts)
    if not losses and (listed.changed is None or (told and not listed.unknown)):
        return _summary(worklist, outcomes, summary, worked_ms, counted)
    if redriven and losses:
        run = run.model_copy(update={"rerun_of": run.run_id, "named": False}) if run.named else run
        return write_worklist(
            objects,
            run,
            worklist.pass_number + 1,
            (_again(run, each, contested, last_look=True) for each in losses),
            concurrent_clients=worklist.concurrent_clients,
            looks=len(waits),
        )
    for loss in losses:
        if run.mode == "live" and record.outcomes.get(loss.client_id) != loss:
            runs.mark_ended(run, loss, now())  # its own part of the run has not said so
    runs.judge(run.run_id, worklist.pass_number, len(losses), now(), redrives=redrives)
    if losses:
        said = "\n".join(filter(None, (verdict(outcomes), listed.changed)))
        raise RunIncomplete(said, worked_ms=worked_ms, processed=counted)
    said = f"{listed.changed} Every client that is known to have been listed has its report."
    raise WorklistChanged(said, processed=counted)


def _again(run: Run, ended: Outcome, contested: Mapping[str, tuple[str, ...]], *, last_look: bool) -> ClientDue:
    """The client in the next pass, which looks at its account again."""
    client_id = ended.client_id
    return ClientDue(run=run, client_id=client_id, last_look=last_look, contested_by=contested.get(client_id, ()))


def _worked_ms(begun: Begun | None, waited: Sequence[timedelta], now: datetime) -> int | None:
    """How long the run has worked since it began, without its waits; None if that is not on record."""
    if begun is None:
        return None
    return max(0, round((now - begun.started_at - sum(waited, timedelta())) / timedelta(milliseconds=1)))


def _summary(
    worklist: Worklist, outcomes: list[Outcome], summary: StoredObject, worked_ms: int | None, counted: int
) -> RunSummary:
    return RunSummary(
        run=worklist.run,
        pass_number=worklist.pass_number,
        client_count=len(outcomes),
        sent=len(with_status(outcomes, "SENT")),
        not_sent=len(with_status(outcomes, "NOT_SENT")),
        held=len(with_status(outcomes, "HELD")),
        rejected=len(with_status(outcomes, "REJECTED")),
        left_out=len(with_status(outcomes, "LEFT_OUT")),
        removed=len(with_status(outcomes, "REMOVED")),
        processed=counted,
        worked_ms=worked_ms,
        summary=summary,
    )


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
