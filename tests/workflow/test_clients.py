"""A client from its first file to its removal, in the deployed stack where roles and trusts are real."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

import _console
import client_manager
import validate_migration
from cost_reporting.clients import Client
from cost_reporting.operations.clients.onboarding import TEMPLATE
from cost_reporting.store.clients import row
from local.deployment import ACCOUNT, session
from tests.workflow.machine import Machine

CLIENT, ITS_ACCOUNT = "newco", "220000009001"


class Ended:
    """How a command ended."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.out)


Manage = Callable[..., Ended]


@pytest.fixture
def manage(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Manage:
    monkeypatch.chdir(tmp_path)

    def manage(*arguments: str) -> Ended:
        capsys.readouterr()
        code = _console.main(client_manager.app, [*arguments, "--stack-name", "cost-reporting"])
        return Ended(code, *capsys.readouterr())

    return manage


@pytest.fixture
def theirs(machine: Machine) -> Any:
    """IAM of the client's account."""
    return session(ITS_ACCOUNT).client("iam", endpoint_url=machine.stack.emulator.endpoint)


def stands_up(theirs: Any, folder: str) -> dict[str, Any]:
    """What the client's CloudFormation does with the template; its account has no stack of ours to begin with."""
    template = json.loads((Path(folder) / TEMPLATE).read_text())
    role = template["Resources"]["CostReportingReader"]["Properties"]
    theirs.create_role(RoleName=role["RoleName"], AssumeRolePolicyDocument=json.dumps(role["AssumeRolePolicyDocument"]))
    for policy in role["Policies"]:
        document = json.dumps(policy["PolicyDocument"])
        theirs.put_role_policy(RoleName=role["RoleName"], PolicyName=policy["PolicyName"], PolicyDocument=document)
    return dict(role)


@pytest.fixture
def role(manage: Manage, theirs: Any) -> Iterator[dict[str, Any]]:
    """The client's role, as it was onboarded; gone after the test."""
    assert _console.main(client_manager.app, ["sample-config", "--output", "new.json"]) == 0
    told = manage(
        "onboard", "--client-id", CLIENT, "--account", ITS_ACCOUNT, "--config", "new.json", "--output-dir", "o"
    )
    assert told.code == 0, told.err
    role = stands_up(theirs, "o")
    yield role
    for name in theirs.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]:
        theirs.delete_role_policy(RoleName=role["RoleName"], PolicyName=name)
    theirs.delete_role(RoleName=role["RoleName"])


def policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def verdicts(answer: Ended) -> dict[str, str]:
    return {each["name"]: each["verdict"] for each in answer.json["findings"]}


def test_a_client_from_its_first_file_to_its_removal(
    manage: Manage, machine: Machine, role: dict[str, Any], theirs: Any
) -> None:
    sample = json.loads(Path("new.json").read_text())
    edits = {"client_id": CLIENT, "client_name": "Newco", "recipients": ["cfo@newco.example"]}
    more = {"reply_to": "us@consultancy.example", "cadences": ["weekly"], "sections": ["forecast"]}
    Path("new.json").write_text(json.dumps(sample | edits | more))
    assert manage("add", "--config", "new.json").code == 0

    sound = manage("validate", "--client-id", CLIENT, "--yes", "--json")
    assert sound.code == 0, sound.out
    assert {name for name, verdict in verdicts(sound).items() if verdict == "ok"} >= {
        *("assume role", "wrong ExternalId refused", "no ExternalId refused", "Cost Explorer enabled"),
        *("ce:GetCostAndUsage", "ce:GetCostForecast", "sender verified", "SES account", "function's permission"),
    }

    week = machine.a_week()
    execution = machine.run({"cadence": "weekly", "period": week, "client_ids": [CLIENT]})
    assert execution.status == "SUCCEEDED", execution.said
    assert len(machine.mails(client_id=CLIENT, period=week)) == 1

    assert manage("export", "--client-id", CLIENT, "--output", "mine.json").code == 0
    assert manage("suspend", "--client-id", CLIENT).code == 0
    assert manage("update", "--client-id", CLIENT, "--config", "mine.json").code == 1
    assert manage("rollback", "--client-id", CLIENT, "--to", "1").code == 0
    actions = [each["action"] for each in manage("history", "--client-id", CLIENT, "--json").json["versions"]]
    assert actions == ["added", "suspended", "rolled back"]

    s3 = machine.client("s3")
    s3.put_object(Bucket=machine.bucket, Key=f"reports/{CLIENT}-2/kept.txt", Body=b"another client's")
    removed = manage("remove", "--client-id", CLIENT, "--confirm", "--json")
    assert removed.code == 0, removed.err
    assert removed.json["objects"] > 5
    for top in ("reports", "clients", "onboarding"):
        assert "Contents" not in s3.list_objects_v2(Bucket=machine.bucket, Prefix=f"{top}/{CLIENT}/")
    assert s3.get_object(Bucket=machine.bucket, Key=f"reports/{CLIENT}-2/kept.txt")["Body"].read()
    assert machine.settled_ledger(CLIENT, week) == ["DELIVERED"], "the ledger stays"
    purged = manage("remove", "--client-id", CLIENT, "--confirm", "--purge", "--json")
    assert purged.code == 0
    assert "Versions" not in s3.list_object_versions(Bucket=machine.bucket, Prefix=f"reports/{CLIENT}/")


def test_nobody_else_of_our_account_gets_in_even_with_the_external_id(
    machine: Machine, manage: Manage, role: dict[str, Any]
) -> None:
    iam, name = machine.client("iam"), "somebody-else"
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}}
    may = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust))["Role"]
    iam.put_role_policy(RoleName=name, PolicyName="may", PolicyDocument=policy(may))
    keys = machine.client("sts").assume_role(RoleArn=made["Arn"], RoleSessionName="stranger")["Credentials"]
    sts = session().client(
        "sts",
        endpoint_url=machine.stack.emulator.endpoint,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    access = json.loads(Path("o/access.json").read_text())
    asked = {"RoleArn": access["role_arn"], "RoleSessionName": "stranger", "ExternalId": access["external_id"]}
    with pytest.raises(ClientError, match="AccessDenied"):
        sts.assume_role(**asked)
    assert machine.client("sts").assume_role(**asked)["Credentials"], "the operator who onboarded does"


def test_a_trust_that_the_client_has_loosened_is_found_out(
    machine: Machine, manage: Manage, role: dict[str, Any], theirs: Any
) -> None:
    sample = json.loads(Path("new.json").read_text())
    edits = {"client_id": CLIENT, "client_name": "Newco", "recipients": ["cfo@newco.example"]}
    Path("new.json").write_text(json.dumps(sample | edits | {"reply_to": "us@consultancy.example"}))
    assert manage("add", "--config", "new.json").code == 0
    loose = role["AssumeRolePolicyDocument"]
    del loose["Statement"][0]["Condition"]
    theirs.update_assume_role_policy(RoleName=role["RoleName"], PolicyDocument=json.dumps(loose))
    answer = manage("validate", "--client-id", CLIENT, "--json")
    assert answer.code == 1
    assert {verdicts(answer)[name] for name in ("wrong ExternalId refused", "no ExternalId refused")} == {"failed"}
    theirs.delete_role_policy(RoleName=role["RoleName"], PolicyName="read-costs")
    answer = manage("validate", "--client-id", CLIENT, "--yes", "--json")
    assert verdicts(answer)["ce:GetCostAndUsage"] == "failed"
    assert manage("remove", "--client-id", CLIENT, "--confirm").code == 0


def test_of_two_operators_who_write_at_once_one_is_told(manage: Manage, machine: Machine) -> None:
    assert manage("export", "--client-id", "tiny-bakery", "--output", "a.json").code == 0
    record = json.loads(Path("a.json").read_text())
    for name, colour in (("a.json", "#000000"), ("b.json", "#ffffff")):
        Path(name).write_text(json.dumps(record | {"branding": record["branding"] | {"colour": colour}}))
    codes = [manage("update", "--client-id", "tiny-bakery", "--config", name).code for name in ("a.json", "b.json")]
    assert codes == [0, 1]
    assert manage("rollback", "--client-id", "tiny-bakery").code == 0


def test_a_bare_row_is_listed_as_malformed(manage: Manage, machine: Machine) -> None:
    table, item = machine.stack.names.clients_table, {"client_id": {"S": "test"}, "client_name": {"S": "test"}}
    dynamodb = machine.client("dynamodb")
    dynamodb.put_item(TableName=table, Item=item)
    try:
        (found,) = manage("list", "--search", "test", "--json").json["clients"]
        assert (found["client_id"], found["status"]) == ("test", "malformed")
    finally:
        dynamodb.delete_item(TableName=table, Key={"client_id": item["client_id"]})


def test_two_hundred_clients_are_imported_at_once(manage: Manage, machine: Machine) -> None:
    record = json.loads(manage("export", "--client-id", "tiny-bakery").out)
    copies = [
        record
        | {"client_id": f"crowd-{number}"}
        | {
            "access": record["access"]
            | {"role_arn": f"arn:aws:iam::{240000000000 + number}:role/cost-reporting-reader"}
        }
        for number in range(200)
    ]
    Path("many.json").write_text(json.dumps(copies))
    assert manage("import", "--file", "many.json", "--json").json["added"] == 200
    assert manage("import", "--file", "many.json", "--json").json["already"]
    assert manage("list", "--search", "crowd-", "--json").json["count"] == 200
    table = machine.stack.session().resource("dynamodb", endpoint_url=machine.stack.emulator.endpoint)
    with table.Table(machine.stack.names.clients_table).batch_writer() as batch:
        for number in range(200):
            batch.delete_item(Key={"client_id": f"crowd-{number}"})


def test_a_copied_record_is_refused_at_each_door_and_by_hand_the_run_mails_neither_and_names_both(
    manage: Manage, machine: Machine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert manage("export", "--client-id", "tiny-bakery", "--output", "copy.json").code == 0
    record = json.loads(Path("copy.json").read_text())
    record |= {"client_id": "copy-paste", "client_name": "Copy Paste", "recipients": ["cfo@copy-paste.example"]}
    Path("copy.json").write_text(json.dumps(record))
    capsys.readouterr()
    arguments = ["--config-file", "copy.json", "--stack-name", "cost-reporting"]
    assert _console.main(validate_migration.app, arguments) == 2
    assert "is that of tiny-bakery" in capsys.readouterr().err
    for command in (("add", "--config", "copy.json"), ("import", "--file", "copy.json")):
        refused = manage(*command)
        assert (refused.code, "is that of tiny-bakery" in refused.err) == (2, True), refused.err

    dynamodb = machine.stack.session().resource("dynamodb", endpoint_url=machine.stack.emulator.endpoint)
    table = dynamodb.Table(machine.stack.names.clients_table)
    table.put_item(Item=row(Client.model_validate(record)))
    week = machine.a_week()
    try:
        request = {"cadence": "weekly", "period": week, "client_ids": ["copy-paste", "tiny-bakery"]}
        execution = machine.run(request)
        assert execution.status == "FAILED"
        for who, other in (("copy-paste", "tiny-bakery"), ("tiny-bakery", "copy-paste")):
            assert f"{who}: ClientMisconfigured" in str(execution.said)
            assert f"is that of {other}" in str(execution.said)
        again = machine.redrive(execution)
        assert (again.status, str(again.said).count("ClientMisconfigured")) == ("FAILED", 2)
        for who in ("copy-paste", "tiny-bakery"):
            assert machine.mails(client_id=who, period=week) == []
    finally:
        table.delete_item(Key={"client_id": "copy-paste"})
    mended = machine.redrive(execution)
    assert len(machine.mails(client_id="tiny-bakery", period=week)) == 1, mended.said
