"""out/index.html: one page to browse what a run has made, which needs nothing but itself and the files beside it."""

import base64
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from cost_reporting.contracts import Outcome, Run
from cost_reporting.money import cents
from cost_reporting.periods import label
from local.evidence import Case

THUMBNAILS = 60
"""Reports with pictures, at most: a picture takes about 20 kB and a moment to draw."""


def write_index(out: Path, run: Run, cases: list[Case], *, again: int) -> Path:
    """The page about ``run``, in ``out``. ``again``: how many mails went out when the run was started again."""
    templates = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined)
    html = templates.get_template("index.html.j2").render(
        run=run,
        run_id=run.run_id,
        period=f"{run.period.start:%B %Y}" if run.cadence == "monthly" else f"week {label(run.period)}",
        cases=cases,
        sent=sum(case.outcome.status == "SENT" for case in cases),
        mails=sum(len(case.mails) for case in cases),
        again=again,
        paid=sum(case.outcome.paid_requests for case in cases),
        thumbnails=thumbnails(cases),
        money=money,
        change=change,
    )
    path = out / "index.html"
    path.write_text(html)
    return path


def money(amount: Decimal) -> str:
    """Two decimals, thousands apart, a real minus sign."""
    return f"{cents(amount):,.2f}".replace("-", "−")


def change(outcome: Outcome) -> str:
    """The change on the period before, in words."""
    if outcome.change is None:
        return "no earlier period to compare with"
    difference = cents(outcome.change)
    return (
        f"{'up' if difference > 0 else 'down'} {money(abs(difference))} on the period before"
        if difference
        else "unchanged"
    )


def thumbnails(cases: list[Case]) -> dict[str, list[str]]:
    """The first two pages as ``data:`` URIs, by client; none without poppler."""
    reports = [(case.client.client_id, case.pdf) for case in cases if case.pdf is not None][:THUMBNAILS]
    if shutil.which("pdftoppm") is None:
        return {}
    with ThreadPoolExecutor(2) as pool:
        drawn = pool.map(lambda report: (report[0], [page(report[1], number) for number in (1, 2)]), reports)
        return {client_id: [picture for picture in pictures if picture] for client_id, pictures in drawn}


def page(pdf: Path, number: int) -> str:
    """A picture of a page; empty if there is no such page."""
    size = ["-scale-to-x", "360", "-scale-to-y", "-1"]
    command = ["pdftoppm", "-jpeg", "-jpegopt", "quality=70", *size, "-f", str(number), "-l", str(number), str(pdf)]
    drawn = subprocess.run(command, capture_output=True, check=False).stdout
    return f"data:image/jpeg;base64,{base64.b64encode(drawn).decode()}" if drawn else ""
