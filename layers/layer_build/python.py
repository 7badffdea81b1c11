"""The Python part of a layer: wheels for Lambda by platform tag, compiled, with nothing that tells where it was built.

A wheel for Lambda is one that PEP 600 allows on glibc 2.34 (manylinux_2_34 and all below it), whatever this machine is.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from layer_build.faults import NotSound, WrongInput
from layer_build.fetching import ROOT

UV: Final = ROOT / ".tools" / "uv" / "bin" / "uv"
PLATFORMS: Final = {"x86_64": "x86_64-manylinux_2_34", "arm64": "aarch64-manylinux_2_34"}
_UNUSED: Final = ("bin", "share", ".lock", "CACHEDIR.TAG")
_SOURCES: Final = (".c", ".h", ".pyx")


def install(requirements: Path, target: Path, platform: str | None) -> None:
    """The wheels of a lock, by hash, into ``target``: for an architecture of Lambda, or for this machine (None)."""
    target.mkdir(parents=True)
    locked = ["--require-hashes", "--requirement", str(requirements), "--target", str(target), "--only-binary", ":all:"]
    if UV.exists():
        command = [str(UV), "pip", "install", "--quiet", "--no-deps", "--link-mode", "copy", *locked]
        command += ["--python", sys.executable]
        if platform is not None:
            command += ["--python-platform", PLATFORMS[platform], "--python-version", "3.13"]
    elif platform is None or _is_lambda_s_own_image():
        command = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-compile",
            *locked,
        ]
    else:
        raise WrongInput("the tools of the build are not installed: run `make setup`, or `make build`, which does it")
    environment = {name: value for name, value in os.environ.items() if name not in {"VIRTUAL_ENV", "PYTHONPATH"}}
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-20:])
        raise NotSound(f"the wheels of {requirements.parent.name}/{requirements.name} cannot be had:\n{said}")


def _is_lambda_s_own_image() -> bool:
    """Where a wheel of this machine is one of Lambda's."""
    release = Path("/etc/os-release")
    return release.is_file() and 'ID="amzn"' in release.read_text(encoding="utf-8")


def trim(target: Path) -> None:
    """Remove what Lambda never reads (commands, tests, sources of compiled modules), and its lines in RECORD."""
    for name in _UNUSED:
        path = target / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    for folder in sorted(target.rglob("*"), reverse=True):
        if folder.is_dir() and folder.name in {"tests", "__pycache__"}:
            shutil.rmtree(folder)
    for path in list(target.rglob("*")):
        if path.is_file() and path.suffix in _SOURCES:
            path.unlink()
    for record in target.glob("*.dist-info/RECORD"):
        lines = record.read_text(encoding="utf-8").splitlines(keepends=True)
        record.write_text("".join(line for line in lines if _is_there(line, target)), encoding="utf-8")


def _is_there(line: str, target: Path) -> bool:
    """Whether a line of RECORD (name, hash, size; the name quoted if it has a comma) is about a file of the layer."""
    name = line[1:].partition('"')[0] if line.startswith('"') else line.partition(",")[0]
    return not name.startswith("..") and (target / name).is_file()


def compile_all(artifacts: Path) -> None:
    """Compile every module once and for all: Lambda could not keep what it compiles, and need not check it.

    Tracebacks and modules name the files as they are on Lambda, below /opt.
    """
    command = [
        sys.executable,
        "-sE",
        "-m",
        "compileall",
        "-q",
        "-f",
        "-j",
        "0",
        "--invalidation-mode",
        "unchecked-hash",
    ]
    done = subprocess.run(
        [*command, "-s", str(artifacts), "-p", "/opt", str(artifacts)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise NotSound(f"a module of {artifacts.name} does not compile:\n{done.stdout}{done.stderr}")
