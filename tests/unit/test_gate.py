"""The gate: what two answers know and disagree about is never printed as if it were known."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cost_reporting.contracts import Period
from cost_reporting.costs import CostDocument, DayCosts, Line, NotAvailable, Split, TagSplit
from cost_reporting.domain.gate import gate, views
from cost_reporting.errors import CostsDoNotReconcile
from cost_reporting.periods import days, parse
from tests.builders import a_cost_document, a_forecast, a_full_document, a_split, some_accounts

EC2, S3 = "Amazon Elastic Compute Cloud - Compute", "Amazon Simple Storage Service"


def moved(costs: CostDocument, by: str, service: str = S3) -> CostDocument:
    """The same costs, with ``service`` dearer ``by`` that much on the last day, but only in the view by day."""
    *others, last = costs.days
    lines = tuple(
        Line(key=line.key, amount=line.amount + (Decimal(by) if line.key == service else 0)) for line in last.lines
    )
    return costs.model_copy(update={"days": (*others, last.model_copy(update={"lines": lines}))})


@pytest.mark.parametrize("difference", ["0.01", "-0.01", "0.0099999999"])
def test_a_cent_of_rounding_between_the_views_is_no_difference(difference: str) -> None:
    gate(moved(a_cost_document(), difference))


@pytest.mark.parametrize("difference", ["0.0100000001", "-0.02", "250"])
def test_more_than_a_cent_between_the_views_names_service_views_and_amounts(difference: str) -> None:
    costs = a_cost_document(services={EC2: "900.00", S3: "120.50"})
    by_days = Decimal("120.50") + Decimal(difference)
    with pytest.raises(CostsDoNotReconcile) as raised:
        gate(moved(costs, difference))
    said = str(raised.value)
    assert "USD in 2026-10-01 to 2026-11-01" in said
    assert f"{S3}: {by_days.normalize():f}" in said
    assert "120.50" in said
    assert EC2 not in said


def test_two_services_that_differ_and_cancel_out_are_still_a_difference() -> None:
    costs = moved(moved(a_cost_document(), "5", service=EC2), "-5", service=S3)
    with pytest.raises(CostsDoNotReconcile, match=EC2):
        gate(costs)


def test_a_service_that_only_one_view_knows_is_a_difference() -> None:
    costs = a_cost_document(services={S3: "10.00"})
    missing = costs.model_copy(update={"spans": ()})
    with pytest.raises(CostsDoNotReconcile, match=rf"{S3}: 10\.0+ by day, 0 by record type"):
        gate(missing)


def test_a_hundred_differences_are_still_one_readable_sentence() -> None:
    costs = a_cost_document(services={f"Service {number:03d}": "10.00" for number in range(100)})
    with pytest.raises(CostsDoNotReconcile) as raised:
        gate(costs.model_copy(update={"spans": ()}))
    assert len(str(raised.value)) < 1000


def without_days(costs: CostDocument, *gone: date) -> CostDocument:
    return costs.model_copy(update={"days": tuple(day for day in costs.days if day.day not in gone)})


def emptied(costs: CostDocument, *empty: date) -> CostDocument:
    found = tuple(day.model_copy(update={"lines": ()}) if day.day in empty else day for day in costs.days)
    return costs.model_copy(update={"days": found})


def test_costs_that_agree_pass_unmarked() -> None:
    costs = a_full_document(forecast=None)
    assert gate(costs) == costs


def test_what_has_passed_the_gate_passes_it_unchanged() -> None:
    once = gate(emptied(a_full_document(), date(2026, 9, 20)))
    assert gate(once) == once


@pytest.mark.parametrize("change", [without_days, emptied])
@pytest.mark.parametrize("period", ["2026-10", "2026-W42"])
def test_a_period_before_that_is_not_known_in_full_is_not_compared(period: str, change: object) -> None:
    costs = a_cost_document(period)
    found = gate(change(costs, costs.previous.start + timedelta(days=2)))  # type: ignore[operator]
    assert isinstance(found.not_comparable, NotAvailable)
    assert not found.complete
    assert found.months_not_known == ((found.previous,) if found.cadence == "monthly" else ())


def test_a_period_before_without_record_types_is_not_compared() -> None:
    costs = a_cost_document()
    spans = tuple(span for span in costs.spans if span.period != costs.previous)
    assert gate(costs.model_copy(update={"spans": spans})).not_comparable is not None


def test_a_first_report_is_comparable_with_nothing_and_says_no_contradiction() -> None:
    costs = gate(a_cost_document(previous={}, older=None))
    assert (costs.not_comparable, costs.months_not_known) == (None, ())


def test_a_month_that_is_absent_from_the_history_is_named() -> None:
    costs = a_cost_document()
    august = parse("2026-08")
    found = gate(costs.model_copy(update={"spans": tuple(s for s in costs.spans if s.period != august)}))
    assert found.months_not_known == (august,)
    assert found.not_comparable is None


def test_a_breakdown_that_does_not_add_up_is_not_available_and_the_report_is_made() -> None:
    lacking = some_accounts([("310000000001", "prod", "8.00", "10.00")])
    found = gate(a_cost_document(services={S3: "12.00"}, previous={S3: "10.00"}, accounts=lacking)).accounts
    assert isinstance(found, NotAvailable)
    assert found.error == "CostsDoNotReconcile"
    assert "12.00" in found.reason
    assert "8.00 by account" in found.reason


def test_a_breakdown_without_any_line_is_not_available_where_the_days_have_some() -> None:
    costs = a_cost_document(services={S3: "0.00"}, regions=a_split({}, {}))
    assert isinstance(gate(costs).regions, NotAvailable)


@pytest.mark.parametrize("before", [{}, {"eu-west-1": "7.00"}])
def test_a_previous_side_that_differs_or_is_missing_is_not_known(before: dict[str, str]) -> None:
    split = a_split({"eu-west-1": "12.00"}, before)
    found = gate(a_cost_document(services={S3: "12.00"}, previous={S3: "10.00"}, regions=split)).regions
    assert isinstance(found, Split)
    assert found.previous is None


def test_one_tag_that_differs_leaves_the_others() -> None:
    good, bad = a_split({"shop": "12.00"}, {"shop": "10.00"}), a_split({"prod": "1.00"})
    tags = (TagSplit(tag_key="team", split=good), TagSplit(tag_key="stage", split=bad))
    found = gate(a_cost_document(services={S3: "12.00"}, previous={S3: "10.00"}, tags=tags))
    assert isinstance(found.tags, tuple)
    assert found.tags[0].split == good
    assert list(found.not_available) == ["tags.stage"]


def with_november(until: int) -> CostDocument:
    """October, and November until that day, of which each day costs 2.00."""
    costs = a_cost_document()
    more = tuple(
        DayCosts(day=date(2026, 11, n), estimated=True, lines=(Line(key=S3, amount=Decimal(2)),))
        for n in range(1, until)
    )
    return costs.model_copy(update={"days": costs.days + more})


def test_a_forecast_is_added_to_the_days_of_its_month_and_to_nothing_else() -> None:
    right = a_forecast(until=date(2026, 11, 10), so_far="18.00")
    wrong = a_forecast(until=date(2026, 11, 10), so_far="16.00")
    gap = with_november(9)
    found = [
        gate(costs.model_copy(update={"forecast": forecast})).forecast
        for costs, forecast in ((with_november(10), right), (with_november(10), wrong), (gap, right))
    ]
    assert found[0] == right
    assert [each.error for each in found[1:] if isinstance(each, NotAvailable)] == [
        "CostsDoNotReconcile",
        "CostsNotReady",
    ]


def partly_there(period: str) -> CostDocument:
    """The last day is not filled: a third of it is there, in the record types of a month and in the regions."""
    costs = a_cost_document(period, services={S3: "30.00"}, previous={S3: "30.00"})
    *whole, last = costs.days
    part = DayCosts(day=last.day, estimated=True, lines=(Line(key=S3, amount=Decimal("0.30")),))
    known = sum(line.amount for day in whole if day.day >= costs.period.start for line in day.lines)
    lines = costs.spans[-1].lines
    if costs.cadence == "monthly":
        so_far = dict.fromkeys(("unblended", "amortized", "net_unblended", "net_amortized"), known + Decimal("0.30"))
        lines = (lines[0].model_copy(update={"amounts": lines[0].amounts.model_copy(update=so_far)}),)
        spans = (*costs.spans[:-1], costs.spans[-1].model_copy(update={"lines": lines}))
    else:
        spans = costs.spans[:-1]
    return costs.model_copy(
        update={
            "days": tuple(whole),
            "spans": spans,
            "days_not_filled": (last.day,),
            "days_partly_filled": (part,),
            "regions": a_split({"eu-west-1": str(known + Decimal("0.30"))}, {"eu-west-1": "30.00"}),
        }
    )


@pytest.mark.parametrize("period", ["2026-10", "2026-W44"])
def test_what_there_is_of_a_day_that_is_not_filled_is_in_no_total_and_no_difference(period: str) -> None:
    costs = gate(partly_there(period))
    by_day, *others = views(costs).values()
    assert all(abs(other - by_day) <= Decimal("0.01") for other in others)
    assert isinstance(costs.regions, Split)
    assert costs.regions.previous is None  # a third of a day here, and all of it there
    assert costs.known == Period(start=costs.period.start, end=costs.days_not_filled[0])
    assert len(list(days(costs.compared))) == len(list(days(costs.known)))


AMOUNTS = st.decimals(min_value=2, max_value=10**4, places=2)
SIDES = st.dictionaries(st.sampled_from(["a", "b", "c"]), AMOUNTS, min_size=1)


@settings(max_examples=80, deadline=None)
@given(SIDES, SIDES, st.data())
def test_dropping_any_one_element_of_one_side_never_passes_unmarked(
    now: dict[str, Decimal], before: dict[str, Decimal], data: st.DataObject
) -> None:
    whole = a_cost_document(services=now, previous=before, regions=a_split(now, before))
    assert gate(whole) == whole
    side = data.draw(st.sampled_from(["day", "days' service", "record type", "region", "region before", "months"]))
    cut = dropped(whole, side, data)
    try:
        found = gate(cut)
    except CostsDoNotReconcile:
        return
    marks = (found.not_comparable, *found.months_not_known, found.regions if found.regions != whole.regions else None)
    assert any(mark is not None for mark in marks), side


def dropped(costs: CostDocument, side: str, data: st.DataObject) -> CostDocument:
    if side == "day":
        cut = data.draw(st.sampled_from([without_days, emptied]))
        return cut(costs, data.draw(st.sampled_from(costs.days)).day)
    if side == "days' service":
        period = data.draw(st.sampled_from([costs.period, costs.previous]))
        known = [day for day in costs.days if period.start <= day.day < period.end]
        service = data.draw(st.sampled_from(sorted({line.key for day in known for line in day.lines})))
        lines = {day.day: tuple(line for line in day.lines if line.key != service) for day in known}
        found = tuple(day.model_copy(update={"lines": lines.get(day.day, day.lines)}) for day in costs.days)
        return costs.model_copy(update={"days": found})
    if side in {"record type", "months"}:
        span = data.draw(st.sampled_from(costs.spans[-2:] if side == "record type" else costs.spans[1:-1]))
        spans = tuple(
            each.model_copy(update={"lines": each.lines[1:]}) if each == span and side == "record type" else each
            for each in costs.spans
            if each != span or side == "record type"
        )
        return costs.model_copy(update={"spans": spans})
    assert isinstance(costs.regions, Split)
    assert costs.regions.previous is not None
    field = "current" if side == "region" else "previous"
    lines_of = costs.regions.current if side == "region" else costs.regions.previous
    gone = data.draw(st.sampled_from(lines_of))
    kept = tuple(line for line in lines_of if line != gone)
    return costs.model_copy(update={"regions": costs.regions.model_copy(update={field: kept})})


def test_a_stored_document_of_an_older_version_passes() -> None:
    new = {"days_not_filled", "days_partly_filled", "not_comparable", "months_not_known"}
    old = a_full_document(forecast=None).model_dump_json(exclude=new)
    assert gate(CostDocument.model_validate_json(old)) == a_full_document(forecast=None)
