"""The gate lets pass what Lambda's loader would load, and names the file and the symbol of what it would not."""

from pathlib import Path

import pytest
from elftools.elf import elffile, gnuversions

from layer_build import elf, gate
from tests.unit.layers.libraries import a_library


def a_layer(folder: Path, **files: bytes) -> Path:
    """A folder with the files named, `__` for a slash and `_so` for .so."""
    for name, body in files.items():
        path = folder / name.replace("__", "/").replace("_so", ".so")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    return folder


def faults(folder: Path, architecture: str = "x86_64", roots: tuple[str, ...] = ()) -> str:
    return "\n".join(gate.examine(folder, architecture, roots).faults)


def test_a_layer_that_fits_has_no_fault_and_its_highest_glibc_is_known(tmp_path: Path) -> None:
    fits = a_library(versions={"libc.so.6": ("GLIBC_2.2.5", "GLIBC_2.34"), "libm.so.6": ("GLIBC_2.29",)})
    a_layer(tmp_path, lib__liba_so=fits, python__b__c_so=a_library(needed=("libgcc_s.so.1",)), python__text=b"text")
    assert gate.examine(tmp_path, "x86_64") == gate.Examined(files=2, glibc=(2, 34), faults=())


@pytest.mark.parametrize(
    ("library", "version"),
    [
        ("libc.so.6", "GLIBC_2.35"),
        ("libc.so.6", "GLIBC_2.36"),
        ("libc.so.6", "GLIBC_3.0"),
        ("libc.so.6", "GLIBC_ABI_DT_RELR"),
        ("libc.so.6", "GLIBC_PRIVATE"),
        ("libm.so.6", "GLIBC_2.38"),
        ("libstdc++.so.6", "GLIBCXX_3.4.30"),
        ("libstdc++.so.6", "CXXABI_1.3.14"),
        ("libgcc_s.so.1", "GCC_12.0.0"),
    ],
)
def test_a_symbol_that_lambda_s_base_does_not_have_is_named_with_its_file(
    tmp_path: Path, library: str, version: str
) -> None:
    a_layer(tmp_path, lib__liba_so=a_library(needed=(library,), versions={library: ("GLIBC_2.4", version)}))
    assert f"lib/liba.so: needs {version} of {library}" in faults(tmp_path)


def test_a_version_of_a_library_of_the_layer_itself_is_no_fault(tmp_path: Path) -> None:
    asks = a_library(needed=("libpng16.so",), versions={"libpng16.so": ("PNG16_0", "GLIBC_9.9")})
    assert not faults(a_layer(tmp_path, lib__liba_so=asks, lib__libpng16_so=a_library()))


@pytest.mark.parametrize(("machine", "architecture"), [("arm64", "x86_64"), ("x86_64", "arm64"), ("i386", "x86_64")])
def test_a_file_for_another_machine_is_named(tmp_path: Path, machine: str, architecture: str) -> None:
    a_layer(tmp_path, python__pydantic_core_so=a_library(machine))
    assert "python/pydantic_core.so: it is for" in faults(tmp_path, architecture)


def test_a_library_that_nothing_brings_is_named_with_the_file_that_needs_it(tmp_path: Path) -> None:
    a_layer(tmp_path, lib__liba_so=a_library(needed=("libc.so.6", "libgone.so.1")))
    assert "lib/liba.so: needs libgone.so.1" in faults(tmp_path)


def test_a_library_elsewhere_in_the_layer_is_not_found_by_the_loader(tmp_path: Path) -> None:
    a_layer(tmp_path, lib__liba_so=a_library(needed=("libb.so",)), python__libb_so=a_library())
    assert "needs libb.so" in faults(tmp_path)


def test_a_wheel_s_own_folder_counts_for_the_file_that_names_it(tmp_path: Path) -> None:
    names = a_library(needed=("libjpeg.so",), folders="$ORIGIN/../pillow.libs")
    a_layer(tmp_path, python__PIL__imaging_so=names, python__pillow_libs__libjpeg_so=a_library())
    (tmp_path / "python" / "pillow_libs").rename(tmp_path / "python" / "pillow.libs")
    assert not faults(tmp_path)


def test_what_pango_is_opened_by_must_be_in_the_layer_although_nothing_needs_it(tmp_path: Path) -> None:
    a_layer(tmp_path, python__a_so=a_library())
    said = faults(tmp_path, roots=gate.PANGO)
    assert all(f"lib/{name}: it is not in the layer" in said for name in gate.PANGO)


def test_what_begins_like_a_library_and_cannot_be_read_is_a_fault(tmp_path: Path) -> None:
    whole = a_library()
    for cut in (5, 20, 64, 200, len(whole) - 20):
        a_layer(tmp_path, lib__liba_so=whole[:cut])
        assert "lib/liba.so: " in faults(tmp_path), cut


def test_the_limits_are_those_of_aws_s_own_builder() -> None:
    """aws-lambda-builders, `_RUNTIME_GLIBC`: of the SAM CLI's environment, read and not imported."""
    (packager,) = Path(".tools/sam").glob(
        "lib/python3*/site-packages/aws_lambda_builders/workflows/python_pip/packager.py"
    )
    text = packager.read_text(encoding="utf-8")
    _, _, stated = text.partition('"cp313": (')
    assert tuple(map(int, stated.partition(")")[0].split(","))) == gate.HIGHEST["GLIBC"]


def test_a_real_library_reads_the_same_as_it_does_to_another_reader() -> None:
    """A wheel's module, beside pyelftools."""
    import pydantic_core._pydantic_core as module

    path = Path(module.__file__)
    with path.open("rb") as file:
        theirs = elffile.ELFFile(file)
        dynamic = theirs.get_section_by_name(".dynamic")
        needed = {tag.needed for tag in dynamic.iter_tags("DT_NEEDED")}
        need = next(each for each in theirs.iter_sections() if isinstance(each, gnuversions.GNUVerNeedSection))
        versions = {(group.name, each.name) for group, entries in need.iter_versions() for each in entries}
    ours = elf.read(path.read_bytes())
    assert (set(ours.needed), set(ours.versions)) == (needed, versions)
