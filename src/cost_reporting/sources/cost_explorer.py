"""Costs from AWS Cost Explorer: two paid questions for a report, and one for each section that asks for more.

1. Record types: SERVICE by RECORD_TYPE with four metrics, over 13 months for a monthly report, or by day over this week
   and the one before for a weekly one.
2. Days: SERVICE by day, over the period and the one before, in the report's metric.
3. Accounts, only if the client's record asks for them: LINKED_ACCOUNT over the same two periods.

Cost Explorer answers in us-east-1 whatever the stack's region, counts in UTC days, takes an exclusive end, and asks one
US cent for each request and each further page (AWS Cost Management pricing).
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from pydantic import BaseModel, Field

from cost_reporting import aws
from cost_reporting.clients import Client, Metric
from cost_reporting.contracts import Period, Run
from cost_reporting.costs import (
    AccountCosts,
    Amounts,
    CostDocument,
    DayCosts,
    Line,
    Query,
    RecordLine,
    RecordSpan,
    holds,
)
from cost_reporting.errors import (
    ClientAccessDenied,
    CostExplorerDisabled,
    CostReportingError,
    CostsDoNotReconcile,
    CostsNotReady,
    CostsRefused,
    CostsThrottled,
)
from cost_reporting.periods import days, month_of, months_before, preceding
from cost_reporting.sources import Fetched
from cost_reporting.sources.access import reader

REGION: Final = "us-east-1"
HISTORY_MONTHS: Final = 13
"""Whole months that Cost Explorer keeps before the current one (User Guide, "Analyzing your costs and usage")."""

METRICS: Final[Mapping[Metric, str]] = {
    "unblended": "UnblendedCost",
    "amortized": "AmortizedCost",
    "net_unblended": "NetUnblendedCost",
    "net_amortized": "NetAmortizedCost",
}
_NOT_ENABLED: Final = "not enabled for cost explorer"


class _Sum(BaseModel):
    amount: Decimal = Field(alias="Amount")
    unit: str = Field(alias="Unit")


class _Group(BaseModel):
    keys: list[str] = Field(alias="Keys")
    metrics: dict[str, _Sum] = Field(alias="Metrics")


class _TimePeriod(BaseModel):
    start: date = Field(alias="Start")
    end: date = Field(alias="End")


class _Result(BaseModel):
    time_period: _TimePeriod = Field(alias="TimePeriod")
    groups: list[_Group] = Field(alias="Groups", default=[])
    estimated: bool = Field(alias="Estimated", default=False)


class _Answer:
    """All pages of one question, joined by time period: a page may end in the middle of one."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.pages: list[dict[str, Any]] = []
        self.request_ids: list[str] = []
        self.account_names: dict[str, str] = {}

    def add(self, page: dict[str, Any]) -> None:
        self.request_ids.append(page.pop("ResponseMetadata", {}).get("RequestId", "unknown"))
        self.pages.append(page)
        for value in page.get("DimensionValueAttributes", []):
            self.account_names[value["Value"]] = value.get("Attributes", {}).get("description", "")

    def spans(self) -> Iterator[tuple[Period, bool, list[_Group]]]:
        joined: dict[tuple[date, date], tuple[bool, list[_Group]]] = {}
        for page in self.pages:
            for raw in page.get("ResultsByTime", []):
                result = _Result.model_validate(raw)
                key = (result.time_period.start, result.time_period.end)
                estimated, groups = joined.get(key, (False, []))
                joined[key] = (estimated or result.estimated, [*groups, *result.groups])
        for (start, end), (estimated, groups) in sorted(joined.items()):
            yield Period(start=start, end=end), estimated, groups

    def units(self) -> set[str]:
        return {total.unit for _, _, groups in self.spans() for group in groups for total in group.metrics.values()}

    def query(self) -> Query:
        return Query(name=self.name, operation="GetCostAndUsage", request_ids=tuple(self.request_ids))


class CostExplorerSource:
    """Asks the Cost Explorer of the client's own account. ``now`` is an aware clock: Cost Explorer keeps 13 months."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now

    def fetch(self, client: Client, run: Run) -> Fetched:
        """The costs of the run's period, the one before, and the months that lead up to it.

        Raises CostsThrottled, CostsNotReady, ClientAccessDenied, CostExplorerDisabled, CostsRefused, or
        CostsDoNotReconcile if the answers are in more than one currency.
        """
        fetched_at = self._now()
        access = reader(client)
        ask = _Questions(client, aws.client("ce", region=REGION, credentials=access.credentials, attempts=2))
        earliest = months_before(month_of(fetched_at.date()), HISTORY_MONTHS).start
        if run.period.start <= earliest or (previous := preceding(run.period, run.cadence)).start < earliest:
            raise CostsRefused(
                f"{client.client_id}: {run.period.start} and the period before are compared, "
                f"and Cost Explorer keeps nothing before {earliest}"
            )
        both = Period(start=previous.start, end=run.period.end)
        history = months_before(run.period, 12) if run.cadence == "monthly" else both
        record_types = ask(
            "record types",
            Period(start=max(history.start, earliest), end=history.end),
            "MONTHLY" if run.cadence == "monthly" else "DAILY",
            ("SERVICE", "RECORD_TYPE"),
            tuple(METRICS),
        )
        daily = ask("days", both, "DAILY", ("SERVICE",), (client.cost_metric,))
        accounts = (
            ask("accounts", both, "DAILY", ("LINKED_ACCOUNT",), (client.cost_metric,))
            if "accounts" in client.sections
            else None
        )
        answers = [answer for answer in (record_types, daily, accounts) if answer is not None]
        costs = CostDocument(
            client_id=client.client_id,
            account_id=access.account_id,
            cadence=run.cadence,
            issue=run.issue,
            period=run.period,
            previous=previous,
            metric=client.cost_metric,
            currency=_currency(client, answers),
            fetched_at=fetched_at,
            spans=tuple(_record_span(*span) for span in record_types.spans()),
            days=tuple(_day(client.cost_metric, *span) for span in daily.spans()),
            accounts=None if accounts is None else _accounts(client.cost_metric, accounts, run.period, previous),
            queries=tuple(answer.query() for answer in answers),
        )
        _require_figures(client, run, costs)
        raw = json.dumps({answer.name: answer.pages for answer in answers}, ensure_ascii=False, sort_keys=True)
        return Fetched(costs=costs, raw=raw.encode())


class _Questions:
    """Asks one Cost Explorer, page by page."""

    def __init__(self, client: Client, cost_explorer: Any) -> None:
        self._client = client
        self._cost_explorer = cost_explorer

    def __call__(
        self, name: str, period: Period, granularity: str, dimensions: tuple[str, ...], metrics: tuple[Metric, ...]
    ) -> _Answer:
        question: dict[str, Any] = {
            "TimePeriod": {"Start": period.start.isoformat(), "End": period.end.isoformat()},
            "Granularity": granularity,
            "Metrics": [METRICS[metric] for metric in metrics],
            "GroupBy": [{"Type": "DIMENSION", "Key": dimension} for dimension in dimensions],
        }
        answer = _Answer(name)
        token: str | None = None
        while True:
            try:
                page = self._cost_explorer.get_cost_and_usage(**question, **({"NextPageToken": token} if token else {}))
            except aws.Refused as refused:
                raise _translated(self._client, refused) from refused
            except aws.NoAnswer as none:
                raise CostsThrottled(f"{self._client.client_id}: Cost Explorer: {type(none).__name__}") from none
            answer.add(page)
            token = page.get("NextPageToken")
            if not token:
                return answer


def _translated(client: Client, refused: aws.Refused) -> CostReportingError:
    code, said = aws.code(refused), aws.message(refused)
    what = f"{client.client_id}: Cost Explorer: {code}"
    if code in aws.THROTTLES or aws.status(refused) >= 500:
        return CostsThrottled(what)
    if code == "DataUnavailableException":
        return CostsNotReady(what)
    if code.startswith("AccessDenied"):
        return CostExplorerDisabled(what) if _NOT_ENABLED in said.casefold() else ClientAccessDenied(what)
    if code in ("UnrecognizedClientException", "InvalidClientTokenId", "ExpiredTokenException"):
        return ClientAccessDenied(what)
    return CostsRefused(f"{what}: {said}")


def _currency(client: Client, answers: list[_Answer]) -> str:
    units = set().union(*(answer.units() for answer in answers))
    if len(units) > 1:
        raise CostsDoNotReconcile(f"{client.client_id}: Cost Explorer answered in {' and '.join(sorted(units))}")
    return units.pop() if units else "USD"


def _record_span(period: Period, estimated: bool, groups: list[_Group]) -> RecordSpan:
    lines = tuple(
        RecordLine(
            service=group.keys[0],
            record_type=group.keys[1],
            amounts=Amounts.model_validate({name: group.metrics[metric].amount for name, metric in METRICS.items()}),
        )
        for group in groups
    )
    return RecordSpan(period=period, estimated=estimated, lines=lines)


def _day(metric: Metric, period: Period, estimated: bool, groups: list[_Group]) -> DayCosts:
    lines = tuple(Line(key=group.keys[0], amount=group.metrics[METRICS[metric]].amount) for group in groups)
    return DayCosts(day=period.start, estimated=estimated, lines=lines)


def _accounts(metric: Metric, answer: _Answer, period: Period, previous: Period) -> AccountCosts:
    sums: dict[Period, defaultdict[str, Decimal]] = {period: defaultdict(Decimal), previous: defaultdict(Decimal)}
    for span, _, groups in answer.spans():
        for whole, by_account in sums.items():
            if holds(whole, span.start):
                for group in groups:
                    by_account[group.keys[0]] += group.metrics[METRICS[metric]].amount
    current, before = (
        tuple(Line(key=account, amount=amount) for account, amount in sorted(by_account.items()))
        for by_account in sums.values()
    )
    return AccountCosts(current=current, previous=before, names=answer.account_names)


def _require_figures(client: Client, run: Run, costs: CostDocument) -> None:
    """Zero is a figure only if Cost Explorer says so of every day, and once the bill is closed."""
    known = {day.day for day in costs.days}
    missing = [day for day in days(run.period) if day not in known]
    if missing:
        raise CostsNotReady(f"{client.client_id}: no answer for {len(missing)} days from {missing[0]} on")
    empty = not any(day.lines for day in costs.days if holds(run.period, day.day))
    if empty and run.issue == "preliminary":
        raise CostsNotReady(f"{client.client_id}: no figures yet for {run.period.start} to {run.period.end}")
