"""What a client's record may ask for beyond the two questions of every report, each paid only if it does.

A section's figures are optional: a failure to have them is an answer too (NotAvailable), never a zero and never the end
of the report.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, Final, NamedTuple

from cost_reporting.clients import Client, Section
from cost_reporting.contracts import Cadence, Period, Run
from cost_reporting.costs import (
    SEVERAL_SERVICES,
    Anomaly,
    DayCosts,
    Forecast,
    Line,
    Savings,
    Split,
    TagSplit,
    holds,
)
from cost_reporting.errors import AnomaliesNotMonitored, CostsDoNotReconcile, CostsNotReady, CostsRefused
from cost_reporting.money import total
from cost_reporting.periods import days as days_of
from cost_reporting.periods import month_of
from cost_reporting.sources.cost_explorer.answers import (
    AnomaliesPage,
    ForecastPage,
    ForecastResult,
    FoundAnomaly,
    MonitorsPage,
    RootCause,
)
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
    """Where the question about days ends: with the period, or today if the running month is needed as well.

    A forecast is added to it, and the budget of a weekly report is that of the running month.
    """
    return today if needs_running_month(client, run, today) else run.period.end


def needs_running_month(client: Client, run: Run, today: date) -> bool:
    """Whether the days of the running month are needed, from its first on."""
    follows = run.period.end <= today and month_of(today).start <= run.period.end + timedelta(days=31)
    return follows and (
        "forecast" in client.sections or (run.cadence == "weekly" and client.monthly_budget is not None)
    )


def requests_for(client: Client, cadence: Cadence) -> int:
    """How many paid requests the client's sections take at most, further pages apart."""
    split = 1 if cadence == "monthly" else 2
    utilisation = 0 if "commitments" in client.sections else 2
    each: dict[Section, int] = {
        "accounts": split,
        "regions": split,
        "tags": split * len(client.tag_keys),
        "forecast": 1,
        "anomalies": 2,
        "commitments": 5,
        "savings": 2 + utilisation,
    }
    return sum(each[section] for section in dict.fromkeys(client.sections))


def ask_all(asked: Asked) -> dict[Section, Any]:
    """What the account says to each of the client's sections: a part of a sum, or NotAvailable."""
    fields: dict[Section, Any] = {}
    for section in asked.client.sections:
        fields[section] = attempt(asked.questions, section, partial(SECTIONS[section], asked))
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
        tuple(line.model_copy(update={"key": line.key.removeprefix(f"{key}$")}) for line in lines or ())
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
    said: set[date] = set()
    for title, period in periods.items():
        pages = asked.questions.ask(title, OPERATION, question(period, "MONTHLY", by=(by,), metrics=(metric,)))
        names |= descriptions(pages, of=asked.client.client_id)
        for span in spans(pages, of=asked.client.client_id):
            if span.groups is None:
                continue
            said |= set(days_of(span.period))
            for whole, by_key in sums.items():
                if holds(whole, span.period.start):
                    for group in span.groups:
                        by_key[group.keys[0]] += group.amount(metric)
    for whole in sums:
        if not said.issuperset(days_of(whole)):
            raise asked.questions.unreadable(OPERATION, f"no {name} in all of {whole.start} to {whole.end}")
    current, before = (
        tuple(Line(key=key, amount=amount) for key, amount in sorted(by_key.items())) for by_key in sums.values()
    )
    return Split(current=current, previous=before, names=names)


def _forecast(asked: Asked) -> Forecast:
    """What is billed of the running month, and AWS's forecast for the rest of it, from the first day not billed yet.

    The start of a forecast may be today or a day before (botocore's model, GetCostForecast, TimePeriod). Whether the
    answer contains days that are gone, public users disagree: it is only added where it says itself that it is about
    the days that were asked for, and no others.
    """
    month = month_of(asked.today)
    if days_end(asked.client, asked.run, asked.today) != asked.today:
        raise CostsRefused("the report is about an earlier period, and a forecast about the running month")
    until, so_far = _so_far(asked, month)
    asking = {
        "TimePeriod": time_period(rest := Period(start=until, end=month.end)),
        "Metric": f"{asked.client.cost_metric.upper()}_COST",
        "Granularity": "MONTHLY",
        "PredictionIntervalLevel": PREDICTION_INTERVAL,
    }
    operation, questions = "GetCostForecast", asked.questions
    pages = questions.read(ForecastPage, operation, questions.ask("forecast", operation, asking))
    unit = next((page.total.unit for page in pages if page.total and page.total.unit), asked.currency)
    if unit != asked.currency:
        raise CostsDoNotReconcile(f"the forecast is in {unit[:3]}, and the bill in {asked.currency}")
    results = [
        result
        for page in pages
        for result in questions.needed(page.forecast_results_by_time, operation, "ForecastResultsByTime")
    ]
    _require_rest(asked, results, rest)
    lows = [result.prediction_interval_lower_bound for result in results]
    highs = [result.prediction_interval_upper_bound for result in results]
    bounded = None not in lows and None not in highs
    means = [questions.needed(result.mean_value, operation, "MeanValue") for result in results]
    return Forecast(
        month=month,
        until=until,
        so_far=so_far,
        mean=so_far + total(means),
        low=so_far + total(low for low in lows if low is not None) if bounded else None,
        high=so_far + total(high for high in highs if high is not None) if bounded else None,
    )


def _so_far(asked: Asked, month: Period) -> tuple[date, Decimal]:
    """Until when the running month's days are known, and what they cost. Trailing days may not be filled yet.

    Raises CostsNotReady if its first day, or a day between others, is not known: the sum would be too low.
    """
    known = {day.day: day for day in asked.days if holds(month, day.day) and day.day < asked.today}
    until = min((day for day in days_of(month) if day not in known), default=month.end)
    if len(known) > (until - month.start).days or (until == month.start < asked.today):
        raise CostsNotReady(f"{asked.client.client_id}: the costs of {until} are not known yet")
    return until, total(line.amount for day in known.values() for line in day.lines)


def _require_rest(asked: Asked, results: list[ForecastResult], rest: Period) -> None:
    """Raises CostsUnreadable if the forecast is about other days than ``rest``: some count twice, or not at all."""
    operation, at = "GetCostForecast", rest.start
    spans = [asked.questions.needed(result.time_period, operation, "TimePeriod") for result in results]
    for span in sorted(spans, key=lambda each: each.start):
        at = span.end if span.start == at else date.max
    if at != rest.end:
        raise asked.questions.unreadable(
            operation, f"asked about {rest.start} to {rest.end}, and the answer is about other days"
        )


def _anomalies(asked: Asked) -> tuple[Anomaly, ...]:
    """Those that overlap the period or the one before, of which a part of a change may be the end.

    GetAnomalies selects by the day on which an anomaly ended ("will have an AnomalyEndDate in the specified time
    range", botocore's model): one that ended after the period, or goes on, may have begun in it. AWS gives amounts as
    binary floats here, and here only.
    """
    earliest = asked.today - timedelta(days=ANOMALY_DAYS)
    if asked.run.period.end <= earliest:
        raise CostsRefused(f"AWS keeps anomalies for {ANOMALY_DAYS} days")
    operation, questions = "GetAnomalies", asked.questions
    interval = {
        "StartDate": max(asked.previous.start, earliest).isoformat(),
        "EndDate": (asked.today - timedelta(days=1)).isoformat(),
    }
    pages = questions.read(AnomaliesPage, operation, questions.ask("anomalies", operation, {"DateInterval": interval}))
    found = [each for page in pages for each in questions.needed(page.anomalies, operation, "Anomalies")]
    if not found:
        _require_monitor(questions)
    own = questions.account_id if asked.client.more_accounts else None
    anomalies = [_anomaly(questions, each, own) for each in found]
    both = Period(start=asked.previous.start, end=asked.run.period.end)
    return tuple(each for each in anomalies if _overlaps(each, both))


def _anomaly(questions: Questions, found: FoundAnomaly, account_id: str | None) -> Anomaly:
    """``account_id`` is the account that answered, if it is one of several: that is then worth saying.

    The dimension of a monitor of linked accounts is an account, and no service.

    Raises CostsUnreadable without a first day or an impact: a list that lacks it would call it nothing unusual.
    """
    operation = "GetAnomalies"
    impact = questions.needed(found.impact, operation, "Impact")
    cause, dimension = (found.root_causes or (RootCause(),))[0], found.dimension_value or ""
    of_account = dimension if re.fullmatch(r"\d{12}", dimension) else None
    return Anomaly(
        first_day=questions.needed(found.anomaly_start_date, operation, "AnomalyStartDate"),
        last_day=found.anomaly_end_date,
        impact=questions.needed(impact.total_impact, operation, "TotalImpact"),
        expected=impact.total_expected_spend,
        service=cause.service or (None if of_account else dimension) or SEVERAL_SERVICES,
        region=cause.region,
        account_id=cause.linked_account or of_account or account_id,
        usage_type=cause.usage_type,
    )


def _overlaps(anomaly: Anomaly, period: Period) -> bool:
    """One without a last day may go on."""
    return anomaly.first_day < period.end and (anomaly.last_day is None or anomaly.last_day >= period.start)


def _require_monitor(questions: Questions) -> None:
    """Raises AnomaliesNotMonitored if nothing looks for anomalies: then none found is not nothing unusual.

    It is one more request to the Cost Explorer API, of which each is charged (AWS Cost Explorer FAQs), so it is only
    asked where nothing was found.
    """
    operation = "GetAnomalyMonitors"
    pages = questions.read(MonitorsPage, operation, questions.ask("anomaly monitors", operation, {}))
    if not any(questions.needed(page.anomaly_monitors, operation, "AnomalyMonitors") for page in pages):
        raise AnomaliesNotMonitored(f"{questions.client_id}: Cost Explorer: the account has no anomaly monitor")


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
