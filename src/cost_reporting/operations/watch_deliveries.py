"""Watch Deliveries: what each schedule should have produced, compared with what became of it."""

import json
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from hashlib import sha256
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from cost_reporting.clients import is_due
from cost_reporting.contracts import DeliveriesWatched, ReportWatched, WatchAsked
from cost_reporting.delivery import Channel
from cost_reporting.delivery.message import Enclosure, compose
from cost_reporting.delivery.once import Parcel, send_once
from cost_reporting.delivery.rollup import RollCall, words
from cost_reporting.domain.report_status import MISSING, STATUSES, UNDELIVERED, judge
from cost_reporting.errors import (
    CostReportingError,
    RollUpNotSent,
)
from cost_reporting.ledger import issue_key
from cost_reporting.operations.report_facts import FIELDS, Row, facts_of_issue
from cost_reporting.periods import label
from cost_reporting.schedules import Due, due_by
from cost_reporting.store.clients import ClientStore
from cost_reporting.store.ledger import LedgerStore
from cost_reporting.store.objects import JSON, ObjectStore
from cost_reporting.store.rollups import RolledUp, RollUpStore
from cost_reporting.store.runs import RunStore

MORNING: Final = timedelta(hours=9)
"""When the day of a reminder begins, in the schedules' time zone: what is still missing is said again each morning."""
OPERATORS: Final = "OPERATORS"
"""Stands for the client in the name of a roll-up. No client can be called so: their ids are lower case."""

_log = logging.getLogger(__name__)
Told = Literal["mailed", "nothing_new", "already_sent", "underway", "uncertain"]


@dataclass(frozen=True)
class Post:
    """How the roll-up leaves: the stores that remember it, and the channel with both addresses."""

    ledger: LedgerStore
    roll_ups: RollUpStore
    objects: ObjectStore
    channel: Channel
    sender: str
    operators: str


def watch_deliveries(
    asked: WatchAsked, *, zone: ZoneInfo, clients: ClientStore, runs: RunStore, post: Post, now: Callable[[], datetime]
) -> DeliveriesWatched:
    """Look at the last report of each schedule, client by client, and tell operators if there is news.

    Expected is whom a run for everybody has listed, and who is due now. It may run as often as one likes: it changes
    nothing, and mails a roll-up only when something is new, and once each morning while a report is missing.

    Raises RollUpNotSent, which carries the counts, if operators could not be told.
    """
    at = asked.scheduled_at or now()
    rows = {str(row.get("client_id")): row for row in clients.rows(*FIELDS)}
    calls = [
        call
        for due in due_by(at, zone)
        if (call := roll_call(due, rows, runs=runs, ledger=post.ledger, objects=post.objects, at=at)).clients
    ]
    statuses = Counter(client.status for call in calls for client in call.clients)
    missing, bounced = (sum(statuses[status] for status in group) for group in (MISSING, UNDELIVERED))
    _log.info("roll_call", extra={"reports": len(calls), **{status: statuses[status] for status in STATUSES}})
    try:
        told = _tell(calls, at=at, zone=zone, post=post, now=now, missing=missing)
    except CostReportingError as trouble:
        raise RollUpNotSent(f"{trouble.name}: {trouble}", missing=missing, bounced=bounced) from trouble
    reports = tuple(
        ReportWatched(
            cadence=call.due.cadence,
            period=label(call.due.period),
            issue=call.due.issue,
            due_at=call.due.moment,
            fired=call.fired,
            clients=len(call.clients),
            counts=dict(Counter(client.status for client in call.clients)),
        )
        for call in calls
    )
    return DeliveriesWatched(at=at, reports=reports, missing=missing, bounced=bounced, roll_up=told)


def roll_call(
    due: Due, rows: Mapping[str, Row], *, runs: RunStore, ledger: LedgerStore, objects: ObjectStore, at: datetime
) -> RollCall:
    """How each client's report ``due`` stands. Reads whole partitions, never client by client."""
    issue = issue_key(due)
    since = datetime.combine(due.period.end, time(), UTC)
    known = facts_of_issue(
        issue, rows, runs=runs, ledger=ledger, objects=objects, among=list(runs.listed(since, max(at, since)))
    )
    if not known.fired and due.moment < runs.since():
        return RollCall(due=due, fired=False, clients=())  # this system was not there yet
    dues = {client_id for client_id, row in rows.items() if is_due(row, due.cadence, due.issue)}
    expected = sorted(dues | known.listed.keys() | known.marks.keys() | known.holds.keys())
    return RollCall(due=due, fired=known.fired, clients=tuple(judge(known.of(each), now=at) for each in expected))


# -- the roll-up ------------------------------------------------------------------------------------------------------


def _tell(
    calls: Iterable[RollCall], *, at: datetime, zone: ZoneInfo, post: Post, now: Callable[[], datetime], missing: int
) -> Told:
    calls = tuple(calls)
    news = RolledUp(said=_hash(calls), day=(at.astimezone(zone) - MORNING).date())
    last = post.roll_ups.last()
    if not calls or (last is not None and _is_old(news, last, missing)):
        return "nothing_new"
    report = "#".join((OPERATORS, "roll-up", news.day.isoformat(), news.said[:16], "live"))
    whole = json.dumps(list(_whole(calls)), ensure_ascii=False, indent=1).encode()

    def message() -> bytes:
        stored = post.objects.put(f"runs/watch/{news.day.isoformat()}/roll-up-{news.said[:16]}.json", whole, JSON)
        return compose(
            words(calls, at=at, zone=zone, stored=stored.key),
            sender=post.sender,
            recipient=post.operators,
            reply_to=None,
            enclosures=[Enclosure(file_name="roll-up.json", content_type=JSON, body=whole)],
        )

    parcel = Parcel(
        report=report,
        client_id=OPERATORS,
        address=post.operators,
        run_id="watch",
        sha256=sha256(whole).hexdigest(),
        message=message,
    )
    answer = send_once(parcel, ledger=post.ledger, channel=post.channel, sender=post.sender, now=now)
    if answer.decision in ("sent", "already_sent"):
        post.roll_ups.remember(news)
    if answer.decision == "uncertain":
        _log.warning("roll_up_uncertain", extra={"day": news.day.isoformat()})
    match answer.decision:
        case "sent":
            return "mailed"
        case "repeated":  # nobody forces a roll-up
            return "underway"
        case decision:
            return decision


def _is_old(news: RolledUp, last: RolledUp, missing: int) -> bool:
    """The same was said before, and, if a report is missing, since this morning."""
    return news.said == last.said and (not missing or news.day == last.day)


def _hash(calls: Iterable[RollCall]) -> str:
    """Of what is news: which reports there are, and each client that is not well, and how.

    That SES accepts a mail, and delivers it some minutes later, is no news. A recipient added since is.
    """
    news = [
        [issue_key(call.due), sorted([c.client_id, c.status, c.detail] for c in call.clients if not c.is_calm)]
        for call in calls
    ]
    return sha256(json.dumps(news).encode()).hexdigest()


def _whole(calls: Iterable[RollCall]) -> Iterator[dict[str, Any]]:
    for call in calls:
        for client in call.clients:
            yield {"report": issue_key(call.due)} | client.model_dump(mode="json", exclude_none=True)
