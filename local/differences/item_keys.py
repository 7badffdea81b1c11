"""A request to DynamoDB says which keys and attributes it is about, and a policy may ask for them.

``dynamodb:LeadingKeys`` are the values of the partition key, of the index if one is asked. It comes with every action
on items and with Query, and not with Scan (Service Authorization Reference, "Actions, resources, and condition keys for
Amazon DynamoDB"). ``dynamodb:Attributes`` are the top-level names in the request, those of the primary key and of
conditions among them (DynamoDB Developer Guide, "Using IAM policy conditions for fine-grained access control").
MiniStack knows the attributes of a projection and no leading keys; since an absent key satisfies ForAllValues, every
pattern would pass there, a wrong one too.

In a transaction each item is asked about by itself, as the action that it performs.
"""

import json
import re
from typing import Any

from local.differences.upstream import upstream

_EXPRESSIONS = ("ProjectionExpression", "ConditionExpression", "FilterExpression", "UpdateExpression")
_WORDS = frozenset({"and", "or", "not", "between", "in", "set", "add", "remove", "delete", "size", "contains"}) | {
    "attribute_exists",
    "attribute_not_exists",
    "attribute_type",
    "begins_with",
    "if_not_exists",
    "list_append",
}


class Asked(str):
    """An action of one item of a transaction, with the keys of that item."""

    __slots__ = ("keys",)
    keys: dict[str, Any]


def restore() -> None:
    """Say keys and attributes wherever a policy is asked about a request to DynamoDB."""
    actions, evaluator = upstream("core.iam_actions"), upstream("core.iam_evaluator")
    theirs, transactions, enforce = (
        actions.dynamodb_service_context,
        actions.dynamodb_transaction_checks,
        evaluator.enforce,
    )

    def context(body: bytes) -> dict[str, Any]:
        return {**theirs(body), **about(_read(body))}

    def checks(action: str, body: bytes, region: str, account: str) -> list[tuple[str, str]]:
        items = [
            detail
            for item in _read(body).get("TransactItems") or ()
            if isinstance(item, dict)
            for member in actions._DYNAMODB_TRANSACT_ITEM_ACTIONS
            if isinstance(detail := item.get(member), dict) and detail.get("TableName")
        ]
        found = transactions(action, body, region, account)
        return [(_asked(name, about(item)), arn) for (name, arn), item in zip(found, items, strict=True)]

    def enforced(key: str, action: str, *others: Any, **named: Any) -> Any:
        if isinstance(action, Asked):
            named["service_context"] = {**(named.get("service_context") or {}), **action.keys}
        return enforce(key, action, *others, **named)

    actions.dynamodb_service_context, actions.dynamodb_transaction_checks = context, checks
    evaluator.enforce = enforced


def about(request: dict[str, Any]) -> dict[str, Any]:
    """The condition keys of one request, or of one item of a transaction."""
    said: dict[str, Any] = {}
    attributes = list(_named(request))
    if leading := [*_leading(request)]:
        said["dynamodb:LeadingKeys"] = leading
    if attributes:
        said["dynamodb:Attributes"] = list(dict.fromkeys(attributes))
    return said


def _leading(request: dict[str, Any]) -> Any:
    key = _partition_key(request.get("TableName"), request.get("IndexName"))
    for place in ("Key", "Item"):
        if key in (request.get(place) or {}):
            yield _plain(request[place][key])
    if "KeyConditionExpression" in request:
        names, values = request.get("ExpressionAttributeNames") or {}, request.get("ExpressionAttributeValues") or {}
        for left, right in re.findall(r"(#?\w+)\s*=\s*(:\w+)", request["KeyConditionExpression"]):
            if names.get(left, left) == key and right in values:
                yield _plain(values[right])
    for table, asked in (request.get("RequestItems") or {}).items():
        key = _partition_key(table, None)
        several = asked.get("Keys", []) if isinstance(asked, dict) else [_written(each) for each in asked]
        yield from (_plain(each[key]) for each in several if key in each)


def _named(request: dict[str, Any]) -> Any:
    names = request.get("ExpressionAttributeNames") or {}
    for place in ("Item", "Key"):
        yield from request.get(place) or {}
    for expression in _EXPRESSIONS:
        # The first word of a path: neither a value (:x) nor what follows a dot or stands in brackets.
        for word in re.findall(r"(?<![\w.:#\[])#?[A-Za-z_]\w*", str(request.get(expression) or "")):
            if word.casefold() not in _WORDS:
                yield names.get(word, word)
    yield from request.get("AttributesToGet") or ()


def _written(request: dict[str, Any]) -> dict[str, Any]:
    ((_, detail),) = request.items()
    return detail.get("Item") or detail.get("Key") or {}


def _partition_key(table: Any, index: Any) -> str:
    known = upstream("services.dynamodb")._tables.get(str(table).rpartition("/")[2]) or {}
    schema = known.get("KeySchema", [])
    for each in known.get("GlobalSecondaryIndexes") or () if index else ():
        if each["IndexName"] == index:
            schema = each["KeySchema"]
    return next((str(each["AttributeName"]) for each in schema if each["KeyType"] == "HASH"), "")


def _plain(value: Any) -> str:
    return str(next(iter(value.values()))) if isinstance(value, dict) and value else ""


def _asked(name: str, keys: dict[str, Any]) -> Asked:
    asked = Asked(name)
    asked.keys = keys
    return asked


def _read(body: bytes) -> dict[str, Any]:
    try:
        data = json.loads(body or b"{}")
    except (ValueError, TypeError):
        return {}
    return data if isinstance(data, dict) else {}
