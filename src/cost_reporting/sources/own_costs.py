"""Whether Cost Explorer answers for the account whose credentials this process has."""

from datetime import date, timedelta

from cost_reporting import aws
from cost_reporting.store.translation import translated


def ask_for_a_day(today: date) -> None:
    """One paid request for the day before yesterday. Raises StoreRefused with AWS's words if there is no answer."""
    with translated("ask Cost Explorer"):
        costs = aws.client("ce", region=aws.CLIENTS_REGION, credentials=aws.own_credentials())
        costs.get_cost_and_usage(
            TimePeriod={"Start": str(today - timedelta(days=2)), "End": str(today - timedelta(days=1))},
            Granularity="DAILY",
            Metrics=["UnblendedCost"],
        )
