"""Asking Cost Explorer: every page of an answer, its refusals in our words, and what it cost."""

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from cost_reporting import aws
from cost_reporting.clients import faults
from cost_reporting.costs import NotAvailable, Query
from cost_reporting.errors import (
    CostReportingError,
    CostsEndless,
    CostsNotReady,
    CostsRefused,
    CostsThrottled,
    CostsUnreadable,
    CredentialsRejected,
    StoreRefused,
    StoreThrottled,
)
from cost_reporting.sources import Answer, Kept
from cost_reporting.sources.access import Reader
from cost_reporting.sources.refusals import OPT_IN, refusal, sentence

__all__ = ["MOST_PAGES", "OPT_IN", "READ_TIMEOUT", "REGION", "Questions", "attempt"]

REGION: Final = "us-east-1"
READ_TIMEOUT: Final = 60
"""Seconds. An answer that comes after its caller has given up is paid, and asked and paid again."""
MOST_PAGES: Final = 100
"""Pages of one answer. A year by service and record type, or two months of days, of an account that uses every service
takes a few thousand groups, and a page holds hundreds; a hundred pages cost USD 1.00."""
_PAGE_TOKENS: Final = ("NextPageToken", "NextToken")
_LOST_PAGES: Final = frozenset({"InvalidNextTokenException", "RequestChangedException"})
"""A page could not be had; asked from the first page on, the answer may be whole (API reference, GetCostAndUsage)."""
_log = logging.getLogger(__name__)


def attempt[T](questions: "Questions", part: str, ask: Callable[[], T]) -> T | NotAvailable:
    """What ``ask`` finds out about ``part`` of a report; where it fails, that is an answer as well.

    An answer that is not of the known shape is none, whatever it does to us: the answer itself is kept, and operators
    are told by the log and by the count of unreadable sections. What our own store refuses is no answer.
    """
    try:
        return ask()
    except (StoreRefused, StoreThrottled):
        raise
    except CostReportingError as failure:
        if isinstance(failure, CostsUnreadable):
            questions.log("section_unreadable", part, str(failure))
        return NotAvailable(error=failure.name, reason=str(failure).removeprefix(f"{questions.client_id}: "))
    except Exception as surprise:  # noqa: BLE001 - a section never ends a report
        questions.log("section_broke", part, type(surprise).__name__)
        return NotAvailable(
            error=CostsUnreadable.__name__, reason=f"Cost Explorer: {part}: an answer of an unknown shape"
        )


class Questions:
    """Asks the Cost Explorer of the ``account``, and remembers every answer as it came.

    ``kept`` are answers that an earlier try of the same run has paid. ``renew`` gives fresh credentials of the same
    access, for those that expire or are refused in the middle.
    """

    def __init__(
        self, client_id: str, account: Reader, *, kept: Kept | None = None, renew: Callable[[], Reader] | None = None
    ) -> None:
        self.client_id = client_id
        self.account_id = account.account_id
        self._cost_explorer = _connected(account)
        self.queries: list[Query] = []
        self.answers: dict[str, list[dict[str, Any]]] = {}
        self._kept = kept
        self._renew = renew
        self._known: dict[tuple[str, str], list[dict[str, Any]]] = {}

    def ask(self, name: str, operation: str, question: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Every page of the answer to ``question``, under ``name`` in the evidence. The same again is not paid again.

        Raises CostsThrottled, CostsNotReady, CostsEndless, CostsRefused, or what ``refusals`` names. What was answered
        before that is paid, and stays in the evidence.
        """
        known = self._known.get((operation, asked := json.dumps(question, sort_keys=True)))
        if known is not None:
            return known
        kept = self._kept.find(self.account_id, operation, question) if self._kept else None
        answer = kept or Answer(pages=[], request_ids=[])
        try:
            if kept is None:
                self._whole(answer, operation, question)
            self._known[operation, asked] = answer.pages
            return answer.pages
        finally:
            self.queries.append(
                Query(name=name, operation=operation, request_ids=tuple(answer.request_ids), account_id=self.account_id)
            )
            self.answers[name] = answer.pages

    def _whole(self, answer: Answer, operation: str, question: Mapping[str, Any]) -> None:
        try:
            self._pages(answer, operation, question)
        except CostsRefused as refused:
            if not _lost_a_page(refused):
                raise
            _log.warning("page_lost", extra={"account_id": self.account_id, "operation": operation})
            answer.pages.clear()
            self._pages(answer, operation, question)
        if self._kept:
            self._kept.keep(self.account_id, operation, question, answer)

    def _pages(self, answer: Answer, operation: str, question: Mapping[str, Any]) -> None:
        """Add the pages to ``answer`` one by one, and the ids of their requests."""
        onward: dict[str, str] = {}
        seen: list[dict[str, str]] = []
        for _ in range(MOST_PAGES):
            page = self._call(operation, {**question, **onward})
            answer.request_ids.append(page.pop("ResponseMetadata", {}).get("RequestId", "unknown"))
            answer.pages.append(page)
            onward = {token: page[token] for token in _PAGE_TOKENS if page.get(token)}
            if not onward:
                return
            if onward in seen:
                raise CostsEndless(f"{self.client_id}: Cost Explorer: {operation}: a page leads to an earlier one")
            seen.append(onward)
        raise CostsEndless(f"{self.client_id}: Cost Explorer: {operation}: more than {MOST_PAGES} pages")

    def read[M: BaseModel](self, model: type[M], operation: str, pages: list[dict[str, Any]]) -> list[M]:
        """The pages of an answer of ``operation`` as ``model`` reads them.

        Raises CostsUnreadable with the members that are not of its shape, and without their values.
        """
        try:
            return [model.model_validate(page) for page in pages]
        except ValidationError as invalid:
            raise self.unreadable(operation, faults(invalid)) from None

    def needed[V](self, value: V | None, operation: str, member: str) -> V:
        """``value``, which the API may leave out and a figure cannot do without. Raises CostsUnreadable."""
        if value is None:
            raise self.unreadable(operation, f"{member} is not there")
        return value

    def unreadable(self, operation: str, why: str) -> CostsUnreadable:
        """The error about an answer of ``operation``."""
        return CostsUnreadable(f"{self.client_id}: Cost Explorer: {operation}: {why[:300]}")

    def log(self, event: str, part: str, error: str) -> None:
        """Tell operators about an answer that could not be read: which one, and nothing of what it says."""
        _log.warning(event, extra={"account_id": self.account_id, "section": part, "error": error})

    def forget(self) -> None:
        """Have the next try ask anew: what was answered is of no use, as figures that are not there yet."""
        if self._kept:
            self._kept.forget(self.account_id)

    def try_once(self, operation: str, question: Mapping[str, Any]) -> None:
        """Ask, and leave the answer, of which one page is enough. Raises what :meth:`ask` does."""
        self._call(operation, question)

    def _call(self, operation: str, question: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return self._called(operation, question)
        except CredentialsRejected:
            if self._renew is None:
                raise
            renew, self._renew = self._renew, None
            fresh = renew()
            if fresh.account_id != self.account_id:
                raise
            self._cost_explorer = _connected(fresh)
            answer = self._called(operation, question)
            self._renew = renew  # those of a role expire again, after as long
            return answer

    def _called(self, operation: str, question: Mapping[str, Any]) -> dict[str, Any]:
        try:
            call = getattr(self._cost_explorer, aws.method(operation))
            return dict(call(**question))
        except aws.Refused as refused:
            raise self._translated(refused) from refused
        except (aws.NoAnswer, aws.HalfAnswer) as none:
            raise CostsThrottled(f"{self.client_id}: Cost Explorer: {type(none).__name__}") from none

    def _translated(self, refused: aws.Refused) -> CostReportingError:
        code, said = aws.code(refused), sentence(aws.message(refused))
        what = f"{self.client_id}: Cost Explorer"
        told = f"{what}: {code}: {said}" if said else f"{what}: {code}"
        if code in aws.THROTTLES or aws.status(refused) >= 500:
            return CostsThrottled(f"{what}: {code}")
        if code == "DataUnavailableException":
            return CostsNotReady(f"{what}: {code}")
        return refusal(what, code, aws.message(refused)) or CostsRefused(told)


def _lost_a_page(refused: CostsRefused) -> bool:
    return isinstance(refused.__cause__, aws.Refused) and aws.code(refused.__cause__) in _LOST_PAGES


def _connected(account: Reader) -> Any:
    return aws.client("ce", region=REGION, credentials=account.credentials, attempts=2, read_timeout=READ_TIMEOUT)
