"""Savings: what was saved, what AWS estimates that could be, and what of it could not be had."""

from decimal import Decimal

import pytest

from cost_reporting.costs import Savings
from cost_reporting.report import words
from cost_reporting.report.decisions import decisions
from cost_reporting.report.gaps import Gap
from cost_reporting.report.renderer import Renderer
from cost_reporting.report.sections import SECTIONS, savings
from cost_reporting.report.sections.savings import Advised
from tests.builders import (
    a_client,
    a_cost_document,
    a_run,
    no_commitments,
    not_available,
    some_commitments,
    some_savings,
)
from tests.unit.report.conftest import added, an_edition, number, plain

NONE_HELD = [{"kind": kind, "net_savings": None} for kind in ("savings_plans", "reservations")]


def seen(found: Savings, period: str = "2026-10", **changes: object) -> Advised:
    view = savings.view(an_edition(costs=a_cost_document(period, savings=found, **changes)))  # type: ignore[arg-type]
    assert isinstance(view, Advised)
    return view


@pytest.mark.parametrize("resizes", [0, 1, 4, 5, 6, 7, 8, 40])
def test_the_rows_add_up_to_the_total_however_many_there_are(resizes: int) -> None:
    found = some_savings(resizes)
    view = seen(found)
    assert isinstance(found.resizes, tuple)
    exact = Decimal("35.0333") + sum(resize.monthly_savings for resize in found.resizes)
    assert added(row.savings for row in view.rows) == number(view.sum) == round(exact, 2)
    assert len(view.rows) <= savings.TOP + 2
    if resizes == 40:
        assert view.rows[-1].what == "Other (35 pieces of advice)"


def test_each_advice_says_what_to_do_and_what_it_takes() -> None:
    rows = seen(some_savings(2)).rows
    assert [(plain(row.what), row.meaning) for row in rows[:3]] == [
        ("Buy a Compute Savings Plan of USD 0.12 an hour", "A commitment for a year"),
        ("End a m5.xlarge that idles", "Ask who needs it"),
        ("Change a m5.xlarge to m5.large", "A restart"),
    ]
    assert rows[1].instance == "i-00000000000000000 · eu-west-1"


def test_what_was_and_what_could_be_saved_are_two_sentences() -> None:
    view = seen(some_savings(0))
    assert plain(view.finding) == (
        "The commitments saved USD 103.35 against the prices on demand. "
        "AWS estimates that USD 35.03 a month could be saved."
    )
    assert view.aside.startswith("Estimates by AWS")


def test_what_the_section_before_has_said_is_not_said_again() -> None:
    for held in (some_commitments(), no_commitments()):
        assert plain(seen(some_savings(0), commitments=held).finding).startswith("AWS estimates that")


def test_nothing_to_advise_is_said_and_is_no_table_of_zeros() -> None:
    view = seen(some_savings(0, achieved=NONE_HELD, purchases=()))
    assert view.finding == (
        "All usage was charged on demand: there is no commitment that could lower its price. "
        "AWS has no advice on how to save more."
    )
    assert (view.rows, view.aside) == ((), "")


def test_what_would_save_nothing_is_no_advice() -> None:
    worthless = [{"account_id": "1", "hourly": "1", "monthly_savings": amount} for amount in ("-3", "0", "0.004")]
    assert seen(some_savings(0, purchases=worthless)).rows == ()


def test_advice_that_was_not_opted_in_to_says_how() -> None:
    missing = not_available("CostExplorerDisabled", "Cost Explorer: AccessDeniedException")
    view = seen(some_savings().model_copy(update={"resizes": missing}))
    assert "as far as its advice could be read" in view.finding
    (line,) = view.missing
    assert line.startswith("Not available: advice on instances (the account has to ask for it once")
    assert "Receive Amazon EC2 resource recommendations" in line
    assert len(view.rows) == 1
    edition = an_edition(costs=a_cost_document(savings=some_savings().model_copy(update={"resizes": missing})))
    assert words.caveats(edition) == (line,)


def test_nothing_is_not_said_of_what_could_not_be_read() -> None:
    view = seen(some_savings(purchases=()).model_copy(update={"resizes": not_available()}))
    assert "no advice" not in view.finding
    assert view.missing == ("Not available: advice on instances (AWS was too busy to answer).",)


def test_a_weekly_report_says_it_in_sentences() -> None:
    view = seen(some_savings(), "2026-W42")
    assert view.rows == ()
    assert "AWS estimates" in view.finding


def test_failed_savings_are_a_gap_and_unasked_ones_nothing() -> None:
    assert isinstance(savings.view(an_edition(costs=a_cost_document(savings=not_available()))), Gap)
    assert savings.view(an_edition()) is None


def test_it_stands_between_the_commitments_and_the_invoice() -> None:
    names = [section.name for section in SECTIONS]
    assert names[names.index("savings") - 1 : names.index("savings") + 2] == ["commitments", "savings", "invoice"]


def test_a_large_estimate_needs_a_decision_and_a_small_one_does_not() -> None:
    large, small = (some_savings(resizes) for resizes in (3, 0))
    said = decisions(an_edition(costs=a_cost_document(savings=large)))
    assert any("a month could be saved: which" in line for line in said)
    tiny = a_cost_document(services={"Amazon S3": "90000"}, savings=small)
    assert not any("could be saved" in line for line in decisions(an_edition(costs=tiny)))
    week = a_cost_document("2026-W42", savings=large)
    assert not any("could be saved" in line for line in decisions(an_edition(costs=week)))


def test_hostile_names_of_instances_are_text(renderer: Renderer) -> None:
    bad = "<script>\u202e" + "x" * 4000
    resize = {
        "account_id": bad,
        "resource_id": bad,
        "name": bad,
        "region": bad,
        "instance_type": bad,
        "target": bad,
        "monthly_savings": "12",
    }
    found = Savings.model_validate(some_savings().model_dump() | {"resizes": (resize,)})
    html = renderer.render(a_client(), a_cost_document(savings=found), a_run()).html
    assert "<script>" not in html
    assert "\u202e" not in html
