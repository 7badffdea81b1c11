"""Hostile and huge data: it is printed as text, it stays on the page, and it takes no time worth speaking of."""

import io
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pikepdf
import pytest

from cost_reporting.clients import Client
from cost_reporting.costs import CostDocument
from cost_reporting.report.renderer import Renderer
from tests.builders import (
    a_full_client,
    a_full_document,
    a_run,
    a_split,
    a_tag,
    an_anomaly,
    not_available,
    some_accounts,
)

MARKUP = "</td><script>alert('x')</script><img src=\"file:///etc/passwd\"> {{ 7*7 }} {n} %s & \"quotes\" 'too'"
NAMES = {
    "markup": MARKUP,
    "four thousand letters": "x" * 4000,
    "four thousand wide letters": "東" * 4000,
    "right to left": "\u202egnp.exe \u2067نص طويل\u2069 " * 20,
    "emoji": "👩\u200d💻🐙" * 60,
    "spaces": " \u2028\n\t" * 500,
}
WORD = re.compile(r'<word xMin="([\d.-]+)" yMin="([\d.-]+)" xMax="([\d.-]+)" yMax="([\d.-]+)">')
PAGE = re.compile(r'<page width="([\d.]+)" height="([\d.]+)">')


def hostile(name: str, period: str = "2026-10") -> CostDocument:
    first = a_full_document(period).period.start
    return a_full_document(
        period,
        services={f"{name}{n}": "100.05" for n in range(9)} | {"S3": "120.05"},
        previous={f"{name}{n}": "90.05" for n in range(4)},
        records={name: {name: "-7.00"}},
        accounts=some_accounts([("1" * 12, name, "1013.50", "968.25"), (name[:200], name, "0", "-3")]),
        regions=a_split({name: "1013.50"}),
        tags=(a_tag(name, {name: "1000", "": "13.50"}), a_tag("stage", {"a" + name: "1", "b" + name: "2"})),
        anomalies=tuple(
            an_anomaly(first, service=name, region=name, account_id=name, usage_type=name) for _ in range(3)
        ),
    )


def overflowing(pdf: bytes, folder: Path) -> Iterator[str]:
    """Words outside of their page."""
    file = folder / "report.pdf"
    file.write_bytes(pdf)
    boxes = subprocess.run(["pdftotext", "-bbox", str(file), "-"], capture_output=True, check=True).stdout
    width = height = 0.0
    for line in boxes.decode(errors="replace").splitlines():
        if page := PAGE.search(line):
            width, height = float(page[1]), float(page[2])
        elif word := WORD.search(line):
            left, top, right, bottom = (float(word[n]) for n in range(1, 5))
            if left < -1 or top < -1 or right > width + 1 or bottom > height + 1:
                yield line


@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_name_is_text_that_stays_on_the_page(
    name: str, renderer: Renderer, tmp_path: Path, text_of: Callable[[bytes], str]
) -> None:
    text = NAMES[name]
    client_name = "".join(char if char.isprintable() else " " for char in f"Acme {text}")[:200].strip()
    client = a_full_client(client_name=client_name, page_size="Letter")
    rendered = renderer.render(client, hostile(text), a_run())
    assert list(overflowing(rendered.pdf, tmp_path)) == []
    printed = text_of(rendered.pdf)
    assert "Executive summary" in printed.split("\f")[1]
    assert "What changed" in printed.split("\f")[2]
    assert not any(mark in rendered.html for mark in ("\u202e", "\u2067"))
    assert "<script>" not in rendered.html


@pytest.mark.parametrize("name", ["markup", "four thousand letters", "right to left"])
def test_a_hostile_name_does_not_break_a_week(name: str, renderer: Renderer, tmp_path: Path) -> None:
    rendered = renderer.render(a_full_client(), hostile(NAMES[name], "2026-W42"), a_run("2026-W42"))
    assert list(overflowing(rendered.pdf, tmp_path)) == []


def huge(**changes: object) -> tuple[Client, CostDocument]:
    """500 services, 300 accounts, and two tags with 5,000 values each."""
    services = {f"Amazon Service {n}": f"{n}.333" for n in range(1, 501)}
    total = sum((Decimal(amount) for amount in services.values()), Decimal(0))
    values = {f"value-{n}": total / 5001 for n in range(5000)} | {"": total / 5001}
    family = some_accounts((f"{n:012d}", f"account-{n}", total / 300, total / 400) for n in range(300))
    tags = (a_tag("one", values), a_tag("two", values))
    before = {name: str(Decimal(amount) / 2) for name, amount in services.items()}
    return a_full_client(), a_full_document(services=services, previous=before, accounts=family, tags=tags, **changes)


def test_a_huge_client_has_at_most_ten_pages_and_takes_seconds(renderer: Renderer, tmp_path: Path) -> None:
    client, costs = huge()
    started = time.process_time()
    rendered = renderer.render(client, costs, a_run())
    assert time.process_time() - started < 10
    assert 6 <= len(pikepdf.open(io.BytesIO(rendered.pdf)).pages) <= 10
    assert len(rendered.pdf) < 2_000_000
    assert list(overflowing(rendered.pdf, tmp_path)) == []


@pytest.mark.parametrize("page_size", ["A4", "Letter"])
@pytest.mark.parametrize("locale", ["en_US", "de_DE", "ja_JP"])
def test_the_summary_is_one_page_with_everything_on_it(
    page_size: str, locale: str, renderer: Renderer, tmp_path: Path
) -> None:
    client = a_full_client(page_size=page_size, locale=locale, monthly_budget="500.00")
    long = "Amazon Elastic Compute Cloud - Compute, " * 3
    costs = a_full_document(
        services={f"{long}{n}": f"{n + 1}00.05" for n in range(5)},
        previous={f"{long}{n}": f"{n + 1}.05" for n in range(3)},
        estimated=[date(2026, 10, day) for day in range(1, 31, 2)],
        regions=not_available(),
        commitments=not_available("ClientAccessDenied"),
        tags=not_available("CostsNotReady"),
        anomalies=not_available("CostsRefused", "AWS keeps anomalies for 90 days"),
    )
    rendered = renderer.render(client, costs, a_run(issue="preliminary"))
    with pikepdf.open(io.BytesIO(rendered.pdf)) as pdf, pdf.open_outline() as outline:
        pages = [pdf.pages.index(pikepdf.Page(item.destination[0])) for item in outline.root[0].children]
    assert pages[:3] == [1, 2, 3]


@pytest.mark.parametrize("page_size", ["A4", "Letter"])
def test_a_week_with_everything_has_at_most_three_pages(page_size: str, renderer: Renderer) -> None:
    rendered = renderer.render(a_full_client(page_size=page_size), a_full_document("2026-W42"), a_run("2026-W42"))
    assert 2 <= len(pikepdf.open(io.BytesIO(rendered.pdf)).pages) <= 3
