"""The service: whose request it is, whether it may be asked, and the record of calls."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, Final

from local.accounts.account import Account, Denial
from local.accounts.spend import Ledger, ledger
from local.cost_explorer.call import Call
from local.cost_explorer.operations import OPERATIONS
from local.cost_explorer.validation import check_request, service_model
from local.cost_explorer.wire import Json, Refusal


class CostExplorer:
    """Cost Explorer of several accounts at once, by one clock.

    ``now`` gives the service's idea of the time, aware or in UTC. ``page_size`` is the greatest number of groups in one
    answer. ``calls`` logs (account id, operation, HTTP status) in order; AWS charges for those with status 200.
    """

    def __init__(self, accounts: Mapping[str, Account], now: Callable[[], datetime], page_size: int = 1000) -> None:
        self.calls: list[tuple[str, str, int]] = []
        self._accounts = dict(accounts)
        self._now = now
        self._page_size = page_size
        self._lock = threading.Lock()
        self._seen: dict[str, int] = {}
        self._ledgers: OrderedDict[tuple[Account, date], Ledger] = OrderedDict()

    def answer(self, operation: str, request: Json, account_id: str) -> tuple[int, Json]:
        """HTTP status and body for one request, made with the credentials of ``account_id``.

        Refusals have status 400 and {"__type": code, "Message": text}, which botocore raises as ClientError.
        """
        try:
            status, body = 200, self._answer(operation, request, account_id)
        except Refusal as refusal:
            modelled = refusal.code in service_model().shape_names
            status, body = 400, {"__type": refusal.code, "Message" if modelled else "message": refusal.message}
        with self._lock:
            self.calls.append((account_id, operation, status))
        return status, body

    def change(self, account_id: str, **traits: Any) -> None:
        """Have an account be otherwise from now on: later, stricter, or without what its answers may leave out."""
        with self._lock:
            self._accounts[account_id] = replace(self._accounts[account_id], **traits)

    def _answer(self, operation: str, request: Json, account_id: str) -> Json:
        account = self._accounts.get(account_id)
        if account is None:
            raise Refusal("UnrecognizedClientException", "The security token included in the request is invalid.")
        self._throttle(account)
        act = OPERATIONS.get(operation)
        if act is None:
            raise Refusal("UnknownOperationException", f"{operation} is not among the operations emulated here.")
        _admit(account, operation)
        model = service_model().operation_model(operation)
        check_request(model, request)
        if account.no_data:
            raise Refusal("DataUnavailableException", "Data is not available. Please try to adjust the time period.")
        now = self._now()
        now = now.astimezone(UTC) if now.tzinfo else now.replace(tzinfo=UTC)
        answer = act(Call(model, request, self._ledger(account, now.date()), now, self._page_size))
        return _without(answer, operation, account.leaves_out)

    def _throttle(self, account: Account) -> None:
        with self._lock:
            self._seen[account.id] = seen = self._seen.get(account.id, 0) + 1
        if seen <= account.throttle_first:
            raise Refusal("LimitExceededException", "Rate exceeded")

    def _ledger(self, account: Account, today: date) -> Ledger:
        """Costs change once a day, as they do on AWS; the least recently used are forgotten."""
        key = account, today
        with self._lock:
            found = self._ledgers.get(key)
            if found is not None:
                self._ledgers.move_to_end(key)
                return found
        made = ledger(account, today)
        with self._lock:
            self._ledgers[key] = made
            while len(self._ledgers) > 64:
                self._ledgers.popitem(last=False)
        return made


_USER: Final = "User: {role} is not authorized to perform: ce:{operation} on resource: {resource} "
_DENIALS: Final[dict[Denial, tuple[str, str]]] = {
    "no_policy": ("AccessDeniedException", _USER + "because no identity-based policy allows the ce:{operation} action"),
    "permissions_boundary": (
        "AccessDeniedException",
        _USER + "because no permissions boundary allows the ce:{operation} action",
    ),
    "identity_policy": ("AccessDeniedException", _USER + "with an explicit deny in an identity-based policy"),
    "service_control_policy": (
        "AccessDeniedException",
        _USER + "with an explicit deny in a service control policy: "
        "arn:aws:organizations::{payer}:policy/o-exampleorgid/service_control_policy/p-example1",
    ),
    "payer_switch": ("AccessDeniedException", "Linked account doesn't have access to cost explorer."),
    "closed": ("OptInRequired", "The AWS Access Key Id needs a subscription for the service"),
}
"""How AWS says no, and why.

Policies: AWS IAM User Guide, "Troubleshoot access denied error messages"; the policy's ARN at the end as users have
published it. payer_switch: the payer has not let linked accounts use Cost Explorer (AWS re:Post Knowledge Center,
"Troubleshoot access to Cost Explorer in an organization"); the sentence is published for cost allocation tags and cost
categories word by word (hashicorp/terraform-provider-aws#37636). closed: as EC2 says it of an account without a
subscription; what Cost Explorer says is not known. In a closed account a role cannot even be assumed, and STS says only
AccessDenied (aws-samples/aws-security-reference-architecture-examples#218).
"""


def _admit(account: Account, operation: str) -> None:
    """Refuse an account whose role may not ask, or that has not switched Cost Explorer on.

    The last sentence is from aws-samples/aws-cost-explorer-report#15.
    """
    if account.access_denied:
        code, words = _DENIALS[account.denied_by]
        role = f"arn:aws:sts::{account.id}:assumed-role/CostReports/session"
        resource = f"arn:aws:ce:us-east-1:{account.id}:/{operation}"
        raise Refusal(code, words.format(role=role, operation=operation, resource=resource, payer="999999999999"))
    if account.not_enabled:
        raise Refusal("AccessDeniedException", "User not enabled for cost explorer access")


def _without(answer: Json, operation: str, leaves_out: Sequence[str]) -> Json:
    """The answer without the members that the account leaves out, wherever lists repeat them."""
    for path in leaves_out:
        whose, _, members = path.partition(".")
        if whose == operation:
            _drop(answer, members.split("."))
    return answer


def _drop(value: Any, path: Sequence[str]) -> None:
    if isinstance(value, list):
        for each in value:
            _drop(each, path)
    elif isinstance(value, dict) and path[0] in value:
        if len(path) == 1:
            del value[path[0]]
        else:
            _drop(value[path[0]], path[1:])
