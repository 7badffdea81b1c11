"""What each fact adds to the metrics."""

import pytest

from cost_reporting import measures
from cost_reporting.contracts import BackedUp, Fact, RunSummary, StartedTwice
from cost_reporting.errors import CostsThrottled, RunIncomplete, WorklistChanged
from tests.builders import a_client_due, a_run, a_stored_object, an_outcome, costs_fetched, report_rendered, report_sent

SUMMARY = RunSummary(
    run=a_run(),
    pass_number=1,
    client_count=12,
    sent=12,
    not_sent=0,
    processed=12,
    summary=a_stored_object("runs/r/summary.json"),
)


@pytest.mark.parametrize(
    ("fact", "counts"),
    [
        (a_client_due(), {}),
        (costs_fetched(paid_requests=7), {"PaidRequests": 7}),
        (costs_fetched(paid_requests=0), {"PaidRequests": 0}),
        (costs_fetched(paid_requests=9, unreadable=2), {"PaidRequests": 9, "SectionsUnreadable": 2}),
        (an_outcome(), {"ReportsSent": 1}),
        (an_outcome(status="NOT_SENT"), {}),
        (an_outcome(status="HELD"), {"ReportsHeld": 1}),
        (an_outcome(status="REJECTED"), {}),
        (an_outcome(status="FAILED"), {"ClientsFailed": 1}),
        (an_outcome(status="FAILED", stage="Send Email"), {"ClientsFailed": 1, "EmailFailures": 1}),
        (SUMMARY, {"ExecutionsSuccessful": 1, "ClientsProcessed": 12}),
        (SUMMARY.model_copy(update={"processed": 0}), {"ExecutionsSuccessful": 1, "ClientsProcessed": 0}),
        (
            RunIncomplete("2 of 12 clients have no report.", processed=12),
            {"ExecutionsIncomplete": 1, "ClientsProcessed": 12},
        ),
        (
            SUMMARY.model_copy(update={"worked_ms": 90_000}),
            {"ExecutionsSuccessful": 1, "ClientsProcessed": 12, "RunMilliseconds": 90_000},
        ),
        (
            RunIncomplete("2 of 12", worked_ms=90_000),
            {"ExecutionsIncomplete": 1, "ClientsProcessed": 0, "RunMilliseconds": 90_000},
        ),
        (WorklistChanged("a line is missing", processed=12), {"ExecutionsIncomplete": 1, "ClientsProcessed": 12}),
        (an_outcome(status="LATE"), {"ClientsLate": 1}),
        (an_outcome(status="LEFT_OUT"), {}),
        (an_outcome(status="REMOVED"), {}),
        (StartedTwice(run=a_run(), double_of="arn"), {}),
        (BackedUp(backups=(), given_up=()), {"BackupsMade": 0}),
        (CostsThrottled("acme"), {}),
    ],
)
def test_a_fact_counts_what_happened(fact: Fact | BaseException, counts: dict[str, int]) -> None:
    assert measures.of(fact) == counts


def test_paid_requests_are_counted_once_and_not_by_the_stages_that_carry_them_on() -> None:
    assert measures.of(report_rendered()) == measures.of(report_sent()) == {}
