"""`scripts/report.py` against the deployed stack: runs, reruns, second mails, past periods, and what it tells."""

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest

from cost_reporting.contracts import Outcome
from cost_reporting.ledger import fingerprint
from cost_reporting.periods import label, moment_of, month_of, preceding
from local.world import twelve
from tests.workflow.machine import Machine
from tests.workflow.operator import Said, report

CLIENTS = {client.client_id: client for client in twelve()}
ANNA = "anna@tiny-bakery.example"


@pytest.fixture
def operate(machine: Machine) -> Any:
    """Type a command."""
    return lambda *arguments: report(machine.stack, *arguments)


def run(operate: Any, week: str, *client_ids: str, more: tuple[str, ...] = ()) -> Said:
    named = [word for client_id in client_ids for word in ("--client-id", client_id)]
    return operate("run", "--cadence", "weekly", "--period", week, *named, "--wait", "--json", *more)


def pdfs(machine: Machine, client_id: str, week: str) -> list[str]:
    """The hash of the PDF in each mail about a client's report, in order."""
    return [
        sha256(part.get_content()).hexdigest()
        for mail in machine.mails(client_id=client_id, period=week)
        for part in mail.iter_attachments()
        if part.get_content_type() == "application/pdf"
    ]


def clients(said: Said) -> dict[str, Outcome]:
    (execution,) = said.json["executions"]
    return {each["client_id"]: Outcome.model_validate(each) for each in execution["clients"]}


def test_a_run_is_watched_to_its_end_and_names_who_has_no_report_and_why(machine: Machine, operate: Any) -> None:
    week = machine.a_week()
    said = run(operate, week, "tiny-bakery", "denied-corp")
    assert said.code == 1
    (execution,) = said.json["executions"]
    assert (execution["execution_status"], execution["error"]) == ("FAILED", "RunIncomplete")
    assert execution["execution_arn"].rpartition(":")[2].startswith(f"run-weekly-{week}-")
    ended = clients(said)
    assert ended["tiny-bakery"].status == "SENT"
    assert ended["denied-corp"].error == "ClientAccessDenied"
    assert ended["denied-corp"].remedy
    assert "started run-weekly-" in said.err


def test_the_same_command_again_mails_nobody_twice_and_is_done(machine: Machine, operate: Any) -> None:
    week = machine.a_week()
    first, second = run(operate, week, "tiny-bakery"), run(operate, week, "tiny-bakery")
    assert (first.code, second.code) == (0, 0)
    assert second.json["executions"][0]["clients"] == []
    assert len(pdfs(machine, "tiny-bakery", week)) == 1


def test_a_dry_run_prints_the_input_and_starts_nothing_while_no_mail_starts_and_mails_nobody(
    machine: Machine, operate: Any
) -> None:
    week = machine.a_week()
    arguments = ("run", "--cadence", "weekly", "--period", week, "--client-id", "tiny-bakery")
    before = machine.client("stepfunctions").list_executions(stateMachineArn=machine.arn)["executions"]
    planned = operate(*arguments, "--dry-run", "--json")
    after = machine.client("stepfunctions").list_executions(stateMachineArn=machine.arn)["executions"]
    assert (planned.code, len(after)) == (0, len(before))
    (would,) = planned.json["runs"]
    assert would["input"] == {"cadence": "weekly", "period": week, "client_ids": ["tiny-bakery"]}
    assert (would["mails"], would["clients"]) == (
        1,
        [{"client_id": "tiny-bakery", "recipients": 1, "needs_approval": False, "to_operators": False}],
    )
    rendered = run(operate, week, "tiny-bakery", more=("--no-mail",))
    assert clients(rendered)["tiny-bakery"].status == "NOT_SENT"
    assert machine.mails(period=week) == []


def test_a_failed_run_is_redriven_for_those_without_a_report_alone(machine: Machine, operate: Any) -> None:
    week, silent = machine.a_week(), CLIENTS["silent-partners"]
    failed = run(operate, week, "silent-partners", "tiny-bakery")
    run_id = failed.json["executions"][0]["run_id"]
    machine.put(silent.model_copy(update={"recipients": ("finance@silent-partners.example",)}))
    try:
        planned = operate("rerun", "--run-id", run_id, "--dry-run", "--json")
        again = operate("rerun", "--run-id", run_id, "--wait", "--json")
    finally:
        machine.put(silent)
    assert planned.json["runs"][0]["input"]["client_ids"] == ["silent-partners"]
    assert "only the failed clients run again" in again.err
    assert again.code == 0
    assert {client_id: ended.status for client_id, ended in clients(again).items()} == {
        "silent-partners": "SENT",
        "tiny-bakery": "SENT",
    }
    assert again.json["executions"][0]["execution_arn"] == failed.json["executions"][0]["execution_arn"]
    assert len(pdfs(machine, "tiny-bakery", week)) == len(pdfs(machine, "silent-partners", week)) == 1
    once_more = operate("rerun", "--run-id", run_id, "--json")
    assert (once_more.code, once_more.json["executions"]) == (0, [])
    assert "nobody is left" in once_more.err


def test_a_resend_mails_the_stored_bytes_whatever_the_record_says_by_now_and_pays_nothing(
    machine: Machine, operate: Any
) -> None:
    week, tiny = machine.a_week(), CLIENTS["tiny-bakery"]
    run(operate, week, "tiny-bakery")
    (first,) = pdfs(machine, "tiny-bakery", week)
    changed = tiny.model_copy(update={"client_name": "Another Name", "page_size": "Letter", "sections": ("regions",)})
    machine.put(changed)
    try:
        arguments = ("resend", "--client-id", "tiny-bakery", "--period", week, "--reason", "deleted by mistake")
        unasked = operate(*arguments)
        sent = operate(*arguments, "--yes", "--wait", "--json")
    finally:
        machine.put(tiny)
    assert (unasked.code, "--yes" in unasked.err) == (2, True)
    assert sent.code == 0, sent.err
    assert clients(sent)["tiny-bakery"].paid_requests == 0
    key = clients(sent)["tiny-bakery"].report_key
    stored = machine.client("s3").get_object(Bucket=machine.bucket, Key=key)["Body"].read()
    assert pdfs(machine, "tiny-bakery", week) == [first, first] == [sha256(stored).hexdigest()] * 2


def test_what_was_never_mailed_cannot_be_resent_and_the_remedy_says_what_can(machine: Machine, operate: Any) -> None:
    week = machine.a_week()
    said = operate("resend", "--client-id", "tiny-bakery", "--period", week, "--reason", "lost", "--yes", "--json")
    assert (said.code, said.json["error"]) == (1, "ReportNotStored")
    assert "no report was ever mailed" in said.json["message"]
    assert said.json["remedy"]


def test_status_knows_every_mail_by_its_fingerprint_and_what_became_of_it(machine: Machine, operate: Any) -> None:
    week = machine.a_week()
    run(operate, week, "tiny-bakery", "denied-corp")
    machine.settled_ledger("tiny-bakery", week)
    (sent,) = operate("status", "--client-id", "tiny-bakery", "--period", week, "--json").json["reports"]
    assert (sent["outcome"]["status"], sent["outcome"]["paid_requests"]) == ("SENT", 2)
    assert [(mail["recipient"], mail["state"]) for mail in sent["mails"]] == [(fingerprint(ANNA), "DELIVERED")]
    (lost,) = operate("status", "--client-id", "denied-corp", "--period", week, "--json").json["reports"]
    assert (lost["outcome"]["error"], lost["mails"]) == ("ClientAccessDenied", [])
    assert (sent["status"], lost["status"], lost["error"]) == ("delivered", "failed", "ClientAccessDenied")
    (known,) = operate("status", "--period", week, "--json").json["runs"]
    assert (known["run_id"], known["execution_status"]) == (sent["run_id"], "FAILED")
    assert known["verdict"] == "RunIncomplete: 1 of 2 clients have no report."
    told = operate("status", "--client-id", "denied-corp", "--period", week)
    assert (told.code, "ClientAccessDenied" in told.out, "→ " in told.out) == (0, True, True)
    assert "@" not in told.out


def test_a_backfill_is_priced_asked_for_and_one_run_for_each_period(machine: Machine, operate: Any) -> None:
    later = machine.a_week()
    earlier = machine.a_week()
    arguments = ("backfill", "--client-id", "tiny-bakery", "--from", earlier, "--to", later)
    planned = operate(*arguments, "--dry-run", "--json").json
    assert [each["period"] for each in planned["runs"]] == [earlier, later]
    assert (planned["paid_requests"], planned["price_usd"]) == (4, "0.04")
    assert operate(*arguments).code == 2, "nobody is there to ask"
    done = operate(*arguments, "--yes", "--at-once", "2", "--json")
    assert (done.code, len(done.json["executions"])) == (0, 2)
    assert len(pdfs(machine, "tiny-bakery", earlier)) == len(pdfs(machine, "tiny-bakery", later)) == 1
    assert operate(*arguments, "--yes", "--json").json["executions"] == [], "everybody has both"


def test_a_period_that_cost_explorer_has_forgotten_is_refused_before_anything_is_started(operate: Any) -> None:
    said = operate("backfill", "--client-id", "tiny-bakery", "--from", "2024-01", "--to", "2026-06", "--yes", "--json")
    assert (said.code, said.json["error"]) == (2, "WrongInput")
    assert said.json["message"].startswith("--from: 2024-01: ")
    assert "keeps nothing before" in said.json["message"]


def test_the_final_report_is_another_one_than_the_preliminary_and_each_is_mailed_once(
    machine: Machine, operate: Any
) -> None:
    covered = month_of(datetime.now(UTC).date())
    for _ in range(3):
        covered = preceding(covered, "monthly")
    early = {"cadence": "monthly", "period": label(covered), "client_ids": ["tiny-bakery"]}
    machine.run(early | {"scheduled_at": moment_of(covered, "preliminary").isoformat()})
    arguments = ("run", "--cadence", "monthly", "--period", label(covered), "--client-id", "tiny-bakery", "--wait")
    for _ in range(2):
        assert operate(*arguments).code == 0
    known = operate("status", "--client-id", "tiny-bakery", "--period", label(covered), "--json").json["reports"]
    assert sorted(each["issue"] for each in known) == ["final", "preliminary"]
    assert len(machine.mails(client_id="tiny-bakery", period=label(covered))) == 2


def test_a_test_report_goes_to_whom_it_is_for_and_no_further(machine: Machine, operate: Any) -> None:
    week = machine.a_week()
    arguments = ("test", "--client-id", "tiny-bakery", "--period", week)
    assert operate(*arguments).code == 2, "the client's own recipients are asked about"
    said = operate(*arguments, "--to", "me@consultancy.example", "--wait", "--json")
    assert said.code == 0, said.err
    (mail,) = machine.mails(client_id="tiny-bakery", period=week)
    assert mail["To"].addresses[0].addr_spec == "me@consultancy.example"
    assert mail["Subject"].startswith("[TEST]")


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (("run", "--cadence", "monthly", "--period", "2126-01"), "--period"),
        (("run", "--cadence", "monthly", "--client-id", "nobody"), "--client-id"),
        (("rerun", "--run-id", "nobody-knows-it"), "--run-id"),
        (("rerun", "--run-id", "one", "--execution-arn", "two"), "--execution-arn"),
        (("resend", "--client-id", "tiny-bakery", "--period", "October", "--reason", "lost"), "--period"),
        (("approve", "--client-id", "tiny-bakery", "--period", "2026-10", "--cadence", "weekly"), "--cadence"),
        (("backfill", "--client-id", "tiny-bakery", "--from", "2026-09", "--to", "2026-W40"), "--to"),
        (("test", "--client-id", "tiny-bakery", "--to", "no address"), "--to"),
        (("resend", "--client-id", "tiny-bakery", "--period", "2026-10", "--reason", "x"), "--reason"),
    ],
)
def test_input_that_makes_no_sense_is_refused_by_its_option_and_starts_nothing(
    arguments: tuple[str, ...], field: str, operate: Any
) -> None:
    said = operate(*arguments)
    assert said.code == 2
    assert said.err.startswith(f"WrongInput: {field}: ")
