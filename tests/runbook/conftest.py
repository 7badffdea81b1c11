"""The deployed stack, with a month of reports in it, and a shell in which a person would type."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple

import pytest

from local.stack import Stack
from tests.runbook.blocks import ROOT
from tests.workflow.conftest import stack
from tests.workflow.machine import Machine

__all__ = ["stack"]

tried = pytest.StashKey[list["Tried"]]()


class _Nobody(BaseHTTPRequestHandler):
    """Takes every request and answers none."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b"<Error><Code>NobodyAnswers</Code><Message>NobodyAnswers</Message></Error>"
        if "json" in (self.headers.get("Content-Type") or ""):
            body = json.dumps({"__type": "NobodyAnswers", "message": "NobodyAnswers"}).encode()
        elif "x-www-form-urlencoded" in (self.headers.get("Content-Type") or ""):
            body = b"<ErrorResponse>" + body + b"</ErrorResponse>"
        self.send_response(400)
        self.send_header("x-amzn-ErrorType", "NobodyAnswers")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_PUT = do_DELETE = do_PATCH = do_POST  # noqa: N815 - names that http.server looks for

    def log_message(self, *_: Any) -> None:
        """Nothing is said."""


class Tried(NamedTuple):
    """A block, and how it went: whether it ended well, and the calls in it that nobody here answers."""

    went_well: bool
    by_model: tuple[str, ...]


@dataclass
class Shell:
    """A shell in a folder of its own that looks like the checkout; what it exports is there for the next block."""

    folder: Path
    environment: dict[str, str]
    tried: list[Tried] = field(default_factory=list)

    def enter(self) -> None:
        """Begin a procedure in an empty folder."""
        self.folder.mkdir(exist_ok=True)
        for path in ROOT.iterdir():
            if not path.name.startswith(".") and path.name not in ("out", "tests", "docs"):
                (self.folder / path.name).symlink_to(path)

    def run(self, block: str) -> subprocess.CompletedProcess[str]:
        """Run a block as it stands; the first command that fails ends it."""
        calls, kept = self.folder / ".calls", self.folder / ".kept"
        calls.unlink(missing_ok=True)
        script = f"set -euo pipefail\n[ -f {kept} ] && . {kept}\nset -a\n{block}\nset +a\nexport -p > {kept}\n"
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.folder,
            env=self.environment | {"CALLS": str(calls)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )
        said = map(json.loads, calls.read_text(encoding="utf-8").splitlines()) if calls.exists() else ()
        by_model = tuple(call["operation"] for call in said if call["by_model"])
        self.tried.append(Tried(done.returncode == 0, by_model))
        return done


@pytest.fixture(scope="session")
def nobody() -> Iterator[str]:
    """Where a listener is that answers nothing."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Nobody) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture(scope="session")
def environment(stack: Stack, nobody: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What a shell knows: the local stack, `aws` and `python`; after last month's reports have gone out."""
    bin_folder = tmp_path_factory.mktemp("bin")
    _command(bin_folder / "aws", f'exec env PYTHONPATH={ROOT} {sys.executable} -m tests.runbook.aws "$@"')
    _command(bin_folder / "python", f'exec {sys.executable} "$@"')
    _command(bin_folder / "sam", f'SAM_CLI_TELEMETRY=0 exec {ROOT}/.tools/sam/bin/sam "$@"')
    _command(bin_folder / "editor", f'exec {sys.executable} {ROOT}/tests/runbook/editor.py "$@"')
    Machine(stack).run({"cadence": "monthly"})
    unwanted = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "PYTHONPATH")
    return {
        **{name: value for name, value in os.environ.items() if name not in unwanted},
        **stack.variables(),
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_PAGER": "",
        "EDITOR": str(bin_folder / "editor"),
        "REAL_AWS": str(ROOT / ".tools" / "sam" / "bin" / "aws"),
        "NOBODY": nobody,
        "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}",
    }


@pytest.fixture(scope="session")
def exported() -> dict[str, str]:
    """What the first procedure has exported, for all others."""
    return {}


def _command(path: Path, line: str) -> None:
    path.write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """How each block was tried."""
    blocks = config.stash.get(tried, [])
    if blocks:
        by_model = [block for block in blocks if block.by_model]
        calls = sorted({call for block in by_model for call in block.by_model})
        failed = sum(not block.went_well for block in blocks)
        terminalreporter.section("runbook")
        terminalreporter.line(
            f"{len(blocks) - len(by_model)} blocks ran on the local stack, {len(by_model)} have a call checked "
            f"against AWS's model only, {failed} failed"
        )
        terminalreporter.line(f"by model only: {', '.join(calls) or 'none'}")
