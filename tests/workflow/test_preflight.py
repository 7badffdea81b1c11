"""The deployed local stack is in order; broken on purpose, each door says so, with a command that mends it."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cost_reporting import wiring
from cost_reporting.operations.audit import alarms, mail
from cost_reporting.operations.audit.scope import Scope
from cost_reporting.store.stacks import read_stack
from local.deployment import ACCOUNT
from local.stack import Stack
from tests.unit.test_alarm_definitions import EXPECTED, OF_THE_OLD_RUNBOOK
from tests.workflow.conftest import deployed
from tests.workflow.machine import Machine

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of this file's own: it is broken on purpose."""
    with deployed(tmp_path_factory.mktemp("preflight") / "local") as stack:
        yield stack


@pytest.fixture(scope="module")
def machine(stack: Stack) -> Machine:
    return Machine(stack)


def preflight(*arguments: str) -> tuple[int, str]:
    """The command as an operator runs it: its exit code and what it prints."""
    command = [sys.executable, str(ROOT / "scripts" / "preflight.py"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ, check=False, timeout=240)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout


def aws(command: str) -> None:
    """A command of the AWS CLI, as it was printed."""
    words = shlex.split(command, comments=True)
    path = ROOT / ".tools" / "sam" / "bin" / words[0]
    done = subprocess.run([str(path), *words[1:]], capture_output=True, text=True, env=os.environ, check=False)
    assert done.returncode == 0, done.stderr


def faults(out: str) -> dict[str, str]:
    """The fix of each fault, by its fact."""
    lines = out.splitlines()
    return {line: lines[at + 1] for at, line in enumerate(lines) if line.startswith("fault: ")}


def test_the_local_stack_is_in_order_and_with_three_things_broken_each_is_told_and_mended(
    stack: Stack, machine: Machine
) -> None:
    assert machine.run({"test": True}).status == "SUCCEEDED"
    code, out = preflight()
    assert (code, faults(out)) == (0, {}), out
    assert f"ok: alarms: all {len(EXPECTED)} are as the template has them" in out

    sesv2, sns, cloudwatch = (machine.client(name) for name in ("sesv2", "sns", "cloudwatch"))
    asked = {"MailType": "TRANSACTIONAL", "WebsiteURL": "https://consultancy.example"}
    sesv2.put_account_details(ProductionAccessEnabled=False, **asked)
    topic = stack.names.alerts_topic_arn
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="second@consultancy.example")
    for old in OF_THE_OLD_RUNBOOK:
        cloudwatch.put_metric_alarm(**old)

    code, out = preflight()
    broken = faults(out)
    assert code == 1
    assert [line.split(":")[1].strip() for line in broken] == ["mail account", "alerts", "alarms", "alarms"]
    assert all(fix.startswith("    fix: aws ") for fix in broken.values())

    ended = machine.run({"test": True})
    assert (ended.status, ended.error) == ("FAILED", "Unhealthy")
    for said in ("mail account: in the sandbox", "alerts: 1 of 2", "CostReporting-HighErrorRate", "-LongExecution"):
        assert said in ended.said, said
    assert "@" not in ended.said
    assert audited() == {
        f"SES-ACCOUNT:{ACCOUNT}",
        "ALERTS-UNHEARD:cost-reporting-alerts",
        "ALARM-REPLACED:CostReporting-HighErrorRate",
        "ALARM-REPLACED:CostReporting-LongExecution",
    }

    for fix in broken.values():
        aws(fix.removeprefix("    fix: "))
    stack.emulator.confirm()
    code, out = preflight("--after")
    assert (code, faults(out)) == (0, {}), out
    assert machine.run({"test": True}).status == "SUCCEEDED"
    assert audited() == set()


def audited() -> set[str]:
    """The findings of the security audit about mail and alarms."""
    scope: Any = Scope(
        stack=read_stack("cost-reporting"), account=ACCOUNT, clients_table="", bucket="", configuration_set="",
        sender="reports@consultancy.example", now=wiring.now(), wait=lambda seconds: None, progress=lambda *a: None,
    )  # fmt: skip
    looks = (mail.account, alarms.heard, alarms.replaced)
    return {finding.id for look in looks for finding in look(scope)}


def test_in_the_sandbox_ses_refuses_a_client_s_address_and_the_remedy_names_the_sandbox(machine: Machine) -> None:
    sesv2 = machine.client("sesv2")
    asked = {"MailType": "TRANSACTIONAL", "WebsiteURL": "https://consultancy.example"}
    sesv2.put_account_details(ProductionAccessEnabled=False, **asked)
    try:
        assert sesv2.get_account()["SendQuota"]["Max24HourSend"] == 200
        week = machine.a_week("tiny-bakery")
        ended = machine.run({"cadence": "weekly", "period": week, "client_ids": ["tiny-bakery"]})
    finally:
        sesv2.put_account_details(ProductionAccessEnabled=True, **asked)
    assert ended.status == "FAILED"
    assert "DeliveryRejected" in ended.said
    assert "sandbox" in json.dumps(ended.said)
