"""Whether an account is read by itself and with the organization that pays for it: then a sum would have it twice.

Cost Explorer gives a payer the costs of all its member accounts (AWS Cost Management User Guide, "Managing access to
Cost Explorer"). Only LINKED_ACCOUNT tells that, so it is asked of each of a client's accounts where there are several.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple


class Twice(NamedTuple):
    """An account that is in two answers: that of ``first`` and that of ``second``, both of which are read."""

    account_id: str
    first: str
    second: str


def counted_twice(members: Mapping[str, Iterable[str]]) -> Twice | None:
    """The first account in two answers. ``members`` are, by account that is read, those which its answer names."""
    seen: dict[str, str] = {}
    for read, named in members.items():
        for account_id in sorted({read, *named}):
            if account_id in seen:
                return Twice(account_id, seen[account_id], read)
            seen[account_id] = read
    return None
