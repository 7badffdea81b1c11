"""Runs in the outcomes table: what was asked, how each client ended, the verdicts, and who has which report."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from cost_reporting import aws
from cost_reporting.contracts import Outcome, Run, Worklist
from cost_reporting.periods import label
from cost_reporting.store.translation import translated


class RunStore:
    """Items ``RUN#<run_id>`` (the run, its outcomes, its verdicts) and ``DELIVERED#<cadence>#<period>#<issue>``."""

    def __init__(self, table: str) -> None:
        self._table = aws.table(table)

    def begin(self, worklist: Worklist, execution_id: str, started_at: datetime) -> None:
        """Write down that the run has begun, for which execution, and with how many clients."""
        self._put(
            _run_pk(worklist.run.run_id),
            "RUN",
            worklist.model_dump(mode="json", exclude_none=True)
            | {"execution_id": execution_id, "started_at": started_at.isoformat()},
        )

    def record(self, run: Run, outcome: Outcome, at: datetime) -> None:
        """Write down how a client's part of the run ended, replacing what an earlier pass wrote."""
        self._put(
            _run_pk(run.run_id),
            f"OUTCOME#{outcome.client_id}",
            outcome.model_dump(mode="json", exclude_none=True) | {"at": at.isoformat()},
        )

    def outcomes(self, run_id: str) -> dict[str, Outcome]:
        """How each client ended, by client id, as far as it is known."""
        items = self._query(_run_pk(run_id), "OUTCOME#")
        return {
            item["client_id"]: Outcome.model_validate({k: v for k, v in item.items() if k not in ("pk", "sk", "at")})
            for item in items
        }

    def judge(self, run_id: str, pass_number: int, failed: int, at: datetime) -> bool:
        """Put the verdict of a pass on record. False: it was there already, so somebody has asked again."""
        item: dict[str, str | int] = {
            "pk": _run_pk(run_id),
            "sk": f"VERDICT#{pass_number:04d}",
            "failed": failed,
            "at": at.isoformat(),
        }
        with translated("record the verdict"):
            try:
                self._table.put_item(Item=item, ConditionExpression="attribute_not_exists(pk)")
            except aws.Refused as refused:
                if aws.code(refused) == "ConditionalCheckFailedException":
                    return False
                raise
        return True

    def mark_delivered(self, run: Run, outcome: Outcome, at: datetime) -> None:
        """Write down that the client has this report of this period."""
        self._put(
            _delivered_pk(run),
            outcome.client_id,
            {"run_id": run.run_id, "report_key": outcome.report_key, "at": at.isoformat()},
        )

    def delivered(self, run: Run) -> frozenset[str]:
        """The clients that have this report of this period already."""
        return frozenset(item["sk"] for item in self._query(_delivered_pk(run)))

    def _put(self, pk: str, sk: str, values: dict[str, Any]) -> None:
        with translated("write the outcomes table"):
            self._table.put_item(Item={"pk": pk, "sk": sk} | values)

    def _query(self, pk: str, prefix: str = "") -> Iterator[dict[str, Any]]:
        names = {":pk": pk} | ({":sk": prefix} if prefix else {})
        condition = "pk = :pk" + (" AND begins_with(sk, :sk)" if prefix else "")
        page: dict[str, Any] = {}
        while True:
            with translated("read the outcomes table"):
                page = dict(
                    self._table.query(
                        KeyConditionExpression=condition,
                        ExpressionAttributeValues=names,
                        ConsistentRead=True,
                        **({"ExclusiveStartKey": page["LastEvaluatedKey"]} if page else {}),
                    )
                )
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return


def _run_pk(run_id: str) -> str:
    return f"RUN#{run_id}"


def _delivered_pk(run: Run) -> str:
    return f"DELIVERED#{run.cadence}#{label(run.period)}#{run.issue}"
