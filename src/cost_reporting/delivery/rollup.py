"""The roll-up: one letter to operators about the reports of all clients.

Names and messages come from clients and from services, so everything is escaped, and controls are taken out. It is
short however many clients there are: the whole list goes with it as JSON.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from html import escape
from typing import Final
from zoneinfo import ZoneInfo

from cost_reporting.contracts import Fact, MailWords
from cost_reporting.domain.report_status import CALM, MISSING, NAMES, STATUSES, UNDELIVERED, Judged, Status
from cost_reporting.periods import label
from cost_reporting.schedules import Due

ROWS: Final = 200
"""Up to so many clients of a status are named."""

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
_FONT: Final = "font-family:'Segoe UI',Helvetica,Arial,sans-serif;font-size:14px;line-height:20px;color:#1d2733"


class RollCall(Fact):
    """The reports of one schedule: which, whether a run for everybody was started, and how each client's stands."""

    due: Due
    fired: bool
    clients: tuple[Judged, ...]

    def those(self, status: Status) -> list[Judged]:
        """The clients whose report stands so."""
        return [client for client in self.clients if client.status == status]


def words(calls: Iterable[RollCall], *, at: datetime, zone: ZoneInfo, stored: str) -> MailWords:
    """Subject, text and HTML of the roll-up of ``at``. ``stored`` is the key of the whole list in the bucket."""
    calls = tuple(calls)
    moment = f"{at.astimezone(zone):%Y-%m-%d %H:%M} {zone.key}"
    foot = f"As of {moment}. Every client is in {stored} in the bucket, and in the file with this mail."
    text = "\n".join(line for call in calls for line in _text(call, zone))
    html = "".join(part for call in calls for part in _html(call, zone))
    return MailWords(
        subject=_subject(calls),
        text=f"{text}\n{foot}\n",
        html=f'<!doctype html><html lang="en"><body style="{_FONT}">{html}<p>{escape(foot)}</p></body></html>',
    )


def _subject(calls: Iterable[RollCall]) -> str:
    clients = [client.status for call in calls for client in call.clients]
    lost = sum(status in MISSING for status in clients)
    back = sum(status in UNDELIVERED for status in clients)
    held = clients.count("held")
    told = [
        f"{count} {word}" for count, word in ((lost, "without a report"), (back, "bounced"), (held, "held")) if count
    ]
    other = sum(not client.is_calm for call in calls for client in call.clients) - lost - back - held
    told += [f"{other} to look at"] if other else []
    reports = "report" if len(clients) == 1 else "reports"
    return f"[Cost reports] {', '.join(told) or 'all is well'}: {len(clients)} {reports} due"


def _title(call: RollCall, zone: ZoneInfo) -> str:
    due = call.due
    moment = f"{due.moment.astimezone(zone):%a %Y-%m-%d %H:%M}"
    return f"{due.cadence} {label(due.period)} {due.issue}, due {moment}: {len(call.clients)} clients"


def _text(call: RollCall, zone: ZoneInfo) -> Iterator[str]:
    title = _title(call, zone)
    yield title
    yield "=" * len(title)
    for status, clients in _parts(call):
        yield f"\n{NAMES[status]}: {len(clients)}"
        calm = [plain(client.client_id) for client in clients[:ROWS] if client.is_calm]
        if calm:
            yield f"  {', '.join(calm)}"
        for client in clients[:ROWS]:
            if not client.is_calm:
                yield f"  {_named(client)}{': ' if client.detail else ''}{plain(client.detail)}"
                yield f"    {plain(client.remedy)}"
        if len(clients) > ROWS:
            yield f"  and {len(clients) - ROWS} more"
    yield ""


def _html(call: RollCall, zone: ZoneInfo) -> Iterator[str]:
    yield f'<h2 style="font-size:17px">{escape(_title(call, zone))}</h2>'
    for status, clients in _parts(call):
        colour = "#475569" if status in CALM else "#b42318" if status in MISSING | UNDELIVERED else "#92400e"
        yield f'<h3 style="font-size:14px;color:{colour};margin:16px 0 4px">{NAMES[status]}: {len(clients)}</h3>'
        calm = [escape(plain(client.client_id)) for client in clients[:ROWS] if client.is_calm]
        rest = [_row(client) for client in clients[:ROWS] if not client.is_calm]
        yield f"<p>{', '.join(calm)}</p>" if calm else ""
        yield f"<table>{''.join(rest)}</table>" if rest else ""
        if len(clients) > ROWS:
            yield f"<p>and {len(clients) - ROWS} more</p>"


def _row(client: Judged) -> str:
    cell = '<td style="padding:4px 16px 4px 0">'
    why = f"{escape(plain(client.detail))}<br><i>{escape(plain(client.remedy))}</i>"
    return f'<tr style="vertical-align:top">{cell}<b>{escape(_named(client))}</b></td>{cell}{why}</td></tr>'


def _parts(call: RollCall) -> Iterator[tuple[Status, list[Judged]]]:
    for status in STATUSES:
        clients = call.those(status)
        if clients:
            yield status, clients


def _named(client: Judged) -> str:
    name = plain(client.name or "")
    return f"{plain(client.client_id)} ({name})" if name else plain(client.client_id)


def plain(text: str) -> str:
    """``text`` on one line, without anything that could end the line or turn it round, and not endless."""
    return _CONTROL.sub(" ", text)[:500]
