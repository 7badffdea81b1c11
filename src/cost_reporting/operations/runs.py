"""Runs as an operator handles them: what a request would do, how an execution goes on, and how to ask again."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain, repeat
from typing import Any, Final
from zoneinfo import ZoneInfo

from cost_reporting.contracts import Fact, Outcome, Run, RunAsked, RunRequest
from cost_reporting.domain.suspension import is_stopped
from cost_reporting.errors import ClientMisconfigured, ClientSuspended, CostReportingError, InvalidRequest
from cost_reporting.operations.hold import approval_is_due
from cost_reporting.operations.list_clients import require_allowed, what_is_asked, who_is_due
from cost_reporting.operations.worklists import listed_clients
from cost_reporting.outcomes import settle
from cost_reporting.periods import label
from cost_reporting.store.approvals import ApprovalStore
from cost_reporting.store.clients import ClientStore
from cost_reporting.store.executions import Execution, ExecutionStore
from cost_reporting.store.objects import ObjectStore
from cost_reporting.store.runs import RunStore

Request = dict[str, Any]
_PLANNED: Final = "planned"
_WAITS: Final = (0.2, 0.3, 0.5, 0.8, 1.2, 2.0, 3.0)
"""Seconds between two looks at an execution; the last one is repeated."""


class Due(Fact):
    """A client of a run that has not been started: how many mails, and what is known to go wrong."""

    client_id: str
    recipients: int = 0
    needs_approval: bool = False
    to_operators: bool = False
    """A test that goes to the operators, since its client may not see the report yet."""
    error: str | None = None
    message: str | None = None


class Plan(Fact):
    """What a request would start."""

    run: Run
    due: tuple[Due, ...]

    @property
    def mails(self) -> int:
        """How many recipients there are."""
        return sum(each.recipients for each in self.due)


class Progress(Fact):
    """An execution at one moment, with the outcomes that its run has recorded so far."""

    execution: Execution
    run: Run | None = None
    total: int | None = None
    outcomes: tuple[Outcome, ...] = ()


def plan(
    request: Request,
    *,
    at: datetime,
    zone: ZoneInfo,
    test_domains: frozenset[str],
    clients: ClientStore,
    runs: RunStore,
    approvals: ApprovalStore,
    details: int = 200,
) -> Plan:
    """What ``request``, started at ``at``, would do. The records of the first ``details`` clients are read.

    Raises InvalidRequest naming the field that makes no sense. Without ``test_domains`` it is not known which addresses
    a test report may go to: List Clients judges them, before anything is paid.
    """
    asked, run = what_is_asked(RunAsked(request=request, execution_id=_PLANNED, started_at=at), zone)
    ids = who_is_due(asked, run, clients.rows(), runs=runs)
    if test_domains:
        require_allowed(asked, run, test_domains, clients=clients, approvals=approvals)
    return Plan(
        run=run,
        due=tuple(
            _due(client_id, asked, run, clients, approvals) if at_all < details else Due(client_id=client_id)
            for at_all, client_id in enumerate(ids)
        ),
    )


def _due(client_id: str, asked: RunRequest, run: Run, clients: ClientStore, approvals: ApprovalStore) -> Due:
    try:
        client = clients.get(client_id)
    except CostReportingError as trouble:
        return Due(client_id=client_id, error=trouble.name, message=str(trouble))
    if is_stopped(client, run):
        stopped = ClientSuspended("suspended, and not named by an operator: it is left out")
        return Due(client_id=client_id, error=stopped.name, message=str(stopped))
    recipients = asked.recipients or client.recipients
    if not recipients:
        nobody = ClientMisconfigured("recipients: nobody is left to send the report to")
        return Due(client_id=client_id, error=nobody.name, message=str(nobody))
    if run.mode == "test" and asked.recipients is None:
        to_operators = approval_is_due(run, client_id, client.approve_first, approvals)
        return Due(client_id=client_id, recipients=1 if to_operators else len(recipients), to_operators=to_operators)
    return Due(
        client_id=client_id,
        recipients=0 if run.mode == "dry_run" else len(recipients),
        needs_approval=client.approve_first > 0 and run.mode == "live",
    )


def run_of(execution: Execution, zone: ZoneInfo) -> Run | None:
    """The run that an execution means, or None: a health check, or a request that makes no sense."""
    try:
        asked = RunAsked(request=execution.input, execution_id=execution.arn, started_at=execution.started_at)
        return what_is_asked(asked, zone)[1]
    except InvalidRequest:
        return None


def follow(
    arn: str, *, executions: ExecutionStore, runs: RunStore, zone: ZoneInfo, pause: Callable[[float], None]
) -> Iterator[Progress]:
    """The execution, moment by moment, until it has ended. After a redrive only newer outcomes count."""
    waits = chain(_WAITS, repeat(_WAITS[-1]))
    while True:
        execution = executions.get(arn)
        yield progress_of(execution, runs=runs, zone=zone)
        if execution.ended:
            return
        pause(next(waits))


def progress_of(execution: Execution, *, runs: RunStore, zone: ZoneInfo) -> Progress:
    """An execution with what its run has recorded."""
    run = run_of(execution, zone)
    begun = None if run is None else runs.begun(run.run_id)
    if run is None or begun is None:
        return Progress(execution=execution, run=run)
    recorded = runs.recorded(run.run_id).values()
    since = execution.redriven_at if not execution.ended else None
    outcomes = tuple(each.outcome for each in recorded if since is None or each.at >= since)
    return Progress(execution=execution, run=run, total=begun.client_count, outcomes=outcomes)


def last_failed(executions: ExecutionStore, *, among: int = 100) -> Execution:
    """The newest run that ended with clients that have no report. Raises InvalidRequest if there is none."""
    for execution in executions.recent(among, status="FAILED"):
        if execution.error not in ("InvalidRequest", "Unhealthy"):
            return execution
    raise InvalidRequest("run_id: no run has failed; name the one that is meant")


def execution_of(run_id: str, *, executions: ExecutionStore, runs: RunStore) -> Execution:
    """The execution that carried a run. Raises InvalidRequest if there was no such run."""
    begun = runs.begun(run_id)
    if begun is None:
        raise InvalidRequest(f"run_id: there was no run {run_id}")
    return executions.get(begun.execution_id)


def failed_clients(run: Run, runs: RunStore, objects: ObjectStore) -> list[str]:
    """The clients that a run, which has ended, has left without a report, and that have got none since.

    Those without any outcome are among them, as for Settle Run, and those whose figures the run was still waiting for.
    Raises StoreRefused if the list of its clients is gone.
    """
    record = runs.on_record(run.run_id)
    outcomes = settle(listed_clients(run.run_id, record, objects).client_ids, record.outcomes)
    losses = {each.client_id for each in outcomes if each.status in ("FAILED", "LATE")}
    return sorted(losses - runs.delivered(run) if run.mode == "live" else losses)


def without_record(client_ids: Iterable[str], clients: ClientStore) -> list[str]:
    """Those of the clients that were removed: a run that repeats them leaves them out."""
    known = {str(row.get("client_id")) for row in clients.rows()}
    return [client_id for client_id in client_ids if client_id not in known]


def repeated(request: Mapping[str, Any], run: Run) -> Request:
    """``request``, of which ``run`` was made and never began, as it was meant then. It names nobody a second time."""
    names = {"rerun_of": run.run_id} if "client_ids" in request or "client_id" in request else {}
    return dict(request) | {"scheduled_at": run.nominal_at.isoformat()} | names


def again(run: Run, client_ids: list[str], recipients: Sequence[str] = ()) -> Request:
    """The request that repeats ``run`` for ``client_ids``: the same period and issue, as it was meant then.

    ``recipients`` are those of a test report, which only the input of its execution says. No operator has named the
    clients of such a request, so it stops at a suspended one.
    Raises InvalidRequest for a run that forced mails: started anew, it would mail those twice who have theirs.
    """
    if run.force_send is not None:
        raise InvalidRequest(f"run_id: {run.run_id} forced mails; use resend for each client that has none")
    request: Request = {
        "cadence": run.cadence,
        "period": label(run.period),
        "scheduled_at": run.nominal_at.isoformat(),
        "rerun_of": run.run_id,
    }
    if run.mode == "test":
        request |= {"test_report": True, "client_id": client_ids[0]}
        request |= {"recipients": list(recipients)} if recipients else {}
    else:
        request["client_ids"] = client_ids
    flags: Mapping[str, bool] = {"dry_run": run.mode == "dry_run", "refresh": run.refresh}
    return request | {name: True for name, said in flags.items() if said}
