"""How clients ended, and what the run says about it."""

import json
from typing import Any

import pytest

from cost_reporting.contracts import ClientDue, Failure
from cost_reporting.errors import ClientAccessDenied, leaves, remedy_of
from cost_reporting.operations.record_outcome import outcome_of
from cost_reporting.outcomes import CAUSE_LIMIT, failed, failed_stage, message_of, settle, verdict, with_status
from tests.builders import (
    a_client_due,
    a_failure,
    an_outcome,
    client_ended,
    costs_fetched,
    report_rendered,
    report_sent,
)

SFN_CAUSE_LIMIT = 32_768


@pytest.mark.parametrize(
    ("baton", "stage"),
    [
        (a_client_due(), "Fetch Costs"),
        (costs_fetched(), "Render PDF"),
        (report_rendered(), "Send Email"),
        (report_sent(), "Record Outcome"),
    ],
    ids=["due", "costs", "report", "delivery"],
)
def test_the_first_field_that_a_baton_lacks_names_the_stage_that_failed(baton: ClientDue, stage: str) -> None:
    assert failed_stage(client_ended(baton)) == stage
    outcome = outcome_of(client_ended(baton, a_failure()))
    assert (outcome.status, outcome.stage, outcome.error) == ("FAILED", stage, "ClientAccessDenied")
    assert outcome.remedy == ClientAccessDenied.remedy


def test_a_baton_that_stopped_without_a_failure_is_no_success() -> None:
    assert outcome_of(client_ended(costs_fetched())).status == "FAILED"


def test_an_outcome_tells_the_total_the_change_and_what_it_cost() -> None:
    outcome = outcome_of(client_ended(report_sent(recipients=3)))
    assert (str(outcome.total), str(outcome.change), outcome.currency) == ("1020.50", "52.25", "USD")
    assert (outcome.recipients, outcome.paid_requests, outcome.status) == (3, 2, "SENT")
    assert outcome.report_key is not None


def test_costs_that_were_paid_are_told_of_a_client_that_failed_later() -> None:
    assert outcome_of(client_ended(costs_fetched(), a_failure("RenderFailed"))).paid_requests == 2


def test_a_client_without_a_past_has_no_change() -> None:
    assert outcome_of(client_ended(costs_fetched(previous=None), a_failure())).change is None


def test_a_mail_that_went_before_counts_as_sent_and_a_dry_run_does_not() -> None:
    assert outcome_of(client_ended(report_sent(state="ALREADY_SENT"))).status == "SENT"
    assert outcome_of(client_ended(report_sent(state="NOT_SENT"))).status == "NOT_SENT"


def test_a_report_that_is_held_or_rejected_is_no_loss_and_says_why() -> None:
    held = outcome_of(client_ended(report_sent(state="HELD", reason="waits for approval since noon")))
    assert (held.status, held.message) == ("HELD", "waits for approval since noon")
    assert "approve or reject" in str(held.remedy)
    rejected = outcome_of(client_ended(report_sent(state="REJECTED", reason="rejected: the logo is wrong")))
    assert (rejected.status, rejected.message, rejected.remedy) == ("REJECTED", "rejected: the logo is wrong", None)


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        (a_failure("CostsThrottled", "Cost Explorer: LimitExceededException"), "Cost Explorer: LimitExceededException"),
        (Failure(error="States.Timeout", cause=""), "States.Timeout"),
        (Failure(error="Lambda.Unknown", cause="Task timed out after 120 s"), "Task timed out after 120 s"),
        (Failure(error="Odd", cause='{"errorMessage": null}'), '{"errorMessage": null}'),
        (Failure(error="Odd", cause='{"errorMessage": ""}'), "Odd"),
        (Failure(error="Odd", cause='["errorMessage"]'), '["errorMessage"]'),
        (Failure(error="Odd", cause='{"errorMessage": "cut of'), '{"errorMessage": "cut of'),
    ],
)
def test_the_sentence_of_a_failure_is_found_whatever_the_cause_looks_like(failure: Failure, message: str) -> None:
    assert message_of(failure) == message


def test_a_cause_at_step_functions_limit_is_recorded_short() -> None:
    assert len(failed("acme", "Render PDF", "RenderFailed", "x" * SFN_CAUSE_LIMIT).message or "") <= 2000


def test_a_client_without_any_outcome_counts_as_failed() -> None:
    settled = settle(["acme", "globex"], {"acme": an_outcome("acme")})
    assert [(outcome.client_id, outcome.status) for outcome in settled] == [("acme", "SENT"), ("globex", "FAILED")]
    assert settled[1].remedy


def test_only_the_clients_of_the_worklist_are_settled() -> None:
    recorded = {"acme": an_outcome("acme"), "stranger": an_outcome("stranger", "FAILED")}
    assert with_status(settle(["acme"], recorded), "FAILED") == []


def test_a_verdict_names_each_lost_client_with_its_error_stage_message_and_remedy_and_no_other() -> None:
    denied = an_outcome("globex", "FAILED")
    uncertain = failed("initech", "Send Email", "DeliveryUncertain", "began to send")
    said = verdict([an_outcome("acme"), denied, uncertain]).splitlines()
    assert said[0] == "2 of 3 clients have no report."
    assert said[1] == (
        f"globex: ClientAccessDenied at Fetch Costs: role: AccessDenied Remedy: {remedy_of('ClientAccessDenied')}"
    )
    assert said[2].startswith("initech: DeliveryUncertain at Send Email: began to send Remedy: ")
    assert len(said) == 3


@pytest.mark.parametrize("message", ["x" * 2000, "原価が一致しません。" * 200, '"\\\n' * 600, "💸" * 1000])
def test_ten_thousand_failures_fit_into_a_cause_and_say_how_many_are_left_out(message: str) -> None:
    outcomes = [failed(f"client-{number:05d}", "Fetch Costs", "CostsRefused", message) for number in range(10_000)]
    said = verdict(outcomes)
    named = said.count(": CostsRefused at ")
    assert said.startswith("10000 of 10000 clients have no report.")
    assert said.endswith(f"And {10_000 - named} more: see summary.json.")
    assert named >= 5
    assert len(json.dumps({"errorMessage": said, "errorType": "RunIncomplete"})) < SFN_CAUSE_LIMIT - 4096
    assert CAUSE_LIMIT < SFN_CAUSE_LIMIT


@pytest.mark.parametrize("name", ["States.Timeout", "Lambda.Unknown", "States.DataLimitExceeded", "NobodyKnowsMe"])
def test_every_error_name_has_a_remedy_even_one_that_is_not_ours(name: str) -> None:
    assert remedy_of(name).endswith(".")


@pytest.mark.parametrize("name", sorted(leaves()))
def test_an_error_of_ours_is_recorded_with_its_own_remedy(name: str) -> None:
    told: dict[str, Any] = outcome_of(client_ended(a_client_due(), a_failure(name))).model_dump()
    assert told["remedy"] == leaves()[name].remedy
