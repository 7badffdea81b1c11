"""Costs by linked account, for clients who ask for them."""

from decimal import Decimal
from typing import Final

from cost_reporting.costs import NotAvailable, Split
from cost_reporting.report.edition import Edition, one_line
from cost_reporting.report.gaps import Gap, gap
from cost_reporting.report.splits import Breakdown, breakdown, largest_share

TOP: Final = 25


def view(edition: Edition) -> Breakdown | Gap | None:
    """The accounts, if they were asked for."""
    accounts = edition.costs.accounts
    if isinstance(accounts, NotAvailable):
        return gap(edition, edition.say("By account"), "accounts", accounts)
    if accounts is None:
        return None
    return breakdown(
        edition,
        accounts,
        top=TOP,
        finding=lambda now: _finding(edition, accounts, now),
        first_title=edition.say("Account"),
        caption=edition.say("Net costs by account, in {currency}", currency=edition.currency),
        name=lambda account_id: _name(edition, accounts, account_id),
        others=lambda n: edition.say_n("Other ({n} account)", "Other ({n} accounts)", n),
        id_title=edition.say("Account id"),
        in_weekly=True,
    )


def _name(edition: Edition, accounts: Split, account_id: str) -> str:
    return one_line(accounts.names.get(account_id) or edition.say("no name known"))


def _finding(edition: Edition, accounts: Split, now: dict[str, Decimal]) -> str:
    if (largest := largest_share(edition, now)) is None:
        return edition.say_n("{n} account had costs.", "{n} accounts had costs.", len(now))
    account_id, share = largest
    return edition.say_n(
        "{n} account had costs. The largest, {name} ({id}), makes up {share} of the total.",
        "{n} accounts had costs. The largest, {name} ({id}), makes up {share} of the total.",
        len(now),
        name=_name(edition, accounts, account_id),
        id=account_id,
        share=share,
    )
