"""Whether a record may lead where it leads: the account and the secret of another client are refused at every door."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cost_reporting.domain.account_binding import REMEDY, Contest, contests
from cost_reporting.errors import AccountTaken
from cost_reporting.operations.owned_accounts import bound_elsewhere, claims_of, told
from cost_reporting.soundness import Fault
from cost_reporting.store.accounts import AccountStore

Row = Mapping[str, Any]


def breaches(wanted: Sequence[Row], rows: Iterable[Row], accounts: AccountStore) -> dict[str, tuple[Contest, ...]]:
    """By client, where the ``wanted`` records would lead against the rule once they have replaced their ``rows``."""
    ids = {str(row.get("client_id")) for row in wanted}
    claims = claims_of((*wanted, *(row for row in rows if str(row.get("client_id")) not in ids)), accounts)
    found = {who: each for who, each in contests(claims).items() if who in ids}
    mine = [claim for claim in claims if claim.client_id in ids]
    known = {claim.client_id: claim for claim in claims}
    owners = accounts.owners(account for claim in mine for account in claim.accounts)
    for claim in mine:
        named = {each.other for each in found.get(claim.client_id, ())}
        bound = [each for each in bound_elsewhere(claim, owners, known) if each.other not in named]
        if bound:
            found[claim.client_id] = (*found.get(claim.client_id, ()), *bound)
    return found


def require_own(
    before: Row | None, after: Row, rows: Iterable[Row], accounts: AccountStore, *, strict: bool = False
) -> None:
    """Raises AccountTaken if the record ``after`` leads where another client's does.

    Where ``before`` did so already, a record that names the other one is taken, since two records cannot be changed at
    once; unless ``strict``.
    """
    client_id = str(after.get("client_id"))
    found = breaches([after], rows, accounts).get(client_id, ())
    if before is not None and not strict:
        (old,) = claims_of([before], accounts)
        places = {(place.kind, place.name) for place in old.places}
        found = tuple(each for each in found if not (each.names and (each.place.kind, each.place.name) in places))
    if found:
        raise AccountTaken(f"{client_id}: {told(found)}")


def faults(client_id: str, found: Iterable[Contest]) -> list[Fault]:
    """The same as faults of a record in a file of many."""
    return [
        Fault(field=f"{client_id}: {each.place.field}", expected=f"no other client's: {each.said}", remedy=REMEDY)
        for each in found
    ]
