"""What stands before every handler in the account of the fault tests: the code of a layer, as on AWS a chaos layer is.

It names every call of AWS that the handler makes, ``send-email/dynamodb.PutItem/2`` being the second PutItem of this
invocation of Send Email, and tells the proxy by headers, which injects what a network and a service can do to a call.
What no proxy can do is done here: end or hang the process just before or after a call, let it wait there while the
laboratory does something else, and turn back the clock.

What is to happen stands in ``FAULT_PLANS``/<client id>.json; how often it has happened is the size of a file beside it.
Time runs ``FAULT_SPEED`` times as fast as outside, for the product's clock and for its sockets, as for the emulator's
state machine and the functions' timeouts.
"""

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from cost_reporting import aws, wiring

PLANS = Path(os.environ["FAULT_PLANS"])
SPEED = float(os.environ["FAULT_SPEED"])
EPOCH = datetime.fromisoformat(os.environ["FAULT_EPOCH"])
LONGEST_PAUSE = 60.0
FUNCTION = os.environ["AWS_LAMBDA_FUNCTION_NAME"].removeprefix("cost-reporting-")

HOW: dict[str, Callable[[], object]] = {
    "exit": lambda: os._exit(1),
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),  # as the kernel does when memory runs out
    "hang": lambda: time.sleep(3600),
}


class Invocation:
    """The invocation at hand: on whose behalf, and how far it is."""

    def __init__(self) -> None:
        self.begin("")

    def begin(self, row: str) -> None:
        """Start counting calls anew."""
        self.row = row
        self.calls: Counter[str] = Counter()
        self.place = f"{FUNCTION}/start"
        path = PLANS / f"{row}.json"
        self.plan: dict[str, Any] = json.loads(path.read_text()) if row and path.exists() else {}

    def reach(self, when: str) -> None:
        """Do what is planned for ``when`` (before, after) at the present place."""
        for number, fault in enumerate(self.plan.get("faults", ())):
            if (fault["at"], fault["when"]) != (self.place, when):
                continue
            done = PLANS / f"{self.row}.{number}.done"
            times = done.stat().st_size if done.exists() else 0
            if times < fault["times"]:
                with done.open("ab") as count:
                    count.write(b".")
                if fault["how"] == "wait":
                    self.wait(number)
                else:
                    HOW[fault["how"]]()

    def wait(self, number: int) -> None:
        """Stand still until the laboratory has done what it wants to do at this place."""
        (PLANS / f"{self.row}.{number}.reached").touch()
        deadline = time.monotonic() + LONGEST_PAUSE
        while not (PLANS / f"{self.row}.{number}.go").exists() and time.monotonic() < deadline:
            time.sleep(0.02)

    def before_call(self, model: Any, **_: Any) -> None:
        """A call is about to be made."""
        operation = f"{model.service_model.service_name}.{model.name}"
        self.calls[operation] += 1
        self.place = f"{FUNCTION}/{operation}/{self.calls[operation]}"
        self.reach("before")

    def before_send(self, request: Any, **_: Any) -> None:
        """Headers for the proxy, after signing: each of botocore's own tries passes here."""
        request.headers["x-row"] = self.row
        request.headers["x-call"] = f"{self.place};"
        if "now" in self.plan:
            request.headers["x-emulated-now"] = now().isoformat()

    def after_call(self, **_: Any) -> None:
        """A call was answered."""
        self.reach("after")


at_hand = Invocation()


def now() -> datetime:
    """The product's clock."""
    if "now" not in at_hand.plan:
        return EPOCH - timedelta(hours=1) + (datetime.now(UTC) - EPOCH) * SPEED
    said = datetime.fromisoformat(at_hand.plan["now"])
    if at_hand.plan.get("stands"):
        return said
    return said + (datetime.now(UTC) - datetime.fromisoformat(at_hand.plan["since"])) * SPEED


def quick(**options: Any) -> Config:
    """A client's configuration, with timeouts as long as time is fast."""
    timeouts = {name: options[name] / SPEED for name in ("connect_timeout", "read_timeout") if name in options}
    return Config(**options | timeouts)


boto3.setup_default_session()
_events = boto3.DEFAULT_SESSION.events
_events.register("before-call", at_hand.before_call)
_events.register("before-send", at_hand.before_send)
_events.register("after-call", at_hand.after_call)
aws.Config = quick
wiring.now = now

import app  # noqa: E402 - the product's handler, after everything that it must not miss


def row_of(event: dict[str, Any]) -> str:
    """The client on whose behalf an invocation is, as each function is told."""
    if "request" in event:
        asked = event["request"]
        return str(asked["client_ids"][0] if "client_ids" in asked else asked.get("client_id", ""))
    if "client_id" in event:
        return str(event["client_id"])
    run = event.get("run") or event.get("worklist", {}).get("run")
    if run:
        return (PLANS / f"{run['run_id']}.run").read_text()
    return str(event.get("detail", {}).get("mail", {}).get("tags", {}).get("client_id", [""])[0])


def handler(event: dict[str, Any], context: object) -> Any:
    """The product's handler, as far as the plan lets it come."""
    at_hand.begin(row_of(event))
    at_hand.reach("before")
    result = app.handler(event, context)
    if "request" in event:
        (PLANS / f"{result['run']['run_id']}.run").write_text(at_hand.row)
    at_hand.place = f"{FUNCTION}/end"
    at_hand.reach("after")
    return result
