"""Which days a report is about."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cost_reporting import periods
from cost_reporting.contracts import Cadence, Period
from tests.builders import a_run

SYDNEY, HONOLULU, BERLIN, UTC_ZONE = map(ZoneInfo, ("Australia/Sydney", "Pacific/Honolulu", "Europe/Berlin", "UTC"))
DAYS = st.dates(date(1990, 1, 1), date(2200, 12, 31))
CADENCES = st.sampled_from(["weekly", "monthly"])


def last_complete(cadence: Cadence, at: str, zone: ZoneInfo = BERLIN) -> str:
    return periods.label(periods.last_complete(cadence, datetime.fromisoformat(at), zone))


@given(CADENCES, DAYS)
def test_a_period_holds_its_day_and_the_end_is_the_first_day_after(cadence: Cadence, day: date) -> None:
    period = periods.period_holding(cadence, day)
    assert period.start <= day < period.end
    assert periods.period_holding(cadence, period.end) != period
    assert periods.period_holding(cadence, periods.last_day(period)) == period


@given(CADENCES, DAYS)
def test_the_preceding_period_ends_where_the_period_starts(cadence: Cadence, day: date) -> None:
    period = periods.period_holding(cadence, day)
    before = periods.preceding(period, cadence)
    assert before.end == period.start
    assert periods.cadence_of(before) == cadence


@given(CADENCES, DAYS)
def test_a_label_reads_back_as_its_period(cadence: Cadence, day: date) -> None:
    period = periods.period_holding(cadence, day)
    assert periods.parse(periods.label(period)) == period
    assert periods.cadence_of(period) == cadence


@given(CADENCES, DAYS)
def test_the_days_of_a_period_are_every_day_once_in_order(cadence: Cadence, day: date) -> None:
    period = periods.period_holding(cadence, day)
    held = list(periods.days(period))
    assert held[0] == period.start
    assert held[-1] == periods.last_day(period)
    assert len(held) == periods.length(period)
    assert all(after - before == timedelta(days=1) for before, after in pairwise(held))


@given(DAYS)
def test_weeks_are_those_of_the_iso_calendar(day: date) -> None:
    year, week, _ = day.isocalendar()
    assert periods.label(periods.week_of(day)) == f"{year}-W{week:02d}"


@given(CADENCES, st.datetimes(datetime(1990, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_the_period_of_a_run_is_over_wherever_the_schedule_lives(cadence: Cadence, at: datetime) -> None:
    for zone in (SYDNEY, HONOLULU, BERLIN):
        today = at.astimezone(zone).date()
        period = periods.last_complete(cadence, at, zone)
        assert period.end <= today
        assert periods.period_holding(cadence, period.end).end > today


@pytest.mark.parametrize(
    ("label", "start", "end"),
    [
        ("2024-02", "2024-02-01", "2024-03-01"),
        ("2026-02", "2026-02-01", "2026-03-01"),
        ("2026-12", "2026-12-01", "2027-01-01"),
        ("2026-W01", "2025-12-29", "2026-01-05"),
        ("2026-W53", "2026-12-28", "2027-01-04"),
        ("2024-W09", "2024-02-26", "2024-03-04"),
        ("9999-11", "9999-11-01", "9999-12-01"),
    ],
)
def test_leap_days_and_year_turns_belong_where_the_calendar_puts_them(label: str, start: str, end: str) -> None:
    assert periods.parse(label) == Period(start=date.fromisoformat(start), end=date.fromisoformat(end))


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "2026",
            "2026-13",
            "2026-00",
            "0000-01",
            "2026-1",
            "26-10",
            "2026-W54",
            "2025-W53",
            "2026-W00",
            "2026W10",
        ),
        *("2026-10-01", " 2026-10", "2026-10\n", "-2026-10", "9999-12", "9999-W52"),
    ],
)
def test_a_text_that_is_no_period_is_refused_with_what_is_expected(text: str) -> None:
    with pytest.raises(ValueError, match=r"neither a month like 2026-10 nor an ISO week like 2026-W42"):
        periods.parse(text)


@given(st.text(max_size=10))
def test_any_text_is_a_period_or_a_value_error(text: str) -> None:
    try:
        period = periods.parse(text)
    except ValueError:
        return
    assert period.start < period.end


@pytest.mark.parametrize(
    ("at", "zone", "month"),
    [
        ("2026-10-31T14:00:00Z", SYDNEY, "2026-10"),
        ("2026-10-31T12:59:59Z", SYDNEY, "2026-09"),
        ("2026-11-01T09:59:59Z", HONOLULU, "2026-09"),
        ("2026-11-01T10:00:00Z", HONOLULU, "2026-10"),
        ("2026-12-31T23:30:00Z", BERLIN, "2026-12"),
    ],
)
def test_the_month_turns_at_midnight_of_the_schedules_zone(at: str, zone: ZoneInfo, month: str) -> None:
    assert last_complete("monthly", at, zone) == month


@pytest.mark.parametrize(
    ("at", "week"),
    [
        ("2026-03-29T21:59:59Z", "2026-W12"),  # Berlin moved to UTC+2 that Sunday
        ("2026-03-29T22:00:00Z", "2026-W13"),
        ("2026-10-25T22:59:59Z", "2026-W42"),  # and back to UTC+1 that Sunday
        ("2026-10-25T23:00:00Z", "2026-W43"),
    ],
)
def test_the_week_turns_at_midnight_on_the_days_that_the_clocks_change(at: str, week: str) -> None:
    assert last_complete("weekly", at) == week


@pytest.mark.parametrize(
    ("label", "first_final_day"),
    [("2026-10", "2026-11-08"), ("2026-12", "2027-01-08"), ("2026-W42", "2026-11-08"), ("2026-W44", "2026-12-08")],
)
def test_figures_are_final_from_the_eighth_after_the_last_month_that_they_touch(
    label: str, first_final_day: str
) -> None:
    period, first = periods.parse(label), date.fromisoformat(first_final_day)
    assert periods.final_from(period) == first
    midnight = datetime.combine(first, datetime.min.time(), UTC)
    assert periods.closed_at(period, midnight)
    assert not periods.closed_at(period, midnight - timedelta(seconds=1))
    last, *_ = periods.issues_of(periods.cadence_of(period) or "monthly")
    assert periods.issue_at(period, midnight) == last
    assert periods.issue_at(period, midnight - timedelta(seconds=1)) == "preliminary"


def test_whether_figures_are_final_is_decided_in_utc_as_bills_are() -> None:
    early_in_sydney = datetime(2026, 11, 8, 6, tzinfo=SYDNEY)
    assert periods.issue_at(periods.parse("2026-10"), early_in_sydney) == "preliminary"


def test_the_months_before_a_week_end_with_the_month_in_which_it_ends() -> None:
    week_over_the_year_turn = periods.parse("2026-W53")
    months = periods.months_before(week_over_the_year_turn, 12)
    assert (months.start, months.end) == (date(2026, 1, 1), date(2027, 2, 1))


def test_a_range_that_is_no_whole_month_or_week_has_no_cadence() -> None:
    assert periods.cadence_of(Period(start=date(2026, 10, 1), end=date(2026, 10, 8))) is None


@pytest.mark.parametrize(("start", "end"), [("2026-10-01", "2026-10-01"), ("2026-10-02", "2026-10-01")])
def test_a_period_without_days_cannot_be_made(start: str, end: str) -> None:
    with pytest.raises(ValueError, match="is not before end"):
        Period(start=date.fromisoformat(start), end=date.fromisoformat(end))


@pytest.mark.parametrize(
    ("key", "other", "present"),
    [
        ("acme#weekly#2026-W42#final#live", "acme#weekly#2026-W42#preliminary#live", 1),
        ("acme#weekly#2026-W42#preliminary#held-0123", "acme#weekly#2026-W42#final#held-0123", 0),
        ("weekly#2026-W42#final", "weekly#2026-W42#preliminary", 1),
        ("DELIVERED#weekly#2026-W42#preliminary", "DELIVERED#weekly#2026-W42#final", 0),
        ("reports/a/weekly/2026-W42/preliminary/costs.json", "reports/a/weekly/2026-W42/final/costs.json", 0),
        ("weekly#weekly#2026-W42#final#live", "weekly#weekly#2026-W42#preliminary#live", 1),
    ],
)
def test_a_weekly_report_is_found_under_the_name_that_older_versions_gave_it(
    key: str, other: str, present: int
) -> None:
    assert periods.stored_names(key) == (key, other)
    assert periods.present_name(key) == (key, other)[present]


@pytest.mark.parametrize(
    "key",
    [
        "acme#monthly#2026-10#final#live",
        "bi-weekly#monthly#2026-10#final#live",
        "clients/acme/final.png",
        "runs/weekly-2026-W42-final-abc123/summary.json",
        "OPERATORS#roll-up#2026-10-01#0123456789abcdef#live",
        "weekly#2026-W42#finally",
        "bi-weekly#2026-W42#final",
    ],
)
def test_no_other_key_has_a_second_name(key: str) -> None:
    assert periods.stored_names(key) == (key,)
    assert periods.present_name(key) == key


def test_the_bill_of_a_run_is_closed_as_its_issue_says_or_for_a_week_by_the_day() -> None:
    """A week without any costs may be reported then, though its issue is the one before the bill was closed."""
    closes = datetime(2026, 11, 8, tzinfo=UTC)
    assert periods.is_closed(a_run("2026-W42", nominal_at=closes))
    assert not periods.is_closed(a_run("2026-W42", nominal_at=closes - timedelta(seconds=1)))
    assert periods.is_closed(a_run("2026-10"))
    assert not periods.is_closed(a_run("2026-10", issue="preliminary"))


def test_a_bill_is_closed_by_the_day_in_the_zone_that_is_asked_about() -> None:
    october, evening = periods.parse("2026-10"), datetime(2026, 11, 7, 20, tzinfo=UTC)
    assert not periods.closed_at(october, evening)
    assert periods.closed_at(october, evening, SYDNEY)
    assert (periods.issue_at(october, evening), periods.issue_at(october, evening, SYDNEY)) == ("preliminary", "final")
    morning = datetime(2026, 11, 8, 5, tzinfo=UTC)
    assert (periods.issue_at(october, morning), periods.issue_at(october, morning, HONOLULU)) == (
        "final",
        "preliminary",
    )


def test_a_month_has_two_issues_and_a_week_has_one() -> None:
    assert periods.issues_of("monthly") == ("final", "preliminary")
    assert periods.issues_of("weekly") == ("preliminary",)


def test_the_moment_of_an_issue_means_that_issue() -> None:
    october, week = periods.parse("2026-10"), periods.parse("2026-W42")
    assert periods.moment_of(october, "final") == datetime(2026, 11, 8, 12, tzinfo=UTC)
    assert periods.moment_of(october, "preliminary") == datetime(2026, 11, 1, 12, tzinfo=UTC)
    assert periods.moment_of(week, "preliminary") == datetime(2026, 10, 19, 12, tzinfo=UTC)
    assert periods.moment_of(week, "final") == datetime(2026, 10, 19, 12, tzinfo=UTC)


def test_periods_between_two_are_each_of_them_with_both_ends() -> None:
    months = periods.between(periods.parse("2026-11"), periods.parse("2027-01"), "monthly")
    assert [periods.label(each) for each in months] == ["2026-11", "2026-12", "2027-01"]
    week = periods.parse("2026-W42")
    assert list(periods.between(week, week, "weekly")) == [week]
    assert list(periods.between(periods.parse("2026-10"), periods.parse("2026-09"), "monthly")) == []
