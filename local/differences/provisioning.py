"""What CloudFormation sets on what it makes.

Restored here, where MiniStack's CloudFormation leaves a property of the template out, or writes it down in another form
than its own services do:

- point-in-time recovery and encryption of a table;
- the logging of a state machine, which nobody could read;
- the condition of a topic's default policy, without which everybody could publish.
"""

import json
from collections.abc import Callable
from typing import Any

from local.differences.upstream import upstream

Properties = dict[str, Any]


def restore() -> None:
    """Finish each of them once upstream has made or changed it."""
    handlers = upstream("services.cloudformation.provisioners")._RESOURCE_HANDLERS
    for kind, finish in (
        ("AWS::DynamoDB::Table", _table),
        ("AWS::StepFunctions::StateMachine", _machine),
        ("AWS::SNS::Topic", _topic),
    ):
        handlers[kind] = _finished(handlers[kind], finish)


def _finished(theirs: dict[str, Any], finish: Callable[[str, Properties], None]) -> dict[str, Any]:
    """A type's handlers, with ``finish`` after those that make or change one."""
    create: Any = theirs["create"]
    update: Any = theirs.get("update")

    def made(logical_id: str, properties: Properties, stack: str) -> Any:
        answer = create(logical_id, properties, stack)
        finish(answer[0], properties)
        return answer

    def changed(physical_id: str, old: Properties, new: Properties, stack: str, *more: Any, **named: Any) -> Any:
        answer = update(physical_id, old, new, stack, *more, **named)
        finish(answer[0] if isinstance(answer, tuple) else physical_id, new)
        return answer

    return {**theirs, "create": made} | ({"update": changed} if update else {})


def _table(name: str, properties: Properties) -> None:
    dynamodb = upstream("services.dynamodb")
    recovery = properties.get("PointInTimeRecoverySpecification", {}).get("PointInTimeRecoveryEnabled", False)
    dynamodb._pitr_settings[name] = _true(recovery)
    asked = properties.get("SSESpecification")
    spec = None if asked is None else {**asked, "Enabled": _true(asked.get("SSEEnabled", False))}
    dynamodb._tables[name]["SSEDescription"] = dynamodb._sse_description_from_spec(spec)


def _machine(arn: str, properties: Properties) -> None:
    asked = properties.get("LoggingConfiguration")
    if asked is not None:
        groups = [
            each.get("CloudWatchLogsLogGroup", {}).get("LogGroupArn", "") for each in asked.get("Destinations", [])
        ]
        upstream("services.stepfunctions")._state_machines[arn]["loggingConfiguration"] = {
            "level": asked.get("Level", "OFF"),
            "includeExecutionData": _true(asked.get("IncludeExecutionData", False)),
            "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": group}} for group in groups],
        }


def _topic(arn: str, _: Properties) -> None:
    attributes = upstream("services.sns")._topics[arn]["attributes"]
    policy = json.loads(attributes["Policy"])
    for statement in policy["Statement"]:
        if statement.get("Sid") == "__default_statement_ID":
            statement.setdefault("Condition", {"StringEquals": {"AWS:SourceOwner": attributes["Owner"]}})
    attributes["Policy"] = json.dumps(policy)


def _true(value: Any) -> bool:
    """A template's boolean, which may be a string."""
    return str(value).casefold() == "true"
