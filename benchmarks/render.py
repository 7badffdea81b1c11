"""The time of a report, beside WeasyPrint called naively and beside Chromium, in one run.

Three printers take turns: the product; WeasyPrint as its documentation shows it, given the same HTML, with a rectangle
for each bar; and a Chromium that is already running, given the same HTML with the same fonts. The product works out its
figures, its HTML and the words of the mail within its time; the others are given theirs. Then the product and Chromium
take turns from process start to PDF, neither of them running yet.
"""

import compileall
import importlib.util
import io
import re
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pikepdf
import subject
import table
from chromium import Chromium, executable

import report_fonts
from cost_reporting.report.renderer import Renderer

PAGES: Final = 5
COMPARED: Final = (
    ("warm", "naive WeasyPrint", 0.65),
    ("warm", "Chromium", 1.0),
    ("warm", "Chromium, tab kept, no driver", None),
    ("cold", "Chromium", 0.6),
    ("cold", "Chromium, no driver", None),
)
_WARM_UP: Final = 3
_WORKER: Final = str(Path(__file__).with_name("worker.py"))
_WEIGHTS: Final = {"Regular": 400, "SemiBold": 600, "Bold": 700}
_BARS: Final = re.compile(r'<path d="((?:M[-\d.]+ [-\d.]+V[-\d.]+h[-\d.]+V[-\d.]+z)+)"([^>]*?)/>')
_BAR: Final = re.compile(r"M([-\d.]+) ([-\d.]+)V([-\d.]+)h([-\d.]+)V[-\d.]+z")

Times = dict[str, list[float]]


def main() -> None:
    """Measure, print, and leave with 1 if a limit is missed."""
    asked = table.arguments("A report's time beside naive WeasyPrint and Chromium.", runs=15)
    program = executable()
    missing = [] if program else ["Chromium is not installed (apt-get install chromium)"]
    if program and importlib.util.find_spec("playwright") is None:
        missing.append("Playwright is not installed")
        program = None
    _compile()
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        pages = _prepare(folder)
        times = _warm(folder, asked.runs, program) | _cold(folder, max(asked.runs // 2, 3), program)
    rows = [table.Row(who, statistics.median(seconds), "s") for who, seconds in times.items()]
    for kind, other, limit in COMPARED:
        ours, theirs = f"{kind}: product", f"{kind}: {other}"
        if theirs in times:
            rows.append(table.Row(f"{ours} / {other}", table.ratio(times[ours], times[theirs]), "", limit))
    rows.append(table.Row(f"pages fewer than {PAGES}", max(PAGES - pages, 0), "", 0))
    title = f"A report of {pages} pages ({subject.LARGE}), medians of {asked.runs} rounds"
    table.say(title, rows, as_json=asked.json, missing=missing)


def _compile() -> None:
    """Compile what the printers import, as installers and the layers' builds do: nobody compiles while timed."""
    for place in (subject.ROOT / "src", subject.ROOT / "layers", Path(sysconfig.get_path("purelib"))):
        compileall.compile_dir(place, quiet=2)


def _prepare(folder: Path) -> int:
    """Write what each printer is given, and count the pages of the report."""
    large = subject.large()
    client = large.client.model_copy(update={"attachments": ()})
    for name, fact in (("client", client), ("costs", large.costs), ("run", large.run)):
        (folder / f"{name}.json").write_text(fact.model_dump_json(), encoding="utf-8")
    if large.logo:
        (folder / "logo.png").write_bytes(large.logo)
    renderer = Renderer()
    report = renderer.render(client, large.costs, large.run, large.logo)
    css = _faces() + renderer.stylesheet
    (folder / "naive.html").write_text(_BARS.sub(_rectangles, report.html), encoding="utf-8")
    (folder / "naive.css").write_text(css, encoding="utf-8")
    with_css = report.html.replace("</head>", f"<style>{css}</style></head>", 1)
    (folder / "chromium.html").write_text(with_css, encoding="utf-8")
    with pikepdf.open(io.BytesIO(report.pdf)) as pdf:
        return len(pdf.pages)


def _faces() -> str:
    """The report's fonts for those who do not know them."""
    faces = []
    for file in report_fonts.files():
        name, weight = file.stem.split("-")
        family = re.sub(r"(?<=[a-z])(?=[A-Z0-9])", " ", name)
        faces.append(
            f'@font-face {{ font-family: "{family}"; font-weight: {_WEIGHTS[weight]}; src: url("{file.as_uri()}") }}\n'
        )
    return "".join(faces)


def _rectangles(bars: re.Match[str]) -> str:
    """One path of bars as the rectangles that one would draw without thinking about it."""
    parts = []
    for x, zero, y, width in _BAR.findall(bars[1]):
        top, height = min(float(zero), float(y)), abs(float(zero) - float(y))
        parts.append(f'<rect x="{x}" y="{top:g}" width="{width}" height="{height:g}"{bars[2]}/>')
    return "".join(parts)


class _Worker:
    """A printer in a process of its own, which stays."""

    def __init__(self, printer: str, folder: Path) -> None:
        command = [sys.executable, _WORKER, printer, str(folder)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def seconds(self) -> float:
        """The time of one more report."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write("again\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline())

    def close(self) -> None:
        """Let it end."""
        self._process.communicate()


def _warm(folder: Path, runs: int, program: str | None) -> Times:
    """The seconds of reports of printers that run already, in turn."""
    times: Times = defaultdict(list)
    with ExitStack() as stack:
        workers = {"product": "product", "naive": "naive WeasyPrint"}
        if program:
            workers["chromium"] = "Chromium"
        running = {f"warm: {label}": _Worker(printer, folder) for printer, label in workers.items()}
        for worker in running.values():
            stack.callback(worker.close)
        browser = stack.enter_context(Chromium(program)) if program else None
        for _ in range(_WARM_UP + runs):
            for who, worker in running.items():
                times[who].append(worker.seconds())
            if browser:
                times["warm: Chromium, tab kept, no driver"].append(
                    _timed(lambda: browser.print(folder / "chromium.html"))
                )
    return {who: seconds[_WARM_UP:] for who, seconds in times.items()}


def _cold(folder: Path, runs: int, program: str | None) -> Times:
    """The seconds from process start to PDF, in turn. No printer's end is waited for."""
    times: Times = defaultdict(list)
    for _ in range(1 + runs):
        times["cold: product"].append(_first("product", folder))
        if program:
            times["cold: Chromium"].append(_first("chromium", folder))
            began = time.perf_counter()
            with Chromium(program) as browser:
                browser.print(folder / "chromium.html")
                times["cold: Chromium, no driver"].append(time.perf_counter() - began)
    return {who: seconds[1:] for who, seconds in times.items()}


def _first(printer: str, folder: Path) -> float:
    """The seconds until a new process has handed over its first report."""
    began = time.perf_counter()
    command = [sys.executable, _WORKER, printer, str(folder), "once"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout
        pdf = bytearray()
        while not pdf.rstrip().endswith(b"%%EOF"):
            part = process.stdout.read1()
            assert part, f"{printer} made no PDF"
            pdf += part
        return time.perf_counter() - began


def _timed(report: Callable[[], object]) -> float:
    began = time.perf_counter()
    report()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
