"""The second way: build.sh in AWS's build image, with exactly its PATH, on a system made up of what it calls."""

import subprocess
from pathlib import Path

import pytest

from layer_build import gate

SCRIPT = Path(__file__).parents[3] / "layers" / "pdf" / "build.sh"
IMAGE = ("/var/lang/bin", "/usr/local/bin", "/usr/bin/", "/bin", "/opt/bin", "/usr/local/opt/lambda-builders/bin")
"""PATH of the image: aws/aws-lambda-base-images, Dockerfile.python3.13, and what aws/aws-sam-build-images adds."""


class Image:
    """A folder in the place of the image's root: commands where the image has them, and libraries."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.artifacts = root / "artifacts"
        for folder in ("usr/bin", "usr/sbin", "usr/lib64"):
            (root / folder).mkdir(parents=True)
        for command in ("bash", "awk", "grep", "xargs", "cp", "mkdir", "cat"):
            found = next(Path(each) / command for each in ("/usr/bin", "/bin") if (Path(each) / command).exists())
            (root / "usr/bin" / command).symlink_to(found)
        (root / "os-release").write_text('ID="amzn"\nVERSION_ID="2023"\n')
        for name in (*gate.PANGO, "libglib-2.0.so.0"):
            (root / "usr/lib64" / name).write_bytes(b"library")
        self.command("usr/bin/dnf", f'echo "$@" > {root}/dnf')
        self.command(
            "usr/bin/ldd",
            f'echo "	linux-vdso.so.1 (0x0)"; echo "	libglib-2.0.so.0 => {root}/usr/lib64/libglib-2.0.so.0 (0x0)"\n'
            'echo "	libc.so.6 => /lib64/libc.so.6 (0x0)"; echo "	/lib64/ld-linux-x86-64.so.2 (0x0)"',
        )
        # As long as the image's, so that whoever stops reading early leaves it writing.
        lines = "".join(f"\\tlib{number}.so.1 (libc6,x86-64) => /lib64/lib{number}.so.1\\n" for number in range(1500))
        names = "".join(f"\\t{name} (libc6,x86-64) => {root}/usr/lib64/{name}\\n" for name in gate.PANGO)
        (root / "cache").write_text((names + lines).replace("\\t", "\t").replace("\\n", "\n"))
        self.command("usr/sbin/ldconfig", f"exec cat {root}/cache")

    def command(self, path: str, text: str) -> None:
        file = self.root / path
        file.write_text(f"#!/bin/bash\n{text}\n")
        file.chmod(0o755)

    def build(self) -> subprocess.CompletedProcess[str]:
        """build.sh with the image's PATH below this root."""
        text = SCRIPT.read_text(encoding="utf-8")
        assert "PATH=$PATH:/usr/sbin:/sbin\n" in text
        script = self.root / "build.sh"
        script.write_text(text.replace(":/usr/sbin:/sbin", f":{self.root}/usr/sbin:{self.root}/sbin"))
        path = ":".join(f"{self.root}{folder}" for folder in IMAGE)
        return subprocess.run(
            ["/bin/bash", str(script), str(self.artifacts)],
            env={"PATH": path, "OS_RELEASE": str(self.root / "os-release")},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def image(tmp_path: Path) -> Image:
    return Image(tmp_path)


def test_the_libraries_of_pango_and_what_they_need_are_copied_and_the_c_library_is_not(image: Image) -> None:
    done = image.build()
    assert (done.returncode, done.stderr) == (0, "")
    assert {path.name for path in (image.artifacts / "lib").iterdir()} == {*gate.PANGO, "libglib-2.0.so.0"}
    assert (image.root / "dnf").read_text() == "install --quiet --assumeyes pango harfbuzz fontconfig\n"


def test_two_hundred_lookups_end_two_hundred_times(image: Image) -> None:
    """When awk left at the first match, ldconfig died of SIGPIPE, and pipefail ended the build: 12 times of 200."""
    for number in range(34):  # six libraries each
        done = image.build()
        assert done.returncode == 0, (number, done.stderr)


def test_a_library_that_is_lacking_is_named(image: Image) -> None:
    cache = image.root / "cache"
    cache.write_text("\n".join(line for line in cache.read_text().splitlines() if "libpangoft2" not in line) + "\n")
    done = image.build()
    assert done.returncode == 1
    assert "libpangoft2-1.0.so.0 is missing" in done.stderr


def test_a_dependency_that_the_image_does_not_have_ends_the_build_with_its_name(image: Image) -> None:
    image.command("usr/bin/ldd", 'echo "	libgone.so.1 => not found"')
    done = image.build()
    assert done.returncode == 1
    assert "libgone.so.1" in done.stderr


def test_elsewhere_it_stops_before_it_does_anything_and_names_the_way_that_works_there(image: Image) -> None:
    (image.root / "os-release").write_text('ID=debian\nVERSION_ID="12"\n')
    done = image.build()
    assert done.returncode == 1
    assert "`make build`" in done.stderr
    assert not image.artifacts.exists()
    assert not (image.root / "dnf").exists()
