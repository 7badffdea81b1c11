"""What a report is called. Needs no typesetter, so that a stored report can be named without one."""

from typing import Final

from cost_reporting.clients import Attachment
from cost_reporting.contracts import Run
from cost_reporting.periods import label

CONTENT_TYPES: Final[dict[Attachment, str]] = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def file_name(client_id: str, run: Run, kind: str = "pdf") -> str:
    """The recipient's attachment: ``acme_aws-costs_2026-10_final.pdf``, with ``TEST_`` in front of a test's."""
    test = "TEST_" if run.mode == "test" else ""
    return f"{test}{client_id}_aws-costs_{label(run.period)}_{run.issue}.{kind}"
