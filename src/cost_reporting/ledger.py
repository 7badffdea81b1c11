"""The mail ledger: the memory that makes a second mail impossible. SES has no client token, so it is ours.

One entry for each report and recipient:

    (none) ─► SENDING ─► SENT
                 ├─ SES refused for certain ─► REFUSED: a rerun may send
                 └─ crash or timeout ─► stays SENDING: whether SES accepted the message is unknown

SENDING is written, under a condition, just before SES is called, so of two senders only one calls. An entry found in
SENDING is never sent again by itself: while it is fresh another execution is at it, and later its outcome is unknown.
"""

from datetime import datetime, timedelta
from hashlib import sha256
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, Field

from cost_reporting import periods
from cost_reporting.contracts import Fact, Run, Sha256

State = Literal["SENDING", "SENT", "REFUSED"]
Decision = Literal["send", "already_sent", "underway", "uncertain"]

UNDERWAY: Final = timedelta(seconds=90)
"""How long a sender may still be at work on an entry: the timeout of Send Email's task."""


class Entry(Fact):
    """What is known about the mail of one report to one recipient."""

    report: Annotated[str, Field(min_length=1)]
    recipient: Annotated[str, Field(min_length=8)]
    state: State
    attempt: Annotated[int, Field(ge=1)]
    run_id: str
    report_sha256: Sha256
    updated_at: AwareDatetime
    message_id: str | None = None
    reason: str | None = None


def report_key(run: Run, client_id: str) -> str:
    """The ledger's name for a report: client, cadence, period, issue. A test run has a ledger of its own."""
    scope = f"test#{run.run_id}" if run.mode == "test" else "live"
    return "#".join((client_id, run.cadence, periods.label(run.period), run.issue, scope))


def fingerprint(address: str) -> str:
    """A recipient's name in logs, states and keys: the same for every spelling, and not an address."""
    return sha256(address.strip().casefold().encode()).hexdigest()[:16]


def decide(entry: Entry | None, *, now: datetime, forced_by: str | None = None) -> Decision:
    """What may happen to a mail whose ledger entry is ``entry``.

    ``forced_by`` is the id of a run for which an operator answers for a second mail. It overrules what other runs left,
    never what the same run did, so that a retry within it still mails once.
    """
    if entry is None or entry.state == "REFUSED":
        return "send"
    if entry.state == "SENDING" and now - entry.updated_at < UNDERWAY:
        return "underway"
    if forced_by is not None and entry.run_id != forced_by:
        return "send"
    return "uncertain" if entry.state == "SENDING" else "already_sent"
