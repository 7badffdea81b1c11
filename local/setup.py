"""Prepare a checkout: `make setup`, and before each of the other targets. `--browser` adds what `make test` can use.

Runs on any Python from 3.9, with the standard library only and in isolated mode, because nothing is installed yet.
It leaves

    .tools/python      link to the real interpreter 3.13 (not a shim of pyenv, asdf or mise, which sam and uv reject)
    .tools/uv          the installer, pinned
    .venv              the product, its tests and checks
    .tools/sam         `sam`, `aws`, and the interpreter and pip that `sam build` calls
    .tools/emulator    the emulated AWS account

each environment made from a lock in requirements/ with hashes. A stamp is written last, so an interrupted installation
is done again and a finished one costs nothing. What needs the system's package manager is installed if this user may;
if not, the command to type is printed and the exit code is 2. With `--browser` the same is tried for Chromium, in which
tests open pages; without it they are skipped, so that is never a failure.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import glob
import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".tools"
PYTHON = TOOLS / "python"
UV = TOOLS / "uv" / "bin" / "uv"
LOCKS = {
    ROOT / ".venv": "project",
    TOOLS / "sam": "sam",
    TOOLS / "emulator": "emulator",
}
# Folders that the product's own environment sees as if they were installed.
SOURCE_FOLDERS = (ROOT / "src", ROOT / "layers" / "pdf")

# What WeasyPrint opens at import, by the names that it tries on Linux and macOS.
NATIVE_LIBRARIES = (
    ("libgobject-2.0.so.0", "libgobject-2.0.0.dylib"),
    ("libpango-1.0.so.0", "libpango-1.0.dylib"),
    ("libpangoft2-1.0.so.0", "libpangoft2-1.0.dylib"),
    ("libharfbuzz.so.0", "libharfbuzz.0.dylib"),
    ("libharfbuzz-subset.so.0", "libharfbuzz-subset.0.dylib"),
    ("libfontconfig.so.1", "libfontconfig.1.dylib"),
)
# Looked into after the loader's own folders: where Homebrew puts its libraries.
LIBRARY_FOLDERS = ("/opt/homebrew/lib", "/usr/local/lib")
COMMANDS = ("pdftoppm", "qpdf")

# Package manager -> (command, packages for the libraries and commands, packages for venv, packages for Python 3.13)
PACKAGE_MANAGERS = {
    "apt-get": (
        "apt-get install -y --no-install-recommends",
        "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz0b libharfbuzz-subset0 libfontconfig1 poppler-utils qpdf",
        "python3-venv",
        "python3.13",
    ),
    "dnf": ("dnf install -y", "pango harfbuzz fontconfig poppler-utils qpdf", "python3", "python3.13"),
    "apk": (
        "apk add",
        "so:libpango-1.0.so.0 so:libpangoft2-1.0.so.0 so:libharfbuzz-subset.so.0 fontconfig qpdf poppler-utils",
        "python3",
        "python3~3.13",
    ),
    "brew": ("brew install", "pango fontconfig poppler qpdf", "python@3.13", "python@3.13"),
}

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
GET_BROWSER = {
    "apt-get": "apt-get install -y --no-install-recommends chromium",
    "dnf": "dnf install -y chromium",
    "apk": "apk add chromium",
    "brew": "brew install --cask chromium",
}

GET_PYTHON = """\
Python 3.13, the version of the Lambda runtime, could be neither found nor installed. One of these brings it:

    Debian 13, Ubuntu 25.04    apt-get install python3.13
    Ubuntu before that         add-apt-repository ppa:deadsnakes/ppa && apt-get install python3.13
    Fedora                     dnf install python3.13
    macOS                      brew install python@3.13
    pyenv, anywhere            pyenv install 3.13

Then run the same command again: PATH and the folders of pyenv, asdf, mise, uv and Homebrew are searched."""

# Where version managers keep real interpreters, active or not.
MANAGED_INTERPRETERS = (
    "$PYENV_ROOT/versions/3.13*/bin/python3.13",
    "~/.asdf/installs/python/3.13*/bin/python3.13",
    "~/.local/share/mise/installs/python/3.13*/bin/python3.13",
    "~/.local/share/uv/python/cpython-3.13*/bin/python3.13",
    "/opt/homebrew/bin/python3.13",
    "/usr/local/bin/python3.13",
    "/usr/bin/python3.13",
)


def main() -> None:
    began = time.monotonic()
    TOOLS.mkdir(exist_ok=True)
    if sys.argv[1:] == ["--browser"]:
        with only_one_at_a_time():
            install_browser()
        return
    with only_one_at_a_time():
        python = known_python() or find_python()
        install_system_packages(bootstrap=python or sys.executable)
        install_uv(bootstrap=python or sys.executable)
        python = python or get_python()
        remember_python(python)
        for environment, lock in LOCKS.items():
            install_environment(environment, ROOT / "requirements" / f"{lock}.txt", python)
    print(f"setup: ready ({time.monotonic() - began:.1f} s)", flush=True)


# -- Python 3.13 -----------------------------------------------------------------------------------


def known_python() -> Path | None:
    """The interpreter of an earlier call, while it is still there."""
    return PYTHON.resolve() if PYTHON.exists() else None


def remember_python(python: Path) -> None:
    if known_python() != python:
        link = PYTHON.with_name("python.new")
        link.unlink(missing_ok=True)
        link.symlink_to(python)
        link.replace(PYTHON)


def find_python() -> Path | None:
    with step("Python 3.13") as found:
        for candidate in candidates():
            python = real_interpreter(candidate)
            if python is not None:
                found.append(str(python))
                return python
        found.append("not found")
    return None


def candidates() -> Iterator[str]:
    yield sys.executable
    folders = os.environ.get("PATH", "").split(os.pathsep)
    patterns = [os.path.join(glob.escape(folder), "python3.13") for folder in folders if folder]
    pyenv = os.environ.get("PYENV_ROOT") or "~/.pyenv"
    patterns += [pattern.replace("$PYENV_ROOT", pyenv) for pattern in MANAGED_INTERPRETERS]
    for pattern in patterns:
        for found in sorted(glob.glob(os.path.expanduser(pattern)), key=by_version, reverse=True):
            if os.access(found, os.X_OK):
                yield found


def by_version(path: str) -> list[int]:
    """Puts .../3.13.10/... after .../3.13.9/..."""
    return [int(digits) for digits in "".join(c if c.isdigit() else " " for c in path).split()]


def real_interpreter(candidate: str) -> Path | None:
    """The interpreter behind a shim or a virtual environment, if it is a CPython 3.13 with its lock."""
    question = """if True:
        import sys, sysconfig
        wanted = sys.version_info[:2] == (3, 13) and sys.implementation.name == "cpython"
        print(sys.base_prefix if wanted and not sysconfig.get_config_var("Py_GIL_DISABLED") else "")
    """
    answer = subprocess.run([candidate, "-I", "-c", question], capture_output=True, text=True, check=False)
    prefix = answer.stdout.strip()
    if answer.returncode != 0 or not prefix:
        return None
    python = Path(prefix, "bin", "python3.13")
    return python.resolve() if python.exists() else None


def get_python() -> Path:
    """Bring Python 3.13 by uv, which needs no rights, or else by the package manager; or say how, and stop."""
    with step("Python 3.13 by uv"):
        run([str(UV), "python", "install", "3.13"], check=False)
    python = find_python()
    manager = package_manager()
    if python is None and manager is not None and may_install(manager):
        command, _, _, package = PACKAGE_MANAGERS[manager]
        with step(f"Python 3.13 by {manager}"):
            run([*as_root(manager, command), package], check=False)
        python = find_python()
    return python or stop(GET_PYTHON)


# -- what only the system's package manager has ----------------------------------------------------


def install_system_packages(bootstrap: object) -> None:
    missing = missing_from_system()
    lacks_venv = not UV.exists() and not has_venv(bootstrap)
    if not missing and not lacks_venv:
        return
    wanted = ", ".join(missing + (["Python's modules venv and ensurepip"] if lacks_venv else []))
    manager = package_manager()
    if manager is None:
        stop(f"Missing: {wanted}.\nNone of {', '.join(PACKAGE_MANAGERS)} is here: install them, then run this again.")
    command, libraries, venv, _ = PACKAGE_MANAGERS[manager]
    packages = (libraries.split() if missing else []) + (venv.split() if lacks_venv else [])
    if not may_install(manager):
        sudo = "" if manager == "brew" else "sudo "
        stop(f"Missing: {wanted}.\nInstall them, then run this again:\n\n    {sudo}{command} {' '.join(packages)}\n")
    with step(f"system packages by {manager}") as told:
        told.extend(packages)
        install = [*as_root(manager, command), *packages]
        if manager != "apt-get":
            run(install)
        # Fetching the list of packages takes longer than installing these: only where it is absent or too old.
        elif not run(install, check=False):
            run(as_root(manager, "apt-get update"))
            run(install)
    missing = missing_from_system()
    if missing:
        stop(f"{manager} reported success, but these are still missing: {', '.join(missing)}.", code=1)


def install_browser() -> None:
    """Chromium for the tests of pages, if it may be installed; else the command to type. Never ends the setup."""
    if any(map(shutil.which, BROWSERS)):
        return
    manager = package_manager()
    if manager is None:
        print("setup: no Chromium, and no package manager that has it: the tests of pages are skipped", flush=True)
        return
    command = GET_BROWSER[manager]
    if not may_install(manager):
        sudo = "" if manager == "brew" else "sudo "
        print(f"setup: no Chromium: the tests of pages are skipped until you type\n\n    {sudo}{command}\n", flush=True)
        return
    with step(f"Chromium by {manager}") as told:
        install = as_root(manager, command)
        done = run(install, check=False)
        if not done and manager == "apt-get":
            done = run(as_root(manager, "apt-get update"), check=False) and run(install, check=False)
        told.append("" if done else f"failed: `{command}` says why; the tests of pages are skipped")


def missing_from_system() -> list[str]:
    libraries = [names[0] for names in NATIVE_LIBRARIES if not can_load(names)]
    return libraries + [command for command in COMMANDS if shutil.which(command) is None]


def can_load(names: Sequence[str]) -> bool:
    for path in [*names, *(os.path.join(folder, name) for folder in LIBRARY_FOLDERS for name in names)]:
        with contextlib.suppress(OSError):
            ctypes.CDLL(path)
            return True
    return False


def has_venv(python: object) -> bool:
    """Debian and Ubuntu ship Python without ensurepip."""
    return run([str(python), "-I", "-c", "import ensurepip, venv"], check=False)


def package_manager() -> str | None:
    return next((name for name in PACKAGE_MANAGERS if shutil.which(name)), None)


def may_install(manager: str) -> bool:
    if manager == "brew" or os.geteuid() == 0:
        return True
    return shutil.which("sudo") is not None and run(["sudo", "-n", "true"], check=False)


def as_root(manager: str, command: str) -> list[str]:
    needs_sudo = manager != "brew" and os.geteuid() != 0
    return [*(["sudo", "-n"] if needs_sudo else []), *shlex.split(command)]


# -- environments ----------------------------------------------------------------------------------


def install_uv(bootstrap: object) -> None:
    lock = ROOT / "requirements" / "uv.txt"
    environment = UV.parent.parent
    if is_stamped(environment, lock):
        return
    with step("uv"):
        run([str(bootstrap), "-I", "-m", "venv", "--clear", str(environment)])
        pip = [str(environment / "bin" / "python"), "-I", "-m", "pip", "--disable-pip-version-check"]
        run([*pip, "install", "--require-hashes", "--requirement", str(lock)])
        write_stamp(environment, lock)


def install_environment(environment: Path, lock: Path, python: Path) -> None:
    if is_stamped(environment, lock, python):
        return
    with step(str(environment.relative_to(ROOT))) as told:
        run([str(UV), "venv", "--clear", "--no-project", "--python", str(python), str(environment)])
        interpreter = str(environment / "bin" / "python")
        run([str(UV), "pip", "sync", "--require-hashes", "--python", interpreter, str(lock)])
        if environment == ROOT / ".venv":
            (packages,) = environment.glob("lib/python3.*/site-packages")
            (packages / "cost_reporting.pth").write_text("".join(f"{folder}\n" for folder in SOURCE_FOLDERS))
        write_stamp(environment, lock, python)
        told.append(f"{count_packages(lock)} packages")


def count_packages(lock: Path) -> int:
    return sum("==" in line for line in lock.read_text().splitlines())


def stamp_file(environment: Path) -> Path:
    return environment / ".stamp"


def stamp(environment: Path, lock: Path, python: object) -> str:
    """All that an installation depends on: the lock, the interpreter, the folder (scripts name it) and this program."""
    parts = (lock.read_bytes(), os.fsencode(str(python)), os.fsencode(environment), Path(__file__).read_bytes())
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def is_stamped(environment: Path, lock: Path, python: object = "") -> bool:
    try:
        there = (environment / "bin" / "python").exists()
        return there and stamp_file(environment).read_text() == stamp(environment, lock, python)
    except FileNotFoundError:
        return False


def write_stamp(environment: Path, lock: Path, python: object = "") -> None:
    stamp_file(environment).write_text(stamp(environment, lock, python))


# -- doing and telling -----------------------------------------------------------------------------


def run(command: Sequence[str], *, check: bool = True) -> bool:
    """Run quietly. A failure that matters shows the end of what the command said, and ends the setup."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "UV_PYTHON_DOWNLOADS": "manual"}
    environment.pop("VIRTUAL_ENV", None)
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if check and done.returncode != 0:
        said = "\n".join("    " + line for line in done.stdout.strip().splitlines()[-25:])
        stop(f"This failed: {shlex.join(command)}\n\n{said}\n", code=1)
    return done.returncode == 0


@contextlib.contextmanager
def step(name: str) -> Iterator[list[str]]:
    """Say what was done and how long it took; the words that the body puts into the list follow on the same line."""
    began = time.monotonic()
    told: list[str] = []
    yield told
    print(f"setup: {name:<26} {time.monotonic() - began:5.1f} s  {' '.join(told)}".rstrip(), flush=True)


def stop(message: str, code: int = 2) -> NoReturn:
    print(f"\nsetup stopped. {message}", file=sys.stderr, flush=True)
    raise SystemExit(code)


@contextlib.contextmanager
def only_one_at_a_time() -> Iterator[None]:
    """Two calls in one checkout wait for each other; the lock ends with the process that holds it."""
    with (TOOLS / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("setup: waiting for another call in this checkout", flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        stop("Interrupted; the next call goes on from here.", code=130)
