"""Whether the parts that a run needs are there, and whose account this is."""

from collections.abc import Mapping
from typing import Any, Final, Literal

from cost_reporting import aws
from cost_reporting.contracts import Fact
from cost_reporting.store.translation import translated

Holder = Literal["nobody", "this account", "another account"]
_ABSENT: Final = frozenset({"404", "NoSuchBucket", "NotFound"})


class Caller(Fact):
    """Whose credentials these are."""

    account: str
    arn: str


def read_caller() -> Caller:
    """Whose credentials this process has."""
    with translated("ask STS whose credentials these are"):
        found = aws.client("sts").get_caller_identity()
    return Caller(account=found["Account"], arn=found["Arn"])


def table_status(name: str) -> str:
    """The status of a table, ``absent`` if there is none."""
    with translated(f"describe the table {name}"):
        try:
            return str(aws.client("dynamodb").describe_table(TableName=name)["Table"].get("TableStatus", "unknown"))
        except aws.Refused as refused:
            if aws.code(refused) == "ResourceNotFoundException":
                return "absent"
            raise


def bucket_is_there(name: str) -> bool:
    """Whether there is the bucket and this process may list it."""
    with translated(f"look for the bucket {name}"):
        try:
            aws.client("s3").head_bucket(Bucket=name)
        except aws.Refused as refused:
            if aws.code(refused) in _ABSENT:
                return False
            raise
    return True


def bucket_holder(name: str, account: str) -> Holder:
    """Whose the bucket with this name is. Names are global.

    HeadBucket with the expected owner: 404 there is none; 403 it is another account's, or these credentials may not
    list it; 301 it is in another region. (S3 API Reference, "HeadBucket")
    """
    with translated(f"look for the bucket {name}"):
        try:
            aws.client("s3").head_bucket(Bucket=name, ExpectedBucketOwner=account)
        except aws.Refused as refused:
            if aws.code(refused) in _ABSENT:
                return "nobody"
            if aws.status(refused) == 403:
                return "another account"
            raise
    return "this account"


def machine_status(arn: str) -> str:
    """The status of a state machine: ACTIVE or DELETING."""
    with translated("describe the state machine"):
        return str(aws.client("stepfunctions").describe_state_machine(stateMachineArn=arn).get("status", "unknown"))


def may_list_machines() -> None:
    """Ask Step Functions for one state machine. Raises StoreRefused if these credentials may not."""
    with translated("list state machines"):
        aws.client("stepfunctions").list_state_machines(maxResults=1)


def read_schedule(name: str) -> Mapping[str, Any] | None:
    """A schedule as GetSchedule answers it, None if there is none."""
    with translated(f"read the schedule {name}"):
        try:
            return dict(aws.client("scheduler").get_schedule(Name=name))
        except aws.Refused as refused:
            if aws.code(refused) == "ResourceNotFoundException":
                return None
            raise
