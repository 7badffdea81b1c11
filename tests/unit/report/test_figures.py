"""Figures and dates are what a reader of the client's locale expects."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from cost_reporting.contracts import Period
from cost_reporting.errors import ClientMisconfigured
from cost_reporting.periods import parse
from cost_reporting.report.figures import Figures


def figures(locale: str = "en_US") -> Figures:
    return Figures(locale)


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("locale", "expected"),
    [("en_US", "1,234,567.50"), ("de_DE", "1.234.567,50"), ("ja_JP", "1,234,567.50"), ("hi_IN", "12,34,567.50")],
)
def test_separators_are_those_of_the_locale(locale: str, expected: str) -> None:
    assert figures(locale).amount(Decimal("1234567.5")) == expected


def test_a_locale_that_nobody_knows_is_a_fault_of_the_client_record() -> None:
    with pytest.raises(ClientMisconfigured, match="locale"):
        figures("xx_YY")


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        ("0", "0.00"),
        ("0.004", "< 0.01"),
        ("-0.004", "> −0.01"),
        ("0.005", "0.01"),
        ("-20", "−20.00"),
        ("0.0000000001", "< 0.01"),
    ],
)
def test_a_little_is_not_nothing_and_a_minus_is_a_real_one(amount: str, expected: str) -> None:
    assert plain(figures().amount(Decimal(amount))) == expected


@pytest.mark.parametrize(
    ("amount", "expected"), [("999.99", "999.99"), ("1000", "1,000"), ("142000.12", "142,000"), ("-1500.5", "−1,501")]
)
def test_headlines_are_whole_from_a_thousand_on(amount: str, expected: str) -> None:
    assert figures().headline(Decimal(amount)) == expected


@pytest.mark.parametrize(
    ("ratio", "expected"),
    [
        ("0.1234", "+12 %"),
        ("0.042", "+4.2 %"),
        ("-0.5", "−50 %"),
        ("0.0001", "< 0.1 %"),
        ("0", "0 %"),
        ("25", "> +999 %"),
        ("0.0996", "+10 %"),
    ],
)
def test_percentages_have_a_decimal_only_below_ten(ratio: str, expected: str) -> None:
    assert plain(figures().percent(Decimal(ratio), sign=True)) == expected


@pytest.mark.parametrize(
    ("now", "before", "expected"),
    [
        ("12", "10", "+20 %"),
        ("5", "0", "\u2013"),
        ("0", "0", "–"),
        ("5", "-3", "n/a"),
        ("-5", "3", "n/a"),
        ("5", "0.001", "n/a"),
        ("0", "4", "−100 %"),
    ],
)
def test_a_change_that_means_nothing_is_no_percentage(now: str, before: str, expected: str) -> None:
    assert plain(figures().change(Decimal(now), Decimal(before))) == expected


def test_of_nothing_and_of_a_credit_there_is_no_share() -> None:
    assert figures().share(Decimal(1), Decimal(0)) == "n/a"
    assert figures().share(Decimal(1), Decimal(-4)) == "n/a"


@pytest.mark.parametrize(
    ("locale", "expected"),
    [
        ("en_US", "October 31, 2026"),
        ("en_GB", "31 October 2026"),
        ("ja_JP", "2026年10月31日"),
        ("es_MX", "31 de octubre de 2026"),
        ("hi_IN", "31 October 2026"),
    ],
)
def test_a_day_is_in_the_language_of_the_report_and_in_the_order_of_the_locale(locale: str, expected: str) -> None:
    assert plain(figures(locale).day(date(2026, 10, 31))) == expected


@pytest.mark.parametrize(
    ("locale", "period", "expected"),
    [
        ("en_GB", parse("2026-10"), "1 to 31 October 2026"),
        ("en_US", parse("2026-W42"), "October 12 to 18, 2026"),
        ("en_GB", parse("2026-W40"), "28 September to 4 October 2026"),
        ("en_US", parse("2026-W40"), "September 28 to October 4, 2026"),
        ("en_GB", parse("2026-W53"), "28 December 2026 to 3 January 2027"),
        ("en_GB", Period(start=date(2026, 10, 5), end=date(2026, 10, 6)), "5 October 2026"),
        ("de_DE", parse("2026-10"), "1. bis 31. Oktober 2026"),
        ("de_AT", parse("2026-W40"), "28. September bis 4. Oktober 2026"),
        ("fr_FR", parse("2026-10"), "1er au 31 octobre 2026"),
        ("fr_FR", parse("2026-W53"), "28 décembre 2026 au 3 janvier 2027"),
        ("es_ES", parse("2026-W40"), "28 de septiembre al 4 de octubre de 2026"),
        ("ja_JP", parse("2026-W42"), "2026年10月12日～18日"),
        ("ja_JP", parse("2026-W40"), "2026年9月28日～10月4日"),
    ],
)
def test_a_span_ends_with_the_last_day_that_belongs_to_it(locale: str, period: Period, expected: str) -> None:
    assert plain(figures(locale).span(period)) == expected


@pytest.mark.parametrize(
    ("locale", "expected"),
    [
        ("en_US", "USD 142,000.12"),
        ("de_DE", "142.000,12 USD"),
        ("de_CH", "USD 142’000.12"),
        ("fr_FR", "142\u202f000,12 USD"),
        ("es_ES", "142.000,12 USD"),
        ("ja_JP", "USD 142,000.12"),
    ],
)
def test_the_currency_stands_where_the_locale_has_it(locale: str, expected: str) -> None:
    assert plain(figures(locale).money(Decimal("142000.12"), "USD")) == expected


def test_a_moment_is_told_in_utc() -> None:
    assert plain(figures("en_GB").moment(datetime(2026, 11, 10, 6, 12, tzinfo=UTC))) == "10 November 2026, 06:12 UTC"
