"""Cost Explorer, which MiniStack does not have.

Requests for ``AWSInsightsIndexService`` are answered by :class:`local.cost_explorer.CostExplorer` for the account that
the caller's credentials belong to. It is registered as a service of the emulator, so signatures, accounts of assumed
roles and IAM permissions (``ce:GetCostAndUsage`` and the others) are checked as for any other service.

``change`` has an account of the running emulator be otherwise: which of its days are filled, how it refuses, what its
answers leave out (the fields of :class:`local.accounts.Account`).

A request may say by ``CLOCK`` what time it is, which AWS does not offer: tests look at days that are long gone.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from contextvars import ContextVar
from datetime import datetime
from typing import Any, Final, Protocol

from local.differences.upstream import upstream

CLOCK: Final = "x-emulated-now"
"""The header with the time of its request, in ISO 8601."""

_said: ContextVar[str] = ContextVar("said", default="")
_late: Counter[str] = Counter()
NO_DATA: Final = {
    "__type": "DataUnavailableException",
    "Message": "Data is not available. Please try to adjust the time period.",
}
"""What AWS answers while it has no figures. (botocore's model of ``ce``, GetCostAndUsage)"""


def late(account: str, requests: int) -> None:
    """The next so many requests of ``account`` find no figures: tests look at clients whose figures come later."""
    _late[account] = requests


def change(account: str, traits: dict[str, Any]) -> None:
    """Have ``account`` be otherwise from now on. Lists are read as tuples."""
    assert _serving is not None
    given = {name: tuple(value) if isinstance(value, list) else value for name, value in traits.items()}
    _serving.change(account, **given)


def clock(otherwise: Callable[[], datetime]) -> Callable[[], datetime]:
    """The time that the request at hand says, or else what ``otherwise`` does."""
    return lambda: datetime.fromisoformat(said) if (said := _said.get()) else otherwise()


class Answers(Protocol):
    """What :class:`local.cost_explorer.CostExplorer` does."""

    def answer(self, operation: str, request: dict[str, Any], account_id: str) -> tuple[int, dict[str, Any]]:
        """The HTTP status and body of the answer."""

    def change(self, account_id: str, **traits: Any) -> None:
        """Have an account be otherwise from now on."""


_serving: Answers | None = None


def restore(cost_explorer: Answers) -> None:
    """Make ``ce`` one of the emulator's services."""
    global _serving  # noqa: PLW0603 - one emulator is one process
    _serving = cost_explorer

    async def handle(
        _method: str, _path: str, headers: dict[str, str], body: bytes, _query: dict[str, list[str]]
    ) -> tuple[int, dict[str, str], bytes]:
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        account = upstream("core.responses").get_account_id()
        request = json.loads(body or b"{}")
        _said.set(headers.get(CLOCK, ""))
        if _late[account] > 0:
            _late[account] -= 1
            status, answer = 400, dict[str, Any](NO_DATA)
        else:
            status, answer = await asyncio.to_thread(cost_explorer.answer, operation, request, account)
        reply = {"Content-Type": "application/x-amz-json-1.1"}
        if status >= 400 and "__type" in answer:
            reply["x-amzn-errortype"] = str(answer["__type"])
        return status, reply, json.dumps(answer).encode()

    upstream("app").SERVICE_HANDLERS["ce"] = handle
    upstream("core.router").SERVICE_PATTERNS["ce"] = {"target_prefixes": ["AWSInsightsIndexService"]}
    upstream("core.iam_actions").SERVICE_TO_IAM_NAMESPACE["ce"] = "ce"
