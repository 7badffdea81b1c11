"""A table that compares two periods, row by row, and adds up: what services, accounts, regions and tags share."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from cost_reporting.contracts import Fact
from cost_reporting.costs import TOLERANCE
from cost_reporting.money import cents, shown, total
from cost_reporting.report import charts
from cost_reporting.report.edition import Edition, one_line

_ID_LENGTH: Final = 24
_Kind = Literal["key", "last", "others", "rounding", "sum"]


class Row(Fact):
    """One line of the table, as it is printed.

    ``bar`` is the share of the largest row, in percent, for the eye. ``gain`` is the printed difference as a number,
    and ``contribution`` its share of the change of the total.
    """

    name: str
    id: str
    usage: str
    now: str
    before: str
    difference: str
    change: str
    share: str
    contribution: str
    gain: Decimal
    bar: int
    is_rest: bool


class Comparison(Fact):
    """The rows and their total, with the columns that have something to say: ids, usage, an earlier period, shares."""

    id_title: str
    rows: tuple[Row, ...]
    sum: Row
    has_usage: bool
    has_before: bool
    has_share: bool
    has_contribution: bool


@dataclass(frozen=True)
class _Column:
    """One view of the rows: exact amounts, and the cents that are printed; the last of each is the rest."""

    exact: tuple[Decimal, ...]
    shown: tuple[Decimal, ...]

    @property
    def sum(self) -> Decimal:
        return total(self.shown)


@dataclass(frozen=True)
class _Line:
    """What a row is called, and where its figures stand in the columns."""

    kind: _Kind
    label: str
    key: str
    at: int


def compare(
    edition: Edition,
    now: Mapping[str, Decimal],
    before: Mapping[str, Decimal] | None,
    *,
    top: int,
    others: Callable[[int], str],
    name: Callable[[str], str],
    id_title: str = "",
    usage: Mapping[str, Decimal] | None = None,
    last: str | None = None,
    totals: tuple[Decimal, Decimal] | None = None,
    by_change: bool = False,
) -> Comparison:
    """The ``top`` keys by what they cost now or before, and the others in one row that takes the rounding rest too.

    Where there are no others, a row "Rounding" takes it, so that an amount is the same wherever it is printed.
    ``others`` is what so many others are called. ``usage`` is what the keys cost before credits: without it, a credit
    would make a service look free. The key ``last`` stands below the others, whatever it costs. ``totals`` are those
    of both periods, if they are not the report's. ``by_change`` takes the keys that changed most, in that order.
    ``before`` is None if these figures of the earlier period are not known: then its column says so.
    """
    used = usage or {}
    views = (now, before or {}, used)
    head, tail = _chosen(views, top, last, by_change=by_change)
    sums = (*(totals or (edition.total, edition.previous_total)), edition.usage)
    columns = tuple(_column(view, head, tail, period_sum) for view, period_sum in zip(views, sums, strict=True))
    has_rest = any(column.shown[-1] for column in columns)
    lines = [_Line("last" if key == last else "key", name(key), key, at) for at, key in enumerate(head)]
    if tail or has_rest:
        kind: _Kind = "others" if tail else "rounding"
        rest = _Line(kind, others(len(tail)) if tail else edition.say("Rounding"), "", -1)
        lines.insert(len(lines) - any(line.kind == "last" for line in lines), rest)
    rows = [_row(edition, line, columns) for line in lines]
    whole = _row(edition, _Line("sum", edition.say("Total") + edition.dagger, "", -1), columns)
    if before is None:
        *rows, whole = (_without_before(edition, row) for row in (*rows, whole))
    return Comparison(
        id_title=id_title,
        rows=tuple(rows),
        sum=whole,
        has_usage=usage is not None,
        has_before=edition.comparable,
        has_share=cents(edition.total) > 0,
        has_contribution=before is not None and columns[0].sum != columns[1].sum,
    )


def _without_before(edition: Edition, row: Row) -> Row:
    unknown = edition.figures.not_available
    return row.model_copy(
        update={
            "before": unknown,
            "difference": unknown,
            "change": unknown if row.change else "",
            "contribution": "",
            "gain": Decimal(0),
        }
    )


def _chosen(
    views: Sequence[Mapping[str, Decimal]], top: int, last: str | None, *, by_change: bool
) -> tuple[list[str], list[str]]:
    """The keys with a row of their own, in order, and those without."""
    nothing = Decimal(0)
    keys = [key for key in set().union(*views) if key != last and any(view.get(key) for view in views)]
    if by_change:
        now, before, _ = views
        changes = {key: now.get(key, nothing) - before.get(key, nothing) for key in keys}
        keys.sort(key=lambda key: (-abs(changes[key]), key))
        top = min(top, sum(1 for change in changes.values() if cents(change)))
    else:
        keys.sort(key=lambda key: (-max(abs(view.get(key, nothing)) for view in views), key))
    few = top if len(keys) > top + 1 else len(keys)
    head = keys[:few]
    if not by_change:
        head.sort(key=lambda key: (*(-view.get(key, nothing) for view in views), key))
    if last is not None and any(view.get(last) for view in views):
        head.append(last)
    return head, keys[few:]


def _column(amounts: Mapping[str, Decimal], head: list[str], tail: list[str], period_sum: Decimal) -> _Column:
    exact = [amounts.get(key, Decimal(0)) for key in head]
    others = total(amounts.get(key, Decimal(0)) for key in tail)
    difference = period_sum - total(exact) - others
    if abs(difference) > TOLERANCE:  # another view of that period, which nobody has reconciled: its own sum, then
        difference = Decimal(0)
    return _Column(exact=(*exact, others), shown=tuple(shown([*exact, others + difference])))


def _change(edition: Edition, now: Decimal, before: Decimal) -> str:
    """A whole period is no percentage more than one in which the costs began."""
    return edition.figures.not_available if edition.basis == "partial" else edition.figures.change(now, before)


def _row(edition: Edition, line: _Line, columns: tuple[_Column, ...]) -> Row:
    is_sum = line.kind == "sum"
    (shown_now, now), (shown_before, before), (shown_usage, usage) = (
        (column.sum, column.sum) if is_sum else (column.shown[line.at], column.exact[line.at]) for column in columns
    )
    written, says_nothing = edition.figures, line.kind == "rounding"
    gain, all_gain = shown_now - shown_before, columns[0].sum - columns[1].sum
    largest = max(columns[0].shown[:-1], default=Decimal(0))
    has_bar = line.kind in {"key", "last"} and largest > 0
    return Row(
        name=line.label,
        id=charts.shortened(one_line(line.key), _ID_LENGTH) if line.key else "",
        usage=written.cell(shown_usage, usage),
        now=written.cell(shown_now, now),
        before=written.cell(shown_before, before),
        difference=written.difference(gain),
        change="" if says_nothing else _change(edition, now, before),
        share="" if says_nothing else written.share(now, edition.total),
        contribution=written.percent(gain / all_gain) if all_gain and not says_nothing else "",
        gain=gain,
        bar=round(100 * max(shown_now, Decimal(0)) / largest) if has_bar else 0,
        is_rest=line.kind in {"others", "rounding"},
    )
