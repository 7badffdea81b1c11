"""The sender: whether receivers can tell that a mail is ours, and that it goes over TLS."""

from collections.abc import Iterator
from typing import Any

from cost_reporting import aws
from cost_reporting.audit import Finding, finding
from cost_reporting.operations.audit.scope import Scope
from cost_reporting.store.translation import translated


def sender(scope: Scope) -> Iterator[Finding]:
    """Verification, DKIM and MAIL FROM of the sender's domain, or of the address if only that is known to SES."""
    address, domain = scope.sender, scope.sender.rpartition("@")[2]
    found = _identity(domain)
    name = domain
    if found is None:
        found, name = _identity(address), "the sender's address"
        if found is not None:
            yield finding(
                "SES-ADDRESS-ONLY",
                "low",
                domain,
                "only the sender's address is an identity, so mail cannot be signed by its domain",
                "Verify the domain in SES with DKIM.",
            )
    if found is None or not found.get("VerifiedForSendingStatus"):
        yield finding(
            "SES-UNVERIFIED",
            "high",
            domain,
            "neither the sender's domain nor its address is verified",
            "Verify the domain.",
        )
        return
    scope.note(f"the identity is {name}")
    dkim = found.get("DkimAttributes", {})
    if not dkim.get("SigningEnabled") or dkim.get("Status") != "SUCCESS":
        yield finding(
            "SES-NO-DKIM",
            "medium",
            domain,
            f"mails are not signed with DKIM ({dkim.get('Status', 'not set up').casefold()})",
            "Publish SES's three DKIM records in DNS: without them a forged report looks like ours.",
        )
    if found.get("MailFromAttributes", {}).get("MailFromDomainStatus") != "SUCCESS":
        yield finding(
            "SES-NO-MAIL-FROM",
            "low",
            domain,
            "bounces go to amazonses.com, so SPF does not speak for the domain",
            "Set a custom MAIL FROM domain.",
        )


def transport(scope: Scope) -> Iterator[Finding]:
    """Whether SES delivers to servers without TLS."""
    with translated("read the configuration set"):
        found = aws.client("sesv2").get_configuration_set(ConfigurationSetName=scope.configuration_set)
    if found.get("DeliveryOptions", {}).get("TlsPolicy") != "REQUIRE":
        yield finding(
            "SES-TLS-OPTIONAL",
            "medium",
            scope.configuration_set,
            "SES delivers to servers without TLS as well",
            "Set TlsPolicy to REQUIRE.",
        )


def _identity(name: str) -> Any:
    with translated("read the sender's identity"):
        try:
            return aws.client("sesv2").get_email_identity(EmailIdentity=name)
        except aws.Refused as refused:
            if aws.code(refused) == "NotFoundException":
                return None
            raise
