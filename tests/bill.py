"""Cost Explorer for one made-up bill: it answers from rows of spend, and then leaves out or alters what it is told to.

What it believes of the API, and who says so:

- Members, their names and what is required: botocore's service model of ``ce``.
- GetCostAndUsage lists every day or month of the question, those without costs with no groups; metrics are decimal
  strings (API reference, ResultByTime and MetricValue). ``Estimated`` stands in each result.
- A tag's group is written ``<key>$<value>``, with nothing behind the dollar sign if there is no such tag (AWS
  Cost Management user guide, "Understanding your tags").
- GetAnomalies returns those with "an AnomalyEndDate in the specified time range" (botocore's model).
- An operation without data is refused with DataUnavailableException (API reference, GetCostForecast and others).
"""

import calendar
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any, Final, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

FIRST: Final = "210000000001"
"""The account of a row that names no other, and the only one that sees it."""
MONITOR: Final = {
    "MonitorArn": f"arn:aws:ce::{FIRST}:anomalymonitor/services",
    "MonitorName": "services",
    "MonitorType": "DIMENSIONAL",
    "MonitorDimension": "SERVICE",
}
_DONE: Final = 200
_METRICS: Final = ("UnblendedCost", "AmortizedCost", "NetUnblendedCost", "NetAmortizedCost")
Json = dict[str, Any]
Answered = tuple[int, Json]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    first: Annotated[date | None, Field(alias="from")] = None
    end: Annotated[date | None, Field(alias="to")] = None


class Row(_Part):
    """Spend of ``amount`` on each of some days: those in ``on``, or ``from`` (included) ``to`` (not), ``but_not`` …."""

    service: str
    amount: Decimal
    amortized: Decimal | None = None
    on: tuple[date, ...] = ()
    but_not: tuple[date, ...] = ()
    record_type: str = "Usage"
    region: str = "us-east-1"
    account: str = FIRST
    seen_by: tuple[str, ...] = (FIRST,)
    tags: Mapping[str, str] = {}

    @model_validator(mode="after")
    def _has_days(self) -> Self:
        if bool(self.on) == (self.first is not None and self.end is not None):
            raise ValueError("give either on, or from and to")
        return self

    @property
    def days(self) -> Iterator[date]:
        """The days on which it costs so much."""
        if self.first is None or self.end is None:
            yield from self.on
            return
        for n in range((self.end - self.first).days):
            if (day := self.first + timedelta(days=n)) not in self.but_not:
                yield day

    def key(self, by: Mapping[str, str]) -> str:
        """Its group by a dimension or a tag. What the row says nothing about is in the group without a value."""
        known = {"SERVICE": self.service, "RECORD_TYPE": self.record_type}
        known |= {"LINKED_ACCOUNT": self.account, "REGION": self.region}
        if by.get("Type") == "TAG":
            return f"{by['Key']}${self.tags.get(by['Key'], '')}"
        return known.get(by["Key"], f"{by['Key']}$")

    def by(self, metric: str) -> Decimal:
        """What it costs on each of its days."""
        return self.amount if self.amortized is None or "Amortized" not in metric else self.amortized


class Change(_Part):
    """What is wrong with the answers that all filters fit; none: with every one.

    ``group_by`` is the first dimension or tag key of the question, or all of them. ``no group`` leaves out the groups
    with ``key`` among their keys; ``unit of zeros`` gives amounts of zero another ``unit``.
    """

    do: Literal["no groups", "no result", "no group", "unit of zeros", "amount", "same token"]
    granularity: str | None = None
    group_by: str | tuple[str, ...] | None = None
    key: str | None = None
    unit: str | None = None
    amount: Decimal | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        needs = {"no group": "key", "unit of zeros": "unit", "amount": "amount"}.get(self.do)
        if needs and getattr(self, needs) is None:
            raise ValueError(f"{self.do}: {needs} is missing")
        return self

    def fits(self, question: Json) -> bool:
        """Whether the answer to ``question`` is changed."""
        keys = tuple(by["Key"] for by in question.get("GroupBy", ()))
        grouped = self.group_by is None or self.group_by in (keys, *keys[:1])
        return grouped and self.granularity in (None, question["Granularity"])

    def alter(self, answer: Json) -> None:
        """Do it to ``answer``."""
        if self.do == "same token":
            answer["NextPageToken"] = "AAA"
        hit = [result for result in answer["ResultsByTime"] if self._hits(result["TimePeriod"]["Start"])]
        if self.do == "no result":
            answer["ResultsByTime"] = [result for result in answer["ResultsByTime"] if result not in hit]
        for result in hit:
            if self.do == "no groups":
                result["Groups"] = []
            if self.do == "no group":
                result["Groups"] = [group for group in result["Groups"] if self.key not in group["Keys"]]
            for value in (value for group in result["Groups"] for value in group["Metrics"].values()):
                if self.do == "amount":
                    value["Amount"] = str(self.amount)
                if self.do == "unit of zeros" and not Decimal(value["Amount"]):
                    value["Unit"] = self.unit

    def _hits(self, start: str) -> bool:
        day = date.fromisoformat(start)
        return (self.first is None or self.first <= day) and (self.end is None or day < self.end)


class Asked(NamedTuple):
    """A question that was put, and by which account."""

    operation: str
    question: Json
    account: str


class Bill:
    """The answers to an account's questions. ``asked`` has every question so far; after ``most``, it refuses."""

    def __init__(
        self,
        rows: tuple[Row, ...],
        *,
        changes: tuple[Change, ...] = (),
        answers: Mapping[str, Json] | None = None,
        names: Mapping[str, str] | None = None,
        unit: str = "USD",
        estimated_from: date = date.max,
        most: int = 200,
    ) -> None:
        self.asked: list[Asked] = []
        self._names = names or {}
        self._changes, self._unit, self._estimated_from, self._most = changes, unit, estimated_from, most
        self._answers = {"GetAnomalyMonitors": {"AnomalyMonitors": [MONITOR]}} | dict(answers or {})
        self._by_day: defaultdict[date, list[Row]] = defaultdict(list)
        for row in rows:
            for day in row.days:
                self._by_day[day].append(row)

    def answer(self, operation: str, question: Json, account: str) -> Answered:
        """Status and body."""
        self.asked.append(Asked(operation, question, account))
        if len(self.asked) > self._most:
            return refusal("ValidationException", f"{self._most} requests are more than any report needs")
        if operation == "GetCostAndUsage":
            return self._usage(question, account)
        if operation not in self._answers:
            return refusal("DataUnavailableException", "Data is not available.")
        body = self._answers[operation]
        if "__type" in body:
            return 400, body
        if operation == "GetAnomalies":
            interval = question["DateInterval"]
            ended = [each for each in body.get("Anomalies", ()) if _ended(each, interval)]
            body = body | ({"Anomalies": ended} if "Anomalies" in body else {})
        return _DONE, body

    def _usage(self, question: Json, account: str) -> Answered:
        if set(question["Metrics"]) - set(_METRICS):
            return refusal("ValidationException", f"this bill knows {', '.join(_METRICS)} only")
        start, end = (date.fromisoformat(question["TimePeriod"][side]) for side in ("Start", "End"))
        results, wanted = [], question.get("Filter")
        while start < end:
            until = min(end, _next(start, question["Granularity"]))
            results.append(self._result(question, account, start, until, wanted))
            start = until
        answer = {"GroupDefinitions": question.get("GroupBy", []), "ResultsByTime": results}
        answer["DimensionValueAttributes"] = self._attributes(results)
        for change in self._changes:
            if change.fits(question):
                change.alter(answer)
        return _DONE, answer

    def _result(self, question: Json, account: str, start: date, until: date, wanted: Json | None) -> Json:
        sums: defaultdict[tuple[str, ...], defaultdict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        by, days = question.get("GroupBy", []), (until - start).days
        for row in (row for n in range(days) for row in self._by_day.get(start + timedelta(days=n), ())):
            if account in row.seen_by and (wanted is None or _matches(wanted, row)):
                group = sums[tuple(row.key(each) for each in by)]
                for metric in question["Metrics"]:
                    group[metric] += row.by(metric)
        said = {key: {metric: self._value(amount) for metric, amount in each.items()} for key, each in sums.items()}
        groups = [{"Keys": list(key), "Metrics": metrics} for key, metrics in said.items() if by]
        return {
            "TimePeriod": {"Start": start.isoformat(), "End": until.isoformat()},
            "Total": {} if by else said.get((), {metric: self._value(Decimal(0)) for metric in question["Metrics"]}),
            "Groups": groups,
            "Estimated": start >= self._estimated_from,
        }

    def _attributes(self, results: list[Json]) -> list[Json]:
        """The names of linked accounts (botocore's model: "description" is the attribute of LINKED_ACCOUNT)."""
        keys = dict.fromkeys(key for result in results for group in result["Groups"] for key in group["Keys"])
        found = [(key, self._names[key]) for key in keys if key in self._names]
        return [{"Value": key, "Attributes": {"description": name}} for key, name in found]

    def _value(self, amount: Decimal) -> Json:
        return {"Amount": f"{amount:f}", "Unit": self._unit}


def refusal(code: str, message: str) -> Answered:
    """An error as Cost Explorer answers it."""
    return 400, {"__type": code, "Message": message}


def _next(day: date, granularity: str) -> date:
    first = day.day if granularity == "DAILY" else calendar.monthrange(day.year, day.month)[1]
    return day + timedelta(days=1) if granularity == "DAILY" else day.replace(day=first) + timedelta(days=1)


def _ended(anomaly: Json, interval: Json) -> bool:
    last = interval.get("EndDate", "9999-12-31")
    return bool(interval["StartDate"] <= anomaly.get("AnomalyEndDate", last)[:10] <= last)


def _matches(wanted: Json, row: Row) -> bool:
    """Whether a Filter lets the row through (API reference, Expression)."""
    (kind, of), *rest = wanted.items()
    if rest:
        raise ValueError(f"an expression holds one of its members only: {sorted(wanted)}")
    if kind in ("And", "Or"):
        return (all if kind == "And" else any)(_matches(each, row) for each in of)
    if kind == "Not":
        return not _matches(of, row)
    by = {"Type": "TAG" if kind == "Tags" else "DIMENSION", "Key": of["Key"]}
    return row.key(by).removeprefix(f"{of['Key']}$") in of["Values"]
