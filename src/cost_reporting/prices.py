"""What AWS asks for what the system uses, each price with where it stands and as of when: the only file with prices.

On demand, first tier, without the free tier, in US East (N. Virginia), in US dollars. Other regions differ, and so may
the price of today: they were written down by hand, so compare with the source before a decision rests on one.
"""

from datetime import date
from decimal import Decimal
from typing import Final, Literal

from cost_reporting.contracts import Amount, Fact
from cost_reporting.costs import PRICE_PER_REQUEST

Architecture = Literal["x86_64", "arm64"]


class Price(Fact):
    """``usd`` for ``per`` units of ``what``, as far as we know on the day ``as_of``."""

    what: str
    usd: Amount
    per: int
    source: str
    as_of: date

    def of(self, quantity: Decimal | int) -> Decimal:
        """What ``quantity`` units cost, in US dollars."""
        return Decimal(quantity) * self.usd / self.per


WRITTEN: Final = date(2025, 8, 1)
"""When the prices were last looked at. Since that day Lambda bills initialisation as well."""
_LAMBDA: Final = "https://aws.amazon.com/lambda/pricing/"

LAMBDA_GB_SECONDS: Final[dict[Architecture, Price]] = {
    "x86_64": Price(
        what="GB-seconds of Lambda on x86",
        usd=Decimal("0.0000166667"),
        per=1,
        source=_LAMBDA,
        as_of=WRITTEN,
    ),
    "arm64": Price(
        what="GB-seconds of Lambda on Arm",
        usd=Decimal("0.0000133334"),
        per=1,
        source=_LAMBDA,
        as_of=WRITTEN,
    ),
}
LAMBDA_REQUESTS: Final = Price(
    what="requests to Lambda", usd=Decimal("0.20"), per=1_000_000, source=_LAMBDA, as_of=WRITTEN
)
TRANSITIONS: Final = Price(
    what="state transitions",
    usd=Decimal("0.025"),
    per=1_000,
    source="https://aws.amazon.com/step-functions/pricing/",
    as_of=WRITTEN,
)
COST_EXPLORER: Final = Price(
    what="requests to Cost Explorer",
    usd=PRICE_PER_REQUEST,
    per=1,
    source="https://aws.amazon.com/aws-cost-management/aws-cost-explorer/pricing/",
    as_of=WRITTEN,
)
MAILS: Final = Price(
    what="mails through SES",
    usd=Decimal("0.10"),
    per=1_000,
    source="https://aws.amazon.com/ses/pricing/",
    as_of=WRITTEN,
)
OBJECTS_WRITTEN: Final = Price(
    what="objects written to S3",
    usd=Decimal("0.005"),
    per=1_000,
    source="https://aws.amazon.com/s3/pricing/",
    as_of=WRITTEN,
)
OBJECTS_READ: Final = Price(
    what="objects read from S3",
    usd=Decimal("0.0004"),
    per=1_000,
    source="https://aws.amazon.com/s3/pricing/",
    as_of=WRITTEN,
)
ITEMS_WRITTEN: Final = Price(
    what="items written to DynamoDB",
    usd=Decimal("0.625"),
    per=1_000_000,
    source="https://aws.amazon.com/dynamodb/pricing/on-demand/",
    as_of=WRITTEN,
)
ITEMS_READ: Final = Price(
    what="items read from DynamoDB",
    usd=Decimal("0.125"),
    per=1_000_000,
    source="https://aws.amazon.com/dynamodb/pricing/on-demand/",
    as_of=WRITTEN,
)
