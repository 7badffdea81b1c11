"""A table that compares two periods, row by row, and adds up: what services and accounts have in common."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from cost_reporting.contracts import Fact
from cost_reporting.costs import TOLERANCE
from cost_reporting.money import cents, shown, total
from cost_reporting.report.edition import Edition


class Row(Fact):
    """One line of the table, as it is printed. ``bar`` is the share of the largest row, in percent, for the eye."""

    name: str
    id: str
    usage: str
    now: str
    before: str
    difference: str
    change: str
    share: str
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


@dataclass(frozen=True)
class _Column:
    """One view of the rows: exact amounts, and the cents that are printed; the last of each is the rest."""

    exact: tuple[Decimal, ...]
    shown: tuple[Decimal, ...]

    @property
    def sum(self) -> Decimal:
        return total(self.shown)


def compare(
    edition: Edition,
    now: Mapping[str, Decimal],
    before: Mapping[str, Decimal],
    *,
    top: int,
    plural: str,
    name: Callable[[str], str],
    id_title: str = "",
    usage: Mapping[str, Decimal] | None = None,
) -> Comparison:
    """The ``top`` keys by what they cost now or before, and the others in one row that takes the rounding rest too.

    Where there are no others, a row "Rounding" takes it, so that an amount is the same wherever it is printed.
    ``usage`` is what the keys cost before credits: without it, a credit would make a service look free.
    """
    nothing, used = Decimal(0), usage or {}
    views = (now, before, used)
    keys = [key for key in now.keys() | before.keys() | used.keys() if any(view.get(key) for view in views)]
    keys.sort(key=lambda key: (-max(abs(view.get(key, nothing)) for view in views), key))
    few = top if len(keys) > top + 1 else len(keys)
    head = sorted(keys[:few], key=lambda key: (*(-view.get(key, nothing) for view in views), key))
    tail = keys[few:]
    columns = tuple(
        _column(view, head, tail, period_sum)
        for view, period_sum in zip(views, (edition.total, edition.previous_total, edition.usage), strict=True)
    )
    labels = [(name(key), key) for key in head]
    if tail:
        labels.append((f"Other ({edition.figures.count(len(tail))} {plural})", ""))
    elif any(column.shown[-1] for column in columns):
        labels.append(("Rounding", ""))
    largest = max(columns[0].shown[: len(head)], default=nothing)
    return Comparison(
        id_title=id_title,
        rows=tuple(
            _row(
                edition,
                (label, key),
                [(column.shown[at], column.exact[at]) for column in columns],
                bar=round(100 * max(columns[0].shown[at], nothing) / largest) if largest > 0 and key else 0,
            )
            for at, (label, key) in enumerate(labels)
        ),
        sum=_row(edition, ("Total", ""), [(column.sum, column.sum) for column in columns], bar=0),
        has_usage=usage is not None,
        has_before=edition.comparable,
        has_share=cents(edition.total) > 0,
    )


def _column(amounts: Mapping[str, Decimal], head: list[str], tail: list[str], period_sum: Decimal) -> _Column:
    exact = [amounts.get(key, Decimal(0)) for key in head]
    others = total(amounts.get(key, Decimal(0)) for key in tail)
    difference = period_sum - total(exact) - others
    if abs(difference) > TOLERANCE:  # another view of that period, which nobody has reconciled: its own sum, then
        difference = Decimal(0)
    return _Column(exact=(*exact, others), shown=tuple(shown([*exact, others + difference])))


def _row(edition: Edition, label: tuple[str, str], figures: list[tuple[Decimal, Decimal]], *, bar: int) -> Row:
    (shown_now, now), (shown_before, before), (shown_usage, usage) = figures
    written = edition.figures
    is_rounding = label[0] == "Rounding"
    return Row(
        name=label[0],
        id=label[1],
        usage=written.cell(shown_usage, usage),
        now=written.cell(shown_now, now),
        before=written.cell(shown_before, before),
        difference=written.difference(shown_now - shown_before),
        change="" if is_rounding else written.change(now, before),
        share="" if is_rounding else written.share(now, edition.total),
        bar=bar,
        is_rest=not label[1],
    )
