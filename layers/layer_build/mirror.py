"""Where Debian's archives are, as seen from this machine. No address is written down anywhere.

DEBIAN_MIRROR names the archive `debian` (and DEBIAN_SECURITY_MIRROR the archive `debian-security`, if it is not beside
it). Without it the sources of apt are read, if this machine is Debian 12.

Sources. sources.list(5) for both spellings; apt-transport-mirror(1) for lists of mirrors, of which those in a file are
read; the pool of an archive is one for all suites (Debian Repository HOWTO), so that any source of the archive will do.
"""

import os
import re
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from layer_build.faults import WrongInput

VARIABLES: Final[Mapping[str, str]] = {"debian": "DEBIAN_MIRROR", "debian-security": "DEBIAN_SECURITY_MIRROR"}
HOW_TO: Final = """\
Set DEBIAN_MIRROR to the address of a mirror of Debian's archive, the folder in which `dists` and `pool` are:

    DEBIAN_MIRROR=http://<a mirror of Debian>/debian make build

Debian lists its mirrors at its web site. For versions that are no longer in the archive take Debian's snapshot archive:

    DEBIAN_MIRROR=http://<the snapshot archive>/archive/debian/<a date such as 20260901T000000Z> make build

The archive debian-security is looked for beside it; DEBIAN_SECURITY_MIRROR names another place."""

_SCHEMES: Final = ("http", "https", "file")
_FROM_APT: Final = (*_SCHEMES, "copy", "ftp", "mirror+file", "tor+http", "tor+https")
_SUITES: Final = re.compile(
    r"(?P<name>[a-z]+)(?P<pocket>-updates|-proposed-updates|-backports(?:-sloppy)?|-security|/updates)?"
)
_NAMES: Final = ("bookworm", "stable", "oldstable", "oldoldstable")


@dataclass(frozen=True)
class Mirrors:
    """The places to look in, best first, by archive."""

    places: Mapping[str, tuple[str, ...]]
    by_apt: bool
    """Read from apt's sources: then apt downloads as well, with the proxies and credentials that it is set up with."""


def mirrors(environment: Mapping[str, str] = os.environ, root: Path = Path("/")) -> Mirrors:
    """The mirrors of this machine. Raises WrongInput with what to set."""
    named = {archive: environment.get(variable, "").strip() for archive, variable in VARIABLES.items()}
    if any(named.values()):
        return Mirrors(_named(named), by_apt=False)
    system = _system(root)
    if system != ("debian", "12"):
        here = " ".join(part for part in system if part) or "unknown"
        raise WrongInput(f"DEBIAN_MIRROR is not set, and this machine ({here}) is not Debian 12.\n{HOW_TO}")
    found = of_apt(root)
    if not any(found.values()):
        raise WrongInput(f"DEBIAN_MIRROR is not set, and apt's sources name no mirror of Debian 12.\n{HOW_TO}")
    return Mirrors(found, by_apt=True)


def of_apt(root: Path) -> dict[str, tuple[str, ...]]:
    """The archives' addresses in the sources of apt below ``root``."""
    folder = root / "etc" / "apt"
    files = [folder / "sources.list", *sorted((folder / "sources.list.d").glob("*"))]
    found: dict[str, list[str]] = {archive: [] for archive in VARIABLES}
    for file in files:
        if file.is_file() and file.suffix in {".list", ".sources"}:
            text = file.read_text(encoding="utf-8", errors="replace")
            sources = _deb822(text) if file.suffix == ".sources" else _one_line(text)
            for archive, address in sources:
                found[archive] += _listed(address, root)
    for archive, other in (("debian", "debian-security"), ("debian-security", "debian")):
        found[archive] += filter(None, (beside(address, archive) for address in found[other]))
    # A third party's source may name the same suite and component: those that are called like the archive come first.
    return {
        archive: tuple(sorted(dict.fromkeys(places), key=lambda place: not place.endswith(f"/{archive}")))
        for archive, places in found.items()
    }


def beside(address: str, archive: str) -> str | None:
    """The address of ``archive``, as it is where both archives are kept in one place; None if it cannot be told."""
    parts = urllib.parse.urlsplit(address)
    segments = parts.path.rstrip("/").split("/")
    other = {"debian": "debian-security", "debian-security": "debian"}[archive]
    places = [number for number, segment in enumerate(segments) if segment == other]
    if not places:
        return None
    segments[places[-1]] = archive
    return urllib.parse.urlunsplit(parts._replace(path="/".join(segments)))


def _named(named: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    for archive, address in named.items():
        scheme = urllib.parse.urlsplit(address).scheme
        if address and scheme not in _SCHEMES:
            raise WrongInput(
                f"{VARIABLES[archive]}: expected an address that begins with http://, https:// or file://\n{HOW_TO}"
            )
    places: dict[str, tuple[str, ...]] = {}
    for archive, variable in VARIABLES.items():
        other = next(each for each in VARIABLES if each != archive)
        place = named[archive] or beside(named[other], archive)
        if place is None:
            raise WrongInput(
                f"{variable} is not set, and {VARIABLES[other]} has no folder `{other}` in its path beside which the "
                f"archive {archive} could be. Set {variable} as well.\n{HOW_TO}"
            )
        places[archive] = (place.rstrip("/"),)
    return places


def _system(root: Path) -> tuple[str, str]:
    """ID and VERSION_ID of os-release(5)."""
    for file in (root / "etc" / "os-release", root / "usr" / "lib" / "os-release"):
        if file.is_file():
            said = dict(
                line.strip().split("=", 1)
                for line in file.read_text(encoding="utf-8", errors="replace").splitlines()
                if "=" in line and not line.lstrip().startswith("#")
            )
            return said.get("ID", "").strip("\"'"), said.get("VERSION_ID", "").strip("\"'")
    return "", ""


def _one_line(text: str) -> Iterator[tuple[str, str]]:
    """sources.list: `deb [option=value …] uri suite component…`."""
    for line in text.splitlines():
        stated = re.sub(r"\[[^\]]*\]", " ", line.partition("#")[0], count=1)
        match stated.split():
            case ["deb", address, suite, *components]:
                yield from _judged([address], [suite], components)


def _deb822(text: str) -> Iterator[tuple[str, str]]:
    """*.sources: stanzas of fields, which may go on in lines that begin with a space."""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    for stanza in re.split(r"\n[ \t]*\n", "\n".join(lines)):
        fields: dict[str, str] = {}
        name = ""
        for line in stanza.splitlines():
            if line[:1] in {" ", "\t"}:
                fields[name] = f"{fields.get(name, '')} {line.strip()}"
            else:
                key, _, value = line.partition(":")
                name = key.strip().lower()
                fields[name] = value.strip()
        enabled = fields.get("enabled", "yes").lower() not in {"no", "false", "without", "off", "disable", "0"}
        if enabled and "deb" in fields.get("types", "").split():
            yield from _judged(*(fields.get(key, "").split() for key in ("uris", "suites", "components")))


def _judged(addresses: Iterable[str], suites: Iterable[str], components: Iterable[str]) -> Iterator[tuple[str, str]]:
    """(archive, address) of those sources that can be Debian's own."""
    if "main" not in components:
        return
    kinds = [found for suite in suites if (found := _SUITES.fullmatch(suite.strip("/"))) and found["name"] in _NAMES]
    archives = dict.fromkeys(
        "debian-security" if found["pocket"] in {"-security", "/updates"} else "debian" for found in kinds
    )
    for address in addresses:
        for archive in archives:
            yield archive, address


def _listed(address: str, root: Path) -> Iterator[str]:
    """The address itself; for a list of mirrors in a file, those that it lists."""
    scheme, _, rest = address.partition(":")
    if scheme not in _FROM_APT:
        return
    if scheme != "mirror+file":
        yield address.rstrip("/")
        return
    file = root / re.sub(r"^//(?=/)", "", rest).lstrip("/")
    if not file.is_file():
        return
    listed = []
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        mirror, *told = line.split()
        facts = [(key, value) for key, _, value in (each.partition(":") for each in told)]
        types = {value for key, value in facts if key == "type"}
        priorities = [int(value) for key, value in facts if key == "priority" and value.isdigit()]
        if not types or "deb" in types:
            listed.append((min(priorities, default=1 << 31), mirror.rstrip("/")))
    yield from (mirror for _, mirror in sorted(listed, key=lambda each: each[0]))
