"""What the lock names comes from a mirror or the cache, whole and with its hash, or the build stops and says why."""

import hashlib
import json
import random
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from layer_build import fetching, lock, packages
from layer_build.faults import NotSound
from layer_build.lock import Entry
from layer_build.mirror import Mirrors

BODY = b"a package"


def an_entry(body: bytes = BODY, name: str = "libpango-1.0-0", archive: str = "debian") -> Entry:
    path = f"pool/main/p/{name}_1.50+ds-1_amd64.deb"
    return Entry(name, "1.50+ds-1", archive, path, len(body), hashlib.sha256(body).hexdigest())


class Archive:
    """A mirror in a folder, and how often it was looked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked = 0

    def put(self, entry: Entry, body: bytes) -> None:
        path = self.folder / entry.archive / entry.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)

    def find(self) -> Mirrors:
        self.asked += 1
        return Mirrors({name: (f"file://{self.folder}/{name}",) for name in lock.ARCHIVES}, by_apt=False)


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "mirror")


def test_a_file_is_fetched_once_and_then_taken_from_the_cache_without_looking_for_a_mirror(
    archive: Archive, tmp_path: Path
) -> None:
    entry = an_entry()
    archive.put(entry, BODY)
    for _ in range(2):
        got = fetching.fetched([entry], tmp_path / "cache", archive.find)
        assert got[entry].read_bytes() == BODY
    assert archive.asked == 1


def test_what_is_gone_is_named_with_the_remedy_and_what_came_is_kept(archive: Archive, tmp_path: Path) -> None:
    here, gone = an_entry(), an_entry(b"other", "libglib2.0-0")
    archive.put(here, BODY)
    with pytest.raises(NotSound, match=r"libglib2\.0-0 1\.50\+ds-1 .*`make lock`.*snapshot archive[\s\S]*is kept"):
        fetching.fetched([here, gone], tmp_path / "cache", archive.find)
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [here.sha256]


@pytest.mark.parametrize("body", [b"a packagE", b"short", b"", BODY + b"more"])
def test_other_bytes_than_the_locked_ones_are_refused_and_not_kept(
    archive: Archive, tmp_path: Path, body: bytes
) -> None:
    entry = an_entry()
    archive.put(entry, body)
    with pytest.raises(NotSound, match=r"libpango-1\.0-0 .*another mirror[\s\S]*not the file that was locked"):
        fetching.fetched([entry], tmp_path / "cache", archive.find)
    assert not list((tmp_path / "cache").iterdir())


def test_a_damaged_file_in_the_cache_is_fetched_again(archive: Archive, tmp_path: Path) -> None:
    entry = an_entry()
    archive.put(entry, BODY)
    kept = fetching.fetched([entry], tmp_path / "cache", archive.find)[entry]
    kept.write_bytes(b"a packagE")
    assert fetching.fetched([entry], tmp_path / "cache", archive.find)[entry].read_bytes() == BODY


def test_the_next_mirror_is_asked_where_the_first_does_not_have_it(archive: Archive, tmp_path: Path) -> None:
    entry = an_entry()
    archive.put(entry, BODY)
    both = Mirrors({"debian": ("file:///nowhere/debian", f"file://{archive.folder}/debian")}, by_apt=True)
    assert fetching.fetched([entry], tmp_path / "cache", lambda: both)[entry].read_bytes() == BODY


def test_the_lock_has_both_architectures_with_the_same_packages_and_the_tests_pango() -> None:
    locked = lock.read()
    names = {architecture: {each.package for each in entries} for architecture, entries in locked.packages.items()}
    assert names["x86_64"] == names["arm64"]
    assert {each.version for entries in locked.packages.values() for each in entries if "pango" in each.package} == {
        "1.50.12+ds-1"
    }
    assert all(each.file.endswith(f"_{lock.DEBIAN[one]}.deb") for one, all_ in locked.packages.items() for each in all_)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"sha256": "abc"}, "sha256"),
        ({"size": 0}, "size"),
        ({"size": "12"}, "size"),
        ({"archive": "http://deb.example.org/debian"}, "archive"),
        ({"path": "http://deb.example.org/debian/pool/a.deb"}, "path"),
        ({"path": "pool/../../etc/passwd"}, "path"),
        ({"more": 1}, "expected the fields"),
    ],
)
def test_a_lock_that_makes_no_sense_is_refused_with_its_field(
    tmp_path: Path, change: dict[str, Any], field: str
) -> None:
    said = asdict(an_entry())
    whole = {"expat": said, "packages": {"x86_64": [said | change], "arm64": [said]}}
    (tmp_path / "native.lock.json").write_text(json.dumps(whole))
    with pytest.raises(NotSound, match=rf"x86_64: libpango-1\.0-0: {field}[\s\S]*`make lock`"):
        lock.read(tmp_path / "native.lock.json")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"packages": {"x86_64": []}}', "{"])
def test_a_damaged_lock_says_how_it_is_had_again(tmp_path: Path, text: str) -> None:
    (tmp_path / "native.lock.json").write_text(text)
    with pytest.raises(NotSound, match=r"native\.lock\.json cannot be read"):
        lock.read(tmp_path / "native.lock.json")


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    lock.write(lock.read(), tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == lock.LOCK.read_bytes()


def test_a_package_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.deb").write_bytes(b"<html>not found</html>")
    with pytest.raises(NotSound, match="libpango"):
        packages.opened([("libpango", tmp_path / "a.deb")])


def test_a_library_that_no_package_has_is_named_with_the_one_that_needs_it() -> None:
    from tests.unit.layers.libraries import a_library

    with pytest.raises(NotSound, match=r"libgone\.so\.1 \(for liba\.so\.1\)"):
        packages.closure(["liba.so.1"], {"liba.so.1": a_library(needed=("libgone.so.1",))}, "x86_64")


def test_versions_are_ordered_as_debian_orders_them() -> None:
    from layer_build.renewal import rank

    ordered = [
        "1.0~rc1",
        "1.0",
        "1.0-1~deb12u1",
        "1.0-1",
        "1.0-1+b6",
        "1.0-1+deb12u1",
        "1.0-2",
        "1.0-10",
        "1.0a",
        "1.0+b",
    ]
    ordered += ["1.9", "1.10", "1.10.0", "2.38.1-5", "2.38.1-5+deb12u3", "1:0.1", "2:0.1"]
    shuffled = random.Random(12).sample(ordered, len(ordered))
    assert sorted(shuffled, key=rank) == ordered
