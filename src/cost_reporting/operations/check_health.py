"""Check Health: every part that a run needs, looked at without touching a client."""

from collections.abc import Callable, Iterator
from datetime import datetime

from cost_reporting import aws
from cost_reporting.contracts import Check, Health
from cost_reporting.errors import Unhealthy
from cost_reporting.settings import Settings


def check_health(*, probes: Callable[[], Iterator[Check]], now: Callable[[], datetime]) -> Health:
    """Look at every part. Raises Unhealthy naming each part that is out of order."""
    checks = tuple(probes())
    broken = [f"{check.name}: {check.detail}" for check in checks if not check.healthy]
    if broken:
        raise Unhealthy("; ".join(broken))
    return Health(status="healthy", checked_at=now(), checks=checks)


def probe(settings: Settings) -> Iterator[Check]:
    """The two tables, the bucket, the mail account and the sender, as AWS sees them now."""
    yield _table(settings.clients_table)
    yield _table(settings.outcomes_table)
    yield _checked(f"bucket {settings.bucket}", lambda: _bucket(settings.bucket))
    yield _checked("mail account", _mail_account)
    yield _checked("sender", lambda: _sender(settings.sender))


def _checked(name: str, look: Callable[[], tuple[bool, str]]) -> Check:
    try:
        healthy, detail = look()
    except aws.Refused as refused:
        healthy, detail = False, aws.code(refused) or "refused"
    except aws.NoAnswer as none:
        healthy, detail = False, type(none).__name__
    return Check(name=name, healthy=healthy, detail=detail)


def _table(name: str) -> Check:
    def look() -> tuple[bool, str]:
        state = aws.client("dynamodb").describe_table(TableName=name)["Table"].get("TableStatus", "absent")
        return state in ("ACTIVE", "UPDATING"), state

    return _checked(f"table {name}", look)


def _bucket(name: str) -> tuple[bool, str]:
    aws.client("s3").head_bucket(Bucket=name)
    return True, "reachable"


def _mail_account() -> tuple[bool, str]:
    account = aws.client("sesv2").get_account()
    sending, quota = account.get("SendingEnabled", False), account.get("SendQuota", {})
    mode = "production" if account.get("ProductionAccessEnabled") else "sandbox: only verified recipients get mail"
    used = f"{quota.get('SentLast24Hours', 0):.0f} of {quota.get('Max24HourSend', 0):.0f} mails in 24 hours"
    return bool(sending), f"{mode}, {used}" if sending else "sending is switched off"


def _sender(sender: str) -> tuple[bool, str]:
    """The address itself is verified, or else its domain is."""
    for identity in (sender, sender.rpartition("@")[2]):
        try:
            if aws.client("sesv2").get_email_identity(EmailIdentity=identity).get("VerifiedForSendingStatus"):
                return True, "verified"
        except aws.Refused as refused:
            if aws.code(refused) != "NotFoundException":
                raise
    return False, "neither the address nor its domain is verified in SES"
