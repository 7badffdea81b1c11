"""The watch, called as its schedule would call it, and the letter that operators get of it, brought into a folder."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from cost_reporting.contracts import DeliveriesWatched, ReportWatched, Run
from cost_reporting.domain.report_status import CALM
from cost_reporting.periods import label
from cost_reporting.schedules import due_by
from local import evidence
from local.process import NotPossible
from local.stack import Stack

ALARM = "CostReporting-MissingReports"


def look(stack: Stack, run: Run) -> DeliveriesWatched:
    """What the watch sees, now or as soon as it looks for the report of ``run``."""
    asked = {"scheduled_at": moment(run, zone(stack)).isoformat()}
    answer = _client(stack, "lambda").invoke(FunctionName=_function(stack), Payload=json.dumps(asked))
    said = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise NotPossible(f"The watch failed: {said.get('errorType')}: {said.get('errorMessage')}")
    return DeliveriesWatched.model_validate(said)


def request(stack: Stack) -> dict[str, str]:
    """What the schedule on the 8th has asked for last: a final report for everybody, on any day of the month."""
    last = next(due for due in due_by(datetime.now(UTC), zone(stack)) if due.issue == "final")
    return {"cadence": last.cadence, "scheduled_at": last.moment.isoformat()}


def zone(stack: Stack) -> ZoneInfo:
    """The time zone of the schedules."""
    settings = _client(stack, "lambda").get_function_configuration(FunctionName=_function(stack))
    return ZoneInfo(settings["Environment"]["Variables"]["TIME_ZONE"])


def moment(run: Run, zone: ZoneInfo) -> datetime:
    """The present, or the next hour in which the report of ``run`` is one that a schedule should have led to."""
    at = datetime.now(UTC)
    while (run.period, run.issue) not in {(due.period, due.issue) for due in due_by(at, zone)}:
        at += timedelta(hours=1)
    return at


def of_run(watched: DeliveriesWatched, run: Run) -> ReportWatched | None:
    """What was seen of the report of ``run``."""
    wanted = (run.cadence, label(run.period), run.issue)
    return next((each for each in watched.reports if (each.cadence, each.period, each.issue) == wanted), None)


def faults(seen: ReportWatched | None, clients: int, failures: int) -> list[str]:
    """What the watch should have seen, and has not."""
    if seen is None:
        return ["the watch has not looked at the run's report"]
    well = sum(count for status, count in seen.counts.items() if status in CALM)
    failed = seen.counts.get("failed", 0)
    if (seen.clients, well, failed) == (clients, clients - failures, failures):
        return []
    return [f"the watch saw {seen.counts}, expected {clients - failures} well and {failures} failed"]


def alarm(stack: Stack) -> str:
    """The state of the alarm about missing reports."""
    (found,) = _client(stack, "cloudwatch").describe_alarms(AlarmNames=[ALARM])["MetricAlarms"]
    return str(found["StateValue"])


def letter(stack: Stack, folder: Path) -> Path | None:
    """The last roll-up as ``roll-up.eml`` and ``roll-up.html`` in ``folder``; the latter's path."""
    letters = [entry for entry in evidence.sent(stack.mail) if entry["tags"].get("run_id") == "watch"]
    if not letters:
        return None
    source = stack.mail / letters[-1]["file"]
    (folder / "roll-up.eml").write_bytes(source.read_bytes())
    html = evidence.read(source).get_body(("html",))
    path = folder / "roll-up.html"
    path.write_text("" if html is None else html.get_content())
    return path


def _function(stack: Stack) -> str:
    return f"{stack.names.configuration_set}-watch-deliveries"


def _client(stack: Stack, service: str) -> Any:
    return stack.session().client(service, endpoint_url=stack.emulator.endpoint)  # type: ignore[call-overload]
