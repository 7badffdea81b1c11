"""The roll call: every report that is due ends in exactly one status."""

from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
from cost_reporting.rollcall import CALM, MISSING, RUN_TAKES, STATUSES, UNDELIVERED, Known, Loss, Mark, judge
from hypothesis import given
from hypothesis import strategies as st

from cost_reporting.ledger import CONFIRMED_WITHIN, UNDERWAY, Mail, State, report_standing

NOW = datetime(2026, 11, 10, 8, tzinfo=UTC)
ANNA, BERT = "a" * 16, "b" * 16
FRESH, OLD = timedelta(seconds=5), CONFIRMED_WITHIN
LOSS = Loss(error="ClientAccessDenied", stage="Fetch Costs", message="role: no", remedy="Ask.", run_id="r", at=NOW)


def a_mail(state: str, recipient: str = ANNA, age: timedelta = timedelta(minutes=30)) -> Mail:
    return Mail.model_validate(
        {"report": "acme#weekly#2026-W45#preliminary#live", "recipient": recipient, "state": state}
        | {"updated_at": NOW - age}
    )


def status(fired: bool = True, **known: Any) -> str:
    facts = {"client_id": "acme", "recipients": frozenset({ANNA})} | known
    return judge(Known.model_validate(facts), fired=fired, now=NOW).status


def marked(*mails: Mail, recipients: int = 1, **known: Any) -> str:
    return status(mark=Mark(recipients=recipients, at=NOW - FRESH), mails=mails, **known)


BOTH = frozenset({ANNA, BERT})


@pytest.mark.parametrize(
    ("mails", "expected"),
    [
        ([a_mail("DELIVERED"), a_mail("DELIVERED", BERT)], "delivered"),
        ([a_mail("DELIVERED"), a_mail("SENT", BERT)], "accepted"),
        ([a_mail("DELIVERED"), a_mail("DELAYED", BERT, OLD)], "unconfirmed"),
        ([a_mail("DELIVERED"), a_mail("BOUNCED", BERT)], "bounced"),
        ([a_mail("BOUNCED"), a_mail("SENT", BERT, OLD)], "bounced"),
        ([a_mail("COMPLAINED"), a_mail("DELIVERED", BERT)], "complained"),
        ([a_mail("REJECTED"), a_mail("BOUNCED", BERT)], "rejected"),
        ([a_mail("DELIVERED"), a_mail("SENDING", BERT, FRESH)], "underway"),
        ([a_mail("DELIVERED"), a_mail("SENDING", BERT, UNDERWAY)], "uncertain"),
        ([a_mail("DELIVERED"), a_mail("REFUSED", BERT)], "failed"),
    ],
)
def test_delivered_means_every_recipient_and_the_worst_mail_says_how_a_report_stands(
    mails: list[Mail], expected: str
) -> None:
    assert status(mark=Mark(recipients=2, at=NOW), mails=mails, recipients=BOTH) == expected


def test_a_report_of_which_the_ledger_does_not_know_every_mail_yet_is_not_called_delivered() -> None:
    assert marked(a_mail("DELIVERED"), recipients=2) == "accepted"


def test_a_bounce_of_an_address_that_was_corrected_since_is_past() -> None:
    assert marked(a_mail("BOUNCED", BERT), a_mail("DELIVERED")) == "delivered"


def test_a_bounce_of_the_only_address_stays_though_the_record_has_another_one_now() -> None:
    assert marked(a_mail("BOUNCED", BERT)) == "bounced"


def test_a_report_that_ses_has_for_everybody_is_there_although_the_run_did_not_hear_of_it() -> None:
    uncertain = LOSS.model_copy(update={"error": "DeliveryUncertain", "stage": "Send Email"})
    assert status(loss=uncertain, mails=(a_mail("SENDING", age=UNDERWAY),)) == "uncertain"
    assert status(loss=uncertain, mails=(a_mail("SENT"),)) == "accepted"
    assert status(loss=uncertain, mails=(a_mail("DELIVERED"),)) == "delivered"


def test_one_recipient_of_two_is_not_the_report() -> None:
    facts = {"client_id": "acme", "recipients": BOTH, "mails": (a_mail("DELIVERED"),), "listed": NOW - RUN_TAKES}
    judged = judge(Known.model_validate(facts), fired=True, now=NOW)
    assert (judged.status, "1 of 2 recipients" in judged.detail) == ("missing", True)


def test_a_failure_tells_the_error_the_stage_and_the_remedy() -> None:
    judged = judge(Known(client_id="acme", loss=LOSS), fired=True, now=NOW)
    assert (judged.status, judged.detail, judged.remedy) == (
        "failed",
        "ClientAccessDenied at Fetch Costs: role: no",
        "Ask.",
    )


@pytest.mark.parametrize(
    ("known", "fired", "expected"),
    [
        ({}, False, "missing"),
        ({}, True, "newcomer"),
        ({"listed": NOW - RUN_TAKES}, True, "missing"),
        ({"listed": NOW - RUN_TAKES + FRESH}, True, "underway"),
        ({"listed": NOW - RUN_TAKES, "active": False, "due": False}, True, "left_out"),
        ({"loss": LOSS, "active": False}, True, "left_out"),
        ({"held": "HELD"}, True, "held"),
        ({"held": "HELD", "loss": LOSS}, True, "held"),
        ({"held": "REJECTED"}, True, "withheld"),
        ({"held": "APPROVED", "listed": NOW - RUN_TAKES}, True, "missing"),
        ({"held": "APPROVED", "mark": Mark(recipients=1, at=NOW), "mails": (a_mail("DELIVERED"),)}, True, "delivered"),
    ],
)
def test_what_has_no_mail_is_told_apart_by_all_else_that_is_known(
    known: dict[str, Any], fired: bool, expected: str
) -> None:
    assert status(fired, **known) == expected


MAILS = st.lists(
    st.builds(
        a_mail,
        st.sampled_from(get_args(State)),
        st.sampled_from([ANNA, BERT]),
        st.timedeltas(timedelta(days=-1), timedelta(days=40)),
    ),
    max_size=2,
    unique_by=lambda mail: mail.recipient,
)
ANYTHING = st.builds(
    Known,
    client_id=st.just("acme"),
    recipients=st.frozensets(st.sampled_from([ANNA, BERT])),
    active=st.booleans(),
    due=st.booleans(),
    listed=st.none() | st.sampled_from([NOW, NOW - RUN_TAKES, NOW + timedelta(days=1)]),
    mark=st.none() | st.builds(Mark, recipients=st.integers(0, 3), at=st.just(NOW - OLD)),
    mails=MAILS.map(tuple),
    loss=st.none() | st.just(LOSS),
    held=st.sampled_from([None, "HELD", "APPROVED", "REJECTED", "something new"]),
)


@given(ANYTHING, st.booleans())
def test_whatever_is_known_a_report_has_one_status_and_whoever_must_act_is_told_how(known: Known, fired: bool) -> None:
    judged = judge(known, fired=fired, now=NOW)
    assert judged.status in STATUSES
    assert judged.remedy or judged.status in CALM


@given(ANYTHING, st.booleans())
def test_what_is_called_delivered_is_delivered_to_all_that_anybody_knows_of(known: Known, fired: bool) -> None:
    if judge(known, fired=fired, now=NOW).status == "delivered":
        mails = [mail for mail in known.mails if mail.recipient in known.recipients] or list(known.mails)
        assert mails
        assert {mail.state for mail in mails} == {"DELIVERED"}


@given(ANYTHING, st.booleans())
def test_nobody_without_an_accepted_mail_is_called_well(known: Known, fired: bool) -> None:
    went = {"SENT", "DELAYED", "DELIVERED", "BOUNCED", "COMPLAINED"}
    if known.mark is None and known.active and not any(mail.state in went for mail in known.mails):
        assert judge(known, fired=fired, now=NOW).status not in {"accepted", "delivered", "left_out"}


def test_the_groups_of_statuses_do_not_overlap() -> None:
    assert not MISSING & UNDELIVERED | MISSING & CALM | UNDELIVERED & CALM


def test_a_report_without_any_mail_stands_as_nothing() -> None:
    assert report_standing([], now=NOW) == "nothing"


@given(MAILS)
def test_a_report_stands_as_its_mails_in_any_order(mails: list[Mail]) -> None:
    assert report_standing(mails, now=NOW) == report_standing(mails[::-1], now=NOW)
