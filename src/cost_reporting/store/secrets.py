"""The secrets that hold clients' access keys: what is current, and what is about to be."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from cost_reporting import aws
from cost_reporting.errors import ClientMisconfigured
from cost_reporting.sources.access import keys_in
from cost_reporting.store.translation import translated

CURRENT, PENDING = "AWSCURRENT", "AWSPENDING"


class SecretStore:
    """Secrets Manager. Stages are its own: AWSCURRENT is what a run reads, AWSPENDING what a rotation has prepared."""

    def __init__(self) -> None:
        self._secrets = aws.client("secretsmanager")

    def keys(self, client_id: str, arn: str, stage: str = CURRENT) -> aws.Credentials | None:
        """The keys in ``stage``, or None if nothing is there. Raises ClientMisconfigured if they are no keys."""
        with self._secret_of(client_id):
            if stage not in self._stages(arn):
                return None
            return keys_in(self._text(arn, stage), f"{client_id}: access.secret_arn")

    def stored_at(self, client_id: str, arn: str) -> datetime | None:
        """When the current version was stored: a key is at least as old."""
        with self._secret_of(client_id):
            return self._secrets.get_secret_value(SecretId=arn, VersionStage=CURRENT).get("CreatedDate")

    def prepare(self, client_id: str, arn: str, keys: aws.Credentials) -> None:
        """Store ``keys`` as AWSPENDING, beside whatever else the secret says."""
        with self._secret_of(client_id):
            said = json.loads(self._text(arn, CURRENT))
            said |= {"access_key_id": keys.access_key_id, "secret_access_key": keys.secret_access_key}
            self._secrets.put_secret_value(SecretId=arn, SecretString=json.dumps(said), VersionStages=[PENDING])

    def promote(self, client_id: str, arn: str) -> None:
        """Make AWSPENDING the AWSCURRENT, in one step; what was current becomes AWSPREVIOUS."""
        with self._secret_of(client_id):
            stages = self._stages(arn)
            self._secrets.update_secret_version_stage(
                SecretId=arn,
                VersionStage=CURRENT,
                MoveToVersionId=stages[PENDING],
                RemoveFromVersionId=stages[CURRENT],
            )

    def drop_pending(self, client_id: str, arn: str) -> None:
        """Take the label AWSPENDING away, if it is there."""
        with self._secret_of(client_id):
            version = self._stages(arn).get(PENDING)
            if version is not None:
                self._secrets.update_secret_version_stage(
                    SecretId=arn, VersionStage=PENDING, RemoveFromVersionId=version
                )

    def _stages(self, arn: str) -> dict[str, str]:
        versions = self._secrets.describe_secret(SecretId=arn).get("VersionIdsToStages", {})
        return {stage: version for version, stages in versions.items() for stage in stages}

    def _text(self, arn: str, stage: str) -> str:
        return self._secrets.get_secret_value(SecretId=arn, VersionStage=stage).get("SecretString", "")

    @contextmanager
    def _secret_of(self, client_id: str) -> Iterator[None]:
        try:
            with translated(f"{client_id}: the secret"):
                try:
                    yield
                except aws.Refused as refused:
                    if aws.code(refused) == "ResourceNotFoundException":
                        raise ClientMisconfigured(
                            f"{client_id}: access.secret_arn: there is no such secret"
                        ) from refused
                    raise
        except json.JSONDecodeError:
            raise ClientMisconfigured(f"{client_id}: access.secret_arn: the secret is not JSON") from None
