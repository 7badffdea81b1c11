"""SES's events, as EventBridge brings them, in the words of the ledger.

The shapes are those of "Contents of event data that Amazon SES publishes" in the SES Developer Guide.
"""

from datetime import datetime
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from cost_reporting.ledger import Bounce, Event, State, fingerprint, report_of

STATES: Final[dict[str, State]] = {
    "Send": "SENT",
    "DeliveryDelay": "DELAYED",
    "Delivery": "DELIVERED",
    "Bounce": "BOUNCED",
    "Complaint": "COMPLAINED",
    "Reject": "REJECTED",
    "Rendering Failure": "REJECTED",
}
"""The state that each type of event puts a message into. Opens and clicks are not asked for."""

_BOUNCES: Final[dict[str, Bounce]] = {"Permanent": "Permanent", "Transient": "Transient"}


class _Mail(BaseModel):
    message_id: str = Field(alias="messageId")
    destination: list[str]
    tags: dict[str, list[str]]


class _Bounce(BaseModel):
    bounce_type: str = Field(alias="bounceType", default="Undetermined")


class _Detail(BaseModel):
    model_config = ConfigDict(extra="ignore")
    event_type: str = Field(alias="eventType")
    mail: _Mail
    bounce: _Bounce = _Bounce()


def ledger_event(detail: dict[str, Any], at: datetime) -> Event | None:
    """The event in the words of the ledger, or None if it is not about a report of ours.

    Raises pydantic's ValidationError, before anything is looked up, if it is not one of SES's events at all, or names a
    report that is none. A bounce that may pass by itself
    (``Transient``, a full mailbox or an absence) is a delay that says how it bounced.
    """
    event = _Detail.model_validate(detail)
    tags = {name: values[0] for name, values in event.mail.tags.items() if values}
    state = STATES.get(event.event_type)
    bounce: Bounce | None = None
    if state == "BOUNCED":
        bounce = _BOUNCES.get(event.bounce.bounce_type, "Undetermined")
        state = "BOUNCED" if bounce == "Permanent" else "DELAYED"
    if state is None or len(event.mail.destination) != 1 or not {"report_id", "try_id"} <= tags.keys():
        return None
    return Event(
        report=report_of(tags["report_id"]),
        recipient=fingerprint(event.mail.destination[0]),
        try_id=tags["try_id"],
        message_id=event.mail.message_id,
        state=state,
        at=at,
        bounce=bounce,
    )
