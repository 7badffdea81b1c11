"""Costs and usage: how a GetCostAndUsage question is put, and what its answer says."""

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final

from pydantic import BaseModel, Field

from cost_reporting.clients import Metric
from cost_reporting.contracts import Period

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
    amount: Decimal = Field(alias="Amount")
    unit: str = Field(alias="Unit")


class Group(BaseModel):
    """One group of an answer."""

    keys: list[str] = Field(alias="Keys")
    metrics: dict[str, _Sum] = Field(alias="Metrics")

    def amount(self, metric: Metric) -> Decimal:
        """Its exact amount by ``metric``."""
        return self.metrics[METRICS[metric]].amount


class _TimePeriod(BaseModel):
    start: date = Field(alias="Start")
    end: date = Field(alias="End")


class _Result(BaseModel):
    time_period: _TimePeriod = Field(alias="TimePeriod")
    groups: list[Group] = Field(alias="Groups", default=[])
    estimated: bool = Field(alias="Estimated", default=False)


class Span(BaseModel):
    """The groups of one day or month, joined from every page: a page may end in the middle of one."""

    period: Period
    estimated: bool
    groups: list[Group]


def spans(pages: list[dict[str, Any]]) -> Iterator[Span]:
    """The days or months of an answer, in order."""
    joined: dict[Period, Span] = {}
    for page in pages:
        for raw in page.get("ResultsByTime", []):
            result = _Result.model_validate(raw)
            period = Period(start=result.time_period.start, end=result.time_period.end)
            span = joined.setdefault(period, Span(period=period, estimated=False, groups=[]))
            span.estimated = span.estimated or result.estimated
            span.groups.extend(result.groups)
    yield from sorted(joined.values(), key=lambda span: span.period.start)


def units(pages: list[dict[str, Any]]) -> set[str]:
    """The currencies in an answer."""
    return {total.unit for span in spans(pages) for group in span.groups for total in group.metrics.values()}


def descriptions(pages: list[dict[str, Any]]) -> dict[str, str]:
    """What an answer says about the values of its dimension: the names of linked accounts."""
    return {
        value["Value"]: value.get("Attributes", {}).get("description", "")
        for page in pages
        for value in page.get("DimensionValueAttributes", [])
    }
