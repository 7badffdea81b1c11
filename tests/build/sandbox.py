"""A root file system like Lambda's: an interpreter, glibc and GCC's libraries, the layers at /opt, and no Pango.

By bubblewrap, or by unshare and chroot. What is bound into it is named here, file by file: nothing else is there.
"""

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from layer_build import elf, gate
from local.differences import bootstrap

ROOT = Path(__file__).parents[2]
ARCHITECTURE = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
LOADER = {"x86_64": "/lib64/ld-linux-x86-64.so.2", "arm64": "/lib/ld-linux-aarch64.so.1"}
FOLDERS = (
    "/lib64",
    "/usr/lib64",
    "/lib",
    "/usr/lib",
    *(f"{top}/{platform.machine()}-linux-gnu" for top in ("/lib", "/usr/lib")),
)
RUNTIME = ROOT / ".tools" / "emulator" / "lib" / "python3.13" / "site-packages"


def why_not() -> str | None:
    """Why there can be no sandbox here; None if there can."""
    if ARCHITECTURE not in gate.ARCHITECTURES or sys.platform != "linux":
        return f"Lambda's libraries do not run on {sys.platform} {platform.machine()}"
    probe = Sandbox({}).run(["/python", "-c", "print('here')"])
    if probe.stdout.strip() == "here":
        return None
    return (
        "no root file system of its own can be made here; install bubblewrap (`apt-get install bubblewrap`, "
        f"`dnf install bubblewrap`) or run as root. It said: {probe.stderr.strip()[-300:]}"
    )


class Sandbox:
    """What is where in it; ``more`` are further (target, source) of folders and files, bound read-only."""

    def __init__(self, more: Mapping[str, Path]) -> None:
        prefix = Path(sys.base_prefix)
        interpreter = next(each for each in (prefix / "bin").glob("python3.13") if each.exists()).resolve()
        self.binds: dict[str, Path] = {
            str(prefix): prefix,
            "/python": interpreter,
            LOADER[ARCHITECTURE]: Path(LOADER[ARCHITECTURE]),
        }
        self.binds |= {f"/lib64/{name}": path for name, path in _base()}
        self.binds |= {f"/var/lang/lib/{path.name}": path for path in _of_the_interpreter(interpreter, prefix)}
        self.binds |= more

    def run(
        self, command: list[str], environment: Mapping[str, str] | None = None, given: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run ``command`` in it, with no other environment than ``environment``, and the network of this machine."""
        environment = {"LD_LIBRARY_PATH": "/var/lang/lib:/lib64", "PATH": "/", **(environment or {})}
        with tempfile.TemporaryDirectory() as root:
            return subprocess.run(
                self._entered(Path(root), command),
                env=environment,
                input=given,
                capture_output=True,
                text=True,
                check=False,
                timeout=240,
            )

    @staticmethod
    def _bubblewrap() -> str | None:
        return shutil.which("bwrap")

    def _entered(self, root: Path, command: list[str]) -> list[str]:
        bwrap = self._bubblewrap()
        if bwrap is not None:
            binds = [
                part for target, source in self.binds.items() for part in ("--ro-bind", str(source.resolve()), target)
            ]
            return [
                bwrap,
                "--unshare-pid",
                "--die-with-parent",
                "--dev",
                "/dev",
                "--proc",
                "/proc",
                "--tmpfs",
                "/tmp",
                *binds,
                "--chdir",
                "/",
                *command,
            ]
        lines = ["set -e", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"]
        devices = {name: Path(name) for name in ("/dev/null", "/dev/urandom")}
        for target, source in {**self.binds, **devices}.items():
            at = f"{root}{target}"
            make = f"mkdir -p '{at}'" if source.is_dir() else f"mkdir -p '{Path(at).parent}'; touch '{at}'"
            lines.append(f"{make}; mount --bind '{source.resolve()}' '{at}'")
        lines.append(f"mkdir -p '{root}/tmp' '{root}/proc'; mount --rbind /proc '{root}/proc'")
        lines.append(f'exec chroot "{root}" "$@"')
        mapped = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        unshare = shutil.which("unshare") or "/usr/bin/unshare"
        return [unshare, *mapped, "--mount", "/bin/sh", "-c", "\n".join(lines), "sh", *command]


def _base() -> Iterator[tuple[str, Path]]:
    """Lambda's base, from this machine: its glibc is not older, or the sandbox does not start."""
    for name in gate.BASE:
        found = _found(name)
        if found is not None:
            yield name, found


def _of_the_interpreter(interpreter: Path, prefix: Path) -> Iterator[Path]:
    """The libraries that the interpreter and its own modules need, as Lambda's image has them in /var/lang/lib."""
    todo = [interpreter, *(prefix / "lib" / "python3.13" / "lib-dynload").glob("*.so")]
    seen = {*gate.BASE, *gate.LOADERS.values()}
    while todo:
        for name in elf.read(todo.pop().read_bytes()).needed:
            found = None if name in seen else _found(name) or _found(name, str(prefix / "lib"))
            seen.add(name)
            if found is not None:
                todo.append(found)
                yield found.parent / name if (found.parent / name).exists() else found


def _found(name: str, *folders: str) -> Path | None:
    return next((Path(folder) / name for folder in (folders or FOLDERS) if (Path(folder) / name).is_file()), None)


def runtime() -> dict[str, Path]:
    """boto3 and what it needs, which Lambda's runtime brings, and its bootstrap."""
    from local.differences.environments import RUNTIME_PACKAGES

    there = {}
    for package in RUNTIME_PACKAGES:
        source = RUNTIME / package if (RUNTIME / package).is_dir() else RUNTIME / f"{package}.py"
        there[f"/var/runtime/{source.name}"] = source
    return {**there, "/bootstrap.py": Path(str(bootstrap.__file__))}


def invoked(sandbox: Sandbox, environment: Mapping[str, str], events: list[Any]) -> list[Any]:
    """What the function at /var/task answers to ``events``, one after the other, as Lambda's runtime would call it."""
    begin = {"handler": "app.handler", "path": ["/var/task", "/opt/python"], "runtime_path": ["/var/runtime"]}
    requests = [
        {
            "event": event,
            "request_id": f"{number:08d}-0000-4000-8000-000000000000",
            "arn": "arn:aws:lambda:us-east-1:111122223333:function:f",
            "timeout": 120,
            "trace_id": None,
        }
        for number, event in enumerate(events)
    ]
    given = "".join(json.dumps(each) + "\n" for each in [begin, *requests])
    done = sandbox.run(["/python", "-I", "-S", "-u", "-X", "utf8", "/bootstrap.py"], environment, given)
    answers = [json.loads(line.rpartition("\0")[2]) for line in done.stdout.splitlines() if "\0" in line]
    assert len(answers) == len(events) + 1, (done.stdout[-3000:], done.stderr[-3000:])
    assert all(answer.get("failure") is None for answer in answers), answers
    return [answer["result"] for answer in answers[1:]]
