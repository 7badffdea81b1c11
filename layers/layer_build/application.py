"""`make build` and `make deploy`: the whole application for AWS, by `sam build` and `sam deploy`.

What is built for Lambda is in .aws-sam/build, and what is built for the emulated account in .aws-sam/local: neither is
ever put into the place of the other. A build is done again only if something that it is made of has changed, or the
folder no longer holds what was built; it is checked each time.
"""

import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from layer_build import building, content, fetching, gate
from layer_build.faults import NotBuilt, NotSound, WrongInput

ROOT: Final = fetching.ROOT
SAM: Final = ROOT / ".tools" / "sam" / "bin" / "sam"
BUILD: Final = ROOT / ".aws-sam" / "build"
INPUTS: Final = (
    "template.yaml",
    "samconfig.toml",
    "statemachine",
    "functions",
    "src",
    "layers",
    "requirements/zig.txt",
)
LAYERS: Final[Mapping[str, str]] = {"common": "CommonLayer", "pdf": "PdfLayer"}
WAYS: Final = ("debian", "amazon")


def build(architecture: str, way: str = "debian") -> list[str]:
    """Build for ``architecture`` unless that is what is there; the lines that say what there is. Raises NotBuilt."""
    made_from = json.dumps({"architecture": architecture, "way": way, "inputs": fingerprint()})
    stamp = BUILD.with_name("build.json")
    before = _told(stamp)
    if before.get("made_from") == made_from and before.get("layers") == layers_there(BUILD):
        return examined(BUILD, architecture)
    stamp.unlink(missing_ok=True)
    if way == "debian":
        building.native(architecture)  # what cannot be had is said here, and not in the middle of what sam says
    sam(
        "build",
        *_of(way),
        "--no-cached",
        "--parameter-overrides",
        f"Architecture={architecture}",
        architecture=architecture,
        way=way,
    )
    _only_for(architecture, BUILD / "template.yaml")
    lines = examined(BUILD, architecture)
    stamp.write_text(json.dumps({"made_from": made_from, "layers": layers_there(BUILD)}), encoding="utf-8")
    return lines


def deploy(architecture: str, way: str, configuration: Path = ROOT / "samconfig.toml") -> None:
    """Build if that is needed, then `sam deploy`: with questions until they were answered once.

    Raises WrongInput if the stack is said to be, or is, of another architecture.
    """
    answers = answers_of(configuration)
    agree(architecture, answers, living(answers))
    print(*build(architecture, way), sep="\n", flush=True)
    command = [str(SAM), "deploy", *([] if "region" in answers else ["--guided"])]
    print(f"+ sam {' '.join(command[1:])}", file=sys.stderr, flush=True)
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **_tools(), "SAM_CLI_TELEMETRY": "0"}, check=False)
    if done.returncode != 0:
        raise NotBuilt("`sam deploy` ended with a failure, which it says above")


def agree(architecture: str, answers: Mapping[str, Any], stack: str | None) -> None:
    """Raise WrongInput unless the architecture of the build is the one that the stack is to have."""
    said = overrides(answers.get("parameter_overrides")).get("Architecture")
    if said is not None and said != architecture:
        raise WrongInput(
            f"ARCHITECTURE: this build is for {architecture}, and samconfig.toml says Architecture={said}. "
            f"`make deploy ARCHITECTURE={said}`, or change samconfig.toml."
        )
    if said is None and stack is not None and stack != architecture:
        raise WrongInput(
            f"ARCHITECTURE: this build is for {architecture}, and the stack is deployed for {stack}. "
            f"`make deploy ARCHITECTURE={stack}`; to move the stack, put Architecture={architecture} into "
            "parameter_overrides in samconfig.toml."
        )


def answers_of(configuration: Path) -> dict[str, Any]:
    """What samconfig.toml says about `sam deploy`. The region is there once `sam deploy --guided` has asked for it."""
    if not configuration.is_file():
        return {}
    try:
        said = tomllib.loads(configuration.read_text(encoding="utf-8")).get("default", {})
        return {**said.get("global", {}).get("parameters", {}), **said.get("deploy", {}).get("parameters", {})}
    except (tomllib.TOMLDecodeError, AttributeError) as fault:
        raise WrongInput(f"{configuration.name}: it cannot be read: {fault}") from fault


def overrides(said: Any) -> dict[str, str]:
    """parameter_overrides in each spelling that sam takes: a text, a list of texts, a table, a list of tables."""
    if isinstance(said, Mapping):
        if {"ParameterKey", "ParameterValue"} <= set(said):
            return {str(said["ParameterKey"]): str(said["ParameterValue"])}
        return {str(key): str(value) for key, value in said.items()}
    if isinstance(said, list):
        return {key: value for each in said for key, value in overrides(each).items()}
    found = {}
    for word in shlex.split(str(said or "")):
        if spelled := re.fullmatch(r"ParameterKey=([^,]+),ParameterValue=(.*)", word):
            found[spelled[1]] = spelled[2]
        elif "=" in word:
            key, _, value = word.partition("=")
            found[key] = value
    return found


def living(answers: Mapping[str, Any]) -> str | None:
    """The architecture of the deployed stack; None if there is none, or if it cannot be asked, which is said."""
    if "region" not in answers:
        return None  # it was never deployed from here
    command = [str(SAM.with_name("aws")), "cloudformation", "describe-stacks", "--output", "json"]
    command += ["--stack-name", str(answers.get("stack_name", "cost-reporting")), "--region", str(answers["region"])]
    if "profile" in answers:
        command += ["--profile", str(answers["profile"])]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        if "does not exist" not in done.stderr:
            print(f"not checked: the deployed stack's architecture: {done.stderr.strip()}", file=sys.stderr, flush=True)
        return None
    (stack,) = json.loads(done.stdout)["Stacks"]
    found: dict[str, str] = {each["ParameterKey"]: each["ParameterValue"] for each in stack.get("Parameters", [])}
    return found.get("Architecture")


def examined(folder: Path, architecture: str) -> list[str]:
    """One line for each layer below ``folder``, and one for their libraries. Raises NotSound with every fault."""
    lines: list[str] = []
    faults: list[str] = []
    files, highest = 0, gate.NONE
    for name, layer in LAYERS.items():
        if not (folder / layer).is_dir():
            raise NotSound(f"{folder / layer} is not there: `make build`")
        found = gate.examine(folder / layer, architecture, gate.ROOTS[name])
        faults += [building.refused(name, found)] if found.faults else []
        files, highest = files + found.files, max(highest, found.glibc)
        what = content.content(folder / layer)
        lines.append(f"layer {name} {architecture} {what.size} sha256:{what.sha256}")
    if faults:
        raise NotSound("\n".join([*faults, "`make build` builds for Lambda."]))
    return [*lines, f"elf {files} checked, highest {gate.said(highest)}"]


def layers_there(folder: Path) -> dict[str, str]:
    """What the folder of a build holds: each layer's hash, and the template's."""
    there = {layer: content.content(folder / layer).sha256 for layer in LAYERS.values() if (folder / layer).is_dir()}
    template = folder / "template.yaml"
    return there | ({"template": hashlib.sha256(template.read_bytes()).hexdigest()} if template.is_file() else {})


def fingerprint(*more: str) -> str:
    """A hash of all that a build depends on."""
    digest = hashlib.sha256()
    for path in inputs():
        digest.update(f"{path.relative_to(ROOT)}\0{path.stat().st_mode & 0o777:o}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    for each in (str(interpreter()), *more):
        digest.update(each.encode())
    return digest.hexdigest()


def inputs() -> Iterator[Path]:
    """The files of a build, in order."""
    for name in INPUTS:
        top = ROOT / name
        for path in [top] if top.is_file() else sorted(top.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith("."):
                yield path


def interpreter() -> Path:
    """The real interpreter, whose folder must come first on PATH: sam takes no shim of a version manager."""
    return (ROOT / ".tools" / "python").resolve()


def sam(*arguments: str, architecture: str, way: str) -> None:
    """Run `sam` with the tools of this checkout. Raises NotSound with the end of what it said."""
    if not SAM.exists():
        raise WrongInput("the SAM CLI is not installed: `make setup`")
    unwanted = ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME")
    environment = {name: value for name, value in os.environ.items() if name not in unwanted}
    environment |= {**_tools(), "SAM_CLI_TELEMETRY": "0", "ARCHITECTURE": architecture, "PANGO": way}
    done = subprocess.run(
        [str(SAM), *arguments],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        said = (done.stdout + done.stderr).strip().splitlines()
        wanted = [
            line for line in said if not re.match(r"(Building codeuri|requirements.txt file not found| Running )", line)
        ]
        raise NotSound(f"`sam {arguments[0]}` failed:\n" + "\n".join(f"    {line}" for line in wanted[-40:]))


def _of(way: str) -> list[str]:
    return ["--use-container"] if way == "amazon" else ["--no-use-container"]


def _tools() -> dict[str, str]:
    folders = (str(SAM.parent), str(interpreter().parent), os.environ.get("PATH", os.defpath))
    return {"PATH": os.pathsep.join(folders)}


def _told(stamp: Path) -> dict[str, Any]:
    try:
        said = json.loads(stamp.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}


_PARAMETER: Final = re.compile(
    r"(?m)^  Architecture:\n(?:    .*\n)*?    Default: (?P<default>\S+)\n"
    r"    AllowedValues:\n(?P<allowed>(?:    - \S+\n)+)"
)


def _only_for(architecture: str, template: Path) -> None:
    """Let the built template take no other architecture: CloudFormation itself refuses to deploy it for another."""
    text = template.read_text(encoding="utf-8")
    found = _PARAMETER.search(text)
    if found is None:
        raise NotSound(f"{template.name}: the parameter Architecture is not where it was expected")
    stated = found[0].replace(found["allowed"], f"    - {architecture}\n")
    stated = stated.replace(f"Default: {found['default']}", f"Default: {architecture}")
    template.write_text(text.replace(found[0], stated), encoding="utf-8")
