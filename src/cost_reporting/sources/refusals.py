"""AWS's refusals to read a client's costs: each under the name whose remedy fits, and with AWS's own sentence.

The sentences are AWS's (IAM User Guide, "Troubleshoot access denied error messages"), or are quoted in public reports:
mlabouardy/komiser#43 and #130, numfocus/infrastructure#1 (the payer account), aws-samples/aws-cost-explorer-report#15
(Cost Explorer not enabled), Optum/dce#208 and kubernetes-sigs/aws-load-balancer-controller#2322 (explicit deny).
"""

import re
from typing import Final

from cost_reporting.errors import (
    AccountClosed,
    ClientAccessDenied,
    CostExplorerDisabled,
    CostReportingError,
    CredentialsRejected,
    PayerDeniesAccess,
    PolicyDeniesAccess,
)

OPT_IN: Final = (
    "the account has to opt in: Billing and Cost Management, Preferences, Receive Amazon EC2 resource recommendations"
)
LONGEST: Final = 400
"""Characters of a sentence: AWS's own are shorter, and an outcome has to stay readable."""
UNACCEPTED: Final = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "InvalidToken",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
"""Codes that say that the credentials, not their permissions, are refused (AWS General Reference, common errors)."""

_OPT_IN_SAID: Final = "opt-in only feature"
_NOT_ENABLED: Final = re.compile(r"not enabled for cost explorer", re.IGNORECASE)
_PAYER: Final = re.compile(
    r"(linked|member) account (doesn.t|does not|do not|is not)|(payer|management) account (needs|must|has) to",
    re.IGNORECASE,
)
_DENY: Final = re.compile(
    r"explicit deny|(service|resource) control policy|permissions boundary|session policy|vpc endpoint policy",
    re.IGNORECASE,
)
"""What takes away a permission that the reader role gives, as opposed to "no identity-based policy allows"."""
_DENIED: Final[tuple[tuple[re.Pattern[str], type[CostReportingError]], ...]] = (
    (_NOT_ENABLED, CostExplorerDisabled),
    (_DENY, PolicyDeniesAccess),
    (_PAYER, PayerDeniesAccess),
)
_CLOSED: Final = re.compile(r"account\b.{0,40}\b(suspended|closed|deactivated|not (yet )?activated)", re.IGNORECASE)
_CLOSED_CODES: Final = frozenset({"AccountSuspended", "AccountSuspendedException", "OptInRequired"})
"""OptInRequired: "not subscribed to this service", what accounts hear that were never activated or are suspended."""

_SESSION: Final = re.compile(r"(:(?:assumed-role|federated-user)/[^\s/]+)(?:/\S*)?")
_ADDRESS: Final = re.compile(r"[^\s@<>()/:'\"]+@[^\s@<>()/:'\"]+")
_NAMED_SECRET: Final = re.compile(
    r"(\b(?:x-amz-[a-z-]+|aws_?(?:secret|session)\w*|secret\w*|signature|credential|token|password)\b['\"]?\s*[=:]\s*)"
    r"\S+",
    re.IGNORECASE,
)
_LIKE_A_SECRET: Final = re.compile(r"\b(?:ASIA|AKIA)[A-Z0-9]{8,}\b|[A-Za-z0-9/+]{40,}={0,2}")
"""Ids of keys, and whatever is as long as a secret key, a token or a signature."""


def sentence(said: str) -> str:
    """AWS's sentence on one line, without secrets, addresses and names of sessions. Account ids and policies stay."""
    plain = " ".join("".join(each if each.isprintable() else " " for each in said).split())
    plain = _NAMED_SECRET.sub(r"\1…", _ADDRESS.sub("…", _SESSION.sub(r"\1/…", plain)))
    plain = " ".join(word if _is_name(word) else _LIKE_A_SECRET.sub("…", word) for word in plain.split(" "))
    return plain if len(plain) <= LONGEST else f"{plain[: LONGEST - 1]}…"


def _is_name(word: str) -> bool:
    """An ARN, whose parts may be as long as a secret: of a role, a policy, an operation."""
    return word.lstrip("('\"").startswith("arn:")


def refusal(what: str, code: str, said: str) -> CostReportingError | None:
    """The error for a refusal that has to do with who asks, or None: it is about something else.

    ``what`` begins its message: ``acme: Cost Explorer``.
    """
    told = f"{what}: {code}: {sentence(said)}" if said.strip() else f"{what}: {code}"
    without_names = " ".join(word for word in said.split() if not _is_name(word))
    kind: type[CostReportingError] | None = None
    if code in UNACCEPTED:
        kind = CredentialsRejected
    elif code in _CLOSED_CODES or _CLOSED.search(without_names):
        kind = AccountClosed
    elif code.startswith("AccessDenied"):
        if _OPT_IN_SAID in said.casefold():
            return CostExplorerDisabled(f"{what}: {code}: {OPT_IN}")
        kind = next((kind for pattern, kind in _DENIED if pattern.search(without_names)), ClientAccessDenied)
    return kind(told) if kind else None
