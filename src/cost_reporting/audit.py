"""The judgements of a security audit: what a policy allows, how strong an ExternalId is, what a log line gives away.

Pure. A finding has an id that stays the same from audit to audit, so that it can be accepted by it. What was not looked
at is never passed: its check is ``not checked``, with the reason.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Literal

from pydantic import AwareDatetime

from cost_reporting.contracts import Fact

Severity = Literal["high", "medium", "low"]
SEVERITIES: Final[tuple[Severity, ...]] = ("high", "medium", "low")
Standing = Literal["passed", "found", "not checked"]

WEAK_BITS: Final = 64
"""An ExternalId of fewer bits could be found by trying. A random UUID has 122."""


class Finding(Fact):
    """Something that is not as it should be. ``accepted`` is the reason for which somebody has accepted it."""

    id: str
    severity: Severity
    resource: str
    fact: str
    remedy: str
    accepted: str | None = None


class Check(Fact):
    """A question that was asked. ``note`` says what was looked at, or why nothing was."""

    name: str
    standing: Standing
    note: str


class AuditReport(Fact):
    """An audit of a stack: every question, and every finding, the gravest first."""

    stack: str
    read_at: AwareDatetime
    checks: tuple[Check, ...]
    findings: tuple[Finding, ...]
    stale: tuple[str, ...]

    @property
    def high(self) -> int:
        """How many findings are grave and not accepted."""
        return sum(finding.severity == "high" and finding.accepted is None for finding in self.findings)


def finding(code: str, severity: Severity, resource: str, fact: str, remedy: str) -> Finding:
    """A finding whose id is made of its code and its resource."""
    return Finding(id=f"{code}:{resource}", severity=severity, resource=resource, fact=fact, remedy=remedy)


def audit_report(
    stack: str, read_at: Any, checks: Iterable[Check], findings: Iterable[Finding], accepted: Mapping[str, str]
) -> AuditReport:
    """The report. ``accepted`` has reasons by finding; ids of which there is no finding any more are ``stale``."""
    once = {each.id: each for each in findings}
    judged = [each.model_copy(update={"accepted": accepted.get(each.id)}) for each in once.values()]
    order = {severity: place for place, severity in enumerate(SEVERITIES)}
    return AuditReport(
        stack=stack,
        read_at=read_at,
        checks=tuple(checks),
        findings=tuple(sorted(judged, key=lambda each: (each.accepted is not None, order[each.severity], each.id))),
        stale=tuple(sorted(set(accepted) - set(once))),
    )


# -- policies ---------------------------------------------------------------------------------------------------------

WITHOUT_RESOURCE: Final = frozenset(
    {
        "cloudwatch:GetMetricData",
        "cloudwatch:GetMetricStatistics",
        "cloudwatch:ListMetrics",
        "cloudwatch:PutMetricData",
        "dynamodb:ListBackups",
        "logs:CreateLogDelivery",
        "logs:DeleteLogDelivery",
        "logs:DescribeLogGroups",
        "logs:DescribeResourcePolicies",
        "logs:GetLogDelivery",
        "logs:ListLogDeliveries",
        "logs:PutResourcePolicy",
        "logs:UpdateLogDelivery",
        "ses:GetAccount",
        "ses:ListSuppressedDestinations",
        "xray:GetSamplingRules",
        "xray:GetSamplingStatisticSummaries",
        "xray:GetSamplingTargets",
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
    }
)
"""Actions for which IAM knows no resources, so that ``*`` is all one can write (Service Authorization Reference)."""

Statement = Mapping[str, Any]


def statements(document: Any) -> list[Statement]:
    """The statements of a policy, given as a document or as its JSON."""
    parsed = json.loads(document) if isinstance(document, str) else document
    found = parsed.get("Statement", [])
    return [found] if isinstance(found, dict) else list(found)


def listed(value: Any) -> list[str]:
    """A string or a list of them, as a list."""
    return [] if value is None else [value] if isinstance(value, str) else [str(each) for each in value]


def too_much(role: str, document: Any) -> Iterator[Finding]:
    """What a policy of ``role`` allows that no role needs: wildcards of actions, all resources, all but some."""
    for statement in statements(document):
        if statement.get("Effect") != "Allow":
            continue
        for name in ("NotAction", "NotResource"):
            if name in statement:
                yield finding(
                    f"IAM-{name.upper()}", "high", role, f"allows all but some ({name})", "Name what the role needs."
                )
        for action in listed(statement.get("Action")):
            service, _, verb = action.partition(":")
            if action == "*" or verb == "*":
                yield finding(
                    f"IAM-WILDCARD-ACTION:{action}",
                    "high",
                    role,
                    f"allows {'everything' if action == '*' else f'all of {service}'}",
                    "Name the actions that the role needs.",
                )
            elif "*" in verb:
                yield finding(
                    f"IAM-WILDCARD-ACTION:{action}", "medium", role, f"allows {action}", "Name the actions it needs."
                )
            elif "*" in listed(statement.get("Resource")) and action not in WITHOUT_RESOURCE:
                yield finding(
                    f"IAM-ALL-RESOURCES:{action}",
                    "medium",
                    role,
                    f"allows {action} on every resource",
                    "Name the resource.",
                )


def trusted(role: str, document: Any, account: str) -> Iterator[Finding]:
    """Who may assume ``role`` and should not: everybody, or another account."""
    for statement in statements(document):
        if statement.get("Effect") != "Allow":
            continue
        principal = statement.get("Principal", {})
        parties = ["*"] if principal == "*" else listed(principal.get("AWS"))
        for party in parties:
            if party == "*" and not statement.get("Condition"):
                yield finding("IAM-TRUSTS-ALL", "high", role, "anybody may assume it", "Name who may.")
            elif party != "*" and account not in party:
                yield finding(
                    f"IAM-TRUSTS-OTHERS:{party}",
                    "high",
                    role,
                    f"{party} may assume it",
                    "Remove it from the trust policy.",
                )


def open_to_all(code: str, resource: str, document: Any) -> Iterator[Finding]:
    """Statements of a resource's policy that let everybody in without a condition."""
    for statement in statements(document):
        principal = statement.get("Principal")
        everybody = principal == "*" or (isinstance(principal, dict) and "*" in listed(principal.get("AWS")))
        if statement.get("Effect") == "Allow" and everybody and not statement.get("Condition"):
            yield finding(code, "high", resource, "its policy lets everybody in", "Name who may, or add a condition.")


def demands_tls(document: Any) -> bool:
    """Whether a bucket's policy denies everything to whoever comes without TLS."""
    return any(
        statement.get("Effect") == "Deny"
        and statement.get("Principal") in ("*", {"AWS": "*"})
        and {"s3:*", "*"} & set(listed(statement.get("Action")))
        and str(statement.get("Condition", {}).get("Bool", {}).get("aws:SecureTransport", "")).casefold() == "false"
        for statement in statements(document)
    )


# -- ExternalIds ------------------------------------------------------------------------------------------------------


def bits(external_id: str) -> float:
    """At most so many bits of chance are in it: by the variety of its characters, and by how evenly they occur."""
    length = len(external_id)
    if not length:
        return 0.0
    counts = Counter(external_id)
    evenness = -sum(count / length * math.log2(count / length) for count in counts.values())
    classes = ((r"[a-z]", 26), (r"[A-Z]", 26), (r"[0-9]", 10), (r"[^A-Za-z0-9]", 10))
    pool = sum(size for pattern, size in classes if re.search(pattern, external_id))
    return length * min(evenness, math.log2(pool))


def external_ids(by_client: Mapping[str, tuple[str, str]]) -> Iterator[Finding]:
    """Faults of ExternalIds: (role's account, ExternalId) by client, or by ``acme/Lab`` for a further account of one.

    Accounts of one client may share theirs: it guards clients from each other. An ExternalId itself is never shown.
    """
    holders: dict[str, set[str]] = {}
    for client_id, (_, external_id) in by_client.items():
        holders.setdefault(external_id, set()).add(client_id)
    for client_id, (_, external_id) in sorted(by_client.items()):
        owner = client_id.partition("/")[0]
        others = sorted(each for each in holders[external_id] if each.partition("/")[0] != owner)
        if others:
            yield finding(
                "EXTERNAL-ID-SHARED",
                "high",
                client_id,
                f"has the same ExternalId as {', '.join(others[:5])}{' and others' if others[5:] else ''}",
                "Give each client one of its own, and rotate it with the client.",
            )
        if external_id.casefold() == owner.casefold():
            yield finding(
                "EXTERNAL-ID-IS-CLIENT-ID",
                "high",
                client_id,
                "its ExternalId is its client id",
                "Rotate it to a random one: client ids are known to others.",
            )
        elif bits(external_id) < WEAK_BITS:
            yield finding(
                "EXTERNAL-ID-WEAK",
                "medium",
                client_id,
                f"its ExternalId of {len(external_id)} characters has at most {bits(external_id):.0f} bits of chance",
                f"Rotate it to a random one of at least {WEAK_BITS} bits, such as a UUID.",
            )


# -- logs -------------------------------------------------------------------------------------------------------------

# A message's id may look like an address of SES's own; nobody reads there.
_PATTERNS: Final = (
    (
        "an address",
        re.compile(r"[A-Za-z0-9._%+-]+@(?!(?:[a-z0-9-]+\.)*amazonses\.com\b)(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}"),
    ),
    ("an access key id", re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b")),
    ("a secret key", re.compile(r"secret_?access_?key\W{1,6}[A-Za-z0-9/+=]{30,}", re.IGNORECASE)),
    ("a signed link", re.compile(r"X-Amz-Signature=[0-9a-f]{16,}", re.IGNORECASE)),
)


def given_away(line: str, secrets: Iterable[str] = ()) -> set[str]:
    """What a log line has that no log should: kinds, never the thing. ``secrets`` are looked for as they stand."""
    found = {kind for kind, pattern in _PATTERNS if pattern.search(line)}
    if any(secret in line for secret in secrets):
        found.add("an ExternalId")
    return found
