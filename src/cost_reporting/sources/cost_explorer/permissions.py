"""What a client's account must allow, and how each permission is tried with as few paid requests as can be."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

from cost_reporting.clients import Client, Section
from cost_reporting.contracts import Period
from cost_reporting.periods import month_of
from cost_reporting.sources.cost_explorer.savings import INSTANCES, PLAN
from cost_reporting.sources.cost_explorer.usage import METRICS, OPERATION, time_period

OPERATIONS: Final[Mapping[str, Section | None]] = {
    OPERATION: None,
    "GetCostForecast": "forecast",
    "GetAnomalies": "anomalies",
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
ACTIONS: Final = tuple(sorted(f"ce:{operation}" for operation in OPERATIONS))
"""What the role in the client's account allows, and nothing else."""


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
    """How many paid requests the trials take, in all the client's accounts."""
    return sum(_needed(operation, client) for operation in OPERATIONS) * len(client.ways)


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
        case "GetSavingsPlansPurchaseRecommendation":
            return PLAN
        case "GetRightsizingRecommendation":
            return INSTANCES
        case _:
            return {"TimePeriod": when}
