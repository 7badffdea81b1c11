"""Accounts, regions and tags: the same table, the same sums, and a gap where the figures could not be had."""

from decimal import Decimal

import pytest

from cost_reporting.costs import CostDocument
from cost_reporting.report.edition import Edition
from cost_reporting.report.gaps import Gap
from cost_reporting.report.sections import accounts, regions, tags
from cost_reporting.report.splits import Breakdown
from tests.builders import a_cost_document, a_full_document, a_split, a_tag, not_available, some_accounts
from tests.unit.report.conftest import added, adds_up, an_edition, number

TWO = {"eu-west-1": "1000.00", "us-east-1": "20.50"}


def of_regions(**costs: object) -> Breakdown:
    view = regions.view(an_edition(costs=a_cost_document(**costs)))  # type: ignore[arg-type]
    assert isinstance(view, Breakdown)
    return view


def of_tags(*found: object, **costs: object) -> tags.Tags:
    view = tags.view(an_edition(costs=a_cost_document(tags=found, **costs)))  # type: ignore[arg-type]
    assert isinstance(view, tags.Tags)
    return view


def test_regions_add_up_to_the_total() -> None:
    view = of_regions(regions=a_split(TWO, {"eu-west-1": "968.25"}))
    assert adds_up(view.table)
    assert number(view.table.sum.now) == Decimal("1020.50")
    assert view.finding == "2 regions had costs. The largest, eu-west-1, makes up 98\u00a0% of the total."


def test_what_has_no_region_is_called_so_and_not_counted() -> None:
    view = of_regions(regions=a_split({"NoRegion": "900.00", "global": "100.00", "us-east-1": "20.50"}))
    assert [row.name for row in view.table.rows] == ["without a region", "global", "us-east-1"]
    assert view.finding == "1 region had costs."


def test_untagged_stands_last_whatever_it_costs() -> None:
    (tag,) = of_tags(a_tag(now={"": "900", "shop": "100.50", "data": "20"})).tags
    assert tag.split is not None
    assert [row.name for row in tag.split.table.rows] == ["shop", "data", "untagged"]
    assert tag.finding == "The tag has 2 values; 88\u00a0% of the costs do not carry it."
    assert adds_up(tag.split.table)


def test_five_thousand_values_are_one_readable_table() -> None:
    values = {f"value-{n}": "0.2" for n in range(5000)} | {"": "20.50"}
    (tag,) = of_tags(a_tag(now=values)).tags
    assert tag.split is not None
    assert len(tag.split.table.rows) == tags.TOP + 2
    assert [row.name for row in tag.split.table.rows[-2:]] == [f"Other ({5000 - tags.TOP:,} values)", "untagged"]
    assert adds_up(tag.split.table)


def test_a_value_called_like_a_row_of_ours_is_only_a_value() -> None:
    (tag,) = of_tags(a_tag(now={"Rounding": "1000", "Total": "20.50"})).tags
    assert tag.split is not None
    assert not any(row.is_rest for row in tag.split.table.rows)
    assert all(row.share for row in tag.split.table.rows)


def test_a_tag_that_nothing_carries_is_a_sentence_and_no_table() -> None:
    (tag,) = of_tags(a_tag(now={"": "1020.50"})).tags
    assert tag.split is None
    assert tag.finding == "None of the costs of the period carry this tag."


def test_each_tag_has_its_table_and_many_have_shorter_ones() -> None:
    values = {f"value-{n}": "50" for n in range(20)} | {"": "20.50"}
    view = of_tags(*(a_tag(f"key-{n}", values) for n in range(5)))
    assert [tag.key for tag in view.tags] == [f"key-{n}" for n in range(5)]
    assert {len(tag.split.table.rows) for tag in view.tags if tag.split} == {tags.LEAST + 2}


def test_a_weekly_report_has_a_table_of_accounts_and_sentences_for_the_rest() -> None:
    edition = an_edition(costs=a_full_document("2026-W42"))
    by_account, by_region, by_tag = accounts.view(edition), regions.view(edition), tags.view(edition)
    assert isinstance(by_account, Breakdown)
    assert isinstance(by_region, Breakdown)
    assert isinstance(by_tag, tags.Tags)
    assert (by_account.has_table, by_region.has_table) == (True, False)
    assert [tag.split for tag in by_tag.tags] == [None, None]


@pytest.mark.parametrize("section", [accounts, regions, tags])
def test_figures_that_could_not_be_had_are_a_gap(section: object) -> None:
    name = section.__name__.rpartition(".")[2]  # type: ignore[attr-defined]
    view = section.view(an_edition(costs=a_cost_document(**{name: not_available()})))  # type: ignore[attr-defined]
    assert isinstance(view, Gap)
    assert view.sentence == "Not available: AWS was too busy to answer."


@pytest.mark.parametrize("section", [accounts, regions, tags])
def test_what_was_not_asked_for_is_not_there(section: object) -> None:
    assert section.view(an_edition()) is None  # type: ignore[attr-defined]


def test_previous_costs_of_another_sum_keep_their_own() -> None:
    family = some_accounts([("1" * 12, "one", "1020.50", "900.00"), ("2" * 12, "two", "0", "1.00")])
    edition: Edition = an_edition(costs=a_cost_document(accounts=family))
    view = accounts.view(edition)
    assert isinstance(view, Breakdown)
    assert view.table.sum.before == "901.00"
    assert added(row.before for row in view.table.rows) == Decimal("901.00")


def test_empty_answers_are_no_table() -> None:
    costs: CostDocument = a_cost_document(
        services={}, previous={}, older=None, regions=a_split({}), accounts=a_split({})
    )
    assert regions.view(an_edition(costs=costs)) is None
    assert accounts.view(an_edition(costs=costs)) is None


def test_what_credits_cover_is_a_sentence_and_no_table_of_zeros() -> None:
    costs = a_cost_document(
        services={"A": "12"},
        records={"A": {"Credit": "-12"}},
        previous={},
        regions=a_split({"eu-west-1": "0", "us-east-1": "0.001"}),
        tags=(a_tag(now={"shop": "0", "": "0"}),),
    )
    by_region, by_tag = regions.view(an_edition(costs=costs)), tags.view(an_edition(costs=costs))
    assert isinstance(by_region, Breakdown)
    assert isinstance(by_tag, tags.Tags)
    assert not by_region.has_table
    assert by_tag.tags[0].split is None
    assert by_region.finding == "Credits covered all of the usage, so there is nothing to split."
    assert by_tag.tags[0].finding == by_region.finding
