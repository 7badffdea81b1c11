"""libexpat for glibc 2.34, compiled from its locked source by a locked compiler.

Debian 12's own is the only library under Pango that asks for a newer glibc (`arc4random_buf`, 2.36). fontconfig reads
nothing with it but our own fonts.conf. The compiler is ziglang of PyPI (requirements/zig.txt, with hashes): it has the
symbol versions of every glibc, so that any machine compiles for Lambda. It is installed when it is needed, and what it
made is kept.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from layer_build import elf, gate
from layer_build.faults import NotSound, WrongInput
from layer_build.fetching import ROOT
from layer_build.lock import Entry

NAME: Final = "libexpat.so.1"
COMPILER: Final = ROOT / ".tools" / "zig" / "bin" / "python"
COMPILER_LOCK: Final = ROOT / "requirements" / "zig.txt"
TRIPLES: Final[Mapping[str, str]] = {"x86_64": "x86_64-linux-gnu.2.34", "arm64": "aarch64-linux-gnu.2.34"}
CONFIGURATION: Final = """\
#define BYTEORDER 1234
#define HAVE_GETRANDOM 1
#define XML_CONTEXT_BYTES 1024
#define XML_DTD 1
#define XML_GE 1
#define XML_NS 1
"""
"""What its configure script would find out about glibc 2.34 on a little-endian machine."""

FLAGS: Final = ("-shared", "-fPIC", "-O2", "-s", "-DHAVE_EXPAT_CONFIG_H", f"-Wl,-soname,{NAME}", "-Wl,-z,defs")
SOURCES: Final = ("xmlparse.c", "xmlrole.c", "xmltok.c", "random_getrandom.c")
"""The library, and the one source of randomness that the configuration names. An older version has it within."""


def compiled(source: Path, entry: Entry, architecture: str, cache: Path) -> tuple[bytes, bytes]:
    """The library, and its licence. Raises WrongInput without a compiler, NotSound if it does not compile or fit."""
    made_from = _made_from(entry, architecture)
    library, licence = cache / f"expat-{made_from}.so", cache / f"expat-{made_from}.txt"
    if not (library.is_file() and licence.is_file() and not _unfit(library.read_bytes(), architecture)):
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as scratch:
            made = _compile(source, entry, architecture, Path(scratch))
            why = _unfit(made.read_bytes(), architecture)
            if why:
                raise NotSound(f"{NAME} of {entry.file}: {'; '.join(why)}")
            (Path(scratch) / "source" / "COPYING").replace(licence)
            made.replace(library)
    return library.read_bytes(), licence.read_bytes()


def _made_from(entry: Entry, architecture: str) -> str:
    parts = (entry.sha256, COMPILER_LOCK.read_text(encoding="utf-8"), CONFIGURATION, *FLAGS, TRIPLES[architecture])
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def _unfit(body: bytes, architecture: str) -> list[str]:
    try:
        return list(gate.unfit(elf.read(body), architecture, ()))
    except elf.NotReadable as fault:
        return [str(fault)]


def _compile(source: Path, entry: Entry, architecture: str, scratch: Path) -> Path:
    compiler = _compiler()
    _unpack(source, entry, scratch)
    library = scratch / "source" / "lib"
    (library / "expat_config.h").write_text(CONFIGURATION, encoding="utf-8")
    files = [name for name in SOURCES if (library / name).is_file()]
    made = scratch / NAME
    # In the folder of the sources, by their bare names: no path of this machine can get into the library.
    done = subprocess.run(
        [
            str(compiler),
            "-m",
            "ziglang",
            "cc",
            "-target",
            TRIPLES[architecture],
            *FLAGS,
            "-I.",
            "-o",
            str(made),
            *files,
        ],
        cwd=library,
        env={
            **os.environ,
            "ZIG_GLOBAL_CACHE_DIR": str(scratch / "zig"),
            "ZIG_LOCAL_CACHE_DIR": str(scratch / "zig"),
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0 or not made.is_file():
        raise NotSound(f"{entry.file} does not compile:\n" + "\n".join(done.stderr.strip().splitlines()[-20:]))
    return made


def _compiler() -> Path:
    if not COMPILER.exists() or not _answers():
        setup = ROOT / "local" / "setup.py"
        if not setup.exists():
            raise WrongInput(f"{NAME} is compiled by ziglang, which is not here: run `make build` in a checkout")
        done = subprocess.run(
            [sys.executable, "-I", str(setup), "--compiler"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise WrongInput(f"the compiler of {NAME} cannot be installed:\n{done.stdout}{done.stderr}")
    return COMPILER


def _answers() -> bool:
    """Whether the installation is that of the lock. Its setup costs nothing then."""
    return (COMPILER.parents[1] / ".stamp").is_file() and shutil.which(str(COMPILER)) is not None


def _unpack(source: Path, entry: Entry, scratch: Path) -> None:
    """The library's sources and its licence; whatever folder they are in."""
    try:
        with tarfile.open(source) as archive:
            for member in archive:
                name = member.name.partition("/")[2]
                wanted = name in {"COPYING", "expat/COPYING"} or name.startswith(("lib/", "expat/lib/"))
                if wanted and member.isfile() and name.endswith((".c", ".h", "COPYING")):
                    target = scratch / "source" / name.removeprefix("expat/")
                    target.parent.mkdir(parents=True, exist_ok=True)
                    file = archive.extractfile(member)
                    assert file is not None
                    target.write_bytes(file.read())
    except tarfile.TarError as fault:
        raise NotSound(f"{entry.file} cannot be unpacked: {fault}") from fault
    if not (scratch / "source" / "COPYING").is_file():
        raise NotSound(f"{entry.file} has no COPYING: it is not the source of expat")
