"""Preview: a report as its client would get it, without a run, a mail, or a trace in the account.

Two ways lead to a :class:`Preview`: :func:`from_account` reads the record, the logo and, if a run has stored them, the
costs; :func:`from_document` needs nothing but a stored cost document.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from cost_reporting import periods
from cost_reporting.clients import Client, RoleAccess, faults
from cost_reporting.contracts import Cadence, Fact, Run, RunAsked
from cost_reporting.costs import CostDocument
from cost_reporting.domain.gate import gate
from cost_reporting.errors import InvalidRequest
from cost_reporting.operations.fetch_costs import costs_in
from cost_reporting.operations.list_clients import what_is_asked
from cost_reporting.sources import CostSource
from cost_reporting.store.clients import ClientStore
from cost_reporting.store.objects import ObjectStore, report_prefix

if TYPE_CHECKING:
    from cost_reporting.report.renderer import Rendered

NEUTRAL_COLOUR: Final = "#334155"
_NOBODY: Final = "preview"
_SECTIONS: Final = ("accounts", "regions", "forecast", "anomalies", "commitments", "savings")


class Preview(Fact):
    """What a report would be made from. ``costs`` is None if nothing is stored: :func:`fetched` has them, for money."""

    client: Client
    run: Run
    logo: bytes | None
    costs: CostDocument | None


def from_account(
    client_id: str,
    *,
    cadence: Cadence | None,
    period: str | None,
    at: datetime,
    zone: ZoneInfo,
    clients: ClientStore,
    objects: ObjectStore,
) -> Preview:
    """The preview that a run started at ``at`` would mean; ``cadence`` and ``period`` as in an execution's input.

    Without a cadence the period's own is meant, and without either the first that the client has.

    Raises InvalidRequest naming the field, ClientUnknown, or ClientMisconfigured.
    """
    if period is not None:
        try:
            covered = periods.parse(period)
        except ValueError as unreadable:
            raise InvalidRequest(f"period: {unreadable}") from None
        cadence = cadence or periods.cadence_of(covered)
    client = clients.get(client_id)
    request = {"cadence": cadence or client.cadences[0], "period": period, "dry_run": True}
    _, run = what_is_asked(RunAsked(request=request, execution_id=_NOBODY, started_at=at), zone)
    logo = objects.get(f"clients/{client.client_id}/{client.branding.logo}") if client.branding.logo else None
    stored = objects.open(f"{report_prefix(run, client.client_id)}costs.json")
    costs = None if stored is None else costs_in(stored, client, run)
    return Preview(client=client, run=run, logo=logo, costs=costs)


def from_document(costs: CostDocument, client: Client | None = None, logo: bytes | None = None) -> Preview:
    """The preview of stored ``costs`` for ``client``, or for one that is made up to fit them.

    Raises InvalidRequest if the client is another's, CostsDoNotReconcile if days and record types of the period differ.
    """
    client = client or neutral_client(costs)
    if client.client_id != costs.client_id:
        raise InvalidRequest(f"client_id: the costs are those of {costs.client_id!r}, the record is {client.client_id}")
    costs = gate(costs)
    run = Run(
        run_id=f"{_NOBODY}-{costs.cadence}-{periods.label(costs.period)}-{costs.issue}",
        cadence=costs.cadence,
        period=costs.period,
        issue=costs.issue,
        mode="dry_run",
        nominal_at=costs.fetched_at,
    )
    return Preview(client=client, run=run, logo=logo, costs=costs)


def fetched(preview: Preview, source: CostSource) -> Preview:
    """The preview with costs asked for, and paid, now. They are held against each other, and not stored."""
    costs = source.fetch(preview.client, preview.run, admit=lambda reached: None).costs  # nobody else sees them
    return preview.model_copy(update={"costs": gate(costs)})


def neutral_client(costs: CostDocument) -> Client:
    """A client of whom nothing is known but its costs: its id for a name, no brand, English, no recipients.

    Raises InvalidRequest if the document's client_id cannot be one.
    """
    record: dict[str, Any] = {
        "client_id": costs.client_id,
        "client_name": costs.client_id,
        "status": "active",
        "cadences": [costs.cadence],
        "recipients": [],
        "access": _no_access(costs.account_id),
        "branding": {"colour": NEUTRAL_COLOUR},
        "locale": "en_US",
        "currency": "USD",
        "cost_metric": costs.metric,
        "sections": [section for section in _SECTIONS if getattr(costs, section) is not None],
    }
    if isinstance(costs.tags, tuple) and costs.tags:
        record["sections"] += ["tags"]
        record["tag_keys"] = [split.tag_key for split in costs.tags]
    try:
        return Client.model_validate(record)
    except ValidationError as invalid:
        raise InvalidRequest(faults(invalid)) from None


def documents(preview: Preview, rendered: Rendered) -> Mapping[str, bytes]:
    """The files of a preview by name: what the client would get, and what the same preview can be made from again.

    ``client.json`` says nothing about how the client's account is reached, or who gets the mail.
    """
    if preview.costs is None:
        raise ValueError("a preview without costs has no report")
    access = _no_access(preview.costs.account_id)
    unsaid = {"access": access, "more_accounts": (), "recipients": (), "quarantined": (), "reply_to": None}
    record = preview.client.model_copy(update=unsaid)
    files = {
        rendered.file_name: rendered.pdf,
        **{file.file_name: file.body for file in rendered.files},
        "mail.txt": f"Subject: {rendered.mail.subject}\n\n{rendered.mail.text}".encode(),
        "mail.html": rendered.mail.html.encode(),
        "costs.json": preview.costs.model_dump_json(indent=1).encode(),
        "client.json": record.model_dump_json(indent=1, exclude_none=True).encode(),
    }
    logo = preview.client.branding.logo
    return files | ({logo: preview.logo} if logo and preview.logo else {})


def _no_access(account_id: str) -> RoleAccess:
    return RoleAccess(kind="role", role_arn=f"arn:aws:iam::{account_id}:role/{_NOBODY}", external_id=_NOBODY)
