"""The sender: whether receivers can tell that a mail is ours, that it goes over TLS, and to everybody."""

from collections.abc import Iterator

from cost_reporting import aws
from cost_reporting.audit import Finding, finding
from cost_reporting.delivery.standing import Standing
from cost_reporting.domain.readiness import deciding, domains_first, may_send
from cost_reporting.operations import readiness
from cost_reporting.operations.audit.scope import Scope, found_by
from cost_reporting.store.translation import translated


def account(scope: Scope) -> Iterator[Finding]:
    """Whether SES sends for this account, and outside its sandbox."""
    verdicts = readiness.mail_account(scope.sender, aws.region(), lambda: Standing().account())
    yield from found_by(verdicts, scope, "SES-ACCOUNT", "high", scope.account)


def sender(scope: Scope) -> Iterator[Finding]:
    """Verification, DKIM and MAIL FROM of the sender's domain, one above it, or else of the address."""
    domain = scope.sender.rpartition("@")[2]
    identities = tuple(Standing().identities(domains_first(scope.sender)))
    found = deciding(identities)
    if found is not None and not found.is_domain:
        yield finding(
            "SES-ADDRESS-ONLY",
            "low",
            domain,
            "only the sender's address is an identity, so mail cannot be signed by its domain",
            "Verify the domain in SES with DKIM.",
        )
    if found is None or not may_send(identities):
        yield finding(
            "SES-UNVERIFIED",
            "high",
            domain,
            "neither the sender's domain nor its address is verified",
            "Verify the domain.",
        )
        return
    scope.note(f"the identity is {found.name if found.is_domain else "the sender's address"}")
    if not found.signs:
        yield finding(
            "SES-NO-DKIM",
            "medium",
            domain,
            f"mails are not signed with DKIM ({(found.dkim or 'not set up').casefold()})",
            "Publish SES's three DKIM records in DNS: without them a forged report looks like ours.",
        )
    if found.mail_from != "SUCCESS":
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
