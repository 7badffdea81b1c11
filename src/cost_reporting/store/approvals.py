"""Held reports in the outcomes table: one item per report, moved under conditions only, and who approved how many."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from cost_reporting import aws
from cost_reporting.approvals import Held, State
from cost_reporting.periods import present_name, stored_names
from cost_reporting.store.translation import translated


class ApprovalStore:
    """Items ``HELD#<cadence>#<period>#<issue>`` / ``<client_id>``, and ``APPROVED#<client_id>``: a set of reports.

    The set is written after the item. If only the item was, one report more is held than was asked: never one less.
    """

    def __init__(self, table: str) -> None:
        self._table = aws.table(table)

    def find(self, key: str, client_id: str) -> Held | None:
        """The item as it is now; ``key`` is :func:`~cost_reporting.approvals.held_key`."""
        items = (self._get(name, client_id) for name in stored_names(f"HELD#{key}"))
        item = next((item for item in items if item is not None), None)
        return None if item is None else _held(item)

    def of_issue(self, key: str) -> Iterator[Held]:
        """The items of all clients' reports of a period and issue, as :meth:`find` has them."""
        found: dict[str, Held] = {}
        for name in stored_names(f"HELD#{key}"):
            for held in self._all(name):
                found.setdefault(held.client_id, held)
        return iter(found.values())

    def _all(self, pk: str) -> Iterator[Held]:
        page: dict[str, Any] = {}
        while True:
            with translated("read the held reports"):
                start = {"ExclusiveStartKey": page["LastEvaluatedKey"]} if page else {}
                page = dict(
                    self._table.query(
                        KeyConditionExpression="pk = :pk",
                        ExpressionAttributeValues={":pk": pk},
                        ConsistentRead=True,
                        **start,
                    )
                )
            yield from map(_held, page["Items"])
            if "LastEvaluatedKey" not in page:
                return

    def approved(self, client_id: str) -> frozenset[str]:
        """The client's reports that were ever approved, by their names."""
        item = self._get(f"APPROVED#{client_id}", "REPORTS")
        return frozenset(present_name(report) for report in item["reports"]) if item else frozenset()

    def hold(self, key: str, held: Held, *, replacing: Held | None) -> bool:
        """Write ``held`` if the table still says ``replacing``. False: another writer was first.

        One that an older version has stored under another name stays there, and is not found any more.
        """
        there = replacing is not None and replacing.report.endswith(f"#{key}#live")
        return self._put(key, held, replacing if there else None)

    def decide(self, key: str, found: Held, state: State, *, by: str, reason: str | None, at: datetime) -> Held | None:
        """Move a HELD item to APPROVED or REJECTED. None: it is not that item any more."""
        decided = found.model_copy(update={"state": state, "by": by, "reason": reason, "decided_at": at})
        if not self._put(key, decided, found):
            return None
        return decided

    def count(self, held: Held) -> None:
        """Write down that the report was approved. Doing it again changes nothing."""
        with translated("count an approval"):
            self._table.update_item(
                Key={"pk": f"APPROVED#{held.client_id}", "sk": "REPORTS"},
                UpdateExpression="ADD reports :report",
                ExpressionAttributeValues={":report": {held.report}},
            )

    def _get(self, pk: str, sk: str) -> dict[str, Any] | None:
        with translated("read the held reports"):
            return self._table.get_item(Key={"pk": pk, "sk": sk}, ConsistentRead=True).get("Item")

    def _put(self, key: str, held: Held, replacing: Held | None) -> bool:
        item = {"pk": f"HELD#{key}", "sk": held.client_id} | held.model_dump(mode="json", exclude_none=True)
        with translated("write the held reports"):
            try:
                if replacing is None:
                    self._table.put_item(Item=item, ConditionExpression="attribute_not_exists(pk)")
                else:
                    self._table.put_item(
                        Item=item,
                        ConditionExpression="#state = :state AND pdf_sha256 = :sha AND run_id = :run",
                        ExpressionAttributeNames={"#state": "state"},
                        ExpressionAttributeValues={
                            ":state": replacing.state,
                            ":sha": replacing.pdf_sha256,
                            ":run": replacing.run_id,
                        },
                    )
            except aws.Refused as refused:
                if aws.code(refused) == "ConditionalCheckFailedException":
                    return False
                raise
        return True


def _held(item: dict[str, Any]) -> Held:
    return Held.model_validate({name: value for name, value in item.items() if name not in ("pk", "sk")})
