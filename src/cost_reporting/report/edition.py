"""One client's report about one period: the facts that every section and the mail draw on, worked out once."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date
from decimal import Decimal
from functools import cached_property
from typing import Final, Literal

from cost_reporting.clients import ReportRecord
from cost_reporting.contracts import Cadence, Period, Run
from cost_reporting.costs import (
    PRICE_PER_REQUEST,
    CostDocument,
    Split,
    by_day,
    by_group,
    by_service,
    holds,
    partly_filled,
    period_total,
)
from cost_reporting.domain import causes
from cost_reporting.domain.causes import Explanation, Headline
from cost_reporting.money import cents
from cost_reporting.periods import cadence_of, label, last_day, length
from cost_reporting.record_types import Group, group_of
from cost_reporting.report.figures import Figures, figures_for
from cost_reporting.report.language import Language, language_for
from cost_reporting.soundness import is_old

Basis = Literal["whole", "partial", "zero", "credit", "none"]
"""What there is to compare with: a whole period, one in which the costs began, a zero, a credit, or nothing yet."""

BILLED: Final = "USD"
"""The currency in which AWS bills, and which the exchange rates of records are for."""
_JOINERS: Final = "\u200c\u200d"
_LONGEST_NAME: Final = 120
_READ: Final = 1000
"""Letters of a name that are looked at: marks and spaces may fall away."""
_OFFSET_GROUPS: Final[frozenset[Group]] = frozenset({"credit", "refund", "tax"})
_DEMAND_GROUPS: Final[frozenset[Group]] = frozenset({"usage", "discount"})


@dataclass(frozen=True)
class Edition:
    """The client, the costs and the run of one report, and what follows from them. Pure: no clock, no I/O.

    ``consultancy`` is who prepared the report; without a name, its trade stands there.
    """

    client: ReportRecord
    costs: CostDocument
    run: Run
    consultancy: str = ""

    @cached_property
    def prepared_by(self) -> str:
        """Who prepared the report."""
        return one_line(self.consultancy) if self.consultancy else self.say("Cloud cost management")

    @cached_property
    def figures(self) -> Figures:
        """How the client's locale writes figures."""
        return figures_for(self.client.locale)

    @cached_property
    def language(self) -> Language:
        """The language in which the report speaks."""
        return language_for(self.client.locale)

    def say(self, message: str, /, **values: object) -> str:
        """The English ``message`` in the client's language, its ``{named}`` places filled with ``values``."""
        return self.language.say(message, **values)

    def say_n(self, singular: str, plural: str, n: int, /, **values: object) -> str:
        """The form of a message for ``n`` things; ``{n}`` is the number as the client's locale writes it."""
        return self.language.say_n(singular, plural, n, **{"n": self.figures.count(n)} | values)

    @cached_property
    def client_name(self) -> str:
        """The client's name, safe to stand in a line."""
        return one_line(self.client.client_name)

    @property
    def currency(self) -> str:
        """The currency that AWS bills in, in which all amounts are."""
        return self.costs.currency

    @property
    def rate_is_old(self) -> bool:
        """Whether the client's exchange rate is too old for the period, so that it is not used."""
        rate = self.client.exchange_rate
        return rate is not None and is_old(rate.as_of, self.period, rate.max_age_days)

    @property
    def rate_is_of_another(self) -> bool:
        """Whether AWS bills in another currency than the one that the client's exchange rate is for."""
        return self.client.exchange_rate is not None and self.currency not in {BILLED, self.client.currency}

    @property
    def period(self) -> Period:
        """The days that the report is about."""
        return self.costs.period

    @property
    def previous(self) -> Period:
        """The days that they are compared with."""
        return self.costs.previous

    @property
    def known(self) -> Period:
        """The days that the figures are about: those before the first that Cost Explorer has not filled."""
        return self.costs.known

    @property
    def known_through(self) -> date:
        """The last day that the figures are about."""
        return last_day(self.known)

    @property
    def compared(self) -> Period:
        """The days of the previous period that they are compared with: all of them, or as many from its start."""
        return self.costs.compared

    @property
    def compared_days(self) -> int:
        """How many days of the previous period are compared."""
        return length(self.compared)

    @cached_property
    def partly_filled(self) -> Decimal:
        """What there is of days that are not filled: part of record types by month and of breakdowns, of no total."""
        return partly_filled(self.costs, self.period)

    @property
    def contained(self) -> Decimal:
        """The part of ``partly_filled`` that is in the record types, which a week's do not have."""
        return Decimal(0) if self.costs.cadence == "weekly" else self.partly_filled

    @property
    def is_final(self) -> bool:
        """Whether the bill of the period was closed when the costs were fetched, by the calendar."""
        return self.run.issue == "final" if self.run.cadence == "monthly" else self.costs.closed

    @cached_property
    def still_estimated(self) -> int:
        """How many days of a period whose final date is reached AWS still calls estimated."""
        return sum(holds(self.period, day) for day in self.estimated_days) if self.is_final else 0

    @property
    def is_incomplete(self) -> bool:
        """Whether the total lacks an account or a day."""
        return self.costs.total_is_incomplete

    @property
    def is_settled(self) -> bool:
        """Whether nothing of the total is expected to change: final, complete, and no day of it estimated."""
        return self.is_final and not self.still_estimated and not self.is_incomplete

    @property
    def is_test(self) -> bool:
        """Whether this is marked as a test."""
        return self.run.mode == "test"

    @property
    def dagger(self) -> str:
        """The mark of a figure that lacks an account, to stand behind its name; nothing if none is lacking."""
        return "\u00a0\u2020" if self.costs.accounts_not_read else ""

    @property
    def price(self) -> Decimal:
        """What AWS charged for the figures, in US dollars."""
        return self.costs.paid_requests * PRICE_PER_REQUEST

    @property
    def issued(self) -> date:
        """The UTC day on which the figures were fetched."""
        return self.costs.fetched_at.astimezone(UTC).date()

    @cached_property
    def total(self) -> Decimal:
        """The exact net total of the known days of the period."""
        return period_total(self.costs, self.period)

    @cached_property
    def previous_total(self) -> Decimal:
        """The exact net total of the compared days: zero if nothing is known of them (see ``comparable``)."""
        return period_total(self.costs, self.compared)

    @cached_property
    def by_service(self) -> dict[str, Decimal]:
        """Exact costs of the period by service."""
        return by_service(self.costs, self.period)

    @cached_property
    def previous_by_service(self) -> dict[str, Decimal]:
        """Exact costs of the compared days by service."""
        return by_service(self.costs, self.compared)

    @cached_property
    def by_day(self) -> dict[date, Decimal]:
        """Exact costs of the period by day."""
        return by_day(self.costs, self.period)

    @cached_property
    def previous_by_day(self) -> dict[date, Decimal]:
        """Exact costs of the compared days by day."""
        return by_day(self.costs, self.compared)

    @cached_property
    def by_group(self) -> dict[Group, Decimal]:
        """Exact costs of the period on the way from usage to invoice; ``partly_filled`` is contained in months."""
        return by_group(self.costs, self.period)

    @cached_property
    def usage(self) -> Decimal:
        """Exact charges before credits, refunds and tax, with what record types by month have of unfilled days."""
        return (
            self.total
            + self.contained
            - sum((self.by_group.get(group, Decimal(0)) for group in _OFFSET_GROUPS), Decimal(0))
        )

    @cached_property
    def previous_usage(self) -> Decimal:
        """Exact charges of the previous period before credits, refunds and tax."""
        groups = by_group(self.costs, self.compared if self.costs.cadence == "weekly" else self.previous)
        return self.previous_total - sum((groups.get(group, Decimal(0)) for group in _OFFSET_GROUPS), Decimal(0))

    @cached_property
    def previous_by_group(self) -> dict[Group, Decimal]:
        """Exact costs of the previous period on the way from usage to invoice."""
        return by_group(self.costs, self.previous)

    @cached_property
    def demand(self) -> Decimal:
        """Exact usage of the period, whatever paid for it, after agreed discounts: by which a change is judged."""
        return causes.usage_total(self.costs, self.period)

    @cached_property
    def previous_demand(self) -> Decimal:
        """Exact usage of the previous period."""
        return causes.usage_total(self.costs, self.previous)

    @cached_property
    def demand_by_service(self) -> dict[str, Decimal]:
        """Exact usage of the period by service."""
        demand: dict[str, Decimal] = {}
        for span in self.costs.spans:
            if self.period.start <= span.period.start and span.period.end <= self.period.end:
                for line in span.lines:
                    if group_of(line.record_type) in _DEMAND_GROUPS:
                        demand[line.service] = demand.get(line.service, Decimal(0)) + line.amounts.by(self.costs.metric)
        return demand

    @cached_property
    def usage_by_service(self) -> dict[str, Decimal]:
        """Exact charges of the period by service before credits, refunds and tax."""
        return self._usage_by_service(self.period)

    @cached_property
    def previous_usage_by_service(self) -> dict[str, Decimal]:
        """Exact charges of the previous period by service before credits, refunds and tax."""
        return self._usage_by_service(self.compared if self.costs.cadence == "weekly" else self.previous)

    def _usage_by_service(self, period: Period) -> dict[str, Decimal]:
        usage: dict[str, Decimal] = {}
        for span in self.costs.spans:
            if period.start <= span.period.start and span.period.end <= period.end:
                for line in span.lines:
                    if group_of(line.record_type) not in _OFFSET_GROUPS:
                        usage[line.service] = usage.get(line.service, Decimal(0)) + line.amounts.by(self.costs.metric)
        return usage

    @cached_property
    def credits(self) -> Decimal:
        """Exact credits and refunds: negative, or zero."""
        return self.by_group.get("credit", Decimal(0)) + self.by_group.get("refund", Decimal(0))

    @cached_property
    def covered_by_credits(self) -> bool:
        """Whether the total is zero because credits or refunds paid for the usage."""
        return not cents(self.total) and cents(self.credits) < 0

    @cached_property
    def has_refunds(self) -> bool:
        """Whether AWS refunded something in the period."""
        return cents(self.by_group.get("refund", Decimal(0))) < 0

    @cached_property
    def has_credits(self) -> bool:
        """Whether credits were taken off the period's bill."""
        return cents(self.by_group.get("credit", Decimal(0))) < 0

    @cached_property
    def had_refunds(self) -> bool:
        """Whether AWS refunded something in the previous period."""
        return cents(by_group(self.costs, self.previous).get("refund", Decimal(0))) < 0

    @cached_property
    def previous_covered_by_credits(self) -> bool:
        """Whether the previous total is zero because credits or refunds paid for the usage."""
        groups = by_group(self.costs, self.previous)
        offset = groups.get("credit", Decimal(0)) + groups.get("refund", Decimal(0))
        return not cents(self.previous_total) and cents(offset) < 0

    @cached_property
    def first_cost(self) -> date | None:
        """The first day of the previous period with any cost line, if the account has no older costs; else None."""
        older = [span for span in self.costs.spans if span.period.end <= self.previous.start]
        if not older or any(span.lines for span in older):
            return None
        known = [day.day for day in self.costs.days if day.lines and holds(self.compared, day.day)]
        return min(known, default=None)

    @cached_property
    def basis(self) -> Basis:
        """What the period can be compared with."""
        if not any(day.lines for day in self.costs.days if holds(self.compared, day.day)):
            older = any(span.lines for span in self.costs.spans if span.period.end <= self.period.start)
            return "zero" if older else "none"
        if cents(self.previous_total) < 0:
            return "credit"
        if not cents(self.previous_total):
            return "zero"
        began = self.first_cost
        return "partial" if began is not None and began > self.compared.start and self._saw_before else "whole"

    @property
    def _saw_before(self) -> bool:
        """Whether the document looked at days before the first cost, so that their emptiness means something."""
        return any(not day.lines for day in self.costs.days if holds(self.compared, day.day))

    @property
    def comparable(self) -> bool:
        """Whether there is an earlier period at all, and it is known in full."""
        return self.basis != "none" and self.costs.not_comparable is None

    @property
    def usage_comparable(self) -> bool:
        """Whether the usage of both periods is known of the days that are compared: in months, only of whole ones."""
        whole = self.compared == self.previous and not self.partly_filled
        return self.comparable and (whole or self.costs.cadence == "weekly")

    @cached_property
    def lengths_differ(self) -> bool:
        """Whether the two periods have different numbers of days, so that only rates per day compare."""
        return length(self.known) != length(self.compared)

    @property
    def per_day(self) -> Decimal:
        """The exact average of a day."""
        return self.total / length(self.known)

    @property
    def previous_per_day(self) -> Decimal:
        """The exact average of a day of the previous period, from the first day with costs on if it is partial."""
        began = self.first_cost if self.basis == "partial" else None
        return self.previous_total / (self.compared.end - (began or self.compared.start)).days

    @property
    def usage_per_day(self) -> Decimal:
        """The exact usage of a day, on average."""
        return self.demand / length(self.period)

    @property
    def previous_usage_per_day(self) -> Decimal:
        """The exact usage of a day of the previous period, on average."""
        return self.previous_demand / length(self.previous)

    @cached_property
    def explanation(self) -> Explanation:
        """Why the costs changed: the one judge of what is new, what ended, and what moved the total."""
        return causes.explain(self.costs)

    @cached_property
    def judged_by_usage(self) -> bool:
        """Whether credits or refunds moved the total, so that only the usage says what happened."""
        return causes.judged_by_usage(self.costs, self.explanation)

    @cached_property
    def headline_cause(self) -> Headline | None:
        """The causes that make most of the change, if any do."""
        return causes.headline_cause(self.explanation)

    @cached_property
    def account_names(self) -> dict[str, str]:
        """What accounts are called, by id."""
        split = self.costs.accounts.names if isinstance(self.costs.accounts, Split) else {}
        return split | {account.account_id: account.name for account in self.costs.accounts_read}

    @cached_property
    def estimated_days(self) -> frozenset[date]:
        """The days of either period that AWS still calls estimated."""
        return frozenset(day.day for day in self.costs.days if day.estimated)

    @cached_property
    def days_not_there(self) -> tuple[date, ...]:
        """The days of the period that are in no total."""
        return self.costs.absent

    @cached_property
    def days_there(self) -> Period | None:
        """The days before the first that is not there yet, if all after it are not there either."""
        if not self.days_not_there:
            return self.period
        first = self.days_not_there[0]
        trailing = len(self.days_not_there) == (self.period.end - first).days
        return Period(start=self.period.start, end=first) if trailing and first > self.period.start else None

    @cached_property
    def period_words(self) -> str:
        """``October 2026``, or ``12 October 2026 to 18 October 2026``."""
        return self.figures.period(self.period)

    @property
    def period_title(self) -> str:
        """The period where it begins a line: ``Octobre 2026`` in French, which writes months small."""
        return capitalised(self.period_words)

    @cached_property
    def previous_words(self) -> str:
        """``September``, ``December 2025``, ``the week before``: what is compared with, to stand after "up … on"."""
        match self.previous_kind:
            case "monthly":
                return self.figures.month(self.previous.start, year=self.previous.start.year != self.period.start.year)
            case "weekly":
                return self.say("the week before")
            case _:
                return self.say("the days before")

    @cached_property
    def previous_kind(self) -> Cadence | None:
        """Whether the previous period is a month, a week, or neither."""
        return cadence_of(self.previous)

    @property
    def now_title(self) -> str:
        """The period as the title of a column; its known days, if it has others."""
        if self.known != self.period:
            return capitalised(self.figures.span(self.known))
        return self.period_title if self.costs.cadence == "monthly" else self.say("This week")

    @property
    def before_title(self) -> str:
        """The previous period as the title of a column; the days that are compared, if it has others."""
        monthly = self.costs.cadence == "monthly"
        if self.compared != self.previous:
            name = capitalised(self.figures.span(self.compared))
            return f"{name} p" if self.basis == "partial" else name
        name = capitalised(self.figures.period(self.previous)) if monthly else self.say("Week before")
        return f"{name} p" if self.basis == "partial" else name

    @cached_property
    def number(self) -> str:
        """The report's number, the same whenever the same report is made: ``NORTHWIND-RETAIL-2026-10-F``."""
        issue = "F" if self.is_final else "P"
        return f"{self.client.client_id.upper()}-{_label(self.period)}-{issue}" + ("-TEST" if self.is_test else "")

    @cached_property
    def title(self) -> str:
        """The document's title, as a reader's window shows it."""
        return self.say("{client}: AWS cost report, {period}", client=self.client_name, period=self.period_words)


def capitalised(text: str) -> str:
    """``text`` with a capital in front."""
    return text[:1].upper() + text[1:]


def one_line(text: str) -> str:
    """``text`` as one line that nobody can turn around: control, direction and line marks become spaces.

    What is longer than a name can be is cut: a single one could fill a page.
    """
    kept = (
        char
        if char in _JOINERS or unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
        else " "
        for char in unicodedata.normalize("NFC", text[:_READ])
    )
    line = re.sub(r"\s+", " ", "".join(kept)).strip() or "(no name)"
    return line if len(line) <= _LONGEST_NAME else line[: _LONGEST_NAME - 1].rstrip() + "\u2026"


def _label(period: Period) -> str:
    """The period's short name; days that are neither a month nor a week are named by the first and the last."""
    return label(period) if cadence_of(period) else f"{period.start}_{last_day(period)}"
