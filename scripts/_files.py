"""Files that hold clients' costs or access: there whole or not at all, and readable by their owner only.

The one place where commands write files. Costs, ExternalIds and addresses are nobody else's on a shared machine, so a
file has mode 0600 and a folder that is made for it 0700, whatever the umask says and whatever stood there before.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

FILE: Final = 0o600
FOLDER: Final = 0o700


def write(path: Path, body: bytes, *, replace: bool = True) -> None:
    """Put ``body`` at ``path`` in one step. Its folder must be there.

    Raises FileExistsError if something is there that shall not be replaced, or another OSError.
    """
    aside = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    try:
        written = aside / "written"
        _write(written, body)
        if replace:
            written.replace(path)
        else:
            os.link(written, path)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def write_folder(folder: Path, files: Mapping[str, bytes], *, ours: re.Pattern[str]) -> None:
    """Put ``files`` into ``folder``, which is made: all are written aside first, then each takes its place in one step.

    What an earlier call has left and this one does not write is removed if ``ours`` matches its name.
    """
    make_folder(folder.parent)
    aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        for name, body in files.items():
            _write(aside / name, body)
        make_folder(folder)
        folder.chmod(FOLDER)
        for name in files:
            (aside / name).replace(folder / name)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    for old in folder.iterdir():
        if old.name not in files and ours.fullmatch(old.name):
            old.unlink()


def make_folder(folder: Path) -> None:
    """Make ``folder`` and those above it, as far as they are missing, for their owner only. Others stay as they are."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(mode=FOLDER, exist_ok=True)
        each.chmod(FOLDER)
    if not missing:
        folder.mkdir(exist_ok=True)  # raises FileExistsError if it is a file


def _write(path: Path, body: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE), "wb") as file:
        os.fchmod(file.fileno(), FILE)
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
