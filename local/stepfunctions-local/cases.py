"""The cases: what each state answers, by name, and how the execution has to end.

A run of one client throughout, so that a trace has one order. An answer is a payload of the product's own contracts, or
the name of an error. The n-th answer is that to the n-th call of the state in the execution, its retries included, and
the last one is repeated: a state that is entered again goes on counting.
"""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple

from pydantic import BaseModel

from cost_reporting.contracts import (
    Check,
    ClientDue,
    CostsFetched,
    Delivery,
    FetchedCosts,
    Health,
    Outcome,
    OutcomeStatus,
    Period,
    Receipt,
    RenderedReport,
    ReportRendered,
    ReportSent,
    Run,
    RunSummary,
    StartedTwice,
    StoredObject,
    Worklist,
)
from cost_reporting.errors import remedy_of

Answer = str | dict[str, Any]
"""The name of an error, or a payload."""
Mocks = dict[str, tuple[Answer, ...]]

BEGAN: Final = datetime(2025, 11, 8, 6, 0, tzinfo=UTC)
"""Long ago: a wait until some time after it is over at once in every engine."""
_RUN: Final = Run(
    run_id="monthly-2025-10-final-1a2b3c4d",
    cadence="monthly",
    period=Period(start=date(2025, 10, 1), end=date(2025, 11, 1)),
    issue="final",
    mode="live",
    nominal_at=BEGAN,
)
_HASH: Final = "0" * 64


class Case(NamedTuple):
    """``ends``: as which error, or SUCCEEDED. ``start``: the state at which it begins, if not at the first."""

    says: str
    mocks: Mocks
    ends: str = "SUCCEEDED"
    asked: dict[str, Any] = {"cadence": "monthly"}  # noqa: RUF012 - never changed
    start: str | None = None


def _stored(name: str) -> StoredObject:
    return StoredObject(key=f"reports/acme/monthly/2025-10/final/{name}", size=1, sha256=_HASH)


def _plain(fact: BaseModel) -> dict[str, Any]:
    return fact.model_dump(mode="json", exclude_none=True)


def worklist(*client_ids: str, pass_number: int = 1, looks: int = 0, last_look: bool = False) -> dict[str, Any]:
    """The worklist of a pass, with what the derived definition reads from it instead of bucket and context object.

    ``clients`` are the lines that the Distributed Map reads from the bucket; ``redrives`` and ``entered_at`` are what
    Settle Run is told of the execution.
    """
    due = [ClientDue(run=_RUN, client_id=client_id, last_look=last_look) for client_id in client_ids]
    listed = Worklist(
        run=_RUN,
        pass_number=pass_number,
        worklist=StoredObject(key=f"runs/{_RUN.run_id}/worklist-{pass_number}.jsonl", size=1, sha256=_HASH),
        client_count=len(due),
        concurrent_clients=5,
        looks=looks,
        look_again_at=BEGAN + timedelta(minutes=30) if looks else None,
    )
    return _plain(listed) | {
        "clients": [_plain(each) for each in due],
        "redrives": 0,
        "entered_at": BEGAN.isoformat(),
    }


_DUE: Final = ClientDue(run=_RUN, client_id="acme", last_look=False)
_COSTS: Final = FetchedCosts(
    document=_stored("costs.json"),
    total=Decimal("1.00"),
    previous=Decimal("1.00"),
    currency="USD",
    estimated=False,
    paid_requests=2,
)
_REPORT: Final = RenderedReport(
    pdf=_stored("report.pdf"),
    mail=_stored("mail.json"),
    attachments=(),
    evidence=_stored("evidence.json"),
    file_name="acme-2025-10.pdf",
)
_RECEIPT: Final = Receipt(deliveries=(Delivery(recipient="a" * 16, state="SENT"),))


def _outcome(status: OutcomeStatus, error: str | None = None) -> dict[str, Any]:
    remedy = None if error is None else remedy_of(error)
    return _plain(Outcome(client_id="acme", status=status, error=error, remedy=remedy))


FETCHED: Final = _plain(CostsFetched(**dict(_DUE), costs=_COSTS))
RENDERED: Final = _plain(ReportRendered(**dict(_DUE), costs=_COSTS, report=_REPORT))
SENT: Final = _plain(ReportSent(**dict(_DUE), costs=_COSTS, report=_REPORT, delivery=_RECEIPT))
SUMMARY: Final = _plain(
    RunSummary(
        run=_RUN, pass_number=1, client_count=1, sent=1, not_sent=0, processed=1, summary=_stored("summary.json")
    )
)
HEALTHY: Final = _plain(
    Health(status="healthy", checks=(Check(name="clients table", healthy=True, detail="active"),), checked_at=BEGAN)
)
ONE: Final = worklist("acme")
NOBODY: Final = worklist()

_WELL: Final[Mocks] = {
    "List Clients": (ONE,),
    "Fetch Costs": (FETCHED,),
    "Render PDF": (RENDERED,),
    "Send Email": (SENT,),
    "Record Outcome": (_outcome("SENT"),),
    "Settle Run": (SUMMARY,),
}
_INCOMPLETE: Final[Mocks] = {"Settle Run": ("RunIncomplete",)}


def _but(*changes: Mocks) -> Mocks:
    """All goes well, but for this."""
    together = dict(_WELL)
    for each in changes:
        together |= each
    return together


def _lost(state: str, *errors: str) -> Mocks:
    """The client fails in ``state``, and the run for want of its report."""
    return _but({state: errors, "Record Outcome": (_outcome("FAILED", errors[-1]),)}, _INCOMPLETE)


_AGAIN: Final = worklist("acme", pass_number=2, last_look=True)

CASES: Final[dict[str, Case]] = {
    "HealthCheck": Case("A health check touches no client.", {"Check Health": (HEALTHY,)}, asked={"test": True}),
    "HappyPath": Case("One client gets its report.", _but()),
    "NobodyDue": Case("A run without clients is settled at once.", _but({"List Clients": (NOBODY,)})),
    "InvalidRequest": Case(
        "A request that makes no sense ends the run.", _but({"List Clients": ("InvalidRequest",)}), "InvalidRequest"
    ),
    "StartedTwice": Case(
        "A second start of the same moment does nothing.",
        _but({"List Clients": (_plain(StartedTwice(run=_RUN, double_of="arn:aws:states:::execution:first")),)}),
    ),
    "ListingThrottledThenFine": Case(
        "Listing is tried again when the tables throttle.", _but({"List Clients": ("StoreThrottled", ONE)})
    ),
    "ThrottledThenFine": Case(
        "Cost Explorer throttles twice, then answers.",
        _but({"Fetch Costs": ("CostsThrottled", "CostsThrottled", FETCHED)}),
    ),
    "AlwaysThrottled": Case(
        "Cost Explorer throttles to the last try: the client fails.",
        _lost("Fetch Costs", "CostsThrottled"),
        "RunIncomplete",
    ),
    "AccessDenied": Case(
        "A client that does not let us in fails without a retry.",
        _lost("Fetch Costs", "ClientAccessDenied"),
        "RunIncomplete",
    ),
    "ServiceErrorThenFine": Case(
        "Lambda's own error is tried again.", _but({"Render PDF": ("Lambda.ServiceException", RENDERED)})
    ),
    "LambdaTooSlowToAnswerThenFine": Case(
        "A call that Step Functions gave up waiting for is made again, in the states of the run as well.",
        _but(
            {
                "List Clients": ("Lambda.ClientExecutionTimeoutException", ONE),
                "Settle Run": ("Lambda.ClientExecutionTimeoutException", SUMMARY),
            }
        ),
    ),
    "RenderKilledOnce": Case(
        "A render that was killed is made again without the logo.",
        _but({"Render PDF": ("Runtime.ExitError",), "Render Without Logo": (RENDERED,)}),
    ),
    "RenderKilledTwice": Case(
        "A render that is killed without the logo too fails the client.",
        _lost("Render Without Logo", "Runtime.ExitError") | {"Render PDF": ("Runtime.ExitError",)},
        "RunIncomplete",
    ),
    "DeliveryUncertain": Case(
        "A mail that SES may have taken is never tried again.",
        _lost("Send Email", "DeliveryUncertain"),
        "RunIncomplete",
    ),
    "DeliveryUnderwayThenSent": Case(
        "A mail that another execution sends is waited for.", _but({"Send Email": ("DeliveryUnderway", SENT)})
    ),
    "DeliveryThrottledThenSent": Case(
        "SES throttles once, and has accepted nothing.", _but({"Send Email": ("DeliveryThrottled", SENT)})
    ),
    "DocumentReplacedOnce": Case(
        "A client whose document was replaced begins again.", _but({"Send Email": ("StaleDocument", SENT)})
    ),
    "DocumentReplacedTwice": Case(
        "It begins again once only.",
        _lost("Render PDF", "StaleDocument") | {"Fetch Costs": (FETCHED, FETCHED | {"restarted": True})},
        "RunIncomplete",
    ),
    "SuspendedInBetween": Case(
        "A client that is suspended while its report is made is left out, and the run does not fail.",
        _but({"Send Email": ("ClientSuspended",), "Record Outcome": (_outcome("LEFT_OUT", "ClientSuspended"),)}),
    ),
    "LateClientsSecondPass": Case(
        "A client whose figures are late frees its place, and gets its report in the second pass.",
        _but(
            {
                "Fetch Costs": ("CostsNotReady", FETCHED),
                "Record Outcome": (_outcome("LATE", "CostsNotReady"), _outcome("SENT")),
                "Settle Run": (worklist("acme", pass_number=2, looks=1), SUMMARY),
            }
        ),
    ),
    "LateToTheLast": Case(
        "After the last look a late client fails.",
        _but(
            {
                "Fetch Costs": ("CostsNotReady",),
                "Record Outcome": (
                    _outcome("LATE", "CostsNotReady"),
                    _outcome("LATE", "CostsNotReady"),
                    _outcome("FAILED", "CostsNotReady"),
                ),
                "Settle Run": (
                    worklist("acme", pass_number=2, looks=1),
                    worklist("acme", pass_number=3, looks=2, last_look=True),
                    "RunIncomplete",
                ),
            }
        ),
        "RunIncomplete",
    ),
    "RecordOutcomeFails": Case(
        "A client's part that ends without an outcome does not keep the run from its verdict.",
        _but({"Record Outcome": ("StoreRefused",)}, _INCOMPLETE),
        "RunIncomplete",
    ),
    "SettleRunKilledOnce": Case(
        "A verdict whose answer was lost is asked for again, and is the same.",
        _but({"Settle Run": ("Sandbox.Timedout", "RunIncomplete")}),
        "RunIncomplete",
    ),
    "RedrivePass": Case(
        "A redrive works on the client that failed, and only then the run succeeds.",
        _but({"Settle Run": (_AGAIN, SUMMARY)}),
        asked=ONE | {"redrives": 1},
        start="Settle Run",
    ),
    "RedriveRemovedClient": Case(
        "A client that was removed before the redrive ends as REMOVED, and the run does not fail.",
        _but(
            {
                "Settle Run": (_AGAIN, SUMMARY),
                "Fetch Costs": ("ClientUnknown",),
                "Record Outcome": (_outcome("REMOVED", "ClientUnknown"),),
            }
        ),
        asked=ONE | {"redrives": 1},
        start="Settle Run",
    ),
    "RedriveFailsAgain": Case(
        "A client that fails again is named again.",
        _lost("Fetch Costs", "ClientAccessDenied") | {"Settle Run": (_AGAIN, "RunIncomplete")},
        "RunIncomplete",
        asked=ONE | {"redrives": 1},
        start="Settle Run",
    ),
}
