"""The operators' figures: they add up, rates say what they are of, and what is unknown is never a zero."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cost_reporting.contracts import Outcome
from cost_reporting.domain.report_status import CALM, MISSING, SENT, STATUSES, Hold, Mark, ReportFacts
from cost_reporting.errors import ClientAccessDenied, InvalidRequest
from cost_reporting.ledger import Mail, State, report_key
from cost_reporting.operations.generate_ops_report import period_asked
from cost_reporting.ops_report import (
    ACCEPTED,
    OpsReport,
    PeriodFacts,
    RunFacts,
    Stray,
    ops_report,
    report_of_run,
    state_of,
)
from cost_reporting.outcomes import OutcomeKept, RunKept, RunListed, failed
from cost_reporting.periods import parse
from tests.builders import a_run, an_outcome

WEEK = parse("2026-W46")
BEGAN = datetime(2026, 11, 10, 6, tzinfo=UTC)
READ_AT = datetime(2026, 11, 17, 8, tzinfo=UTC)
STATES: tuple[State, ...] = (
    "REFUSED", "SENDING", "SENT", "DELAYED", "DELIVERED", "BOUNCED", "COMPLAINED", "REJECTED",
)  # fmt: skip


def a_listed(number: int = 1, clients: int = 1, **changes: Any) -> RunListed:
    facts = {
        "run_id": f"weekly-2026-W45-preliminary-{number:08d}",
        "cadence": "weekly",
        "period": "2026-W45",
        "issue": "preliminary",
        "mode": "live",
        "client_count": clients,
        "execution_id": f"arn:aws:states:eu-central-1:111122223333:execution:cost-reporting:{number}",
        "started_at": BEGAN + timedelta(minutes=number),
    }
    return RunListed.model_validate(facts | changes)


def a_run_of(*outcomes: Outcome, number: int = 1, execution: str | None = "SUCCEEDED", **changes: Any) -> RunFacts:
    lacking = changes.pop("lacking", ())
    unnamed = changes.pop("unnamed", 0)
    verdicts = changes.pop("verdicts", ())
    listed = a_listed(number, len(outcomes) + len(lacking) + unnamed, **changes)
    recorded = tuple(OutcomeKept(outcome=outcome, at=listed.started_at) for outcome in outcomes)
    kept = RunKept(listed=listed, recorded=recorded, verdicts=verdicts)
    return RunFacts(kept=kept, execution=execution, lacking=lacking, unnamed=unnamed)


def denied(client_id: str) -> Outcome:
    return failed(client_id, "Fetch Costs", "ClientAccessDenied", "role: AccessDenied")


def known(key: str, *states: State, **changes: Any) -> ReportFacts:
    """What is on record about a report with a mail in each of ``states``, one to each recipient."""
    mails = tuple(
        Mail(report=key, recipient=f"{number:016d}", state=state, updated_at=BEGAN)
        for number, state in enumerate(states)
    )
    recipients = frozenset(mail.recipient for mail in mails)
    found = {"client_id": key.partition("#")[0], "report": key, "mails": mails, "recipients": recipients}
    return ReportFacts.model_validate(found | changes)


def facts(*runs: RunFacts, mails: dict[str, Sequence[State]] | None = None, **changes: Any) -> PeriodFacts:
    found = {
        "period": WEEK,
        "runs": runs,
        "strays": (),
        "known": {key: known(key, *states) for key, states in (mails or {}).items()},
        "measured": {},
        "active": (),
    }
    return PeriodFacts.model_validate(found | changes)


def report(*runs: RunFacts, before: PeriodFacts | None = None, **changes: Any) -> OpsReport:
    return ops_report(facts(*runs, **changes), before, cadence="weekly", read_at=READ_AT)


def mails_of(run: RunFacts, **states: Sequence[State]) -> dict[str, Sequence[State]]:
    return {report_of_run(run.kept.listed, client_id): given for client_id, given in states.items()}


# -- reports ----------------------------------------------------------------------------------------------------------


def test_a_report_is_named_as_the_ledger_names_it() -> None:
    listed = a_listed(cadence="monthly", period="2026-10", issue="final")
    assert report_of_run(listed, "acme") == report_key(a_run("2026-10"), "acme")


@pytest.mark.parametrize(
    ("states", "status"),
    [
        ((), "unconfirmed"),
        (("DELIVERED", "COMPLAINED"), "complained"),
        (("DELIVERED", "SENT"), "unconfirmed"),
        (("DELIVERED", "BOUNCED"), "bounced"),
        (("BOUNCED", "REJECTED"), "rejected_by_ses"),
        (("DELAYED",), "unconfirmed"),
        (("DELIVERED",), "delivered"),
    ],
)
def test_the_ledger_says_how_a_report_stands(states: Sequence[State], status: str) -> None:
    run = a_run_of(an_outcome("acme"))
    assert report(run, mails=mails_of(run, acme=states)).reports[0].status == status


def test_a_report_that_ses_delivered_after_an_uncertain_end_is_not_called_failed() -> None:
    uncertain = failed("acme", "Send Email", "DeliveryUncertain", "SES did not answer")
    run = a_run_of(uncertain, verdicts=(1,), execution="FAILED")
    shown = report(run, mails=mails_of(run, acme=("DELIVERED",)))
    assert [(line.status, line.error, line.remedy) for line in shown.reports] == [("delivered", None, "")]
    (error,) = shown.errors
    assert (error.error, error.count, error.without_report) == ("DeliveryUncertain", 1, ())
    assert "force_send" not in error.remedy
    assert shown.totals.reports_sent_rate == 1


def test_a_hold_undecided_for_a_day_wants_attention_and_names_the_command() -> None:
    run = a_run_of(an_outcome("acme", "HELD"))
    (line,) = report(run).reports
    assert (line.status, "report.py approve --client-id acme --period 2026-W45" in line.remedy) == ("undecided", True)


def test_an_error_of_one_period_is_not_told_of_a_report_of_another() -> None:
    first = a_run_of(denied("acme"), verdicts=(1,), period="2026-W44")
    mended = a_run_of(an_outcome("acme"), number=2, period="2026-W44")
    lost = a_run_of(failed("acme", "Render PDF", "RenderFailed", "no"), number=3, verdicts=(1,))
    shown = report(first, mended, lost)
    assert {error.error: error.without_report for error in shown.errors} == {
        "ClientAccessDenied": (),
        "RenderFailed": ("acme",),
    }


def test_a_recipient_added_since_is_named_by_its_fingerprint() -> None:
    run = a_run_of(an_outcome("acme"))
    key = report_of_run(run.kept.listed, "acme")
    found = known(key, "DELIVERED", recipients={"0" * 16, "f" * 16}, mark=Mark(recipients=1, at=BEGAN))
    (line,) = ops_report(facts(run, known={key: found}), None, cadence="weekly", read_at=READ_AT).reports
    assert (line.status, line.unmailed) == ("delivered", ("f" * 16,))


def test_what_a_mark_or_a_hold_says_counts_and_not_what_the_run_has_recorded() -> None:
    run = a_run_of(denied("acme"), denied("globex"), verdicts=(2,), execution="FAILED")
    acme, globex = (report_of_run(run.kept.listed, name) for name in ("acme", "globex"))
    found = {
        acme: known(acme, "DELIVERED", mark=Mark(recipients=1, at=READ_AT)),
        globex: known(globex, hold=Hold(state="REJECTED", at=READ_AT)),
    }
    shown = ops_report(facts(run, known=found), None, cadence="weekly", read_at=READ_AT)
    assert {line.client_id: line.status for line in shown.reports} == {"acme": "delivered", "globex": "closed"}
    assert shown.errors[0].without_report == ()


def test_a_failed_client_stands_first_with_its_remedy() -> None:
    shown = report(a_run_of(an_outcome("acme"), denied("zeta"), verdicts=(1,), execution="FAILED"))
    assert [(line.client_id, line.status) for line in shown.reports] == [("zeta", "failed"), ("acme", "unconfirmed")]
    (error,) = shown.errors
    assert (error.error, error.count, error.without_report) == ("ClientAccessDenied", 1, ("zeta",))
    assert error.remedy == ClientAccessDenied.remedy


def test_a_client_that_a_later_run_helped_has_its_report_and_its_error_is_told_all_the_same() -> None:
    shown = report(a_run_of(denied("acme"), verdicts=(1,)), a_run_of(an_outcome("acme"), number=2))
    assert [(line.client_id, line.status) for line in shown.reports] == [("acme", "unconfirmed")]
    assert (shown.errors[0].count, shown.errors[0].without_report) == (1, ())
    assert shown.totals.reports == 1


def test_what_was_sent_stays_sent_although_a_later_run_failed() -> None:
    shown = report(a_run_of(an_outcome("acme")), a_run_of(denied("acme"), number=2, verdicts=(1,)))
    assert shown.reports[0].status == "unconfirmed"


def test_test_and_dry_runs_are_runs_but_no_reports() -> None:
    shown = report(a_run_of(an_outcome("acme"), mode="test"), a_run_of(an_outcome("acme", "NOT_SENT"), mode="dry_run"))
    assert (shown.totals.runs, shown.totals.reports, shown.totals.reports_sent_rate) == (2, 0, None)


def test_a_client_without_an_outcome_is_missing_once_its_run_cannot_be_at_work_any_more() -> None:
    run = a_run_of(an_outcome("acme"), lacking=("lost",), verdicts=(1,), execution="FAILED")
    over = report(run)
    assert [(line.status, line.error) for line in over.reports] == [("missing", "NoOutcome"), ("unconfirmed", None)]
    assert [(error.error, error.without_report) for error in over.errors] == [("NoOutcome", ("lost",))]
    early = ops_report(facts(run), None, cadence="weekly", read_at=BEGAN + timedelta(hours=1))
    assert [line.status for line in early.reports] == ["underway", "accepted"]
    assert early.totals.reports_sent_rate == 1


def test_clients_whose_names_are_gone_with_the_worklist_are_still_counted() -> None:
    shown = report(a_run_of(an_outcome("acme"), unnamed=2, verdicts=(2,)))
    assert (shown.totals.reports, shown.totals.reports_by_status["missing"]) == (3, 2)
    assert shown.runs[0].without_outcome == 2


@pytest.mark.parametrize(
    ("run", "state"),
    [
        (a_run_of(an_outcome("a")), "complete"),
        (a_run_of(an_outcome("a"), verdicts=(1,)), "complete"),
        (a_run_of(denied("a"), verdicts=(1,), execution="FAILED"), "incomplete"),
        (a_run_of(denied("a"), execution="RUNNING"), "underway"),
        (a_run_of(lacking=("a",), execution="TIMED_OUT"), "stopped"),
        (a_run_of(lacking=("a",), execution=None), "unknown"),
    ],
)
def test_a_run_stands_as_its_outcomes_its_verdicts_and_its_execution_say(run: RunFacts, state: str) -> None:
    assert state_of(run) == state


# -- what is not known ------------------------------------------------------------------------------------------------


def test_without_runs_there_are_no_rates_and_no_trend() -> None:
    shown = report()
    assert shown.totals.reports_sent_rate is shown.totals.mails_delivered_rate is None
    assert shown.previous is None
    assert {(trend.before, trend.difference) for trend in shown.trends} == {(None, None)}


def test_what_could_not_be_read_is_none_and_not_zero() -> None:
    shown = report(a_run_of(an_outcome("acme")), strays=None, measured=None, active=None)
    assert shown.totals.failed_executions is None
    assert shown.idle is None
    assert {(check.measured, check.agrees) for check in shown.checks} == {(None, None)}


def test_active_clients_in_no_run_are_named() -> None:
    assert report(a_run_of(an_outcome("acme")), active=("acme", "globex")).idle == ("globex",)


def test_executions_that_failed_before_a_run_began_are_counted() -> None:
    strays = [
        Stray(name=f"e{at}", status=status, started_at=BEGAN, error=None)
        for at, status in enumerate(("SUCCEEDED", "FAILED", "RUNNING"))
    ]
    assert report(strays=strays).totals.failed_executions == 1


@pytest.mark.parametrize(
    ("counted", "agrees", "said"),
    [
        (Decimal(2), True, "agree"),
        (Decimal(3), False, "1 more"),
        (Decimal(1), False, "1 fewer"),
        (None, False, "no data"),
    ],
)
def test_cloudwatch_s_count_is_held_against_the_table_s(counted: Decimal | None, agrees: bool, said: str) -> None:
    shown = report(a_run_of(an_outcome("a"), an_outcome("b")), measured={"ReportsSent": counted})
    (check,) = [each for each in shown.checks if each.what.startswith("Reports sent")]
    assert (check.recorded, check.agrees) == (2, agrees)
    assert said in check.note


def test_the_trend_is_the_difference_to_the_period_before() -> None:
    before = facts(a_run_of(an_outcome("acme", paid_requests=2)), a_run_of(denied("globex"), number=2, verdicts=(1,)))
    shown = report(a_run_of(an_outcome("acme", paid_requests=5)), before=before)
    trends = {trend.what: trend.difference for trend in shown.trends}
    assert (trends["Runs"], trends["Paid requests"], trends["Paid requests, USD"]) == (-1, 3, Decimal("0.03"))
    assert trends["Reports sent, rate"] == Decimal("0.5")


# -- every figure -----------------------------------------------------------------------------------------------------

names = st.sampled_from(["acme", "acme-2", "globex", "initech", "umbrella"])
outcomes = st.one_of(
    names.map(denied),
    st.builds(lambda name, paid: an_outcome(name, paid_requests=paid), names, st.integers(0, 40)),
    st.builds(lambda name: an_outcome(name, "NOT_SENT"), names),
)


@st.composite
def runs(draw: st.DrawFn) -> RunFacts:
    done = draw(st.lists(outcomes, max_size=5, unique_by=lambda outcome: outcome.client_id))
    return a_run_of(
        *done,
        number=draw(st.integers(1, 500)),
        execution=draw(st.sampled_from(["SUCCEEDED", "FAILED", "RUNNING", "ABORTED", None])),
        verdicts=tuple(draw(st.lists(st.integers(1, 5), max_size=2))),
        lacking=tuple(draw(st.lists(st.sampled_from(["lost", "gone"]), max_size=2, unique=True))),
        unnamed=draw(st.integers(0, 3)),
        mode=draw(st.sampled_from(["live", "test", "dry_run"])),
        period=draw(st.sampled_from(["2026-W44", "2026-W45"])),
    )


@st.composite
def periods(draw: st.DrawFn) -> PeriodFacts:
    found = draw(st.lists(runs(), max_size=5, unique_by=lambda run: run.kept.listed.run_id))
    keys = sorted(
        {report_of_run(run.kept.listed, each.outcome.client_id) for run in found for each in run.kept.recorded}
    )
    states = st.lists(st.sampled_from(STATES), min_size=1, max_size=4)
    return facts(*found, mails={key: draw(states) for key in keys if draw(st.booleans())})


@given(periods(), st.none() | periods())
def test_every_figure_adds_up_and_no_rate_leaves_its_bounds(now: PeriodFacts, before: PeriodFacts | None) -> None:
    shown = ops_report(now, before, cadence="weekly", read_at=READ_AT)
    for totals in filter(None, (shown.totals, shown.previous)):
        assert sum(totals.runs_by_state.values()) == totals.runs
        assert sum(totals.reports_by_status[status] for status in STATUSES) == totals.reports
        assert sum(totals.mails_by_state.values()) == totals.mails
        assert sum(totals.mails_by_state.get(state, 0) for state in ACCEPTED) == totals.mails_accepted <= totals.mails
        assert totals.paid_usd == totals.paid_requests * Decimal("0.01")
        settled = sum(totals.reports_by_status[each] for each in (SENT | MISSING) - {"undecided"})
        assert (totals.reports_sent_rate is None) == (settled == 0)
        assert (totals.mails_delivered_rate is None) == (totals.mails_accepted == 0)
        for rate in (totals.reports_sent_rate, totals.mails_delivered_rate, totals.mails_bounced_rate):
            assert rate is None or 0 <= rate <= 1
    assert len(shown.runs) == shown.totals.runs
    assert len(shown.reports) == shown.totals.reports == len({(r.client_id, r.period, r.issue) for r in shown.reports})
    assert sum(sum(line.mails.values()) for line in shown.reports) == shown.totals.mails
    assert sum(line.paid_requests for line in shown.runs) == shown.totals.paid_requests
    lacking = {line.client_id for line in shown.reports if line.status == "failed"}
    assert lacking <= {client for each in shown.errors for client in each.clients}
    assert all(line.remedy or line.status in CALM for line in shown.reports)
    assert OpsReport.model_validate_json(shown.model_dump_json()) == shown


# -- the period -------------------------------------------------------------------------------------------------------

NOW = datetime(2026, 11, 23, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cadence", "at", "label"),
    [
        ("weekly", None, "2026-W47"),
        ("monthly", None, "2026-10"),
        ("weekly", "2026-11-23", "2026-W48"),
        ("monthly", "2026-02-28", "2026-02"),
        ("monthly", "2026-09", "2026-09"),
        ("weekly", "2026-W01", "2026-W01"),
    ],
)
def test_a_period_is_the_last_one_over_or_the_one_that_is_named(cadence: Any, at: str | None, label: str) -> None:
    assert period_asked(cadence, at, NOW) == parse(label)


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("tomorrow", "neither"),
        ("2026-13", "neither"),
        ("2026-10", "weekly"),
        ("2026-12-01", "not begun"),
        ("", "neither"),
    ],
)
def test_a_period_that_makes_no_sense_is_refused_by_name(at: str, said: str) -> None:
    with pytest.raises(InvalidRequest, match=f"^at: .*{said}"):
        period_asked("weekly", at, NOW)
