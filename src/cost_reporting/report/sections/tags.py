"""Costs by the values of the tags that the client names: one table for each, with what carries no such tag last."""

from decimal import Decimal
from typing import Final

from cost_reporting.contracts import Fact
from cost_reporting.costs import NotAvailable, Split, TagSplit
from cost_reporting.report import gaps
from cost_reporting.report.edition import Edition, one_line
from cost_reporting.report.gaps import Gap, gap
from cost_reporting.report.splits import Breakdown, breakdown

TOP: Final = 10
LEAST: Final = 3
_ROWS: Final = 16
"""What the tables of all tags have together, as long as each keeps the least."""


class Tag(Fact):
    """One tag: its key, and its table; None where there is nothing to split."""

    key: str
    finding: str
    split: Breakdown | None


class Tags(Fact):
    """The tags, each with its table."""

    tags: tuple[Tag, ...]


def view(edition: Edition) -> Tags | Gap | None:
    """The tags, if they were asked for."""
    tags = edition.costs.tags
    if isinstance(tags, NotAvailable):
        return gap(edition, edition.say("By tag"), "tags", tags)
    if not tags:
        return None
    top = min(TOP, max(LEAST, _ROWS // len(tags)))
    return Tags(tags=tuple(_tag(edition, tag, top) for tag in tags))


def _tag(edition: Edition, tag: TagSplit, top: int) -> Tag:
    key, split = one_line(tag.tag_key), tag.split
    if isinstance(split, NotAvailable):
        return Tag(key=key, finding=gaps.sentence(edition, f"tags.{tag.tag_key}", split), split=None)
    finding = _finding(edition, split)
    table = breakdown(
        edition,
        split,
        top=top,
        finding=lambda _: finding,
        first_title=edition.say("Value"),
        caption=edition.say("Net costs by {tag}, in {currency}", tag=key, currency=edition.currency),
        name=lambda value: one_line(value) if value else edition.say("untagged"),
        others=lambda n: edition.say_n("Other ({n} value)", "Other ({n} values)", n),
        last="",
    )
    used = any(line.key for line in (*split.current, *(split.previous or ())))
    return Tag(
        key=key,
        finding=table.finding if table else finding,
        split=table if used and table and table.has_table else None,
    )


def _finding(edition: Edition, split: Split) -> str:
    amounts = {line.key: line.amount for line in split.current}
    values, untagged = sum(1 for key in amounts if key), amounts.get("", Decimal(0))
    if not values:
        return edition.say("None of the costs of the period carry this tag.")
    if not untagged:
        return edition.say_n(
            "The tag has {n} value, and all of the costs carry it.",
            "The tag has {n} values, and all of the costs carry it.",
            values,
        )
    if edition.total <= 0 or untagged < 0:
        return edition.say_n(
            "The tag has {n} value; {amount} of the costs do not carry it.",
            "The tag has {n} values; {amount} of the costs do not carry it.",
            values,
            amount=edition.figures.money(untagged, edition.currency),
        )
    return edition.say_n(
        "The tag has {n} value; {share} of the costs do not carry it.",
        "The tag has {n} values; {share} of the costs do not carry it.",
        values,
        share=edition.figures.share(untagged, edition.total),
    )
