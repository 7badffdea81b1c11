"""Calls of the runbook that the local stack does not answer, and why: only their arguments are checked."""

from typing import Final

UNANSWERED: Final[dict[str, str]] = {
    "s3api get-bucket-lifecycle-configuration": "MiniStack's CloudFormation drops the lifecycle of a bucket",
}
