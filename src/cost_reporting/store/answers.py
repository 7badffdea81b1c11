"""Answers of Cost Explorer as they come, so that the next try of the same run does not pay them again."""

import json
import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from pydantic import AwareDatetime, ValidationError

from cost_reporting.contracts import Fact
from cost_reporting.sources import Answer
from cost_reporting.store.objects import JSON, Document, ObjectStore

KEPT_FOR: Final = timedelta(minutes=25)
"""Longer than a function of 15 minutes that was killed, and its second try, and than the retries of a throttled one
(five minutes); shorter than the half hour after which a run looks again for figures that were not there."""
_log = logging.getLogger(__name__)


class _Stored(Fact):
    """An answer to one question. Without pages it is not to be used any more."""

    asked_at: AwareDatetime
    operation: str
    request_ids: tuple[str, ...]
    pages: tuple[dict[str, Any], ...]


class AnswerStore:
    """The answers of one try to make one cost document, below the ``prefix`` of the report.

    They are for the same run on the same UTC day, and for the place of the same stored document, ``instead_of`` which
    a new one is made: once that is stored the answers are used up, and who asks after it asks anew. So no document
    holds answers of two days, of two runs, or of before and after a refresh, and none is told to be paid twice.
    """

    def __init__(
        self, objects: ObjectStore, prefix: str, run_id: str, instead_of: Document | None, now: Callable[[], datetime]
    ) -> None:
        self._objects = objects
        self._now = now
        etag = instead_of.etag if instead_of else ""
        self._prefix = f"{prefix}asked/{_digest(run_id, now().date().isoformat(), etag)}/"
        self._keys: dict[str, list[str]] = {}
        self._there: dict[str, Document] = {}

    def find(self, account_id: str, operation: str, question: Mapping[str, Any]) -> Answer | None:
        """The answer, if it is whole and not older than KEPT_FOR. Raises StoreThrottled or StoreRefused."""
        key = self._key(account_id, operation, question)
        document = self._objects.open(key)
        if document is not None:
            self._there[key] = document
        stored = _read(document) if document else None
        if stored is None or not stored.pages or self._now() - stored.asked_at > KEPT_FOR:
            return None
        self._keys.setdefault(account_id, []).append(key)
        return Answer(pages=[dict(page) for page in stored.pages], request_ids=list(stored.request_ids))

    def keep(self, account_id: str, operation: str, question: Mapping[str, Any], answer: Answer) -> None:
        """Store a whole answer; one that another execution has stored meanwhile stays, as this try does not need it."""
        key = self._key(account_id, operation, question)
        self._keys.setdefault(account_id, []).append(key)
        self._put(key, operation, answer)

    def forget(self, account_id: str) -> None:
        """Empty the answers of this account that this try has found or stored."""
        for key in self._keys.pop(account_id, ()):
            if (document := self._objects.open(key)) is not None:
                self._there[key] = document
                self._put(key, "", Answer(pages=[], request_ids=[]))

    def _put(self, key: str, operation: str, answer: Answer) -> None:
        stored = _Stored(
            asked_at=self._now(),
            operation=operation,
            request_ids=tuple(answer.request_ids),
            pages=tuple(answer.pages),
        )
        body = stored.model_dump_json().encode()
        if self._objects.replace(key, body, JSON, there=self._there.pop(key, None)) is None:
            _log.info("answer_stored_meanwhile", extra={"key": key})

    def _key(self, account_id: str, operation: str, question: Mapping[str, Any]) -> str:
        asked = json.dumps(question, sort_keys=True)
        return f"{self._prefix}{account_id}-{operation}-{_digest(operation, asked)}.json"


def _read(document: Document) -> _Stored | None:
    """What is stored, or None if its bytes were changed since."""
    try:
        return _Stored.model_validate_json(document.body) if document.sound else None
    except ValidationError:
        return None


def _digest(*parts: str) -> str:
    return sha256("\n".join(parts).encode()).hexdigest()[:16]
