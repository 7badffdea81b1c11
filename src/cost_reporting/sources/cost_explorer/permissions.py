"""What a client's account must allow, and how each permission is tried with as few paid requests as can be."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

from cost_reporting.clients import Client, Section
from cost_reporting.contracts import Period
from cost_reporting.periods import month_of
from cost_reporting.sources.cost_explorer.savings import INSTANCES, PLAN
from cost_reporting.sources.cost_explorer.usage import METRICS, OPERATION, question, time_period

OPERATIONS: Final[Mapping[str, Section | None]] = {
    OPERATION: None,
    "GetCostForecast": "forecast",
    "GetAnomalies": "anomalies",
    "GetAnomalyMonitors": "anomalies",
    "GetSavingsPlansCoverage": "commitments",
    "GetSavingsPlansUtilization": "commitments",
    "GetSavingsPlansUtilizationDetails": "commitments",
    "GetReservationCoverage": "commitments",
    "GetReservationUtilization": "commitments",
    "GetSavingsPlansPurchaseRecommendation": "savings",
    "GetRightsizingRecommendation": "savings",
}
"""Every operation that reports ask, with the section that needs it; None: every report does."""
_SHARED: Final[Mapping[str, Section]] = {
    "GetSavingsPlansUtilization": "savings",
    "GetReservationUtilization": "savings",
}
"""What another section needs as well."""
WANTED_LATER: Final = (
    "billing:GetBillingView",
    "billing:GetCredits",
    "billing:ListBillingViewSegments",
    "billing:ListBillingViews",
    "billing:ListSourceViewsForBillingView",
    "ce:DescribeCostCategoryDefinition",
    "ce:GetCostAndUsageComparisons",
    "ce:GetCostAndUsageWithResources",
    "ce:GetCostCategories",
    "ce:GetCostComparisonDrivers",
    "ce:GetDimensionValues",
    "ce:GetReservationPurchaseRecommendation",
    "ce:GetTags",
    "ce:GetUsageForecast",
    "ce:ListCostAllocationTags",
    "ce:ListCostCategoryDefinitions",
    "cost-optimization-hub:GetRecommendation",
    "cost-optimization-hub:ListEnrollmentStatuses",
    "cost-optimization-hub:ListRecommendationSummaries",
    "cost-optimization-hub:ListRecommendations",
)
"""What sections that are to come need: credits, billing views, cost categories, reasons, Cost Optimization Hub.

All of it reads. A client updates its stack once, rather than with each section. No report asks it yet, so its lack is
no fault.

Actions are called as operations are in botocore's models of billing, ce and cost-optimization-hub; the Service
Authorization Reference ("Actions, resources, and condition keys for AWS Billing") maps them one to one. A billing view
is named in questions that are there already, and needs no action of its own beside these.
"""
ACTIONS: Final = tuple(sorted({f"ce:{operation}" for operation in OPERATIONS} | set(WANTED_LATER)))
"""What the role in the client's account allows, and nothing else."""


_OF_NO_DAY: Final[Mapping[str, Mapping[str, Any]]] = {
    "GetAnomalyMonitors": {"MaxResults": 1},
    "GetRightsizingRecommendation": INSTANCES,
    "GetSavingsPlansPurchaseRecommendation": PLAN,
}
"""Questions that are about no period."""


class Trial(NamedTuple):
    """One paid request that tries one permission. ``question`` is None if the client's report never asks it."""

    operation: str
    section: Section | None
    question: Mapping[str, Any] | None


def trials(client: Client, today: date) -> tuple[Trial, ...]:
    """One for each operation, in the order in which a report asks them of each account."""
    return tuple(
        Trial(operation, section, _question(operation, client, today) if _needed(operation, client) else None)
        for operation, section in OPERATIONS.items()
    )


def price(client: Client) -> int:
    """How many paid requests the trials take, in all the client's accounts, with :func:`linked` of several."""
    several = len(client.ways) > 1
    return (sum(_needed(operation, client) for operation in OPERATIONS) + several) * len(client.ways)


def linked(client: Client, today: date) -> Mapping[str, Any]:
    """Which accounts' costs an answer holds: asked of each account where a client has several."""
    when = Period(start=month_of(month_of(today).start - timedelta(days=1)).start, end=today)
    return question(when, "MONTHLY", by=(("DIMENSION", "LINKED_ACCOUNT"),), metrics=(client.cost_metric,))


def _needed(operation: str, client: Client) -> bool:
    section = OPERATIONS[operation]
    return section is None or section in client.sections or _SHARED.get(operation) in client.sections


def _question(operation: str, client: Client, today: date) -> Mapping[str, Any]:
    """About a day three days ago, of which there are figures; one page at most."""
    day = today - timedelta(days=3)
    when = time_period(Period(start=day, end=day + timedelta(days=1)))
    match operation:
        case "GetCostAndUsage":
            return {"TimePeriod": when, "Granularity": "DAILY", "Metrics": [METRICS[client.cost_metric]]}
        case "GetCostForecast":
            rest = time_period(Period(start=today, end=month_of(today).end))
            return {"TimePeriod": rest, "Metric": f"{client.cost_metric.upper()}_COST", "Granularity": "MONTHLY"}
        case "GetAnomalies":
            interval = {"StartDate": day.isoformat(), "EndDate": day.isoformat()}
            return {"DateInterval": interval, "MaxResults": 1}
        case _:
            return _OF_NO_DAY.get(operation, {"TimePeriod": when})
