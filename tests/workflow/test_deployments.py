"""The life of a deployment: made, upgraded over data, removed, taken back; one that fails, and two side by side.

What is deployed are the built artefacts, by `sam deploy` as on AWS. Nothing here is the shared stack.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import boto3
import pytest
import yaml

from local import deployment, evidence, process
from local.process import ROOT, Emulator, NotPossible
from local.stack import Stack
from local.world import Names, World, twelve
from tests.workflow.machine import Machine

CLIENTS = {client.client_id: client for client in twelve()}
SENT = ("tiny-bakery", "euro-logistik")
FAILED = "denied-corp"
ACCOUNT, REGION = deployment.ACCOUNT, deployment.REGION
SECOND = {"Prefix": "second", "AlarmPrefix": "Second"}
REQUEST = {"cadence": "monthly", "client_ids": [*SENT, FAILED]}
OLD_BUCKET = f"cost-reporting-assets-{ACCOUNT}"
BUCKETS = (OLD_BUCKET, f"cost-reporting-access-log-{ACCOUNT}")


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """An account in which nothing is deployed."""
    folder = tmp_path_factory.mktemp("deployments") / "local"
    deployment.build()
    emulator = process.start(folder, attached=True)
    unwanted = ("AWS_PROFILE", "AWS_SESSION_TOKEN")
    kept = {name: value for name, value in os.environ.items() if name not in unwanted}
    ours = Stack(emulator, Names("", "", "", "", "", "", "")).variables()
    session = boto3.DEFAULT_SESSION
    try:
        with mock.patch.dict(os.environ, kept | ours, clear=True):
            boto3.setup_default_session()
            yield emulator
    finally:
        boto3.DEFAULT_SESSION = session
        process.stop(folder)


@pytest.fixture(scope="module")
def artefacts(emulator: Emulator) -> Path:
    """The template with the built artefacts, uploaded once."""
    return deployment.package(emulator)


def client(emulator: Emulator, service: str) -> Any:
    return deployment.session().client(service, endpoint_url=emulator.endpoint)


def deployed(emulator: Emulator, stack: str = deployment.STACK) -> Machine:
    return Machine(Stack(emulator, Names.of(deployment.outputs(emulator, stack=stack))))


def status(emulator: Emulator, stack: str = deployment.STACK) -> str:
    (found,) = client(emulator, "cloudformation").describe_stacks(StackName=stack)["Stacks"]
    return str(found["StackStatus"])


def reasons(emulator: Emulator, stack: str = deployment.STACK) -> str:
    """Why resources of the stack failed."""
    events = client(emulator, "cloudformation").describe_stack_events(StackName=stack)["StackEvents"]
    return "\n".join(each.get("ResourceStatusReason", "") for each in events if "FAILED" in each["ResourceStatus"])


def tables(emulator: Emulator) -> list[str]:
    return sorted(client(emulator, "dynamodb").list_tables()["TableNames"])


def buckets(emulator: Emulator) -> list[str]:
    found = client(emulator, "s3").list_buckets()["Buckets"]
    return sorted(each["Name"] for each in found if each["Name"] != deployment.ARTIFACTS)


def stored(emulator: Emulator, names: Names) -> dict[str, Any]:
    """All that is kept: each item of both tables, and each version of each object."""
    dynamodb, s3 = client(emulator, "dynamodb"), client(emulator, "s3")
    items = {
        table: sorted(
            json.dumps(item, sort_keys=True, default=str)
            for page in dynamodb.get_paginator("scan").paginate(TableName=table)
            for item in page["Items"]
        )
        for table in (names.clients_table, names.outcomes_table)
    }
    versions = sorted(
        (version["Key"], version["VersionId"])
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=names.bucket)
        for version in page.get("Versions", [])
    )
    assert all(items.values())
    assert versions
    return {**items, names.bucket: versions}


def gone(before: dict[str, Any], after: dict[str, Any]) -> list[Any]:
    """What was stored before and is not any more."""
    return [each for place, all_of in before.items() for each in all_of if each not in after[place]]


def as_before(artefacts: Path) -> Path:
    """The template as it was before BucketName could be auto: what a living deployment may have been made from."""
    template = yaml.safe_load(artefacts.read_text(encoding="utf-8"))
    resources, bucket = template["Resources"], template["Parameters"]["BucketName"]
    bucket["Default"] = ""
    del bucket["AllowedPattern"]
    template["Conditions"]["NameBucketByRegion"] = {"Fn::Equals": [{"Ref": "BucketName"}, ""]}
    del resources["NamesGuard"]
    for name in ("ClientsTable", "OutcomesTable", "Bucket", "AccessLog"):
        resources[name]["DeletionPolicy"] = "Retain"
        del resources[name]["DependsOn"]
    names = {"Bucket": "${Prefix}-assets-${AWS::AccountId}", "AccessLog": "${Prefix}-access-log-${AWS::AccountId}"}
    for name, called in names.items():
        resources[name]["Properties"]["BucketName"] = {"Fn::Sub": called}
    written = artefacts.with_name("before.yaml")
    written.write_text(yaml.safe_dump(template, sort_keys=False), encoding="utf-8")
    return written


def adopt(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "adopt.py"), "--output-dir", str(folder), *arguments],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_from_an_upgrade_over_data_to_a_stack_that_takes_back_what_another_has_kept_nothing_is_lost(
    emulator: Emulator, artefacts: Path, tmp_path: Path
) -> None:
    # A deployment of before, with a month of reports.
    deployment.deploy_stack(emulator, as_before(artefacts))
    machine = deployed(emulator)
    assert machine.stack.names.bucket == OLD_BUCKET
    World(twelve()).load(emulator.endpoint, machine.stack.names)
    assert machine.run(REQUEST).error == "RunIncomplete"
    mails = len(evidence.sent(machine.stack.mail))
    for client_id in SENT:
        machine.settled_ledger(client_id, "")
    upgraded(emulator, artefacts, machine.stack.names)
    before = removed(emulator, artefacts, machine.stack.names)
    taken_back(emulator, artefacts, machine.stack.names, tmp_path / "adopt")
    assert stored(emulator, machine.stack.names) == before

    # It is the same deployment: it knows its clients, and whom it has mailed.
    again = machine.run(REQUEST)
    assert again.error == "RunIncomplete"
    assert set(machine.outcomes(again)) == {FAILED}
    assert len(evidence.sent(machine.stack.mail)) == mails
    assert gone(before, stored(emulator, machine.stack.names)) == []


def upgraded(emulator: Emulator, artefacts: Path, names: Names) -> None:
    """The stack has today's template, and what was stored; what would have begun with nothing was refused."""
    before = stored(emulator, names)
    with pytest.raises(NotPossible, match=r"BucketName.*has to name the bucket"):
        deployment.deploy_stack(emulator, artefacts)
    assert (status(emulator), stored(emulator, names)) == ("CREATE_COMPLETE", before)

    deployment.deploy_stack(emulator, artefacts, {"BucketName": OLD_BUCKET, "LogRetentionDays": "30"})
    assert deployed(emulator).stack.names == names
    assert gone(before, stored(emulator, names)) == []

    with pytest.raises(NotPossible, match="UPDATE_ROLLBACK_COMPLETE"):
        deployment.deploy_stack(emulator, artefacts, {"Prefix": "renamed"})
    assert "cost-reporting-names-must-not-change" in reasons(emulator)
    assert (status(emulator), deployed(emulator).stack.names) == ("UPDATE_ROLLBACK_COMPLETE", names)
    assert not [each for each in (*tables(emulator), *buckets(emulator)) if each.startswith("renamed")]
    assert gone(before, stored(emulator, names)) == []


def removed(emulator: Emulator, artefacts: Path, names: Names) -> dict[str, Any]:
    """What is kept is there, and nothing else. A first deployment on top of it fails, and leaves it alone."""
    before = stored(emulator, names)
    deployment.delete_stack(emulator)
    assert (tables(emulator), buckets(emulator)) == ([names.clients_table, names.outcomes_table], sorted(BUCKETS))
    assert client(emulator, "lambda").list_functions()["Functions"] == []
    assert client(emulator, "logs").describe_log_groups()["logGroups"] == []
    assert client(emulator, "scheduler").list_schedules()["Schedules"] == []

    with pytest.raises(NotPossible):
        deployment.deploy_stack(emulator, artefacts, {"BucketName": OLD_BUCKET})
    assert status(emulator) == "ROLLBACK_COMPLETE"
    assert "exist" in reasons(emulator)
    assert stored(emulator, names) == before
    deployment.delete_stack(emulator)
    return before


def taken_back(emulator: Emulator, artefacts: Path, names: Names, folder: Path) -> None:
    """As docs/RUNBOOKS.md has it: what is missing is named, the rest is imported, and then the template is deployed."""
    refused = adopt(folder)
    assert (refused.returncode, f"{OLD_BUCKET}-{REGION} (Bucket)" in refused.stderr) == (1, True), refused.stderr
    assert not folder.exists()
    done = adopt(folder, "--bucket-name", OLD_BUCKET, "--json")
    assert done.returncode == 0, done.stderr
    found = [each["name"] for each in json.loads(done.stdout)["resources"]]
    assert found == [names.clients_table, names.outcomes_table, *BUCKETS]

    formation = client(emulator, "cloudformation")
    formation.create_change_set(
        StackName=deployment.STACK,
        ChangeSetName="take-back",
        ChangeSetType="IMPORT",
        TemplateBody=(folder / "template.json").read_text(),
        ResourcesToImport=json.loads((folder / "resources.json").read_text()),
    )
    shown = formation.describe_change_set(StackName=deployment.STACK, ChangeSetName="take-back")
    assert [each["ResourceChange"]["Action"] for each in shown["Changes"]] == ["Import"] * 4, shown
    formation.execute_change_set(StackName=deployment.STACK, ChangeSetName="take-back")
    formation.get_waiter("stack_import_complete").wait(StackName=deployment.STACK, WaiterConfig={"Delay": 1})
    answers = deployment.default_parameters() | {"BucketName": OLD_BUCKET, "LogRetentionDays": "30"}
    deployment.deploy_stack(emulator, artefacts, answers)
    assert (status(emulator), deployed(emulator).stack.names) == ("UPDATE_COMPLETE", names)


def test_a_first_deployment_that_fails_leaves_nothing_that_the_next_one_stumbles_over(
    emulator: Emulator, artefacts: Path
) -> None:
    logs = client(emulator, "logs")
    before = tables(emulator), buckets(emulator)
    logs.create_log_group(logGroupName="/aws/lambda/second-lambda")
    with pytest.raises(NotPossible):
        deployment.deploy_stack(emulator, artefacts, SECOND, stack="second")
    assert status(emulator, "second") == "ROLLBACK_COMPLETE"
    assert "/aws/lambda/second-lambda" in reasons(emulator, "second")
    assert (tables(emulator), buckets(emulator)) == before
    logs.delete_log_group(logGroupName="/aws/lambda/second-lambda")
    deployment.delete_stack(emulator, stack="second")
    deployment.deploy_stack(emulator, artefacts, SECOND, stack="second")
    assert status(emulator, "second") == "CREATE_COMPLETE"


def physical(emulator: Emulator, stack: str) -> set[tuple[str, str]]:
    """The type and name of every resource of a stack."""
    pages = client(emulator, "cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    return {
        (each["ResourceType"], each["PhysicalResourceId"]) for page in pages for each in page["StackResourceSummaries"]
    }


def metrics(emulator: Emulator, namespace: str) -> dict[str, float]:
    """What was counted today, without dimensions."""
    cloudwatch, now = client(emulator, "cloudwatch"), datetime.now(UTC)
    names = {each["MetricName"] for each in cloudwatch.list_metrics(Namespace=namespace)["Metrics"]}
    sums = {}
    for name in names & {"ReportsSent", "ClientsProcessed", "ClientsFailed"}:
        points = cloudwatch.get_metric_statistics(
            Namespace=namespace, MetricName=name, Statistics=["Sum"], Period=86400,
            StartTime=now - timedelta(days=1), EndTime=now + timedelta(days=1),
        )["Datapoints"]  # fmt: skip
        sums[name] = sum(point["Sum"] for point in points)
    return sums


def test_two_stacks_in_one_account_share_nothing(emulator: Emulator) -> None:
    first, second = deployed(emulator), deployed(emulator, "second")
    here, there = physical(emulator, deployment.STACK), physical(emulator, "second")
    assert len(here) == len(there) > 80
    assert here & there == set()
    alarms = client(emulator, "cloudwatch").describe_alarms()["MetricAlarms"]
    assert len({alarm["AlarmName"] for alarm in alarms}) == len(alarms)
    for prefix, ours in (("CostReporting-", first), ("Second-", second)):
        actions = {alarm["AlarmActions"][0] for alarm in alarms if alarm["AlarmName"].startswith(prefix)}
        assert actions == {ours.stack.names.alerts_topic_arn}

    # Each runs a client of its own; they have the same id, and other recipients.
    week, counted, kept = first.a_week(), metrics(emulator, "CostReporting"), stored(emulator, first.stack.names)
    tiny = CLIENTS["tiny-bakery"]
    second.put(tiny.model_copy(update={"recipients": ("second@tiny-bakery.example",)}))
    request = {"cadence": "weekly", "period": week, "client_ids": ["tiny-bakery"]}
    there_run = second.run(request)
    assert there_run.status == "SUCCEEDED", there_run.said
    assert second.settled_ledger("tiny-bakery", week) == ["DELIVERED"]
    assert stored(emulator, first.stack.names) == kept, "the first stack's tables and bucket"
    assert metrics(emulator, "CostReporting") == counted
    assert metrics(emulator, "Second")["ReportsSent"] == 1
    here_run = first.run(request)
    assert here_run.status == "SUCCEEDED", here_run.said
    assert len(first.mails(run_id=here_run.run_id)) == len(tiny.recipients)
    (mail,) = second.mails(run_id=there_run.run_id)
    assert mail["To"] == "second@tiny-bakery.example"

    # Logs, events and configuration sets are apart.
    sets = {
        each["tags"]["run_id"]: each["tags"].get("ses:configuration-set") for each in evidence.sent(first.stack.mail)
    }
    assert (sets[here_run.run_id], sets[there_run.run_id]) in (("cost-reporting", "second"), (None, None))
    for prefix, own, other in (("cost-reporting", here_run, there_run), ("second", there_run, here_run)):
        logs = client(emulator, "logs")
        groups = [
            group["logGroupName"]
            for page in logs.get_paginator("describe_log_groups").paginate()
            for group in page["logGroups"]
            if group["logGroupName"].rpartition("/")[2].startswith(prefix)
        ]
        lines = [
            event["message"]
            for group in groups
            for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group)
            for event in page["events"]
        ]
        assert any(own.run_id in line for line in lines), prefix
        assert not any(other.run_id in line for line in lines), prefix
    schedules = client(emulator, "scheduler").list_schedules()["Schedules"]
    assert len(schedules) == 10
    for each in schedules:
        prefix = each["Name"].removesuffix("-schedule").rpartition("-")[0]
        target = each["Target"]["Arn"].rpartition(":")[2]
        assert target.startswith(prefix), each["Name"]


def state(emulator: Emulator, alarm: str) -> str:
    (found,) = client(emulator, "cloudwatch").describe_alarms(AlarmNames=[alarm])["MetricAlarms"]
    return str(found["StateValue"])


def comes_into(emulator: Emulator, alarm: str, wanted: str) -> bool:
    deadline = time.monotonic() + 20
    while state(emulator, alarm) != wanted and time.monotonic() < deadline:
        time.sleep(0.2)
    return state(emulator, alarm) == wanted


def test_no_alarm_rings_before_the_schedules_are_on_and_one_does_after_two_hours_without_a_look(
    emulator: Emulator, artefacts: Path
) -> None:
    """The last test here: CloudWatch's clock is moved on, and does not come back."""
    alarm = "Second-MissingReports"
    emulator.later(3 * 60 * 60)
    assert state(emulator, alarm) == "INSUFFICIENT_DATA", (
        "the schedules are off, so a watch that does not look is right"
    )

    # README, Deploy: look once, and switch on.
    client(emulator, "lambda").invoke(FunctionName="second-watch-deliveries", Payload=b"{}")
    assert comes_into(emulator, alarm, "OK")
    deployment.deploy_stack(emulator, artefacts, {"Schedules": "ENABLED"}, stack="second")
    states = {each["Name"]: each["State"] for each in client(emulator, "scheduler").list_schedules()["Schedules"]}
    assert {name for name, each in states.items() if each == "ENABLED"} == {
        name for name in states if name.startswith("second-")
    }
    emulator.later(60 * 60)
    assert state(emulator, alarm) == "OK", "an hour without a look is not yet a loss"
    emulator.later(2 * 60 * 60)
    assert comes_into(emulator, alarm, "ALARM")
