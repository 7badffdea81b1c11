"""Files that are there whole or not at all."""

import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path


def write(folder: Path, files: Mapping[str, bytes], *, ours: re.Pattern[str]) -> None:
    """Put ``files`` into ``folder``: all are written aside first, then each takes its place in one step.

    What an earlier call has left and this one does not write is removed if ``ours`` matches its name.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        for name, body in files.items():
            (aside / name).write_bytes(body)
        folder.mkdir(exist_ok=True)
        for name in files:
            (aside / name).replace(folder / name)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    for old in folder.iterdir():
        if old.name not in files and ours.fullmatch(old.name):
            old.unlink()
