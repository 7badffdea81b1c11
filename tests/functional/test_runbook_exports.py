"""What docs/RUNBOOKS.md exports names one deployment, for `aws` and for the commands of scripts/, and it is AWS's.

AWS is reached as by a shell with production keys (``tests/aws_shell.py``). A local stack runs beside it, and has left
its file: nothing may reach it.
"""

import os
import re
import shlex
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import pytest

from tests import aws_shell
from tests.aws_shell import Asked, Aws, Stack
from tests.runbook.blocks import RUNBOOKS, procedures

ROOT: Final = Path(__file__).parents[2]
TEXT: Final = RUNBOOKS.read_text(encoding="utf-8")
FIRST, *OTHERS = procedures(TEXT)
REGION, ACCOUNT, STACK, PREFIX = "eu-central-1", "123456789012", "reports-of-emea", "emea-costs"
OUTPUTS: Final = {
    "Prefix": PREFIX,
    "AlarmPrefix": "EmeaCosts",
    "StateMachineArn": f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{PREFIX}",
    "AlertsTopicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:{PREFIX}-alerts",
    "BucketName": f"{PREFIX}-assets-{ACCOUNT}-{REGION}",
    "ClientsTableName": f"{PREFIX}-clients",
    "OutcomesTableName": f"{PREFIX}-outcomes",
    "ConfigurationSetName": PREFIX,
    "SenderAddress": "reports@consultancy.example",
    "TimeZone": "Europe/Berlin",
}
EXPORTED: Final = {
    "STACK_NAME": STACK,
    "STACK": STACK,
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
    "PREFIX": PREFIX,
    "ALARM_PREFIX": "EmeaCosts",
    "MACHINE": OUTPUTS["StateMachineArn"],
    "TOPIC": OUTPUTS["AlertsTopicArn"],
    "BUCKET": OUTPUTS["BucketName"],
    "CLIENTS_TABLE": OUTPUTS["ClientsTableName"],
    "CONFIGURATION_SET": PREFIX,
    "SENDER": OUTPUTS["SenderAddress"],
}


class _Emulator(ThreadingHTTPServer):
    daemon_threads = True
    asked: list[str]


class _Asked(BaseHTTPRequestHandler):
    server: _Emulator

    def do_POST(self) -> None:
        self.server.asked.append(self.path)
        self.send_error(500)

    do_GET = do_PUT = do_DELETE = do_HEAD = do_POST  # noqa: N815 - names that http.server looks for

    def log_message(self, *_: Any) -> None:
        """Tests are silent."""


@pytest.fixture
def emulator() -> Iterator[_Emulator]:
    """A local stack that is asked nothing."""
    with _Emulator(("127.0.0.1", 0), _Asked) as server:
        server.asked = []
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def aws(tmp_path: Path) -> Iterator[Aws]:
    """AWS, with the stack in an account on it."""
    with aws_shell.aws(tmp_path, Stack(STACK, ACCOUNT, REGION, OUTPUTS, {})) as running:
        yield running


def shell(tmp_path: Path, environment: Mapping[str, str], script: str) -> subprocess.CompletedProcess[str]:
    """A shell in a folder that looks like the checkout, with what `make local-up` has left in it."""
    commands = tmp_path / "bin"
    commands.mkdir(exist_ok=True)
    for name, line in (("aws", f"{ROOT}/.tools/sam/bin/aws"), ("python", sys.executable)):
        (commands / name).write_text(f'#!/bin/sh\nexec {line} "$@"\n')
        (commands / name).chmod(0o755)
    path = f"{commands}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-c", script], cwd=ROOT, env={**environment, "HOME": str(tmp_path), "PATH": path},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip


@pytest.fixture
def left(tmp_path: Path, emulator: _Emulator) -> dict[str, str]:
    """The variable that says where the local stack has left its file."""
    url = f"http://127.0.0.1:{emulator.server_address[1]}"
    variables = {
        "AWS_ENDPOINT_URL": url, "STACK_NAME": STACK, "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "111122223333", "AWS_SECRET_ACCESS_KEY": "local",
    }  # fmt: skip
    (tmp_path / "local.env").write_text("".join(f"{name}={shlex.quote(each)}\n" for name, each in variables.items()))
    return {"LOCAL_DIR": str(tmp_path / "local")}


@pytest.mark.parametrize(
    ("region", "name"), [("AWS_REGION", "STACK_NAME"), ("AWS_DEFAULT_REGION", "STACK"), ("profile", "STACK_NAME")]
)
def test_all_names_are_those_of_the_stack_on_aws_and_nothing_reaches_the_local_one(
    region: str, name: str, aws: Aws, left: dict[str, str], emulator: _Emulator, tmp_path: Path
) -> None:
    environment = aws.environment | left | {name: STACK} | ({region: REGION} if region != "profile" else {})
    if region == "profile":
        (tmp_path / ".aws").mkdir()
        (tmp_path / ".aws" / "config").write_text(f"[default]\nregion = {REGION}\n")
    (block,) = FIRST.blocks
    exports, status = block.commands.rsplit("\n", 1)
    assert status.startswith("python scripts/report.py status")
    done = shell(tmp_path, environment, f"set -eu\n{exports}\nenv\n{status} || true")
    exported = dict(re.findall(r"^(\w+)=(.*)$", done.stdout, re.MULTILINE))
    assert {each: exported.get(each) for each in EXPORTED} == EXPORTED, done.stderr
    assert done.stderr.count(f"stack {STACK}, account {ACCOUNT}, region {REGION}\n") == 1
    assert Asked(f"states.{REGION}.amazonaws.com", "ListExecutions") in aws.asked, "the command acts there"
    assert {each.host.split(".")[1] for each in aws.asked} == {REGION}
    assert "LOCAL EMULATOR" not in done.stderr
    assert emulator.asked == []


def test_a_stack_that_is_not_there_is_said_at_once(
    aws: Aws, left: dict[str, str], emulator: _Emulator, tmp_path: Path
) -> None:
    environment = aws.environment | left | {"STACK_NAME": "another", "AWS_REGION": REGION}
    done = shell(tmp_path, environment, FIRST.blocks[0].commands)
    assert done.returncode != 0
    assert f"PREFIX: is not known: no stack another in {REGION}" in done.stderr
    assert emulator.asked == []


def test_no_command_of_the_runbook_has_a_name_that_a_second_deployment_would_not_have() -> None:
    text, _, _ = TEXT.partition("## What an older runbook calls otherwise")
    said = [line for line in text.splitlines() if re.search("cost-reporting|CostReporting", line)]
    assert said == ["export STACK_NAME=${STACK_NAME:-${STACK:-cost-reporting}}"]
    for literal in ("us-east-1", "111122223333", "123456789012"):
        assert literal not in text


def test_every_name_that_the_runbook_uses_is_exported_at_its_top() -> None:
    (first,) = FIRST.blocks
    exported = set(re.findall(r"^export (\w+)=", first.commands, re.MULTILINE))
    for procedure in OTHERS:
        own: set[str] = set()
        for block in procedure.blocks:
            own |= set(re.findall(r"(?:^|\s)([A-Za-z_]\w*)=\$?", block.commands)) | set(
                re.findall(r"\bfor (\w+) in\b", block.commands)
            )
            used = set(re.findall(r"\$\{?([A-Za-z_]\w*)", block.commands))
            assert used <= exported | own | {"EDITOR"}, f"docs/RUNBOOKS.md:{block.line}"
