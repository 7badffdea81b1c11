"""What a fact adds to the metrics: names and counts in the namespace CostReporting, without dimensions.

A client is never a dimension: each value of one is a metric of its own, and billed as such.
"""

from collections.abc import Mapping

from cost_reporting.contracts import (
    BackedUp,
    CostsFetched,
    DeliveriesWatched,
    DeliveryRecorded,
    Fact,
    Outcome,
    ReportRendered,
    RunSummary,
)
from cost_reporting.errors import RollUpNotSent, RunIncomplete, WorklistChanged

NAMESPACE = "CostReporting"


def of(fact: Fact | BaseException) -> Mapping[str, int]:
    """Counts to add for ``fact``. Failures count when they are recorded, since a killed function counts nothing."""
    counts: dict[str, int] = {}
    match fact:
        case ReportRendered():
            pass  # a CostsFetched as well, and counted when it became one
        case CostsFetched():
            counts = {"PaidRequests": fact.costs.paid_requests}
        case Outcome(status="FAILED"):
            counts = {"ClientsFailed": 1} | ({"EmailFailures": 1} if fact.stage == "Send Email" else {})
        case Outcome(status="SENT"):
            counts = {"ReportsSent": 1}
        case Outcome(status="LATE"):
            counts = {"ClientsLate": 1}
        case Outcome(status="HELD"):
            counts = {"ReportsHeld": 1}
        case DeliveryRecorded(state="DELIVERED" | "BOUNCED" | "COMPLAINED" | "REJECTED"):
            counts = {f"Emails{str(fact.state).title()}": 1}
        case RunSummary():
            counts = {"ExecutionsSuccessful": 1, "ClientsProcessed": fact.processed} | _worked(fact.worked_ms)
        case BackedUp():
            counts = {"BackupsMade": len(fact.backups)}
        case RunIncomplete():
            counts = {"ExecutionsIncomplete": 1, "ClientsProcessed": fact.processed} | _worked(fact.worked_ms)
        case WorklistChanged():
            counts = {"ExecutionsIncomplete": 1, "ClientsProcessed": fact.processed}
        case DeliveriesWatched() | RollUpNotSent():
            counts = {"MissingReports": fact.missing, "ReportsBounced": fact.bounced}  # zeros too: they end an alarm
    return counts


def _worked(milliseconds: int | None) -> dict[str, int]:
    """How long a run worked. AWS/States has ExecutionTime, which counts the waits for late clients as well."""
    return {} if milliseconds is None else {"RunMilliseconds": milliseconds}
