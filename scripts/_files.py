"""Files that are there whole or not at all."""

import os
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


def write_private(path: Path, body: bytes, *, replace: bool = True) -> None:
    """Put ``body`` at ``path``, for nobody's eyes but the owner's, in one step.

    Raises FileExistsError if something is there that shall not be replaced, or another OSError.
    """
    aside = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    try:
        written = aside / "written"
        with os.fdopen(os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            written.replace(path)
        else:
            os.link(written, path)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
