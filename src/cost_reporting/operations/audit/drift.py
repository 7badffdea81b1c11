"""What somebody has changed beside the template, as CloudFormation detects it."""

from collections.abc import Iterator
from typing import Final

from cost_reporting import aws
from cost_reporting.audit import Finding, finding
from cost_reporting.operations.audit.scope import NotLookedAt, Scope
from cost_reporting.store.translation import translated

TRIES: Final = 60
GUARDED: Final = frozenset(
    {"AWS::IAM::Role", "AWS::S3::Bucket", "AWS::S3::BucketPolicy", "AWS::Lambda::Permission", "AWS::SNS::TopicPolicy"}
)
"""Types whose drift may open something."""


def drifted(scope: Scope) -> Iterator[Finding]:
    """Resources that were changed or deleted by hand since the deployment."""
    formation, name = aws.client("cloudformation"), scope.stack.name
    with translated(f"detect the drift of the stack {name}"):
        asked = formation.detect_stack_drift(StackName=name)["StackDriftDetectionId"]
        for _ in range(TRIES):
            answer = formation.describe_stack_drift_detection_status(StackDriftDetectionId=asked)
            if answer["DetectionStatus"] != "DETECTION_IN_PROGRESS":
                break
            scope.wait(2)
        if answer["DetectionStatus"] != "DETECTION_COMPLETE":
            raise NotLookedAt(
                f"CloudFormation did not finish: {answer.get('DetectionStatusReason', 'no reason given')}"
            )
        pages: list[dict[str, object]] = []
        token: dict[str, str] = {}
        while True:
            page = formation.describe_stack_resource_drifts(StackName=name, **token)
            pages += page["StackResourceDrifts"]
            if not page.get("NextToken"):
                break
            token = {"NextToken": page["NextToken"]}
    checked = [each for each in pages if each["StackResourceDriftStatus"] != "NOT_CHECKED"]
    if not checked:
        raise NotLookedAt("CloudFormation compared no resource")
    scope.note(f"{len(checked)} of {len(scope.stack.resources)} resources compared by CloudFormation")
    for each in checked:
        if each["StackResourceDriftStatus"] in ("MODIFIED", "DELETED"):
            differences = each.get("PropertyDifferences") or []
            how = str(each["StackResourceDriftStatus"]).casefold()
            paths = sorted({difference["PropertyPath"] for difference in differences})  # type: ignore[attr-defined]
            yield finding(
                "DRIFT",
                "high" if each["ResourceType"] in GUARDED else "medium",
                str(each["LogicalResourceId"]),
                f"{how} beside the template: {', '.join(paths[:5]) or 'it is gone'}",
                "Change the template instead, or put it back with `sam deploy`.",
            )
