"""Figures and dates as a reader of a given locale expects them, from exact Decimals.

Numbers are the client's: ``142.000,12 USD`` for ``de_DE``, ``USD 142,000.12`` for ``en_US``. Dates are the client's
where the report speaks the language; everybody else reads English, so their dates are day, month, year with an English
month. A minus is U+2212, and spaces inside a figure do not break.
"""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Final, NamedTuple

from babel.dates import format_date, format_skeleton
from babel.numbers import format_decimal

from cost_reporting.codes import LOCALES
from cost_reporting.contracts import Period
from cost_reporting.errors import ClientMisconfigured
from cost_reporting.money import CENT, cents
from cost_reporting.periods import cadence_of, last_day
from cost_reporting.report.cldr import OwnLocale
from cost_reporting.report.language import language_for, speaks, to_say

NBSP: Final = "\u00a0"
MINUS: Final = "\u2212"
EN_DASH: Final = "\u2013"
NOT_AVAILABLE: Final = to_say("n/a")
"""A message: printed as ``figures.not_available``."""
_GROUPED: Final = "#,##0"
_LARGE: Final = Decimal(1000)
_WHOLE_PERCENT_FROM: Final = Decimal(10)
_PERCENT_CAP: Final = Decimal(999)


class _Span(NamedTuple):
    """CLDR patterns of the first and the last day of a span: within a month, and within a year."""

    month: tuple[str, str]
    year: tuple[str, str]


_SPANS: Final = {
    "en": _Span(month=("d", "d MMMM yyyy"), year=("d MMMM", "d MMMM yyyy")),
    "de": _Span(month=("d.", "d. MMMM yyyy"), year=("d. MMMM", "d. MMMM yyyy")),
    "fr": _Span(month=("d", "d MMMM yyyy"), year=("d MMMM", "d MMMM yyyy")),
    "es": _Span(month=("d", "d 'de' MMMM 'de' yyyy"), year=("d 'de' MMMM", "d 'de' MMMM 'de' yyyy")),
    "ja": _Span(month=("yyyy年M月d日", "d日"), year=("yyyy年M月d日", "M月d日")),
}
_MONTH_FIRST_SPAN: Final = _Span(month=("MMMM d", "d, yyyy"), year=("MMMM d", "MMMM d, yyyy"))


class Figures:
    """Figures for one locale.

    Raises ClientMisconfigured if CLDR does not know the locale: how a number is written is never guessed.
    """

    def __init__(self, locale: str) -> None:
        if locale not in LOCALES:  # Babel would take any script, and write figures of another one
            raise ClientMisconfigured(f"locale: {locale} is not a locale that CLDR knows")
        self._locale = OwnLocale.parse(locale)
        self._grouped = self._locale.decimal_formats[None].pattern.partition(".")[0]  # ``#,##,##0`` in India
        self._language = language_for(locale)
        self._dates = self._locale if speaks(locale) else OwnLocale.parse("en_GB")
        self._month_first = format_date(date(2026, 10, 31), "long", locale=self._dates).startswith("October")
        self._currency_first = self._locale.currency_formats["standard"].pattern.startswith("\xa4")
        self._per_cent = "%" if self._language.code == "ja" else f"{NBSP}%"
        self.not_available = self._language.say(NOT_AVAILABLE)

    @property
    def language_name(self) -> str:
        """What English calls the locale's language: ``Hindi``."""
        return self._locale.get_language_name("en") or self._locale.language

    def amount(self, amount: Decimal) -> str:
        """Two decimals, for tables: ``1,234.50``, ``−20.00``, ``< 0.01`` for a little that is not nothing."""
        return self._little(amount) or self._signed(cents(amount), "#,##0.00")

    def cell(self, shown: Decimal, exact: Decimal) -> str:
        """A table's amount, its cents fixed by the sum: ``< 0.01`` where ``shown`` is zero and ``exact`` is not."""
        return self.amount(exact) if not shown and self._little(exact) else self.amount(shown)

    def headline(self, amount: Decimal) -> str:
        """Whole units from 1,000 on, two decimals below."""
        if abs(amount) < _LARGE:
            return self.amount(amount)
        return self._signed(amount.quantize(Decimal(1), rounding="ROUND_HALF_UP"), "#,##0")

    def money(self, amount: Decimal, currency: str) -> str:
        """``USD 142,000.12``, or ``142.000,12 USD`` where the locale has the currency behind."""
        return self.of_currency(self.amount(amount), currency)

    def money_headline(self, amount: Decimal, currency: str) -> str:
        """``USD 142,000``."""
        return self.of_currency(self.headline(amount), currency)

    def of_currency(self, digits: str, currency: str) -> str:
        """An amount as it is written with its currency."""
        return f"{currency}{NBSP}{digits}" if self._currency_first else f"{digits}{NBSP}{currency}"

    def difference(self, shown: Decimal) -> str:
        """A change with its sign: ``+120.00``, ``−3.10``, ``0.00``."""
        return f"+{self.amount(shown)}" if shown > 0 else self.amount(shown)

    def percent(self, ratio: Decimal, *, sign: bool = False) -> str:
        """``12 %``, ``4.2 %``, ``< 0.1 %``: a decimal only below ten."""
        percent = abs(ratio) * 100
        prefix = MINUS if ratio < 0 else "+" if sign and ratio > 0 else ""
        if percent and percent < Decimal("0.05"):
            return f"<{NBSP}{self._digits(Decimal('0.1'), '0.0')}{self._per_cent}"
        if percent > _PERCENT_CAP:
            return f">{NBSP}{prefix}{self._digits(_PERCENT_CAP, '0')}{self._per_cent}"
        pattern = "0" if not percent or percent.quantize(Decimal("0.1")) >= _WHOLE_PERCENT_FROM else "0.0"
        step = Decimal(1) if pattern == "0" else Decimal("0.1")
        return f"{prefix}{self._digits(percent.quantize(step, rounding='ROUND_HALF_UP'), pattern)}{self._per_cent}"

    def change(self, now: Decimal, before: Decimal) -> str:
        """The change from ``before`` in percent; from zero there is none, and from a credit it would mean nothing.

        A dash does not say "new": whether something is, only its history tells (``domain.causes``).
        """
        ratio = change_ratio(now, before)
        if ratio is not None:
            return self.percent(ratio, sign=True)
        return self.not_available if before else EN_DASH

    def share(self, part: Decimal, whole: Decimal) -> str:
        """A part of the whole in percent; of nothing, or of a credit, there is no share."""
        return self.percent(part / whole) if cents(whole) > 0 else self.not_available

    def rate(self, rate: Decimal) -> str:
        """An exchange rate with as many decimals as it was given."""
        return self._digits(rate, "#,##0.00######")

    def axis(self, value: Decimal, ticks: tuple[Decimal, ...]) -> str:
        """A value beside an axis, with as many decimals as its ``ticks`` need."""
        decimals = max(max(0, -int(tick.normalize().as_tuple().exponent)) for tick in ticks)
        return self._signed(value, "#,##0." + "0" * decimals if decimals else "#,##0")

    def plain(self, amount: Decimal) -> str:
        """An amount with exactly the decimals that it has."""
        decimals = max(0, -int(amount.as_tuple().exponent))
        return self._signed(amount, "#,##0." + "0" * decimals if decimals else "#,##0")

    def count(self, count: int) -> str:
        """A whole number."""
        return self._digits(Decimal(count), "#,##0")

    def day(self, day: date) -> str:
        """``31 October 2026``, or ``October 31, 2026`` for the United States."""
        return self._pattern(day, "long")

    def short_day(self, day: date) -> str:
        """``31 Oct``: where the year is clear from the page."""
        return self._skeleton(day, "MMMd")

    def weekday(self, day: date) -> str:
        """``Sat 31 Oct``: a day of which one wants to see whether people were at work."""
        if self._language.code == "en":
            return f"{self._pattern(day, 'ccc')} {self.short_day(day)}"
        return self._skeleton(day, "MMMEd")

    def weekday_short(self, day: date) -> str:
        """``Sat 31``: where even the month is clear."""
        if self._language.code == "en":
            return f"{self._pattern(day, 'ccc')} {day.day}"
        return self._skeleton(day, "Ed")

    def short_month(self, day: date) -> str:
        """``Oct``."""
        return self._pattern(day, "LLL")

    def year(self, day: date) -> str:
        """``2026``."""
        return self._pattern(day, "y")

    def moment(self, moment: datetime) -> str:
        """``3 November 2026, 06:12 UTC``."""
        moment = moment.astimezone(UTC)
        time = f"{moment:%H:%M}{NBSP}UTC"
        return self._language.say("{day}, {time}", day=self.day(moment.date()), time=time)

    def span(self, period: Period) -> str:
        """The days of a period, both included: ``12 to 18 October 2026``, ``28 September to 4 October 2026``."""
        first, last = period.start, last_day(period)
        if first == last:
            return self.day(last)
        if first.year != last.year:
            return self.from_to(self.day(first), self.day(last))
        patterns = _MONTH_FIRST_SPAN if self._month_first else _SPANS[self._language.code]
        start, end = patterns.month if first.month == last.month else patterns.year
        return self.from_to(self._pattern(first, start), self._pattern(last, end))

    def from_to(self, first: str, last: str) -> str:
        """``3 Oct to 5 Oct``: a range of whatever has been written already."""
        return self._language.say("{first} to {last}", first=first, last=last)

    def period(self, period: Period) -> str:
        """``October 2026``, or the days of a week: ``12 October 2026 to 18 October 2026``."""
        if cadence_of(period) == "monthly":
            return self.month(period.start, year=True)
        return self.span(period)

    def month(self, day: date, *, year: bool) -> str:
        """``September``, with its year if that is not clear."""
        return self._skeleton(day, "yMMMM") if year else self._pattern(day, "LLLL")

    def _pattern(self, day: date, pattern: str) -> str:
        return self._date(format_date(day, pattern, locale=self._dates))

    def _skeleton(self, day: date, skeleton: str) -> str:
        return self._date(format_skeleton(skeleton, datetime.combine(day, datetime.min.time()), locale=self._dates))

    def _date(self, written: str) -> str:
        if self._language.code == "fr":  # the first of a month is an ordinal
            written = re.sub(r"(?<!\d)1(?= [a-zéû]|$)", "1er", written)
        return written.replace(" ", NBSP)

    def _little(self, amount: Decimal) -> str:
        if not amount or abs(amount) >= CENT / 2:
            return ""
        cent = self._digits(CENT, "0.00")
        return f"<{NBSP}{cent}" if amount > 0 else f">{NBSP}{MINUS}{cent}"

    def _signed(self, amount: Decimal, pattern: str) -> str:
        digits = self._digits(abs(amount), pattern)
        return f"{MINUS}{digits}" if amount < 0 else digits

    def _digits(self, amount: Decimal, pattern: str) -> str:
        return format_decimal(amount, format=pattern.replace(_GROUPED, self._grouped), locale=self._locale)


@lru_cache(maxsize=64)
def figures_for(locale: str) -> Figures:
    """The figures of a locale, kept between the reports of a warm function."""
    return Figures(locale)


def change_ratio(now: Decimal, before: Decimal) -> Decimal | None:
    """The change as a part of ``before``; None where that means nothing: from zero, and from or to a credit."""
    return (cents(now) - cents(before)) / cents(before) if cents(before) > 0 and cents(now) >= 0 else None
