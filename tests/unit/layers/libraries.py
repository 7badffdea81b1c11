"""Libraries made up for a test: small ELF files with what the loader reads of them."""

import struct
from collections.abc import Mapping, Sequence

MACHINES = {"x86_64": 62, "arm64": 183, "i386": 3}


def a_library(
    machine: str = "x86_64",
    needed: Sequence[str] = ("libc.so.6",),
    versions: Mapping[str, Sequence[str]] | None = None,
    folders: str = "",
) -> bytes:
    """A shared library with a dynamic segment and nothing else."""
    versions = {"libc.so.6": ("GLIBC_2.17",)} if versions is None else versions
    strings = bytearray(b"\0")

    def text(word: str) -> int:
        at = len(strings)
        strings.extend(word.encode() + b"\0")
        return at

    need = b""
    for number, (library, names) in enumerate(versions.items()):
        last = number == len(versions) - 1
        need += struct.pack("<HHIII", 1, len(names), text(library), 16, 0 if last else 16 + 16 * len(names))
        for place, name in enumerate(names):
            need += struct.pack("<IHHII", 0, 0, 2, text(name), 0 if place == len(names) - 1 else 16)
    entries = [(1, text(name)) for name in needed]
    if folders:
        entries.append((29, text(folders)))
    header, base = 64 + 2 * 56, 0x1000
    size = 16 * (len(entries) + 5)
    at_need, at_strings = header + size, header + size + len(need)
    entries += [(5, base + at_strings), (10, len(strings))]
    if versions:
        entries += [(0x6FFFFFFE, base + at_need), (0x6FFFFFFF, len(versions))]
    entries.append((0, 0))
    dynamic = b"".join(struct.pack("<QQ", *entry) for entry in entries).ljust(size, b"\0")
    whole = at_strings + len(strings)
    ident = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    elf = ident + struct.pack("<HHIQQQIHHHHHH", 3, MACHINES[machine], 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0)
    load = struct.pack("<IIQQQQQQ", 1, 5, 0, base, base, whole, whole, 0x1000)
    segment = struct.pack("<IIQQQQQQ", 2, 6, header, base + header, base + header, size, size, 8)
    return elf + load + segment + dynamic + need + bytes(strings)
