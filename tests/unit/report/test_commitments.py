"""Savings Plans and reservations: how well used, what saved, what ends within 30 and 60 days."""

from datetime import date, timedelta

from cost_reporting.costs import Commitments
from cost_reporting.report.gaps import Gap
from cost_reporting.report.sections import commitments
from cost_reporting.report.sections.commitments import Committed
from tests.builders import a_cost_document, no_commitments, not_available, some_commitments
from tests.unit.report.conftest import added, an_edition, number, plain

ISSUED = date(2026, 11, 10)


def seen(found: Commitments, period: str = "2026-10") -> Committed:
    view = commitments.view(an_edition(costs=a_cost_document(period, commitments=found)))
    assert isinstance(view, Committed)
    return view


def test_savings_add_up_and_are_said() -> None:
    view = seen(some_commitments())
    assert added(use.savings for use in view.uses) == number(view.saved)
    assert plain(view.finding) == "The commitments saved USD 103.35 against the prices on demand."
    assert [(use.name, plain(use.coverage), plain(use.utilisation)) for use in view.uses[:2]] == [
        ("Savings Plans", "63 %", "98 %"),
        ("Reservations", "81 %", "93 %"),
    ]


def test_savings_that_rounding_parts_still_add_up() -> None:
    found = Commitments.model_validate(
        {
            "commitments": [
                {"kind": kind, "coverage": "50", "utilisation": "50", "net_savings": "0.125"}
                for kind in ("savings_plans", "reservations")
            ],
            "expiring": (),
        }
    )
    view = seen(found)
    assert added(use.savings for use in view.uses) == number(view.saved)
    assert view.uses[-1].name == "Rounding"


def test_a_commitment_that_costs_more_than_it_saves_says_so() -> None:
    found = some_commitments()
    worse = tuple(each.model_copy(update={"net_savings": -(each.net_savings or 0)}) for each in found.commitments)
    view = seen(found.model_copy(update={"commitments": worse}))
    assert plain(view.finding).startswith("The commitments cost USD 103.35 more than the same usage")


def test_without_commitments_there_is_no_table_of_nothing() -> None:
    view = seen(no_commitments())
    assert view.uses == ()
    assert view.finding.startswith("All usage was charged on demand")
    assert view.aside == ""
    assert "0.00" not in view.finding


def test_ends_are_told_apart_by_thirty_and_sixty_days() -> None:
    view = seen(some_commitments(*(ISSUED + timedelta(days=days) for days in (0, 1, 30, 31, 60))))
    assert [ending.within for ending in view.endings] == ["within 30 days"] * 3 + ["within 60 days"] * 2
    assert [ending.days for ending in view.endings] == ["today", "in 1 day", "in 30 days", "in 31 days", "in 60 days"]


def test_many_ends_are_counted_not_lost() -> None:
    view = seen(some_commitments(*(ISSUED + timedelta(days=days) for days in range(1, 13))))
    assert len(view.endings) == commitments.TOP
    assert view.more_endings == "4 more end later."


def test_no_end_is_said_of_what_is_known_only() -> None:
    aside = seen(some_commitments()).aside
    assert aside == "No Savings Plan ends within 60 days. Cost Explorer does not say when reservations end."


def test_a_weekly_report_says_it_in_sentences() -> None:
    view = seen(some_commitments(date(2026, 11, 12)), "2026-W42")
    assert (view.uses, view.endings) == ((), ())
    assert plain(view.aside).startswith("1 commitment ends within 60 days, on November 12, 2026.")


def test_failed_commitments_are_a_gap_and_unasked_ones_nothing() -> None:
    assert isinstance(commitments.view(an_edition(costs=a_cost_document(commitments=not_available()))), Gap)
    assert commitments.view(an_edition()) is None
