"""The operations that are emulated, one family to a file: each takes a ``Call`` and gives the members of the answer."""

from collections.abc import Callable

from local.cost_explorer.call import Call
from local.cost_explorer.operations.anomalies import get_anomalies, get_anomaly_monitors
from local.cost_explorer.operations.commitments import (
    get_reservation_coverage,
    get_reservation_utilization,
    get_savings_plans_coverage,
    get_savings_plans_utilization,
    get_savings_plans_utilization_details,
)
from local.cost_explorer.operations.comparisons import get_cost_and_usage_comparisons, get_cost_comparison_drivers
from local.cost_explorer.operations.dimensions import get_dimension_values, get_tags
from local.cost_explorer.operations.forecast import get_cost_forecast
from local.cost_explorer.operations.recommendations import (
    get_rightsizing_recommendation,
    get_savings_plans_purchase_recommendation,
)
from local.cost_explorer.operations.usage import get_cost_and_usage
from local.cost_explorer.wire import Json

OPERATIONS: dict[str, Callable[[Call], Json]] = {
    "GetAnomalies": get_anomalies,
    "GetAnomalyMonitors": get_anomaly_monitors,
    "GetCostAndUsage": get_cost_and_usage,
    "GetCostAndUsageComparisons": get_cost_and_usage_comparisons,
    "GetCostComparisonDrivers": get_cost_comparison_drivers,
    "GetCostForecast": get_cost_forecast,
    "GetDimensionValues": get_dimension_values,
    "GetReservationCoverage": get_reservation_coverage,
    "GetReservationUtilization": get_reservation_utilization,
    "GetRightsizingRecommendation": get_rightsizing_recommendation,
    "GetSavingsPlansCoverage": get_savings_plans_coverage,
    "GetSavingsPlansPurchaseRecommendation": get_savings_plans_purchase_recommendation,
    "GetSavingsPlansUtilization": get_savings_plans_utilization,
    "GetSavingsPlansUtilizationDetails": get_savings_plans_utilization_details,
    "GetTags": get_tags,
}
"""What is emulated; any other operation is refused as unknown."""
