"""What is built for deployment: for which machine the layers' native libraries are, and whether Pango is among them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from cost_reporting.domain.readiness import Verdict, fault, ok, unknown

BUILT: Final = Path(__file__).resolve().parent.parent / ".aws-sam" / "build"
LAYERS: Final = ("CommonLayer", "PdfLayer")
MACHINES: Final = {62: "x86_64", 183: "arm64"}
"""e_machine of an ELF header (System V ABI, "ELF header": EM_X86_64, EM_AARCH64)."""


def machine(file: Path) -> str | None:
    """The machine that an ELF file is for; None if it is no ELF file."""
    with file.open("rb") as opened:
        head = opened.read(20)
    if head[:4] != b"\x7fELF" or len(head) < 20:
        return None
    order = "little" if head[5] == 1 else "big"
    number = int.from_bytes(head[18:20], order)  # type: ignore[arg-type]
    return MACHINES.get(number, f"machine {number}")


def looked_at(architecture: str, built: Path | None = None) -> Iterator[Verdict]:
    """Whether both layers are built, for the architecture that is deployed, and the PDF layer has Pango."""
    check, again = "layers", f"ARCHITECTURE={architecture} make build"
    for layer in LAYERS:
        folder = (built or BUILT) / layer
        if not folder.is_dir():
            yield unknown(check, f"{layer} is not built: there is no .aws-sam/build/{layer}")
            return
        found = [(file, kind) for file in sorted(folder.rglob("*")) if file.is_file() and (kind := machine(file))]
        other = sorted({kind for _, kind in found} - {architecture})
        if other:
            yield fault(check, f"{layer} is built for {', '.join(other)}, and Architecture={architecture}", again)
            return
        if not found:
            yield unknown(check, f"{layer} has no native library, so its machine cannot be told")
            return
        if layer == "PdfLayer" and not any(file.name.startswith("libpango-1.0.so") for file, _ in found):
            yield fault(check, f"{layer} has no Pango: it would render on the builder's machine only", again)
            return
    yield ok(check, f"built for {architecture}")
