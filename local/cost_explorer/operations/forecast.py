"""Costs to come: GetCostForecast.

Known, from botocore's model of ``ce``: the forecast is "over the forecast time period that you select"; a bucket may
say its TimePeriod; its bounds are optional, asked for by PredictionIntervalLevel; DAILY reaches 3 months, MONTHLY 18.
Known from AWS's words in refusals: a young account has too little history (DataUnavailableException).

Not known: whether the first bucket of a MONTHLY forecast that is asked from the middle of a month begins on that day,
and has the rest of the month, or on the 1st, and has what is billed already as well. Public scripts read it both ways.
An account here does the first, or the second if ``forecast_of_whole_months``; either says so by its TimePeriod. The
model behind the figures is AWS's own and not published: here it is the mean of four weeks.
"""

from datetime import date, timedelta

from local.accounts.spend import Ledger, months_before
from local.cost_explorer.call import Call
from local.cost_explorer.sums import sole, summarize
from local.cost_explorer.validation import metric
from local.cost_explorer.wire import Json, Refusal, amount, invalid

HISTORY_FOR_FORECAST = 90
"""Days of charges that a forecast rests on here; AWS does not publish its own limit."""


def get_cost_forecast(call: Call) -> Json:
    """What is billed of the period so far, and the last four weeks' daily mean for each day to come.

    ``PredictionIntervalLevel`` widens the interval by a tenth of the mean per 25 points.
    """
    request = call.request
    if request["Metric"] in ("USAGE_QUANTITY", "NORMALIZED_USAGE_AMOUNT"):
        raise invalid(f"{request['Metric']} is not supported for GetCostForecast")
    name = metric(request["Metric"], "metric")
    start, end = _future(call)
    if _days_of_charges(call.ledger) < HISTORY_FOR_FORECAST:
        raise Refusal("DataUnavailableException", "Insufficient amount of historical data")
    recent = call.buckets(call.today - timedelta(days=28), call.today, "DAILY")
    mean = sum(sole(summarize(call, recent, [name], (), call.chosen))) // 28
    spread = request.get("PredictionIntervalLevel")
    if call.granularity == "MONTHLY" and call.ledger.account.forecast_of_whole_months:
        start = start.replace(day=1)
    buckets = call.buckets(start, end, call.granularity)
    total, results = 0, []
    for bucket, billed in zip(buckets, sole(summarize(call, buckets, [name], (), call.chosen)), strict=True):
        ahead = max((bucket.end - max(bucket.start, call.today)).days, 0)
        expected = billed + mean * ahead
        total += expected
        margin = abs(mean) * ahead * (spread or 0) // 250
        interval = {
            "PredictionIntervalLowerBound": amount(expected - margin),
            "PredictionIntervalUpperBound": amount(expected + margin),
        }
        results.append({"TimePeriod": bucket.period, "MeanValue": amount(expected), **(interval if spread else {})})
    return {"Total": {"Amount": amount(total), "Unit": "USD"}, "ForecastResultsByTime": results}


def _future(call: Call) -> tuple[date, date]:
    """An interval that can be forecast: from yesterday on, 3 months ahead by day or 18 by month.

    "The start date must be equal to or no later than the current date" (botocore's model of ``ce``). How far back it
    may lie is not known.
    """
    start, end = call.interval()
    yesterday = call.today - timedelta(days=1)
    latest = months_before(call.today, -3 if call.granularity == "DAILY" else -18)
    if start < yesterday:
        raise invalid(f"Earliest supported Start is {yesterday.isoformat()}")
    if start > call.today:
        raise invalid("start date should not be after today")
    if end > latest:
        raise invalid(f"Latest supported End is {latest.isoformat()}")
    return start, end


def _days_of_charges(ledger: Ledger) -> int:
    """Days since the first charge."""
    days = (ledger.today - ledger.start).days
    firsts = (next((day for day, count in enumerate(row.charges[1:]) if count), days) for row in ledger.rows)
    return days - min(firsts, default=days)
