"""Both layers as `make build` makes them, for both architectures: once, and what they are made of from the cache."""

import fcntl
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from layer_build import building
from layer_build.faults import NotBuilt

ROOT = Path(__file__).parents[2]
SOURCES: Mapping[str, str] = {"common": "src", "pdf": "layers/pdf"}
FOLDERS: Mapping[str, str] = {"common": "CommonLayer", "pdf": "PdfLayer"}


@dataclass(frozen=True)
class Built:
    """A folder with both layers, and the line that each build ended with."""

    folder: Path
    lines: tuple[str, ...]

    def layer(self, name: str) -> Path:
        return self.folder / FOLDERS[name]


def built(folder: Path, architecture: str) -> Built:
    """Both layers below ``folder``, from a copy of their sources, as SAM makes one."""
    try:
        building.native(architecture)
    except NotBuilt as fault:
        pytest.skip(f"Debian's packages cannot be had here: {fault}")
    lines = []
    for name, source in SOURCES.items():
        copied = folder / "sources" / name
        shutil.copytree(ROOT / source, copied, ignore=shutil.ignore_patterns("__pycache__"))
        environment = {"ARCHITECTURE": architecture, "PANGO": "debian"}
        lines.append(building.build(name, folder / FOLDERS[name], copied, environment))
    return Built(folder, tuple(lines))


def once(paths: pytest.TempPathFactory, architecture: str) -> Built:
    """The same, built once for all the processes of a test run."""
    shared = paths.getbasetemp().parent if "PYTEST_XDIST_WORKER" in os.environ else paths.getbasetemp()
    folder = shared / f"layers-{architecture}"
    with (shared / f"layers-{architecture}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        done = folder / "done.json"
        if not done.exists():
            done.write_text(json.dumps(built(folder, architecture).lines))
        return Built(folder, tuple(json.loads(done.read_text())))


@pytest.fixture(scope="session")
def x86_64(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return once(tmp_path_factory, "x86_64")


@pytest.fixture(scope="session")
def again(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return built(tmp_path_factory.mktemp("another folder with a longer name"), "x86_64")


@pytest.fixture(scope="session")
def arm64(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return once(tmp_path_factory, "arm64")
