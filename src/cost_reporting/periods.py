"""Which days a report is about: calendar months and ISO weeks, half-open, chosen in the schedule's time zone.

Cost Explorer counts days in UTC. The time zone only decides which period a run at a given moment means: a run at 01:00
in Sydney on 1 November is about October, although it is still October in UTC.
"""

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from cost_reporting.contracts import Cadence, Issue, Period, Run

FINAL_FROM_DAY: Final = 8
"""Bills close on the 3rd to 5th and support charges land on the 6th or 7th, so from the 8th on figures are final."""

_UTC: Final = ZoneInfo("UTC")
_MONTH = re.compile(r"(\d{4})-(\d{2})")
_WEEK = re.compile(r"(\d{4})-W(\d{2})")
_WEEKLY = re.compile(r"(?:^|(?<=[#/]))(weekly[#/]\d{4}-W\d{2}[#/])(preliminary|final)(?=[#/]|$)")


def month_of(day: date) -> Period:
    """The calendar month that holds ``day``."""
    start = day.replace(day=1)
    return Period(start=start, end=(start + timedelta(days=32)).replace(day=1))


def week_of(day: date) -> Period:
    """The ISO week, Monday to Sunday, that holds ``day``."""
    start = day - timedelta(days=day.weekday())
    return Period(start=start, end=start + timedelta(days=7))


def period_holding(cadence: Cadence, day: date) -> Period:
    """The month or week of ``day``."""
    return month_of(day) if cadence == "monthly" else week_of(day)


def last_complete(cadence: Cadence, at: datetime, zone: ZoneInfo) -> Period:
    """The period that a run at the moment ``at`` reports: the last one that is over in ``zone``."""
    return preceding(period_holding(cadence, at.astimezone(zone).date()), cadence)


def preceding(period: Period, cadence: Cadence) -> Period:
    """The period of the same kind just before."""
    return period_holding(cadence, period.start - timedelta(days=1))


def parse(text: str) -> Period:
    """``2026-10`` or ``2026-W42``. Raises ValueError with what is expected."""
    try:
        if match := _MONTH.fullmatch(text):
            return month_of(date(int(match[1]), int(match[2]), 1))
        if match := _WEEK.fullmatch(text):
            return week_of(date.fromisocalendar(int(match[1]), int(match[2]), 1))
    except (ValueError, OverflowError):
        pass  # no such month or week; the calendar ends with the year 9999
    raise ValueError(f"{text!r} is neither a month like 2026-10 nor an ISO week like 2026-W42")


def label(period: Period) -> str:
    """The short name that keys and file names use: ``2026-10``, ``2026-W42``."""
    if period == month_of(period.start):
        return f"{period.start:%Y-%m}"
    year, week, _ = period.start.isocalendar()
    return f"{year}-W{week:02d}"


def cadence_of(period: Period) -> Cadence | None:
    """The cadence whose period this is, or None if it is neither a whole month nor a whole ISO week."""
    if period == month_of(period.start):
        return "monthly"
    return "weekly" if period == week_of(period.start) else None


def days(period: Period) -> Iterator[date]:
    """Each day of the period, in order."""
    for offset in range(length(period)):
        yield period.start + timedelta(days=offset)


def length(period: Period) -> int:
    """How many days the period has."""
    return (period.end - period.start).days


def last_day(period: Period) -> date:
    """The last day that belongs to the period (its end does not)."""
    return period.end - timedelta(days=1)


def final_from(period: Period) -> date:
    """The first day on which the figures of ``period`` count as final."""
    return month_of(last_day(period)).end.replace(day=FINAL_FROM_DAY)


def issue_at(period: Period, at: datetime, zone: ZoneInfo = _UTC) -> Issue:
    """Whether a report about ``period`` issued at ``at`` is preliminary or final, by the day that it is in ``zone``.

    A schedule on the 8th means the final report, also where the 8th begins while it is still the 7th in UTC. A week has
    one issue, so that its report is the same one on every day.
    """
    return "final" if cadence_of(period) != "weekly" and closed_at(period, at, zone) else "preliminary"


def issues_of(cadence: Cadence) -> tuple[Issue, ...]:
    """The issues that a period of this kind has, the last one first."""
    return ("final", "preliminary") if cadence == "monthly" else ("preliminary",)


def closed_at(period: Period, at: datetime, zone: ZoneInfo = _UTC) -> bool:
    """Whether the bill of ``period`` is closed at ``at``, by the day that it is in ``zone``."""
    return at.astimezone(zone).date() >= final_from(period)


def is_closed(run: Run) -> bool:
    """Whether the bill is closed when a run reports: what its issue says, or, of a week, the UTC day."""
    return run.issue == "final" if run.cadence == "monthly" else closed_at(run.period, run.nominal_at)


def stored_names(key: str) -> tuple[str, ...]:
    """``key``, and how else the same thing is stored: keys and names of reports, marks and documents.

    Older versions called a weekly report final from the 8th on. What they have stored counts as the one report.
    """
    found = _WEEKLY.search(key)
    if found is None:
        return (key,)
    other = "final" if found[2] == "preliminary" else "preliminary"
    return key, f"{key[: found.start(2)]}{other}{key[found.end(2) :]}"


def present_name(key: str) -> str:
    """``key`` as it is written now."""
    found = _WEEKLY.search(key)
    return key if found is None else f"{key[: found.start(2)]}preliminary{key[found.end(2) :]}"


def moment_of(period: Period, issue: Issue) -> datetime:
    """A moment at which a run about ``period`` means that issue: noon of its exclusive end, or of the day it is final.

    At noon UTC a day has begun in every time zone, so the period is over in each. A week has one issue only.
    """
    day = final_from(period) if issue == "final" and cadence_of(period) != "weekly" else period.end
    return datetime.combine(day, time(12), ZoneInfo("UTC"))


def between(first: Period, last: Period, cadence: Cadence) -> Iterator[Period]:
    """Each month or week from ``first`` to ``last``, both included. None if the last one lies before the first."""
    period = first
    while period.start <= last.start:
        yield period
        period = period_holding(cadence, period.end)


def months_before(period: Period, count: int) -> Period:
    """The ``count`` whole months before the month in which ``period`` ends, and that month: half-open."""
    last = month_of(last_day(period))
    start = last.start
    for _ in range(count):
        start = month_of(start - timedelta(days=1)).start
    return Period(start=start, end=last.end)
