"""The emulator as a process in the background: found, started, stopped, replaced when it has died."""

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON = ROOT / ".tools" / "emulator" / "bin" / "python"
START_SECONDS = 60
STOP_SECONDS = 10

_children: list["subprocess.Popen[bytes]"] = []
"""Emulators that this process has started, and whose exit it must collect should it stop them itself."""


class NotPossible(Exception):
    """What was asked for cannot be done here; the message says what to do about it."""


@dataclass(frozen=True)
class Emulator:
    """A running emulator."""

    folder: Path
    pid: int
    port: int

    @property
    def endpoint(self) -> str:
        """Where every service of the account is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """What it says."""
        return self.folder / "emulator.log"

    def is_alive(self) -> bool:
        """Whether this very process answers on its port."""
        try:
            with urllib.request.urlopen(f"{self.endpoint}/_local", timeout=5) as answer:  # noqa: S310 - our own address
                return bool(json.load(answer)["pid"] == self.pid)
        except (OSError, ValueError):
            return False

    def later(self, seconds: float) -> None:
        """Move CloudWatch's clock on, so that alarms see what they would see then."""
        url = f"{self.endpoint}/_local/later?seconds={seconds}"
        with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310 - our own address
            answer.read()

    def late(self, account: str, requests: int) -> None:
        """Have Cost Explorer answer the next requests of ``account`` as if it had no figures yet."""
        url = f"{self.endpoint}/_local/late?account={account}&requests={requests}"
        with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310 - our own address
            answer.read()


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One command at a time may work on a stack."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def find(folder: Path) -> Emulator | None:
    """The emulator that runs in ``folder``, if one does, and answers."""
    emulator = recorded(folder)
    return emulator if emulator is not None and emulator.is_alive() else None


def recorded(folder: Path) -> Emulator | None:
    """The emulator that has written down its pid and port in ``folder``, dead or alive."""
    try:
        record = json.loads((folder / "emulator.json").read_text())
    except (FileNotFoundError, ValueError):
        return None
    return Emulator(folder, record["pid"], record["port"])


def start(folder: Path, *arguments: str, port: int = 0, wait_scale: str = "0.1", attached: bool = False) -> Emulator:
    """Start an emulator in ``folder``, with further ``arguments``, and wait until it answers.

    ``wait_scale`` shortens the waits and retries of state machines, unless SFN_WAIT_SCALE is set already. ``attached``:
    it ends with this process, however that ends.
    """
    if not PYTHON.exists():
        raise NotPossible("The emulator is not installed. Run `make setup` first.")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "emulator.json").unlink(missing_ok=True)
    if attached:
        arguments = (*arguments, "--while-runs", str(os.getpid()))
    log = folder / "emulator.log"
    settings = {"SFN_WAIT_SCALE": os.environ.get("SFN_WAIT_SCALE", wait_scale)}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(PYTHON), "-m", "local.emulator", "--folder", str(folder), "--port", str(port), *arguments],
            cwd=ROOT,
            env=os.environ | settings,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _children.append(process)
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        emulator = find(folder)
        if emulator is not None:
            return emulator
        time.sleep(0.05)
    process.kill()
    process.wait()
    said = log.read_text(errors="replace").strip().splitlines()[-15:]
    raise NotPossible("The emulator did not start. It said:\n" + "\n".join(f"    {line}" for line in said))


def stop(folder: Path) -> bool:
    """End the emulator of ``folder`` and the functions' processes with it. False: there was none."""
    emulator = recorded(folder)
    if emulator is None:
        return False
    alive = emulator.is_alive()
    if alive:
        end(emulator.pid)
    (folder / "emulator.json").unlink(missing_ok=True)
    return alive


def end(pid: int) -> None:
    """SIGTERM, and after a while SIGKILL, for the process group of ``pid``."""
    for number, seconds in ((signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, 2)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, number)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not _exists(pid):
                return
            time.sleep(0.05)


def _exists(pid: int) -> bool:
    for child in _children:
        child.poll()
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
