"""The life of a deployment: made, upgraded over data, removed, taken back; one that fails, and two side by side.

What is deployed are the built artefacts, by `sam deploy` as on AWS. Nothing here is the shared stack.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import boto3
import pytest
import yaml

from cost_reporting.store.runs import RunStore
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


def adopt(emulator: Emulator, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "adopt.py"), "--output-dir", str(folder), *arguments],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_from_an_upgrade_over_data_to_a_stack_that_takes_back_what_another_has_kept_nothing_is_lost(
    emulator: Emulator, artefacts: Path, tmp_path: Path
) -> None:
    old_bucket, formation = f"cost-reporting-assets-{ACCOUNT}", client(emulator, "cloudformation")

    # A deployment of before, with a month of reports.
    deployment.deploy_stack(emulator, as_before(artefacts))
    machine = deployed(emulator)
    names = machine.stack.names
    assert names.bucket == old_bucket
    World(twelve()).load(emulator.endpoint, names)
    request = {"cadence": "monthly", "client_ids": [*SENT, FAILED]}
    assert machine.run(request).error == "RunIncomplete"
    mails = len(evidence.sent(machine.stack.mail))
    for client_id in SENT:
        machine.settled_ledger(client_id, "")
    before = stored(emulator, names)

    # An upgrade that does not name the bucket would start with an empty one: refused, and nothing is changed.
    with pytest.raises(NotPossible, match=r"BucketName.*has to name the bucket"):
        deployment.deploy_stack(emulator, artefacts)
    assert (status(emulator), stored(emulator, names)) == ("CREATE_COMPLETE", before)

    # With its name, everything stays where it is.
    deployment.deploy_stack(emulator, artefacts, {"BucketName": old_bucket, "LogRetentionDays": "30"})
    assert deployed(emulator).stack.names == names
    assert gone(before, stored(emulator, names)) == []

    # Another Prefix would start with empty tables: CloudFormation refuses it, by a name that says why.
    with pytest.raises(NotPossible, match="UPDATE_ROLLBACK_COMPLETE"):
        deployment.deploy_stack(emulator, artefacts, {"Prefix": "renamed"})
    assert "cost-reporting-names-must-not-change" in reasons(emulator)
    assert (status(emulator), deployed(emulator).stack.names) == ("UPDATE_ROLLBACK_COMPLETE", names)
    assert not [each for each in (*tables(emulator), *buckets(emulator)) if each.startswith("renamed")]
    assert gone(before, stored(emulator, names)) == []

    # Removed: what is kept is there, and nothing else.
    before = stored(emulator, names)
    deployment.delete_stack(emulator)
    kept = [names.bucket, f"cost-reporting-access-log-{ACCOUNT}"]
    assert (tables(emulator), buckets(emulator)) == ([names.clients_table, names.outcomes_table], sorted(kept))
    assert client(emulator, "lambda").list_functions()["Functions"] == []
    assert client(emulator, "logs").describe_log_groups()["logGroups"] == []

    # A first deployment on top of it fails, says why, and leaves what is kept alone.
    with pytest.raises(NotPossible):
        deployment.deploy_stack(emulator, artefacts, {"BucketName": old_bucket})
    assert status(emulator) == "ROLLBACK_COMPLETE"
    assert "exist" in reasons(emulator)
    assert stored(emulator, names) == before
    deployment.delete_stack(emulator)

    # Taken back: first what is missing is named, then the files are written and imported.
    refused = adopt(emulator, tmp_path / "adopt")
    assert (refused.returncode, f"{old_bucket}-{REGION} (Bucket)" in refused.stderr) == (1, True), refused.stderr
    assert not (tmp_path / "adopt").exists()
    done = adopt(emulator, tmp_path / "adopt", "--bucket-name", old_bucket, "--json")
    assert done.returncode == 0, done.stderr
    assert [each["name"] for each in json.loads(done.stdout)["resources"]] == [
        names.clients_table,
        names.outcomes_table,
        *kept,
    ]
    formation.create_change_set(
        StackName=deployment.STACK,
        ChangeSetName="take-back",
        ChangeSetType="IMPORT",
        TemplateBody=(tmp_path / "adopt" / "template.json").read_text(),
        ResourcesToImport=json.loads((tmp_path / "adopt" / "resources.json").read_text()),
    )
    changes = formation.describe_change_set(StackName=deployment.STACK, ChangeSetName="take-back")["Changes"]
    assert {change["ResourceChange"]["Action"] for change in changes} == {"Import"}
    assert len(changes) == 4
    formation.execute_change_set(StackName=deployment.STACK, ChangeSetName="take-back")
    formation.get_waiter("stack_import_complete").wait(StackName=deployment.STACK, WaiterConfig={"Delay": 1})
    deployment.deploy_stack(
        emulator, artefacts, deployment.default_parameters() | {"BucketName": old_bucket, "LogRetentionDays": "30"}
    )
    assert status(emulator) == "UPDATE_COMPLETE"
    assert stored(emulator, names) == before

    # And it is the same deployment: it knows its clients, and whom it has mailed.
    machine = deployed(emulator)
    assert machine.stack.names == names
    again = machine.run(request)
    assert again.error == "RunIncomplete"
    assert set(RunStore(names.outcomes_table).outcomes(again.run_id)) == {FAILED}
    assert len(evidence.sent(machine.stack.mail)) == mails
    assert gone(before, stored(emulator, names)) == []


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
    cloudwatch = client(emulator, "cloudwatch")
    names = {each["MetricName"] for each in cloudwatch.list_metrics(Namespace=namespace)["Metrics"]}
    sums = {}
    for name in names & {"ReportsSent", "ClientsProcessed", "ClientsFailed"}:
        points = cloudwatch.get_metric_statistics(
            Namespace=namespace, MetricName=name, Statistics=["Sum"], Period=86400,
            StartTime=deployment_day()[0], EndTime=deployment_day()[1],
        )["Datapoints"]  # fmt: skip
        sums[name] = sum(point["Sum"] for point in points)
    return sums


def deployment_day() -> tuple[Any, Any]:
    from datetime import UTC, datetime, timedelta

    now = datetime.now(UTC)
    return now - timedelta(days=1), now + timedelta(days=1)


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
