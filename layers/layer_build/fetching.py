"""Files of Debian's archive, by hash: from the cache, or else from a mirror into the cache.

A file is in the cache only once it is whole and has the hash that was asked for; what an interrupted build has fetched
is kept. Where the mirror comes from apt's sources, apt fetches (`apt-helper download-file`), with the proxies, the
certificates and the credentials that it is set up with.
"""

import hashlib
import os
import re
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from layer_build.faults import NotSound
from layer_build.lock import Entry
from layer_build.mirror import VARIABLES, Mirrors, mirrors

ROOT: Final = Path(__file__).resolve().parents[2]
APT_HELPER: Final = Path("/usr/lib/apt/apt-helper")
SECONDS: Final = 60
AT_ONCE: Final = 4
_GONE: Final = re.compile(r"\b404\b|File not found|No such file")


def cache(environment: Mapping[str, str] = os.environ) -> Path:
    """The folder of what was fetched: `.tools/native`, or LAYER_CACHE."""
    return Path(environment.get("LAYER_CACHE") or ROOT / ".tools" / "native")


@dataclass(frozen=True)
class Missed:
    """A place that did not give a file."""

    place: str
    why: str
    gone: bool


def fetched(
    entries: Iterable[Entry], folder: Path | None = None, find: Callable[[], Mirrors] = mirrors
) -> dict[Entry, Path]:
    """Where each entry is in the cache ``folder``, whole and checked. Raises NotSound with every file that is not.

    A mirror is only asked for (``find``) if something is lacking.
    """
    folder = folder or cache()
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {entry: folder / entry.sha256 for entry in entries}
    lacking = [entry for entry, path in wanted.items() if not _is(path, entry)]
    if lacking:
        found = find()
        fetch = _by_apt if found.by_apt and APT_HELPER.exists() else _by_urllib
        with ThreadPoolExecutor(AT_ONCE) as several:
            faults = [
                fault for fault in several.map(lambda entry: _one(entry, wanted[entry], found, fetch), lacking) if fault
            ]
        if faults:
            raise NotSound(
                "\n".join([*faults, f"What was fetched is kept; the same command goes on. {_advice(faults)}"])
            )
    return wanted


def index(archive: str, path: str, to: Path, find: Callable[[], Mirrors] = mirrors) -> None:
    """Fetch a file of which only its reader can say whether it is the right one. Raises NotSound."""
    found = find()
    fetch = _by_apt if found.by_apt and APT_HELPER.exists() else _by_urllib
    missed = []
    for place in found.places[archive]:
        why = fetch(f"{place}/{path}", to)
        if why is None:
            return
        missed.append(f"{place}/{path}: {why}")
    raise NotSound("\n".join(missed))


def _one(entry: Entry, target: Path, found: Mirrors, fetch: Callable[[str, Path], str | None]) -> str | None:
    """Fetch one file; the fault in words, if it is one."""
    missed = []
    for place in found.places[entry.archive]:
        partial = target.with_name(f"{target.name}.{os.getpid()}.partial")
        address = f"{place}/{urllib.parse.quote(entry.path)}"
        why = fetch(address, partial)
        if why is None:
            why = _other_than(partial, entry)
            if why is None:
                partial.replace(target)
                return None
        partial.unlink(missing_ok=True)
        missed.append(Missed(address, why, gone=bool(_GONE.search(why))))
    told = "".join(f"\n    {each.place}: {each.why}" for each in missed)
    remedy = (
        "this version is no longer in the archive: `make lock` takes the current one, or Debian's snapshot archive in "
        f"{VARIABLES[entry.archive]} still has it"
        if all(each.gone for each in missed)
        else f"try again later, or name another mirror in {VARIABLES[entry.archive]}"
    )
    return f"{entry.package} {entry.version} ({entry.file}) cannot be had; {remedy}.{told}"


def _advice(faults: list[str]) -> str:
    return f"{len(faults)} of the files that the layer is made of are lacking."


def _is(path: Path, entry: Entry) -> bool:
    """Whether the cache has the file. What is there under its name and is another one is removed."""
    if not path.is_file():
        return False
    if _other_than(path, entry) is None:
        return True
    path.unlink()
    return False


def _other_than(path: Path, entry: Entry) -> str | None:
    """How the file differs from the locked one."""
    size = path.stat().st_size
    if size != entry.size:
        return f"{size} bytes came, and the lock says {entry.size}: not the file that was locked"
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    if sha256 != entry.sha256:
        return f"sha256 {sha256}, and the lock says {entry.sha256}: not the file that was locked"
    return None


def _by_urllib(address: str, to: Path) -> str | None:
    try:
        with urllib.request.urlopen(address, timeout=SECONDS) as answer, to.open("wb") as file:  # noqa: S310 - see mirror.py
            shutil.copyfileobj(answer, file)
    except urllib.error.HTTPError as refused:
        return f"{refused.code} {refused.reason}"
    except (OSError, ValueError) as fault:
        return str(getattr(fault, "reason", fault))
    return None


def _by_apt(address: str, to: Path) -> str | None:
    scheme, _, rest = address.partition(":")
    if scheme in {"file", "copy"}:  # apt leaves local files where they are
        return _by_urllib(f"file:{rest}", to)
    command = [str(APT_HELPER), "-q", "-o", "APT::Sandbox::User=root", "download-file", address, str(to)]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
    )
    for left in to.parent.glob(f"{to.name}.FAILED"):
        left.unlink()
    if done.returncode == 0 and to.is_file():
        return None
    errors = [line.removeprefix("E: ") for line in done.stderr.splitlines() if line.startswith("E: ")]
    return (
        (errors or [f"apt-helper ended with {done.returncode}"])[0].removeprefix(f"Failed to fetch {address}").strip()
    )
