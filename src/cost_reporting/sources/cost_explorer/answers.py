"""The answers about a client's sections, as botocore's model of Cost Explorer (2017-10-25) gives them.

What the model does not require may be absent, and is None here: not known, never zero. What is there has to be of its
kind; an amount that is no number, or a day that is no date, makes the whole answer unreadable. Members that no figure
needs are not read.
"""

from datetime import date
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_pascal

from cost_reporting.sources.cost_explorer.usage import TimePeriod


def _day(given: object) -> object:
    """Days come as dates or as moments in UTC, ``2026-10-28T00:00:00Z`` (YearMonthDay in the model)."""
    return given[:10] if isinstance(given, str) else given


def _exact(given: object) -> object:
    """Binary floats, which GetAnomalies gives, by the digits that AWS wrote."""
    return str(given) if isinstance(given, float) else given


Day = Annotated[date, BeforeValidator(_day)]
Number = Annotated[Decimal, BeforeValidator(_exact)]


class _Part(BaseModel):
    model_config = ConfigDict(alias_generator=to_pascal, populate_by_name=True, frozen=True)


class ForecastResult(_Part):
    """What is expected of one month or day."""

    time_period: TimePeriod | None = None
    mean_value: Number | None = None
    prediction_interval_lower_bound: Number | None = None
    prediction_interval_upper_bound: Number | None = None


class _Total(_Part):
    unit: str | None = None


class ForecastPage(_Part):
    """GetCostForecast."""

    total: _Total | None = None
    forecast_results_by_time: tuple[ForecastResult, ...] | None = None


class RootCause(_Part):
    """What AWS holds responsible for an anomaly."""

    service: str | None = None
    region: str | None = None
    linked_account: str | None = None
    usage_type: str | None = None


class Impact(_Part):
    """What an anomaly cost; only MaxImpact, that of the dearest day, is required."""

    total_impact: Number | None = None
    total_expected_spend: Number | None = None


class FoundAnomaly(_Part):
    """An anomaly. Its dates are optional."""

    anomaly_start_date: Day | None = None
    anomaly_end_date: Day | None = None
    dimension_value: str | None = None
    root_causes: tuple[RootCause, ...] | None = None
    impact: Impact | None = None


class AnomaliesPage(_Part):
    """GetAnomalies."""

    anomalies: tuple[FoundAnomaly, ...] | None = None


class MonitorsPage(_Part):
    """GetAnomalyMonitors."""

    anomaly_monitors: tuple[object, ...] | None = None


class PlansCoverage(_Part):
    """What Savings Plans covered."""

    spend_covered_by_savings_plans: Number | None = None
    total_cost: Number | None = None


class PlansCovered(_Part):
    """What Savings Plans covered in one span."""

    coverage: PlansCoverage | None = None


class PlansCoveragePage(_Part):
    """GetSavingsPlansCoverage."""

    savings_plans_coverages: tuple[PlansCovered, ...] | None = None


class PlansUtilization(_Part):
    """How much of the commitment was used, in dollars."""

    used_commitment: Number | None = None
    total_commitment: Number | None = None


class PlansSavings(_Part):
    """What Savings Plans saved."""

    net_savings: Number | None = None


class PlansTotal(_Part):
    """The use of all Savings Plans together."""

    utilization: PlansUtilization | None = None
    savings: PlansSavings | None = None


class PlansUtilizationPage(_Part):
    """GetSavingsPlansUtilization."""

    total: PlansTotal | None = None


class Plan(_Part):
    """One Savings Plan."""

    savings_plan_arn: str | None = None
    attributes: dict[str, str] | None = None


class PlansPage(_Part):
    """GetSavingsPlansUtilizationDetails."""

    savings_plans_utilization_details: tuple[Plan, ...] | None = None


class CoverageHours(_Part):
    """Hours that reservations covered, and all that ran."""

    reserved_hours: Number | None = None
    total_running_hours: Number | None = None


class ReservationCoverage(_Part):
    """What reservations covered, in hours."""

    coverage_hours: CoverageHours | None = None


class ReservationCoveragePage(_Part):
    """GetReservationCoverage."""

    total: ReservationCoverage | None = None


class ReservationUse(_Part):
    """How all reservations were used."""

    purchased_hours: Number | None = None
    total_actual_hours: Number | None = None
    net_ri_savings: Number | None = Field(alias="NetRISavings", default=None)


class ReservationUtilizationPage(_Part):
    """GetReservationUtilization."""

    total: ReservationUse | None = None


class AdviceSummary(_Part):
    """How much advice there is."""

    total_recommendation_count: Number | None = None


class AdvisedPlan(_Part):
    """A Savings Plan that AWS advises to buy."""

    account_id: str | None = None
    currency_code: str | None = None
    hourly_commitment_to_purchase: Number | None = None
    estimated_monthly_savings_amount: Number | None = None


class PlansAdvice(_Part):
    """The Savings Plans that AWS advises to buy."""

    savings_plans_purchase_recommendation_details: tuple[AdvisedPlan, ...] | None = None
    savings_plans_purchase_recommendation_summary: AdviceSummary | None = None


class PlansAdvicePage(_Part):
    """GetSavingsPlansPurchaseRecommendation."""

    savings_plans_purchase_recommendation: PlansAdvice | None = None


class InstanceDetails(_Part):
    """An instance's type and place."""

    instance_type: str | None = None
    region: str | None = None


class ResourceDetails(_Part):
    """What kind of resource it is."""

    ec2_resource_details: InstanceDetails | None = Field(alias="EC2ResourceDetails", default=None)


class CurrentInstance(_Part):
    """An instance that runs."""

    resource_id: str | None = None
    instance_name: str | None = None
    resource_details: ResourceDetails | None = None


class Target(_Part):
    """What a change of an instance, or its end, would save; and what it would become."""

    estimated_monthly_savings: Number | None = None
    currency_code: str | None = None
    default_target_instance: bool | None = None
    resource_details: ResourceDetails | None = None


class Modification(_Part):
    """The instances that would do."""

    target_instances: tuple[Target, ...] | None = None


class InstanceAdvice(_Part):
    """AWS's advice about one instance."""

    account_id: str | None = None
    current_instance: CurrentInstance | None = None
    rightsizing_type: str | None = None
    modify_recommendation_detail: Modification | None = None
    terminate_recommendation_detail: Target | None = None


class RightsizingPage(_Part):
    """GetRightsizingRecommendation."""

    summary: AdviceSummary | None = None
    rightsizing_recommendations: tuple[InstanceAdvice, ...] | None = None
