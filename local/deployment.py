"""`sam build` and `sam deploy` of the template, exactly as for AWS, with the emulator as the endpoint.

Both are left out when nothing has changed: the build when its inputs are the same, the deployment when the build is the
same and the emulated account still the one that it went to.
"""

import fcntl
import hashlib
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3

from local.process import ROOT, Emulator, NotPossible

SAM = ROOT / ".tools" / "sam" / "bin" / "sam"
BUILD = ROOT / ".aws-sam" / "local"
"""Apart from the container builds in .aws-sam/build: a PDF layer for this machine must never be deployed to AWS."""

INPUTS = ("template.yaml", "samconfig.toml", "statemachine", "functions", "src", "layers")
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
        _sam("build", "--build-dir", str(BUILD), "--cache-dir", str(BUILD.parent / "local-cache"))
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


def outputs(emulator: Emulator) -> dict[str, str]:
    """The outputs of the deployed stack."""
    formation = session().client("cloudformation", endpoint_url=emulator.endpoint)
    (stack,) = formation.describe_stacks(StackName=STACK)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def fingerprint() -> str:
    """A hash of all that a build depends on."""
    digest = hashlib.sha256()
    for path in inputs():
        digest.update(f"{path.relative_to(ROOT)}\0{path.stat().st_mode & 0o777:o}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    digest.update(str(_python()).encode())
    return digest.hexdigest()


def inputs() -> Iterator[Path]:
    """The files of a build, in order."""
    for name in INPUTS:
        top = ROOT / name
        for path in [top] if top.is_file() else sorted(top.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith("."):
                yield path


@contextmanager
def only_one() -> Iterator[None]:
    """Two stacks of one checkout share a build."""
    BUILD.parent.mkdir(exist_ok=True)
    with (BUILD.parent / "local.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _python() -> Path:
    """The real interpreter, whose folder must come first on PATH: sam takes no shim of a version manager."""
    return (ROOT / ".tools" / "python").resolve()


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
        "PANGO": "host",  # the PDF layer's build.sh refuses to build anywhere but in Lambda's image without this
        "SAM_CLI_POLL_DELAY": "0.2",
        "PATH": f"{SAM.parent}{os.pathsep}{_python().parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
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
