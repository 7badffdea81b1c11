"""Whether every library of a layer fits Lambda's Python 3.13, which runs on Amazon Linux 2023.

Sources. glibc 2.34: AWS Lambda Developer Guide, "Lambda runtimes" (python3.13 is on Amazon Linux 2023) with the Amazon
Linux 2023 User Guide; `_RUNTIME_GLIBC["cp313"]` of aws-lambda-builders says the same. GCC's libraries are GCC 11's
(Amazon Linux 2023 User Guide, "Core toolchain"): the versions that PEP 600's manylinux_2_34 may ask of libstdc++ and
libgcc_s, whose base is GCC 11 too (auditwheel, `manylinux-policy.json`).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from layer_build import elf

ARCHITECTURES: Final = ("x86_64", "arm64")

BASE: Final = (
    "libc.so.6",
    "libm.so.6",
    "libdl.so.2",
    "libpthread.so.0",
    "librt.so.1",
    "libutil.so.1",
    "libresolv.so.2",
    "libgcc_s.so.1",
    "libstdc++.so.6",
)
"""What a layer may leave to Lambda: glibc's and GCC's, which the interpreter and Lambda's own client are linked to. Its
image has more (GLib for one: amazonlinux/amazon-linux-2023 issue 585), but AWS promises none of that."""

LOADERS: Final = {"x86_64": "ld-linux-x86-64.so.2", "arm64": "ld-linux-aarch64.so.1"}

HIGHEST: Final[Mapping[str, tuple[int, ...]]] = {
    "GLIBC": (2, 34),
    "GLIBCXX": (3, 4, 29),
    "CXXABI": (1, 3, 13),
}
_GCC: Final[Mapping[str, tuple[int, ...]]] = {"x86_64": (7, 0, 0), "arm64": (11, 0)}
_NUMBERED: Final = re.compile(r"(GLIBC|GLIBCXX|CXXABI|GCC)_(\d+(?:\.\d+)*)")
_OTHERS_OF_GLIBC: Final = re.compile(r"GLIBC_(?:PRIVATE|ABI_\w+)")

PANGO: Final = (
    "libgobject-2.0.so.0",
    "libpango-1.0.so.0",
    "libpangoft2-1.0.so.0",
    "libharfbuzz.so.0",
    "libharfbuzz-subset.so.0",
    "libfontconfig.so.1",
)
"""What WeasyPrint opens at import by these names (weasyprint/text/ffi.py): nothing needs them by DT_NEEDED."""

ROOTS: Final[Mapping[str, tuple[str, ...]]] = {"common": (), "pdf": PANGO}


NONE: Final[tuple[int, ...]] = (0,)
"""Below every version."""


@dataclass(frozen=True)
class Examined:
    """What was found in a layer."""

    files: int
    glibc: tuple[int, ...]
    """The highest version of glibc that a file asks for."""

    faults: tuple[str, ...]


def examine(folder: Path, architecture: str, roots: Iterable[str] = ()) -> Examined:
    """Every ELF file below ``folder``, and the libraries of ``roots``, that have to be in its folder ``lib``."""
    bodies = {path: elf_or_fault(path) for path in sorted(folder.rglob("*")) if path.is_file() and elf.is_elf(path)}
    libraries = {path: read for path, read in bodies.items() if isinstance(read, elf.Library)}
    faults = [f"{path.relative_to(folder)}: {read}" for path, read in bodies.items() if isinstance(read, str)]
    for path, library in libraries.items():
        there = {each.name for each in (folder / "lib").glob("*")} | _beside(path, library)
        faults += (f"{path.relative_to(folder)}: {fault}" for fault in unfit(library, architecture, there))
    faults += (
        f"lib/{name}: it is not in the layer, and nothing else brings it"
        for name in roots
        if folder / "lib" / name not in libraries
    )
    asked = [version for library in libraries.values() for version in _glibc(library)]
    return Examined(files=len(bodies), glibc=max(asked, default=NONE), faults=tuple(faults))


def unfit(library: elf.Library, architecture: str, there: Iterable[str]) -> Iterator[str]:
    """Why the loader of Lambda would refuse ``library``, beside the libraries that are ``there``."""
    if library.machine != architecture:
        yield f"it is for {library.machine}, not for {architecture}"
        return
    brought = {*there, *BASE, LOADERS[architecture]}
    for name in library.needed:
        if name not in brought:
            yield f"needs {name}, which neither the layer nor Lambda's base has"
    for name, version in library.versions:
        if why := _too_high(name, version, architecture):
            yield why


def said(version: tuple[int, ...]) -> str:
    """GLIBC_2.34."""
    return "GLIBC_" + ".".join(map(str, version))


def elf_or_fault(path: Path) -> elf.Library | str:
    """The library, or why it cannot be read."""
    try:
        return elf.read(path.read_bytes())
    except elf.NotReadable as fault:
        return str(fault)


def _beside(path: Path, library: elf.Library) -> set[str]:
    """What is in the folders that a wheel's library names beside itself ($ORIGIN)."""
    own = (folder for folder in library.folders if folder.startswith(("$ORIGIN", "${ORIGIN}")))
    folders = [path.parent / folder.partition("ORIGIN")[2].strip("}").lstrip("/") for folder in own]
    return {each.name for folder in folders if folder.is_dir() for each in folder.iterdir()}


def _too_high(name: str, version: str, architecture: str) -> str | None:
    if name not in {*BASE, LOADERS[architecture]}:
        return None  # from the layer itself, where the same file was built against it
    found = _NUMBERED.fullmatch(version)
    if found is None:
        private = _OTHERS_OF_GLIBC.fullmatch(version)
        return f"needs {version} of {name}, which is private to glibc or newer than 2.34" if private else None
    kind, number = found[1], tuple(map(int, found[2].split(".")))
    highest = _GCC[architecture] if kind == "GCC" else HIGHEST[kind]
    if number <= highest:
        return None
    return f"needs {version} of {name}; Lambda has {kind}_{'.'.join(map(str, highest))}"


def _glibc(library: elf.Library) -> Iterator[tuple[int, ...]]:
    for _, version in library.versions:
        found = _NUMBERED.fullmatch(version)
        if found is not None and found[1] == "GLIBC":
            yield tuple(map(int, found[2].split(".")))
