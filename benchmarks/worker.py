"""One printer in a process: ``worker.py PRINTER FOLDER``, given what benchmarks/render.py has put into FOLDER.

It answers each line that it reads with the seconds of one more report. ``worker.py PRINTER FOLDER once`` makes a single
report, from process start, and writes it to standard output.
"""
# ruff: noqa: PLC0415 - each printer loads what it needs and nothing else

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "layers" / "pdf")]

Report = Callable[[], bytes]


@contextmanager
def product(folder: Path) -> Iterator[Report]:
    """The product: from the cost document to the PDF and the words of the mail."""
    from cost_reporting.clients import Client
    from cost_reporting.contracts import Run
    from cost_reporting.costs import CostDocument
    from cost_reporting.report.renderer import Renderer  # first: it loads what takes longest

    client = Client.model_validate_json((folder / "client.json").read_bytes())
    run = Run.model_validate_json((folder / "run.json").read_bytes())
    costs = CostDocument.model_validate_json((folder / "costs.json").read_bytes())
    picture = folder / "logo.png"
    logo = picture.read_bytes() if picture.exists() else None
    renderer = Renderer()
    yield lambda: renderer.render(client, costs, run, logo).pdf


@contextmanager
def naive(folder: Path) -> Iterator[Report]:
    """WeasyPrint as its documentation shows it: everything made anew for each report."""
    from weasyprint import CSS, HTML
    from weasyprint.text.fonts import FontConfiguration

    html = (folder / "naive.html").read_text(encoding="utf-8")
    css = (folder / "naive.css").read_text(encoding="utf-8")

    def report() -> bytes:
        fonts = FontConfiguration()
        sheet = CSS(string=css, font_config=fonts)
        pdf = HTML(string=html).write_pdf(stylesheets=[sheet], font_config=fonts, pdf_variant="pdf/ua-1")
        return bytes(pdf)

    yield report


@contextmanager
def chromium(folder: Path) -> Iterator[Report]:
    """Chromium, driven by Playwright, with a page of its own for each report."""
    from chromium import FLAGS, executable
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=list(FLAGS))

        def report() -> bytes:
            page = browser.new_page()
            page.goto((folder / "chromium.html").as_uri())
            pdf = page.pdf(tagged=True, outline=True, prefer_css_page_size=True, print_background=True)
            page.close()
            return pdf

        yield report
        browser.close()


PRINTERS = {"product": product, "naive": naive, "chromium": chromium}


def main(printer: str, folder: Path, *how: str) -> None:
    """Print once, or once for each line."""
    with ExitStack() as stack:
        report = stack.enter_context(PRINTERS[printer](folder))
        if how:
            sys.stdout.buffer.write(report() + b"\n")
            sys.stdout.flush()
            return
        for _ in sys.stdin:
            began = time.perf_counter()
            report()
            print(time.perf_counter() - began, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])
