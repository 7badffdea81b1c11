"""What `make` calls; see ../Makefile and ../../Makefile.

    build_layers.py CommonLayer|PdfLayer FOLDER   one layer into a folder (SAM calls this, in a copy of the sources)
    build_layers.py build ARCHITECTURE WAY        the application into .aws-sam/build, and a line for each layer
    build_layers.py deploy ARCHITECTURE WAY       the same, and `sam deploy`
    build_layers.py check ARCHITECTURE            the lines of what is in .aws-sam/build; builds nothing
    build_layers.py lock                          the current versions of Debian 12 into pdf/native.lock.json

ARCHITECTURE is x86_64 or arm64; WAY is debian, or amazon (in a container).
"""

import sys
from pathlib import Path
from typing import Final

from layer_build import application, building, renewal
from layer_build.faults import NotBuilt, WrongInput
from layer_build.gate import ARCHITECTURES

LAYERS: Final = {layer: name for name, layer in application.LAYERS.items()}


def main(arguments: list[str]) -> int:
    """Exit codes: 0 done, 1 it failed, 2 wrong input."""
    try:
        match arguments:
            case ["lock"]:
                renewal.renew()
            case ["build", architecture, way]:
                _say(application.build(*_judged(architecture, way)))
            case ["deploy", architecture, way]:
                application.deploy(*_judged(architecture, way))
            case ["check", architecture]:
                _say(application.examined(application.BUILD, _judged(architecture, "debian")[0]))
            case [layer, artifacts] if layer in LAYERS:
                print(building.build(LAYERS[layer], Path(artifacts).resolve(), Path.cwd()))
            case _:
                print(__doc__, file=sys.stderr)
                return WrongInput.exit_code
    except NotBuilt as fault:
        print(f"layers: {fault}", file=sys.stderr)
        return fault.exit_code
    except KeyboardInterrupt:
        print("layers: interrupted; the same command goes on", file=sys.stderr)
        return NotBuilt.exit_code
    return 0


def _judged(architecture: str, way: str) -> tuple[str, str]:
    if architecture not in ARCHITECTURES:
        raise WrongInput(f"ARCHITECTURE: expected {' or '.join(ARCHITECTURES)}, not {architecture or 'nothing'}")
    if way not in application.WAYS:
        raise WrongInput(f"CONTAINER: expected nothing or yes, not {way}")
    return architecture, way


def _say(lines: list[str]) -> None:
    print(*lines, sep="\n")
