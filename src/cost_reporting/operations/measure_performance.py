"""Measure Performance: read Lambda's REPORT lines and the runs of a period, and count what they took and cost."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, time
from functools import partial
from typing import Final

from cost_reporting.contracts import Cadence, Period
from cost_reporting.errors import CostReportingError
from cost_reporting.performance import (
    FunctionFacts,
    Invocation,
    PerformanceReport,
    Work,
    parse_report,
    performance_report,
)
from cost_reporting.store.functions import Function, read_function, read_machine
from cost_reporting.store.histories import ExecutionStore
from cost_reporting.store.logs import LogStore
from cost_reporting.store.metrics import MetricStore
from cost_reporting.store.runs import RunStore

PATTERN: Final = '"REPORT RequestId"'
METRICS: Final = ("Invocations", "Errors", "Throttles")
PER_CLIENT: Final = frozenset({"Fetch Costs", "Render PDF", "Send Email", "Record Outcome"})
"""The states of a map's child; each of their invocations is a transition, and so is the child's start."""
Progress = Callable[[str, int, int], None]


def measure_performance(
    cadence: Cadence,
    period: Period,
    *,
    functions: Sequence[str],
    machine_arn: str,
    runs: RunStore,
    executions: ExecutionStore,
    logs: LogStore,
    metrics: MetricStore,
    now: Callable[[], datetime],
    progress: Progress,
) -> PerformanceReport:
    """The report about ``period`` for the ``functions`` of a stack.

    What may not be read or does not answer is missing from the sums, and ``unknowns`` says so. Raises StoreRefused or
    StoreThrottled if not even the functions and the state machine can be read.
    """
    start, end = (datetime.combine(day, time(), UTC) for day in (period.start, period.end))
    unknowns: list[str] = []

    def tried[T](what: str, read: Callable[[], T]) -> T | None:
        try:
            return read()
        except CostReportingError as fault:
            unknowns.append(f"{what}: {fault}")
            return None

    machine = read_machine(machine_arn)
    facts: list[FunctionFacts] = []
    for done, name in enumerate(functions):
        progress("functions", done, len(functions))
        function = read_function(name)
        counted = tried(f"CloudWatch about {name}", partial(metrics.sums, METRICS, period, {"FunctionName": name}))
        read = tried(f"Log of {name}", partial(_invocations, function, logs, start, end, progress))
        facts.append(
            FunctionFacts(
                name=name,
                states=machine.states.get(function.arn, ()),
                architecture=function.architecture,
                memory_mb=function.memory_mb,
                timeout_s=function.timeout_s,
                invocations=None if read is None else read[0],
                unreadable=0 if read is None else read[1],
                throttles=(counted or {}).get("Throttles"),
                errors=(counted or {}).get("Errors"),
                counted=(counted or {}).get("Invocations"),
            )
        )
    progress("functions", len(functions), len(functions))
    transitions = tried("Executions", lambda: _transitions(executions, start, end, facts, progress))
    work = tried("Runs", lambda: _work(runs, start, end, transitions))
    return performance_report(facts, work, cadence=cadence, period=period, read_at=now(), unknowns=unknowns)


def _invocations(
    function: Function, logs: LogStore, start: datetime, end: datetime, progress: Progress
) -> tuple[tuple[Invocation, ...], int]:
    """What the function's REPORT lines say, and how many of them could not be read."""
    found: list[Invocation] = []
    unreadable = 0
    for number, line in enumerate(logs.lines(function.log_group, start, end, pattern=PATTERN), start=1):
        try:
            invocation = parse_report(line)
        except ValueError:
            unreadable += 1
            continue
        if invocation is not None:
            found.append(invocation)
        if number % 500 == 0:
            progress(f"log of {function.name}", number, 0)
    return tuple(found), unreadable


def _transitions(
    executions: ExecutionStore, start: datetime, end: datetime, functions: Sequence[FunctionFacts], progress: Progress
) -> int:
    """The transitions of the executions, from their histories, and of their maps' children, from what they invoked."""
    total = 0
    for done, execution in enumerate(executions.began(start, end), start=1):
        total += executions.transitions(execution.arn) + 1  # its start
        progress("executions", done, 0)
    of_children = {
        state: len(each.invocations or ()) for each in functions for state in each.states if state in PER_CLIENT
    }
    return total + sum(of_children.values()) + of_children.get("Record Outcome", 0)


def _work(runs: RunStore, start: datetime, end: datetime, transitions: int | None) -> Work:
    sent = mails = paid = 0
    for listed in runs.listed(start, end):
        for each in runs.kept(listed).recorded:
            paid += each.outcome.paid_requests
            if each.outcome.status == "SENT":
                mails += each.outcome.recipients
                sent += listed.mode == "live"
    return Work(reports_sent=sent, mails=mails, paid_requests=paid, transitions=transitions)
