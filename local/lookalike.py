"""`.venv/bin/python -m local.lookalike`: an image like AWS's for Python, for machines that cannot fetch that one.

`sam local` runs functions in `public.ecr.aws/lambda/python:3.13`. This makes an image of another name out of the
machine's own files, without a registry of images: the interpreter of `make setup`, a shell and the commands that SAM
needs to add layers, their libraries, Pango's unless --bare says that the PDF layer brings it, and from PyPI what
`requirements/lookalike.txt` locks. Linux only.

    .venv/bin/python -m local.lookalike
    .tools/sam/bin/sam local invoke … --skip-pull-image --invoke-image localhost/cost-reporting-lambda:python3.13

It is no Amazon Linux: its C library and Pango are this machine's. That a function runs in it proves the template, the
variables, the handler, the layers' contents and the way to the emulator; not that the layers run on AWS.
"""

import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Final

import typer

from local.process import ROOT, NotPossible
from local.setup import NATIVE_LIBRARIES
from local.stack import main_of

IMAGE: Final = "localhost/cost-reporting-lambda:python3.13"
COMMANDS: Final = ("sh", "cp", "mv", "rm", "chmod", "mkdir")
"""What SAM's Dockerfile calls to add layers (SAM CLI 1.170, samcli/local/docker/lambda_image.py), and `sh` for it."""
ENGINES: Final = ("docker", "podman")
BASE_LIBRARIES: Final = tuple(
    (name,)
    for name in (
        "libc.so.6",
        "libm.so.6",
        "libdl.so.2",
        "libpthread.so.0",
        "librt.so.1",
        "libstdc++.so.6",
        "libgcc_s.so.1",
    )
)
"""What the layers' compiled modules take from Lambda's base system."""
ZONES: Final = Path("/usr/share/zoneinfo")
BOOTSTRAP: Final = """\
#!/bin/sh
export PYTHONPATH=/var/task:/opt/python/lib/python3.13/site-packages:/opt/python:/var/runtime
cd /var/task && exec /var/lang/bin/python3.13 -m awslambdaric "$_HANDLER"
"""
"""AWS's own starts the same module, and looks for packages in the same places in this order (Lambda Developer Guide,
"Working with layers for Python Lambda functions", and "Search path" of "Define Lambda function handler in Python")."""
VARIABLES: Final = {
    "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin:/bin:/opt/bin",
    "LD_LIBRARY_PATH": "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib",
    "LANG": "en_US.UTF-8",
    "TZ": ":/etc/localtime",
    "LAMBDA_TASK_ROOT": "/var/task",
    "LAMBDA_RUNTIME_DIR": "/var/runtime",
}
"""As in AWS's image (Lambda Developer Guide, "Using Lambda environment variables")."""

_FINDS: Final = """
import ctypes, sys
for names in {names}:
    ctypes.CDLL(names[0])
print(*{{line.split()[-1] for line in open("/proc/self/maps") if ".so" in line}}, sep="\\n")
"""


def build(
    *, bare: Annotated[bool, typer.Option("--bare", help="Without Pango: the PDF layer must bring it.")] = False
) -> None:
    """Make the image, for Docker or podman, whichever is here."""
    if sys.platform != "linux":
        raise NotPossible("The look-alike is made of a Linux machine's files. Elsewhere use AWS's image, with Docker.")
    engine = next(filter(answers, ENGINES), None)
    if engine is None:
        raise NotPossible("Neither Docker nor podman answers. On Debian: apt-get install podman")
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder, "image.tar")
        with tarfile.open(archive, "w") as tar:
            fill(tar, Path(folder), bare=bare)
        changes = [part for name, value in VARIABLES.items() for part in ("--change", f"ENV {name}={value}")]
        subprocess.run(
            [engine, "import", *changes, "--change", "WORKDIR /var/task", str(archive), IMAGE],
            check=True,
            stdout=subprocess.DEVNULL,
        )
    print(f"{IMAGE} for {engine}{', without Pango' if bare else ''}")


def answers(engine: str) -> bool:
    """Whether a container engine is installed and works."""
    return (
        shutil.which(engine) is not None
        and subprocess.run([engine, "info"], capture_output=True, check=False).returncode == 0
    )


def fill(tar: tarfile.TarFile, folder: Path, *, bare: bool) -> None:
    """Put the files of the image into ``tar``."""
    python = (ROOT / ".tools" / "python").resolve()
    library = Path(_said(str(python), "-I", "-c", "import sysconfig; print(sysconfig.get_path('stdlib'))").strip())
    commands = {name: Path(_found(name)).resolve() for name in COMMANDS}
    programs = [python, *commands.values(), *library.glob("lib-dynload/*.so")]
    opened = BASE_LIBRARIES if bare else (*BASE_LIBRARIES, *NATIVE_LIBRARIES)
    programs += map(Path, _said(str(python), "-I", "-c", _FINDS.format(names=opened)).split())
    for name, path in commands.items():
        tar.add(path, f"usr/bin/{name}")
    tar.add(python, "var/lang/bin/python3.13")
    tar.add(library, "var/lang/lib/python3.13", filter=_without_tests)
    for path in sorted(libraries(programs)):
        tar.add(path.resolve(), str(path).lstrip("/"))
    runtime = folder / "runtime"
    uv, lock = ROOT / ".tools" / "uv" / "bin" / "uv", ROOT / "requirements" / "lookalike.txt"
    target = ["--target", str(runtime), "--python", str(python)]
    _said(str(uv), "pip", "install", "--quiet", "--require-hashes", *target, "--requirement", str(lock))
    (runtime / "bootstrap").write_text(BOOTSTRAP)
    (runtime / "bootstrap").chmod(0o755)
    tar.add(runtime, "var/runtime")
    if ZONES.is_dir():
        tar.add(ZONES.resolve(), str(ZONES).lstrip("/"))
    for name, mode in (("tmp", 0o1777), ("var/task", 0o755), ("opt", 0o755), ("bin", 0)):
        entry = tarfile.TarInfo(name)
        entry.type, entry.mode = tarfile.DIRTYPE, mode
        if name == "bin":
            entry.type, entry.linkname = tarfile.SYMTYPE, "usr/bin"
        tar.addfile(entry)


def libraries(programs: Iterable[Path]) -> set[Path]:
    """What the loader opens for ``programs``, itself included, by the paths under which it looks for them."""
    found: set[Path] = set()
    for program in programs:
        if ".so" in program.name and "lib-dynload" not in program.parts:
            family = program.parent.glob(f"{program.name.partition('.so')[0]}.so*")
            found.update(path for path in family if path.resolve() == program.resolve())  # asked for by its soname
        for line in _said("ldd", str(program)).splitlines():
            found.update(Path(path) for path in re.findall(r"(?:=> |^\s+)(/\S+)", line))
    return found


def _without_tests(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    unwanted = {"test", "tests", "site-packages", "dist-packages", "__pycache__", "idlelib", "tkinter", "ensurepip"}
    return None if unwanted & set(Path(entry.name).parts) else entry


def _found(command: str) -> str:
    path = shutil.which(command)
    if path is None:
        raise NotPossible(f"{command} is not on PATH.")
    return path


def _said(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NotPossible(f"`{' '.join(command[:3])} …` failed: {(done.stderr or done.stdout).strip()[-600:]}")
    return done.stdout


if __name__ == "__main__":
    main_of(lambda: typer.run(build))
