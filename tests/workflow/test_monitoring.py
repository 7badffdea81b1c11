"""What an operator sees of the deployed stack, by the commands of the runbook."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from cost_reporting.errors import ClientAccessDenied
from local.process import ROOT
from tests.workflow.machine import Machine

AWS = ROOT / ".tools" / "sam" / "bin" / "aws"


def aws(*arguments: str, folder: Path) -> Any:
    """The answer of the AWS CLI, as the local stack's environment has it."""
    quiet = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_PAGER": ""}
    done = subprocess.run(
        [str(AWS), *arguments, "--output", "json"], cwd=folder, env=os.environ | quiet, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout or "{}")


def invoke(payload: dict[str, Any], folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the CLI prints and what it writes for `aws lambda invoke`."""
    said = aws(
        "lambda", "invoke", "--function-name", "cost-reporting-lambda", "--payload", json.dumps(payload), "out.json",
        folder=folder,
    )  # fmt: skip
    return said, json.loads((folder / "out.json").read_text())


def test_the_cli_invokes_the_lambda_for_a_health_check(machine: Machine, tmp_path: Path) -> None:
    said, answer = invoke({"test": True}, tmp_path)
    assert (said["StatusCode"], "FunctionError" in said) == (200, False)
    assert (answer["status"], answer["result"]["status"]) == ("SUCCEEDED", "healthy")
    assert machine.wait(answer["execution_arn"]).output["status"] == "healthy"


def test_the_cli_invokes_the_lambda_for_a_test_report(machine: Machine, tmp_path: Path) -> None:
    request = {"test_report": True, "client_id": "tiny-bakery", "recipients": ["operator@consultancy.example"]}
    _, answer = invoke(request, tmp_path)
    assert (answer["status"], answer["result"]["sent"]) == ("SUCCEEDED", 1)
    (mail,) = machine.mails(run_id=answer["result"]["run"]["run_id"])
    assert mail["Subject"].startswith("[TEST]")


def test_a_run_that_fails_is_told_with_its_remedy(machine: Machine, tmp_path: Path) -> None:
    said, answer = invoke(
        {"cadence": "weekly", "period": machine.a_week("denied-corp"), "client_ids": ["denied-corp"]}, folder=tmp_path
    )
    assert "FunctionError" not in said
    assert (answer["status"], answer["error"]) == ("FAILED", "RunIncomplete")
    assert ClientAccessDenied.remedy in answer["message"]
    shown = aws(*answer["look"].split()[1:], folder=tmp_path)
    assert shown["status"] == "FAILED"


def test_memory_is_measured_by_function_in_per_cent(machine: Machine, tmp_path: Path) -> None:
    machine.run({"cadence": "weekly", "period": machine.a_week(), "client_ids": ["tiny-bakery"]})
    (point,) = aws(
        "cloudwatch", "get-metric-statistics", "--namespace", "CostReporting", "--metric-name", "MemoryUtilization",
        "--dimensions", "Name=FunctionName,Value=cost-reporting-render-pdf", "--statistics", "Maximum",
        "--start-time", "2026-01-01T00:00:00Z", "--end-time", "2036-01-01T00:00:00Z", "--period", "864000000",
        folder=tmp_path,
    )["Datapoints"]  # fmt: skip
    assert 1 < point["Maximum"] < 100


def test_the_dashboard_and_the_saved_queries_are_deployed_with_names_in_their_places(
    machine: Machine, tmp_path: Path
) -> None:
    shown = aws("cloudwatch", "get-dashboard", "--dashboard-name", "cost-reporting", folder=tmp_path)
    body = json.loads(shown["DashboardBody"])
    assert "${" not in shown["DashboardBody"]
    assert machine.arn in shown["DashboardBody"]
    existing = machine.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert set(body["widgets"][0]["properties"]["alarms"]) <= {each["AlarmArn"] for each in existing}
    queries = aws(
        "logs", "describe-query-definitions", "--query-definition-name-prefix", "cost-reporting/", folder=tmp_path
    )["queryDefinitions"]
    assert sorted(each["name"].partition("/")[2] for each in queries) == [
        "delivery events", "errors by class", "one client", "one run", "slowest steps",
    ]  # fmt: skip
    groups = {group["logGroupName"] for group in machine.client("logs").describe_log_groups()["logGroups"]}
    assert all(set(each["logGroupNames"]) <= groups for each in queries)


# -- backups ----------------------------------------------------------------------------------------------------------


def script(*arguments: str, folder: Path) -> Any:
    """The answer of scripts/restore_clients.py, in a process of its own."""
    command = [sys.executable, str(ROOT / "scripts" / "restore_clients.py"), *arguments, "--json"]
    path = os.pathsep.join(str(ROOT / each) for each in ("src", "scripts"))
    done = subprocess.run(
        command, cwd=folder, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_lost_client_comes_back_from_the_week_s_backup(machine: Machine, tmp_path: Path) -> None:
    dynamodb, table = machine.client("dynamodb"), machine.stack.names.clients_table
    aws(
        "lambda", "invoke", "--function-name", "cost-reporting-back-up-tables",
        "--payload", '{"scheduled_at": "2026-11-08T02:00:00Z"}', "out.json", folder=tmp_path,
    )  # fmt: skip
    listed = aws("dynamodb", "list-backups", "--table-name", table, folder=tmp_path)["BackupSummaries"]
    assert "weekly-backup-20261108" in [each["BackupName"] for each in listed]
    key = {"client_id": {"S": "tiny-bakery"}}
    before = dynamodb.get_item(TableName=table, Key=key)["Item"]
    version = int(before.get("version", {"N": "1"})["N"])
    dynamodb.delete_item(TableName=table, Key=key)
    try:
        made = script("restore", "--backup", "weekly-backup-20261108", "--yes", folder=tmp_path)["table"]
        (lost,) = script("compare", "--from-table", made, folder=tmp_path)["differences"]
        assert (lost["client_id"], lost["kind"]) == ("tiny-bakery", "missing")
        assert script("copy", "--from-table", made, "--missing", "--yes", folder=tmp_path)["copied"] == ["tiny-bakery"]
        after = dynamodb.get_item(TableName=table, Key=key)["Item"]
        assert int(after.pop("version")["N"]) >= version
        assert after == {name: value for name, value in before.items() if name != "version"}
        script("discard", "--from-table", made, "--yes", folder=tmp_path)
        assert made not in dynamodb.list_tables()["TableNames"]
    finally:
        dynamodb.put_item(TableName=table, Item=before)
    week = {"cadence": "weekly", "period": machine.a_week(), "client_ids": ["tiny-bakery"]}
    assert machine.run(week).status == "SUCCEEDED"


def test_a_deleted_report_comes_back_from_its_version(machine: Machine, tmp_path: Path) -> None:
    run = machine.run({"cadence": "weekly", "period": machine.a_week(), "client_ids": ["tiny-bakery"]})
    place = ["--bucket", machine.bucket]
    key = str(machine.outcomes(run)["tiny-bakery"].report_key)
    before = machine.client("s3").get_object(Bucket=machine.bucket, Key=key)["Body"].read()
    aws("s3api", "delete-object", *place, "--key", key, folder=tmp_path)
    (marker,) = aws("s3api", "list-object-versions", *place, "--prefix", key, folder=tmp_path)["DeleteMarkers"]
    aws("s3api", "delete-object", *place, "--key", key, "--version-id", marker["VersionId"], folder=tmp_path)
    assert machine.client("s3").get_object(Bucket=machine.bucket, Key=key)["Body"].read() == before
