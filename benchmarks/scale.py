"""10,000 clients through List Clients, Settle Run and the watch, with the work for each client replaced.

The tables and the bucket are the local stack's. Each step is its real handler, in a process of its own as on Lambda,
and is held against the limits of its function in the template and of Step Functions. What is replaced is everything
between: outcomes are written by the product's own store, as Record Outcome would, and a hundred of the clients fail.
"""

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple
from unittest import mock
from zoneinfo import ZoneInfo

import subject
import table

from cost_reporting.contracts import DeliveriesWatched, Outcome, Run
from cost_reporting.domain.report_status import RUN_TAKES
from cost_reporting.ledger import Entry, fingerprint, report_key
from cost_reporting.outcomes import failed
from cost_reporting.store.ledger import LedgerStore
from cost_reporting.store.runs import RunStore
from local.rollup import moment, of_run
from local.stack import Stack, down, up
from local.world import crowd, row

CLIENTS: Final = 10_000
FAILING: Final = 100
MEMORY: Final = 512
"""MiB of the functions (template.yaml, Globals)."""
WATCH_MEMORY: Final = 1024
"""MiB of Watch Deliveries."""
SECONDS: Final = 300
"""Their Timeout."""
PAYLOAD: Final = 256
"""KiB that a state may receive or return (Step Functions quotas)."""
CAUSE: Final = 32
"""KiB of an execution's cause (Step Functions API reference)."""


class Done(NamedTuple):
    """What a handler took, and what it said."""

    seconds: float
    peak: float
    said: str
    failed: bool

    @property
    def payload(self) -> Any:
        """The answer, read."""
        return json.loads(self.said)

    @property
    def kib(self) -> float:
        """The size of the answer."""
        return len(self.said.encode()) / 1024


def main() -> None:
    """Measure, print, and leave with 1 if a limit is missed."""
    asked = table.arguments("Many clients through the steps that see all of them.", runs=CLIENTS, unit="clients")
    with tempfile.TemporaryDirectory(prefix="scale-") as name:
        folder = Path(name) / "local"
        try:
            stack = up(folder, clients=1, attached=True)
            with mock.patch.dict(os.environ, stack.variables() | _SETTINGS):
                rows = list(_measured(stack, asked.runs))
        finally:
            down(folder)
    table.say(f"{asked.runs} clients through the steps that see all of them", rows, as_json=asked.json)


_SETTINGS: Final = {
    "TIME_ZONE": "Europe/Berlin",
    "CONSULTANCY": "A consultancy",
    "OPERATORS": "operations@consultancy.example",
    "LINK_ROLE_ARN": "arn:aws:iam::111122223333:role/none",
    "POWERTOOLS_LOG_LEVEL": "ERROR",
}


def _measured(stack: Stack, count: int) -> Iterator[table.Row]:
    _put_clients(stack, count)
    asked = {
        "request": {"cadence": "monthly"},
        "execution_id": "arn:aws:states:us-east-1:111122223333:execution:cost-reporting:scale",
        "started_at": datetime.now(UTC).isoformat(),
    }
    listed = _step("list_clients", asked)
    yield from _rows("List Clients", listed)
    yield table.Row("List Clients: clients left out", count - listed.payload["client_count"], "", 0)
    yield table.Row("List Clients: worklist", listed.payload["worklist"]["size"] / 2**20, "MiB")
    _end_all(Run.model_validate(listed.payload["run"]), [f"client-{number:05d}" for number in range(1, count + 1)])
    settled = _step("settle_run", listed.payload)
    yield from _rows("Settle Run", settled)
    yield table.Row("Settle Run: the run does not fail", float(not settled.failed), "", 0)
    yield table.Row("Settle Run: cause", settled.kib, "KiB", CAUSE)
    again = _step("settle_run", listed.payload)
    yield from _rows("Settle Run, redriven", again)
    yield table.Row("Settle Run, redriven: clients too many", again.payload["client_count"] - FAILING, "", 0)
    run = Run.model_validate(listed.payload["run"])
    at = moment(run, ZoneInfo(_SETTINGS["TIME_ZONE"])) + RUN_TAKES
    looked = _step("watch_deliveries", {"scheduled_at": at.isoformat()})
    yield from _rows("Watch", looked, WATCH_MEMORY)
    seen = of_run(DeliveriesWatched.model_validate(looked.payload), run)
    expected = {"failed": FAILING, "delivered": count - FAILING}
    yield table.Row("Watch: not judged as expected", float(seen is None or seen.counts != expected), "", 0)


def _rows(name: str, done: Done, memory: int = MEMORY) -> Iterator[table.Row]:
    yield table.Row(f"{name}: time", done.seconds, "s", SECONDS)
    yield table.Row(f"{name}: peak of memory", done.peak, "MiB", memory)
    if not done.failed:
        yield table.Row(f"{name}: payload", done.kib, "KiB", PAYLOAD)


def _put_clients(stack: Stack, count: int) -> None:
    rows = stack.session().resource("dynamodb", endpoint_url=stack.emulator.endpoint).Table(stack.names.clients_table)
    with rows.batch_writer() as batch:
        for client in crowd(count):
            batch.put_item(Item=row(client))


def _end_all(run: Run, client_ids: list[str]) -> None:
    """What For Each Client leaves behind."""
    now = datetime.now(UTC)

    def end(part: list[str]) -> None:
        store, ledger = RunStore(os.environ["OUTCOMES_TABLE"]), LedgerStore(os.environ["OUTCOMES_TABLE"])
        for client_id in part:
            if int(client_id[-5:]) <= FAILING:
                loss = failed(client_id, "Fetch Costs", "ClientAccessDenied", "role: AccessDenied")
                store.mark_ended(run, loss, now)
                store.record(run, loss, now)
                continue
            ledger.begin(_delivered(run, client_id, now), replacing=None)
            outcome = Outcome(client_id=client_id, status="SENT", recipients=1, report_key=f"reports/{client_id}/…")
            store.mark_delivered(run, outcome, now)
            store.record(run, outcome, now)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(end, (client_ids[at::4] for at in range(4))))


def _delivered(run: Run, client_id: str, now: datetime) -> Entry:
    """The ledger's entry about a mail that has arrived."""
    return Entry(
        report=report_key(run, client_id),
        recipient=fingerprint(f"finance@{client_id}.example"),
        state="DELIVERED",
        try_id="a" * 32,
        attempt=1,
        run_id=run.run_id,
        report_sha256="0" * 64,
        updated_at=now,
    )


def _step(function: str, event: Any) -> Done:
    """The handler's answer to ``event``, from a process of its own."""
    command = [sys.executable, __file__, function]
    done = subprocess.run(command, input=json.dumps(event), capture_output=True, text=True, check=True)
    return Done(**json.loads(done.stdout.splitlines()[-1]))


def _work(function: str) -> None:
    """Be that process."""
    spec = importlib.util.spec_from_file_location("app", subject.ROOT / "functions" / function / "app.py")
    assert spec
    assert spec.loader
    app = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(app)
    event = json.load(sys.stdin)
    began = time.perf_counter()
    try:
        said, bad = json.dumps(app.handler(event, None)), False
    except Exception as error:  # noqa: BLE001 - as Lambda tells it
        said, bad = json.dumps({"errorType": type(error).__name__, "errorMessage": str(error)}), True
    seconds = time.perf_counter() - began
    status = Path("/proc/self/status").read_text(encoding="ascii")
    peak = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    print(json.dumps(Done(seconds, peak, said, bad)._asdict()))


if __name__ == "__main__":
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
        _work(sys.argv[1])
    else:
        main()
