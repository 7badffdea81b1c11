"""The access keys of a user in a client's account, seen and changed with its own keys."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from cost_reporting import aws
from cost_reporting.credentials import Key
from cost_reporting.errors import ClientAccessDenied, CostsThrottled, RotationStopped


class KeyRing:
    """The keys of the user that ``credentials`` belong to.

    Every call raises ClientAccessDenied if they are refused, CostsThrottled if AWS is busy or out of reach, and
    RotationStopped if the user may not do that to its own keys, or IAM refuses it for another reason.
    """

    def __init__(self, client_id: str, credentials: aws.Credentials) -> None:
        self._client_id = client_id
        self._iam = aws.client("iam", credentials=credentials)
        with self._translated("sts:GetCallerIdentity"):
            identity = aws.client("sts", credentials=credentials).get_caller_identity()
        kind, _, path = identity["Arn"].rpartition(":")[2].partition("/")
        if kind != "user":
            raise RotationStopped(
                f"{client_id}: the keys are those of the account's {kind}, which must not be used: "
                "ask the client for keys of a user that may read costs only"
            )
        self.account_id: str = identity["Account"]
        self.user: str = path.rpartition("/")[2]

    def keys(self) -> dict[str, Key]:
        """Every key of the user, by id."""
        with self._translated("iam:ListAccessKeys"):
            listed = self._iam.list_access_keys(UserName=self.user)["AccessKeyMetadata"]
        return {
            each["AccessKeyId"]: Key(
                key_id=each["AccessKeyId"], active=each["Status"] == "Active", created_at=each["CreateDate"]
            )
            for each in listed
        }

    def last_used(self, key_id: str) -> datetime | None:
        """When AWS has last seen the key; None if never."""
        with self._translated("iam:GetAccessKeyLastUsed"):
            return self._iam.get_access_key_last_used(AccessKeyId=key_id)["AccessKeyLastUsed"].get("LastUsedDate")

    def create(self) -> aws.Credentials:
        """A new key. Its secret half is told this once."""
        with self._translated("iam:CreateAccessKey"):
            key = self._iam.create_access_key(UserName=self.user)["AccessKey"]
        return aws.Credentials(access_key_id=key["AccessKeyId"], secret_access_key=key["SecretAccessKey"])

    def deactivate(self, key_id: str) -> None:
        """Switch a key off; it could still be switched on again."""
        with self._translated("iam:UpdateAccessKey"):
            self._iam.update_access_key(UserName=self.user, AccessKeyId=key_id, Status="Inactive")

    def delete(self, key_id: str) -> None:
        """Delete a key. That it is gone already is no fault."""
        with self._translated("iam:DeleteAccessKey"):
            try:
                self._iam.delete_access_key(UserName=self.user, AccessKeyId=key_id)
            except aws.Refused as refused:
                if aws.code(refused) not in ("NoSuchEntity", "NoSuchEntityException"):
                    raise

    @contextmanager
    def _translated(self, action: str) -> Iterator[None]:
        try:
            yield
        except aws.Refused as refused:
            code = aws.code(refused)
            if code in aws.THROTTLES or aws.status(refused) >= 500:
                raise CostsThrottled(f"{self._client_id}: {action}: {code}") from refused
            if code.startswith("AccessDenied") and action.startswith("iam:"):
                raise RotationStopped(
                    f"{self._client_id}: the user {self.user} may not do {action} to itself: ask the client to allow it"
                ) from refused
            if code.startswith("AccessDenied") or code in _REFUSED_KEYS:
                raise ClientAccessDenied(f"{self._client_id}: secret: {action}: {code}") from refused
            raise RotationStopped(f"{self._client_id}: {action}: {code}: {aws.message(refused)}") from refused
        except aws.NoAnswer as none:
            raise CostsThrottled(f"{self._client_id}: {action}: {type(none).__name__}") from none


_REFUSED_KEYS = frozenset(
    {"InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch", "ExpiredToken"}
)
