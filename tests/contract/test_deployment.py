"""What the template asks of those who deploy it, and what of it can be made twice, taken back and not renamed."""

import json
import re
import tomllib
from typing import Any, Final

import boto3
import pytest
from cfnlint.api import lint_all

import _kept
from tests.contract.documents import ROOT, resources, template

PARAMETERS: Final[dict[str, dict[str, Any]]] = template()["Parameters"]
REGIONS: Final = boto3.Session().get_available_regions("lambda")
ACCOUNT: Final = "111122223333"
MACHINE: Final = "AWS::Serverless::StateMachine"
LONGEST_PREFIX: Final = "p" * 25
KEPT: Final = {
    "ClientsTable": "cost-reporting-clients",
    "OutcomesTable": "cost-reporting-outcomes",
    "Bucket": f"cost-reporting-assets-{ACCOUNT}-eu-central-1",
    "AccessLog": f"cost-reporting-access-{ACCOUNT}-eu-central-1",
}


def kept(region: str = "eu-central-1", **given: str) -> list[_kept.Kept]:
    document = _kept.template()
    values = _kept.defaults(document) | given | {"AWS::AccountId": ACCOUNT, "AWS::Region": region}
    return _kept.kept(document, values)


# -- what is asked ----------------------------------------------------------------------------------------------------


def test_a_deployment_is_asked_for_what_nothing_can_guess_and_for_nothing_else_first() -> None:
    assert list(PARAMETERS)[:5] == ["Sender", "Operators", "Consultancy", "TimeZone", "Schedules"]
    assert list(PARAMETERS)[-3:] == ["Prefix", "AlarmPrefix", "BucketName"]
    assert {name for name, each in PARAMETERS.items() if "Default" not in each} == {"Sender", "Operators"}
    configured = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))["default"]["deploy"]["parameters"]
    assert "parameter_overrides" not in configured, "what stands there is not asked for"
    assert PARAMETERS["Schedules"]["Default"] == "DISABLED"


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_question_says_what_it_is_about_and_a_wrong_answer_what_is_right(name: str) -> None:
    parameter = PARAMETERS[name]
    assert parameter["Description"].rstrip().endswith(".")
    if "AllowedPattern" in parameter:
        said = parameter["ConstraintDescription"]
        assert said.startswith("must ")
        assert said.endswith(".")
        if parameter.get("Default") is not None:
            assert re.fullmatch(parameter["AllowedPattern"], str(parameter["Default"]))
        for example in re.findall(r'e\.g\. "?([^\s"]+?)"?(?:,? or |, |\.$|\.? [A-Z]|"|;)', parameter["Description"]):
            assert re.fullmatch(parameter["AllowedPattern"], example.rstrip(".")), example


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("Sender", ""), ("Sender", "reports"), ("Sender", "a@b@c.de"), ("Operators", ""), ("TimeZone", "Berlin time"),
        ("TimeZone", ""), ("Prefix", "Cost"), ("Prefix", "p" * 26), ("BucketName", ""), ("BucketName", "Bucket"),
        ("KmsKeyArn", "alias/mine"), ("AlarmPrefix", "1st"),
    ],
)  # fmt: skip
def test_an_answer_that_could_not_work_is_refused_before_anything_is_made(name: str, answer: str) -> None:
    assert re.fullmatch(PARAMETERS[name]["AllowedPattern"], answer) is None


@pytest.mark.parametrize(
    "zone", ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+5", "America/Port-au-Prince"]
)
def test_every_kind_of_time_zone_is_taken(zone: str) -> None:
    assert re.fullmatch(PARAMETERS["TimeZone"]["AllowedPattern"], zone)


def test_the_console_groups_every_question_once() -> None:
    groups = template()["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    asked = [name for group in groups for name in group["Parameters"]]
    assert sorted(asked) == sorted(PARAMETERS)
    assert all(group["Label"]["default"] for group in groups)


# -- what is kept -----------------------------------------------------------------------------------------------------


def test_what_is_kept_has_a_name_that_is_known_beforehand_so_that_a_stack_can_take_it_back() -> None:
    assert {each.logical_id: each.name for each in kept()} == KEPT
    for each in kept():
        assert each.type in _kept.IDENTIFIERS
        assert each.definition["Properties"][_kept.IDENTIFIERS[each.type]] == each.name
        assert each.definition["DeletionPolicy"] == "RetainExceptOnCreate"


def test_the_identifier_of_a_kept_type_is_the_one_of_its_schema() -> None:
    """cfn-lint has AWS's resource schemas."""
    from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

    for kind, identifier in _kept.IDENTIFIERS.items():
        schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema
        assert schema["primaryIdentifier"] == [f"/properties/{identifier}"]


@pytest.mark.parametrize(
    "given",
    [{}, {"BucketName": "reports-of-ours"}, {"KmsKeyArn": f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/1"}],
    ids=["as-by-default", "bucket-with-a-name", "key-of-ours"],
)
def test_the_template_that_takes_it_back_holds_it_whole_and_nothing_else(given: dict[str, str]) -> None:
    found = kept(**given)
    document = _kept.import_template(found)
    assert document["Resources"].keys() == KEPT.keys()
    text = json.dumps(document)
    assert not [each for each in ("Fn::", "${", '"Condition"', "AWS::NoValue") if each in text]
    assert [each for each in lint_all(text) if each.rule.id[0] in "EW"] == []
    encryption = document["Resources"]["ClientsTable"]["Properties"]["SSESpecification"]
    assert encryption.get("KMSMasterKeyId") == given.get("KmsKeyArn")
    (rule,) = document["Resources"]["AccessLog"]["Properties"]["LifecycleConfiguration"]["Rules"]
    assert rule["ExpirationInDays"] == 90
    assert [each["ResourceIdentifier"] for each in _kept.identifiers(found)] == [
        {_kept.IDENTIFIERS[each.type]: each.name} for each in found
    ]
    model = boto3.client("cloudformation", "us-east-1").meta.service_model.shape_for("ResourceToImport")
    assert all(each.keys() == set(model.required_members) for each in _kept.identifiers(found))


@pytest.mark.parametrize("region", REGIONS)
def test_a_name_of_a_bucket_is_of_one_region_and_not_too_long(region: str) -> None:
    names = [each.name for each in kept(region, Prefix=LONGEST_PREFIX) if each.type == "AWS::S3::Bucket"]
    assert len(names) == 2
    for name in names:
        assert name.endswith(f"-{ACCOUNT}-{region}")
        assert len(name) <= 63


def test_an_upgraded_deployment_keeps_both_buckets_by_naming_one() -> None:
    before = f"cost-reporting-assets-{ACCOUNT}"
    names = {each.logical_id: each.name for each in kept(BucketName=before)}
    assert names == KEPT | {"Bucket": before, "AccessLog": f"cost-reporting-access-log-{ACCOUNT}"}
    assert "name the bucket that it has" in PARAMETERS["BucketName"]["ConstraintDescription"]
    assert "BucketName" in template()["Description"]


# -- what cannot be renamed -------------------------------------------------------------------------------------------


def test_a_change_of_any_name_of_what_is_kept_replaces_a_table_whose_own_name_stays_and_is_so_refused() -> None:
    guard = resources("AWS::DynamoDB::Table")["NamesGuard"]
    assert guard["TableName"] == "${AWS::StackName}-names-must-not-change"
    names = [" ", ["${Prefix}", resources("AWS::S3::Bucket")["Bucket"]["BucketName"]]]
    assert guard["KeySchema"] == [{"AttributeName": names, "KeyType": "HASH"}]
    assert guard["AttributeDefinitions"] == [{"AttributeName": names, "AttributeType": "S"}]
    for name in KEPT:
        definition = template()["Resources"][name]
        assert definition["DependsOn"] == "NamesGuard", "it is asked before anything is made anew"
        own = json.dumps([definition["Properties"].get("TableName"), definition["Properties"].get("BucketName")])
        asked = set(re.findall(r"\$\{(\w+)\}", own)) & PARAMETERS.keys()
        assert asked <= {"Prefix", "BucketName"}


def test_every_fixed_name_but_the_guards_tells_two_deployments_apart() -> None:
    """So two stacks with other values of these share none; tests/workflow/test_deployments.py tries it."""
    for logical_id, each in template()["Resources"].items():
        names = [
            value
            for key, value in each["Properties"].items()
            if key in ("Name", "TableName", "BucketName", "FunctionName", "LayerName", "TopicName", "QueueName",
                       "LogGroupName", "AlarmName", "DashboardName", "PolicyName", "RoleName", "ManagedPolicyName")
            and not each["Type"].startswith("AWS::IAM::Policy")
        ]  # fmt: skip
        told_apart = ("${Prefix}", "${AlarmPrefix}", "${AWS::StackName}")
        assert all(any(part in json.dumps(name) for part in told_apart) for name in names), logical_id
    for each in (*resources("AWS::Serverless::Function").values(), *resources(MACHINE).values()):
        for event in each.get("Events", {}).values():
            name = event["Properties"].get("Name", event["Properties"].get("RuleName"))
            assert name.startswith("${Prefix}-")
