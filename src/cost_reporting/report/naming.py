"""What a report is called. Needs no typesetter, so that a stored report can be named without one."""

from typing import Final

from cost_reporting.clients import Attachment
from cost_reporting.contracts import Run
from cost_reporting.periods import label

CONTENT_TYPES: Final[dict[Attachment, str]] = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def file_name(client_id: str, run: Run, kind: str = "pdf", *, estimated: bool, incomplete: bool) -> str:
    """The recipient's attachment: ``acme_aws-costs_2026-10_final.pdf``, with ``TEST_`` in front of a test's.

    A final report of which AWS still calls days ``estimated`` says so, as does one whose total is ``incomplete``:
    ``acme_aws-costs_2026-10_final-estimated.pdf``, ``…_preliminary-incomplete.pdf``.
    """
    test = "TEST_" if run.mode == "test" else ""
    state = "-".join(
        (
            run.issue,
            *(["estimated"] if estimated and run.issue == "final" else []),
            *(["incomplete"] if incomplete else []),
        )
    )
    return f"{test}{client_id}_aws-costs_{label(run.period)}_{state}.{kind}"
