"""An operator at a terminal: `scripts/report.py` against the deployed stack, as a process of its own."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.stack import Stack

SCRIPT = Path(__file__).parents[2] / "scripts" / "report.py"


@dataclass(frozen=True)
class Said:
    """How a command ended, and what it said on stdout and stderr."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its one JSON object."""
        return json.loads(self.out)


def report(stack: Stack, *arguments: str) -> Said:
    """`scripts/report.py` with these arguments, in the environment that `out/local.env` gives, and nobody to ask."""
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *arguments],
        env=dict(os.environ) | stack.variables() | {"PYTHONWARNINGS": "default"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return Said(done.returncode, done.stdout, done.stderr)
