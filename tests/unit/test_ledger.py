"""The mail ledger: what may happen to a mail."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cost_reporting.ledger import (
    FORCED_AGAIN_AFTER,
    UNDERWAY,
    Entry,
    Event,
    after,
    begun,
    decide,
    fingerprint,
    issue_key,
    missing_recipients,
    once_refused,
    replacing,
    report_key,
    report_name,
    report_tag,
    standing,
)
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


@pytest.mark.parametrize("ahead", [UNDERWAY, timedelta(minutes=2), timedelta(days=1), timedelta(days=4000)])
def test_an_entry_from_the_future_is_uncertain_and_an_operator_can_overrule_it(ahead: timedelta) -> None:
    """The clock of a sender that died was fast: else nobody could send until then."""
    entry = an_entry("SENDING", -ahead)
    assert decide(entry, now=NOW) == standing(entry, now=NOW) == "uncertain"
    assert decide(entry, now=NOW, forced_by="this-run") == "send"
    assert decide(entry, now=NOW, forced_by="earlier-run") == "uncertain"


def test_an_entry_from_the_near_future_is_underway() -> None:
    entry = an_entry("SENDING", timedelta(microseconds=1) - UNDERWAY)
    assert decide(entry, now=NOW, forced_by="this-run") == standing(entry, now=NOW) == "underway"


def test_a_mail_that_was_accepted_in_the_far_future_is_unconfirmed() -> None:
    assert standing(an_entry("SENT", timedelta(days=-2)), now=NOW) == "unconfirmed"


@pytest.mark.parametrize(
    ("state", "age", "forced_by", "again", "decision"),
    [
        ("SENT", timedelta(seconds=1), "this-run", False, "repeated"),
        ("DELIVERED", timedelta(minutes=9, seconds=59), "this-run", False, "repeated"),
        ("SENDING", timedelta(minutes=5), "this-run", False, "repeated"),
        ("SENT", timedelta(minutes=-5), "this-run", False, "repeated"),
        ("SENT", timedelta(minutes=10), "this-run", False, "send"),
        ("SENDING", timedelta(minutes=10), "this-run", False, "send"),
        ("SENT", timedelta(days=-1), "this-run", False, "send"),
        ("SENT", timedelta(seconds=1), "this-run", True, "send"),
        ("SENDING", timedelta(minutes=5), "this-run", True, "send"),
        ("SENDING", timedelta(seconds=1), "this-run", True, "repeated"),
        ("SENDING", timedelta(seconds=1), "earlier-run", True, "underway"),
        ("SENT", timedelta(seconds=1), "earlier-run", True, "already_sent"),
        ("SENT", timedelta(seconds=1), None, False, "already_sent"),
        ("REFUSED", timedelta(seconds=1), "this-run", False, "send"),
        ("REJECTED", timedelta(seconds=1), "this-run", False, "send"),
    ],
)
def test_a_mail_that_was_forced_lately_is_forced_again_by_a_second_word_only(
    state: str, age: timedelta, forced_by: str | None, again: bool, decision: str
) -> None:
    entry = an_entry(state, age, reason="they have nothing")
    assert decide(entry, now=NOW, forced_by=forced_by, again=again) == decision


def test_a_second_forced_mail_needs_the_word_again_and_does_not_have_it_by_itself() -> None:
    lately = an_entry("SENT", timedelta(minutes=2), reason="asked for")
    assert decide(lately, now=NOW, forced_by="this-run") == "repeated"


def test_the_ten_minutes_count_from_the_try_and_not_from_its_last_event() -> None:
    delayed = an_entry("DELIVERED", timedelta(seconds=1), reason="asked for", began_at=NOW - FORCED_AGAIN_AFTER)
    assert decide(delayed, now=NOW, forced_by="this-run") == "send"
    unforced = an_entry("SENT", timedelta(seconds=1), began_at=NOW - timedelta(seconds=2))
    assert decide(unforced, now=NOW, forced_by="this-run") == "send", "a mail that nobody forced is no repetition"


def an_event(state: str, try_id: str = "try-0001") -> Event:
    return Event.model_validate(
        {
            "report": "northwind-retail#monthly#2026-10#final#live",
            "recipient": fingerprint("finance@northwind.example"),
            "try_id": try_id,
            "message_id": f"message-of-{try_id}",
            "state": state,
            "at": NOW,
        }
    )


@pytest.mark.parametrize("state", ["SENT", "DELAYED", "DELIVERED", "BOUNCED", "COMPLAINED", "REJECTED"])
def test_no_event_moves_an_entry_that_ses_has_refused(state: str) -> None:
    assert after(an_entry("REFUSED"), an_event(state)) is None


FATES = (
    ("SENT", "DELIVERED"),
    ("SENT", "BOUNCED"),
    ("DELAYED", "SENT", "DELIVERED", "COMPLAINED"),
    ("SENT", "REJECTED"),
)


@given(
    st.lists(st.tuples(st.sampled_from(FATES), st.sampled_from(["SENT", "SENDING"])), min_size=1, max_size=5),
    st.randoms(use_true_random=False),
)
def test_mails_in_a_chain_end_the_same_whatever_the_order_of_their_events(
    mails: list[tuple[tuple[str, ...], str]], dice: Random
) -> None:
    """Each mail but the first is forced. The last one that SES has not rejected is the entry, and none mails again."""
    entry: Entry | None = None
    for number, (_, state) in enumerate(mails):
        found, run_id = entry, f"run-{number}"
        entry = replacing(an_entry(state, try_id=f"try-{number:04d}", run_id=run_id, attempt=number + 1), found)
    assert entry is not None
    events = [an_event(state, f"try-{number:04d}") for number, (fate, _) in enumerate(mails) for state in fate]
    events += dice.sample(events, len(events) // 2)
    dice.shuffle(events)
    for event in events:
        entry = after(entry, event) or entry
    stay = [number for number, (fate, _) in enumerate(mails) if "REJECTED" not in fate]
    last = max(stay, default=None)
    if last is None:
        assert entry.state == "REJECTED"
        assert entry.earlier == ()
        return
    assert (entry.try_id, entry.state) == (f"try-{last:04d}", mails[last][0][-1])
    assert [each.try_id for each in entry.tries] == [f"try-{number:04d}" for number in stay]
    assert decide(entry, now=NOW + timedelta(days=9)) == "already_sent"
    for number in range(len(mails)):
        forced_by = f"run-{number}"
        assert decide(entry, now=NOW + timedelta(days=9), forced_by=forced_by, again=True) == "already_sent"
    assert decide(entry, now=NOW + timedelta(days=9), forced_by="another-run") == "send"


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([], False),
        (["REFUSED", "REJECTED", "SENDING"], False),
        (["REFUSED", "SENT"], True),
        (["DELAYED"], True),
        (["BOUNCED"], True),
        (["COMPLAINED"], True),
    ],
)
def test_a_report_has_begun_to_go_out_once_ses_has_accepted_a_mail_of_it(states: list[str], expected: bool) -> None:
    assert begun([an_entry(state) for state in states]) is expected


def test_a_mail_that_was_replaced_counts_for_what_has_begun() -> None:
    unknown = an_entry("SENDING", run_id="this-run", try_id="try-0002")
    assert begun([replacing(unknown, an_entry("DELIVERED"))])
    assert not begun([replacing(unknown, an_entry("SENDING"))])


def test_missing_recipients_are_those_without_any_entry_in_the_order_of_the_record() -> None:
    addresses = ("b@acme.example", "Finance@northwind.example", "a@acme.example")
    mails = [an_entry("REFUSED")]
    assert missing_recipients(addresses, mails) == ("b@acme.example", "a@acme.example")
    prints = [fingerprint(each) for each in addresses]
    assert missing_recipients(prints, mails) == (prints[0], prints[2])


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


# -- what the protocol writes, field by field: found by changing the rules and watching no test fail -------------------


def test_an_event_that_says_nothing_new_changes_nothing() -> None:
    delivered = an_entry("DELIVERED")
    assert after(delivered, an_event("DELIVERED")) is None
    assert after(delivered, an_event("SENT")) is None


def test_the_kind_of_a_bounce_is_news_once() -> None:
    kind = {"bounce": "Permanent"}
    told = Event.model_validate(an_event("BOUNCED").model_dump() | kind)
    bounced = after(an_entry("BOUNCED"), told)
    assert bounced is not None
    assert bounced.bounce is not None
    assert after(bounced, told) is None
    assert after(bounced, an_event("BOUNCED")) is None, "a later event without the kind does not take it away"


def test_a_rejected_mail_in_the_chain_goes_and_its_run_stays_among_those_that_have_mailed() -> None:
    first, second, third = (an_entry("SENT", try_id=f"try-000{number}", run_id=f"run-{number}") for number in (1, 2, 3))
    entry = replacing(third, replacing(second, first))
    left = after(entry, an_event("REJECTED", "try-0001"))
    assert left is not None
    assert [each.run_id for each in left.earlier] == ["run-2"]
    assert left.mailed_by == ("run-1", "run-2")
    only_first = after(replacing(second, first), an_event("REJECTED", "try-0001"))
    assert only_first is not None
    assert (only_first.earlier, only_first.mailed_by) == ((), ("run-1",))
    by_hand = replacing(second, first).model_copy(update={"mailed_by": ()})
    told = after(by_hand, an_event("REJECTED", "try-0001"))
    assert told is not None
    assert told.mailed_by == ("run-1",), "also where the list of runs lacked it"


def test_an_entry_that_replaces_another_remembers_it_and_is_the_next_revision() -> None:
    first = an_entry("SENT", run_id="run-1", revision=4)
    second = replacing(an_entry("SENDING", try_id="try-0002", run_id="run-2"), first)
    assert [each.try_id for each in second.earlier] == ["try-0001"]
    assert (second.mailed_by, second.revision) == (("run-1",), 5)
    assert replacing(second, None) == second


def test_a_refused_call_leaves_a_refused_entry_with_the_time_of_the_refusal() -> None:
    refused = once_refused(an_entry("SENDING"), "try-0001", NOW)
    assert refused == an_entry("REFUSED").model_copy(update={"updated_at": NOW})
    assert once_refused(an_entry("SENT"), "try-0001", NOW) is None
    assert once_refused(an_entry("REFUSED"), "try-0001", NOW) is None


def test_a_refused_call_after_an_accepted_mail_gives_that_mail_back() -> None:
    first = an_entry("DELIVERED", run_id="run-1", revision=2)
    second = replacing(an_entry("SENDING", try_id="try-0002", run_id="run-2"), first)
    back = once_refused(second, "try-0002", NOW)
    assert back is not None
    assert (back.try_id, back.state, back.run_id, back.updated_at) == (
        "try-0001",
        "DELIVERED",
        "run-1",
        first.updated_at,
    )
    assert (back.earlier, back.mailed_by, back.revision) == ((), ("run-1",), 3)


def test_a_refused_call_that_was_replaced_meanwhile_leaves_the_chain() -> None:
    waiting = an_entry("SENDING", run_id="run-1")
    entry = replacing(an_entry("SENT", try_id="try-0002", run_id="run-2"), waiting)
    without = once_refused(entry, "try-0001", NOW)
    assert without is not None
    assert (without.try_id, without.state, without.earlier) == ("try-0002", "SENT", ())
    assert once_refused(without, "try-0001", NOW) is None
    accepted = replacing(an_entry("SENT", try_id="try-0002"), an_entry("SENT"))
    assert once_refused(accepted, "try-0001", NOW) is None, "what SES has accepted stays"


def test_names_are_written_in_full() -> None:
    """They are keys of stored items and tags of mails: a change of any letter loses what is stored."""
    assert report_key(a_run("2026-10"), "acme") == "acme#monthly#2026-10#final#live"
    assert report_name("acme", "weekly", "2026-W42", "preliminary") == "acme#weekly#2026-W42#preliminary#live"
    test = a_run("2026-10", mode="test", run_id="test-1")
    assert report_key(test, "acme") == "acme#monthly#2026-10#final#test#test-1"
    assert issue_key(a_run("2026-10")) == "monthly#2026-10#final"
    assert report_tag("acme#monthly#2026-10#final#live") == "acme_monthly_2026-10_final_live"
    assert fingerprint("finance@northwind.example") == "11f0c4e31b45d655"
