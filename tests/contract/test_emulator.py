"""The emulated account behaves as AWS does where the product, its tests and the runbook depend on it.

Each claim marked ``restored`` is tried twice: on the emulator as we start it, where it must hold, and on MiniStack as
it comes, where it must not. When upstream catches up, the second one passes, which is a failure here (strict xfail)
that names the module of ``local/differences`` to remove. Claims marked ``missing`` hold nowhere yet.
"""

import base64
import contextlib
import io
import json
import os
import socket
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local import process
from local.deployment import ACCOUNT, session
from local.process import Emulator

SENDER = "reports@consultancy.example"
CLIENT = "210000000002"
MESSAGE = b"From: reports@consultancy.example\r\nTo: a@client.example\r\nSubject: Costs\r\nX-Mark: 7\r\n\r\nHello\r\n"


@dataclass
class Account:
    """The consultancy's account in an emulator, and short ways to put things into it."""

    emulator: Emulator
    names: Iterator[int] = field(default_factory=lambda: iter(range(10_000)))
    clients: dict[tuple[str, str], Any] = field(default_factory=dict)

    def client(self, service: str, account: str = ACCOUNT) -> Any:
        if (service, account) not in self.clients:
            config = Config(retries={"total_max_attempts": 1}, read_timeout=30)
            self.clients[service, account] = session(account).client(
                service, endpoint_url=self.emulator.endpoint, config=config
            )
        return self.clients[service, account]

    def name(self, kind: str) -> str:
        return f"{kind}-{next(self.names)}"

    def role(self, *allowed: dict[str, Any]) -> str:
        iam, name = self.client("iam"), self.name("role")
        services = ["lambda.amazonaws.com", "states.amazonaws.com"]
        trust = policy(Action="sts:AssumeRole", Principal={"Service": services})
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        for number, statement in enumerate(allowed):
            iam.put_role_policy(RoleName=name, PolicyName=f"p{number}", PolicyDocument=policy(**statement))
        return str(arn)

    def function(self, source: str, *allowed: dict[str, Any], **settings: Any) -> str:
        name = self.name("function")
        functions = self.client("lambda")
        functions.create_function(
            FunctionName=name,
            Runtime="python3.13",
            Handler="app.handler",
            Role=self.role(*allowed),
            Code={"ZipFile": zipped({"app.py": source})},
            **settings,
        )
        functions.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.1})
        return name

    def invoke(self, name: str, event: Any = None) -> Any:
        """What the function answers, or its error document."""
        answer = self.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event))
        return json.loads(answer["Payload"].read())

    def run(self, definition: dict[str, Any], role: str, given: Any = None) -> dict[str, Any]:
        """A finished execution of a state machine."""
        states = self.client("stepfunctions")
        machine = states.create_state_machine(
            name=self.name("machine"), definition=json.dumps(definition), roleArn=role
        )["stateMachineArn"]
        arn = states.start_execution(stateMachineArn=machine, input=json.dumps(given or {}))["executionArn"]
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            execution = states.describe_execution(executionArn=arn)
            if execution["status"] != "RUNNING":
                return dict(execution)
            time.sleep(0.05)
        raise AssertionError(f"{arn} is still running")


def policy(**statement: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


def zipped(files: dict[str, str]) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as entries:
        for name, text in files.items():
            entries.writestr(name, text)
    return archive.getvalue()


@pytest.fixture(scope="module")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Account]]:
    folders = {kind: tmp_path_factory.mktemp(kind) for kind in ("restored", "upstream")}
    os.environ["ONLY_THE_EMULATOR_SEES_THIS"] = "1"
    try:
        yield {
            "restored": Account(process.start(folders["restored"], attached=True)),
            "upstream": Account(process.start(folders["upstream"], "--as-upstream", attached=True)),
        }
    finally:
        del os.environ["ONLY_THE_EMULATOR_SEES_THIS"]
        for folder in folders.values():
            process.stop(folder)


@pytest.fixture
def account(request: pytest.FixtureRequest, accounts: dict[str, Account]) -> Account:
    chosen = accounts[getattr(request, "param", "restored")]
    with_identity(chosen)
    return chosen


def with_identity(account: Account) -> None:
    ses = account.client("sesv2")
    if not ses.list_email_identities()["EmailIdentities"]:
        ses.create_email_identity(EmailIdentity=SENDER)
        ses.create_configuration_set(ConfigurationSetName="reports")


def restored(module: str) -> pytest.MarkDecorator:
    """A claim about AWS that ``local/differences/<module>.py`` makes true."""
    gone = pytest.mark.xfail(
        strict=True, reason=f"MiniStack does not; if it does now, mend local/differences/{module}.py"
    )
    return pytest.mark.parametrize("account", ["restored", pytest.param("upstream", marks=gone)], indirect=True)


missing = pytest.mark.xfail(strict=True, reason="no emulator does this; if it passes, say so in ARCHITECTURE §6")


# -- functions --------------------------------------------------------------------------------------------------------

RAISES = """
class CostsThrottled(Exception): pass
def handler(event, context):
    raise CostsThrottled("first line\\nValueError: second line")
"""


@restored("environments")
def test_a_handler_s_exception_keeps_its_class_name(account: Account) -> None:
    error = account.invoke(account.function(RAISES))
    assert (error["errorType"], error["errorMessage"]) == ("CostsThrottled", "first line\nValueError: second line")
    assert "raise CostsThrottled" in error["stackTrace"][-1]


@restored("environments")
def test_a_state_machine_retries_and_catches_by_that_name(account: Account) -> None:
    function = account.function(RAISES)
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": function},
        "Retry": [{"ErrorEquals": ["CostsThrottled"], "IntervalSeconds": 1, "MaxAttempts": 1}],
        "Catch": [{"ErrorEquals": ["CostsThrottled"], "Next": "Caught"}],
        "End": True,
    }
    machine = {"StartAt": "Try", "States": {"Try": task, "Caught": {"Type": "Succeed"}}}
    execution = account.run(machine, account.role({"Action": "lambda:InvokeFunction", "Resource": "*"}))
    assert execution["status"] == "SUCCEEDED"
    assert json.loads(json.loads(execution["output"])["Cause"])["errorType"] == "CostsThrottled"


@restored("environments")
def test_an_environment_outlives_an_exception(account: Account) -> None:
    function = account.function("import os\ndef handler(event, context):\n    raise ValueError(os.getpid())")
    assert account.invoke(function)["errorMessage"] == account.invoke(function)["errorMessage"]


@restored("environments")
def test_a_timeout_names_the_request(account: Account) -> None:
    error = account.invoke(account.function("import time\ndef handler(event, context):\n    time.sleep(5)", Timeout=1))
    assert error["errorType"] == "Sandbox.Timedout"
    assert error["errorMessage"].startswith("RequestId: ")
    assert error["errorMessage"].endswith("Task timed out after 1.00 seconds")


@restored("environments")
def test_a_process_that_ends_by_itself_is_an_exit_error(account: Account) -> None:
    error = account.invoke(account.function("import os\ndef handler(event, context):\n    os._exit(3)"))
    assert error["errorType"] == "Runtime.ExitError"


@restored("environments")
def test_a_failed_import_is_an_import_module_error(account: Account) -> None:
    error = account.invoke(account.function("import nothing_of_this_name"))
    assert error["errorType"] == "Runtime.ImportModuleError"
    assert "No module named 'nothing_of_this_name'" in error["errorMessage"]


@restored("environments")
def test_a_function_sees_boto3_and_nothing_else_that_is_installed(account: Account) -> None:
    source = (
        "import importlib.util\ndef handler(event, context):\n"
        "    return [name for name in event if importlib.util.find_spec(name)]"
    )
    assert account.invoke(account.function(source), ["boto3", "ministack", "pydantic", "yaml"]) == ["boto3"]


@restored("environments")
def test_a_function_does_not_see_the_environment_of_this_machine(account: Account) -> None:
    source = "import os\ndef handler(event, context):\n    return sorted(os.environ)"
    names = account.invoke(account.function(source, Environment={"Variables": {"MINE": "1"}}))
    assert {"MINE", "AWS_REGION", "AWS_LAMBDA_FUNCTION_NAME", "AWS_SESSION_TOKEN"} <= set(names)
    assert "ONLY_THE_EMULATOR_SEES_THIS" not in names


@restored("environments")
def test_a_path_below_opt_leads_into_the_layer(account: Account) -> None:
    layer = account.client("lambda").publish_layer_version(
        LayerName=account.name("layer"),
        Content={"ZipFile": zipped({"python/in_layer.py": "X = 7", "fonts/a.ttf": "font"})},
    )["LayerVersionArn"]
    source = (
        "import os, in_layer\ndef handler(event, context):\n"
        "    return [in_layer.X, os.listdir(os.environ['FONTCONFIG_PATH'])]"
    )
    settings = {"Layers": [layer], "Environment": {"Variables": {"FONTCONFIG_PATH": "/opt/fonts"}}}
    assert account.invoke(account.function(source, **settings)) == [7, ["a.ttf"]]


def last_report(account: Account, name: str) -> dict[str, str]:
    """The fields of the last REPORT line of a function."""
    events = account.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{name}", filterPattern="REPORT")
    line = [event["message"] for event in events["events"] if event["message"].startswith("REPORT RequestId: ")][-1]
    fields = (part.partition(": ") for part in line.removeprefix("REPORT ").strip().split("\t"))
    return {field: value for field, _, value in fields}


@restored("reports")
def test_the_first_invocation_of_an_environment_reports_and_bills_its_start(account: Account) -> None:
    name = account.function("import time\ntime.sleep(0.1)\ndef handler(event, context):\n    time.sleep(0.2)")
    account.invoke(name)
    cold = last_report(account, name)
    assert float(cold["Init Duration"].removesuffix(" ms")) >= 100
    assert float(cold["Duration"].removesuffix(" ms")) >= 200
    assert float(cold["Billed Duration"].removesuffix(" ms")) >= 300
    account.invoke(name)
    warm = last_report(account, name)
    assert "Init Duration" not in warm
    assert 200 <= float(warm["Billed Duration"].removesuffix(" ms")) < 2000


@restored("reports")
def test_a_report_has_the_memory_of_its_own_environment(account: Account) -> None:
    small = account.function("def handler(event, context):\n    return 1", MemorySize=256)
    large = account.function("X = bytearray(120_000_000)\ndef handler(event, context):\n    return 1", MemorySize=256)
    account.invoke(large)
    account.invoke(small)
    used = [int(last_report(account, name)["Max Memory Used"].removesuffix(" MB")) for name in (small, large)]
    assert 0 < used[0] < 120 <= used[1]
    assert last_report(account, small)["Memory Size"] == "256 MB"


@restored("reports")
def test_a_report_says_that_the_time_was_up(account: Account) -> None:
    name = account.function("import time\ndef handler(event, context):\n    time.sleep(5)", Timeout=1)
    account.invoke(name)
    assert last_report(account, name)["Status"] == "timeout"


@restored("metrics")
def test_an_embedded_metric_in_a_log_line_becomes_a_metric(account: Account) -> None:
    namespace = account.name("Namespace")
    directive = {"Namespace": namespace, "Dimensions": [[], ["Kind"]], "Metrics": [{"Name": "Done", "Unit": "Count"}]}
    source = (
        "import json, time\ndef handler(event, context):\n"
        "    aws = {'Timestamp': int(time.time() * 1000), 'CloudWatchMetrics': [event]}\n"
        "    print(json.dumps({'_aws': aws, 'Done': 3, 'Kind': 'weekly'}))"
    )
    account.invoke(account.function(source), directive)
    found = account.client("cloudwatch").list_metrics(Namespace=namespace)["Metrics"]
    assert [metric["Dimensions"] for metric in found] == [[], [{"Name": "Kind", "Value": "weekly"}]]


# -- what CloudFormation makes ----------------------------------------------------------------------------------------

TEMPLATE = """
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: true}
      SSESpecification: {SSEEnabled: true}
  Topic: {Type: AWS::SNS::Topic}
  Machine:
    Type: AWS::StepFunctions::StateMachine
    Properties:
      RoleArn: arn:aws:iam::111122223333:role/none
      DefinitionString: '{"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}'
      LoggingConfiguration: {Level: ALL, IncludeExecutionData: false}
"""


def stacked(account: Account) -> dict[str, str]:
    """What AWS calls the resources of a stack of the template."""
    formation, name = account.client("cloudformation"), account.name("stack")
    formation.create_stack(StackName=name, TemplateBody=TEMPLATE)
    formation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 0.1})
    found = formation.list_stack_resources(StackName=name)["StackResourceSummaries"]
    return {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in found}


@restored("provisioning")
def test_a_table_of_a_template_can_be_restored_to_a_moment_and_has_its_key(account: Account) -> None:
    dynamodb, name = account.client("dynamodb"), stacked(account)["Table"]
    backups = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    assert dynamodb.describe_table(TableName=name)["Table"]["SSEDescription"]["Status"] == "ENABLED"


@restored("provisioning")
def test_a_topic_of_a_template_is_for_its_account(account: Account) -> None:
    attributes = account.client("sns").get_topic_attributes(TopicArn=stacked(account)["Topic"])["Attributes"]
    (statement,) = json.loads(attributes["Policy"])["Statement"]
    assert statement["Condition"] == {"StringEquals": {"AWS:SourceOwner": ACCOUNT}}


@restored("provisioning")
def test_a_state_machine_of_a_template_logs_what_it_says(account: Account) -> None:
    machine = account.client("stepfunctions").describe_state_machine(stateMachineArn=stacked(account)["Machine"])
    assert machine["loggingConfiguration"]["level"] == "ALL"
    assert machine["loggingConfiguration"]["includeExecutionData"] is False


# -- permissions ------------------------------------------------------------------------------------------------------

ASSUMES = """
import boto3
def handler(event, context):
    keys = boto3.client("sts").assume_role(RoleSessionName="test", **event)["Credentials"]
    there = boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
    costs = there.client("ce", region_name="us-east-1").get_cost_and_usage(
        TimePeriod={"Start": "2026-01-01", "End": "2026-02-01"}, Granularity="MONTHLY", Metrics=["UnblendedCost"])
    return [there.client("sts").get_caller_identity()["Account"], len(costs["ResultsByTime"])]
"""
MAY_ASSUME = {"Action": "sts:AssumeRole", "Resource": "arn:aws:iam::*:role/reader*"}


@pytest.fixture
def reader(account: Account) -> str:
    """A role in a client's account that lets us in with the right ExternalId."""
    iam = account.client("iam", CLIENT)
    condition = {"StringEquals": {"sts:ExternalId": "the-right-one"}}
    trust = policy(Action="sts:AssumeRole", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, Condition=condition)
    with contextlib.suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(RoleName="reader", AssumeRolePolicyDocument=trust)
    iam.put_role_policy(
        RoleName="reader", PolicyName="costs", PolicyDocument=policy(Action="ce:GetCostAndUsage", Resource="*")
    )
    return f"arn:aws:iam::{CLIENT}:role/reader"


@restored("cost_explorer")
def test_cost_explorer_answers_for_the_account_of_the_assumed_role(account: Account, reader: str) -> None:
    answer = account.invoke(account.function(ASSUMES, MAY_ASSUME), {"RoleArn": reader, "ExternalId": "the-right-one"})
    assert answer == [CLIENT, 1]


def test_an_account_of_cost_explorer_answers_otherwise_once_it_is_told_to(account: Account) -> None:
    """Of the emulator itself, not of AWS: tests order late days, gaps and refusals of one account."""
    other, today = "210000000012", datetime.now(UTC).date()
    period = {"Start": (today - timedelta(days=1)).isoformat(), "End": today.isoformat()}
    by_service = [{"Type": "DIMENSION", "Key": "SERVICE"}]

    def order(**traits: Any) -> None:
        url = f"{account.emulator.endpoint}/_local/account?account={other}"
        with urllib.request.urlopen(urllib.request.Request(url, json.dumps(traits).encode(), method="POST")) as said:
            assert said.status == 200

    def groups() -> list[Any]:
        answer = account.client("ce", other).get_cost_and_usage(
            TimePeriod=period, Granularity="DAILY", Metrics=["UnblendedCost"], GroupBy=by_service
        )
        return list(answer["ResultsByTime"][0]["Groups"])

    assert groups()
    order(unfilled_days=1)
    assert groups() == []
    order(unfilled_days=0, access_denied=True, denied_by="service_control_policy")
    with pytest.raises(ClientError, match="explicit deny in a service control policy"):
        groups()
    order(access_denied=False)
    assert groups()


@pytest.mark.parametrize(
    "request_",
    [
        {"ExternalId": "a-wrong-one"},
        {},
        {"RoleArn": "arn:aws:iam::210000000003:role/reader", "ExternalId": "the-right-one"},
    ],
    ids=["wrong ExternalId", "no ExternalId", "no such role"],
)
def test_a_role_lets_in_only_whom_it_trusts(account: Account, reader: str, request_: dict[str, str]) -> None:
    error = account.invoke(account.function(ASSUMES, MAY_ASSUME), {"RoleArn": reader} | request_)
    assert "AccessDenied" in error["errorMessage"]


@restored("principals")
def test_a_trust_can_name_a_role_by_a_condition(account: Account) -> None:
    """By its own ARN, path and all, whoever uses it: a session's ARN names neither path nor role as IAM does."""
    iam, name = account.client("iam"), account.name("caller")
    trust = policy(Action="sts:AssumeRole", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
    caller = iam.create_role(RoleName=name, Path="/teams/", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="may", PolicyDocument=policy(**MAY_ASSUME))
    sts = account.client("sts")
    keys = sts.assume_role(RoleArn=caller, RoleSessionName="test")["Credentials"]
    there = boto3.client(
        "sts",
        endpoint_url=account.emulator.endpoint,
        region_name="us-east-1",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    theirs = account.client("iam", CLIENT)
    answers: list[Any] = []
    for pattern in (f"arn:aws:iam::{ACCOUNT}:role/teams/*", f"arn:aws:iam::{ACCOUNT}:role/others/*"):
        narrowed = {"Condition": {"ArnLike": {"aws:PrincipalArn": pattern}}}
        trust = policy(Action="sts:AssumeRole", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, **narrowed)
        role = account.name("narrow")
        theirs.create_role(RoleName=role, Path="/reader/", AssumeRolePolicyDocument=trust)
        arn = f"arn:aws:iam::{CLIENT}:role/reader/{role}"
        try:
            there.assume_role(RoleArn=arn, RoleSessionName="test")
            answers.append(True)
        except ClientError as refused:
            answers.append(refused.response["Error"]["Code"])
    assert answers == [True, "AccessDenied"]


def test_a_function_may_do_only_what_its_role_allows(account: Account, reader: str) -> None:
    error = account.invoke(account.function(ASSUMES), {"RoleArn": reader, "ExternalId": "the-right-one"})
    assert "is not authorized to perform: sts:AssumeRole" in error["errorMessage"]


def test_an_assumed_role_reads_costs_only_if_its_policy_says_so(account: Account, reader: str) -> None:
    function = account.function(ASSUMES, MAY_ASSUME)
    account.client("iam", CLIENT).delete_role_policy(RoleName="reader", PolicyName="costs")
    error = account.invoke(function, {"RoleArn": reader, "ExternalId": "the-right-one"})
    assert "ce:GetCostAndUsage" in error["errorMessage"]


@restored("roles")
def test_a_state_machine_may_do_only_what_its_role_allows(account: Account) -> None:
    function = account.function("def handler(event, context):\n    return 1")
    task = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": {"FunctionName": function}}
    execution = account.run({"StartAt": "Try", "States": {"Try": task | {"End": True}}}, account.role())
    assert (execution["status"], execution.get("error")) == ("FAILED", "Lambda.AWSLambdaException")
    assert "lambda:InvokeFunction" in execution["cause"]


ITEMS = {
    "get": "t.get_item(Key={'pk': '%s', 'sk': '1'})",
    "query": "t.query(KeyConditionExpression='pk = :pk', ExpressionAttributeValues={':pk': '%s'})",
    "put": "t.put_item(Item={'pk': '%s', 'sk': '1'})",
    "update": "t.update_item(Key={'pk': '%s', 'sk': '1'}, UpdateExpression='ADD n :n', "
    "ExpressionAttributeValues={':n': 1})",
    "delete": "t.delete_item(Key={'pk': '%s', 'sk': '1'})",
    "transaction": "t.meta.client.transact_write_items(TransactItems=["
    "{'Put': {'TableName': t.name, 'Item': {'pk': 'RUN#2', 'sk': '1'}}}, "
    "{'Put': {'TableName': t.name, 'Item': {'pk': '%s', 'sk': '2'}}}])",
    "batch": "t.meta.client.batch_get_item(RequestItems={t.name: {'Keys': [{'pk': 'RUN#1', 'sk': '1'}, "
    "{'pk': '%s', 'sk': '2'}]}})",
}


def table(account: Account) -> str:
    name = account.name("table")
    account.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk", "issue")],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-issue",
                "KeySchema": [{"AttributeName": "issue", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
    return name


def allowed(account: Account, call: str, *may: dict[str, Any]) -> bool:
    """Whether a function whose role has the statements ``may`` is let through with ``call`` on the table ``t``."""
    source = (
        f"import boto3\ndef handler(event, context):\n    t = boto3.resource('dynamodb').Table(event)\n    {call}\n"
    )
    name = table(account)
    on = [f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/{name}{more}" for more in ("", "/index/by-issue")]
    answer = account.invoke(account.function(source, *({"Resource": on} | each for each in may)), name)
    if answer is not None:
        assert "AccessDenied" in answer["errorMessage"], answer
    return answer is None


def keyed(*patterns: str) -> dict[str, Any]:
    condition = {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": patterns},
        "Null": {"dynamodb:LeadingKeys": "false"},
    }
    return {"Action": "dynamodb:*", "Condition": condition}


@pytest.mark.parametrize("call", ITEMS)
@restored("item_keys")
def test_a_role_may_be_held_to_some_keys_of_a_table(account: Account, call: str) -> None:
    assert allowed(account, ITEMS[call] % "RUN#1", keyed("RUN#*"))
    assert not allowed(account, ITEMS[call] % "RUNS#1", keyed("RUN#*"))


@restored("item_keys")
def test_the_leading_key_of_an_index_is_its_own(account: Account) -> None:
    one = "KeyConditionExpression='issue = :i', ExpressionAttributeValues={':i': 'weekly#1'}"
    call = f"t.query(IndexName='by-issue', {one})"
    assert allowed(account, call, keyed("weekly#*"))
    assert not allowed(account, call, keyed("monthly#*", "RUN#*"))


def test_a_whole_table_has_no_leading_key(account: Account) -> None:
    assert not allowed(account, "t.scan()", keyed("*"))


@pytest.mark.parametrize(
    ("asked", "may"),
    [
        ("ProjectionExpression='pk, #n.town', ExpressionAttributeNames={'#n': 'place'}", True),
        ("ProjectionExpression='pk, secret'", False),
        ("ProjectionExpression='pk, #n', ExpressionAttributeNames={'#n': 'secret'}", False),
        ("ProjectionExpression='pk, secret.inner[0]'", False),
        ("ConsistentRead=True", False),
    ],
)
def test_a_role_may_be_held_to_some_attributes_of_an_item(account: Account, asked: str, may: bool) -> None:
    condition = {
        "ForAllValues:StringEquals": {"dynamodb:Attributes": ["pk", "sk", "place"]},
        "Null": {"dynamodb:Attributes": "false"},
        "StringEqualsIfExists": {"dynamodb:Select": "SPECIFIC_ATTRIBUTES"},
    }
    held = {"Action": "dynamodb:GetItem", "Condition": condition}
    assert allowed(account, f"t.get_item(Key={{'pk': 'a', 'sk': '1'}}, {asked})", held) is may


@restored("item_keys")
def test_what_is_written_counts_as_attributes_too(account: Account) -> None:
    held = {
        "Action": "dynamodb:PutItem",
        "Condition": {"ForAllValues:StringEquals": {"dynamodb:Attributes": ["pk", "sk"]}},
    }
    assert allowed(account, "t.put_item(Item={'pk': 'a', 'sk': '1'})", held)
    assert not allowed(account, "t.put_item(Item={'pk': 'a', 'sk': '1', 'state': 'APPROVED'})", held)


@restored("transport")
def test_a_bucket_that_wants_tls_can_be_used(account: Account) -> None:
    s3, bucket = account.client("s3"), account.name("bucket")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="a", Body=b"1")
    tls_only = {"Principal": "*", "Action": "s3:*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    document = {"Effect": "Deny", "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"], **tls_only}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [document]}))
    source = (
        "import boto3\ndef handler(event, context):\n"
        f"    return boto3.client('s3').get_object(Bucket='{bucket}', Key='a')['Body'].read().decode()"
    )
    may_read = {"Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    assert account.invoke(account.function(source, may_read)) == "1"


# -- mail -------------------------------------------------------------------------------------------------------------


def send(account: Account, to: str = "a@client.example", **more: Any) -> str:
    request = {
        "FromEmailAddress": SENDER,
        "Destination": {"ToAddresses": [to]},
        "Content": {"Raw": {"Data": MESSAGE}},
        "ConfigurationSetName": "reports",
        "EmailTags": [{"Name": "client_id", "Value": "acme"}],
    }
    return str(account.client("sesv2").send_email(**request | more)["MessageId"])


def kept(account: Account) -> list[dict[str, Any]]:
    lines = (account.emulator.folder / "mail" / "messages.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


@restored("mail")
def test_a_message_is_kept_as_it_was_sent(account: Account) -> None:
    message_id = send(account)
    (record,) = [record for record in kept(account) if record["message_id"] == message_id]
    assert (record["to"], record["tags"]) == (["a@client.example"], {"client_id": "acme"})
    assert Path(account.emulator.folder, "mail", record["file"]).read_bytes() == MESSAGE


@restored("mail")
def test_a_configuration_set_must_exist(account: Account) -> None:
    with pytest.raises(ClientError, match="NotFoundException"):
        send(account, ConfigurationSetName="nowhere")


@restored("mail")
def test_the_event_bus_hears_of_a_message(account: Account) -> None:
    assert heard(account, "a@client.example", seconds=3)


@pytest.mark.parametrize(
    ("to", "events"),
    [
        ("a@client.example", ["Email Sent", "Email Delivered"]),
        ("bounce+1@simulator.amazonses.com", ["Email Sent", "Email Bounced"]),
        ("complaint@simulator.amazonses.com", ["Email Sent", "Email Delivered", "Email Complaint Received"]),
    ],
    ids=["delivered", "bounced", "complained"],
)
def test_the_event_bus_hears_what_became_of_a_message(account: Account, to: str, events: list[str]) -> None:
    found = heard(account, to, count=len(events), seconds=15)
    assert sorted(event["detail-type"] for event in found) == sorted(events)
    assert all(event["detail"]["mail"]["tags"]["client_id"] == ["acme"] for event in found)


@restored("event_logs")
def test_a_rule_writes_what_it_is_told_of_an_event_into_a_log_group(account: Account) -> None:
    logs, group = account.client("logs"), account.name("/aws/ses/group")
    arn = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{group}"
    may_write = policy(
        Principal={"Service": "events.amazonaws.com"},
        Action=["logs:CreateLogStream", "logs:PutLogEvents"],
        Resource=f"{arn}:*",
        Condition={"ArnLike": {"aws:SourceArn": f"arn:aws:events:us-east-1:{ACCOUNT}:rule/rule-*"}},
    )
    logs.put_resource_policy(policyName=account.name("policy"), policyDocument=may_write)
    assert logged(account, arn) == ["Send for acme: "]


def test_a_rule_that_the_resource_policy_does_not_name_writes_nothing(account: Account) -> None:
    logs, group = account.client("logs"), account.name("/aws/ses/others")
    arn = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{group}"
    may_write = policy(
        Principal={"Service": "events.amazonaws.com"},
        Action=["logs:CreateLogStream", "logs:PutLogEvents"],
        Resource=f"{arn}:*",
        Condition={"ArnLike": {"aws:SourceArn": f"arn:aws:events:us-east-1:{ACCOUNT}:rule/another-*"}},
    )
    logs.put_resource_policy(policyName=account.name("policy"), policyDocument=may_write)
    assert logged(account, arn, seconds=2) == []


def test_a_rule_without_a_resource_policy_writes_nothing(account: Account) -> None:
    arn = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{account.name('/aws/ses/closed')}"
    assert logged(account, arn, seconds=2) == []


def logged(account: Account, arn: str, *, seconds: float = 5) -> list[str]:
    """What a rule with the log group as its target has written there about the sending of a message."""
    events, logs, rule = account.client("events"), account.client("logs"), account.name("rule")
    group = arn.partition(":log-group:")[2]
    logs.create_log_group(logGroupName=group)
    listens(account)
    events.put_rule(Name=rule, EventPattern=json.dumps({"source": ["aws.ses"], "detail": {"eventType": ["Send"]}}))
    paths = {"time": "$.time", "client": "$.detail.mail.tags.client_id[0]", "none": "$.detail.no[3].such"}
    template = '{"timestamp": <time>, "message": "<event> for <client>: <none>"}'
    transformer = {"InputPathsMap": paths | {"event": "$.detail.eventType"}, "InputTemplate": template}
    events.put_targets(Rule=rule, Targets=[{"Id": "log", "Arn": arn, "InputTransformer": transformer}])
    try:
        send(account)
        deadline = time.monotonic() + seconds
        found: list[str] = []
        while not found and time.monotonic() < deadline:
            time.sleep(0.2)
            found = [event["message"] for event in logs.filter_log_events(logGroupName=group)["events"]]
        return found
    finally:
        events.remove_targets(Rule=rule, Ids=["log"])
        events.delete_rule(Name=rule)


def heard(account: Account, to: str, *, count: int = 1, seconds: float) -> list[dict[str, Any]]:
    """The first ``count`` events about a message to ``to``, or those that came within ``seconds``."""
    events, sqs = account.client("events"), account.client("sqs")
    queue, rule = sqs.create_queue(QueueName=account.name("queue"))["QueueUrl"], account.name("rule")
    events.put_rule(Name=rule, EventPattern=json.dumps({"source": ["aws.ses"]}))
    target = f"arn:aws:sqs:us-east-1:{ACCOUNT}:{queue.rpartition('/')[2]}"
    events.put_targets(Rule=rule, Targets=[{"Id": "queue", "Arn": target}])
    listens(account)
    message_id = send(account, to)
    found: list[dict[str, Any]] = []
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and len(found) < count:
        time.sleep(0.1)
        answer = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=0)
        bodies = (json.loads(message["Body"]) for message in answer.get("Messages", []))
        found += [body for body in bodies if body["detail"]["mail"]["messageId"] == message_id]
    events.remove_targets(Rule=rule, Ids=["queue"])
    return found


def listens(account: Account) -> None:
    ses, bus = account.client("sesv2"), f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/default"
    if not ses.get_configuration_set_event_destinations(ConfigurationSetName="reports").get("EventDestinations"):
        ses.create_configuration_set_event_destination(
            ConfigurationSetName="reports",
            EventDestinationName="bus",
            EventDestination={
                "Enabled": True,
                "MatchingEventTypes": ["SEND", "DELIVERY", "BOUNCE", "COMPLAINT"],
                "EventBridgeDestination": {"EventBusArn": bus},
            },
        )


@restored("suppression")
def test_the_suppression_list_can_be_written_and_read_by_pages(account: Account) -> None:
    ses = account.client("sesv2")
    for number, reason in enumerate(("BOUNCE", "COMPLAINT", "BOUNCE")):
        ses.put_suppressed_destination(EmailAddress=f"Gone-{number}@client.example", Reason=reason)
    pages = ses.list_suppressed_destinations(PageSize=2)
    rest = ses.list_suppressed_destinations(PageSize=2, NextToken=pages["NextToken"])
    found = [*pages["SuppressedDestinationSummaries"], *rest["SuppressedDestinationSummaries"]]
    assert [each["EmailAddress"] for each in found] == [f"gone-{number}@client.example" for number in range(3)]
    assert found[0]["LastUpdateTime"].tzinfo is not None
    (complained,) = ses.list_suppressed_destinations(Reasons=["COMPLAINT"])["SuppressedDestinationSummaries"]
    assert complained["EmailAddress"] == "gone-1@client.example"
    ses.delete_suppressed_destination(EmailAddress="gone-0@client.example")
    with pytest.raises(ClientError, match="NotFoundException"):
        ses.get_suppressed_destination(EmailAddress="gone-0@client.example")


@restored("suppression")
def test_mail_to_a_suppressed_address_is_accepted_and_bounces(account: Account) -> None:
    account.client("sesv2").put_suppressed_destination(EmailAddress="dead@client.example", Reason="BOUNCE")
    _, bounced = sorted(
        heard(account, "dead@client.example", count=2, seconds=5), key=lambda each: each["detail-type"]
    )[::-1]
    assert bounced["detail"]["bounce"]["bounceSubType"] == "OnAccountSuppressionList"


SENDS = """
import base64, boto3
def handler(event, context):
    event["Content"] = {"Raw": {"Data": base64.b64decode(event["Content"])}}
    return boto3.client("sesv2").send_email(**event)["MessageId"]
"""
MAY_SEND = {
    "Action": "ses:SendRawEmail",
    "Resource": [
        f"arn:aws:ses:us-east-1:{ACCOUNT}:identity/*",
        f"arn:aws:ses:us-east-1:{ACCOUNT}:configuration-set/reports",
    ],
    "Condition": {"StringEquals": {"ses:FromAddress": SENDER}},
}


def order(**changes: Any) -> dict[str, Any]:
    return {
        "FromEmailAddress": SENDER,
        "Destination": {"ToAddresses": ["a@client.example"]},
        "Content": base64.b64encode(MESSAGE).decode(),
        "ConfigurationSetName": "reports",
    } | changes


@restored("mail")
def test_a_role_may_send_for_an_identity_under_conditions(account: Account) -> None:
    assert "@" in account.invoke(account.function(SENDS, MAY_SEND), order())


@pytest.mark.parametrize(
    ("allowed", "changes"),
    [
        (MAY_SEND, {"FromEmailAddress": "ceo@consultancy.example"}),
        (MAY_SEND, {"ConfigurationSetName": "another"}),
        (MAY_SEND | {"Action": "ses:SendEmail"}, {}),
    ],
    ids=["another sender", "another configuration set", "SendEmail alone is not enough for a raw message"],
)
def test_a_role_may_not_send_otherwise(account: Account, allowed: dict[str, Any], changes: dict[str, str]) -> None:
    error = account.invoke(account.function(SENDS, allowed), order(**changes))
    assert "is not authorized to perform: ses:SendRawEmail" in error["errorMessage"]


# -- monitoring -------------------------------------------------------------------------------------------------------


def put(account: Account, namespace: str, value: float, **dimensions: str) -> None:
    said = [{"Name": name, "Value": value} for name, value in dimensions.items()]
    data = {"MetricName": "Errors", "Value": value, "Unit": "Count", "Dimensions": said}
    account.client("cloudwatch").put_metric_data(Namespace=namespace, MetricData=[data])


def alarm(account: Account, namespace: str, **settings: Any) -> str:
    """An alarm of more than five errors in five minutes."""
    name = account.name("alarm")
    watched = {"MetricName": "Errors", "Namespace": namespace, "Statistic": "Sum", "Period": 300}
    account.client("cloudwatch").put_metric_alarm(
        **({} if "Metrics" in settings else watched)
        | {"AlarmName": name, "ComparisonOperator": "GreaterThanThreshold", "Threshold": 5, "EvaluationPeriods": 1}
        | settings
    )
    return name


def state(account: Account, name: str) -> str:
    (found,) = account.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return str(found["StateValue"])


@restored("alarms")
def test_an_alarm_looks_at_its_own_dimensions_only(account: Account) -> None:
    namespace = account.name("Namespace")
    mine = alarm(account, namespace, Dimensions=[{"Name": "FunctionName", "Value": "mine"}])
    put(account, namespace, 9, FunctionName="yours")
    put(account, namespace, 1, FunctionName="mine")
    assert state(account, mine) == "OK"


@restored("alarms")
def test_an_alarm_returns_to_ok_when_time_passes_without_data(account: Account) -> None:
    namespace = account.name("Namespace")
    name = alarm(account, namespace, TreatMissingData="notBreaching")
    put(account, namespace, 9)
    assert state(account, name) == "ALARM"
    account.emulator.later(301)
    assert state(account, name) == "OK"


@restored("alarms")
def test_an_alarm_of_two_periods_wants_both_to_breach(account: Account) -> None:
    namespace = account.name("Namespace")
    name = alarm(account, namespace, EvaluationPeriods=2, TreatMissingData="notBreaching")
    put(account, namespace, 9)
    assert state(account, name) == "OK"
    account.emulator.later(301)
    put(account, namespace, 9)
    assert state(account, name) == "ALARM"


@pytest.mark.parametrize(
    ("treatment", "then"),
    [("missing", "INSUFFICIENT_DATA"), ("notBreaching", "OK"), ("ignore", "ALARM"), ("breaching", "ALARM")],
)
def test_what_is_missing_counts_as_the_alarm_says(account: Account, treatment: str, then: str) -> None:
    namespace = account.name("Namespace")
    name = alarm(account, namespace, TreatMissingData=treatment)
    put(account, namespace, 9)
    assert state(account, name) == "ALARM"
    account.emulator.later(3_600)
    assert state(account, name) == then


def test_one_datapoint_of_several_is_enough_if_the_alarm_says_so_and_for_as_long_as_it_is_looked_at(
    account: Account,
) -> None:
    namespace = account.name("Namespace")
    name = alarm(account, namespace, EvaluationPeriods=3, DatapointsToAlarm=1, TreatMissingData="notBreaching")
    put(account, namespace, 9)
    account.emulator.later(600)
    assert state(account, name) == "ALARM"
    account.emulator.later(301)
    assert state(account, name) == "OK"


def of(namespace: str, function: str) -> dict[str, Any]:
    dimensions = [{"Name": "FunctionName", "Value": function}]
    watched = {"Namespace": namespace, "MetricName": "Errors", "Dimensions": dimensions}
    return {"Id": function, "MetricStat": {"Metric": watched, "Period": 300, "Stat": "Sum"}, "ReturnData": False}


@restored("alarms")
def test_an_alarm_adds_up_several_metrics(account: Account) -> None:
    namespace = account.name("Namespace")
    both = {"Id": "both", "Expression": "SUM([one, other])", "ReturnData": True}
    name = alarm(account, namespace, Metrics=[of(namespace, "one"), of(namespace, "other"), both])
    put(account, namespace, 3, FunctionName="one")
    put(account, namespace, 3, FunctionName="other")
    put(account, namespace, 9, FunctionName="a_third")
    assert state(account, name) == "ALARM"
    (shown,) = account.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    assert "Namespace" not in shown
    assert [each["Id"] for each in shown["Metrics"]] == ["one", "other", "both"]


def total(account: Account, namespace: str, name: str, **dimensions: str) -> float:
    """The sum of a metric in the last minutes, by CloudWatch's clock."""
    said = [{"Name": key.replace("__", ":"), "Value": value} for key, value in dimensions.items()]
    now = time.time()
    points = account.client("cloudwatch").get_metric_statistics(
        Namespace=namespace, MetricName=name, Dimensions=said, StartTime=now - 300, EndTime=now + 10 * 24 * 3600,
        Period=3600, Statistics=["Sum"],
    )["Datapoints"]  # fmt: skip
    return float(sum(point["Sum"] for point in points))


@restored("measured")
def test_a_function_that_a_state_machine_calls_is_measured(account: Account) -> None:
    function = account.function("def handler(event, context):\n    return 1")
    task = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": {"FunctionName": function}}
    machine = {"StartAt": "Try", "States": {"Try": task | {"End": True}}}
    account.run(machine, account.role({"Action": "lambda:InvokeFunction", "Resource": "*"}))
    assert total(account, "AWS/Lambda", "Invocations", FunctionName=function) == 1
    assert total(account, "AWS/Lambda", "Duration", FunctionName=function) > 0


def test_an_invocation_is_measured_once(account: Account) -> None:
    function = account.function("def handler(event, context):\n    raise ValueError")
    account.invoke(function)
    assert total(account, "AWS/Lambda", "Invocations", FunctionName=function) == 1
    assert total(account, "AWS/Lambda", "Errors", FunctionName=function) == 1


@restored("measured")
def test_an_execution_is_measured(account: Account) -> None:
    execution = account.run({"StartAt": "No", "States": {"No": {"Type": "Fail"}}}, account.role())
    of_machine = {"StateMachineArn": execution["stateMachineArn"]}
    deadline = time.monotonic() + 5
    while not total(account, "AWS/States", "ExecutionTime", **of_machine) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert total(account, "AWS/States", "ExecutionsFailed", **of_machine) == 1
    assert total(account, "AWS/States", "ExecutionTime", **of_machine) > 0


@restored("measured")
def test_what_waits_in_a_queue_is_measured(account: Account) -> None:
    queue = account.name("queue")
    url = account.client("sqs").create_queue(QueueName=queue)["QueueUrl"]
    account.client("sqs").send_message(QueueUrl=url, MessageBody="{}")
    account.client("cloudwatch").describe_alarms()
    assert total(account, "AWS/SQS", "ApproximateNumberOfMessagesVisible", QueueName=queue) >= 1


@restored("measured")
def test_the_sender_s_reputation_is_measured(account: Account) -> None:
    send(account, "bounce@simulator.amazonses.com")
    metrics = account.client("cloudwatch").list_metrics(Namespace="AWS/SES", MetricName="Reputation.BounceRate")
    assert [{"Name": "ses:configuration-set", "Value": "reports"}] in [
        each["Dimensions"] for each in metrics["Metrics"]
    ]
    assert total(account, "AWS/SES", "Reputation.BounceRate") > 0


@restored("queries")
def test_a_query_is_saved_and_found(account: Account) -> None:
    logs, name = account.client("logs"), account.name("query")
    logs.put_query_definition(name=name, queryString="fields @message", logGroupNames=["/a"])
    (found,) = logs.describe_query_definitions(queryDefinitionNamePrefix=name)["queryDefinitions"]
    assert (found["queryString"], found["logGroupNames"]) == ("fields @message", ["/a"])


# -- what no emulator does --------------------------------------------------------------------------------------------


# The states of these come from the Developer Guide's "Restarting state machine executions with redrive".

FAILS_ONCE_PER_RECORD = """
import json, time
class Judged(Exception): pass
def handler(event, context):
    if event["redrives"] < 1:
        raise Judged(json.dumps(event))
    return event
"""


def judging(account: Account) -> dict[str, Any]:
    """A machine that fails in its second state until it is redriven."""
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {
            "FunctionName": account.function(FAILS_ONCE_PER_RECORD),
            "Payload": {"given.$": "$.given", "redrives.$": "$$.Execution.RedriveCount"},
        },
        "OutputPath": "$.Payload",
        "End": True,
    }
    first = {"Type": "Pass", "Result": {"given": "by the first state"}, "Next": "Judge"}
    return {"StartAt": "First", "States": {"First": first, "Judge": task}}


def redriven(account: Account, execution: dict[str, Any]) -> dict[str, Any]:
    """The execution after a redrive has ended."""
    states, arn = account.client("stepfunctions"), execution["executionArn"]
    states.redrive_execution(executionArn=arn)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        shown = states.describe_execution(executionArn=arn)
        if shown["status"] not in ("RUNNING", "PENDING_REDRIVE"):
            return dict(shown)
        time.sleep(0.05)
    raise AssertionError(f"{arn} is still running")


@restored("redrives")
def test_a_failed_execution_can_be_redriven(account: Account) -> None:
    execution = account.run({"StartAt": "No", "States": {"No": {"Type": "Fail"}}}, account.role())
    assert redriven(account, execution)["status"] == "FAILED", "a Fail state fails again"


@restored("redrives")
def test_a_redriven_execution_goes_on_at_the_state_that_failed_with_its_input_and_counts(account: Account) -> None:
    role = account.role({"Action": "lambda:InvokeFunction", "Resource": "*"})
    failed = account.run(judging(account), role)
    assert json.loads(json.loads(failed["cause"])["errorMessage"]) == {"given": "by the first state", "redrives": 0}
    again = redriven(account, failed)
    assert (again["status"], again["redriveCount"]) == ("SUCCEEDED", 1)
    assert json.loads(again["output"]) == {"given": "by the first state", "redrives": 1}
    history = account.client("stepfunctions").get_execution_history(executionArn=failed["executionArn"])["events"]
    names = [each["stateEnteredEventDetails"]["name"] for each in history if "stateEnteredEventDetails" in each]
    assert names.count("First") == 1


@restored("redrives")
def test_a_redriven_execution_has_the_definition_that_it_was_started_with(account: Account) -> None:
    role = account.role({"Action": "lambda:InvokeFunction", "Resource": "*"})
    failed = account.run(judging(account), role)
    changed = {"StartAt": "Judge", "States": {"Judge": {"Type": "Pass", "Result": "another machine", "End": True}}}
    account.client("stepfunctions").update_state_machine(
        stateMachineArn=failed["stateMachineArn"], definition=json.dumps(changed)
    )
    assert json.loads(redriven(account, failed)["output"])["given"] == "by the first state"


@restored("redrives")
def test_an_execution_that_has_succeeded_cannot_be_redriven(account: Account) -> None:
    done = account.run({"StartAt": "Yes", "States": {"Yes": {"Type": "Succeed"}}}, account.role())
    with pytest.raises(ClientError) as refused:
        account.client("stepfunctions").redrive_execution(executionArn=done["executionArn"])
    assert refused.value.response["Error"]["Code"] == "ExecutionNotRedrivable"


def mapped(path: str) -> dict[str, Any]:
    each = {
        "Type": "Map",
        "ItemsPath": "$.items",
        "MaxConcurrencyPath": path,
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "Wait",
            "States": {"Wait": {"Type": "Wait", "Seconds": 6, "End": True}},
        },
        "End": True,
    }
    return {"StartAt": "Each", "States": {"Each": each}}


@restored("redrives")
def test_a_distributed_map_takes_its_concurrency_from_its_input(account: Account) -> None:
    role = account.role({"Action": "states:*", "Resource": "*"})
    began = time.monotonic()
    account.run(mapped("$.at_once"), role, {"items": [1, 2, 3], "at_once": 1})
    assert time.monotonic() - began >= 3 * 6 * 0.1, "one after the other, with waits a tenth as long"


@restored("redrives")
@pytest.mark.parametrize("given", [{}, {"at_once": "five"}, {"at_once": -1}], ids=["nothing", "a text", "negative"])
def test_a_concurrency_that_is_no_number_fails_the_execution(account: Account, given: dict[str, Any]) -> None:
    role = account.role({"Action": "states:*", "Resource": "*"})
    assert account.run(mapped("$.at_once"), role, {"items": [1], **given})["error"] == "States.Runtime"


@missing
def test_a_definition_with_a_dangling_next_is_refused(account: Account) -> None:
    machine = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "Nowhere"}}}
    with pytest.raises(ClientError):
        account.client("stepfunctions").create_state_machine(
            name=account.name("machine"), definition=json.dumps(machine), roleArn=account.role()
        )


def test_an_object_is_written_under_a_condition(account: Account) -> None:
    """S3 User Guide, "Conditional writes": 412 where the condition fails, 404 where nothing is to be replaced."""
    s3, bucket = account.client("s3"), account.name("bucket")
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket=bucket, Key="a", Body=b"1", IfNoneMatch="*")
    refused = [
        ({"Key": "a", "IfNoneMatch": "*"}, "PreconditionFailed"),
        ({"Key": "a", "IfMatch": f'"{"0" * 32}"'}, "PreconditionFailed"),
        ({"Key": "b", "IfMatch": first["ETag"]}, "NoSuchKey"),
    ]
    for condition, code in refused:
        with pytest.raises(ClientError) as raised:
            s3.put_object(Bucket=bucket, Body=b"2", **condition)
        assert raised.value.response["Error"]["Code"] == code
    s3.put_object(Bucket=bucket, Key="a", Body=b"3", IfMatch=first["ETag"])
    earlier = s3.get_object(Bucket=bucket, Key="a", VersionId=first["VersionId"])
    assert (s3.get_object(Bucket=bucket, Key="a")["Body"].read(), earlier["Body"].read()) == (b"3", b"1")


@missing
def test_the_results_of_a_distributed_map_are_written_to_the_bucket(account: Account) -> None:
    s3, bucket = account.client("s3"), account.name("bucket")
    s3.create_bucket(Bucket=bucket)
    each = {
        "Type": "Map",
        "ItemsPath": "$.items",
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "P",
            "States": {"P": {"Type": "Pass", "End": True}},
        },
        "ResultWriter": {
            "Resource": "arn:aws:states:::s3:putObject",
            "Parameters": {"Bucket": bucket, "Prefix": "out"},
        },
        "End": True,
    }
    role = account.role({"Action": ["states:*", "s3:*"], "Resource": "*"})
    account.run({"StartAt": "Each", "States": {"Each": each}}, role, {"items": [1, 2]})
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] > 0


def test_the_account_answers_on_the_loopback_interface_only(account: Account) -> None:
    """Asked on another address of this machine, if it has one, the port is closed."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing: only finds the address that would be used
        except OSError:
            pytest.skip("this machine has no other address")
        address = probe.getsockname()[0]
    if address.startswith("127."):
        pytest.skip("this machine has no other address")
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as knock:
        knock.settimeout(2)
        assert knock.connect_ex((address, account.emulator.port)) != 0
