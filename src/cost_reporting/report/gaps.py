"""What was asked for and could not be had, and why, in words for those who read the report.

A gap is printed in the place of its section and named on the first page. It is never a zero, and never the name of an
exception, an error code or a request id: whoever needs those finds them in the evidence beside the report.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from cost_reporting.contracts import Fact
from cost_reporting.costs import AccountNotRead, AccountRead, NotAvailable
from cost_reporting.report import charts
from cost_reporting.report.edition import Edition, one_line
from cost_reporting.report.language import to_say

_FROM_AWS: Final = "Cost Explorer: "
"""How the reason begins if it was AWS that refused; otherwise our source did, and knows why."""
_PARTS: Final = {
    "accounts": to_say("costs by account"),
    "regions": to_say("costs by region"),
    "tags": to_say("costs by tag"),
    "forecast": to_say("forecast"),
    "anomalies": to_say("anomalies"),
    "commitments": to_say("commitments"),
    "savings": to_say("savings"),
    "savings.achieved": to_say("achieved savings"),
    "savings.purchases": to_say("advice on Savings Plans"),
    "savings.resizes": to_say("advice on instances"),
}
_REASONS: Final = {
    "CostsThrottled": to_say("AWS was too busy to answer"),
    "CostsNotReady": to_say("AWS has no figures for it yet"),
    "ClientAccessDenied": to_say("the access that we were given does not extend to it"),
    "CostExplorerDisabled": to_say("Cost Explorer is not switched on in the account"),
    "CostsRefused": to_say("AWS does not answer this question about the account"),
    "CostsDoNotReconcile": to_say("what AWS says about it contradicts itself"),
    "CostsUnreadable": to_say("AWS's answer about it cannot be read"),
    "CostsEndless": to_say("AWS's answer about it does not end"),
    "AnomaliesNotMonitored": to_say(
        "AWS looks for unusual costs only with a monitor, and the account has none: create one in the Billing and Cost "
        "Management console, under Cost Anomaly Detection"
    ),
    "CredentialsRejected": to_say("AWS does not accept our access to the account"),
    "PayerDeniesAccess": to_say("the organization's management account does not let its members use Cost Explorer"),
    "PolicyDeniesAccess": to_say("a policy of the account or of its organization denies it"),
    "AccountClosed": to_say("the account is closed or suspended"),
}
_OF_ACCOUNTS: Final = {
    "CostsNotReady": to_say("AWS has no figures yet"),
    "ClientAccessDenied": to_say("AWS does not let us read the costs"),
    "ClientMisconfigured": to_say("the access to it is not set up completely"),
    "CostExplorerDisabled": to_say("Cost Explorer is not switched on there"),
    "CostsRefused": to_say("AWS does not answer questions about its costs"),
    "CostsDoNotReconcile": to_say("what AWS says about it contradicts itself"),
    "CostsUnreadable": to_say("AWS's answer about it cannot be read"),
    "CostsEndless": to_say("AWS's answer about it does not end"),
    "CredentialsRejected": to_say("AWS does not accept our access to the account"),
    "PayerDeniesAccess": to_say("the organization's management account does not let its members use Cost Explorer"),
    "PolicyDeniesAccess": to_say("a policy of the account or of its organization denies it"),
    "AccountClosed": to_say("the account is closed or suspended"),
}
_FEW: Final = 4
_SHORT: Final = 30
_UNKNOWN: Final = to_say("it could not be read")
_DAYS_UNKNOWN: Final = to_say("not all days of the running month are known yet")
_TOO_YOUNG: Final = to_say("the account has too little history for AWS to forecast its costs")
_OPT_IN: Final = to_say(
    "the account has to ask for it once: in the Billing and Cost Management console, under Preferences, choose "
    "\u201cReceive Amazon EC2 resource recommendations\u201d"
)
_OUR_REFUSALS: Final = {
    "forecast": to_say("the report is about an earlier period, and a forecast is about the running month"),
    "anomalies": to_say("AWS keeps anomalies for 90 days, and the period is older"),
}


class Gap(Fact):
    """What stands in the place of a section whose figures could not be had."""

    title: str
    sentence: str


def gap(edition: Edition, title: str, part: str, missing: NotAvailable) -> Gap:
    """The gap under the heading ``title`` that ``part``, a field of the cost document, leaves."""
    return Gap(title=title, sentence=sentence(edition, part, missing))


def sentence(edition: Edition, part: str, missing: NotAvailable) -> str:
    """``Not available: AWS was too busy to answer.``"""
    return edition.say("Not available: {reason}.", reason=reason(edition, part, missing))


def missing(edition: Edition, part: str, of: NotAvailable) -> str:
    """``Not available: advice on instances (AWS was too busy to answer).``"""
    return edition.say(
        "Not available: {parts} ({reason}).", parts=part_name(edition, part), reason=reason(edition, part, of)
    )


def part_name(edition: Edition, part: str) -> str:
    """What ``part``, a field of the cost document or a tag, is called in a sentence: ``costs by tag (team)``."""
    field, _, key = part.partition(".")
    if field != "tags" or not key:
        return edition.say(_PARTS[part])
    return edition.say("{name} ({id})", name=edition.say(_PARTS[field]), id=one_line(key))


def reason(edition: Edition, part: str, missing: NotAvailable) -> str:
    """Why ``part`` is missing, and of which of several accounts."""
    why = _reason(edition, part, missing)
    if not missing.accounts:
        return why
    names = edition.language.listed(one_line(name) for name in missing.accounts)
    return edition.say("{accounts}: {reason}", accounts=names, reason=why)


def unread(edition: Edition) -> tuple[str, ...]:
    """A sentence for each reason, naming the accounts that could not be read for it, and are in no total."""
    by_reason: defaultdict[str, list[AccountNotRead]] = defaultdict(list)
    for account in edition.costs.accounts_not_read:
        by_reason[unread_reason(edition, account)].append(account)
    return tuple(
        edition.say_n(
            "\u2020\u00a0account not read: {accounts} \u2013 {reason}. No total of either period contains it.",
            "\u2020\u00a0accounts not read: {accounts} \u2013 {reason}. No total of either period contains them.",
            len(accounts),
            accounts=edition.language.listed(_briefly(edition, accounts)),
            reason=why,
        )
        for why, accounts in by_reason.items()
    )


def _briefly(edition: Edition, accounts: Sequence[AccountNotRead]) -> Iterator[str]:
    """Many accounts are named without their ids, and shortly: they belong on one page."""
    for account in accounts:
        few = len(accounts) <= _FEW
        yield named(edition, account) if few else charts.shortened(one_line(account.name), _SHORT)


def named(edition: Edition, account: AccountRead | AccountNotRead) -> str:
    """``Berlin (222233334444)``."""
    name = one_line(account.name)
    if account.account_id is None:
        return name
    return edition.say("{name} ({id})", name=name, id=account.account_id)


def unread_reason(edition: Edition, account: AccountNotRead) -> str:
    """Why an account is left out."""
    return edition.say(_OF_ACCOUNTS.get(account.error, _UNKNOWN))


def _reason(edition: Edition, part: str, missing: NotAvailable) -> str:
    if missing.error == "CostsRefused" and not missing.reason.startswith(_FROM_AWS) and part in _OUR_REFUSALS:
        return edition.say(_OUR_REFUSALS[part])
    if missing.error == "CostExplorerDisabled" and part == "savings.resizes":
        return edition.say(_OPT_IN)
    if missing.error == "CostsNotReady" and part == "forecast":
        return edition.say(_TOO_YOUNG if missing.reason.startswith(_FROM_AWS) else _DAYS_UNKNOWN)
    return edition.say(_REASONS.get(missing.error, _UNKNOWN))


def gaps(edition: Edition) -> tuple[str, ...]:
    """A sentence for each reason, naming the parts that it took away."""
    by_reason: defaultdict[str, list[str]] = defaultdict(list)
    for part, missing in edition.costs.not_available.items():
        by_reason[reason(edition, part, missing)].append(part_name(edition, part))
    return tuple(
        edition.say("Not available: {parts} ({reason}).", parts=edition.language.listed(parts), reason=why)
        for why, parts in by_reason.items()
    )
