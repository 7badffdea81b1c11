"""`scripts/report.py run|rerun|resend|…` as far as AWS's answers decide: redrives, executions that are gone, status."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ReadTimeoutError

import _console
import report
from cost_reporting import wiring
from cost_reporting.contracts import RunAsked
from cost_reporting.errors import InvalidRequest, RunNotStarted, remedy_of
from cost_reporting.ledger import Entry, fingerprint, report_key
from cost_reporting.operations.backfill import periods_of
from cost_reporting.operations.list_clients import what_is_asked
from cost_reporting.operations.runs import again, run_of
from cost_reporting.operations.worklists import write_worklist
from cost_reporting.outcomes import failed
from cost_reporting.periods import between, issue_at, label, moment_of, parse
from cost_reporting.store.approvals import ApprovalStore
from cost_reporting.store.executions import Execution, ExecutionStore
from cost_reporting.store.ledger import LedgerStore
from cost_reporting.store.objects import ObjectStore
from cost_reporting.store.runs import RunStore
from tests.builders import a_client, a_client_due, a_held, a_run, an_outcome
from tests.functional.conftest import NOW, Answer, Clock, Wire, World, refusal
from tests.functional.test_preview import Ended

MACHINE = "arn:aws:states:eu-central-1:123456789012:stateMachine:cost-reporting"
ARN = "arn:aws:states:eu-central-1:123456789012:execution:cost-reporting:one"
MARK = {"pk": "DELIVERED#monthly#2026-10#final", "sk": "acme"}
REQUEST = {"cadence": "monthly", "client_ids": ["acme", "globex"]}


def shown(status: str, **more: Any) -> Answer:
    """What DescribeExecution answers."""
    facts = {"executionArn": ARN, "name": "one", "status": status, "startDate": NOW, "input": json.dumps(REQUEST)}
    return Answer(200, facts | more)


LISTED = Answer(200, {"executions": [{"executionArn": ARN, "name": "one"}]})
INCOMPLETE = shown(
    "FAILED", error="RunIncomplete", cause=json.dumps({"errorMessage": "1 of 2 clients have no report."})
)


@pytest.fixture
def operate(world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    """Type a command."""
    monkeypatch.setenv("STATE_MACHINE_ARN", MACHINE)
    monkeypatch.setattr("time.sleep", lambda seconds: None)

    def operate(*arguments: str) -> Ended:
        capsys.readouterr()
        code = _console.main(report.app, list(arguments))
        return Ended(code, *capsys.readouterr())

    return operate


@pytest.fixture
def run(world: World) -> Any:
    """A run of two clients of which one has failed."""
    world.add(a_client(client_id="acme"), a_client(client_id="globex"))
    asked = RunAsked(request=REQUEST, execution_id=ARN, started_at=NOW)
    run = what_is_asked(asked, wiring.settings().zone)[1]
    due = [a_client_due(client_id, run) for client_id in ("acme", "globex")]
    runs = RunStore("outcomes")
    runs.begin(write_worklist(ObjectStore(world.bucket), run, 1, due), ARN, NOW)
    runs.record(run, an_outcome("acme"), NOW)
    runs.mark_delivered(run, an_outcome("acme"), NOW)
    runs.record(run, failed("globex", "Fetch Costs", "ClientAccessDenied", "role: AccessDenied"), NOW)
    return run


def started(wire: Wire) -> list[Any]:
    return [json.loads(call.parameters["input"]) for call in wire.calls if call.operation.endswith("StartExecution")]


def test_a_failed_run_is_redriven_where_aws_allows_it_and_nothing_is_started(
    operate: Any, wire: Wire, run: Any
) -> None:
    wire.order("stepfunctions.ListExecutions", LISTED)
    later = NOW + timedelta(minutes=5)
    wire.order("stepfunctions.RedriveExecution", Answer(200, {"redriveDate": later}))
    wire.order("stepfunctions.DescribeExecution", INCOMPLETE, shown("RUNNING", redriveDate=later), shown("SUCCEEDED"))
    said = operate("rerun", "--wait", "--json")
    assert said.code == 0, said.err
    assert "redriven one: only the failed clients run again" in said.err
    assert said.json["executions"][0]["execution_arn"] == ARN
    assert started(wire) == []


@pytest.mark.parametrize(
    "answer",
    [
        refusal("ExecutionNotRedrivable", message="The execution is older than 14 days"),
        refusal("AccessDeniedException", 403),
    ],
)
def test_where_aws_does_not_redrive_the_failed_clients_are_started_anew_with_the_reason(
    answer: Answer, operate: Any, wire: Wire, run: Any
) -> None:
    wire.order("stepfunctions.ListExecutions", LISTED)
    wire.order("stepfunctions.DescribeExecution", INCOMPLETE)
    wire.order("stepfunctions.RedriveExecution", answer)
    wire.order("stepfunctions.StartExecution", Answer(200, {"executionArn": f"{ARN}-again", "startDate": NOW}))
    said = operate("rerun")
    assert said.code == 0, said.err
    assert f"It is not redriven ({answer.body['Error']['Code']}: " in said.err
    assert started(wire) == [
        {
            "cadence": "monthly",
            "period": "2026-10",
            "scheduled_at": NOW.isoformat(),
            "client_ids": ["globex"],
            "rerun_of": run.run_id,
        }
    ]
    (call,) = [call for call in wire.calls if call.operation == "stepfunctions.StartExecution"]
    assert call.parameters["name"].startswith(f"rerun-{run.run_id}-")
    assert len(call.parameters["name"]) <= 80


def test_a_redrive_of_unknown_outcome_starts_nothing_beside_it(operate: Any, wire: Wire, run: Any) -> None:
    wire.order("stepfunctions.DescribeExecution", INCOMPLETE)
    wire.order("stepfunctions.RedriveExecution", *[ReadTimeoutError(endpoint_url="https://states")] * 3)
    said = operate("rerun", "--run-id", run.run_id, "--json")
    assert (said.code, said.json["error"]) == (1, "RunNotStarted")
    assert started(wire) == []


def test_a_client_that_has_its_report_by_now_is_not_run_again(operate: Any, wire: Wire, run: Any) -> None:
    RunStore("outcomes").mark_delivered(run, an_outcome("globex"), NOW)
    wire.order("stepfunctions.DescribeExecution", INCOMPLETE)
    said = operate("rerun", "--run-id", run.run_id)
    assert (said.code, "nobody is left without a report" in said.err) == (0, True)
    assert wire.count("stepfunctions.RedriveExecution", "stepfunctions.StartExecution") == 0


def test_a_client_without_any_outcome_is_run_again_as_well(operate: Any, wire: Wire, world: World, run: Any) -> None:
    due = [a_client_due(client_id, run) for client_id in ("acme", "globex", "initech")]
    world.add(a_client(client_id="initech"))
    write_worklist(ObjectStore(world.bucket), run, 1, due)
    wire.order("stepfunctions.DescribeExecution", INCOMPLETE)
    said = operate("rerun", "--run-id", run.run_id, "--fresh", "--dry-run", "--json")
    assert said.json["runs"][0]["input"]["client_ids"] == ["globex", "initech"]


def test_a_run_that_still_runs_is_not_run_again(operate: Any, wire: Wire, run: Any) -> None:
    wire.order("stepfunctions.DescribeExecution", shown("RUNNING"))
    said = operate("rerun", "--execution-arn", ARN)
    assert (said.code, "is still running" in said.err) == (2, True)


def test_an_execution_that_aws_keeps_no_more_is_wrong_input(operate: Any, wire: Wire) -> None:
    wire.order("stepfunctions.DescribeExecution", refusal("ExecutionDoesNotExist"))
    said = operate("rerun", "--execution-arn", ARN)
    assert said.code == 2
    assert said.err.startswith(f"WrongInput: --execution-arn: there is no execution {ARN}")


def test_without_a_failed_run_there_is_nothing_to_run_again(operate: Any, wire: Wire) -> None:
    wire.order("stepfunctions.ListExecutions", LISTED)
    wire.order("stepfunctions.DescribeExecution", shown("FAILED", error="InvalidRequest"))
    assert operate("rerun").code == 2


def test_whoever_stops_watching_is_told_that_the_execution_goes_on(
    operate: Any, wire: Wire, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", interrupted)
    wire.order("stepfunctions.StartExecution", Answer(200, {"executionArn": ARN, "startDate": NOW}))
    wire.order("stepfunctions.DescribeExecution", shown("RUNNING"))
    said = operate("run", "--cadence", "monthly", "--client-id", "globex", "--wait")
    assert said.code == 1
    assert "the execution goes on" in said.err
    assert ARN in said.err


def test_an_execution_that_failed_before_it_had_clients_says_what_it_said(
    operate: Any, wire: Wire, world: World
) -> None:
    world.add(a_client(client_id="globex"))
    wire.order("stepfunctions.StartExecution", Answer(200, {"executionArn": ARN, "startDate": NOW}))
    wire.order("stepfunctions.DescribeExecution", shown("FAILED", error="StoreRefused", cause="no such table"))
    said = operate("run", "--cadence", "monthly", "--wait")
    assert said.code == 1
    assert "StoreRefused: no such table" in said.out


def test_the_state_machine_must_be_known(operate: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STATE_MACHINE_ARN")
    said = operate("status")
    assert (said.code, "which state machine" in said.err) == (2, True)


def test_refusals_of_step_functions_are_named(wire: Wire, environment: None) -> None:
    store = ExecutionStore(MACHINE)
    wire.order("stepfunctions.StartExecution", refusal("AccessDeniedException", 403))
    with pytest.raises(RunNotStarted, match="start the run: AccessDeniedException"):
        store.start("one", {})
    wire.order("stepfunctions.StartExecution", *[refusal("ThrottlingException")] * 3)
    with pytest.raises(RunNotStarted, match="ThrottlingException"):
        store.start("one", {})


def test_status_tells_the_runs_and_looks_through_every_page(operate: Any, wire: Wire, run: Any) -> None:
    page = Answer(200, LISTED.body | {"nextToken": "more"})
    wire.order("stepfunctions.ListExecutions", page, LISTED)
    health = shown("SUCCEEDED", input='{"test": true}', output='{"status": "healthy"}')
    wire.order("stepfunctions.DescribeExecution", INCOMPLETE, health)
    said = operate("status", "--limit", "2", "--json").json["runs"]
    assert [(each["run_id"], each["verdict"]) for each in said] == [
        (run.run_id, "RunIncomplete: 1 of 2 clients have no report."),
        (None, "healthy"),
    ]


def test_a_report_is_found_when_its_execution_is_long_gone(operate: Any, wire: Wire, run: Any) -> None:
    wire.order("stepfunctions.ListExecutions", Answer(200, {"executions": []}))
    (found,) = operate("status", "--client-id", "acme", "--period", "2026-10", "--json").json["reports"]
    assert (found["run_id"], found["outcome"]["status"]) == (run.run_id, "SENT")
    wire.order("stepfunctions.ListExecutions", Answer(200, {"executions": []}))
    assert operate("status", "--client-id", "globex", "--period", "2026-10", "--json").json["reports"] == []


def test_status_gives_a_report_its_status_and_remedy_and_names_who_was_added_since(
    operate: Any, wire: Wire, run: Any, world: World
) -> None:
    recipients = ("finance@northwind.example", "new@northwind.example")
    world.add(a_client(client_id="acme", recipients=recipients))
    entry = Entry(
        report=report_key(run, "acme"), recipient=fingerprint(recipients[0]), state="DELIVERED", try_id="try-0001",
        attempt=1, run_id=run.run_id, report_sha256="0" * 64, updated_at=NOW,
    )  # fmt: skip
    assert LedgerStore("outcomes").begin(entry, replacing=None)

    def asked(client_id: str, *more: str) -> Ended:
        wire.order("stepfunctions.ListExecutions", LISTED)
        wire.order("stepfunctions.DescribeExecution", INCOMPLETE)
        return operate("status", "--client-id", client_id, *more)

    (sent,) = asked("acme", "--json").json["reports"]
    assert (sent["status"], sent["unmailed"]) == ("delivered", [fingerprint(recipients[1])])
    (lost,) = asked("globex", "--json").json["reports"]
    assert (lost["status"], lost["error"], lost["remedy"]) == (
        "failed",
        "ClientAccessDenied",
        remedy_of("ClientAccessDenied"),
    )
    told = asked("acme").out
    assert "Delivered" in told
    assert "resend --missing" in re.sub(r"\s+", " ", told)
    assert "@" not in told


def test_a_report_whose_run_left_no_outcome_is_told(operate: Any, wire: Wire, run: Any, clock: Clock) -> None:
    boto3.resource("dynamodb").Table("outcomes").delete_item(Key={"pk": f"RUN#{run.run_id}", "sk": "OUTCOME#globex"})
    for at, status in ((NOW + timedelta(hours=1), "underway"), (NOW + timedelta(days=1), "missing")):
        clock.time = at
        wire.order("stepfunctions.ListExecutions", LISTED)
        wire.order("stepfunctions.DescribeExecution", INCOMPLETE)
        (lost,) = operate("status", "--client-id", "globex", "--json").json["reports"]
        assert lost["status"] == status


# -- started twice ----------------------------------------------------------------------------------------------------

TWICE = shown("SUCCEEDED", output=json.dumps({"double_of": f"{ARN}-first"}))


def test_a_second_start_is_told_as_such_and_not_as_a_finished_run(operate: Any, wire: Wire, run: Any) -> None:
    for arguments in ((), ("--json",)):
        wire.order("stepfunctions.StartExecution", Answer(200, {"executionArn": ARN, "startDate": NOW}))
        wire.order("stepfunctions.DescribeExecution", TWICE)
        said = operate("run", "--cadence", "monthly", "--wait", *arguments)
        assert said.code == 0
        if arguments:
            assert (said.json["status"], said.json["executions"][0]["double_of"]) == ("started_twice", f"{ARN}-first")
        else:
            assert said.out.startswith("STARTED TWICE  one")
            assert "one-first works on the same moment" in said.out
            assert "SUCCEEDED" not in said.out


def test_the_list_of_runs_says_of_a_second_start_which_one_works(operate: Any, wire: Wire, run: Any) -> None:
    wire.order("stepfunctions.ListExecutions", LISTED)
    wire.order("stepfunctions.DescribeExecution", TWICE)
    (found,) = operate("status", "--limit", "1", "--json").json["runs"]
    assert found["verdict"] == "started twice: one-first does the work"


def test_a_second_start_is_not_run_again_since_it_worked_on_no_client(operate: Any, wire: Wire, world: World) -> None:
    wire.order("stepfunctions.DescribeExecution", TWICE)
    said = operate("rerun", "--execution-arn", ARN)
    assert said.code == 2
    assert f"{ARN}-first" in said.err
    assert wire.count("stepfunctions.RedriveExecution", "stepfunctions.StartExecution") == 0


# -- clients that were removed since, and late ones -------------------------------------------------------------------


@pytest.fixture
def two_lost(world: World, run: Any) -> Any:
    """The same run, which has left a client without a report that was removed since."""
    runs = RunStore("outcomes")
    runs.record(run, an_outcome("removed", "FAILED"), NOW)
    due = [a_client_due(client_id, run) for client_id in ("acme", "globex", "removed")]
    runs.begin(write_worklist(ObjectStore(world.bucket), run, 1, due), ARN, NOW)
    return run


def test_a_removed_client_keeps_no_other_from_being_run_again_and_is_named(
    operate: Any, wire: Wire, two_lost: Any
) -> None:
    wire.order("stepfunctions.DescribeExecution", INCOMPLETE)
    wire.order("stepfunctions.StartExecution", Answer(200, {"executionArn": f"{ARN}-again", "startDate": NOW}))
    said = operate("rerun", "--run-id", two_lost.run_id, "--fresh")
    assert said.code == 0, said.err
    assert "left out, since they were removed: removed" in said.err
    assert started(wire)[0]["client_ids"] == ["globex"]


def test_a_run_whose_failed_clients_were_all_removed_is_redriven_so_that_it_can_end_well(
    operate: Any, wire: Wire, two_lost: Any
) -> None:
    RunStore("outcomes").mark_delivered(two_lost, an_outcome("globex"), NOW)
    wire.order("stepfunctions.DescribeExecution", INCOMPLETE)
    wire.order("stepfunctions.RedriveExecution", Answer(200, {"redriveDate": NOW}))
    said = operate("rerun", "--run-id", two_lost.run_id)
    assert said.code == 0, said.err
    assert wire.count("stepfunctions.RedriveExecution") == 1
    assert started(wire) == []


def test_of_a_run_whose_clients_were_all_removed_nothing_is_started_anew(
    operate: Any, wire: Wire, two_lost: Any
) -> None:
    RunStore("outcomes").mark_delivered(two_lost, an_outcome("globex"), NOW)
    wire.order("stepfunctions.DescribeExecution", INCOMPLETE)
    said = operate("rerun", "--run-id", two_lost.run_id, "--fresh", "--json")
    assert (said.code, said.json["executions"]) == (0, [])
    assert started(wire) == []


def test_a_client_whose_figures_an_aborted_run_was_waiting_for_is_run_again(operate: Any, wire: Wire, run: Any) -> None:
    late = failed("globex", "Fetch Costs", "CostsNotReady", "no figures yet").model_copy(update={"status": "LATE"})
    RunStore("outcomes")._put(
        f"RUN#{run.run_id}", "OUTCOME#globex", late.model_dump(mode="json", exclude_none=True) | {"at": NOW.isoformat()}
    )
    wire.order("stepfunctions.DescribeExecution", shown("ABORTED"))
    said = operate("rerun", "--run-id", run.run_id, "--fresh", "--dry-run", "--json")
    assert said.json["runs"][0]["input"]["client_ids"] == ["globex"]


# -- against no operator's word ----------------------------------------------------------------------------------------


@pytest.fixture
def holding(world: World, run: Any) -> Any:
    """The run, as one that holds the reports of both clients."""
    for client_id in ("acme", "globex"):
        world.add(a_client(client_id=client_id, approve_first=1))
        held = a_held(client_id, run_id=run.run_id)
        assert ApprovalStore("outcomes").hold("monthly#2026-10#final", held, replacing=None)
        RunStore("outcomes").record(run, an_outcome(client_id, "HELD", total="12.50", currency="USD"), NOW)
    boto3.resource("dynamodb").Table("outcomes").delete_item(Key=MARK)
    return run


def states_of(world: World) -> list[str]:
    return [item["state"] for item in world.outcomes("HELD#")]


def test_all_that_a_run_holds_is_shown_first_and_nothing_is_approved_unasked(
    operate: Any, wire: Wire, world: World, holding: Any
) -> None:
    dry = operate("approve", "--run-id", holding.run_id, "--dry-run", "--json")
    assert (dry.code, dry.json["status"]) == (0, "planned")
    assert dry.json["input"] == {
        "cadence": "monthly", "period": "2026-10", "scheduled_at": NOW.isoformat(), "client_ids": ["acme", "globex"],
        "rerun_of": holding.run_id,
    }  # fmt: skip
    assert [(each["held"]["client_id"], each["total"], each["recipients"]) for each in dry.json["held"]] == [
        ("acme", "12.50", 1), ("globex", "12.50", 1)
    ]  # fmt: skip
    unasked = operate("approve", "--run-id", holding.run_id)
    assert (unasked.code, "--yes" in unasked.err) == (2, True)
    for part in ("acme", "globex", "2026-10", "final", "USD 12.50", "a" * 12):
        assert part in unasked.err
    assert (states_of(world), started(wire)) == (["HELD", "HELD"], [])


def test_all_that_a_run_holds_is_approved_and_sent_by_one_execution(
    operate: Any, wire: Wire, world: World, holding: Any
) -> None:
    for _ in range(2):
        wire.order("stepfunctions.StartExecution", Answer(200, {"executionArn": f"{ARN}-sends", "startDate": NOW}))
        said = operate("approve", "--run-id", holding.run_id, "--yes", "--reason", "looked at both", "--json")
        assert (said.code, said.json["status"], said.json["execution_arns"]) == (0, "started", [f"{ARN}-sends"])
        assert states_of(world) == ["APPROVED", "APPROVED"], "twice is as good as once"
    assert [each["client_ids"] for each in started(wire)] == [["acme", "globex"]] * 2


def test_one_report_that_cannot_be_approved_is_named_and_the_others_are_sent(
    operate: Any, wire: Wire, world: World, holding: Any
) -> None:
    wire.order("dynamodb.PutItem", refusal("AccessDeniedException", 400))
    wire.order("stepfunctions.StartExecution", Answer(200, {"executionArn": f"{ARN}-sends", "startDate": NOW}))
    said = operate("approve", "--run-id", holding.run_id, "--yes", "--json")
    assert (said.code, said.json["status"]) == (1, "failed")
    assert [(each["client_id"], each["error"]) for each in said.json["refused"]] == [("acme", "StoreRefused")]
    assert "acme is not approved: StoreRefused" in said.err
    assert [each["client_ids"] for each in started(wire)] == [["globex"]]


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (["--run-id", "r", "--client-id", "acme"], "--run-id"),
        (["--run-id", "r", "--sha256", "aaaa"], "--run-id"),
        (["--client-id", "acme"], "--period"),
        (["--period", "2026-10"], "--client-id"),
        ([], "--client-id"),
        (["--run-id", "nowhere"], "--run-id"),
    ],
    ids=str,
)
def test_an_approval_of_nothing_that_can_be_found_is_wrong_input(
    arguments: list[str], field: str, operate: Any, wire: Wire
) -> None:
    said = operate("approve", *arguments, "--yes", "--json")
    assert (said.code, said.json["message"].startswith(f"{field}:"), started(wire)) == (2, True, [])
    assert said.json["remedy"]


@pytest.mark.parametrize("to", ["a@evil-consultancy.example", "a@consultancy.example.evil.example", "a@evil.example"])
def test_a_test_to_a_foreign_domain_is_refused_before_anything_is_started(
    to: str, operate: Any, wire: Wire, run: Any
) -> None:
    said = operate("test", "--client-id", "acme", "--to", to, "--json")
    assert (said.code, said.json["error"]) == (2, "WrongInput")
    assert said.json["message"].startswith("--to: ")
    assert "TestRecipientDomains" in said.json["message"]
    assert to not in said.out + said.err
    assert started(wire) == []


def test_a_test_while_an_approval_is_due_goes_to_the_operators_and_asks_nobody(
    operate: Any, wire: Wire, world: World, run: Any
) -> None:
    asked = operate("test", "--client-id", "acme")
    assert (asked.code, "own recipients" in asked.err) == (2, True)
    world.add(a_client(client_id="acme", approve_first=1))
    wire.order("stepfunctions.StartExecution", Answer(200, {"executionArn": ARN, "startDate": NOW}))
    said = operate("test", "--client-id", "acme")
    assert (said.code, "goes to the operators only" in said.err) == (0, True)
    (planned,) = operate("test", "--client-id", "acme", "--dry-run", "--json").json["runs"]
    assert (planned["mails"], planned["clients"][0]["to_operators"]) == (1, True)


def test_a_backfill_names_nobody_and_says_who_is_left_out(operate: Any, wire: Wire, world: World, run: Any) -> None:
    world.add(a_client(client_id="acme", status="suspended"))
    asked = ("backfill", "--client-id", "acme", "--client-id", "globex", "--from", "2026-08", "--to", "2026-08")
    (planned,) = operate(*asked, "--dry-run", "--json").json["runs"]
    assert planned["input"]["rerun_of"] == "backfill-2026-08-2026-08"
    assert [(each["client_id"], each.get("error")) for each in planned["clients"]] == [
        ("acme", "ClientSuspended"), ("globex", None)
    ]  # fmt: skip
    assert planned["mails"] == 1
    unknown = operate("backfill", "--client-id", "nobody", "--from", "2026-08", "--to", "2026-08", "--yes", "--json")
    assert (unknown.code, unknown.json["message"]) == (2, "--client-id: no such client: nobody")


def test_a_rerun_names_nobody_and_says_that_a_client_suspended_since_is_left_out(
    operate: Any, wire: Wire, world: World, run: Any
) -> None:
    world.add(a_client(client_id="globex", status="suspended"))
    wire.order("stepfunctions.DescribeExecution", INCOMPLETE)
    said = operate("rerun", "--run-id", run.run_id, "--fresh", "--dry-run", "--json")
    assert said.code == 0, said.err
    (planned,) = said.json["runs"]
    assert planned["input"]["rerun_of"] == run.run_id
    (client,) = planned["clients"]
    assert (client["client_id"], client["error"]) == ("globex", "ClientSuspended")


# -- what is asked again ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"issue": "preliminary", "nominal_at": datetime(2026, 11, 3, 6, tzinfo=UTC)},
        {"mode": "dry_run"},
        {"mode": "test"},
        {"refresh": True},
    ],
)
def test_a_run_that_is_asked_for_again_means_the_same(changes: dict[str, Any], environment: None) -> None:
    run = a_run(**changes)
    late = NOW + timedelta(days=60)
    asked = RunAsked(request=again(run, ["acme"]), execution_id="again", started_at=late)
    meant = what_is_asked(asked, wiring.settings().zone)[1]
    assert meant.model_copy(update={"run_id": run.run_id}) == run.model_copy(update={"rerun_of": run.run_id})


def test_a_test_that_is_asked_for_again_goes_to_the_same_recipients(environment: None) -> None:
    to = ["me@consultancy.example"]
    assert again(a_run(mode="test"), ["acme"], to)["recipients"] == to
    assert "recipients" not in again(a_run(mode="test"), ["acme"])


def test_a_run_that_forced_mails_is_not_started_anew_since_some_have_theirs() -> None:
    with pytest.raises(InvalidRequest, match="use resend"):
        again(a_run(force_send={"reason": "lost"}), ["acme"])


def test_an_execution_that_is_no_run_means_none(environment: None) -> None:
    health = Execution(arn=ARN, name="one", status="SUCCEEDED", started_at=NOW, input={"test": True})
    assert run_of(health, wiring.settings().zone) is None


@pytest.mark.parametrize("period", ["2026-10", "2026-02", "2026-W01", "2026-W44", "2026-W53"])
@pytest.mark.parametrize("issue", ["preliminary", "final"])
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago", "Europe/Berlin"])
def test_the_moment_of_an_issue_means_that_issue_of_that_period_in_every_zone(
    period: str, issue: Any, zone: str
) -> None:
    from zoneinfo import ZoneInfo

    covered = parse(period)
    moment = moment_of(covered, issue)
    assert issue_at(covered, moment) == ("preliminary" if "W" in period else issue)
    request = {
        "cadence": "weekly" if "W" in period else "monthly",
        "period": period,
        "scheduled_at": moment.isoformat(),
    }
    asked = RunAsked(request=request, execution_id="one", started_at=moment)
    assert what_is_asked(asked, ZoneInfo(zone))[1].period == covered


def test_periods_between_two_are_all_of_them_in_order_across_a_year() -> None:
    assert [label(each) for each in between(parse("2025-11"), parse("2026-02"), "monthly")] == [
        "2025-11", "2025-12", "2026-01", "2026-02"
    ]  # fmt: skip
    assert [label(each) for each in between(parse("2026-W52"), parse("2027-W01"), "weekly")] == [
        "2026-W52", "2026-W53", "2027-W01"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        ("2026-06", "2026-01", "to: 2026-01 lies before 2026-06"),
        ("2026-06", "2026-W30", "to: 2026-W30 is a weekly period"),
        ("2025-10", "2026-09", "from: 2025-10: .*keeps nothing before 2025-10-01: 13 months"),
        ("June", "2026-09", "period: 'June' is neither"),
    ],
)
def test_a_backfill_that_cannot_be_is_refused_whole(first: str, last: str, said: str) -> None:
    with pytest.raises(InvalidRequest, match=f"^{said}"):
        periods_of(first, last, cadence=None, at=NOW)


def test_the_first_period_that_cost_explorer_still_compares_is_not_refused() -> None:
    assert len(periods_of("2025-11", "2026-10", cadence="monthly", at=NOW)[0]) == 12
