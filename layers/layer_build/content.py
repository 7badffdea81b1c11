"""The bytes of a finished layer: the same wherever and whenever it was built."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MOMENT: Final = 315_619_200
"""2 January 1980, UTC: the first day that a zip file can say in every time zone."""


@dataclass(frozen=True)
class Content:
    """How large a layer is, and which one."""

    size: int
    """Bytes of its files, unpacked."""

    sha256: str


def settle(folder: Path) -> None:
    """Give all below ``folder`` the same modes and times. What a layer holds is read and loaded, never executed."""
    for path in [folder, *folder.rglob("*")]:
        if path.is_symlink():
            continue
        path.chmod(0o755 if path.is_dir() else 0o644)
        os.utime(path, (MOMENT, MOMENT))


def content(folder: Path) -> Content:
    """The sum and hash of every file below ``folder``: sorted by path, each with its mode and its bytes."""
    digest, size = hashlib.sha256(), 0
    for name, path in sorted((path.relative_to(folder).as_posix(), path) for path in folder.rglob("*")):
        if path.is_dir() and not path.is_symlink():
            continue
        body = str(path.readlink()).encode() if path.is_symlink() else path.read_bytes()
        digest.update(f"{name}\0{path.lstat().st_mode & 0o7777:o}\0{len(body)}\0".encode() + body)
        size += len(body)
    return Content(size=size, sha256=digest.hexdigest())


def naming(folder: Path, *builders: Path) -> list[str]:
    """The files below ``folder`` that hold the path of one of the ``builders``' folders."""
    marks = [os.fsencode(builder) + b"/" for builder in builders]
    return [
        path.relative_to(folder).as_posix()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and any(mark in path.read_bytes() for mark in marks)
    ]
