"""How SES sees us and those we write to: the sender, the account, and the addresses that it will not write to."""

from collections.abc import Iterable, Iterator

from cost_reporting import aws
from cost_reporting.domain.readiness import Identity, MailAccount, identities_for, may_send
from cost_reporting.errors import DeliveryRejected, DeliveryThrottled


class Standing:
    """SES's answers. Raises DeliveryThrottled, or DeliveryRejected naming the code, if it gives none."""

    def __init__(self) -> None:
        self._ses = aws.client("sesv2")

    def account(self) -> MailAccount:
        """Of the account and region in use."""
        try:
            found = self._ses.get_account()
        except (aws.Refused, aws.NoAnswer) as fault:
            raise _translated(fault) from fault
        quota = found.get("SendQuota", {})
        return MailAccount(
            sending=found.get("SendingEnabled"),
            production=found.get("ProductionAccessEnabled"),
            reputation=found.get("EnforcementStatus"),
            quota=_count(quota.get("Max24HourSend")),
            sent=_count(quota.get("SentLast24Hours")),
            review=found.get("Details", {}).get("ReviewDetails", {}).get("Status"),
        )

    def identities(self, names: Iterable[str]) -> Iterator[Identity]:
        """Those of the named identities that SES knows, each asked for when the one before was not enough."""
        for name in names:
            try:
                answer = self._ses.get_email_identity(EmailIdentity=name)
            except aws.Refused as refused:
                if aws.code(refused) == "NotFoundException":
                    continue
                raise _translated(refused) from refused
            except aws.NoAnswer as none:
                raise _translated(none) from none
            signing = answer.get("DkimAttributes", {})
            yield Identity(
                name=name,
                verified=bool(answer.get("VerifiedForSendingStatus")),
                signing=bool(signing.get("SigningEnabled")),
                dkim=signing.get("Status"),
                mail_from=answer.get("MailFromAttributes", {}).get("MailFromDomainStatus"),
            )

    def is_verified(self, address: str) -> bool:
        """Whether the address itself, its domain, or a domain above that is verified."""
        return may_send(self.identities(identities_for(address)))

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


def _count(mails: float | None) -> int | None:
    return None if mails is None else round(mails)


def _translated(fault: aws.Refused | aws.NoAnswer) -> DeliveryThrottled | DeliveryRejected:
    if not isinstance(fault, aws.Refused):
        return DeliveryThrottled(f"SES: {type(fault).__name__}")
    if aws.code(fault) in aws.THROTTLES or aws.status(fault) >= 500:
        return DeliveryThrottled(f"SES: {aws.code(fault)}")
    return DeliveryRejected(f"SES: {aws.code(fault)}: {aws.message(fault)}")
