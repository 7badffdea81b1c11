"""Client records as operators and commands change them, with everything that ever stood there.

Each change is a version: an item ``CLIENT#<client_id>`` / ``VERSION#<number>`` of the outcomes table that says who,
when and what, and holds the record as it was left. It is written in one transaction with the record itself, in the
clients table, so the two cannot disagree. No other module writes that table. A change names the record that it
is made to: of two writers one loses.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

from pydantic import AwareDatetime

from cost_reporting import aws
from cost_reporting.contracts import Fact
from cost_reporting.domain.account_binding import claim_of, still_led_to
from cost_reporting.errors import StoreThrottled
from cost_reporting.records import Difference
from cost_reporting.store.accounts import AccountStore, Binding
from cost_reporting.store.clients import ClientStore
from cost_reporting.store.translation import translated

Action = Literal[
    "added",
    "imported",
    "updated",
    "rolled back",
    "suspended",
    "activated",
    "removed",
    "restored",
    "quarantined",
    "put back",
    "rotated",
    "erased",
    "recipient erased",
    "found",
]
"""restored: from a backup of the table. quarantined, put back: recipients. rotated: an ExternalId. erased: all data of
a client, whose id is not given again. recipient erased: a person's data. found: what stood there before our commands
changed it, written by hand."""
MOVES: Final = frozenset({"added", "imported", "updated", "rolled back", "removed", "restored", "erased"})
"""Actions that decide where a record leads to, so that its accounts are bound or released with it. What a suspension
or a rotation finds in the table is not theirs to confirm."""
LARGEST: Final = 100
"""Items that one transaction may write (DynamoDB API reference, TransactWriteItems)."""


class Version(Fact):
    """A change of a client's record. ``record`` is the row as it was left, None if it was removed."""

    client_id: str
    version: int
    action: Action
    who: str
    at: AwareDatetime
    changes: tuple[Difference, ...]
    record: Mapping[str, Any] | None
    reason: str | None = None
    import_id: str | None = None


class Change(Fact):
    """What is to become of a client's row: from ``before`` to ``after``, either of which may be nothing."""

    client_id: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    versions: tuple[Version, ...]

    @property
    def items(self) -> int:
        """How many items it writes."""
        return 1 + len(self.versions)

    @property
    def is_move(self) -> bool:
        """Whether the accounts that the record leads to become the client's."""
        return self.versions[-1].action in MOVES


class Along(NamedTuple):
    """A further item of the transaction that writes a record.

    ``write`` is what DynamoDB's TransactWriteItems takes: a Put, Update, Delete or ConditionCheck, with its condition.
    ``of`` is told as the loser where that condition fails: a client's id, or what else the item is about.
    """

    of: str
    write: Mapping[str, Any]


class RecordStore:
    """The clients table with the versions in the outcomes table, and the binding of accounts to clients there.

    ``clients`` and ``accounts`` are for reading: a record is written with its accounts, in the same transaction.
    """

    def __init__(self, clients_table: str, outcomes_table: str) -> None:
        self.clients = ClientStore(clients_table)
        self.accounts = AccountStore(outcomes_table)
        self._clients = aws.table(clients_table)
        self._outcomes = aws.table(outcomes_table)

    def find(self, client_id: str) -> Mapping[str, Any] | None:
        """The row as it stands there, whatever it is."""
        return self.clients.find(client_id)

    def versions(self, client_id: str) -> tuple[Version, ...]:
        """Every version, the first one first."""
        return tuple(self._query(client_id, ScanIndexForward=True))

    def last(self, client_id: str) -> Version | None:
        """The last version, if there is any."""
        return next(self._query(client_id, ScanIndexForward=False, Limit=1), None)

    def write(self, changes: Sequence[Change], *, along: Sequence[Along] = ()) -> tuple[str, ...]:
        """All changes and what goes ``along``, or none of it. Returns who lost: ids of the clients whose record another
        writer has changed meanwhile, and the ``of`` of each further item whose condition failed.

        Raises StoreThrottled or StoreRefused; ValueError beyond ``LARGEST`` items. botocore's own tries carry one
        ClientRequestToken, so that a second arrival writes nothing (DynamoDB API reference, TransactWriteItems). Where
        all answers are lost, or the token was not heeded, the versions tell whether it was written.
        """
        try:
            lost = self._write(changes, along)
        except StoreThrottled:
            if self._is_written(changes):
                return ()
            raise
        return () if lost and self._is_written(changes) else lost

    def _is_written(self, changes: Sequence[Change]) -> bool:
        """Whether each change's version is there, as it is here: whatever has happened to the record since."""
        return bool(changes) and all(
            self._version(change.client_id, change.versions[-1].version) == change.versions[-1] for change in changes
        )

    def is_bound(self, client_id: str, row: Mapping[str, Any]) -> bool:
        """Whether the accounts that are bound to the client are those of ``row``, or none are bound yet."""
        held = self.accounts.held([client_id])[client_id].accounts
        return not held or still_led_to(claim_of(row), held) == dict(held)

    def _bindings(self, changes: Sequence[Change]) -> Iterator[Along]:
        """What binds the accounts of changed records, and releases those that they lead to no more."""
        moves = [change for change in changes if change.is_move]
        held = self.accounts.held(change.client_id for change in moves)
        bindings = [
            Binding(
                client_id=change.client_id,
                accounts={}
                if change.after is None
                else still_led_to(claim_of(change.after), held[change.client_id].accounts),
                at=change.versions[-1].at,
                by="record",
            )
            for change in moves
        ]
        for item in self.accounts.writes(bindings):
            yield Along(changes[0].client_id, item)

    def _write(self, changes: Sequence[Change], along: Sequence[Along]) -> tuple[str, ...]:
        items = [Along(change.client_id, item) for change in changes for item in self._items(change)]
        items += [*along, *self._bindings(changes)]
        if len(items) > LARGEST:
            raise ValueError(f"{len(items)} items: a transaction writes up to {LARGEST}")
        asked: list[Any] = [each.write for each in items]
        with translated("write client records"):
            try:
                self._clients.meta.client.transact_write_items(TransactItems=asked)
            except aws.Refused as refused:
                if aws.code(refused) != "TransactionCanceledException":
                    raise
                reasons = [reason.get("Code") for reason in refused.response.get("CancellationReasons", [])]
                lost = [each.of for each, code in zip(items, reasons, strict=False) if code in _LOST]
                if not lost:
                    raise StoreThrottled(f"write client records: {', '.join(sorted({*map(str, reasons)}))}") from None
                return tuple(dict.fromkeys(lost))
        return ()

    def _items(self, change: Change) -> Iterator[Any]:
        table, key = self._clients.name, {"client_id": change.client_id}
        condition = _unchanged(change.before)
        if change.after is None:
            yield {"Delete": {"TableName": table, "Key": key, **condition}}
        else:
            yield {"Put": {"TableName": table, "Item": {**change.after, **key}, **condition}}
        for version in change.versions:
            item = version.model_dump(exclude_none=True) | {"at": version.at.isoformat()}
            item |= {"changes": [each.model_dump(exclude_none=True) for each in version.changes]}
            put = {"TableName": self._outcomes.name, "Item": _key(version.client_id, version.version) | item}
            yield {"Put": put | {"ConditionExpression": "attribute_not_exists(pk)"}}

    def _version(self, client_id: str, number: int) -> Version | None:
        with translated("read a version of a client record"):
            item = self._outcomes.get_item(Key=_key(client_id, number), ConsistentRead=True).get("Item")
        return None if item is None else _read(item)

    def _query(self, client_id: str, **how: Any) -> Iterator[Version]:
        page: dict[str, Any] = {}
        while True:
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]} if page else {}
            with translated("read the versions of a client record"):
                page = dict(
                    self._outcomes.query(
                        KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
                        ExpressionAttributeValues={":pk": _pk(client_id), ":sk": _VERSION},
                        ConsistentRead=True,
                        **how,
                        **start,
                    )
                )
            yield from map(_read, page["Items"])
            if "LastEvaluatedKey" not in page:
                return


_VERSION: Final = "VERSION#"
_LOST: Final = ("ConditionalCheckFailed", "TransactionConflict")


def _pk(client_id: str) -> str:
    return f"CLIENT#{client_id}"


def _key(client_id: str, version: int) -> dict[str, str]:
    return {"pk": _pk(client_id), "sk": f"{_VERSION}{version:06d}"}


def _read(item: Mapping[str, Any]) -> Version:
    told = {key: value for key, value in item.items() if key not in ("pk", "sk")}
    return Version.model_validate({"record": None} | told | {"changes": _changes(told)})


def _changes(told: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"before": None, "after": None} | change for change in told.get("changes", [])]


def _unchanged(before: Mapping[str, Any] | None) -> dict[str, Any]:
    """The condition that the row is the one that was read, as far as its version tells."""
    if before is None:
        return {"ConditionExpression": "attribute_not_exists(client_id)"}
    names = {"#version": "version"}
    if "version" not in before:
        condition = "attribute_exists(client_id) AND attribute_not_exists(#version)"
        return {"ConditionExpression": condition, "ExpressionAttributeNames": names}
    return {
        "ConditionExpression": "#version = :version",
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": {":version": before["version"]},
    }
