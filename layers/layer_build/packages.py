"""Debian's packages opened: the libraries that Pango needs, each with its licence. Nothing of dpkg is needed for it.

Sources. deb(5) and ar(5) for the format; Debian Policy 12.5 for the copyright files.
"""

import io
import lzma
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from layer_build import elf, gate
from layer_build.faults import NotSound

_AR: Final = b"!<arch>\n"


@dataclass(frozen=True)
class Opened:
    """What packages hold: libraries by the names under which they are looked for, licences by package."""

    libraries: Mapping[str, bytes]
    licences: Mapping[str, bytes]


def opened(packages: Iterable[tuple[str, Path]]) -> Opened:
    """All libraries and licences of ``packages``, given as (name, file)."""
    libraries: dict[str, bytes] = {}
    licences: dict[str, bytes] = {}
    for name, file in packages:
        try:
            with data(file.read_bytes()) as archive:
                libraries |= _libraries(archive)
                licences |= _licence(name, archive)
        except (tarfile.TarError, lzma.LZMAError, ValueError, EOFError) as fault:
            raise NotSound(f"{name}: {file.name} is no Debian package that can be opened ({fault})") from fault
    return Opened(libraries, licences)


def closure(roots: Iterable[str], libraries: Mapping[str, bytes], architecture: str) -> dict[str, bytes]:
    """``roots`` and all that they need of ``libraries``. Raises NotSound with what is missing."""
    system = {*gate.BASE, gate.LOADERS[architecture]}
    kept: dict[str, bytes] = {}
    missing: dict[str, str] = {}
    todo = [(root, "WeasyPrint") for root in roots]
    while todo:
        name, asker = todo.pop()
        if name in kept or name in system:
            continue
        if name not in libraries:
            missing[name] = asker
            continue
        kept[name] = libraries[name]
        todo += ((needed, name) for needed in elf.read(kept[name]).needed)
    if missing:
        said = ", ".join(f"{name} (for {asker})" for name, asker in sorted(missing.items()))
        raise NotSound(
            f"no package of the lock has {said}: add its package to PACKAGES in layer_build/renewal.py, `make lock`"
        )
    return dict(sorted(kept.items()))


def data(deb: bytes) -> tarfile.TarFile:
    """The files of a package."""
    for name, body in _members(deb):
        if name.startswith("data.tar"):
            return tarfile.open(fileobj=io.BytesIO(body))
    raise ValueError("it has no data.tar")


def _members(archive: bytes) -> Iterator[tuple[str, bytes]]:
    if not archive.startswith(_AR):
        raise ValueError("it is no ar archive")
    at = len(_AR)
    while at + 60 <= len(archive):
        name, size = archive[at : at + 16].decode().strip().rstrip("/"), int(archive[at + 48 : at + 58])
        yield name, archive[at + 60 : at + 60 + size]
        at += 60 + size + size % 2


def _libraries(archive: tarfile.TarFile) -> dict[str, bytes]:
    """By the names of their links, by which they are looked for. Plugins of a library lie deeper, and are left."""
    links: dict[str, str] = {}
    bodies: dict[str, bytes] = {}
    for member in archive:
        folder, _, name = member.name.removeprefix(".").rpartition("/")
        if ".so." not in name or folder not in _FOLDERS:
            continue
        if member.issym():
            links[name] = member.linkname.rpartition("/")[2]
        elif member.isfile():
            file = archive.extractfile(member)
            assert file is not None
            bodies[name] = file.read()
    return bodies | {link: bodies[target] for link, target in links.items() if target in bodies}


_FOLDERS: Final = frozenset(
    f"{top}/{triple}" for top in ("/lib", "/usr/lib") for triple in ("x86_64-linux-gnu", "aarch64-linux-gnu")
)


def _licence(package: str, archive: tarfile.TarFile) -> dict[str, bytes]:
    for member in archive:
        if member.isfile() and member.name.removeprefix(".") == f"/usr/share/doc/{package}/copyright":
            file = archive.extractfile(member)
            assert file is not None
            return {package: file.read()}
    return {}
