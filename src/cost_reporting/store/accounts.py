"""Which client an AWS account belongs to.

``ACCOUNT#<account id>`` / ``OWNERS`` has the clients that the account belongs to: one, or several whose records say so
of each other. ``ACCOUNTS#<client id>`` / ``HELD`` has the accounts of a client, and through which secret one answered.
Both are written in one transaction, each under the condition that it is as it was read, so of two writers one loses.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import batched
from typing import Any, Final, Literal

from pydantic import AwareDatetime

from cost_reporting import aws
from cost_reporting.contracts import Fact
from cost_reporting.errors import StoreThrottled
from cost_reporting.store.translation import translated

By = Literal["onboarding", "record", "answer"]
"""What bound the account to the client: what was agreed with it, a command that wrote its record, or the account
itself, which let us in."""
_AT_ONCE: Final = 100
"""Items of one request (DynamoDB API reference, BatchGetItem)."""
_PATIENCE: Final = 5
"""Requests for what a batch has left unprocessed."""


class Owner(Fact):
    """That an account belongs to a client, since when, and what bound it."""

    since: AwareDatetime
    by: By


class Owners(Fact):
    """The clients that an account belongs to."""

    clients: Mapping[str, Owner] = {}
    revision: int = 0

    def by(self, client_id: str) -> By | None:
        """What bound the account to the client, if anything did."""
        owner = self.clients.get(client_id)
        return None if owner is None else owner.by


class Held(Fact):
    """The accounts of a client, each with the name of the secret through which it answered, "" for a role."""

    accounts: Mapping[str, str] = {}
    revision: int = 0


class Binding(Fact):
    """That from ``at`` on a client has ``accounts``, as :class:`Held` has them, and no others."""

    client_id: str
    accounts: Mapping[str, str]
    at: AwareDatetime
    by: By


class AccountStore:
    """Whose account: in the outcomes table."""

    def __init__(self, table: str) -> None:
        self._table = aws.table(table)

    def owners(self, accounts: Iterable[str]) -> dict[str, Owners]:
        """The owners of each account; of one that belongs to nobody there are none."""
        wanted = sorted(set(accounts))
        found = self._read(_account_key(account) for account in wanted)
        return {account: _owners(found.get(f"ACCOUNT#{account}")) for account in wanted}

    def held(self, clients: Iterable[str]) -> dict[str, Held]:
        """The accounts of each client, as far as any are bound to it."""
        wanted = sorted(set(clients))
        found = self._read(_client_key(client_id) for client_id in wanted)
        return {client_id: _held(found.get(f"ACCOUNTS#{client_id}")) for client_id in wanted}

    def writes(self, bindings: Sequence[Binding]) -> list[dict[str, Any]]:
        """The writes of a transaction that bring the table to ``bindings``, none for what is so already.

        Each holds only as long as the item is as it is now.
        """
        held = self.held(binding.client_id for binding in bindings)
        read = self.owners(account for each in bindings for account in {*held[each.client_id].accounts, *each.accounts})
        owners = {account: dict(known.clients) for account, known in read.items()}
        items: list[dict[str, Any]] = []
        for binding in bindings:
            before, who = held[binding.client_id], binding.client_id
            for account in before.accounts.keys() - binding.accounts.keys():
                owners[account].pop(who, None)
            for account in binding.accounts:
                known = owners[account].get(who)
                if known is None or (known.by == "onboarding" and binding.by != "onboarding"):
                    since = binding.at if known is None else known.since
                    owners[account][who] = Owner(since=since, by=binding.by)
            if dict(before.accounts) != dict(binding.accounts):
                facts = {"client_id": who, "accounts": dict(binding.accounts)}
                items.append(self._write(_client_key(who), facts, before.revision, empty=not binding.accounts))
        for account, clients in owners.items():
            if clients != dict(read[account].clients):
                facts = {"account_id": account, "clients": {who: _plain(owner) for who, owner in clients.items()}}
                items.append(self._write(_account_key(account), facts, read[account].revision, empty=not clients))
        return items

    def bind(self, binding: Binding) -> bool:
        """Bring the table to ``binding``. False: somebody else has changed it at this moment."""
        return self.transact(self.writes([binding]), "bind an account to a client")

    def transact(self, items: Sequence[Mapping[str, Any]], what: str) -> bool:
        """Write ``items``, or nothing. False: one is no longer as it was read, or is being written at this moment."""
        if not items:
            return True
        asked: Any = list(items)
        with translated(what):
            try:
                self._table.meta.client.transact_write_items(TransactItems=asked)
            except aws.Refused as refused:
                if aws.code(refused) != "TransactionCanceledException":
                    raise
                codes = {str(each.get("Code")) for each in refused.response.get("CancellationReasons", [])}
                if {"ConditionalCheckFailed", "TransactionConflict"} & codes:
                    return False
                raise StoreThrottled(f"{what}: {', '.join(sorted(codes))}") from None
        return True

    def _write(self, key: dict[str, str], facts: Mapping[str, Any], revision: int, *, empty: bool) -> dict[str, Any]:
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if revision:
            condition = {"ConditionExpression": "revision = :read", "ExpressionAttributeValues": {":read": revision}}
        if empty:
            return {"Delete": {"TableName": self._table.name, "Key": key, **condition}}
        item = {**key, **facts, "revision": revision + 1}
        return {"Put": {"TableName": self._table.name, "Item": item, **condition}}

    def _read(self, keys: Iterable[dict[str, str]]) -> dict[str, Mapping[str, Any]]:
        return {
            str(item["pk"]): item
            for batch in batched(keys, _AT_ONCE, strict=False)
            for item in self._batch(list(batch))
        }

    def _batch(self, keys: list[dict[str, str]]) -> Iterator[Mapping[str, Any]]:
        waiting: list[Any] = keys
        for _ in range(_PATIENCE):
            with translated("read whose accounts they are"):
                asked: Any = {self._table.name: {"Keys": waiting, "ConsistentRead": True}}
                answer: Any = self._table.meta.client.batch_get_item(RequestItems=asked)
            yield from answer.get("Responses", {}).get(self._table.name, [])
            waiting = answer.get("UnprocessedKeys", {}).get(self._table.name, {}).get("Keys", [])
            if not waiting:
                return
        raise StoreThrottled("read whose accounts they are: UnprocessedKeys")


def _account_key(account: str) -> dict[str, str]:
    return {"pk": f"ACCOUNT#{account}", "sk": "OWNERS"}


def _client_key(client_id: str) -> dict[str, str]:
    return {"pk": f"ACCOUNTS#{client_id}", "sk": "HELD"}


def _owners(item: Mapping[str, Any] | None) -> Owners:
    return Owners() if item is None else Owners.model_validate({name: item[name] for name in ("clients", "revision")})


def _held(item: Mapping[str, Any] | None) -> Held:
    return Held() if item is None else Held.model_validate({name: item[name] for name in ("accounts", "revision")})


def _plain(owner: Owner) -> dict[str, str]:
    return {"since": owner.since.isoformat(), "by": owner.by}
