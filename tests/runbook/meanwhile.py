"""What others do while an operator works through the runbook: it names each in a comment."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Final

from cost_reporting.operations.clients.onboarding import TEMPLATE
from local.deployment import session
from local.stack import Stack
from local.world import EXPECTED_FAILURES


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


MEANWHILE: Final[dict[str, Callable[[Stack, Path], None]]] = {
    "the client creates the role": the_client_creates_the_role,
    "the remedies are followed": the_remedies_are_followed,
}
