"""native.lock.json: which files of Debian's archive the PDF layer is made of, by path, size and sha256.

No address of a mirror stands in it: every mirror has the same files at the same paths. `make lock` writes it.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from layer_build.faults import NotSound
from layer_build.gate import ARCHITECTURES

LOCK: Final = Path(__file__).resolve().parents[1] / "pdf" / "native.lock.json"
ARCHIVES: Final = ("debian", "debian-security")
SUITE: Final = "bookworm"
"""Debian 12: its Pango is the one of the tests and of the gallery, and its libraries ask for glibc 2.34 at most, but
for libexpat, which is compiled."""

DEBIAN: Final[Mapping[str, str]] = {"x86_64": "amd64", "arm64": "arm64"}
"""What Debian calls Lambda's architectures."""

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_PATH: Final = re.compile(r"pool/[A-Za-z0-9+.~_/-]+")


@dataclass(frozen=True)
class Entry:
    """A file in Debian's archive."""

    package: str
    version: str
    archive: str
    path: str
    size: int
    sha256: str

    @property
    def file(self) -> str:
        """Its name in the archive."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True)
class Lock:
    """Packages by architecture, and the source of libexpat."""

    packages: Mapping[str, tuple[Entry, ...]]
    expat: Entry

    def of(self, architecture: str) -> tuple[Entry, ...]:
        """All that a layer for ``architecture`` is made of."""
        return (*self.packages[architecture], self.expat)


def read(path: Path = LOCK) -> Lock:
    """The lock. Raises NotSound with the entry and the field if it is not one."""
    try:
        whole = json.loads(path.read_text(encoding="utf-8"))
        packages = {
            architecture: tuple(_entry(each, architecture, path) for each in whole["packages"][architecture])
            for architecture in ARCHITECTURES
        }
        return Lock(packages=packages, expat=_entry(whole["expat"], "expat", path))
    except FileNotFoundError:
        raise NotSound(f"{path.name} is missing: `git checkout {path}`, or `make lock`") from None
    except (ValueError, KeyError, TypeError) as fault:
        raise NotSound(f"{path.name} cannot be read ({fault}): `git checkout {path}`, or `make lock`") from fault


def write(lock: Lock, path: Path = LOCK) -> None:
    """Write the lock, sorted, so that a change shows only what changed."""
    whole = {
        "comment": "Written by `make lock`. Paths are those of Debian's archives; the mirror is yours.",
        "expat": asdict(lock.expat),
        "packages": {
            architecture: [asdict(each) for each in sorted(lock.packages[architecture], key=lambda each: each.package)]
            for architecture in ARCHITECTURES
        },
    }
    path.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")


def _entry(said: Any, where: str, path: Path) -> Entry:
    fault = _fault(said)
    if fault:
        name = said.get("package", "an entry") if isinstance(said, dict) else "an entry"
        raise NotSound(f"{path.name}: {where}: {name}: {fault}. `make lock` writes it anew")
    return Entry(**said)


def _fault(said: Any) -> str | None:
    if not isinstance(said, dict) or set(said) != set(Entry.__dataclass_fields__):
        return f"expected the fields {', '.join(Entry.__dataclass_fields__)}"
    if said["archive"] not in ARCHIVES:
        return f"archive: expected one of {', '.join(ARCHIVES)}"
    if not isinstance(said["size"], int) or said["size"] <= 0:
        return "size: expected a number of bytes"
    if not _SHA256.fullmatch(str(said["sha256"])):
        return "sha256: expected 64 hexadecimal digits"
    if not _PATH.fullmatch(str(said["path"])) or ".." in said["path"].split("/"):
        return "path: expected a path below pool/"
    return None
