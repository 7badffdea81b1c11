"""What a story of the table can do: run, redrive, act between two calls, and be an operator, SES or another writer."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cost_reporting.approvals import held_key
from cost_reporting.clients import Client, RoleAccess
from cost_reporting.contracts import Run
from cost_reporting.errors import NotHeld
from cost_reporting.ledger import Entry, fingerprint, report_key, report_tag
from cost_reporting.operations import approve
from cost_reporting.store.approvals import ApprovalStore
from cost_reporting.store.objects import report_prefix, run_prefix
from local import evidence
from tests.faults.rows import Crime

if TYPE_CHECKING:
    from tests.faults.laboratory import End, Laboratory, Result

SOON = 180.0
"""Seconds in which what a story waits for has happened."""


class Scene:
    """A client of a story, and all that can happen to it. Each execution's end is noted with the row's result."""

    def __init__(self, laboratory: Laboratory, result: Result, client: Client, asked: dict[str, Any]) -> None:
        self._lab, self._result, self.client, self._asked = laboratory, result, client, asked
        self._crimes: list[Crime] = list(result.row.crimes)
        self._now, self._stands = "", False
        self._forbidden_since: int | None = None
        self._addresses = set(client.recipients)
        self._runs: dict[str, tuple[str, Run]] = {}
        self._last = ""
        self._other: Client | None = None
        self._had_before: set[str] = set()
        self._approvals = ApprovalStore(laboratory.stack.names.outcomes_table)
        if client.approve_first:
            self.forbid()

    # -- executions ---------------------------------------------------------------------------------------------------

    def start(self, **changes: Any) -> str:
        """Start an execution of the row's request with these fields changed; a None leaves the field out."""
        asked = {name: value for name, value in (self._asked | changes).items() if value is not None}
        if self._other is not None and self._other.client_id in asked.get("client_ids", ()):
            self._addresses |= set(self._other.recipients)
        arn = self._lab.start(asked, f"{self.client.client_id}-{len(self._runs)}")
        self._runs[arn] = (arn, self._lab.run_of(asked, arn))
        self._last = arn
        return arn

    def wait(self, arn: str) -> End:
        """The end of an execution, held against the truth."""
        run = self.run_of(arn)
        end = self._lab.wait(arn, self.client.client_id, run)
        self._result.ends.append(end)
        missing = [to for to in self.client.recipients if to not in self._had_before and not self.mails()[to]]
        if (
            end.status == "SUCCEEDED"
            and end.outcome
            and end.outcome.status == "SENT"
            and run.mode == "live"
            and missing
        ):
            self.wrong(f"it says SENT, and {', '.join(missing)} got nothing")
        if end.error == "RunIncomplete" and (
            "Remedy: " not in end.said or f"{self.client.client_id}: " not in end.said
        ):
            self.wrong(f"the run failed, and does not say whom for: {end.said}")
        if end.outcome is not None and end.outcome.total not in (None, self._lab.truth(self.client, run)):
            self.wrong(f"the outcome says {end.outcome.total}")
        return end

    def run(self, *, at: str = "", when: str = "before", do: Callable[[], object] | None = None, **changes: Any) -> End:
        """An execution to its end. ``do`` happens once, while the execution stands still at the place ``at``."""
        if do is None:
            return self.wait(self.start(**changes))
        with_pause = self._pause(at, when, do)
        end = self.wait(self.start(**changes))
        with_pause.join(SOON)
        return end

    def wait_for_all(self, arns: list[str]) -> None:
        """The ends of executions that began at once, which of them ended how being left to chance."""
        before = len(self._result.ends)
        for arn in arns:
            self.wait(arn)
        self._result.ends[before:] = sorted(self._result.ends[before:], key=lambda end: (len(end.word), end.word))

    def aside(self, **changes: Any) -> None:
        """Another execution, to its end, which must be a good one and does not count among the story's."""
        last, arn = self._last, self.start(**changes)
        end = self._lab.wait(arn, self.client.client_id, self.run_of(arn))
        self._last = last
        if end.status != "SUCCEEDED":
            self.wrong(f"the other execution ended in {end.word}")

    def redrive(self, *, at: str = "", do: Callable[[], object] | None = None) -> End:
        """A redrive of the last execution, as the console's button does it."""
        pause = self._pause(at, "before", do) if do else None
        self._lab.states.redrive_execution(executionArn=self._last)
        end = self.wait(self._last)
        if pause:
            pause.join(SOON)
        return end

    def abort(self) -> None:
        """Stop the last execution."""
        self._lab.states.stop_execution(executionArn=self._last)

    def entered(self, state: str) -> None:
        """Wait until the last execution is in ``state``."""
        self._until(
            lambda: any(
                event.get("stateEnteredEventDetails", {}).get("name") == state
                for event in self._lab.states.get_execution_history(executionArn=self._last, maxResults=1000)["events"]
            ),
            f"the execution did not come to {state}",
        )

    def run_of(self, arn: str = "") -> Run:
        """The run of an execution; of the next one, if there was none yet."""
        return self._runs[arn or self._last][1] if self._runs else self._lab.run_of(self._asked, "none")

    # -- faults -------------------------------------------------------------------------------------------------------

    def fault(self, *crimes: Crime) -> None:
        """From now on, these happen as well."""
        self._crimes += crimes
        self._plan()

    def rules(self, *rules: dict[str, Any]) -> None:
        """From now on, these happen to calls."""
        self._lab.proxy.order(self.client.client_id, rules)

    def lift(self) -> None:
        """All is well again."""
        self._lab.proxy.lift(self.client.client_id)
        self._crimes = [Crime("none/none") for _ in self._crimes]
        self._plan()

    def clock(self, moment: datetime, *, stands: bool = False) -> None:
        """The product's clock says ``moment``, and goes on from there, or stands still."""
        self._now, self._stands = moment.isoformat(), stands
        self._plan()

    def late(self, looks: int) -> None:
        """So many looks at the client find no figures."""
        access = self.client.access
        assert isinstance(access, RoleAccess)
        self._lab.stack.emulator.late(access.role_arn.split(":")[4], looks)

    def _plan(self) -> None:
        plan: dict[str, Any] = {"faults": [vars(crime) for crime in self._crimes]}
        if self._now:
            plan |= {"now": self._now, "since": datetime.now(UTC).isoformat(), "stands": self._stands}
        path = self._lab.plans / f"{self.client.client_id}.json"
        written = path.with_suffix(".new")
        written.write_text(json.dumps(plan))
        written.replace(path)

    def _pause(self, at: str, when: str, do: Callable[[], object]) -> threading.Thread:
        number = len(self._crimes)
        self.fault(Crime(at, when, "wait"))  # type: ignore[arg-type]
        reached = self._lab.plans / f"{self.client.client_id}.{number}.reached"

        def act() -> None:
            try:
                self._until(reached.exists, f"no function came to {at}")
                do()
            except Exception as trouble:  # noqa: BLE001 - told with the row
                self.wrong(f"at {at}: {type(trouble).__name__}: {trouble}")
            finally:
                reached.with_suffix(".go").touch()

        thread = threading.Thread(target=act, daemon=True)
        thread.start()
        return thread

    # -- the operator -------------------------------------------------------------------------------------------------

    def put(self, **changes: Any) -> None:
        """Change the client's record."""
        self.client = self.client.model_copy(update=changes)
        self._addresses |= set(self.client.recipients)
        self._lab.put(self.client)

    def suspend(self, *, begun: bool = False) -> None:
        """Suspend the client. ``begun``: SES is being asked already, or an operator names the client nevertheless."""
        self.put(status="suspended")
        if not begun:
            self.forbid()

    def resume(self) -> None:
        """The client is active again."""
        self.allow()
        self.put(status="active")

    def remove(self) -> None:
        """Remove the client's record."""
        table = self._lab.machine.client("dynamodb")
        key = {"client_id": {"S": self.client.client_id}}
        table.delete_item(TableName=self._lab.stack.names.clients_table, Key=key)
        self.forbid()

    def approve(self) -> None:
        """Approve the held report, as `scripts/report.py approve` does."""
        approve.approve(self._held(), by="operator", reason=None, approvals=self._approvals, now=_now)
        self.allow()

    def reject(self) -> None:
        """Reject the held report."""
        approve.reject(self._held(), by="operator", reason="not right", approvals=self._approvals, now=_now)
        self.forbid()

    def _held(self) -> Any:
        found = self._approvals.find(held_key(self.run_of()), self.client.client_id)
        if found is None:
            raise NotHeld("nothing is held")
        return found

    def forbid(self) -> None:
        """From now on no mail to the client is wanted."""
        if self._forbidden_since is None:
            self._forbidden_since = self._accepted()

    def allow(self) -> None:
        """Mails are wanted again."""
        if self._forbidden_since is not None:
            self._result.against += self._accepted() - self._forbidden_since
            self._forbidden_since = None

    # -- another client -----------------------------------------------------------------------------------------------

    @property
    def other(self) -> Client:
        """A client of its own beside the story's. Its mails are counted with the story's once it is in a run."""
        if self._other is None:
            self._other = self._lab.spare.pop()
        return self._other

    def put_other(self, **changes: Any) -> None:
        """Change the other client's record, as by hand in the table."""
        self._other = self.other.model_copy(update=changes)
        self._lab.put(self._other)

    # -- the bucket ---------------------------------------------------------------------------------------------------

    def overwrite(self, name: str, change: Callable[[bytes], bytes] | None, *, keep_metadata: bool = True) -> None:
        """Change what is stored of the report below ``name…``, behind the product's back; None removes it."""
        prefix = report_prefix(self.run_of(), self.client.client_id)
        self._overwrite(f"{prefix}{name}", change, keep_metadata=keep_metadata)

    def overwrite_worklist(self, change: Callable[[bytes], bytes] | None) -> None:
        """The same of the run's worklist."""
        self._overwrite(f"{run_prefix(self.run_of().run_id)}worklist", change, keep_metadata=True)

    def _overwrite(self, key: str, change: Callable[[bytes], bytes] | None, *, keep_metadata: bool) -> None:
        s3, bucket = self._lab.machine.client("s3"), self._lab.stack.names.bucket
        found = [each["Key"] for each in s3.list_objects_v2(Bucket=bucket, Prefix=key).get("Contents", [])]
        if not found:
            self.wrong(f"nothing is stored below {key}")
        for each in found:
            if change is None:
                s3.delete_object(Bucket=bucket, Key=each)
                continue
            there = s3.get_object(Bucket=bucket, Key=each)
            kept = there["Metadata"] if keep_metadata else {}
            body = change(there["Body"].read())
            s3.put_object(Bucket=bucket, Key=each, Body=body, Metadata=kept, ContentType=there["ContentType"])

    def pdf(self) -> str:
        """The hash of the stored PDF."""
        s3, prefix = self._lab.machine.client("s3"), report_prefix(self.run_of(), self.client.client_id)
        head = s3.head_object(Bucket=self._lab.stack.names.bucket, Key=f"{prefix}report.pdf")
        return str(head["Metadata"]["sha256"])

    def logo(self, body: bytes, name: str = "logo.svg") -> None:
        """The client has this logo."""
        key = f"clients/{self.client.client_id}/{name}"
        kind = "image/svg+xml" if name.endswith(".svg") else "image/png"
        s3 = self._lab.machine.client("s3")
        s3.put_object(Bucket=self._lab.stack.names.bucket, Key=key, Body=body, ContentType=kind)
        self.put(branding=self.client.branding.model_copy(update={"logo": name}))

    # -- the ledger, and SES ------------------------------------------------------------------------------------------

    def entry(self, to: str = "") -> Entry | None:
        """What the ledger says of a recipient, the first if none is named."""
        return self._lab.entry(self.client, self.run_of(), to or self.client.recipients[0])

    def settled(self) -> Entry:
        """The entry, once SES's own events have arrived."""
        self._until(lambda: getattr(self.entry(), "state", "") not in ("", "SENDING", "SENT"), "SES's events are late")
        found = self.entry()
        assert found is not None
        return found

    def ledger_says(self, state: str) -> None:
        """Wrong, unless the entry is in ``state``."""
        found = self.entry()
        if found is None or found.state != state:
            self.wrong(f"the ledger says {found.state if found else 'nothing'}, not {state}")

    def stored_before(self, issue: str, state: str = "DELIVERED") -> None:
        """Write an entry as a version before has: under the name with ``issue``, and without what came later."""
        report = report_key(self.run_of(), self.client.client_id).replace("#preliminary#", f"#{issue}#")
        self._had_before |= set(self.client.recipients)
        for to in self.client.recipients:
            item = {
                "pk": f"LEDGER#{report}",
                "sk": f"TO#{fingerprint(to)}",
                "report": report,
                "recipient": fingerprint(to),
                "state": state,
                "updated_at": _now().isoformat(),
                "try_id": "try-of-before",
                "attempt": 1,
                "run_id": "run-of-before",
                "report_sha256": "0" * 64,
                "message_id": "of-before",
                "issue": "#".join(report.split("#")[1:4]),
            }
            self._table().put_item(Item=item)

    def sending_at(self, moment: datetime) -> None:
        """Another sender, with a clock of its own, has begun: its entry says SENDING at ``moment``."""
        report = report_key(self.run_of(), self.client.client_id)
        for to in self.client.recipients:
            entry = Entry(
                report=report,
                recipient=fingerprint(to),
                state="SENDING",
                updated_at=moment,
                began_at=moment,
                try_id="try-of-another",
                attempt=1,
                run_id="run-of-another",
                report_sha256="0" * 64,
            )
            self._lab.ledger.begin(entry, replacing=None)

    def _table(self) -> Any:
        endpoint = self._lab.stack.emulator.endpoint
        return (
            self._lab.stack.session()
            .resource("dynamodb", endpoint_url=endpoint)
            .Table(self._lab.stack.names.outcomes_table)
        )

    def event(self, kind: str, entry: Entry, *, fails: bool = False, tag: str = "", **more: Any) -> None:
        """SES tells ``kind`` of the mail that ``entry`` is about, through Record Delivery."""
        tags = {
            "client_id": [self.client.client_id],
            "report_id": [tag or report_tag(entry.report)],
            "run_id": [entry.run_id],
            "try_id": [entry.try_id],
        }
        mail = {"messageId": entry.message_id or "m-1", "destination": [self.client.recipients[0]], "tags": tags}
        event = {
            "source": "aws.ses",
            "detail-type": f"Email {kind}",
            "time": _now().isoformat(),
            "detail": {"eventType": kind, "mail": mail} | more,
        }
        functions = self._lab.machine.client("lambda")
        answer = functions.invoke(FunctionName="cost-reporting-record-delivery", Payload=json.dumps(event))
        said = json.loads(answer["Payload"].read())
        if ("FunctionError" in answer) != fails or (fails and said.get("errorType") != "ContractViolated"):
            self.wrong(f"Record Delivery says {said}")

    # -- the truth ----------------------------------------------------------------------------------------------------

    def wrong(self, what: str) -> None:
        """Something is not as it ought to be."""
        self._result.wrong.append(what)

    def says(self, end: End, *words: str) -> None:
        """Wrong, unless the run or its outcome says each of ``words``."""
        said = f"{end.said} {end.outcome.message if end.outcome else ''}"
        for word in words:
            if word not in said:
                self.wrong(f"it does not say {word!r}, but {said!r}")

    def mails(self) -> Counter[str]:
        """How many mails of any report SES has accepted for each of the client's recipients."""
        return Counter(to for message in self._messages() for to in message["to"] if to in self._addresses)

    def operators_mails(self) -> int:
        """How many mails of the client's the operators have got."""
        return sum(to not in self._addresses for message in self._messages() for to in message["to"])

    def close(self) -> None:
        """Hold what is there in the end against what the row declares."""
        self.allow()
        row, mails = self._result.row, self.mails()
        self._result.mails = sum(mails.values())
        for to in sorted(self._addresses):
            if mails[to] > row.mails:
                self._result.doubles.append(f"{to} got it {mails[to]} times, not {row.mails}")
            if mails[to] < row.mails:
                self._result.lost.append(f"{to} got it {mails[to]} times, not {row.mails}")
        if row.period == "" and row.now == "":
            total = self._lab.truth(self.client, self.run_of())
            for message in self._messages():
                read = evidence.text(evidence.read(self._lab.stack.mail / message["file"]))
                if set(message["to"]) & self._addresses and not evidence.says(read, total):
                    self.wrong(f"a mail does not say {total}")
        done = (self._lab.plans / f"{self.client.client_id}.{number}.done" for number in range(len(self._crimes)))
        fired = [path.exists() for path in done] + [times > 0 for times in self._lab.proxy.fired(self.client.client_id)]
        self._result.wrong += [f"fault {number} did not happen" for number, so in enumerate(fired) if not so]

    def _messages(self) -> list[dict[str, Any]]:
        ours = {self.client.client_id} | ({self._other.client_id} if self._other else set())
        return [sent for sent in evidence.sent(self._lab.stack.mail) if sent["tags"].get("client_id") in ours]

    def _accepted(self) -> int:
        return sum(self.mails().values())

    def _until(self, so: Callable[[], bool], else_say: str) -> None:
        deadline = time.monotonic() + SOON
        while not so():
            if time.monotonic() > deadline:
                raise AssertionError(else_say)
            time.sleep(0.05)


def _now() -> datetime:
    return datetime.now(UTC)
