"""Saved queries of CloudWatch Logs Insights, which MiniStack does not have.

Restored: PutQueryDefinition, DescribeQueryDefinitions and DeleteQueryDefinition, and the resource
``AWS::Logs::QueryDefinition`` of a template.
"""

import json
import time
import uuid
from collections.abc import Callable
from typing import Any

from local.differences.upstream import upstream


def restore() -> None:
    """Keep query definitions by account and region."""
    logs = upstream("services.cloudwatch_logs")
    handlers = upstream("services.cloudformation.provisioners")._RESOURCE_HANDLERS
    saved = upstream("core.responses").AccountRegionScopedDict()
    theirs, responses = logs.handle_request, upstream("core.responses")

    def put(asked: dict[str, Any]) -> str:
        key = asked.get("queryDefinitionId") or str(uuid.uuid4())
        saved[key] = {
            "queryDefinitionId": key,
            "name": asked["name"],
            "queryString": asked["queryString"],
            "logGroupNames": list(asked.get("logGroupNames") or ()),
            "lastModified": int(time.time() * 1000),
        }
        return key

    def describe(asked: dict[str, Any]) -> dict[str, Any]:
        prefix = asked.get("queryDefinitionNamePrefix", "")
        found = sorted(
            (each for each in saved.values() if each["name"].startswith(prefix)), key=lambda each: each["name"]
        )
        return {"queryDefinitions": found}

    operations: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
        "PutQueryDefinition": lambda asked: {"queryDefinitionId": put(asked)},
        "DescribeQueryDefinitions": describe,
        "DeleteQueryDefinition": lambda asked: {"success": saved.pop(asked["queryDefinitionId"], None) is not None},
    }

    async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query: Any) -> Any:
        operation = operations.get(headers.get("x-amz-target", "").rpartition(".")[2])
        if operation is None:
            return await theirs(method, path, headers, body, query)
        return responses.json_response(operation(json.loads(body or b"{}")))

    def create(_logical_id: str, properties: dict[str, Any], _stack: str) -> tuple[str, dict[str, str]]:
        key = put({name[0].lower() + name[1:]: value for name, value in properties.items()})
        return key, {"QueryDefinitionId": key}

    def update(key: str, _old: Any, new: dict[str, Any], _stack: str) -> tuple[str, dict[str, str]]:
        put({name[0].lower() + name[1:]: value for name, value in new.items()} | {"queryDefinitionId": key})
        return key, {"QueryDefinitionId": key}

    logs.handle_request = handle
    handlers["AWS::Logs::QueryDefinition"] = {
        "create": create,
        "update": update,
        "delete": lambda key, _properties: saved.pop(key, None),
    }
