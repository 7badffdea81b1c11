"""Costs per period and group: GetCostAndUsage.

A quantity has the unit of its usage type where usage types are told apart, and otherwise N/A: quantities are added up
"without taking into account the units" (botocore's model of ``ce``). That the unit is said by usage type is from public
users of the API. Days without costs are listed without groups.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta

from local.accounts.spend import months_before
from local.cost_explorer.call import Bucket, Call
from local.cost_explorer.filters import both, only
from local.cost_explorer.operations.dimensions import described
from local.cost_explorer.paging import page
from local.cost_explorer.sums import summarize
from local.cost_explorer.validation import metric
from local.cost_explorer.wire import Json, invalid, measured


def get_cost_and_usage(call: Call) -> Json:
    """Totals, or groups in order of their keys. Several pages may each hold a part of one period's groups."""
    metrics = list(dict.fromkeys(metric(name, "metrics") for name in call.request["Metrics"]))
    if not metrics:
        raise invalid("1 validation error detected: Value '[]' at 'metrics' must have at least one member")
    buckets = call.buckets(*call.past(), call.granularity)
    found = list(zip(buckets, summarize(call, buckets, metrics, call.by, _chosen(call)), strict=True))
    if not call.by:
        zero = [0] * len(metrics)
        results = [_result(call, bucket, measured(metrics, groups.get((), zero))) for bucket, groups in found]
        return {"ResultsByTime": results, "DimensionValueAttributes": []}

    flat: list[tuple[Bucket, tuple[str, ...] | None]] = []
    for bucket, groups in found:
        flat += [(bucket, keys) for keys in sorted(groups)] or [(bucket, None)]
    items, onward = page(call, flat)
    amounts = dict(found)
    grouped: dict[Bucket, list[Json]] = {}
    for bucket, keys in items:
        groups_here = grouped.setdefault(bucket, [])
        if keys is not None:
            of = _usage_type(call, keys)
            groups_here.append({"Keys": list(keys), "Metrics": measured(metrics, amounts[bucket][keys], of)})
    return {
        "GroupDefinitions": call.by,
        "ResultsByTime": [_result(call, bucket, {}, groups) for bucket, groups in grouped.items()],
        "DimensionValueAttributes": _attributes(call, (keys for _, keys in items if keys)),
        **onward,
    }


def _chosen(call: Call) -> Json | None:
    """The request's filter; by linked account some lack support that they have by service (boto/boto3#2140)."""
    if call.ledger.account.support_by_account or all(each.get("Key") != "LINKED_ACCOUNT" for each in call.by):
        return call.chosen
    return both({"Not": only("RECORD_TYPE", "Support")}, call.chosen)


def _usage_type(call: Call, keys: tuple[str, ...]) -> str | None:
    return next((key for each, key in zip(call.by, keys, strict=True) if each.get("Key") == "USAGE_TYPE"), None)


def _result(call: Call, bucket: Bucket, total: Json, groups: Sequence[Json] = ()) -> Json:
    last = bucket.end - timedelta(days=1)
    return {"TimePeriod": bucket.period, "Total": total, "Groups": list(groups), "Estimated": _estimated(call, last)}


def _estimated(call: Call, last: date) -> bool:
    """Whether a day's bill is still open: until the 6th of the following month, 00:00 UTC.

    AWS says only that figures are estimated "until the bill is finalized" after the month's end; the day and hour are
    ours. (AWS Billing User Guide, "Viewing your bill")
    """
    closed = months_before(last, -1) + timedelta(days=5)
    return call.now < datetime(closed.year, closed.month, closed.day, tzinfo=UTC)


def _attributes(call: Call, groups: Iterable[tuple[str, ...]]) -> list[Json]:
    """Names of the linked accounts that an answer mentions."""
    places = [n for n, each in enumerate(call.by) if each.get("Key") == "LINKED_ACCOUNT"]
    mentioned = {keys[n] for keys in groups for n in places} if places else set()
    members = call.ledger.account.members
    return [described(call, "LINKED_ACCOUNT", member.id) for member in members if member.id in mentioned]
