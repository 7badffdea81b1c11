"""Hold and approve: what may happen to a report."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cost_reporting.approvals import Held, State, held_key, judge, letter_key
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


@pytest.mark.parametrize(
    ("found", "changes", "expected"),
    [
        (None, {}, "hold"),
        (None, {"approve_first": 0}, "send"),
        (None, {"approved": frozenset({"another"})}, "send"),
        (None, {"approved": frozenset({"another"}), "approve_first": 2}, "hold"),
        (None, {"approved": frozenset({REPORT})}, "hold"),
        (held(), {}, "hold"),
        (held(), {"approved": frozenset({"another"})}, "hold"),
        (held(), {"approve_first": 0}, "send"),
        (held("APPROVED"), {}, "send"),
        (held("APPROVED", OTHERS), {"approved": frozenset({REPORT, "another"})}, "hold"),
        (held("REJECTED"), {}, "closed"),
        (held("REJECTED", OTHERS), {}, "closed"),
        (held("REJECTED"), {"approve_first": 0}, "closed"),
        (held("REJECTED"), {"forced": True}, "hold"),
        (held(), {"forced": True}, "hold"),
    ],
)
def test_a_report_is_sent_held_or_closed(found: Held | None, changes: dict[str, Any], expected: str) -> None:
    assert verdict(found, **changes) == expected


@given(
    found=st.sampled_from([None, held(), held("APPROVED"), held("APPROVED", OTHERS), held("REJECTED")]),
    approve_first=st.integers(1, 3),
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
