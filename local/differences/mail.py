"""Mail: kept as it was sent, checked as SES checks it, and followed by SES's events.

Restored here, for SendEmail of SES v2, where MiniStack differs:

- the message is what was sent: upstream keeps a subject and the texts, and drops attachments and headers. Here every
  accepted message lies as an .eml file in a folder, byte for byte, with one line about it in ``messages.jsonl``;
- a configuration set must exist; upstream takes any name;
- an event destination gets the events: upstream stores it and sends nothing. As on AWS, the default event bus receives
  ``Email Sent``, then ``Email Delivered``, or what the mailbox simulator's addresses ask for (bounce@, complaint@,
  suppressionlist@simulator.amazonses.com, with or without +label), with the message's tags, if the destination is
  enabled and asks for that type of event;
- IAM: sending is allowed or denied on the identity and on the configuration set, with ``ses:FromAddress`` and
  ``ses:Recipients`` as condition keys, and a raw message needs ``ses:SendRawEmail``. Upstream asks for
  ``ses:SendEmail`` on ``*``, which no policy that names an identity allows.
"""

import base64
import contextvars
import json
import os
import queue
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.parser import BytesParser
from email.policy import SMTP
from email.utils import parseaddr
from pathlib import Path
from typing import Any

from local.differences import measured
from local.differences.upstream import upstream

SEND_EMAIL = "/v2/email/outbound-emails"
SIMULATOR = "simulator.amazonses.com"
Reply = tuple[int, dict[str, str], bytes]
Headers = dict[str, str]
Query = dict[str, list[str]]


def restore(folder: Path) -> None:
    """Keep messages in ``folder``. What another account, now gone, has left there is thrown away."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    app, ses = upstream("app"), upstream("services.ses_v2")
    theirs_send, theirs_enforce = ses.handle_request, app._enforce_ses_v2
    postman = Postman()

    async def handle(method: str, path: str, headers: Headers, body: bytes, query: Query) -> Any:
        if not is_send(method, path):
            return await theirs_send(method, path, headers, body, query)
        request = json.loads(body)
        configuration = request.get("ConfigurationSetName")
        if configuration and configuration not in ses._config_sets:
            return refusal(404, "NotFoundException", f"Configuration set <{configuration}> does not exist.")
        reply: Reply = await theirs_send(method, path, headers, body, query)
        if reply[0] == 200:
            message = Message.of(request, json.loads(reply[2])["MessageId"])
            message.keep(folder)
            postman.take(message)
            measured.mailed(message.configuration_set, {kind for kind, _, _ in message.events()})
        return reply

    def enforce(method: str, path: str, headers: Headers, body: bytes, query: Query, request_id: str) -> Any:
        if not app.AUTH or not is_send(method, path):
            return theirs_enforce(method, path, headers, body, query, request_id)
        request = json.loads(body)
        for action, resource in permissions(request):
            denied = app._enforce_data_plane(
                "sesv2", action, headers, query, request_id,
                resource_arn=resource, named_resource=resource, service_context=condition_keys(request),
            )  # fmt: skip
            if denied:
                return denied
        return None

    ses.handle_request = handle
    app._enforce_ses_v2 = enforce


def is_send(method: str, path: str) -> bool:
    """Whether a request is SendEmail."""
    return method == "POST" and path.rstrip("/") == SEND_EMAIL


def refusal(status: int, code: str, message: str) -> Reply:
    """An error in SES v2's words."""
    headers = {"Content-Type": "application/json", "x-amzn-errortype": code}
    return status, headers, json.dumps({"message": message}).encode()


# -- permissions ------------------------------------------------------------------------------------------------------


def permissions(request: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The actions and resources that a caller of SendEmail must be allowed."""
    responses = upstream("core.responses")
    prefix = f"arn:aws:ses:{responses.get_region()}:{responses.get_account_id()}"
    action = "ses:SendRawEmail" if "Raw" in request.get("Content", {}) else "ses:SendEmail"
    yield action, request.get("FromEmailAddressIdentityArn") or f"{prefix}:identity/{identity(from_address(request))}"
    if request.get("ConfigurationSetName"):
        yield action, f"{prefix}:configuration-set/{request['ConfigurationSetName']}"


def condition_keys(request: dict[str, Any]) -> dict[str, Any]:
    """What conditions of a policy can look at."""
    return {
        "ses:apiversion": "2",
        "ses:fromaddress": from_address(request),
        "ses:fromdisplayname": parseaddr(request.get("FromEmailAddress", ""))[0],
        "ses:recipients": destinations(request),
    }


def identity(address: str) -> str:
    """The identity that sends for ``address``: the address itself if it is one, or else its domain."""
    known = upstream("services.ses_v2")._identities.get(address) or upstream("services.ses")._identities.get(address)
    return address if known else address.rpartition("@")[2]


def from_address(request: dict[str, Any]) -> str:
    """The sender's bare address: as the request gives it, or as the message does."""
    said: str = request.get("FromEmailAddress") or headers_of(raw(request)).get("From", "")
    return parseaddr(said)[1]


def destinations(request: dict[str, Any]) -> list[str]:
    """The addresses that a message goes to."""
    given = request.get("Destination") or {}
    return [a for kind in ("ToAddresses", "CcAddresses", "BccAddresses") for a in given.get(kind) or ()]


def raw(request: dict[str, Any]) -> bytes:
    """The message as it was sent; nothing, if SES itself is to put it together."""
    return base64.b64decode(request.get("Content", {}).get("Raw", {}).get("Data", ""))


def headers_of(message: bytes) -> dict[str, str]:
    """The headers of a message."""
    return {name: str(value) for name, value in BytesParser(policy=SMTP).parsebytes(message, headersonly=True).items()}


# -- messages ---------------------------------------------------------------------------------------------------------

_writing = threading.Lock()


@dataclass(frozen=True)
class Message:
    """A message that SES has accepted."""

    message_id: str
    sender: str
    recipients: list[str]
    configuration_set: str | None
    tags: dict[str, str]
    content: bytes
    account: str
    region: str
    suppressed: bool = False
    sent_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @classmethod
    def of(cls, request: dict[str, Any], message_id: str) -> "Message":
        """The message in a request."""
        from local.differences.suppression import suppressed as listed

        responses = upstream("core.responses")
        return cls(
            message_id=message_id,
            sender=from_address(request),
            recipients=destinations(request),
            configuration_set=request.get("ConfigurationSetName"),
            tags={tag["Name"]: tag["Value"] for tag in request.get("EmailTags") or ()},
            content=raw(request),
            account=responses.get_account_id(),
            region=responses.get_region(),
            suppressed=any(map(listed, destinations(request))),
        )

    def keep(self, folder: Path) -> None:
        """Write the message into ``folder``: file names sort by the time of sending."""
        name = f"{self.sent_at:%Y%m%dT%H%M%S.%fZ}-{self.message_id.partition('@')[0]}.eml"
        temporary = folder / f".{name}"
        temporary.write_bytes(self.content)
        temporary.rename(folder / name)
        line = json.dumps(
            {
                "file": name,
                "message_id": self.message_id,
                "sent_at": self.sent_at.isoformat(),
                "from": self.sender,
                "to": self.recipients,
                "tags": self.tags,
                "configuration_set": self.configuration_set,
                "account": self.account,
            }
        )
        with _writing, (folder / "messages.jsonl").open("a") as index:
            index.write(line + "\n")

    def events(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """What happens to the message: type of event, its name on the event bus, its own part of the detail."""
        yield "SEND", "Email Sent", {"eventType": "Send", "send": {}}
        local_part = self.recipients[0].partition("@")[0].partition("+")[0] if self.recipients else ""
        simulated = local_part if self.recipients and self.recipients[0].lower().endswith(f"@{SIMULATOR}") else ""
        if self.suppressed or simulated in ("bounce", "suppressionlist"):
            yield "BOUNCE", "Email Bounced", {"eventType": "Bounce", "bounce": self._bounce(simulated)}
            return
        yield "DELIVERY", "Email Delivered", {"eventType": "Delivery", "delivery": self._delivery()}
        if simulated == "complaint":
            yield "COMPLAINT", "Email Complaint Received", {"eventType": "Complaint", "complaint": self._complaint()}

    def mail(self) -> dict[str, Any]:
        """The part of the detail that all events of a message share."""
        headers = headers_of(self.content)
        return {
            "timestamp": stamp(self.sent_at),
            "messageId": self.message_id,
            "source": self.sender,
            "sourceArn": f"arn:aws:ses:{self.region}:{self.account}:identity/{identity(self.sender)}",
            "sendingAccountId": self.account,
            "destination": self.recipients,
            "headersTruncated": False,
            "headers": [{"name": name, "value": value} for name, value in headers.items()],
            "commonHeaders": {
                "from": [headers.get("From", self.sender)],
                "to": [headers.get("To", ", ".join(self.recipients))],
                "subject": headers.get("Subject", ""),
                "messageId": self.message_id,
            },
            "tags": {
                "ses:configuration-set": [self.configuration_set or ""],
                "ses:from-domain": [self.sender.rpartition("@")[2]],
                **{name: [value] for name, value in self.tags.items()},
            },
        }

    def _delivery(self) -> dict[str, Any]:
        return {
            "timestamp": stamp(datetime.now(UTC)),
            "processingTimeMillis": 400,
            "recipients": self.recipients,
            "smtpResponse": "250 ok",
            "reportingMTA": "a1-23.smtp-out.amazonses.com",
        }

    def _bounce(self, simulated: str) -> dict[str, Any]:
        status, diagnosis = "5.1.1", "smtp; 550 5.1.1 user unknown"
        bounced = [
            {"emailAddress": address, "action": "failed", "status": status, "diagnosticCode": diagnosis}
            for address in self.recipients
        ]
        return {
            "bounceType": "Permanent",
            "bounceSubType": self._subtype(simulated),
            "bouncedRecipients": bounced,
            "timestamp": stamp(datetime.now(UTC)),
            "feedbackId": f"{self.message_id.partition('@')[0]}-bounce",
            "reportingMTA": "dsn; a1-23.smtp-out.amazonses.com",
        }

    def _subtype(self, simulated: str) -> str:
        if self.suppressed:
            return "OnAccountSuppressionList"
        return "Suppressed" if simulated == "suppressionlist" else "General"

    def _complaint(self) -> dict[str, Any]:
        return {
            "complainedRecipients": [{"emailAddress": address} for address in self.recipients],
            "timestamp": stamp(datetime.now(UTC)),
            "feedbackId": f"{self.message_id.partition('@')[0]}-complaint",
            "complaintSubType": None,
            "complaintFeedbackType": "abuse",
        }


def stamp(moment: datetime) -> str:
    """A time as SES writes it."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


# -- events -----------------------------------------------------------------------------------------------------------


class Postman:
    """Puts the events of messages on the event bus, one after the other, shortly after SES has answered.

    On AWS they come with a delay, sometimes twice and in any order. Here they come once and in order, so what a rule
    does with them is done with one message at a time, and a small machine stays usable.
    """

    def __init__(self) -> None:
        self._waiting: queue.Queue[Callable[[], None]] = queue.Queue()
        threading.Thread(target=self._work, daemon=True, name="ses-events").start()

    def take(self, message: Message) -> None:
        """Send the events of ``message`` that its configuration set wants on the event bus."""
        wanted = self._wanted(message)
        events = [event for event in message.events() if event[0] in wanted]
        if events:
            context = contextvars.copy_context()
            self._waiting.put(lambda: context.run(self._publish, message, events))

    def _wanted(self, message: Message) -> set[str]:
        sets = upstream("services.ses_v2")._config_sets
        destinations = (sets.get(message.configuration_set or "") or {}).get("EventDestinations") or {}
        on_the_bus = (d for d in destinations.values() if d.get("Enabled") and d.get("EventBridgeDestination"))
        return {kind for destination in on_the_bus for kind in destination["MatchingEventTypes"]}

    def _publish(self, message: Message, events: list[tuple[str, str, dict[str, Any]]]) -> None:
        resource = f"arn:aws:ses:{message.region}:{message.account}:configuration-set/{message.configuration_set}"
        for _, detail_type, own in events:
            entry = {
                "Source": "aws.ses",
                "DetailType": detail_type,
                "Detail": json.dumps({"mail": message.mail(), **own}),
                "Resources": [resource],
            }
            upstream("services.eventbridge")._put_events({"Entries": [entry]}, allow_aws_source=True)

    def _work(self) -> None:
        delay = float(os.environ.get("SES_EVENT_DELAY_SECONDS", "0.2"))
        while True:
            job = self._waiting.get()
            time.sleep(delay)
            try:
                job()
            except Exception as error:  # noqa: BLE001 - the next message's events must still come
                print(f"ses-events: {error!r}", flush=True)
