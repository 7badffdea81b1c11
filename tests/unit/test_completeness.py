"""Days that Cost Explorer has not filled, told from days on which an account really spends nothing."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal

import pytest

from cost_reporting.contracts import Period
from cost_reporting.costs import Amounts, DayCosts, Line, RecordLine, RecordSpan
from cost_reporting.domain.completeness import not_filled
from cost_reporting.periods import days, month_of, parse, preceding

EC2, S3, RDS = "EC2", "S3", "RDS"
STEADY = {EC2: "120.50", S3: "14.25"}
Costs = Callable[[date], Mapping[str, str]]
SUNDAY, SATURDAY, FRIDAY = date(2026, 11, 1), date(2026, 10, 31), date(2026, 10, 30)
TUESDAY = date(2026, 11, 3)


def lines(costs: Mapping[str, str]) -> tuple[Line, ...]:
    return tuple(Line(key=key, amount=Decimal(amount)) for key, amount in costs.items())


def judged(
    costs: Costs,
    *,
    period: str = "2026-W44",
    today: date = TUESDAY,
    estimated: bool = True,
    records: Mapping[str, Mapping[str, str]] | None = None,
    without: Iterable[date] = (),
) -> tuple[date, ...]:
    """What is not filled of an account that costs so much on each day. ``records`` are those of each month."""
    covered = parse(period)
    weekly = period[5] == "W"
    asked = Period(start=preceding(covered, "weekly" if weekly else "monthly").start, end=covered.end)
    known = [
        DayCosts(day=day, estimated=estimated, lines=lines(costs(day))) for day in days(asked) if day not in without
    ]
    if weekly:
        spans = [span(Period(start=d.day, end=d.day + timedelta(days=1)), {"Usage": costs(d.day)}) for d in known]
    else:
        months = dict.fromkeys(month_of(day) for day in days(asked))
        spans = [span(month, records or {"Usage": STEADY}) for month in months]
    return not_filled(known, spans, asked=asked, metric="unblended", today=today)


def span(period: Period, records: Mapping[str, Mapping[str, str]]) -> RecordSpan:
    found = tuple(
        RecordLine(
            service=service,
            record_type=record_type,
            amounts=Amounts.model_validate(dict.fromkeys(Amounts.model_fields, amount)),
        )
        for record_type, of_type in records.items()
        for service, amount in of_type.items()
    )
    return RecordSpan(period=period, estimated=True, lines=found)


def daily(**but: Mapping[str, str]) -> Costs:
    """The same every day; ``but`` are other days, as ``d1101``."""
    return lambda day: but.get(f"d{day:%m%d}", STEADY)


def test_the_last_day_without_lines_of_an_account_that_costs_every_day_is_not_there() -> None:
    assert judged(daily(d1101={})) == (SUNDAY,)


def test_the_day_before_a_missing_one_is_not_there_if_it_is_there_in_part() -> None:
    assert judged(daily(d1101={}, d1031={EC2: "40.1666", S3: "4.75"})) == (SATURDAY, SUNDAY)
    assert judged(daily(d1101={}, d1031={EC2: "120.50"})) == (SATURDAY, SUNDAY)


@pytest.mark.parametrize("share", ["0.80", "1.00", "1.60"])
def test_the_day_before_a_missing_one_stays_if_it_is_like_such_days(share: str) -> None:
    saturday = {service: str(Decimal(amount) * Decimal(share)) for service, amount in STEADY.items()}
    assert judged(daily(d1101={}, d1031=saturday)) == (SUNDAY,)


@pytest.mark.parametrize("last", [{EC2: "12.00", S3: "1.40"}, {EC2: "0", S3: "0"}, {S3: "14.25"}])
def test_a_last_day_far_below_all_such_days_is_not_there(last: dict[str, str]) -> None:
    assert judged(daily(d1101=last)) == (SUNDAY,)


def test_a_last_day_that_lacks_half_of_what_always_costs_is_not_there() -> None:
    many = {"EC2": "50", "S3": "1", "KMS": "1", "SQS": "1"}
    assert judged(lambda day: {"EC2": "50", "S3": "1"} if day == SUNDAY else many) == (SUNDAY,)


def test_one_small_service_that_ended_is_no_lag() -> None:
    assert judged(lambda day: STEADY if day == SUNDAY else {**STEADY, RDS: "20"}) == ()


def test_an_account_that_rests_at_weekends_has_all_of_its_days() -> None:
    assert judged(lambda day: STEADY if day.weekday() < 5 else {}) == ()


def test_an_account_that_rests_at_weekends_lacks_a_friday() -> None:
    rests = judged(lambda day: STEADY if day.weekday() < 5 and day != FRIDAY else {})
    assert rests == (FRIDAY, SATURDAY, SUNDAY)


def test_cheap_weekends_are_no_lag() -> None:
    assert judged(lambda day: STEADY if day.weekday() < 5 else {EC2: "3.00", S3: "0.50"}) == ()


def test_a_batch_account_has_days_without_costs() -> None:
    assert judged(lambda day: STEADY if day.toordinal() % 3 == 0 else {}) == ()


def test_an_account_billed_in_lumps_is_whole_on_a_cheap_day() -> None:
    assert judged(lambda day: {S3: "500.00"} if day.toordinal() % 7 == 2 else {S3: "1.00"}) == ()


@pytest.mark.parametrize("until", [date(2026, 10, 20), date(2026, 10, 28), date(2026, 10, 29)])
def test_an_account_that_was_closed_has_zeros_once_aws_calls_its_days_final(until: date) -> None:
    closed: Costs = lambda day: STEADY if day < until else {}  # noqa: E731
    assert judged(closed, today=date(2026, 11, 9), estimated=False) == ()
    assert judged(closed, period="2026-10", today=date(2026, 11, 8), estimated=False) == ()


def test_more_than_a_week_of_older_days_without_anything_is_no_delay() -> None:
    closed: Costs = lambda day: STEADY if day < date(2026, 10, 20) else {}  # noqa: E731
    assert judged(closed, period="2026-10", today=date(2026, 11, 8)) == ()


def test_some_older_days_that_are_estimated_and_empty_are_not_there() -> None:
    closed: Costs = lambda day: STEADY if day < date(2026, 10, 29) else {}  # noqa: E731
    assert judged(closed, period="2026-10", today=date(2026, 11, 8)) == tuple(
        days(Period(start=date(2026, 10, 29), end=date(2026, 11, 1)))
    )


def test_a_new_account_is_not_judged_by_days_that_it_did_not_have() -> None:
    assert judged(lambda day: STEADY if FRIDAY <= day < SUNDAY else {}) == ()


def test_credits_that_cover_everything_leave_lines_and_so_the_day_is_there() -> None:
    assert judged(lambda _: {EC2: "0.00", S3: "0.00"}, period="2026-10") == ()


def test_a_month_in_which_credits_begin_on_the_last_day_is_whole() -> None:
    last = date(2026, 10, 31)
    records = {"Usage": STEADY, "Credit": {EC2: "-120.50", S3: "-14.25"}}
    costs: Costs = lambda day: {EC2: "0", S3: "0"} if day == last else STEADY  # noqa: E731
    assert judged(costs, period="2026-10", today=date(2026, 11, 2), records=records) == ()
    assert judged(costs, period="2026-10", today=date(2026, 11, 2)) == (last,)


def test_an_old_day_that_is_final_is_zero_and_an_estimated_one_is_not_there() -> None:
    last = date(2026, 10, 31)
    costs = daily(d1031={})
    assert judged(costs, period="2026-10", today=date(2026, 11, 8), estimated=False) == ()
    assert judged(costs, period="2026-10", today=date(2026, 11, 8)) == (last,)
    assert judged(costs, period="2026-10", today=date(2026, 11, 3), estimated=False) == (last,)


def test_days_that_are_absent_from_the_end_of_an_answer_are_not_there() -> None:
    batch: Costs = lambda day: STEADY if day.toordinal() % 3 == 0 else {}  # noqa: E731
    assert judged(batch, without=[SUNDAY])[-1:] == (SUNDAY,)
    assert judged(daily(), without=[SATURDAY, SUNDAY]) == (SATURDAY, SUNDAY)


def test_a_day_in_the_middle_is_no_trailing_day() -> None:
    assert judged(daily(d1028={})) == ()
    assert judged(daily(), without=[date(2026, 10, 28)]) == ()


def test_an_account_without_anything_is_whole() -> None:
    assert judged(lambda _: {}) == ()
