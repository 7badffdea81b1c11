"""Examine: whether a client's report could be made and sent, permission by permission, with a cause and a remedy each.

What cannot be found out is said to be unknown, and is never taken for in order.
"""

import secrets
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Literal

from cost_reporting.clients import Client, RoleAccess, Way
from cost_reporting.contracts import Fact
from cost_reporting.delivery.standing import Standing
from cost_reporting.domain.linked_accounts import counted_twice
from cost_reporting.errors import (
    AccountClosed,
    ClientAccessDenied,
    ClientMisconfigured,
    CostExplorerDisabled,
    CostReportingError,
    CostsNotReady,
    CostsUnreadable,
    CredentialsRejected,
    PayerDeniesAccess,
    PolicyDeniesAccess,
)
from cost_reporting.records import printable, warnings_of
from cost_reporting.report.branding import logo_of
from cost_reporting.soundness import is_own_secret_arn
from cost_reporting.sources.access import Reader, lets_in, reader
from cost_reporting.sources.cost_explorer.asking import OPT_IN, Questions
from cost_reporting.sources.cost_explorer.permissions import WANTED_LATER, Trial, linked, trials
from cost_reporting.sources.cost_explorer.usage import OPERATION, spans
from cost_reporting.store.objects import ObjectStore

Verdict = Literal["ok", "failed", "warning", "not needed", "not checked"]
"""warning: reports are made and sent, and lack something that they say."""
_ONBOARD = "Run `client_manager.py onboard` again and have the client update its stack with the template."
_AS_AGREED = "Have the client give its role there the trust and the permissions of the first account's."


class Finding(Fact):
    """What was looked at, how it is, why, and what to do about it."""

    name: str
    verdict: Verdict
    cause: str = ""
    remedy: str = ""


class Surroundings(Fact):
    """What the deployment is called, as far as it is known; "" is not known."""

    sender: str
    prefix: str
    reader_role_name: str


def examine(
    client: Client,
    surroundings: Surroundings,
    *,
    paying: bool,
    standing: Standing,
    objects: ObjectStore,
    now: Callable[[], datetime],
) -> Iterator[Finding]:
    """One finding after the other, for each account of the client.

    Only if ``paying`` is Cost Explorer asked, one request for each permission in each account.
    """
    accounts: dict[str, Way] = {}
    readers: dict[str, Reader] = {}
    for way in client.ways:
        for finding in _account(client, way, surroundings, accounts, readers, now, paying=paying):
            if way.account is None:
                yield finding
                continue
            remedy = finding.remedy.replace(_ONBOARD, _AS_AGREED)
            yield finding.model_copy(update={"name": f"{printable(way.account)}: {finding.name}", "remedy": remedy})
    if len(client.ways) > 1:
        yield _counted_once(client, accounts, readers, now, paying=paying)
    yield from _mail(client, surroundings.sender, standing)
    yield _logo(client, objects)
    if client.exchange_rate is not None:
        yield _rate(client, now)


def _account(
    client: Client,
    way: Way,
    surroundings: Surroundings,
    accounts: dict[str, Way],
    readers: dict[str, Reader],
    now: Callable[[], datetime],
    *,
    paying: bool,
) -> Iterator[Finding]:
    """What is found in one account, as if the client had no other; then it is one of ``accounts``, by its id."""
    alone = client.alone(way)
    yield _name(alone, surroundings)
    keys, access = _access(alone, way)
    if keys is not None and (other := accounts.setdefault(keys.account_id, way)) is not way:
        access = _twice(access.name, way, other)
        keys = None
    if keys is not None:
        readers[keys.account_id] = keys
    yield access
    yield from _strangers(alone, keys)
    yield from _cost_explorer(alone, keys, now, paying=paying)


def _twice(name: str, way: Way, other: Way) -> Finding:
    """Every report of such a client fails: its costs would be counted twice."""
    cause = f"ClientMisconfigured: {way.field}: leads to the account that {other.field} leads to"
    return Finding(name=name, verdict="failed", cause=cause, remedy="Take one of the two out of the record.")


def _name(client: Client, surroundings: Surroundings) -> Finding:
    """The function that fetches costs may use roles of one name, and secrets below one prefix."""
    name, access = "function's permission", client.access
    if isinstance(access, RoleAccess):
        expected, found = surroundings.reader_role_name, access.role_arn.partition(":role/")[2]
        what, parameter, fits = "role", "ReaderRoleName", found == expected
    else:
        expected, found = surroundings.prefix, access.secret_arn.partition(":secret:")[2]
        what, parameter, fits = "secret", "Prefix", is_own_secret_arn(access.secret_arn, client.client_id, expected)
    if not expected:
        return Finding(name=name, verdict="not checked", cause=f"nothing says what the stack's {parameter} is",
                       remedy="Name the stack with --stack-name.")  # fmt: skip
    if fits:
        return Finding(name=name, verdict="ok")
    return Finding(
        name=name,
        verdict="failed",
        cause=f"the {what} is called {found}, and the stack's {parameter} is {expected}",
        remedy=f"Have the {what} called as the stack expects, or deploy the stack with another {parameter}.",
    )


def _access(client: Client, way: Way) -> tuple[Reader | None, Finding]:
    name = "assume role" if isinstance(client.access, RoleAccess) else "access keys"
    try:
        return reader(client.client_id, client.access, way.field), Finding(name=name, verdict="ok")
    except ClientAccessDenied as denied:
        remedy = (
            f"{_ONBOARD} If reports arrive nevertheless, the trust does not name you: `onboard --operator`."
            if isinstance(client.access, RoleAccess)
            else "Have the client make new keys, and store them: `rotate_client_credentials.py`."
        )
        return None, _failed(name, denied, remedy)
    except ClientMisconfigured as wrong:
        return None, _failed(name, wrong, "Store JSON with access_key_id and secret_access_key in the secret.")
    except (AccountClosed, PolicyDeniesAccess) as refused:
        return None, _failed(name, refused, refused.remedy)
    except CostReportingError as error:
        return None, _unknown(name, error)


def _strangers(client: Client, keys: Reader | None) -> Iterator[Finding]:
    """A trust without the condition lets in whoever guesses the role's name."""
    access = client.access
    for name, external_id in (("wrong ExternalId refused", secrets.token_hex(16)), ("no ExternalId refused", None)):
        if not isinstance(access, RoleAccess):
            yield Finding(name=name, verdict="not needed", cause="this client is read with access keys")
        elif keys is None:
            yield Finding(name=name, verdict="not checked", cause="the right one is refused too")
        else:
            yield _stranger(name, access.role_arn, external_id)


def _stranger(name: str, role_arn: str, external_id: str | None) -> Finding:
    try:
        if not lets_in(role_arn, external_id):
            return Finding(name=name, verdict="ok")
    except CostReportingError as error:
        return _unknown(name, error)
    cause = "the role's trust has no condition on sts:ExternalId, or a loose one"
    return Finding(name=name, verdict="failed", cause=cause, remedy=_ONBOARD)


def _cost_explorer(
    client: Client, keys: Reader | None, now: Callable[[], datetime], *, paying: bool
) -> Iterator[Finding]:
    questions = Questions(client.client_id, keys) if keys is not None and paying else None
    why_not = "the access is refused" if keys is None else "it costs USD 0.01"
    enabled = Finding(name=_ENABLED, verdict="not checked", cause=why_not, remedy=_REMEDIES[why_not])
    found: list[Finding] = []
    for trial in trials(client, now().date()):
        finding, says = _tried(trial, questions, why_not)
        found.append(finding)
        if says is not None and enabled.verdict == "not checked":
            enabled = says
    yield enabled
    yield from found
    yield Finding(
        name=_LATER, verdict="not needed", cause=f"wanted later: {', '.join(WANTED_LATER)}", remedy=_ALL_AT_ONCE
    )


_ENABLED = "Cost Explorer enabled"
_WITHHELD = "the organization's payer account withholds Cost Explorer"
_LATER = "permissions for sections to come"
_ALL_AT_ONCE = (
    "Nothing now. A role whose stack has `onboard`'s present template has them: when the client updates its stack, "
    "have it take that."
)
_REMEDIES = {"the access is refused": "Mend the access first.", "it costs USD 0.01": "Say --yes, or --check-aws."}


def _tried(trial: Trial, questions: Questions | None, why_not: str) -> tuple[Finding, Finding | None]:
    """The finding about a permission, and what the answer says of Cost Explorer itself."""
    name = f"ce:{trial.operation}"
    if trial.question is None:
        return Finding(name=name, verdict="not needed", cause=f"no section {trial.section} in the record"), None
    if questions is None:
        return Finding(name=name, verdict="not checked", cause=why_not, remedy=_REMEDIES[why_not]), None
    finding, enabled = Finding(name=name, verdict="ok"), Finding(name=_ENABLED, verdict="ok")
    try:
        questions.try_once(trial.operation, trial.question)
    except CostsNotReady as young:
        finding = Finding(name=name, verdict="ok", cause=f"allowed; there are no figures yet: {young}")
    except CostReportingError as error:
        if not isinstance(error, CostExplorerDisabled) or OPT_IN not in str(error):
            return _refused(name, error)
        finding = Finding(name=name, verdict="ok", cause=f"allowed; {OPT_IN}")
    return finding, enabled


def _refused(name: str, error: CostReportingError) -> tuple[Finding, Finding | None]:
    """What is missing, if it is the permission; else whose switch or policy it is, whatever the role allows."""
    match error:
        case CostExplorerDisabled() | PayerDeniesAccess():
            cause = "Cost Explorer is not enabled" if isinstance(error, CostExplorerDisabled) else _WITHHELD
            return Finding(name=name, verdict="not checked", cause=cause), _failed(_ENABLED, error, error.remedy)
        case ClientAccessDenied():
            return _failed(name, error, f"Have the client allow {name}. {_ONBOARD}"), None
        case AccountClosed() | CredentialsRejected() | PolicyDeniesAccess():
            return _failed(name, error, error.remedy), None
        case _:
            return _unknown(name, error), None


def _counted_once(
    client: Client,
    accounts: Mapping[str, Way],
    readers: Mapping[str, Reader],
    now: Callable[[], datetime],
    *,
    paying: bool,
) -> Finding:
    """Whether no account of the client pays for another one, whose costs would be counted twice."""
    name = "accounts counted once"
    why_not = "it costs USD 0.01" if not paying else "the access is refused"
    if not paying or len(readers) < len(client.ways):
        return Finding(name=name, verdict="not checked", cause=why_not, remedy=_REMEDIES[why_not])
    try:
        answers = {account: _linked_to(client, keys, now) for account, keys in readers.items()}
    except CostReportingError as error:
        return _unknown(name, error)
    twice = counted_twice(answers)
    if not twice:
        return Finding(name=name, verdict="ok")
    said = "; ".join(
        f"AWS account {each.account} is in the answers of {each.first} ({accounts[each.first].field}) and of "
        f"{each.second} ({accounts[each.second].field})"
        for each in twice[:_NAMED]
    )
    remedy = "One of them pays for the other: leave the payer in the record, and take the other out."
    return Finding(name=name, verdict="failed", cause=f"ClientMisconfigured: {said}", remedy=remedy)


def _linked_to(client: Client, keys: Reader, now: Callable[[], datetime]) -> set[str]:
    pages = Questions(client.client_id, keys).ask("linked accounts", OPERATION, linked(client, now().date()))
    found = list(spans(pages, of=client.client_id))
    if not found or any(span.groups is None for span in found):
        raise CostsUnreadable(f"{client.client_id}: Cost Explorer: linked accounts: Groups is missing")
    return {group.keys[0] for span in found for group in span.groups or ()}


_NAMED = 5


def _rate(client: Client, now: Callable[[], datetime]) -> Finding:
    name = "exchange rate"
    for warning in warnings_of(client, now().date()):
        cause = f"{warning.field}: expected {warning.expected}"
        return Finding(name=name, verdict="warning", cause=cause, remedy=warning.remedy)
    return Finding(name=name, verdict="ok")


def _mail(client: Client, sender: str, standing: Standing) -> Iterator[Finding]:
    yield _asked("sender verified", lambda: _sender(sender, standing))
    sandbox = False
    try:
        account = standing.account()
    except CostReportingError as error:
        yield _unknown("SES account", error)
    else:
        sandbox = account.sandbox
        if not account.sending:
            cause, remedy = "sending is switched off", "Ask AWS Support why, and read the account's reputation."
            yield Finding(name="SES account", verdict="failed", cause=cause, remedy=remedy)
        elif sandbox:
            cause = "the account is in the sandbox, where only verified addresses get mail"
            remedy = "Request production access in the SES console."
            yield Finding(name="SES account", verdict="failed", cause=cause, remedy=remedy)
        else:
            yield Finding(name="SES account", verdict="ok", cause=f"{account.left:,} mails left today")
    if not client.recipients:
        remedy = "Add one with `client_manager.py update`, or suspend the client."
        yield Finding(name="recipients", verdict="failed", cause="the record has none", remedy=remedy)
    for address in client.recipients:
        yield _asked(f"recipient {address}", partial(_recipient, address, standing, sandbox=sandbox))


def _sender(sender: str, standing: Standing) -> tuple[str, str]:
    if standing.is_verified(sender):
        return "", ""
    return (
        f"neither {sender} nor its domain is verified",
        f"`aws sesv2 create-email-identity --email-identity {sender}`",
    )


def _recipient(address: str, standing: Standing, *, sandbox: bool) -> tuple[str, str]:
    if sandbox and not standing.is_verified(address):
        return "not verified, and the account is in the sandbox", "Request production access, or verify the address."
    suppressed = standing.suppressed(address)
    if suppressed is None:
        return "", ""
    remedy = "Ask the client for another address; once the mailbox is sound, take it off: "
    return f"on the suppression list: {suppressed}", (
        f"{remedy}`aws sesv2 delete-suppressed-destination --email-address {address}`"
    )


def _logo(client: Client, objects: ObjectStore) -> Finding:
    name, logo = "logo", client.branding.logo
    if logo is None:
        return Finding(name=name, verdict="not needed", cause="the record names none")
    key = f"clients/{client.client_id}/{logo}"
    try:
        stored = objects.get(key)
    except CostReportingError as error:
        return _unknown(name, error)
    fault = logo_of(client.branding, stored).fault
    if fault is None:
        return Finding(name=name, verdict="ok")
    return Finding(name=name, verdict="failed", cause=f"{key}: {fault}", remedy="Put a PNG or a plain SVG there.")


def _asked(name: str, look: Callable[[], tuple[str, str]]) -> Finding:
    try:
        cause, remedy = look()
    except CostReportingError as error:
        return _unknown(name, error)
    return Finding(name=name, verdict="failed" if cause else "ok", cause=cause, remedy=remedy)


def _failed(name: str, error: CostReportingError, remedy: str) -> Finding:
    return Finding(name=name, verdict="failed", cause=f"{error.name}: {error}", remedy=remedy)


def _unknown(name: str, error: CostReportingError) -> Finding:
    return Finding(name=name, verdict="not checked", cause=f"{error.name}: {error}", remedy=error.remedy)
