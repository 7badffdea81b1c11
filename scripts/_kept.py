"""What a deployment keeps when its stack is deleted, read from template.yaml, with the names that its parameters give.

A stack takes such resources back by a change set of type IMPORT (CloudFormation User Guide, "Import AWS resources
into a CloudFormation stack"): a template with these resources and nothing else, each with a DeletionPolicy, and the
identifier of each. `--import-existing-resources` cannot do it with template.yaml: "Dynamic names (using !Ref or other
functions) are not currently supported" (the same guide, "Import AWS resources into a CloudFormation stack
automatically"), and names here come from Prefix. Nor should it: what it does not find it makes new and empty, where
IMPORT refuses; and when the rest of the stack fails, the tables would be part of what is rolled back.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

TEMPLATE: Final = Path(__file__).resolve().parent.parent / "template.yaml"
IDENTIFIERS: Final = {"AWS::DynamoDB::Table": "TableName", "AWS::S3::Bucket": "BucketName"}
"""Of each type that is kept, the property that names it (primaryIdentifier of its schema)."""

Document = dict[str, Any]


class Kept(NamedTuple):
    """A kept resource: its id in the template, its type, its name, and its definition with all values filled in."""

    logical_id: str
    type: str
    name: str
    definition: Document


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """CloudFormation's short forms, written out."""


def _written_out(loader: _Loader, tag: str, node: yaml.Node) -> Document:
    key = tag if tag in ("Ref", "Condition") else f"Fn::{tag}"
    if isinstance(node, yaml.ScalarNode):
        return {key: node.value.split(".", 1) if tag == "GetAtt" else node.value}
    return {key: loader.construct_sequence(node, deep=True)}


_Loader.add_multi_constructor("!", _written_out)


def template() -> Document:
    """template.yaml."""
    document: Document = yaml.load(TEMPLATE.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - a SafeLoader
    return document


def defaults(document: Document) -> dict[str, str]:
    """The parameters that have a default, as CloudFormation takes them."""
    return {name: str(each["Default"]) for name, each in document["Parameters"].items() if "Default" in each}


def kept(document: Document, values: Mapping[str, str]) -> list[Kept]:
    """What the template keeps. ``values``: of its parameters, and of AWS::AccountId and AWS::Region."""
    found = []
    resources = document["Resources"]
    retained = {name: each for name, each in resources.items() if "Retain" in each.get("DeletionPolicy", "")}
    for logical_id, each in retained.items():
        properties = _filled(each["Properties"], document, values, frozenset(retained))
        definition = {
            "Type": each["Type"],
            "DeletionPolicy": each["DeletionPolicy"],
            "UpdateReplacePolicy": each["UpdateReplacePolicy"],
            "Properties": properties,
        }
        found.append(Kept(logical_id, each["Type"], properties[IDENTIFIERS[each["Type"]]], definition))
    return found


def import_template(resources: list[Kept]) -> Document:
    """The template of a change set that takes ``resources`` back, and does nothing else."""
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "What an earlier stack has kept. Deploy template.yaml over it as soon as it is imported.",
        "Resources": {each.logical_id: each.definition for each in resources},
    }


def identifiers(resources: list[Kept]) -> list[Document]:
    """ResourcesToImport of CreateChangeSet."""
    return [
        {
            "ResourceType": each.type,
            "LogicalResourceId": each.logical_id,
            "ResourceIdentifier": {IDENTIFIERS[each.type]: each.name},
        }
        for each in resources
    ]


_ABSENT: Final = object()


def _filled(value: Any, document: Document, values: Mapping[str, str], kept_too: frozenset[str]) -> Any:
    """``value`` without functions, but for references between what is kept."""
    if isinstance(value, list):
        parts = [_filled(each, document, values, kept_too) for each in value]
        return [each for each in parts if each is not _ABSENT]
    if not isinstance(value, dict):
        return value
    function = next(iter(value)) if len(value) == 1 else ""
    if function == "Ref":
        return _referred(value, document, values, kept_too)
    if function == "Fn::Sub":
        return _substituted(value[function], values)
    if function == "Fn::If":
        condition, then, otherwise = value[function]
        chosen = then if _holds(document["Conditions"][condition], document, values) else otherwise
        return _filled(chosen, document, values, kept_too)
    pairs = {key: _filled(each, document, values, kept_too) for key, each in value.items()}
    return {key: each for key, each in pairs.items() if each is not _ABSENT}


def _referred(value: Document, document: Document, values: Mapping[str, str], kept_too: frozenset[str]) -> Any:
    name = value["Ref"]
    if name == "AWS::NoValue":
        return _ABSENT
    if name in kept_too:
        return value
    kind = document["Parameters"].get(name, {}).get("Type")
    return int(values[name]) if kind == "Number" else values[name]


def _substituted(text: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        text = text.replace("${" + name + "}", value)
    if "${" in text:
        raise NotImplementedError(f"what is kept has a name of more than parameters: {text}")
    return text


def _holds(condition: Any, document: Document, values: Mapping[str, str]) -> bool:
    ((function, given),) = condition.items()
    if function == "Fn::Not":
        return not _holds(given[0], document, values)
    if function == "Fn::Equals":
        left, right = (_filled(each, document, values, frozenset()) for each in given)
        return bool(left == right)
    raise NotImplementedError(f"a condition of what is kept uses {function}")
