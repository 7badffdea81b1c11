"""out/index.html: one page to browse what a run has made, which needs nothing but itself and the files beside it."""

import base64
import shutil
import subprocess
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Literal

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from cost_reporting.contracts import Outcome, Run
from cost_reporting.domain.report_status import (
    MISSING,
    NAMES,
    SENT,
    STATUSES,
    UNDELIVERED,
    Judged,
    ReportFacts,
    judge,
    short_name,
)
from cost_reporting.money import cents
from cost_reporting.periods import label
from local.evidence import Case, read

THUMBNAILS = 60
"""Clients with a picture of their report, at most: a picture takes about 4 kB and a moment to draw."""
SEALED = """<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">"""
"""A mail that is looked at fetches nothing, whoever has written into it."""
BAD, GOOD = MISSING | UNDELIVERED, SENT - UNDELIVERED
"""Statuses in the colours of a loss, and of a report that went."""


@dataclass(frozen=True)
class Mail:
    """A mail as the page shows it: its head, and where its body has been taken out to."""

    head: tuple[tuple[str, str], ...]
    body: str


@dataclass(frozen=True)
class Entry:
    """A client's part of the run, and its report's status, as the page shows them. Paths are relative to the page."""

    case: Case
    judged: Judged
    folder: str
    pdf: str
    files: tuple[str, ...]
    mail: Mail | None
    picture: str

    @property
    def outcome(self) -> Outcome:
        """How it ended."""
        return self.case.outcome

    @property
    def total(self) -> str:
        """The total, or nothing where nothing is known."""
        total = self.outcome.total
        return "" if total is None else f"{self.outcome.currency} {money(total)}"


def write_index(
    out: Path, run: Run, cases: list[Case], facts: Mapping[str, ReportFacts], *, now: datetime, again: int
) -> Path:
    """The page about ``run``, in ``out``. ``facts`` are what is on record about each client's report at ``now``.

    ``again``: how many mails went out when the run was started again.
    """
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    judged = {client_id: judge(known, now=now) for client_id, known in facts.items()}
    shown = entries(out, run, cases, judged)
    statuses = [entry.judged.status for entry in shown]
    html = templates.get_template("index.html.j2").render(
        run=run,
        period=f"{run.period.start:%B %Y}" if run.cadence == "monthly" else f"week {label(run.period)}",
        entries=shown,
        counts={status: statuses.count(status) for status in STATUSES if status in statuses},
        names=NAMES,
        short_name=short_name,
        good=sorted(GOOD),
        bad=sorted(BAD),
        missing=MISSING,
        sent=sum(status in GOOD for status in statuses),
        mails=sum(len(case.mails) for case in cases),
        again=again,
        paid=sum(case.outcome.paid_requests for case in cases),
        change=change,
        direction=direction,
    )
    path = out / "index.html"
    path.write_text(html, encoding="utf-8")
    return path


def entries(out: Path, run: Run, cases: list[Case], judged: Mapping[str, Judged]) -> list[Entry]:
    """The clients, those first about whom something has to be done. Bodies of mails are written beside the mails."""
    pictures = thumbnails(cases)
    ordered = sorted(cases, key=lambda case: STATUSES.index(judged[case.client.client_id].status))
    found = []
    for case in ordered:
        mail = first_mail(out, case)
        names = sorted(path.name for path in case.folder.iterdir() if path.suffix != ".html")
        folder = f"{run.run_id}/{case.client.client_id}"
        pdf = f"{folder}/{case.pdf.name}" if case.pdf else ""
        picture = pictures.get(case.client.client_id, "")
        found.append(Entry(case, judged[case.client.client_id], folder, pdf, tuple(names), mail, picture))
    return found


def first_mail(out: Path, case: Case) -> Mail | None:
    """The first mail of a client; what the others got differs in the recipient only."""
    if not case.mails:
        return None
    message = read(case.mails[0])
    part = message.get_body(("html",))
    body = case.mails[0].with_suffix(".html")
    html = str(part.get_content()) if part is not None else ""
    body.write_text(html.replace("<head>", f"<head>{SEALED}", 1) if "<head>" in html else SEALED + html, "utf-8")
    others = [str(read(mail)["To"]) for mail in case.mails]
    attached = [f"{each.get_filename()} ({size(each.get_content())})" for each in message.iter_attachments()]
    head = (
        ("From", str(message["From"])),
        ("To", "; ".join(others)),
        ("Subject", str(message["Subject"])),
        ("Attached", ", ".join(attached) or "nothing: links instead"),
    )
    return Mail(head, body.relative_to(out).as_posix())


def size(content: bytes | str) -> str:
    """How large an attachment is."""
    count = len(content.encode() if isinstance(content, str) else content)
    return f"{count / 1e6:.1f} MB" if count >= 1_000_000 else f"{count // 1000 or 1} kB"


def money(amount: Decimal) -> str:
    """Two decimals, thousands apart, a real minus sign."""
    return f"{cents(amount):,.2f}".replace("-", "−")


def shown_change(outcome: Outcome) -> Decimal:
    """The change between the totals as they are shown, to the cent, as the report has it; zero if there is none."""
    if outcome.total is None or outcome.change is None:
        return Decimal(0)
    return cents(outcome.total) - cents(outcome.total - outcome.change)


def direction(outcome: Outcome) -> Literal["up", "down", "level", ""]:
    """Which way the total went; nothing if there is nothing to compare with."""
    if outcome.change is None:
        return ""
    difference = shown_change(outcome)
    return "up" if difference > 0 else "down" if difference else "level"


def change(outcome: Outcome) -> str:
    """The change on the period before: by how much, and in per cent where that means something."""
    if outcome.total is None:
        return ""
    if outcome.change is None:
        return "no earlier period"
    difference, before = shown_change(outcome), outcome.total - outcome.change
    sign = "+" if difference > 0 else ""
    share = 100 * outcome.change / before if cents(before) > 0 else Decimal(1000)
    told = f" ({share:+.1f} %)".replace("-", "−") if abs(share) < 1000 else ""
    return f"{sign}{money(difference)}{told}" if difference else "unchanged"


def thumbnails(cases: list[Case]) -> dict[str, str]:
    """The first page of each report as a ``data:`` URI, by client; none without poppler."""
    reports = [(case.client.client_id, case.pdf) for case in cases if case.pdf is not None][:THUMBNAILS]
    if shutil.which("pdftoppm") is None:
        return {}
    with ThreadPoolExecutor(2) as pool:
        return dict(pool.map(lambda report: (report[0], picture(report[1])), reports))


def picture(pdf: Path) -> str:
    """A small picture of the first page; empty if it cannot be drawn."""
    scale = ["-scale-to-x", "112", "-scale-to-y", "-1"]
    command = ["pdftoppm", "-jpeg", "-jpegopt", "quality=80", *scale, "-f", "1", "-l", "1", str(pdf)]
    drawn = subprocess.run(command, capture_output=True, check=False).stdout
    return f"data:image/jpeg;base64,{base64.b64encode(drawn).decode()}" if drawn else ""
