"""What commitments have saved, and what AWS advises: Savings Plans to buy, instances to end or to shrink."""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from functools import partial
from typing import Any, Final

from cost_reporting.contracts import Period
from cost_reporting.costs import Purchase, Resize, Saved, Savings
from cost_reporting.errors import CostsDoNotReconcile, CostsNotReady
from cost_reporting.sources.cost_explorer.asking import Questions, attempt
from cost_reporting.sources.cost_explorer.commitments import plans_use, reservations_use

PLAN: Final = {
    "SavingsPlansType": "COMPUTE_SP",
    "TermInYears": "ONE_YEAR",
    "PaymentOption": "NO_UPFRONT",
    "LookbackPeriodInDays": "THIRTY_DAYS",
}
"""The plan that binds least: any region and family, Fargate and Lambda too, for the shortest term."""
INSTANCES: Final = {
    "Service": "AmazonEC2",
    "Configuration": {"RecommendationTarget": "SAME_INSTANCE_FAMILY", "BenefitsConsidered": True},
    "PageSize": 1000,
}
"""The change that risks least, less what reservations and Savings Plans pay anyway. AWS takes no larger page."""


def advice(questions: Questions, period: Period, currency: str) -> Savings:
    """Two questions about the period, unless they were asked already, and two about the future.

    Each part is had or not available for itself: advice about instances, for one, is something to opt in to.
    """
    of = questions.client_id
    return Savings(
        achieved=attempt(of, partial(_achieved, questions, period)),
        purchases=attempt(of, lambda: tuple(_purchases(questions, currency))),
        resizes=attempt(of, lambda: tuple(_resizes(questions, currency))),
    )


def _achieved(questions: Questions, period: Period) -> tuple[Saved, ...]:
    try:
        plans = Decimal(plans_use(questions, period)["Savings"]["NetSavings"])
    except CostsNotReady:
        plans = None
    use = reservations_use(questions, period)
    reserved = Decimal(use["NetRISavings"]) if Decimal(use["PurchasedHours"]) else None
    return (Saved(kind="savings_plans", net_savings=plans), Saved(kind="reservations", net_savings=reserved))


def _purchases(questions: Questions, currency: str) -> Iterator[Purchase]:
    pages = questions.ask("savings plans to buy", "GetSavingsPlansPurchaseRecommendation", PLAN)
    for page in pages:
        found = page.get("SavingsPlansPurchaseRecommendation", {})
        for each in found.get("SavingsPlansPurchaseRecommendationDetails", ()):
            _require(questions, currency, each)
            yield Purchase(
                account_id=each.get("AccountId") or questions.account_id,
                hourly=Decimal(each["HourlyCommitmentToPurchase"]),
                monthly_savings=Decimal(each["EstimatedMonthlySavingsAmount"]),
            )


def _resizes(questions: Questions, currency: str) -> Iterator[Resize]:
    for page in questions.ask("instances to change", "GetRightsizingRecommendation", INSTANCES):
        for each in page.get("RightsizingRecommendations", ()):
            instance, target = each["CurrentInstance"], None
            estimate = each.get("TerminateRecommendationDetail", {})
            if each["RightsizingType"] == "MODIFY":
                estimate = _preferred(each["ModifyRecommendationDetail"]["TargetInstances"])
                target = _details(estimate).get("InstanceType", "?")
            _require(questions, currency, estimate)
            yield Resize(
                account_id=each.get("AccountId") or questions.account_id,
                resource_id=instance["ResourceId"],
                name=instance.get("InstanceName") or None,
                region=_details(instance).get("Region"),
                instance_type=_details(instance).get("InstanceType", "?"),
                target=target,
                monthly_savings=Decimal(estimate["EstimatedMonthlySavings"]),
            )


def _preferred(targets: Iterable[Mapping[str, Any]]) -> Mapping[str, Any]:
    """AWS may offer several instances and marks one as its choice."""
    return max(targets, key=lambda target: bool(target.get("DefaultTargetInstance")))


def _details(of: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = of.get("ResourceDetails", {}).get("EC2ResourceDetails", {})
    return found


def _require(questions: Questions, currency: str, estimate: Mapping[str, Any]) -> None:
    said = estimate.get("CurrencyCode", currency)
    if said != currency:
        raise CostsDoNotReconcile(f"{questions.client_id}: the advice is in {said}, and the bill in {currency}")
