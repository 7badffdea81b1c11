"""The report speaks the client's language: completely, with the same figures, on the same pages."""

import io
import re
import subprocess
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from babel.messages.catalog import Catalog

from cost_reporting.clients import Client
from cost_reporting.costs import (
    Anomaly,
    Commitment,
    Commitments,
    CostDocument,
    Expiry,
    Forecast,
    NotAvailable,
    TagSplit,
    period_total,
)
from cost_reporting.periods import parse
from cost_reporting.report.edition import Edition
from cost_reporting.report.language import TRANSLATED, language_for, speaks
from cost_reporting.report.mail import subject
from cost_reporting.report.renderer import Renderer
from cost_reporting.report.sections import SECTIONS, about, accounts, invoice, services, summary, trend
from scripts import messages
from tests.builders import a_client, a_cost_document, a_run, not_read, some_accounts, some_savings
from tests.unit.report.conftest import an_edition

LOCALES = ("en_US", "de_DE", "fr_FR", "es_ES", "ja_JP")
TEMPLATES = Path(messages.REPORT) / "templates"
SERVICES = {
    "Amazon Elastic Compute Cloud - Compute": "61234.5612",
    "Amazon Relational Database Service": "22114.119",
    "Amazon Bedrock": "5300.25",
    "AWS Lambda": "3110.02",
    "AWS WAF": "0.003",
}
BEFORE = SERVICES | {"Amazon Elastic Compute Cloud - Compute": "50000", "Amazon Bedrock": "0", "Amazon WorkSpaces": "9"}
EURO = {"rate": "0.9214", "as_of": date(2026, 10, 30), "source": "European Central Bank, reference rate"}


def everything() -> CostDocument:
    """A month with each section, a mark of each kind, and long sentences."""
    costs = a_cost_document(
        services=SERVICES,
        previous=BEFORE,
        records={"AWS Lambda": {"Credit": "-1200.55"}, "AWS Tax": {"Tax": "812.33"}},
        older="101000.00",
        estimated=[date(2026, 10, day) for day in range(1, 30, 3)],
    )
    rows = [("000000000001", "platform", str(period_total(costs, costs.period)), "79760.40")]
    split = some_accounts(rows)
    found = [(17, "Amazon Bedrock", "5200.12"), (5, "several services", "120.12"), (9, "AWS Lambda", "99.10")]
    return costs.model_copy(
        update={
            "accounts": split,
            "regions": split,
            "tags": (TagSplit(tag_key="Environment", split=split), TagSplit(tag_key="事業部", split=split)),
            "forecast": Forecast(
                month=parse("2026-11"),
                until=date(2026, 11, 10),
                so_far=Decimal(41000),
                mean=Decimal("131000.5"),
                low=Decimal(120000),
                high=Decimal(142000),
            ),
            "anomalies": tuple(
                Anomaly(
                    first_day=date(2026, 10, day),
                    last_day=date(2026, 10, day + day % 2),
                    impact=Decimal(impact),
                    expected=Decimal(80),
                    service=service,
                    region=None,
                    account_id=None,
                    usage_type=None,
                )
                for day, service, impact in found
            ),
            "commitments": Commitments(
                commitments=(
                    Commitment(
                        kind="savings_plans",
                        coverage=Decimal("71.2"),
                        utilisation=Decimal("98.4"),
                        net_savings=Decimal("5100.2"),
                    ),
                ),
                expiring=(Expiry(kind="savings_plans", commitment_id="0f9a1c22", ends=date(2026, 11, 28)),),
            ),
            "savings": some_savings(12),
            "accounts_not_read": (not_read(),),
        }
    )


def nothing_available() -> CostDocument:
    """A month of which every optional part failed."""
    errors = ("CostsThrottled", "CostsNotReady", "ClientAccessDenied", "CostExplorerDisabled", "CostsRefused", "New")
    errors += ("CostsDoNotReconcile",)
    parts = ("accounts", "regions", "tags", "forecast", "anomalies", "commitments", "savings")
    gaps = {part: NotAvailable(error=error, reason="-") for part, error in zip(parts, errors, strict=True)}
    return a_cost_document().model_copy(update=gaps)


DOCUMENTS: dict[str, CostDocument] = {
    "everything": everything(),
    "nothing available": nothing_available(),
    "week": a_cost_document("2026-W42", services=SERVICES, previous=BEFORE, estimated=[date(2026, 10, 17)]),
    "covered": a_cost_document(services={"A": "33.86"}, records={"A": {"Credit": "-33.86"}}, previous={"A": "20"}),
    "negative": a_cost_document(services={"A": "10"}, records={"A": {"Refund": "-30"}}, previous={"A": "25"}),
    "young": a_cost_document(services={"A": "50"}, previous={}, older=None),
    "partial": a_cost_document(services={"A": "310"}, previous={"A": "90"}, older=None, began=date(2026, 9, 20)),
    "nothing": a_cost_document(services={}, previous={}, older=None),
    "after nothing": a_cost_document(services={"A": "50"}, previous={}, older="20"),
}


def a_reader(locale: str, **changes: Any) -> Client:
    """A client of the locale who wants everything, and a budget that is too small."""
    facts = {"locale": locale, "monthly_budget": Decimal(90000), "currency": "EUR", "exchange_rate": EURO}
    return a_client(**(facts | changes))


def an_edition_of(document: str, locale: str, **changes: Any) -> Edition:
    costs = DOCUMENTS[document]
    return an_edition(a_reader(locale, **changes), costs, a_run(costs.period, issue="preliminary"))


# -- the catalogues ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def collected() -> Catalog:
    return messages.collected()


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_message_is_translated_and_none_in_vain(language: str, collected: Catalog) -> None:
    assert list(messages.faults(messages.catalogue(language), collected)) == [], "make messages, and translate"


@pytest.mark.parametrize("language", TRANSLATED)
def test_what_is_read_is_what_was_translated(language: str) -> None:
    translations = messages.catalogue(language)
    assert messages.source(language).with_suffix(".mo").read_bytes() == messages.compiled(translations), "make messages"


@pytest.mark.parametrize(
    ("translation", "flags", "fault"),
    [
        ("", (), "not translated"),
        ("Seite {page}", (), "other places"),
        ("Seite {page} von {pages} {more}", (), "other places"),
        ("Seite {page} von {pages}", ("fuzzy",), "fuzzy"),
    ],
)
def test_a_translation_that_is_none_is_found(translation: str, flags: tuple[str, ...], fault: str) -> None:
    said, translations = Catalog(), Catalog(locale="de")
    said.add("Page {page} of {pages}")
    translations.add("Page {page} of {pages}", translation, flags=flags)
    assert [fault in found for found in messages.faults(translations, said)] == [True]


def test_a_message_too_many_and_one_too_few_are_found() -> None:
    said, translations = Catalog(), Catalog(locale="de")
    said.add("New")
    translations.add("Old", "Alt")
    found = " ".join(messages.faults(translations, said))
    assert "no longer said: 'Old'" in found
    assert "not in the catalogue: 'New'" in found


def test_no_template_speaks_without_being_translated() -> None:
    for template in TEMPLATES.glob("*.j2"):
        bare = re.sub(
            r"{#.*?#}|{%.*?%}|{{.*?}}|<style>.*?</style>|<!--.*?-->", "", template.read_text(), flags=re.DOTALL
        )
        bare = re.sub(r"<[^>]*>|&[a-z]+;", " ", bare)
        assert not re.findall(r"[A-Za-z]{2,}", bare), template.name


def test_french_has_thin_spaces_before_its_double_marks_and_real_apostrophes() -> None:
    for message in messages.catalogue("fr"):
        for text in messages.strings(message) if message.id else ():
            assert not re.search(r"(?<!\u202f)[:;!?]", text), text
            assert "'" not in text, text


def test_japanese_has_full_width_marks() -> None:
    for message in messages.catalogue("ja"):
        for text in messages.strings(message) if message.id else ():
            assert not re.search(r"[(),;?!]|: ", text), text


# -- what is said ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("locale", "headline"),
    [
        (
            "de_DE",
            "Die Kosten im Oktober 2026 betrugen 1.020,50 USD, ein Anstieg um 5,4 % (52,25 USD) gegenüber Septem",
        ),
        (
            "de_CH",
            "Die Kosten im Oktober 2026 betrugen USD 1’020.50, ein Anstieg um 5.4 % (USD 52.25) gegenüber Septem",
        ),
        (
            "fr_FR",
            "Les dépenses en octobre 2026 s’élèvent à 1\u202f020,50 USD, en hausse de 5,4 % (52,25 USD) par rapp",
        ),
        (
            "es_ES",
            "El gasto en octubre de 2026 fue de 1.020,50 USD, un aumento del 5,4 % (52,25 USD) respecto a septie",
        ),
        ("ja_JP", "2026年10月の費用はUSD 1,020.50で、9月に比べて5.4%（USD 52.25）増加しました。"),
        ("pt_BR", "You spent USD 1.020,50 in October 2026, up 5,4 % (USD 52,25) on September."),
    ],
)
def test_the_headline_is_a_sentence_of_its_language(locale: str, headline: str) -> None:
    said = summary.view(an_edition(a_client(locale=locale))).headline.replace("\u00a0", " ")
    assert said.startswith(headline)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_section_and_mail_speaks_every_language(document: str, locale: str) -> None:
    edition = an_edition_of(document, locale)
    views = [view for section in SECTIONS if (view := section.view(edition)) is not None]
    assert views
    english = an_edition_of(document, "en_US")
    titles = ("Executive summary", "How far to trust the figures", "About these figures")
    if locale != "en_US":
        assert all(edition.say(title) != title for title in titles)
        assert summary.view(edition).headline != summary.view(english).headline
        assert set(summary.view(edition).caveats).isdisjoint(summary.view(english).caveats)
    assert "{" not in "".join(view.model_dump_json() for view in views).replace('{"', "").replace("{}", "")
    assert subject(edition).isprintable()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_all_languages_show_the_same_figures(document: str) -> None:
    shown = [figures_of(an_edition_of(document, locale)) for locale in LOCALES]
    assert shown.count(shown[0]) == len(LOCALES)


def figures_of(edition: Edition) -> list[str]:
    """The digits of each figure of the tables."""
    by_service, by_account, by_day = (module.view(edition) for module in (services, accounts, trend))
    tables = [view.table for view in (by_service, by_account) if view is not None and hasattr(view, "table")]
    amounts = [row.now + "|" + row.before + "|" + row.share for table in tables for row in (*table.rows, table.sum)]
    amounts += [step.amount for step in invoice.view(edition).steps]
    amounts += [figure.value for figure in summary.view(edition).figures]
    amounts += [day.amount for day in by_day.days] if isinstance(by_day, trend.Trend) else []
    return [re.sub(r"[^0-9|<\u2212]", "", amount) for amount in amounts]


def test_a_month_keeps_its_language_whatever_was_said_before() -> None:
    for locale, month in (("ja_JP", "9月"), ("fr_FR", "septembre"), ("he_IL", "September"), ("de_DE", "September")):
        assert an_edition(a_client(locale=locale)).previous_words == month


@pytest.mark.parametrize(
    ("locale", "expected"),
    [
        ("de_DE", "[Northwind Retail] AWS-Kosten, Oktober 2026: 1.021 USD (+5,4 %) – vorläufig"),
        ("fr_FR", "[Northwind Retail] Coûts AWS, octobre 2026 : 1 021 USD (+5,4 %) – provisoire"),
        ("es_ES", "[Northwind Retail] Costes de AWS, octubre de 2026: 1.021 USD (+5,4 %) – provisional"),
        ("ja_JP", "［Northwind Retail］AWSコスト 2026年10月：USD 1,021（+5.4%）－ 速報版"),
    ],
)
def test_the_subject_is_one_line_of_its_language(locale: str, expected: str) -> None:
    edition = an_edition(a_client(locale=locale), run=a_run(issue="preliminary"))
    assert subject(edition) == expected


def test_a_language_without_translation_is_named_among_the_facts_and_nowhere_else() -> None:
    facts = {entry.term: entry.meaning for entry in about.view(an_edition(a_client(locale="hi_IN"))).facts}
    assert "no translation into Hindi yet" in facts["Language"]
    assert all("Language" not in entry.term for entry in about.view(an_edition()).facts)
    assert not speaks("hi_IN")
    assert language_for("hi_IN").code == "en"


def test_a_sentence_that_ends_with_an_abbreviation_has_one_full_stop() -> None:
    said = language_for("de_DE").say("Not there yet: {days}.", days="1. Nov.")
    assert said == "Noch nicht vorhanden: 1. Nov."


def test_right_to_left_names_leave_the_line_around_them_alone() -> None:
    title = an_edition(a_client(client_name="شركة البيانات")).title
    assert title.startswith("\u2068شركة البيانات\u2069: AWS cost report")
    assert "\u2068" not in an_edition(a_client(client_name="東京データ株式会社")).title


# -- the pages ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", ["A4", "Letter"])
@pytest.mark.parametrize("locale", LOCALES)
def test_the_pages_of_a_full_month_hold_what_they_should(
    locale: str, size: str, renderer: Renderer, text_of: Callable[[bytes], str]
) -> None:
    edition = an_edition_of("everything", locale, page_size=size)
    rendered = renderer.render(edition.client, edition.costs, edition.run)
    pdf = pikepdf.open(io.BytesIO(rendered.pdf))
    pages = text_of(rendered.pdf).split("\f")
    assert str(pdf.Root.Lang) == edition.language.code == locale[:2]
    assert f'<html lang="{locale[:2]}">' in rendered.mail.html
    assert edition.say("Executive summary") in pages[1]
    assert edition.say("What changed") in pages[2]
    days = next(page for page in pages if edition.say("Day by day") in page)
    assert days.rstrip().count("\n") > len(edition.by_day)
    assert edition.figures.amount(edition.total).replace("\u202f", " ") in "".join(days.splitlines()[-6:])
    foot = edition.say("Page {page} of {pages}", page=2, pages=len(pdf.pages))
    assert f"· {foot} · {edition.say('confidential')}" in pages[1]


@pytest.mark.parametrize("locale", LOCALES)
def test_no_word_runs_off_a_page(locale: str, renderer: Renderer, tmp_path: Path) -> None:
    edition = an_edition_of("everything", locale)
    file = tmp_path / "report.pdf"
    file.write_bytes(renderer.render(edition.client, edition.costs, edition.run).pdf)
    words = subprocess.run(["pdftotext", "-bbox", str(file), "-"], capture_output=True, text=True, check=True).stdout
    ends = [float(end) for end in re.findall(r'<word [^>]*xMax="([0-9.]+)"', words)]
    assert ends
    assert max(ends) <= 595 - 17 * 72 / 25.4
