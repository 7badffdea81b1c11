"""DynamoDB's and S3's refusals in the product's own words."""

from collections.abc import Iterator
from contextlib import contextmanager

from cost_reporting import aws
from cost_reporting.errors import StoreRefused, StoreThrottled


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Name failures of the calls within: ``what`` says what they were for.

    Raises StoreThrottled for anything that may pass by itself (throttling, 5xx, no answer), else StoreRefused.
    """
    try:
        yield
    except aws.Refused as refused:
        if aws.code(refused) in aws.THROTTLES or aws.status(refused) >= 500:
            raise StoreThrottled(f"{what}: {aws.code(refused)}") from refused
        raise StoreRefused(f"{what}: {aws.code(refused)}: {aws.message(refused)}") from refused
    except (aws.NoAnswer, aws.HalfAnswer) as none:
        raise StoreThrottled(f"{what}: {type(none).__name__}") from none
