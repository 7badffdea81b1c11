"""Each function's role allows exactly what its handler does, as recorded in a run from end to end.

The emulators enforce no permissions: here is where a call that AWS would deny shows up, or a permission that nobody
needs.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Any

import boto3
import pytest

from cost_reporting.contracts import Run
from cost_reporting.errors import ClientSuspended
from cost_reporting.operations.back_up_tables import KEPT
from cost_reporting.report import downloads
from cost_reporting.store.links import LONGEST
from local.accounts import ACCOUNTS
from tests.builders import a_client, a_run
from tests.contract.documents import EVENTS, FUNCTIONS, functions, resources
from tests.functional.conftest import ENVIRONMENT, NOW, Answer, Call, Costs, Json, Wire, World

REGION, ACCOUNT = ENVIRONMENT["AWS_DEFAULT_REGION"], "123456789012"
PSEUDO = {
    "${AWS::Partition}": "aws",
    "${AWS::Region}": REGION,
    "${AWS::AccountId}": ACCOUNT,
    "${Prefix}": "cost-reporting",
    "${ReaderRoleName}": "cost-reporting-reader",
    "${ReportLinkRole.Arn}": ENVIRONMENT["LINK_ROLE_ARN"],
    "${CostReportsStateMachine}": ENVIRONMENT["STATE_MACHINE_ARN"],
}
TABLES = {ENVIRONMENT["CLIENTS_TABLE"]: "${ClientsTable.Arn}", ENVIRONMENT["OUTCOMES_TABLE"]: "${OutcomesTable.Arn}"}
AN_EXECUTION = ENVIRONMENT["STATE_MACHINE_ARN"].replace("stateMachine", "execution") + ":lambda-request-1"
Need = tuple[str, str]
"""An action and the resource that it is done to."""


def needs(call: Call) -> Iterator[Need]:
    """What a call must be allowed. Calls with a client's own keys need nothing of our roles."""
    service, _, operation = call.operation.partition(".")
    asked = call.parameters
    match service:
        case "dynamodb":
            yield from needs_of_dynamodb(operation, asked)
        case "s3" if operation == "HeadBucket":
            yield "s3:ListBucket", "${Bucket.Arn}"
        case "s3" if operation == "HeadObject":
            yield "s3:GetObject", "${Bucket.Arn}/" + asked["Key"]
            yield "s3:ListBucket", "${Bucket.Arn}"  # without it S3 says 403 of what is not there
        case "s3":
            yield f"s3:{operation}", "${Bucket.Arn}/" + asked["Key"]
        case "sts" if operation == "AssumeRole":
            yield "sts:AssumeRole", asked["RoleArn"]
        case "secretsmanager":
            yield f"secretsmanager:{operation}", asked["SecretId"]
        case "stepfunctions":
            yield f"states:{operation}", asked.get("stateMachineArn") or asked["executionArn"]
        case "sesv2" if operation == "SendEmail":
            sender = f"arn:aws:ses:{REGION}:{ACCOUNT}:identity/{asked['FromEmailAddress']}"
            yield "ses:SendEmail", sender
            yield "ses:SendRawEmail", sender
            yield "ses:SendEmail", f"arn:aws:ses:{REGION}:{ACCOUNT}:configuration-set/${{ConfigurationSet}}"
        case "sesv2":
            identity = asked.get("EmailIdentity")
            yield f"ses:{operation}", f"arn:aws:ses:{REGION}:{ACCOUNT}:identity/{identity}" if identity else "*"


def needs_of_dynamodb(operation: str, asked: Json) -> Iterator[Need]:
    match operation:
        case "ListBackups":
            yield "dynamodb:ListBackups", "*"
        case "DeleteBackup":
            table = next(arn for name, arn in TABLES.items() if f"table/{name}/" in asked["BackupArn"])
            yield "dynamodb:DeleteBackup", f"{table}/backup/{asked['BackupArn'].rpartition('/')[2]}"
        case "BatchGetItem":
            for table in asked["RequestItems"]:
                yield "dynamodb:BatchGetItem", TABLES[table]
        case "TransactWriteItems":  # the action is that of each item (Developer Guide, "Amazon DynamoDB Transactions")
            for item in asked["TransactItems"]:
                ((kind, write),) = item.items()
                yield f"dynamodb:{kind}Item", TABLES[write["TableName"]]
        case _:
            arn = TABLES[asked["TableName"]]
            index = asked.get("IndexName")
            yield f"dynamodb:{operation}", f"{arn}/index/{index}" if index else arn


def delivered(asked: Any) -> Any:
    """SES's event about a mail that it was asked to send."""
    event = deepcopy(EVENTS["record_delivery"])
    tags = {tag["Name"]: [tag["Value"]] for tag in asked["EmailTags"]}
    event["detail"]["mail"] |= {"destination": asked["Destination"]["ToAddresses"], "tags": tags}
    return event


def allowed(function: str) -> Iterator[Need]:
    """Each action that the function's role allows, with a pattern of resources."""
    logical_id = "".join(part.title() for part in function.split("_")) + "Function"
    for policy in functions()[logical_id]["Policies"]:
        for statement in policy["Statement"]:
            assert statement["Effect"] == "Allow"
            actions, resources = statement["Action"], statement["Resource"]
            for action in [actions] if isinstance(actions, str) else actions:
                for resource in [resources] if isinstance(resources, str) else resources:
                    pattern = resource
                    for name, value in PSEUDO.items():
                        pattern = pattern.replace(name, value)
                    yield action, pattern


def covers(permission: Need, need: Need) -> bool:
    return permission[0] == need[0] and fnmatchcase(need[1], permission[1].replace("[", "[[]"))


@pytest.fixture
def needed(
    invoke: Callable[[str, Any], Any], world: World, wire: Wire, costs: Costs, monkeypatch: pytest.MonkeyPatch
) -> dict[str, set[Need]]:
    """What every function needed in a run of two clients, one read through a role, one with keys from a secret.

    The first one's mail carries its files; those of the second one are too large for a mail.
    """
    bakery = ACCOUNTS["210000000002"]
    costs.emulate(replace(bakery, id=ACCOUNT))
    secret = boto3.client("secretsmanager").create_secret(
        Name="cost-reporting/clients/globex", SecretString='{"access_key_id": "AKIA", "secret_access_key": "secret"}'
    )
    role = {"kind": "role", "role_arn": f"arn:aws:iam::{bakery.id}:role/cost-reporting-reader", "external_id": "our-id"}
    branding = {"colour": "#0b4f6c", "logo": "logo.png"}
    world.add(a_client(client_id="acme", access=role, branding=branding, attachments=("csv", "xlsx")))
    world.add(a_client(client_id="globex", access={"kind": "secret", "secret_arn": secret["ARN"]}))
    world.put("clients/acme/logo.png", b"not a sound PNG, which is left out")
    wire.order("sesv2.GetAccount", Answer(200, {"SendingEnabled": True}))
    wire.order("sesv2.GetEmailIdentity", Answer(200, {"VerifiedForSendingStatus": True}))
    found: defaultdict[str, set[Need]] = defaultdict(set)

    def call(function: str, event: Any) -> Any:
        wire.calls.clear()
        try:
            return invoke(function, event)
        finally:
            found[function] |= {need for made in wire.calls for need in needs(made)}

    call("check_health", {"test": True})
    scheduled = {"cadence": "monthly", "scheduled_at": NOW.isoformat()}
    request = {"request": scheduled, "execution_id": AN_EXECUTION, "started_at": NOW.isoformat()}
    worklist = call("list_clients", request)
    running = {"executionArn": AN_EXECUTION, "status": "RUNNING", "startDate": NOW}
    wire.order("stepfunctions.DescribeExecution", Answer(200, running))
    assert call("list_clients", request | {"execution_id": f"{AN_EXECUTION}-twice"})["double_of"] == AN_EXECUTION
    for line in world.get(worklist["worklist"]["key"]).splitlines():
        baton = json.loads(line)
        if baton["client_id"] == "globex":
            monkeypatch.setattr(downloads, "LARGEST_TOGETHER", 1)
        for function in ("fetch_costs", "render_pdf", "send_email"):
            baton = call(function, baton)
            mailed = world.attempts()
            if mailed:
                call("record_delivery", delivered(mailed[-1]))
        call("record_outcome", baton)
        repeated_late = baton | {"failure": {"Error": "States.Timeout", "Cause": ""}}
        assert call("record_outcome", repeated_late)["status"] == "SENT"
    assert call("settle_run", worklist)["sent"] == 2
    test = {"test_report": True, "client_id": "acme", "recipients": list(a_client().recipients)}
    tested = call("list_clients", {"request": test, "execution_id": "arn:…:3c4d", "started_at": NOW.isoformat()})
    call("send_email", world.rendered("acme", Run.model_validate(tested["run"])))
    world.add(a_client(client_id="acme", status="suspended"))
    with pytest.raises(ClientSuspended):
        call("send_email", world.rendered("acme", a_run("2026-09")))
    ended = {"executionArn": "arn", "status": "SUCCEEDED", "startDate": NOW, "stateMachineArn": "arn", "name": "n"}
    wire.order("stepfunctions.StartExecution", Answer(200, {"executionArn": AN_EXECUTION, "startDate": NOW}))
    wire.order("stepfunctions.DescribeExecution", Answer(200, ended))
    call("cost_reporting_lambda", {"test": True})
    for week in range(KEPT + 1):
        call("back_up_tables", {"scheduled_at": (NOW - timedelta(weeks=KEPT - week)).isoformat()})
    assert call("watch_deliveries", {"scheduled_at": (NOW + timedelta(hours=12)).isoformat()})["roll_up"] == "mailed"
    # Whether the system is older than a schedule's moment is asked only if no run was started.
    found["watch_deliveries"].add(("dynamodb:DescribeTable", "${OutcomesTable.Arn}"))
    # A verdict is the one thing that settle_run writes only when it fails.
    found["settle_run"].add(("dynamodb:PutItem", "${OutcomesTable.Arn}"))
    return found


def test_every_call_of_a_run_is_allowed_and_every_permission_is_used(needed: dict[str, set[Need]]) -> None:
    assert sorted(needed) == FUNCTIONS
    denied = {
        (function, *need)
        for function, needs_of_it in needed.items()
        for need in needs_of_it
        if not any(covers(permission, need) for permission in allowed(function))
    }
    unused = {
        (function, *permission)
        for function in FUNCTIONS
        for permission in allowed(function)
        if not any(covers(permission, need) for need in needed[function])
    }
    assert (denied, {each for each in unused if each[1] != "ses:SendRawEmail"}) == (set(), set())


@pytest.mark.parametrize("function", FUNCTIONS)
def test_nothing_is_allowed_on_everything_but_what_has_no_resource(function: str) -> None:
    assert {action for action, resource in allowed(function) if resource == "*"} <= {
        "ses:GetAccount",
        "dynamodb:ListBackups",
    }
    assert not [action for action, _ in allowed(function) if "*" in action]


def test_a_link_can_open_a_report_and_only_send_email_can_sign_one() -> None:
    role = resources("AWS::IAM::Role")["ReportLinkRole"]
    (policy,) = role["Policies"]
    assert policy["PolicyDocument"]["Statement"] == [
        {"Effect": "Allow", "Action": ["s3:GetObject", "s3:GetObjectVersion"],
         "Resource": [f"${{Bucket.Arn}}/reports/*/{name}" for name in ("report.pdf", "costs.csv", "costs.xlsx")]}
    ]
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"AWS": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}
    need = ("sts:AssumeRole", ENVIRONMENT["LINK_ROLE_ARN"])
    assert [name for name in FUNCTIONS if any(covers(each, need) for each in allowed(name))] == ["send_email"]
    assert role["MaxSessionDuration"] >= LONGEST
