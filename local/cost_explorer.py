"""AWS Cost Explorer for laptops and tests: requests, answers and refusals of the real service, over invented accounts.

`CostExplorer.answer` takes what a client sent in AWS JSON 1.1 and gives what the service would send back. Requests are
held against botocore's own model of the service. Rules that the model does not carry (history, clock, paging, wording)
come from AWS's API reference and from messages that users of the real service have published; what is only plausible
says so.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

import botocore.session
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape
from botocore.validate import ParamValidator

from local.accounts import (
    EC2,
    HISTORY_MONTHS,
    LAMBDA,
    NO_REGION,
    NO_USAGE_TYPE,
    RDS,
    UNIT,
    Account,
    Cell,
    Ledger,
    Linked,
    Row,
    ledger,
    months_before,
    spike_cell,
    spike_days,
)

Json = dict[str, Any]
Test = Callable[[Row, Cell], bool]
Label = Callable[[Row, Cell], str]
Groups = dict[tuple[str, ...], list[int]]
"""Group keys to amounts: one per metric asked for, in 10**-10 units."""


class Refusal(Exception):
    """An error of the service: its code as botocore reports it, and AWS's words where they are known."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


def _invalid(message: str) -> Refusal:
    return Refusal("ValidationException", message)


class CostExplorer:
    """Cost Explorer of several accounts at once, by one clock.

    `now` gives the service's idea of the time, aware or in UTC. `page_size` is the greatest number of groups in one
    answer. `calls` logs (account id, operation, HTTP status) in order; AWS charges for those with status 200.
    """

    def __init__(self, accounts: Mapping[str, Account], now: Callable[[], datetime], page_size: int = 1000) -> None:
        self.calls: list[tuple[str, str, int]] = []
        self._accounts = accounts
        self._now = now
        self._page_size = page_size
        self._lock = threading.Lock()
        self._seen: dict[str, int] = {}
        self._ledgers: OrderedDict[tuple[str, date], Ledger] = OrderedDict()

    def answer(self, operation: str, request: Json, account_id: str) -> tuple[int, Json]:
        """HTTP status and body for one request, made with the credentials of `account_id`.

        Refusals have status 400 and {"__type": code, "Message": text}, which botocore raises as ClientError.
        """
        try:
            status, body = 200, self._answer(operation, request, account_id)
        except Refusal as refusal:
            modelled = refusal.code in _model().shape_names
            status, body = 400, {"__type": refusal.code, "Message" if modelled else "message": refusal.message}
        with self._lock:
            self.calls.append((account_id, operation, status))
        return status, body

    def _answer(self, operation: str, request: Json, account_id: str) -> Json:
        account = self._accounts.get(account_id)
        if account is None:
            raise Refusal("UnrecognizedClientException", "The security token included in the request is invalid.")
        with self._lock:
            self._seen[account_id] = seen = self._seen.get(account_id, 0) + 1
        if seen <= account.throttle_first:
            raise Refusal("LimitExceededException", "Rate exceeded")
        act = OPERATIONS.get(operation)
        if act is None:
            raise Refusal("UnknownOperationException", f"{operation} is not among the operations emulated here.")
        if account.access_denied:
            role = f"arn:aws:sts::{account_id}:assumed-role/CostReports/session"
            resource = f"arn:aws:ce:us-east-1:{account_id}:/{operation}"
            raise Refusal(
                "AccessDeniedException",
                f"User: {role} is not authorized to perform: ce:{operation} on resource: {resource} "
                f"because no identity-based policy allows the ce:{operation} action",
            )
        if account.not_enabled:
            raise Refusal("AccessDeniedException", "User not enabled for cost explorer access")
        model = _model().operation_model(operation)
        check_request(model, request)
        if account.no_data:
            raise Refusal("DataUnavailableException", "Data is not available. Please try to adjust the time period.")
        now = self._now()
        now = now.astimezone(UTC) if now.tzinfo else now.replace(tzinfo=UTC)
        return act(Call(model, request, self._ledger(account, now.date()), now, self._page_size))

    def _ledger(self, account: Account, today: date) -> Ledger:
        """Costs change once a day, as they do on AWS; the least recently used are forgotten."""
        key = account.id, today
        with self._lock:
            found = self._ledgers.get(key)
            if found is not None:
                self._ledgers.move_to_end(key)
                return found
        made = ledger(account, today)
        with self._lock:
            self._ledgers[key] = made
            while len(self._ledgers) > 64:
                self._ledgers.popitem(last=False)
        return made


@lru_cache(maxsize=1)
def _model() -> ServiceModel:
    return botocore.session.get_session().get_service_model("ce")


# -- requests ----------------------------------------------------------------------------------------------------------


def check_request(model: OperationModel, request: Json) -> None:
    """Refuse what the service's model does not allow, naming the field: members, types, minima and enumerations."""
    shape = model.input_shape
    assert isinstance(shape, StructureShape)
    report = ParamValidator().validate(request, shape)
    faults = [report.generate_report()] if report.has_errors() else list(_not_enumerated(shape, request))
    if faults:
        raise _invalid(f"{len(faults)} validation error{'s' * (len(faults) > 1)} detected: " + "; ".join(faults))


def _not_enumerated(shape: Shape, value: Any, at: str = "") -> Iterator[str]:
    """botocore's validator leaves enumerations to the service; this is the service."""
    if isinstance(shape, StructureShape):
        for name, member in value.items():
            yield from _not_enumerated(shape.members[name], member, f"{at}.{name}" if at else name)
    elif isinstance(shape, ListShape):
        for n, member in enumerate(value, 1):
            yield from _not_enumerated(shape.member, member, f"{at}.{n}.member")
    elif not isinstance(shape, MapShape):
        allowed: list[str] = getattr(shape, "enum", [])
        if allowed and value not in allowed:
            yield _enumeration(value, at, allowed)


def _enumeration(value: str, at: str, allowed: Iterable[str]) -> str:
    return (
        f"Value '{value}' at '{at[:1].lower()}{at[1:]}' failed to satisfy constraint: "
        f"Member must satisfy enum value set: [{', '.join(allowed)}]"
    )


@dataclass(frozen=True)
class Bucket:
    """One TimePeriod of an answer, half-open and never across months; `index` is its place in running totals."""

    start: date
    end: date
    month: int
    first: int
    last: int

    @property
    def period(self) -> Json:
        return {"Start": self.start.isoformat(), "End": self.end.isoformat()}


@dataclass(frozen=True)
class Call:
    """A valid request of an account that may ask, with what is needed to answer it."""

    model: OperationModel
    request: Json
    ledger: Ledger
    now: datetime
    page_size: int

    @property
    def today(self) -> date:
        return self.now.date()

    def interval(self, field: str = "TimePeriod") -> tuple[date, date]:
        """Start and exclusive end of a DateInterval, in order."""
        start, end = (_day(self.request[field][side], f"{field}.{side}") for side in ("Start", "End"))
        if start >= end:
            raise _invalid("Start date (and hour) should be before end date (and hour)")
        return start, end

    def past(self, field: str = "TimePeriod") -> tuple[date, date]:
        """An interval that Cost Explorer has data for: 13 months back and the current month to its end."""
        start, end = self.interval(field)
        if end > months_before(self.today, -1):
            raise _invalid("end date past the beginning of next month")
        if start > self.today:
            raise _invalid("start date should not be after today")
        if start < months_before(self.today, HISTORY_MONTHS):
            raise _invalid("You haven't enabled historical data beyond 14 months")
        return start, end

    def buckets(self, start: date, end: date, granularity: str) -> list[Bucket]:
        """The interval cut into days or calendar months; the first and the last month only as far as asked for."""
        cuts = []
        while start < end:
            after = months_before(start, -1) if granularity == "MONTHLY" else start + timedelta(days=1)
            cuts.append((start, min(after, end)))
            start = after
        place = self.ledger.index
        return [Bucket(a, b, place(a.replace(day=1)), place(a), place(b)) for a, b in cuts]

    def granularity(self) -> str:
        """DAILY or MONTHLY; HOURLY is an opt-in of the payer that no account here has made (not AWS's words)."""
        chosen: str = self.request.get("Granularity", "MONTHLY")
        if chosen == "HOURLY":
            raise _invalid("Hourly granularity is not enabled. The payer can enable it in Cost Management preferences.")
        return chosen

    def page[T](self, items: Sequence[T], size: int | None = None) -> tuple[Sequence[T], Json]:
        """The items that this request's token points at, and the members of the answer that lead to the next page."""
        assert isinstance(self.model.input_shape, StructureShape)
        field = "NextToken" if "NextToken" in self.model.input_shape.members else "NextPageToken"
        same = {name: value for name, value in self.request.items() if name != field}
        asked = json.dumps([self.ledger.account.id, self.model.name, same], sort_keys=True)
        bound_to = hashlib.sha256(asked.encode()).hexdigest()[:32]
        begin = 0
        if self.request.get(field):
            begin, issued_for = _read_token(self.request[field])
            if issued_for != bound_to:
                raise self._changed()
        end = begin + (size or self.page_size)
        return items[begin:end], {field: _write_token(end, bound_to)} if end < len(items) else {}

    def _changed(self) -> Refusal:
        if any(shape.name == "RequestChangedException" for shape in self.model.error_shapes):
            return Refusal(
                "RequestChangedException",
                "Your request parameters changed between pages. "
                "Try again with the old parameters or without a pagination token.",
            )
        return _bad_token()


def _day(text: str, at: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        raise _invalid(f"Value '{text}' at '{at}' is not a date of the form yyyy-MM-dd") from None


def _write_token(offset: int, bound_to: str) -> str:
    text = f"{offset}:{bound_to}"
    return base64.urlsafe_b64encode(f"{text}:{_seal(text)}".encode()).decode()


def _read_token(token: str) -> tuple[int, str]:
    try:
        text, _, seal = base64.urlsafe_b64decode(token).decode().rpartition(":")
    except (binascii.Error, ValueError):
        raise _bad_token() from None
    if not text or seal != _seal(text):
        raise _bad_token()
    offset, _, bound_to = text.partition(":")
    return int(offset), bound_to


def _seal(text: str) -> str:
    return hashlib.sha256(f"page|{text}".encode()).hexdigest()[:16]


def _bad_token() -> Refusal:
    return Refusal(
        "InvalidNextTokenException", "The pagination token is invalid. Try again without a pagination token."
    )


# -- dimensions, filters and groups ------------------------------------------------------------------------------------

DIMENSIONS: dict[str, Label] = {
    "SERVICE": lambda row, cell: row.service,
    "RECORD_TYPE": lambda row, cell: row.record_type,
    "LINKED_ACCOUNT": lambda row, cell: cell.linked.id,
    "LINKED_ACCOUNT_NAME": lambda row, cell: cell.linked.name,
    "REGION": lambda row, cell: cell.region,
    "USAGE_TYPE": lambda row, cell: cell.usage_type,
}
"""The dimensions that are emulated, and how each is read."""

_OF_ROWS = frozenset({"SERVICE", "RECORD_TYPE"})
"""Dimensions that are known without splitting a row into its cells."""

_ANYWHERE = Cell(Linked("", ""), NO_REGION, NO_USAGE_TYPE, {})


@dataclass(frozen=True)
class Selection:
    """A filter as a test, and whether the test looks into cells."""

    test: Test
    splits: bool = False


def select(expression: Json | None) -> Selection:
    """Read a Filter. Each level holds exactly one of And, Or, Not, Dimensions, Tags and CostCategories."""
    if expression is None:
        return Selection(lambda row, cell: True)
    if len(expression) != 1:
        raise _invalid("Expression should have exactly one of And, Or, Not, Dimensions, Tags, CostCategories")
    ((kind, content),) = expression.items()
    if kind in ("And", "Or"):
        if len(content) < 2:
            raise _invalid(f"Expression {kind} should have at least 2 operands")
        parts = [select(part) for part in content]
        decide, tests = (all if kind == "And" else any), [part.test for part in parts]
        return Selection(
            lambda row, cell: decide(test(row, cell) for test in tests), any(part.splits for part in parts)
        )
    if kind == "Not":
        part = select(content)
        return Selection(lambda row, cell: not part.test(row, cell), part.splits)
    return _leaf(kind, content)


def _leaf(kind: str, content: Json) -> Selection:
    """`Dimensions`, `Tags` or `CostCategories`; options are those that GetCostAndUsage allows."""
    key, values = content.get("Key"), content.get("Values", [])
    options = set(content.get("MatchOptions", ["EQUALS"]))
    allowed = {"EQUALS", "CASE_SENSITIVE", "CASE_INSENSITIVE"} | ({"ABSENT"} if kind != "Dimensions" else set())
    if key is None:
        raise _invalid(f"{kind}.Key must not be null")
    if options - allowed:
        raise _invalid(f"MatchOptions {sorted(options - allowed)} are not supported for {kind} in this operation")
    if "ABSENT" in options:
        if values:
            raise _invalid("Values should be empty when MatchOptions is ABSENT")
        return Selection(lambda row, cell: kind == "CostCategories" or key not in cell.tags, True)
    if not values:
        raise _invalid(f"{kind}.Values must not be empty")
    label = dimension(key) if kind == "Dimensions" else _tag(key) if kind == "Tags" else (lambda row, cell: "")
    splits = kind == "Tags" or (kind == "Dimensions" and key not in _OF_ROWS)
    if "CASE_INSENSITIVE" in options:
        folded = frozenset(value.casefold() for value in values)
        return Selection(lambda row, cell: label(row, cell).casefold() in folded, splits)
    wanted = frozenset(values)
    return Selection(lambda row, cell: label(row, cell) in wanted, splits)


def dimension(key: str) -> Label:
    """How a dimension is read; what AWS has and this emulator has not is refused rather than answered wrongly."""
    if key not in DIMENSIONS:
        raise _invalid(f"Dimension {key} is not emulated; choose from {', '.join(DIMENSIONS)}")
    return DIMENSIONS[key]


def _tag(key: str) -> Label:
    return lambda row, cell: cell.tags.get(key, "")


def labels(definitions: Sequence[Json], limit: int = 2) -> tuple[list[Label], bool]:
    """Read a GroupBy, and whether it looks into cells."""
    if len(definitions) > limit:
        raise _invalid("Group by limit exceeded. You can group by up to two dimensions, tags or cost categories")
    if len({(each.get("Type"), each.get("Key")) for each in definitions}) < len(definitions):
        raise _invalid("Group by definitions should not repeat")
    found: list[Label] = []
    splits = False
    for each in definitions:
        kind, key = each.get("Type", "DIMENSION"), each.get("Key", "")
        if kind == "DIMENSION":
            found.append(dimension(key))
        else:
            found.append(_named(key, _tag(key) if kind == "TAG" else (lambda row, cell: "")))
        splits = splits or kind == "TAG" or (kind == "DIMENSION" and key not in _OF_ROWS)
    return found, splits


def _named(key: str, label: Label) -> Label:
    """Tags and cost categories stand in Keys as name$value, with nothing after the $ for costs without one."""
    return lambda row, cell: f"{key}${label(row, cell)}"


def summarize(
    call: Call,
    buckets: Sequence[Bucket],
    metrics: Sequence[str],
    by: Sequence[Json] = (),
    chosen: Json | None = None,
    *,
    limit: int = 2,
) -> list[Groups]:
    """Add up the chosen costs per bucket and group; every split of an amount adds up to the amount exactly.

    A row's running total within a month is divided among its cells by flooring at the cells' bounds. Parts of one total
    therefore telescope to it, days telescope to their month, and neighbouring cells of one group need one division.
    """
    groupers, grouping_splits = labels(by, limit)
    selection = select(chosen)
    found: list[Groups] = [{} for _ in buckets]
    for row in call.ledger.rows:
        if grouping_splits or selection.splits:
            cells = row.cells()
            whole, parts = cells.bounds[-1], list(_parts(row, cells.members, cells.bounds, groupers, selection.test))
        else:
            keys = tuple(label(row, _ANYWHERE) for label in groupers)
            whole, parts = 1, [(0, 1, keys)] if selection.test(row, _ANYWHERE) else []
        if not parts:
            continue
        totals = [row.sums[metric] for metric in metrics]
        for bucket, groups in zip(buckets, found, strict=True):
            if row.charges[bucket.first] == row.charges[bucket.last]:
                continue
            sums = [
                (total[bucket.first] - total[bucket.month], total[bucket.last] - total[bucket.month])
                for total in totals
            ]
            for low, high, keys in parts:
                amounts = groups.get(keys)
                if amounts is None:
                    amounts = groups[keys] = [0] * len(totals)
                for n, (since, until) in enumerate(sums):
                    amounts[n] += (
                        until * high // whole - until * low // whole - since * high // whole + since * low // whole
                    )
    return found


def _parts(
    row: Row, members: Sequence[Cell], bounds: Sequence[int], groupers: Sequence[Label], test: Test
) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    """The chosen cells as (lower bound, upper bound, group), neighbours of one group joined."""
    open_part: tuple[int, int, tuple[str, ...]] | None = None
    for cell, low, high in zip(members, bounds[:-1], bounds[1:], strict=True):
        if not test(row, cell):
            continue
        keys = tuple(label(row, cell) for label in groupers)
        if open_part and open_part[1] == low and open_part[2] == keys:
            open_part = open_part[0], high, keys
            continue
        if open_part:
            yield open_part
        open_part = low, high, keys
    if open_part:
        yield open_part


# -- answers -----------------------------------------------------------------------------------------------------------

METRICS = {
    "UNBLENDED_COST": "UnblendedCost",
    "BLENDED_COST": "BlendedCost",
    "AMORTIZED_COST": "AmortizedCost",
    "NET_UNBLENDED_COST": "NetUnblendedCost",
    "NET_AMORTIZED_COST": "NetAmortizedCost",
    "USAGE_QUANTITY": "UsageQuantity",
    "NORMALIZED_USAGE_AMOUNT": "NormalizedUsageAmount",
}
"""GetCostForecast's names of the metrics, and GetCostAndUsage's; the latter takes both and answers with its own."""


def metric(name: str, at: str) -> str:
    """A metric under GetCostAndUsage's name."""
    if name in METRICS:
        return METRICS[name]
    if name not in METRICS.values():
        raise _invalid("1 validation error detected: " + _enumeration(name, at, METRICS))
    return name


def amount(value: int) -> str:
    """A decimal string with at most ten places and no trailing zeros, never in scientific notation."""
    whole, rest = divmod(abs(value), UNIT)
    text = f"{whole}.{rest:010d}".rstrip("0").rstrip(".") if rest else str(whole)
    return f"-{text}" if value < 0 else text


def unit(name: str) -> str:
    """USD for costs. Quantities of different usage types have no unit in common: Cost Explorer says N/A."""
    return "N/A" if name in ("UsageQuantity", "NormalizedUsageAmount") else "USD"


def percentage(part: int, whole: int) -> str:
    """A share in per cent, as a decimal string."""
    return amount(part * 100 * UNIT // whole) if whole else "0"


def estimated(call: Call, last: date) -> bool:
    """Whether a day's bill is still open: until the 6th of the following month, 00:00 UTC."""
    closed = months_before(last, -1) + timedelta(days=5)
    return call.now < datetime(closed.year, closed.month, closed.day, tzinfo=UTC)


def _measured(metrics: Sequence[str], amounts: Sequence[int]) -> Json:
    return {name: {"Amount": amount(value), "Unit": unit(name)} for name, value in zip(metrics, amounts, strict=True)}


def get_cost_and_usage(call: Call) -> Json:
    """Costs per period and group. Several pages may each hold a part of one period's groups."""
    request = call.request
    by: list[Json] = request.get("GroupBy", [])
    metrics = list(dict.fromkeys(metric(name, "metrics") for name in request["Metrics"]))
    if not metrics:
        raise _invalid("1 validation error detected: Value '[]' at 'metrics' must have at least one member")
    buckets = call.buckets(*call.past(), call.granularity())
    found = summarize(call, buckets, metrics, by, request.get("Filter"))
    if not by:
        zero = [0] * len(metrics)
        results = [
            _result(call, bucket, _measured(metrics, groups.get((), zero))) for bucket, groups in _zip(buckets, found)
        ]
        return {"ResultsByTime": results, "DimensionValueAttributes": []}

    flat: list[tuple[Bucket, tuple[str, ...] | None]] = []
    for bucket, groups in _zip(buckets, found):
        flat += [(bucket, keys) for keys in sorted(groups)] or [(bucket, None)]
    amounts_of = dict(_zip(buckets, found))
    page, onward = call.page(flat)
    grouped: dict[Bucket, list[Json]] = {}
    for bucket, keys in page:
        groups_here = grouped.setdefault(bucket, [])
        if keys is not None:
            groups_here.append({"Keys": list(keys), "Metrics": _measured(metrics, amounts_of[bucket][keys])})
    return {
        "GroupDefinitions": by,
        "ResultsByTime": [_result(call, bucket, {}, groups) for bucket, groups in grouped.items()],
        "DimensionValueAttributes": _attributes(call, by, (keys for _, keys in page if keys)),
        **onward,
    }


def _zip(buckets: Sequence[Bucket], found: Sequence[Groups]) -> Iterator[tuple[Bucket, Groups]]:
    return zip(buckets, found, strict=True)


def _result(call: Call, bucket: Bucket, total: Json, groups: Sequence[Json] = ()) -> Json:
    last = bucket.end - timedelta(days=1)
    return {"TimePeriod": bucket.period, "Total": total, "Groups": list(groups), "Estimated": estimated(call, last)}


def _attributes(call: Call, by: Sequence[Json], keys: Iterable[tuple[str, ...]]) -> list[Json]:
    """Names of the linked accounts that an answer mentions."""
    places = [n for n, each in enumerate(by) if each.get("Key") == "LINKED_ACCOUNT"]
    mentioned = {key[n] for key in keys for n in places} if places else set()
    return [
        _value(call, "LINKED_ACCOUNT", member.id) for member in call.ledger.account.members if member.id in mentioned
    ]


def _value(call: Call, key: str, value: str) -> Json:
    names = {member.id: member.name for member in call.ledger.account.members} if key == "LINKED_ACCOUNT" else {}
    return {"Value": value, "Attributes": {"description": names[value]} if value in names else {}}


def get_dimension_values(call: Call) -> Json:
    """The values of a dimension that had costs in the period, by name or by the metric to sort by.

    `Context` changes nothing here: reservations and Savings Plans are among the costs.
    """
    key = call.request["Dimension"]
    values = _values(call, {"Type": "DIMENSION", "Key": key})
    page, onward = call.page(values, call.request.get("MaxResults"))
    found = [_value(call, key, value) for value in page]
    return {"DimensionValues": found, "ReturnSize": len(page), "TotalSize": len(values), **onward}


def get_tags(call: Call) -> Json:
    """Without TagKey the keys in use; with it the key's values, where "" stands for costs without the tag."""
    key = call.request.get("TagKey")
    if key is None:
        seen: set[str] = set()
        buckets = call.buckets(*call.past(), "MONTHLY")
        for row in call.ledger.rows:
            if any(row.charges[bucket.first] != row.charges[bucket.last] for bucket in buckets):
                seen.update(*(cell.tags for cell in row.cells().members))
        values = [each for each in sorted(seen) if call.request.get("SearchString", "").casefold() in each.casefold()]
    else:
        values = [value.partition("$")[2] for value in _values(call, {"Type": "TAG", "Key": key})]
    page, onward = call.page(values, call.request.get("MaxResults"))
    return {"Tags": list(page), "ReturnSize": len(page), "TotalSize": len(values), **onward}


def _values(call: Call, by: Json) -> list[str]:
    """Distinct group keys over the period that contain SearchString."""
    sorts: list[Json] = call.request.get("SortBy", [])
    metrics = [metric(sorts[0]["Key"], "sortBy.1.member.key")] if sorts else ["UnblendedCost"]
    totals: dict[str, int] = {}
    for groups in summarize(call, call.buckets(*call.past(), "MONTHLY"), metrics, [by], call.request.get("Filter")):
        for (key,), (total,) in groups.items():
            totals[key] = totals.get(key, 0) + total
    search = call.request.get("SearchString", "").casefold()
    values = sorted(key for key in totals if search in key.casefold())
    if sorts:
        values.sort(key=lambda key: totals[key], reverse=sorts[0].get("SortOrder", "DESCENDING") == "DESCENDING")
    return values


HISTORY_FOR_FORECAST = 90
"""Days of charges that a forecast rests on here; AWS does not publish its own limit."""


def get_cost_forecast(call: Call) -> Json:
    """What is billed so far plus the last four weeks' daily mean for each day to come; not AWS's model.

    `PredictionIntervalLevel` widens the interval by a tenth of the mean per 25 points.
    """
    request = call.request
    if request["Metric"] in ("USAGE_QUANTITY", "NORMALIZED_USAGE_AMOUNT"):
        raise _invalid(f"{request['Metric']} is not supported for GetCostForecast")
    name = metric(request["Metric"], "metric")
    start, end = call.interval()
    yesterday = call.today - timedelta(days=1)
    latest = months_before(call.today, -3 if call.granularity() == "DAILY" else -18)
    if start < yesterday:
        raise _invalid(f"Earliest supported Start is {yesterday.isoformat()}")
    if end > latest:
        raise _invalid(f"Latest supported End is {latest.isoformat()}")
    chosen = request.get("Filter")
    days = (call.ledger.today - call.ledger.start).days
    begun = min((_first_charge(row) for row in call.ledger.rows), default=days)
    if days - begun < HISTORY_FOR_FORECAST:
        raise Refusal("DataUnavailableException", "Insufficient amount of historical data")
    recent = call.buckets(call.today - timedelta(days=28), call.today, "DAILY")
    mean = sum(_sole(summarize(call, recent, [name], (), chosen))) // 28
    spread = request.get("PredictionIntervalLevel")
    total, results = 0, []
    for bucket in call.buckets(start, end, call.granularity()):
        billed = _sole(summarize(call, [bucket], [name], (), chosen))[0]
        ahead = (bucket.end - max(bucket.start, call.today)).days
        expected = billed + mean * max(ahead, 0)
        total += expected
        margin = abs(mean) * max(ahead, 0) * (spread or 0) // 250
        interval = {
            "PredictionIntervalLowerBound": amount(expected - margin),
            "PredictionIntervalUpperBound": amount(expected + margin),
        }
        results.append({"TimePeriod": bucket.period, "MeanValue": amount(expected), **(interval if spread else {})})
    return {"Total": {"Amount": amount(total), "Unit": "USD"}, "ForecastResultsByTime": results}


def _first_charge(row: Row) -> int:
    return next((day for day, count in enumerate(row.charges[1:]) if count), len(row.charges))


def _sole(found: Iterable[Groups]) -> list[int]:
    """Of ungrouped sums the first metric, per bucket."""
    return [groups[()][0] if groups else 0 for groups in found]


def get_anomalies(call: Call) -> Json:
    """The accounts' spikes, as the default monitor of services would have found them."""
    request, account = call.request, call.ledger.account
    yesterday = call.today - timedelta(days=1)
    since = _day(request["DateInterval"]["StartDate"], "dateInterval.startDate")
    until = _day(request["DateInterval"].get("EndDate", yesterday.isoformat()), "dateInterval.endDate")
    if until > yesterday:
        raise _invalid(f"Latest supported detectionDate for GetRecentAnomalies is {yesterday.isoformat()}")
    if since < call.today - timedelta(days=90):
        raise _invalid(f"Earliest supported detectionDate is {(call.today - timedelta(days=90)).isoformat()}")
    if since > until:
        raise _invalid("Start date should not be after end date")
    monitor = f"arn:aws:ce::{account.id}:anomalymonitor/00000000-0000-4000-8000-{account.id}"
    anomalies = []
    for n, spike in enumerate(account.spikes, 1):
        first, last = spike_days(spike, call.today)
        if first > yesterday or first > until or last < since or request.get("MonitorArn", monitor) != monitor:
            continue
        last = min(last, yesterday)
        cell = spike_cell(account, spike)
        days = call.buckets(first, last + timedelta(days=1), "DAILY")
        spent = _sole(summarize(call, days, ["UnblendedCost"], (), _only("SERVICE", spike.service)))
        usual = call.buckets(first - timedelta(days=28), first, "DAILY")
        mean = sum(_sole(summarize(call, usual, ["UnblendedCost"], (), _only("SERVICE", spike.service)))) // 28
        impact = sum(spent) - mean * len(days)
        if request.get("Feedback") or not _within(request.get("TotalImpact"), impact / UNIT):
            continue
        cause = {
            "Service": spike.service,
            "Region": cell.region,
            "LinkedAccount": cell.linked.id,
            "LinkedAccountName": cell.linked.name,
            "UsageType": cell.usage_type,
            "Impact": {"Contribution": impact / UNIT},
        }
        anomalies.append(
            {
                "AnomalyId": f"{account.id}-{first.isoformat()}-{n}",
                "AnomalyStartDate": first.isoformat(),
                "AnomalyEndDate": last.isoformat(),
                "DimensionValue": spike.service,
                "RootCauses": [cause],
                "AnomalyScore": {"MaxScore": 0.94, "CurrentScore": 0.61},
                "Impact": {
                    "MaxImpact": (max(spent) - mean) / UNIT,
                    "TotalImpact": impact / UNIT,
                    "TotalActualSpend": sum(spent) / UNIT,
                    "TotalExpectedSpend": mean * len(days) / UNIT,
                    "TotalImpactPercentage": round(100 * impact / (mean * len(days)), 2) if mean else 0.0,
                },
                "MonitorArn": monitor,
            }
        )
    page, onward = call.page(anomalies, request.get("MaxResults"))
    return {"Anomalies": list(page), **onward}


def _within(limits: Json | None, impact: float) -> bool:
    if limits is None:
        return True
    low: float = limits["StartValue"]
    high: float = limits.get("EndValue", low)
    holds = {
        "EQUAL": impact == low,
        "GREATER_THAN_OR_EQUAL": impact >= low,
        "LESS_THAN_OR_EQUAL": impact <= low,
        "GREATER_THAN": impact > low,
        "LESS_THAN": impact < low,
        "BETWEEN": low <= impact <= high,
    }
    return holds[limits["NumericOperator"]]


def _only(key: str, *values: str) -> Json:
    return {"Dimensions": {"Key": key, "Values": list(values)}}


def _both(*filters: Json | None) -> Json:
    given = [each for each in filters if each]
    return {"And": given} if len(given) > 1 else given[0]


# -- comparisons of two months -----------------------------------------------------------------------------------------

_DRIVERS = {
    "Usage": "USAGE_CHANGE",
    "DiscountedUsage": "RESERVATION_USAGE",
    "Recurring": "RECURRING_RESERVATION_FEE",
    "Upfront": "UPFRONT_RESERVATION_FEE",
    "SavingsPlanCoveredUsage": "SAVINGS_PLAN_USAGE",
    "SavingsPlanNegation": "SAVINGS_PLAN_USAGE",
    "SavingsPlanRecurringFee": "SAVINGS_PLAN_RECURRING_FEE",
    "Enterprise Discount Program Discount": "BUNDLED_DISCOUNT",
    "Credit": "CREDIT",
    "Refund": "REFUND",
    "Tax": "TAX",
    "Support": "SUPPORT_FEE",
}

Change = tuple[int, int]
"""A metric in the baseline month and in the month compared with it."""


def get_cost_and_usage_comparisons(call: Call) -> Json:
    """Two whole months side by side, the greatest change first."""
    by: list[Json] = call.request.get("GroupBy", [])
    name, changes = _compare(call, by)
    items = [
        {"CostAndUsageSelector": _selector(by, keys), "Metrics": _change(name, change)}
        for keys, change in _by_impact(changes.items())
        if by
    ]
    total = sum(before for before, _ in changes.values()), sum(after for _, after in changes.values())
    page, onward = call.page(items, call.request.get("MaxResults", 10))
    return {"CostAndUsageComparisons": list(page), "TotalCostAndUsage": _change(name, total), **onward}


def get_cost_comparison_drivers(call: Call) -> Json:
    """The changes by service and usage type, each with the kinds of charge behind it, the greatest change first."""
    by = [
        *call.request.get("GroupBy", []),
        *({"Type": "DIMENSION", "Key": key} for key in ("SERVICE", "USAGE_TYPE")),
    ]
    by = [each for n, each in enumerate(by) if each not in by[:n]]
    name, changes = _compare(call, [*by, {"Type": "DIMENSION", "Key": "RECORD_TYPE"}], limit=4)
    causes: dict[tuple[str, ...], dict[str, Change]] = {}
    for keys, (before, after) in changes.items():
        kinds = causes.setdefault(keys[:-1], {})
        kind = _DRIVERS[keys[-1]]
        was, now = kinds.get(kind, (0, 0))
        kinds[kind] = was + before, now + after
    sums = {
        keys: (sum(before for before, _ in kinds.values()), sum(after for _, after in kinds.values()))
        for keys, kinds in causes.items()
    }
    page, onward = call.page(_by_impact(sums.items()), call.request.get("MaxResults", 10))
    drivers = [
        {
            "CostSelector": _selector(by, keys),
            "Metrics": _change(name, change),
            "CostDrivers": [
                {"Type": kind, "Name": keys[-1], "Metrics": _change(name, part)}
                for kind, part in _by_impact(causes[keys].items())
            ],
        }
        for keys, change in page
    ]
    return {"CostComparisonDrivers": drivers, **onward}


def _compare(call: Call, by: Sequence[Json], limit: int = 2) -> tuple[str, dict[tuple[str, ...], Change]]:
    name = metric(call.request["MetricForComparison"], "metricForComparison")
    buckets = []
    for field in ("BaselineTimePeriod", "ComparisonTimePeriod"):
        start, end = call.past(field)
        if start.day != 1 or end != months_before(start, -1):
            raise _invalid(
                f"{field} must start and end on the first day of a month, with a duration of exactly one month"
            )
        buckets += call.buckets(start, end, "MONTHLY")
    baseline, compared = summarize(call, buckets, [name], by, call.request.get("Filter"), limit=limit)
    nothing = [0]
    keys = sorted(baseline.keys() | compared.keys())
    return name, {key: (baseline.get(key, nothing)[0], compared.get(key, nothing)[0]) for key in keys}


def _by_impact[K](changes: Iterable[tuple[K, Change]]) -> list[tuple[K, Change]]:
    return sorted(changes, key=lambda item: -abs(item[1][1] - item[1][0]))


def _change(name: str, change: Change) -> Json:
    before, after = change
    amounts = {"BaselineTimePeriodAmount": before, "ComparisonTimePeriodAmount": after, "Difference": after - before}
    return {name: {**{field: amount(value) for field, value in amounts.items()}, "Unit": unit(name)}}


def _selector(by: Sequence[Json], keys: Sequence[str]) -> Json:
    """The filter that selects one group."""
    kinds = {"DIMENSION": "Dimensions", "TAG": "Tags", "COST_CATEGORY": "CostCategories"}
    parts = [
        {
            kinds[each["Type"]]: {
                "Key": each["Key"],
                "Values": [key if each["Type"] == "DIMENSION" else key.partition("$")[2]],
            }
        }
        for each, key in zip(by, keys, strict=True)
    ]
    return _both(*parts)


# -- commitments -------------------------------------------------------------------------------------------------------


def get_savings_plans_coverage(call: Call) -> Json:
    """The part of the usage that Savings Plans could cover and did, at on-demand prices."""
    _until_today(call)
    by: list[Json] = call.request.get("GroupBy", [])
    items = []
    buckets = call.buckets(*call.past(), call.granularity())
    covered = _charged(call, buckets, "UnblendedCost", by, "SavingsPlanCoveredUsage")
    open_to = _only("SERVICE", EC2, LAMBDA, "Amazon Elastic Container Service")
    on_demand = _charged(call, buckets, "UnblendedCost", by, "Usage", also=open_to)
    if not any(covered):
        raise _no_plans()
    for bucket, inside, outside in zip(buckets, covered, on_demand, strict=True):
        for keys in sorted(inside.keys() | outside.keys()):
            spend, rest = inside.get(keys, [0])[0], outside.get(keys, [0])[0]
            coverage = {
                "SpendCoveredBySavingsPlans": amount(spend),
                "OnDemandCost": amount(rest),
                "TotalCost": amount(spend + rest),
                "CoveragePercentage": percentage(spend, spend + rest),
            }
            attributes = {each["Key"]: key for each, key in zip(by, keys, strict=True)}
            items.append({"Attributes": attributes, "Coverage": coverage, "TimePeriod": bucket.period})
    page, onward = call.page(items, call.request.get("MaxResults"))
    return {"SavingsPlansCoverages": list(page), **onward}


def get_savings_plans_utilization(call: Call) -> Json:
    """How much of the commitment was used, and what that saved against on-demand prices."""
    _until_today(call)
    start, end = call.past()
    buckets = call.buckets(start, end, call.granularity())
    fees = [_charged(call, buckets, name, (), "SavingsPlanRecurringFee") for name in ("UnblendedCost", "AmortizedCost")]
    committed, unused = map(_sole, fees)
    equivalent = _sole(_charged(call, buckets, "UnblendedCost", (), "SavingsPlanCoveredUsage"))
    if not any(committed):
        raise _no_plans()
    by_time = [
        {"TimePeriod": bucket.period, **_plan_use(*figures)}
        for bucket, *figures in zip(buckets, committed, unused, equivalent, strict=True)
    ]
    total = _plan_use(sum(committed), sum(unused), sum(equivalent))
    return {"SavingsPlansUtilizationsByTime": by_time, "Total": total}


def _plan_use(committed: int, unused: int, equivalent: int) -> Json:
    return {
        "Utilization": {
            "TotalCommitment": amount(committed),
            "UsedCommitment": amount(committed - unused),
            "UnusedCommitment": amount(unused),
            "UtilizationPercentage": percentage(committed - unused, committed),
        },
        "Savings": {"NetSavings": amount(equivalent - committed), "OnDemandCostEquivalent": amount(equivalent)},
        "AmortizedCommitment": {
            "AmortizedRecurringCommitment": amount(committed),
            "AmortizedUpfrontCommitment": "0",
            "TotalAmortizedCommitment": amount(committed),
        },
    }


def get_reservation_coverage(call: Call) -> Json:
    """Reserved and on-demand hours of RDS, the one service reserved here; an hour is a unit of UsageQuantity."""
    _until_today(call)
    by: list[Json] = call.request.get("GroupBy", [])
    buckets = call.buckets(*call.past(), call.granularity())
    names = ("UsageQuantity", "UnblendedCost")
    reserved = _charged(call, buckets, names[0], by, "DiscountedUsage")
    on_demand, cost = (_charged(call, buckets, name, by, "Usage", also=_only("SERVICE", RDS)) for name in names)
    by_time, sums = [], [0, 0, 0]
    for bucket, *parts in zip(buckets, reserved, on_demand, cost, strict=True):
        keys = sorted(set().union(*parts))
        figures = {key: [part.get(key, [0])[0] for part in parts] for key in keys}
        total = [sum(each) for each in zip(*figures.values(), strict=True)] or [0, 0, 0]
        sums = [a + b for a, b in zip(sums, total, strict=True)]
        groups = [
            {
                "Attributes": {_camel(each["Key"]): value for each, value in zip(by, key, strict=True)},
                "Coverage": _covered(*figures[key]),
            }
            for key in keys
            if by
        ]
        by_time.append({"TimePeriod": bucket.period, "Groups": groups, "Total": _covered(*total)})
    page, onward = call.page(by_time, call.request.get("MaxResults"))
    return {"CoveragesByTime": list(page), "Total": _covered(*sums), **onward}


def _covered(reserved: int, on_demand: int, cost: int) -> Json:
    return {
        "CoverageHours": {
            "OnDemandHours": amount(on_demand),
            "ReservedHours": amount(reserved),
            "TotalRunningHours": amount(on_demand + reserved),
            "CoverageHoursPercentage": percentage(reserved, on_demand + reserved),
        },
        "CoverageCost": {"OnDemandCost": amount(cost)},
    }


def _camel(key: str) -> str:
    """How reservation answers write a dimension: LINKED_ACCOUNT as linkedAccount."""
    first, *rest = key.lower().split("_")
    return first + "".join(word.capitalize() for word in rest)


def get_reservation_utilization(call: Call) -> Json:
    """How much of what was reserved ran. Without reservations all figures are 0, as on AWS. Groups are not emulated."""
    _until_today(call)
    terms = call.ledger.account.reservation
    buckets = call.buckets(*call.past(), call.granularity())
    ran = _sole(_charged(call, buckets, "UsageQuantity", (), "DiscountedUsage"))
    paid = _sole(_charged(call, buckets, "AmortizedCost", (), "DiscountedUsage"))
    idle = _sole(_charged(call, buckets, "AmortizedCost", (), "Recurring"))
    permille = terms.used if terms else 1000
    figures = list(zip(ran, paid, idle, strict=True))
    by_time = [
        {"TimePeriod": bucket.period, "Groups": [], "Total": _reserved(permille, *each)}
        for bucket, each in zip(buckets, figures, strict=True)
    ]
    page, onward = call.page(by_time, call.request.get("MaxResults"))
    return {"UtilizationsByTime": list(page), "Total": _reserved(permille, sum(ran), sum(paid), sum(idle)), **onward}


def _reserved(permille: int, ran: int, paid: int, idle: int) -> Json:
    """The aggregate of reserved hours; on-demand prices are taken to be 10/6 of the reserved ones."""
    bought, on_demand = ran * 1000 // permille, paid * 10 // 6
    return {
        "UtilizationPercentage": percentage(ran, bought),
        "PurchasedHours": amount(bought),
        "TotalActualHours": amount(ran),
        "UnusedHours": amount(bought - ran),
        "OnDemandCostOfRIHoursUsed": amount(on_demand),
        "NetRISavings": amount(on_demand - paid - idle),
        "RICostForUnusedHours": amount(idle),
        "RealizedSavings": amount(on_demand - paid),
        "TotalAmortizedFee": amount(paid + idle),
    }


def _charged(
    call: Call, buckets: Sequence[Bucket], name: str, by: Sequence[Json], *record_type: str, also: Json | None = None
) -> list[Groups]:
    chosen = _both(_only("RECORD_TYPE", *record_type), also, call.request.get("Filter"))
    return summarize(call, buckets, [name], by, chosen)


def _until_today(call: Call) -> None:
    if call.interval()[1] > call.today:
        raise _invalid(f"end date should NOT be after {call.today.isoformat()}")


def _no_plans() -> Refusal:
    return Refusal("DataUnavailableException", "The requested data is unavailable: no Savings Plans in this period.")


OPERATIONS: dict[str, Callable[[Call], Json]] = {
    "GetAnomalies": get_anomalies,
    "GetCostAndUsage": get_cost_and_usage,
    "GetCostAndUsageComparisons": get_cost_and_usage_comparisons,
    "GetCostComparisonDrivers": get_cost_comparison_drivers,
    "GetCostForecast": get_cost_forecast,
    "GetDimensionValues": get_dimension_values,
    "GetReservationCoverage": get_reservation_coverage,
    "GetReservationUtilization": get_reservation_utilization,
    "GetSavingsPlansCoverage": get_savings_plans_coverage,
    "GetSavingsPlansUtilization": get_savings_plans_utilization,
    "GetTags": get_tags,
}
"""What is emulated; any other operation is refused as unknown."""
