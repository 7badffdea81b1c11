"""What goes back over the wire: JSON, amounts as decimal strings, and refusals."""

from collections.abc import Sequence
from typing import Any

from local.accounts.services import UNITS, without_region
from local.accounts.spend import UNIT

Json = dict[str, Any]


class Refusal(Exception):
    """An error of the service: its code as botocore reports it, and AWS's words where they are known."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


def invalid(message: str) -> Refusal:
    """The refusal of a request that breaks a rule."""
    return Refusal("ValidationException", message)


def amount(value: int) -> str:
    """A decimal string with at most ten places and no trailing zeros, never in scientific notation."""
    whole, rest = divmod(abs(value), UNIT)
    text = f"{whole}.{rest:010d}".rstrip("0").rstrip(".") if rest else str(whole)
    return f"-{text}" if value < 0 else text


def percentage(part: int, whole: int) -> str:
    """A share in per cent, as a decimal string."""
    return amount(part * 100 * UNIT // whole) if whole else "0"


def unit(metric: str, usage_type: str | None = None) -> str:
    """USD for costs; for quantities the unit of their usage type. Those of several have no unit in common: N/A."""
    if metric == "UsageQuantity" and usage_type is not None:
        return UNITS.get(without_region(usage_type), "N/A")
    return "N/A" if metric in ("UsageQuantity", "NormalizedUsageAmount") else "USD"


def measured(metrics: Sequence[str], amounts: Sequence[int], usage_type: str | None = None) -> Json:
    """Metrics to their amounts and units; all of it may be of one usage type."""
    return {
        name: {"Amount": amount(value), "Unit": unit(name, usage_type)}
        for name, value in zip(metrics, amounts, strict=True)
    }
