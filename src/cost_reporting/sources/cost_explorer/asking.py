"""Asking Cost Explorer: every page of an answer, its refusals in our words, and what it cost."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from cost_reporting import aws
from cost_reporting.costs import NotAvailable, Query
from cost_reporting.errors import (
    ClientAccessDenied,
    CostExplorerDisabled,
    CostReportingError,
    CostsNotReady,
    CostsRefused,
    CostsThrottled,
)
from cost_reporting.sources.access import Reader

REGION: Final = "us-east-1"
_NOT_ENABLED: Final = "not enabled for cost explorer"
_OPT_IN: Final = "opt-in only feature"
OPT_IN: Final = (
    "the account has to opt in: Billing and Cost Management, Preferences, Receive Amazon EC2 resource recommendations"
)
_PAGE_TOKENS: Final = ("NextPageToken", "NextToken")


def attempt[T](client_id: str, ask: Callable[[], T]) -> T | NotAvailable:
    """What ``ask`` finds out; where it fails, that is an answer as well."""
    try:
        return ask()
    except CostReportingError as failure:
        return NotAvailable(error=failure.name, reason=str(failure).removeprefix(f"{client_id}: "))


class Questions:
    """Asks the Cost Explorer of the ``account``, and remembers every answer as it came."""

    def __init__(self, client_id: str, account: Reader) -> None:
        self.client_id = client_id
        self.account_id = account.account_id
        self._cost_explorer = aws.client("ce", region=REGION, credentials=account.credentials, attempts=2)
        self.queries: list[Query] = []
        self.answers: dict[str, list[dict[str, Any]]] = {}
        self._known: dict[tuple[str, str], list[dict[str, Any]]] = {}

    def ask(self, name: str, operation: str, question: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Every page of the answer to ``question``, under ``name`` in the evidence. The same again is not paid again.

        Raises CostsThrottled, CostsNotReady, ClientAccessDenied, CostExplorerDisabled or CostsRefused. What was
        answered before that is paid, and stays in the evidence.
        """
        known = self._known.get((operation, asked := json.dumps(question, sort_keys=True)))
        if known is not None:
            return known
        pages: list[dict[str, Any]] = []
        request_ids: list[str] = []
        onward: dict[str, str] = {}
        try:
            while True:
                page = self._call(operation, {**question, **onward})
                request_ids.append(page.pop("ResponseMetadata", {}).get("RequestId", "unknown"))
                pages.append(page)
                onward = {token: page[token] for token in _PAGE_TOKENS if page.get(token)}
                if not onward:
                    self._known[operation, asked] = pages
                    return pages
        finally:
            self.queries.append(
                Query(name=name, operation=operation, request_ids=tuple(request_ids), account_id=self.account_id)
            )
            self.answers[name] = pages

    def try_once(self, operation: str, question: Mapping[str, Any]) -> None:
        """Ask, and leave the answer, of which one page is enough. Raises what :meth:`ask` does."""
        self._call(operation, question)

    def _call(self, operation: str, question: Mapping[str, Any]) -> dict[str, Any]:
        try:
            call = getattr(self._cost_explorer, aws.method(operation))
            return dict(call(**question))
        except aws.Refused as refused:
            raise self._translated(refused) from refused
        except aws.NoAnswer as none:
            raise CostsThrottled(f"{self.client_id}: Cost Explorer: {type(none).__name__}") from none

    def _translated(self, refused: aws.Refused) -> CostReportingError:
        code, said = aws.code(refused), aws.message(refused)
        what = f"{self.client_id}: Cost Explorer: {code}"
        if code in aws.THROTTLES or aws.status(refused) >= 500:
            return CostsThrottled(what)
        if code == "DataUnavailableException":
            return CostsNotReady(what)
        if code.startswith("AccessDenied") and _OPT_IN in said.casefold():
            return CostExplorerDisabled(f"{what}: {OPT_IN}")
        if code.startswith("AccessDenied"):
            return CostExplorerDisabled(what) if _NOT_ENABLED in said.casefold() else ClientAccessDenied(what)
        if code in ("UnrecognizedClientException", "InvalidClientTokenId", "ExpiredTokenException"):
            return ClientAccessDenied(what)
        return CostsRefused(f"{what}: {said}")
