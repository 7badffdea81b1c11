"""Alarms as CloudWatch has them."""

from collections.abc import Mapping, Sequence
from itertools import batched
from typing import Any, Final

from cost_reporting import aws
from cost_reporting.store.translation import translated

A_PAGE: Final = 100
"""Names that DescribeAlarms takes, and alarms that it answers, at most (botocore, cloudwatch 2010-08-01)."""


def read_alarms(names: Sequence[str]) -> list[Mapping[str, Any]]:
    """The alarms with these names, as DescribeAlarms answers them; those that are not there are left out."""
    found: list[Mapping[str, Any]] = []
    for some in batched(names, A_PAGE, strict=False):
        with translated("read the alarms"):
            answer = aws.client("cloudwatch").describe_alarms(
                AlarmNames=list(some), AlarmTypes=["MetricAlarm"], MaxRecords=A_PAGE
            )
        found += answer.get("MetricAlarms", [])
    return found
