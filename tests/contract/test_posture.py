"""What keeps data safe and failures heard, line by line: one that is turned round or taken out turns a test red.

Each rule is about every resource of its kind, the ones of tomorrow included. Who may do what is in test_privileges.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.contract.documents import functions, resources, template

Properties = dict[str, Any]
(MACHINE,) = resources("AWS::Serverless::StateMachine").values()
TOPIC = ["${AlertsTopic}"]
FOURTEEN_DAYS = 1_209_600
"""The longest that SQS keeps a message (SQS API Reference, SetQueueAttributes, MessageRetentionPeriod)."""


def test_what_is_kept_survives_a_stack_that_is_deleted_or_replaced_by_mistake() -> None:
    kept = {*resources("AWS::DynamoDB::Table"), *resources("AWS::S3::Bucket")}
    for policy in ("DeletionPolicy", "UpdateReplacePolicy"):
        assert {name for name, each in template()["Resources"].items() if each.get(policy) == "Retain"} == kept


EVERY: dict[str, dict[str, Any]] = {
    "AWS::DynamoDB::Table": {
        "PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled": True,
        "SSESpecification.2.SSEEnabled": True,
        "SSESpecification.1.SSEEnabled": True,
        "SSESpecification.1.SSEType": "KMS",
        "BillingMode": "PAY_PER_REQUEST",
    },
    "AWS::S3::Bucket": {
        "PublicAccessBlockConfiguration.BlockPublicAcls": True,
        "PublicAccessBlockConfiguration.BlockPublicPolicy": True,
        "PublicAccessBlockConfiguration.IgnorePublicAcls": True,
        "PublicAccessBlockConfiguration.RestrictPublicBuckets": True,
        "OwnershipControls.Rules.0.ObjectOwnership": "BucketOwnerEnforced",
    },
    "AWS::SQS::Queue": {"MessageRetentionPeriod": FOURTEEN_DAYS, "SqsManagedSseEnabled.2": True},
    "AWS::Logs::LogGroup": {"RetentionInDays": "${LogRetentionDays}"},
    "AWS::CloudWatch::Alarm": {"AlarmActions": TOPIC, "OKActions": TOPIC},
    "AWS::SES::ConfigurationSet": {
        "DeliveryOptions.TlsPolicy": "REQUIRE",
        "ReputationOptions.ReputationMetricsEnabled": True,
    },
    "AWS::SNS::Subscription": {"TopicArn": "${AlertsTopic}", "Protocol": "email", "Endpoint": "${Operators}"},
}
"""Properties that every resource of a type has, whatever it is for."""


def rules() -> Iterator[tuple[str, str, Any, Any]]:
    for kind, wanted in EVERY.items():
        found = resources(kind)
        assert found, kind
        for name, properties in found.items():
            for path, value in wanted.items():
                yield name, path, at(properties, path), value


def at(document: Any, path: str) -> Any:
    """What stands at a path, or None."""
    for part in path.split("."):
        try:
            document = document[int(part)] if isinstance(document, list) else document.get(part)
        except (AttributeError, IndexError):
            return None
    return document


@pytest.mark.parametrize(("name", "path", "found", "wanted"), list(rules()), ids=lambda each: str(each)[:60])
def test_what_every_resource_of_a_kind_has(name: str, path: str, found: Any, wanted: Any) -> None:
    assert found == wanted, f"{name}.{path}"


def test_no_alarm_is_silenced_and_each_says_what_missing_data_means() -> None:
    for name, alarm in resources("AWS::CloudWatch::Alarm").items():
        assert alarm.get("ActionsEnabled", True) is True, name
        assert "TreatMissingData" in alarm, name


def test_the_bucket_keeps_what_is_overwritten_and_encrypts_it_with_or_without_a_key_of_one_s_own() -> None:
    bucket, log = (resources("AWS::S3::Bucket")[name] for name in ("Bucket", "AccessLog"))
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    condition, with_key, without = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"][0]
    assert condition == "CustomerKey"
    assert with_key == {
        "ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "${KmsKeyArn}"},
        "BucketKeyEnabled": True,
    }
    assert without == {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    assert log["BucketEncryption"]["ServerSideEncryptionConfiguration"] == [without], "a log bucket takes no other key"


def test_documents_are_given_up_after_a_while_and_logos_and_clients_files_are_not() -> None:
    rules = resources("AWS::S3::Bucket")["Bucket"]["LifecycleConfiguration"]["Rules"]
    assert {rule["Status"] for rule in rules} == {"Enabled"}
    expiring = {rule["Prefix"]: rule["ExpirationInDays"] for rule in rules if "ExpirationInDays" in rule}
    assert expiring == {"reports/": 90, "runs/": 90}
    (rule,) = resources("AWS::S3::Bucket")["AccessLog"]["LifecycleConfiguration"]["Rules"]
    assert (rule["Status"], rule["ExpirationInDays"]) == ("Enabled", "${LogRetentionDays}")


def test_every_event_about_a_mail_reaches_the_event_bus() -> None:
    (destination,) = resources("AWS::SES::ConfigurationSetEventDestination").values()
    assert destination["ConfigurationSetName"] == "${ConfigurationSet}"
    assert destination["EventDestination"]["Enabled"] is True
    assert set(destination["EventDestination"]["MatchingEventTypes"]) == {
        "SEND",
        "DELIVERY",
        "BOUNCE",
        "COMPLAINT",
        "DELIVERY_DELAY",
        "REJECT",
        "RENDERING_FAILURE",
    }
    for rule in resources("AWS::Events::Rule").values():
        assert rule.get("State", "ENABLED") == "ENABLED"
        assert rule["EventPattern"]["detail"]["mail"]["tags"] == {"ses:configuration-set": ["${ConfigurationSet}"]}


def invoked() -> dict[str, Properties]:
    """Functions that events and schedules call without waiting for the answer."""
    return {
        name: each
        for name, each in functions().items()
        if any(event["Type"] in ("EventBridgeRule", "ScheduleV2") for event in each.get("Events", {}).values())
    }


LOST = {"RecordDeliveryFunction": "${LostDeliveryEvents.Arn}", "BackUpTablesFunction": "${LostSchedules.Arn}"}
HEARD = {"WatchDeliveriesFunction": "MissingReportsAlarm"}
"""Functions without a destination, with the alarm that is raised when they fail. The template says why."""


def test_what_fails_with_nobody_waiting_is_kept_in_a_queue_or_raises_an_alarm() -> None:
    assert invoked().keys() == LOST.keys() | HEARD.keys()
    for name, queue in LOST.items():
        config = functions()[name]["EventInvokeConfig"]
        assert config["DestinationConfig"]["OnFailure"] == {"Type": "SQS", "Destination": queue}, name
        assert config["MaximumRetryAttempts"] == 2, name
    for name, alarm in HEARD.items():
        assert "EventInvokeConfig" not in functions()[name]
        assert resources("AWS::CloudWatch::Alarm")[alarm]["TreatMissingData"] == [
            "RunsBySchedule",
            "breaching",
            "ignore",
        ]
    watched = {
        each["Dimensions"][0]["Value"]
        for each in resources("AWS::CloudWatch::Alarm").values()
        if at(each, "Namespace") == "AWS/SQS"
    }
    assert watched == {"${LostDeliveryEvents.QueueName}", "${LostSchedules.QueueName}"}


def scheduled() -> Iterator[tuple[str, Properties]]:
    for each in (MACHINE, *functions().values()):
        for name, event in each.get("Events", {}).items():
            if event["Type"] == "ScheduleV2":
                yield f"{each.get('FunctionName', 'runs')} {name}", event["Properties"]


@pytest.mark.parametrize(
    ("name", "schedule"), list(scheduled()), ids=lambda each: each if isinstance(each, str) else ""
)
def test_a_schedule_can_be_stopped_and_says_its_time_zone_and_where_a_start_that_failed_is_kept(
    name: str, schedule: Properties
) -> None:
    assert schedule["State"] == "${Schedules}"
    assert schedule["ScheduleExpressionTimezone"] == ("UTC" if "back-up" in name else "${TimeZone}")
    assert schedule["RetryPolicy"] == {"MaximumRetryAttempts": 10, "MaximumEventAgeInSeconds": 3600}
    assert schedule["DeadLetterConfig"] == {"Arn": "${LostSchedules.Arn}"}
    assert "<aws.scheduler.scheduled-time>" in schedule["Input"]


def test_the_execution_log_holds_all_events_and_no_data_of_clients() -> None:
    assert (MACHINE["Logging"]["Level"], MACHINE["Logging"]["IncludeExecutionData"]) == ("ALL", False)
    assert MACHINE["Type"] == "STANDARD", "only those can be redriven"
    assert MACHINE["Tracing"] == {"Enabled": True}
    assert template()["Globals"]["Function"]["Tracing"] == "Active"


SPOILT: dict[str, Callable[[Properties], None]] = {
    "Bucket": lambda each: each["PublicAccessBlockConfiguration"].pop("IgnorePublicAcls"),
    "ConfigurationSet": lambda each: each["DeliveryOptions"].update(TlsPolicy="OPTIONAL"),
    "OutcomesTable": lambda each: each.pop("PointInTimeRecoverySpecification"),
    "LostSchedules": lambda each: each.update(MessageRetentionPeriod=345_600),
    "BounceRateAlarm": lambda each: each.update(AlarmActions=[]),
}


@pytest.mark.parametrize("name", SPOILT)
def test_a_line_that_is_turned_round_is_noticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [rule for rule in rules() if rule[2] != rule[3]] == []
    whole = template()["Resources"]
    copied = {
        key: dict(value) if isinstance(value, dict) else value for key, value in whole[name]["Properties"].items()
    }
    SPOILT[name](copied)
    monkeypatch.setitem(whole, name, whole[name] | {"Properties": copied})
    assert {rule[0] for rule in rules() if rule[2] != rule[3]} == {name}
