"""How the clients of a run ended, and what that says about the run."""

import json
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from cost_reporting.contracts import (
    Cadence,
    ClientEnded,
    Fact,
    Failure,
    Issue,
    Mode,
    Outcome,
    OutcomeStatus,
    with_one_issue,
)
from cost_reporting.errors import remedy_of

CAUSE_LIMIT: Final = 20_000
"""Bytes of a run's sentence as JSON. Step Functions cuts a cause, which holds a stack trace too, at 32,768 bytes."""

STAGES: Final = (("costs", "Fetch Costs"), ("report", "Render PDF"), ("delivery", "Send Email"))
"""Each field of the baton with the state that adds it: the first field missing names the stage that failed."""


class RunListed(Fact):
    """A run as the list of its month has it. ``execution_id`` is the execution's ARN."""

    run_id: str
    cadence: Cadence
    period: str
    issue: Issue
    mode: Mode
    client_count: Annotated[int, Field(ge=0)]
    execution_id: str
    started_at: AwareDatetime

    @model_validator(mode="before")
    @classmethod
    def _a_weekly_report_has_one_issue(cls, given: Any) -> Any:
        return with_one_issue(given)


class OutcomeKept(Fact):
    """How a client's part of a run ended, as it stands on record, and since when."""

    outcome: Outcome
    at: AwareDatetime


class RunKept(Fact):
    """All that is on record about a run. ``verdicts`` say of each pass that failed how many clients had no report."""

    listed: RunListed
    recorded: tuple[OutcomeKept, ...]
    verdicts: tuple[Annotated[int, Field(ge=0)], ...]


class _Cause(BaseModel):
    model_config = ConfigDict(extra="ignore")
    errorMessage: str = ""  # noqa: N815 - Lambda's spelling


def failed_stage(ended: ClientEnded) -> str:
    """The state at which the client's baton stopped."""
    return next((stage for field, stage in STAGES if getattr(ended, field) is None), "Record Outcome")


def message_of(failure: Failure) -> str:
    """The sentence in a failure: the message of the Lambda error in its cause, or the cause itself."""
    try:
        return _Cause.model_validate_json(failure.cause).errorMessage or failure.error
    except ValueError:
        return failure.cause or failure.error


def failed(client_id: str, stage: str, error: str, message: str) -> Outcome:
    """The outcome of a client that has no report, with the remedy for its error."""
    return Outcome(
        client_id=client_id, status="FAILED", stage=stage, error=error, message=message[:2000], remedy=remedy_of(error)
    )


def settle(clients: Iterable[str], recorded: Mapping[str, Outcome]) -> list[Outcome]:
    """One outcome for each client of the run: the recorded one, or, for a client without any, a failure saying so."""
    return [
        recorded.get(client_id)
        or failed(client_id, "Record Outcome", "NoOutcome", "the client's part of the run left no outcome")
        for client_id in clients
    ]


def left_late(outcome: Outcome, looks: int) -> Outcome:
    """What a LATE outcome comes to when no look is left.

    The last look records FAILED if the figures are still not there. So after a look, LATE is an earlier pass's word,
    and the look itself left none.
    """
    if not looks:
        lost = failed(outcome.client_id, outcome.stage or "", outcome.error or "", outcome.message or "")
        return outcome.model_copy(update={"status": "FAILED", "remedy": lost.remedy})
    said = f"the last look at the client left no outcome; before it: {outcome.error}: {outcome.message}"
    return failed(outcome.client_id, "Record Outcome", "NoOutcome", said)


def with_status(outcomes: Iterable[Outcome], status: OutcomeStatus) -> list[Outcome]:
    """Those that ended with ``status``."""
    return [outcome for outcome in outcomes if outcome.status == status]


def processed(outcomes: Iterable[Outcome]) -> int:
    """How many clients a run has worked on to an end: not those that are late, or that an operator took out."""
    return sum(outcome.status not in ("LATE", "LEFT_OUT", "REMOVED") for outcome in outcomes)


def verdict(outcomes: list[Outcome]) -> str:
    """What RunIncomplete says: each client without a report, its error and remedy, as far as a cause can hold."""
    losses = with_status(outcomes, "FAILED")
    lines = [f"{len(losses)} of {len(outcomes)} clients have no report."]
    room = CAUSE_LIMIT
    for number, loss in enumerate(losses):
        line = f"{loss.client_id}: {loss.error} at {loss.stage}: {(loss.message or '')[:300]} Remedy: {loss.remedy}"
        room -= len(json.dumps(line))
        if room < 0:
            lines.append(f"And {len(losses) - number} more: see summary.json.")
            break
        lines.append(line)
    return "\n".join(lines)
