"""Several accounts make one document: its sums are theirs, whatever they are."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cost_reporting.costs import (
    AccountRead,
    CostDocument,
    NotAvailable,
    Split,
    by_day,
    by_group,
    by_month,
    by_service,
    period_total,
)
from cost_reporting.domain.gate import gate
from cost_reporting.errors import CostsDoNotReconcile
from cost_reporting.sources.cost_explorer.merging import merged
from cost_reporting.sources.cost_explorer.reading import Reading
from tests.builders import a_client, a_cost_document, a_forecast, a_run, a_split, not_available

amounts = st.decimals("-4000", "9000", places=10)
services = st.dictionaries(st.sampled_from(["Amazon S3", "AWS Lambda", "Tax", "EC2 - Other"]), amounts, max_size=4)
documents = st.lists(
    st.builds(
        lambda now, before, credit: a_cost_document(
            services=now, previous=before, records={"AWS Lambda": {"Credit": credit}}, older="3.0000000001"
        ),
        services,
        services,
        amounts,
    ),
    min_size=1,
    max_size=5,
)


def a_reading(number: int, costs: CostDocument, sections: Mapping[str, Any] | None = None, **changes: Any) -> Reading:
    facts: dict[str, Any] = {
        "account": AccountRead(account_id=f"{number:012d}", name=f"Account {number}"),
        "currency": "USD",
        "spans": costs.spans,
        "days": costs.days,
        "sections": sections or {},
    }
    return Reading(**(facts | changes))


def together(*readings: Reading, sections: tuple[str, ...] = ()) -> CostDocument:
    more = tuple(
        {
            "name": reading.account.name,
            "access": {
                "kind": "role",
                "role_arn": f"arn:aws:iam::{reading.account.account_id}:role/reader",
                "external_id": "ours",
            },
        }
        for reading in readings[1:]
    )
    run = a_run()
    return merged(
        a_client(more_accounts=more, sections=sections),
        run,
        readings,
        previous=a_cost_document().previous,
        fetched_at=datetime(2026, 11, 8, 6, tzinfo=UTC),
        queries=(),
        not_read=(),
    )


def added(parts: list[CostDocument], of: Callable[[CostDocument], Mapping[Any, Decimal]]) -> dict[Any, Decimal]:
    sums: dict[Any, Decimal] = {}
    for part in parts:
        for key, amount in of(part).items():
            sums[key] = sums.get(key, Decimal(0)) + amount
    return sums


@settings(max_examples=60, deadline=None)
@given(documents)
def test_every_sum_of_the_whole_is_the_sum_of_the_parts(parts: list[CostDocument]) -> None:
    whole = together(*(a_reading(number, costs) for number, costs in enumerate(parts, 1)))
    for period in (whole.period, whole.previous):
        assert period_total(whole, period) == sum(period_total(part, period) for part in parts)
        assert by_service(whole, period) == added(parts, lambda part: by_service(part, period))  # noqa: B023
        assert by_day(whole, period) == added(parts, lambda part: by_day(part, period))  # noqa: B023
        assert by_group(whole, period) == added(parts, lambda part: by_group(part, period))  # noqa: B023
    assert by_month(whole) == added(parts, by_month)
    gate(whole)
    if len(parts) > 1:
        assert isinstance(whole.accounts, Split)
        assert [line.amount for line in whole.accounts.current] == [period_total(part, part.period) for part in parts]
        assert [line.amount for line in whole.accounts.previous] == [
            period_total(part, part.previous) for part in parts
        ]


def test_one_account_alone_is_its_own_document() -> None:
    costs = a_cost_document()
    whole = together(a_reading(1, costs))
    assert (whole.spans, whole.days, whole.accounts) == (costs.spans, costs.days, None)


def test_a_day_is_estimated_if_it_is_for_one_account() -> None:
    costs = a_cost_document()
    unsure = a_cost_document(estimated=[costs.period.start])
    whole = together(a_reading(1, costs), a_reading(2, unsure))
    assert [day.day for day in whole.days if day.estimated] == [costs.period.start]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.dictionaries(st.sampled_from(["eu-west-1", "us-east-1", "global"]), amounts), min_size=1, max_size=4)
)
def test_a_split_is_the_sum_of_the_splits(parts: list[dict[str, Decimal]]) -> None:
    readings = [
        a_reading(number, a_cost_document(), {"regions": a_split(part)}) for number, part in enumerate(parts, 1)
    ]
    regions = together(*readings, sections=("regions",)).regions
    assert isinstance(regions, Split)
    for key in {key for part in parts for key in part}:
        (line,) = [line for line in regions.current if line.key == key]
        assert line.amount == sum(part.get(key, Decimal(0)) for part in parts)


@pytest.mark.parametrize("failed", [(1,), (2,), (1, 3)])
def test_a_section_that_one_account_lacks_is_not_available_and_says_whose(failed: tuple[int, ...]) -> None:
    readings = [
        a_reading(number, a_cost_document(), {"forecast": not_available() if number in failed else a_forecast()})
        for number in (1, 2, 3)
    ]
    forecast = together(*readings, sections=("forecast",)).forecast
    assert isinstance(forecast, NotAvailable)
    assert forecast.accounts == tuple(f"Account {number}" for number in failed)


def test_a_section_that_all_accounts_lack_names_none() -> None:
    readings = [a_reading(number, a_cost_document(), {"forecast": not_available()}) for number in (1, 2)]
    assert together(*readings, sections=("forecast",)).forecast == not_available()


def test_two_currencies_are_never_added_and_none_is_no_other_one() -> None:
    costs = a_cost_document()
    with pytest.raises(CostsDoNotReconcile, match="000000000002 in EUR and 000000000001 in USD"):
        together(a_reading(1, costs), a_reading(2, costs, currency="EUR"))
    assert together(a_reading(1, costs, currency="EUR"), a_reading(2, costs, currency=None)).currency == "EUR"
