"""Resend: the mail of a report once more, with the very bytes that were mailed before."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from cost_reporting.contracts import Cadence, Fact, Issue, Period, Run, RunAsked, StoredObject
from cost_reporting.errors import InvalidRequest, ReportNotStored
from cost_reporting.ledger import Entry, fingerprint, is_lately, last_forced, missing_recipients, report_key
from cost_reporting.operations.list_clients import what_is_asked
from cost_reporting.operations.runs import Request
from cost_reporting.operations.stored_report import find_report
from cost_reporting.periods import cadence_of, issues_of, label, moment_of, parse
from cost_reporting.store.clients import ClientStore
from cost_reporting.store.ledger import LedgerStore
from cost_reporting.store.objects import ObjectStore

_PLANNED: Final = "planned"


class Resend(Fact):
    """A mail that may go out once more: the request for it, what it carries, and who has had it.

    ``missing`` are the recipients of the record, by their fingerprints, to whom it was never tried.
    """

    request: Request
    run: Run
    pdf: StoredObject
    recipients: int
    mailed: tuple[Entry, ...]
    missing: tuple[str, ...]


def named_period(text: str, cadence: Cadence | None = None) -> tuple[Period, Cadence]:
    """The period that is written so, with its cadence. Raises InvalidRequest naming the field."""
    try:
        period = parse(text)
    except ValueError as unreadable:
        raise InvalidRequest(f"period: {unreadable}") from None
    own = cadence_of(period)
    if own is None or cadence not in (None, own):
        raise InvalidRequest(f"cadence: {text} is a {own} period, not a {cadence} one")
    return period, own


def resend(
    client_id: str,
    period: str,
    reason: str,
    *,
    cadence: Cadence | None,
    issue: Issue | None,
    at: datetime,
    zone: ZoneInfo,
    clients: ClientStore,
    ledger: LedgerStore,
    objects: ObjectStore,
    missing: bool = False,
) -> Resend:
    """The request that mails a report's stored bytes once more; the newest issue that was mailed, unless one is named.

    With ``missing`` they go to those recipients only who have not been mailed the report: added since, say.

    Raises ReportNotStored if it was never mailed, or if what is stored now is not what was mailed; ClientUnknown;
    InvalidRequest naming the field.
    """
    client = clients.get(client_id)
    covered, kind = named_period(period, cadence)
    for each in issues_of(kind) if issue is None or kind == "weekly" else (issue,):
        request = _request(client_id, covered, kind, each, reason, None, at)
        run = what_is_asked(RunAsked(request=request, execution_id=_PLANNED, started_at=at), zone)[1]
        mailed = ledger.of_report(report_key(run, client_id)) if run.issue == each else ()
        if not mailed:
            continue
        stored = find_report(run, client_id, objects)
        if stored is None:
            raise ReportNotStored(f"{client_id}, {kind} {period}, {each}: it was mailed, but is not stored any more")
        if stored.pdf.sha256 not in {entry.report_sha256 for entry in mailed}:
            raise ReportNotStored(f"{client_id}, {kind} {period}, {each}: what is stored now was never mailed")
        request = _request(client_id, covered, kind, each, reason, stored.pdf.sha256, at)
        lacking = missing_recipients(map(fingerprint, client.recipients), mailed)
        if missing:
            request["force_send"] |= {"missing": True}
        return Resend(
            request=request,
            run=run,
            pdf=stored.pdf,
            recipients=len(lacking if missing else client.recipients),
            mailed=mailed,
            missing=lacking,
        )
    raise ReportNotStored(f"{client_id}, {kind} {period}{f', {issue}' if issue else ''}: no report was ever mailed")


def again(request: Request) -> Request:
    """The request with the second word: a mail that was forced a moment ago may be forced once more."""
    return request | {"force_send": request["force_send"] | {"again": True}}


def forced_lately(mailed: Iterable[Entry], now: datetime) -> datetime | None:
    """When a mail of a report was last forced, if a further one needs a second word."""
    return max((last for each in mailed if (last := last_forced(each)) and is_lately(last, now)), default=None)


def _request(
    client_id: str, period: Period, cadence: Cadence, issue: Issue, reason: str, pdf_sha256: str | None, at: datetime
) -> Request:
    return {
        "cadence": cadence,
        "period": label(period),
        "scheduled_at": min(at, moment_of(period, issue)).isoformat(),
        "client_ids": [client_id],
        "force_send": {"reason": reason} | ({"pdf_sha256": pdf_sha256} if pdf_sha256 else {}),
    }
