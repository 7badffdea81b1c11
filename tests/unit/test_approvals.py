"""Hold and approve: what may happen to a report."""

from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cost_reporting.approvals import Held, State, approval_due, held_key, judge, letter_key
from cost_reporting.ledger import report_key, report_of, report_tag
from tests.builders import a_run

RUN = a_run()
REPORT = report_key(RUN, "acme")
THESE, OTHERS = "a" * 64, "b" * 64


def held(state: State = "HELD", pdf_sha256: str = THESE) -> Held:
    return Held(
        client_id="acme", report=REPORT, state=state, pdf_key="reports/acme/report.pdf", pdf_sha256=pdf_sha256,
        run_id=RUN.run_id, nominal_at=RUN.nominal_at, at=RUN.nominal_at,
    )  # fmt: skip


def verdict(found: Held | None, **changes: Any) -> str:
    asked: dict[str, Any] = {
        "pdf_sha256": THESE, "approve_first": 1, "approved": frozenset(), "report": REPORT, "forced": False
    }  # fmt: skip
    return judge(found, **(asked | changes))


ANOTHER, THIRD = "another", "third"
SETS = (
    frozenset[str](), frozenset({REPORT}), frozenset({ANOTHER}), frozenset({REPORT, ANOTHER}),
    frozenset({ANOTHER, THIRD}), frozenset({REPORT, ANOTHER, THIRD}),
)  # fmt: skip
FORCED = (False, True)
FIRST = (0, 1, 2, 100)


@pytest.mark.parametrize("forced", FORCED)
@pytest.mark.parametrize(
    ("approve_first", "verdicts"),
    [
        (0, ("send", "send", "send", "send", "send", "send")),
        (1, ("hold", "hold", "send", "send", "send", "send")),
        (2, ("hold", "hold", "hold", "hold", "send", "send")),
        (100, ("hold", "hold", "hold", "hold", "hold", "hold")),
    ],
)
def test_a_report_that_was_never_held_waits_until_enough_others_were_approved(
    approve_first: int, verdicts: tuple[str, ...], forced: bool
) -> None:
    said = [verdict(None, approve_first=approve_first, approved=approved, forced=forced) for approved in SETS]
    assert said == list(verdicts)


@pytest.mark.parametrize(
    ("found", "unforced", "forced"),
    [
        (held("HELD"), "hold", "hold"),
        (held("HELD", OTHERS), "hold", "hold"),
        (held("APPROVED"), "send", "send"),
        (held("APPROVED", OTHERS), "hold", "hold"),
        (held("REJECTED"), "closed", "hold"),
        (held("REJECTED", OTHERS), "closed", "hold"),
    ],
    ids=["HELD", "HELD, other bytes", "APPROVED", "APPROVED, other bytes", "REJECTED", "REJECTED, other bytes"],
)
def test_what_was_held_once_is_sent_as_the_very_bytes_that_were_approved_whatever_the_record_says_by_now(
    found: Held, unforced: str, forced: str
) -> None:
    for approve_first, approved in product(FIRST, SETS):
        told = {"approve_first": approve_first, "approved": approved}
        assert verdict(found, **told) == unforced, told
        assert verdict(found, forced=True, **told) == forced, told


@pytest.mark.parametrize(
    ("found", "verdicts"),
    [
        (None, {0: False, 1: True, 2: True, 100: True}),
        (held("HELD"), {0: True, 1: True, 2: True, 100: True}),
        (held("REJECTED"), {0: True, 1: True, 2: True, 100: True}),
        (held("APPROVED"), {0: False, 1: True, 2: True, 100: True}),
    ],
    ids=["never held", "HELD", "REJECTED", "APPROVED"],
)
def test_an_approval_is_due_before_the_client_may_see_a_test(found: Held | None, verdicts: dict[int, bool]) -> None:
    told = {first: approval_due(found, approve_first=first, approved=frozenset()) for first in verdicts}
    assert told == verdicts


@pytest.mark.parametrize(("count", "due"), [(0, True), (1, True), (2, False), (3, False)])
def test_an_approval_is_due_until_as_many_reports_were_approved_as_the_record_says(count: int, due: bool) -> None:
    approved = frozenset((REPORT, ANOTHER, THIRD)[:count])
    assert approval_due(None, approve_first=2, approved=approved) is due


@given(
    found=st.sampled_from([None, held(), held("APPROVED"), held("APPROVED", OTHERS), held("REJECTED")]),
    approve_first=st.integers(0, 3),
    approved=st.frozensets(st.sampled_from([REPORT, "one", "two", "three"])),
    forced=st.booleans(),
)
def test_bytes_that_nobody_approved_are_sent_only_if_enough_other_reports_were(
    found: Held | None, approve_first: int, approved: frozenset[str], forced: bool
) -> None:
    said = verdict(found, approve_first=approve_first, approved=approved, forced=forced)
    if said == "send":
        theirs = found is not None and (found.state, found.pdf_sha256) == ("APPROVED", THESE)
        assert theirs or (found is None and len(approved - {REPORT}) >= approve_first)


def test_the_operators_mail_has_a_name_of_its_own_for_each_pdf_that_survives_being_a_tag() -> None:
    names = {letter_key(RUN, "acme", THESE), letter_key(RUN, "acme", OTHERS), REPORT}
    assert len(names) == 3
    assert all(report_of(report_tag(name)) == name for name in names)
    assert held_key(RUN) == "monthly#2026-10#final"


def test_the_letter_about_a_held_report_has_a_name_of_its_own_also_for_a_test() -> None:
    assert letter_key(RUN, "acme", THESE) == "acme#monthly#2026-10#final#held-" + "a" * 12
    test = a_run(mode="test", run_id="test-1")
    assert letter_key(test, "acme", THESE) == "acme#monthly#2026-10#final#held-" + "a" * 12
