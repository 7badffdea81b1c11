"""The judge: every report has exactly one status, with its reason and its remedy."""

from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cost_reporting.contracts import Outcome, OutcomeStatus
from cost_reporting.domain.report_status import (
    CALM,
    DECIDED_WITHIN,
    LATE_FOR,
    MISSING,
    NAMES,
    RUN_TAKES,
    SENT,
    STATUSES,
    UNDELIVERED,
    Ended,
    Hold,
    Judged,
    Mark,
    ReportFacts,
    judge,
    short_name,
    with_outcome,
)
from cost_reporting.errors import DeliveryUncertain
from cost_reporting.ledger import CONFIRMED_WITHIN, UNDERWAY, Mail, Standing, State, report_standing

NOW = datetime(2026, 11, 10, 8, tzinfo=UTC)
ANNA, BERT = "a" * 16, "b" * 16
FRESH, OLD = timedelta(seconds=5), CONFIRMED_WITHIN
REPORT = "acme#monthly#2026-10#final#live"
LOSS = Ended(error="ClientAccessDenied", stage="Fetch Costs", message="role: no", remedy="Ask.", run_id="r", at=NOW)


def a_mail(state: str, recipient: str = ANNA, age: timedelta = timedelta(minutes=30)) -> Mail:
    return Mail.model_validate({"report": REPORT, "recipient": recipient, "state": state, "updated_at": NOW - age})


def judged(**known: Any) -> Judged:
    facts = {"client_id": "acme", "report": REPORT, "recipients": frozenset({ANNA})} | known
    return judge(ReportFacts.model_validate(facts), now=NOW)


def status(**known: Any) -> str:
    return judged(**known).status


def marked(*mails: Mail, recipients: int = 1, **known: Any) -> str:
    return status(mark=Mark(recipients=recipients, at=NOW - FRESH), mails=mails, **known)


def an_end(status: str, error: str | None = None, age: timedelta = FRESH, **more: Any) -> Ended:
    return Ended.model_validate({"status": status, "error": error, "run_id": "r", "at": NOW - age} | more)


def a_hold(state: str, age: timedelta = FRESH, decided: timedelta | None = None) -> Hold:
    return Hold(state=state, at=NOW - age, decided_at=None if decided is None else NOW - decided)


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
        ([a_mail("REJECTED"), a_mail("BOUNCED", BERT)], "rejected_by_ses"),
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
    assert status(ended=uncertain, mails=(a_mail("SENDING", age=UNDERWAY),)) == "uncertain"
    assert status(ended=uncertain, mails=(a_mail("SENT"),)) == "accepted"
    assert status(ended=uncertain, mails=(a_mail("DELIVERED"),)) == "delivered"


def test_one_recipient_of_two_is_not_the_report() -> None:
    found = judged(recipients=BOTH, mails=(a_mail("DELIVERED"),), listed=NOW - RUN_TAKES)
    assert (found.status, "1 of 2 recipients" in found.detail) == ("missing", True)


def test_a_failure_tells_the_error_the_stage_and_the_remedy() -> None:
    found = judged(ended=LOSS)
    assert (found.status, found.detail, found.remedy, found.error) == (
        "failed",
        "ClientAccessDenied at Fetch Costs: role: no",
        "Ask.",
        "ClientAccessDenied",
    )


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({"fired": False}, "missing"),
        ({}, "not_included"),
        ({"listed": NOW - RUN_TAKES}, "missing"),
        ({"listed": NOW - RUN_TAKES + FRESH}, "underway"),
        ({"listed": NOW - RUN_TAKES, "client": "suspended"}, "left_out"),
        ({"listed": NOW - RUN_TAKES, "client": "removed"}, "removed"),
        ({"listed": NOW - RUN_TAKES, "client": "unknown", "recipients": frozenset()}, "missing"),
        ({"ended": LOSS, "client": "suspended"}, "left_out"),
        ({"ended": an_end("LATE", "CostsNotReady")}, "underway"),
        ({"ended": an_end("LATE", "CostsNotReady"), "listed": NOW - 2 * RUN_TAKES}, "underway"),
        ({"ended": an_end("LATE", "CostsNotReady", LATE_FOR)}, "failed"),
        ({"ended": an_end("LEFT_OUT"), "client": "suspended"}, "left_out"),
        ({"ended": an_end("LEFT_OUT")}, "not_included"),
        ({"ended": an_end("REMOVED"), "client": "removed"}, "removed"),
        ({"ended": an_end("REMOVED")}, "not_included"),
        ({"hold": a_hold("HELD")}, "held"),
        ({"hold": Hold(state="HELD")}, "held"),
        ({"hold": a_hold("HELD", DECIDED_WITHIN)}, "undecided"),
        ({"hold": a_hold("HELD", DECIDED_WITHIN), "client": "suspended"}, "left_out"),
        ({"hold": a_hold("HELD"), "ended": LOSS}, "held"),
        ({"hold": a_hold("REJECTED")}, "closed"),
        ({"hold": a_hold("REJECTED"), "client": "suspended"}, "closed"),
        ({"hold": Hold(state="APPROVED"), "listed": NOW - RUN_TAKES}, "missing"),
        ({"hold": a_hold("APPROVED", 2 * OLD, FRESH), "ended": an_end("FAILED", "RenderFailed", OLD)}, "underway"),
        ({"hold": a_hold("APPROVED", 2 * OLD, OLD)}, "missing"),
        ({"hold": a_hold("APPROVED", 2 * OLD, OLD), "ended": LOSS}, "failed"),
        (
            {"hold": a_hold("APPROVED"), "mark": Mark(recipients=1, at=NOW), "mails": (a_mail("DELIVERED"),)},
            "delivered",
        ),
        ({"dry_run": True}, "not_sent"),
    ],
)
def test_what_has_no_mail_is_told_apart_by_all_else_that_is_known(known: dict[str, Any], expected: str) -> None:
    assert status(**known) == expected


def test_a_hold_without_a_decision_for_a_day_is_missing_and_names_the_command_that_approves_it() -> None:
    late, fresh = (judged(hold=a_hold("HELD", age)) for age in (DECIDED_WITHIN, DECIDED_WITHIN - FRESH))
    assert (late.status in MISSING, fresh.status in MISSING) == (True, False)
    for found in (late, fresh):
        assert (
            "`scripts/report.py approve --client-id acme --period 2026-10 --cadence monthly --issue final`"
            in found.remedy
        )
    assert "since 2026-11-09 08:00 UTC" in late.detail


# -- what the ledger has heard after an outcome -----------------------------------------------------------------------

UNCERTAIN = an_end("FAILED", "DeliveryUncertain", OLD, stage="Send Email", remedy=DeliveryUncertain.remedy)


def test_an_uncertain_mail_that_ses_has_confirmed_since_is_neither_failed_nor_forced_again() -> None:
    found = judged(ended=UNCERTAIN, mails=(a_mail("DELIVERED"),))
    assert (found.status, found.remedy, found.error) == ("delivered", "", None)


def test_if_ses_has_confirmed_one_mail_of_two_the_rerun_is_not_forced() -> None:
    found = judged(ended=UNCERTAIN, recipients=BOTH, mails=(a_mail("DELIVERED"),))
    assert (found.status, "1 of 2 recipients were mailed" in found.detail) == ("failed", True)
    assert "force_send" not in found.remedy


def test_a_mail_that_ses_rejected_after_it_was_uncertain_is_told_as_rejected() -> None:
    assert status(ended=UNCERTAIN, mails=(a_mail("REJECTED"),)) == "rejected_by_ses"


def test_ses_rejects_mails_and_operators_close_reports() -> None:
    assert marked(a_mail("REJECTED")) == "rejected_by_ses"
    assert status(hold=a_hold("REJECTED")) == "closed"
    assert "rejected" not in STATUSES


@pytest.mark.parametrize("stands", get_args(Standing))
def test_every_standing_of_mails_is_a_status(stands: Standing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cost_reporting.domain.report_status.report_standing", lambda mails, now: stands)
    assert marked(a_mail("DELIVERED")) in STATUSES


@pytest.mark.parametrize("outcome", get_args(OutcomeStatus))
@pytest.mark.parametrize("client", ["active", "suspended", "removed", "unknown"])
def test_every_outcome_is_a_status(outcome: OutcomeStatus, client: str) -> None:
    facts = ReportFacts.model_validate({"client_id": "acme", "report": REPORT, "client": client})
    known = with_outcome(facts, Outcome(client_id="acme", status=outcome, recipients=1), run_id="r", at=NOW)
    found = judge(known, now=NOW).status
    if client == "active":
        assert found == {
            "SENT": "accepted",
            "NOT_SENT": "not_sent",
            "HELD": "held",
            "REJECTED": "closed",
            "LATE": "underway",
            "LEFT_OUT": "not_included",
            "REMOVED": "not_included",
            "FAILED": "failed",
        }.get(outcome)
    assert found in STATUSES


def test_an_older_outcome_than_the_one_on_record_is_past() -> None:
    facts = ReportFacts(client_id="acme", report=REPORT, ended=LOSS)
    older = Outcome(client_id="acme", status="FAILED", error="RenderFailed")
    assert with_outcome(facts, older, run_id="q", at=NOW - OLD).ended == LOSS


# -- recipients added since -------------------------------------------------------------------------------------------


def test_a_recipient_added_after_the_report_was_sent_is_named_with_the_command_that_mails_it() -> None:
    found = judged(recipients=BOTH, mark=Mark(recipients=1, at=NOW), mails=(a_mail("DELIVERED"),))
    assert (found.status, found.unmailed, found.is_calm) == ("delivered", (BERT,), False)
    assert found.detail == f"1 recipient of the record has no mail of this report: {BERT}"
    assert (
        "`scripts/report.py resend --missing --client-id acme --period 2026-10 --cadence monthly --issue final`"
        in found.remedy
    )


def test_as_long_as_the_ledger_lacks_a_mail_no_recipient_is_called_unmailed() -> None:
    assert judged(recipients=BOTH, mark=Mark(recipients=2, at=NOW), mails=(a_mail("DELIVERED"),)).unmailed == ()


def test_a_recipient_in_the_place_of_another_is_unmailed() -> None:
    found = judged(recipients=frozenset({BERT}), mark=Mark(recipients=1, at=NOW), mails=(a_mail("DELIVERED"),))
    assert found.unmailed == (BERT,)


# -- whatever is known ------------------------------------------------------------------------------------------------

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
MOMENTS = st.sampled_from([NOW, NOW - RUN_TAKES, NOW - OLD, NOW - 2 * OLD, NOW + timedelta(days=1)])
ANYTHING = st.builds(
    ReportFacts,
    client_id=st.just("acme"),
    report=st.just(REPORT),
    recipients=st.frozensets(st.sampled_from([ANNA, BERT])),
    client=st.sampled_from(["active", "suspended", "removed", "unknown"]),
    listed=st.none() | MOMENTS,
    fired=st.booleans(),
    mark=st.none() | st.builds(Mark, recipients=st.integers(0, 3), at=MOMENTS),
    mails=MAILS.map(tuple),
    hold=st.none()
    | st.builds(
        Hold,
        state=st.sampled_from(["HELD", "APPROVED", "REJECTED", "something new"]),
        at=st.none() | MOMENTS,
        decided_at=st.none() | MOMENTS,
    ),
    ended=st.none()
    | st.builds(
        Ended,
        status=st.sampled_from(["FAILED", "LATE", "LEFT_OUT", "REMOVED"]),
        error=st.sampled_from([None, "DeliveryUncertain", "ClientAccessDenied", "an error of another version"]),
        run_id=st.just("r"),
        at=MOMENTS,
    ),
    dry_run=st.booleans(),
)


@given(ANYTHING)
def test_whatever_is_known_a_report_has_one_status_and_a_remedy_if_an_operator_must_act(known: ReportFacts) -> None:
    found = judge(known, now=NOW)
    assert found.status in STATUSES
    assert found.remedy or found.is_calm


@given(ANYTHING)
def test_what_is_called_delivered_is_delivered_to_every_recipient_that_is_known(known: ReportFacts) -> None:
    if judge(known, now=NOW).status == "delivered":
        mails = [mail for mail in known.mails if mail.recipient in known.recipients] or list(known.mails)
        assert mails
        assert {mail.state for mail in mails} == {"DELIVERED"}


@given(ANYTHING)
def test_no_client_without_an_accepted_mail_is_called_well(known: ReportFacts) -> None:
    went = {"SENT", "DELAYED", "DELIVERED", "BOUNCED", "COMPLAINED"}
    if known.mark is None and known.client == "active" and not any(mail.state in went for mail in known.mails):
        assert judge(known, now=NOW).status not in {"accepted", "delivered", "left_out", "removed"}


def test_every_status_has_a_name_and_is_in_one_group_at_most() -> None:
    assert set(NAMES) == set(STATUSES)
    assert not MISSING & SENT | MISSING & CALM | UNDELIVERED & CALM
    assert UNDELIVERED < SENT
    assert short_name("rejected_by_ses") == "Rejected by SES"


def test_a_report_without_any_mail_stands_as_nothing() -> None:
    assert report_standing([], now=NOW) == "nothing"


@given(MAILS)
def test_a_report_stands_as_its_mails_in_any_order(mails: list[Mail]) -> None:
    assert report_standing(mails, now=NOW) == report_standing(mails[::-1], now=NOW)
