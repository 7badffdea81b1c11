"""Days, columns and months that are not known: no table prints 0.00, "new" or a percentage for them."""

from datetime import date
from decimal import Decimal

import pytest

from cost_reporting.contracts import Period
from cost_reporting.costs import CostDocument, DayCosts, Line
from cost_reporting.domain.gate import gate
from cost_reporting.periods import parse
from cost_reporting.report import budget
from cost_reporting.report.edition import Edition
from cost_reporting.report.exports import NOT_FILLED, rows
from cost_reporting.report.sections import invoice, regions, services, summary, tags, trend
from tests.builders import a_client, a_cost_document, a_run, a_split, a_tag, not_read

S3 = "Amazon Simple Storage Service"


def an_edition(costs: CostDocument, **changes: object) -> Edition:
    return Edition(client=a_client(**changes), costs=costs, run=a_run(costs.period, issue="preliminary"))


def lacking(period: str, part: str = "0") -> CostDocument:
    """The last day is not filled; ``part`` of it is there, and in the record types of a month."""
    costs = a_cost_document(period, services={S3: "43.50"}, previous={S3: "43.50"}, issue="preliminary")
    *whole, last = costs.days
    so_far = sum(line.amount for day in whole if day.day >= costs.period.start for line in day.lines) + Decimal(part)
    amounts = dict.fromkeys(("unblended", "amortized", "net_unblended", "net_amortized"), so_far)
    *older, span = costs.spans
    line = span.lines[0].model_copy(update={"amounts": span.lines[0].amounts.model_copy(update=amounts)})
    spans = (*older, span.model_copy(update={"lines": (line,)})) if costs.cadence == "monthly" else tuple(older)
    there = (DayCosts(day=last.day, estimated=True, lines=(Line(key=S3, amount=Decimal(part)),)),)
    return gate(
        costs.model_copy(
            update={
                "days": tuple(whole),
                "spans": spans,
                "days_not_filled": (last.day,),
                "days_partly_filled": there if Decimal(part) else (),
                "regions": a_split({"eu-west-1": str(so_far)}, {"eu-west-1": "43.50"}),
            }
        )
    )


@pytest.mark.parametrize("period", ["2026-10", "2026-W44"])
def test_a_day_that_is_not_filled_has_no_amount_and_is_not_the_lowest(period: str) -> None:
    view = trend.view(an_edition(lacking(period)))
    assert view is not None
    unknown = view.days[6 if period == "2026-W44" else 30]
    assert unknown.amount == "n/a"
    assert "0.00" not in view.finding
    assert "only, compared with" in view.finding


def test_a_week_is_compared_with_the_same_weekdays() -> None:
    edition = an_edition(lacking("2026-W44"))
    assert edition.known == Period(start=date(2026, 10, 26), end=date(2026, 11, 1))
    assert edition.compared == Period(start=date(2026, 10, 19), end=date(2026, 10, 25))
    assert (edition.known_through, edition.compared_days) == (date(2026, 10, 31), 6)
    assert edition.previous_total == edition.total
    assert [row.change for row in services.view(edition).table.rows] == ["0\u00a0%"]  # type: ignore[union-attr]


def test_tables_are_titled_by_the_days_that_they_compare() -> None:
    edition = an_edition(lacking("2026-10"))
    assert "30" in edition.now_title
    assert edition.before_title == "September\u00a02026"  # all of its 30 days


@pytest.mark.parametrize("period", ["2026-10", "2026-W44"])
def test_what_there_is_of_such_a_day_has_a_row_of_its_own_and_everything_adds_up(period: str) -> None:
    costs = lacking(period, "0.40")
    edition = an_edition(costs)
    steps = invoice.view(edition).steps
    partly = [step for step in steps if step.name.startswith("Partly there")]
    assert [step.amount for step in partly] == (["\u22120.40"] if period == "2026-10" else [])
    table = rows(costs)
    assert sum(row.x_ReportedCost for row in table) == edition.total
    assert [row.ServiceName for row in table if row.ServiceName == NOT_FILLED] == ([NOT_FILLED] * len(partly))
    view = regions.view(edition)
    assert view is not None
    if period == "2026-10":
        (_, row) = view.table.rows  # type: ignore[union-attr]
        assert (row.name[:12], row.now) == ("Partly there", "\u22120.40")


def test_a_column_that_is_not_known_says_so_in_every_row() -> None:
    split = a_split({"eu-west-1": "1020.50"}, {})
    view = regions.view(an_edition(gate(a_cost_document(regions=split))))
    assert view is not None
    table = view.table  # type: ignore[union-attr]
    for row in (*table.rows, table.sum):
        assert (row.before, row.difference, row.change) == ("n/a", "n/a", "n/a")
    assert "not known in full by this breakdown" in view.finding  # type: ignore[union-attr]


def test_one_tag_that_is_not_available_says_so_and_the_other_has_its_table() -> None:
    costs = gate(a_cost_document(tags=(a_tag("team"), a_tag("stage", {"prod": "1.00"}))))
    view = tags.view(an_edition(costs))
    assert isinstance(view, tags.Tags)
    assert [tag.split is None for tag in view.tags] == [False, True]
    assert view.tags[1].finding.startswith("Not available:")


def test_a_period_before_that_is_not_known_is_in_no_table() -> None:
    costs = a_cost_document()
    found = tuple(day for day in costs.days if day.day != date(2026, 9, 11))
    edition = an_edition(gate(costs.model_copy(update={"days": found})))
    assert not edition.comparable
    table, by_day = services.view(edition), trend.view(edition)
    assert table is not None
    assert by_day is not None
    assert not table.table.has_before
    assert not by_day.has_before


def test_a_month_that_is_not_known_has_its_place_and_no_bar() -> None:
    costs = a_cost_document()
    july = parse("2026-07")
    edition = an_edition(gate(costs.model_copy(update={"spans": tuple(s for s in costs.spans if s.period != july)})))
    history = summary.view(edition).history
    assert history is not None
    assert [month.value for month in history.months if month.label == "Jul"] == ["n/a"]
    assert len(history.months) == len(costs.spans)


def test_a_total_that_lacks_something_has_used_at_least_so_much_of_the_budget() -> None:
    whole = budget.spending(an_edition(a_cost_document(), monthly_budget="1000"))
    day = budget.spending(an_edition(lacking("2026-10"), monthly_budget="1000"))
    account = budget.spending(an_edition(a_cost_document(accounts_not_read=(not_read(),)), monthly_budget="1000"))
    assert [each.lacks for each in (whole, day, account) if each] == [False, True, True]
    assert day is not None
    assert day.until == date(2026, 10, 31)
