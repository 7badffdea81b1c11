"""SES's suppression list of the account, which MiniStack answers as empty and lets nobody write.

Restored: addresses are put on it, looked up, listed by pages and by reason, and taken off. As on AWS, mail to an
address on it is accepted, and then bounces (``Permanent``, ``OnAccountSuppressionList``): ``mail.py`` asks
:func:`suppressed`.
Nothing comes onto the list by itself: on AWS the mailbox simulator's bounces do not, either.
"""

import json
import time
from typing import Any
from urllib.parse import unquote

from local.differences.mail import Headers, Query, Reply, refusal
from local.differences.upstream import upstream

PATH = "/v2/email/suppression/addresses"
_listed: dict[tuple[str, str], dict[str, Any]] = {}


def restore() -> None:
    """Answer the four operations."""
    ses = upstream("services.ses_v2")
    theirs = ses.handle_request

    async def handle(method: str, path: str, headers: Headers, body: bytes, query: Query) -> Any:
        at, _, address = path.rstrip("/").partition(f"{PATH}/")
        if at == PATH or address:
            return answer(method, unquote(address).lower(), json.loads(body or b"{}"), query)
        return await theirs(method, path, headers, body, query)

    ses.handle_request = handle


def suppressed(address: str) -> bool:
    """Whether the caller's account has the address on its list."""
    return (_account(), address.lower()) in _listed


def answer(method: str, address: str, request: dict[str, Any], query: Query) -> Reply:
    """The answer to a request about the list, or about one address on it."""
    if method == "PUT":
        entry = {"EmailAddress": request["EmailAddress"].lower(), "Reason": request["Reason"]}
        _listed[_account(), entry["EmailAddress"]] = entry | {"LastUpdateTime": time.time()}
        return _said({})
    if address:
        found = _listed.get((_account(), address))
        if found is None:
            return refusal(
                404, "NotFoundException", f"Email address {address} does not exist on your suppression list."
            )
        if method == "DELETE":
            del _listed[_account(), address]
            return _said({})
        return _said({"SuppressedDestination": found})
    reasons = query.get("Reason") or ["BOUNCE", "COMPLAINT"]
    mine = [
        each for (account, _), each in sorted(_listed.items()) if account == _account() and each["Reason"] in reasons
    ]
    start, size = int((query.get("NextToken") or ["0"])[0]), int((query.get("PageSize") or ["1000"])[0])
    page: dict[str, Any] = {"SuppressedDestinationSummaries": mine[start : start + size]}
    if len(mine) > start + size:
        page["NextToken"] = str(start + size)
    return _said(page)


def _account() -> str:
    return str(upstream("core.responses").get_account_id())


def _said(document: dict[str, Any]) -> Reply:
    return 200, {"Content-Type": "application/json"}, json.dumps(document).encode()
