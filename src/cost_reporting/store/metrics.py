"""Counts in CloudWatch."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, time
from decimal import Decimal

from cost_reporting import aws
from cost_reporting.contracts import Period
from cost_reporting.store.translation import translated

DAY = 86_400


class MetricStore:
    """The metrics of a namespace, summed over whole UTC days, which CloudWatch keeps for 15 months."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        self._cloudwatch = aws.client("cloudwatch")

    def sums(
        self, names: Iterable[str], period: Period, dimensions: Mapping[str, str] | None = None
    ) -> dict[str, Decimal | None]:
        """The sum of each metric in ``period``; None where CloudWatch has no data, which may mean zero or lost."""
        return {name: self._sum(name, period, dimensions or {}) for name in names}

    def _sum(self, name: str, period: Period, dimensions: Mapping[str, str]) -> Decimal | None:
        with translated(f"read the metric {name}"):
            points = self._cloudwatch.get_metric_statistics(
                Namespace=self._namespace,
                MetricName=name,
                Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
                StartTime=datetime.combine(period.start, time(), UTC),
                EndTime=datetime.combine(period.end, time(), UTC),
                Period=DAY,
                Statistics=["Sum"],
            )["Datapoints"]
        return sum((Decimal(str(point["Sum"])) for point in points), Decimal(0)) if points else None
