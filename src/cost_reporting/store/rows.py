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

    def put(self, row: Mapping[str, Any], *, instead_of: Mapping[str, Any] | None) -> bool:
        """Put a row where ``instead_of`` stands, or nothing does. False: something else stands there by now."""
        names: dict[str, str] = {}
        values: dict[str, Any] = {}
        if instead_of is None:
            condition = "attribute_not_exists(client_id)"
        else:
            fields = sorted({*instead_of, *row} - {"client_id"})
            names = {f"#{at}": field for at, field in enumerate(fields)}
            values = {f":{at}": instead_of[field] for at, field in enumerate(fields) if field in instead_of}
            same = [
                f"#{at} = :{at}" if f":{at}" in values else f"attribute_not_exists(#{at})" for at in range(len(fields))
            ]
            condition = " AND ".join(["attribute_exists(client_id)", *same])
        more: dict[str, Any] = {"ExpressionAttributeNames": names, "ExpressionAttributeValues": values}
        with translated(f"write {self._name}"):
            try:
                self._table.put_item(
                    Item=dict(row),
                    ConditionExpression=condition,
                    **{name: given for name, given in more.items() if given},
                )
            except aws.Refused as refused:
                if aws.code(refused) == "ConditionalCheckFailedException":
                    return False
                raise
        return True
