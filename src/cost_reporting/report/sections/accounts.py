"""Costs by linked account, for clients who ask for them."""

from collections.abc import Callable
from decimal import Decimal

from cost_reporting.contracts import Fact
from cost_reporting.costs import Split
from cost_reporting.money import cents
from cost_reporting.report.comparison import Comparison, compare
from cost_reporting.report.edition import Edition, one_line

TOP = 25
_ROWS_THAT_FOLLOW = 8
"""A table of more rows starts on a page of its own."""


class Accounts(Fact):
    """The table of accounts."""

    finding: str
    currency: str
    now_title: str
    before_title: str
    table: Comparison
    new_page: bool


def view(edition: Edition) -> Accounts | None:
    """The accounts, if they were asked for."""
    accounts = edition.costs.accounts
    if not isinstance(accounts, Split) or not (accounts.current or accounts.previous):
        return None
    now, before = ({line.key: line.amount for line in lines} for lines in (accounts.current, accounts.previous))

    def name(account_id: str) -> str:
        return one_line(accounts.names.get(account_id) or "no name known")

    table = compare(edition, now, before, top=TOP, plural="accounts", name=name, id_title="Account id")
    return Accounts(
        finding=_finding(edition, now, name),
        currency=edition.currency,
        now_title=edition.now_title,
        before_title=edition.before_title,
        table=table,
        new_page=len(table.rows) > _ROWS_THAT_FOLLOW,
    )


def _finding(edition: Edition, now: dict[str, Decimal], name: Callable[[str], str]) -> str:
    figures = edition.figures
    largest = max(now.items(), key=lambda item: (item[1], item[0]), default=None)
    if len(now) <= 1 or largest is None or cents(largest[1]) <= 0 or cents(edition.total) <= 0:
        return f"{figures.count(len(now))} account{'' if len(now) == 1 else 's'} had costs."
    share = figures.share(largest[1], edition.total)
    which = f"{name(largest[0])} ({largest[0]})"
    return f"{figures.count(len(now))} accounts had costs. The largest, {which}, makes up {share} of the total."
