"""What a CloudFormation stack is made of."""

from cost_reporting import aws
from cost_reporting.contracts import Fact
from cost_reporting.store.translation import translated


class Resource(Fact):
    """A resource of a stack: its name in the template, its type, and what AWS calls it."""

    logical_id: str
    kind: str
    physical_id: str


class Stack(Fact):
    """A deployed stack and its resources."""

    name: str
    resources: tuple[Resource, ...]

    def of_kind(self, kind: str) -> tuple[Resource, ...]:
        """Its resources of a type, ``AWS::IAM::Role``, by their names in the template."""
        found = (resource for resource in self.resources if resource.kind == kind)
        return tuple(sorted(found, key=lambda resource: resource.logical_id))

    def physical(self, logical_id: str) -> str | None:
        """What AWS calls the resource with this name, or None if the stack has none such."""
        return next((one.physical_id for one in self.resources if one.logical_id == logical_id), None)


def read_stack(name: str) -> Stack:
    """The stack ``name`` as CloudFormation lists it now."""
    formation = aws.client("cloudformation")
    found: list[Resource] = []
    token: dict[str, str] = {}
    while True:
        with translated(f"list the resources of the stack {name}"):
            page = formation.list_stack_resources(StackName=name, **token)
        found += [
            Resource(
                logical_id=one["LogicalResourceId"],
                kind=one["ResourceType"],
                physical_id=one.get("PhysicalResourceId", ""),
            )
            for one in page["StackResourceSummaries"]
            if one["ResourceStatus"] != "DELETE_COMPLETE"
        ]
        if not page.get("NextToken"):
            return Stack(name=name, resources=tuple(found))
        token = {"NextToken": page["NextToken"]}
