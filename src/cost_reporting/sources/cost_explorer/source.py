"""A client's cost document, made from the Cost Explorer of its accounts."""

import json
import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from functools import partial
from threading import Lock
from typing import Any, Final

from cost_reporting.clients import Client, RoleAccess, Way
from cost_reporting.contracts import Cadence, Period, Run
from cost_reporting.costs import AccountNotRead
from cost_reporting.errors import (
    AccountClosed,
    ClientAccessDenied,
    ClientMisconfigured,
    CostExplorerDisabled,
    CostReportingError,
    CostsEndless,
    CostsNotReady,
    CostsRefused,
    CostsUnreadable,
    CredentialsRejected,
    PayerDeniesAccess,
    PolicyDeniesAccess,
)
from cost_reporting.periods import month_of, months_before, preceding
from cost_reporting.sources import Admit, Fetched, Kept, Reached
from cost_reporting.sources.access import Reader, reader
from cost_reporting.sources.cost_explorer import sections
from cost_reporting.sources.cost_explorer.asking import Questions
from cost_reporting.sources.cost_explorer.merging import merged
from cost_reporting.sources.cost_explorer.reading import Reading, read

HISTORY_MONTHS: Final = 13
"""Whole months that Cost Explorer keeps before the current one (User Guide, "Analyzing your costs and usage")."""

SIDE_BY_SIDE: Final = 4
"""Accounts of one client that are read at once. Each account has Cost Explorer's rate for itself, which AWS does not
publish (about ten requests a second are reported, boto/botocore#1820), and one reader asks about one a second. With
ConcurrentClients clients at once, so many times more answers are in memory and under way."""

_LEAVES_OUT: Final = (
    AccountClosed,
    ClientAccessDenied,
    ClientMisconfigured,
    CostExplorerDisabled,
    CostsEndless,
    CostsNotReady,
    CostsRefused,
    CostsUnreadable,
    CredentialsRejected,
    PayerDeniesAccess,
    PolicyDeniesAccess,
)
"""What takes one of several accounts out of a report. CostsThrottled does not: the state machine asks again."""
_log = logging.getLogger(__name__)
_one_at_a_time = Lock()


def requests_for(client: Client, cadence: Cadence) -> int:
    """How many paid requests a report takes, said before they are asked; each further page is one more."""
    members = 1 if client.more_accounts and "accounts" not in client.sections else 0
    return (2 + members + sections.requests_for(client, cadence)) * (1 + len(client.more_accounts))


def forgotten(period: Period, cadence: Cadence, at: datetime) -> str | None:
    """Why a report about ``period`` can no longer be made at the moment ``at``, or None if it can."""
    earliest = _earliest(at)
    if period.start > earliest and preceding(period, cadence).start >= earliest:
        return None
    return (
        f"{period.start} and the period before are compared, and Cost Explorer keeps nothing before {earliest}: "
        f"{HISTORY_MONTHS} months and the current one"
    )


def _earliest(at: datetime) -> date:
    return months_before(month_of(at.date()), HISTORY_MONTHS).start


class CostExplorerSource:
    """Asks the Cost Explorer of the client's own accounts. ``now`` is an aware clock: 13 months are kept there."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now

    def fetch(self, client: Client, run: Run, admit: Admit, kept: Kept | None = None) -> Fetched:
        """The costs of the run's period, the one before, and the months that lead up to it, over all accounts.

        An account that cannot be read is left out by name. If there is no other one, that is an error: the first one's.
        Accounts are read side by side; what one of them says is no other's affair, and the document has them in the
        order of the record.

        Raises CostsThrottled, one of ``_LEAVES_OUT``, ClientMisconfigured if two ways lead to one account, or
        CostsDoNotReconcile if the answers are in more than one currency. What ``admit`` raises comes before anything is
        paid.
        """
        fetched_at = self._now()
        if (gone := forgotten(run.period, run.cadence, fetched_at)) is not None:
            raise CostsRefused(f"{client.client_id}: {gone}")
        earliest = _earliest(fetched_at)
        previous = preceding(run.period, run.cadence)
        both = Period(start=previous.start, end=run.period.end)
        history = months_before(run.period, 12) if run.cadence == "monthly" else both
        history = Period(start=max(history.start, earliest), end=history.end)
        ways, failures = client.ways, dict[Way, CostReportingError]()
        accounts = _let_in(client, ways, failures)
        admit([Reached(account.account_id, way.access, way.field) for way, account in accounts.items()])
        asked = {
            way: Questions(client.client_id, account, kept=kept, renew=partial(_renewed, client.client_id, way))
            for way, account in accounts.items()
        }

        def reading(way: Way) -> Reading | CostReportingError:
            return _reading(
                asked[way],
                client,
                run,
                name=way.account or client.client_name,
                previous=previous,
                history=history,
                today=fetched_at.date(),
            )

        readings = list[Reading]()
        with ThreadPoolExecutor(max_workers=SIDE_BY_SIDE) as readers:
            for way, found in zip(asked, list(readers.map(reading, asked)), strict=True):
                if isinstance(found, Reading):
                    readings.append(found)
                elif isinstance(found, _LEAVES_OUT):
                    failures[way] = found
                else:
                    raise found
        if not readings:
            raise failures[ways[0]]
        try:
            costs = merged(
                client,
                run,
                readings,
                previous=previous,
                fetched_at=fetched_at,
                queries=tuple(query for questions in asked.values() for query in questions.queries),
                not_read=tuple(
                    _not_read(client, way, accounts.get(way), failures[way]) for way in ways if way in failures
                ),
            )
        except CostsNotReady:
            for questions in asked.values():
                questions.forget()
            raise
        answers: dict[str, Any] = {questions.account_id: questions.answers for questions in asked.values()}
        own = answers if client.more_accounts else next(iter(answers.values()))
        raw = json.dumps(own, ensure_ascii=False, sort_keys=True)
        return Fetched(costs=costs, raw=raw.encode())


def _reading(questions: Questions, client: Client, run: Run, **asked: Any) -> Reading | CostReportingError:
    """What an account says, or why not. The next try asks anew if its figures were not there yet."""
    try:
        return read(questions, client, run, **asked)
    except CostsNotReady as late:
        questions.forget()
        return late
    except CostReportingError as failure:
        return failure


def _renewed(client_id: str, way: Way) -> Reader:
    """Fresh credentials. boto3 makes clients of one session one at a time (boto3 guide, "Multithreading")."""
    with _one_at_a_time:
        return reader(client_id, way.access, way.field)


def _let_in(client: Client, ways: Iterable[Way], failures: dict[Way, CostReportingError]) -> dict[Way, Reader]:
    """Keys for each account, before anything is paid; those that do not let us in are added to ``failures``."""
    accounts: dict[Way, Reader] = {}
    for way in ways:
        try:
            account = reader(client.client_id, way.access, way.field)
        except _LEAVES_OUT as failure:
            failures[way] = failure
            continue
        if any(account.account_id == other.account_id for other in accounts.values()):
            raise ClientMisconfigured(f"{client.client_id}: {way.field}: leads to an account that is read already")
        accounts[way] = account
    return accounts


def _not_read(client: Client, way: Way, account: Reader | None, failure: CostReportingError) -> AccountNotRead:
    known = way.access.account_id if isinstance(way.access, RoleAccess) else None
    account_id = account.account_id if account else known
    _log.warning("account_not_read", extra={"account_id": account_id, "field": way.field, "error": failure.name})
    reason = str(failure).removeprefix(f"{client.client_id}: ")
    return AccountNotRead(
        account_id=account_id, name=way.account or client.client_name, error=failure.name, reason=reason
    )
