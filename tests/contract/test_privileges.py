"""What roles, keys and policies allow, read as IAM reads it: who may, and who may not."""

import copy
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cost_reporting.clients import Client, ReportRecord
from tests.contract.documents import FUNCTIONS, ROOT, SOURCE, functions, resources, template
from tests.contract.policies import ACCOUNT, NAMES, REGION, Request, asked, decide, resolved, several, statements_of

BUCKET, OUTCOMES, CLIENTS = NAMES["Bucket.Arn"], NAMES["OutcomesTable.Arn"], NAMES["ClientsTable.Arn"]
REPORT = f"{BUCKET}/reports/acme/monthly/2026-10/final"
FAMILIES = (
    "ACCOUNT#210000000002",
    "ACCOUNTS#acme",
    "APPROVED#acme",
    "CLIENT#acme",
    "DELIVERED#monthly#2026-10#final",
    "EXPECTED#monthly#2026-10#final",
    "FAILED#monthly#2026-10#final",
    "HELD#monthly#2026-10#final",
    "LEDGER#acme#monthly#2026-10#final#live",
    "LEDGER#OPERATORS#roll-up#2026-11-08#0123#live",
    "MOMENT#monthly#2026-10#final",
    "ROLLUP",
    "RUN#monthly-2026-10-final-1a2b3c4d",
    "RUNS#2026-11",
)
"""A partition key of each family of the outcomes table, as docs/ARCHITECTURE.md lists them."""
WRITES = ("PutItem", "UpdateItem", "DeleteItem")
READS = ("BatchGetItem", "GetItem", "Query")


def may(function: str, action: str, resource: str, **context: tuple[str, ...]) -> bool:
    """Whether a function's role allows an action."""
    keys = {f"dynamodb:{name}": values for name, values in context.items()}
    return decide(statements_of(function), Request(action, resource, keys)) == "Allow"


def families(function: str, *actions: str) -> set[str]:
    """The families of the outcomes table that a function may do any of the actions with."""
    return {
        key.partition("#")[0]
        for key in FAMILIES
        for action in actions
        if may(function, f"dynamodb:{action}", OUTCOMES, LeadingKeys=(key,), Select=("ALL_ATTRIBUTES",))
    }


# -- the outcomes table -----------------------------------------------------------------------------------------------

WRITTEN = {
    "fetch_costs": {"ACCOUNT", "ACCOUNTS"},
    "list_clients": {"EXPECTED", "MOMENT", "RUN", "RUNS"},
    "record_delivery": {"LEDGER"},
    "record_outcome": {"DELIVERED", "FAILED", "RUN"},
    "send_email": {"HELD", "LEDGER"},
    "settle_run": {"FAILED", "RUN"},
    "watch_deliveries": {"LEDGER", "ROLLUP"},
}
READ = {
    "fetch_costs": {"ACCOUNT", "ACCOUNTS"},
    "list_clients": {"ACCOUNTS", "APPROVED", "DELIVERED", "HELD", "MOMENT"},
    "record_delivery": {"LEDGER"},
    "record_outcome": {"RUN"},
    "send_email": {"APPROVED", "HELD", "LEDGER"},
    "settle_run": {"RUN"},
    "watch_deliveries": {"DELIVERED", "EXPECTED", "FAILED", "HELD", "LEDGER", "ROLLUP", "RUNS"},
}


def test_every_family_of_keys_that_the_product_writes_is_in_this_table_and_in_the_architecture() -> None:
    known = {key.partition("#")[0] for key in FAMILIES}
    stated = re.findall(r"^\| outcomes table \| `([A-Z]+)", (ROOT / "docs/ARCHITECTURE.md").read_text(), re.MULTILINE)
    assert set(stated) == known
    code = "".join(path.read_text() for path in SOURCE.glob("store/*.py"))
    partition_keys = set(re.findall(r"\"pk\": f?\"([A-Z]+)", code)) | set(
        re.findall(r"_pk\(.*\n    return f\"([A-Z]+)#", code)
    )
    assert partition_keys <= known


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_writes_and_reads_its_own_families_of_keys_and_no_others(function: str) -> None:
    assert families(function, *WRITES) == WRITTEN.get(function, set())
    assert families(function, *READS) == READ.get(function, set())


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_function_approves_a_report_or_changes_a_client_record(function: str) -> None:
    for action in WRITES:
        assert not may(function, f"dynamodb:{action}", CLIENTS, LeadingKeys=("acme",))
        assert not may(function, f"dynamodb:{action}", OUTCOMES, LeadingKeys=("APPROVED#acme",))


def test_the_watch_writes_its_own_letter_s_entry_and_no_client_s() -> None:
    assert may("watch_deliveries", "dynamodb:PutItem", OUTCOMES, LeadingKeys=("LEDGER#OPERATORS#roll-up#a#b#live",))
    assert not may("watch_deliveries", "dynamodb:PutItem", OUTCOMES, LeadingKeys=("LEDGER#acme#monthly#2026-10",))


def test_the_watch_reads_the_index_by_report_and_no_other_function_reads_it() -> None:
    index = f"{OUTCOMES}/index/by-issue"
    for issue, expected in (("monthly#2026-10#final", True), ("weekly#2026-W44", True), ("LEDGER#acme", False)):
        reading = [each for each in FUNCTIONS if may(each, "dynamodb:Query", index, LeadingKeys=(issue,))]
        assert reading == (["watch_deliveries"] if expected else []), issue


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_request_that_says_no_key_is_refused_on_the_outcomes_table(function: str) -> None:
    """An absent key satisfies ForAllValues: without Null, a whole table could be read by a request without a key."""
    for action in (*READS, *WRITES, "BatchWriteItem", "Scan"):
        assert not may(function, f"dynamodb:{action}", OUTCOMES)
        assert not may(function, f"dynamodb:{action}", f"{OUTCOMES}/index/by-issue")


def test_every_condition_of_several_values_also_says_that_the_key_may_not_be_absent() -> None:
    """IAM User Guide, "Set operators for multi-valued context keys": with Allow, use Null beside ForAllValues."""
    for statement in (each for function in FUNCTIONS for each in statements_of(function)):
        condition = statement.get("Condition", {})
        named = {key for operator, tests in condition.items() if operator.startswith("ForAllValues") for key in tests}
        assert named <= {key for key, absent in condition.get("Null", {}).items() if absent == "false"}


# -- the bucket -------------------------------------------------------------------------------------------------------

OBJECTS = {
    "answers-0123456789abcdef.json",
    "costs.csv",
    "costs.json",
    "costs.xlsx",
    "evidence.json",
    "mail.json",
    "report.pdf",
}
STORED = {
    "fetch_costs": {"answers-0123456789abcdef.json", "costs.json"},
    "render_pdf": {"costs.csv", "costs.xlsx", "evidence.json", "mail.json", "report.pdf"},
}
OPENED = {
    "fetch_costs": {"costs.json", "evidence.json"},
    "render_pdf": OBJECTS,
    "send_email": {"costs.csv", "costs.xlsx", "mail.json", "report.pdf"},
}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_stores_and_opens_its_own_documents_of_a_report_and_no_others(function: str) -> None:
    names = {name for name in OBJECTS if may(function, "s3:PutObject", f"{REPORT}/{name}")}
    assert names == STORED.get(function, set())
    names = {name for name in OBJECTS if may(function, "s3:GetObject", f"{REPORT}/{name}")}
    assert names == OPENED.get(function, set())


ELSEWHERE = {
    "clients/acme/logo.png": {"render_pdf"},
    "clients/acme/logo.svg": {"render_pdf"},
    "clients/acme/notes.txt": set(),
    "onboarding/acme/role.yaml": set(),
    "runs/monthly-1/worklist-1.jsonl": {"settle_run", "watch_deliveries"},
    "runs/monthly-1/summary.json": set(),
    "runs/watch/2026-11-08/roll-up-0123.json": set(),
    "elsewhere/reports/acme/report.pdf": set(),
}
PUT_ELSEWHERE = {
    "clients/acme/logo.png": set(),
    "onboarding/acme/role.yaml": set(),
    "runs/monthly-1/worklist-1.jsonl": {"list_clients", "settle_run"},
    "runs/monthly-1/summary.json": {"settle_run"},
    "runs/monthly-1/map/1/manifest.json": set(),
    "runs/watch/2026-11-08/roll-up-0123.json": {"watch_deliveries"},
    "elsewhere/reports/acme/costs.json": set(),
    "clients/reports/acme/report.pdf": set(),
}


@pytest.mark.parametrize(("action", "table"), [("s3:GetObject", ELSEWHERE), ("s3:PutObject", PUT_ELSEWHERE)])
def test_outside_reports_a_function_reaches_its_own_prefix_only(action: str, table: dict[str, set[str]]) -> None:
    for key, expected in table.items():
        assert {each for each in FUNCTIONS if may(each, action, f"{BUCKET}/{key}")} == expected, key


def test_no_function_deletes_a_document_or_changes_how_the_bucket_keeps_them() -> None:
    for function in FUNCTIONS:
        for action in (
            "s3:DeleteObject",
            "s3:DeleteObjectVersion",
            "s3:PutBucketPolicy",
            "s3:PutLifecycleConfiguration",
        ):
            assert not may(function, action, BUCKET)
            assert not may(function, action, f"{REPORT}/costs.json")


# -- the client record ------------------------------------------------------------------------------------------------


def record(*attributes: str, select: str = "SPECIFIC_ATTRIBUTES") -> bool:
    """Whether Render PDF may read these attributes of a client record."""
    context: dict[str, tuple[str, ...]] = {"LeadingKeys": ("acme",), "Select": (select,)}
    if attributes:
        context["Attributes"] = attributes
    return may("render_pdf", "dynamodb:GetItem", CLIENTS, **context)


def test_render_pdf_may_read_what_a_report_shows_and_each_of_the_other_fields_is_refused() -> None:
    shown = tuple(ReportRecord.model_fields)
    assert record(*shown)
    for hidden in Client.model_fields.keys() - set(shown):
        assert not record(*shown, hidden), hidden
    assert {"access", "more_accounts", "recipients", "quarantined", "reply_to"} <= Client.model_fields.keys() - set(
        shown
    )


def test_render_pdf_may_not_read_a_whole_record_whatever_dynamodb_says_its_attributes_are() -> None:
    shown = tuple(ReportRecord.model_fields)
    assert not record(select="ALL_ATTRIBUTES")
    assert not record(), "no attributes are named"
    assert not record("client_id", select="ALL_ATTRIBUTES"), "the key alone is named, and everything is returned"
    assert not record(*shown, select="ALL_ATTRIBUTES")
    for action in ("Query", "Scan", "BatchGetItem"):
        assert not may("render_pdf", f"dynamodb:{action}", CLIENTS, Attributes=shown)


def test_what_a_report_shows_is_said_as_the_client_record_says_it() -> None:
    for name, field in ReportRecord.model_fields.items():
        theirs = Client.model_fields[name]
        assert (field.annotation, field.metadata, field.default) == (theirs.annotation, theirs.metadata, theirs.default)


# -- trust ------------------------------------------------------------------------------------------------------------


def trust(logical_id: str) -> list[dict[str, Any]]:
    """Who may assume a role of the template."""
    return resolved(resources("AWS::IAM::Role")[logical_id]["AssumeRolePolicyDocument"]["Statement"])


def test_links_are_signed_by_send_email_and_no_other_role_of_the_account() -> None:
    sender = NAMES["SendEmailFunctionRole.Arn"]
    for caller, expected in {
        sender: "Allow",
        f"arn:aws:iam::{ACCOUNT}:role/administrator": "ImplicitDeny",
        f"{sender}-2": "ImplicitDeny",
        sender.replace("SendEmail", "RenderPdf"): "ImplicitDeny",
    }.items():
        asked = Request("sts:AssumeRole", "*", {"aws:PrincipalArn": (caller,)})
        assert decide(trust("ReportLinkRole"), asked) == expected
    assert [each for each in FUNCTIONS if may(each, "sts:AssumeRole", NAMES["ReportLinkRole.Arn"])] == ["send_email"]


def test_a_link_opens_what_is_mailed_and_nothing_else() -> None:
    (policy,) = resources("AWS::IAM::Role")["ReportLinkRole"]["Policies"]
    statements = resolved(policy["PolicyDocument"]["Statement"])
    opened = {n for n in OBJECTS if decide(statements, Request("s3:GetObject", f"{REPORT}/{n}")) == "Allow"}
    assert opened == {"report.pdf", "costs.csv", "costs.xlsx"}
    assert decide(statements, Request("s3:PutObject", f"{REPORT}/report.pdf")) == "ImplicitDeny"


def test_schedules_start_what_is_scheduled_for_this_account_only() -> None:
    for account, expected in {ACCOUNT: "Allow", "999999999999": "ImplicitDeny"}.items():
        asked = Request("sts:AssumeRole", "*", {"aws:SourceAccount": (account,)})
        assert decide(trust("ScheduleRole"), asked) == expected
    assert decide(trust("ScheduleRole"), Request("sts:AssumeRole", "*")) == "ImplicitDeny"
    scheduled = [
        (name, event["Properties"])
        for name, each in (functions() | resources("AWS::Serverless::StateMachine")).items()
        for event in each.get("Events", {}).values()
        if event["Type"] == "ScheduleV2"
    ]
    assert len(scheduled) == 5
    (policy,) = resources("AWS::IAM::Role")["ScheduleRole"]["Policies"]
    statements = policy["PolicyDocument"]["Statement"]
    started = {target for each in statements for target in several(each["Resource"])}
    assert {"${" + name + ("}" if name.endswith("Machine") else ".Arn}") for name, _ in scheduled} | {
        "${LostSchedules.Arn}"
    } == started
    assert {event["RoleArn"] for _, event in scheduled} == {"${ScheduleRole.Arn}"}


def test_costs_are_read_with_clients_secrets_and_reader_roles_and_no_others() -> None:
    secrets = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret"
    for action, resource, expected in (
        ("secretsmanager:GetSecretValue", f"{secrets}:cost-reporting/clients/acme-1AbC", True),
        ("secretsmanager:GetSecretValue", f"{secrets}:cost-reporting/operators-1AbC", False),
        ("secretsmanager:GetSecretValue", f"{secrets}:payroll", False),
        ("secretsmanager:PutSecretValue", f"{secrets}:cost-reporting/clients/acme-1AbC", False),
        ("sts:AssumeRole", "arn:aws:iam::210000000002:role/reader", True),
        ("sts:AssumeRole", "arn:aws:iam::210000000002:role/administrator", False),
        ("sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/administrator", False),
    ):
        assert may("fetch_costs", action, resource) is expected, (action, resource)
        for other in set(FUNCTIONS) - {"fetch_costs"}:
            assert not may(other, action, resource), other


def test_only_backups_are_deleted_and_only_by_the_function_that_makes_them() -> None:
    for table in (CLIENTS, OUTCOMES):
        assert may("back_up_tables", "dynamodb:DeleteBackup", f"{table}/backup/0123")
        for action in ("DeleteTable", "UpdateTable", "UpdateContinuousBackups", "RestoreTableFromBackup"):
            assert not [each for each in FUNCTIONS if may(each, f"dynamodb:{action}", table)]
    deleting = [each for each in FUNCTIONS if may(each, "dynamodb:DeleteBackup", f"{CLIENTS}/backup/0123")]
    assert deleting == ["back_up_tables"]


def test_a_state_machine_reads_worklists_writes_results_and_starts_and_redrives_its_own_children_only() -> None:
    (machine,) = resources("AWS::Serverless::StateMachine").values()
    statements = resolved([each for policy in machine["Policies"] for each in policy["Statement"]])
    states = f"arn:aws:states:{REGION}:{ACCOUNT}"
    for action, resource, expected in (
        ("s3:GetObject", f"{BUCKET}/runs/monthly-1/worklist-1.jsonl", "Allow"),
        ("s3:GetObject", f"{REPORT}/costs.json", "ImplicitDeny"),
        ("s3:GetObject", f"{BUCKET}/runs/monthly-1/summary.json", "ImplicitDeny"),
        ("s3:PutObject", f"{BUCKET}/runs/monthly-1/map/0123/manifest.json", "Allow"),
        ("s3:PutObject", f"{BUCKET}/runs/monthly-1/worklist-1.jsonl", "ImplicitDeny"),
        ("s3:PutObject", f"{REPORT}/costs.json", "ImplicitDeny"),
        ("states:StartExecution", f"{states}:stateMachine:cost-reporting", "Allow"),
        ("states:StartExecution", f"{states}:stateMachine:another", "ImplicitDeny"),
        ("states:RedriveExecution", f"{states}:execution:cost-reporting/ForEachClient:1", "Allow"),
        ("states:RedriveExecution", f"{states}:execution:cost-reporting:1", "ImplicitDeny"),
        ("states:StopExecution", f"{states}:execution:another:1", "ImplicitDeny"),
        ("dynamodb:GetItem", OUTCOMES, "ImplicitDeny"),
    ):
        assert decide(statements, Request(action, resource)) == expected, (action, resource)
    everywhere = {a for each in statements if each["Resource"] == "*" for a in several(each["Action"])}
    assert {a.partition(":")[0] for a in everywhere} == {"logs", "xray"}, "deliveries of logs name no resource"


def test_executions_are_looked_at_of_this_machine_only_and_started_by_one_function() -> None:
    states = f"arn:aws:states:{REGION}:{ACCOUNT}"
    ours, another = f"{states}:execution:cost-reporting:lambda-1", f"{states}:execution:another:lambda-1"
    looking = [each for each in FUNCTIONS if may(each, "states:DescribeExecution", ours)]
    assert looking == ["cost_reporting_lambda", "list_clients"]
    assert not [each for each in FUNCTIONS if may(each, "states:DescribeExecution", another)]
    starting = [each for each in FUNCTIONS if may(each, "states:StartExecution", NAMES["CostReportsStateMachine"])]
    assert starting == ["cost_reporting_lambda"]


# -- policies of resources --------------------------------------------------------------------------------------------


def statements_on(kind: str, logical_id: str) -> list[dict[str, Any]]:
    document = resources(kind)[logical_id]["PolicyDocument"]
    return resolved((json.loads(document) if isinstance(document, str) else document)["Statement"])


@pytest.mark.parametrize(
    ("kind", "name", "action", "resource"),
    [
        ("AWS::S3::BucketPolicy", "BucketPolicy", "s3:GetObject", f"{REPORT}/report.pdf"),
        ("AWS::S3::BucketPolicy", "BucketPolicy", "s3:ListBucket", BUCKET),
        ("AWS::S3::BucketPolicy", "AccessLogPolicy", "s3:GetObject", f"{NAMES['AccessLog.Arn']}/bucket/1"),
        ("AWS::S3::BucketPolicy", "AccessLogPolicy", "s3:ListBucket", NAMES["AccessLog.Arn"]),
        ("AWS::SQS::QueuePolicy", "QueuesPolicy", "sqs:ReceiveMessage", NAMES["LostDeliveryEvents.Arn"]),
        ("AWS::SQS::QueuePolicy", "QueuesPolicy", "sqs:ReceiveMessage", NAMES["LostSchedules.Arn"]),
    ],
)
def test_a_request_over_tls_is_not_denied_and_one_in_clear_text_is(
    kind: str, name: str, action: str, resource: str
) -> None:
    statements = statements_on(kind, name)
    for tls, expected in (("true", "ImplicitDeny"), ("false", "Deny")):
        assert decide(statements, Request(action, resource, {"aws:SecureTransport": (tls,)})) == expected


def test_the_access_log_takes_what_s3_has_seen_of_our_bucket_and_of_no_other() -> None:
    statements = statements_on("AWS::S3::BucketPolicy", "AccessLogPolicy")
    (allow,) = (each for each in statements if each["Effect"] == "Allow")
    assert allow["Principal"] == {"Service": "logging.s3.amazonaws.com"}
    (bucket, log) = (resources("AWS::S3::Bucket")[name] for name in ("Bucket", "AccessLog"))
    assert bucket["LoggingConfiguration"] == {"DestinationBucketName": "${AccessLog}", "LogFilePrefix": "bucket/"}
    assert "LoggingConfiguration" not in log, "a log of the log would never end"
    key, ours = f"{NAMES['AccessLog.Arn']}/bucket/2026", {"aws:SourceArn": (BUCKET,), "aws:SourceAccount": (ACCOUNT,)}
    for context, expected in (
        (ours, "Allow"),
        (ours | {"aws:SourceArn": ("arn:aws:s3:::another",)}, "ImplicitDeny"),
        (ours | {"aws:SourceAccount": ("999999999999",)}, "ImplicitDeny"),
    ):
        asked = Request("s3:PutObject", key, context | {"aws:SecureTransport": ("true",)})
        assert decide(statements, asked) == expected


def rule(name: str, account: str = ACCOUNT) -> str:
    return f"arn:aws:events:{REGION}:{account}:rule/cost-reporting-{name}"


def test_mail_events_are_logged_for_the_rules_of_the_template_and_no_others() -> None:
    statements = statements_on("AWS::Logs::ResourcePolicy", "MailEventsPolicy")
    stream = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/ses/cost-reporting:log-stream:events"
    names = {resolved(each["Name"]).removeprefix("cost-reporting-") for each in resources("AWS::Events::Rule").values()}
    for source, expected in {
        **{rule(name): "Allow" for name in names},
        rule("delivery-events"): "ImplicitDeny",
        rule("mail-events", "999999999999"): "ImplicitDeny",
    }.items():
        assert decide(statements, Request("logs:PutLogEvents", stream, {"aws:SourceArn": (source,)})) == expected
    assert decide(statements, Request("logs:PutLogEvents", stream)) == "ImplicitDeny"


def test_events_that_could_not_be_handed_over_reach_the_queue_from_the_one_rule() -> None:
    statements = statements_on("AWS::SQS::QueuePolicy", "QueuesPolicy")
    (event,) = functions()["RecordDeliveryFunction"]["Events"].values()
    assert event["Properties"]["DeadLetterConfig"] == {"Arn": "${LostDeliveryEvents.Arn}"}
    for source, queue, expected in (
        (resolved(event["Properties"]["RuleName"]), "LostDeliveryEvents", "Allow"),
        (resolved(event["Properties"]["RuleName"]), "LostSchedules", "ImplicitDeny"),
        ("another", "LostDeliveryEvents", "ImplicitDeny"),
    ):
        context = {
            "aws:SourceArn": (f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{source}",),
            "aws:SourceAccount": (ACCOUNT,),
            "aws:SecureTransport": ("true",),
        }
        assert decide(statements, Request("sqs:SendMessage", NAMES[f"{queue}.Arn"], context)) == expected


def test_no_policy_of_a_resource_lets_a_service_in_without_saying_for_whom() -> None:
    """Confused deputy: a service that acts for another account would be let in by its name alone."""
    kinds = ("AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy", "AWS::Logs::ResourcePolicy")
    found = [
        statement
        for kind in kinds
        for name in resources(kind)
        for statement in statements_on(kind, name)
        if statement["Effect"] == "Allow"
    ]
    unbound = [
        each
        for each in found
        if not {key for tests in each.get("Condition", {}).values() for key in tests} & {"aws:SourceArn"}
    ]
    assert [each["Action"] for each in unbound] == ["logs:CreateLogStream"]
    assert len(found) == 4


@pytest.mark.parametrize("function", FUNCTIONS)
def test_what_is_allowed_on_everything_has_no_resource_to_name(function: str) -> None:
    """Service Authorization Reference: these actions know no resource types."""
    everywhere = {
        a for each in statements_of(function) if "*" in several(each["Resource"]) for a in several(each["Action"])
    }
    assert everywhere <= {"ses:GetAccount", "dynamodb:ListBackups"}
    assert not [a for each in statements_of(function) for a in several(each["Action"]) if a.endswith("*")]


# -- a key of one's own -----------------------------------------------------------------------------------------------


def kept() -> Iterator[tuple[str, Any]]:
    """Whatever keeps data, and how it is encrypted."""
    for name, table in resources("AWS::DynamoDB::Table").items():
        yield name, table["SSESpecification"]
    (rule,) = resources("AWS::S3::Bucket")["Bucket"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    yield "Bucket", rule
    for kind, key in {
        "AWS::SQS::Queue": "KmsMasterKeyId",
        "AWS::SNS::Topic": "KmsMasterKeyId",
        "AWS::Logs::LogGroup": "KmsKeyId",
    }.items():
        for name, each in resources(kind).items():
            yield name, each.get(key)


@pytest.mark.parametrize(
    ("name", "encryption"), list(kept()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_with_a_key_of_one_s_own_it_encrypts_all_that_is_kept_and_without_one_nothing_changes(
    name: str, encryption: Any
) -> None:
    condition, with_key, without = encryption
    assert condition == "CustomerKey"
    assert "${KmsKeyArn}" in json.dumps(with_key)
    assert "${KmsKeyArn}" not in json.dumps(without)
    assert template()["Conditions"]["CustomerKey"] == [["${KmsKeyArn}", ""]]
    assert template()["Parameters"]["KmsKeyArn"]["Default"] == ""
    plain = {
        "ClientsTable": {"SSEEnabled": True},
        "OutcomesTable": {"SSEEnabled": True},
        "Bucket": {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}},
    }
    assert without == plain.get(name, "${AWS::NoValue}")
    for queue in resources("AWS::SQS::Queue").values():
        assert queue["SqsManagedSseEnabled"] == ["CustomerKey", "${AWS::NoValue}", True]


def test_the_key_is_used_by_every_role_that_touches_what_it_encrypts_and_only_through_those_services() -> None:
    policy = template()["Resources"]["UseCustomerKey"]
    assert policy["Condition"] == "CustomerKey"
    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
    assert set(statement["Action"]) == {"kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"}
    assert statement["Condition"]["StringEquals"]["kms:ViaService"] == [
        f"{service}.${{AWS::Region}}.amazonaws.com" for service in ("dynamodb", "s3", "sqs")
    ]
    roles = {role.strip("${}") for role in policy["Properties"]["Roles"]}
    every = {f"{name}Role" for name in functions()} | {"CostReportsStateMachineRole", "ReportLinkRole", "ScheduleRole"}
    assert every - roles == {"CostReportingLambdaFunctionRole"}, "it starts runs and keeps nothing"


# -- that these tests would notice ------------------------------------------------------------------------------------

CHANGES: dict[str, tuple[Callable[[dict[str, Any]], None], Request, str]] = {
    "a wrong pattern of keys": (
        lambda s: s["Condition"]["ForAllValues:StringLike"].update({"dynamodb:LeadingKeys": ["LEDGERS#*"]}),
        Request("dynamodb:PutItem", OUTCOMES, {"dynamodb:LeadingKeys": ("LEDGER#acme#monthly",)}),
        "record_delivery",
    ),
    "a wrong prefix of the bucket": (
        lambda s: s.update({"Resource": [each.replace("/reports/", "/report/") for each in several(s["Resource"])]}),
        Request("s3:PutObject", f"{REPORT}/costs.json"),
        "fetch_costs",
    ),
    "an attribute too few": (
        lambda s: s["Condition"]["ForAllValues:StringEquals"]["dynamodb:Attributes"].remove("branding"),
        Request(
            "dynamodb:GetItem",
            CLIENTS,
            {"dynamodb:Attributes": tuple(ReportRecord.model_fields), "dynamodb:Select": ("SPECIFIC_ATTRIBUTES",)},
        ),
        "render_pdf",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_one_wrong_pattern_is_a_call_that_is_refused(change: str) -> None:
    spoil, request, function = CHANGES[change]
    statements = copy.deepcopy(list(statements_of(function)))
    assert decide(statements, request) == "Allow"
    for statement in statements:
        if decide([statement], request) == "Allow":
            spoil(dict(statement) if not isinstance(statement, dict) else statement)
    assert decide(statements, request) == "ImplicitDeny"


@pytest.mark.parametrize(
    ("operation", "given", "expected"),
    [
        ("GetItem", {"Key": {"pk": "A#1", "sk": "1"}}, [("dynamodb:GetItem", ("A#1",))]),
        ("GetItem", {"Key": {"pk": {"S": "A#1"}, "sk": {"S": "1"}}}, [("dynamodb:GetItem", ("A#1",))]),
        ("PutItem", {"Item": {"pk": "A#1", "sk": "1", "n": 1}}, [("dynamodb:PutItem", ("A#1",))]),
        (
            "Query",
            {"KeyConditionExpression": "#k = :k AND begins_with(sk, :s)"}
            | {"ExpressionAttributeNames": {"#k": "pk"}, "ExpressionAttributeValues": {":k": "A#1", ":s": "B"}},
            [("dynamodb:Query", ("A#1",))],
        ),
        (
            "Query",
            {"IndexName": "by-issue", "KeyConditionExpression": "issue = :i"}
            | {"ExpressionAttributeValues": {":i": "weekly#1"}},
            [("dynamodb:Query", ("weekly#1",))],
        ),
        (
            "TransactWriteItems",
            {
                "TransactItems": [
                    {"Put": {"TableName": "outcomes", "Item": {"pk": "A#1", "sk": "1"}}},
                    {"ConditionCheck": {"TableName": "outcomes", "Key": {"pk": "B#1", "sk": "1"}}},
                ]
            },
            [("dynamodb:PutItem", ("A#1",)), ("dynamodb:ConditionCheckItem", ("B#1",))],
        ),
        (
            "BatchGetItem",
            {"RequestItems": {"outcomes": {"Keys": [{"pk": "A#1", "sk": "1"}, {"pk": "B#1", "sk": "1"}]}}},
            [("dynamodb:BatchGetItem", ("A#1", "B#1"))],
        ),
    ],
)
def test_a_call_asks_for_each_item_that_it_touches_by_its_key(
    operation: str, given: dict[str, Any], expected: list[tuple[str, tuple[str, ...]]]
) -> None:
    requests = asked(f"dynamodb.{operation}", {"TableName": "outcomes"} | given)
    assert [(each.action, each.context["dynamodb:LeadingKeys"]) for each in requests] == expected


def test_a_batch_is_refused_for_one_key_of_another_family() -> None:
    statement = {
        "Effect": "Allow",
        "Action": "dynamodb:BatchGetItem",
        "Resource": OUTCOMES,
        "Condition": {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["A#*"]}},
    }
    for keys, expected in ((("A#1", "A#2"), "Allow"), (("A#1", "AB#2"), "ImplicitDeny")):
        request = Request("dynamodb:BatchGetItem", OUTCOMES, {"dynamodb:LeadingKeys": keys})
        assert decide([statement], request) == expected
