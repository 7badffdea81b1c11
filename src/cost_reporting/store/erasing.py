"""What is stored of a client or a person outside the clients table: found by reading all of it, and erased."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import batched
from typing import Any, Final

from cost_reporting import aws
from cost_reporting.contracts import Fact
from cost_reporting.store.sweeping import Kept
from cost_reporting.store.translation import translated

_AT_ONCE: Final = 25
"""Items in one request (DynamoDB API reference, BatchWriteItem)."""
_LARGEST: Final = 20_000_000
"""Bytes of a document that is looked into."""

Item = Mapping[str, Any]


class Looked(Fact):
    """A version of a document, and its text; None if it is no text, or too large."""

    kept: Kept
    text: str | None


class Eraser:
    """The outcomes table and the bucket, for erasing. It never writes the clients table."""

    def __init__(self, outcomes_table: str, bucket: str) -> None:
        self._table = aws.table(outcomes_table)
        self._bucket = bucket
        self._s3 = aws.client("s3")

    def items(self, seen: Callable[[int], None]) -> Iterator[Item]:
        """Every item of the outcomes table; ``seen`` is told of each page's items."""
        page: dict[str, Any] = {}
        while True:
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]} if page else {}
            with translated("read the outcomes table"):
                page = dict(self._table.scan(ConsistentRead=True, **start))
            seen(len(page["Items"]))
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return

    def delete(self, items: Iterable[Item]) -> Iterator[int]:
        """Delete the items, saying after each request how many."""
        for some in batched(items, _AT_ONCE, strict=False):
            with translated("erase items"), self._table.batch_writer() as batch:
                for item in some:
                    batch.delete_item(Key={"pk": item["pk"], "sk": item["sk"]})
            yield len(some)

    def rewrite(self, item: Item) -> None:
        """Put ``item`` in the place of what has its key; nothing if that is gone meanwhile."""
        with translated("erase an address from an item"):
            try:
                self._table.put_item(Item=dict(item), ConditionExpression="attribute_exists(pk)")
            except aws.Refused as refused:
                if aws.code(refused) != "ConditionalCheckFailedException":
                    raise

    def look(self, kept: Iterable[Kept]) -> Iterator[Looked]:
        """The text of each version of a document. A delete marker has none; one that has just gone is left out."""
        for each in kept:
            if each.size == 0 or each.size > _LARGEST:
                yield Looked(kept=each, text=None)
                continue
            version = {"VersionId": each.version_id} if each.version_id else {}
            with translated(f"read {each.key}"):
                try:
                    answer = self._s3.get_object(Bucket=self._bucket, Key=each.key, **version)  # type: ignore[arg-type]
                    body = answer["Body"].read()
                except aws.Refused as refused:
                    if aws.status(refused) == 404:
                        continue
                    raise
            try:
                yield Looked(kept=each, text=body.decode())
            except UnicodeDecodeError:
                yield Looked(kept=each, text=None)
