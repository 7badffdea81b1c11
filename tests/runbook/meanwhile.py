"""What others do while an operator works through the runbook: it names each in a comment."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from cost_reporting.operations.clients.onboarding import TEMPLATE
from cost_reporting.periods import label, last_complete
from local.deployment import session
from local.stack import Stack
from local.world import EXPECTED_FAILURES

HOLDING: Final = "credits-startup"


def the_client_creates_the_role(stack: Stack, folder: Path) -> None:
    """What the client's CloudFormation does with the template that `onboard` has written."""
    template = json.loads((folder / "for-acme" / TEMPLATE).read_text(encoding="utf-8"))
    role = template["Resources"]["CostReportingReader"]["Properties"]
    iam = session("220000000042").client("iam", endpoint_url=stack.emulator.endpoint)
    iam.create_role(RoleName=role["RoleName"], AssumeRolePolicyDocument=json.dumps(role["AssumeRolePolicyDocument"]))
    for policy in role["Policies"]:
        document = json.dumps(policy["PolicyDocument"])
        iam.put_role_policy(RoleName=role["RoleName"], PolicyName=policy["PolicyName"], PolicyDocument=document)


def the_remedies_are_followed(stack: Stack, folder: Path) -> None:
    """The clients whose failures are part of the local world leave it."""
    table = stack.session().resource("dynamodb", endpoint_url=stack.emulator.endpoint).Table(stack.names.clients_table)
    for client_id in EXPECTED_FAILURES:
        table.update_item(
            Key={"client_id": client_id},
            UpdateExpression="SET #status = :status",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues={":status": "suspended"},
        )


def a_run_holds_a_report(stack: Stack, folder: Path) -> None:
    """A client's first report waits for approval, and a run has just made it."""
    at = stack.emulator.endpoint
    stack.session().resource("dynamodb", endpoint_url=at).Table(stack.names.clients_table).update_item(
        Key={"client_id": HOLDING},
        UpdateExpression="SET approve_first = :one",
        ExpressionAttributeValues={":one": 1},
    )
    steps = stack.session().client("stepfunctions", endpoint_url=at)
    period = label(last_complete("weekly", datetime.now(UTC) - timedelta(weeks=6), ZoneInfo("UTC")))
    request = json.dumps({"cadence": "weekly", "period": period, "client_ids": [HOLDING]})
    arn = steps.start_execution(stateMachineArn=stack.names.state_machine_arn, input=request)["executionArn"]
    while steps.describe_execution(executionArn=arn)["status"] == "RUNNING":
        time.sleep(0.5)


MEANWHILE: Final[dict[str, Callable[[Stack, Path], None]]] = {
    "the client creates the role": the_client_creates_the_role,
    "the remedies are followed": the_remedies_are_followed,
    "a run holds a report": a_run_holds_a_report,
}
