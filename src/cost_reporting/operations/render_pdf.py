"""Render PDF: the report, what goes with it, the words of its mail, and the evidence for it, in the bucket."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from pydantic import ValidationError

from cost_reporting.clients import Attachment, ReportRecord
from cost_reporting.contracts import (
    Attached,
    CostsFetched,
    FetchedCosts,
    RenderedReport,
    ReportRendered,
    Run,
    StoredObject,
)
from cost_reporting.costs import CostDocument
from cost_reporting.domain.gate import gate
from cost_reporting.errors import ReportNotStored, StaleDocument
from cost_reporting.evidence import Documents, Evidence, evidence_for
from cost_reporting.operations.stored_report import answers_key, evidence_key, stored_report
from cost_reporting.report.naming import CONTENT_TYPES, file_name
from cost_reporting.store.clients import ClientStore
from cost_reporting.store.objects import JSON, PDF, Document, ObjectStore, report_prefix

if TYPE_CHECKING:
    from cost_reporting.report.renderer import Renderer


def render_pdf(
    fetched: CostsFetched, *, clients: ClientStore, renderer: Renderer, objects: ObjectStore
) -> ReportRendered:
    """Find the report that was made from the same costs, client record and templates, or make and store it.

    All of it is found or all of it is made: what goes to the client is always of one rendering. What is found is read,
    and counts only if its bytes are those that were stored and the evidence names them. Of two executions that render
    at once, the second goes on with the bytes of the first if they are the same, and begins again if they are others
    (StaleDocument).

    If a report is to go out as it is stored, it is found whatever it was made from, or ReportNotStored is raised.

    A first try that was ``killed`` may have been so by the client's logo: the second leaves it out and says so. The
    report without it is none that a later run would find: that renders with the logo.
    """
    client = clients.shown(fetched.client_id)
    if fetched.run.as_stored is not None:
        return ReportRendered(**dict(fetched), report=_as_stored(fetched.run, client, objects))
    logo = objects.get(f"clients/{client.client_id}/{client.branding.logo}") if client.branding.logo else None
    left_out = f"rendering with it was killed: {fetched.killed.error}" if fetched.killed and logo is not None else None
    made_from = _fingerprint(
        client, fetched.run, fetched.costs.document.sha256, logo, renderer.template_version, without_logo=bool(left_out)
    )
    there = _there(fetched.run, client, objects)
    report = _found(fetched.run, client, fetched.costs, there, made_from)
    if report is None:
        making = _Making(fetched, client, objects, made_from, there)
        report = making.stored(renderer, None if left_out else logo, left_out)
    return ReportRendered(**dict(fetched), report=report.model_copy(update={"logo_left_out": left_out}))


def _as_stored(run: Run, client: ReportRecord, objects: ObjectStore) -> RenderedReport:
    documents = stored_report(run, client.client_id, objects)
    evidence = objects.open(evidence_key(run, client.client_id))
    if evidence is None:
        raise ReportNotStored(f"{client.client_id}: its evidence is gone from {evidence_key(run, client.client_id)}")
    try:
        for document in (documents.pdf, documents.mail, *(each.document for each in documents.attachments)):
            objects.read(document)
    except StaleDocument as stale:
        raise ReportNotStored(f"{client.client_id}: {stale}") from stale
    return RenderedReport(
        pdf=documents.pdf,
        mail=documents.mail,
        evidence=evidence.stored,
        attachments=documents.attachments,
        file_name=documents.pdf_file_name
        or file_name(client.client_id, run, estimated=False, incomplete=False),  # stored before names were noted
    )


def _kinds(client: ReportRecord) -> tuple[Attachment, ...]:
    return tuple(dict.fromkeys(client.attachments))


def _there(run: Run, client: ReportRecord, objects: ObjectStore) -> dict[str, Document | None]:
    """What is stored of a report under each of its names."""
    prefix = report_prefix(run, client.client_id)
    names = ("report.pdf", "mail.json", "evidence.json", *(f"costs.{kind}" for kind in _kinds(client)))
    return {name: objects.open(f"{prefix}{name}") for name in names}


def _name(client: ReportRecord, run: Run, costs: FetchedCosts, kind: str = "pdf") -> str:
    return file_name(client.client_id, run, kind, estimated=costs.estimated, incomplete=costs.incomplete)


def _found(
    run: Run, client: ReportRecord, fetched: FetchedCosts, there: dict[str, Document | None], made_from: str
) -> RenderedReport | None:
    """The report that is ``there``, if all of it was made from ``made_from``, in one go, and is as it was stored."""
    found = {name: each for name, each in there.items() if each and each.sound and each.fingerprint == made_from}
    if len(found) < len(there):
        return None
    report = RenderedReport(
        pdf=found["report.pdf"].stored,
        mail=found["mail.json"].stored,
        evidence=found["evidence.json"].stored,
        attachments=tuple(
            Attached(
                document=found[f"costs.{kind}"].stored,
                file_name=_name(client, run, fetched, kind),
                content_type=CONTENT_TYPES[kind],
            )
            for kind in _kinds(client)
        ),
        file_name=_name(client, run, fetched),
    )
    try:
        named = Evidence.model_validate_json(found["evidence.json"].body).documents
    except ValidationError:
        return None
    same = _hashes(named.pdf, named.mail, named.attachments) == _hashes(report.pdf, report.mail, report.attachments)
    return report if same else None


def _hashes(pdf: StoredObject, mail: StoredObject, attachments: tuple[Attached, ...]) -> tuple[str, ...]:
    return (pdf.sha256, mail.sha256, *(each.document.sha256 for each in attachments))


@dataclass(frozen=True)
class _Making:
    """A report that is made and stored in the place of what was ``there`` before."""

    fetched: CostsFetched
    client: ReportRecord
    objects: ObjectStore
    made_from: str
    there: dict[str, Document | None]

    def stored(self, renderer: Renderer, logo: bytes | None, left_out: str | None) -> RenderedReport:
        run, document = self.fetched.run, self.fetched.costs.document
        costs = gate(
            CostDocument.model_validate_json(self.objects.read(document))
        )  # an older version may have stored it
        rendered = renderer.render(self.client, costs, run, logo, left_out)
        documents = Documents(
            costs=document,
            answers=_answers(document, report_prefix(run, self.client.client_id), self.objects),
            pdf=self._put("report.pdf", rendered.pdf, PDF),
            pdf_file_name=rendered.file_name,
            mail=self._put("mail.json", rendered.mail.model_dump_json().encode(), JSON),
            attachments=tuple(
                Attached(
                    document=self._put(f"costs.{file.kind}", file.body, file.content_type),
                    file_name=file.file_name,
                    content_type=file.content_type,
                )
                for file in rendered.files
            ),
        )
        evidence = evidence_for(
            run, costs, documents, template_version=renderer.template_version, warnings=rendered.warnings
        )
        body = evidence.model_dump_json(indent=1).encode()
        kept = self._replace("evidence.json", body, JSON)
        if kept is None:
            there = _there(run, self.client, self.objects)
            theirs = _found(run, self.client, self.fetched.costs, there, self.made_from)
            if theirs is None:
                raise self._overtaken("evidence.json")
            return theirs
        return RenderedReport(
            pdf=documents.pdf,
            mail=documents.mail,
            evidence=kept,
            attachments=documents.attachments,
            file_name=rendered.file_name,
        )

    def _put(self, name: str, body: bytes, content_type: str) -> StoredObject:
        """Store one of the documents; or find that another execution has just stored the same bytes."""
        stored = self._replace(name, body, content_type)
        if stored is not None:
            return stored
        theirs = self.objects.open(f"{report_prefix(self.fetched.run, self.client.client_id)}{name}")
        if theirs is None or theirs.body != body or not theirs.sound or theirs.fingerprint != self.made_from:
            raise self._overtaken(name)
        return theirs.stored

    def _replace(self, name: str, body: bytes, content_type: str) -> StoredObject | None:
        return self.objects.replace(
            f"{report_prefix(self.fetched.run, self.client.client_id)}{name}",
            body,
            content_type,
            there=self.there.get(name),
            fingerprint=self.made_from,
        )

    def _overtaken(self, name: str) -> StaleDocument:
        prefix = report_prefix(self.fetched.run, self.client.client_id)
        return StaleDocument(f"put {prefix}{name}: another execution has stored other bytes meanwhile")


def _answers(costs: StoredObject, prefix: str, objects: ObjectStore) -> StoredObject | None:
    """The answers that these very costs were made from, as they came; None if they are not to be had.

    The metadata of costs.json name them. Costs from before they did have them in ``answers.json``.
    """
    document = objects.open(costs.key)
    if document is None or document.stored.sha256 != costs.sha256:
        return None
    named = document.metadata.get("answers")
    answers = objects.open(answers_key(prefix, named) if named else f"{prefix}answers.json")
    if answers is None or not answers.sound or named not in (None, answers.stored.sha256):
        return None
    return answers.stored


def _fingerprint(
    client: ReportRecord,
    run: Run,
    costs_sha256: str,
    logo: bytes | None,
    template_version: str,
    *,
    without_logo: bool,
) -> str:
    parts = (
        client.model_dump_json(),
        run.mode,
        costs_sha256,
        "no logo" if logo is None else sha256(logo).hexdigest() + (" left out" if without_logo else ""),
        template_version,
    )
    return sha256("\n".join(parts).encode()).hexdigest()
