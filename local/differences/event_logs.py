"""Log groups as targets of event rules.

On AWS a rule writes events into a log group, as ``{"timestamp", "message"}`` if an input transformer makes them so, and
only if a resource policy of CloudWatch Logs lets EventBridge do it. MiniStack knows no such target. Nor do its input
transformers know array indices (``$.detail.mail.tags.client_id[0]``), which AWS's do.
"""

import json
import re
import time
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

from local.differences.upstream import upstream

STREAM = "events"
"""On AWS the streams have names of their own making."""


def restore() -> None:
    """Take events for log groups before MiniStack refuses the target."""
    bus = upstream("services.eventbridge")
    theirs_invoke, theirs_apply = bus._invoke_target, bus._apply_input_transformer

    def invoke(target: dict[str, Any], event: Any, rule: Any, view: Any = None) -> None:
        arn = target.get("Arn", "")
        if ":logs:" not in arn:
            theirs_invoke(target, event, rule, view)
            return
        view = view or bus._pattern_event_view(event)
        transformer = target.get("InputTransformer")
        text = apply(transformer, rule, view) if transformer else json.dumps(view.event_with_detail())
        write(arn, text, str(rule.get("Arn", "")))

    def apply(transformer: dict[str, Any], rule: Any, view: Any) -> str:
        paths = transformer.get("InputPathsMap", {})
        event = dict(view.event_with_detail())
        for name, path in paths.items():
            if "[" in path:
                event[f"#{name}"] = find(event, path)
        indexed = {name: f"$.#{name}" if "[" in path else path for name, path in paths.items()}
        return str(theirs_apply(transformer | {"InputPathsMap": indexed}, rule, _Seen(view, event)))

    bus._invoke_target, bus._apply_input_transformer = invoke, apply


def publish(request: dict[str, Any]) -> dict[str, Any]:
    """PutEvents by one of AWS's services. MiniStack takes such events from inside only, as AWS does."""
    _, _, answer = upstream("services.eventbridge")._put_events(request, allow_aws_source=True)
    return dict(json.loads(answer))


class _Seen:
    """A view of an event with more to find in it."""

    def __init__(self, view: Any, event: dict[str, Any]) -> None:
        self._view, self._event = view, event

    def event_with_detail(self) -> dict[str, Any]:
        return self._event

    def envelope(self) -> Any:
        return self._view.envelope()


def find(event: Any, path: str) -> Any:
    """What is at ``path``, or nothing, which a template writes as an empty string."""
    for part in re.findall(r"[^.\[\]$]+", path):
        try:
            event = event[int(part)] if isinstance(event, list) else event[part]
        except (KeyError, IndexError, TypeError, ValueError):
            return ""
    return event


def write(arn: str, text: str, rule: str) -> None:
    """Put an event into the log group called by ``arn``, if a resource policy allows it for this rule."""
    logs = upstream("services.cloudwatch_logs")
    group = arn.split(":log-group:")[1].removesuffix(":*")
    stream = f"{arn.removesuffix(':*')}:log-stream:{STREAM}"
    may = all(allowed(action, stream, rule) for action in ("logs:CreateLogStream", "logs:PutLogEvents"))
    if not may or group not in logs._log_groups:
        print(f"event-logs: not written to {group}", flush=True)
        return
    try:
        entry = json.loads(text)
    except ValueError:
        print("event-logs: the transformed event is no JSON", flush=True)
        return
    known = isinstance(entry, dict) and entry.keys() == {"timestamp", "message"}
    message = entry["message"] if known else text
    if STREAM not in logs._log_groups[group]["streams"]:
        logs._create_log_stream({"logGroupName": group, "logStreamName": STREAM})
    at = millis(entry["timestamp"]) if known else int(time.time() * 1000)
    event = {"timestamp": at, "message": message}
    logs._put_log_events({"logGroupName": group, "logStreamName": STREAM, "logEvents": [event]})


def millis(stamp: Any) -> int:
    """A time as ISO 8601 or in milliseconds."""
    return stamp if isinstance(stamp, int) else int(datetime.fromisoformat(str(stamp)).timestamp() * 1000)


def allowed(action: str, stream: str, rule: str) -> bool:
    """Whether a resource policy lets EventBridge do ``action`` on ``stream`` for ``rule``.

    EventBridge says for which rule it writes (User Guide, "Using resource-based policies for Amazon EventBridge").
    """
    evaluator = upstream("core.iam_evaluator")
    account = rule.split(":")[4] if rule.count(":") > 4 else ""
    context = evaluator.EvalContext(
        principal_arn="",
        principal_type="Service",
        principal_account=account,
        action=action,
        resource_arn=stream,
        region="",
        service_context={"aws:sourcearn": rule, "aws:sourceaccount": account},
    )
    for policy in upstream("services.cloudwatch_logs")._resource_policies.values():
        document = json.loads(policy["policyDocument"])
        for statement in several(document["Statement"]):
            if (
                statement["Effect"] == "Allow"
                and "events.amazonaws.com" in several(statement["Principal"].get("Service"))
                and action in several(statement["Action"])
                and any(fnmatchcase(stream, pattern) for pattern in several(statement["Resource"]))
                and evaluator._conditions_met(statement.get("Condition", {}), context)
            ):
                return True
    return False


def several(one_or_more: Any) -> list[Any]:
    """A list, as JSON's policies write one element without."""
    return one_or_more if isinstance(one_or_more, list) else [one_or_more]
