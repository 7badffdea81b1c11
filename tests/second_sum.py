"""A second sum over the demo's bills, which shares no code with the product and none with the emulator's grouping.

It asks the emulated Cost Explorer through boto3, reads record lines only (SERVICE x RECORD_TYPE by day), and adds up in
its own way: totals, the buckets of record types, usage and the discounts on it by service. What a report says of the
same client, period and metric must agree with it.

    .venv/bin/python -m tests.second_sum                    # the worked examples, as of 28 November 2026
    .venv/bin/python -m tests.second_sum --at 2026-11-09 northwind-retail 2026-10

The buckets' names are written down here once more on purpose: a table that both sides share could be wrong for both.
"""

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final, NamedTuple

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from local.accounts import ACCOUNTS
from local.cost_explorer import CostExplorer

AT: Final = date(2026, 11, 28)
"""October is final, and November's tax, which is charged on the 1st, is that of 27 days."""
BUCKETS: Final = {
    "Usage": "usage",
    "DiscountedUsage": "usage",
    "SavingsPlanCoveredUsage": "usage",
    "Enterprise Discount Program Discount": "discounts",
    "SavingsPlanNegation": "plans",
    "SavingsPlanRecurringFee": "plans",
    "Recurring": "reservations",
    "Upfront": "purchase",
    "Credit": "credits",
    "Refund": "refunds",
    "Tax": "tax",
    "Support": "support",
}
ORDER: Final = (
    "usage",
    "discounts",
    "plans",
    "reservations",
    "purchase",
    "credits",
    "refunds",
    "support",
    "tax",
)
METRICS: Final = {
    "unblended": "UnblendedCost",
    "amortized": "AmortizedCost",
    "net_unblended": "NetUnblendedCost",
    "net_amortized": "NetAmortizedCost",
}


class Example(NamedTuple):
    """A worked example: whose bill, of which period, by which metric."""

    client: str
    period: str
    metric: str = "unblended"


EXAMPLES: Final = (
    Example("northwind-retail", "2026-10"),
    Example("refund-media", "2026-10"),
    Example("negative-labs", "2026-10"),
    Example("tiny-bakery", "2026-10"),
    Example("credits-startup", "2026-10"),
    Example("euro-logistik", "2026-10"),
    Example("tokyo-data", "2026-10"),
    Example("young-fintech", "2026-10"),
    Example("northwind-retail", "2026-W42"),
    Example("northwind-retail", "2026-W43"),
    Example("northwind-retail", "2026-W44"),
    Example("northwind-retail", "2026-W45"),
    Example("throttled-games", "2026-10", "amortized"),
)

Key = tuple[str, str]


class Sums(NamedTuple):
    """Of one period: amounts by (service, bucket), and days with any amount."""

    lines: dict[Key, Decimal]
    by_day: dict[date, Decimal]

    @property
    def total(self) -> Decimal:
        """All of it."""
        return sum(self.lines.values(), Decimal(0))

    def bucket(self, name: str) -> Decimal:
        """One bucket over all services."""
        return sum((amount for (_, bucket), amount in self.lines.items() if bucket == name), Decimal(0))

    def demand(self) -> dict[str, Decimal]:
        """Usage and the discounts on it, by service."""
        found: defaultdict[str, Decimal] = defaultdict(Decimal)
        for (service, bucket), amount in self.lines.items():
            if bucket in ("usage", "discounts"):
                found[service] += amount
        return dict(found)


class Bill:
    """One account's bill, read once over the API, by day."""

    def __init__(self, client: str, metric: str, at: date) -> None:
        self.account = next(account for account in ACCOUNTS.values() if account.name == client)
        self.metric = METRICS[metric]
        self.at = at
        self._ce = connect(self.account.id, at)

    def period(self, start: date, end: date) -> Sums:
        """The lines of [start, end)."""
        lines: defaultdict[Key, Decimal] = defaultdict(Decimal)
        by_day: defaultdict[date, Decimal] = defaultdict(Decimal)
        for day, (service, record_type), amount in self._rows(start, end):
            lines[service, BUCKETS[record_type]] += amount
            by_day[day] += amount
        return Sums(dict(lines), dict(by_day))

    def anomalies(self, start: date) -> list[Any]:
        """Those that ended from ``start`` on until yesterday."""
        interval = {"StartDate": start.isoformat(), "EndDate": (self.at - timedelta(days=1)).isoformat()}
        found: list[Any] = self._ce.get_anomalies(DateInterval=interval)["Anomalies"]
        return found

    def _rows(self, start: date, end: date) -> Iterator[tuple[date, Key, Decimal]]:
        request: dict[str, Any] = {
            "TimePeriod": {"Start": start.isoformat(), "End": min(end, self.at).isoformat()},
            "Granularity": "DAILY",
            "Metrics": [self.metric],
            "GroupBy": [{"Type": "DIMENSION", "Key": key} for key in ("SERVICE", "RECORD_TYPE")],
        }
        while True:
            answer = self._ce.get_cost_and_usage(**request)
            for result in answer["ResultsByTime"]:
                day = date.fromisoformat(result["TimePeriod"]["Start"])
                for group in result["Groups"]:
                    service, record_type = group["Keys"]
                    yield day, (service, record_type), Decimal(group["Metrics"][self.metric]["Amount"])
            if "NextPageToken" not in answer:
                return
            request["NextPageToken"] = answer["NextPageToken"]


class _Body:
    def __init__(self, content: bytes) -> None:
        self.content = content

    def stream(self) -> Iterator[bytes]:
        """As urllib3 would give it."""
        yield self.content


def connect(account_id: str, at: date) -> Any:
    """A client of boto3 for ``account_id``, as of the morning of ``at``; no socket is opened."""
    moment = datetime(at.year, at.month, at.day, 6, tzinfo=UTC)
    emulator = CostExplorer(ACCOUNTS, lambda: moment)
    emulator.change(account_id, throttle_first=0)
    client = boto3.client("ce", region_name="us-east-1", aws_access_key_id="second", aws_secret_access_key="sum")

    def send(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        operation = request.headers["X-Amz-Target"].decode().partition(".")[2]
        status, body = emulator.answer(operation, json.loads(request.body or b"{}"), account_id)
        headers = {"Content-Type": "application/x-amz-json-1.1"}
        return AWSResponse(request.url, status, headers, _Body(json.dumps(body).encode()))

    client.meta.events.register("before-send.ce", send)
    return client


def span(period: str) -> tuple[date, date, date]:
    """Start of the period before, start and exclusive end of the period."""
    if "W" in period:
        start = datetime.strptime(f"{period}-1", "%G-W%V-%u").replace(tzinfo=UTC).date()
        return start - timedelta(days=7), start, start + timedelta(days=7)
    start = date.fromisoformat(f"{period}-01")
    before = (start - timedelta(days=1)).replace(day=1)
    end = (start + timedelta(days=32)).replace(day=1)
    return before, start, end


def cents(amount: Decimal) -> Decimal:
    """Half up."""
    return amount.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)


def both(example: Example, at: date = AT) -> tuple[Sums, Sums]:
    """The period before, and the period."""
    bill = Bill(example.client, example.metric, at)
    before, start, end = span(example.period)
    return bill.period(before, start), bill.period(start, end)


def told(example: Example, at: date = AT, services: int = 8) -> str:
    """The example as a table: totals, buckets, and the services whose demand moved most."""
    bill = Bill(example.client, example.metric, at)
    before, start, end = span(example.period)
    old, new = bill.period(before, start), bill.period(start, end)
    change = cents(new.total) - cents(old.total)
    rows = [
        f"{example.client} {example.period} {example.metric}, as of {at}: {_line(old.total, new.total)}",
        *(f"  {name:<13}{_line(old.bucket(name), new.bucket(name))}" for name in ORDER if _there(name, old, new)),
    ]
    was, now = old.demand(), new.demand()
    moved = sorted(was.keys() | now.keys(), key=lambda name: -abs(now.get(name, 0) - was.get(name, 0)))
    rows += [
        f"    {name:<44}{_line(was.get(name, Decimal(0)), now.get(name, Decimal(0)))}" for name in moved[:services]
    ]
    rest = sum((now.get(name, Decimal(0)) - was.get(name, Decimal(0)) for name in moved[services:]), Decimal(0))
    if moved[services:]:
        rows.append(f"    {f'{len(moved) - services} more services':<44}{'':>30}{cents(rest):>+15,}")
    rows += [
        f"    anomaly {each['DimensionValue']} {each.get('AnomalyStartDate')} to {each.get('AnomalyEndDate')}: "
        f"{each['Impact'].get('TotalImpact'):,.2f}"
        for each in bill.anomalies(max(before, at - timedelta(days=90)))
    ]
    assert cents(new.total - old.total) - change in (Decimal("-0.01"), Decimal(0), Decimal("0.01"))
    return "\n".join(rows)


def _line(was: Decimal, now: Decimal) -> str:
    return f"{cents(was):>15,}{cents(now):>15,}{cents(now) - cents(was):>+15,}"


def _there(name: str, old: Sums, new: Sums) -> bool:
    return any(bucket == name for sums in (old, new) for _, bucket in sums.lines)


def main() -> None:
    """Print what was asked for, or the worked examples."""
    parser = argparse.ArgumentParser(prog="python -m tests.second_sum", description=__doc__.partition("\n")[0])
    parser.add_argument("client", nargs="?", help="an account of the demo")
    parser.add_argument("period", nargs="?", help="2026-10 or 2026-W42")
    parser.add_argument("--metric", choices=list(METRICS), default="unblended")
    parser.add_argument("--at", type=date.fromisoformat, default=AT, help="the day on which it is asked")
    asked = parser.parse_args()
    examples = (Example(asked.client, asked.period, asked.metric),) if asked.period else EXAMPLES
    for example in examples:
        sys.stdout.write(told(example, asked.at) + "\n\n")


if __name__ == "__main__":
    main()
