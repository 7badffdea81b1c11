"""What an operator sees of the deployed stack, by the commands of the runbook."""

import json
import os
import subprocess
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
        {"cadence": "weekly", "period": machine.a_week(), "client_ids": ["denied-corp"]}, folder=tmp_path
    )
    assert "FunctionError" not in said
    assert (answer["status"], answer["error"]) == ("FAILED", "RunIncomplete")
    assert ClientAccessDenied.remedy in answer["message"]
    shown = aws(*answer["look"].split()[1:], folder=tmp_path)
    assert shown["status"] == "FAILED"
