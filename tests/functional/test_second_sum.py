"""What the product reads of the demo's bills, held against a second sum that shares no code with it."""

from collections import defaultdict
from datetime import UTC, datetime, time
from decimal import Decimal

import boto3
import pytest

from cost_reporting.clients import RoleAccess
from cost_reporting.contracts import Run
from cost_reporting.costs import CostDocument, Period, by_day, by_group, period_total
from cost_reporting.operations.preview import Preview, fetched
from cost_reporting.periods import cadence_of, issue_at, parse
from cost_reporting.record_types import bucket_of, group_of
from cost_reporting.sources.cost_explorer import CostExplorerSource
from local import loopback
from local.accounts import ACCOUNTS
from local.world import twelve
from tests import second_sum

RENAMED = {
    "Amazon Elastic Container Service for Kubernetes": "Amazon Elastic Kubernetes Service",
}
"""AWS's renaming among the demo's services, which the product applies on reading."""
GROUPS = {
    "usage": ("usage",),
    "discount": ("discounts",),
    "commitment": ("plans", "reservations", "purchase"),
    "credit": ("credits",),
    "refund": ("refunds",),
    "support": ("support",),
    "tax": ("tax",),
}


def document(example: second_sum.Example) -> CostDocument:
    """What the product reads, without optional sections."""
    client = next(client for client in twelve() if client.client_id == example.client)
    (account,) = [each.id for each in ACCOUNTS.values() if each.name == example.client]
    plain = client.model_copy(
        update={
            "access": RoleAccess(kind="role", role_arn=f"arn:aws:iam::{account}:role/reader", external_id="e" * 32),
            "sections": (),
            "tag_keys": (),
            "more_accounts": (),
            "cost_metric": example.metric,
        }
    )
    at = datetime.combine(second_sum.AT, time(6), UTC)
    period = parse(example.period)
    cadence = cadence_of(period)
    assert cadence is not None
    run = Run(
        run_id="second-sum",
        cadence=cadence,
        period=period,
        issue=issue_at(period, at),
        mode="dry_run",
        nominal_at=at,
    )
    with loopback.cost_explorer(lambda: at) as emulator:
        emulator.change(account, throttle_first=0)
        boto3.setup_default_session()
        costs = fetched(Preview(client=plain, run=run, logo=None, costs=None), CostExplorerSource(lambda: at)).costs
    assert costs is not None
    return costs


def buckets(costs: CostDocument, period: Period) -> dict[tuple[str, str], Decimal]:
    """The document's record lines of a period by service and bucket."""
    found: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for span in costs.spans:
        if period.start <= span.period.start and span.period.end <= period.end:
            for line in span.lines:
                found[line.service, bucket_of(line.record_type)] += line.amounts.by(costs.metric)
    return dict(found)


@pytest.mark.parametrize("example", second_sum.EXAMPLES, ids="-".join)
def test_totals_buckets_and_days_of_a_worked_example_are_those_of_the_second_sum(example: second_sum.Example) -> None:
    costs = document(example)
    for period, sums in zip((costs.previous, costs.period), second_sum.both(example), strict=True):
        assert buckets(costs, period) == {
            (RENAMED.get(service, service), bucket): amount for (service, bucket), amount in sums.lines.items()
        }
        assert period_total(costs, period) == sums.total
        assert {day: amount for day, amount in by_day(costs, period).items() if amount} == {
            day: amount for day, amount in sums.by_day.items() if amount
        }
        groups = by_group(costs, period)
        assert groups == {
            group: sum((sums.bucket(bucket) for bucket in of), Decimal(0))
            for group, of in GROUPS.items()
            if group in groups
        }


def test_the_second_sum_and_the_table_of_record_types_say_the_same() -> None:
    for record_type, bucket in second_sum.BUCKETS.items():
        assert bucket_of(record_type) == bucket
        assert bucket in GROUPS[group_of(record_type)]


def test_no_demo_client_has_charges_of_no_known_kind() -> None:
    costs = document(second_sum.EXAMPLES[0])
    assert "other" not in by_group(costs, costs.period)
