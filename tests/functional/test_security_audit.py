"""The security audit: each fault of an account is found, what is sound is not, and what cannot be read never passes."""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

import _console
import _dependencies
import _operators
import security_audit
from cost_reporting.audit import Finding
from cost_reporting.operations.audit import CHECKS, audit_security, clients, drift, functions, logs, mail, roles, stored
from cost_reporting.operations.audit.scope import Look, NotLookedAt, Scope
from cost_reporting.store.stacks import Resource, Stack
from tests.builders import a_client
from tests.functional.conftest import ENVIRONMENT, NOW, Answer, Wire, World, refusal
from tests.functional.test_preview import Ended

ACCOUNT = "123456789012"
BUCKET, GROUP, FUNCTION = ENVIRONMENT["BUCKET"], "/aws/lambda/cost-reporting-send-email", "cost-reporting-send-email"
MACHINE = f"arn:aws:states:eu-central-1:{ACCOUNT}:stateMachine:cost-reporting"
LAMBDA = {
    "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}]
}
DKIM = {"SigningEnabled": True, "Status": "SUCCESS"}
SOUND_IDENTITY = {
    "VerifiedForSendingStatus": True, "DkimAttributes": DKIM, "MailFromAttributes": {"MailFromDomainStatus": "SUCCESS"},
}  # fmt: skip
STRONG = "7f0c2a52-61b5-4f63-9e35-d5f2d7f5a0c1"


def resource(kind: str, physical_id: str, logical_id: str = "X") -> Resource:
    return Resource(logical_id=logical_id, kind=kind, physical_id=physical_id)


@pytest.fixture
def scope(world: World) -> Scope:
    """Of a stack with one resource of each kind; time passes at once."""
    return Scope(
        stack=Stack(
            name="cost-reporting",
            resources=(
                resource("AWS::IAM::Role", "role"),
                resource("AWS::DynamoDB::Table", "clients"),
                resource("AWS::Lambda::Function", FUNCTION),
                resource("AWS::Logs::LogGroup", GROUP),
                resource("AWS::StepFunctions::StateMachine", MACHINE, "CostReportsStateMachine"),
            ),
        ),
        account=ACCOUNT,
        clients_table="clients",
        bucket=BUCKET,
        sender=ENVIRONMENT["SENDER"],
        configuration_set="cost-reporting",
        now=NOW,
        wait=lambda seconds: None,
        progress=lambda what, done, of: None,
    )


def ids(look: Look, scope: Scope) -> dict[str, str]:
    return {each.id: each.severity for each in look(scope)}


def a_policy(statement: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def a_role(policy: Any = None, trust: Any = None) -> None:
    iam = boto3.client("iam")
    iam.create_role(RoleName="role", AssumeRolePolicyDocument=json.dumps(trust or LAMBDA))
    if policy is not None:
        iam.put_role_policy(RoleName="role", PolicyName="p", PolicyDocument=a_policy(policy))


# -- roles ------------------------------------------------------------------------------------------------------------


def test_wildcards_are_found_in_inline_and_attached_policies(scope: Scope) -> None:
    a_role({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"})
    assert ids(roles.policies, scope) == {}
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    arn = boto3.client("iam").create_policy(PolicyName="all", PolicyDocument=json.dumps(everything))["Policy"]["Arn"]
    boto3.client("iam").attach_role_policy(RoleName="role", PolicyArn=arn)
    assert ids(roles.policies, scope) == {"IAM-WILDCARD-ACTION:*:role": "high"}


def test_a_role_that_another_account_may_assume_is_found(scope: Scope) -> None:
    principal = {"AWS": "arn:aws:iam::999999999999:root"}
    a_role(trust={"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal}]})
    assert ids(roles.trust, scope) == {"IAM-TRUSTS-OTHERS:arn:aws:iam::999999999999:root:role": "high"}


def last_accessed(wire: Wire, *services: dict[str, Any]) -> None:
    wire.order("iam.GenerateServiceLastAccessedDetails", Answer(200, {"JobId": "0f9c1d1e-2b7a-4c55-9b1e-3c5d7e9f1a2b"}))
    wire.order(
        "iam.GetServiceLastAccessedDetails",
        Answer(200, {"JobStatus": "IN_PROGRESS", "ServicesLastAccessed": []}),
        Answer(200, {"JobStatus": "COMPLETED", "ServicesLastAccessed": list(services)}),
    )


def test_what_a_role_allows_and_never_used_is_found_once_it_is_old_enough(scope: Scope, wire: Wire) -> None:
    a_role({"Effect": "Allow", "Action": ["s3:GetObject", "dynamodb:GetItem"], "Resource": "arn:aws:s3:::b"})
    with pytest.raises(NotLookedAt, match="younger than 35 days"):
        ids(roles.used, replace(scope, now=boto3.client("iam").get_role(RoleName="role")["Role"]["CreateDate"]))
    later = replace(scope, now=scope.now.replace(year=2040))
    last_accessed(wire, {"ServiceNamespace": "s3", "LastAuthenticated": NOW}, {"ServiceNamespace": "dynamodb"})
    assert ids(roles.used, later) == {"IAM-UNUSED:dynamodb:role": "low"}


def test_an_account_that_keeps_no_record_of_use_proves_nothing(scope: Scope, wire: Wire) -> None:
    a_role({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b"})
    last_accessed(wire)
    with pytest.raises(NotLookedAt, match="keeps no record"):
        ids(roles.used, replace(scope, now=scope.now.replace(year=2040)))


# -- what is deployed -------------------------------------------------------------------------------------------------


def drifts(wire: Wire, *found: dict[str, Any], status: str = "DETECTION_COMPLETE") -> None:
    wire.order("cloudformation.DetectStackDrift", Answer(200, {"StackDriftDetectionId": "d"}))
    wire.order(
        "cloudformation.DescribeStackDriftDetectionStatus",
        Answer(200, {"DetectionStatus": "DETECTION_IN_PROGRESS"}),
        Answer(200, {"DetectionStatus": status, "DetectionStatusReason": "no"}),
    )
    wire.order("cloudformation.DescribeStackResourceDrifts", Answer(200, {"StackResourceDrifts": list(found)}))


def test_a_changed_role_is_grave_and_another_change_is_not(scope: Scope, wire: Wire) -> None:
    changed = {"StackResourceDriftStatus": "MODIFIED", "PropertyDifferences": [{"PropertyPath": "/Policies/0"}]}
    drifts(
        wire,
        changed | {"ResourceType": "AWS::IAM::Role", "LogicalResourceId": "SendEmailFunctionRole"},
        changed | {"ResourceType": "AWS::Logs::LogGroup", "LogicalResourceId": "SendEmailLogGroup"},
        {"StackResourceDriftStatus": "IN_SYNC", "ResourceType": "AWS::S3::Bucket", "LogicalResourceId": "Bucket"},
    )
    assert ids(drift.drifted, scope) == {"DRIFT:SendEmailFunctionRole": "high", "DRIFT:SendEmailLogGroup": "medium"}


def test_a_detection_that_fails_or_compares_nothing_proves_nothing(scope: Scope, wire: Wire) -> None:
    drifts(wire, status="DETECTION_FAILED")
    with pytest.raises(NotLookedAt, match="did not finish"):
        ids(drift.drifted, scope)
    wire.forget("cloudformation.DescribeStackResourceDrifts")
    drifts(wire, {"StackResourceDriftStatus": "NOT_CHECKED", "ResourceType": "X", "LogicalResourceId": "X"})
    with pytest.raises(NotLookedAt, match="compared no resource"):
        ids(drift.drifted, scope)


def test_public_doors_of_a_function_are_found(scope: Scope, wire: Wire) -> None:
    wire.order("lambda.ListFunctionUrlConfigs", Answer(200, {"FunctionUrlConfigs": [{"AuthType": "NONE"}]}))
    public = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "lambda:InvokeFunction"}]}
    wire.order("lambda.GetPolicy", Answer(200, {"Policy": json.dumps(public)}))
    assert ids(functions.doors, scope) == {f"LAMBDA-URL:{FUNCTION}": "high", f"LAMBDA-PUBLIC:{FUNCTION}": "high"}
    wire.order("lambda.ListFunctionUrlConfigs", Answer(200, {"FunctionUrlConfigs": []}))
    wire.order("lambda.GetPolicy", refusal("ResourceNotFoundException", 404))
    assert ids(functions.doors, scope) == {}


@pytest.mark.parametrize(
    ("logging", "codes"),
    [
        ({"level": "ALL", "includeExecutionData": False}, set()),
        ({"level": "ALL", "includeExecutionData": True}, {f"STATES-PAYLOADS-LOGGED:{MACHINE}"}),
        ({"level": "OFF", "includeExecutionData": False}, {f"STATES-NOT-LOGGED:{MACHINE}"}),
    ],
)
def test_logged_payloads_are_found(scope: Scope, wire: Wire, logging: Any, codes: set[str]) -> None:
    machine = {"definition": '{"States": {}}', "loggingConfiguration": logging}
    wire.order("stepfunctions.DescribeStateMachine", Answer(200, machine))
    assert set(ids(functions.payloads, scope)) == codes


def test_a_state_machine_that_does_not_say_what_it_logs_proves_nothing(scope: Scope, wire: Wire) -> None:
    wire.order("stepfunctions.DescribeStateMachine", Answer(200, {"definition": '{"States": {}}'}))
    with pytest.raises(NotLookedAt):
        ids(functions.payloads, scope)


# -- what is kept -----------------------------------------------------------------------------------------------------


def test_an_open_bucket_is_found_and_a_sound_one_is_not(scope: Scope) -> None:
    s3 = boto3.client("s3")
    s3.delete_public_access_block(Bucket=BUCKET)
    assert {"S3-PUBLIC-ACCESS", "S3-NO-TLS", "S3-NO-VERSIONS"} <= {
        each.partition(":")[0] for each in ids(stored.bucket, scope)
    }
    blocked = dict.fromkeys(("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True)
    s3.put_public_access_block(Bucket=BUCKET, PublicAccessBlockConfiguration=blocked)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_ownership_controls(
        Bucket=BUCKET, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    )
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    s3.put_bucket_encryption(Bucket=BUCKET, ServerSideEncryptionConfiguration={"Rules": [rule]})
    tls = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": f"arn:aws:s3:::{BUCKET}/*"}
    tls |= {"Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps({"Version": "2012-10-17", "Statement": [tls]}))
    assert ids(stored.bucket, scope) == {}


def test_a_table_that_cannot_be_restored_is_found(scope: Scope, wire: Wire) -> None:
    assert ids(stored.tables, scope)["DYNAMODB-NO-RECOVERY:clients"] == "medium"
    boto3.client("dynamodb").update_continuous_backups(
        TableName="clients", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    table = {"SSEDescription": {"Status": "ENABLED"}, "DeletionProtectionEnabled": True}
    wire.order("dynamodb.DescribeTable", Answer(200, {"Table": table}))
    assert ids(stored.tables, scope) == {}


def test_queues_and_topics_for_everybody_are_found(scope: Scope, wire: Wire) -> None:
    public = json.dumps({"Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "*"}]})
    kinds = (resource("AWS::SQS::Queue", "https://sqs/1/lost"), resource("AWS::SNS::Topic", "arn:aws:sns:x:1:alerts"))
    scope = replace(scope, stack=Stack(name="s", resources=kinds))
    wire.order("sqs.GetQueueAttributes", Answer(200, {"Attributes": {"Policy": public}}))
    wire.order("sns.GetTopicAttributes", Answer(200, {"Attributes": {"Policy": public, "KmsMasterKeyId": "k"}}))
    assert ids(stored.queues, scope) == {"SQS-UNENCRYPTED:lost": "medium", "SQS-PUBLIC:lost": "high"}
    assert ids(stored.topics, scope) == {"SNS-PUBLIC:alerts": "high"}


# -- clients ----------------------------------------------------------------------------------------------------------


def with_role(client_id: str, external_id: str) -> Any:
    arn = "arn:aws:iam::210000000001:role/reader"
    return a_client(client_id=client_id, access={"kind": "role", "role_arn": arn, "external_id": external_id})


def test_weak_external_ids_and_unreadable_records_are_found(scope: Scope, world: World) -> None:
    world.add(with_role("acme", STRONG), with_role("globex", "globex"))
    world.add_row({"client_id": "half", "client_name": "Half"})
    found = ids(clients.strength, scope)
    assert found == {
        "EXTERNAL-ID-IS-CLIENT-ID:globex": "high",
        "CLIENT-UNREADABLE:half": "medium",
        "ACCOUNT-SHARED:acme": "high",
        "ACCOUNT-SHARED:globex": "high",
    }


def with_lab(client_id: str, first: str, lab: dict[str, str]) -> Any:
    changed = with_role(client_id, first).model_dump() | {"more_accounts": [{"name": "Lab", "access": lab}]}
    return a_client(**changed)


def role_in_lab(external_id: str) -> dict[str, str]:
    return {"kind": "role", "role_arn": "arn:aws:iam::210000000009:role/reader", "external_id": external_id}


def test_external_ids_of_further_accounts_are_judged_and_may_be_shared_within_a_client_only(
    scope: Scope, world: World
) -> None:
    world.add(with_lab("acme", STRONG, role_in_lab(STRONG)))
    assert ids(clients.strength, scope) == {}
    world.add(with_lab("globex", STRONG[::-1], role_in_lab(STRONG)), with_lab("initech", STRONG * 2, role_in_lab("x1")))
    assert ids(clients.strength, scope) == {
        "EXTERNAL-ID-SHARED:acme": "high",
        "EXTERNAL-ID-SHARED:acme/Lab": "high",
        "EXTERNAL-ID-SHARED:globex/Lab": "high",
        "EXTERNAL-ID-WEAK:initech/Lab": "medium",
        "ACCOUNT-SHARED:acme": "high",
        "ACCOUNT-SHARED:globex": "high",
        "ACCOUNT-SHARED:initech": "high",
    }


def test_keys_and_trusts_of_further_accounts_are_looked_at(scope: Scope, world: World, wire: Wire) -> None:
    arn = f"arn:aws:secretsmanager:eu-central-1:{ACCOUNT}:secret:cost-reporting/clients/acme"
    world.add(with_lab("acme", STRONG, {"kind": "secret", "secret_arn": arn}))
    assert ids(clients.keys, scope) == {"KEY-MISSING:acme/Lab": "high"}
    world.add(with_lab("acme", STRONG, role_in_lab(STRONG)))
    wire.order("sts.AssumeRole", Answer(200, {}), refusal("AccessDenied", 403), Answer(200, {}), Answer(200, {}))
    assert ids(clients.trust, replace(scope, probe=True)) == {"ROLE-WITHOUT-EXTERNAL-ID:acme/Lab": "high"}


def test_external_ids_of_further_accounts_are_looked_for_in_logs(scope: Scope, world: World, wire: Wire) -> None:
    world.add(with_lab("acme", STRONG[::-1], role_in_lab(STRONG)))
    a_log(wire, f"assumed with {STRONG}")
    assert ids(logs.contents, scope) == {f"LOGS-EXTERNALID:{GROUP}": "high"}


@pytest.mark.parametrize(("age", "severity"), [(30, None), (100, "medium"), (400, "high")])
def test_old_keys_are_found(scope: Scope, world: World, wire: Wire, age: int, severity: str | None) -> None:
    arn = f"arn:aws:secretsmanager:eu-central-1:{ACCOUNT}:secret:cost-reporting/clients/acme/abc"
    world.add(a_client(client_id="acme", access={"kind": "secret", "secret_arn": arn}))
    changed = {"CreatedDate": NOW - timedelta(days=900), "LastChangedDate": NOW - timedelta(days=age)}
    wire.order("secretsmanager.DescribeSecret", Answer(200, changed))
    found = ids(clients.keys, scope)
    assert (found.get("KEY-OLD:acme"), found["KEY-LONG-LIVED:acme"]) == (severity, "low")
    assert wire.count("secretsmanager.GetSecretValue") == 0


def test_a_secret_that_is_gone_is_grave(scope: Scope, world: World) -> None:
    arn = f"arn:aws:secretsmanager:eu-central-1:{ACCOUNT}:secret:cost-reporting/clients/acme"
    world.add(a_client(client_id="acme", access={"kind": "secret", "secret_arn": arn}))
    assert ids(clients.keys, scope) == {"KEY-MISSING:acme": "high"}


def test_a_role_that_opens_without_its_external_id_is_grave_and_one_that_never_opens_proves_nothing(
    scope: Scope, world: World, wire: Wire
) -> None:
    with pytest.raises(NotLookedAt, match="--probe-clients"):
        ids(clients.trust, scope)
    assert wire.count("sts.AssumeRole") == 0
    world.add(with_role("acme", STRONG))
    scope = replace(scope, probe=True)
    wire.order("sts.AssumeRole", Answer(200, {}), refusal("AccessDenied", 403))
    assert ids(clients.trust, scope) == {}
    wire.order("sts.AssumeRole", Answer(200, {}), Answer(200, {}))
    assert ids(clients.trust, scope) == {"ROLE-WITHOUT-EXTERNAL-ID:acme": "high"}
    wire.order("sts.AssumeRole", refusal("AccessDenied", 403))
    with pytest.raises(NotLookedAt, match="acme"):
        ids(clients.trust, scope)


# -- logs and mail ----------------------------------------------------------------------------------------------------


def a_log(wire: Wire, *lines: str) -> None:
    wire.order("logs.FilterLogEvents", Answer(200, {"events": [{"message": line} for line in lines]}))


def logging_to(wire: Wire, group: str) -> None:
    configuration = {"FunctionName": FUNCTION, "FunctionArn": "a", "Role": "r", "MemorySize": 512, "Timeout": 3}
    answer = configuration | {"LoggingConfig": {"LogGroup": group}}
    wire.order("lambda.GetFunctionConfiguration", Answer(200, answer))


def test_logs_that_never_end_are_found(scope: Scope, wire: Wire) -> None:
    boto3.client("logs").create_log_group(logGroupName=GROUP)
    logging_to(wire, GROUP)
    assert ids(logs.retention, scope) == {f"LOGS-KEPT:{GROUP}": "medium"}
    boto3.client("logs").put_retention_policy(logGroupName=GROUP, retentionInDays=30)
    logging_to(wire, "/aws/lambda/else")
    assert ids(logs.retention, scope) == {"LOGS-UNMANAGED:/aws/lambda/else": "low"}


def test_what_logs_give_away_is_found_and_not_repeated(scope: Scope, world: World, wire: Wire) -> None:
    world.add(with_role("acme", STRONG))
    a_log(wire, "step_done acme", "to finance@northwind.example", f"assumed with {STRONG}")
    found = list(logs.contents(scope))
    assert {each.id for each in found} == {f"LOGS-ADDRESS:{GROUP}", f"LOGS-EXTERNALID:{GROUP}"}
    assert not [each for each in found if "northwind" in each.model_dump_json() or STRONG in each.model_dump_json()]


def test_empty_logs_prove_nothing(scope: Scope, wire: Wire) -> None:
    a_log(wire)
    with pytest.raises(NotLookedAt, match="not one line"):
        ids(logs.contents, scope)


def test_no_more_lines_are_read_than_allowed(scope: Scope, wire: Wire) -> None:
    a_log(wire, *["nothing"] * 5, "to finance@northwind.example")
    assert ids(logs.contents, replace(scope, log_lines=5)) == {}


def test_a_sender_without_dkim_is_found(scope: Scope, wire: Wire) -> None:
    wire.order("sesv2.GetEmailIdentity", Answer(200, SOUND_IDENTITY))
    assert ids(mail.sender, scope) == {}
    wire.order("sesv2.GetEmailIdentity", Answer(200, SOUND_IDENTITY | {"DkimAttributes": {"Status": "PENDING"}}))
    assert ids(mail.sender, scope) == {"SES-NO-DKIM:consultancy.example": "medium"}
    wire.order("sesv2.GetEmailIdentity", refusal("NotFoundException", 404), refusal("NotFoundException", 404))
    assert ids(mail.sender, scope) == {"SES-UNVERIFIED:consultancy.example": "high"}


def test_mail_without_tls_is_found(scope: Scope, wire: Wire) -> None:
    for policy, codes in (("REQUIRE", {}), ("OPTIONAL", {"SES-TLS-OPTIONAL:cost-reporting": "medium"})):
        wire.order("sesv2.GetConfigurationSet", Answer(200, {"DeliveryOptions": {"TlsPolicy": policy}}))
        assert ids(mail.transport, scope) == codes


# -- the whole --------------------------------------------------------------------------------------------------------


def test_a_check_that_is_refused_has_not_passed_and_the_others_go_on(scope: Scope, wire: Wire) -> None:
    """Every call is refused: no check passes, and each says why."""

    def refuse(**_: Any) -> Any:
        return SimpleNamespace(status_code=400), refusal("AccessDeniedException").body

    events = boto3.DEFAULT_SESSION.events
    events.register_first("before-call", refuse)
    try:
        report = audit_security(scope, accepted={})
    finally:
        events.unregister("before-call", refuse)
    assert len(report.checks) == len(CHECKS)
    assert {check.name for check in report.checks if check.standing == "passed"} == set()
    assert {check.standing for check in report.checks} == {"not checked"}
    assert all(check.note for check in report.checks)


@pytest.fixture
def audit(scope: Scope, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    """The command, with two checks whose answers the test knows."""

    class Deployed:
        clients_table, bucket, sender, configuration_set = "clients", BUCKET, ENVIRONMENT["SENDER"], "cost-reporting"

    def denied(scope: Scope) -> Iterator[Finding]:
        raise NotLookedAt("nobody may")
        yield

    checks = (("The bucket", stored.bucket), ("Roles", denied))
    monkeypatch.setattr("cost_reporting.operations.audit.CHECKS", checks)
    monkeypatch.setattr(_operators, "stack_of", lambda name: (Deployed, scope.stack))

    def audit(*arguments: str | Path) -> Ended:
        capsys.readouterr()
        return Ended(_console.main(security_audit.app, [str(each) for each in arguments]), *capsys.readouterr())

    return audit


def test_grave_findings_are_exit_code_one_until_they_are_accepted(audit: Any, tmp_path: Path) -> None:
    answer = audit("--json")
    assert answer.code == 1
    report = answer.json["report"]
    grave = [each["id"] for each in report["findings"] if each["severity"] == "high"]
    assert f"S3-NO-TLS:{BUCKET}" in grave
    assert answer.json["high"] == len(grave)
    assert {check["name"]: check["standing"] for check in report["checks"]} == {
        "The bucket": "found",
        "Roles": "not checked",
        _dependencies.NAME: "not checked",
    }
    baseline = tmp_path / "baseline.json"
    baseline.write_text(json.dumps({"accepted": dict.fromkeys([*grave, "GONE:x"], "known, and mended next week")}))
    accepted = audit("--baseline", baseline, "--output", tmp_path / "audit.md")
    assert accepted.code == 0
    assert "GONE:x is not found any more" in accepted.err
    assert "not checked: Roles: nobody may" in accepted.err
    assert "known, and mended next week" in (tmp_path / "audit.md").read_text()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no", "is not JSON"),
        ("[]", "--baseline"),
        ('{"accepted": {"A:b": 1}}', "accepted.A:b"),
        ('{"accepted": {"A:b": " "}}', "no reason for A:b"),
        ('{"accepted": {}, "more": 1}', "more"),
    ],
)
def test_a_baseline_that_makes_no_sense_is_wrong_input(audit: Any, tmp_path: Path, text: str, said: str) -> None:
    baseline = tmp_path / "baseline.json"
    baseline.write_text(text)
    answer = audit("--baseline", baseline)
    assert answer.code == 2
    assert said in answer.err


# -- dependencies -----------------------------------------------------------------------------------------------------


def pip_audit(folder: Path, document: Any, code: int = 0) -> str:
    """A pip-audit that says ``document``."""
    command = folder / "pip-audit"
    text = document if isinstance(document, str) else json.dumps(document)
    command.write_text(f"#!{sys.executable}\nimport sys\nprint({text!r})\nsys.exit({code})\n")
    command.chmod(0o755)
    return str(command)


FAULT = {"id": "PYSEC-2026-1", "fix_versions": ["3.1.7"], "aliases": ["CVE-2026-1"], "description": "…"}


def test_a_known_fault_of_a_dependency_is_grave(tmp_path: Path) -> None:
    packages = [{"name": "jinja2", "version": "3.1.6", "vulns": [FAULT]}, {"name": "x", "version": "1", "vulns": []}]
    check, (found,) = _dependencies.audited(pip_audit(tmp_path, {"dependencies": packages}, 1))
    assert (check.standing, found.id, found.severity) == ("found", "DEPENDENCY:PYSEC-2026-1:jinja2 3.1.6", "high")
    assert "CVE-2026-1" in found.fact
    assert "3.1.7" in found.remedy


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"dependencies": [{"name": "jinja2", "skip_reason": "not found on PyPI"}]}, "knows nothing of jinja2"),
        ({"dependencies": []}, "knows nothing of any package"),
        ("no JSON", "pip-audit failed"),
    ],
)
def test_what_pip_audit_does_not_know_is_not_passed(tmp_path: Path, document: Any, said: str) -> None:
    check, findings = _dependencies.audited(pip_audit(tmp_path, document))
    assert (check.standing, findings) == ("not checked", ())
    assert said in check.note


def test_without_pip_audit_nothing_is_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_dependencies, "_installed", lambda: None)
    check, _ = _dependencies.audited()
    assert check.standing == "not checked"
    assert "pip-audit is not installed" in check.note


def test_a_sound_set_of_dependencies_passes(tmp_path: Path) -> None:
    document = {"dependencies": [{"name": "jinja2", "version": "3.1.6", "vulns": []}]}
    check, findings = _dependencies.audited(pip_audit(tmp_path, document))
    assert (check.standing, findings) == ("passed", ())
