"""What a report may print: every figure that two answers know is held against both of them, to 0.01.

The days of the period against its record types decide whether there is a report at all. Everything else that differs is
marked, and the report prints "not available" in its place:

- the period before: nothing is compared with it;
- a month of the history: it has no bar;
- a breakdown (accounts, regions, a tag): that one, or its column of the period before;
- the forecast: it is added to what the days of its month add up to.

Accounts need not add up to the total: grouped by LINKED_ACCOUNT, Cost Explorer may leave out pro-rated support
(boto/boto3#2140).
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any, Final

from cost_reporting.contracts import Period
from cost_reporting.costs import (
    TOLERANCE,
    CostDocument,
    DayCosts,
    Forecast,
    Line,
    NotAvailable,
    Split,
    TagSplit,
    billed,
    by_group,
    by_service,
    holds,
    partly_filled,
    period_total,
    records_by_service,
)
from cost_reporting.errors import CostsDoNotReconcile
from cost_reporting.money import total
from cost_reporting.periods import days as days_of
from cost_reporting.periods import month_of

_LIKELY: Final = Decimal("1.5")
"""A day that is not there is not believed to have cost more than so many of the highest day."""
_NAMED: Final = 10
"""Differences that are named; the sentence must stay one that can be read."""


def gate(costs: CostDocument) -> CostDocument:
    """``costs`` with everything marked that two answers do not agree about. Costs that are marked stay as they are.

    All sums are those of the accounts that were read, however many there are.

    Raises CostsDoNotReconcile naming each service of the period that differs between days and record types.
    """
    costs = _with_partly_filled(costs)
    if differences := list(_differences(costs, costs.period)):
        raise CostsDoNotReconcile(_said(costs, costs.period, differences))
    costs = costs.model_copy(update={"not_comparable": costs.not_comparable or _not_comparable(costs)})
    changes: dict[str, Any] = {
        "months_not_known": _months_not_known(costs),
        "accounts": _split(costs, "by account", costs.accounts),
        "regions": _split(costs, "by region", costs.regions),
        "forecast": _forecast(costs),
    }
    if isinstance(costs.tags, tuple):
        changes["tags"] = tuple(_tag(costs, tag) for tag in costs.tags)
    return costs.model_copy(update=changes)


def views(costs: CostDocument) -> dict[str, Decimal]:
    """The exact total of the period by each view of it that the document holds, the report's own, the days, first.

    What other views have of days that are not filled is no part of the total, and is left out of them.
    """
    partly = partly_filled(costs, costs.period)
    by_type = total(by_group(costs, costs.period).values())
    found = {
        "by day": period_total(costs, costs.period),
        "by record type": by_type if _by_days(costs) else by_type - partly,
    }
    splits: list[tuple[str, object]] = [("by account", costs.accounts), ("by region", costs.regions)]
    if isinstance(costs.tags, tuple):
        splits += ((f"by tag {tag.tag_key}", tag.split) for tag in costs.tags)
    for name, split in splits:
        if isinstance(split, Split):
            found[name] = _current(split) - (partly if has_partly_filled(costs, split) else Decimal(0))
    return found


def has_partly_filled(costs: CostDocument, split: Split) -> bool:
    """Whether ``split`` contains what there is of days that are not filled, which the total does not."""
    by_days = period_total(costs, costs.period)
    whole = by_days + partly_filled(costs, costs.period)
    return abs(_current(split) - whole) < abs(_current(split) - by_days)


def _with_partly_filled(costs: CostDocument) -> CostDocument:
    """``costs`` with all that the record types of a month have of days that are not filled.

    The two answers are not filled at the same moment: a month's sum may have a last day that the days do not have. It
    is taken as that only if every service has more, and all of it is no more than the missing days can have cost.
    """
    if not costs.missing or _by_days(costs):
        return costs
    services, records = by_service(costs, costs.period), records_by_service(costs, costs.period)
    more = {key: amount - services.get(key, Decimal(0)) for key, amount in records.items()}
    more |= {key: -amount for key, amount in services.items() if key not in records}
    highest = max((total(line.amount for line in day.lines) for day in costs.days), default=Decimal(0))
    if min(more.values(), default=Decimal(0)) < -TOLERANCE or total(more.values()) > _LIKELY * highest * len(
        costs.missing
    ):
        return costs
    lines = tuple(Line(key=key, amount=amount) for key, amount in sorted(more.items()) if amount > TOLERANCE)
    others = tuple(day for day in costs.days_partly_filled if not holds(costs.period, day.day))
    first = DayCosts(day=costs.missing[0], estimated=True, lines=lines)
    return costs.model_copy(update={"days_partly_filled": (*((first,) if lines else ()), *others)})


def _differences(costs: CostDocument, period: Period) -> Iterator[str]:
    """Each service whose days and record types differ in ``period``."""
    services, records = by_service(costs, period), records_by_service(costs, period)
    if not _by_days(costs):
        for day in costs.days_partly_filled:
            for line in day.lines if holds(period, day.day) else ():
                services[line.key] = services.get(line.key, Decimal(0)) + line.amount
    for service in sorted(services.keys() | records.keys()):
        days, record = services.get(service, Decimal(0)), records.get(service, Decimal(0))
        if abs(days - record) > TOLERANCE:
            yield f"{service}: {days:f} by day, {record:f} by record type"


def _said(costs: CostDocument, period: Period, differences: list[str]) -> str:
    return f"{costs.currency} in {period.start} to {period.end}: {'; '.join(differences[:_NAMED])}"


def _by_days(costs: CostDocument) -> bool:
    """Whether record types are known by day: then days that are not filled are not among their spans."""
    return costs.cadence == "weekly"


def _not_comparable(costs: CostDocument) -> NotAvailable | None:
    """Why the period before is not known in full."""
    previous, known = costs.previous, {day.day for day in costs.days}
    if absent := [day for day in days_of(previous) if day not in known]:
        return NotAvailable(error="CostsNotReady", reason=f"no answer for {len(absent)} days from {absent[0]} on")
    if absent := list(_days_without_span(costs)):
        return NotAvailable(error="CostsNotReady", reason=f"no record types for {len(absent)} days from {absent[0]} on")
    if differences := list(_differences(costs, previous)):
        return NotAvailable(error="CostsDoNotReconcile", reason=_said(costs, previous, differences))
    return None


def _days_without_span(costs: CostDocument) -> Iterator[date]:
    spans = [span.period for span in costs.spans]
    return (day for day in days_of(costs.previous) if not any(holds(span, day) for span in spans))


def _months_not_known(costs: CostDocument) -> tuple[Period, ...]:
    """The months of the history that no span covers, and the previous one if its days say something else.

    A month without a line between months with lines is not known, either: no second answer says that it was a pause.
    """
    found = set(costs.months_not_known)
    if costs.cadence != "monthly" or not costs.spans:
        return tuple(sorted(found, key=lambda month: month.start))
    spans = {span.period: span for span in costs.spans}
    month = month_of(min(span.start for span in spans))
    began = False
    while month.end <= costs.period.start:
        has_lines = month in spans and bool(spans[month].lines)
        if month not in spans or (began and not has_lines and month.end <= costs.previous.start):
            found.add(month)
        began = began or has_lines
        month = month_of(month.end)
    if costs.not_comparable is not None:
        found.add(costs.previous)
    return tuple(sorted(found, key=lambda month: month.start))


def _split(costs: CostDocument, name: str, split: Split | NotAvailable | None) -> Split | NotAvailable | None:
    """``split`` as far as it adds up to the totals. No line where the days have some is an answer that is missing."""
    if not isinstance(split, Split):
        return split
    by_days, current = period_total(costs, costs.period), _current(split)
    whole = by_days + partly_filled(costs, costs.period)
    lacks = not split.current and _has_lines(costs, costs.period)
    if lacks or min(abs(current - by_days), abs(current - whole)) > TOLERANCE:
        reason = _said(costs, costs.period, [f"{by_days:f} by day, {current:f} {name}"])
        return NotAvailable(error="CostsDoNotReconcile", reason=reason)
    if split.previous is None or _has_previous(costs, split, split.previous):
        return split
    return split.model_copy(update={"previous": None})


def _has_previous(costs: CostDocument, split: Split, previous: tuple[Any, ...]) -> bool:
    """Whether both sides of ``split`` are about the days that are compared, and the previous one adds up as well."""
    if costs.not_comparable is not None or abs(_current(split) - period_total(costs, costs.period)) > TOLERANCE:
        return False
    if not previous and _has_lines(costs, costs.compared):
        return False
    return abs(total(line.amount for line in previous) - period_total(costs, costs.compared)) <= TOLERANCE


def _tag(costs: CostDocument, tag: TagSplit) -> TagSplit:
    return tag.model_copy(update={"split": _split(costs, f"by tag {tag.tag_key}", tag.split)})


def _current(split: Split) -> Decimal:
    return total(line.amount for line in split.current)


def _has_lines(costs: CostDocument, period: Period) -> bool:
    return any(day.lines for day in costs.days if holds(period, day.day))


def _forecast(costs: CostDocument) -> Forecast | NotAvailable | None:
    """The forecast, if the days of its month are known up to it, and add up to what it says of them."""
    forecast = costs.forecast
    if not isinstance(forecast, Forecast) or forecast.until <= forecast.month.start:
        return forecast
    asked = Period(start=forecast.month.start, end=forecast.until)
    so_far = billed(costs.days, asked)
    if so_far is None or so_far.days != asked:
        first = asked.start if so_far is None else so_far.days.end
        return NotAvailable(error="CostsNotReady", reason=f"no figures yet for {first}")
    if abs(so_far.amount - forecast.so_far) > TOLERANCE:
        reason = _said(costs, asked, [f"{so_far.amount:f} by day, {forecast.so_far:f} so far"])
        return NotAvailable(error="CostsDoNotReconcile", reason=reason)
    return forecast
