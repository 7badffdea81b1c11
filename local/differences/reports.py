"""What Lambda itself writes around an invocation's log: START, END and REPORT, with what was measured.

MiniStack writes them too, but its REPORT has the memory of the emulator's children instead of the environment's, whole
milliseconds, no Init Duration, and nothing about a timeout, so neither cold starts nor memory could be told from it.

Init is billed (since August 2025), so the first invocation of an environment is billed for both. The 10 seconds that
AWS allows for it are not kept here.
"""

import math
from pathlib import Path
from typing import Final

_STATUS: Final = {
    "Sandbox.Timedout": "Status: timeout",
    "Runtime.ExitError": "Status: error\tError Type: Runtime.ExitError",
}


def peak_mb(pid: int) -> int | None:
    """The most memory that a process has had, in MB, as Linux tells it; None where nobody tells."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return None
    found = (line.split() for line in status.splitlines() if line.startswith("VmHWM:"))
    return next((math.ceil(int(words[1]) / 1024) for words in found), None)


def around(
    log: list[str],
    *,
    request_id: str,
    version: str,
    seconds: float,
    init_seconds: float | None,
    memory_size: int,
    memory_used: int,
    failure: str | None,
) -> list[str]:
    """The lines of an invocation, with Lambda's own around them. ``failure`` is the name of its error."""
    billed = math.ceil((seconds + (init_seconds or 0)) * 1000)
    report = [
        f"REPORT RequestId: {request_id}",
        f"Duration: {seconds * 1000:.2f} ms",
        f"Billed Duration: {billed} ms",
        f"Memory Size: {memory_size} MB",
    ]
    if memory_used:
        report.append(f"Max Memory Used: {memory_used} MB")
    if init_seconds is not None:
        report.append(f"Init Duration: {init_seconds * 1000:.2f} ms")
    if failure in _STATUS:
        report.append(_STATUS[failure])
    return [
        f"START RequestId: {request_id} Version: {version}",
        *(line for text in log for line in text.splitlines()),
        f"END RequestId: {request_id}",
        "\t".join(report) + "\t",
    ]
