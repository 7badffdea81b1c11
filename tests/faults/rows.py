"""The table of faults: what is done to a run, how the run must end, and what must be done about it afterwards.

A place is ``function/service.Operation/n``, the n-th such call of an invocation. The calls of Send Email, in order: the
client's record, whether the report is held, the mail's words, the PDF, the ledger, SENDING into the ledger, SES, and
SENT into the ledger.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from tests.faults.scene import Scene

AGAIN: Final = "the same input again"
REDRIVE: Final = "a redrive"
OPERATOR: Final = "an operator looks whether it arrived, and else forces a mail"
SUCCEEDED: Final = "SUCCEEDED"


@dataclass(frozen=True)
class Crime:
    """What is done to the process of a function at a place of its work, and how many times."""

    at: str
    when: Literal["before", "after"] = "before"
    how: Literal["exit", "kill", "hang", "wait"] = "exit"
    times: int = 1


@dataclass(frozen=True)
class Row:
    """A fault. ``ends``: what the run says of its client; ``then``: what has to be done afterwards, if anything.

    Of executions that begin together, ``ends`` has one word each, in any order. With a ``story``, which does all that
    happens by itself, ``ends`` are those of its executions in order, ``mails`` is how many mails each recipient gets,
    ``own`` are fields of the client's record, and nothing is done afterwards.

    ``now`` is the product's clock. ``together`` executions begin at once. ``child_twice``: one worklist names the
    client twice. ``large``: the account's answers have pages.
    """

    group: str
    claim: str
    crimes: tuple[Crime, ...] = ()
    rules: tuple[dict[str, Any], ...] = ()
    ends: tuple[str, ...] = (SUCCEEDED,)
    then: str | None = None
    request: dict[str, Any] = field(default_factory=dict)
    period: str = ""
    now: str = ""
    recipients: int = 1
    together: int = 1
    child_twice: bool = False
    large: bool = False
    story: Callable[[Scene], None] | None = None
    mails: int = 1
    own: dict[str, Any] = field(default_factory=dict)


def at(place: str, **effect: Any) -> dict[str, Any]:
    """A rule for one call; ``times`` says how many of botocore's own tries meet it, all if it does not."""
    return {"headers": {"x-call": f"{place};"}} | effect


def of(function: str, service: str, **effect: Any) -> dict[str, Any]:
    """A rule for all calls that a function makes of a service."""
    return {"headers": {"x-call": f"{function}/"}, "service": service} | effect


def error(code: str, status: int) -> dict[str, Any]:
    """An error as the service words it."""
    return {"error": {"code": code, "status": status}}


LOST: Final = {"response": {"abort_bytes": 0}}
"""The service does what it was asked, and the connection breaks before its answer arrives."""
CUT: Final = {"response": {"truncate_frac": 0.5, "strip_headers": ["content-length"]}}
"""Half of the answer arrives, and looks as if it were all."""
RESET: Final = {"reset": True}
"""The connection breaks, and the service was not asked."""
SLOW: Final = {"latency": 1500}
"""Milliseconds here, five times as long there: long, and in time."""
TOO_SLOW: Final = {"latency": 6000}
"""The service does what it was asked when its caller has given up: 20 seconds there are 4 here."""
TOO_SLOW_FOR_COSTS: Final = {"latency": 14_000}
"""The same of Cost Explorer, which is given 60 seconds."""

EVENTS_LOST: Final = Crime("record-delivery/start", times=9)
"""No event of SES reaches the ledger."""

CLIENT, WORDS, PDF = "send-email/dynamodb.GetItem/1", "send-email/s3.GetObject/1", "send-email/s3.GetObject/2"
HELD, LEDGER, BEGIN = "send-email/dynamodb.GetItem/2", "send-email/dynamodb.GetItem/3", "send-email/dynamodb.PutItem/1"
SES, CONCLUDE = "send-email/sesv2.SendEmail/1", "send-email/dynamodb.PutItem/2"
UNCERTAIN: Final[dict[str, Any]] = {"ends": ("DeliveryUncertain",), "then": OPERATOR}
KILLED: Final[dict[str, Any]] = {"ends": ("Runtime.ExitError",), "then": AGAIN}
NO_OUTCOME: Final[dict[str, Any]] = {"ends": ("NoOutcome",), "then": AGAIN}


def failed(name: str) -> dict[str, Any]:
    """The client ends in the error ``name``, and the same input again mends it."""
    return {"ends": (name,), "then": AGAIN}


def _nothing() -> tuple[Row, ...]:
    return (Row("Nothing", "nothing happens"), Row("Nothing", "nothing happens to two recipients", recipients=2))


def _sender_killed() -> tuple[Row, ...]:
    group = "The sender is killed"
    steps = (
        (CLIENT, "it reads the client's record"),
        (HELD, "it reads whether the report is held"),
        (WORDS, "it reads the mail's words"),
        (PDF, "it reads the PDF"),
        (LEDGER, "it reads the ledger"),
        (BEGIN, "it writes SENDING"),
        (SES, "it asks SES"),
        (CONCLUDE, "it writes SENT"),
    )
    nobody_knows = {(BEGIN, "after"), (SES, "before")}
    return (
        *(
            Row(
                group,
                f"Send Email is killed {when} {what}",
                (Crime(place, when),),
                **(UNCERTAIN if (place, when) in nobody_knows else {}),
            )
            for place, what in steps
            for when in ("before", "after")
        ),
        Row(group, "Send Email is killed before it says a word", (Crime("send-email/start"),)),
        Row(group, "Send Email is killed before it answers", (Crime("send-email/end", "after"),)),
        Row(group, "Send Email is killed by its memory after SES has accepted", (Crime(SES, "after", "kill"),)),
        Row(group, "Send Email is killed twice before it reads the ledger", (Crime(LEDGER, times=2),), **KILLED),
        Row(
            group,
            "Send Email is killed after SES has accepted, and SES's events are lost",
            (Crime(SES, "after"), EVENTS_LOST),
            **UNCERTAIN,
        ),
        Row(
            group,
            "Send Email is killed before it writes SENT, and SES's events are lost",
            (Crime(CONCLUDE), EVENTS_LOST),
            **UNCERTAIN,
        ),
        Row(
            group,
            "Send Email is killed after it writes SENT, and SES's events are lost",
            (Crime(CONCLUDE, "after"), EVENTS_LOST),
        ),
        Row(
            group,
            "Send Email is killed between two recipients",
            (Crime("send-email/dynamodb.GetItem/4"),),
            recipients=2,
        ),
        Row(
            group,
            "Send Email is killed after SES has accepted the second of two",
            (Crime("send-email/sesv2.SendEmail/2", "after"),),
            recipients=2,
        ),
    )


def _others_killed() -> tuple[Row, ...]:
    group = "Another function is killed"
    run_killed: dict[str, Any] = {"ends": ("run: Runtime.ExitError",), "then": AGAIN}
    once = (
        ("list-clients/s3.PutObject/1", "before", "List Clients is killed before it stores the worklist"),
        ("list-clients/s3.PutObject/1", "after", "List Clients is killed after it stores the worklist"),
        ("list-clients/dynamodb.PutItem/1", "after", "List Clients is killed after it writes the run down"),
        ("fetch-costs/sts.AssumeRole/1", "after", "Fetch Costs is killed after it has the client's keys"),
        ("fetch-costs/ce.GetCostAndUsage/2", "before", "Fetch Costs is killed between two paid questions"),
        ("fetch-costs/s3.PutObject/3", "before", "Fetch Costs is killed before it stores the answers"),
        ("fetch-costs/s3.PutObject/3", "after", "Fetch Costs is killed after it stores the answers"),
        ("fetch-costs/s3.PutObject/4", "after", "Fetch Costs is killed after it stores the costs"),
        ("render-pdf/s3.PutObject/1", "before", "Render PDF is killed before it stores the PDF"),
        ("render-pdf/s3.PutObject/1", "after", "Render PDF is killed after it stores the PDF"),
        ("render-pdf/s3.PutObject/2", "after", "Render PDF is killed after it stores the mail's words"),
        ("render-pdf/s3.PutObject/3", "after", "Render PDF is killed after it stores the evidence"),
        ("record-outcome/dynamodb.PutItem/1", "before", "Record Outcome is killed before it marks the report as had"),
        ("record-outcome/dynamodb.PutItem/1", "after", "Record Outcome is killed before it writes the outcome"),
        ("record-outcome/dynamodb.PutItem/2", "after", "Record Outcome is killed after it writes the outcome"),
        ("record-delivery/dynamodb.PutItem/1", "before", "Record Delivery is killed before it moves the ledger on"),
    )
    denied = at("fetch-costs/sts.AssumeRole/1", **error("AccessDenied", 403))
    return (
        *(Row(group, claim, (Crime(place, when),)) for place, when, claim in once),  # type: ignore[arg-type]
        Row(
            group,
            "Record Outcome is killed twice between the mark and the outcome",
            (Crime("record-outcome/dynamodb.PutItem/1", "after", times=2),),
            **NO_OUTCOME,
        ),
        Row(
            group,
            "Record Outcome is killed twice before it writes anything, and the run is redriven",
            (Crime("record-outcome/dynamodb.PutItem/1", times=2),),
            ends=("NoOutcome",),
            then=REDRIVE,
        ),
        Row(
            group,
            "List Clients is killed twice",
            (Crime("list-clients/s3.PutObject/1", times=2),),
            **run_killed,
        ),
        Row(
            group,
            "Settle Run is killed before it stores the summary",
            (Crime("settle-run/s3.PutObject/1"),),
        ),
        Row(
            group,
            "Settle Run is killed twice before it stores the summary",
            (Crime("settle-run/s3.PutObject/1", times=2),),
            **run_killed,
        ),
        Row(
            group,
            "Settle Run is killed after it has put a failure on record",
            (Crime("settle-run/dynamodb.PutItem/1", "after"),),
            (denied,),
            **failed("ClientAccessDenied"),
        ),
        Row(
            group,
            "Settle Run is killed after it has put a failure on record, and the run is redriven",
            (Crime("settle-run/dynamodb.PutItem/1", "after"),),
            (denied,),
            ends=("ClientAccessDenied",),
            then=REDRIVE,
        ),
    )


def _at_once() -> tuple[Row, ...]:
    group = "The same at once"
    two: dict[str, Any] = {"together": 2, "ends": (SUCCEEDED,) * 2, "then": AGAIN}
    return (
        Row(group, "two executions of the same input run at once", **two),
        Row(group, "four executions of the same input run at once", together=4, ends=(SUCCEEDED,) * 4, then=AGAIN),
        Row(
            group,
            "two executions of the same input run at once, and SES is slow",
            rules=(at(SES, **SLOW),),
            **two,
        ),
        Row(group, "one worklist names the same client twice", child_twice=True, then=AGAIN),
        Row(
            group,
            "two executions run at once, and one sender is killed after SES has accepted",
            (Crime(SES, "after"),),
            **two,
        ),
    )


def _timeouts() -> tuple[Row, ...]:
    group = "A function runs into its timeout"
    once = (
        ("list-clients/dynamodb.Scan/1", "before", "List Clients times out"),
        ("fetch-costs/ce.GetCostAndUsage/1", "after", "Fetch Costs times out after a paid question"),
        ("render-pdf/s3.PutObject/1", "before", "Render PDF times out"),
        (LEDGER, "before", "Send Email times out before it reads the ledger"),
        (CONCLUDE, "before", "Send Email times out after SES has accepted"),
        ("record-outcome/dynamodb.PutItem/1", "after", "Record Outcome times out between its writes"),
    )
    return (
        *(Row(group, claim, (Crime(place, when, "hang"),)) for place, when, claim in once),  # type: ignore[arg-type]
        Row(group, "Send Email times out before SES is asked", (Crime(SES, how="hang"),), **UNCERTAIN),
        Row(
            group,
            "Settle Run times out",
            (Crime("settle-run/dynamodb.Query/1", how="hang"),),
        ),
        Row(
            group,
            "Settle Run times out twice, and the run is redriven",
            (Crime("settle-run/dynamodb.Query/1", how="hang", times=2),),
            ends=("run: Sandbox.Timedout",),
            then=REDRIVE,
        ),
    )


def _ses() -> tuple[Row, ...]:
    group = "SES"
    throttled = error("TooManyRequestsException", 429)
    later: dict[str, Any] = {"then": AGAIN}
    return (
        Row(group, "SES throttles once", rules=(at(SES, times=1, **throttled),)),
        Row(group, "SES throttles for long", rules=(at(SES, **throttled),), ends=("DeliveryThrottled",), **later),
        Row(
            group,
            "SES is out of quota",
            rules=(at(SES, **error("LimitExceededException", 400)),),
            ends=("DeliveryThrottled",),
            **later,
        ),
        Row(
            group,
            "SES refuses the message",
            rules=(at(SES, **error("MessageRejected", 400)),),
            **failed("DeliveryRejected"),
        ),
        Row(
            group,
            "SES has paused the account",
            rules=(at(SES, **error("SendingPausedException", 400)),),
            **failed("DeliveryRejected"),
        ),
        Row(
            group,
            "SES answers 500 once, and has accepted nothing",
            rules=(at(SES, times=1, **error("InternalFailure", 500)),),
            **UNCERTAIN,
        ),
        Row(group, "SES answers 503 for long", rules=(at(SES, **error("ServiceUnavailable", 503)),), **UNCERTAIN),
        Row(group, "the connection to SES breaks before it is asked", rules=(at(SES, times=1, **RESET),), **UNCERTAIN),
        Row(
            group,
            "SES accepts, and its answer is lost",
            rules=(at(SES, times=1, **LOST),),
            **failed("DeliveryUncertain"),
        ),
        Row(
            group,
            "SES accepts, and its answer and its events are lost",
            (EVENTS_LOST,),
            (at(SES, times=1, **LOST),),
            **UNCERTAIN,
        ),
        Row(
            group,
            "SES accepts, and half of its answer is lost",
            rules=(at(SES, times=1, **CUT),),
            **failed("DeliveryUncertain"),
        ),
        Row(group, "SES is slow", rules=(at(SES, **SLOW),)),
        Row(
            group,
            "SES accepts when its caller has given up",
            rules=(at(SES, times=1, **TOO_SLOW),),
            **failed("DeliveryUncertain"),
        ),
        Row(
            group,
            "SES throttles the second of two recipients",
            rules=(at("send-email/sesv2.SendEmail/2", times=1, **throttled),),
            recipients=2,
        ),
        Row(
            group,
            "SES refuses the first of two recipients",
            rules=(at(SES, **error("MessageRejected", 400)),),
            recipients=2,
            **failed("DeliveryRejected"),
        ),
    )


def _dynamodb() -> tuple[Row, ...]:
    group = "DynamoDB"
    busy, refused = error("ProvisionedThroughputExceededException", 400), error("AccessDeniedException", 400)
    outcome = "record-outcome/dynamodb.PutItem/2"
    return (
        Row(group, "DynamoDB throttles the ledger once", rules=(at(LEDGER, times=1, **busy),)),
        Row(group, "DynamoDB throttles the ledger for long", rules=(at(LEDGER, **busy),), **failed("StoreThrottled")),
        Row(group, "DynamoDB throttles SENDING for a while", rules=(at(BEGIN, times=4, **busy),)),
        Row(
            group,
            "DynamoDB answers 500 to SENDING, for long",
            rules=(at(BEGIN, **error("InternalServerError", 500)),),
            **failed("StoreThrottled"),
        ),
        Row(group, "SENDING is written, and the answer is lost", rules=(at(BEGIN, times=1, **LOST),)),
        Row(group, "SENDING is written, and every answer is lost", rules=(at(BEGIN, times=3, **LOST),), **UNCERTAIN),
        Row(group, "the connection breaks before SENT is written", rules=(at(CONCLUDE, times=1, **RESET),)),
        Row(group, "DynamoDB takes no SENT for a while", rules=(at(CONCLUDE, times=3, **busy),)),
        Row(
            group,
            "DynamoDB takes no SENT for a while, and SES's events are lost",
            (EVENTS_LOST,),
            (at(CONCLUDE, times=3, **busy),),
            **UNCERTAIN,
        ),
        Row(
            group,
            "SES throttles, and DynamoDB takes no REFUSED",
            rules=(at(SES, times=1, **error("TooManyRequestsException", 429)), at(CONCLUDE, times=3, **busy)),
            **UNCERTAIN,
        ),
        Row(group, "DynamoDB is slow in every function", rules=({"service": "dynamodb", "latency": 300},)),
        Row(
            group,
            "DynamoDB answers 503 to List Clients, for long",
            rules=(of("list-clients", "dynamodb", **error("ServiceUnavailable", 503)),),
            ends=("run: StoreThrottled",),
            then=AGAIN,
        ),
        Row(
            group,
            "the connection of Fetch Costs to DynamoDB breaks once",
            rules=(of("fetch-costs", "dynamodb", times=1, **RESET),),
        ),
        Row(
            group,
            "the outcomes table refuses the begin of a run",
            rules=(at("list-clients/dynamodb.PutItem/1", **refused),),
            ends=("run: StoreRefused",),
            then=AGAIN,
        ),
        Row(group, "the outcomes table refuses SENDING", rules=(at(BEGIN, **refused),), **failed("StoreRefused")),
        Row(group, "the outcomes table refuses SENT", rules=(at(CONCLUDE, **refused),), **failed("StoreRefused")),
        Row(
            group,
            "the outcomes table refuses the mark that a report is had",
            rules=(at("record-outcome/dynamodb.PutItem/1", **refused),),
            **NO_OUTCOME,
        ),
        Row(group, "the outcomes table refuses the outcome", rules=(at(outcome, **refused),), **NO_OUTCOME),
        Row(
            group,
            "the outcomes table refuses the outcome, and the run is redriven",
            rules=(at(outcome, **refused),),
            ends=("NoOutcome",),
            then=REDRIVE,
        ),
        Row(group, "the outcomes table throttles the outcome for a while", rules=(at(outcome, times=7, **busy),)),
        Row(group, "the outcome is written, and the answer is lost", rules=(at(outcome, times=1, **LOST),)),
        Row(
            group,
            "Settle Run cannot read the outcomes, for long",
            rules=(of("settle-run", "dynamodb", **busy),),
            ends=("run: StoreThrottled",),
            then=REDRIVE,
        ),
    )


def _s3() -> tuple[Row, ...]:
    group = "S3"
    slow_down = error("SlowDown", 503)
    return (
        Row(group, "S3 throttles Fetch Costs once", rules=(at("fetch-costs/s3.PutObject/2", times=1, **slow_down),)),
        Row(
            group, "S3 throttles Render PDF for a while", rules=(at("render-pdf/s3.PutObject/1", times=4, **slow_down),)
        ),
        Row(
            group,
            "S3 throttles Send Email for long",
            rules=(of("send-email", "s3", **slow_down),),
            **failed("StoreThrottled"),
        ),
        Row(
            group,
            "S3 answers 500 to Fetch Costs, for long",
            rules=(of("fetch-costs", "s3", **error("InternalError", 500)),),
            **failed("StoreThrottled"),
        ),
        Row(
            group,
            "S3 answers 503 to List Clients once",
            rules=(of("list-clients", "s3", times=1, **error("ServiceUnavailable", 503)),),
        ),
        Row(
            group,
            "the connection breaks while the PDF is stored",
            rules=(at("render-pdf/s3.PutObject/1", times=1, **RESET),),
        ),
        Row(
            group,
            "the PDF is stored, and the answer is lost",
            rules=(at("render-pdf/s3.PutObject/1", times=1, **LOST),),
        ),
        Row(
            group,
            "the connection breaks in the middle of the PDF that is to be mailed",
            rules=(at(PDF, times=1, response={"abort_frac": 0.5}),),
        ),
        Row(
            group,
            "half of the PDF arrives, and looks whole",
            rules=(at(PDF, times=1, **CUT),),
        ),
        Row(group, "S3 is slow in every function", rules=({"service": "s3", "latency": 300},)),
        Row(
            group,
            "S3 refuses the summary",
            rules=(at("settle-run/s3.PutObject/1", **error("AccessDenied", 403)),),
            ends=("run: StoreRefused",),
            then=REDRIVE,
        ),
    )


def _sts() -> tuple[Row, ...]:
    group, assume = "STS", "fetch-costs/sts.AssumeRole/1"
    return (
        Row(group, "STS throttles once", rules=(at(assume, times=1, **error("Throttling", 400)),)),
        Row(
            group, "STS throttles for long", rules=(at(assume, **error("Throttling", 400)),), **failed("CostsThrottled")
        ),
        Row(group, "STS answers 500 for a while", rules=(at(assume, times=4, **error("InternalFailure", 500)),)),
        Row(
            group,
            "STS answers 503 for long",
            rules=(at(assume, **error("ServiceUnavailable", 503)),),
            **failed("CostsThrottled"),
        ),
        Row(group, "the connection to STS breaks once", rules=(at(assume, times=1, **RESET),)),
        Row(group, "half of STS's answer is lost", rules=(at(assume, times=1, **CUT),)),
        Row(group, "STS is slow", rules=(at(assume, **SLOW),)),
        Row(
            group,
            "STS refuses the role",
            rules=(at(assume, **error("AccessDenied", 403)),),
            **failed("ClientAccessDenied"),
        ),
    )


def _cost_explorer() -> tuple[Row, ...]:
    group = "Cost Explorer"
    first, second = "fetch-costs/ce.GetCostAndUsage/1", "fetch-costs/ce.GetCostAndUsage/2"
    throttled = error("LimitExceededException", 400)
    pages: dict[str, Any] = {"large": True, "request": {"cadence": "monthly"}}
    return (
        Row(group, "Cost Explorer throttles once", rules=(at(first, times=1, **throttled),)),
        Row(group, "Cost Explorer throttles for a while", rules=(at(second, times=5, **throttled),)),
        Row(group, "Cost Explorer throttles for long", rules=(at(first, **throttled),), **failed("CostsThrottled")),
        Row(group, "Cost Explorer answers 500 once", rules=(at(second, times=1, **error("InternalServerError", 500)),)),
        Row(
            group,
            "Cost Explorer answers 503 for long",
            rules=(at(first, **error("ServiceUnavailable", 503)),),
            **failed("CostsThrottled"),
        ),
        Row(group, "the connection to Cost Explorer breaks once", rules=(at(first, times=1, **RESET),)),
        Row(
            group,
            "the connection to Cost Explorer breaks for long",
            rules=(at(first, **RESET),),
            **failed("CostsThrottled"),
        ),
        Row(group, "Cost Explorer is slow", rules=(at(first, **SLOW),)),
        Row(
            group,
            "Cost Explorer answers when its caller has given up",
            rules=(at(first, times=1, **TOO_SLOW_FOR_COSTS),),
        ),
        Row(
            group,
            "Cost Explorer has no data yet",
            rules=(at(first, **error("DataUnavailableException", 400)),),
            **failed("CostsNotReady"),
        ),
        Row(
            group,
            "the first of Cost Explorer's answers is cut off",
            rules=(at(first, times=1, **CUT),),
            **failed("CostsUnreadable"),
        ),
        Row(group, "the second of Cost Explorer's answers is cut off", rules=(at(second, times=1, **CUT),)),
        Row(group, "an answer of several pages arrives", **pages),
        Row(group, "a page is lost on its way", rules=(at(second, times=1, **LOST),), **pages),
        Row(group, "a page can never be had", rules=(at(second, **LOST),), **pages, **failed("CostsThrottled")),
        Row(
            group,
            "a page's token is refused",
            rules=(at(second, times=1, **error("InvalidNextTokenException", 400)),),
            **pages,
        ),
        Row(
            group,
            "a page is cut off, with all that follow it",
            rules=(at(second, times=1, **CUT),),
            **pages,
            **failed("CostsUnreadable"),
        ),
    )


def _clock() -> tuple[Row, ...]:
    group = "The clock"
    moments = (
        ("the last day of February", "weekly", "2025-02-28T05:00:00+00:00", "2025-W08"),
        ("March, about February", "monthly", "2025-03-08T05:00:00+00:00", "2025-02"),
        ("leap day", "weekly", "2024-02-29T05:00:00+00:00", "2024-W08"),
        ("March, about the February with a leap day", "monthly", "2024-03-08T05:00:00+00:00", "2024-02"),
        ("the week after leap day's", "weekly", "2024-03-05T05:00:00+00:00", "2024-W09"),
        ("the hour that daylight saving skips", "weekly", "2024-03-31T01:30:00+00:00", "2024-W12"),
        (
            "the first midnight of summer time, a day before it is one in UTC",
            "weekly",
            "2024-03-31T22:30:00+00:00",
            "2024-W13",
        ),
        ("the hour that comes twice when daylight saving ends", "weekly", "2024-10-27T00:30:00+00:00", "2024-W42"),
        ("the first midnight of winter time", "weekly", "2024-10-27T23:30:00+00:00", "2024-W43"),
        ("New Year's Eve in UTC, and New Year in Berlin", "monthly", "2024-12-31T23:30:00+00:00", "2024-12"),
        ("the year's first week, which begins in the old year", "weekly", "2025-01-07T05:00:00+00:00", "2025-W01"),
        ("January, about week 53", "weekly", "2021-01-05T05:00:00+00:00", "2020-W53"),
    )
    return tuple(
        Row(
            group,
            f"it is {what}",
            request={"cadence": cadence, "period": None, "scheduled_at": moment},
            period=period,
            now=moment,
        )
        for what, cadence, moment, period in moments
    )


ROWS: Final[tuple[Row, ...]] = (
    *_nothing(),
    *_sender_killed(),
    *_others_killed(),
    *_at_once(),
    *_timeouts(),
    *_ses(),
    *_dynamodb(),
    *_s3(),
    *_sts(),
    *_cost_explorer(),
    *_clock(),
)
