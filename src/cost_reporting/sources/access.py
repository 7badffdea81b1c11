"""The keys with which a client's costs may be read: a role guarded by an ExternalId, or, as a last resort, a secret."""

from typing import Any

from pydantic import BaseModel, ValidationError

from cost_reporting import aws
from cost_reporting.clients import Access, RoleAccess, SecretAccess
from cost_reporting.contracts import Fact
from cost_reporting.errors import (
    AccountClosed,
    ClientAccessDenied,
    ClientMisconfigured,
    CostReportingError,
    CostsThrottled,
    PolicyDeniesAccess,
)
from cost_reporting.soundness import is_own_secret
from cost_reporting.sources.refusals import refusal, sentence
from cost_reporting.store.translation import translated

_SESSION = "cost-reporting"


class Reader(Fact):
    """Keys that may read the costs of ``account_id``."""

    account_id: str
    credentials: aws.Credentials


class _Secret(BaseModel):
    access_key_id: str
    secret_access_key: str


def reader(client_id: str, access: Access, field: str = "access") -> Reader:
    """Keys for the account of a client that ``access``, the ``field`` of its record, leads to.

    Raises ClientAccessDenied if its role or keys do not let us in, PolicyDeniesAccess or AccountClosed where AWS says
    that it is one of these, ClientMisconfigured if the secret is not what it
    should be, CostsThrottled if STS or Secrets Manager asks us to slow down.
    """
    try:
        if isinstance(access, RoleAccess):
            return Reader(account_id=access.account_id, credentials=_assume(access))
        credentials = _from_secret(client_id, access, f"{client_id}: {field}.secret_arn")
        identity = aws.client("sts", credentials=credentials).get_caller_identity()
        return Reader(account_id=identity["Account"], credentials=credentials)
    except aws.Refused as refused:
        if aws.code(refused) in aws.THROTTLES or aws.status(refused) >= 500:
            raise CostsThrottled(f"{client_id}: {field}: {aws.code(refused)}") from refused
        if aws.code(refused) == "ResourceNotFoundException":
            raise ClientMisconfigured(f"{client_id}: {field}.secret_arn: there is no such secret") from refused
        raise _denied(f"{client_id}: {access.kind}", refused) from refused
    except (aws.NoAnswer, aws.HalfAnswer) as none:
        raise CostsThrottled(f"{client_id}: {field}: {type(none).__name__}") from none


def _denied(what: str, refused: aws.Refused) -> CostReportingError:
    """A policy or a closed account says so itself; all else is access that the client has to mend, with AWS's words."""
    code, said = aws.code(refused), aws.message(refused)
    named = refusal(what, code, said)
    if isinstance(named, PolicyDeniesAccess | AccountClosed):
        return named
    return ClientAccessDenied(f"{what}: {code}: {sentence(said)}" if said.strip() else f"{what}: {code}")


def lets_in(role_arn: str, external_id: str | None) -> bool:
    """Whether the role lets us in under ``external_id``, or without any: a sound trust does under the client's only.

    Raises CostsThrottled if STS asks us to slow down, ClientAccessDenied naming what else it says.
    """
    known: Any = {} if external_id is None else {"ExternalId": external_id}
    try:
        aws.client("sts").assume_role(RoleArn=role_arn, RoleSessionName=_SESSION, DurationSeconds=900, **known)
    except aws.Refused as refused:
        if aws.code(refused) in aws.THROTTLES or aws.status(refused) >= 500:
            raise CostsThrottled(f"STS: {aws.code(refused)}") from refused
        if aws.code(refused) == "AccessDenied":
            return False
        raise ClientAccessDenied(f"STS: {aws.code(refused)}") from refused
    except aws.NoAnswer as none:
        raise CostsThrottled(f"STS: {type(none).__name__}") from none
    return True


def ourselves() -> str:
    """The ARN of whoever calls. Raises StoreThrottled or StoreRefused: it is for what is written down."""
    with translated("ask STS who calls"):
        return aws.client("sts").get_caller_identity()["Arn"]


def _assume(access: RoleAccess) -> aws.Credentials:
    keys = aws.client("sts").assume_role(
        RoleArn=access.role_arn, RoleSessionName=_SESSION, ExternalId=access.external_id, DurationSeconds=900
    )["Credentials"]
    return aws.Credentials(
        access_key_id=keys["AccessKeyId"], secret_access_key=keys["SecretAccessKey"], token=keys["SessionToken"]
    )


def _from_secret(client_id: str, access: SecretAccess, what: str) -> aws.Credentials:
    answer: Any = aws.client("secretsmanager").get_secret_value(SecretId=access.secret_arn, VersionStage="AWSCURRENT")
    # An ARN that ends with six more characters may be another secret's; the answer says which one it is (API reference,
    # GetSecretValue: Name, which the model does not promise).
    if (name := answer.get("Name")) is not None and not is_own_secret(name, client_id):
        raise ClientMisconfigured(f"{what}: the secret that answers is not called <Prefix>/clients/{client_id}")
    return keys_in(answer.get("SecretString", ""), what)


def keys_in(secret_string: str, what: str) -> aws.Credentials:
    """The keys in a secret. Raises ClientMisconfigured, which shows nothing of it, if there are none."""
    try:
        secret = _Secret.model_validate_json(secret_string)
    except ValidationError:
        raise ClientMisconfigured(f"{what}: the secret is not JSON with access_key_id and secret_access_key") from None
    return aws.Credentials(access_key_id=secret.access_key_id, secret_access_key=secret.secret_access_key)
