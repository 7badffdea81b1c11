"""Documents in the bucket: reports, logos, and the records of runs."""

from datetime import datetime
from hashlib import sha256
from typing import Final

from cost_reporting import aws
from cost_reporting.contracts import Run, StoredObject
from cost_reporting.errors import StoreRefused
from cost_reporting.periods import label, stored_names
from cost_reporting.store.translation import translated

JSON: Final = "application/json"
JSON_LINES: Final = "application/jsonl"
PDF: Final = "application/pdf"


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
        stored = StoredObject(key=key, size=len(body), sha256=sha256(body).hexdigest())
        with translated(f"put {key}"):
            self._s3.put_object(
                Bucket=self._bucket,
                Key=key,
                Body=body,
                ContentType=content_type,
                Metadata={"sha256": stored.sha256, "fingerprint": fingerprint},
            )
        return stored

    def find(self, key: str, *, fingerprint: str | None = "") -> StoredObject | None:
        """The object at ``key`` if it is there and was made from ``fingerprint``, or, with None, from whatever."""
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
        return StoredObject(key=name, size=head["ContentLength"], sha256=head["Metadata"]["sha256"])

    def get(self, key: str) -> bytes | None:
        """The bytes at ``key``, or None if nothing is there."""
        found = (body for name in stored_names(key) if (body := self._bytes(name)) is not None)
        return next(found, None)

    def _bytes(self, key: str) -> bytes | None:
        with translated(f"get {key}"):
            try:
                return self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
            except aws.Refused as refused:
                if aws.status(refused) == 404:
                    return None
                raise

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
        """The very bytes of ``stored``. Raises StoreRefused if they are gone or others are in their place."""
        body = self._bytes(stored.key)
        if body is None:
            raise StoreRefused(f"get {stored.key}: nothing is there any more")
        if sha256(body).hexdigest() != stored.sha256:
            raise StoreRefused(f"get {stored.key}: other bytes are there than were stored")
        return body
