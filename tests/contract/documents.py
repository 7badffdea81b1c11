"""The files that must agree with each other, read once: template, state machine, events, functions."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "cost_reporting"
FUNCTIONS = sorted(path.parent.name for path in ROOT.glob("functions/*/app.py"))
ON_EVENTS = ["back_up_tables", "record_delivery", "watch_deliveries"]
"""Functions that events and schedules call."""
CALLED = ["cost_reporting_lambda"]
"""Functions that people call; the others are states."""
EVENTS = {path.stem: json.loads(path.read_text()) for path in sorted(ROOT.glob("events/*.json"))}


class _Loader(yaml.SafeLoader):
    """CloudFormation's short forms as strings in the notation of !Sub; conditions as lists."""


def _short_form(loader: _Loader, tag: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return node.value if tag == "Sub" else "${" + node.value + "}"
    assert isinstance(node, yaml.SequenceNode)
    return loader.construct_sequence(node, deep=True)


_Loader.add_multi_constructor("!", _short_form)


@cache
def template() -> dict[str, Any]:
    """template.yaml."""
    return yaml.load((ROOT / "template.yaml").read_text(), Loader=_Loader)


def resources(kind: str) -> dict[str, dict[str, Any]]:
    """The properties of each resource of a type, by logical id."""
    return {name: each["Properties"] for name, each in template()["Resources"].items() if each["Type"] == kind}


def functions() -> dict[str, dict[str, Any]]:
    """The properties of each Lambda function, with the defaults of Globals, by logical id."""
    return {
        name: template()["Globals"]["Function"] | each for name, each in resources("AWS::Serverless::Function").items()
    }


@cache
def machine() -> dict[str, Any]:
    """The state machine's definition."""
    return json.loads((ROOT / "statemachine" / "cost_reports.asl.json").read_text())


class State(NamedTuple):
    """A state, with the graph that it stands in: a machine or the processor of a map."""

    name: str
    body: Mapping[str, Any]
    graph: Mapping[str, Any]


def graphs(graph: Mapping[str, Any] | None = None) -> Iterator[Mapping[str, Any]]:
    """The machine and the processor of each map in it."""
    graph = machine() if graph is None else graph
    yield graph
    for body in graph["States"].values():
        if "ItemProcessor" in body:
            yield from graphs(body["ItemProcessor"])


def states() -> list[State]:
    """Every state, wherever it stands."""
    return [State(name, body, graph) for graph in graphs() for name, body in graph["States"].items()]


def tasks() -> list[State]:
    """The states that call a Lambda function."""
    return [state for state in states() if state.body["Type"] == "Task"]
