"""What Cost Explorer advises: to buy a Savings Plan, and to stop or to shrink instances.

AWS publishes no algorithm for either. Here, a plan covers four fifths of what the quietest day of the look-back cost on
demand, and some instances of a large account are idle or too large, always the same ones.
"""

from collections.abc import Iterator
from datetime import timedelta

from local.accounts.dice import throw
from local.accounts.services import EC2, PLANNED
from local.accounts.spend import UNIT
from local.accounts.spread import Cell, cells_of
from local.cost_explorer.call import Call
from local.cost_explorer.filters import both, only
from local.cost_explorer.paging import page
from local.cost_explorer.sums import sole, summarize
from local.cost_explorer.wire import Json, Refusal, amount, invalid, percentage

HOURS = 730
"""Of a month, as AWS counts them for estimates."""
_LOOKBACK = {"SEVEN_DAYS": 7, "THIRTY_DAYS": 30, "SIXTY_DAYS": 60}
_RATES = {("ONE_YEAR", "NO_UPFRONT"): 720, ("THREE_YEARS", "NO_UPFRONT"): 500}
"""Permille of the on-demand price that a plan costs."""
_LEAST = UNIT // 10
"""A commitment below ten cents an hour is not worth advice."""
_TYPES = (
    ("m5.2xlarge", 384, "m5.xlarge", 192),
    ("c5.4xlarge", 680, "c5.2xlarge", 340),
    ("r5.2xlarge", 504, "r5.xlarge", 252),
    ("m7i.large", 101, "m7i.large", 101),
    ("m5.xlarge", 192, "m5.large", 96),
)
"""What runs and its price in thousandths of a dollar an hour, and the next smaller one."""
_OPT_IN = (
    "Rightsizing EC2 recommendation is an opt-in only feature. You can enable this feature from the PAYER account's "
    "Cost Explorer Preferences page. Normally it may take up to 24 hours in order to generate your rightsizing "
    "recommendations."
)


def get_savings_plans_purchase_recommendation(call: Call) -> Json:
    """A Compute Savings Plan without upfront payment for the whole bill, or no advice."""
    request = call.request
    terms = {name: request[name] for name in ("TermInYears", "PaymentOption", "LookbackPeriodInDays")}
    rate = _RATES.get((terms["TermInYears"], terms["PaymentOption"]))
    if request["SavingsPlansType"] != "COMPUTE_SP" or rate is None or request.get("Filter"):
        raise invalid("Of these recommendations only Compute Savings Plans without upfront payment are emulated here.")
    days = _LOOKBACK[terms["LookbackPeriodInDays"]]
    buckets = call.buckets(call.today - timedelta(days=days), call.today, "DAILY")
    usage = both(only("RECORD_TYPE", "Usage"), only("SERVICE", *PLANNED))
    spent = sole(summarize(call, buckets, ["UnblendedCost"], (), usage))
    covered = min(spent) // 24 * 4 // 5
    commitment = covered * rate // 1000
    details = [_plan(call, covered, commitment, spent)] if commitment >= _LEAST else []
    items, onward = page(call, details, request.get("PageSize"))
    return {
        "Metadata": _metadata(call, "savings plans"),
        "SavingsPlansPurchaseRecommendation": {
            "AccountScope": request.get("AccountScope", "PAYER"),
            "SavingsPlansType": "COMPUTE_SP",
            **terms,
            "SavingsPlansPurchaseRecommendationDetails": list(items),
            "SavingsPlansPurchaseRecommendationSummary": {
                "TotalRecommendationCount": str(len(details)),
                "CurrencyCode": "USD",
                "HourlyCommitmentToPurchase": amount(commitment if details else 0),
                "EstimatedMonthlySavingsAmount": amount((covered - commitment) * HOURS if details else 0),
            },
        },
        **onward,
    }


def _plan(call: Call, covered: int, commitment: int, spent: list[int]) -> Json:
    hours, saved = 24 * len(spent), covered - commitment
    return {
        "AccountId": call.ledger.account.id,
        "CurrencyCode": "USD",
        "UpfrontCost": "0",
        "HourlyCommitmentToPurchase": amount(commitment),
        "EstimatedAverageUtilization": "100",
        "EstimatedSPCost": amount(commitment * hours),
        "EstimatedOnDemandCost": amount(sum(spent) - covered * hours),
        "EstimatedOnDemandCostWithCurrentCommitment": amount(sum(spent)),
        "EstimatedSavingsAmount": amount(saved * hours),
        "EstimatedSavingsPercentage": percentage(saved * hours, sum(spent)),
        "EstimatedMonthlySavingsAmount": amount(saved * HOURS),
        "CurrentMinimumHourlyOnDemandSpend": amount(min(spent) // 24),
        "CurrentMaximumHourlyOnDemandSpend": amount(max(spent) // 24),
        "CurrentAverageHourlyOnDemandSpend": amount(sum(spent) // hours),
    }


def get_rightsizing_recommendation(call: Call) -> Json:
    """Idle and oversized instances, if the account has asked for such advice once, in its preferences."""
    request = call.request
    if request["Service"] != "AmazonEC2":
        raise invalid("Service should be AmazonEC2")
    if not 0 < request.get("PageSize", 1) <= 1000:
        raise invalid("PageSize should be between 1 and 1000")
    if request.get("Filter"):
        raise invalid("Filters of rightsizing recommendations are not emulated here.")
    if not call.ledger.account.rightsizing:
        raise Refusal("AccessDeniedException", _OPT_IN)
    found = list(_instances(call))
    advice = [_advice(*each) for each in found]
    total = sum(saved for *_, saved in found)
    items, onward = page(call, advice, request.get("PageSize"))
    return {
        "Metadata": {**_metadata(call, "rightsizing"), "LookbackPeriodInDays": "SEVEN_DAYS"},
        "Summary": {
            "TotalRecommendationCount": str(len(advice)),
            "EstimatedTotalMonthlySavingsAmount": amount(total),
            "SavingsCurrencyCode": "USD",
        },
        "RightsizingRecommendations": list(items),
        "Configuration": request.get(
            "Configuration", {"RecommendationTarget": "SAME_INSTANCE_FAMILY", "BenefitsConsidered": False}
        ),
        **onward,
    }


def _instances(call: Call) -> Iterator[tuple[Cell, str, int, bool, int]]:
    """A cell, what makes the instance's id, its place in ``_TYPES``, whether it idles, and what that costs a month."""
    account = call.ledger.account
    seen: set[tuple[str, str]] = set()
    for cell in cells_of(account, EC2).members:
        home = cell.linked.id, cell.region
        if home in seen:
            continue
        seen.add(home)
        roll = throw(account.id, *home, "rightsizing")
        if roll[0] >= 16:
            continue
        kind, idle = roll[1] % len(_TYPES), roll[2] < 64
        _, price, _, smaller = _TYPES[kind]
        saved = (price if idle else price - smaller) * HOURS * UNIT // 1000
        if saved:
            yield cell, roll.hex()[8:25], kind, idle, saved


def _advice(cell: Cell, place: str, kind: int, idle: bool, saved: int) -> Json:
    name, price, smaller, _ = _TYPES[kind]
    monthly = price * HOURS * UNIT // 1000
    advice: Json = {
        "AccountId": cell.linked.id,
        "CurrentInstance": {
            "ResourceId": f"i-{place}",
            "InstanceName": f"{cell.linked.name.rpartition('-')[0] or cell.linked.name}-{place[:4]}",
            "ResourceDetails": {"EC2ResourceDetails": {"InstanceType": name, "Region": cell.region}},
            "TotalRunningHoursInLookbackPeriod": "336",
            "OnDemandHoursInLookbackPeriod": "336",
            "MonthlyCost": amount(monthly),
            "CurrencyCode": "USD",
        },
    }
    if idle:
        return advice | {
            "RightsizingType": "TERMINATE",
            "TerminateRecommendationDetail": {"EstimatedMonthlySavings": amount(saved), "CurrencyCode": "USD"},
        }
    target = {
        "EstimatedMonthlyCost": amount(monthly - saved),
        "EstimatedMonthlySavings": amount(saved),
        "CurrencyCode": "USD",
        "DefaultTargetInstance": True,
        "ResourceDetails": {"EC2ResourceDetails": {"InstanceType": smaller, "Region": cell.region}},
    }
    return advice | {
        "RightsizingType": "MODIFY",
        "ModifyRecommendationDetail": {"TargetInstances": [target]},
        "FindingReasonCodes": ["CPU_OVER_PROVISIONED"],
    }


def _metadata(call: Call, what: str) -> Json:
    identity = throw(call.ledger.account.id, what, call.today.isoformat()).hex()
    return {"RecommendationId": identity[:32], "GenerationTimestamp": f"{call.today.isoformat()}T02:00:00Z"}
