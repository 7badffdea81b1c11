"""Savings Plans and reservations: how much of the usage they cover, and how much of them is used."""

from collections.abc import Sequence
from datetime import timedelta

from local.accounts.services import PLANNED, RDS, REGION_CODES, usage_types
from local.cost_explorer.call import Bucket, Call
from local.cost_explorer.filters import both, only
from local.cost_explorer.paging import page
from local.cost_explorer.sums import Groups, sole, summarize
from local.cost_explorer.wire import Json, Refusal, amount, invalid, percentage

_PLAN_ID = "00000000-0000-4000-8000-000000000001"


def get_savings_plans_coverage(call: Call) -> Json:
    """The part of the usage that Savings Plans could cover and did, at on-demand prices."""
    buckets = _buckets(call)
    covered = _charged(call, buckets, "SavingsPlanCoveredUsage", "UnblendedCost", call.by)
    on_demand = _charged(call, buckets, "Usage", "UnblendedCost", call.by, only("SERVICE", *PLANNED))
    if not any(covered):
        raise _no_plans()
    coverages = []
    for bucket, inside, outside in zip(buckets, covered, on_demand, strict=True):
        for keys in sorted(inside.keys() | outside.keys()):
            spend, rest = inside.get(keys, [0])[0], outside.get(keys, [0])[0]
            coverage = {
                "SpendCoveredBySavingsPlans": amount(spend),
                "OnDemandCost": amount(rest),
                "TotalCost": amount(spend + rest),
                "CoveragePercentage": percentage(spend, spend + rest),
            }
            attributes = {each["Key"]: key for each, key in zip(call.by, keys, strict=True)}
            coverages.append({"Attributes": attributes, "Coverage": coverage, "TimePeriod": bucket.period})
    items, onward = page(call, coverages)
    return {"SavingsPlansCoverages": list(items), **onward}


def get_savings_plans_utilization(call: Call) -> Json:
    """How much of the commitment was used, and what that saved against on-demand prices."""
    buckets = _buckets(call)
    committed = sole(_charged(call, buckets, "SavingsPlanRecurringFee", "UnblendedCost"))
    unused = sole(_charged(call, buckets, "SavingsPlanRecurringFee", "AmortizedCost"))
    equivalent = sole(_charged(call, buckets, "SavingsPlanCoveredUsage", "UnblendedCost"))
    if not any(committed):
        raise _no_plans()
    by_time = [
        {"TimePeriod": bucket.period, **_plan_use(*figures)}
        for bucket, *figures in zip(buckets, committed, unused, equivalent, strict=True)
    ]
    total = _plan_use(sum(committed), sum(unused), sum(equivalent))
    return {"SavingsPlansUtilizationsByTime": by_time, "Total": total}


def get_savings_plans_utilization_details(call: Call) -> Json:
    """The plan itself, with what was used of it and when it ends."""
    plan = call.ledger.account.savings_plan
    if plan is None:
        raise _no_plans()
    start, end = call.interval()
    total = get_savings_plans_utilization(call)["Total"]
    ends = call.today + timedelta(days=plan.ends_in_days)
    detail = {
        "SavingsPlanArn": f"arn:aws:savingsplans::{call.ledger.account.id}:savingsplan/{_PLAN_ID}",
        "Attributes": {
            "AccountId": call.ledger.account.id,
            "EndDateTime": f"{ends.isoformat()}T00:00:00.000Z",
            "HourlyCommitment": f"{plan.hourly}",
            "PaymentOption": "NoUpfront",
            "PurchaseTerm": "1yr",
            "SavingsPlansType": "ComputeSavingsPlans",
        },
        **total,
    }
    items, onward = page(call, [detail])
    period = {"Start": start.isoformat(), "End": end.isoformat()}
    return {"SavingsPlansUtilizationDetails": list(items), "Total": total, "TimePeriod": period, **onward}


def _plan_use(committed: int, unused: int, equivalent: int) -> Json:
    return {
        "Utilization": {
            "TotalCommitment": amount(committed),
            "UsedCommitment": amount(committed - unused),
            "UnusedCommitment": amount(unused),
            "UtilizationPercentage": percentage(committed - unused, committed),
        },
        "Savings": {"NetSavings": amount(equivalent - committed), "OnDemandCostEquivalent": amount(equivalent)},
        "AmortizedCommitment": {
            "AmortizedRecurringCommitment": amount(committed),
            "AmortizedUpfrontCommitment": "0",
            "TotalAmortizedCommitment": amount(committed),
        },
    }


def get_reservation_coverage(call: Call) -> Json:
    """Reserved and on-demand hours of RDS instances, all that is reserved here."""
    buckets = _buckets(call)
    hours = [f"{code}{kind.name}" for kind in usage_types(RDS) if kind.unit == "Hrs" for code in REGION_CODES.values()]
    instances = both(only("SERVICE", RDS), only("USAGE_TYPE", *hours))
    reserved = _charged(call, buckets, "DiscountedUsage", "UsageQuantity", call.by)
    on_demand = _charged(call, buckets, "Usage", "UsageQuantity", call.by, instances)
    cost = _charged(call, buckets, "Usage", "UnblendedCost", call.by, instances)
    by_time, sums = [], [0, 0, 0]
    for bucket, *parts in zip(buckets, reserved, on_demand, cost, strict=True):
        keys = sorted(set().union(*parts))
        figures = {key: [part.get(key, [0])[0] for part in parts] for key in keys}
        total = [sum(each) for each in zip(*figures.values(), strict=True)] or [0, 0, 0]
        sums = [a + b for a, b in zip(sums, total, strict=True)]
        groups = [
            {
                "Attributes": {_camel(each["Key"]): value for each, value in zip(call.by, key, strict=True)},
                "Coverage": _covered(*figures[key]),
            }
            for key in keys
            if call.by
        ]
        by_time.append({"TimePeriod": bucket.period, "Groups": groups, "Total": _covered(*total)})
    items, onward = page(call, by_time)
    return {"CoveragesByTime": list(items), "Total": _covered(*sums), **onward}


def _covered(reserved: int, on_demand: int, cost: int) -> Json:
    return {
        "CoverageHours": {
            "OnDemandHours": amount(on_demand),
            "ReservedHours": amount(reserved),
            "TotalRunningHours": amount(on_demand + reserved),
            "CoverageHoursPercentage": percentage(reserved, on_demand + reserved),
        },
        "CoverageCost": {"OnDemandCost": amount(cost)},
    }


def _camel(key: str) -> str:
    """How reservation answers write a dimension: LINKED_ACCOUNT as linkedAccount."""
    first, *rest = key.lower().split("_")
    return first + "".join(word.capitalize() for word in rest)


def get_reservation_utilization(call: Call) -> Json:
    """How much of what was reserved ran. Without reservations all figures are 0, as on AWS. Groups are not emulated."""
    terms = call.ledger.account.reservation
    buckets = _buckets(call)
    permille = terms.used if terms else 1000
    ran = sole(_charged(call, buckets, "DiscountedUsage", "UsageQuantity"))
    paid = sole(_charged(call, buckets, "DiscountedUsage", "AmortizedCost"))
    idle = sole(_charged(call, buckets, "Recurring", "AmortizedCost"))
    by_time = [
        {"TimePeriod": bucket.period, "Groups": [], "Total": _reserved(permille, *figures)}
        for bucket, *figures in zip(buckets, ran, paid, idle, strict=True)
    ]
    items, onward = page(call, by_time)
    return {"UtilizationsByTime": list(items), "Total": _reserved(permille, sum(ran), sum(paid), sum(idle)), **onward}


def _reserved(permille: int, ran: int, paid: int, idle: int) -> Json:
    """The aggregate of reserved hours; on-demand prices are taken to be 10/6 of the reserved ones."""
    bought, on_demand = ran * 1000 // permille, paid * 10 // 6
    return {
        "UtilizationPercentage": percentage(ran, bought),
        "PurchasedHours": amount(bought),
        "TotalActualHours": amount(ran),
        "UnusedHours": amount(bought - ran),
        "OnDemandCostOfRIHoursUsed": amount(on_demand),
        "NetRISavings": amount(on_demand - paid - idle),
        "RICostForUnusedHours": amount(idle),
        "RealizedSavings": amount(on_demand - paid),
        "TotalAmortizedFee": amount(paid + idle),
    }


def _buckets(call: Call) -> list[Bucket]:
    """The periods of the request, which may not reach into the future."""
    if call.interval()[1] > call.today:
        raise invalid(f"end date should NOT be after {call.today.isoformat()}")
    return call.buckets(*call.past(), call.granularity)


def _charged(
    call: Call,
    buckets: Sequence[Bucket],
    record_type: str,
    metric: str,
    by: Sequence[Json] = (),
    also: Json | None = None,
) -> list[Groups]:
    """One metric of one record type, as far as the request's filter and the other one allow."""
    return summarize(call, buckets, [metric], by, both(only("RECORD_TYPE", record_type), also, call.chosen))


def _no_plans() -> Refusal:
    return Refusal("DataUnavailableException", "The requested data is unavailable: no Savings Plans in this period.")
