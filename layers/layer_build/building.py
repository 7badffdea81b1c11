"""The two layers, put together in the folder that SAM names, and checked before SAM gets them.

PANGO=debian    the default: for Lambda, on any machine, with Debian 12's Pango by the lock
PANGO=amazon    for Lambda, in AWS's build image, with Amazon Linux's own Pango: the second way (build.sh)
PANGO=host      for the emulated account only: wheels of this machine, whose own Pango is used
"""

import os
import platform
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from layer_build import content, expat, fetching, gate, lock, packages, python
from layer_build.faults import NotSound, WrongInput

FOLDER: Final = Path(__file__).resolve().parents[1]
LOCAL: Final = "local"
"""The folder of the emulator's build, beside that of `make build`: no layer of PANGO=host is built into another."""


def build(name: str, artifacts: Path, source: Path, environment: Mapping[str, str] = os.environ) -> str:
    """Build the layer ``name`` (common or pdf) from ``source`` into ``artifacts``; what was built, in one line."""
    way = pango(environment)
    architecture = None if way == "host" else architecture_of(way, environment)
    if way == "host" and artifacts.parent.name != LOCAL:
        raise WrongInput(
            "PANGO=host makes a PDF layer without its native libraries: for the emulated account only "
            "(`make local-up`), which has a folder of its own. `make build` builds for Lambda, without Docker."
        )
    target = artifacts / "python"
    python.install(source / "requirements.txt", target, architecture)
    if name == "common":
        shutil.copytree(source / "cost_reporting", target / "cost_reporting")
    else:
        shutil.copytree(source / "report_fonts", target / "report_fonts")
        if way == "debian":
            assert architecture is not None
            libraries(architecture, artifacts)
        elif way == "amazon":
            subprocess.run(["bash", str(source / "build.sh"), str(artifacts)], check=True)
    python.trim(target)
    python.compile_all(artifacts)
    content.settle(artifacts)
    told = content.naming(artifacts, artifacts, source, FOLDER)
    if told:
        raise NotSound(
            f"the path of this build stands in {', '.join(told[:5])}: the layer would differ with each builder"
        )
    if architecture is None:
        return f"layer {name} for this machine"
    examined = gate.examine(artifacts, architecture, gate.ROOTS[name])
    if examined.faults:
        raise NotSound(refused(name, examined))
    what = content.content(artifacts)
    return f"layer {name} {architecture} {what.size} sha256:{what.sha256}"


def refused(name: str, examined: gate.Examined) -> str:
    """Every fault of a layer."""
    return f"layer {name} does not fit Lambda:\n" + "\n".join(f"    {fault}" for fault in examined.faults)


def pango(environment: Mapping[str, str]) -> str:
    """Where the native libraries come from."""
    way = environment.get("PANGO") or ("amazon" if _in_the_build_image() else "debian")
    if way not in {"debian", "amazon", "host"}:
        raise WrongInput(f"PANGO: expected debian, amazon or host, not {way}")
    return way


def architecture_of(way: str, environment: Mapping[str, str]) -> str:
    """The architecture of a layer for Lambda: of the variable ARCHITECTURE, or of the build image."""
    said = environment.get("ARCHITECTURE", "")
    if not said and way == "amazon":
        said = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
    if not said:
        raise WrongInput(
            "ARCHITECTURE is not set, and SAM does not say for which one it builds. Use `make build`, or "
            "`make build ARCHITECTURE=arm64`: it tells both SAM and the layers."
        )
    if said not in gate.ARCHITECTURES:
        raise WrongInput(f"ARCHITECTURE: expected {' or '.join(gate.ARCHITECTURES)}, not {said}")
    return said


def libraries(architecture: str, artifacts: Path) -> None:
    """Pango and what it needs into `lib`, and their licences into `licences`."""
    found, licences = native(architecture)
    for folder, files in (("lib", found), ("licences", {f"{name}.txt": body for name, body in licences.items()})):
        (artifacts / folder).mkdir()
        for name, body in files.items():
            (artifacts / folder / name).write_bytes(body)


def native(architecture: str, locked: lock.Lock | None = None) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """The libraries and licences of a lock, from the cache or a mirror; checked one by one."""
    locked = locked or lock.read()
    files = fetching.fetched(locked.of(architecture))
    found = packages.opened((entry.package, files[entry]) for entry in locked.packages[architecture])
    library, licence = expat.compiled(files[locked.expat], locked.expat, architecture, fetching.cache())
    kept = packages.closure(gate.PANGO, {**found.libraries, expat.NAME: library}, architecture)
    unlicensed = {entry.package for entry in locked.packages[architecture]} - set(found.licences)
    if unlicensed:
        raise NotSound(f"no licence is in the packages {', '.join(sorted(unlicensed))}")
    return kept, {**found.licences, "expat": licence}


def _in_the_build_image() -> bool:
    release = Path("/etc/os-release")
    said = release.read_text(encoding="utf-8") if release.is_file() else ""
    return 'ID="amzn"' in said and 'VERSION_ID="2023"' in said
