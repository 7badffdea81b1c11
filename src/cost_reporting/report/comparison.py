"""A table that compares two periods, row by row, and adds up: what services and accounts have in common."""

from collections.abc import Callable, Mapping
from decimal import Decimal

from cost_reporting.contracts import Fact
from cost_reporting.costs import TOLERANCE
from cost_reporting.money import cents, shown, total
from cost_reporting.report.edition import Edition


class Row(Fact):
    """One line of the table, as it is printed. ``bar`` is the share of the largest row, in percent, for the eye."""

    name: str
    detail: str | None
    now: str
    before: str
    difference: str
    change: str
    share: str
    bar: int
    is_rest: bool = False


class Comparison(Fact):
    """The rows and their total. ``has_before`` is false if there is no earlier period, and its columns are left out."""

    rows: tuple[Row, ...]
    sum: Row
    has_before: bool


def compare(
    edition: Edition,
    now: Mapping[str, Decimal],
    before: Mapping[str, Decimal],
    *,
    top: int,
    plural: str,
    name: Callable[[str], tuple[str, str | None]],
) -> Comparison:
    """The ``top`` keys by what they cost now or before, and the others in one row that takes the rounding rest too."""
    nothing = Decimal(0)
    keys = [key for key in now.keys() | before.keys() if now.get(key) or before.get(key)]
    keys.sort(key=lambda key: (-max(abs(now.get(key, nothing)), abs(before.get(key, nothing))), key))
    few = top if len(keys) > top + 1 else len(keys)
    head = sorted(keys[:few], key=lambda key: (-now.get(key, nothing), -before.get(key, nothing), key))
    tail = keys[few:]

    def column(amounts: Mapping[str, Decimal], exact_sum: Decimal) -> tuple[list[Decimal], list[Decimal]]:
        exact = [amounts.get(key, nothing) for key in head]
        if tail:
            exact.append(total(amounts.get(key, nothing) for key in tail))
        if not exact:
            return [], []
        rest = len(exact) - 1 if tail else max(range(len(exact)), key=lambda at: abs(exact[at]))
        adjusted = list(exact)
        if abs(exact_sum - total(exact)) <= TOLERANCE:
            adjusted[rest] += exact_sum - total(exact)
        return exact, shown(adjusted, rest=rest)

    exact_now, shown_now = column(now, edition.total)
    exact_before, shown_before = column(before, edition.previous_total)
    sum_now, sum_before = total(shown_now), total(shown_before)
    labels = [name(key) for key in head] + [(f"Other ({edition.figures.count(len(tail))} {plural})", None)] * bool(tail)
    largest = max((abs(amount) for amount in shown_now), default=nothing)
    figures = edition.figures
    rows = tuple(
        Row(
            name=label,
            detail=detail,
            now=figures.cell(shown_now[at], exact_now[at]),
            before=figures.cell(shown_before[at], exact_before[at]),
            difference=figures.difference(shown_now[at] - shown_before[at]),
            change=figures.change(exact_now[at], exact_before[at]),
            share=figures.share(exact_now[at], edition.total),
            bar=round(100 * shown_now[at] / largest) if largest and shown_now[at] > 0 else 0,
            is_rest=bool(tail) and at == len(head),
        )
        for at, (label, detail) in enumerate(labels)
    )
    return Comparison(
        rows=rows,
        sum=Row(
            name="Total",
            detail=None,
            now=figures.cell(sum_now, edition.total),
            before=figures.cell(sum_before, edition.previous_total if cents(edition.previous_total) == sum_before else sum_before),
            difference=figures.difference(sum_now - sum_before),
            change=figures.change(sum_now, sum_before),
            share=figures.share(sum_now, sum_now),
            bar=0,
        ),
        has_before=edition.comparable,
    )
