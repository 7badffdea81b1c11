"""Accounts of one client of which one pays for another: added up, the other's costs would be counted twice."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple


class CountedTwice(NamedTuple):
    """An account whose costs are in two answers: in that of ``first`` and in that of ``second``, both account ids.

    It may be one of the two itself, whose payer is the other.
    """

    account: str
    first: str
    second: str


def counted_twice(linked: Mapping[str, Collection[str]]) -> Sequence[CountedTwice]:
    """The accounts that stand in more than one answer.

    ``linked`` has, by the id of each account that is read, the accounts in its answer by LINKED_ACCOUNT. A payer's
    answer holds its members' costs (Cost Management User Guide, "Controlling access for members of an organization").
    An account is in its own answer, whether or not it had costs.
    """
    first: dict[str, str] = {}
    found = []
    for reader, accounts in linked.items():
        for account in sorted({reader, *accounts}):
            if account in first:
                found.append(CountedTwice(account, first[account], reader))
            first.setdefault(account, reader)
    return found
