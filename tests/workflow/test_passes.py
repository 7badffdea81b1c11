"""The passes of a run: late clients, redrives, double starts, restarts, and executions of the definition before."""

import json
import re
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cost_reporting.clients import RoleAccess
from cost_reporting.periods import parse
from cost_reporting.store.runs import RunStore
from local.world import twelve
from tests.workflow.machine import Execution, Machine

CLIENTS = {client.client_id: client for client in twelve()}
BEFORE = Path(__file__).with_name("definition_before.asl.json")
"""The definition of the version before: its executions may be redriven for 14 days after they have ended."""
STRAIGHT = ["Health Check?", "List Clients", "Clients Remaining?", "For Each Client", "Settle Run"]
LOOK = ["Clients Remaining?", "Wait for Figures", "For Each Client", "Settle Run"]
REDRIVE = ["Settle Run", "Clients Remaining?", "For Each Client", "Settle Run"]
DONE = ["Clients Remaining?", "Run Complete"]


def request(period: str, *client_ids: str, **more: object) -> dict[str, object]:
    return {"cadence": "weekly", "period": period, "client_ids": list(client_ids), **more}


def late(machine: Machine, client_id: str, looks: int) -> None:
    """So many looks at the client find no figures. Each asks one question, which is refused."""
    access = CLIENTS[client_id].access
    assert isinstance(access, RoleAccess)
    machine.stack.emulator.late(access.role_arn.split(":")[4], looks)


def tries(execution: Execution) -> dict[str, list[int]]:
    """The tries of tasks in each child, by client, in the order of passes."""
    found: dict[str, list[int]] = {}
    for child in execution.children:
        client_id = json.loads(child.given)["client_id"]
        found.setdefault(client_id, []).append(child.tries())
    return found


def mails_of(machine: Machine, period: str) -> Counter[str]:
    """How many mails each recipient has got about a period."""
    return Counter(mail["To"].addresses[0].addr_spec for mail in machine.mails(period=period))


def one_each(*client_ids: str) -> Counter[str]:
    return Counter(to for client_id in client_ids for to in CLIENTS[client_id].recipients)


def entered(machine: Machine, arn: str, state: str) -> None:
    """Wait until an execution is in a state."""
    states, deadline = machine.client("stepfunctions"), time.monotonic() + 60
    while time.monotonic() < deadline:
        history = states.get_execution_history(executionArn=arn)["events"]
        if any(event.get("stateEnteredEventDetails", {}).get("name") == state for event in history):
            return
        time.sleep(0.05)
    raise AssertionError(f"{arn} did not come to {state}")


# -- late clients -----------------------------------------------------------------------------------------------------


def test_a_run_without_late_clients_takes_the_straight_path(machine: Machine) -> None:
    run = machine.run(request(machine.a_week("tiny-bakery", "euro-logistik"), "tiny-bakery", "euro-logistik"))
    assert (run.status, run.path()) == ("SUCCEEDED", STRAIGHT + DONE)
    assert tries(run) == {"euro-logistik": [4], "tiny-bakery": [4]}


def test_a_late_client_is_looked_at_again_and_holds_no_other_back(machine: Machine) -> None:
    week = machine.a_week()
    late(machine, "euro-logistik", 1)
    run = machine.run(request(week, "euro-logistik", "tiny-bakery"))
    assert (run.status, run.said) == ("SUCCEEDED", "")
    assert run.path() == [*STRAIGHT, *LOOK, *DONE]
    assert tries(run) == {"euro-logistik": [2, 4], "tiny-bakery": [4]}
    assert {each.status for each in machine.outcomes(run).values()} == {"SENT"}
    assert mails_of(machine, week) == one_each("euro-logistik", "tiny-bakery")
    assert (run.output["client_count"], run.output["sent"], run.output["pass_number"]) == (2, 2, 2)


def test_a_client_that_is_late_for_good_fails_by_name_after_the_last_look_and_a_redrive_looks_at_once(
    machine: Machine,
) -> None:
    week = machine.a_week()
    late(machine, "euro-logistik", 4)
    run = machine.run(request(week, "euro-logistik", "tiny-bakery"))
    assert (run.status, run.error) == ("FAILED", "RunIncomplete")
    assert run.said.startswith("1 of 2 clients have no report.\neuro-logistik: CostsNotReady at Fetch Costs: ")
    assert run.path() == STRAIGHT + LOOK + LOOK
    assert mails_of(machine, week) == one_each("tiny-bakery")
    again = machine.redrive(run)
    assert (again.status, again.error) == ("FAILED", "RunIncomplete")
    assert again.path() == STRAIGHT + LOOK + LOOK + REDRIVE, "no wait: an operator has asked"
    well = machine.redrive(again)
    assert (well.status, well.said) == ("SUCCEEDED", "")
    assert well.path() == STRAIGHT + LOOK + LOOK + REDRIVE + REDRIVE + DONE
    assert tries(well) == {"euro-logistik": [2, 2, 2, 2, 4], "tiny-bakery": [4]}
    assert mails_of(machine, week) == one_each("euro-logistik", "tiny-bakery")
    shown = machine.client("stepfunctions").describe_execution(executionArn=run.arn)
    assert shown["redriveCount"] == 2


def test_a_client_that_is_denied_is_recorded_at_once_and_named_when_the_late_ones_are_done(machine: Machine) -> None:
    late(machine, "euro-logistik", 1)
    arn = machine.start(request(machine.a_week("euro-logistik", "denied-corp"), "euro-logistik", "denied-corp"))
    entered(machine, arn, "Wait for Figures")
    waiting = machine.client("stepfunctions").describe_execution(executionArn=arn)
    runs = RunStore(machine.stack.names.outcomes_table)
    run_id = json.loads(
        machine.client("stepfunctions").get_execution_history(executionArn=arn)["events"][-1][
            "stateEnteredEventDetails"
        ]["input"]
    )["run"]["run_id"]
    assert waiting["status"] == "RUNNING"
    assert {client_id: each.status for client_id, each in runs.outcomes(run_id).items()} == {
        "denied-corp": "FAILED",
        "euro-logistik": "LATE",
    }
    run = machine.wait(arn)
    assert run.said.startswith("1 of 2 clients have no report.\ndenied-corp: ClientAccessDenied")


def test_a_client_that_is_removed_while_the_run_waits_is_left_out_and_the_run_ends_well(machine: Machine) -> None:
    week, removed = machine.a_week(), CLIENTS["euro-logistik"]
    late(machine, removed.client_id, 1)
    arn = machine.start(request(week, removed.client_id, "tiny-bakery"))
    entered(machine, arn, "Wait for Figures")
    table = machine.client("dynamodb")
    key = {"client_id": {"S": removed.client_id}}
    table.delete_item(TableName=machine.stack.names.clients_table, Key=key)
    try:
        run = machine.wait(arn)
    finally:
        machine.put(removed)
    assert (run.status, run.output["removed"], run.output["sent"]) == ("SUCCEEDED", 1, 1)
    assert machine.outcomes(run)[removed.client_id].status == "REMOVED"
    assert mails_of(machine, week) == one_each("tiny-bakery")


def test_a_run_that_is_aborted_while_it_waits_goes_on_when_it_is_redriven(machine: Machine) -> None:
    week, states = machine.a_week(), machine.client("stepfunctions")
    late(machine, "euro-logistik", 1)
    arn = machine.start(request(week, "euro-logistik", "tiny-bakery"))
    entered(machine, arn, "Wait for Figures")
    states.stop_execution(executionArn=arn)
    run = machine.redrive(machine.wait(arn))
    assert (run.status, run.said) == ("SUCCEEDED", "")
    assert run.path().count("Wait for Figures") == 2
    assert mails_of(machine, week) == one_each("euro-logistik", "tiny-bakery")


def test_the_stack_s_number_of_clients_at_once_reaches_the_map(machine: Machine) -> None:
    run = machine.run(request(machine.a_week("tiny-bakery"), "tiny-bakery"))
    assert machine.input_of(run, "For Each Client")["concurrent_clients"] == 5
    (map_run,) = machine.client("stepfunctions").list_map_runs(executionArn=run.arn)["mapRuns"]
    shown = machine.client("stepfunctions").describe_map_run(mapRunArn=map_run["mapRunArn"])
    assert shown["maxConcurrency"] == 5


def test_executions_that_are_redriven_at_once_each_go_on(machine: Machine) -> None:
    failed = [machine.run(request(machine.a_week("denied-corp"), "denied-corp")) for _ in range(2)]
    with ThreadPoolExecutor(2) as at_once:
        again = list(at_once.map(machine.redrive, failed))
    assert [(each.status, each.error) for each in again] == [("FAILED", "RunIncomplete")] * 2
    assert [each.path() for each in again] == [STRAIGHT + REDRIVE] * 2


# -- a repeated call is no redrive ------------------------------------------------------------------------------------


def test_a_settle_run_whose_answer_was_lost_says_the_same_again_and_starts_no_pass(machine: Machine) -> None:
    failed = machine.run(request(machine.a_week("denied-corp", "tiny-bakery"), "denied-corp", "tiny-bakery"))
    settled = machine.input_of(failed, "Settle Run")
    again = machine.run(settled, machine=machine.starting_at("Settle Run"))
    assert (again.error, again.said) == ("RunIncomplete", failed.said)
    assert (again.path(), again.children) == (["Settle Run"], ())


def test_a_client_lost_from_the_worklist_never_lets_the_run_succeed_and_gets_its_report_by_a_redrive(
    machine: Machine,
) -> None:
    """The line is lost between List Clients and the map: nobody works on the client."""
    week = machine.a_week()
    definition = json.loads(machine.definition)
    definition["States"]["List Clients"]["Next"] = "Lose a Line"
    definition["States"]["Lose a Line"] = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": a_function(machine, LOSES_A_LINE), "Payload.$": "$"},
        "OutputPath": "$.Payload",
        "Next": "Clients Remaining?",
    }
    run = machine.run(request(week, "euro-logistik", "tiny-bakery"), machine=machine.machine_of(definition))
    assert (run.status, run.error) == ("FAILED", "RunIncomplete")
    assert "tiny-bakery: NoOutcome" in run.said
    assert "missing from it: tiny-bakery" in run.said
    well = machine.redrive(run)
    assert (well.status, well.said) == ("SUCCEEDED", "")
    assert mails_of(machine, week) == one_each("euro-logistik", "tiny-bakery")


# -- started twice ----------------------------------------------------------------------------------------------------


def scheduled(machine: Machine, *, active: tuple[str, ...]) -> tuple[dict[str, Any], str]:
    """A schedule's input for a moment of its own, and the week that it is about, with these clients alone active."""
    week = machine.a_week()
    moment = datetime.combine(parse(week).end, datetime.min.time(), UTC) + timedelta(days=1, hours=6)
    for client in CLIENTS.values():
        wanted = {"status": "active" if client.client_id in active else "suspended", "cadences": ("weekly", "monthly")}
        machine.put(client.model_copy(update=wanted))
    return {"cadence": "weekly", "scheduled_at": moment.isoformat()}, week


@pytest.fixture
def the_world_as_it_was(machine: Machine) -> Any:
    yield
    for client in CLIENTS.values():
        machine.put(client)


THREE = ("euro-logistik", "tiny-bakery", "tokyo-data")


def costs_stored(machine: Machine, week: str) -> dict[str, int]:
    """How often each client's answers were asked for, which is how often they were paid."""
    s3, paid = machine.client("s3"), {}
    for client_id in THREE:
        prefix = f"reports/{client_id}/weekly/{week}/"
        versions = s3.list_object_versions(Bucket=machine.bucket, Prefix=prefix).get("Versions", [])
        paid[client_id] = sum("/answers-" in each["Key"] for each in versions)
    return paid


@pytest.mark.usefixtures("the_world_as_it_was")
def test_three_equal_starts_of_a_schedule_all_end_well_mail_once_and_pay_once(machine: Machine) -> None:
    asked, week = scheduled(machine, active=THREE)
    with ThreadPoolExecutor(3) as at_once:
        arns = list(at_once.map(machine.start, [asked] * 3))
    ended = [machine.wait(arn) for arn in arns]
    assert [(each.status, each.said) for each in ended] == [("SUCCEEDED", "")] * 3
    doubles = [each for each in ended if "double_of" in each.output]
    (worked,) = [each for each in ended if "double_of" not in each.output]
    assert worked.output["sent"] == 3
    assert [each.path()[-1] for each in doubles] == ["Started Twice"] * 2
    assert {each.output["double_of"] for each in doubles} == {worked.arn}
    assert [each.children for each in doubles] == [(), ()]
    assert mails_of(machine, week) == one_each(*THREE)
    assert costs_stored(machine, week) == dict.fromkeys(THREE, 1)


@pytest.mark.usefixtures("the_world_as_it_was")
def test_a_second_start_while_the_first_waits_for_figures_is_a_double_and_afterwards_it_works(
    machine: Machine,
) -> None:
    asked, week = scheduled(machine, active=THREE[:2])
    late(machine, "euro-logistik", 3)
    first = machine.start(asked)
    entered(machine, first, "Wait for Figures")
    second = machine.run(asked)
    assert (second.status, second.output["double_of"]) == ("SUCCEEDED", first)
    assert second.path() == ["Health Check?", "List Clients", "Clients Remaining?", "Started Twice"]
    failed = machine.wait(first)
    assert failed.error == "RunIncomplete"
    third = machine.run(asked)
    assert (third.status, third.said) == ("SUCCEEDED", "")
    assert (third.output["client_count"], third.output["sent"]) == (1, 1)
    assert mails_of(machine, week) == one_each("euro-logistik", "tiny-bakery")


# -- a killed render, a replaced document -----------------------------------------------------------------------------

LOSES_A_LINE = """
import boto3
def handler(event, context):
    s3, bucket, key = boto3.client("s3"), "{bucket}", event["worklist"]["key"]
    lines = s3.get_object(Bucket=bucket, Key=key)["Body"].read().splitlines(keepends=True)
    s3.put_object(Bucket=bucket, Key=key, Body=b"".join(lines[:-1]))
    return event
"""
DIES = """
import os
def handler(event, context):
    os._exit(1)
"""
STALE_ONCE = """
import boto3, json
class StaleDocument(Exception): pass
def handler(event, context):
    if {always} or not event["restarted"]:
        raise StaleDocument("get costs.json: other bytes are there than were stored")
    answer = boto3.client("lambda").invoke(FunctionName="cost-reporting-render-pdf", Payload=json.dumps(event))
    return json.loads(answer["Payload"].read())
"""


def a_function(machine: Machine, source: str) -> str:
    """A function of a test's own, which may do anything."""
    import io
    import zipfile

    name, iam, functions = f"of-a-test-{time.monotonic_ns()}", machine.client("iam"), machine.client("lambda")
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
    role = iam.create_role(
        RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )
    allowed = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=json.dumps(allowed))
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as entries:
        entries.writestr("app.py", source.replace("{bucket}", machine.bucket))
    functions.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Handler="app.handler",
        Role=role["Role"]["Arn"],
        Code={"ZipFile": archive.getvalue()},
        Timeout=60,
    )
    functions.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.1})
    return name


def rendering_by(machine: Machine, **functions: str) -> str:
    """A machine whose states, named so, call other functions."""
    definition = json.loads(machine.definition)
    child = definition["States"]["For Each Client"]["ItemProcessor"]["States"]
    for state, function in functions.items():
        child[state.replace("_", " ")]["Parameters"]["FunctionName"] = function
    return machine.machine_of(definition)


def test_a_render_that_is_killed_is_tried_again_without_the_logo_and_the_outcome_says_so(machine: Machine) -> None:
    week = machine.a_week()
    killing = rendering_by(machine, Render_PDF=a_function(machine, DIES))
    run = machine.run(request(week, "tiny-bakery"), machine=killing)
    assert (run.status, run.said) == ("SUCCEEDED", "")
    outcome = machine.outcomes(run)["tiny-bakery"]
    assert outcome.status == "SENT"
    assert "without the client's logo" in (outcome.message or "")
    assert tries(run) == {"tiny-bakery": [5]}
    assert mails_of(machine, week) == one_each("tiny-bakery")


def test_a_render_that_is_killed_without_the_logo_as_well_fails_by_name_and_is_tried_no_third_time(
    machine: Machine,
) -> None:
    dies = a_function(machine, DIES)
    killing = rendering_by(machine, Render_PDF=dies, Render_Without_Logo=dies)
    run = machine.run(request(machine.a_week("tiny-bakery"), "tiny-bakery"), machine=killing)
    assert run.error == "RunIncomplete"
    assert "tiny-bakery: Runtime.ExitError at Render PDF" in run.said
    assert tries(run) == {"tiny-bakery": [4]}


def test_a_document_that_was_replaced_restarts_the_client_once(machine: Machine) -> None:
    week = machine.a_week()
    stale = rendering_by(machine, Render_PDF=a_function(machine, STALE_ONCE.replace("{always}", "False")))
    run = machine.run(request(week, "tiny-bakery"), machine=stale)
    assert (run.status, run.said) == ("SUCCEEDED", "")
    assert tries(run) == {"tiny-bakery": [6]}
    assert mails_of(machine, week) == one_each("tiny-bakery")


def test_a_document_that_is_replaced_each_time_fails_by_name_and_the_client_is_not_restarted_for_ever(
    machine: Machine,
) -> None:
    stale = rendering_by(machine, Render_PDF=a_function(machine, STALE_ONCE.replace("{always}", "True")))
    run = machine.run(request(machine.a_week("tiny-bakery"), "tiny-bakery"), machine=stale)
    assert run.error == "RunIncomplete"
    assert "tiny-bakery: StaleDocument at Render PDF" in run.said
    assert tries(run) == {"tiny-bakery": [5]}


# -- the definition before --------------------------------------------------------------------------------------------


def the_machine_before(machine: Machine) -> str:
    """A machine of the former definition, with the functions of today."""
    prefix = re.search(r'"(arn:[^"]*:function:)', machine.definition)
    assert prefix is not None
    text = BEFORE.read_text().replace("${BucketName}", machine.bucket)
    for name in re.findall(r"\$\{(\w+)FunctionArn\}", text):
        kebab = re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()
        text = text.replace(f"${{{name}FunctionArn}}", f"{prefix[1]}cost-reporting-{kebab}")
    return machine.machine_of(json.loads(text))


def test_an_execution_of_the_definition_before_works_with_the_functions_of_today_and_is_redriven(
    machine: Machine,
) -> None:
    week, silent = machine.a_week(), CLIENTS["silent-partners"]
    before = the_machine_before(machine)
    run = machine.run(request(week, "silent-partners", "tiny-bakery"), machine=before)
    assert (run.status, run.error) == ("FAILED", "RunIncomplete")
    assert run.path() == ["What Is Asked?", "List Clients", "Anyone Left?", "For Each Client", "Settle Run"]
    still = machine.redrive(run)
    assert (still.status, still.error) == ("FAILED", "RunIncomplete")
    machine.put(silent.model_copy(update={"recipients": ("finance@silent-partners.example",)}))
    try:
        well = machine.redrive(still)
    finally:
        machine.put(silent)
    assert (well.status, well.said) == ("SUCCEEDED", "")
    assert tries(well) == {"silent-partners": [2, 2, 4], "tiny-bakery": [4]}
    assert mails_of(machine, week) == one_each("tiny-bakery") + Counter(["finance@silent-partners.example"])
