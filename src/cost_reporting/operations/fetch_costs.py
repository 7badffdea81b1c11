"""Fetch Costs: the client's costs, complete and reconciled, in the bucket."""

import logging
from collections.abc import Callable, Iterator
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from pydantic import ValidationError

from cost_reporting.clients import Client
from cost_reporting.contracts import ClientDue, CostsFetched, FetchedCosts, Run, StoredObject
from cost_reporting.costs import CostDocument, Preliminary, Restated, account_ids, holds, period_total
from cost_reporting.domain.gate import gate
from cost_reporting.domain.suspension import is_stopped
from cost_reporting.errors import (
    ClientMisconfigured,
    ClientSuspended,
    CostsDoNotReconcile,
    CostsIncomplete,
    CostsNotReady,
    CostsUnreadable,
    ReportNotStored,
    StaleDocument,
)
from cost_reporting.operations.owned_accounts import Ownership
from cost_reporting.operations.stored_report import answers_key, evidence_key, stored_report
from cost_reporting.periods import issues_of
from cost_reporting.sources import CostSource
from cost_reporting.store.answers import AnswerStore
from cost_reporting.store.clients import ClientStore
from cost_reporting.store.objects import JSON, Document, ObjectStore, report_prefix

_log = logging.getLogger(__name__)
_TRIES: Final = 5
"""So many other writers may be ahead of us at one document; each leaves it stored, so there is one within reach."""
_MADE_FOR, _ANSWERS = "made-for", "answers"
"""Notes in the metadata of costs.json: the record that it was asked for, be it complete or not; its answers' hash."""


def fetch_costs(
    due: ClientDue,
    *,
    clients: ClientStore,
    ownership: Ownership,
    source: CostSource,
    objects: ObjectStore,
    now: Callable[[], datetime],
) -> CostsFetched:
    """Find the stored costs of this client, period and issue, or ask for them and store them.

    What is stored is paid for, so it is used again unless the run says ``refresh``, or an account or a section is
    missing from it, or its bytes are not those that were stored: then it counts as absent. The answers are stored as
    they came before they pass the gate: if they differ, they are the evidence. They are named by their hash, so that
    the costs of one execution never stand beside the answers of another.

    Each answer is stored as it comes, and a next try of the same run takes it from there (see ``AnswerStore``), so that
    none is paid twice because a later one was refused, or the function was killed.

    Of two executions that ask at once, the second takes what the first has stored. One that has ``restarted`` takes
    what is there by now, gaps and all, rather than pay again for what another has just stored.

    A client to whom nothing could be sent is refused before anything is paid. If a report is to go out as it is stored,
    its costs are taken as they are stored, and ReportNotStored is raised if they are not there. StaleDocument is raised
    if the client's record was changed while its costs were asked for, and another execution has stored the others.

    Raises ClientSuspended if the client's suspension stops the report. Once the report is rendered some recipients may
    have it, which Send Email knows from the ledger: then that decides.

    An account belongs to one client: costs of another one's are neither asked for nor taken from the bucket.
    """
    client = clients.get(due.client_id)
    if is_stopped(client, due.run) and objects.find(evidence_key(due.run, client.client_id), fingerprint=None) is None:
        raise ClientSuspended(f"{client.client_id}: suspended, and not named by an operator")
    if not client.recipients and not due.run.has_test_recipients:
        raise ClientMisconfigured(f"{client.client_id}: recipients: nobody is left to send the report to")
    ownership.require_uncontested(client, due.contested_by)
    if due.run.as_stored is not None:
        return _as_stored(due, client, ownership, objects)
    prefix = report_prefix(due.run, client.client_id)
    there = objects.open(f"{prefix}costs.json")
    if there is not None and (due.restarted or not due.run.refresh):
        found = costs_in(there, client, due.run, gaps=due.restarted)
        if found is not None:
            ownership.require_own(client, account_ids(found))
            return _fetched(due, there.stored, found, paid_requests=0)
    kept = AnswerStore(objects, prefix, due.run.run_id, there, now)
    fetched = source.fetch(client, due.run, lambda reached: ownership.admit(client, reached), kept)
    answers = objects.put(answers_key(prefix, sha256(fetched.raw).hexdigest()), fetched.raw, JSON)
    _require_days(fetched.costs, due, kept)
    costs = gate(fetched.costs)
    if client.on_partial == "hold" and not costs.complete:
        raise CostsIncomplete(f"{client.client_id}: {'; '.join(_gaps(costs))}")
    earlier = {
        "preliminary": _preliminary(costs, client, due.run, objects),
        "restated": _restated(costs, client, due.run, objects),
    }
    costs = costs.model_copy(update=earlier)
    stored, standing = _stored(costs, answers, there, client, due.run, clients=clients, objects=objects)
    unreadable = sum(each.error == CostsUnreadable.__name__ for each in costs.not_available.values())
    return _fetched(due, stored, standing, paid_requests=costs.paid_requests, unreadable=unreadable)


def _require_days(costs: CostDocument, due: ClientDue, kept: AnswerStore) -> None:
    """The last days may not be there yet: worth another look, which asks anew, and never a final report.

    On the last look a weekly or preliminary report goes out that says which days it is about.
    """
    final = costs.cadence == "monthly" and costs.issue == "final"
    if costs.missing and (final or not due.last_look):
        for account_id in account_ids(costs):
            kept.forget(account_id)
        days = ", ".join(str(day) for day in costs.missing)
        raise CostsNotReady(f"{costs.client_id}: Cost Explorer has not filled {days} yet")


def costs_in(document: Document, client: Client, run: Run, *, gaps: bool = False) -> CostDocument | None:
    """The costs that ``document`` holds, if they are what ``run`` would ask for ``client``, and None otherwise.

    With ``gaps`` costs count from which an account or a section is missing. Bytes that were changed since they were
    stored, or that hold something else, are no costs: they are asked for anew.
    """
    if document.fingerprint != made_for(client) and not (gaps and _asked_by(document) == made_for(client)):
        return None
    return _read(document, client, run)


def _read(document: Document, client: Client, run: Run) -> CostDocument | None:
    """The costs in ``document``, whatever they were asked by, or None if its bytes are not to be trusted.

    Those of older versions have not passed the gate as it is now.
    """
    try:
        costs = gate(CostDocument.model_validate_json(document.body)) if document.sound else None
    except (CostsDoNotReconcile, ValidationError):
        costs = None
    known = costs is not None and (costs.client_id, costs.period) == (client.client_id, run.period)
    if costs is None or not known or (run.cadence == "monthly" and costs.issue != run.issue):
        _log.warning("stored_costs_unsound", extra={"key": document.stored.key, "client_id": client.client_id})
        return None
    return costs


def _asked_by(document: Document) -> str:
    return document.metadata.get(_MADE_FOR, document.fingerprint)


def _stored(
    costs: CostDocument,
    answers: StoredObject,
    there: Document | None,
    client: Client,
    run: Run,
    *,
    clients: ClientStore,
    objects: ObjectStore,
) -> tuple[StoredObject, CostDocument]:
    """Store ``costs`` in the place of ``there``; or what another execution has stored since, if that is as good.

    It is as good if it was asked by the same record, has no gap that ours has not, and, for ``refresh``, is no older.
    """
    key = f"{report_prefix(run, client.client_id)}costs.json"
    asked_by = made_for(client)
    notes = {_MADE_FOR: asked_by, _ANSWERS: answers.sha256}
    for _ in range(_TRIES):
        stored = objects.replace(
            key,
            costs.model_dump_json().encode(),
            JSON,
            there=there,
            fingerprint=asked_by if costs.complete else "",
            notes=notes,
        )
        if stored is not None:
            return stored, costs
        there = objects.open(key)
        theirs = _read(there, client, run) if there is not None else None
        if there is None or theirs is None:
            continue
        if _asked_by(there) != asked_by:
            if made_for(clients.get(client.client_id)) != asked_by:
                raise StaleDocument(f"put {key}: the client's record was changed while its costs were asked for")
        elif theirs.complete >= costs.complete and not (run.refresh and theirs.fetched_at < costs.fetched_at):
            return there.stored, theirs
    raise StaleDocument(f"put {key}: other executions replace it again and again")


def _as_stored(due: ClientDue, client: Client, ownership: Ownership, objects: ObjectStore) -> CostsFetched:
    stored = stored_report(due.run, client.client_id, objects).costs
    try:
        costs = CostDocument.model_validate_json(objects.read(stored))
    except StaleDocument as stale:
        raise ReportNotStored(f"{client.client_id}: {stale}") from stale
    ownership.require_own(client, account_ids(costs))
    return _fetched(due, stored, costs, paid_requests=0)


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
    if costs.missing:
        yield f"not filled yet: {', '.join(str(day) for day in costs.missing)}"
    if costs.not_comparable is not None:
        yield f"the period before: {costs.not_comparable.error}: {costs.not_comparable.reason}"
    for name, gap in costs.not_available.items():
        yield f"{name}: {gap.error}: {gap.reason}"


def _preliminary(final: CostDocument, client: Client, run: Run, objects: ObjectStore) -> Preliminary | None:
    """What the client was told about the same accounts and days before the bill was closed, if it was."""
    if run.issue != "final":
        return None
    earlier = run.model_copy(update={"issue": "preliminary"})
    document = objects.open(f"{report_prefix(earlier, final.client_id)}costs.json")
    costs = _read(document, client, earlier) if document is not None else None
    if costs is None or account_ids(costs) != account_ids(final) or costs.missing:
        return None
    return Preliminary(total=period_total(costs, costs.period), fetched_at=costs.fetched_at)


def _restated(costs: CostDocument, client: Client, run: Run, objects: ObjectStore) -> Restated | None:
    """What the client was last told about the month before this one, by the same metric and of the same accounts."""
    if run.cadence != "monthly" or costs.not_comparable is not None:
        return None
    for issue in issues_of(run.cadence):
        earlier = run.model_copy(update={"period": costs.previous, "issue": issue})
        document = objects.open(f"{report_prefix(earlier, costs.client_id)}costs.json")
        told = _read(document, client, earlier) if document is not None else None
        if told is None:
            continue
        if told.days_not_filled:
            return None
        if (told.metric, told.currency, account_ids(told)) != (costs.metric, costs.currency, account_ids(costs)):
            return None
        return Restated(
            then=period_total(told, told.period), now=period_total(costs, costs.previous), fetched_at=told.fetched_at
        )
    return None


def _fetched(
    due: ClientDue, stored: StoredObject, costs: CostDocument, *, paid_requests: int, unreadable: int = 0
) -> CostsFetched:
    had_costs_before = any(day.lines for day in costs.days if holds(costs.previous, day.day))
    comparable = had_costs_before and costs.not_comparable is None
    figures = FetchedCosts(
        document=stored,
        total=period_total(costs, costs.period),
        previous=period_total(costs, costs.compared) if comparable else None,
        currency=costs.currency,
        estimated=costs.estimated,
        incomplete=costs.total_is_incomplete,
        paid_requests=paid_requests,
        unreadable=unreadable,
    )
    return CostsFetched(**dict(due), costs=figures)
