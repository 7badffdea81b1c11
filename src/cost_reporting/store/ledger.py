"""The mail ledger in the outcomes table: one item per report and recipient, moved under conditions only."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any, Final

from cost_reporting import aws, ledger
from cost_reporting.errors import StoreThrottled
from cost_reporting.ledger import UNSENT, Entry, Event, Mail, after, issue_of, once_refused
from cost_reporting.periods import present_name, stored_names
from cost_reporting.store.translation import translated

BY_ISSUE: Final = "by-issue"
"""The index that holds how far each mail of all clients' reports of one issue has come."""
_TRIES: Final = 5
_SAME: Final = "#state = :state AND try_id = :try_id AND revision = :revision"
_SAME_OLD: Final = "#state = :state AND try_id = :try_id AND attribute_not_exists(revision)"


class LedgerStore:
    """Keeps :class:`~cost_reporting.ledger.Entry` items so that of two writers only one wins."""

    def __init__(self, table: str) -> None:
        self._table = aws.table(table)

    def find(self, report: str, recipient: str) -> Entry | None:
        """The entry as it is now. One of an older version stays under the name that it was written with."""
        entries = (self._find(name, recipient) for name in stored_names(report))
        found: Entry | None = None
        for entry in entries:
            found = found or entry
            if entry is not None and entry.tries:
                return entry
        return found

    def _find(self, report: str, recipient: str) -> Entry | None:
        with translated("read the ledger"):
            item = self._table.get_item(Key=_key(report, recipient), ConsistentRead=True).get("Item")
        return None if item is None else _fact(Entry, item)

    def of_report(self, report: str) -> tuple[Entry, ...]:
        """The entries of a report, one for each recipient that a mail was ever tried to."""
        items = (
            item
            for name in stored_names(report)
            for item in self._query(
                KeyConditionExpression="pk = :pk AND begins_with(sk, :to)",
                ExpressionAttributeValues={":pk": _key(name, "")["pk"], ":to": "TO#"},
                ConsistentRead=True,
            )
        )
        return _once(_fact(Entry, item) for item in items)

    def of_issue(self, issue: str) -> Iterator[Mail]:
        """How far the mails of all clients' reports of ``issue`` have come, read by partition, not client by client.

        From an index, which follows the ledger within a second or so. Reports have their present names.
        """
        items = (
            item
            for name in stored_names(issue)
            for item in self._query(
                IndexName=BY_ISSUE,
                KeyConditionExpression="#issue = :issue",
                ExpressionAttributeNames={"#issue": "issue"},
                ExpressionAttributeValues={":issue": name},
            )
        )
        mails = (_fact(Mail, item | {"report": present_name(str(item["report"]))}) for item in items)
        return mails if stored_names(issue) == (issue,) else iter(_once(mails))

    def all_of(self, seen: Callable[[int], None]) -> Iterator[Entry]:
        """Every entry of the whole ledger, which reads the whole table; ``seen`` is told of each page's items."""
        page: dict[str, Any] = {}
        while True:
            with translated("read the whole ledger"):
                page = dict(
                    self._table.scan(
                        FilterExpression="begins_with(pk, :ledger) AND begins_with(sk, :to)",
                        ExpressionAttributeValues={":ledger": "LEDGER#", ":to": "TO#"},
                        **({"ExclusiveStartKey": page["LastEvaluatedKey"]} if page else {}),
                    )
                )
            seen(page["ScannedCount"])
            for item in page["Items"]:
                yield _fact(Entry, item)
            if "LastEvaluatedKey" not in page:
                return

    def begin(self, entry: Entry, *, replacing: Entry | None) -> Entry | None:
        """Write ``entry`` if the ledger still says ``replacing``, which it remembers. None: another writer was first.

        If the answer to a write is lost, botocore writes again and finds the ledger changed: by ourselves, then.
        """
        begun = ledger.replacing(entry, replacing)
        if self._put(begun, replacing):
            return begun
        found = self._find(entry.report, entry.recipient)
        return found if found is not None and found.try_id == entry.try_id else None

    def conclude(self, entry: Entry, *, at: datetime, message_id: str) -> Entry:
        """Move our own try, which is SENDING, on to SENT, once SES has accepted the message."""
        accepted = Event(
            report=entry.report,
            recipient=entry.recipient,
            try_id=entry.try_id,
            message_id=message_id,
            state="SENT",
            at=at,
        )
        return self._move(entry, lambda seen: after(seen, accepted))

    def refuse(self, entry: Entry, *, at: datetime) -> Entry:
        """Take our own try, which is SENDING, back, once SES has refused the message: what it replaced stands again."""
        return self._move(entry, lambda seen: once_refused(seen, entry.try_id, at))

    def apply(self, event: Event) -> Entry | None:
        """Move an entry on as SES's event says. None: there is no such entry, or the event says nothing new.

        Raises StoreThrottled if somebody else wrote the entry at the same moment: the event is given again then.
        """
        for name in stored_names(event.report):
            found = self._find(name, event.recipient)
            moved = None if found is None else after(found, event)
            if found is not None and moved is not None:
                if not self._put(_next(moved, found), found):
                    raise StoreThrottled("write the ledger: another writer was first")
                return _next(moved, found)
        return None

    def _move(self, entry: Entry, change: Callable[[Entry], Entry | None]) -> Entry:
        """Change the item, whoever else changes it at the same moment: an event about a mail that was replaced, say.

        A few times: what is not written then stays SENDING, until SES's event settles it.
        """
        seen: Entry | None = entry
        for _ in range(_TRIES):
            moved = None if seen is None else change(seen)
            if seen is None or moved is None:
                break
            if self._put(_next(moved, seen), seen):
                return _next(moved, seen)
            seen = self._find(entry.report, entry.recipient)
        return seen or entry

    def _query(self, **asked: Any) -> Iterator[dict[str, Any]]:
        page: dict[str, Any] = {}
        while True:
            with translated("read the ledger"):
                start = {"ExclusiveStartKey": page["LastEvaluatedKey"]} if page else {}
                page = dict(self._table.query(**asked, **start))
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return

    def _put(self, entry: Entry, replacing: Entry | None) -> bool:
        item = _key(entry.report, entry.recipient) | entry.model_dump(mode="json", exclude_none=True)
        issue = issue_of(entry.report)
        if issue is not None:
            item["issue"] = issue
        if entry.revision == 0:
            del item["revision"]  # as older versions wrote it
        with translated("write the ledger"):
            try:
                if replacing is None:
                    self._table.put_item(Item=item, ConditionExpression="attribute_not_exists(pk)")
                else:
                    seen: dict[str, str | int] = {":state": replacing.state, ":try_id": replacing.try_id}
                    if replacing.revision:
                        seen[":revision"] = replacing.revision
                    self._table.put_item(
                        Item=item,
                        ConditionExpression=_SAME if replacing.revision else _SAME_OLD,
                        ExpressionAttributeNames={"#state": "state"},
                        ExpressionAttributeValues=seen,
                    )
            except aws.Refused as refused:
                if aws.code(refused) == "ConditionalCheckFailedException":
                    return False
                raise
        return True


def _once[Known: Mail](mails: Iterable[Known]) -> tuple[Known, ...]:
    """One for each report and recipient, though an older version may have written another: one that went, if any."""
    found: dict[tuple[str, str], Known] = {}
    for mail in mails:
        key = present_name(mail.report), mail.recipient
        if key not in found or found[key].state in UNSENT:
            found[key] = mail if mail.state not in UNSENT else found.get(key, mail)
    return tuple(found.values())


def _next(moved: Entry, seen: Entry) -> Entry:
    return moved.model_copy(update={"revision": seen.revision + 1})


def _key(report: str, recipient: str) -> dict[str, str]:
    return {"pk": f"LEDGER#{report}", "sk": f"TO#{recipient}"}


def _fact[Known: Mail](kind: type[Known], item: dict[str, Any]) -> Known:
    return kind.model_validate({name: value for name, value in item.items() if name in kind.model_fields})
