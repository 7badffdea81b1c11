"""What the loader of Linux will ask of a library: its machine, the libraries and symbol versions that it needs.

Read from the segments, as the loader reads them (System V ABI, "Program Header"; Linux Standard Base, "Symbol
Versioning"): sections may have been stripped. 64-bit little endian only, which Lambda's two architectures are.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MAGIC: Final = b"\x7fELF"
MACHINES: Final = {62: "x86_64", 183: "arm64"}
_LITTLE_64: Final = b"\x02\x01"
_PT_LOAD, _PT_DYNAMIC = 1, 2
_DT_NEEDED, _DT_STRTAB, _DT_STRSZ, _DT_SONAME, _DT_RPATH, _DT_RUNPATH = 1, 5, 10, 14, 15, 29
_DT_VERNEED, _DT_VERNEEDNUM = 0x6FFFFFFE, 0x6FFFFFFF


class NotReadable(Exception):
    """The file begins like an ELF file and is none that can be read."""


@dataclass(frozen=True)
class Library:
    """A library as the loader sees it."""

    machine: str
    """x86_64, arm64, or `machine <number>`."""

    name: str
    """DT_SONAME; empty where it has none."""

    needed: tuple[str, ...]
    versions: tuple[tuple[str, str], ...]
    """(library, version) of every symbol version that has to be there."""

    folders: tuple[str, ...]
    """DT_RPATH and DT_RUNPATH: where it has its own libraries looked for."""


def is_elf(path: Path) -> bool:
    """Whether the file begins as ELF files do."""
    with path.open("rb") as file:
        return file.read(4) == MAGIC


def read(body: bytes) -> Library:
    """What ``body`` asks of the loader. Raises NotReadable for what is cut off or of another kind."""
    try:
        return _read(body)
    except (struct.error, UnicodeDecodeError, IndexError) as fault:
        raise NotReadable(f"cut off or damaged ({fault})") from fault


def _read(body: bytes) -> Library:
    if body[:4] != MAGIC or body[4:6] != _LITTLE_64:
        raise NotReadable("not a 64-bit little-endian ELF file")
    (machine,) = struct.unpack_from("<H", body, 18)
    (programs,) = struct.unpack_from("<Q", body, 32)
    size, count = struct.unpack_from("<HH", body, 54)
    segments = [struct.unpack_from("<IIQQQQQQ", body, programs + number * size) for number in range(count)]
    dynamic = list(_dynamic(body, segments))
    single = dict(dynamic)

    def offset(address: int) -> int:
        for kind, _, at, virtual, _, length, _, _ in segments:
            if kind == _PT_LOAD and virtual <= address < virtual + length:
                return int(at + address - virtual)
        raise NotReadable(f"address {address:#x} is in no segment")

    def text(at: int) -> str:
        start = offset(single[_DT_STRTAB]) + at
        return body[start : body.index(b"\0", start)].decode()

    try:
        return Library(
            machine=MACHINES.get(machine, f"machine {machine}"),
            name=next((text(value) for tag, value in dynamic if tag == _DT_SONAME), ""),
            needed=tuple(text(value) for tag, value in dynamic if tag == _DT_NEEDED),
            versions=tuple(
                (text(library), text(version))
                for library, version in (
                    _versions(body, offset(single[_DT_VERNEED]), single[_DT_VERNEEDNUM])
                    if _DT_VERNEED in single
                    else ()
                )
            ),
            folders=tuple(
                folder for tag, value in dynamic if tag in {_DT_RPATH, _DT_RUNPATH} for folder in text(value).split(":")
            ),
        )
    except (KeyError, ValueError) as fault:
        raise NotReadable(f"its dynamic section is incomplete ({fault})") from fault


def _dynamic(body: bytes, segments: list[tuple[int, ...]]) -> Iterator[tuple[int, int]]:
    for kind, _, at, _, _, length, _, _ in segments:
        if kind == _PT_DYNAMIC:
            for entry in range(at, at + length, 16):
                tag, value = struct.unpack_from("<QQ", body, entry)
                if tag == 0:
                    return
                yield tag, value


def _versions(body: bytes, at: int, count: int) -> Iterator[tuple[int, int]]:
    """Offsets of the names of library and version."""
    for _ in range(count):
        _, entries, library, first, following = struct.unpack_from("<HHIII", body, at)
        entry = at + first
        for _ in range(entries):
            _, _, _, version, next_entry = struct.unpack_from("<IHHII", body, entry)
            yield library, version
            entry += next_entry
        at += following
