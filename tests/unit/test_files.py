"""Commands write what holds costs and access for its owner only, whatever the umask says and stood there before."""

import os
import re
import shlex
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import _files

ROOT = Path(__file__).parents[2]
PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(params=[0o000, 0o022, 0o077, 0o277], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def test_a_file_is_for_its_owner_only(tmp_path: Path, umask: None) -> None:
    _files.write(tmp_path / "ops.json", b"{}")
    assert mode(tmp_path / "ops.json") == PRIVATE_FILE


def test_a_file_that_everybody_could_read_is_replaced_by_one_that_only_its_owner_can(tmp_path: Path) -> None:
    path = tmp_path / "ops.json"
    path.write_bytes(b"old")
    path.chmod(0o644)
    with path.open("rb") as reading:
        _files.write(path, b"new")
        assert reading.read() == b"old", "who had it open reads what was there"
    assert (path.read_bytes(), mode(path)) == (b"new", PRIVATE_FILE)


def test_a_link_is_replaced_and_what_it_points_to_is_not_written(tmp_path: Path) -> None:
    (tmp_path / "public").write_bytes(b"old")
    (tmp_path / "ops.json").symlink_to(tmp_path / "public")
    _files.write(tmp_path / "ops.json", b"new")
    assert (tmp_path / "public").read_bytes() == b"old"
    assert not (tmp_path / "ops.json").is_symlink()


def test_a_file_that_shall_not_be_replaced_stays_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    (tmp_path / "acme.json").write_bytes(b"old")
    with pytest.raises(FileExistsError):
        _files.write(tmp_path / "acme.json", b"new", replace=False)
    assert [each.name for each in tmp_path.iterdir()] == ["acme.json"]
    assert (tmp_path / "acme.json").read_bytes() == b"old"


def test_a_folder_and_all_that_had_to_be_made_above_it_are_for_their_owner_only(tmp_path: Path, umask: None) -> None:
    tmp_path.chmod(0o755)
    folder = tmp_path / "out" / "preview" / "acme" / "2026-10-final"
    _files.write_folder(folder, {"costs.json": b"{}", "report.pdf": b"%PDF"}, ours=re.compile(r".*"))
    assert {mode(each) for each in folder.iterdir()} == {PRIVATE_FILE}
    assert {mode(each) for each in (folder, *list(folder.parents)[:3])} == {PRIVATE_FOLDER}
    assert mode(tmp_path) == 0o755, "what was there before is not ours to close"


def test_a_folder_that_an_older_version_left_open_is_closed(tmp_path: Path) -> None:
    folder = tmp_path / "2026-10-final"
    folder.mkdir(mode=0o755)
    (folder / "costs.json").write_bytes(b"old")
    (folder / "costs.json").chmod(0o644)
    _files.write_folder(folder, {"costs.json": b"new"}, ours=re.compile(r".*"))
    assert (mode(folder), mode(folder / "costs.json")) == (PRIVATE_FOLDER, PRIVATE_FILE)


def test_a_file_in_the_place_of_a_folder_is_an_error_and_stays(tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(b"mine")
    with pytest.raises(OSError, match="out"):
        _files.make_folder(tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == b"mine"


def test_commands_write_files_in_one_place_only() -> None:
    """A second writer would have modes of its own. ``messages.py`` writes this repository's translations."""
    writing = re.compile(r"\.write_text\(|\.write_bytes\(|\.mkdir\(|\bopen\((?!\"rb\"\))")
    found = {path.name for path in ROOT.glob("scripts/*.py") if writing.search(path.read_text())}
    assert found <= {"_files.py", "messages.py"}, found


def written_by_the_documents() -> list[str]:
    """What README and runbook tell people to write, relative to the checkout."""
    text = "".join((ROOT / name).read_text() for name in ("README.md", "docs/RUNBOOKS.md"))
    options = r"--(?:output|output-dir|out|config|backup|baseline)[ =]([^\s\\`|;)]+)"
    named = {shlex.split(each)[0] for each in re.findall(options, text)}
    return sorted(each for each in named if re.search(r"\.(json|pdf|md|csv|xlsx)$", each) and "$" not in each)


@pytest.mark.parametrize("path", ["out/preview/acme/costs.json", "acme.schema.json", *written_by_the_documents()])
def test_what_the_documents_tell_people_to_write_is_never_offered_to_git(path: str) -> None:
    done = subprocess.run(["git", "check-ignore", "--quiet", "--no-index", path], cwd=ROOT, check=False)
    assert done.returncode == 0, f"{path}: one `git add .` would publish it"


def test_nothing_of_the_repository_itself_is_ignored() -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "-ci", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    )
    assert tracked.stdout == b""
