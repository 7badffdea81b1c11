"""The one tap for AWS: every client that the product uses is made here, and here only boto3 is known.

Adapters translate what clients raise: :data:`Refused` is an answer that says no, :data:`NoAnswer` is the lack of one,
and :data:`HalfAnswer` one in XML that breaks off. None leaves the file that made the call.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final, Literal, overload, override

import boto3
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import BotoCoreError as NoAnswer
from botocore.exceptions import ClientError as Refused
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, NoCredentialsError, UnknownRegionError
from botocore.parsers import ResponseParserError as HalfAnswer

from cost_reporting.contracts import Fact

if TYPE_CHECKING:
    from mypy_boto3_ce import CostExplorerClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sesv2 import SESV2Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_sts import STSClient

__all__ = [
    "THROTTLES",
    "Credentials",
    "HalfAnswer",
    "NeverReached",
    "NoAnswer",
    "Refused",
    "client",
    "code",
    "message",
    "method",
    "own_credentials",
    "partition",
    "signer",
    "status",
    "table",
]

NeverReached = (ConnectTimeoutError, EndpointConnectionError)
"""Failures in which the request certainly did not arrive."""

THROTTLES: Final = frozenset(
    {
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
"""Error codes that mean: later. (`botocore.retries.standard`, and the services' own API models)"""


class Credentials(Fact):
    """Somebody's keys; ``token`` comes with temporary ones. Its text shows none of them."""

    access_key_id: str
    secret_access_key: str
    token: str | None = None

    @override
    def __repr__(self) -> str:
        return "Credentials(…)"

    @override
    def __str__(self) -> str:
        return repr(self)


@overload
def client(
    name: Literal["ce"], *, region: str, credentials: Credentials, attempts: int = ..., read_timeout: int = ...
) -> CostExplorerClient: ...
@overload
def client(name: Literal["cloudformation", "sqs"]) -> Any: ...
@overload
def client(name: Literal["cloudwatch"]) -> CloudWatchClient: ...
@overload
def client(name: Literal["dynamodb"]) -> DynamoDBClient: ...
@overload
def client(name: Literal["iam"], *, credentials: Credentials | None = ...) -> IAMClient: ...
@overload
def client(name: Literal["lambda"]) -> LambdaClient: ...
@overload
def client(name: Literal["logs"]) -> CloudWatchLogsClient: ...
@overload
def client(name: Literal["s3"]) -> S3Client: ...
@overload
def client(name: Literal["secretsmanager"]) -> SecretsManagerClient: ...
@overload
def client(name: Literal["sesv2"], *, attempts: int = ..., read_timeout: int = ...) -> SESV2Client: ...
@overload
def client(name: Literal["sns"]) -> SNSClient: ...
@overload
def client(name: Literal["stepfunctions"]) -> SFNClient: ...
@overload
def client(name: Literal["sts"], *, credentials: Credentials | None = ...) -> STSClient: ...
def client(
    name: str,
    *,
    region: str | None = None,
    credentials: Credentials | None = None,
    attempts: int = 3,
    read_timeout: int = 20,
) -> Any:
    """A client of the service ``name``, with ``attempts`` tries in all for sub-second blips and timeouts in seconds.

    Standard retry mode, set explicitly: the legacy mode does not retry Cost Explorer's LimitExceededException.
    """
    keys = (
        {}
        if credentials is None
        else {
            "aws_access_key_id": credentials.access_key_id,
            "aws_secret_access_key": credentials.secret_access_key,
            "aws_session_token": credentials.token,
        }
    )
    config = Config(
        retries={"mode": "standard", "total_max_attempts": attempts}, connect_timeout=5, read_timeout=read_timeout
    )
    return boto3.client(name, region_name=region, config=config, **keys)  # type: ignore[call-overload]


def signer(credentials: Credentials) -> S3Client:
    """An S3 client that signs links as ``credentials``.

    botocore would sign some with version 2, which new buckets refuse, and name the global endpoint, which sends those
    who follow a link to a bucket elsewhere a redirect that the signature does not fit.
    """
    config = Config(signature_version="s3v4", s3={"addressing_style": "virtual"})
    return boto3.client(
        "s3",
        config=config,
        aws_access_key_id=credentials.access_key_id,
        aws_secret_access_key=credentials.secret_access_key,
        aws_session_token=credentials.token,
    )


def own_credentials() -> Credentials:
    """Those that this process calls with. Raises :data:`NoAnswer` if it has none."""
    found = boto3.Session().get_credentials()
    if found is None:
        raise NoCredentialsError
    keys = found.get_frozen_credentials()
    return Credentials(access_key_id=str(keys.access_key), secret_access_key=str(keys.secret_key), token=keys.token)


@cache
def partition() -> str:
    """The partition of the region in which this process calls, ``aws`` where nothing names one; read once.

    By botocore's own list of regions, patterns for new ones included (``botocore/data/partitions.json``).
    """
    session = boto3.Session()
    try:
        return session.get_partition_for_region(session.region_name) if session.region_name else "aws"
    except UnknownRegionError:
        return "aws"


def table(name: str) -> Table:
    """The DynamoDB table ``name``, speaking plain Python values."""
    config = Config(retries={"mode": "standard", "total_max_attempts": 3}, connect_timeout=5, read_timeout=20)
    return boto3.resource("dynamodb", config=config).Table(name)


def method(operation: str) -> str:
    """The method of a client that calls ``operation``: ``get_cost_and_usage``."""
    return xform_name(operation)


def code(refused: Refused) -> str:
    """The service's error code."""
    return str(refused.response.get("Error", {}).get("Code", ""))


def message(refused: Refused) -> str:
    """The service's sentence about the error."""
    return str(refused.response.get("Error", {}).get("Message", ""))


def status(refused: Refused) -> int:
    """The HTTP status of the answer."""
    return int(refused.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
