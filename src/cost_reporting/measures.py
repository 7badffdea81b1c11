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
            counts = {"PaidRequests": fact.costs.paid_requests} | _unreadable(fact.costs.unreadable)
        case Outcome():
            counts = _of_outcome(fact)
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


def _of_outcome(outcome: Outcome) -> dict[str, int]:
    match outcome.status:
        case "FAILED":
            return {"ClientsFailed": 1} | ({"EmailFailures": 1} if outcome.stage == "Send Email" else {})
        case "SENT":
            return {"ReportsSent": 1}
        case "LATE":
            return {"ClientsLate": 1}
        case "HELD":
            return {"ReportsHeld": 1}
        case _:
            return {}


def _unreadable(sections: int) -> dict[str, int]:
    """Sections whose answers were not of a known shape: somebody has to look at the stored answers."""
    return {"SectionsUnreadable": sections} if sections else {}


def _worked(milliseconds: int | None) -> dict[str, int]:
    """How long a run worked. AWS/States has ExecutionTime, which counts the waits for late clients as well."""
    return {} if milliseconds is None else {"RunMilliseconds": milliseconds}
