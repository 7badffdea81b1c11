"""Client records, for reading. Only ``store/records.py`` writes them, each change with a version."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from cost_reporting import aws
from cost_reporting.clients import Client, ReportRecord, parse_client, parse_report_record
from cost_reporting.errors import ClientUnknown
from cost_reporting.soundness import Standpoint, today
from cost_reporting.store.translation import translated


class ClientStore:
    """The clients table, or one made from its backup. Rows are also written by hand, so each is parsed when used.

    With a clock a record with a rate from the future is refused, with a ``partition`` one that leads to another one.
    """

    def __init__(self, table: str, *, now: Callable[[], datetime] | None = None, partition: str | None = None) -> None:
        self._table = aws.table(table)
        self._now = now
        self._partition = partition

    def _at(self) -> Standpoint:
        return Standpoint(None if self._now is None else today(self._now()), self._partition)

    def find(self, client_id: str) -> Mapping[str, Any] | None:
        """The row as it stands there, whatever it is."""
        with translated("read a client record"):
            return self._table.get_item(Key={"client_id": client_id}, ConsistentRead=True).get("Item")

    def get(self, client_id: str) -> Client:
        """The client's record. Raises ClientUnknown, or ClientMisconfigured naming the fields that are wrong."""
        row = self.find(client_id)
        if row is None:
            raise ClientUnknown(f"{client_id}: no such client record")
        return parse_client(row, self._at())

    def shown(self, client_id: str) -> ReportRecord:
        """What the client's report shows of its record, and nothing else of it: raises as :meth:`get` does.

        The attributes are named in the request, because Render PDF's role allows it no others. They are named without
        placeholders, so none of them may be a reserved word of DynamoDB.
        """
        with translated("read what a report shows of a client record"):
            row = self._table.get_item(
                Key={"client_id": client_id},
                ConsistentRead=True,
                ProjectionExpression=", ".join(ReportRecord.model_fields),
            ).get("Item")
        if row is None:
            raise ClientUnknown(f"{client_id}: no such client record")
        return parse_report_record(row, self._at())

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
