"""Hold and approve, on the deployed stack: the client gets what an operator has approved, once, and nothing else."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from hashlib import sha256
from typing import Any

import pytest

from cost_reporting.clients import Client
from local.world import twelve
from tests.workflow.machine import Execution, Machine
from tests.workflow.operator import Said, report

LABS = next(client for client in twelve() if client.client_id == "negative-labs")
OPERATORS = "operations@consultancy.example"


@pytest.fixture
def careful(machine: Machine) -> Iterator[Client]:
    """A client all of whose reports wait, in these tests."""
    client = LABS.model_copy(update={"approve_first": 100})
    machine.put(client)
    yield client
    machine.put(LABS)


def start(machine: Machine, week: str, **more: object) -> Execution:
    return machine.run({"cadence": "weekly", "period": week, "client_ids": ["negative-labs"], **more})


def decide(machine: Machine, verb: str, week: str, *more: str) -> Said:
    return report(machine.stack, verb, "--client-id", "negative-labs", "--period", week, "--json", *more)


def mails(machine: Machine, week: str) -> tuple[list[EmailMessage], list[EmailMessage]]:
    """Those to the client, and those to the operators."""
    found = machine.mails(client_id="negative-labs", period=week)
    to_operators = [mail for mail in found if mail["To"].addresses[0].addr_spec == OPERATORS]
    return [mail for mail in found if mail not in to_operators], to_operators


def pdf(mail: EmailMessage) -> str:
    (part,) = [part for part in mail.iter_attachments() if part.get_content_type() == "application/pdf"]
    return sha256(part.get_content()).hexdigest()


def status(said: Said) -> str:
    (execution,) = said.json["executions"]
    return " ".join(client["status"] for client in execution["clients"])


def test_a_held_report_goes_to_the_operators_once_and_to_the_client_once_it_is_approved(
    machine: Machine, careful: Client
) -> None:
    week = machine.a_week("negative-labs")
    held, again = start(machine, week), start(machine, week)
    for run in (held, again):
        assert (run.status, run.output["held"], run.output["sent"]) == ("SUCCEEDED", 1, 0)
        assert machine.outcomes(run)["negative-labs"].status == "HELD"
    to_client, (asked,) = mails(machine, week)
    assert to_client == []
    assert asked["Subject"].startswith("[Waits for approval] ")
    command = next(line for line in str(asked.get_body(("plain",)).get_content()).splitlines() if "approve --" in line)
    said = report(machine.stack, *command.split()[2:], "--wait", "--json")
    assert (said.code, status(said)) == (0, "SENT"), said.err
    (sent,), (still_one,) = mails(machine, week)
    assert pdf(sent) == pdf(asked) == pdf(still_one)
    assert sent["To"].addresses[0].addr_spec == LABS.recipients[0]
    start(machine, week)
    assert [len(each) for each in mails(machine, week)] == [1, 1]


def test_two_approvals_at_once_and_one_more_later_mail_once(machine: Machine, careful: Client) -> None:
    week = machine.a_week("negative-labs")
    start(machine, week)
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: decide(machine, "approve", week, "--wait"), range(2)))
    later = decide(machine, "approve", week, "--wait")
    assert [said.code for said in (*both, later)] == [0, 0, 0], [said.err for said in both]
    assert [len(each) for each in mails(machine, week)] == [1, 1]


def test_a_rejected_report_is_never_sent_by_a_rerun_nor_approved_and_only_force_send_holds_it_anew(
    machine: Machine, careful: Client
) -> None:
    week = machine.a_week("negative-labs")
    start(machine, week)
    for _ in range(2):
        assert decide(machine, "reject", week, "--reason", "the logo is wrong").code == 0
    closed = start(machine, week)
    assert (closed.status, closed.output["rejected"]) == ("SUCCEEDED", 1)
    told = machine.outcomes(closed)["negative-labs"]
    assert (told.status, "the logo is wrong" in str(told.message)) == ("REJECTED", True)
    refused = decide(machine, "approve", week)
    assert (refused.code, refused.json["error"]) == (1, "NotHeld")
    assert [len(each) for each in mails(machine, week)] == [0, 1]
    opened = start(machine, week, force_send={"reason": "the logo is mended"})
    assert machine.outcomes(opened)["negative-labs"].status == "HELD"
    assert [len(each) for each in mails(machine, week)] == [0, 2]
    assert status(decide(machine, "approve", week, "--wait")) == "SENT"


def test_a_report_that_has_changed_since_it_was_approved_is_held_anew_and_not_sent(
    machine: Machine, careful: Client
) -> None:
    week = machine.a_week("negative-labs")
    start(machine, week)
    machine.put(careful.model_copy(update={"client_name": "The Negative Labs"}))
    said = decide(machine, "approve", week, "--wait")
    assert (said.code, status(said)) == (0, "HELD")
    to_client, (first, second) = mails(machine, week)
    assert to_client == []
    assert pdf(first) != pdf(second)
    stale = decide(machine, "approve", week, "--sha256", pdf(first)[:12])
    assert (stale.code, stale.json["error"]) == (1, "NotHeld")
    assert status(decide(machine, "approve", week, "--sha256", pdf(second)[:12], "--wait")) == "SENT"
    (sent,), _ = mails(machine, week)
    assert pdf(sent) == pdf(second)


def test_tests_dry_runs_and_resends_are_not_held(machine: Machine, careful: Client) -> None:
    week = machine.a_week("negative-labs")
    tested = machine.run(
        {
            "test_report": True,
            "client_id": "negative-labs",
            "cadence": "weekly",
            "period": week,
            "recipients": [OPERATORS],
        }
    )
    assert tested.output["sent"] == 1
    assert start(machine, week, dry_run=True).output["not_sent"] == 1
    start(machine, week)
    decide(machine, "approve", week, "--wait")
    resent = report(
        machine.stack, "resend", "--client-id", "negative-labs", "--period", week,
        "--reason", "lost", "--yes", "--wait",
        "--json",
    )  # fmt: skip
    assert (resent.code, status(resent)) == (0, "SENT"), resent.err
    first, second = mails(machine, week)[0]
    assert pdf(first) == pdf(second)


def test_status_says_what_waits_and_who_has_decided(machine: Machine, careful: Client) -> None:
    week = machine.a_week("negative-labs")
    start(machine, week)

    def told() -> Any:
        said = report(machine.stack, "status", "--client-id", "negative-labs", "--period", week, "--json")
        (one,) = said.json["reports"]
        return one

    waiting = told()
    assert (waiting["outcome"]["status"], waiting["held"]["state"], waiting["mails"]) == ("HELD", "HELD", [])
    decide(machine, "approve", week, "--reason", "looks right", "--wait")
    sent = told()
    assert (sent["outcome"]["status"], sent["held"]["state"], sent["held"]["reason"]) == (
        "SENT",
        "APPROVED",
        "looks right",
    )
    assert sent["held"]["by"].startswith("arn:aws")


def test_all_that_a_run_holds_is_approved_by_its_id_and_sent_once(machine: Machine, careful: Client) -> None:
    week = machine.a_week("negative-labs")
    held = start(machine, week)
    shown = report(machine.stack, "approve", "--run-id", held.run_id, "--dry-run", "--json")
    (waiting,) = shown.json["held"]
    assert (waiting["held"]["client_id"], waiting["recipients"]) == ("negative-labs", len(LABS.recipients))
    assert "negative-labs" in shown.err
    assert report(machine.stack, "approve", "--run-id", held.run_id).code == 2, "nobody is here to answer"
    assert [len(each) for each in mails(machine, week)] == [0, 1]
    said = report(machine.stack, "approve", "--run-id", held.run_id, "--yes", "--wait", "--json")
    assert (said.code, status(said)) == (0, "SENT"), said.err
    again = report(machine.stack, "approve", "--run-id", held.run_id, "--yes", "--json")
    assert (again.code, again.json["error"]) == (1, "NotHeld")
    assert [len(each) for each in mails(machine, week)] == [1, 1]


def test_lowering_approve_first_releases_nothing_that_is_held(machine: Machine, careful: Client) -> None:
    week = machine.a_week("negative-labs")
    start(machine, week)
    machine.put(LABS)
    assert LABS.approve_first == 0
    for more in ({}, {"force_send": {"reason": "they are waiting"}}):
        assert machine.outcomes(start(machine, week, **more))["negative-labs"].status == "HELD"
    assert mails(machine, week)[0] == []
    assert status(decide(machine, "approve", week, "--wait")) == "SENT"


def test_a_suspended_client_s_report_is_approved_and_not_sent_until_it_is_active_again(
    machine: Machine, careful: Client
) -> None:
    week = machine.a_week("negative-labs")
    start(machine, week)
    machine.put(careful.model_copy(update={"status": "suspended"}))
    said = decide(machine, "approve", week, "--wait")
    assert "suspended: it is not sent" in said.err
    assert (said.code, status(said)) == (0, "LEFT_OUT"), "it fails no run"
    assert mails(machine, week)[0] == []
    machine.put(careful)
    assert status(decide(machine, "approve", week, "--wait")) == "SENT"
    assert [len(each) for each in mails(machine, week)] == [1, 1]


def test_while_an_approval_is_due_a_test_without_recipients_goes_to_the_operators(
    machine: Machine, careful: Client
) -> None:
    week = machine.a_week("negative-labs")
    run = machine.run({"test_report": True, "client_id": "negative-labs", "cadence": "weekly", "period": week})
    assert run.output["sent"] == 1
    to_client, (to_operators,) = mails(machine, week)
    assert to_client == []
    assert "TEST" in to_operators["Subject"]


def test_the_recipients_of_a_test_stand_in_no_state_but_the_input_and_in_no_worklist_result_or_item(
    machine: Machine,
) -> None:
    address = "canary-4711@consultancy.example"
    asked = {"test_report": True, "client_id": "negative-labs", "recipients": [address]}
    run = machine.run(asked)
    (mail,) = machine.mails(run_id=run.run_id)
    assert mail["To"].addresses[0].addr_spec == address
    assert run.children, "the client's states are searched as well"
    listed = next(n for n, event in enumerate(run.events) if "taskSucceededEventDetails" in event)
    for event in (*run.events[listed:], *(event for child in run.children for event in child.events)):
        assert address not in json.dumps(event, default=str)
    s3, table = machine.client("s3"), machine.stack.names.outcomes_table
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket=machine.bucket, Prefix=f"runs/{run.run_id}/")["Contents"]]
    assert any("worklist-1" in key for key in keys)
    holders = [key for key in keys if address.encode() in s3.get_object(Bucket=machine.bucket, Key=key)["Body"].read()]
    assert holders == [f"runs/{run.run_id}/recipients.json"]
    pages = machine.client("dynamodb").get_paginator("scan").paginate(TableName=table)
    assert not any(address in json.dumps(item) for page in pages for item in page["Items"])
