"""The layers for Lambda: what is in them, what is not, and that two builds are the same one."""

import io
import marshal
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from types import CodeType
from typing import Final

import pytest

from layer_build import application, content, expat, gate, lock
from tests.build.conftest import ROOT, Built

MB: Final = 1000 * 1000
LINE: Final = re.compile(r"layer (common|pdf) (x86_64|arm64) (\d+) sha256:[0-9a-f]{64}")


@pytest.fixture(params=["x86_64", "arm64"])
def architecture(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def layers(architecture: str, request: pytest.FixtureRequest) -> Built:
    layers: Built = request.getfixturevalue(architecture)
    return layers


def test_every_library_of_both_layers_fits_lambda(layers: Built, architecture: str) -> None:
    *told, libraries = application.examined(layers.folder, architecture)
    assert tuple(told) == layers.lines
    assert all(LINE.fullmatch(line) for line in told)
    found = re.fullmatch(r"elf (\d+) checked, highest GLIBC_2\.34", libraries)
    assert found
    assert int(found[1]) > 50


def test_a_library_of_a_wheel_counts_as_well(x86_64: Built, tmp_path: Path) -> None:
    """The negative control: one module of a wheel that is for another machine."""
    (module,) = x86_64.layer("common").glob("python/pydantic_core/*.so")
    body = module.read_bytes()
    copied = tmp_path / module.relative_to(x86_64.layer("common"))
    copied.parent.mkdir(parents=True)
    copied.write_bytes(body[:18] + b"\xb7\x00" + body[20:])
    found = gate.examine(tmp_path, "x86_64").faults
    assert found == (f"{copied.relative_to(tmp_path)}: it is for arm64, not for x86_64",)


def test_debian_s_own_libexpat_is_what_the_gate_refuses(tmp_path: Path, x86_64: Built) -> None:
    """Why it is compiled: the symbol of glibc 2.36 in the place of one that the layer's libraries ask for."""
    library = x86_64.layer("pdf") / "lib" / "libglib-2.0.so.0"
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "libexpat.so.1").write_bytes(library.read_bytes().replace(b"GLIBC_2.34\0", b"GLIBC_2.36\0"))
    assert any(
        "lib/libexpat.so.1: needs GLIBC_2.36 of libc.so.6" in fault for fault in gate.examine(tmp_path, "x86_64").faults
    )


def test_two_builds_in_two_folders_are_the_same_bytes(x86_64: Built, again: Built) -> None:
    assert x86_64.folder != again.folder
    assert x86_64.lines == again.lines


def test_nothing_in_a_layer_tells_where_it_was_built(layers: Built) -> None:
    told = [os.fsencode(path) for path in (layers.folder, ROOT, Path.home(), Path(sys.prefix))]
    for path in layers.folder.glob("*Layer/**/*"):
        if path.is_file():
            body = path.read_bytes()
            assert not [mark for mark in told if len(mark) > 5 and mark in body], path


def test_every_module_is_compiled_names_itself_as_on_lambda_and_is_never_checked_again(x86_64: Built) -> None:
    modules = list(x86_64.folder.glob("*Layer/python/**/*.py"))
    assert len(modules) > 500
    for path in modules:
        compiled = path.parent / "__pycache__" / f"{path.stem}.cpython-313.pyc"
        body = compiled.read_bytes()
        assert int.from_bytes(body[4:8], "little") == 0b01, path  # PEP 552: by hash, unchecked
        code = marshal.loads(body[16:])
        assert isinstance(code, CodeType)
        layer = next(parent for parent in path.parents if parent.name.endswith("Layer"))
        assert code.co_filename == f"/opt/{path.relative_to(layer)}"


def test_record_names_only_what_is_there(layers: Built) -> None:
    for record in layers.folder.glob("*Layer/python/*.dist-info/RECORD"):
        names = [line.rpartition(",")[0].rpartition(",")[0].strip('"') for line in record.read_text().splitlines()]
        assert names
        assert [name for name in names if not (record.parents[1] / name).is_file()] == [], record


def test_modes_and_times_are_the_same_everywhere(layers: Built) -> None:
    found = {
        (path.is_dir(), path.stat().st_mode & 0o7777, int(path.stat().st_mtime))
        for path in layers.folder.glob("*Layer/**/*")
    }
    assert found == {(True, 0o755, content.MOMENT), (False, 0o644, content.MOMENT)}


def test_the_layers_are_small_enough(layers: Built) -> None:
    """Lambda takes 250 MB unpacked for a function with its layers, and 50 MB zipped in a direct upload."""
    sizes = {
        name: sum(path.stat().st_size for path in layers.layer(name).rglob("*") if path.is_file())
        for name in ("common", "pdf")
    }
    assert sizes["pdf"] < 130 * MB
    assert sum(sizes.values()) < 160 * MB


def test_the_pdf_layer_zipped_is_small_enough(x86_64: Built) -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(x86_64.layer("pdf").rglob("*")):
            archive.write(path, path.relative_to(x86_64.layer("pdf")))
    assert target.tell() < 45 * MB


def test_every_library_has_its_licence_in_the_layer(layers: Built, architecture: str) -> None:
    licences = {path.stem: path.read_text(errors="replace") for path in (layers.layer("pdf") / "licences").iterdir()}
    assert set(licences) == {each.package for each in lock.read().of(architecture)}
    assert all(re.search(r"licen[cs]e|copyright|permission", text, re.IGNORECASE) for text in licences.values())


def test_libexpat_is_ours_and_asks_for_no_newer_glibc_than_it_was_compiled_for(layers: Built) -> None:
    library = layers.layer("pdf") / "lib" / expat.NAME
    assert b"arc4random" not in library.read_bytes()


def test_lambda_s_python_finds_time_zones_although_its_system_has_none(x86_64: Built) -> None:
    """An empty TZPATH is what Lambda's image had until 2024."""
    code = (
        "import sys, zoneinfo\nsys.path.insert(0, sys.argv[1])\nzoneinfo.reset_tzpath(())\n"
        "print(zoneinfo.ZoneInfo('Europe/Berlin'))"
    )
    done = subprocess.run(
        [sys.executable, "-ISBc", code, str(x86_64.layer("common") / "python")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "Europe/Berlin", done.stderr


def test_no_module_needs_the_system_s_time_zones_to_be_imported() -> None:
    """With tzdata hidden too: what a schedule's zone is, is a setting, and no matter of imports."""
    code = (
        "import sys, zoneinfo; zoneinfo.reset_tzpath(()); sys.modules['tzdata'] = None\n"
        "import pkgutil, importlib, cost_reporting\n"
        "names = [m.name for m in pkgutil.walk_packages(cost_reporting.__path__, 'cost_reporting.')]\n"
        "[importlib.import_module(n) for n in names]; print(len(names))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 100


def test_a_layer_of_the_other_architecture_has_the_same_python(x86_64: Built, arm64: Built) -> None:
    def modules(layers: Built) -> set[str]:
        return {str(path.relative_to(layers.folder)) for path in layers.folder.glob("*Layer/python/**/*.py")}

    assert modules(x86_64) == modules(arm64)
