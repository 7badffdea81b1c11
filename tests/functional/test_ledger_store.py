"""The mail ledger in DynamoDB: of two writers only one wins."""

from datetime import timedelta
from typing import Any

import pytest

from cost_reporting.ledger import Entry, Event, fingerprint
from cost_reporting.store.ledger import LedgerStore
from tests.functional.conftest import NOW, Wire, World

REPORT, RECIPIENT = "northwind-retail#monthly#2026-10#final#live", fingerprint("finance@northwind.example")


def an_entry(run_id: str = "first", attempt: int = 1, **changes: Any) -> Entry:
    facts = {
        "report": REPORT,
        "recipient": RECIPIENT,
        "state": "SENDING",
        "try_id": f"try-of-{run_id}",
        "attempt": attempt,
        "run_id": run_id,
        "report_sha256": "0" * 64,
        "updated_at": NOW,
    }
    return Entry.model_validate(facts | changes)


@pytest.fixture
def ledger(world: World) -> LedgerStore:
    return LedgerStore("outcomes")


def test_an_entry_is_found_as_it_was_written(ledger: LedgerStore) -> None:
    assert ledger.find(REPORT, RECIPIENT) is None
    assert ledger.begin(an_entry(reason="asked for"), replacing=None)
    assert ledger.find(REPORT, RECIPIENT) == an_entry(reason="asked for")


def test_of_two_who_found_nothing_one_begins(ledger: LedgerStore) -> None:
    assert ledger.begin(an_entry("first"), replacing=None)
    assert not ledger.begin(an_entry("second"), replacing=None)
    assert ledger.find(REPORT, RECIPIENT) == an_entry("first")


def test_of_two_who_found_the_same_refusal_one_begins(ledger: LedgerStore) -> None:
    ledger.begin(an_entry(), replacing=None)
    refused = ledger.refuse(an_entry(), at=NOW)
    assert ledger.begin(an_entry("second", 2), replacing=refused)
    assert not ledger.begin(an_entry("third", 2), replacing=refused)


def test_whoever_found_a_mail_that_was_sent_again_since_does_not_send_it_a_third_time(ledger: LedgerStore) -> None:
    ledger.begin(an_entry(), replacing=None)
    sent = ledger.conclude(an_entry(), at=NOW, message_id="message-1")
    forced = an_entry("forced", 2)
    assert ledger.begin(forced, replacing=sent)
    ledger.conclude(forced, at=NOW, message_id="message-2")
    assert not ledger.begin(an_entry("forced too", 2), replacing=sent)


def the_entry(ledger: LedgerStore) -> Entry:
    found = ledger.find(REPORT, RECIPIENT)
    assert found is not None
    return found


def known(entry: Entry) -> dict[str, Any]:
    """What an entry says of its mail."""
    return entry.model_dump(exclude={"earlier", "mailed_by", "revision"})


def test_a_sender_who_comes_back_late_does_not_overwrite_the_one_who_was_forced_since(ledger: LedgerStore) -> None:
    lost = an_entry()
    ledger.begin(lost, replacing=None)
    forced = an_entry("forced", 2)
    assert ledger.begin(forced, replacing=lost)
    ledger.refuse(lost, at=NOW + timedelta(minutes=5))
    assert known(the_entry(ledger)) == known(forced)


def test_a_sender_who_comes_back_late_is_heard_about_the_mail_that_was_replaced(ledger: LedgerStore) -> None:
    lost = an_entry()
    ledger.begin(lost, replacing=None)
    ledger.begin(an_entry("forced", 2), replacing=lost)
    ledger.conclude(lost, at=NOW + timedelta(minutes=5), message_id="message-1")
    (earlier,) = the_entry(ledger).earlier
    assert (earlier.try_id, earlier.state, earlier.message_id) == (lost.try_id, "SENT", "message-1")


def test_a_forced_mail_that_is_refused_leaves_what_is_known_of_the_first_one(ledger: LedgerStore) -> None:
    ledger.begin(an_entry(), replacing=None)
    sent = ledger.conclude(an_entry(), at=NOW, message_id="message-1")
    forced = an_entry("forced", 2)
    begun = ledger.begin(forced, replacing=sent)
    assert begun is not None
    ledger.refuse(begun, at=NOW + timedelta(minutes=5))
    assert known(the_entry(ledger)) == known(sent)
    assert the_entry(ledger).mailers == ("first",), "the forced run may try again"


def test_an_event_about_a_replaced_mail_does_not_keep_the_sender_from_its_word(ledger: LedgerStore) -> None:
    """The item has changed between begin and conclude, and the try is the same."""
    first = an_entry()
    ledger.begin(first, replacing=None)
    sent = ledger.conclude(first, at=NOW, message_id="message-1")
    begun = ledger.begin(an_entry("forced", 2), replacing=sent)
    assert begun is not None
    delivered = Event(
        report=REPORT, recipient=RECIPIENT, try_id=first.try_id, message_id="message-1", state="DELIVERED", at=NOW
    )
    assert ledger.apply(delivered)
    ledger.conclude(begun, at=NOW, message_id="message-2")
    entry = the_entry(ledger)
    assert (entry.state, entry.message_id, entry.earlier[0].state) == ("SENT", "message-2", "DELIVERED")


def test_an_item_of_an_older_version_is_read_and_goes_on(ledger: LedgerStore) -> None:
    """Without what an entry remembers since: no revision, no earlier mails, no runs, no moment of the try."""
    new = {"earlier", "mailed_by", "revision", "began_at"}
    old = an_entry(state="SENT", message_id="message-1").model_dump(mode="json", exclude_none=True, exclude=new)
    ledger._table.put_item(Item={"pk": f"LEDGER#{REPORT}", "sk": f"TO#{RECIPIENT}"} | old)
    found = the_entry(ledger)
    assert found.mailers == ("first",)
    assert ledger.begin(an_entry("forced", 2, reason="asked for"), replacing=found)
    assert not ledger.begin(an_entry("forced too", 2, reason="asked for"), replacing=found)
    assert the_entry(ledger).mailers == ("first", "forced")
    rejected = Event(
        report=REPORT, recipient=RECIPIENT, try_id="try-of-forced", message_id="m-2", state="REJECTED", at=NOW
    )
    ledger.apply(rejected)
    assert (the_entry(ledger).state, the_entry(ledger).message_id) == ("SENT", "message-1")


def test_reports_and_recipients_have_entries_of_their_own(ledger: LedgerStore) -> None:
    ledger.begin(an_entry(), replacing=None)
    assert ledger.find(REPORT, fingerprint("cto@northwind.example")) is None
    assert ledger.find(REPORT.replace("2026-10", "2026-09"), RECIPIENT) is None


def test_whose_own_write_was_answered_late_has_begun(ledger: LedgerStore) -> None:
    """botocore tries again when the answer to a write is lost, and meets what it wrote itself."""
    assert ledger.begin(an_entry(), replacing=None)
    assert ledger.begin(an_entry(), replacing=None)


def test_a_report_has_an_entry_for_each_recipient_and_no_other_report_s(ledger: LedgerStore) -> None:
    other = fingerprint("cto@northwind.example")
    for entry in (an_entry(), an_entry(recipient=other), an_entry(report=REPORT.replace("retail", "retail-2"))):
        ledger.begin(entry, replacing=None)
    assert {entry.recipient for entry in ledger.of_report(REPORT)} == {RECIPIENT, other}
    assert ledger.of_report("northwind#monthly#2026-10#final#live") == ()


def test_the_mails_of_an_issue_are_those_of_all_its_live_reports_as_they_are_now(ledger: LedgerStore) -> None:
    ours, acme = an_entry(), an_entry(report="acme#monthly#2026-10#final#live")
    elsewhere = [
        "acme#monthly#2026-10#preliminary#live",
        "acme#monthly#2026-09#final#live",
        "acme#monthly#2026-10#final#test#a-run",
        "OPERATORS#roll-up#2026-10-01#0123456789abcdef#live",
    ]
    for entry in (ours, acme, *(an_entry(report=report) for report in elsewhere)):
        ledger.begin(entry, replacing=None)
    ledger.conclude(acme, at=NOW, message_id="message-1")
    found = {mail.report: mail.state for mail in ledger.of_issue("monthly#2026-10#final")}
    assert found == {REPORT: "SENDING", acme.report: "SENT"}


def test_the_mails_of_an_issue_are_read_to_the_last_page(ledger: LedgerStore, wire: Wire) -> None:
    for number in range(3):
        ledger.begin(an_entry(report=f"client-{number}#monthly#2026-10#final#live"), replacing=None)
    original = ledger._table.query

    def one_by_one(**asked: Any) -> Any:
        return original(**asked, Limit=1)

    ledger._table.query = one_by_one  # type: ignore[method-assign]
    assert len(list(ledger.of_issue("monthly#2026-10#final"))) == 3
    assert wire.count("dynamodb.Query") >= 3
