"""Requests held against botocore's model of the service: members, types, minima and enumerations."""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import botocore.session
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape
from botocore.validate import ParamValidator

from local.cost_explorer.wire import Json, invalid

METRICS = {
    "UNBLENDED_COST": "UnblendedCost",
    "BLENDED_COST": "BlendedCost",
    "AMORTIZED_COST": "AmortizedCost",
    "NET_UNBLENDED_COST": "NetUnblendedCost",
    "NET_AMORTIZED_COST": "NetAmortizedCost",
    "USAGE_QUANTITY": "UsageQuantity",
    "NORMALIZED_USAGE_AMOUNT": "NormalizedUsageAmount",
}
"""GetCostForecast's names of the metrics, and GetCostAndUsage's; the latter takes both and answers with its own."""


@cache
def service_model() -> ServiceModel:
    """Cost Explorer as botocore describes it."""
    return botocore.session.get_session().get_service_model("ce")


def check_request(model: OperationModel, request: Json) -> None:
    """Refuse what the service's model does not allow, naming the field."""
    shape = model.input_shape
    assert isinstance(shape, StructureShape)
    report = ParamValidator().validate(request, shape)
    faults = [report.generate_report()] if report.has_errors() else list(_not_enumerated(shape, request))
    if faults:
        raise invalid(f"{len(faults)} validation error{'s' * (len(faults) > 1)} detected: " + "; ".join(faults))


def metric(name: str, at: str) -> str:
    """A metric under GetCostAndUsage's name. The model has no enumeration of metrics where either name may stand."""
    if name in METRICS:
        return METRICS[name]
    if name not in METRICS.values():
        raise invalid("1 validation error detected: " + _enumeration(name, at, METRICS))
    return name


def _not_enumerated(shape: Shape, value: Any, at: str = "") -> Iterator[str]:
    """botocore's validator leaves enumerations to the service; this is the service."""
    if isinstance(shape, StructureShape):
        for name, member in value.items():
            yield from _not_enumerated(shape.members[name], member, f"{at}.{name}" if at else name)
    elif isinstance(shape, ListShape):
        for n, member in enumerate(value, 1):
            yield from _not_enumerated(shape.member, member, f"{at}.{n}.member")
    elif not isinstance(shape, MapShape):
        allowed: list[str] = getattr(shape, "enum", [])
        if allowed and value not in allowed:
            yield _enumeration(value, at, allowed)


def _enumeration(value: str, at: str, allowed: Iterable[str]) -> str:
    return (
        f"Value '{value}' at '{at[:1].lower()}{at[1:]}' failed to satisfy constraint: "
        f"Member must satisfy enum value set: [{', '.join(allowed)}]"
    )
