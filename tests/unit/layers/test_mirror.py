"""Where Debian's archives are is read from the machine, in every spelling of apt's sources, and stands in no file."""

import re
import subprocess
from pathlib import Path

import pytest

from layer_build import lock, mirror
from layer_build.faults import WrongInput

DEBIAN_12 = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_ID="12"\n# a comment\nID=debian\n'
MAIN = ("http://deb.example.org/debian",)
SECURITY = ("http://deb.example.org/debian-security",)


def a_machine(root: Path, release: str = DEBIAN_12, **sources: str) -> Path:
    """A root file system with apt's sources: `main_sources` is sources.list.d/main.sources, `list` sources.list."""
    parts = root / "etc" / "apt" / "sources.list.d"
    parts.mkdir(parents=True)
    if release:
        (root / "etc" / "os-release").write_text(release)
    for name, text in sources.items():
        path = parts.parent / "sources.list" if name == "list" else parts / ".".join(name.rsplit("_", 1))
        path.write_text(text)
    return root


def places(root: Path, **environment: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    found = mirror.mirrors(environment, root).places
    return found["debian"], found["debian-security"]


@pytest.mark.parametrize(
    "text",
    [
        (
            "deb http://deb.example.org/debian bookworm main\n"  # two lines
            "deb http://deb.example.org/debian-security bookworm-security main"
        ),
        "deb http://deb.example.org/debian/ bookworm-updates main contrib # a comment",
        "  deb\t[arch=amd64 signed-by=/etc/a.gpg]\thttp://deb.example.org/debian  bookworm  contrib main",
        "deb [ trusted=yes ] http://deb.example.org/debian stable main",
        "deb http://deb.example.org/debian oldstable main",
        "deb http://deb.example.org/debian-security bookworm/updates main",
        "# deb http://other.example.org/debian bookworm main\ndeb http://deb.example.org/debian bookworm main",
        "deb-src http://src.example.org/debian bookworm main\ndeb http://deb.example.org/debian bookworm main",
    ],
)
def test_one_line_sources_are_read(tmp_path: Path, text: str) -> None:
    assert places(a_machine(tmp_path / "list", list=text)) == (MAIN, SECURITY)
    assert places(a_machine(tmp_path / "parts", main_list=text)) == (MAIN, SECURITY)


@pytest.mark.parametrize(
    "text",
    [
        "Types: deb\nURIs: http://deb.example.org/debian\nSuites: bookworm bookworm-updates\nComponents: main\n",
        "types: deb deb-src\nuris: http://deb.example.org/debian/\nsuites: bookworm\ncomponents: main contrib\n",
        (
            "Types: deb\n# http://old.example.org/debian\nURIs:\n http://deb.example.org/debian\nSuites:\n bookworm\n"
            " bookworm-updates\nComponents: main\nSigned-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mQ\n"
        ),
        (
            "Enabled: no\nTypes: deb\nURIs: http://other.example.org/debian\nSuites: bookworm\nComponents: main\n\n"
            "Enabled: yes\nTypes: deb\nURIs: http://deb.example.org/debian\nSuites: bookworm\nComponents: main\n"
        ),
        (
            "Types: deb\nURIs: http://deb.example.org/debian-security\nSuites: bookworm-security\nComponents: main\n"
            "\n\n\nTypes: deb\nURIs: http://deb.example.org/debian\nSuites: bookworm\nComponents: main"
        ),
    ],
)
def test_deb822_sources_are_read(tmp_path: Path, text: str) -> None:
    assert places(a_machine(tmp_path, debian_sources=text)) == (MAIN, SECURITY)


def test_a_list_of_mirrors_in_a_file_is_read_in_its_order(tmp_path: Path) -> None:
    root = a_machine(
        tmp_path,
        debian_sources="Types: deb\nURIs: mirror+file:/etc/apt/mirrors/debian.list\nSuites: bookworm\nComponents: main",
        more_list="deb mirror+file:///etc/apt/mirrors/security.list bookworm-security main",
    )
    (root / "etc/apt/mirrors").mkdir()
    (root / "etc/apt/mirrors/debian.list").write_text(
        "# mirrors\n\nhttp://index.example.org/debian/\tpriority:1 type:index\n"
        "http://second.example.org/debian/\tpriority:3\n"
        "http://first.example.org/debian\tpriority:2 arch:amd64 type:deb\n"
    )
    (root / "etc/apt/mirrors/security.list").write_text("http://first.example.org/debian-security\n")
    debian, security = places(root)
    assert debian == ("http://first.example.org/debian", "http://second.example.org/debian")
    assert security[0] == "http://first.example.org/debian-security"


def test_others_sources_come_last_or_not_at_all(tmp_path: Path) -> None:
    root = a_machine(
        tmp_path,
        a_list="deb http://apt.example.org/vendor bookworm main\ndeb http://apt.example.org/docker bookworm stable",
        b_list="deb http://apt.example.org/postgres bookworm-pgdg main\ndeb http://apt.example.org/flat ./",
        debian_list="deb http://deb.example.org/debian bookworm main\ndeb cdrom:[Debian]/ bookworm main",
        old_save="deb http://old.example.org/debian bookworm main",
    )
    assert places(root)[0] == (*MAIN, "http://apt.example.org/vendor")


def test_the_variable_comes_before_apt_s_sources_and_the_other_archive_is_looked_for_beside_it(tmp_path: Path) -> None:
    root = a_machine(tmp_path, list="deb http://deb.example.org/debian bookworm main")
    named = mirror.mirrors({"DEBIAN_MIRROR": "https://m.example.org/pub/debian/"}, root)
    assert named.places["debian-security"] == ("https://m.example.org/pub/debian-security",)
    assert not named.by_apt
    assert mirror.mirrors({}, root).by_apt
    snapshot = "http://snapshot.example.org/archive/debian/20260901T000000Z"
    assert places(root, DEBIAN_MIRROR=snapshot)[1] == (snapshot.replace("/debian/", "/debian-security/"),)
    both = places(root, DEBIAN_MIRROR="http://a.example.org/x", DEBIAN_SECURITY_MIRROR="http://b.example.org/y")
    assert both == (("http://a.example.org/x",), ("http://b.example.org/y",))


@pytest.mark.parametrize(
    "release",
    ["", 'ID=ubuntu\nVERSION_ID="24.04"\nID_LIKE=debian', "ID=debian\nVERSION_ID='13'", 'ID="amzn"\nVERSION_ID="2023"'],
)
def test_elsewhere_than_on_debian_12_the_message_says_what_to_set(tmp_path: Path, release: str) -> None:
    root = a_machine(tmp_path, release, list="deb http://deb.example.org/debian trixie main")
    with pytest.raises(
        WrongInput, match=r"not Debian 12[\s\S]*DEBIAN_MIRROR=http://<a mirror of Debian>/debian make build"
    ):
        mirror.mirrors({}, root)


def test_debian_12_without_a_source_of_debian_is_told_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(WrongInput, match=r"name no mirror[\s\S]*snapshot archive"):
        mirror.mirrors({}, a_machine(tmp_path, list="deb cdrom:[Debian 12]/ bookworm main"))


@pytest.mark.parametrize(
    ("environment", "variable"),
    [
        ({"DEBIAN_MIRROR": "m.example.org/debian"}, "DEBIAN_MIRROR"),
        ({"DEBIAN_MIRROR": "ftp://m.example.org/debian"}, "DEBIAN_MIRROR"),
        ({"DEBIAN_MIRROR": "http://m.example.org/bookworm"}, "DEBIAN_SECURITY_MIRROR"),
        ({"DEBIAN_SECURITY_MIRROR": "http://m.example.org/security"}, "DEBIAN_MIRROR"),
    ],
)
def test_a_variable_that_does_not_suffice_is_named(environment: dict[str, str], variable: str) -> None:
    with pytest.raises(WrongInput, match=rf"^{variable}"):
        mirror.mirrors(environment, Path("/nowhere"))


def test_no_file_of_the_repository_names_a_mirror() -> None:
    """But for examples, whose host is example.org or a word in angle brackets."""
    files = subprocess.run(["git", "ls-files", "-z"], capture_output=True, text=True, check=True).stdout.split("\0")
    named = [
        f"{name}: {found[0]}"
        for name in files
        if name
        and Path(name).is_file()
        and Path(name).suffix in {"", ".py", ".sh", ".md", ".json", ".yaml", ".toml", ".txt", ".in"}
        for found in re.finditer(
            r"https?://([\w.-]+)/(?:\S*/)?debian(?:-security)?\b", Path(name).read_text(errors="replace")
        )
        if not found[1].endswith("example.org")
    ]
    assert named == []
    assert {entry.archive for architecture in ("x86_64", "arm64") for entry in lock.read().of(architecture)} <= {
        "debian",
        "debian-security",
    }
