"""The gate before the mail: whether a report may go to its client, or waits for an operator, or is closed."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from cost_reporting.approvals import SHOWN, Held, approval_due, held_key, judge
from cost_reporting.clients import Client
from cost_reporting.contracts import DOWNLOADS, MailWords, ReportRendered, Run
from cost_reporting.errors import StoreThrottled
from cost_reporting.ledger import fingerprint, report_key
from cost_reporting.periods import label
from cost_reporting.store.approvals import ApprovalStore
from cost_reporting.store.ledger import LedgerStore

_HTML: Final = """<!doctype html><html lang="en"><head><meta charset="utf-8"></head>
<body style="font-family:'Segoe UI',Helvetica,Arial,sans-serif"><pre style="white-space:pre-wrap;font:inherit">{}</pre>
<table>{}</table></body></html>"""


def kept_back(
    rendered: ReportRendered,
    client: Client,
    *,
    approvals: ApprovalStore,
    ledger: LedgerStore,
    now: Callable[[], datetime],
) -> Held | None:
    """The item of a report that may not go to its client (now): held, and written down as such, or rejected.

    None: it may be sent. Tests go to whom they are for, and what the client has been mailed before, to the byte, is no
    news, so neither waits; but what was rejected is held whatever went before.
    Raises StoreThrottled if another writer decides at the same moment.
    """
    run, pdf = rendered.run, rendered.report.pdf
    if run.mode != "live":
        return None
    found = approvals.find(held_key(run), client.client_id)
    if found is None and client.approve_first == 0:
        return None
    report = report_key(run, client.client_id)
    verdict = judge(
        found,
        pdf_sha256=pdf.sha256,
        approve_first=client.approve_first,
        approved=approvals.approved(client.client_id),
        report=report,
        forced=run.force_send is not None,
    )
    if verdict == "closed":
        return found
    rejected = found is not None and found.state == "REJECTED"
    if verdict == "send" or (not rejected and _mailed_before(report, client, pdf.sha256, ledger)):
        return None
    if found is not None and (found.state, found.pdf_sha256) == ("HELD", pdf.sha256):
        return found
    held = Held(
        client_id=client.client_id,
        report=report,
        state="HELD",
        pdf_key=pdf.key,
        pdf_sha256=pdf.sha256,
        run_id=run.run_id,
        nominal_at=run.nominal_at,
        at=now(),
    )
    if not approvals.hold(held_key(run), held, replacing=found):
        raise StoreThrottled("hold a report: another writer was first")
    return held


def approval_is_due(run: Run, client_id: str, approve_first: int, approvals: ApprovalStore) -> bool:
    """Whether the report of ``run`` may not be shown to its client yet, not even as a test."""
    found = approvals.find(held_key(run), client_id)
    if found is None and approve_first == 0:
        return False
    return approval_due(found, approve_first=approve_first, approved=approvals.approved(client_id))


def _mailed_before(report: str, client: Client, pdf_sha256: str, ledger: LedgerStore) -> bool:
    """Whether one of the recipients has, or may have, these very bytes: what was begun is finished then."""
    entries = (ledger.find(report, fingerprint(address)) for address in client.recipients)
    return any(each.report_sha256 == pdf_sha256 for entry in entries if entry is not None for each in entry.tries)


def waiting_words(words: MailWords, held: Held, rendered: ReportRendered) -> MailWords:
    """The operators' mail about a held report: what waits, what to type, and what the client would read."""
    run, client_id = rendered.run, held.client_id
    which = (
        f"--client-id {client_id} --period {label(run.period)} --cadence {run.cadence} --issue {run.issue} "
        f"--sha256 {held.pdf_sha256[:SHOWN]}"
    )
    text = f"""The {run.cadence} report {label(run.period)} ({run.issue}) of {client_id} waits for approval.
Nothing has been sent to the client. The PDF is what the client would get, to the byte.

Send it:
    .venv/bin/python scripts/report.py approve {which}

Never send it:
    .venv/bin/python scripts/report.py reject {which} --reason "…"

PDF: {held.pdf_key}
sha256: {held.pdf_sha256}
Held by run {held.run_id} at {held.at:%Y-%m-%d %H:%M} UTC.

The client would read:

Subject: {words.subject}

{words.text}"""
    downloads = words.downloads
    return MailWords(
        subject=f"[Waits for approval] {words.subject}",
        text=text,
        html=_HTML.format(_escaped(text), DOWNLOADS if downloads else ""),
        downloads=downloads,
    )


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
