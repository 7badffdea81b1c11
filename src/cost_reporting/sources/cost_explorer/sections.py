"""What a client's record may ask for beyond the two questions of every report, each paid only if it does.

A section's figures are optional: a failure to have them is an answer too (NotAvailable), never a zero and never the end
of the report.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, Final, NamedTuple

from cost_reporting.clients import Client, Section
from cost_reporting.contracts import Cadence, Period, Run
from cost_reporting.costs import (
    Anomaly,
    DayCosts,
    Forecast,
    Line,
    Savings,
    Split,
    TagSplit,
    holds,
)
from cost_reporting.errors import CostsRefused
from cost_reporting.money import total
from cost_reporting.periods import month_of
from cost_reporting.sources.cost_explorer.asking import Questions, attempt
from cost_reporting.sources.cost_explorer.commitments import Held, held
from cost_reporting.sources.cost_explorer.savings import advice
from cost_reporting.sources.cost_explorer.usage import OPERATION, descriptions, question, spans, time_period

PREDICTION_INTERVAL: Final = 80
"""Percent: the month ends inside the range four times out of five, says Cost Explorer."""
ANOMALY_DAYS: Final = 90
"""How far back GetAnomalies looks (API reference)."""


class Asked(NamedTuple):
    """What a section's questions are about. ``days`` are those of the report, and of the running month if need be."""

    questions: Questions
    client: Client
    run: Run
    previous: Period
    today: date
    days: tuple[DayCosts, ...]
    currency: str


def days_end(client: Client, run: Run, today: date) -> date:
    """Where the question about days ends: with the period, or today if a forecast needs the running month."""
    follows = run.period.end <= today and month_of(today).start <= run.period.end + timedelta(days=31)
    return today if "forecast" in client.sections and follows else run.period.end


def requests_for(client: Client, cadence: Cadence) -> int:
    """How many paid requests the client's sections take, further pages apart."""
    split = 1 if cadence == "monthly" else 2
    utilisation = 0 if "commitments" in client.sections else 2
    each: dict[Section, int] = {
        "accounts": split,
        "regions": split,
        "tags": split * len(client.tag_keys),
        "forecast": 1,
        "anomalies": 1,
        "commitments": 5,
        "savings": 2 + utilisation,
    }
    return sum(each[section] for section in dict.fromkeys(client.sections))


def ask_all(asked: Asked) -> dict[Section, Any]:
    """What the account says to each of the client's sections: a part of a sum, or NotAvailable."""
    fields: dict[Section, Any] = {}
    for section in asked.client.sections:
        fields[section] = attempt(asked.client.client_id, partial(SECTIONS[section], asked))
    return fields


def _accounts(asked: Asked) -> Split:
    return _split(asked, "accounts", ("DIMENSION", "LINKED_ACCOUNT"))


def _regions(asked: Asked) -> Split:
    return _split(asked, "regions", ("DIMENSION", "REGION"))


def _tags(asked: Asked) -> tuple[TagSplit, ...]:
    return tuple(_tag(asked, key) for key in asked.client.tag_keys)


def _tag(asked: Asked, key: str) -> TagSplit:
    """Cost Explorer writes a group as ``<tag key>$<value>``, with nothing after the dollar sign for "untagged"."""
    split = _split(asked, f"tag {key}", ("TAG", key))
    current, previous = (
        tuple(line.model_copy(update={"key": line.key.removeprefix(f"{key}$")}) for line in lines)
        for lines in (split.current, split.previous)
    )
    return TagSplit(tag_key=key, split=Split(current=current, previous=previous, names={}))


def _split(asked: Asked, name: str, by: tuple[str, str]) -> Split:
    """Sums of both periods by one dimension, in months: a day of each would be paid page by page.

    Two calendar months are one question. Two weeks are two, since a month's sum cannot be told apart into weeks.
    """
    run, previous, metric = asked.run, asked.previous, asked.client.cost_metric
    both = Period(start=previous.start, end=run.period.end)
    periods = {name: both} if run.cadence == "monthly" else {name: run.period, f"{name} before": previous}
    sums: dict[Period, defaultdict[str, Decimal]] = {run.period: defaultdict(Decimal), previous: defaultdict(Decimal)}
    names: dict[str, str] = {}
    for title, period in periods.items():
        pages = asked.questions.ask(title, OPERATION, question(period, "MONTHLY", by=(by,), metrics=(metric,)))
        names |= descriptions(pages)
        for span in spans(pages):
            for whole, by_key in sums.items():
                if holds(whole, span.period.start):
                    for group in span.groups:
                        by_key[group.keys[0]] += group.amount(metric)
    current, before = (
        tuple(Line(key=key, amount=amount) for key, amount in sorted(by_key.items())) for by_key in sums.values()
    )
    return Split(current=current, previous=before, names=names)


def _forecast(asked: Asked) -> Forecast:
    """What is billed of the running month, and AWS's forecast for the rest of it."""
    month = month_of(asked.today)
    if days_end(asked.client, asked.run, asked.today) != asked.today:
        raise CostsRefused("the report is about an earlier period, and a forecast about the running month")
    asking = {
        "TimePeriod": time_period(Period(start=asked.today, end=month.end)),
        "Metric": f"{asked.client.cost_metric.upper()}_COST",
        "Granularity": "MONTHLY",
        "PredictionIntervalLevel": PREDICTION_INTERVAL,
    }
    (answer,) = asked.questions.ask("forecast", "GetCostForecast", asking)
    rest = answer["ForecastResultsByTime"]
    so_far = total(line.amount for day in asked.days if holds(month, day.day) for line in day.lines)

    def whole(field: str) -> Decimal:
        return so_far + total(Decimal(bucket[field]) for bucket in rest)

    return Forecast(
        month=month,
        until=asked.today,
        so_far=so_far,
        mean=whole("MeanValue"),
        low=whole("PredictionIntervalLowerBound"),
        high=whole("PredictionIntervalUpperBound"),
    )


def _anomalies(asked: Asked) -> tuple[Anomaly, ...]:
    """Those that began in the period. AWS gives amounts as binary floats here, and here only."""
    earliest = asked.today - timedelta(days=ANOMALY_DAYS)
    if asked.run.period.end <= earliest:
        raise CostsRefused(f"AWS keeps anomalies for {ANOMALY_DAYS} days")
    interval = {
        "StartDate": max(asked.run.period.start, earliest).isoformat(),
        "EndDate": min(asked.run.period.end - timedelta(days=1), asked.today - timedelta(days=1)).isoformat(),
    }
    pages = asked.questions.ask("anomalies", "GetAnomalies", {"DateInterval": interval})
    own = asked.questions.account_id if asked.client.more_accounts else None
    return tuple(_anomaly(anomaly, own) for page in pages for anomaly in page["Anomalies"])


def _anomaly(anomaly: Mapping[str, Any], account_id: str | None) -> Anomaly:
    """``account_id`` is the account that answered, if it is one of several: that is then worth saying."""
    impact, causes = anomaly["Impact"], anomaly.get("RootCauses") or [{}]
    first_day = date.fromisoformat(anomaly["AnomalyStartDate"][:10])
    return Anomaly(
        first_day=first_day,
        last_day=date.fromisoformat(anomaly["AnomalyEndDate"][:10]) if anomaly.get("AnomalyEndDate") else first_day,
        impact=Decimal(str(impact["TotalImpact"])),
        expected=Decimal(str(impact.get("TotalExpectedSpend", 0))),
        service=causes[0].get("Service") or anomaly.get("DimensionValue") or "several services",
        region=causes[0].get("Region"),
        account_id=causes[0].get("LinkedAccount") or account_id,
        usage_type=causes[0].get("UsageType"),
    )


def _commitments(asked: Asked) -> Held:
    return held(asked.questions, asked.run.period, asked.today)


def _savings(asked: Asked) -> Savings:
    return advice(asked.questions, asked.run.period, asked.currency)


SECTIONS: Final[Mapping[Section, Callable[[Asked], object]]] = {
    "accounts": _accounts,
    "regions": _regions,
    "tags": _tags,
    "forecast": _forecast,
    "anomalies": _anomalies,
    "commitments": _commitments,
    "savings": _savings,
}
