"""A section that splits the costs of both periods by one dimension: accounts, regions, the values of a tag."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Final

from cost_reporting.contracts import Fact
from cost_reporting.costs import Split
from cost_reporting.domain.gate import has_partly_filled
from cost_reporting.money import cents
from cost_reporting.report import unfilled
from cost_reporting.report.comparison import Comparison, compare
from cost_reporting.report.edition import Edition

TOP_OF_A_WEEK: Final = 3
"""Rows in a weekly report, which has two or three pages."""
_PARTLY: Final = "\0"
"""The key of the row that takes days out which are not there in full; no key of Cost Explorer's."""
_ROWS_THAT_FOLLOW: Final = 8
"""A table of more rows may go on over a page."""


class Breakdown(Fact):
    """The table of one dimension, and what it shows. Without ``has_table``, the finding is all that is printed."""

    finding: str
    first_title: str
    caption: str
    now_title: str
    before_title: str
    table: Comparison
    has_table: bool
    is_long: bool


def breakdown(
    edition: Edition,
    split: Split,
    *,
    top: int,
    finding: Callable[[dict[str, Decimal]], str],
    first_title: str,
    caption: str,
    name: Callable[[str], str],
    others: Callable[[int], str],
    id_title: str = "",
    last: str | None = None,
    in_weekly: bool = False,
) -> Breakdown | None:
    """The table of ``split``; None if neither period has a line. ``finding`` gets the exact amounts of the period.

    Without figures of the period before, its column says so. What there is of days that are not filled has a row.

    A weekly report prints the table only if ``in_weekly``: its other dimensions are a sentence each.
    """
    if not (split.current or split.previous):
        return None
    now = {line.key: line.amount for line in split.current}
    before = None if split.previous is None else {line.key: line.amount for line in split.previous}
    monthly = edition.costs.cadence == "monthly"
    has_costs = any(cents(amount) for amount in (*now.values(), *(before or {}).values()))
    contains = edition.partly_filled and has_partly_filled(edition.costs, split)
    table = compare(
        edition,
        now | {_PARTLY: -edition.partly_filled} if contains else now,
        before,
        top=top if monthly else min(top, TOP_OF_A_WEEK),
        others=others,
        name=lambda key: unfilled.partly(edition) if key == _PARTLY else name(key),
        id_title=id_title,
        last=last,
    )
    return Breakdown(
        finding=edition.language.together(
            finding(now) if has_costs else _nothing(edition),
            *(unfilled.notes(edition) if monthly or in_weekly else ()),
            *(_not_compared(edition) if before is None and has_costs else ()),
        ),
        first_title=first_title,
        caption=caption,
        now_title=edition.now_title,
        before_title=edition.before_title,
        table=table,
        has_table=has_costs and (monthly or in_weekly),
        is_long=monthly and len(table.rows) > _ROWS_THAT_FOLLOW,
    )


def largest_share(edition: Edition, now: dict[str, Decimal]) -> tuple[str, str] | None:
    """The key that costs most and its share of the total; None where that would say nothing."""
    key, amount = max(now.items(), key=lambda item: (item[1], item[0]), default=("", Decimal(0)))
    if len(now) <= 1 or cents(amount) <= 0 or cents(edition.total) <= 0:
        return None
    return key, edition.figures.share(amount, edition.total)


def _not_compared(edition: Edition) -> Iterator[str]:
    """Why the column of the period before is empty, where other tables have one."""
    if edition.comparable:
        before = edition.figures.period(edition.previous)
        yield edition.say(
            "{before} is not known in full by this breakdown, so nothing is compared here.", before=before
        )


def _nothing(edition: Edition) -> str:
    if edition.covered_by_credits and edition.has_refunds:
        return edition.say("Credits or refunds covered all of the usage, so there is nothing to split.")
    if edition.covered_by_credits:
        return edition.say("Credits covered all of the usage, so there is nothing to split.")
    return edition.say("Nothing was charged, so there is nothing to split.")
