"""Hold and approve: a client's first reports, or as many as its record says, wait for an operator's word.

One item for each report that was ever held, and nothing that waits for it: a run that holds a report ends as usual.

    (none) ─► HELD ─► APPROVED: a run may send these very bytes
               └────► REJECTED: no run sends it; only force_send holds it anew

An approval is of bytes, not of a report: if the report is made anew and differs, it is held anew. What was held once
waits until it is decided: neither force_send nor a lower ``approve_first`` releases it.
"""

from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, Field

from cost_reporting import periods
from cost_reporting.contracts import Cadence, Fact, Issue, Period, Run, Sha256
from cost_reporting.ledger import report_key

State = Literal["HELD", "APPROVED", "REJECTED"]
Verdict = Literal["send", "hold", "closed"]

SHOWN: Final = 12
"""Digits of a PDF's hash that people read and type."""


class Held(Fact):
    """A report that was held. ``by``, ``reason`` and ``decided_at`` are of the operator who approved or rejected it.

    ``nominal_at`` is that of the run that held it: a run with the same one means the same issue.
    """

    client_id: str
    report: Annotated[str, Field(min_length=1)]
    state: State
    pdf_key: Annotated[str, Field(min_length=1)]
    pdf_sha256: Sha256
    run_id: str
    nominal_at: AwareDatetime
    at: AwareDatetime
    by: str | None = None
    reason: str | None = None
    decided_at: AwareDatetime | None = None


def held_key(run: Run) -> str:
    """Where the held reports of a period and issue are, one item per client."""
    return held_key_of(run.cadence, run.period, run.issue)


def held_key_of(cadence: Cadence, period: Period, issue: Issue) -> str:
    """The same, of what a run is about."""
    return f"{cadence}#{periods.label(period)}#{issue}"


def letter_key(run: Run, client_id: str, pdf_sha256: str) -> str:
    """The ledger's name for the operators' mail about a held report: never the client's, and new for new bytes."""
    client, cadence, period, issue, _ = report_key(run, client_id).split("#", 4)
    return "#".join((client, cadence, period, issue, f"held-{pdf_sha256[:SHOWN]}"))


def judge(
    found: Held | None,
    *,
    pdf_sha256: str,
    approve_first: int,
    approved: frozenset[str],
    report: str,
    forced: bool,
) -> Verdict:
    """What may happen to a report that has not gone to its client yet.

    ``approved`` are the client's reports that were ever approved, by their names; ``report`` is this one's. ``forced``:
    an operator answers for it with force_send, which opens a rejected report again but approves nothing.
    """
    if found is None:
        return "send" if len(approved - {report}) >= approve_first else "hold"
    match found.state:
        case "REJECTED":
            return "hold" if forced else "closed"
        case "APPROVED":
            return "send" if found.pdf_sha256 == pdf_sha256 else "hold"
        case "HELD":
            return "hold"


def approval_due(found: Held | None, *, approve_first: int, approved: frozenset[str]) -> bool:
    """Whether the client may not see a report yet, not even as a test: ``found`` is what is known of its approval.

    Too few of the client's reports were approved so far, or this one was held, and is not approved.
    """
    return (found is not None and found.state != "APPROVED") or len(approved) < approve_first
