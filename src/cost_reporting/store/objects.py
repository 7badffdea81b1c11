"""Documents in the bucket: reports, logos, and the records of runs."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from cost_reporting import aws
from cost_reporting.contracts import Run, StoredObject
from cost_reporting.errors import StaleDocument
from cost_reporting.periods import label, stored_names
from cost_reporting.store.translation import translated

JSON: Final = "application/json"
JSON_LINES: Final = "application/jsonl"
PDF: Final = "application/pdf"
_OVERTAKEN: Final = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"})
"""What S3 answers to a conditional write that another writer was ahead of: 412; 409, if both wrote at the same moment;
404, if the object to be replaced is gone. (S3 User Guide, "Conditional writes"; botocore's model of PutObject)"""


@dataclass(frozen=True)
class Document:
    """What is at a key: its bytes, what its writer said about them, and ``etag``, by which it can be replaced.

    ``sound``: the bytes are those that its writer stored, by the hash in its metadata. ``fingerprint`` names what it
    was made from, or is empty if it is not to be found again.
    """

    stored: StoredObject
    body: bytes
    etag: str
    metadata: dict[str, str]

    @property
    def sound(self) -> bool:
        return self.metadata.get("sha256") == self.stored.sha256

    @property
    def fingerprint(self) -> str:
        return self.metadata.get("fingerprint", "")


def report_prefix(run: Run, client_id: str) -> str:
    """Where the documents of a client's report are. Ends in a slash, so that no client's prefix starts another's."""
    scope = f"test/{run.run_id}/" if run.mode == "test" else ""
    return f"reports/{client_id}/{scope}{run.cadence}/{label(run.period)}/{run.issue}/"


def run_prefix(run_id: str) -> str:
    """Where the documents of a run are."""
    return f"runs/{run_id}/"


class ObjectStore:
    """The bucket."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket
        self._s3 = aws.client("s3")

    def put(self, key: str, body: bytes, content_type: str, *, fingerprint: str = "") -> StoredObject:
        """Store ``body``. ``fingerprint`` names what it was made from, for :meth:`find`."""
        with translated(f"put {key}"):
            return self._put(key, body, content_type, {"fingerprint": fingerprint})

    def replace(
        self,
        key: str,
        body: bytes,
        content_type: str,
        *,
        there: Document | None,
        fingerprint: str = "",
        notes: dict[str, str] | None = None,
    ) -> StoredObject | None:
        """Store ``body`` in the place of ``there``, or where nothing was. None: another writer was first.

        ``notes`` are kept in the object's metadata. Of two that replace the same document one finds it changed: S3
        compares the ETag, or that the key is free, when it writes (S3 User Guide, "Conditional writes").
        """
        replaced = there if there is not None and there.stored.key == key else None
        condition = {"IfNoneMatch": "*"} if replaced is None else {"IfMatch": replaced.etag}
        with translated(f"put {key}"):
            try:
                return self._put(key, body, content_type, {"fingerprint": fingerprint} | (notes or {}), **condition)
            except aws.Refused as refused:
                if aws.code(refused) in _OVERTAKEN:
                    return None
                raise

    def _put(self, key: str, body: bytes, content_type: str, notes: dict[str, str], **condition: Any) -> StoredObject:
        digest = sha256(body).hexdigest()
        answer = self._s3.put_object(
            Bucket=self._bucket,
            Key=key,
            Body=body,
            ContentType=content_type,
            Metadata={"sha256": digest} | notes,
            **condition,
        )
        return StoredObject(key=key, size=len(body), sha256=digest, version_id=answer.get("VersionId"))

    def find(self, key: str, *, fingerprint: str | None = "") -> StoredObject | None:
        """The object at ``key`` if it is there and was made from ``fingerprint``, or, with None, from whatever.

        Its metadata are believed: who goes on with the bytes uses :meth:`open`.
        """
        for name in stored_names(key):
            with translated(f"find {name}"):
                try:
                    head = self._s3.head_object(Bucket=self._bucket, Key=name)
                    break
                except aws.Refused as refused:
                    if aws.status(refused) != 404:
                        raise
        else:
            return None
        if fingerprint is not None and head["Metadata"].get("fingerprint", "") != fingerprint:
            return None
        if "sha256" not in head["Metadata"]:
            return None
        return StoredObject(
            key=name,
            size=head["ContentLength"],
            sha256=head["Metadata"]["sha256"],
            version_id=head.get("VersionId"),
        )

    def open(self, key: str) -> Document | None:
        """What is at ``key``, or under the name that it had before, or None if nothing is there."""
        found = (document for name in stored_names(key) if (document := self._open(name)) is not None)
        return next(found, None)

    def get(self, key: str) -> bytes | None:
        """The bytes at ``key``, or None if nothing is there."""
        document = self.open(key)
        return None if document is None else document.body

    def _open(self, key: str, **version: Any) -> Document | None:
        with translated(f"get {key}"):
            try:
                answer = self._s3.get_object(Bucket=self._bucket, Key=key, **version)
                body = answer["Body"].read()
            except aws.Refused as refused:
                if aws.status(refused) == 404:
                    return None
                raise
        stored = StoredObject(
            key=key, size=len(body), sha256=sha256(body).hexdigest(), version_id=answer.get("VersionId")
        )
        return Document(stored=stored, body=body, etag=answer["ETag"], metadata=dict(answer["Metadata"]))

    def newest(self, prefix: str, ending: str) -> datetime | None:
        """When the last of the documents below ``prefix`` whose key ends so was stored."""
        with translated(f"list {prefix}"):
            pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
            times = [
                each["LastModified"]
                for page in pages
                for each in page.get("Contents", [])
                if each["Key"].endswith(ending)
            ]
        return max(times, default=None)

    def read(self, stored: StoredObject) -> bytes:
        """The very bytes of ``stored``. Raises StaleDocument if they are gone or others are in their place."""
        there = self._open(stored.key)
        body = None if there is None else there.body
        if body is None:
            raise StaleDocument(f"get {stored.key}: nothing is there any more")
        if sha256(body).hexdigest() != stored.sha256:
            raise StaleDocument(f"get {stored.key}: other bytes are there than were stored")
        return body

    def read_version(self, stored: StoredObject) -> bytes:
        """The very bytes of ``stored``, although others may be in their place by now: the bucket keeps versions.

        Raises StaleDocument if the version is not known or gone, or is not what was stored.
        """
        known = None if stored.version_id is None else self._open(stored.key, VersionId=stored.version_id)
        if known is None or known.stored.sha256 != stored.sha256:
            raise StaleDocument(f"get {stored.key}: the version that was stored is not there any more")
        return known.body
