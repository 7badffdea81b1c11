"""Everything of the bucket below a prefix, listed and removed."""

from collections.abc import Iterable, Iterator
from itertools import batched
from typing import Any, Final

from pydantic import AwareDatetime

from cost_reporting import aws
from cost_reporting.contracts import Fact
from cost_reporting.errors import StoreRefused
from cost_reporting.store.translation import translated

_AT_ONCE: Final = 1000
"""Objects in one request (S3 API reference, DeleteObjects)."""


class Kept(Fact):
    """An object, or with ``version_id`` one version of it."""

    key: str
    size: int
    version_id: str | None = None
    stored_at: AwareDatetime | None = None


class Sweeper:
    """The bucket, for removing what belonged to a client. A prefix ends in a slash, so that it is nobody else's."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket
        self._s3 = aws.client("s3")

    def below(self, prefix: str, *, versions: bool = False) -> Iterator[Kept]:
        """The objects below ``prefix``; with ``versions`` every version, those of removed objects included."""
        if not prefix.endswith("/"):
            raise ValueError(f"{prefix}: a prefix that does not end in a slash may be another client's too")
        if versions:
            yield from self._versions(prefix)
            return
        onward: dict[str, Any] = {}
        while True:
            with translated(f"list {prefix}"):
                page = self._s3.list_objects_v2(Bucket=self._bucket, Prefix=prefix, **onward)
            yield from (Kept(key=each["Key"], size=each["Size"]) for each in page.get("Contents", []))
            if not page.get("IsTruncated"):
                return
            onward = {"ContinuationToken": page["NextContinuationToken"]}

    def remove(self, kept: Iterable[Kept]) -> Iterator[int]:
        """Remove them, saying after each request how many. An object leaves its versions behind; a version is gone.

        Raises StoreRefused naming an object that stayed.
        """
        for some in batched(kept, _AT_ONCE, strict=False):
            objects: list[Any] = [
                {"Key": each.key} | ({"VersionId": each.version_id} if each.version_id else {}) for each in some
            ]
            with translated(f"remove {some[0].key}"):
                answer = self._s3.delete_objects(Bucket=self._bucket, Delete={"Objects": objects, "Quiet": True})
            for error in answer.get("Errors", []):
                raise StoreRefused(f"remove {error.get('Key')}: {error.get('Code')}")
            yield len(some)

    def _versions(self, prefix: str) -> Iterator[Kept]:
        onward: dict[str, Any] = {}
        while True:
            with translated(f"list the versions of {prefix}"):
                page: Any = self._s3.list_object_versions(Bucket=self._bucket, Prefix=prefix, **onward)
            for each in (*page.get("Versions", []), *page.get("DeleteMarkers", [])):
                yield Kept(
                    key=each["Key"],
                    size=each.get("Size", 0),
                    version_id=each["VersionId"],
                    stored_at=each["LastModified"],
                )
            if not page.get("IsTruncated"):
                return
            onward = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page.get("NextVersionIdMarker", "")}
