"""The finished report: a tagged PDF that is the same for the same input, and the words of its mail."""

import io
import json
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from email.message import EmailMessage
from email.policy import SMTP
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pikepdf
import pytest

from cost_reporting.contracts import MailWords
from cost_reporting.costs import by_service
from cost_reporting.errors import RenderFailed
from cost_reporting.money import cents
from cost_reporting.report.pdf import PageOnlyFetcher, Printer
from cost_reporting.report.renderer import Renderer
from tests.builders import a_client, a_cost_document, a_run, some_accounts

ROOT = Path(__file__).parents[3]
HOSTILE = "</title><script>alert(1)</script><img src='file:///etc/passwd'>\u202e{{ 7*7 }}" + "🐙" * 120
MODULES_THAT_SENDING_NEEDS_NOT = ("weasyprint", "jinja2", "babel")


def opened(pdf: bytes) -> pikepdf.Pdf:
    return pikepdf.open(io.BytesIO(pdf))


def tags(pdf: pikepdf.Pdf) -> list[str]:
    found: list[str] = []

    def walk(element: pikepdf.Object) -> None:
        if isinstance(element, pikepdf.Array):
            for child in element:
                walk(child)
        elif isinstance(element, pikepdf.Dictionary) and "/S" in element:
            found.append(str(element.S))
            if "/K" in element:
                walk(element.K)

    walk(pdf.Root.StructTreeRoot.K)
    return found


def test_the_pdf_is_tagged_titled_and_says_its_language(renderer: Renderer) -> None:
    pdf = opened(renderer.render(a_client(), a_cost_document(), a_run()).pdf)
    assert bool(pdf.Root.MarkInfo.Marked)
    assert str(pdf.Root.Lang) == "en"
    assert bool(pdf.Root.ViewerPreferences.DisplayDocTitle)
    assert str(pdf.docinfo["/Title"]).replace("\u00a0", " ") == "Northwind Retail: AWS cost report, October 2026"
    with pdf.open_metadata() as metadata:
        assert metadata["pdfuaid:part"] == "1"


def test_headings_are_in_order_and_the_chart_has_a_text(renderer: Renderer) -> None:
    pdf = opened(renderer.render(a_client(), a_cost_document(), a_run()).pdf)
    found = tags(pdf)
    levels = [int(tag[2]) for tag in found if re.fullmatch(r"/H\d", tag)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert {"/Table", "/TH", "/TD", "/Figure", "/L"} <= set(found)
    figures = [item for item in pdf.objects if isinstance(item, pikepdf.Dictionary) and item.get("/S") == "/Figure"]
    assert figures
    assert all(str(figure.Alt) for figure in figures)


def test_bookmarks_lead_to_the_sections(renderer: Renderer) -> None:
    pdf = opened(renderer.render(a_client(), a_cost_document(), a_run()).pdf)
    with pdf.open_outline() as outline:
        assert [item.title for item in outline.root] == ["AWS cost report"]
        assert "By service" in [item.title for item in outline.root[0].children]


@pytest.mark.parametrize(("size", "width", "height"), [("A4", 595, 842), ("Letter", 612, 792)])
def test_pages_have_the_size_that_the_client_prints(renderer: Renderer, size: str, width: int, height: int) -> None:
    pdf = opened(renderer.render(a_client(page_size=size), a_cost_document(), a_run()).pdf)
    assert {(round(float(page.mediabox[2])), round(float(page.mediabox[3]))) for page in pdf.pages} == {(width, height)}


def test_only_the_bundled_fonts_are_used(renderer: Renderer) -> None:
    client = a_client(client_name="東京データ Ωμέγα Привет 株式会社 한국 مرحبا 🐙", locale="ja_JP")
    pdf = opened(renderer.render(client, a_cost_document(), a_run()).pdf)
    names = {str(item.BaseFont) for item in pdf.objects if isinstance(item, pikepdf.Dictionary) and "/BaseFont" in item}
    assert names
    assert all(re.match(r"/[A-Z]{6}\+(Source-?Sans|Noto-?(Sans|Emoji))", name) for name in names), names


def test_a_japanese_name_is_printed(renderer: Renderer, text_of: Callable[[bytes], str]) -> None:
    rendered = renderer.render(a_client(client_name="東京データ株式会社", locale="ja_JP"), a_cost_document(), a_run())
    assert "東京データ株式会社" in text_of(rendered.pdf)


def test_every_service_and_its_figure_is_in_the_text(renderer: Renderer, text_of: Callable[[bytes], str]) -> None:
    services = {f"Amazon Service {number}": f"{number * 1234.567:.4f}" for number in range(1, 13)}
    costs = a_cost_document(services=services, previous=services)
    text = text_of(renderer.render(a_client(), costs, a_run()).pdf)
    for service, amount in by_service(costs, costs.period).items():
        assert re.search(rf"{service} .*{cents(amount):,.2f}", text), service


def test_the_executive_summary_is_exactly_one_page(renderer: Renderer, text_of: Callable[[bytes], str]) -> None:
    costs = a_cost_document(
        services={"A" * 100: "12.34", "B" * 100: "5", "C" * 100: "7"},
        records={"A" * 100: {"Credit": "-1"}},
        previous={"A" * 100: "1"},
        older="1",
        estimated=[date(2026, 10, day) for day in range(1, 31, 2)],
    )
    pages = text_of(renderer.render(a_client(page_size="Letter"), costs, a_run(issue="preliminary")).pdf).split("\f")
    assert "Executive summary" in pages[1]
    assert "The last 13 months" in pages[1]
    assert "What changed" in pages[2]


def test_a_month_of_days_fits_a_letter_page(renderer: Renderer, text_of: Callable[[bytes], str]) -> None:
    costs = a_cost_document(estimated=[date(2026, 10, 31)])
    pages = text_of(renderer.render(a_client(page_size="Letter"), costs, a_run()).pdf).split("\f")
    assert "Day by day" in pages[3]
    assert "Sat Oct 31" in pages[3]
    assert re.search(r"Total +1,020\.50", pages[3])


def test_a_large_client_has_at_most_ten_pages_and_two_megabytes(renderer: Renderer) -> None:
    services = {f"Amazon Service {number}": f"{number * 1234.567:.4f}" for number in range(1, 80)}
    total = sum(round(number * 1234.567, 4) for number in range(1, 80))
    family = some_accounts((f"{number:012d}", f"team-{number}", "1", "1") for number in range(1, 300))
    rest = some_accounts([("999999999999", "rest", f"{total - 299:.4f}", "1")])
    both = family.model_copy(
        update={"current": family.current + rest.current, "previous": family.previous + rest.previous}
    )
    rendered = renderer.render(a_client(), a_cost_document(services=services, accounts=both), a_run())
    assert 6 <= len(opened(rendered.pdf).pages) <= 10
    assert len(rendered.pdf) < 2_000_000


def test_a_weekly_report_has_at_most_three_pages(renderer: Renderer, text_of: Callable[[bytes], str]) -> None:
    services = {f"Amazon Service {number}": f"{number * 1234.567:.4f}" for number in range(1, 40)}
    costs = a_cost_document("2026-W42", services=services, previous=services)
    rendered = renderer.render(a_client(), costs, a_run("2026-W42"))
    assert len(opened(rendered.pdf).pages) <= 3
    assert "October 12 to 18, 2026" in text_of(rendered.pdf)


def test_each_page_after_the_cover_says_whose_and_which_it_is(
    renderer: Renderer, text_of: Callable[[bytes], str]
) -> None:
    pages = text_of(renderer.render(a_client(), a_cost_document(), a_run()).pdf).split("\f")[1:-1]
    for number, page in enumerate(pages, start=2):
        footer = f"Northwind Retail · October 2026 · NORTHWIND-RETAIL-2026-10-F · Page {number} of {len(pages) + 1}"
        assert f"{footer} · confidential" in page


def test_a_test_says_so_on_every_page_and_in_the_subject(renderer: Renderer, text_of: Callable[[bytes], str]) -> None:
    rendered = renderer.render(a_client(), a_cost_document(), a_run(mode="test"))
    assert all("TEST" in page for page in text_of(rendered.pdf).split("\f")[:-1])
    assert rendered.mail.subject.startswith("[TEST] ")


def test_a_dry_run_looks_like_the_real_thing(renderer: Renderer) -> None:
    live, dry = (renderer.render(a_client(), a_cost_document(), a_run(mode=mode)) for mode in ("live", "dry_run"))
    assert live == dry


def test_the_same_input_gives_the_same_bytes_in_every_process(renderer: Renderer) -> None:
    script = (
        "import hashlib; from tests.builders import *; from cost_reporting.report.renderer import Renderer;"
        "r = Renderer().render(a_client(), a_cost_document(), a_run());"
        "print(hashlib.sha256(r.pdf + r.mail.model_dump_json().encode()).hexdigest())"
    )
    environment = {"PYTHONPATH": ":".join(str(ROOT / part) for part in ("src", "layers/pdf", "."))}
    hashes = {
        subprocess.run(
            [sys.executable, "-c", script],
            env=environment | {"PYTHONHASHSEED": seed, "FONTCONFIG_PATH": fonts, "TZ": zone},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed, fonts, zone in (
            ("1", "/etc/fonts", "UTC"),
            ("2", str(ROOT / "layers/pdf/report_fonts"), "Asia/Tokyo"),
        )
    }
    assert len(hashes) == 1
    renderer.render(a_client(client_name="Somebody else"), a_cost_document("2026-W42"), a_run("2026-W42"))
    again = renderer.render(a_client(), a_cost_document(), a_run()).pdf
    assert again == renderer.render(a_client(), a_cost_document(), a_run()).pdf


def test_the_pdf_is_dated_by_its_figures(renderer: Renderer) -> None:
    pdf = opened(renderer.render(a_client(), a_cost_document(), a_run()).pdf)
    assert str(pdf.docinfo["/CreationDate"]).startswith("D:20261110061200")


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "http://169.254.169.254/latest/meta-data/", "https://example.com/a.png", "ftp://x/y"]
)
def test_nothing_outside_of_the_page_is_opened(url: str) -> None:
    with pytest.raises(ValueError, match="lies outside of the page"):
        PageOnlyFetcher().fetch(url)
    printer = Printer("", ())
    with pytest.raises(RenderFailed):
        printer.print(
            f"<html lang='en'><head><title>t</title></head><body><img src='{url}' alt='x'></body></html>",
            created=datetime(2026, 11, 10, tzinfo=UTC),
        )


def test_a_hostile_name_is_only_a_name(renderer: Renderer, text_of: Callable[[bytes], str]) -> None:
    client = a_client(client_name=HOSTILE)
    costs = a_cost_document(services={HOSTILE * 2: "12"}, previous={HOSTILE: "10"})
    rendered = renderer.render(client, costs, a_run(), logo=b"<svg onload='alert(1)'/>")
    text = text_of(rendered.pdf)
    assert "<script>alert(1)</script>" in text
    assert "49" not in text.split("\f")[0]
    assert "\u202e" not in rendered.mail.subject + rendered.mail.text + rendered.mail.html
    assert "<script>" not in rendered.mail.html
    assert "\n" not in rendered.mail.subject


def test_the_subject_is_as_promised(renderer: Renderer) -> None:
    client = a_client(client_id="acme", client_name="Acme")
    costs = a_cost_document(services={"A": "142000.12"}, previous={"A": "126799.72"})
    rendered = renderer.render(client, costs, a_run())
    assert rendered.mail.subject == "[Acme] AWS costs, October 2026: USD 142,000 (+12 %) – final"


@pytest.mark.parametrize(
    ("services", "previous", "records", "expected"),
    [
        ({"A": "5"}, {}, None, "USD 5.00 – final"),
        ({"A": "5"}, {"B": "0"}, {"A": {"Credit": "-5"}}, "USD 0.00 after credits – final"),
        ({"A": "5"}, {"A": "9"}, {"A": {"Refund": "-8"}}, "USD −3.00 (usage −44 %) – final"),
    ],
)
def test_a_subject_has_no_percentage_without_a_meaning_and_of_a_credit_that_of_usage(
    renderer: Renderer,
    services: dict[str, str],
    previous: dict[str, str],
    records: dict[str, dict[str, str]] | None,
    expected: str,
) -> None:
    costs = a_cost_document(services=services, previous=previous, records=records, older=None)
    assert renderer.render(a_client(), costs, a_run()).mail.subject.endswith(expected)


def test_the_words_of_the_mail_can_be_stored_and_sent_without_what_made_them(renderer: Renderer) -> None:
    mail = renderer.render(a_client(client_name="東京データ株式会社"), a_cost_document(), a_run()).mail
    assert MailWords.model_validate(json.loads(mail.model_dump_json())) == mail
    message = EmailMessage(policy=SMTP)
    message["Subject"] = mail.subject
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    assert b"Subject: " in bytes(message)


def test_the_mail_holds_no_address_and_loads_nothing(renderer: Renderer) -> None:
    mail = renderer.render(a_client(), a_cost_document(), a_run()).mail
    assert "@" not in mail.subject + mail.text + mail.html
    loaded: list[str] = []

    class Loads(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            loaded.extend(name for name, _ in attrs if name in {"src", "href", "background"})

    Loads().feed(mail.html)
    assert loaded == []
    assert "url(" not in mail.html


def test_the_mail_says_headline_reasons_and_what_is_attached(renderer: Renderer) -> None:
    rendered = renderer.render(a_client(), a_cost_document(), a_run(issue="preliminary"))
    attached = "northwind-retail_aws-costs_2026-10_preliminary.pdf"
    for part in (
        "You spent USD 1,020.50 in October 2026",
        "Elastic Compute Cloud - Compute rose.",
        "Preliminary",
        attached,
    ):
        assert part in rendered.mail.text
        assert part in rendered.mail.html.replace("\u00a0", " ")


def test_importing_the_package_loads_neither_typesetter_nor_templates() -> None:
    script = f"import cost_reporting.report, sys; assert not {MODULES_THAT_SENDING_NEEDS_NOT!r} & sys.modules.keys()"
    script = script.replace("(", "{", 1).replace(")", "}", 1)
    subprocess.run([sys.executable, "-c", script], env={"PYTHONPATH": str(ROOT / "src")}, check=True)


def test_the_template_version_is_a_hash_that_stays(renderer: Renderer) -> None:
    assert re.fullmatch(r"[0-9a-f]{64}", renderer.template_version)
    assert renderer.template_version == Renderer().template_version
