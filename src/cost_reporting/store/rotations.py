"""Rotations of credentials in the outcomes table: a client's `KEY_ROTATION`, `EXTERNAL_ID`, `ROTATED#<began at>`.

Those of a further account have its place behind that: `EXTERNAL_ID#210000000003`.

Nothing secret is in them: ids of keys, and ExternalIds, which the client's trust policy shows to everybody there.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic_core import to_jsonable_python

from cost_reporting import aws
from cost_reporting.clients import Way
from cost_reporting.credentials import ExternalIdNote, Rotation
from cost_reporting.store.records import Along
from cost_reporting.store.translation import translated


class RotationStore:
    """What rotations remember between their steps, and leave behind."""

    def __init__(self, table: str, place: str | None = None) -> None:
        self._name = table
        self._table = aws.table(table)
        self._behind = "" if place is None else f"#{place}"

    def of(self, way: Way) -> "RotationStore":
        """The same for one of a client's accounts. It stays the same when the account is called otherwise."""
        return RotationStore(self._name, None if way.account is None else way.place)

    def rotation(self, client_id: str) -> Rotation | None:
        """The rotation of the client's key that has begun and not ended."""
        item = self._get(client_id, "KEY_ROTATION")
        return None if item is None else Rotation.model_validate(item)

    def write(self, client_id: str, rotation: Rotation, *, replacing: Rotation | None) -> bool:
        """Write ``rotation`` if nobody else has meanwhile. False: somebody has.

        If the answer to a write is lost, botocore writes again and finds what we have written ourselves.
        """
        held = None if replacing is None else {"holder": replacing.holder, "until": _text(replacing.until)}
        if self._put(client_id, "KEY_ROTATION", rotation.model_dump(mode="json", exclude_none=True), held):
            return True
        return self.rotation(client_id) == rotation

    def close(self, client_id: str, rotation: Rotation, key_id: str, at: datetime) -> None:
        """The key is rotated: say so for good, then forget the steps."""
        done = {"kind": "key", "at": at.isoformat(), "began_at": _text(rotation.began_at)}
        self._put(
            client_id, f"ROTATED#{_text(rotation.began_at)}", done | {"old": rotation.replaces, "new": key_id}, {}
        )
        with translated("close a rotation"):
            self._table.delete_item(Key=self._key(client_id, "KEY_ROTATION"))

    def note(self, client_id: str) -> ExternalIdNote:
        """What is known about the client's ExternalId."""
        item = self._get(client_id, "EXTERNAL_ID")
        return ExternalIdNote() if item is None else ExternalIdNote.model_validate(item)

    def write_note(self, client_id: str, note: ExternalIdNote) -> bool:
        """Write ``note`` over the one that it was read from. False: somebody else was first."""
        expected = {"revision": note.revision} if note.revision else None
        return self._put(client_id, "EXTERNAL_ID", _noted(note), expected)

    def noting(self, client_id: str, note: ExternalIdNote) -> Along:
        """The same as a part of the transaction that writes the record."""
        put = {
            "TableName": self._name,
            "Item": self._key(client_id, "EXTERNAL_ID") | _noted(note),
            "ConditionExpression": "revision = :revision",
            "ExpressionAttributeValues": {":revision": note.revision},
        }
        return Along(f"the rotation of {client_id}", {"Put": put})

    def _get(self, client_id: str, sk: str) -> dict[str, Any] | None:
        with translated("read a rotation"):
            item = self._table.get_item(Key=self._key(client_id, sk), ConsistentRead=True).get("Item")
        return None if item is None else {name: value for name, value in item.items() if name not in ("pk", "sk")}

    def _key(self, client_id: str, sk: str) -> dict[str, str]:
        return {"pk": f"CLIENT#{client_id}", "sk": f"{sk}{self._behind}"}

    def _put(self, client_id: str, sk: str, values: Mapping[str, Any], expected: Mapping[str, Any] | None) -> bool:
        """Put if ``expected`` stands there; None: if nothing does; empty: in any case."""
        condition: dict[str, Any] = {}
        if expected is None:
            condition = {"ConditionExpression": "attribute_not_exists(pk)"}
        elif expected:
            condition = {
                "ConditionExpression": " AND ".join(f"#{name} = :{name}" for name in expected),
                "ExpressionAttributeNames": {f"#{name}": name for name in expected},
                "ExpressionAttributeValues": {f":{name}": value for name, value in expected.items()},
            }
        with translated("write a rotation"):
            try:
                self._table.put_item(Item=self._key(client_id, sk) | dict(values), **condition)
            except aws.Refused as refused:
                if aws.code(refused) == "ConditionalCheckFailedException":
                    return False
                raise
        return True


def _noted(note: ExternalIdNote) -> dict[str, Any]:
    return note.model_dump(mode="json", exclude_none=True) | {"revision": note.revision + 1}


def _text(moment: datetime) -> str:
    """As a model writes it into JSON."""
    return str(to_jsonable_python(moment))
