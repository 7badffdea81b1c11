"""When a recipient is left out for good: mail to it bounces, or it has complained.

Sending on to such addresses costs the sender's reputation, and in the end every client's mail. The rule:

- one complaint, or an address that stands on SES's suppression list;
- one permanent bounce that no later delivery has made doubtful;
- three transient bounces of different mails within 90 days, and no delivery since the first of them.

What an operator has lifted is forgiven: only what happened after that counts again.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, Literal

from pydantic import AwareDatetime

from cost_reporting.contracts import Fact
from cost_reporting.ledger import Entry

TRANSIENT_BOUNCES: Final = 3
TRANSIENT_WITHIN: Final = timedelta(days=90)

Kind = Literal["delivered", "complaint", "bounce", "transient_bounce", "suppressed"]
Why = Literal["complained", "bounced", "bounced_repeatedly", "suppressed"]
Deed = Literal["quarantined", "restored"]


class Sign(Fact):
    """Something that is known about a recipient, a fingerprint: what, when, and who says so (``source``)."""

    recipient: str
    kind: Kind
    at: AwareDatetime
    source: str


class Finding(Fact):
    """Why a recipient is to be left out, and the sign that decided it."""

    why: Why
    sign: Sign


class Deeded(Fact):
    """What was done about a recipient of a client, for good: by whom, when, in which run of the command, and why.

    ``version`` is that of the client record with it. The address itself is in the record only.
    """

    deed: Deed
    recipient: str
    at: AwareDatetime
    by: str
    run_id: str
    version: int
    reason: str
    evidence: str | None = None
    evidence_at: AwareDatetime | None = None


def sign_of(entry: Entry) -> Sign | None:
    """What a ledger entry says about its recipient; None if it says nothing."""
    kind: Kind | None = None
    if entry.state == "COMPLAINED":
        kind = "complaint"
    elif entry.state == "BOUNCED":
        kind = "bounce"
    elif entry.state == "DELIVERED":
        kind = "delivered"
    elif entry.bounce == "Transient":
        kind = "transient_bounce"
    if kind is None:
        return None
    return Sign(recipient=entry.recipient, kind=kind, at=entry.updated_at, source=f"ledger {entry.report}")


def finding(signs: Iterable[Sign], *, now: datetime, lifted_at: datetime | None = None) -> Finding | None:
    """Whether ``signs`` of one recipient leave it out; None if not. ``lifted_at``: when an operator has forgiven."""
    fresh = sorted((sign for sign in signs if lifted_at is None or sign.at > lifted_at), key=lambda sign: sign.at)
    by_kind = {kind: [sign for sign in fresh if sign.kind == kind] for kind in ("complaint", "suppressed", "bounce")}
    if by_kind["complaint"]:
        return Finding(why="complained", sign=by_kind["complaint"][-1])
    if by_kind["suppressed"]:
        return Finding(why="suppressed", sign=by_kind["suppressed"][-1])
    delivered = max((sign.at for sign in fresh if sign.kind == "delivered"), default=None)
    since = [sign for sign in fresh if delivered is None or sign.at > delivered]
    bounces = [sign for sign in since if sign.kind == "bounce"]
    if bounces:
        return Finding(why="bounced", sign=bounces[-1])
    passing = [sign for sign in since if sign.kind == "transient_bounce" and now - sign.at <= TRANSIENT_WITHIN]
    if len({sign.source for sign in passing}) >= TRANSIENT_BOUNCES:
        return Finding(why="bounced_repeatedly", sign=passing[-1])
    return None
