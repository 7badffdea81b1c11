"""When reports are due: the schedules of the template as a table, so that one that never fired is noticed.

A run says what it is about to do; a run that was never started says nothing. So the watch works out from this table
what each schedule should have led to. A contract test holds it against the template's crons.
"""

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime

from cost_reporting.contracts import Cadence, Fact, Issue, Period
from cost_reporting.periods import last_complete

AT: Final = time(6)
"""Of the day, in the schedules' time zone."""

GRACE: Final = timedelta(hours=3)
"""How long after a schedule's moment nobody is missed: 10,000 clients, five at a time, are through in less."""

_LONGEST_GAP: Final = 40
"""Days. No schedule pauses longer than a month."""
_WEEKDAYS: Final = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")


class Schedule(Fact):
    """A schedule: on one weekday (0 is Monday), or on one day of each month."""

    name: str
    cadence: Cadence
    issue: Issue
    weekday: int | None = None
    day: int | None = None

    @property
    def cron(self) -> str:
        """As EventBridge Scheduler writes it."""
        days = f"? * {_WEEKDAYS[self.weekday]}" if self.weekday is not None else f"{self.day} * ?"
        return f"cron({AT.minute} {AT.hour} {days} *)"


SCHEDULES: Final = (
    Schedule(name="Weekly", cadence="weekly", issue="preliminary", weekday=1),
    Schedule(name="Preliminary", cadence="monthly", issue="preliminary", day=3),
    Schedule(name="Monthly", cadence="monthly", issue="final", day=8),
)
"""Every schedule that starts runs. A week is reported before its month's bill is closed, so it is preliminary."""


class Due(Fact):
    """A report that a schedule should have led to: which one, and the moment of the schedule, in UTC."""

    cadence: Cadence
    period: Period
    issue: Issue
    moment: AwareDatetime

    @property
    def watched_from(self) -> datetime:
        """From when on its absence is missed."""
        return self.moment + GRACE


def due_by(at: datetime, zone: ZoneInfo) -> tuple[Due, ...]:
    """The last report of each schedule whose time of grace is over.

    A preliminary report is looked for until the final one of its period is due: then nobody needs it any more.
    """
    latest = [_last(schedule, at, zone) for schedule in SCHEDULES]
    final = {due.period for due in latest if due.issue == "final"}
    return tuple(due for due in latest if due.issue == "final" or due.period not in final)


def _last(schedule: Schedule, at: datetime, zone: ZoneInfo) -> Due:
    moment = next(moment for moment in _moments(schedule, at, zone) if moment + GRACE <= at)
    period = last_complete(schedule.cadence, moment, zone)
    return Due(cadence=schedule.cadence, period=period, issue=schedule.issue, moment=moment)


def _moments(schedule: Schedule, at: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """The moments of ``schedule`` in UTC, backwards from the day of ``at``."""
    today = at.astimezone(zone).date()
    for back in range(_LONGEST_GAP):
        day = today - timedelta(days=back)
        if schedule.weekday in (None, day.weekday()) and schedule.day in (None, day.day):
            yield datetime.combine(day, AT, zone).astimezone(ZoneInfo("UTC"))
