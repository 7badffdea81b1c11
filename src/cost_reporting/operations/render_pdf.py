"""Render PDF: the report and the words of its mail, in the bucket."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from cost_reporting.clients import Client
from cost_reporting.contracts import CostsFetched, RenderedReport, ReportRendered, Run
from cost_reporting.costs import CostDocument
from cost_reporting.report.naming import file_name
from cost_reporting.store.clients import ClientStore
from cost_reporting.store.objects import JSON, PDF, ObjectStore, report_prefix

if TYPE_CHECKING:
    from cost_reporting.report.renderer import Renderer


def render_pdf(
    fetched: CostsFetched, *, clients: ClientStore, renderer: Renderer, objects: ObjectStore
) -> ReportRendered:
    """Find the report that was made from the same costs, client record and templates, or make and store it."""
    client = clients.get(fetched.client_id)
    logo = objects.get(f"clients/{client.client_id}/{client.branding.logo}") if client.branding.logo else None
    prefix = report_prefix(fetched.run, client.client_id)
    made_from = _fingerprint(client, fetched.run, fetched.costs.document.sha256, logo, renderer.template_version)
    pdf = objects.find(f"{prefix}report.pdf", fingerprint=made_from)
    mail = objects.find(f"{prefix}mail.json", fingerprint=made_from)
    if pdf is None or mail is None:
        costs = CostDocument.model_validate_json(objects.read(fetched.costs.document))
        rendered = renderer.render(client, costs, fetched.run, logo)
        pdf = objects.put(f"{prefix}report.pdf", rendered.pdf, PDF, fingerprint=made_from)
        mail = objects.put(f"{prefix}mail.json", rendered.mail.model_dump_json().encode(), JSON, fingerprint=made_from)
    report = RenderedReport(pdf=pdf, mail=mail, file_name=file_name(client.client_id, fetched.run))
    return ReportRendered(**dict(fetched), report=report)


def _fingerprint(client: Client, run: Run, costs_sha256: str, logo: bytes | None, template_version: str) -> str:
    parts = (
        client.model_dump_json(exclude={"version", "recipients", "reply_to", "access"}),
        run.mode,
        costs_sha256,
        sha256(logo or b"").hexdigest(),
        template_version,
    )
    return sha256("\n".join(parts).encode()).hexdigest()
