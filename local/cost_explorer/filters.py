"""Dimensions, tags and cost categories: as filters, as groups, and how each is read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from local.accounts.spend import Row
from local.accounts.spread import Cell
from local.cost_explorer.wire import Json, invalid

Test = Callable[[Row, Cell], bool]
Label = Callable[[Row, Cell], str]

DIMENSIONS: dict[str, Label] = {
    "SERVICE": lambda row, cell: row.service,
    "RECORD_TYPE": lambda row, cell: row.record_type,
    "LINKED_ACCOUNT": lambda row, cell: cell.linked.id,
    "LINKED_ACCOUNT_NAME": lambda row, cell: cell.linked.name,
    "REGION": lambda row, cell: cell.region,
    "USAGE_TYPE": lambda row, cell: cell.usage_type,
}
"""The dimensions that are emulated, and how each is read."""

_OF_ROWS = frozenset({"SERVICE", "RECORD_TYPE"})
"""Dimensions that are known without splitting a row into its cells."""

_KINDS = {"DIMENSION": "Dimensions", "TAG": "Tags", "COST_CATEGORY": "CostCategories"}
"""What a GroupBy calls a kind of key, and what a Filter calls it."""


@dataclass(frozen=True)
class Selection:
    """A filter as a test, and whether the test looks into cells."""

    test: Test
    splits: bool = False


@dataclass(frozen=True)
class Grouping:
    """A GroupBy as labels, and whether they look into cells."""

    labels: Sequence[Label]
    splits: bool


def select(expression: Json | None) -> Selection:
    """Read a Filter. Each level holds exactly one of And, Or, Not, Dimensions, Tags and CostCategories."""
    if expression is None:
        return Selection(lambda row, cell: True)
    if len(expression) != 1:
        raise invalid("Expression should have exactly one of And, Or, Not, Dimensions, Tags, CostCategories")
    ((kind, content),) = expression.items()
    if kind in ("And", "Or"):
        if len(content) < 2:
            raise invalid(f"Expression {kind} should have at least 2 operands")
        parts = [select(part) for part in content]
        decide, tests = (all if kind == "And" else any), [part.test for part in parts]
        splits = any(part.splits for part in parts)
        return Selection(lambda row, cell: decide(test(row, cell) for test in tests), splits)
    if kind == "Not":
        part = select(content)
        return Selection(lambda row, cell: not part.test(row, cell), part.splits)
    return _leaf(kind, content)


def _leaf(kind: str, content: Json) -> Selection:
    """``Dimensions``, ``Tags`` or ``CostCategories``; options are those that GetCostAndUsage allows."""
    key, values = content.get("Key"), content.get("Values", [])
    options = set(content.get("MatchOptions", ["EQUALS"]))
    allowed = {"EQUALS", "CASE_SENSITIVE", "CASE_INSENSITIVE"} | ({"ABSENT"} if kind != "Dimensions" else set())
    if key is None:
        raise invalid(f"{kind}.Key must not be null")
    if options - allowed:
        raise invalid(f"MatchOptions {sorted(options - allowed)} are not supported for {kind} in this operation")
    if "ABSENT" in options:
        if values:
            raise invalid("Values should be empty when MatchOptions is ABSENT")
        values = [""]
    elif not values:
        raise invalid(f"{kind}.Values must not be empty")
    label, splits = _label(kind, key)
    if "CASE_INSENSITIVE" in options:
        folded = frozenset(value.casefold() for value in values)
        return Selection(lambda row, cell: label(row, cell).casefold() in folded, splits)
    wanted = frozenset(values)
    return Selection(lambda row, cell: label(row, cell) in wanted, splits)


def group(by: Sequence[Json], limit: int) -> Grouping:
    """Read a GroupBy of at most so many keys."""
    if len(by) > limit:
        raise invalid("Group by limit exceeded. You can group by up to two dimensions, tags or cost categories")
    if len({(each.get("Type"), each.get("Key")) for each in by}) < len(by):
        raise invalid("Group by definitions should not repeat")
    found = []
    for each in by:
        kind, key = _KINDS[each.get("Type", "DIMENSION")], each.get("Key", "")
        label, splits = _label(kind, key)
        found.append((label if kind == "Dimensions" else _named(key, label), splits))
    return Grouping([label for label, _ in found], any(splits for _, splits in found))


def _label(kind: str, key: str) -> tuple[Label, bool]:
    """How a key is read, and whether that looks into cells. Nothing here belongs to a cost category.

    A dimension that AWS has and this emulator has not is refused rather than answered wrongly.
    """
    if kind == "Tags":
        return lambda row, cell: cell.tags.get(key, ""), True
    if kind == "CostCategories":
        return lambda row, cell: "", False
    if key not in DIMENSIONS:
        raise invalid(f"Dimension {key} is not emulated; choose from {', '.join(DIMENSIONS)}")
    return DIMENSIONS[key], key not in _OF_ROWS


def _named(key: str, label: Label) -> Label:
    """Tags and cost categories stand in Keys as name$value, with nothing after the $ for costs without one."""
    return lambda row, cell: f"{key}${label(row, cell)}"


def only(key: str, *values: str) -> Json:
    """The filter that selects some values of a dimension."""
    return {"Dimensions": {"Key": key, "Values": list(values)}}


def both(*filters: Json | None) -> Json:
    """The filter that selects what all of them select; None and {} select everything."""
    given = [each for each in filters if each]
    return {"And": given} if len(given) > 1 else given[0]


def selector(by: Sequence[Json], keys: Sequence[str]) -> Json:
    """The filter that selects one group of a GroupBy."""
    parts = []
    for each, key in zip(by, keys, strict=True):
        kind = _KINDS[each.get("Type", "DIMENSION")]
        value = key if kind == "Dimensions" else key.partition("$")[2]
        parts.append({kind: {"Key": each["Key"], "Values": [value]}})
    return both(*parts)
