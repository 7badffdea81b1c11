"""Costs by linked account, for clients who ask for them."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from cost_reporting.contracts import Fact
from cost_reporting.costs import NotAvailable, Split
from cost_reporting.report import gaps
from cost_reporting.report.edition import Edition, one_line
from cost_reporting.report.figures import EN_DASH
from cost_reporting.report.gaps import Gap, gap
from cost_reporting.report.splits import Breakdown, breakdown, largest_share

TOP: Final = 25


class Unread(Fact):
    """An account of which nothing is in the table above."""

    name: str
    id: str
    reason: str


class Accounts(Breakdown):
    """The table of the accounts, and those that could not be read."""

    unread: tuple[Unread, ...]


def view(edition: Edition) -> Accounts | Gap | None:
    """The accounts, if they were asked for, or if there are several."""
    accounts = edition.costs.accounts
    if isinstance(accounts, NotAvailable):
        missing = gap(edition, edition.say("By account"), "accounts", accounts)
        return missing.model_copy(
            update={"sentence": edition.language.together(missing.sentence, *gaps.unread(edition))}
        )
    if accounts is None:
        return None
    table = _table(edition, accounts)
    if table is None:
        lost = gaps.unread(edition)
        return Gap(title=edition.say("By account"), sentence=edition.language.together(*lost)) if lost else None
    return Accounts(**dict(table), unread=tuple(_unread(edition)))


def _unread(edition: Edition) -> Iterator[Unread]:
    for account in edition.costs.accounts_not_read:
        reason = edition.say("not read: {reason}", reason=gaps.unread_reason(edition, account))
        yield Unread(name=one_line(account.name), id=account.account_id or EN_DASH, reason=reason)


def _table(edition: Edition, accounts: Split) -> Breakdown | None:
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
