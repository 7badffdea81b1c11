"""What could be saved, by AWS's estimates, as far as its advice could be read."""

from decimal import Decimal

from cost_reporting.costs import NotAvailable, Purchase, Resize, Savings
from cost_reporting.money import cents, total


def advice(savings: Savings) -> tuple[Purchase | Resize, ...]:
    """Purchases first, then changes of instances, the most worth first. What would save nothing is no advice."""
    purchases = () if isinstance(savings.purchases, NotAvailable) else savings.purchases
    resizes = () if isinstance(savings.resizes, NotAvailable) else savings.resizes
    return tuple(
        each
        for part in (
            sorted(purchases, key=lambda purchase: (-purchase.monthly_savings, purchase.account_id)),
            sorted(resizes, key=lambda resize: (-resize.monthly_savings, resize.resource_id)),
        )
        for each in part
        if cents(each.monthly_savings) > 0
    )


def monthly(savings: Savings) -> Decimal:
    """The exact sum of the advice, in a month."""
    return total(each.monthly_savings for each in advice(savings))
