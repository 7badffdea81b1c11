"""Lambda functions and the state machine as they are deployed."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from cost_reporting import aws
from cost_reporting.contracts import Fact
from cost_reporting.prices import Architecture
from cost_reporting.store.translation import translated


class Function(Fact):
    """A deployed function. ``log_group`` is where its log goes."""

    name: str
    arn: str
    role_arn: str
    architecture: Architecture
    memory_mb: int
    timeout_s: int
    log_group: str


class Machine(Fact):
    """The deployed state machine: its states by the ARN of the function that each calls, and what it logs.

    What it logs is None if Step Functions does not say.
    """

    arn: str
    states: Mapping[str, tuple[str, ...]]
    logs_payloads: bool | None
    logs: bool | None


def read_function(name: str) -> Function:
    """The function ``name`` as it is deployed now."""
    with translated(f"read the function {name}"):
        found = aws.client("lambda").get_function_configuration(FunctionName=name)
    architectures = found.get("Architectures", ["x86_64"])
    return Function(
        name=found["FunctionName"],
        arn=found["FunctionArn"],
        role_arn=found["Role"],
        architecture="arm64" if "arm64" in architectures else "x86_64",
        memory_mb=found["MemorySize"],
        timeout_s=found["Timeout"],
        log_group=found.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{name}",
    )


def read_machine(arn: str) -> Machine:
    """The state machine as it is deployed now."""
    with translated("read the state machine"):
        found = aws.client("stepfunctions").describe_state_machine(stateMachineArn=arn)
    states: defaultdict[str, list[str]] = defaultdict(list)
    for name, function in _calls(json.loads(found["definition"])):
        states[function].append(name)
    logging = found.get("loggingConfiguration") or {}
    return Machine(
        arn=arn,
        states={function: tuple(names) for function, names in states.items()},
        logs_payloads=logging.get("includeExecutionData"),
        logs=None if "level" not in logging else logging["level"] != "OFF",
    )


def _calls(graph: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each state that calls a function, with the function's ARN."""
    for name, state in graph["States"].items():
        function = state.get("Parameters", {}).get("FunctionName") or state.get("Resource", "")
        if ":function:" in str(function):
            yield name, str(function)
        if "ItemProcessor" in state:
            yield from _calls(state["ItemProcessor"])
