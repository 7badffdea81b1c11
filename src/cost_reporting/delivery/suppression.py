"""SES's suppression list of the account: addresses that it takes mail for and sends none to."""

from collections.abc import Iterator
from typing import Any

from cost_reporting import aws
from cost_reporting.ledger import fingerprint
from cost_reporting.quarantine import Sign
from cost_reporting.store.translation import translated


class SuppressionList:
    """SES v2's list. The addresses on it leave this file as fingerprints only."""

    def __init__(self) -> None:
        self._ses = aws.client("sesv2")

    def signs(self) -> Iterator[Sign]:
        """One for each address on the list."""
        page: dict[str, Any] = {}
        while True:
            with translated("read SES's suppression list"):
                onward = {"NextToken": page["NextToken"]} if page else {}
                page = dict(self._ses.list_suppressed_destinations(PageSize=1000, **onward))
            for each in page.get("SuppressedDestinationSummaries", []):
                yield Sign(
                    recipient=fingerprint(each["EmailAddress"]),
                    kind="suppressed",
                    at=each["LastUpdateTime"],
                    source=f"SES suppression list: {each['Reason']}",
                )
            if not page.get("NextToken"):
                return

    def lift(self, address: str) -> bool:
        """Take ``address`` off the list. False: it did not stand there."""
        with translated("take an address off SES's suppression list"):
            try:
                self._ses.delete_suppressed_destination(EmailAddress=address)
            except aws.Refused as refused:
                if aws.code(refused) == "NotFoundException":
                    return False
                raise
        return True
