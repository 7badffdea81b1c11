"""Render PDF: the report, what goes with it, the words of its mail, and the evidence for it, in the bucket."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from cost_reporting.clients import ReportRecord
from cost_reporting.contracts import Attached, CostsFetched, RenderedReport, ReportRendered, Run, StoredObject
from cost_reporting.costs import CostDocument
from cost_reporting.errors import ReportNotStored
from cost_reporting.evidence import Documents, evidence_for
from cost_reporting.operations.stored_report import evidence_key, stored_report
from cost_reporting.report.naming import CONTENT_TYPES, file_name
from cost_reporting.store.clients import ClientStore
from cost_reporting.store.objects import JSON, PDF, ObjectStore, report_prefix

if TYPE_CHECKING:
    from cost_reporting.report.renderer import Renderer


def render_pdf(
    fetched: CostsFetched, *, clients: ClientStore, renderer: Renderer, objects: ObjectStore
) -> ReportRendered:
    """Find the report that was made from the same costs, client record and templates, or make and store it.

    All of it is found or all of it is made: what goes to the client is always of one rendering. If a report is to go
    out as it is stored, it is found whatever it was made from, or ReportNotStored is raised.
    """
    client = clients.shown(fetched.client_id)
    if fetched.run.as_stored is not None:
        return ReportRendered(**dict(fetched), report=_as_stored(fetched.run, client, objects))
    logo = objects.get(f"clients/{client.client_id}/{client.branding.logo}") if client.branding.logo else None
    made_from = _fingerprint(client, fetched.run, fetched.costs.document.sha256, logo, renderer.template_version)
    report = _found(fetched.run, client, objects, made_from)
    if report is None:
        report = _made(fetched, client, logo, renderer=renderer, objects=objects, made_from=made_from)
    return ReportRendered(**dict(fetched), report=report)


def _as_stored(run: Run, client: ReportRecord, objects: ObjectStore) -> RenderedReport:
    documents = stored_report(run, client.client_id, objects)
    evidence = objects.find(evidence_key(run, client.client_id), fingerprint=None)
    if evidence is None:
        raise ReportNotStored(f"{client.client_id}: its evidence is gone from {evidence_key(run, client.client_id)}")
    return RenderedReport(
        pdf=documents.pdf,
        mail=documents.mail,
        evidence=evidence,
        attachments=documents.attachments,
        file_name=file_name(client.client_id, run),
    )


def _found(run: Run, client: ReportRecord, objects: ObjectStore, made_from: str) -> RenderedReport | None:
    prefix = report_prefix(run, client.client_id)
    kinds = tuple(dict.fromkeys(client.attachments))
    names = ("report.pdf", "mail.json", "evidence.json", *(f"costs.{kind}" for kind in kinds))
    found: list[StoredObject] = []
    for name in names:
        stored = objects.find(f"{prefix}{name}", fingerprint=made_from)
        if stored is None:
            return None
        found.append(stored)
    pdf, mail, evidence, *files = found
    return RenderedReport(
        pdf=pdf,
        mail=mail,
        evidence=evidence,
        attachments=tuple(
            Attached(
                document=stored,
                file_name=file_name(client.client_id, run, kind),
                content_type=CONTENT_TYPES[kind],
            )
            for kind, stored in zip(kinds, files, strict=True)
        ),
        file_name=file_name(client.client_id, run),
    )


def _made(
    fetched: CostsFetched,
    client: ReportRecord,
    logo: bytes | None,
    *,
    renderer: Renderer,
    objects: ObjectStore,
    made_from: str,
) -> RenderedReport:
    costs = CostDocument.model_validate_json(objects.read(fetched.costs.document))
    rendered = renderer.render(client, costs, fetched.run, logo)
    prefix = report_prefix(fetched.run, client.client_id)

    def put(name: str, body: bytes, content_type: str) -> StoredObject:
        return objects.put(f"{prefix}{name}", body, content_type, fingerprint=made_from)

    documents = Documents(
        costs=fetched.costs.document,
        answers=objects.find(f"{prefix}answers.json"),
        pdf=put("report.pdf", rendered.pdf, PDF),
        mail=put("mail.json", rendered.mail.model_dump_json().encode(), JSON),
        attachments=tuple(
            Attached(
                document=put(f"costs.{file.kind}", file.body, file.content_type),
                file_name=file.file_name,
                content_type=file.content_type,
            )
            for file in rendered.files
        ),
    )
    evidence = evidence_for(
        fetched.run, costs, documents, template_version=renderer.template_version, warnings=rendered.warnings
    )
    return RenderedReport(
        pdf=documents.pdf,
        mail=documents.mail,
        evidence=put("evidence.json", evidence.model_dump_json(indent=1).encode(), JSON),
        attachments=documents.attachments,
        file_name=file_name(client.client_id, fetched.run),
    )


def _fingerprint(client: ReportRecord, run: Run, costs_sha256: str, logo: bytes | None, template_version: str) -> str:
    parts = (
        client.model_dump_json(),
        run.mode,
        costs_sha256,
        "no logo" if logo is None else sha256(logo).hexdigest(),
        template_version,
    )
    return sha256("\n".join(parts).encode()).hexdigest()
