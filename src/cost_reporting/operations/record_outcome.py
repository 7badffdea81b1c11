"""Record Outcome: how a client's part of the run ended, written down for good."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from cost_reporting.contracts import ClientEnded, Failure, Outcome, OutcomeStatus, Run
from cost_reporting.outcomes import failed, failed_stage, message_of
from cost_reporting.store.runs import RunStore

APPROVAL: Final = "Look at the report, which the operators have by mail, and approve or reject it: scripts/report.py."


STOPPED: Final[dict[str, OutcomeStatus]] = {"ClientSuspended": "LEFT_OUT", "ClientUnknown": "REMOVED"}
"""Errors that say that an operator has taken the client out of the run: none fails it."""
WITHOUT_REPORT: Final = frozenset[OutcomeStatus]({"FAILED", "LATE", "LEFT_OUT", "REMOVED"})
"""How a client ends without its report, with no word of an approval."""
LATER: Final = "Nothing yet: the run looks again at the moment that its execution waits for."


def record_outcome(ended: ClientEnded, *, runs: RunStore, now: Callable[[], datetime]) -> Outcome:
    """Write the outcome, and the mark that the client has this report, or how it ended without it.

    Returns the outcome that stands: a failure that is recorded after the client's report was sent changes nothing.
    """
    outcome = outcome_of(ended)
    return write_outcome(ended.run, outcome, runs=runs, now=now)


def write_outcome(run: Run, outcome: Outcome, *, runs: RunStore, now: Callable[[], datetime]) -> Outcome:
    """Write the outcome, and what the judge of a report's status goes by. Returns the outcome that stands."""
    if run.mode == "live" and outcome.status == "SENT":
        runs.mark_delivered(run, outcome, now())
    stands = runs.record(run, outcome, now())
    if run.mode == "live" and outcome.status == stands.status and outcome.status in WITHOUT_REPORT:
        runs.mark_ended(run, outcome, now())
    return stands


def outcome_of(ended: ClientEnded) -> Outcome:
    """What the baton says about how far the client came, and why no further."""
    figures = {}
    if ended.costs is not None:
        costs = ended.costs
        figures = {
            "total": costs.total,
            "change": None if costs.previous is None else costs.total - costs.previous,
            "currency": costs.currency,
            "paid_requests": costs.paid_requests,
            "report_key": ended.report.pdf.key if ended.report else None,
        }
    if ended.failure is not None or ended.delivery is None:
        failure = ended.failure or Failure(error="NoOutcome", cause="the baton stopped without a failure")
        lost = failed(ended.client_id, failed_stage(ended), failure.error, message_of(failure))
        return lost.model_copy(update=figures | _kind_of(failure, ended))
    deliveries = ended.delivery.deliveries
    kept_back = next((each.state for each in deliveries if each.state in ("HELD", "REJECTED", "NOT_SENT")), None)
    without_logo = ended.report.logo_left_out if ended.report else None
    said = (ended.delivery.reason, f"without the client's logo: {without_logo}" if without_logo else None)
    return Outcome(
        client_id=ended.client_id,
        status="SENT" if kept_back is None else kept_back,
        message="; ".join(filter(None, said)) or None,
        remedy=APPROVAL if kept_back == "HELD" else None,
        recipients=len(deliveries),
    ).model_copy(update=figures)


def _kind_of(failure: Failure, ended: ClientEnded) -> dict[str, str]:
    if failure.error == "CostsNotReady" and not ended.last_look:
        return {"status": "LATE", "remedy": LATER}
    return {"status": STOPPED[failure.error]} if failure.error in STOPPED else {}
