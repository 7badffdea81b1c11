"""One fault at a time, each on a client of its own: ordered, run, lifted, run again, and held against the truth.

The truth is known from outside the product: what SES has accepted is in the emulator's folder of mails, and what an
account costs is asked of the accounts themselves.
"""

import io
import json
import threading
import time
import zipfile
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from botocore.config import Config

from cost_reporting.clients import Client, RoleAccess
from cost_reporting.contracts import ClientDue, Outcome, Period, Run, RunAsked
from cost_reporting.ledger import Entry, fingerprint, report_key, report_tag
from cost_reporting.operations.list_clients import what_is_asked
from cost_reporting.operations.worklists import write_worklist
from cost_reporting.periods import label, period_holding
from cost_reporting.sources.cost_explorer.usage import METRICS
from cost_reporting.store.ledger import LedgerStore
from cost_reporting.store.objects import ObjectStore
from cost_reporting.store.runs import RunStore
from local import evidence
from local.accounts import ACCOUNTS, Account, crowd
from local.cost_explorer import CostExplorer
from local.stack import Stack
from tests.faults.proxy import Proxy
from tests.faults.rows import AGAIN, EVENTS_LOST, OPERATOR, REDRIVE, Crime, Row
from tests.faults.scene import Scene
from tests.workflow.machine import Machine

SPEED: Final = 5
"""Time in the emulated account is so much faster than here, all of it: waits, timeouts and the product's clock."""
LONGEST: Final = 120
"""Seconds of theirs that a function may run: of List Clients and Settle Run, whose 300 nobody here needs, less."""
LOOKS: Final = "4,2"
"""Seconds of ours after which a run looks again at a client whose figures are not there yet."""
DEADLINE: Final = 400
"""Seconds of ours for one execution."""
ZONE: Final = ZoneInfo("Europe/Berlin")
SURE_OF_NO_MAIL: Final = frozenset({"DeliveryRejected", "DeliveryThrottled"})
"""Errors that say that SES has accepted nothing."""


@dataclass(frozen=True)
class End:
    """How an execution ended, and what it says about the row's client."""

    status: str
    error: str
    said: str
    output: dict[str, Any]
    outcome: Outcome | None

    @property
    def word(self) -> str:
        """SUCCEEDED; or the error of the client; or that of the run, if that has failed before it knew."""
        if self.status == "SUCCEEDED":
            other = self.outcome is not None and self.outcome.status not in ("SENT", "NOT_SENT", "FAILED")
            return str(self.outcome.status) if other and self.outcome else self.status
        if self.status == "ABORTED":
            return self.status
        if self.error != "RunIncomplete":
            return f"run: {self.error}"
        return (self.outcome.error or "?") if self.outcome else "NoOutcome"


@dataclass
class Result:
    """What became of a row."""

    row: Row
    ends: list[End] = field(default_factory=list)
    mails: int = 0
    against: int = 0
    doubles: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0


class Laboratory:
    """The deployed stack with a saboteur in every function and a proxy before its account."""

    def __init__(self, stack: Stack, proxy: Proxy, folder: Path, spare: tuple[Client, ...]) -> None:
        self.stack, self.proxy, self.plans = stack, proxy, folder
        self.spare = deque(spare)
        self.machine = Machine(stack)
        self._lock = threading.Lock()
        many = Config(max_pool_connections=50)
        endpoint = stack.emulator.endpoint
        self.states = stack.session().client("stepfunctions", endpoint_url=endpoint, config=many)
        self.runs = RunStore(stack.names.outcomes_table)
        self.ledger = LedgerStore(stack.names.outcomes_table)
        self.objects = ObjectStore(stack.names.bucket)
        self._from_each = self.machine.starting_at("For Each Client")

    def put(self, client: Client) -> None:
        """Replace a client's record."""
        with self._lock:
            self.machine.put(client)

    def try_out(self, row: Row, client: Client) -> Result:
        """Let ``row`` happen to ``client``, and see what becomes of it."""
        began = time.monotonic()
        result = Result(row)
        asked = _asked(row, client)
        self.put(client)
        if row.story is not None:
            return self._tell(result, row.story, client, asked)
        self._order(row, client.client_id)
        ends, run = self._first(row, client, asked)
        result.ends += ends
        self._judge(result, client, run, ends)
        result.wrong += self._not_happened(row, client.client_id)
        if row.period not in ("", label(run.period)):
            result.wrong.append(f"the report is about {label(run.period)}")
        self._lift(row, client.client_id)
        if row.then is not None:
            self._mend(result, client, run, asked)
        mails = self._mails(client, run)
        result.mails = sum(mails.values())
        result.doubles = [f"{to} got it {count} times" for to, count in mails.items() if count > 1]
        result.lost = [f"{to} got nothing" for to in client.recipients if not mails[to]]
        result.seconds = time.monotonic() - began
        return result

    def _tell(self, result: Result, story: Callable[[Scene], None], client: Client, asked: dict[str, Any]) -> Result:
        """Let a story happen, and hold its end against the truth."""
        began = time.monotonic()
        scene = Scene(self, result, client, asked)
        self._order(result.row, client.client_id)
        story(scene)
        scene.close()
        result.seconds = time.monotonic() - began
        return result

    def truth(self, client: Client, run: Run) -> Decimal:
        """What the client's account spent in the period of the run."""
        return truth(client, run, "")

    def run_of(self, asked: dict[str, Any], arn: str) -> Run:
        """The run that List Clients makes of the request."""
        return run_of(asked, arn)

    # -- faults ---------------------------------------------------------------------------------------------------

    def _order(self, row: Row, client_id: str) -> None:
        self._plan(row, client_id, row.crimes)
        self.proxy.order(client_id, row.rules)

    def _lift(self, row: Row, client_id: str) -> None:
        """Let all be well again; but what SES has to tell of a mail that nobody heard of is lost for good."""
        self.proxy.lift(client_id)
        self._plan(row, client_id, tuple(crime for crime in row.crimes if crime == EVENTS_LOST))

    def _plan(self, row: Row, client_id: str, crimes: tuple[Crime, ...]) -> None:
        plan: dict[str, Any] = {"faults": [vars(crime) for crime in crimes]}
        if row.now:
            plan |= {"now": row.now, "since": datetime.now(UTC).isoformat()}
        (self.plans / f"{client_id}.json").write_text(json.dumps(plan))

    def _not_happened(self, row: Row, client_id: str) -> list[str]:
        """Faults that were ordered and met nothing: such a row would show nothing."""
        deadline = time.monotonic() + 20  # SES's events are on their way when a run has ended
        while not all(times := self.happened(row, client_id)) and time.monotonic() < deadline:
            time.sleep(0.2)
        return [f"fault {number} did not happen" for number, count in enumerate(times) if count == 0]

    def happened(self, row: Row, client_id: str) -> list[int]:
        done = [self.plans / f"{client_id}.{number}.done" for number in range(len(row.crimes))]
        return [path.stat().st_size if path.exists() else 0 for path in done] + self.proxy.fired(client_id)

    # -- runs -----------------------------------------------------------------------------------------------------

    def _first(self, row: Row, client: Client, asked: dict[str, Any]) -> tuple[list[End], Run]:
        if row.child_twice:
            run = run_of(asked, f"twice-{client.client_id}")
            (self.plans / f"{run.run_id}.run").write_text(client.client_id)
            due = ClientDue(run=run, client_id=client.client_id)
            worklist = write_worklist(self.objects, run, 1, (due, due)).model_dump(mode="json")
            ends = self.wait(self.start(worklist, client.client_id, machine=self._from_each), client.client_id, run)
            return [ends], run
        arns = [self.start(asked, f"{client.client_id}-{number}") for number in range(row.together)]
        runs = [run_of(asked, arn) for arn in arns]
        return [self.wait(arn, client.client_id, run) for arn, run in zip(arns, runs, strict=True)], runs[0]

    def start(self, asked: dict[str, Any], name: str, machine: str = "") -> str:
        started = self.states.start_execution(
            stateMachineArn=machine or self.stack.names.state_machine_arn, name=name, input=json.dumps(asked)
        )
        return str(started["executionArn"])

    def wait(self, arn: str, client_id: str, run: Run) -> End:
        deadline = time.monotonic() + DEADLINE
        while (shown := self.states.describe_execution(executionArn=arn))["status"] in ("RUNNING", "PENDING_REDRIVE"):
            assert time.monotonic() < deadline, f"{arn} does not end"
            time.sleep(0.3)
        cause = shown.get("cause") or "{}"
        said = json.loads(cause).get("errorMessage", "") if cause.startswith("{") else cause
        output = json.loads(shown.get("output") or "{}")
        outcome = self.runs.outcomes(run.run_id).get(client_id)
        return End(shown["status"], shown.get("error", ""), said, output, outcome)

    def _mend(self, result: Result, client: Client, run: Run, asked: dict[str, Any]) -> None:
        """What an operator does about the row, as far as it is needed."""
        name = client.client_id
        if result.row.then == REDRIVE:
            arn = self.stack.names.state_machine_arn.replace(":stateMachine:", ":execution:") + f":{name}-0"
            self.states.redrive_execution(executionArn=arn)
            end = self.wait(arn, name, run)
        else:
            arn = self.start(asked, f"{name}-again")
            run = run_of(asked, arn)
            end = self.wait(arn, name, run)
        result.ends.append(end)
        self._judge(result, client, run, [end])
        if result.row.then in (AGAIN, REDRIVE):
            if end.status != "SUCCEEDED":
                result.wrong.append(f"after all was well again it ended in {end.word}: {end.said}")
            return
        if result.row.then == OPERATOR and end.word != "DeliveryUncertain":
            result.wrong.append(f"it was not left to an operator, but ended in {end.word}")
        if all(self._mails(client, run)[to] for to in client.recipients):
            return  # the operator looks, and finds that it has arrived
        forced = asked | {"force_send": {"reason": "the recipient has nothing"}}
        arn = self.start(forced, f"{name}-forced")
        run = run_of(forced, arn)
        end = self.wait(arn, name, run)
        result.ends.append(end)
        self._judge(result, client, run, [end])

    # -- the truth ------------------------------------------------------------------------------------------------

    def _judge(self, result: Result, client: Client, run: Run, ends: list[End]) -> None:
        """Hold what the executions say against what is so."""
        mails = self._mails(client, run)
        missing = [to for to in client.recipients if not mails[to]]
        for end in ends:
            result.wrong += _contradictions(end, client, missing)
        total = truth(client, run, result.row.now)
        for end in ends:
            if end.outcome is not None and end.outcome.total not in (None, total):
                result.wrong.append(f"the outcome says {end.outcome.total}, and the account {total}")
        for message in self._messages(client, run):
            if not evidence.says(evidence.text(evidence.read(self.stack.mail / message["file"])), total):
                result.wrong.append(f"a mail does not say {total}")
        for to in client.recipients:
            result.wrong += _of_ledger(self.entry(client, run, to), to, mails[to])

    def _messages(self, client: Client, run: Run) -> list[dict[str, Any]]:
        tag = report_tag(report_key(run, client.client_id))
        return [sent for sent in evidence.sent(self.stack.mail) if sent["tags"]["report_id"] == tag]

    def _mails(self, client: Client, run: Run) -> Counter[str]:
        """How many mails of the report SES has accepted for each recipient."""
        return Counter(to for message in self._messages(client, run) for to in message["to"])

    def entry(self, client: Client, run: Run, to: str) -> Entry | None:
        return self.ledger.find(report_key(run, client.client_id), fingerprint(to))


def _contradictions(end: End, client: Client, missing: list[str]) -> list[str]:
    found = []
    if end.status == "SUCCEEDED" and missing:
        found.append(f"the run succeeded, and {', '.join(missing)} got nothing")
    if (
        end.status == "SUCCEEDED"
        and end.output.get("client_count")
        and (not end.outcome or end.outcome.status != "SENT")
    ):
        found.append("the run succeeded without an outcome of its client")
    if end.status != "SUCCEEDED" and end.error == "RunIncomplete":
        if f"{client.client_id}: " not in end.said or "Remedy: " not in end.said:
            found.append(f"the run failed, and does not say whom for: {end.said}")
        if end.outcome and end.outcome.error in SURE_OF_NO_MAIL and not missing:
            found.append(f"{end.outcome.error}, and yet SES has accepted a mail")
    return found


def _of_ledger(entry: Entry | None, to: str, accepted: int) -> list[str]:
    if accepted and (entry is None or entry.state == "REFUSED"):
        return [f"{to} has a mail of which the ledger knows nothing"]
    if not accepted and entry is not None and entry.state not in ("SENDING", "REFUSED"):
        return [f"{to} has no mail, and the ledger says {entry.state}"]
    return []


def _asked(row: Row, client: Client) -> dict[str, Any]:
    """The execution's input: about a week, or month, whose bill has long been closed, unless the row says otherwise."""
    cadence = row.request.get("cadence", "weekly")
    long_over = period_holding(cadence, datetime.now(UTC).date() - timedelta(days=75))
    asked = {"cadence": cadence, "period": label(long_over), "client_ids": [client.client_id], **row.request}
    return {name: value for name, value in asked.items() if value is not None}


def run_of(asked: dict[str, Any], arn: str) -> Run:
    """The run that List Clients makes of the request."""
    return what_is_asked(RunAsked(request=asked, execution_id=arn, started_at=datetime.now(UTC)), ZONE)[1]


def truth(client: Client, run: Run, at: str) -> Decimal:
    """What the account spent in the period, in one sum: no groups, no pages, no network."""
    assert isinstance(client.access, RoleAccess)
    account = client.access.role_arn.split(":")[4]
    moment = datetime.fromisoformat(at) if at else datetime.now(UTC)
    return _spent(account, run.period, METRICS[client.cost_metric], moment.replace(minute=0, second=0, microsecond=0))


@cache
def _spent(account: str, period: Period, metric: str, moment: datetime) -> Decimal:
    question = {
        "TimePeriod": {"Start": period.start.isoformat(), "End": period.end.isoformat()},
        "Granularity": "DAILY",
        "Metrics": [metric],
    }
    costs = CostExplorer({account: _accounts()[account]}, lambda: moment)
    status, answer = costs.answer("GetCostAndUsage", question, account)
    assert status == 200, answer
    return sum((Decimal(day["Total"][metric]["Amount"]) for day in answer["ResultsByTime"]), Decimal(0))


@cache
def _accounts() -> dict[str, Account]:
    return {**crowd(1000), **ACCOUNTS}


def install(stack: Stack, endpoint: str, plans: Path) -> None:
    """Put the saboteur before every handler, as a layer, with the proxy as its way to AWS and time running faster."""
    functions = stack.session().client("lambda", endpoint_url=stack.emulator.endpoint)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as layer:
        layer.write(Path(__file__).with_name("saboteur.py"), "python/saboteur.py")
    made = functions.publish_layer_version(LayerName="saboteur", Content={"ZipFile": archive.getvalue()})
    variables = {
        "AWS_ENDPOINT_URL": endpoint,
        "FAULT_PLANS": str(plans),
        "FAULT_SPEED": str(SPEED),
        "FAULT_EPOCH": datetime.now(UTC).isoformat(),
        "LOOK_AGAIN_SECONDS": LOOKS,
    }
    for function in functions.list_functions()["Functions"]:
        functions.update_function_configuration(
            FunctionName=function["FunctionName"],
            Handler="saboteur.handler",
            Layers=[*(layer["Arn"] for layer in function.get("Layers", ())), made["LayerVersionArn"]],
            Timeout=round(min(function["Timeout"], LONGEST) / SPEED),
            Environment={"Variables": function.get("Environment", {}).get("Variables", {}) | variables},
        )
