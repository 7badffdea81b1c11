"""How much is uploaded, unpacked and mailed: function zips, layers and PDFs.

Layers are measured as `make local-up` or `sam build` left them. Built on a laptop, the PDF layer lacks the native
libraries that it has on Lambda (Pango and what it needs, some 20 MB).
"""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import subject
import table

from cost_reporting.report.renderer import Renderer

_KB: Final = 1000
_MB: Final = 1000 * 1000
_BUILDS: Final = (subject.ROOT / ".aws-sam" / "build", subject.ROOT / ".aws-sam" / "local")


def main() -> None:
    """Measure, print, and leave with 1 if a limit is missed."""
    asked = table.arguments("Sizes of zips, layers and PDFs.")
    zips = {
        folder.name: _zipped(folder) for folder in sorted((subject.ROOT / "functions").iterdir()) if folder.is_dir()
    }
    largest = max(zips, key=lambda name: zips[name])
    rows = [table.Row("largest function zip", zips[largest] / _KB, "KB", 50, largest)]
    rows += _layers()
    pdfs = dict(_pdfs())
    heaviest = max(pdfs, key=lambda name: pdfs[name])
    rows.append(table.Row("largest PDF of the demo", pdfs[heaviest] / _MB, "MB", 2, heaviest))
    missing = (
        [] if any(row.what.startswith("common") for row in rows) else ["layers, which are not built: make local-up"]
    )
    table.say("Sizes", rows, as_json=asked.json, missing=missing)


def _zipped(folder: Path) -> int:
    """The size of a function's code as Lambda receives it."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                archive.write(path, path.relative_to(folder))
    return target.tell()


def _layers() -> list[table.Row]:
    built = next((folder for folder in _BUILDS if (folder / "CommonLayer").is_dir()), None)
    if built is None:
        return []
    common, pdf = _unzipped(built / "CommonLayer"), _unzipped(built / "PdfLayer")
    botocore = len(list((built / "CommonLayer").rglob("botocore/__init__.py")))
    return [
        table.Row("common layer", common / _MB, "MB", 60),
        table.Row("copies of botocore in it", botocore, "", 0),
        table.Row("all layers of render_pdf", (common + pdf) / _MB, "MB", 200),
    ]


def _unzipped(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _pdfs() -> Iterator[tuple[str, int]]:
    renderer = Renderer()
    for name, client in subject.clients().items():
        report = subject.of(client)
        yield name, len(renderer.render(report.client, report.costs, report.run, report.logo).pdf)


if __name__ == "__main__":
    main()
