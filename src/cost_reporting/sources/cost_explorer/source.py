"""A client's cost document, made from the Cost Explorer of its accounts."""

import json
import logging
from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Any, Final

from cost_reporting.clients import Client, RoleAccess, Way
from cost_reporting.contracts import Cadence, Period, Run
from cost_reporting.costs import AccountNotRead
from cost_reporting.errors import (
    ClientAccessDenied,
    ClientMisconfigured,
    CostExplorerDisabled,
    CostReportingError,
    CostsNotReady,
    CostsRefused,
)
from cost_reporting.periods import month_of, months_before, preceding
from cost_reporting.sources import Admit, Fetched, Reached
from cost_reporting.sources.access import Reader, reader
from cost_reporting.sources.cost_explorer import sections
from cost_reporting.sources.cost_explorer.asking import Questions
from cost_reporting.sources.cost_explorer.merging import merged
from cost_reporting.sources.cost_explorer.reading import Reading, read

HISTORY_MONTHS: Final = 13
"""Whole months that Cost Explorer keeps before the current one (User Guide, "Analyzing your costs and usage")."""

_LEAVES_OUT: Final = (ClientAccessDenied, ClientMisconfigured, CostExplorerDisabled, CostsNotReady, CostsRefused)
"""What takes one of several accounts out of a report. CostsThrottled does not: the state machine asks again."""
_log = logging.getLogger(__name__)


def requests_for(client: Client, cadence: Cadence) -> int:
    """How many paid requests a report takes, said before they are asked; each further page is one more."""
    return (2 + sections.requests_for(client, cadence)) * (1 + len(client.more_accounts))


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

    def fetch(self, client: Client, run: Run, admit: Admit) -> Fetched:
        """The costs of the run's period, the one before, and the months that lead up to it, over all accounts.

        An account that cannot be read is left out by name. If there is no other one, that is an error: the first one's.

        Raises CostsThrottled, CostsNotReady, ClientAccessDenied, CostExplorerDisabled, CostsRefused,
        ClientMisconfigured if two ways lead to one account, or CostsDoNotReconcile if the answers are in more than one
        currency. What ``admit`` raises comes before anything is paid.
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
        readings, asked = list[Reading](), list[Questions]()
        for way, account in accounts.items():
            asked.append(questions := Questions(client.client_id, account))
            try:
                readings.append(
                    read(
                        questions,
                        client,
                        run,
                        name=way.account or client.client_name,
                        previous=previous,
                        history=history,
                        today=fetched_at.date(),
                    )
                )
            except _LEAVES_OUT as failure:
                failures[way] = failure
        if not readings:
            raise failures[ways[0]]
        costs = merged(
            client,
            run,
            readings,
            previous=previous,
            fetched_at=fetched_at,
            queries=tuple(query for questions in asked for query in questions.queries),
            not_read=tuple(_not_read(client, way, accounts.get(way), failures[way]) for way in ways if way in failures),
        )
        answers: dict[str, Any] = {questions.account_id: questions.answers for questions in asked}
        raw = json.dumps(answers if client.more_accounts else asked[0].answers, ensure_ascii=False, sort_keys=True)
        return Fetched(costs=costs, raw=raw.encode())


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
