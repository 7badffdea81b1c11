"""The deployed state machine as a test talks to it: plain AWS calls, and what a run left behind."""

import itertools
import json
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any, Final

from cost_reporting.clients import Client
from cost_reporting.contracts import Outcome
from cost_reporting.periods import label, week_of
from cost_reporting.store.clients import row
from cost_reporting.store.ledger import LedgerStore
from cost_reporting.store.runs import RunStore
from local import evidence
from local.stack import Stack

WEEKS: Final = 52
"""How many weeks back a test may ask: Cost Explorer keeps 13 months, of which each report needs the week before too."""


@dataclass(frozen=True)
class Execution:
    """An execution that has ended."""

    arn: str
    status: str
    error: str
    said: str
    output: dict[str, Any]
    children: tuple["Execution", ...] = ()
    events: tuple[dict[str, Any], ...] = ()
    given: str = "{}"

    @property
    def run_id(self) -> str:
        """Of the run that List Clients began."""
        answers = (event.get("taskSucceededEventDetails", {}).get("output", "{}") for event in self.events)
        runs = (json.loads(answer).get("Payload", {}).get("run") for answer in answers)
        return next(run["run_id"] for run in runs if run)

    def path(self) -> list[str]:
        """The states that were entered, in order."""
        entered = (event.get("stateEnteredEventDetails") for event in self.events)
        return [details["name"] for details in entered if details]

    def failures(self) -> list[str]:
        """The error of each failed try of a task, in order."""
        return [event["taskFailedEventDetails"]["error"] for event in self.events if "taskFailedEventDetails" in event]

    def tries(self) -> int:
        """How many tries of tasks there were."""
        return sum("taskScheduledEventDetails" in event for event in self.events)


@dataclass
class Machine:
    """The deployed workflow, its tables, its bucket and its mail."""

    stack: Stack
    _taken: set[tuple[int, str]] = field(default_factory=set)

    def a_week(self, *client_ids: str) -> str:
        """A past ISO week that no other test has used for these clients, for any client if none is named.

        So each test has a ledger of its own, and finds the costs of its week as long as Cost Explorer keeps them.
        """
        names = {*client_ids, ""} if client_ids else {client for _, client in self._taken} | {""}
        back = next(back for back in itertools.count() if not any((back, name) in self._taken for name in names))
        assert back < WEEKS, "Cost Explorer keeps no costs of so early a week: name the clients that the week is for"
        self._taken |= {(back, name) for name in client_ids or ("",)}
        return label(week_of(datetime.now(UTC).date() - timedelta(days=14, weeks=back)))

    @property
    def arn(self) -> str:
        return self.stack.names.state_machine_arn

    @property
    def bucket(self) -> str:
        """The name of the bucket."""
        return self.stack.names.bucket

    def client(self, service: str) -> Any:
        """A client of the emulated account."""
        return self.stack.session().client(service, endpoint_url=self.stack.emulator.endpoint)

    def run(self, request: Any, *, machine: str = "") -> Execution:
        """Start an execution with ``request`` and wait for its end."""
        return self.wait(self.start(request, machine=machine))

    def redrive(self, execution: Execution) -> Execution:
        """The execution at its end after a redrive, as by the console's button, with the children of all passes."""
        self.client("stepfunctions").redrive_execution(executionArn=execution.arn)
        return self.wait(execution.arn)

    def start(self, request: Any, *, machine: str = "") -> str:
        """The ARN of an execution that has been started with ``request``."""
        states = self.client("stepfunctions")
        started = states.start_execution(stateMachineArn=machine or self.arn, input=json.dumps(request))
        return str(started["executionArn"])

    def wait(self, arn: str) -> Execution:
        """The execution when it has ended, with its children."""
        states = self.client("stepfunctions")
        deadline = time.monotonic() + 120
        while states.describe_execution(executionArn=arn)["status"] in ("RUNNING", "PENDING_REDRIVE"):
            assert time.monotonic() < deadline, f"{arn} does not end"
            time.sleep(0.1)
        children = [
            self._ended(child["executionArn"])
            for map_run in states.list_map_runs(executionArn=arn)["mapRuns"]
            for page in states.get_paginator("list_executions").paginate(mapRunArn=map_run["mapRunArn"])
            for child in page["executions"]
        ]
        return self._ended(arn, tuple(children))

    def _ended(self, arn: str, children: tuple[Execution, ...] = ()) -> Execution:
        states = self.client("stepfunctions")
        shown = states.describe_execution(executionArn=arn)
        events = tuple(
            event
            for page in states.get_paginator("get_execution_history").paginate(executionArn=arn)
            for event in page["events"]
        )
        cause = shown.get("cause") or "{}"
        said = json.loads(cause).get("errorMessage", "") if cause.startswith("{") else cause
        output = json.loads(shown.get("output") or "{}") if shown["status"] == "SUCCEEDED" else {}
        return Execution(arn, shown["status"], shown.get("error", ""), said, output, children, events, shown["input"])

    def outcomes(self, execution: Execution) -> dict[str, Outcome]:
        """How each client of the run ended."""
        return RunStore(self.stack.names.outcomes_table).outcomes(execution.run_id)

    def mails(self, *, run_id: str = "", client_id: str = "", period: str = "") -> list[EmailMessage]:
        """The messages that SES has accepted for a run, a client, a period."""
        return [
            evidence.read(self.stack.mail / entry["file"])
            for entry in evidence.sent(self.stack.mail)
            if run_id in ("", entry["tags"]["run_id"])
            and client_id in ("", entry["tags"]["client_id"])
            and period in entry["tags"]["report_id"]
        ]

    def document(self, key: str) -> Any:
        """A JSON document of the bucket."""
        return json.loads(self.client("s3").get_object(Bucket=self.bucket, Key=key)["Body"].read())

    def settled_ledger(self, client_id: str, period: str) -> list[str]:
        """The states of a report's mails, once SES's events about them have been written down."""
        ledger = LedgerStore(self.stack.names.outcomes_table)
        deadline = time.monotonic() + 30
        while True:
            entries = ledger.all_of(lambda _: None)
            states = sorted(
                entry.state
                for entry in entries
                if entry.report.startswith(f"{client_id}#") and f"#{period}#" in entry.report
            )
            if not {"SENDING", "SENT"} & set(states) or time.monotonic() > deadline:
                return states
            time.sleep(0.2)

    def put(self, client: Client) -> None:
        """Replace a client's record."""
        endpoint, table = self.stack.emulator.endpoint, self.stack.names.clients_table
        self.stack.session().resource("dynamodb", endpoint_url=endpoint).Table(table).put_item(Item=row(client))

    def starting_at(self, state: str) -> str:
        """A machine with the deployed definition that starts at ``state``, to hand it what no state before it gives."""
        return self.machine_of(json.loads(self.definition) | {"StartAt": state})

    @property
    def definition(self) -> str:
        """The deployed definition."""
        states = self.client("stepfunctions")
        return str(states.describe_state_machine(stateMachineArn=self.arn)["definition"])

    def machine_of(self, definition: dict[str, Any]) -> str:
        """A machine of another definition, with the deployed functions.

        It has a role of its own, since the deployed one may start children of the deployed machine only.
        """
        states, iam, name = self.client("stepfunctions"), self.client("iam"), f"from-{time.monotonic_ns()}"
        trust = _policy(Principal={"Service": "states.amazonaws.com"})
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
        iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=_policy(Action="*", Resource="*"))
        made = states.create_state_machine(
            name=name,
            definition=json.dumps(definition),
            roleArn=role["Role"]["Arn"],
        )
        return str(made["stateMachineArn"])

    def input_of(self, execution: Execution, state: str) -> Any:
        """What ``state`` was entered with, the last time."""
        entered = (event.get("stateEnteredEventDetails", {}) for event in reversed(execution.events))
        return json.loads(next(details["input"] for details in entered if details.get("name") == state))


def _policy(**statement: Any) -> str:
    whole = {"Effect": "Allow", "Action": "sts:AssumeRole"} | statement
    return json.dumps({"Version": "2012-10-17", "Statement": [whole]})
