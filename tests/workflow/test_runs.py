"""The deployed workflow: real template, real definition, real handlers, on the emulated account."""

import json

import pytest

from cost_reporting.errors import ClientAccessDenied
from local.world import twelve
from tests.workflow.machine import Machine

CLIENTS = {client.client_id: client for client in twelve()}


def request(period: str, *client_ids: str, **more: object) -> dict[str, object]:
    return {"cadence": "weekly", "period": period, "client_ids": list(client_ids), **more}


def test_everybody_gets_one_mail_for_each_recipient_and_the_run_succeeds(machine: Machine) -> None:
    week = machine.a_week()
    run = machine.run(request(week, "tiny-bakery", "euro-logistik"))
    assert (run.status, run.error, run.said) == ("SUCCEEDED", "", "")
    assert (run.output["sent"], run.output["client_count"]) == (2, 2)
    for client_id in ("tiny-bakery", "euro-logistik"):
        to = [mail["To"].addresses[0].addr_spec for mail in machine.mails(run_id=run.run_id, client_id=client_id)]
        assert to == list(CLIENTS[client_id].recipients)
    outcomes = machine.outcomes(run)
    assert {outcome.status for outcome in outcomes.values()} == {"SENT"}
    assert {one["client_id"]: one["total"] for one in machine.document(run.output["summary"]["key"])["clients"]} == {
        client_id: str(outcome.total) for client_id, outcome in outcomes.items()
    }


def test_one_client_fails_and_the_others_go_on(machine: Machine) -> None:
    three = ("denied-corp", "tiny-bakery", "notenabled-inc")
    run = machine.run(request(machine.a_week(*three), *three))
    assert (run.status, run.error) == ("FAILED", "RunIncomplete")
    assert "2 of 3 clients have no report" in run.said
    assert "denied-corp: ClientAccessDenied at Fetch Costs" in run.said
    assert ClientAccessDenied.remedy in run.said
    assert {child.status for child in run.children} == {"SUCCEEDED"}
    outcomes = machine.outcomes(run)
    assert {client_id: outcome.error for client_id, outcome in outcomes.items()} == {
        "denied-corp": "ClientAccessDenied",
        "notenabled-inc": "CostExplorerDisabled",
        "tiny-bakery": None,
    }
    assert len(machine.mails(run_id=run.run_id)) == len(CLIENTS["tiny-bakery"].recipients)


def test_a_throttled_client_is_retried_by_the_state_machine_until_it_works(machine: Machine) -> None:
    run = machine.run(request(machine.a_week("throttled-games"), "throttled-games"))
    assert run.status == "SUCCEEDED"
    (child,) = run.children
    assert child.failures() == ["CostsThrottled", "CostsThrottled"]


def test_a_permanent_error_is_tried_once(machine: Machine) -> None:
    run = machine.run(request(machine.a_week("denied-corp"), "denied-corp"))
    (child,) = run.children
    assert child.failures() == ["ClientAccessDenied"]
    assert child.tries() == 2  # Fetch Costs, Record Outcome


def test_a_delivered_client_takes_at_most_six_transitions(machine: Machine) -> None:
    (child,) = machine.run(request(machine.a_week("tiny-bakery"), "tiny-bakery")).children
    start_of_the_child = 1
    assert child.tries() + start_of_the_child <= 6


def test_a_violated_contract_is_an_outcome_of_its_client_only(machine: Machine) -> None:
    """A line that no version of List Clients writes: both Fetch Costs and Record Outcome refuse it."""
    week = machine.a_week()
    first = machine.run(request(week, "tiny-bakery", "euro-logistik", dry_run=True))
    key = f"runs/{first.run_id}/worklist-1.jsonl"
    s3 = machine.client("s3")
    good, bad = map(json.loads, s3.get_object(Bucket=machine.bucket, Key=key)["Body"].read().splitlines())
    lines = "".join(f"{json.dumps(line)}\n" for line in (good, bad | {"surprise": 1}))
    s3.put_object(Bucket=machine.bucket, Key=key, Body=lines.encode())
    again = machine.run(machine.input_of(first, "For Each Client"), machine=machine.starting_at("For Each Client"))
    by_status = {child.status: child for child in again.children}
    assert by_status["FAILED"].error == "ContractViolated"
    assert set(by_status["FAILED"].failures()) == {"ContractViolated"}
    assert by_status["SUCCEEDED"].output["status"] == "NOT_SENT"


def test_a_redriven_run_works_off_only_the_failed_clients_and_then_succeeds(machine: Machine) -> None:
    week = machine.a_week()
    failed = machine.run(request(week, "silent-partners", "tiny-bakery"))
    assert (failed.error, machine.outcomes(failed)["silent-partners"].error) == ("RunIncomplete", "ClientMisconfigured")
    silent = CLIENTS["silent-partners"]
    machine.put(silent.model_copy(update={"recipients": ("finance@silent-partners.example",)}))
    try:
        redriven = machine.redrive(failed)
    finally:
        machine.put(silent)
    assert (redriven.status, redriven.said) == ("SUCCEEDED", "")
    assert redriven.output["pass_number"] == 2
    assert sorted(child.output["client_id"] for child in redriven.children) == [
        "silent-partners",
        "silent-partners",
        "tiny-bakery",
    ]
    assert len(machine.mails(client_id="tiny-bakery", period=week)) == len(CLIENTS["tiny-bakery"].recipients)
    assert len(machine.mails(client_id="silent-partners", period=week)) == 1


def test_a_redriven_run_that_fails_again_can_be_redriven_again(machine: Machine) -> None:
    second = machine.redrive(machine.run(request(machine.a_week("denied-corp"), "denied-corp")))
    third = machine.redrive(second)
    for number, execution in ((2, second), (3, third)):
        assert execution.error == "RunIncomplete"
        assert len(execution.children) == number
    assert machine.input_of(third, "Settle Run")["pass_number"] == 3


def test_the_same_input_again_mails_nobody_twice(machine: Machine) -> None:
    week = machine.a_week()
    first = machine.run(request(week, "tiny-bakery", "euro-logistik"))
    mails = len(machine.mails(period=week))
    second = machine.run(request(week, "tiny-bakery", "euro-logistik"))
    assert (first.status, second.status) == ("SUCCEEDED", "SUCCEEDED")
    assert second.output["client_count"] == 0
    assert len(machine.mails(period=week)) == mails


def test_two_executions_at_once_mail_once(machine: Machine) -> None:
    week = machine.a_week()
    states = machine.client("stepfunctions")
    text = json.dumps(request(week, "tiny-bakery"))
    arns = [states.start_execution(stateMachineArn=machine.arn, input=text)["executionArn"] for _ in range(2)]
    ended = [machine.wait(arn) for arn in arns]
    assert len(machine.mails(client_id="tiny-bakery", period=week)) == len(CLIENTS["tiny-bakery"].recipients)
    assert any(execution.status == "SUCCEEDED" for execution in ended)


def test_a_forced_mail_goes_out_a_second_time_and_no_third(machine: Machine) -> None:
    week = machine.a_week()
    machine.run(request(week, "tiny-bakery"))
    forced = machine.run(request(week, "tiny-bakery", force_send={"reason": "deleted by mistake"}))
    assert forced.status == "SUCCEEDED"
    once = len(CLIENTS["tiny-bakery"].recipients)
    assert len(machine.mails(client_id="tiny-bakery", period=week)) == 2 * once
    machine.run(machine.input_of(forced, "For Each Client"), machine=machine.starting_at("For Each Client"))
    assert len(machine.mails(client_id="tiny-bakery", period=week)) == 2 * once


def test_a_test_report_is_marked_and_leaves_the_client_s_ledger_alone(machine: Machine) -> None:
    week = machine.a_week()
    tested = machine.run(
        {
            "test_report": True,
            "client_id": "tiny-bakery",
            "cadence": "weekly",
            "period": week,
            "recipients": ["operator@consultancy.example"],
        }
    )
    assert tested.status == "SUCCEEDED"
    (mail,) = machine.mails(run_id=tested.run_id)
    assert mail["Subject"].startswith("[TEST]")
    assert mail["To"].addresses[0].addr_spec == "operator@consultancy.example"
    real = machine.run(request(week, "tiny-bakery"))
    assert len(machine.mails(run_id=real.run_id)) == len(CLIENTS["tiny-bakery"].recipients)


def test_a_dry_run_renders_and_mails_nobody(machine: Machine) -> None:
    week = machine.a_week()
    run = machine.run(request(week, "tiny-bakery", dry_run=True))
    assert (run.status, run.output["not_sent"]) == ("SUCCEEDED", 1)
    assert machine.mails(period=week) == []
    key = machine.outcomes(run)["tiny-bakery"].report_key
    assert machine.client("s3").head_object(Bucket=machine.bucket, Key=key)["ContentType"] == "application/pdf"


def test_a_health_check_touches_no_client(machine: Machine) -> None:
    health = machine.run({"test": True})
    assert (health.status, health.output["status"]) == ("SUCCEEDED", "healthy")
    assert health.children == ()
    assert health.tries() == 1


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"cadence": "hourly"}, "cadence"),
        ({}, "cadence"),
        ({"cadence": "monthly", "period": "2126-01"}, "period"),
        ({"cadence": "monthly", "period": {"start": "2026-10-01", "end": "2026-09-01"}}, "period"),
        ({"cadence": "monthly", "perod": "2026-09"}, "perod"),
        ({"cadence": "monthly", "client_ids": ["nobody"]}, "client_ids"),
        ({"test_report": True}, "client_id"),
    ],
)
def test_input_that_makes_no_sense_fails_at_once_and_names_the_field(
    machine: Machine, wrong: dict[str, object], field: str
) -> None:
    run = machine.run(wrong)
    assert (run.status, run.error) == ("FAILED", "InvalidRequest")
    assert run.said.startswith(field)
    assert run.children == ()
    assert run.tries() == 1


def test_a_run_is_counted_without_dimensions(machine: Machine) -> None:
    machine.run(request(machine.a_week("tiny-bakery"), "tiny-bakery"))
    metrics = machine.client("cloudwatch").list_metrics(Namespace="CostReporting")["Metrics"]
    undimensioned = {metric["MetricName"] for metric in metrics if not metric["Dimensions"]}
    assert {"ExecutionsSuccessful", "ClientsProcessed", "PaidRequests"} <= undimensioned


def test_logs_name_the_client_and_the_run_and_no_address(machine: Machine) -> None:
    run = machine.run(request(machine.a_week("tiny-bakery"), "tiny-bakery"))
    logs = machine.client("logs")
    groups = [
        group["logGroupName"] for group in logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/")["logGroups"]
    ]
    lines = [
        event["message"]
        for group in groups
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group)
        for event in page["events"]
    ]
    ours = [line for line in lines if run.run_id in line]
    assert any('"client_id":"tiny-bakery"' in line for line in ours)
    assert not [line for line in lines if "@" in line and ".example" in line]


def test_both_schedules_carry_their_nominal_time_and_are_off_here(machine: Machine) -> None:
    scheduler = machine.client("scheduler")
    for cadence in ("weekly", "monthly"):
        schedule = scheduler.get_schedule(Name=f"cost-reporting-{cadence}-schedule")
        assert schedule["State"] == "DISABLED"
        asked = json.loads(schedule["Target"]["Input"])
        assert asked == {"cadence": cadence, "scheduled_at": "<aws.scheduler.scheduled-time>"}


def test_what_becomes_of_a_mail_comes_back_into_the_ledger(machine: Machine) -> None:
    week, tiny = machine.a_week(), CLIENTS["tiny-bakery"]
    machine.put(tiny.model_copy(update={"recipients": ("anna@tiny-bakery.example", "bounce@simulator.amazonses.com")}))
    try:
        run = machine.run(request(week, "tiny-bakery"))
    finally:
        machine.put(tiny)
    assert run.status == "SUCCEEDED"
    assert machine.settled_ledger("tiny-bakery", week) == ["BOUNCED", "DELIVERED"]
