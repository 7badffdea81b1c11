"""The operators' reports about real runs on the deployed stack."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import _console
import generate_ops_report
import performance_report
import security_audit
from tests.functional.test_preview import Ended
from tests.workflow.machine import Machine
from tests.workflow.test_runs import request

Run = Callable[..., Ended]
TODAY = f"{datetime.now(UTC):%Y-%m-%d}"


@pytest.fixture
def command(machine: Machine, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command of the stack as an operator would, with its JSON."""

    def command(app: Any, *arguments: str) -> Ended:
        capsys.readouterr()
        asked = [*arguments, "--stack-name", "cost-reporting", "--output", str(tmp_path / "report.pdf"), "--json"]
        return Ended(_console.main(app, asked), *capsys.readouterr())

    return command


def cloudwatch_is_ahead(command: Run) -> dict[str, Decimal]:
    """By how much CloudWatch's count of today's month is above the table's, for each count that the report checks."""
    checks = command(generate_ops_report.app, "--period", "monthly", "--at", TODAY).json["report"]["checks"]
    return {each["what"]: Decimal(each["measured"] or 0) - Decimal(each["recorded"]) for each in checks}


def test_the_reports_of_today_s_run_say_who_has_one_and_what_it_took(
    machine: Machine, command: Run, tmp_path: Path
) -> None:
    week = machine.a_week()
    ahead_before = cloudwatch_is_ahead(command)
    run = machine.run(request(week, "tiny-bakery", "denied-corp"))
    stray = machine.run({"cadence": "yearly"})
    assert machine.settled_ledger("tiny-bakery", week) == ["DELIVERED"]

    answer = command(generate_ops_report.app, "--period", "monthly", "--at", TODAY)
    assert answer.code == 0, answer.err
    report = answer.json["report"]
    (line,) = [each for each in report["runs"] if each["run_id"] == run.run_id]
    assert (line["state"], line["clients"], line["sent"], line["failed"]) == ("incomplete", 2, 1, 1)
    lines = {each["client_id"]: each for each in report["reports"] if each["period"] == week}
    assert {name: each["status"] for name, each in lines.items()} == {
        "tiny-bakery": "delivered",
        "denied-corp": "failed",
    }
    assert lines["tiny-bakery"]["mails"] == {"DELIVERED": 1}
    assert "denied-corp" in next(e for e in report["errors"] if e["error"] == "ClientAccessDenied")["clients"]
    assert "InvalidRequest" in {each["error"] for each in report["strays"] if each["name"] in stray.arn}
    # Other tests of today redrive runs, which CloudWatch counts twice; this run adds the same to both counts.
    assert cloudwatch_is_ahead(command) == ahead_before
    assert report["unknowns"] == []
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF-1.7")

    answer = command(performance_report.app, "--period", "monthly", "--at", TODAY)
    assert answer.code == 0, answer.err
    report = answer.json["report"]
    render = next(each for each in report["functions"] if each["states"] == ["Render PDF", "Render Without Logo"])
    assert render["invocations"] >= 1
    assert render["cold_starts"] >= 1
    assert float(render["p50_ms"]) > 0
    assert 50 < render["used_mb"] <= render["memory_mb"]
    assert not [each for each in report["functions"] if each["invocations"] is None or each["unreadable"]]
    assert float(report["usd_per_report"]) > 0.02


def test_the_audit_of_the_deployed_stack_has_nothing_grave_and_finds_what_is_broken(
    machine: Machine, command: Run
) -> None:
    machine.run(request(machine.a_week("tiny-bakery"), "tiny-bakery"))
    answer = command(security_audit.app, "--probe-clients")
    assert answer.code == 0, [each for each in answer.json["report"]["findings"] if each["severity"] == "high"]
    standings = {check["name"]: check["standing"] for check in answer.json["report"]["checks"]}
    for passed in (
        "Roles allow no more than they need",
        "Roles trust nobody else",
        "Nothing differs from the template",
        "The bucket is private, encrypted and versioned",
        "Logs end",
        "Logs give nothing away",
    ):
        assert standings[passed] == "passed", passed
    assert standings["What roles allow is used"] == "not checked"

    name = next(
        each["RoleName"]
        for each in machine.client("iam").list_roles()["Roles"]
        if "SendEmailFunctionRole" in each["RoleName"]
    )
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    s3, iam = machine.client("s3"), machine.client("iam")
    iam.put_role_policy(RoleName=name, PolicyName="by-hand", PolicyDocument=json.dumps(document))
    s3.delete_public_access_block(Bucket=machine.bucket)
    try:
        answer = command(security_audit.app)
    finally:
        iam.delete_role_policy(RoleName=name, PolicyName="by-hand")
        blocked = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
        s3.put_public_access_block(Bucket=machine.bucket, PublicAccessBlockConfiguration=dict.fromkeys(blocked, True))
    assert answer.code == 1
    grave = {each["id"] for each in answer.json["report"]["findings"] if each["severity"] == "high"}
    assert {f"IAM-WILDCARD-ACTION:s3:*:{name}", f"S3-PUBLIC-ACCESS:{machine.bucket}"} <= grave
