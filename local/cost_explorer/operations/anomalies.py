"""Unusual spend: GetAnomalies, as the default monitor of services would have found it."""

from datetime import date, timedelta

from local.accounts.account import Spike
from local.accounts.spend import UNIT, spike_days
from local.accounts.spread import spike_cell
from local.cost_explorer.call import Call, day
from local.cost_explorer.filters import only
from local.cost_explorer.paging import page
from local.cost_explorer.sums import sole, summarize
from local.cost_explorer.wire import Json, invalid


def get_anomalies(call: Call) -> Json:
    """The account's spikes. Nobody has given feedback on one, so a request for those with feedback finds none."""
    request, account = call.request, call.ledger.account
    since, until = _detected(call)
    monitor = f"arn:aws:ce::{account.id}:anomalymonitor/00000000-0000-4000-8000-{account.id}"
    anomalies = []
    if not request.get("Feedback") and request.get("MonitorArn", monitor) == monitor:
        for n, spike in enumerate(account.spikes, 1):
            first, last = spike_days(spike, call.today)
            if first <= until and last >= since:
                last = min(last, call.today - timedelta(days=1))
                anomaly = _anomaly(call, spike, first, last)
                anomalies.append(
                    {"AnomalyId": f"{account.id}-{first.isoformat()}-{n}", **anomaly, "MonitorArn": monitor}
                )
    found = [each for each in anomalies if _within(request.get("TotalImpact"), each["Impact"]["TotalImpact"])]
    items, onward = page(call, found)
    return {"Anomalies": list(items), **onward}


def _detected(call: Call) -> tuple[date, date]:
    """First and last day of detection that is asked for: at most 90 days back, yesterday at the latest."""
    asked = call.request["DateInterval"]
    yesterday, earliest = call.today - timedelta(days=1), call.today - timedelta(days=90)
    since = day(asked["StartDate"], "dateInterval.startDate")
    until = day(asked.get("EndDate", yesterday.isoformat()), "dateInterval.endDate")
    if until > yesterday:
        raise invalid(f"Latest supported detectionDate for GetRecentAnomalies is {yesterday.isoformat()}")
    if since < earliest:
        raise invalid(f"Earliest supported detectionDate is {earliest.isoformat()}")
    if since > until:
        raise invalid("Start date should not be after end date")
    return since, until


def _anomaly(call: Call, spike: Spike, first: date, last: date) -> Json:
    """The service's days against its mean of the four weeks before."""
    spent = _daily(call, spike.service, first, last + timedelta(days=1))
    mean = sum(_daily(call, spike.service, first - timedelta(days=28), first)) // 28
    expected = mean * len(spent)
    impact = sum(spent) - expected
    cell = spike_cell(call.ledger.account, spike)
    cause = {
        "Service": spike.service,
        "Region": cell.region,
        "LinkedAccount": cell.linked.id,
        "LinkedAccountName": cell.linked.name,
        "UsageType": cell.usage_type,
        "Impact": {"Contribution": impact / UNIT},
    }
    return {
        "AnomalyStartDate": first.isoformat(),
        "AnomalyEndDate": last.isoformat(),
        "DimensionValue": spike.service,
        "RootCauses": [cause],
        "AnomalyScore": {"MaxScore": 0.94, "CurrentScore": 0.61},
        "Impact": {
            "MaxImpact": (max(spent) - mean) / UNIT,
            "TotalImpact": impact / UNIT,
            "TotalActualSpend": sum(spent) / UNIT,
            "TotalExpectedSpend": expected / UNIT,
            "TotalImpactPercentage": round(100 * impact / expected, 2) if mean else 0.0,
        },
    }


def _daily(call: Call, service: str, start: date, end: date) -> list[int]:
    days = call.buckets(start, end, "DAILY")
    return sole(summarize(call, days, ["UnblendedCost"], (), only("SERVICE", service)))


def _within(limits: Json | None, impact: float) -> bool:
    if limits is None:
        return True
    low: float = limits["StartValue"]
    high: float = limits.get("EndValue", low)
    holds = {
        "EQUAL": impact == low,
        "GREATER_THAN_OR_EQUAL": impact >= low,
        "LESS_THAN_OR_EQUAL": impact <= low,
        "GREATER_THAN": impact > low,
        "LESS_THAN": impact < low,
        "BETWEEN": low <= impact <= high,
    }
    return holds[limits["NumericOperator"]]
