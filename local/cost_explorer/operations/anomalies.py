"""Unusual spend: GetAnomalies, as a monitor of all services would have found it, and GetAnomalyMonitors.

From botocore's model of ``ce``: the interval selects by AnomalyEndDate, "the returned anomaly object will have an
AnomalyEndDate in the specified time range"; of an anomaly only its id, score, impact and monitor are required; and
TotalImpactPercentage is left out where TotalExpectedSpend is zero. Refusals of dates are as users have published them.

Not known: whether an anomaly that goes on has an AnomalyEndDate. Here it has none, and is selected as if it ended
yesterday, the last day that can have been looked at. How AWS detects is not published: here the spikes are found.
"""

from datetime import date, timedelta

from local.accounts.account import Spike
from local.accounts.dice import throw
from local.accounts.spend import UNIT, months_before, spike_days
from local.accounts.spread import spike_cell
from local.cost_explorer.call import Call, day
from local.cost_explorer.filters import only
from local.cost_explorer.paging import page
from local.cost_explorer.sums import sole, summarize
from local.cost_explorer.wire import Json, invalid


def get_anomalies(call: Call) -> Json:
    """The account's spikes that ended in the interval; none without a monitor, and none that has feedback."""
    request, account = call.request, call.ledger.account
    since, until = _interval(call)
    monitor = _monitor(call)
    anomalies = []
    if account.monitored and not request.get("Feedback") and request.get("MonitorArn", monitor) == monitor:
        for n, spike in enumerate(account.spikes, 1):
            first, last = spike_days(spike, call.today)
            last = min(last, call.today - timedelta(days=1))
            if first <= last and since <= last <= until:
                anomaly = _anomaly(call, spike, first, last)
                anomalies.append(
                    {"AnomalyId": f"{account.id}-{first.isoformat()}-{n}", **anomaly, "MonitorArn": monitor}
                )
    found = [each for each in anomalies if _within(request.get("TotalImpact"), each["Impact"]["TotalImpact"])]
    items, onward = page(call, found)
    return {"Anomalies": list(items), **onward}


def get_anomaly_monitors(call: Call) -> Json:
    """The account's one monitor, of all services, or none."""
    monitor, account = _monitor(call), call.ledger.account
    wanted = call.request.get("MonitorArnList") or [monitor]
    made = months_before(call.today, 12).isoformat()
    found = [
        {
            "MonitorArn": monitor,
            "MonitorName": "Default-Services-Monitor",
            "MonitorType": "DIMENSIONAL",
            "MonitorDimension": "SERVICE",
            "CreationDate": f"{made}T08:00:00Z",
            "LastUpdatedDate": f"{made}T08:00:00Z",
            "LastEvaluatedDate": f"{call.today.isoformat()}T03:00:00Z",
            "DimensionalValueCount": len(account.services),
        }
    ]
    items, onward = page(call, found if account.monitored and monitor in wanted else [])
    return {"AnomalyMonitors": list(items), **onward}


def _monitor(call: Call) -> str:
    """An ARN ends in a UUID of its own in each account."""
    made_of = throw(call.ledger.account.id, "monitor").hex()
    uuid = "-".join((made_of[:8], made_of[8:12], f"4{made_of[13:16]}", f"8{made_of[17:20]}", made_of[20:32]))
    return f"arn:aws:ce::{call.ledger.account.id}:anomalymonitor/{uuid}"


def _interval(call: Call) -> tuple[date, date]:
    """First and last AnomalyEndDate that is asked for: at most 90 days back, yesterday at the latest."""
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
        **({"AnomalyEndDate": last.isoformat()} if spike.days is not None else {}),
        "DimensionValue": spike.service,
        "RootCauses": [cause],
        "AnomalyScore": {"MaxScore": 0.94, "CurrentScore": 0.61},
        "Impact": {
            "MaxImpact": (max(spent) - mean) / UNIT,
            "TotalImpact": impact / UNIT,
            "TotalActualSpend": sum(spent) / UNIT,
            "TotalExpectedSpend": expected / UNIT,
            **({"TotalImpactPercentage": round(100 * impact / expected, 2)} if expected else {}),
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
