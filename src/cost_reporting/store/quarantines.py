"""What was done about recipients, in the outcomes table: a client's items `RECIPIENT#<fingerprint>#<at>`, for good."""

from collections.abc import Iterator
from typing import Any

from cost_reporting import aws
from cost_reporting.quarantine import Deeded
from cost_reporting.store.records import Along
from cost_reporting.store.translation import translated


class QuarantineStore:
    """The audit trail of recipients. It holds fingerprints, and no address."""

    def __init__(self, table: str) -> None:
        self._name = table
        self._table = aws.table(table)

    def of(self, client_id: str) -> Iterator[Deeded]:
        """Everything that was ever done about the client's recipients; for each of them in the order of time."""
        page: dict[str, Any] = {}
        while True:
            with translated("read what was done about recipients"):
                page = dict(
                    self._table.query(
                        KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
                        ExpressionAttributeValues={":pk": f"CLIENT#{client_id}", ":sk": "RECIPIENT#"},
                        ConsistentRead=True,
                        **({"ExclusiveStartKey": page["LastEvaluatedKey"]} if page else {}),
                    )
                )
            for item in page["Items"]:
                yield Deeded.model_validate({name: item[name] for name in item if name not in ("pk", "sk")})
            if "LastEvaluatedKey" not in page:
                return

    def noting(self, client_id: str, deed: Deeded) -> Along:
        """Writing it down, as a part of the transaction that writes the record."""
        key = {"pk": f"CLIENT#{client_id}", "sk": f"RECIPIENT#{deed.recipient}#{deed.at.isoformat()}"}
        item = key | deed.model_dump(mode="json", exclude_none=True)
        put = {"TableName": self._name, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}
        return Along(f"what was done about recipients of {client_id}", {"Put": put})
