"""Runs in the outcomes table: what was asked, how each client ended, the verdicts, and who has which report."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

from pydantic import AwareDatetime

from cost_reporting import aws
from cost_reporting.contracts import Cadence, Fact, Issue, Outcome, Period, Run, StoredObject, Worklist
from cost_reporting.domain.report_status import Ended, Hold, Mark
from cost_reporting.ledger import issue_key
from cost_reporting.outcomes import OutcomeKept, RunKept, RunListed
from cost_reporting.periods import label, month_of, stored_names
from cost_reporting.store.translation import translated

_LISTED_SIZE: Final = 250_000
"""Bytes of client ids in one item: DynamoDB takes 400 KB (Developer Guide, "Quotas in Amazon DynamoDB")."""


class Begun(Fact):
    """A run as it began. ``worklist`` is the list of its first pass as it was stored."""

    run: Run
    client_count: int
    execution_id: str
    started_at: AwareDatetime
    worklist: StoredObject


class RunOnRecord(Fact):
    """All that is on record about a run, read at once.

    ``client_ids`` are those of the first pass, in order; None if an older version began the run, which did not keep
    them. ``verdicts`` say of each pass that failed how often the execution had been redriven when it was judged; an
    older version did not keep that, and it counts as 0.
    """

    begun: Begun | None
    client_ids: tuple[str, ...] | None
    outcomes: dict[str, Outcome]
    verdicts: dict[int, int]


class Delivered(Fact):
    """That a client has a report: by which run, and when."""

    run_id: str
    at: AwareDatetime


class RunStore:
    """Items ``RUN#<run_id>`` (the run, its clients, their outcomes, its verdicts), by ``<cadence>#<period>#<issue>``:

    ``DELIVERED#`` who has the report, ``FAILED#`` how a client ended last without it, ``EXPECTED#``
    the worklists of the runs for all clients. ``HELD#`` is who waits for an approval.

    ``MOMENT#`` says which execution works on a moment of a schedule. ``RUNS#<yyyy-mm>`` lists the runs of a month by
    their start, so that no reader has to scan the table for them.
    """

    def __init__(self, table: str) -> None:
        self._table = aws.table(table)

    def claim(self, issue: str, moment: datetime, execution_id: str) -> str:
        """The execution that works on this moment of a schedule: ``execution_id``, or another that came first.

        A claim of our own is met again when botocore or the state machine repeats a call whose answer was lost.
        """
        item = _moment_key(issue, moment) | {"execution_id": execution_id}
        with translated("claim the moment"):
            try:
                self._table.put_item(
                    Item=item,
                    ConditionExpression="attribute_not_exists(pk) OR execution_id = :mine",
                    ExpressionAttributeValues={":mine": execution_id},
                )
            except aws.Refused as refused:
                if aws.code(refused) != "ConditionalCheckFailedException":
                    raise
                return self._claimed_by(issue, moment) or self.claim(issue, moment, execution_id)
        return execution_id

    def take_over(self, issue: str, moment: datetime, execution_id: str, *, ended: str) -> str:
        """Move the claim from the execution ``ended`` to ours, if no other has done so. Returns whose it is now."""
        item = _moment_key(issue, moment) | {"execution_id": execution_id}
        with translated("take over the moment"):
            try:
                self._table.put_item(
                    Item=item,
                    ConditionExpression="execution_id = :ended OR execution_id = :mine",
                    ExpressionAttributeValues={":ended": ended, ":mine": execution_id},
                )
            except aws.Refused as refused:
                if aws.code(refused) != "ConditionalCheckFailedException":
                    raise
                return self._claimed_by(issue, moment) or self.claim(issue, moment, execution_id)
        return execution_id

    def _claimed_by(self, issue: str, moment: datetime) -> str | None:
        key = _moment_key(issue, moment)
        found = next((item for item in self._query(key["pk"], key["sk"])), None)
        return None if found is None else str(found["execution_id"])

    def begin(
        self, worklist: Worklist, execution_id: str, started_at: datetime, *, client_ids: Iterable[str] = ()
    ) -> None:
        """Write down that the run has begun, for which execution, and with which clients.

        It is listed first, so that no run is on record that a list of the runs lacks. The ids are a second home of the
        worklist's: with them Settle Run can name a client that the worklist in the bucket has lost.
        """
        run, started = worklist.run, started_at.astimezone(UTC).isoformat(timespec="milliseconds")
        self._put(
            _list_pk(started_at),
            f"{started}#{run.run_id}",
            {
                "run_id": run.run_id,
                "cadence": run.cadence,
                "period": label(run.period),
                "issue": run.issue,
                "mode": run.mode,
                "client_count": worklist.client_count,
                "execution_id": execution_id,
                "started_at": started,
            },
        )
        for number, part in enumerate(_parts(client_ids)):
            told = {"client_ids": part, "worklist_sha256": worklist.worklist.sha256}
            self._put(_run_pk(run.run_id), f"LISTED#{number:04d}", told)
        self._put(
            _run_pk(run.run_id),
            "RUN",
            worklist.model_dump(mode="json", exclude_none=True)
            | {"execution_id": execution_id, "started_at": started_at.isoformat()},
        )

    def record(self, run: Run, outcome: Outcome, at: datetime) -> Outcome:
        """Write down how a client's part of the run ended. Returns the outcome that stands.

        FAILED and LATE are replaced by what a later pass writes. Every other outcome is settled: a client that has one
        is in no later pass of its run, so a FAILED or LATE that comes after it is an old call that was repeated late.
        Likewise LATE comes only before FAILED, since a redriven client is on its last look.
        """
        item = (
            {"pk": _run_pk(run.run_id), "sk": f"OUTCOME#{outcome.client_id}"}
            | outcome.model_dump(mode="json", exclude_none=True)
            | {"at": at.isoformat()}
        )
        replaced = {"FAILED": ["FAILED", "LATE"], "LATE": ["LATE"]}.get(outcome.status)
        if replaced is None:
            self._put(item.pop("pk"), item.pop("sk"), item)
            return outcome
        values = {f":{name.lower()}": name for name in replaced}
        with translated("write the outcomes table"):
            try:
                self._table.put_item(
                    Item=item,
                    ConditionExpression=f"attribute_not_exists(pk) OR #status IN ({', '.join(values)})",
                    ExpressionAttributeNames={"#status": "status"},
                    ExpressionAttributeValues=values,
                )
            except aws.Refused as refused:
                if aws.code(refused) != "ConditionalCheckFailedException":
                    raise
                stands = self.recorded_of(run.run_id, outcome.client_id)
                return outcome if stands is None else stands.outcome
        return outcome

    def outcomes(self, run_id: str) -> dict[str, Outcome]:
        """How each client ended, by client id, as far as it is known."""
        items = self._query(_run_pk(run_id), "OUTCOME#")
        return {
            item["client_id"]: Outcome.model_validate({k: v for k, v in item.items() if k not in ("pk", "sk", "at")})
            for item in items
        }

    def begun(self, run_id: str) -> Begun | None:
        """How the run began, or None if no run of that id ever did."""
        item = self._get(_run_pk(run_id), "RUN")
        return None if item is None else _begun(item)

    def recorded(self, run_id: str) -> dict[str, OutcomeKept]:
        """How each client ended, and when, by client id, as far as it is known."""
        return {item["client_id"]: _recorded(item) for item in self._query(_run_pk(run_id), "OUTCOME#")}

    def recorded_of(self, run_id: str, client_id: str) -> OutcomeKept | None:
        """How one client ended, and when, if it is known."""
        item = self._get(_run_pk(run_id), f"OUTCOME#{client_id}")
        return None if item is None else _recorded(item)

    def delivered_at(self, cadence: Cadence, period: Period, issue: Issue, client_id: str) -> Delivered | None:
        """The mark that the client has a report, if it has."""
        names = stored_names(f"DELIVERED#{cadence}#{label(period)}#{issue}")
        item = next((found for name in names if (found := self._get(name, client_id))), None)
        return None if item is None else Delivered.model_validate({"run_id": item["run_id"], "at": item["at"]})

    def listed(self, start: datetime, end: datetime) -> Iterator[RunListed]:
        """The runs that began from ``start`` on and before ``end``, in that order."""
        month = start.astimezone(UTC).date().replace(day=1)
        while month <= end.astimezone(UTC).date():
            for item in self._query(f"RUNS#{month:%Y-%m}"):
                listed = RunListed.model_validate(_without_keys(item))
                if start <= listed.started_at < end:
                    yield listed
            month = month_of(month).end

    def kept(self, listed: RunListed) -> RunKept:
        """All that is on record about a run."""
        items = list(self._query(_run_pk(listed.run_id)))
        outcomes = [item for item in items if item["sk"].startswith("OUTCOME#")]
        verdicts = [int(item["failed"]) for item in items if item["sk"].startswith("VERDICT#")]
        return RunKept(
            listed=listed,
            recorded=tuple(_recorded(item) for item in outcomes),
            verdicts=tuple(verdicts),
        )

    def on_record(self, run_id: str) -> RunOnRecord:
        """All that is on record about a run, by one query."""
        items = list(self._query(_run_pk(run_id)))
        begun = next((_begun(item) for item in items if item["sk"] == "RUN"), None)
        listed = [
            item
            for item in items
            if item["sk"].startswith("LISTED#") and begun and item["worklist_sha256"] == begun.worklist.sha256
        ]
        return RunOnRecord(
            begun=begun,
            client_ids=tuple(client_id for item in listed for client_id in item["client_ids"])
            if listed or (begun is not None and begun.client_count == 0)
            else None,
            outcomes={
                item["client_id"]: _recorded(item).outcome for item in items if item["sk"].startswith("OUTCOME#")
            },
            verdicts={
                int(item["sk"].partition("#")[2]): int(item.get("redrives", 0))
                for item in items
                if item["sk"].startswith("VERDICT#")
            },
        )

    def judge(self, run_id: str, pass_number: int, failed: int, at: datetime, *, redrives: int) -> None:
        """Put the verdict of a pass on record. Once more with the same ``redrives`` it is the same verdict."""
        told = {"failed": failed, "redrives": redrives, "at": at.isoformat()}
        self._put(_run_pk(run_id), f"VERDICT#{pass_number:04d}", told)

    def mark_delivered(self, run: Run, outcome: Outcome, at: datetime) -> None:
        """Write down that the client has this report of this period."""
        self._put(
            _delivered_pk(run),
            outcome.client_id,
            {
                "run_id": run.run_id,
                "report_key": outcome.report_key,
                "recipients": outcome.recipients,
                "at": at.isoformat(),
            },
        )

    def mark_ended(self, run: Run, outcome: Outcome, at: datetime) -> None:
        """Write down how the client ended without this report, replacing what an earlier run wrote."""
        fields = {"status", "error", "stage", "message", "remedy"}
        told = outcome.model_dump(mode="json", include=fields, exclude_none=True)
        self._put(f"FAILED#{issue_key(run)}", outcome.client_id, told | {"run_id": run.run_id, "at": at.isoformat()})

    def expect(self, worklist: Worklist, at: datetime) -> None:
        """Write down that a run for everybody has begun, and whom it is about to report to."""
        told = {"pass_number": worklist.pass_number, "client_count": worklist.client_count, "at": at.isoformat()}
        self._put(f"EXPECTED#{issue_key(worklist.run)}", worklist.run.run_id, told)

    def expected(self, issue: str) -> dict[str, datetime]:
        """The runs for everybody that were begun for ``issue`` (an :func:`issue_key`), and when."""
        return {item["sk"]: datetime.fromisoformat(item["at"]) for item in self._named(f"EXPECTED#{issue}")}

    def marks(self, issue: str) -> dict[str, Mark]:
        """Who has the report of ``issue``, by client id."""
        return {item["sk"]: _mark(item) for item in self._named(f"DELIVERED#{issue}")}

    def mark_of(self, issue: str, client_id: str) -> Mark | None:
        """The same of one client."""
        found = self._each_named(f"DELIVERED#{issue}", client_id)
        return _mark(found[-1]) if found else None

    def ends(self, issue: str) -> dict[str, Ended]:
        """How clients ended last without the report of ``issue``, by client id."""
        items = sorted(self._named(f"FAILED#{issue}"), key=lambda item: str(item["at"]))
        return {item["sk"]: _ended(item) for item in items}

    def end_of(self, issue: str, client_id: str) -> Ended | None:
        """The same of one client."""
        found = sorted(self._each_named(f"FAILED#{issue}", client_id), key=lambda item: str(item["at"]))
        return _ended(found[-1]) if found else None

    def held(self, issue: str) -> dict[str, Hold]:
        """Whose report of ``issue`` needs, or needed, an approval, by client id."""
        return {item["sk"]: _hold(item) for item in self._named(f"HELD#{issue}")}

    def hold_of(self, issue: str, client_id: str) -> Hold | None:
        """The same of one client."""
        found = self._each_named(f"HELD#{issue}", client_id)
        return _hold(found[-1]) if found else None

    def since(self) -> datetime:
        """When the table was made: no schedule can have led to anything before."""
        with translated("describe the outcomes table"):
            return self._table.creation_date_time

    def delivered(self, run: Run) -> frozenset[str]:
        """The clients that have this report of this period already."""
        return frozenset(item["sk"] for item in self._named(_delivered_pk(run)))

    def _named(self, pk: str) -> Iterator[dict[str, Any]]:
        """The items of a partition; those that an older version has stored under another name come first."""
        return (item for name in reversed(stored_names(pk)) for item in self._query(name))

    def _each_named(self, pk: str, sk: str) -> list[dict[str, Any]]:
        """The items of one client, in the order of :meth:`_named`: the last one counts."""
        found = (self._get(name, sk) for name in reversed(stored_names(pk)))
        return [item for item in found if item is not None]

    def _put(self, pk: str, sk: str, values: dict[str, Any]) -> None:
        with translated("write the outcomes table"):
            self._table.put_item(Item={"pk": pk, "sk": sk} | values)

    def _get(self, pk: str, sk: str) -> dict[str, Any] | None:
        with translated("read the outcomes table"):
            return self._table.get_item(Key={"pk": pk, "sk": sk}, ConsistentRead=True).get("Item")

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


def _begun(item: dict[str, Any]) -> Begun:
    return Begun.model_validate({k: v for k, v in item.items() if k in Begun.model_fields})


def _moment_key(issue: str, moment: datetime) -> dict[str, str]:
    return {"pk": f"MOMENT#{issue}", "sk": moment.astimezone(UTC).isoformat(timespec="seconds")}


def _parts(client_ids: Iterable[str]) -> Iterator[list[str]]:
    part: list[str] = []
    size = 0
    for client_id in client_ids:
        if part and size + len(client_id.encode()) > _LISTED_SIZE:
            yield part
            part, size = [], 0
        part.append(client_id)
        size += len(client_id.encode()) + 4
    if part:
        yield part


def _recorded(item: dict[str, Any]) -> OutcomeKept:
    outcome = {k: v for k, v in _without_keys(item).items() if k != "at"}
    return OutcomeKept.model_validate({"outcome": outcome, "at": item["at"]})


def _mark(item: dict[str, Any]) -> Mark:
    return Mark(recipients=int(item.get("recipients", 0)), at=item["at"])


def _ended(item: dict[str, Any]) -> Ended:
    return Ended.model_validate({k: v for k, v in item.items() if k in Ended.model_fields})


def _hold(item: dict[str, Any]) -> Hold:
    return Hold.model_validate({k: v for k, v in item.items() if k in Hold.model_fields})


def _run_pk(run_id: str) -> str:
    return f"RUN#{run_id}"


def _list_pk(started_at: datetime) -> str:
    return f"RUNS#{started_at.astimezone(UTC):%Y-%m}"


def _without_keys(item: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name not in ("pk", "sk")}


def _delivered_pk(run: Run) -> str:
    return f"DELIVERED#{issue_key(run)}"
