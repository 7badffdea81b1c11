"""The watch on the deployed stack: a run that loses clients, a schedule that never fired, a bounce, and the alarm."""

import json
import random
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cost_reporting.ledger import Entry
from cost_reporting.periods import label, last_complete
from cost_reporting.schedules import due_by
from cost_reporting.store.ledger import LedgerStore
from local import evidence
from local.stack import Stack
from local.world import twelve
from tests.recorded import EVENTS, SETTLED, sent
from tests.workflow.conftest import deployed
from tests.workflow.machine import Execution, Machine

ZONE = ZoneInfo("Europe/Berlin")
CLIENTS = {client.client_id: client for client in twelve()}
WEEKLY = ("northwind-retail", "throttled-games", "young-fintech")
BOUNCING = "bounce+watch@simulator.amazonses.com"
ALARM = "CostReporting-MissingReports"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of this file's own: alarms and roll-ups are about everything that has ever been run in an account."""
    with deployed(tmp_path_factory.mktemp("watch") / "local") as stack:
        yield stack


@pytest.fixture(scope="module")
def machine(stack: Stack) -> Machine:
    return Machine(stack)


@pytest.fixture(scope="module")
def run(machine: Machine) -> Execution:
    """The weekly run for everybody, with a client that does not let us in and one whose mail comes back."""
    weekly = {"cadences": ("monthly", "weekly")}
    machine.put(CLIENTS["denied-corp"].model_copy(update=weekly))
    machine.put(CLIENTS["tiny-bakery"].model_copy(update=weekly | {"recipients": (BOUNCING,)}))
    ended = machine.run({"cadence": "weekly"})
    for client_id in (*WEEKLY, "tiny-bakery"):
        machine.settled_ledger(client_id, week())
    return ended


def week() -> str:
    """The last week that is over."""
    return label(last_complete("weekly", datetime.now(UTC), ZONE))


def looked_at() -> datetime:
    """A moment from now on at which the watch looks for that week: at the latest on Tuesday, when it is due."""
    at = datetime.now(UTC)
    while week() not in {label(due.period) for due in due_by(at, ZONE)}:
        at += timedelta(hours=1)
    return at


def watch(machine: Machine, at: datetime) -> Any:
    """What the deployed function answers, as its schedule calls it."""
    answer = machine.client("lambda").invoke(
        FunctionName="cost-reporting-watch-deliveries", Payload=json.dumps({"scheduled_at": at.isoformat()})
    )
    said = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, said
    return said


def weekly_counts(watched: Any, period: str) -> dict[str, int]:
    (report,) = [each for each in watched["reports"] if each["period"] == period]
    return dict(report["counts"])


def alarm(machine: Machine) -> str:
    (found,) = machine.client("cloudwatch").describe_alarms(AlarmNames=[ALARM])["MetricAlarms"]
    return str(found["StateValue"])


def roll_ups(machine: Machine) -> list[Any]:
    """The letters that operators have got, in order."""
    return [
        evidence.read(machine.stack.mail / entry["file"])
        for entry in evidence.sent(machine.stack.mail)
        if entry["to"] == ["operations@consultancy.example"]
    ]


def test_what_a_run_lost_is_counted_mailed_and_alarmed(machine: Machine, run: Execution) -> None:
    assert run.error == "RunIncomplete"
    watched = watch(machine, looked_at())
    assert weekly_counts(watched, week()) == {"delivered": 3, "failed": 1, "bounced": 1}
    assert (watched["missing"], watched["bounced"], watched["roll_up"]) == (1, 1, "mailed")
    (letter,) = roll_ups(machine)
    assert letter["Subject"] == "[Cost reports] 1 without a report, 1 bounced: 5 reports due"
    text = letter.get_body(("plain",)).get_content()
    assert "denied-corp (Denied Corp): ClientAccessDenied at Fetch Costs" in text
    assert "tiny-bakery (Tiny Bakery): recipient " in text
    assert BOUNCING not in text
    assert alarm(machine) == "ALARM"


def test_a_second_look_says_nothing_twice(machine: Machine, run: Execution) -> None:
    before = len(roll_ups(machine))
    assert watch(machine, looked_at())["roll_up"] == "nothing_new"
    assert len(roll_ups(machine)) == before


def test_a_schedule_that_never_fires_is_noticed(machine: Machine, run: Execution) -> None:
    """Next week's: nobody has started it when its time of grace is over."""
    at = looked_at() + timedelta(days=7)
    period = label(last_complete("weekly", at, ZONE))
    watched = watch(machine, at)
    assert weekly_counts(watched, period)["missing"] == len(WEEKLY) + 2
    assert "no run for all clients was started" in roll_ups(machine)[-1].get_body(("plain",)).get_content()
    assert alarm(machine) == "ALARM"


def test_when_it_is_mended_the_alarm_ends(machine: Machine, run: Execution) -> None:
    machine.put(CLIENTS["denied-corp"].model_copy(update={"status": "suspended"}))
    watched = watch(machine, looked_at())
    assert weekly_counts(watched, week()) == {"delivered": 3, "left_out": 1, "bounced": 1}
    assert (watched["missing"], watched["roll_up"]) == (0, "mailed")
    assert alarm(machine) == "OK"


def test_operators_find_a_bounce_in_the_log_group_by_its_word_and_no_address(machine: Machine, run: Execution) -> None:
    logs = machine.client("logs")
    said = [each["message"] for each in logs.filter_log_events(logGroupName="/aws/ses/cost-reporting")["events"]]
    (bounce,) = [line for line in said if line.startswith("bounce ") and "client_id=tiny-bakery" in line]
    assert "type=Permanent subtype=General status=5.1.1" in bounce
    assert f"report=tiny-bakery_weekly_{week()}_preliminary_live run={run.run_id} try=" in bounce.replace("_id=", "=")
    assert {line.split()[0] for line in said} == {"Send", "Delivery", "bounce"}
    addresses = {to for client in CLIENTS.values() for to in client.recipients} | {BOUNCING, "simulator"}
    assert not [line for line in said if any(address in line for address in addresses)]


def test_recorded_events_replayed_twice_and_shuffled_leave_the_same_ledger(machine: Machine) -> None:
    """Through the event bus of the stack, its rule and the deployed function."""
    ledger = LedgerStore(machine.stack.names.outcomes_table)
    for entry in sent():
        assert ledger.begin(Entry.model_validate(entry), replacing=None)
    events = [*EVENTS, *EVENTS]
    random.Random(4).shuffle(events)
    for event in events:
        publish(machine, event)
    reports = {client_id: f"{client_id}#monthly#2026-10#final#live" for client_id, _ in SETTLED}

    def found() -> dict[tuple[str, str], tuple[str, str]]:
        entries = ((client_id, entry) for client_id, report in reports.items() for entry in ledger.of_report(report))
        return {(client_id, entry.recipient): (entry.try_id, entry.state) for client_id, entry in entries}

    deadline = time.monotonic() + 60
    while found() != SETTLED and time.monotonic() < deadline:
        time.sleep(0.5)
    assert found() == SETTLED
    last = {report: ledger.of_report(report) for report in reports.values()}
    for event in EVENTS:
        publish(machine, event)
    time.sleep(2)
    assert {report: ledger.of_report(report) for report in reports.values()} == last


def publish(machine: Machine, event: dict[str, Any]) -> None:
    """Put an event on the bus as SES does."""
    entry = {
        "Source": event["source"],
        "DetailType": event["detail-type"],
        "Detail": json.dumps(event["detail"]),
        "Resources": event["resources"],
    }
    request = urllib.request.Request(
        f"{machine.stack.emulator.endpoint}/_local/events", json.dumps({"Entries": [entry]}).encode(), method="POST"
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert json.load(answer)["FailedEntryCount"] == 0
