"""Costs and usage: how a GetCostAndUsage question is put, and what its answer says.

botocore's model of the answer requires nothing but the two dates of a TimePeriod: what is not there is not known, and
never zero. An amount, a key or a unit that is not there makes the answer unreadable, since it is a part of a sum.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final, Self

from pydantic import BaseModel, Field, ValidationError, model_validator

from cost_reporting.clients import Metric, faults
from cost_reporting.contracts import Period
from cost_reporting.errors import CostsUnreadable

OPERATION: Final = "GetCostAndUsage"
METRICS: Final[Mapping[Metric, str]] = {
    "unblended": "UnblendedCost",
    "amortized": "AmortizedCost",
    "net_unblended": "NetUnblendedCost",
    "net_amortized": "NetAmortizedCost",
}


def question(
    period: Period, granularity: str, *, by: tuple[tuple[str, str], ...], metrics: tuple[Metric, ...]
) -> dict[str, Any]:
    """``by`` holds up to two pairs of a type (DIMENSION, TAG) and a key."""
    return {
        "TimePeriod": time_period(period),
        "Granularity": granularity,
        "Metrics": [METRICS[metric] for metric in metrics],
        "GroupBy": [{"Type": kind, "Key": key} for kind, key in by],
    }


def time_period(period: Period) -> dict[str, str]:
    """The half-open period as Cost Explorer takes it."""
    return {"Start": period.start.isoformat(), "End": period.end.isoformat()}


class _Sum(BaseModel):
    """An amount and its currency, without which it cannot be added to others; zero is zero in any."""

    amount: Decimal = Field(alias="Amount")
    unit: str | None = Field(alias="Unit", default=None)

    @model_validator(mode="after")
    def _an_amount_has_a_currency(self) -> Self:
        if self.amount and not is_currency(self.unit):
            raise ValueError("its Unit is no currency")
        return self


class Group(BaseModel):
    """One group of an answer."""

    keys: list[str] = Field(alias="Keys", min_length=1)
    metrics: dict[str, _Sum] = Field(alias="Metrics")

    def amount(self, metric: Metric) -> Decimal:
        """Its exact amount by ``metric``. Raises CostsUnreadable if it has none."""
        found = self.metrics.get(METRICS[metric])
        if found is None:
            raise CostsUnreadable(f"Cost Explorer: {OPERATION}: {METRICS[metric]} of a group is not there")
        return found.amount


class TimePeriod(BaseModel):
    """The half-open period that a part of an answer is about."""

    start: date = Field(alias="Start")
    end: date = Field(alias="End")

    @model_validator(mode="after")
    def _start_before_end(self) -> Self:
        if self.start >= self.end:
            raise ValueError("Start is not before End")
        return self


class _Result(BaseModel):
    time_period: TimePeriod = Field(alias="TimePeriod")
    groups: list[Group] | None = Field(alias="Groups", default=None)
    estimated: bool | None = Field(alias="Estimated", default=None)


class _Attributes(BaseModel):
    value: str | None = Field(alias="Value", default=None)
    attributes: dict[str, str] = Field(alias="Attributes", default={})


class _Page(BaseModel):
    results: list[_Result] | None = Field(alias="ResultsByTime", default=None)
    values: list[_Attributes] = Field(alias="DimensionValueAttributes", default=[])


class Span(BaseModel):
    """The groups of one day or month, joined from every page: a page may end in the middle of one.

    ``groups`` is None if no page says what they are, which is not the same as none; ``estimated`` if a page is silent
    about it.
    """

    period: Period
    estimated: bool | None
    groups: list[Group] | None


def spans(pages: list[dict[str, Any]], *, of: str = "") -> Iterator[Span]:
    """The days or months of an answer, in order. A day or month that no page names is not among them.

    Raises CostsUnreadable, which names the client ``of`` the answer, and what is not of the known shape; or that one of
    several pages says nothing, which would be a part of a sum.
    """
    joined: dict[Period, Span] = {}
    read = list(_read(pages, of))
    silent = sum(page.results is None for page in read)
    if 0 < silent < len(read):
        raise CostsUnreadable(f"{_what(of)}: {OPERATION}: {silent} of {len(read)} pages have no ResultsByTime")
    for page in read:
        for result in page.results or ():
            period = Period(start=result.time_period.start, end=result.time_period.end)
            span = joined.setdefault(period, Span(period=period, estimated=result.estimated, groups=None))
            if not span.estimated and result.estimated is not False:
                span.estimated = result.estimated
            if result.groups is not None:
                span.groups = [*(span.groups or ()), *result.groups]
    yield from sorted(joined.values(), key=lambda span: span.period.start)


def units(pages: list[dict[str, Any]], *, of: str = "") -> set[str]:
    """The currencies in an answer: those of its amounts, or, if all are zero, those that it names."""
    totals = [total for span in spans(pages, of=of) for group in span.groups or () for total in group.metrics.values()]
    found = {total.unit for total in totals if total.amount} or {total.unit for total in totals}
    return {unit for unit in found if unit is not None and is_currency(unit)}


def is_currency(unit: str | None) -> bool:
    """Whether ``unit`` is written as a currency is: ``USD``."""
    return unit is not None and re.fullmatch(r"[A-Z]{3}", unit) is not None


def descriptions(pages: list[dict[str, Any]], *, of: str = "") -> dict[str, str]:
    """What an answer says about the values of its dimension: the names of linked accounts."""
    return {
        each.value: each.attributes.get("description", "")
        for page in _read(pages, of)
        for each in page.values
        if each.value
    }


def _read(pages: list[dict[str, Any]], of: str) -> Iterator[_Page]:
    for page in pages:
        try:
            yield _Page.model_validate(page)
        except ValidationError as invalid:
            raise CostsUnreadable(f"{_what(of)}: {OPERATION}: {faults(invalid)[:300]}") from None


def _what(of: str) -> str:
    return f"{of}: Cost Explorer" if of else "Cost Explorer"
