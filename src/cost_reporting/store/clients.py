"""Client records."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cost_reporting import aws
from cost_reporting.clients import Client, parse_client
from cost_reporting.errors import ClientChanged, ClientUnknown
from cost_reporting.store.translation import translated


class ClientStore:
    """The clients table. Its rows are written by scripts and by hand, so each is parsed when it is used."""

    def __init__(self, table: str) -> None:
        self._table = aws.table(table)

    def get(self, client_id: str) -> Client:
        """The client's record. Raises ClientUnknown, or ClientMisconfigured naming the fields that are wrong."""
        with translated("read a client record"):
            row = self._table.get_item(Key={"client_id": client_id}, ConsistentRead=True).get("Item")
        if row is None:
            raise ClientUnknown(f"{client_id}: no such client record")
        return parse_client(row)

    def replace(self, client: Client, *, along: Sequence[Mapping[str, Any]] = ()) -> Client:
        """Put ``client``, changed, in the place of the record that it was read from, with the next version.

        ``along`` are further writes of a DynamoDB transaction: all of it happens or nothing. Returns the record as it
        stands there now. Raises ClientChanged if the record, or what goes along, is no longer what was read.
        """
        changed = client.model_copy(update={"version": client.version + 1})
        first = " OR attribute_not_exists(version)" if client.version == 1 else ""
        put = {
            "TableName": self._table.name,
            "Item": row(changed),
            "ConditionExpression": f"attribute_exists(client_id) AND (version = :version{first})",
            "ExpressionAttributeValues": {":version": client.version},
        }
        items: list[Any] = [{"Put": put}, *along]
        with translated("replace a client record"):
            try:
                self._table.meta.client.transact_write_items(TransactItems=items)
            except aws.Refused as refused:
                reasons = refused.response.get("CancellationReasons", [])
                if {"ConditionalCheckFailed", "TransactionConflict"} & {str(each.get("Code")) for each in reasons}:
                    raise ClientChanged(f"{client.client_id}: version {client.version} is not the last one") from None
                raise
        return changed

    def rows(self, *more: str) -> Iterator[Mapping[str, Any]]:
        """Every row's ``client_id`` and what decides whether it is due, as they stand there, whatever they are.

        ``more`` names further fields.
        """
        return self._scan(
            ProjectionExpression=", ".join(("client_id", "#status", "cadences", "preliminary", *more)),
            ExpressionAttributeNames={"#status": "status"},
        )

    def whole_rows(self) -> Iterator[Mapping[str, Any]]:
        """Every row as it stands there, whatever it is. For operators' commands: runs need no more than ``rows``."""
        return self._scan()

    def _scan(self, **asked: Any) -> Iterator[Mapping[str, Any]]:
        page: dict[str, Any] = {}
        while True:
            with translated("list the client records"):
                start = {"ExclusiveStartKey": page["LastEvaluatedKey"]} if page else {}
                page = dict(self._table.scan(ConsistentRead=True, **asked, **start))
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return


def row(client: Client) -> dict[str, Any]:
    """The record as a row of the table: plain maps and lists, amounts as Decimal, nothing that is not set."""
    plain: dict[str, Any] = json.loads(client.model_dump_json(exclude_none=True))
    if client.exchange_rate is not None:
        plain["exchange_rate"]["rate"] = client.exchange_rate.rate
    if client.monthly_budget is not None:
        plain["monthly_budget"] = client.monthly_budget
    return plain
