"""Backfill: reports about past periods, one run for each."""

from datetime import datetime
from zoneinfo import ZoneInfo

from cost_reporting.contracts import Cadence, Fact, Period
from cost_reporting.errors import ClientUnknown, CostReportingError, InvalidRequest
from cost_reporting.operations.fetch_costs import made_for
from cost_reporting.operations.resend import named_period
from cost_reporting.operations.runs import Plan, Request, plan
from cost_reporting.periods import between, label
from cost_reporting.sources.cost_explorer import forgotten, requests_for
from cost_reporting.store.approvals import ApprovalStore
from cost_reporting.store.clients import ClientStore
from cost_reporting.store.objects import ObjectStore, report_prefix
from cost_reporting.store.runs import RunStore


class Past(Fact):
    """One period of a backfill: the request for its run, what that would do, and how many requests it would pay."""

    request: Request
    plan: Plan
    paid_requests: int


def periods_of(first: str, last: str, *, cadence: Cadence | None, at: datetime) -> tuple[list[Period], Cadence]:
    """The periods from ``first`` to ``last``, both included. Raises InvalidRequest naming the field.

    A period that Cost Explorer does not keep any more is refused, and nothing is begun.
    """
    begins, kind = named_period(first, cadence)
    ends, other = named_period(last, cadence)
    if kind != other:
        raise InvalidRequest(f"to: {last} is a {other} period, and {first} a {kind} one")
    found = list(between(begins, ends, kind))
    if not found:
        raise InvalidRequest(f"to: {last} lies before {first}")
    for period in found:
        if (gone := forgotten(period, kind, at)) is not None:
            raise InvalidRequest(f"from: {label(period)}: {gone}")
    return found, kind


def past(
    period: Period,
    cadence: Cadence,
    client_ids: list[str],
    *,
    name: str,
    at: datetime,
    zone: ZoneInfo,
    clients: ClientStore,
    runs: RunStore,
    approvals: ApprovalStore,
    objects: ObjectStore,
) -> Past:
    """What the backfill of one period would do. Raises InvalidRequest, also if the period is not over yet.

    The runs of a backfill follow each other for hours, so they stop at a client that is suspended, as a rerun does.
    They carry its ``name`` for that.
    """
    request: Request = {"cadence": cadence, "period": label(period), "client_ids": client_ids, "rerun_of": name}
    planned = plan(request, at=at, zone=zone, test_domains=frozenset(), clients=clients, runs=runs, approvals=approvals)
    if unknown := [each.client_id for each in planned.due if each.error == ClientUnknown.__name__]:
        raise InvalidRequest(f"client_ids: no such client: {', '.join(unknown[:20])}")
    paid = sum(_paid(each.client_id, planned, clients, objects) for each in planned.due if each.error is None)
    return Past(request=request, plan=planned, paid_requests=paid)


def _paid(client_id: str, planned: Plan, clients: ClientStore, objects: ObjectStore) -> int:
    """How many requests the costs of a client take: none if they are stored, or if its record is unsound."""
    try:
        client = clients.get(client_id)
    except CostReportingError:
        return 0
    key = f"{report_prefix(planned.run, client_id)}costs.json"
    stored = objects.find(key, fingerprint=made_for(client))
    return 0 if stored is not None else requests_for(client, planned.run.cadence)
