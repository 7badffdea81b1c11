"""Rows of a table of clients as they are, sound or not."""

from collections.abc import Mapping
from typing import Any

from cost_reporting import aws
from cost_reporting.store.translation import translated


class RowStore:
    """A table with the key ``client_id``: the clients table, or one that was made from its backup."""

    def __init__(self, table: str) -> None:
        self._name = table
        self._table = aws.table(table)

    def all(self) -> dict[str, Mapping[str, Any]]:
        """Every row by its client id."""
        found: dict[str, Mapping[str, Any]] = {}
        page: dict[str, Any] = {}
        while True:
            with translated(f"read {self._name}"):
                more = {"ExclusiveStartKey": page["LastEvaluatedKey"]} if page else {}
                page = dict(self._table.scan(ConsistentRead=True, **more))
            found |= {str(row["client_id"]): row for row in page["Items"]}
            if "LastEvaluatedKey" not in page:
                return found
