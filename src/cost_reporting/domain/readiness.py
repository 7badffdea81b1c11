"""Whether a deployment is fit to work: judgements of what was read about the account and the stack.

Pure, and the one home of these judgements: `scripts/preflight.py`, the health check, the security audit and `validate`
all ask here. A check is ``ok`` only if what it needs was read and is in order; what was not read, or was not said, is
``not checked`` with the reason. A fact holds no address, since the health check writes it into states; a fix may.
"""

import json
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Literal

from cost_reporting.contracts import Fact
from cost_reporting.domain.alarm_definitions import Expected, replaced_alarms

State = Literal["ok", "fault", "not checked"]

UNLIMITED: Final = -1
"""SES's quota of an account that has none (botocore, sesv2, SendQuota)."""
PENDING: Final = ("PendingConfirmation", "pending confirmation")
"""In the place of a subscription's ARN, until the link in SNS's mail is opened (botocore, sns, Subscribe and
ListSubscriptionsByTopic)."""
BESIDES: Final = 2
"""Functions that work while clients are worked on: the one that a person waits for (`cost-reporting-lambda`), and the
one that hears SES's events."""
CONCURRENCY_QUOTA: Final = "L-B99A9384"
"""Lambda's quota of concurrent executions (Service Quotas, "Concurrent executions")."""


class Verdict(Fact):
    """What a check has found: how it stands, the fact, and for a fault a command or a place that mends it.

    ``about`` names the one that it is about, where a check is about several.
    """

    check: str
    state: State
    fact: str
    fix: str = ""
    about: str = ""


def ok(check: str, fact: str) -> Verdict:
    """Read, and in order."""
    return Verdict(check=check, state="ok", fact=fact)


def fault(check: str, fact: str, fix: str, *, about: str = "") -> Verdict:
    """Read, and not in order; ``fix`` mends it."""
    return Verdict(check=check, state="fault", fact=fact, fix=fix, about=about)


def unknown(check: str, reason: str) -> Verdict:
    """Not read: ``reason`` names what is missing."""
    return Verdict(check=check, state="not checked", fact=reason)


def command(*words: str, region: str) -> str:
    """A command that can be pasted into a shell as it stands."""
    return shlex.join((*words, "--region", region))


# -- mail -------------------------------------------------------------------------------------------------------------


class MailAccount(Fact):
    """The account at SES as GetAccount answers; None is what it did not say. Quota and use are mails in 24 hours.

    ``reputation`` is HEALTHY, PROBATION or SHUTDOWN; ``review`` the state of the latest request to AWS about it.
    """

    sending: bool | None
    production: bool | None
    reputation: str | None
    quota: int | None
    sent: int | None
    review: str | None = None

    @property
    def sandbox(self) -> bool:
        """Whether only verified addresses get mail; so it is taken to be where SES does not say."""
        return self.production is not True

    @property
    def left(self) -> int | None:
        """Mails that may still be sent within 24 hours; None if that is not known or not limited."""
        if self.quota is None or self.sent is None or self.quota == UNLIMITED:
            return None
        return self.quota - self.sent


class Identity(Fact):
    """An identity at SES: an address or a domain, with the states of its DKIM records and of its MAIL FROM domain."""

    name: str
    verified: bool
    signing: bool
    dkim: str | None
    mail_from: str | None

    @property
    def signs(self) -> bool:
        """Whether its mails are signed."""
        return self.signing and self.dkim == "SUCCESS"

    @property
    def is_domain(self) -> bool:
        """Whether it is a domain."""
        return "@" not in self.name


MAIL_ACCOUNT: Final = "mail account"
SENDER: Final = "sender"
DKIM: Final = "DKIM"
QUOTA: Final = "sending quota"


def domains_first(address: str) -> tuple[str, ...]:
    """The same identities in the order in which their settings count: the nearest domain, those above, the address."""
    itself, *domains = identities_for(address)
    return (*domains, itself)


def identities_for(address: str) -> tuple[str, ...]:
    """The identities that may send for an address: itself, its domain, and each domain above that.

    A verified domain covers its subdomains. (SES Developer Guide, "Creating and verifying identities in Amazon SES":
    "you don't need to create separate subdomain identities for a.example.com, a.b.example.com")
    """
    labels = address.rpartition("@")[2].split(".")
    return (address, *(".".join(labels[at:]) for at in range(max(len(labels) - 1, 1))))


def may_send(identities: Iterable[Identity]) -> bool:
    """Whether one of the identities that may send for an address is verified."""
    return any(identity.verified for identity in identities)


def mail_account(account: MailAccount, *, sender: str, region: str) -> Verdict:
    """Whether SES sends for this account, to addresses that nobody has verified, now."""
    if account.sending is None or account.production is None:
        return unknown(MAIL_ACCOUNT, "SES did not say whether it sends, or whether the account is in the sandbox")
    if account.reputation == "SHUTDOWN" or not account.sending:
        return fault(
            MAIL_ACCOUNT,
            "sending is switched off" + (" by AWS" if account.reputation == "SHUTDOWN" else ""),
            "In the console: Amazon SES, Account dashboard, which says why; answer the open case in Support Center."
            if account.reputation == "SHUTDOWN"
            else command("aws", "sesv2", "put-account-sending-attributes", "--sending-enabled", region=region),
        )
    used = _used(account)
    if account.sandbox:
        return _in_the_sandbox(account, used, sender=sender, region=region)
    if account.reputation == "PROBATION":
        return fault(
            MAIL_ACCOUNT,
            f"AWS has put the account on probation, {used}",
            "In the console: Amazon SES, Reputation metrics, which say why; answer the open case in Support Center.",
        )
    if account.left is not None and account.left <= 0:
        return fault(MAIL_ACCOUNT, f"no mail can be sent now: {used}", more_mails(2 * (account.quota or 0), region))
    return ok(MAIL_ACCOUNT, f"production, {used}")


_USE_CASE: Final = (
    "Weekly and monthly cost reports, one PDF each, to the contacts of our clients, who have asked for them. "
    "Bounces and complaints are recorded, and such addresses are taken off the lists."
)
"""What AWS is told that the mails are; change it where yours are others."""


def _in_the_sandbox(account: MailAccount, used: str, *, sender: str, region: str) -> Verdict:
    said = f"in the sandbox, where only verified addresses get mail, {used}"
    if account.review == "PENDING":
        return fault(
            MAIL_ACCOUNT,
            f"{said}; AWS is reviewing the request for production access",
            "In the console: Support Center, Your support cases: answer what AWS asks, and wait for its decision.",
        )
    asks = (
        *("aws", "sesv2", "put-account-details", "--production-access-enabled", "--mail-type", "TRANSACTIONAL"),
        *("--contact-language", "EN", "--website-url", f"https://{sender.rpartition('@')[2]}"),
        *("--use-case-description", _USE_CASE),
    )
    denied = "; AWS has denied production access before" if account.review == "DENIED" else ""
    return fault(MAIL_ACCOUNT, said + denied, command(*asks, region=region))


def _used(account: MailAccount) -> str:
    if account.quota is None or account.sent is None:
        return "the quota is not known"
    if account.quota == UNLIMITED:
        return f"{account.sent} mails in 24 hours, which are not limited"
    return f"{account.sent} of {account.quota} mails in 24 hours"


def sending_quota(account: MailAccount, mails: int, *, region: str) -> Verdict:
    """Whether one report to every recipient of every active client fits into a day."""
    if account.quota is None:
        return unknown(QUOTA, "SES did not say how many mails it sends in 24 hours")
    if account.quota == UNLIMITED:
        return ok(QUOTA, f"not limited; a report to every active client takes {mails} mails")
    said = f"a report to every active client takes {mails} mails; SES sends {account.quota} in 24 hours"
    if mails > account.quota:
        return fault(QUOTA, said, more_mails(2 * mails, region))
    return ok(QUOTA, said)


def more_mails(wanted: int, region: str) -> str:
    """The command that asks AWS for a higher quota of mails in 24 hours (Service Quotas, "Sending quota")."""
    return command(
        *("aws", "service-quotas", "request-service-quota-increase", "--service-code", "ses"),
        *("--quota-code", "L-804C8AE8", "--desired-value", str(wanted)),
        region=region,
    )


def sender_identity(sender: str, identities: Iterable[Identity], *, region: str) -> Verdict:
    """Whether SES lets the sender's address send."""
    domain, waiting = sender.rpartition("@")[2], None
    for identity in identities:
        if identity.verified:
            return ok(SENDER, f"verified by {'its domain ' + identity.name if identity.is_domain else 'itself'}")
        if identity.is_domain and waiting is None:
            waiting = identity.name
    said = "neither the address nor its domain is verified in SES"
    if waiting is not None:
        return fault(SENDER, f"{said}; {waiting} waits for its DNS records", records_of(waiting, region))
    return fault(SENDER, said, verify(domain, region))


def verify(domain: str, region: str) -> str:
    """The command that makes a domain an identity."""
    return command("aws", "sesv2", "create-email-identity", "--email-identity", domain, region=region)


def records_of(identity: str, region: str) -> str:
    """The command that shows the tokens of the DNS records that SES waits for."""
    return command(
        *("aws", "sesv2", "get-email-identity", "--email-identity", identity, "--query", "DkimAttributes.Tokens"),
        region=region,
    )


def dkim(sender: str, identities: Iterable[Identity], *, region: str) -> Verdict:
    """Whether mails are signed: by the nearest domain that is an identity, or else by the address.

    A subdomain that is an identity of its own has settings of its own. (SES Developer Guide, "Authenticating Email with
    DKIM in Amazon SES")
    """
    decides = deciding(identities)
    domain = sender.rpartition("@")[2]
    if decides is None:
        return fault(DKIM, "SES knows no identity of the sender, so no mail can be signed", verify(domain, region))
    if decides.signs:
        return ok(DKIM, f"mails are signed by {decides.name if decides.is_domain else 'the address'}")
    if not decides.is_domain:
        said = "only the address is an identity, so mails are not signed by its domain"
        return fault(DKIM, said, verify(domain, region))
    state = (decides.dkim or "not set up").casefold()
    if decides.dkim == "SUCCESS":
        on = ("put-email-identity-dkim-attributes", "--email-identity", decides.name, "--signing-enabled")
        return fault(DKIM, f"signing is switched off for {decides.name}", command("aws", "sesv2", *on, region=region))
    return fault(DKIM, f"the DNS records of {decides.name} are {state}", records_of(decides.name, region))


def deciding(identities: Iterable[Identity]) -> Identity | None:
    """The identity whose settings count: the nearest domain, or else the address."""
    address = None
    for identity in identities:
        if identity.is_domain:
            return identity
        address = identity
    return address


# -- alarms -----------------------------------------------------------------------------------------------------------

ALERTS: Final = "alerts"
ALARMS: Final = "alarms"


class Subscription(Fact):
    """A subscription of the topic that alarms go to. Who has it is not said."""

    protocol: str
    confirmed: bool


def alerts(subscriptions: Sequence[Subscription], *, topic: str, operators: str, region: str) -> Verdict:
    """Whether anybody hears of an alarm. An address that has not opened SNS's link hears nothing.

    After 48 hours SNS takes an unconfirmed subscription away (SNS Developer Guide, "Deleting an Amazon SNS topic and
    subscription"); then there is none.
    """
    again = (
        "aws",
        "sns",
        "subscribe",
        "--topic-arn",
        topic,
        "--protocol",
        "email",
        "--notification-endpoint",
        operators,
    )
    fix = f"{command(*again, region=region)}  # SNS mails a link: open it"
    if not operators:
        fix = "`scripts/preflight.py --after` prints the command."
    pending = sum(not each.confirmed for each in subscriptions)
    name = topic.rpartition(":")[2]
    if pending:
        said = f"{pending} of {len(subscriptions)} subscriptions of {name} not confirmed: alarms do not reach them"
        return fault(ALERTS, said, fix)
    if not subscriptions:
        return fault(ALERTS, f"{name} has no subscription, so no alarm is heard", fix)
    kinds = ", ".join(sorted({each.protocol for each in subscriptions}))
    return ok(ALERTS, f"{len(subscriptions)} confirmed ({kinds})")


def alarms(expected: Sequence[Expected], deployed: Iterable[Mapping[str, Any]], *, region: str) -> Iterator[Verdict]:
    """Whether the alarms are those of the template: a line for each that is not, or one for all."""
    if not expected:
        yield unknown(ALARMS, "the template of the stack has none")
        return
    replaced = replaced_alarms(expected, deployed)
    for each in replaced:
        how = "differs from the template in " + ", ".join(each.how) if each.how else "is gone"
        definition = _json(each.expected.input)
        yield fault(
            ALARMS,
            f"{each.expected.name} {how}",
            command("aws", "cloudwatch", "put-metric-alarm", "--cli-input-json", definition, region=region),
            about=each.expected.name,
        )
    if not replaced:
        yield ok(ALARMS, f"all {len(expected)} are as the template has them")


# -- Lambda and schedules ---------------------------------------------------------------------------------------------

CONCURRENCY: Final = "Lambda concurrency"
SCHEDULES: Final = "schedules"


def concurrency(*, limit: int | None, unreserved: int | None, at_once: int, name: str, region: str) -> Verdict:
    """Whether Lambda runs as many functions at once as clients are worked on, and those besides."""
    if limit is None or unreserved is None:
        return unknown(CONCURRENCY, "Lambda did not say how many functions may run at once")
    needed = at_once + BESIDES
    said = f"{unreserved} of the account's {limit} executions at once are free for all; {name}={at_once} needs {needed}"
    if needed <= unreserved:
        return ok(CONCURRENCY, said)
    return fault(
        CONCURRENCY,
        said,
        command(
            *("aws", "service-quotas", "request-service-quota-increase", "--service-code", "lambda"),
            *("--quota-code", CONCURRENCY_QUOTA, "--desired-value", str(max(1000, limit + needed - unreserved))),
            region=region,
        ),
    )


def schedules(
    found: Mapping[str, Mapping[str, Any] | None], *, wanted: str, stack: str, region: str
) -> Iterator[Verdict]:
    """Whether every schedule is there and as the parameter ``Schedules`` has it: a line for each that is not.

    ``found`` by name: as GetSchedule answers, None for one that is gone. A deployment puts neither back, since nothing
    in its template has changed.
    """
    if not found:
        yield unknown(SCHEDULES, "the stack has none")
        return
    faults = 0
    for name, schedule in sorted(found.items()):
        if schedule is None:
            faults += 1
            yield fault(
                SCHEDULES,
                f"{name} is gone",
                f"In the console: CloudFormation, stack {stack}, Stack actions, Detect drift; then deploy a template "
                "without this schedule, and again with it.",
            )
        elif schedule.get("State") != wanted:
            faults += 1
            again = {key: schedule[key] for key in _OF_A_SCHEDULE if schedule.get(key) is not None} | {"State": wanted}
            yield fault(
                SCHEDULES,
                f"{name} is {schedule.get('State', 'of no known state')}, and Schedules={wanted}",
                command("aws", "scheduler", "update-schedule", "--cli-input-json", _json(again), region=region),
            )
    if not faults and wanted == "DISABLED":
        yield ok(SCHEDULES, f"all {len(found)} are off, as Schedules=DISABLED has them: no report is made by itself")
    elif not faults:
        yield ok(SCHEDULES, f"all {len(found)} are on")


_OF_A_SCHEDULE: Final = (
    *("Name", "GroupName", "Description", "ScheduleExpression", "ScheduleExpressionTimezone", "FlexibleTimeWindow"),
    *("Target", "KmsKeyArn", "ActionAfterCompletion"),
)
"""What UpdateSchedule takes of what GetSchedule answers; it resets what is left out (botocore, scheduler)."""


# -- before there is a stack ------------------------------------------------------------------------------------------

BUCKET: Final = "bucket"
COST_EXPLORER: Final = "Cost Explorer"
STEP_FUNCTIONS: Final = "Step Functions"


def bucket(name: str, holder: str, *, own: bool, mend: str) -> Verdict:
    """Whether a bucket's name is free, or its bucket the stack's. Names are global; ``mend`` takes another name."""
    if own and holder == "this account":
        return ok(BUCKET, f"{name} is the stack's")
    if own:
        return fault(BUCKET, f"{name} of the stack is gone" if holder == "nobody" else f"{name} is {holder}'s", mend)
    if holder == "nobody":
        return ok(BUCKET, f"the name {name} is free")
    if holder == "another account":
        return fault(BUCKET, f"{name} is another account's, or may not be looked at: the deployment would fail", mend)
    return fault(
        BUCKET,
        f"{name} is there already, kept from a stack that was deleted: the deployment would fail",
        'In docs/RUNBOOKS.md, "The stack is gone": the commands that take what was kept into a new stack.',
    )


def grant(caller: str, actions: Sequence[str], name: str) -> str:
    """The command that lets the holder of an ARN do ``actions``; a place, where no command can.

    (IAM User Guide, "IAM identifiers"; IAM Identity Center User Guide, "Referencing permission sets")
    """
    kind, _, rest = caller.rpartition(":")[2].partition("/")
    holder = rest.partition("/")[0] if kind == "assumed-role" else rest.rpartition("/")[2]
    if kind not in ("assumed-role", "user") or holder.startswith("AWSReservedSSO_"):
        return f"In the console: IAM Identity Center, Permission sets, an inline policy with {', '.join(actions)}."
    allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}]}
    whose = ("put-user-policy", "--user-name") if kind == "user" else ("put-role-policy", "--role-name")
    return shlex.join(("aws", "iam", *whose, holder, "--policy-name", name, "--policy-document", _json(allow)))


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
