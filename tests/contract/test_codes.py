"""The codes that a record may name are those that a report can be written with: `codes.py` held against Babel."""

import re
from datetime import date

import pytest
from babel import Locale, localedata
from babel.core import get_global

from cost_reporting.codes import CURRENCIES, LOCALES, near_currencies, near_locales
from cost_reporting.errors import ClientMisconfigured
from cost_reporting.report.figures import Figures
from cost_reporting.report.language import ENGLISH, TRANSLATED

FORM = re.compile(r"[a-z]{2,3}(_[A-Z][a-z]{3})?(_([A-Z]{2}|[0-9]{3}))?")
"""Of a record's locale, without the variants that CLDR has beside."""
NOT_YET_IN_CLDR = {"BGN": date(2026, 1, 1)}
"""Currencies that CLDR holds for legal tender, and the day on which they were no more."""


def test_a_report_can_be_written_for_each_locale() -> None:
    assert [locale for locale in sorted(LOCALES) if not isinstance(Locale.parse(locale), Locale)] == []


def test_no_locale_of_cldr_is_missing_and_the_others_are_those_whose_script_babel_adds() -> None:
    known = {locale for locale in localedata.locale_identifiers() if FORM.fullmatch(locale)}
    assert known - LOCALES == set()
    added = {locale: str(Locale.parse(locale)) for locale in LOCALES - known}
    assert {
        locale for locale, whole in added.items() if not re.fullmatch(r"[a-z]+_[A-Z][a-z]{3}_[A-Z0-9]+", whole)
    } == set()
    assert added["zh_TW"] == "zh_Hant_TW"


@pytest.mark.parametrize("language", [ENGLISH, *TRANSLATED])
def test_every_language_of_the_reports_is_known(language: str) -> None:
    assert language in LOCALES


def test_the_currencies_are_the_legal_tender_of_today() -> None:
    tender = {
        currency
        for listed in get_global("territory_currencies").values()
        for currency, _, last, is_tender in listed
        if is_tender and last is None
    }
    assert tender - CURRENCIES == NOT_YET_IN_CLDR.keys()
    assert CURRENCIES - tender == set()


@pytest.mark.parametrize("locale", ["no_NO", "xx", "de_US", "xx_XX", "af_Adlm"])
def test_the_renderer_refuses_the_same_locales(locale: str) -> None:
    assert locale not in LOCALES
    with pytest.raises(ClientMisconfigured, match="locale: "):
        Figures(locale)


@pytest.mark.parametrize(
    ("locale", "meant"), [("no_NO", "nb_NO"), ("xx", "xh"), ("de_US", "en_US"), ("jp_JP", "ja_JP"), ("uk_UK", "uk_UA")]
)
def test_near_locales_are_suggested(locale: str, meant: str) -> None:
    assert meant in near_locales(locale)


@pytest.mark.parametrize(("currency", "meant"), [("EUD", "EUR"), ("EUD", "USD"), ("USS", "USD")])
def test_near_currencies_are_suggested(currency: str, meant: str) -> None:
    assert meant in near_currencies(currency)
