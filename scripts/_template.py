"""template.yaml and samconfig.toml of this checkout: what the next `sam deploy` is going to say."""

import re
import shlex
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from _console import WrongInput

ROOT: Final = Path(__file__).resolve().parent.parent


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """CloudFormation's short forms in their long form."""


def _short_form(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> Any:
    name = tag if tag in ("Ref", "Condition") else f"Fn::{tag}"
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = node.value
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    return {name: value.split(".", 1) if tag == "GetAtt" and isinstance(value, str) else value}


_Loader.add_multi_constructor("!", _short_form)


def body(path: Path = ROOT / "template.yaml") -> dict[str, Any]:
    """The template in its long form."""
    found: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - a safe loader
    return found


def configured(environment: str, path: Path = ROOT / "samconfig.toml") -> dict[str, Any]:
    """What samconfig.toml says for `sam deploy` in one of its environments."""
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except tomllib.TOMLDecodeError as wrong:
        raise WrongInput(f"samconfig.toml: {wrong}.", remedy="Correct samconfig.toml.") from None
    if environment not in found:
        raise WrongInput(
            f"--config-env: samconfig.toml has no {environment}.", remedy=f"Name one of: {', '.join(sorted(found))}."
        )
    of = found[environment]
    return {**of.get("global", {}).get("parameters", {}), **of.get("deploy", {}).get("parameters", {})}


def overrides(said: Any, field: str) -> dict[str, str]:
    """Values of parameters as `--parameter-overrides` takes them: ``Name=value Name="a value"``, a list or a table."""
    if isinstance(said, Mapping):
        return {str(name): str(value) for name, value in said.items()}
    try:
        words = shlex.split(said) if isinstance(said, str) else [word for each in said for word in shlex.split(each)]
    except ValueError as wrong:
        raise WrongInput(f"{field}: {wrong}.", remedy="Write Name=value, in quotes where it has spaces.") from None
    found = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise WrongInput(f"{field}: {word!r} is not Name=value.", remedy="Write Name=value, one after the other.")
        found[name] = value
    return found


def values(template: Mapping[str, Any], *layers: tuple[str, Mapping[str, str]]) -> dict[str, str]:
    """The value of each parameter: its default, or what the last of ``layers`` says, each with the field it comes from.

    Raises WrongInput for a parameter that the template does not have, and for a value that it does not take.
    """
    known: Mapping[str, Mapping[str, Any]] = template.get("Parameters", {})
    found = {name: str(each["Default"]) for name, each in known.items() if "Default" in each}
    for field, layer in layers:
        for name, value in layer.items():
            if name not in known:
                raise WrongInput(
                    f"{field}: the template has no parameter {name}.", remedy=f"Name one of: {', '.join(known)}."
                )
            expected = _refused(known[name], value)
            if expected:
                raise WrongInput(f"{field}: {name}={value}: expected {expected}.", remedy=f"Correct {name}.")
            found[name] = value
    return found


def _refused(parameter: Mapping[str, Any], value: str) -> str:
    """What a parameter takes, if it does not take the value."""
    if "AllowedValues" in parameter and value not in map(str, parameter["AllowedValues"]):
        return f"one of {', '.join(map(str, parameter['AllowedValues']))}"
    if "AllowedPattern" in parameter and not re.fullmatch(parameter["AllowedPattern"], value):
        return f"what fits {parameter['AllowedPattern']}"
    if parameter.get("Type") == "Number":
        if not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", value):
            return "a number"
        low, high = parameter.get("MinValue"), parameter.get("MaxValue")
        if (low is not None and float(value) < float(low)) or (high is not None and float(value) > float(high)):
            return f"{low} to {high}" if high is not None else f"at least {low}"
    return ""
