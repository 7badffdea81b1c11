"""`sam build` and `sam deploy` of the template, exactly as for AWS, with the emulator as the endpoint.

Both are left out when nothing has changed: the build when its inputs are the same, the deployment when the build is the
same and the emulated account still the one that it went to.
"""

import fcntl
import hashlib
import json
import os
import shlex
import shutil
import subprocess
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import boto3

from layer_build.application import SAM, fingerprint, interpreter
from local.process import ROOT, Emulator, NotPossible

BUILD = ROOT / ".aws-sam" / "local"
"""Apart from what `make build` builds for AWS: a PDF layer for this machine must never be deployed there."""

STACK = "cost-reporting"
REGION = "us-east-1"
ACCOUNT = "111122223333"
SECRET = "local"  # noqa: S105 - of every account's root, whose access key is the account's id; nobody checks it
ARTIFACTS = f"sam-artifacts-{ACCOUNT}"


def credentials() -> dict[str, str]:
    """Environment variables of our own account's root."""
    return {"AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": SECRET}


def session(account: str = ACCOUNT) -> boto3.Session:
    """A session of the root of ``account``, whatever this machine's own AWS configuration says."""
    return boto3.Session(account, SECRET, region_name=REGION)


def build() -> str:
    """Build if the inputs have changed. The returned fingerprint names what was built."""
    with only_one():
        made_from = fingerprint()
        stamp = BUILD / ".made-from"
        if stamp.exists() and stamp.read_text() == made_from:
            return made_from
        stamp.unlink(missing_ok=True)
        _sam("build", "--build-dir", str(BUILD), "--cache-dir", str(_cache()))
        stamp.write_text(made_from)
        return made_from


def deploy(emulator: Emulator, made_from: str) -> bool:
    """Deploy what was built. False: this account has it already."""
    stamp = emulator.folder / "deployed.json"
    said = json.dumps({"made_from": made_from, "emulator": emulator.pid})
    if stamp.exists() and stamp.read_text() == said:
        return False
    stamp.unlink(missing_ok=True)
    bucket = session().resource("s3", endpoint_url=emulator.endpoint).Bucket(ARTIFACTS)
    bucket.create()
    with only_one():
        _sam(
            "deploy", "--template-file", str(BUILD / "template.yaml"), "--region", REGION,
            "--no-resolve-s3", "--s3-bucket", bucket.name, "--no-progressbar",
            endpoint=emulator.endpoint,
        )  # fmt: skip
    stamp.write_text(said)
    return True


def package(emulator: Emulator, built: Path = BUILD) -> Path:
    """`sam package`: the template of what is in ``built``, once its artefacts are in the account's bucket."""
    packaged = emulator.folder / "packaged.yaml"
    session().resource("s3", endpoint_url=emulator.endpoint).Bucket(ARTIFACTS).create()
    with only_one():
        _sam(
            "package", "--template-file", str(built / "template.yaml"), "--output-template-file", str(packaged),
            "--region", REGION, "--s3-bucket", ARTIFACTS, "--no-progressbar",
            endpoint=emulator.endpoint,
        )  # fmt: skip
    return packaged


def deploy_stack(
    emulator: Emulator, template: Path, parameters: Mapping[str, str] | None = None, *, stack: str = STACK
) -> None:
    """`sam deploy` of a packaged ``template``, whatever is deployed.

    A new stack gets the parameters that samconfig.toml has for the local one, but for those that are named; a stack
    that is there keeps the values of all that are not named. Raises NotPossible with what sam said.
    """
    named = dict(parameters or {})
    if not exists(emulator, stack):
        named = default_parameters() | named
    overrides = [f'{key}="{value}"' for key, value in named.items()] or [""]
    _sam(
        "deploy", "--template-file", str(template), "--region", REGION, "--stack-name", stack,
        "--no-resolve-s3", "--s3-bucket", ARTIFACTS, "--no-progressbar", "--parameter-overrides", *overrides,
        endpoint=emulator.endpoint,
    )  # fmt: skip


def delete_stack(emulator: Emulator, *, stack: str = STACK) -> None:
    """`sam delete`, unasked. The artefacts stay in their bucket, since sam is told another one to clear."""
    nothing = session().resource("s3", endpoint_url=emulator.endpoint).Bucket(f"{ARTIFACTS}-none")
    nothing.create()
    _sam(
        "delete", "--stack-name", stack, "--region", REGION, "--no-prompts", "--s3-bucket", nothing.name,
        endpoint=emulator.endpoint,
    )  # fmt: skip
    nothing.delete()


def exists(emulator: Emulator, stack: str) -> bool:
    """Whether there is a stack of this name that `sam deploy` would update."""
    formation = session().client("cloudformation", endpoint_url=emulator.endpoint)
    pages = formation.get_paginator("list_stacks").paginate()
    return any(
        each["StackName"] == stack and each["StackStatus"] not in ("DELETE_COMPLETE", "REVIEW_IN_PROGRESS")
        for page in pages
        for each in page["StackSummaries"]
    )


def default_parameters() -> dict[str, str]:
    """What samconfig.toml has for the local stack."""
    configured = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    overrides = configured["local"]["deploy"]["parameters"]["parameter_overrides"]
    return dict(each.split("=", 1) for each in shlex.split(overrides))


def outputs(emulator: Emulator, *, stack: str = STACK) -> dict[str, str]:
    """The outputs of the deployed stack."""
    formation = session().client("cloudformation", endpoint_url=emulator.endpoint)
    (found,) = formation.describe_stacks(StackName=stack)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}


@contextmanager
def only_one() -> Iterator[None]:
    """Two stacks of one checkout share a build."""
    BUILD.parent.mkdir(exist_ok=True)
    with (BUILD.parent / "local.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _cache() -> Path:
    """sam's cache of layers. It sees changes of a layer's sources, but not of what builds them: each has its own."""
    builders = [ROOT / "layers" / "Makefile", *sorted((ROOT / "layers" / "layer_build").glob("*.py"))]
    digest = hashlib.sha256(b"\0".join(path.read_bytes() for path in builders)).hexdigest()[:12]
    cache = BUILD.parent / f"local-cache-{digest}"
    for old in BUILD.parent.glob("local-cache*"):
        if old != cache:
            shutil.rmtree(old)
    return cache


def _sam(*arguments: str, endpoint: str = "") -> None:
    if not SAM.exists():
        raise NotPossible("The SAM CLI is not installed. Run `make setup` first.")
    unwanted = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_DEFAULT_PROFILE", "VIRTUAL_ENV", "PYTHONPATH")
    environment = {
        **{name: value for name, value in os.environ.items() if name not in unwanted},
        **credentials(),
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_DEFAULT_REGION": REGION,
        "SAM_CLI_TELEMETRY": "0",
        "PANGO": "host",  # a PDF layer without native libraries, which is built into this folder only
        "SAM_CLI_POLL_DELAY": "0.2",
        "PATH": f"{SAM.parent}{os.pathsep}{interpreter().parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
    }
    if not endpoint:
        del environment["AWS_ENDPOINT_URL"]
    # sam looks for its configuration beside the template, which is the built one here.
    configuration = ["--config-env", "local", "--config-file", str(ROOT / "samconfig.toml")]
    done = subprocess.run(
        [str(SAM), *arguments, *configuration], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        said = (done.stdout + done.stderr).strip().splitlines()[-40:]
        raise NotPossible(f"`sam {arguments[0]}` failed:\n" + "\n".join(f"    {line}" for line in said))
