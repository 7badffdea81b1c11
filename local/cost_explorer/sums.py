"""Costs added up per period and group, so that every split of an amount adds up to the amount exactly."""

from collections.abc import Iterable, Iterator, Sequence

from local.accounts.account import Linked
from local.accounts.services import NO_REGION, NO_USAGE_TYPE
from local.accounts.spend import Row
from local.accounts.spread import Cell
from local.cost_explorer.call import Bucket, Call
from local.cost_explorer.filters import Label, Test, group, select
from local.cost_explorer.wire import Json

Groups = dict[tuple[str, ...], list[int]]
"""Group keys to amounts: one per metric asked for, in 10**-10 units."""

_Part = tuple[int, int, tuple[str, ...]]
"""A stretch of a row's cells: lower bound, upper bound, group."""

_ANYWHERE = Cell(Linked("", ""), NO_REGION, NO_USAGE_TYPE, {})


def summarize(
    call: Call,
    buckets: Sequence[Bucket],
    metrics: Sequence[str],
    by: Sequence[Json] = (),
    chosen: Json | None = None,
    *,
    limit: int = 2,
) -> list[Groups]:
    """The chosen costs of each bucket, by group; ungrouped costs have the empty key, and no costs have none.

    A row's running total within a month is divided among its cells by flooring at the cells' bounds. Parts of one total
    therefore telescope to it, days telescope to their month, and neighbouring cells of one group need one division.
    """
    grouping, selection = group(by, limit), select(chosen)
    found: list[Groups] = [{} for _ in buckets]
    for row in call.ledger.rows:
        if grouping.splits or selection.splits:
            cells = row.cells()
            whole = cells.bounds[-1]
            parts = list(_parts(row, cells.members, cells.bounds, grouping.labels, selection.test))
        else:
            whole, parts = 1, list(_parts(row, (_ANYWHERE,), (0, 1), grouping.labels, selection.test))
        if parts:
            _add(row, whole, parts, metrics, buckets, found)
    return found


def _add(
    row: Row,
    whole: int,
    parts: Sequence[_Part],
    metrics: Sequence[str],
    buckets: Sequence[Bucket],
    found: Sequence[Groups],
) -> None:
    totals = [row.sums[metric] for metric in metrics]
    for bucket, groups in zip(buckets, found, strict=True):
        if row.charges[bucket.first] == row.charges[bucket.last]:
            continue
        sums = [
            (total[bucket.first] - total[bucket.month], total[bucket.last] - total[bucket.month]) for total in totals
        ]
        for low, high, keys in parts:
            amounts = groups.get(keys)
            if amounts is None:
                amounts = groups[keys] = [0] * len(totals)
            for n, (since, until) in enumerate(sums):
                amounts[n] += (
                    until * high // whole - until * low // whole - since * high // whole + since * low // whole
                )


def _parts(
    row: Row, members: Sequence[Cell], bounds: Sequence[int], labels: Sequence[Label], test: Test
) -> Iterator[_Part]:
    """The chosen cells, neighbours of one group joined."""
    open_part: _Part | None = None
    for cell, low, high in zip(members, bounds[:-1], bounds[1:], strict=True):
        if not test(row, cell):
            continue
        keys = tuple(label(row, cell) for label in labels)
        if open_part and open_part[1] == low and open_part[2] == keys:
            open_part = open_part[0], high, keys
            continue
        if open_part:
            yield open_part
        open_part = low, high, keys
    if open_part:
        yield open_part


def sole(found: Iterable[Groups]) -> list[int]:
    """Of ungrouped sums the first metric, per bucket."""
    return [groups[()][0] if groups else 0 for groups in found]
