"""What a fact adds to the metrics: names and counts in the namespace CostReporting, without dimensions.

A client is never a dimension: each value of one is a metric of its own, and billed as such.
"""

from collections.abc import Mapping

from cost_reporting.contracts import CostsFetched, Fact, Outcome, ReportRendered, RunSummary
from cost_reporting.errors import RunIncomplete

NAMESPACE = "CostReporting"


def of(fact: Fact | BaseException) -> Mapping[str, int]:
    """Counts to add for ``fact``. Failures count when they are recorded, since a killed function counts nothing."""
    match fact:
        case ReportRendered():
            return {}  # a CostsFetched as well, and counted when it became one
        case CostsFetched():
            return {"PaidRequests": fact.costs.paid_requests}
        case Outcome(status="FAILED"):
            return {"ClientsFailed": 1} | ({"EmailFailures": 1} if fact.stage == "Send Email" else {})
        case Outcome(status="SENT"):
            return {"ReportsSent": 1}
        case RunSummary():
            return {"ExecutionsSuccessful": 1, "ClientsProcessed": fact.client_count}
        case RunIncomplete():
            return {"ExecutionsIncomplete": 1}
        case _:
            return {}
