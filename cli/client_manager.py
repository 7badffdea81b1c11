"""scripts/client_manager.py, at the place that an older runbook names."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "scripts"))

import _console
import client_manager

if __name__ == "__main__":
    sys.exit(_console.main(client_manager.app))
