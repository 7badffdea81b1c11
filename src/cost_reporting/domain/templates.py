"""What a part of a CloudFormation template comes to, once its parameters and resources have their values.

Pure, and only as much of CloudFormation as the alarms and names of our template use: Ref, Fn::Sub, Fn::Join, Fn::If,
the functions of conditions, and a few attributes of Fn::GetAtt. Whatever else a template says is
:class:`Unresolvable`, and so never taken for a value. (CloudFormation User Guide, "Intrinsic function reference",
"Pseudo parameters reference"; the attributes: "Resource and property types reference")
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

NO_VALUE: Final = object()
"""What AWS::NoValue stands for: the property is not there."""
_ATTRIBUTES: Final[Mapping[tuple[str, str], Callable[[str], str]]] = {
    ("AWS::SQS::Queue", "QueueName"): lambda url: url.rpartition("/")[2],
    ("AWS::SQS::Queue", "QueueUrl"): lambda url: url,
    ("AWS::SNS::Topic", "TopicArn"): lambda arn: arn,
    ("AWS::SNS::Topic", "TopicName"): lambda arn: arn.rpartition(":")[2],
    ("AWS::StepFunctions::StateMachine", "Name"): lambda arn: arn.rpartition(":")[2],
    ("AWS::Serverless::StateMachine", "Name"): lambda arn: arn.rpartition(":")[2],
    ("AWS::StepFunctions::StateMachine", "Arn"): lambda arn: arn,
    ("AWS::Serverless::StateMachine", "Arn"): lambda arn: arn,
}
"""Attributes that follow from what Ref returns, which is a queue's URL, a topic's and a state machine's ARN."""


class Unresolvable(ValueError):
    """Part of a template whose value cannot be told here; the message names it."""


@dataclass(frozen=True)
class Template:
    """A template in its long form, and the values of its parameters, its resources and the pseudo parameters.

    A resource's value is what Ref returns; those that are not made yet have none.
    """

    body: Mapping[str, Any]
    parameters: Mapping[str, str]
    physical: Mapping[str, str] = field(default_factory=dict)
    pseudo: Mapping[str, str] = field(default_factory=dict)

    def resources(self, kind: str) -> dict[str, dict[str, Any]]:
        """The properties of each resource of a type that its condition lets be, resolved, by logical id."""
        return {
            name: self.value(each.get("Properties", {}))
            for name, each in self.body.get("Resources", {}).items()
            if each.get("Type") == kind and self.is_made(each)
        }

    def is_made(self, resource: Mapping[str, Any]) -> bool:
        """Whether the condition of a resource, if it has one, holds."""
        return "Condition" not in resource or self.holds({"Condition": resource["Condition"]})

    def properties(self, logical_id: str) -> dict[str, Any]:
        """The properties of one resource, each as it stands: resolve those that are needed with :meth:`value`."""
        try:
            return dict(self.body["Resources"][logical_id].get("Properties", {}))
        except KeyError:
            raise Unresolvable(f"{logical_id} is not in the template") from None

    def value(self, node: Any) -> Any:
        """``node`` with every function in it replaced by its value. Raises Unresolvable."""
        if isinstance(node, list | tuple):
            return [found for each in node if (found := self.value(each)) is not NO_VALUE]
        if not isinstance(node, Mapping):
            return node
        if len(node) == 1:
            ((name, argument),) = node.items()
            if name == "Ref" or name.startswith("Fn::"):
                return self._called(name, argument)
        found = {key: self.value(each) for key, each in node.items()}
        return {key: each for key, each in found.items() if each is not NO_VALUE}

    def _called(self, name: str, argument: Any) -> Any:
        match name, argument:
            case "Ref", str():
                return self._ref(argument)
            case "Fn::Sub", str() | [str(), {}]:
                return self._sub(*([argument] if isinstance(argument, str) else argument))
            case "Fn::GetAtt", str():
                return self._attribute(*argument.split(".", 1))
            case "Fn::GetAtt", [str() as resource, str() as attribute]:
                return self._attribute(resource, attribute)
            case "Fn::Join", [str() as between, each]:
                return between.join(str(one) for one in self.value(each))
            case "Fn::If", [str() as condition, one, other]:
                return self.value(one if self.holds({"Condition": condition}) else other)
        raise Unresolvable(f"{name} {argument!r}"[:200])

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return NO_VALUE
        for known in (self.parameters, self.physical, self.pseudo):
            if name in known:
                return known[name]
        raise Unresolvable(f"Ref {name}")

    def _sub(self, text: str, more: Mapping[str, Any] | None = None) -> str:
        def value(found: re.Match[str]) -> str:
            name = found[1]
            if name.startswith("!"):
                return "${" + name[1:] + "}"
            if more and name in more:
                return str(self.value(more[name]))
            return str(self._attribute(*name.split(".", 1)) if "." in name else self._ref(name))

        return re.sub(r"\$\{([^}]+)\}", value, text)

    def _attribute(self, resource: str, attribute: str = "") -> str:
        kind = self.body.get("Resources", {}).get(resource, {}).get("Type", "")
        follows = _ATTRIBUTES.get((kind, attribute))
        if follows is None or resource not in self.physical:
            raise Unresolvable(f"Fn::GetAtt {resource}.{attribute}")
        return follows(self.physical[resource])

    def holds(self, condition: Any) -> bool:
        """Whether a condition holds: a function of conditions, or ``{"Condition": name}``."""
        match condition:
            case {"Condition": str() as name}:
                if name not in self.body.get("Conditions", {}):
                    raise Unresolvable(f"Condition {name}")
                return self.holds(self.body["Conditions"][name])
            case {"Fn::Equals": [one, other]}:
                return str(self.value(one)) == str(self.value(other))
            case {"Fn::Not": [one]}:
                return not self.holds(one)
            case {"Fn::And": [*several]}:
                return all(self.holds(each) for each in several)
            case {"Fn::Or": [*several]}:
                return any(self.holds(each) for each in several)
        raise Unresolvable(f"the condition {condition!r}"[:200])
