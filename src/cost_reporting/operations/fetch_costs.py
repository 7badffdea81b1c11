"""Fetch Costs: the client's costs, complete and reconciled, in the bucket."""

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from cost_reporting.clients import Client
from cost_reporting.contracts import ClientDue, CostsFetched, FetchedCosts, Run, StoredObject
from cost_reporting.costs import CostDocument, Preliminary, account_ids, period_total, reconcile
from cost_reporting.errors import ClientMisconfigured, CostsIncomplete
from cost_reporting.operations.owned_accounts import Ownership
from cost_reporting.operations.stored_report import stored_report
from cost_reporting.sources import CostSource
from cost_reporting.store.clients import ClientStore
from cost_reporting.store.objects import JSON, ObjectStore, report_prefix


def fetch_costs(
    due: ClientDue, *, clients: ClientStore, ownership: Ownership, source: CostSource, objects: ObjectStore
) -> CostsFetched:
    """Find the stored costs of this client, period and issue, or ask for them and store them.

    What is stored is paid for, so it is used again unless the run says ``refresh``, or an account or a section is
    missing from it. The answers are stored as they came before they are reconciled: if they differ, they are the
    evidence. A client to whom nothing could be sent is refused before anything is paid. If a report is to go out as it
    is stored, its costs are taken as they are stored, and ReportNotStored is raised if it is not there.

    An account belongs to one client: costs of another one's are neither asked for nor taken from the bucket.
    """
    client = clients.get(due.client_id)
    if not client.recipients and due.run.recipients is None:
        raise ClientMisconfigured(f"{client.client_id}: recipients: nobody is left to send the report to")
    ownership.require_uncontested(client, due.contested_by)
    if due.run.as_stored is not None:
        as_stored = stored_report(due.run, client.client_id, objects).costs
        return _found(due, as_stored, client, ownership, objects)
    key = f"{report_prefix(due.run, client.client_id)}costs.json"
    made_from = made_for(client)
    stored = None if due.run.refresh else objects.find(key, fingerprint=made_from)
    if stored is not None:
        return _found(due, stored, client, ownership, objects)
    fetched = source.fetch(client, due.run, lambda reached: ownership.admit(client, reached))
    objects.put(f"{report_prefix(due.run, client.client_id)}answers.json", fetched.raw, JSON)
    reconcile(fetched.costs)
    if client.on_partial == "hold" and not fetched.costs.complete:
        raise CostsIncomplete(f"{client.client_id}: {'; '.join(_gaps(fetched.costs))}")
    costs = fetched.costs.model_copy(update={"preliminary": _preliminary(fetched.costs, due.run, objects)})
    stored = objects.put(key, costs.model_dump_json().encode(), JSON, fingerprint=made_from if costs.complete else "")
    return _fetched(due, stored, costs, paid_requests=costs.paid_requests)


def made_for(client: Client) -> str:
    """The fingerprint of what the record asks for: costs stored under another one answer other questions.

    An ExternalId is no part of it: what is stored stays paid for when it is rotated.
    """
    access = {"kind", "role_arn", "secret_arn"}
    asked: dict[str, Any] = {"cost_metric": True, "sections": True, "tag_keys": True, "access": access}
    if client.more_accounts:
        asked["more_accounts"] = {"__all__": {"name": True, "access": access}}
    return sha256(client.model_dump_json(include=asked).encode()).hexdigest()


def _gaps(costs: CostDocument) -> Iterator[str]:
    for account in costs.accounts_not_read:
        named = f"{account.name} ({account.account_id})" if account.account_id else account.name
        yield f"account {named}: {account.error}: {account.reason}"
    for name, gap in costs.not_available.items():
        yield f"{name}: {gap.error}: {gap.reason}"


def _preliminary(final: CostDocument, run: Run, objects: ObjectStore) -> Preliminary | None:
    """What the client was told about the same accounts before the bill was closed, if it was."""
    if run.issue != "final":
        return None
    body = objects.get(f"{report_prefix(run.model_copy(update={'issue': 'preliminary'}), final.client_id)}costs.json")
    if body is None:
        return None
    costs = CostDocument.model_validate_json(body)
    if account_ids(costs) != account_ids(final):
        return None
    return Preliminary(total=period_total(costs, costs.period), fetched_at=costs.fetched_at)


def _found(
    due: ClientDue, stored: StoredObject, client: Client, ownership: Ownership, objects: ObjectStore
) -> CostsFetched:
    costs = CostDocument.model_validate_json(objects.read(stored))
    ownership.require_own(client, account_ids(costs))
    return _fetched(due, stored, costs, paid_requests=0)


def _fetched(due: ClientDue, stored: StoredObject, costs: CostDocument, *, paid_requests: int) -> CostsFetched:
    had_costs_before = any(day.lines for day in costs.days if day.day < costs.period.start)
    figures = FetchedCosts(
        document=stored,
        total=period_total(costs, costs.period),
        previous=period_total(costs, costs.previous) if had_costs_before else None,
        currency=costs.currency,
        estimated=costs.estimated,
        paid_requests=paid_requests,
    )
    return CostsFetched(**dict(due), costs=figures)
