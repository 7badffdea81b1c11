"""Costs by linked account, for clients who ask for them."""

from cost_reporting.contracts import Fact
from cost_reporting.report.comparison import Comparison, compare
from cost_reporting.report.edition import Edition, one_line

TOP = 40


class Accounts(Fact):
    """The table of accounts."""

    currency: str
    count: str
    now_title: str
    before_title: str
    table: Comparison


def view(edition: Edition) -> Accounts | None:
    """The accounts, if they were asked for."""
    accounts = edition.costs.accounts
    if accounts is None or not (accounts.current or accounts.previous):
        return None
    now, before = ({line.key: line.amount for line in lines} for lines in (accounts.current, accounts.previous))

    def name(account_id: str) -> tuple[str, str | None]:
        known = accounts.names.get(account_id)
        return (one_line(known), account_id) if known else (account_id, None)

    return Accounts(
        currency=edition.currency,
        count=edition.figures.count(len(now)),
        now_title=edition.period_words if edition.costs.cadence == "monthly" else "This week",
        before_title=edition.figures.period(edition.previous) if edition.costs.cadence == "monthly" else "Week before",
        table=compare(edition, now, before, top=TOP, plural="accounts", name=name),
    )
