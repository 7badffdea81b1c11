"""Links to stored documents that anybody can open who has them, for as long as their signature holds.

A presigned link ends with the credentials that signed it, whatever it says itself. Those of a Lambda function end at a
moment that nobody tells the function, so a role is assumed for signing, and STS says when that session ends
(decision 0005).
"""

from collections.abc import Iterable
from typing import Final

from pydantic import AwareDatetime

from cost_reporting import aws
from cost_reporting.contracts import Fact, StoredObject
from cost_reporting.store.translation import translated

LONGEST: Final = 3600
"""Seconds. A role that assumes another gets an hour at most (IAM User Guide, role chaining)."""
_SESSION: Final = "report-links"


class Link(Fact):
    """A document's address, and the name under which it is saved."""

    file_name: str
    url: str


class Links(Fact):
    """Links that all end at the same moment."""

    until: AwareDatetime
    links: tuple[Link, ...]


class LinkStore:
    """Signs links to documents in the bucket, as the role that may read reports and nothing else."""

    def __init__(self, bucket: str, role_arn: str) -> None:
        self._bucket = bucket
        self._role_arn = role_arn

    def to(self, documents: Iterable[tuple[str, StoredObject]]) -> Links:
        """Links to (file name, document), which work until the moment that they come with.

        Each is to the version that was stored, whatever has taken its place since.
        """
        with translated("sign links"):
            keys = aws.client("sts").assume_role(
                RoleArn=self._role_arn, RoleSessionName=_SESSION, DurationSeconds=LONGEST
            )["Credentials"]
            s3 = aws.signer(
                aws.Credentials(
                    access_key_id=keys["AccessKeyId"],
                    secret_access_key=keys["SecretAccessKey"],
                    token=keys["SessionToken"],
                )
            )
            links = tuple(
                Link(
                    file_name=file_name,
                    url=s3.generate_presigned_url(
                        "get_object",
                        Params={
                            "Bucket": self._bucket,
                            "Key": document.key,
                            "ResponseContentDisposition": f'attachment; filename="{file_name}"',
                        }
                        | ({"VersionId": document.version_id} if document.version_id else {}),
                        ExpiresIn=LONGEST,
                    ),
                )
                for file_name, document in documents
            )
        return Links(until=keys["Expiration"], links=links)


def signed(bucket: str, key: str, *, seconds: int) -> str:
    """A link to one document, signed with this process's own credentials: it ends with them, if not before."""
    with translated(f"sign a link to {key}"):
        return aws.signer(aws.own_credentials()).generate_presigned_url(
            "get_object", Params={"Bucket": bucket, "Key": key}, ExpiresIn=seconds
        )
