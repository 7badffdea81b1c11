"""When reports are due."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cost_reporting.periods import issue_at, label
from cost_reporting.schedules import GRACE, SCHEDULES, due_by

BERLIN = ZoneInfo("Europe/Berlin")
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2032, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone


def reports(at: datetime, zone: ZoneInfo = BERLIN) -> list[tuple[str, str]]:
    return [(label(due.period), due.issue) for due in due_by(at, zone)]


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-11-10T07:59:59+00:00", [("2026-W44", "preliminary"), ("2026-10", "final")]),
        ("2026-11-10T08:00:00+00:00", [("2026-W45", "preliminary"), ("2026-10", "final")]),
        ("2026-11-08T07:59:59+00:00", [("2026-W44", "preliminary"), ("2026-10", "preliminary"), ("2026-09", "final")]),
        ("2026-11-08T08:00:00+00:00", [("2026-W44", "preliminary"), ("2026-10", "final")]),
        ("2026-12-03T08:00:00+00:00", [("2026-W48", "preliminary"), ("2026-11", "preliminary"), ("2026-10", "final")]),
        ("2027-01-01T12:00:00+00:00", [("2026-W52", "preliminary"), ("2026-11", "final")]),
        ("2028-02-29T12:00:00+00:00", [("2028-W08", "preliminary"), ("2028-01", "final")]),
    ],
)
def test_the_last_report_of_each_schedule_is_looked_for_when_its_grace_is_over(
    at: str, expected: list[tuple[str, str]]
) -> None:
    assert reports(datetime.fromisoformat(at)) == expected


@pytest.mark.parametrize("day", ["2026-10-27", "2026-03-31"], ids=["after the end of summer time", "after its start"])
def test_a_moment_is_six_o_clock_on_the_wall_on_either_side_of_a_change_of_time(day: str) -> None:
    (weekly, *_) = due_by(datetime.fromisoformat(f"{day}T20:00:00+00:00"), BERLIN)
    assert weekly.moment.astimezone(BERLIN).isoformat().startswith(f"{day}T06:00:00")


@given(MOMENTS, st.sampled_from(["Europe/Berlin", "Asia/Tokyo", "Pacific/Auckland", "America/Los_Angeles"]))
def test_whenever_one_looks_each_report_is_due_and_its_grace_over_and_it_is_what_a_run_then_would_report(
    at: datetime, zone: str
) -> None:
    found = due_by(at, ZoneInfo(zone))
    assert {due.cadence for due in found} == {"weekly", "monthly"}
    for due in found:
        assert at - timedelta(days=40) < due.moment <= at - GRACE
        assert due.period.end <= due.moment.astimezone(ZoneInfo(zone)).date()
        assert issue_at(due.period, due.moment, ZoneInfo(zone)) == due.issue


@given(MOMENTS)
def test_nothing_that_was_due_is_forgotten_before_the_next_of_its_kind_is_due(at: datetime) -> None:
    before, after = due_by(at, BERLIN), due_by(at + timedelta(hours=1), BERLIN)
    gone = {(due.cadence, due.issue) for due in before if due not in after}
    fresh = {(due.cadence, due.issue) for due in after if due not in before}
    assert gone <= fresh | ({("monthly", "preliminary")} if ("monthly", "final") in fresh else set())


def test_the_schedules_are_written_as_eventbridge_scheduler_writes_them() -> None:
    assert [schedule.cron for schedule in SCHEDULES] == [
        "cron(0 6 ? * TUE *)",
        "cron(0 6 3 * ? *)",
        "cron(0 6 8 * ? *)",
    ]
