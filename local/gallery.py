"""`make gallery`: reports of very different clients as page images, in docs/gallery.

Rendered by the product from what the emulated Cost Explorer says at a fixed time, so the same sources give the same
bytes on any day, and a change of the report shows as a change of pictures.
"""

import io
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
from PIL import Image

from cost_reporting import periods
from cost_reporting.clients import Client
from cost_reporting.contracts import Run
from cost_reporting.operations.preview import Preview, fetched
from cost_reporting.report.renderer import Renderer
from cost_reporting.sources.cost_explorer import CostExplorerSource
from local import loopback
from local.pages import NoPoppler, draw
from local.process import ROOT
from local.world import logo, twelve

FOLDER = ROOT / "docs" / "gallery"
DOTS_PER_INCH = 100
COLOURS = 64
BUDGET = 3_000_000
"""Bytes of all pictures together: they are part of every clone."""

CLOSED = datetime(2026, 11, 9, 6, 12, tzinfo=UTC)
"""October's bill is closed since the 8th."""
OPEN = datetime(2026, 11, 4, 6, 12, tzinfo=UTC)
LANGUAGES = {"en": "English", "de": "German", "fr": "French", "es": "Spanish", "ja": "Japanese"}


@dataclass
class Clock:
    """The time for Cost Explorer and for the product alike."""

    time: datetime = CLOSED

    def __call__(self) -> datetime:
        return self.time


@dataclass(frozen=True)
class Exhibit:
    """A report to be shown: whose, about what, as of when, and why it is worth a look."""

    client: Client
    period: str
    at: datetime
    why: str

    @property
    def name(self) -> str:
        """The start of its pictures' names."""
        return f"{self.client.client_id}-{self.period}".lower()

    @property
    def run(self) -> Run:
        """The run that would make it."""
        period = periods.parse(self.period)
        cadence = periods.cadence_of(period)
        assert cadence is not None
        return Run(
            run_id=f"gallery-{self.name}",
            cadence=cadence,
            period=period,
            issue=periods.issue_at(period, self.at),
            mode="live",
            nominal_at=self.at,
        )

    @property
    def caption(self) -> str:
        """What it is, in one line."""
        kind = f"{self.run.cadence.capitalize()}, {self.run.issue}"
        language = LANGUAGES.get(self.client.locale.partition("_")[0], self.client.locale)
        return f"{kind} · {language} · {self.client.page_size} · {self.client.currency}"


def exhibits() -> tuple[Exhibit, ...]:
    """What there is to see."""
    known = {client.client_id: client for client in twelve()}

    def of(client_id: str, **changes: Any) -> Client:
        return Client.model_validate(known[client_id].model_dump() | changes)

    return (
        Exhibit(
            of("northwind-retail"),
            "2026-10",
            CLOSED,
            "300 accounts, every optional section, a budget, an anomaly, a Savings Plan that ends soon.",
        ),
        Exhibit(
            of("euro-logistik"),
            "2026-10",
            CLOSED,
            "In German, in euro beside the dollars of the bill, with a budget, and without an account that refused.",
        ),
        Exhibit(of("tokyo-data"), "2026-10", CLOSED, "In Japanese, with the fonts that the report brings along."),
        Exhibit(of("negative-labs"), "2026-10", CLOSED, "A month in which credits and refunds outweigh what was used."),
        Exhibit(
            of("credits-startup"), "2026-10", CLOSED, "Credits pay for everything: nothing to pay is not nothing used."
        ),
        Exhibit(
            of("tiny-bakery", preliminary=True),
            "2026-10",
            OPEN,
            "Three services, before the bill is closed: every estimated figure says so.",
        ),
        Exhibit(
            of("young-fintech"), "2026-10", CLOSED, "The account began in October: nothing to compare with, no zero."
        ),
        Exhibit(
            of("northwind-retail", page_size="Letter", locale="en_US"),
            "2026-W44",
            CLOSED,
            "A week of the same client: shorter, and as exact.",
        ),
    )


def main() -> None:
    """Make the gallery."""
    began = time.monotonic()
    try:
        size = make(FOLDER)
    except NoPoppler as missing:
        sys.exit(str(missing))
    count = sum(1 for _ in FOLDER.glob("*.png"))
    print(f"{count} pages, {size / 1e6:.1f} MB in {FOLDER.relative_to(ROOT)} ({time.monotonic() - began:.0f} s)")
    if size > BUDGET:
        sys.exit(f"That is more than {BUDGET / 1e6:.0f} MB: lower DOTS_PER_INCH or COLOURS, or show less.")


def make(folder: Path) -> int:
    """Write the pictures and the page about them into ``folder``, and nothing else stays there. Returns their size."""
    shown: list[tuple[Exhibit, list[str]]] = []
    pictures: dict[str, bytes] = {}
    with ThreadPoolExecutor(2) as pool:
        for exhibit, pdf in printed(exhibits()):
            pages = list(pool.map(small, draw(pdf, DOTS_PER_INCH)))
            names = [f"{exhibit.name}-{number:02d}.png" for number in range(1, len(pages) + 1)]
            pictures |= zip(names, pages, strict=True)
            shown.append((exhibit, names))
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.png"):
        if old.name not in pictures:
            old.unlink()
    for name, picture in pictures.items():
        (folder / name).write_bytes(picture)
    (folder / "README.md").write_text(index(shown), encoding="utf-8")
    return sum(map(len, pictures.values()))


def printed(wanted: tuple[Exhibit, ...]) -> Iterator[tuple[Exhibit, bytes]]:
    """Each exhibit with its PDF."""
    renderer, clock = Renderer(), Clock()
    with loopback.cost_explorer(clock):
        boto3.setup_default_session()
        source = CostExplorerSource(clock)
        for exhibit in wanted:
            clock.time = exhibit.at
            preview = Preview(client=exhibit.client, run=exhibit.run, logo=logo(exhibit.client), costs=None)
            costs = fetched(preview, source).costs
            assert costs is not None
            yield exhibit, renderer.render(exhibit.client.shown, costs, exhibit.run, preview.logo).pdf


def small(picture: bytes) -> bytes:
    """The picture with a palette, chosen so that rare colours stay themselves, in a third of the bytes."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    reduced = image.quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    output = io.BytesIO()
    reduced.save(output, "PNG", optimize=True)
    return output.getvalue()


def index(shown: list[tuple[Exhibit, list[str]]]) -> str:
    """docs/gallery/README.md."""
    lines = [
        "# Reports",
        "",
        "Made by `make gallery` from the invented clients of the demo, as of November 2026. A picture leads to itself",
        "in full size.",
        "",
    ]
    for exhibit, names in shown:
        period = exhibit.run.period
        month = f"{period.start:%B %Y}" if exhibit.run.cadence == "monthly" else f"week {periods.label(period)}"
        lines += [f"## {exhibit.client.client_name}, {month}", "", f"{exhibit.caption}. {exhibit.why}", ""]
        lines += [
            f'<a href="{name}"><img src="{name}" width="240" alt="Page {number} of {len(names)}"></a>'
            for number, name in enumerate(names, 1)
        ]
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
