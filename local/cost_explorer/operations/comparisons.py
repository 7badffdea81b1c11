"""Two whole months side by side: GetCostAndUsageComparisons and GetCostComparisonDrivers."""

from collections.abc import Collection, Iterable, Sequence

from local.accounts.spend import months_before
from local.cost_explorer.call import Call
from local.cost_explorer.filters import selector
from local.cost_explorer.paging import page
from local.cost_explorer.sums import summarize
from local.cost_explorer.validation import metric
from local.cost_explorer.wire import Json, amount, invalid, unit

_DRIVERS = {
    "Usage": "USAGE_CHANGE",
    "DiscountedUsage": "RESERVATION_USAGE",
    "Recurring": "RECURRING_RESERVATION_FEE",
    "Upfront": "UPFRONT_RESERVATION_FEE",
    "SavingsPlanCoveredUsage": "SAVINGS_PLAN_USAGE",
    "SavingsPlanNegation": "SAVINGS_PLAN_USAGE",
    "SavingsPlanRecurringFee": "SAVINGS_PLAN_RECURRING_FEE",
    "Enterprise Discount Program Discount": "BUNDLED_DISCOUNT",
    "Credit": "CREDIT",
    "Refund": "REFUND",
    "Tax": "TAX",
    "Support": "SUPPORT_FEE",
}

_PAGE = 10
"""Items of a page unless MaxResults says otherwise; of drivers AWS gives no more."""

Change = tuple[int, int]
"""A metric in the baseline month and in the month compared with it."""


def get_cost_and_usage_comparisons(call: Call) -> Json:
    """The changes of each group, the greatest first, and of the whole."""
    name, changes = _compare(call, call.by)
    groups = [
        {"CostAndUsageSelector": selector(call.by, keys), "Metrics": _change(name, change)}
        for keys, change in _by_impact(changes.items())
        if call.by
    ]
    total = _sum(changes.values())
    items, onward = page(call, groups, _PAGE)
    return {"CostAndUsageComparisons": list(items), "TotalCostAndUsage": _change(name, total), **onward}


def get_cost_comparison_drivers(call: Call) -> Json:
    """The changes by service and usage type, each with the kinds of charge behind it, the greatest change first."""
    by = [*call.by, *({"Type": "DIMENSION", "Key": key} for key in ("SERVICE", "USAGE_TYPE"))]
    by = [each for n, each in enumerate(by) if each not in by[:n]]
    name, changes = _compare(call, [*by, {"Type": "DIMENSION", "Key": "RECORD_TYPE"}], limit=4)
    causes: dict[tuple[str, ...], dict[str, Change]] = {}
    for keys, (before, after) in changes.items():
        kinds = causes.setdefault(keys[:-1], {})
        kind = _DRIVERS[keys[-1]]
        was, now = kinds.get(kind, (0, 0))
        kinds[kind] = was + before, now + after
    sums = {keys: _sum(kinds.values()) for keys, kinds in causes.items()}
    items, onward = page(call, _by_impact(sums.items()), _PAGE)
    drivers = [
        {
            "CostSelector": selector(by, keys),
            "Metrics": _change(name, change),
            "CostDrivers": [
                {"Type": kind, "Name": keys[-1], "Metrics": _change(name, part)}
                for kind, part in _by_impact(causes[keys].items())
            ],
        }
        for keys, change in items
    ]
    return {"CostComparisonDrivers": drivers, **onward}


def _compare(call: Call, by: Sequence[Json], limit: int = 2) -> tuple[str, dict[tuple[str, ...], Change]]:
    name = metric(call.request["MetricForComparison"], "metricForComparison")
    buckets = []
    for field in ("BaselineTimePeriod", "ComparisonTimePeriod"):
        start, end = call.past(field)
        if start.day != 1 or end != months_before(start, -1):
            raise invalid(
                f"{field} must start and end on the first day of a month, with a duration of exactly one month"
            )
        buckets += call.buckets(start, end, "MONTHLY")
    baseline, compared = summarize(call, buckets, [name], by, call.chosen, limit=limit)
    nothing = [0]
    keys = sorted(baseline.keys() | compared.keys())
    return name, {key: (baseline.get(key, nothing)[0], compared.get(key, nothing)[0]) for key in keys}


def _sum(changes: Collection[Change]) -> Change:
    return sum(before for before, _ in changes), sum(after for _, after in changes)


def _by_impact[K](changes: Iterable[tuple[K, Change]]) -> list[tuple[K, Change]]:
    return sorted(changes, key=lambda item: -abs(item[1][1] - item[1][0]))


def _change(name: str, change: Change) -> Json:
    before, after = change
    amounts = {"BaselineTimePeriodAmount": before, "ComparisonTimePeriodAmount": after, "Difference": after - before}
    return {name: {**{field: amount(value) for field, value in amounts.items()}, "Unit": unit(name)}}
