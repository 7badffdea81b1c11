"""What `sam local` is given: a template and variables with which no function leaves this machine by mistake."""

import json
import os
import shutil
import socket
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import boto3
import pytest
import typer
import yaml

from local import deployment, process, sam_local
from local.deployment import SAM, credentials
from local.sam_local import DECLARED, ENDPOINTS, copied
from local.stack import an_address
from tests.contract.documents import ROOT, functions

TEMPLATE = ROOT / "template.yaml"
REAL = {
    "AWS_ACCESS_KEY_ID": "AKIAOFSOMEACCOUNTS00",
    "AWS_SECRET_ACCESS_KEY": "of-some-account",
    "AWS_SESSION_TOKEN": "of-some-account",
    "AWS_DEFAULT_REGION": "eu-west-1",
}
"""Credentials as a shell may have them."""


def tree(text: str) -> Any:
    """A template with each node as its tag and value."""

    def plain(node: Any) -> Any:
        if isinstance(node, yaml.MappingNode):
            return node.tag, {key.value: plain(value) for key, value in node.value}
        if isinstance(node, yaml.SequenceNode):
            return node.tag, [plain(each) for each in node.value]
        return node.tag, node.value

    return plain(yaml.compose(text))


def at(node: Any, *names: str) -> Any:
    for name in names:
        node = node[1][name]
    return node


@pytest.fixture
def copy(tmp_path: Path) -> Any:
    return tree(copied(TEMPLATE, tmp_path, "arm64"))


def test_the_copy_declares_the_endpoints_and_the_credentials_and_leaves_them_empty(copy: Any) -> None:
    there = at(copy, "Globals", "Function", "Environment", "Variables")[1]
    assert {name: there[name] for name in DECLARED} == dict.fromkeys(DECLARED, ("tag:yaml.org,2002:str", ""))


def test_the_copy_differs_in_nothing_else_but_where_it_lies_and_for_which_machine(copy: Any, tmp_path: Path) -> None:
    original = tree(TEMPLATE.read_text())
    there = at(copy, "Globals", "Function", "Environment", "Variables")[1]
    for name in DECLARED:
        del there[name]
    assert at(copy, "Parameters", "Architecture", "Default")[1] == "arm64"
    original[1]["Parameters"][1]["Architecture"][1]["Default"] = at(copy, "Parameters", "Architecture", "Default")
    paths = 0
    for name, resource in at(original, "Resources")[1].items():
        for key in {"CodeUri", "ContentUri", "DefinitionUri"} & resource[1]["Properties"][1].keys():
            was, now = (at(each, "Resources", name, "Properties", key)[1] for each in (original, copy))
            assert (tmp_path / now).resolve() == (ROOT / was).resolve()
            resource[1]["Properties"][1][key] = at(copy, "Resources", name, "Properties", key)
            paths += 1
    assert paths == len(functions()) + 3  # the layers and the state machine
    assert copy == original


@pytest.mark.parametrize("name", ENDPOINTS)
def test_an_empty_endpoint_is_none_for_botocore(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for each in ENDPOINTS:
        monkeypatch.delenv(each, raising=False)
    client = "ce" if name.endswith("COST_EXPLORER") else "dynamodb"

    def endpoint() -> str:
        return str(boto3.Session("a", "b", region_name="eu-west-1").client(client).meta.endpoint_url)

    usual = endpoint()
    monkeypatch.setenv(name, "")
    assert endpoint() == usual
    monkeypatch.setenv(name, "http://10.88.0.1:4566")
    assert endpoint() == "http://10.88.0.1:4566"


def resolved(variables: dict[str, str], shell: dict[str, str], overrides: dict[str, str]) -> dict[str, str]:
    """The environment that SAM gives a function: by its own code, which runs with its own interpreter."""
    asked = json.dumps({"variables": variables, "shell": shell, "overrides": overrides})
    code = """if True:
        import json, sys
        from samcli.local.lambdafn.env_vars import EnvironmentVariables
        asked = json.load(sys.stdin)
        creds = {"key": asked["shell"]["AWS_ACCESS_KEY_ID"], "secret": asked["shell"]["AWS_SECRET_ACCESS_KEY"],
                 "sessiontoken": asked["shell"]["AWS_SESSION_TOKEN"], "region": asked["shell"]["AWS_DEFAULT_REGION"]}
        print(json.dumps(EnvironmentVariables("f", 512, 30, "app.handler", variables=asked["variables"],
              shell_env_values=asked["shell"], override_values=asked["overrides"], aws_creds=creds).resolve()))"""
    done = subprocess.run(
        [SAM.parent / "python", "-I", "-c", code], input=asked, capture_output=True, text=True, check=True
    )
    return dict(json.loads(done.stdout))


def test_whatever_the_shell_has_a_function_has_the_emulators_endpoint_credentials_and_region() -> None:
    ours = dict.fromkeys(ENDPOINTS, "http://10.88.0.1:4566") | credentials()
    ours |= {"AWS_SESSION_TOKEN": "", "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1"}
    assert ours.keys() == set(DECLARED)
    shell = REAL | dict.fromkeys(ENDPOINTS, "http://127.0.0.1:1") | {"AWS_REGION": "eu-west-1"}
    given = resolved(dict.fromkeys(DECLARED, ""), shell, ours)
    assert {name: given[name] for name in DECLARED} == ours


def test_an_undeclared_variable_is_not_set_which_is_why_they_are_declared() -> None:
    given = resolved({}, REAL, {"AWS_ENDPOINT_URL": "http://10.88.0.1:4566"})
    assert "AWS_ENDPOINT_URL" not in given
    assert given["AWS_ACCESS_KEY_ID"] == REAL["AWS_ACCESS_KEY_ID"]


def test_samconfig_names_both_files_for_both_commands() -> None:
    known = tomllib.loads((ROOT / "samconfig.toml").read_text())["default"]
    files = {"template_file": "out/sam/template.yaml", "env_vars": "out/sam/env.json"}
    for command in ("local_invoke", "local_start_lambda"):
        assert known[command]["parameters"] == files
    assert sam_local.folder_of(ROOT / "out" / "local") == ROOT / "out" / "sam"


def sam(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`sam local …` in ``folder``, without an engine of containers, and with credentials of some account."""
    environment = os.environ | REAL | {"SAM_CLI_TELEMETRY": "0", "DOCKER_HOST": f"unix://{folder}/no-engine.sock"}
    return subprocess.run(
        [SAM, "local", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with the files that `sam local` finds in a checkout in which no local stack was started."""
    for name in ("samconfig.toml", "template.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "events", tmp_path / "events")
    return tmp_path


def written(checkout: Path) -> sam_local.SamLocal:
    """What `make local-up` would write there."""
    found = sam_local.SamLocal(checkout / "out" / "sam", "http://10.88.0.1:1", "10.88.0.1", "x86_64", True)
    found.folder.mkdir(parents=True)
    found.template.write_text(copied(TEMPLATE, found.folder, "x86_64"))
    found.variables.write_text("{}")
    (found.folder / "samconfig.toml").write_text(sam_local.beside(found))
    return found


INVOKE = ("invoke", "SendEmailFunction", "--event", "events/send_email.json")


@pytest.mark.timeout(900)  # three times the SAM CLI, which takes long to start on a machine that is at work
def test_without_the_variables_the_call_stops_before_any_container(checkout: Path) -> None:
    found = written(checkout)
    found.variables.unlink()
    for command in (INVOKE, (*INVOKE, "--template-file", str(found.template)), ("start-lambda",)):
        done = sam(checkout, *command)
        assert done.returncode != 0
        assert "env.json' does not exist" in done.stderr
        assert "container" not in done.stderr


def test_without_the_template_the_call_stops_although_there_is_another_one(checkout: Path) -> None:
    found = written(checkout)
    found.template.unlink()
    done = sam(checkout, *INVOKE)
    assert done.returncode != 0
    assert f"Template file not found at {found.template.resolve()}" in done.stderr


def test_with_both_it_is_the_engine_that_is_lacking(checkout: Path) -> None:
    written(checkout)
    done = sam(checkout, *INVOKE)
    assert done.returncode != 0
    assert "container runtime" in done.stderr


def test_a_deployable_build_is_taken_while_its_sources_are_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sam_local, "DEPLOYABLE", tmp_path / "build")
    stamp = tmp_path / "build.json"
    assert sam_local.newest_build() == deployment.BUILD
    for broken in ("", "[]", "{}", '{"made_from": 1}', '{"made_from": "{"}', '{"made_from": "{}"}'):
        stamp.write_text(broken)
        assert sam_local.newest_build() == deployment.BUILD
    for inputs, taken in ((deployment.fingerprint(), tmp_path / "build"), ("of yesterday", deployment.BUILD)):
        stamp.write_text(json.dumps({"made_from": json.dumps({"architecture": "x86_64", "inputs": inputs})}))
        assert sam_local.newest_build() == taken


@pytest.mark.parametrize(
    ("module", "architecture"),
    [
        ("_pydantic_core.cpython-313-x86_64-linux-gnu.so", "x86_64"),
        ("_pydantic_core.cpython-313-aarch64-linux-gnu.so", "arm64"),
        ("_pydantic_core.cpython-313-darwin.so", None),
        ("", None),
    ],
)
def test_a_build_is_for_the_machine_that_its_compiled_modules_are_for(
    module: str, architecture: str | None, tmp_path: Path
) -> None:
    folder = tmp_path / "CommonLayer" / "python" / "pydantic_core"
    folder.mkdir(parents=True)
    if module:
        (folder / module).touch()
    assert sam_local.architecture_of(tmp_path) == architecture


def test_when_the_stack_ends_its_files_go(tmp_path: Path) -> None:
    folder = sam_local.folder_of(tmp_path / "local")
    assert folder == tmp_path / "sam"
    folder.mkdir()
    for name in ("env.json", "template.yaml", "samconfig.toml"):
        (folder / name).touch()
    sam_local.remove(tmp_path / "local")
    sam_local.remove(tmp_path / "local")
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("address", ["", "10.88.0.1", "172.17.0.1", "192.168.127.1"])
def test_listen_takes_an_address_for_containers(address: str) -> None:
    assert an_address(address) == address


@pytest.mark.parametrize("address", ["0.0.0.0", "127.0.0.1", "8.8.8.8", "bridge", "::", "10.88.0.1:80", "10.88.0"])
def test_listen_refuses_what_would_let_others_in_or_is_none(address: str) -> None:
    with pytest.raises(typer.BadParameter, match=r"LISTEN: .*10\.88\.0\.1"):
        an_address(address)


def opens(address: str, port: int) -> bool:
    with socket.socket() as asked:
        asked.settimeout(5)
        return asked.connect_ex((address, port)) == 0


@pytest.mark.skipif(not Path("/proc/net").is_dir(), reason="only Linux has a whole network of loopback addresses")
def test_the_emulator_listens_at_the_loopback_only_unless_it_is_given_an_address(tmp_path: Path) -> None:
    for listen in ("", "127.0.0.2"):
        try:
            emulator = process.start(tmp_path, listen=listen, attached=True)
            assert emulator.listen == listen
            assert [opens(f"127.0.0.{last}", emulator.port) for last in (1, 2, 3)] == [True, bool(listen), False]
        finally:
            process.stop(tmp_path)


@pytest.mark.skipif(not Path("/proc/net").is_dir(), reason="only Linux lets a socket wait for its address")
def test_the_emulator_waits_for_an_address_that_podman_makes_later(tmp_path: Path) -> None:
    try:
        emulator = process.start(tmp_path, listen="10.255.254.253", attached=True)
        assert opens("127.0.0.1", emulator.port)
    finally:
        process.stop(tmp_path)
