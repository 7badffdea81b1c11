"""What a role of the template allows, judged here by IAM's rules and by nobody else's code.

The emulator judges too, with an evaluator of its own; this one is the second opinion, and knows what a request to
DynamoDB says about itself:

- ``dynamodb:LeadingKeys``: the values of the partition key, of the index if one is asked. In every request to an item
  or a partition, in none to a whole table.
- ``dynamodb:Attributes``: the top-level names that a request names, those of its keys and conditions among them.
- ``dynamodb:Select``: ALL_ATTRIBUTES unless a read names attributes.

Sources: DynamoDB Developer Guide, "Using IAM policy conditions for fine-grained access control"; Service Authorization
Reference, "Actions, resources, and condition keys for Amazon DynamoDB"; IAM User Guide, "Policy evaluation logic",
"IAM JSON policy elements: Condition operators" and "Set operators for multi-valued context keys".
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from tests.contract.documents import functions, resources, template

Statement = Mapping[str, Any]
Json = dict[str, Any]

ACCOUNT: Final = "123456789012"
REGION: Final = "eu-central-1"
_TABLE: Final = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table"
NAMES: Final = {
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "Prefix": "cost-reporting",
    "ReaderRoleName": "reader",
    "Sender": "reports@consultancy.example",
    "ConfigurationSet": "cost-reporting",
    "Bucket.Arn": "arn:aws:s3:::reports-of-a-test",
    "AccessLog.Arn": "arn:aws:s3:::access-log-of-a-test",
    "ClientsTable.Arn": f"{_TABLE}/clients",
    "OutcomesTable.Arn": f"{_TABLE}/outcomes",
    "ReportLinkRole.Arn": f"arn:aws:iam::{ACCOUNT}:role/report-links",
    "SendEmailFunctionRole.Arn": f"arn:aws:iam::{ACCOUNT}:role/cost-reporting-SendEmailFunctionRole-1ABC",
    "CostReportsStateMachine": f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:cost-reporting",
    "LostDeliveryEvents.Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:cost-reporting-lost-delivery-events",
    "LostSchedules.Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:cost-reporting-lost-schedules",
}
"""What the template's references stand for in the account of tests/functional."""


class Request(NamedTuple):
    """What is asked: the action, on what, and what the request says about itself."""

    action: str
    resource: str
    context: Mapping[str, tuple[str, ...]] = {}

    @property
    def family(self) -> str:
        """The kind of key that it is about, for counts."""
        keys = self.context.get("dynamodb:LeadingKeys", ())
        return ", ".join(sorted({key.partition("#")[0] for key in keys}))


def resolved(value: Any) -> Any:
    """A part of the template with every reference in its place. A reference that NAMES does not know stays."""
    if isinstance(value, str):
        return re.sub(r"\$\{([\w:.]+)\}", lambda found: NAMES.get(found[1], found[0]), value)
    if isinstance(value, list):
        return [resolved(each) for each in value]
    if isinstance(value, dict):
        return {name: resolved(each) for name, each in value.items()}
    return value


def logical_id(function: str) -> str:
    """``fetch_costs`` is ``FetchCostsFunction``."""
    return "".join(part.capitalize() for part in function.split("_")) + "Function"


def statements_of(function: str) -> list[Statement]:
    """All that the role of a function allows when no customer key is given."""
    name = logical_id(function)
    own = [each for policy in functions()[name]["Policies"] for each in policy["Statement"]]
    attached = [
        statement
        for each in template()["Resources"].values()
        if each["Type"] == "AWS::IAM::Policy" and "Condition" not in each
        if f"${{{name}Role}}" in each["Properties"]["Roles"]
        for statement in each["Properties"]["PolicyDocument"]["Statement"]
    ]
    return resolved([*own, *attached])


def decide(statements: Iterable[Statement], request: Request) -> str:
    """``Deny`` if a statement denies, else ``Allow`` if one allows, else ``ImplicitDeny``."""
    found = {each["Effect"] for each in statements if applies(each, request)}
    return "Deny" if "Deny" in found else "Allow" if "Allow" in found else "ImplicitDeny"


def applies(statement: Statement, request: Request) -> bool:
    """Whether a statement is about the request: action, resource and every condition."""
    unknown = statement.keys() - {"Sid", "Effect", "Principal", "Action", "Resource", "Condition"}
    assert not unknown, f"{unknown}: this evaluator does not know them"
    return (
        any(_like(request.action.casefold(), each.casefold()) for each in several(statement["Action"]))
        and any(_like(request.resource, each) for each in several(statement.get("Resource", "*")))
        and all(
            _holds(operator, several(wanted), request.context.get(key))
            for operator, tests in statement.get("Condition", {}).items()
            for key, wanted in tests.items()
        )
    )


def several(one_or_more: Any) -> list[Any]:
    """A list, as policies write one element without."""
    return one_or_more if isinstance(one_or_more, list) else [one_or_more]


def _holds(operator: str, wanted: list[str], actual: tuple[str, ...] | None) -> bool:
    if operator == "Null":
        return [str(actual is None).lower()] == [str(each).lower() for each in wanted]
    quantifier, _, rest = operator.rpartition(":")
    if rest.endswith("IfExists") and actual is None:
        return True
    test = _TESTS[rest.removesuffix("IfExists")]
    fits = [any(test(value, each) for each in wanted) for value in actual or ()]
    if quantifier == "ForAllValues":
        return all(fits)  # and so without any value: "returns true if there are no keys in the request"
    if quantifier == "":
        assert len(actual or ()) < 2, f"{operator}: a key with several values needs a set operator"
    return any(fits)


def _like(value: str, pattern: str) -> bool:
    regex = "".join({"*": ".*", "?": "."}.get(each, re.escape(each)) for each in pattern)
    return re.fullmatch(regex, value, re.DOTALL) is not None


def _same(value: str, wanted: str) -> bool:
    return value == wanted


_TESTS: Final = {
    "StringEquals": _same,
    "StringLike": _like,
    "ArnEquals": _like,
    "ArnLike": _like,
    "Bool": lambda value, wanted: value.lower() == wanted.lower(),
}


# -- from a call of boto3 to what IAM is asked ------------------------------------------------------------------------

_S3_ACTIONS: Final = {
    "GetObject": "s3:GetObject",
    "HeadObject": "s3:GetObject",
    "PutObject": "s3:PutObject",
    "DeleteObject": "s3:DeleteObject",
}
_ITEMS: Final = {
    "GetItem": "Key",
    "PutItem": "Item",
    "UpdateItem": "Key",
    "DeleteItem": "Key",
    "ConditionCheck": "Key",
    "Put": "Item",
    "Update": "Key",
    "Delete": "Key",
    "Get": "Key",
}
_IN_TRANSACTIONS: Final = {
    "ConditionCheck": "ConditionCheckItem",
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "Get": "GetItem",
}


def asked(operation: str, given: Json) -> list[Request]:
    """What IAM is asked for a call of ``service.Operation``. Raises KeyError for one that is not known here."""
    service, _, name = operation.partition(".")
    return list(_SERVICES[service](name, given))


def _dynamodb(name: str, given: Json) -> Iterator[Request]:
    if name in ("TransactWriteItems", "TransactGetItems"):
        for item in given["TransactItems"]:
            ((kind, part),) = item.items()
            yield _item(_IN_TRANSACTIONS[kind], _ITEMS[kind], part)
    elif name in _ITEMS:
        yield _item(name, _ITEMS[name], given)
    elif name == "Query":
        schema = _keys(given["TableName"], given.get("IndexName"))
        condition, names = given["KeyConditionExpression"], given.get("ExpressionAttributeNames", {})
        values = {
            names.get(left, left): plain(given["ExpressionAttributeValues"][right])
            for left, right in re.findall(r"(#?\w+)\s*=\s*(:\w+)", condition)
        }
        index = f"/index/{given['IndexName']}" if "IndexName" in given else ""
        yield Request("dynamodb:Query", f"{_TABLE}/{given['TableName']}{index}", _about(given, values[schema], ()))
    elif name in ("BatchGetItem", "BatchWriteItem"):
        for table, batch in given["RequestItems"].items():
            items = [_inner(each) for each in (batch["Keys"] if name == "BatchGetItem" else batch)]
            leading = tuple(plain(item[_keys(table)]) for item in items)
            named = dict.fromkeys(key for item in items for key in item)
            about = batch if isinstance(batch, dict) else {}
            context = _about(about, "", named) | {"dynamodb:LeadingKeys": leading}
            yield Request(f"dynamodb:{name}", f"{_TABLE}/{table}", context)
    elif name == "ListBackups":
        yield Request(f"dynamodb:{name}", "*")
    elif name == "DeleteBackup":
        yield Request(f"dynamodb:{name}", given["BackupArn"])
    elif name in ("Scan", "DescribeTable", "CreateBackup"):
        yield Request(f"dynamodb:{name}", f"{_TABLE}/{given['TableName']}")
    else:
        raise KeyError(name)


def _inner(request: Json) -> Json:
    """An item of a batch: its key, or what is written."""
    for kind, place in (("PutRequest", "Item"), ("DeleteRequest", "Key")):
        if kind in request:
            return request[kind][place]
    return request


def _item(name: str, place: str, given: Json) -> Request:
    item = given[place]
    leading = plain(item[_keys(given["TableName"])])
    return Request(f"dynamodb:{name}", f"{_TABLE}/{given['TableName']}", _about(given, leading, item))


def _about(given: Json, leading: str, named: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    names = given.get("ExpressionAttributeNames", {})
    projected = [_top(path, names) for path in given.get("ProjectionExpression", "").split(",") if path.strip()]
    attributes = dict.fromkeys((*projected, *named))
    select = given.get("Select") or ("SPECIFIC_ATTRIBUTES" if projected else "ALL_ATTRIBUTES")
    return {
        "dynamodb:LeadingKeys": (leading,),
        **({"dynamodb:Attributes": tuple(attributes)} if attributes else {}),
        "dynamodb:Select": (select,),
    }


def _top(path: str, names: Mapping[str, str]) -> str:
    head = re.split(r"[.\[]", path.strip(), maxsplit=1)[0]
    return names.get(head, head)


def _keys(table: str, index: str | None = None) -> str:
    """The partition key of a table or index, as the template has it."""
    properties = resources("AWS::DynamoDB::Table")[f"{table.capitalize()}Table"]
    found = {each["IndexName"]: each for each in properties.get("GlobalSecondaryIndexes", [])}
    schema = (properties if index is None else found[index])["KeySchema"]
    return next(each["AttributeName"] for each in schema if each["KeyType"] == "HASH")


def plain(value: Any) -> str:
    """A key's value, whether it came as DynamoDB writes it or as Python."""
    return str(next(iter(value.values())) if isinstance(value, dict) else value)


def _s3(name: str, given: Json) -> Iterator[Request]:
    bucket = f"arn:aws:s3:::{given['Bucket']}"
    if name in ("ListObjectsV2", "HeadBucket"):
        yield Request("s3:ListBucket", bucket)
        return
    action = _S3_ACTIONS[name] + ("Version" if "VersionId" in given else "")
    yield Request(action, f"{bucket}/{given['Key']}")


def _sesv2(name: str, given: Json) -> Iterator[Request]:
    identities = f"arn:aws:ses:{REGION}:{ACCOUNT}"
    if name == "GetEmailIdentity":
        yield Request("ses:GetEmailIdentity", f"{identities}:identity/{given['EmailIdentity']}")
    elif name == "SendEmail":
        context = {"ses:FromAddress": (given["FromEmailAddress"],)}
        for action in ("ses:SendEmail", "ses:SendRawEmail"):
            yield Request(action, f"{identities}:identity/{given['FromEmailAddress']}", context)
            yield Request(action, f"{identities}:configuration-set/{given['ConfigurationSetName']}", context)
    else:
        yield Request(f"ses:{name}", "*")


def _by(service: str, *members: str) -> Any:
    def requests(name: str, given: Json) -> Iterator[Request]:
        yield Request(f"{service}:{name}", next(str(given[each]) for each in members if each in given))

    return requests


_SERVICES: Final = {
    "dynamodb": _dynamodb,
    "s3": _s3,
    "sesv2": _sesv2,
    # Any credentials may ask whose they are (STS API Reference, GetCallerIdentity).
    "sts": lambda name, given: [] if name == "GetCallerIdentity" else _by("sts", "RoleArn")(name, given),
    "secretsmanager": _by("secretsmanager", "SecretId"),
    "stepfunctions": lambda name, given: [
        Request(f"states:{name}", given.get("stateMachineArn") or given["executionArn"])
    ],
}
