"""A headless Chromium over the DevTools protocol on two pipes: no driver and no socket that would cost it time."""

import base64
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

FLAGS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PDF: Final = {
    "printBackground": True,
    "preferCSSPageSize": True,
    "generateTaggedPDF": True,
    "generateDocumentOutline": True,
    "transferMode": "ReturnAsBase64",
}
_READ, _WRITE = 3, 4  # the browser's ends of the pipes, by its definition


def executable() -> str | None:
    """Where Chromium is, if it is here."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Chromium:
    """One browser with one page, for as long as the ``with`` block lasts."""

    def __init__(self, program: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="bench-chromium-", ignore_cleanup_errors=True)
        commands, self._out = os.pipe()
        self._in, answers = os.pipe()
        self._process = subprocess.Popen(
            [program, *FLAGS, "--remote-debugging-pipe", f"--user-data-dir={self._folder.name}", "about:blank"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            close_fds=False,
            preexec_fn=_as(commands, answers),  # noqa: PLW1509 - no threads here, and no other way to hand over fd 3 and 4
        )
        os.close(commands)
        os.close(answers)
        self._buffer = b""
        self._asked = 0
        self._session: str | None = None
        self._open()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        self._session = None
        with suppress(OSError, EOFError):
            self._ask("Browser.close")
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._in)
        os.close(self._out)
        self._folder.cleanup()

    def print(self, page: Path) -> bytes:
        """The tagged PDF of an HTML file, once it and its fonts are there."""
        self._ask("Page.navigate", url=page.resolve().as_uri())
        self._await("Page.loadEventFired")
        self._ask("Runtime.evaluate", expression="document.fonts.ready.then(() => 0)", awaitPromise=True)
        return base64.b64decode(self._ask("Page.printToPDF", **PDF)["data"])

    def _open(self) -> None:
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._ask("Page.enable")

    def _ask(self, method: str, **params: Any) -> dict[str, Any]:
        self._asked += 1
        message: dict[str, Any] = {"id": self._asked, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._asked:
                if "error" in answer:
                    raise RuntimeError(f"Chromium: {method}: {answer['error'].get('message')}")
                return dict(answer["result"])

    def _await(self, event: str) -> None:
        while self._next().get("method") != event:
            pass

    def _next(self) -> dict[str, Any]:
        parts = [self._buffer]
        while b"\0" not in parts[-1]:
            part = os.read(self._in, 1 << 20)
            if not part:
                raise EOFError("Chromium has gone")
            parts.append(part)
        message, _, self._buffer = b"".join(parts).partition(b"\0")
        return dict(json.loads(message))


def _as(commands: int, answers: int) -> Callable[[], None]:
    """Where the browser expects the pipes. Moved out of the way first: the numbers may be 3 and 4 already."""

    def arrange() -> None:
        high = os.dup(commands), os.dup(answers)
        os.dup2(high[0], _READ)
        os.dup2(high[1], _WRITE)

    return arrange
