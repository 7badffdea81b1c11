"""The deployed stack, with its world, in an emulated account of its own; and short ways to run it and look at it."""

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import boto3
import pytest

from cost_reporting.contracts import Outcome
from cost_reporting.store.objects import ObjectStore
from cost_reporting.store.runs import RunStore
from local import evidence
from local.deployment import ACCOUNT, session
from local.stack import Stack, down, up
from local.watch import Watch

SECONDS = 240


@dataclass(frozen=True)
class Ended:
    """An execution that has ended, with what it left."""

    arn: str
    status: str
    error: str = ""
    cause: str = ""
    output: Any = None
    run_id: str = ""
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    mails: list[dict[str, Any]] = field(default_factory=list)
    """What SES accepted for this run: ``to``, ``tags``, ``file`` and so on, in order."""


@dataclass(frozen=True)
class Workflow:
    """The state machine of the deployed stack."""

    stack: Stack

    def client(self, service: str, account: str = "") -> Any:
        """A client of the consultancy's account, or of another one."""
        return session(account or ACCOUNT).client(service, endpoint_url=self.stack.emulator.endpoint)

    @property
    def objects(self) -> ObjectStore:
        """The bucket."""
        return ObjectStore(self.stack.names.bucket)

    @property
    def runs(self) -> RunStore:
        """The runs in the outcomes table."""
        return RunStore(self.stack.names.outcomes_table)

    @property
    def clients_table(self) -> Any:
        """The clients table, for tests that change a row."""
        return boto3.resource("dynamodb").Table(self.stack.names.clients_table)

    def run(self, request: dict[str, Any], *, machine: str = "") -> Ended:
        """Start an execution with ``request`` and wait until it has ended. ``machine``: another state machine's ARN."""
        states = self.client("stepfunctions")
        arn = states.start_execution(
            stateMachineArn=machine or self.stack.names.state_machine_arn, input=json.dumps(request)
        )["executionArn"]
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            execution = states.describe_execution(executionArn=arn)
            if execution["status"] != "RUNNING":
                return self._ended(arn, execution)
            time.sleep(0.1)
        raise AssertionError(f"{arn} is still running after {SECONDS} s")

    def _ended(self, arn: str, execution: dict[str, Any]) -> Ended:
        run_id = Watch(self.client("stepfunctions"), self.stack.names.state_machine_arn).find_run_id(arn)
        return Ended(
            arn=arn,
            status=execution["status"],
            error=execution.get("error", ""),
            cause=execution.get("cause", ""),
            output=json.loads(execution["output"]) if execution.get("output") else None,
            run_id=run_id,
            outcomes=self.runs.outcomes(run_id) if run_id else {},
            mails=[mail for mail in self.mails() if run_id and mail["tags"].get("run_id") == run_id],
        )

    def mails(self) -> list[dict[str, Any]]:
        """Everything that SES has accepted since the account was made."""
        return evidence.sent(self.stack.mail)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The template, built and deployed, with the twelve clients. The product's adapters in this process talk to it."""
    folder = tmp_path_factory.mktemp("workflow") / "local"
    try:
        deployed = up(folder, attached=True)
        with mock.patch.dict(os.environ, deployed.variables()):
            boto3.setup_default_session()
            yield deployed
    finally:
        boto3.DEFAULT_SESSION = None
        down(folder)


@pytest.fixture(scope="session")
def workflow(stack: Stack) -> Workflow:
    """The state machine, ready to be run."""
    return Workflow(stack)
