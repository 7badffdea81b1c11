"""Whose account: what Fetch Costs asks before it pays, and what the commands ask before they write.

What another client leads to is told by the records themselves, since they are written by hand too, and by what is
bound: the account that answered through a secret, and what was agreed with a client that has no record yet.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from cost_reporting.clients import Client, SecretAccess
from cost_reporting.domain.account_binding import (
    REMEDY,
    Claim,
    Contest,
    Place,
    claim_of,
    contest,
    contest_about,
    secret_names,
)
from cost_reporting.errors import ClientMisconfigured, StoreThrottled
from cost_reporting.sources import Reached
from cost_reporting.store.accounts import AccountStore, Binding, Owners
from cost_reporting.store.clients import ClientStore, row

Row = Mapping[str, Any]
FIELDS: Final = ("access", "more_accounts", "shared_with", "shared_reason")
"""The fields of a record that say where it leads to, and with whose leave."""
_TRIES: Final = 3
"""Looks at a binding that somebody else changes at the same moment."""


def claims_of(rows: Iterable[Row], accounts: AccountStore) -> list[Claim]:
    """Where each row leads to, through its secrets as far as they have answered."""
    claims = [(row, claim_of(row)) for row in rows]
    held = accounts.held(claim.client_id for _, claim in claims if claim.secrets)
    return [claim_of(row, held[claim.client_id].accounts) if claim.secrets else claim for row, claim in claims]


def bound_elsewhere(claim: Claim, owners: Mapping[str, Owners], known: Mapping[str, Claim]) -> list[Contest]:
    """Accounts of ``claim`` that are bound to another client.

    ``known`` are the clients that have a record: one that was moved elsewhere by hand holds nothing here any more. One
    without a record holds an account only while it is being onboarded: it has no record yet that could name any client,
    so it is enough that ``claim`` names it.
    """
    found = []
    for place in claim.places:
        for other, owner in owners[place.name].clients.items() if place.kind == "account" else ():
            record = known.get(other)
            if place.name not in record.accounts if record else owner.by != "onboarding":
                continue
            there = record or Claim(other, (place,), frozenset({claim.client_id}))
            if (each := contest_about(place, claim, there)) is not None:
                found.append(each)
    return found


def told(found: Iterable[Contest]) -> str:
    """``access.role_arn: AWS account 123456789012 is that of acme``, for each."""
    return "; ".join(f"{each.place.field}: {each.said}" for each in found)


class Ownership:
    """The rule as Fetch Costs keeps it for one client, whatever List Clients has seen."""

    def __init__(self, clients: ClientStore, accounts: AccountStore, now: Callable[[], datetime]) -> None:
        self._clients = clients
        self._accounts = accounts
        self._now = now

    def require_uncontested(self, client: Client, others: Collection[str]) -> None:
        """Raises ClientMisconfigured if the records of ``others`` lead where the client's does, as they are now."""
        rows = [found for found in map(self._clients.find, others) if found is not None]
        if rows:
            mine, *theirs = claims_of((row(client), *rows), self._accounts)
            _refuse(client, [found for other in theirs if (found := contest(mine, other)) is not None])

    def require_own(self, client: Client, account_ids: Collection[str]) -> None:
        """Raises ClientMisconfigured if stored costs are of an account that is bound to another client by now."""
        places = tuple(Place("account", account, "access") for account in sorted(account_ids))
        self._require_unbound(client, Claim(client.client_id, places, frozenset(client.shared_with)))

    def admit(self, client: Client, reached: Sequence[Reached]) -> None:
        """Bind the accounts that let us in to the client, before anything is paid.

        Raises ClientMisconfigured if one is bound to another client, or if the keys in a secret are of another account
        than they were; StoreThrottled if the binding is in dispute at this moment. What the client had stays bound to
        it until a command writes its record.
        """
        for _ in range(_TRIES):
            held = self._accounts.held([client.client_id])[client.client_id].accounts
            places = tuple(Place("account", each.account_id, each.field) for each in reached)
            self._require_unbound(client, Claim(client.client_id, places, frozenset(client.shared_with)))
            _require_same(client, held, reached)
            bound = dict(held) | {each.account_id: _through(client, each) for each in reached}
            binding = Binding(client_id=client.client_id, accounts=bound, at=self._now(), by="answer")
            if self._accounts.bind(binding):
                return
        raise StoreThrottled(f"{client.client_id}: its accounts are being bound by another execution")

    def _require_unbound(self, client: Client, claim: Claim) -> None:
        owners = self._accounts.owners(claim.accounts)
        others = sorted({who for each in owners.values() for who in each.clients} - {client.client_id})
        rows = [found for who in others if (found := self._clients.find(who)) is not None]
        known = {each.client_id: each for each in claims_of(rows, self._accounts)}
        _refuse(client, bound_elsewhere(claim, owners, known))


def _refuse(client: Client, found: Sequence[Contest]) -> None:
    if found:
        raise ClientMisconfigured(f"{client.client_id}: {told(found)}. {REMEDY}")


def _require_same(client: Client, held: Mapping[str, str], reached: Sequence[Reached]) -> None:
    """A record says which account a role is in. Which one is behind a secret is said by the keys in it alone, so one
    that answers in the place of the client's own is a stranger's.
    """
    by_secret = {secret: account for account, secret in held.items() if secret}
    for each in reached:
        own = by_secret.get(_through(client, each))
        if own is not None and each.account_id not in held:
            raise ClientMisconfigured(
                f"{client.client_id}: {each.field}.secret_arn: AWS account {each.account_id} answers, and the client's "
                f"is {own}. Put the keys of that account back, or, if the client has moved, the new ones into another "
                "secret below the client's name, and `update` the record."
            )


def _through(client: Client, reached: Reached) -> str:
    """The name of the secret through which the account answered, "" for a role."""
    access = reached.access
    return secret_names(access.secret_arn, client.client_id)[-1] if isinstance(access, SecretAccess) else ""
