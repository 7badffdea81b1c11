"""The shorter ways through WeasyPrint lead to the same bytes, and are taken nowhere else."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from importlib.resources import files as package_files
from pathlib import Path
from typing import Any

import pytest
import weasyprint
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from weasyprint import CSS, HTML, css
from weasyprint.css.counters import CounterStyle

from cost_reporting.clients import Client
from cost_reporting.costs import CostDocument
from cost_reporting.report import pdf
from cost_reporting.report.renderer import Renderer
from tests.builders import a_client, a_cost_document, a_run, some_accounts
from weasyprint_pace import declarations, files, start, switch

ROOT = Path(__file__).parents[3]
LONG = "A service whose name does not fit on one line of a table, nor on two, (Number 4711), and goes on"
NAMES = ("データ転送", "Größe “ﬁ” 12‑3", "مرحبا بالعالم", "नमस्ते", "🐙 & 🦑", "e\u0301tude", "한국 データ", "ไทย", LONG)


class PlainPage(HTML):  # type: ignore[misc]
    """HTML as WeasyPrint parses it, before all of its own style sheet."""

    def __init__(self, html: str, url_fetcher: Any) -> None:
        super().__init__(string=html, url_fetcher=url_fetcher)
        self.counters = CounterStyle()

    def _ua_stylesheets(self, forms: bool = False) -> list[Any]:
        sheet = (package_files(css) / "html5_ua.css").read_text("utf-8")
        return [CSS(string=sheet, counter_style=self.counters, url_fetcher=self.url_fetcher)]

    def _ua_counter_style(self) -> list[Any]:
        list(self._ua_stylesheets())
        return [self.counters]


@contextlib.contextmanager
def weasyprint_alone() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pdf, "Page", PlainPage)
        patch.setattr(pdf, "at_pace", contextlib.nullcontext)
        patch.setattr(pdf, "settled", None)
        yield


def same(renderer: Renderer, client: Client, costs: CostDocument, run: Any = None, logo: bytes | None = None) -> bool:
    run = run or a_run(costs.period)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "LEVEL", 9)
        ours = renderer.render(client, costs, run, logo).pdf
    with weasyprint_alone():
        return ours == renderer.render(client, costs, run, logo).pdf


@pytest.mark.parametrize(
    "client",
    [
        a_client(),
        a_client(page_size="Letter", locale="de_DE"),
        a_client(locale="ja_JP", client_name="東京データ株式会社"),
        a_client(locale="ar_EG", client_name="شركة مثال"),
        a_client(client_name=LONG * 2),
    ],
    ids=lambda client: f"{client.locale} {client.page_size} {len(client.client_name)}",
)
@pytest.mark.parametrize("period", ["2026-10", "2026-W42"])
def test_a_report_is_what_weasyprint_alone_makes_of_it(renderer: Renderer, client: Client, period: str) -> None:
    services = {name: f"{1234.56 * (at + 1):.2f}" for at, name in enumerate(NAMES)}
    previous = {name: f"{999.5 * (len(NAMES) - at):.2f}" for at, name in enumerate(NAMES)}
    records = {"AWS Tax": {"Tax": "19.00"}, NAMES[0]: {"Credit": "-500.00"}}
    accounts = some_accounts((f"{at:012d}", name * 2, f"{at * 7}.50", "3.00") for at, name in enumerate(NAMES))
    costs = a_cost_document(period, services=services, previous=previous, records=records, accounts=accounts)
    assert same(renderer, client.model_copy(update={"sections": ("accounts",)}), costs)


def test_a_preliminary_report_for_a_test_is_too(renderer: Renderer) -> None:
    assert same(renderer, a_client(), a_cost_document(issue="preliminary"), a_run(issue="preliminary", mode="test"))


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.text(min_size=1, max_size=60), min_size=1, max_size=6, unique=True))
def test_whatever_services_are_called_the_bytes_are_the_same(renderer: Renderer, names: list[str]) -> None:
    assert same(renderer, a_client(), a_cost_document(services=dict.fromkeys(names, "12.50")))


def test_they_fit_the_installed_weasyprint() -> None:
    assert weasyprint.VERSION == start.VERSION
    assert start.EXACT
    source = Path(weasyprint.__file__).parent / "text" / "ffi.py"
    assert declarations.SOURCE == start.digest(source), "run layers/pdf/declare_weasyprint.py"


def test_they_are_taken_while_a_report_is_set_and_at_no_other_time() -> None:
    def taken() -> bool:
        return all(getattr(place.module, place.name) is place.ours for place in switch._places())

    assert switch._places()
    assert not any(getattr(place.module, place.name) is place.ours for place in switch._places())
    with pytest.raises(ZeroDivisionError), switch.at_pace():
        assert taken()
        raise ZeroDivisionError
    assert not any(getattr(place.module, place.name) is place.ours for place in switch._places())


@pytest.mark.parametrize("first", ["weasyprint_pace", "weasyprint", "fontTools"])
def test_weasyprint_and_fonttools_work_whichever_is_loaded_first(first: str) -> None:
    script = (
        f"import {first}; from cost_reporting.report.pdf import Printer; import report_fonts; "
        "from fontTools.ttLib import TTFont; TTFont(report_fonts.files()[0])['head']; "
        "from weasyprint.pdf import fonts; fonts.TTFont(report_fonts.files()[0])['head']; fonts.subset.Subsetter(); "
        "from datetime import datetime, UTC; "
        "html = '<html lang=\"en\"><head><title>t</title></head><body><h1>Hello</h1></body></html>'; "
        "print(len(Printer('', report_fonts.files()).print(html, created=datetime(2026, 1, 1, tzinfo=UTC))))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 1000
