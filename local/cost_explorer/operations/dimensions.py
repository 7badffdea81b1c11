"""What can be asked about: GetDimensionValues and GetTags."""

from collections.abc import Iterable

from local.cost_explorer.call import Call
from local.cost_explorer.paging import page
from local.cost_explorer.sums import summarize
from local.cost_explorer.validation import metric
from local.cost_explorer.wire import Json


def get_dimension_values(call: Call) -> Json:
    """The values of a dimension that had costs in the period, by name or by the metric to sort by.

    ``Context`` changes nothing here: reservations and Savings Plans are among the costs.
    """
    key = call.request["Dimension"]
    values = _values(call, {"Type": "DIMENSION", "Key": key})
    items, onward = page(call, values)
    found = [described(call, key, value) for value in items]
    return {"DimensionValues": found, "ReturnSize": len(items), "TotalSize": len(values), **onward}


def get_tags(call: Call) -> Json:
    """Without TagKey the keys in use; with it the key's values, where "" stands for costs without the tag."""
    key = call.request.get("TagKey")
    if key is None:
        values = _tag_keys(call)
    else:
        values = [value.partition("$")[2] for value in _values(call, {"Type": "TAG", "Key": key})]
    items, onward = page(call, values)
    return {"Tags": list(items), "ReturnSize": len(items), "TotalSize": len(values), **onward}


def described(call: Call, key: str, value: str) -> Json:
    """A value with its attributes: of linked accounts, the name."""
    names = {member.id: member.name for member in call.ledger.account.members} if key == "LINKED_ACCOUNT" else {}
    return {"Value": value, "Attributes": {"description": names[value]} if value in names else {}}


def _tag_keys(call: Call) -> list[str]:
    seen: set[str] = set()
    buckets = call.buckets(*call.past(), "MONTHLY")
    for row in call.ledger.rows:
        if any(row.charges[bucket.first] != row.charges[bucket.last] for bucket in buckets):
            seen.update(*(cell.tags for cell in row.cells().members))
    return _searched(call, seen)


def _values(call: Call, by: Json) -> list[str]:
    """Distinct group keys over the period that contain SearchString."""
    sorts: list[Json] = call.request.get("SortBy", [])
    metrics = [metric(sorts[0]["Key"], "sortBy.1.member.key")] if sorts else ["UnblendedCost"]
    totals: dict[str, int] = {}
    for groups in summarize(call, call.buckets(*call.past(), "MONTHLY"), metrics, [by], call.chosen):
        for (key,), (total,) in groups.items():
            totals[key] = totals.get(key, 0) + total
    values = _searched(call, totals)
    if sorts:
        values.sort(key=lambda key: totals[key], reverse=sorts[0].get("SortOrder", "DESCENDING") == "DESCENDING")
    return values


def _searched(call: Call, values: Iterable[str]) -> list[str]:
    search = call.request.get("SearchString", "").casefold()
    return sorted(value for value in values if search in value.casefold())
