"""What is kept: the bucket, the tables, the queues, and the topic that tells of alarms."""

from collections.abc import Callable, Iterator
from typing import Any

from cost_reporting import aws
from cost_reporting.audit import Finding, demands_tls, finding, open_to_all
from cost_reporting.operations.audit.scope import Scope
from cost_reporting.store.translation import translated


def bucket(scope: Scope) -> Iterator[Finding]:
    """Public access, TLS, encryption, versions and owners of the bucket."""
    s3, name = aws.client("s3"), scope.bucket
    with translated(f"read the settings of the bucket {name}"):
        block = _unless(
            "NoSuchPublicAccessBlockConfiguration",
            lambda: s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"],
        )
        policy = _unless("NoSuchBucketPolicy", lambda: s3.get_bucket_policy(Bucket=name)["Policy"])
        encryption = _unless(
            "ServerSideEncryptionConfigurationNotFoundError",
            lambda: s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"],
        )
        versions = s3.get_bucket_versioning(Bucket=name).get("Status")
        owners = _unless(
            "OwnershipControlsNotFoundError",
            lambda: s3.get_bucket_ownership_controls(Bucket=name)["OwnershipControls"]["Rules"][0]["ObjectOwnership"],
        )
    blocked = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
    open_ways = [way for way in blocked if not (block or {}).get(way)]
    if open_ways:
        yield finding(
            "S3-PUBLIC-ACCESS", "high", name, f"does not block public access: {', '.join(open_ways)}", "Block all four."
        )
    if policy is not None:
        yield from open_to_all("S3-POLICY-PUBLIC", name, policy)
    if policy is None or not demands_tls(policy):
        yield finding(
            "S3-NO-TLS", "high", name, "takes requests without TLS", "Deny what has aws:SecureTransport false."
        )
    if not encryption:
        yield finding("S3-UNENCRYPTED", "high", name, "has no default encryption", "Set SSE-S3 or SSE-KMS.")
    if versions != "Enabled":
        yield finding("S3-NO-VERSIONS", "medium", name, "keeps no earlier versions", "Enable versioning.")
    if owners != "BucketOwnerEnforced":
        yield finding("S3-ACLS", "low", name, "takes access control lists", "Set BucketOwnerEnforced.")


def tables(scope: Scope) -> Iterator[Finding]:
    """Keys, point-in-time recovery and deletion protection of the tables. DynamoDB itself always encrypts."""
    dynamodb = aws.client("dynamodb")
    for name in scope.physical("AWS::DynamoDB::Table"):
        with translated(f"read the settings of the table {name}"):
            table = dynamodb.describe_table(TableName=name)["Table"]
            backups = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
        recovery = backups.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus")
        if recovery != "ENABLED":
            yield finding(
                "DYNAMODB-NO-RECOVERY",
                "medium",
                name,
                "cannot be restored to a moment",
                "Enable point-in-time recovery.",
            )
        if table.get("SSEDescription", {}).get("Status") not in ("ENABLED", "ENABLING", "UPDATING"):
            yield finding(
                "DYNAMODB-AWS-KEY",
                "low",
                name,
                "is encrypted with a key of AWS's own, whose use nobody here can see",
                "Set SSESpecification with SSEEnabled.",
            )
        if not table.get("DeletionProtectionEnabled"):
            yield finding(
                "DYNAMODB-DELETABLE", "low", name, "can be deleted with one call", "Enable deletion protection."
            )


def queues(scope: Scope) -> Iterator[Finding]:
    """Encryption and policies of the queues."""
    sqs = aws.client("sqs")
    for url in scope.physical("AWS::SQS::Queue"):
        name = url.rpartition("/")[2]
        with translated(f"read the settings of the queue {name}"):
            found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"]).get("Attributes", {})
        if found.get("SqsManagedSseEnabled") != "true" and not found.get("KmsMasterKeyId"):
            yield finding("SQS-UNENCRYPTED", "medium", name, "is not encrypted", "Set SqsManagedSseEnabled.")
        if found.get("Policy"):
            yield from open_to_all("SQS-PUBLIC", name, found["Policy"])


def topics(scope: Scope) -> Iterator[Finding]:
    """Encryption and policies of the topics."""
    sns = aws.client("sns")
    for arn in scope.physical("AWS::SNS::Topic"):
        name = arn.rpartition(":")[2]
        with translated(f"read the settings of the topic {name}"):
            found = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
        if not found.get("KmsMasterKeyId"):
            yield finding(
                "SNS-UNENCRYPTED",
                "low",
                name,
                "is not encrypted at rest; it carries alarms, no clients' figures",
                "Use a key of your own that CloudWatch may use: with AWS's key alarms would be silent.",
            )
        if found.get("Policy"):
            yield from open_to_all("SNS-PUBLIC", name, found["Policy"])


def _unless(absent: str, read: Callable[[], Any]) -> Any:
    """What ``read`` finds, or None if the service says that there is none such."""
    try:
        return read()
    except aws.Refused as refused:
        if aws.code(refused) == absent:
            return None
        raise
