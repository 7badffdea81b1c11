"""How SES sees us and those we write to: the sender, the account, and the addresses that it will not write to."""

from cost_reporting import aws
from cost_reporting.contracts import Fact
from cost_reporting.errors import DeliveryRejected, DeliveryThrottled


class Account(Fact):
    """The mail account. In the sandbox only verified addresses get mail."""

    sending: bool
    sandbox: bool
    left: int
    """Mails that may still be sent within 24 hours."""


class Standing:
    """SES's answers. Raises DeliveryThrottled, or DeliveryRejected naming the code, if it gives none."""

    def __init__(self) -> None:
        self._ses = aws.client("sesv2")

    def account(self) -> Account:
        """Of the account and region in use."""
        try:
            found = self._ses.get_account()
        except (aws.Refused, aws.NoAnswer) as fault:
            raise _translated(fault) from fault
        quota = found.get("SendQuota", {})
        return Account(
            sending=bool(found.get("SendingEnabled")),
            sandbox=not found.get("ProductionAccessEnabled"),
            left=round(quota.get("Max24HourSend", 0) - quota.get("SentLast24Hours", 0)),
        )

    def is_verified(self, address: str) -> bool:
        """Whether the address itself or its domain is verified."""
        for identity in (address, address.rpartition("@")[2]):
            try:
                if self._ses.get_email_identity(EmailIdentity=identity).get("VerifiedForSendingStatus"):
                    return True
            except aws.Refused as refused:
                if aws.code(refused) != "NotFoundException":
                    raise _translated(refused) from refused
            except aws.NoAnswer as none:
                raise _translated(none) from none
        return False

    def suppressed(self, address: str) -> str | None:
        """Why SES writes to this address no more: BOUNCE or COMPLAINT, with the day; None if it does."""
        try:
            found = self._ses.get_suppressed_destination(EmailAddress=address)["SuppressedDestination"]
        except aws.Refused as refused:
            if aws.code(refused) == "NotFoundException":
                return None
            raise _translated(refused) from refused
        except aws.NoAnswer as none:
            raise _translated(none) from none
        return f"{found['Reason']} of {found['LastUpdateTime']:%Y-%m-%d}"


def _translated(fault: aws.Refused | aws.NoAnswer) -> DeliveryThrottled | DeliveryRejected:
    if not isinstance(fault, aws.Refused):
        return DeliveryThrottled(f"SES: {type(fault).__name__}")
    if aws.code(fault) in aws.THROTTLES or aws.status(fault) >= 500:
        return DeliveryThrottled(f"SES: {aws.code(fault)}")
    return DeliveryRejected(f"SES: {aws.code(fault)}: {aws.message(fault)}")
