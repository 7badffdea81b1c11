"""The evidence for a report: what it says of views that agree, and of those that do not."""

from decimal import Decimal

from cost_reporting.costs import CostDocument, TagSplit
from cost_reporting.domain.gate import views
from cost_reporting.evidence import reconciliation_of
from tests.builders import a_cost_document, some_accounts


def off_by(amount: str) -> CostDocument:
    return a_cost_document(
        accounts=some_accounts([("111122223333", "shop", Decimal("1020.50") + Decimal(amount), "1")])
    )


def test_views_that_differ_by_a_cent_agree_and_by_more_do_not() -> None:
    assert [reconciliation_of(off_by(amount)).agrees for amount in ("0", "0.01", "-0.01", "0.011")] == [
        True,
        True,
        True,
        False,
    ]


def test_each_view_has_its_total_and_its_distance_from_the_days() -> None:
    found = reconciliation_of(off_by("0.01"))
    assert [(view.name, f"{view.difference:.2f}") for view in found.views] == [
        ("by day", "0.00"),
        ("by record type", "0.00"),
        ("by account", "0.01"),
    ]
    assert (found.currency, found.tolerance) == ("USD", Decimal("0.01"))


def test_every_split_that_the_document_holds_is_a_view() -> None:
    split = some_accounts([("x", "x", "1020.50", "1")])
    costs = a_cost_document(accounts=split, regions=split, tags=(TagSplit(tag_key="team", split=split),))
    assert list(views(costs)) == ["by day", "by record type", "by account", "by region", "by tag team"]
