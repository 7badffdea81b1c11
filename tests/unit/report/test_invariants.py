"""What holds for every report, whatever the costs: sums, changes, gaps, and views that never fail."""

import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cost_reporting.contracts import Fact
from cost_reporting.costs import CostDocument, Line, NotAvailable, Split, TagSplit
from cost_reporting.money import cents
from cost_reporting.report import words
from cost_reporting.report.comparison import Comparison
from cost_reporting.report.edition import Edition
from cost_reporting.report.gaps import Gap
from cost_reporting.report.renderer import Renderer
from cost_reporting.report.sections import SECTIONS
from cost_reporting.report.sections import trend as trend_section
from cost_reporting.report.sections.anomalies import Anomalies
from cost_reporting.report.sections.commitments import Committed
from cost_reporting.report.sections.invoice import Invoice
from cost_reporting.report.sections.savings import Advised
from cost_reporting.report.sections.tags import Tags
from cost_reporting.report.sections.trend import Trend
from cost_reporting.report.sections.what_changed import WhatChanged
from tests.builders import (
    a_client,
    a_cost_document,
    a_failed_document,
    a_forecast,
    a_full_client,
    a_full_document,
    a_run,
    an_anomaly,
    no_commitments,
    not_available,
    not_read,
    some_commitments,
    some_savings,
)
from tests.unit.report.conftest import added, adds_up, an_edition, number

ERRORS = ("CostsThrottled", "CostsNotReady", "ClientAccessDenied", "CostsRefused", "SomethingNew")
names = st.sampled_from(["Amazon S3", "EC2 - Other", "AWS Support (Business)", "a" * 300, "<b>&\u202e", "東京", ""])
amounts = st.decimals("-4000", "9000", places=4) | st.sampled_from([Decimal(0), Decimal("0.004"), Decimal("-0.004")])
services = st.dictionaries(names.filter(bool), amounts, max_size=4)
missing = st.sampled_from(ERRORS).map(not_available)
splits = st.builds(
    lambda now, before: Split(
        current=tuple(Line(key=key, amount=amount) for key, amount in now.items()),
        previous=tuple(Line(key=key, amount=amount) for key, amount in before.items()),
        names={},
    ),
    st.dictionaries(names, amounts, max_size=5),
    st.dictionaries(names, amounts, max_size=5),
)
anomaly = st.builds(
    lambda day, length, impact: an_anomaly(day, last_day=day + timedelta(days=length), impact=impact),
    st.dates(date(2026, 9, 25), date(2026, 11, 5)),
    st.integers(0, 9),
    amounts,
)


advice = st.builds(
    lambda achieved, bought, resized: some_savings(
        achieved=achieved,
        purchases=[{"account_id": "1", "hourly": "1", "monthly_savings": amount} for amount in bought]
        if isinstance(bought, list)
        else bought,
        resizes=[
            {
                "account_id": "1",
                "resource_id": f"i-{number}\u202e<b>",
                "name": None,
                "region": None,
                "instance_type": "m5.large",
                "target": None,
                "monthly_savings": amount,
            }
            for number, amount in enumerate(resized)
        ]
        if isinstance(resized, list)
        else resized,
    ),
    amounts.map(lambda amount: [{"kind": "savings_plans", "net_savings": amount}]) | missing,
    st.lists(amounts, max_size=2) | missing,
    st.lists(amounts, max_size=9) | missing,
)


@st.composite
def editions(draw: st.DrawFn) -> Edition:
    period = draw(st.sampled_from(["2026-10", "2026-03", "2026-W42"]))
    low, mean, high = sorted(draw(st.tuples(amounts, amounts, amounts)))
    forecast = a_forecast("2026-11", so_far=draw(amounts), low=low, mean=mean, high=high)
    optional: dict[str, Any] = {
        "accounts": splits | missing,
        "regions": splits | missing,
        "tags": st.lists(st.builds(lambda split: TagSplit(tag_key="team", split=split), splits), max_size=3).map(tuple)
        | missing,
        "forecast": st.just(forecast) | missing,
        "anomalies": st.lists(anomaly, max_size=12).map(tuple) | missing,
        "commitments": st.sampled_from([no_commitments(), some_commitments(date(2026, 11, 20))]) | missing,
        "savings": advice | missing,
    }
    offsets = draw(st.dictionaries(names.filter(bool), st.fixed_dictionaries({"Credit": amounts}), max_size=1))
    costs = a_cost_document(
        period,
        services=draw(services),
        previous=draw(services),
        records=offsets,
        older=draw(st.sampled_from([None, "3"])),
        estimated=draw(st.sampled_from([(), (date(2026, 10, 12),)])),
        accounts_not_read=draw(st.sampled_from([(), (not_read(),), (not_read(None, "\u202e<b>", "SomethingNew"),)])),
        **{part: draw(st.none() | values) for part, values in optional.items()},
    )
    budget = draw(st.none() | st.just("500.00"))
    client = a_client(monthly_budget=budget, locale=draw(st.sampled_from(["en_US", "en_GB"])))
    return Edition(
        client=client, costs=costs, run=a_run(costs.period, issue=draw(st.sampled_from(["final", "preliminary"])))
    )


def tables(view: Fact) -> Iterator[Comparison]:
    """Every comparing table of a view."""
    parts = [tag.split for tag in view.tags] if isinstance(view, Tags) else [view]
    for part in parts:
        table = getattr(part, "table", None)
        if isinstance(table, Comparison):
            yield table


def others_add_up(view: Fact) -> bool:
    """The sums of the tables that do not compare."""
    match view:
        case Trend():
            return added(day.amount for day in view.days if number_like(day.amount)) == number(view.total)
        case Invoice():
            return added(step.amount for step in view.steps) == number(view.net)
        case Anomalies():
            return not view.rows or added(row.impact for row in view.rows) == number(view.sum)
        case Committed():
            return not view.uses or added(use.savings for use in view.uses) == number(view.saved)
        case Advised():
            return not view.rows or added(row.savings for row in view.rows) == number(view.sum)
        case _:
            return True


def number_like(text: str) -> bool:
    return text != "n/a"


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(editions())
@example(an_edition(a_full_client(), a_full_document()))
@example(an_edition(a_full_client(), a_full_document("2026-W42")))
@example(an_edition(a_full_client(), a_failed_document()))
def test_whatever_the_costs_rows_make_their_totals_and_gaps_are_no_zeros(edition: Edition) -> None:
    failed = edition.costs.not_available
    for section in SECTIONS:
        view = section.view(edition)
        if view is None:
            assert section.name not in failed
            continue
        assert all(adds_up(table) for table in tables(view)), section.name
        assert others_add_up(view), section.name
        if section.name in failed:
            assert isinstance(view, Gap)
            assert "0.00" not in view.sentence
        if isinstance(view, WhatChanged) and view.table is not None:
            change = view.table.sum.gain
            assert sum(row.gain for row in view.table.rows) == change
            assert change == number(view.table.sum.now) - number(view.table.sum.before)
    *listed, last = words.reasons(edition) or (None,)
    if last is not None and last.is_sum:
        assert added(line.amount for line in listed if line is not None) == number(last.amount)
    said = words.caveats(edition)
    assert sum(line.startswith("Not available") for line in said) >= bool(failed)
    assert sum(line.startswith("\u2020") for line in said) == len(edition.costs.accounts_not_read)


@settings(max_examples=60, deadline=None)
@given(services, services)
def test_contributions_make_the_change_to_the_cent(now: dict[str, Decimal], before: dict[str, Decimal]) -> None:
    edition = an_edition(costs=a_cost_document(services=now, previous=before))
    view = next(section.view(edition) for section in SECTIONS if section.name == "what_changed")
    if isinstance(view, WhatChanged) and view.table is not None and not edition.judged_by_usage:
        change = cents(edition.total) - cents(edition.previous_total)
        assert added(row.difference for row in view.table.rows) == number(view.table.sum.difference) == change


PAGES = {
    "everything": lambda: (a_full_client(), a_full_document()),
    "everything, a week": lambda: (a_full_client(), a_full_document("2026-W42")),
    "nothing could be had": lambda: (a_full_client(), a_failed_document()),
    "nothing could be had, a week": lambda: (a_full_client(), a_failed_document("2026-W42")),
}


@pytest.mark.parametrize("page", PAGES)
def test_no_page_shows_a_zero_for_what_is_not_known(
    page: str, renderer: Renderer, text_of: Callable[[bytes], str]
) -> None:
    client, costs = PAGES[page]()
    text = text_of(renderer.render(client, costs, a_run(costs.period)).pdf)
    assert not re.search(r"(?<![\d.,])0\.00(?!\d)", text)
    if isinstance(costs.forecast, NotAvailable):
        assert text.count("AWS was too busy to answer") >= 6
        assert "ThrottlingException" not in text
        assert "CostsThrottled" not in text


@pytest.mark.parametrize("part", ["accounts", "regions", "tags", "forecast", "anomalies", "commitments", "savings"])
def test_each_part_that_fails_is_named_on_the_first_page_and_in_the_mail(part: str, renderer: Renderer) -> None:
    costs: CostDocument = a_full_document(**{part: not_available()})
    edition = an_edition(a_full_client(), costs)
    assert any(line.startswith("Not available: ") for line in words.caveats(edition))
    assert "Not available: " in renderer.render(a_full_client(), costs, a_run()).mail.text
    assert trend_section.view(edition) is not None
