"""Long Runs: how far the runs that are under way at this moment are within or beyond their time.

Settle Run says it of a run that ends. One that does not end says nothing, so the hourly watch looks.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from cost_reporting.domain.run_time import RunTime
from cost_reporting.store.executions import Execution, ExecutionStore
from cost_reporting.store.runs import RunStore

_MOST: Final = 1000
"""Executions under way that are looked at. One is usual."""
_MARGIN: Final = timedelta(minutes=1)
_WITHOUT_CLIENTS: Final = RunTime(clients=0, at_once=1)
"""Of an execution that has not listed its clients, such as a health check."""


def longest_overrun(*, executions: ExecutionStore, runs: RunStore, now: datetime) -> int | None:
    """Seconds by which the run with the least time left is beyond its time; below zero, if it is within.

    None if no run is under way. After a redrive its time begins anew: the execution began whenever it began.
    Raises RunNotStarted if Step Functions does not say which executions are under way.
    """
    running = list(executions.recent(_MOST, status="RUNNING"))
    if not running:
        return None
    since = min(each.started_at for each in running) - _MARGIN
    known = {each.execution_id: each.run_id for each in runs.listed(since, now + _MARGIN)}
    return max(round(_overrun(each, known, runs, now) / timedelta(seconds=1)) for each in running)


def _overrun(execution: Execution, known: Mapping[str, str], runs: RunStore, now: datetime) -> timedelta:
    run_id = known.get(execution.arn)
    begun = None if run_id is None else runs.begun(run_id)
    time = _WITHOUT_CLIENTS if begun is None else begun.time
    return now - (execution.redriven_at or execution.started_at) - time.under_way
