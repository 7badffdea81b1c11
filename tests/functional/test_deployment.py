"""Every command says on which deployment it acts before it does, and never takes the emulator for AWS or AWS for it."""

import importlib
import json
import os
import re
import shlex
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, NamedTuple
from unittest.mock import patch
from urllib.parse import parse_qs

import boto3
import pytest
from typer.main import get_command

import _console
import _deployment
import client_manager
from cost_reporting import aws
from tests import aws_shell
from tests.aws_shell import Asked, Aws, Stack, described, refused
from tests.builders import a_client
from tests.functional.conftest import World

ROOT: Final = Path(__file__).parents[2]
AWS: Final = ROOT / ".tools" / "sam" / "bin" / "aws"
PERIOD: Final = ("--period", "2026-10")
ACME: Final = ("--client-id", "acme")
COMMANDS: Final[dict[str, tuple[str, ...]]] = {
    "check_credential_age": (),
    "clean_recipient_lists": ("--yes",),
    "client_manager activate": ACME,
    "client_manager add": ("--config", "acme.json"),
    "client_manager diff": (*ACME, "--config", "acme.json"),
    "client_manager erase": (*ACME, "--confirm"),
    "client_manager export": ACME,
    "client_manager history": ACME,
    "client_manager import": ("--file", "acme.json"),
    "client_manager list": (),
    "client_manager onboard": (*ACME, "--account", "210000000002"),
    "client_manager remove": (*ACME, "--confirm"),
    "client_manager rollback": ACME,
    "client_manager suspend": ACME,
    "client_manager update": (*ACME, "--config", "acme.json"),
    "client_manager validate": (*ACME, "--yes"),
    "generate_ops_report": ("--period", "weekly", "--output", "ops.json"),
    "performance_report": ("--period", "weekly"),
    "report approve": (*ACME, *PERIOD),
    "report backfill": (*ACME, "--from", "2026-08", "--to", "2026-09", "--yes"),
    "report preview": (*ACME, "--yes"),
    "report reject": (*ACME, *PERIOD, "--reason", "wrong figures"),
    "report rerun": (),
    "report resend": (*ACME, *PERIOD, "--reason", "asked for", "--yes"),
    "report run": ("--cadence", "monthly", "--force-send", "asked for", *ACME, "--yes"),
    "report status": (),
    "report test": (*ACME, "--to", "operations@consultancy.example"),
    "restore_clients backups": (),
    "restore_clients compare": ("--from-table", "clients-restored-20261108081500"),
    "restore_clients copy": ("--from-table", "clients-restored-20261108081500", "--missing", "--yes"),
    "restore_clients discard": ("--from-table", "clients-restored-20261108081500", "--yes"),
    "restore_clients restore": ("--backup", "weekly-backup-20261108", "--yes"),
    "rotate_client_credentials": ACME,
    "rotate_credentials": ("--yes",),
    "security_audit": (),
    "validate_migration": ("--config-file", "acme.json", "--check-aws"),
}
"""Every command that acts on a deployment, with arguments that make it act at once."""
APART: Final = {"preflight"}
"""Commands that may come before there is a stack: with a test of their own."""
WITHOUT: Final = {"adopt", "client_manager sample-config", "known_vulnerabilities"}
"""Commands that act on no stack; `adopt` says account and region."""
SCRIPTS: Final = sorted(
    path.stem for path in (ROOT / "scripts").glob("*.py") if not path.stem.startswith("_") and path.stem != "messages"
)
PARTS: Final = (*_deployment._PARTS, *_deployment._MORE)
NOT_IN_A_SHELL: Final = ("STACK", "STACK_NAME", "AWS_ENDPOINT_URL_COST_EXPLORER", *PARTS)
ACCOUNT, EMULATED = "444455556666", "111122223333"
OUTPUTS: Final = {
    "ClientsTableName": "clients",
    "OutcomesTableName": "outcomes",
    "BucketName": "reports-of-a-test",
    "SenderAddress": "reports@consultancy.example",
    "ConfigurationSetName": "cost-reporting",
    "StateMachineArn": "arn:aws:states:eu-central-1:444455556666:stateMachine:reports",
    "AlertsTopicArn": "arn:aws:sns:eu-central-1:444455556666:reports-alerts",
    "FetchCostsRoleArn": "arn:aws:iam::444455556666:role/reports-FetchCosts-1A2B",
}
PARAMETERS: Final = {
    "TimeZone": "Europe/Berlin",
    "Prefix": "reports",
    "ReaderRoleName": "reader",
    "Operators": "operations@consultancy.example",
}

STACK: Final = Stack("reports", ACCOUNT, "eu-central-1", OUTPUTS, PARAMETERS)
EMULATED_STACK: Final = Stack("reports", EMULATED, "us-east-1", OUTPUTS, PARAMETERS)


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


Command = Callable[..., Ended]


def commands() -> dict[str, Any]:
    """Every command of every script, by script and name."""
    found = {}
    for script in SCRIPTS:
        command = get_command(importlib.import_module(script).app)
        members = getattr(command, "commands", None)
        found |= {f"{script} {name}": each for name, each in members.items()} if members else {script: command}
    return found


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[pytest.MonkeyPatch]:
    """A shell in an empty folder with an empty home, that names no deployment and has no credentials."""
    with patch.dict(os.environ):
        for name in [name for name in os.environ if name.startswith("AWS_")] + list(NOT_IN_A_SHELL):
            os.environ.pop(name, None)
        os.environ |= {"HOME": str(tmp_path), "AWS_EC2_METADATA_DISABLED": "true"}
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(_deployment, "LOCAL_ENV", tmp_path / "local")
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
        client = a_client(client_id="acme")
        Path("acme.json").write_text(client.model_dump_json(exclude_none=True, exclude={"version"}))
        yield monkeypatch


@pytest.fixture
def command(shell: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Type a command into the shell: ``report status``."""

    def command(name: str, *arguments: str) -> Ended:
        script, _, verb = name.partition(" ")
        capsys.readouterr()
        code = _console.main(importlib.import_module(script).app, [*verb.split(), *arguments])
        return Ended(code, *capsys.readouterr())

    return command


def tried(name: str) -> tuple[str, ...]:
    """A command's arguments, with ``--json`` where it knows that."""
    knows = any("--json" in parameter.opts for parameter in commands()[name].params)
    return (*COMMANDS[name], *(("--json",) if knows else ()))


class Emulator(ThreadingHTTPServer):
    """Describes its stack, and refuses all else; notes each request, and whether a command had said where it acts."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Emulated)
        self.requests: list[str] = []
        self.unsaid: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Emulated(BaseHTTPRequestHandler):
    server: Emulator

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode(errors="replace")
        action = parse_qs(body).get("Action", [self.headers.get("X-Amz-Target") or f"{self.command} {self.path}"])[0]
        self.server.requests.append(action)
        if action != "DescribeStacks" and "LOCAL EMULATOR" not in sys.stderr.getvalue():  # type: ignore[attr-defined]
            self.server.unsaid.append(action)
        status, answer = 403, refused("AccessDeniedException", self.headers.get("Content-Type") or "")
        if action == "DescribeStacks":
            status, answer = 200, described(EMULATED_STACK)
        self.send_response(status)
        self.send_header("x-amzn-ErrorType", "AccessDeniedException")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_PUT = do_DELETE = do_HEAD = do_POST  # noqa: N815 - names that http.server looks for

    def log_message(self, *_: Any) -> None:
        """Tests are silent."""


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def left(emulator: Emulator, tmp_path: Path) -> Emulator:
    """A running local stack, with the file that `make local-up` leaves."""
    variables = {
        "AWS_ENDPOINT_URL": emulator.url,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": EMULATED,
        "AWS_SECRET_ACCESS_KEY": "local",
        "STACK_NAME": "reports",
    }
    (tmp_path / "local.env").write_text("".join(f"{name}={shlex.quote(each)}\n" for name, each in variables.items()))
    return emulator


# -- every command -----------------------------------------------------------------------------------------------------


def test_every_command_is_tried_here() -> None:
    acting = {name for name, each in commands().items() if any("--stack-name" in option.opts for option in each.params)}
    assert acting == COMMANDS.keys() | APART
    assert commands().keys() - acting == WITHOUT


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_takes_the_local_stack_beside_other_credentials_only_if_told_so(
    name: str, command: Command, left: Emulator, shell: pytest.MonkeyPatch
) -> None:
    shell.setenv("AWS_PROFILE", "production")
    shell.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    ended = command(name, *COMMANDS[name])
    assert ended.code == 2, ended.err
    assert "this shell has other credentials: AWS_PROFILE" in ended.err
    assert "--local" in ended.err.splitlines()[-1], "the remedy"
    assert "--stack-name" in ended.err.splitlines()[-1], "the remedy"
    assert left.requests == []


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_says_local_emulator_before_it_acts_on_it(
    name: str, command: Command, left: Emulator, shell: pytest.MonkeyPatch
) -> None:
    shell.setenv("AWS_PROFILE", "production")
    ended = command(name, *tried(name), "--local")
    line = f"LOCAL EMULATOR at {left.url}: stack reports, account {EMULATED}, region us-east-1"
    assert ended.err.splitlines()[0] == line
    assert ended.err.count("LOCAL EMULATOR") == 1
    assert left.requests[0] == "DescribeStacks"
    assert len(left.requests) > 1, "it acts"
    assert left.unsaid == []
    if "--json" in tried(name):
        assert json.loads(ended.out)["deployment"] == {
            "stack": "reports", "account": EMULATED, "region": "us-east-1", "endpoint": left.url, "local_emulator": True
        }  # fmt: skip
    assert "LOCAL EMULATOR" not in ended.out


@pytest.fixture
def on_aws(shell: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Aws]:
    """The shell has keys of an account on AWS that has the stack, in a region named by AWS_REGION alone."""
    regions = ("eu-central-1", "eu-west-1", "eu-west-2", "eu-west-3")
    with aws_shell.aws(tmp_path, *(STACK._replace(region=each) for each in regions)) as running:
        for name, value in (running.environment | {"AWS_REGION": "eu-central-1"}).items():
            shell.setenv(name, value)
        yield running


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_says_stack_account_and_region_before_it_acts_on_aws(
    name: str, command: Command, left: Emulator, shell: pytest.MonkeyPatch, on_aws: Aws
) -> None:
    shell.setenv("STACK_NAME", "reports")
    line, unsaid = f"stack reports, account {ACCOUNT}, region eu-central-1", []

    def heed(asked: Asked) -> None:
        if asked.action != "DescribeStacks" and line not in sys.stderr.getvalue():  # type: ignore[attr-defined]
            unsaid.append(asked)

    on_aws.heed = heed
    ended = command(name, *tried(name))
    assert ended.err.splitlines()[0] == line
    assert on_aws.asked[0] == ("cloudformation.eu-central-1.amazonaws.com", "DescribeStacks")
    assert len(on_aws.asked) > 1, "it acts"
    assert (unsaid, left.requests) == ([], [])
    assert line not in ended.out
    if "--json" in tried(name):
        assert json.loads(ended.out)["deployment"] == {
            "stack": "reports", "account": ACCOUNT, "region": "eu-central-1", "endpoint": "", "local_emulator": False
        }  # fmt: skip


def test_names_in_the_environment_are_said_with_their_account(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _console.main(client_manager.app, ["list", "--json"]) == 0
    out, err = capsys.readouterr()
    assert err.startswith("tables clients and outcomes, account 123456789012, region eu-central-1; costs are asked ")
    assert json.loads(out)["deployment"]["stack"] is None


def test_preflight_never_looks_at_the_emulator_beside_other_credentials(
    command: Command, left: Emulator, on_aws: Aws
) -> None:
    ended = command("preflight", "--json")
    assert left.requests == []
    assert on_aws.asked
    assert "LOCAL EMULATOR" not in ended.err


def test_preflight_says_where_it_looks(command: Command, left: Emulator, on_aws: Aws) -> None:
    ended = command("preflight", "--local", "--after", "--config-env", "local")
    assert on_aws.asked == []
    assert f"LOCAL EMULATOR at {left.url}" in ended.err + ended.out


def test_a_command_without_a_stack_says_account_and_region(
    command: Command, shell: pytest.MonkeyPatch, on_aws: Aws
) -> None:
    assert command("adopt").err.startswith(f"account {ACCOUNT}, region eu-central-1\n")
    on_aws.asked.clear()
    shell.setenv("AWS_REGION", "cn-north-1")
    assert "AWS_REGION: cn-north-1 is in the partition aws-cn" in command("adopt").err
    assert on_aws.asked == []


# -- the local stack unasked -------------------------------------------------------------------------------------------


CREDENTIALS: Final = {
    "AWS_PROFILE": "production",
    "AWS_DEFAULT_PROFILE": "production",
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "production",
    "AWS_SESSION_TOKEN": "token",
    "AWS_ROLE_ARN": f"arn:aws:iam::{ACCOUNT}:role/deploy",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "token",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/credentials",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.23/credentials",
}
_KEYS: Final = "aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = x\n"
_ROLE: Final = f"[default]\nrole_arn = arn:aws:iam::{ACCOUNT}:role/x\nsource_profile = keys\n"
_SSO: Final = """[default]
sso_session = us
sso_account_id = 444455556666
sso_role_name = x
[sso-session us]
sso_start_url = https://x.awsapps.com/start
sso_region = us-east-1
"""
DEFAULT_PROFILES: Final = {
    "keys": ("credentials", f"[default]\n{_KEYS}"),
    "keys in the configuration": ("config", f"[default]\n{_KEYS}"),
    "a role": ("config", f"{_ROLE}[profile keys]\n{_KEYS}"),
    "a role of a profile that is missing": ("config", _ROLE),
    "single sign-on": ("config", _SSO),
    "a process that fails": ("config", f"[default]\ncredential_process = {sys.executable} -c 'print(1)'\n"),
}


@pytest.mark.parametrize("variable", CREDENTIALS)
def test_the_local_stack_is_refused_unasked_whatever_names_the_credentials(
    variable: str, command: Command, left: Emulator, shell: pytest.MonkeyPatch
) -> None:
    shell.setenv(variable, CREDENTIALS[variable])
    ended = command("report status", "--json")
    assert (ended.code, left.requests) == (2, [])
    assert f"this shell has other credentials: {variable}." in json.loads(ended.out)["message"]
    assert CREDENTIALS[variable] not in ended.out.replace(variable, "")


@pytest.mark.parametrize("kind", DEFAULT_PROFILES)
def test_the_local_stack_is_refused_unasked_where_aws_would_use_a_default_profile(
    kind: str, command: Command, left: Emulator, tmp_path: Path
) -> None:
    name, text = DEFAULT_PROFILES[kind]
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / name).write_text(text)
    ended = command("report status")
    assert (ended.code, left.requests) == (2, [])
    assert "this shell has other credentials: the" in ended.err
    assert command("report status", "--local").err.startswith("LOCAL EMULATOR")


def test_the_local_stack_is_refused_unasked_on_an_instance_with_a_role(
    command: Command, left: Emulator, shell: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked = []

    def retrieve(self: Any) -> dict[str, str]:
        asked.append(self)
        return {
            "role_name": "x", "access_key": "A", "secret_key": "x", "token": "t", "expiry_time": "2099-01-01T00:00:00Z"
        }  # fmt: skip

    shell.setattr("botocore.utils.InstanceMetadataFetcher.retrieve_iam_role_credentials", retrieve)
    shell.setattr(_deployment, "EC2", tmp_path / "board_asset_tag")
    assert command("report status").err.startswith("LOCAL EMULATOR")
    assert asked == [], "elsewhere than on EC2 the metadata service is not waited for"


def test_on_an_instance_the_metadata_service_is_asked(
    command: Command, left: Emulator, shell: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    keys = {"role_name": "x", "access_key": "A", "secret_key": "x", "token": "t", "expiry_time": "2099-01-01T00:00:00Z"}
    shell.setattr("botocore.utils.InstanceMetadataFetcher.retrieve_iam_role_credentials", lambda self: keys)
    shell.setattr(_deployment, "EC2", tmp_path / "board_asset_tag")
    (tmp_path / "board_asset_tag").write_text("i-0af01c0123456789a\n")
    ended = command("report status")
    assert (ended.code, left.requests) == (2, [])
    assert "the role of this EC2 instance" in ended.err


def test_without_any_credentials_the_local_stack_is_taken_and_said(command: Command, left: Emulator) -> None:
    assert command("report status").err.startswith(f"LOCAL EMULATOR at {left.url}: ")


def test_a_default_profile_without_credentials_is_no_other_account(
    command: Command, left: Emulator, tmp_path: Path
) -> None:
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").write_text("[default]\nregion = eu-central-1\noutput = json\n")
    assert command("report status").err.startswith("LOCAL EMULATOR")


def test_the_keys_of_the_local_stack_are_no_other_credentials(
    command: Command, left: Emulator, shell: pytest.MonkeyPatch
) -> None:
    shell.setenv("AWS_ACCESS_KEY_ID", EMULATED)
    shell.setenv("AWS_SECRET_ACCESS_KEY", "local")
    assert command("report status").err.startswith("LOCAL EMULATOR")


def test_half_of_the_keys_of_the_local_stack_are_other_credentials(
    command: Command, left: Emulator, shell: pytest.MonkeyPatch
) -> None:
    shell.setenv("AWS_ACCESS_KEY_ID", EMULATED)
    shell.setenv("AWS_SECRET_ACCESS_KEY", "another")
    assert (command("report status").code, left.requests) == (2, [])


def test_a_shell_that_has_read_the_file_of_the_local_stack_acts_on_it(
    command: Command, left: Emulator, shell: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in _deployment._variables(tmp_path / "local.env").items():
        shell.setenv(name, value)
    assert command("report status").err.startswith("LOCAL EMULATOR")


HOSTILE: Final = {
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
    "AWS_ENDPOINT_URL_CLOUDFORMATION": "http://127.0.0.1:9",
    "AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:9",
    "AWS_PROFILE": "production",
    "AWS_SESSION_TOKEN": "token",
    "AWS_USE_FIPS_ENDPOINT": "true",
    "AWS_DEFAULT_REGION": "cn-north-1",
    "STACK": "production",
    "STACK_NAME": "production",
    "CLIENTS_TABLE": "production-clients",
}


@pytest.mark.parametrize("variable", HOSTILE)
def test_the_local_stack_is_taken_with_nothing_of_the_shell(
    variable: str, command: Command, left: Emulator, shell: pytest.MonkeyPatch
) -> None:
    shell.setenv(variable, HOSTILE[variable])
    ended = command("report status", "--local")
    assert ended.err.startswith(f"LOCAL EMULATOR at {left.url}: stack reports, ")
    assert len(left.requests) > 1


def test_another_stack_in_the_local_account_is_named_with_both_options(command: Command, left: Emulator) -> None:
    ended = command("report status", "--local", "--stack-name", "second", "--json")
    assert json.loads(ended.out)["deployment"]["local_emulator"] is True
    assert left.requests[0] == "DescribeStacks"


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        (None, 2, "--local: there is no local stack."),
        ("", 1, "does not say where the local stack is."),
        ("STACK_NAME=reports\n", 1, "does not say where the local stack is."),
        ("AWS_ENDPOINT_URL=http://127.0.0.1:1\n", 1, "does not say where the local stack is."),
    ],
)
def test_without_a_local_stack_the_option_says_how_to_get_one(
    text: str | None, code: int, said: str, command: Command, tmp_path: Path
) -> None:
    if text is not None:
        (tmp_path / "local.env").write_text(text)
    ended = command("report status", "--local")
    assert ended.code == code
    assert said in ended.err
    assert "make local-up" in ended.err.splitlines()[-1]


def test_the_option_says_nothing_to_a_preview_from_a_file(command: Command, tmp_path: Path) -> None:
    (tmp_path / "costs.json").write_text("{}")
    ended = command("report preview", "--from-file", "costs.json", "--local")
    assert (ended.code, "--local: makes no sense with --from-file" in ended.err) == (2, True)


def test_a_file_is_not_compared_with_the_local_stack_beside_other_credentials(
    command: Command, left: Emulator, shell: pytest.MonkeyPatch
) -> None:
    shell.setenv("AWS_PROFILE", "production")
    ended = command("validate_migration", "--config-file", "acme.json", "--json")
    assert (ended.code, left.requests) == (0, [])
    assert json.loads(ended.out)["not_checked"] == ["other clients' accounts"]


# -- which stack -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variables", [("STACK",), ("STACK_NAME",), ("STACK", "STACK_NAME")])
def test_a_stack_is_named_as_the_runbook_exports_it(
    variables: tuple[str, ...], command: Command, left: Emulator, shell: pytest.MonkeyPatch, on_aws: Aws
) -> None:
    for variable in variables:
        shell.setenv(variable, "reports")
    assert command("report status").err.startswith(f"stack reports, account {ACCOUNT}, region eu-central-1\n")
    assert (on_aws.asked[0].action, left.requests) == ("DescribeStacks", [])


@pytest.mark.parametrize("arguments", [(), ("--stack-name", "reports")])
def test_two_names_for_the_stack_are_refused_unless_the_option_decides(
    arguments: tuple[str, ...], command: Command, shell: pytest.MonkeyPatch, on_aws: Aws
) -> None:
    shell.setenv("STACK_NAME", "production")
    shell.setenv("STACK", "reports")
    ended = command("report status", *arguments)
    if arguments:
        assert ended.err.startswith("stack reports, ")
    else:
        assert (ended.code, on_aws.asked) == (2, [])
        assert "STACK_NAME: is production, and STACK is reports" in ended.err


def test_a_stack_goes_before_names_that_another_shell_has_left(
    command: Command, shell: pytest.MonkeyPatch, on_aws: Aws
) -> None:
    shell.setenv("STACK_NAME", "reports")
    for name in _deployment._PARTS:
        shell.setenv(name, "of-another-deployment")
    assert command("report status").err.startswith("stack reports, ")


@pytest.mark.parametrize("empty", ["", " "])
def test_an_empty_name_is_no_name(empty: str, command: Command, left: Emulator) -> None:
    ended = command("report status", "--stack-name", empty)
    assert (ended.code, left.requests) == (2, [])
    assert "--stack-name: is empty." in ended.err


def test_a_named_stack_is_not_looked_for_on_the_local_stack_without_credentials(
    command: Command, left: Emulator, shell: pytest.MonkeyPatch
) -> None:
    shell.setenv("STACK_NAME", "reports")
    shell.setenv("AWS_REGION", "eu-central-1")
    ended = command("report status")
    assert (ended.code, left.requests) == (2, [])
    assert "AWS_PROFILE: stack reports cannot be reached without credentials." in ended.err


# -- the endpoint ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("endpoint", "said"),
    [
        ("http://127.0.0.1:4566", "LOCAL EMULATOR at http://127.0.0.1:4566: it, "),
        ("http://127.1.2.3:4566", "LOCAL EMULATOR at http://127.1.2.3:4566: it, "),
        ("http://[::1]:4566", "LOCAL EMULATOR at http://[::1]:4566: it, "),
        ("http://localhost:4566", "LOCAL EMULATOR at http://localhost:4566: it, "),
        ("https://aws.proxy.example", "ANOTHER ENDPOINT at https://aws.proxy.example: it, "),
        ("https://localhost.example", "ANOTHER ENDPOINT at https://localhost.example: it, "),
        ("https://amazonaws.com.example", "ANOTHER ENDPOINT at https://amazonaws.com.example: it, "),
        ("https://evilamazonaws.com", "ANOTHER ENDPOINT at https://evilamazonaws.com: it, "),
        ("https://vpce-1a.cloudformation.eu-central-1.vpce.amazonaws.com", "it, "),
    ],
)
def test_the_endpoint_is_said_if_it_is_not_aws_itself(
    endpoint: str, said: str, on_aws: Aws, shell: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.setenv("AWS_ENDPOINT_URL", endpoint)
    where = _deployment._where(boto3.Session(), ACCOUNT, is_local=False)
    _console.invocation.deployment = None
    _deployment._say(where, "it")
    assert capsys.readouterr().err.startswith(f"{said}account {ACCOUNT}, ")


def test_an_endpoint_of_the_profile_is_said(command: Command, on_aws: Aws, left: Emulator, tmp_path: Path) -> None:
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").write_text(f"[default]\nendpoint_url = {left.url}\n")
    ended = command("client_manager list", "--stack-name", "reports")
    assert ended.err.startswith(f"LOCAL EMULATOR at {left.url}: stack reports, ")
    assert on_aws.asked == []


def test_a_command_never_acts_on_two_deployments_at_once(
    command: Command, shell: pytest.MonkeyPatch, on_aws: Aws
) -> None:
    shell.setenv("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:8000")
    ended = command("client_manager list", "--stack-name", "reports")
    assert (ended.code, [each.action for each in on_aws.asked]) == (2, ["DescribeStacks"])
    assert "AWS_ENDPOINT_URL_DYNAMODB: leads to http://127.0.0.1:8000, and all else to AWS." in ended.err


def test_costs_that_are_asked_for_elsewhere_are_said(command: Command, shell: pytest.MonkeyPatch, on_aws: Aws) -> None:
    shell.setenv("AWS_ENDPOINT_URL_COST_EXPLORER", "http://127.0.0.1:4566")
    ended = command("client_manager list", "--stack-name", "reports")
    assert ended.err.splitlines()[0].endswith("region eu-central-1; costs are asked for at http://127.0.0.1:4566")


# -- the region --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variables", "profile", "region"),
    [
        ({"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-2"}, "eu-west-3", "eu-west-1"),
        ({"AWS_REGION": "eu-west-1"}, "eu-west-3", "eu-west-1"),
        ({"AWS_DEFAULT_REGION": "eu-west-2"}, "eu-west-3", "eu-west-2"),
        ({"AWS_REGION": "", "AWS_DEFAULT_REGION": "eu-west-2"}, "eu-west-3", "eu-west-2"),
        ({"AWS_REGION": "", "AWS_DEFAULT_REGION": ""}, "eu-west-3", "eu-west-3"),
        ({}, "eu-west-3", "eu-west-3"),
    ],
)
def test_the_region_is_that_of_the_first_variable_and_else_the_profile_s(
    variables: dict[str, str], profile: str, region: str, command: Command, shell: pytest.MonkeyPatch, on_aws: Aws,
    tmp_path: Path,
) -> None:  # fmt: skip
    shell.delenv("AWS_REGION")
    for name, value in variables.items():
        shell.setenv(name, value)
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").write_text(f"[default]\nregion = {profile}\n")
    ended = command("client_manager list", "--stack-name", "reports", "--json")
    assert json.loads(ended.out)["deployment"]["region"] == region
    assert boto3.Session().region_name == region, "for all that is asked of AWS afterwards"


def test_the_remedy_of_a_missing_region_works_for_the_commands_the_aws_cli_and_boto3(
    command: Command, shell: pytest.MonkeyPatch, on_aws: Aws, tmp_path: Path
) -> None:
    shell.delenv("AWS_REGION")
    ended = command("client_manager list", "--stack-name", "reports")
    assert (ended.code, on_aws.asked) == (2, [])
    for source in ("AWS_REGION", "AWS_DEFAULT_REGION", "the profile default"):
        assert source in ended.err
    (remedy,) = re.findall(r"`(export .+?)`", ended.err)
    asks = (
        f'{remedy}; "{sys.executable}" -c "import boto3; print(boto3.Session().region_name)"; {AWS} configure list; env'
    )
    done = subprocess.run(["bash", "-c", asks], capture_output=True, text=True, check=True, env=dict(os.environ))
    assert done.stdout.splitlines()[0] == "eu-central-1"
    assert re.search(r"^ *region +(: )?eu-central-1", done.stdout, re.MULTILINE)
    shell.setenv("AWS_REGION", *re.findall(r"^AWS_REGION=(.+)$", done.stdout, re.MULTILINE))
    assert command("client_manager list", "--stack-name", "reports").err.startswith("stack reports, ")


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("cn-north-1", "aws-cn"),
        ("cn-northwest-1", "aws-cn"),
        ("us-gov-west-1", "aws-us-gov"),
        ("us-iso-east-1", "aws-iso"),
        ("us-isob-east-1", "aws-iso-b"),
        ("eu-isoe-west-1", "aws-iso-e"),
        ("eusc-de-east-1", "aws-eusc"),
        ("us-gov-north-7", "aws-us-gov"),
    ],
)
def test_another_partition_is_refused_before_anything_is_asked(
    region: str, partition: str, command: Command, shell: pytest.MonkeyPatch, on_aws: Aws
) -> None:
    shell.setenv("AWS_REGION", region)
    ended = command("client_manager list", "--stack-name", "reports")
    assert (ended.code, on_aws.asked) == (2, [])
    assert f"AWS_REGION: {region} is in the partition {partition}; this system works in the commercial" in ended.err


@pytest.mark.parametrize("region", ["Frankfurt", "eu-central", "aws-global", "eu-central-1a", "http://127.0.0.1"])
def test_what_is_no_region_is_named(region: str, command: Command, shell: pytest.MonkeyPatch, on_aws: Aws) -> None:
    shell.setenv("AWS_REGION", region)
    ended = command("client_manager list", "--stack-name", "reports")
    assert (ended.code, on_aws.asked) == (2, [])
    assert f"AWS_REGION: {region} is no region of AWS." in ended.err


def test_a_region_that_is_newer_than_botocore_is_one() -> None:
    assert aws.partition_of("eu-central-9") == aws.COMMERCIAL


def test_a_record_is_judged_in_the_region_that_the_variable_names(
    command: Command, shell: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shell.setenv("AWS_REGION", "eu-central-1")
    shell.setenv("AWS_DEFAULT_REGION", "cn-north-1")
    assert command("validate_migration", "--config-file", "acme.json").code == 0


@pytest.mark.parametrize("name", ["client_manager add", "client_manager import", "client_manager update"])
def test_a_record_is_not_blamed_for_the_partition_of_the_region(
    name: str, command: Command, shell: pytest.MonkeyPatch, left: Emulator
) -> None:
    shell.setenv("AWS_REGION", "cn-north-1")
    ended = command(name, *COMMANDS[name])
    assert (ended.code, left.requests) == (2, [])
    assert "AWS_REGION: cn-north-1 is in the partition aws-cn" in ended.err
    assert command(name, *COMMANDS[name], "--local").err.startswith("LOCAL EMULATOR")
