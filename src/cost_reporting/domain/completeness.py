"""Which trailing days Cost Explorer has not filled yet: their costs are unknown, which is not the same as 0.00.

Cost Explorer refreshes its data "at least once every 24 hours" (AWS Cost Management User Guide, "Analyzing your costs
and usage with AWS Cost Explorer"), and its last days can be empty or filled in part for longer than that: public
reports are reply-fr/sustainable-personal-accounts#84, cremich/cdk-bill-bot#28 and LFDT-Lineth/lineth-monorepo#1693. The
answer lists such a day like any other, without groups. So a day is judged by the days before it:

- Lines count, not amounts. Credits that cover everything leave lines of 0.00; an unfilled day has no lines at all.
- A day is judged by days of its own kind, Monday to Friday or weekend. An account that rests at weekends has no lines
  on any weekend, so an empty Saturday is a figure there; a batch account has no kind of day that always costs.
- Only a few trailing days are ever late. An account without lines for longer was closed, or is not in use any more.
- A day that AWS does not call estimated is late only while it is young.
- Where a day is missing, the one before it may be there in part. It is taken as whole if every service that costs on
  all such days is there and its sum is not far below all of theirs.
- A last day without a missing one behind it is taken as partial only while it is young, and only if its sum is under
  half of the lowest such day, or half of the services that always cost are missing: one service may well have ended.
- Sums are those of usage where record types are known by day. Otherwise net sums say nothing once credits or refunds
  are in play, and only the services are looked at.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from cost_reporting.clients import Metric
from cost_reporting.contracts import Period
from cost_reporting.costs import DayCosts, RecordSpan
from cost_reporting.money import cents, total
from cost_reporting.periods import days as days_of
from cost_reporting.periods import length
from cost_reporting.record_types import group_of

YOUNG_DAYS: Final = 7
"""A day is young until so many days after it: what is not there yet on the 3rd of a month can be its last five days,
and on a Tuesday more than a weekend (reply-fr/sustainable-personal-accounts#84 waited 6 days, and then 14)."""
MOST_EMPTY: Final = 7
"""Days without lines at the end of older, estimated days. More of them are not late: the account has stopped. What is
not there seven days later was seen in public (see YOUNG_DAYS), and an account stops on one day of many."""
_MOST_IN_PART: Final = 2
_RECENT_DAYS: Final = 28
"""What the account does now is seen in its last four weeks; a pause before them says nothing about today."""
_ENOUGH: Final[Mapping[bool, int]] = {False: 5, True: 2}
"""So many days of a kind (weekend: True) are a habit: those of one week."""
_SATURDAY: Final = 5
_WHOLE: Final = Decimal("0.75")
_COLLAPSED: Final = Decimal("0.5")
"""Parts of the lowest such day: the day before a missing one is whole from there on; a last day is partial below."""


def not_filled(
    days: Sequence[DayCosts], spans: Sequence[RecordSpan], *, asked: Period, metric: Metric, today: date
) -> tuple[date, ...]:
    """The trailing days of ``asked`` that one account's answer does not have, or does not have whole, on ``today``.

    ``days`` are in order and may lack some. ``spans`` are the record types of the same account, by month or by day.
    """
    account = _Account(days, _sums(days, spans, metric), today)
    order = list(days_of(asked))
    cut = account.first_missing(order)
    if cut == len(order):
        if not order or not account.is_collapsed(order, cut - 1):
            return ()
        cut -= 1
    for _ in range(_MOST_IN_PART):
        if cut == 0 or not account.is_partial(order, cut - 1):
            break
        cut -= 1
    return tuple(order[cut:])


class _Account:
    """What an account has on each day, and what it had on all days like that."""

    def __init__(self, days: Sequence[DayCosts], sums: Mapping[date, Decimal] | None, today: date) -> None:
        self._days = {day.day: day for day in days}
        self._sums = sums
        self._young_from = today - timedelta(days=YOUNG_DAYS)

    def first_missing(self, order: Sequence[date]) -> int:
        """Where the trailing days begin that are not there; the length of ``order`` if all are."""
        end = len(order)
        while end and not self._services(order[end - 1]):
            end -= 1
        if not end:
            return len(order)
        absent = next((at for at in range(end, len(order)) if order[at] not in self._days), len(order))
        first = next((at for at in range(end, absent) if self._is_expected(order[:end], order[at])), absent)
        empty = order[first:absent]
        late = all(self._is_late(day) for day in empty)
        few = len(empty) <= MOST_EMPTY or all(self._is_young(day) for day in empty)
        return first if late and few else absent

    def is_collapsed(self, order: Sequence[date], at: int) -> bool:
        """Whether the last day, which has lines, is there in part only."""
        day, like = order[at], self._like(order[:at], order[at])
        if not self._is_young(day) or not self._services(day) or not like:
            return False
        always = self._always(like)
        missing = always - self._services(day)
        return self._is_below(_COLLAPSED, day, like) or (len(missing) > 1 and 2 * len(missing) >= len(always))

    def is_partial(self, order: Sequence[date], at: int) -> bool:
        """Whether a day before one that is not there is there in part only."""
        day, like = order[at], self._like(order[:at], order[at])
        if not self._is_late(day) or not self._services(day) or not like:
            return False
        return bool(self._always(like) - self._services(day)) or self._is_below(_WHOLE, day, like)

    def _services(self, day: date) -> frozenset[str]:
        return frozenset(line.key for line in self._days[day].lines) if day in self._days else frozenset()

    def _is_young(self, day: date) -> bool:
        return day >= self._young_from

    def _is_late(self, day: date) -> bool:
        return self._is_young(day) or day not in self._days or self._days[day].estimated

    def _is_expected(self, before: Sequence[date], day: date) -> bool:
        like = self._like(before, day)
        return bool(like) and all(self._services(each) for each in like)

    def _like(self, before: Sequence[date], day: date) -> list[date]:
        """The recent days of the kind of ``day``, from the account's first day on; none if they are too few."""
        began = next((at for at, each in enumerate(before) if self._services(each)), len(before))
        like = [each for each in before[began:][-_RECENT_DAYS:] if _is_weekend(each) == _is_weekend(day)]
        return like if len(like) >= _ENOUGH[_is_weekend(day)] else []

    def _always(self, like: Sequence[date]) -> frozenset[str]:
        return frozenset.intersection(*(self._services(each) for each in like))

    def _is_below(self, part: Decimal, day: date, like: Sequence[date]) -> bool:
        if self._sums is None or any(each not in self._sums for each in (day, *like)):
            return False
        lowest = min(self._sums[each] for each in like)
        return cents(lowest) > 0 and self._sums[day] < part * lowest


def _is_weekend(day: date) -> bool:
    return day.weekday() >= _SATURDAY


def _sums(days: Sequence[DayCosts], spans: Sequence[RecordSpan], metric: Metric) -> Mapping[date, Decimal] | None:
    """What was used on each day; None where net sums are all there is and credits or refunds may be in them."""
    if spans and all(length(span.period) == 1 for span in spans):
        return {span.period.start: _of_group(span, metric, lambda group: group == "usage") for span in spans}
    recent = {day.day for day in days[-_RECENT_DAYS - 1 :]}
    offset = any(
        _has_offsets(span, metric)
        for span in spans
        if any(span.period.start <= day < span.period.end for day in recent)
    )
    return None if offset else {day.day: total(line.amount for line in day.lines) for day in days}


def _of_group(span: RecordSpan, metric: Metric, wanted: Callable[[str], bool]) -> Decimal:
    return total(line.amounts.by(metric) for line in span.lines if wanted(group_of(line.record_type)))


def _has_offsets(span: RecordSpan, metric: Metric) -> bool:
    return any(
        cents(line.amounts.by(metric)) for line in span.lines if group_of(line.record_type) in {"credit", "refund"}
    )
