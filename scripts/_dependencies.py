"""Dependencies with known faults: what is in the Lambda layers, as pip-audit finds it in the advisories of PyPI.

pip-audit is no dependency of ours (Apache-2.0; of the Python Packaging Authority): it asks a service on the network.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from cost_reporting.audit import Check, Finding, finding

ROOT: Final = Path(__file__).resolve().parent.parent
LOCKS: Final = ("src/requirements.txt", "layers/pdf/requirements.txt")
NAME: Final = "Dependencies have no known faults"
SECONDS: Final = 180


def audited(command: str | None = None) -> tuple[Check, tuple[Finding, ...]]:
    """What pip-audit says about the locks of the layers, or why it could not."""
    command = command or _installed()
    if command is None:
        return _not("pip-audit is not installed: `uv tool install pip-audit`, or `pipx install pip-audit`")
    asked = [part for lock in LOCKS for part in ("--requirement", str(ROOT / lock))]
    options = ["--require-hashes", "--disable-pip", "--format", "json", "--progress-spinner", "off"]
    try:
        done = subprocess.run(
            [command, *options, *asked], capture_output=True, text=True, timeout=SECONDS, check=False, cwd=ROOT
        )
    except subprocess.TimeoutExpired:
        return _not(f"pip-audit had no answer after {SECONDS} seconds")
    except OSError as fault:
        return _not(f"pip-audit does not start: {fault.strerror}")
    try:
        packages = json.loads(done.stdout)["dependencies"]
        return _judged(packages)
    except (ValueError, KeyError, TypeError):
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        return _not(f"pip-audit failed: {last[:200]}")


def _judged(packages: list[dict[str, Any]]) -> tuple[Check, tuple[Finding, ...]]:
    skipped = [str(each["name"]) for each in packages if "skip_reason" in each]
    findings = tuple(
        finding(
            f"DEPENDENCY:{fault['id']}",
            "high",
            f"{package['name']} {package['version']}",
            f"has the known fault {', '.join((fault['id'], *fault.get('aliases', ())))}",
            _remedy(fault),
        )
        for package in packages
        for fault in package.get("vulns", ())
    )
    if skipped or not packages:
        return _not(f"pip-audit knows nothing of {', '.join(skipped[:10]) or 'any package'}", findings)
    note = f"{len(packages)} packages of the layers compared with PyPI's advisories"
    return Check(name=NAME, standing="found" if findings else "passed", note=note), findings


def _remedy(fault: dict[str, Any]) -> str:
    mended = fault.get("fix_versions") or ()
    if not mended:
        return "No version mends it yet: read the advisory, and judge whether it concerns us."
    return f"`make lock UPGRADE=--upgrade`: mended in {', '.join(mended)}."


def _not(why: str, findings: tuple[Finding, ...] = ()) -> tuple[Check, tuple[Finding, ...]]:
    return Check(name=NAME, standing="not checked", note=why), findings


def _installed() -> str | None:
    beside = Path(sys.executable).parent / "pip-audit"
    return str(beside) if beside.exists() else shutil.which("pip-audit")
