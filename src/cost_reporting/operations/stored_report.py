"""A report as it is stored, found by its evidence, which names all that belongs to one rendering."""

from pydantic import ValidationError

from cost_reporting.contracts import Run
from cost_reporting.errors import ReportNotStored
from cost_reporting.evidence import Documents, Evidence
from cost_reporting.periods import label
from cost_reporting.store.objects import ObjectStore, report_prefix


def evidence_key(run: Run, client_id: str) -> str:
    """Where the evidence for a report is."""
    return f"{report_prefix(run, client_id)}evidence.json"


def answers_key(prefix: str, digest: str) -> str:
    """Where answers of Cost Explorer with this hash are, among the documents below ``prefix``."""
    return f"{prefix}answers-{digest[:16]}.json"


def find_report(run: Run, client_id: str, objects: ObjectStore) -> Documents | None:
    """What is stored of the report of ``run`` for the client, or None. Raises ReportNotStored if it is unreadable."""
    body = objects.get(evidence_key(run, client_id))
    if body is None:
        return None
    try:
        return Evidence.model_validate_json(body).documents
    except ValidationError:
        raise ReportNotStored(f"{client_id}: {evidence_key(run, client_id)} is not evidence for a report") from None


def stored_report(run: Run, client_id: str, objects: ObjectStore) -> Documents:
    """The stored report that ``run`` asks for by its PDF's hash. Raises ReportNotStored if another one is there."""
    documents = find_report(run, client_id, objects)
    which = f"{client_id}, {run.cadence} {label(run.period)}, {run.issue}"
    if documents is None:
        raise ReportNotStored(f"{which}: no report is stored")
    if documents.pdf.sha256 != run.as_stored:
        raise ReportNotStored(f"{which}: the stored PDF is {documents.pdf.sha256}, not {run.as_stored}")
    return documents
