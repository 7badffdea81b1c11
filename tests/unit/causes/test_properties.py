"""What holds of every bill: the causes add up, and nothing but the bill decides what they are.

Each sum is worked out a second time from the rows themselves. What hours and prices by usage type would tell is not
held here: the document has no usage types, so that there are no families with prices, and nothing that they leave
unchanged.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from random import Random

from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from cost_reporting.contracts import Period
from cost_reporting.costs import Anomaly, CostDocument
from cost_reporting.domain.causes import Explanation, explain
from tests.builders import an_anomaly
from tests.unit.causes.rows import EC2, RDS, S3, Row, a_bill, daily, every_first, once

D = Decimal
CENT = D("0.01")
PERIODS = st.sampled_from(["2026-10", "2026-03", "2026-08", "2026-02", "2026-W42", "2026-W44", "2026-W45"])
METRICS = st.sampled_from(["unblended", "amortized", "net_unblended", "net_amortized"])
SERVICES = st.sampled_from([EC2, S3, RDS, "AWS Glue", "Amazon Elasticsearch Service", "Amazon OpenSearch Service"])
USAGE = ("Usage", "DiscountedUsage", "SavingsPlanCoveredUsage", "EdpDiscount")
FEES = ("Tax", "Support", "Recurring", "Upfront", "FlatRateSubscription", "SavingsPlanRecurringFee")
OFFSETS = ("Credit", "Refund", "SavingsPlanNegation")
AMOUNTS = st.sampled_from(["0.0001", "0.01", "1", "100", "1000000"]).flatmap(
    lambda size: st.decimals("-1", "10", places=4).map(lambda factor: factor * D(size))
)
FEW = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@st.composite
def row(draw: st.DrawFn, types: tuple[str, ...] = (*USAGE, *FEES, *OFFSETS)) -> Row:
    """Every day for a while, or on single days."""
    start = draw(st.dates(date(2026, 1, 1), date(2026, 11, 5)))
    length = draw(st.sampled_from([1, 1, 5, 40, 300]))
    on = tuple(start + timedelta(days=n) for n in range(length))
    amortized = draw(st.none() | AMOUNTS)
    return Row(draw(SERVICES), draw(AMOUNTS), on, draw(st.sampled_from(types)), amortized)


@st.composite
def reports(draw: st.DrawFn) -> tuple[Anomaly, ...]:
    """Anomalies of any service, with and without what AWS may leave out."""
    found = []
    for _ in range(draw(st.integers(0, 3))):
        first = draw(st.dates(date(2026, 1, 25), date(2026, 11, 5)))
        last = draw(st.none() | st.integers(0, 9).map(lambda n, first=first: first + timedelta(days=n)))
        impact = draw(AMOUNTS)
        service = draw(SERVICES | st.just("several services"))
        account = draw(st.sampled_from([None, "111122223333"]))
        found.append(
            an_anomaly(first, last_day=last, impact=impact, service=service, account_id=account, usage_type=None)
        )
    return tuple(found)


def within(rows: Iterable[Row], period: Period, *, amortized: bool, but: tuple[str, ...] = ()) -> Decimal:
    """The total of a period as a child would add it up."""
    return sum(
        (
            row.amount if not amortized or row.amortized is None else row.amortized
            for row in rows
            for day in row.on
            if period.start <= day < period.end and row.record_type not in but
        ),
        D(0),
    )


def rounded(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


def added(made: Explanation) -> Decimal:
    return sum((cause.amount for cause in made.causes), D(0))


@settings(parent=FEW, max_examples=100)
@given(st.lists(row(), max_size=8), PERIODS, METRICS, reports(), st.sampled_from(["preliminary", "final"]))
def test_the_causes_add_up_to_the_printed_change(
    rows: list[Row], period: str, metric: str, anomalies: tuple[Anomaly, ...], issue: str
) -> None:
    costs = a_bill(
        period, rows, metric=metric, anomalies=anomalies, issue=issue if "W" not in period else "preliminary"
    )
    made = explain(costs)
    event(made.basis)
    if not made.compares:
        assert (made.change, made.causes) == (None, ())
        return
    but = ("Credit", "Refund") if made.basis == "usage" else ()
    now, before = (
        rounded(within(rows, side, amortized="amortized" in metric, but=but)) for side in (costs.period, costs.previous)
    )
    assert made.change == now - before
    assert added(made) == (made.change if made.causes else 0)
    assert made.causes or made.change == 0
    assert [cause.kind for cause in made.causes].count("else") <= 1
    for cause in made.causes:
        assert cause.amount == rounded(cause.amount)
        if cause.now is not None and cause.before is not None:
            assert cause.amount == cause.now - cause.before
        if cause.parts:
            assert cause.amount == sum(part.amount for part in cause.parts)
        if cause.up is not None and cause.down is not None:
            assert cause.amount == cause.up + cause.down
    amounts = [abs(cause.amount) for cause in made.causes if cause.kind != "else"]
    assert amounts == sorted(amounts, reverse=True)


@FEW
@given(st.lists(row(), max_size=8), PERIODS, reports(), st.randoms(use_true_random=False))
def test_the_order_of_an_answer_decides_nothing(
    rows: list[Row], period: str, anomalies: tuple[Anomaly, ...], random: Random
) -> None:
    costs = a_bill(period, rows, anomalies=anomalies)
    mixed = costs.model_copy(
        update={
            "days": shuffled(
                (day.model_copy(update={"lines": shuffled(day.lines, random)}) for day in costs.days), random
            ),
            "spans": shuffled((s.model_copy(update={"lines": shuffled(s.lines, random)}) for s in costs.spans), random),
            "anomalies": shuffled(anomalies, random),
        }
    )
    assert explain(mixed).model_dump_json() == explain(costs).model_dump_json()


def shuffled[T](things: Iterable[T], random: Random) -> tuple[T, ...]:
    found = list(things)
    random.shuffle(found)
    return tuple(found)


@FEW
@given(st.lists(row(), min_size=1, max_size=6), PERIODS, reports())
def test_a_charge_in_two_halves_is_the_same_charge(
    rows: list[Row], period: str, anomalies: tuple[Anomaly, ...]
) -> None:
    first, *others = rows
    half = replace(first, amount=first.amount / 2, amortized=None if first.amortized is None else first.amortized / 2)
    whole = explain(a_bill(period, rows, anomalies=anomalies))
    assert explain(a_bill(period, [half, half, *others], anomalies=anomalies)) == whole


@FEW
@given(st.dictionaries(SERVICES, st.decimals("0.0001", "100000", places=4), min_size=1), PERIODS)
def test_a_bill_that_is_the_same_every_day_has_the_calendar_only(costs: dict[str, Decimal], period: str) -> None:
    made = explain(a_bill(period, [row for name, amount in costs.items() for row in daily(name, str(amount))]))
    kinds = {cause.kind for cause in made.causes}
    if "W" in period or period == "2026-08":
        assert (made.change, kinds) == (0, set())
    else:
        assert kinds <= {"calendar"} or (kinds == {"else"} and abs(made.change or 0) < D("0.05"))


@FEW
@given(st.lists(row(USAGE), max_size=6), st.sampled_from(["2026-W42", "2026-W44"]), reports())
def test_a_week_has_no_calendar_and_nothing_new(rows: list[Row], period: str, anomalies: tuple[Anomaly, ...]) -> None:
    kinds = {cause.kind for cause in explain(a_bill(period, rows, anomalies=anomalies)).causes}
    assert not kinds & {"calendar", "new", "begun", "costs_began"}


@FEW
@given(st.lists(row(("Usage",)), max_size=6), st.decimals("1", "50000", places=2), st.integers(1, 31))
def test_a_credit_adds_a_cause_and_changes_no_other(rows: list[Row], credit: Decimal, day: int) -> None:
    """Of a service apart, so that the days of the others still show their usage."""
    plain = a_bill("2026-10", rows)
    given_ = once("AWS Marketplace", f"-{credit}", date(2026, 10, day), record_type="Credit")
    before, after = explain(plain), explain(a_bill("2026-10", [*rows, *given_]))
    assume(before.compares and after.basis == "change")
    found = [cause for cause in after.causes if cause.kind == "credits"]
    assert [cause.amount for cause in found] in ([-credit], [])
    assert found or credit < 1000000
    named = {(cause.kind, cause.service): cause for cause in before.causes if cause.kind != "else"}
    for cause in after.causes:
        if (cause.kind, cause.service) in named:
            assert abs(cause.amount - named[cause.kind, cause.service].amount) <= D("0.05")


@FEW
@given(st.lists(row(USAGE), max_size=6), st.sampled_from(["2026-10", "2026-03"]))
def test_new_is_what_no_earlier_month_has(rows: list[Row], period: str) -> None:
    costs = a_bill(period, rows)
    for cause in explain(costs).causes:
        if cause.kind == "new":
            assert cause.service is not None
            assert not used_before(costs, cause.service)


def used_before(costs: CostDocument, service: str) -> bool:
    return any(
        line.service == service and line.amounts.unblended >= CENT and line.record_type != "EdpDiscount"
        for span in costs.spans
        for line in span.lines
        if span.period.start < costs.period.start
    )


@FEW
@given(
    st.decimals("1", "9000", places=2),
    st.decimals("20", "9000", places=2),
    st.sampled_from(["Recurring", "Upfront", "Tax", "FlatRateSubscription"]),
    st.integers(1, 30),
    st.integers(1, 31),
)
def test_a_monthly_fee_may_be_billed_on_any_day_of_its_month(
    usage: Decimal, fee: Decimal, record_type: str, before: int, now: int
) -> None:
    steady = [*daily(EC2, str(usage)), *daily(RDS, "10")]
    usual = explain(a_bill("2026-10", [*steady, *every_first(RDS, str(fee), record_type)]))
    on = (date(2026, 9, before), date(2026, 10, now))
    moved = explain(a_bill("2026-10", [*steady, *once(RDS, str(fee), *on, record_type=record_type)]))
    assert {(cause.kind, cause.service, cause.amount) for cause in moved.causes if cause.service} == {
        (cause.kind, cause.service, cause.amount) for cause in usual.causes if cause.service
    }
    assert not any(cause.kind == "service" for cause in moved.causes)


@FEW
@given(st.lists(row(USAGE), min_size=1, max_size=5), st.integers(0, 60), st.sampled_from(["2026-10", "2026-W42"]))
def test_without_one_day_there_is_no_list_or_the_same(rows: list[Row], place: int, period: str) -> None:
    """The record lines are the second answer about the day: what they do not show either is less than a cent."""
    costs = a_bill(period, rows)
    gone = costs.days[place % len(costs.days)]
    less = tuple(day if day is not gone else day.model_copy(update={"lines": ()}) for day in costs.days)
    made = explain(costs.model_copy(update={"days": less}))
    if any(abs(line.amount) > CENT for line in gone.lines):
        assert made.basis in {"previous_not_known", "not_known"}
    missing = costs.model_copy(update={"days": tuple(day for day in costs.days if day is not gone)})
    assert not explain(missing).compares


@FEW
@given(st.lists(row(), max_size=6), PERIODS, reports(), st.data())
def test_a_second_monitor_that_reports_the_same_event_changes_nothing(
    rows: list[Row], period: str, anomalies: tuple[Anomaly, ...], data: st.DataObject
) -> None:
    assume(anomalies)
    twice = data.draw(st.sampled_from(anomalies))
    again = twice.model_copy(update={"account_id": None, "region": None})
    alone = explain(a_bill(period, rows, anomalies=(twice,)))
    assert explain(a_bill(period, rows, anomalies=(twice, again))) == alone


@FEW
@given(st.lists(row(), max_size=6), PERIODS, reports())
def test_incidents_cost_no_more_than_their_service(
    rows: list[Row], period: str, anomalies: tuple[Anomaly, ...]
) -> None:
    costs = a_bill(period, rows, anomalies=anomalies)
    spent: dict[str, Decimal] = {}
    for line in (
        line
        for span in costs.spans
        if costs.period.start <= span.period.start
        for line in span.lines
        if line.record_type in USAGE
    ):
        spent[line.service] = spent.get(line.service, D(0)) + line.amounts.unblended
    found: dict[str, Decimal] = {}
    for cause in explain(costs).causes:
        if cause.kind == "incident" and cause.service is not None:
            part = cause.amount if cause.now is None else cause.now
            found[cause.service] = found.get(cause.service, D(0)) + part
    for service, amount in found.items():
        assert amount <= max(spent.get(service, D(0)), D(0)) + D("0.03")
