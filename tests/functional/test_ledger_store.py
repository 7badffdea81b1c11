"""The mail ledger in DynamoDB: of two writers only one wins."""

from datetime import timedelta
from typing import Any

import pytest

from cost_reporting.ledger import Entry, fingerprint
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
    refused = ledger.refuse(an_entry(), None, at=NOW)
    assert ledger.begin(an_entry("second", 2), replacing=refused)
    assert not ledger.begin(an_entry("third", 2), replacing=refused)


def test_whoever_found_a_mail_that_was_sent_again_since_does_not_send_it_a_third_time(ledger: LedgerStore) -> None:
    ledger.begin(an_entry(), replacing=None)
    sent = ledger.conclude(an_entry(), at=NOW, message_id="message-1")
    forced = an_entry("forced", 2)
    assert ledger.begin(forced, replacing=sent)
    ledger.conclude(forced, at=NOW, message_id="message-2")
    assert not ledger.begin(an_entry("forced too", 2), replacing=sent)


def test_a_sender_who_comes_back_late_does_not_overwrite_the_one_who_was_forced_since(ledger: LedgerStore) -> None:
    lost = an_entry()
    ledger.begin(lost, replacing=None)
    forced = an_entry("forced", 2)
    assert ledger.begin(forced, replacing=lost)
    ledger.refuse(lost, None, at=NOW + timedelta(minutes=5))
    assert ledger.find(REPORT, RECIPIENT) == forced


def test_a_forced_mail_that_is_refused_leaves_what_is_known_of_the_first_one(ledger: LedgerStore) -> None:
    ledger.begin(an_entry(), replacing=None)
    sent = ledger.conclude(an_entry(), at=NOW, message_id="message-1")
    forced = an_entry("forced", 2)
    assert ledger.begin(forced, replacing=sent)
    ledger.refuse(forced, sent, at=NOW + timedelta(minutes=5))
    assert ledger.find(REPORT, RECIPIENT) == sent


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
