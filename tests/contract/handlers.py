"""The handlers, and what their annotations promise."""

from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType
from typing import Any, get_type_hints

from tests.contract.documents import ROOT


@cache
def app(function: str) -> ModuleType:
    """functions/<function>/app.py."""
    spec = spec_from_file_location(f"functions.{function}.app", ROOT / "functions" / function / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def received(function: str) -> Any:
    """The type that a function takes."""
    return next(iter(_hints(function).values()))


def returned(function: str) -> Any:
    """The type that a function gives."""
    return _hints(function)["return"]


def _hints(function: str) -> dict[str, Any]:
    return get_type_hints(app(function).handler.__wrapped__)
