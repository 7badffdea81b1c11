"""What a report is called. Needs no typesetter, so that a stored report can be named without one."""

from cost_reporting.contracts import Run
from cost_reporting.periods import label


def file_name(client_id: str, run: Run) -> str:
    """The recipient's attachment: ``acme_aws-costs_2026-10_final.pdf``, with ``TEST_`` in front of a test's."""
    test = "TEST_" if run.mode == "test" else ""
    return f"{test}{client_id}_aws-costs_{label(run.period)}_{run.issue}.pdf"
