"""The mail ledger: what may happen to a mail."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cost_reporting.ledger import UNDERWAY, Entry, decide, fingerprint, report_key
from tests.builders import a_run

NOW = datetime(2026, 11, 8, 6, tzinfo=UTC)
FRESH, STALE = timedelta(seconds=5), UNDERWAY


def an_entry(state: str, age: timedelta = STALE, **changes: Any) -> Entry:
    facts = {
        "report": "northwind-retail#monthly#2026-10#final#live",
        "recipient": fingerprint("finance@northwind.example"),
        "state": state,
        "try_id": "try-0001",
        "attempt": 1,
        "run_id": "earlier-run",
        "report_sha256": "0" * 64,
        "updated_at": NOW - age,
    }
    return Entry.model_validate(facts | changes)


@pytest.mark.parametrize(
    ("state", "age", "forced_by", "decision"),
    [
        (None, FRESH, None, "send"),
        (None, FRESH, "this-run", "send"),
        ("SENT", FRESH, None, "already_sent"),
        ("SENT", STALE, None, "already_sent"),
        ("SENT", STALE, "this-run", "send"),
        ("SENT", FRESH, "this-run", "send"),
        ("SENT", STALE, "earlier-run", "already_sent"),
        ("REFUSED", FRESH, None, "send"),
        ("REFUSED", STALE, None, "send"),
        ("REFUSED", FRESH, "this-run", "send"),
        ("REFUSED", FRESH, "earlier-run", "send"),
        ("SENDING", FRESH, None, "underway"),
        ("SENDING", FRESH, "this-run", "underway"),
        ("SENDING", FRESH, "earlier-run", "underway"),
        ("SENDING", STALE, None, "uncertain"),
        ("SENDING", STALE, "this-run", "send"),
        ("SENDING", STALE, "earlier-run", "uncertain"),
    ],
)
def test_what_may_happen_follows_from_the_entry_its_age_and_who_forces(
    state: str | None, age: timedelta, forced_by: str | None, decision: str
) -> None:
    entry = None if state is None else an_entry(state, age)
    assert decide(entry, now=NOW, forced_by=forced_by) == decision


def test_a_sender_may_be_at_work_up_to_the_very_timeout_and_no_longer() -> None:
    moment = timedelta(microseconds=1)
    assert decide(an_entry("SENDING", UNDERWAY - moment), now=NOW) == "underway"
    assert decide(an_entry("SENDING", UNDERWAY), now=NOW) == "uncertain"


def test_a_clock_that_runs_ahead_elsewhere_does_not_make_a_fresh_entry_stale() -> None:
    assert decide(an_entry("SENDING", timedelta(seconds=-30)), now=NOW) == "underway"


@given(st.sampled_from(["SENDING", "SENT"]), st.timedeltas(timedelta(0), timedelta(days=400)))
def test_what_went_or_may_have_gone_is_never_sent_again_unasked(state: str, age: timedelta) -> None:
    assert decide(an_entry(state, age), now=NOW) != "send"


def test_a_fingerprint_is_the_same_for_every_spelling_and_holds_no_address() -> None:
    assert fingerprint("Finance@Northwind.example") == fingerprint(" finance@northwind.EXAMPLE ")
    assert fingerprint("finance@northwind.example") != fingerprint("finance@northwind2.example")
    assert fingerprint("finance@northwind.example").isalnum()


def test_reports_that_differ_in_anything_have_entries_of_their_own() -> None:
    october = a_run("2026-10")
    runs = [
        october,
        a_run("2026-09"),
        a_run("2026-W42"),
        october.model_copy(update={"issue": "preliminary"}),
        october.model_copy(update={"mode": "test", "run_id": "test-1"}),
        october.model_copy(update={"mode": "test", "run_id": "test-2"}),
    ]
    keys = {report_key(run, client_id) for run in runs for client_id in ("acme", "acme-2")}
    assert len(keys) == 2 * len(runs)


def test_two_runs_of_the_same_report_share_an_entry() -> None:
    assert report_key(a_run(run_id="first"), "acme") == report_key(a_run(run_id="second"), "acme")
