"""Report Facts: everything that is on record about clients' reports, read for the judge of their status.

Roll-up, operations report and ``status`` read through here, so that what they give the judge is the same.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cost_reporting.contracts import Run
from cost_reporting.domain.report_status import ClientState, Ended, Hold, Mark, ReportFacts
from cost_reporting.errors import StoreRefused
from cost_reporting.ledger import Mail, fingerprint, issue_key, report_key
from cost_reporting.operations.worklists import read_worklist
from cost_reporting.outcomes import RunListed
from cost_reporting.periods import present_name
from cost_reporting.store.ledger import LedgerStore
from cost_reporting.store.objects import ObjectStore
from cost_reporting.store.runs import RunStore

_log = logging.getLogger(__name__)
Row = Mapping[str, Any]
FIELDS = ("client_name", "recipients")
"""What the judge needs of a client's row, beside what ``ClientStore.rows`` gives anyway."""


@dataclass(frozen=True)
class IssueFacts:
    """What is on record about one issue of all clients' reports. ``rows`` is None if clients could not be read."""

    issue: str
    rows: Mapping[str, Row] | None
    listed: Mapping[str, datetime]
    fired: bool
    marks: Mapping[str, Mark]
    ends: Mapping[str, Ended]
    holds: Mapping[str, Hold]
    mails: Mapping[str, tuple[Mail, ...]]

    def of(self, client_id: str) -> ReportFacts:
        """What is on record about one client's report."""
        return ReportFacts(
            client_id=client_id,
            report=f"{client_id}#{self.issue}#live",
            **of_row(None if self.rows is None else self.rows.get(client_id, {})),
            listed=self.listed.get(client_id),
            fired=self.fired,
            mark=self.marks.get(client_id),
            mails=self.mails.get(client_id, ()),
            hold=self.holds.get(client_id),
            ended=self.ends.get(client_id),
        )


def facts_of_issue(
    issue: str,
    rows: Mapping[str, Row] | None,
    *,
    runs: RunStore,
    ledger: LedgerStore,
    objects: ObjectStore,
    among: Iterable[RunListed] = (),
) -> IssueFacts:
    """What is on record about ``issue`` (an :func:`issue_key`). Reads whole partitions, never client by client.

    ``among`` are runs that may have listed clients by name: those of them that are live, and of this issue, count.
    """
    for_all = runs.expected(issue)
    named = {run.run_id: run.started_at for run in among if run.mode == "live" and issue_of_run(run) == issue}
    listed: dict[str, datetime] = {}
    fired = False
    for run_id, began in sorted((named | for_all).items(), key=lambda each: each[1]):
        clients = _clients_of(run_id, objects)
        if clients is not None:
            fired = fired or run_id in for_all
            listed |= dict.fromkeys(clients, began)
    mails: defaultdict[str, list[Mail]] = defaultdict(list)
    for mail in ledger.of_issue(issue):
        mails[mail.report.partition("#")[0]].append(mail)
    return IssueFacts(
        issue=issue,
        rows=rows,
        listed=listed,
        fired=fired,
        marks=runs.marks(issue),
        ends=runs.ends(issue),
        holds=runs.held(issue),
        mails={client_id: tuple(found) for client_id, found in mails.items()},
    )


def facts_of_report(
    run: Run,
    client_id: str,
    row: Row | None,
    mails: Sequence[Mail],
    *,
    runs: RunStore,
    began: datetime | None = None,
) -> ReportFacts:
    """What is on record about the report that ``run`` is about. ``began``: when a run began that has listed the client.

    Tests and dry runs have no marks, and are not for the record's recipients: what they have recorded is all there is.
    """
    report, issue = report_key(run, client_id), issue_key(run)
    facts = ReportFacts(client_id=client_id, report=report, listed=began, mails=tuple(mails))
    if run.mode != "live":
        return facts
    return facts.model_copy(
        update={
            **of_row(row),
            "mark": runs.mark_of(issue, client_id),
            "hold": runs.hold_of(issue, client_id),
            "ended": runs.end_of(issue, client_id),
        }
    )


def issue_of_run(listed: RunListed) -> str:
    """The :func:`issue_key` of a run as the list of its month has it."""
    return present_name(f"{listed.cadence}#{listed.period}#{listed.issue}")


def of_row(row: Row | None) -> Mapping[str, Any]:
    """What a client's row says: its name, its recipients by fingerprint, and its state. ``{}``: there is no such row.

    ``None``: rows could not be read. A row may hold anything, so nothing is taken for granted.
    """
    if row is None:
        return {"client": "unknown"}
    name, given = row.get("client_name"), row.get("recipients")
    addresses = [each for each in given if isinstance(each, str)] if isinstance(given, list | tuple) else []
    state: ClientState = "removed" if not row else "suspended" if row.get("status") == "suspended" else "active"
    return {
        "name": name if isinstance(name, str) else None,
        "recipients": frozenset(map(fingerprint, addresses)),
        "client": state,
    }


def _clients_of(run_id: str, objects: ObjectStore) -> list[str] | None:
    """The clients that a run listed, or None if its list is gone: it tells nothing then."""
    try:
        return [due.client_id for due in read_worklist(objects, run_id, 1)]
    except StoreRefused as gone:
        _log.warning("worklist_gone", extra={"run_id": run_id, "reason": str(gone)})
        return None
