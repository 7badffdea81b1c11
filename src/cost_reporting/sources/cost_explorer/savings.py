"""What commitments have saved, and what AWS advises: Savings Plans to buy, instances to end or to shrink."""

from collections.abc import Iterator
from functools import partial
from typing import Final

from cost_reporting.contracts import Period
from cost_reporting.costs import Purchase, Resize, Saved, Savings
from cost_reporting.errors import CostsDoNotReconcile, CostsNotReady
from cost_reporting.sources.cost_explorer.answers import (
    AdviceSummary,
    InstanceDetails,
    Modification,
    PlansAdvicePage,
    ResourceDetails,
    RightsizingPage,
    Target,
)
from cost_reporting.sources.cost_explorer.asking import Questions, attempt
from cost_reporting.sources.cost_explorer.commitments import PLANS_USE, RESERVATIONS_USE, plans_use, reservations_use

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
    return Savings(
        achieved=attempt(questions, "savings.achieved", partial(_achieved, questions, period)),
        purchases=attempt(questions, "savings.purchases", lambda: tuple(_purchases(questions, currency))),
        resizes=attempt(questions, "savings.resizes", lambda: tuple(_resizes(questions, currency))),
    )


def _achieved(questions: Questions, period: Period) -> tuple[Saved, ...]:
    try:
        plans = questions.needed(plans_use(questions, period).net_savings, PLANS_USE, "NetSavings")
    except CostsNotReady:
        plans = None
    use = reservations_use(questions, period)
    reserved = questions.needed(use.net_savings, RESERVATIONS_USE, "NetRISavings") if use.committed else None
    return (Saved(kind="savings_plans", net_savings=plans), Saved(kind="reservations", net_savings=reserved))


def _purchases(questions: Questions, currency: str) -> Iterator[Purchase]:
    """No advice is a list without any, or AWS's own count of none; without both, it is not known whether there is."""
    operation = "GetSavingsPlansPurchaseRecommendation"
    pages = questions.ask("savings plans to buy", operation, PLAN)
    for page in questions.read(PlansAdvicePage, operation, pages):
        found = questions.needed(page.savings_plans_purchase_recommendation, operation, operation.removeprefix("Get"))
        summary = found.savings_plans_purchase_recommendation_summary
        details = found.savings_plans_purchase_recommendation_details
        if details is None and _says_none(summary):
            details = ()
        for each in questions.needed(details, operation, "its list of plans"):
            _require(questions, currency, each.currency_code)
            yield Purchase(
                account_id=each.account_id or "?",
                hourly=questions.needed(each.hourly_commitment_to_purchase, operation, "HourlyCommitmentToPurchase"),
                monthly_savings=questions.needed(
                    each.estimated_monthly_savings_amount, operation, "EstimatedMonthlySavingsAmount"
                ),
            )


def _resizes(questions: Questions, currency: str) -> Iterator[Resize]:
    operation = "GetRightsizingRecommendation"
    for page in questions.read(RightsizingPage, operation, questions.ask("instances to change", operation, INSTANCES)):
        found = page.rightsizing_recommendations
        if found is None and _says_none(page.summary):
            found = ()
        for each in questions.needed(found, operation, "RightsizingRecommendations"):
            instance = questions.needed(each.current_instance, operation, "CurrentInstance")
            kind = questions.needed(each.rightsizing_type, operation, "RightsizingType")
            if kind not in ("MODIFY", "TERMINATE"):
                raise questions.unreadable(operation, "RightsizingType is unknown")
            if kind == "MODIFY":
                estimate = _preferred(questions, operation, each.modify_recommendation_detail)
                target = _details(estimate.resource_details).instance_type or "?"
            else:
                detail = each.terminate_recommendation_detail
                estimate, target = questions.needed(detail, operation, "TerminateRecommendationDetail"), None
            _require(questions, currency, estimate.currency_code)
            yield Resize(
                account_id=questions.needed(each.account_id, operation, "AccountId"),
                resource_id=questions.needed(instance.resource_id, operation, "ResourceId"),
                name=instance.instance_name or None,
                region=_details(instance.resource_details).region,
                instance_type=_details(instance.resource_details).instance_type or "?",
                target=target,
                monthly_savings=questions.needed(
                    estimate.estimated_monthly_savings, operation, "EstimatedMonthlySavings"
                ),
            )


def _preferred(questions: Questions, operation: str, change: Modification | None) -> Target:
    """AWS may offer several instances and marks one as its choice; which one is meant is not guessed."""
    targets = change.target_instances if change else None
    if not targets:
        raise questions.unreadable(operation, "a change without TargetInstances")
    if len(targets) == 1:
        return targets[0]
    return questions.needed(
        next((target for target in targets if target.default_target_instance), None), operation, "DefaultTargetInstance"
    )


def _details(of: ResourceDetails | None) -> InstanceDetails:
    return (of.ec2_resource_details if of else None) or InstanceDetails()


def _says_none(summary: AdviceSummary | None) -> bool:
    """AWS's own count is zero (API reference: TotalRecommendationCount, the number of recommendations)."""
    return summary is not None and summary.total_recommendation_count == 0


def _require(questions: Questions, currency: str, said: str | None) -> None:
    if said is not None and said != currency:
        raise CostsDoNotReconcile(f"{questions.client_id}: the advice is in {said[:3]}, and the bill in {currency}")
