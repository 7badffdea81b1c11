"""`make lock`: the current versions of Debian 12's packages, and of expat's source, into native.lock.json.

Which versions those are the archive's index says, whose hash its Release file says, whose signature is checked with
Debian's keys (SecureApt, Debian wiki; Debian Repository Format). The lock is written only once the libraries of both
architectures have been fetched, and every one fits Lambda.
"""

import hashlib
import lzma
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from layer_build import building, elf, fetching, gate, lock
from layer_build.faults import NotSound, WrongInput

PACKAGES: Final = (
    "libbrotli1",
    "libblkid1",
    "libdatrie1",
    "libffi8",
    "libfontconfig1",
    "libfreetype6",
    "libfribidi0",
    "libglib2.0-0",
    "libgraphite2-3",
    "libharfbuzz-subset0",
    "libharfbuzz0b",
    "libmount1",
    "libpango-1.0-0",
    "libpangoft2-1.0-0",
    "libpcre2-8-0",
    "libpng16-16",
    "libselinux1",
    "libthai0",
    "zlib1g",
)
"""What WeasyPrint opens, and what that needs, but for libexpat. A library that is lacking names itself in the build."""

SUITES: Final = (("debian", "bookworm"), ("debian", "bookworm-updates"), ("debian-security", "bookworm-security"))
EXPAT_SUITES: Final = (("debian", "trixie"), ("debian-security", "trixie-security"), ("debian", "sid"))
"""A newer Debian's: the source is compiled here, so that no version of Debian 12 holds it back."""

KEYRING: Final = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_EXPAT: Final = re.compile(r"expat_(\d[\d.]*)\.orig\.tar\.(?:gz|xz|bz2)")


def renew(path: Path = lock.LOCK) -> None:
    """Write the lock anew, and say what has changed. Raises NotBuilt, and leaves the lock as it is."""
    before = {each.package: each.version for each in _entries(lock.read(path))} if path.exists() else {}
    with tempfile.TemporaryDirectory() as scratch:
        packages = {architecture: _packages(architecture, Path(scratch)) for architecture in gate.ARCHITECTURES}
        made = lock.Lock(packages=packages, expat=_expat(Path(scratch)))
    for architecture in gate.ARCHITECTURES:
        libraries, _ = building.native(architecture, made)
        faults = [
            f"{name}: {fault}"
            for name, body in libraries.items()
            for fault in gate.unfit(elf.read(body), architecture, libraries)
        ]
        if faults:
            raise NotSound(f"the current packages do not fit Lambda ({architecture}): {'; '.join(faults)}")
    lock.write(made, path)
    changed = [
        f"{each.package} {before.get(each.package, 'new')} -> {each.version}"
        for each in _entries(made)
        if before.get(each.package) != each.version
    ]
    print(f"native.lock.json: {'; '.join(changed) or 'nothing newer'}")


def _entries(locked: lock.Lock) -> tuple[lock.Entry, ...]:
    return locked.of(gate.ARCHITECTURES[0])


def _packages(architecture: str, scratch: Path) -> tuple[lock.Entry, ...]:
    """The newest version of each package."""
    newest: dict[str, lock.Entry] = {}
    for archive, suite in SUITES:
        index = f"main/binary-{lock.DEBIAN[architecture]}/Packages.xz"
        for said in stanzas(_index(archive, suite, index, scratch), PACKAGES):
            name = said["Package"]
            found = lock.Entry(name, said["Version"], archive, said["Filename"], int(said["Size"]), said["SHA256"])
            if name not in newest or rank(newest[name].version) < rank(found.version):
                newest[name] = found
    lacking = set(PACKAGES) - set(newest)
    if lacking:
        raise NotSound(f"Debian 12's index for {architecture} does not have {', '.join(sorted(lacking))}")
    return tuple(newest[name] for name in PACKAGES)


def _expat(scratch: Path) -> lock.Entry:
    """The newest source of expat that a mirror really has."""
    found: dict[str, lock.Entry] = {}
    for archive, suite in EXPAT_SUITES:
        for said in stanzas(_index(archive, suite, "main/source/Sources.xz", scratch), ("expat",)):
            for line in said["Checksums-Sha256"].splitlines():
                sha256, size, name = (line.split() or ["", "0", ""])[:3]
                if match := _EXPAT.fullmatch(name):
                    path = f"{said['Directory']}/{name}"
                    found[f"{archive}/{path}"] = lock.Entry("expat", match[1], archive, path, int(size), sha256)
    missed = []
    for entry in sorted(found.values(), key=lambda each: rank(each.version), reverse=True):
        try:
            fetching.fetched([entry])
        except NotSound as gone:  # an index may be ahead of its mirror
            missed.append(str(gone))
        else:
            return entry
    raise NotSound("\n".join(["no source of expat can be had", *missed]))


def _index(archive: str, suite: str, name: str, scratch: Path) -> str:
    """An index of a suite, once its signature and its hash are right."""
    release = scratch / f"{archive}-{suite}"
    if not release.exists():
        signed = release.with_suffix(".signed")
        fetching.index(archive, f"dists/{suite}/InRelease", signed)
        release.write_text(_verified(signed), encoding="utf-8")
    file = scratch / f"{archive}-{suite}-{name.replace('/', '-')}"
    if not file.exists():
        fetching.index(archive, f"dists/{suite}/{name}", file)
    expected = _hashes(release.read_text(encoding="utf-8")).get(name)
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    if sha256 != expected:
        raise NotSound(f"dists/{suite}/{name}: sha256 {sha256}, and its Release file says {expected}. Try again later")
    return lzma.decompress(file.read_bytes()).decode()


def _verified(signed: Path) -> str:
    """What was signed, and no more."""
    gpgv = shutil.which("gpgv")
    if gpgv is None or not KEYRING.is_file():
        raise WrongInput(
            "the native lock is not renewed: Debian's signature cannot be checked without gpgv and Debian's keys. They "
            "are in the packages gpgv and debian-archive-keyring, which every Debian has"
        )
    with tempfile.TemporaryDirectory() as scratch:
        text = Path(scratch) / "text"
        done = subprocess.run(
            [gpgv, "--quiet", "--keyring", str(KEYRING), "--output", str(text), str(signed)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise NotSound(f"{signed.stem}: Debian has not signed this Release file:\n{done.stderr.strip()}")
        return text.read_text(encoding="utf-8")


def _hashes(release: str) -> dict[str, str]:
    """Names and hashes of a Release file's SHA256 section."""
    section = release.partition("\nSHA256:")[2]
    found = {}
    for line in section.splitlines()[1:]:
        if not line.startswith(" "):
            break
        sha256, _, name = line.split()
        found[name] = sha256
    return found


def stanzas(text: str, packages: Iterable[str]) -> Iterator[dict[str, str]]:
    """The stanzas about ``packages`` of an index as fields; lines that go on belong to the field above them."""
    wanted = re.compile(rf"^Package: (?:{'|'.join(map(re.escape, packages))})\n(?:.+\n?)*", re.MULTILINE)
    for stanza in wanted.findall(text):
        fields: dict[str, str] = {}
        name = ""
        for line in stanza.splitlines():
            if line[:1] in {" ", "\t"}:
                fields[name] += f"\n{line.strip()}"
            else:
                name, _, value = line.partition(":")
                fields[name] = value.strip()
        yield fields


def rank(version: str) -> tuple[object, ...]:
    """What versions of Debian's packages are ordered by: deb-version(7)."""
    epoch, colon, rest = version.partition(":")
    upstream, dash, revision = (rest if colon else version).rpartition("-")
    parts = (upstream, revision) if dash else (revision, "")
    return (int(epoch) if colon else 0, *map(_rank, parts))


def _rank(part: str) -> tuple[tuple[tuple[int, ...], int], ...]:
    """Alternately text and number. In texts ~ is before the end, the end before letters, letters before the rest."""
    found: Iterable[tuple[str, str]] = re.findall(r"(\D*)(\d*)", part)
    return tuple(((*map(_letter, text), 0), int(number or 0)) for text, number in found)


def _letter(letter: str) -> int:
    if letter == "~":
        return -1
    return ord(letter) if letter.isalpha() else ord(letter) + 256
