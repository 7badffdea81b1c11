"""What a CloudFormation stack is made of, and what its template says."""

import json
from collections.abc import Mapping

from cost_reporting import aws
from cost_reporting.contracts import Fact
from cost_reporting.domain.templates import Template
from cost_reporting.errors import StoreRefused
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


class Described(Fact):
    """A stack as CloudFormation describes it: its ARN, its status, and the values of its parameters."""

    name: str
    arn: str
    status: str
    parameters: Mapping[str, str]

    @property
    def is_changing(self) -> bool:
        """Whether it is being changed just now."""
        return self.status.endswith("_IN_PROGRESS")


def describe_stack(name: str) -> Described | None:
    """The stack with this name or ARN, None if there is none.

    CloudFormation answers ValidationError for a stack that does not exist (API Reference, "DescribeStacks").
    """
    with translated(f"describe the stack {name}"):
        try:
            (found,) = aws.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
        except aws.Refused as refused:
            if aws.code(refused) == "ValidationError" and "does not exist" in aws.message(refused):
                return None
            raise
    if found["StackStatus"] == "DELETE_COMPLETE":
        return None
    parameters = {
        each["ParameterKey"]: each.get("ResolvedValue", each.get("ParameterValue", ""))
        for each in found.get("Parameters", [])
    }
    return Described(name=found["StackName"], arn=found["StackId"], status=found["StackStatus"], parameters=parameters)


def read_template(name: str) -> Template:
    """The template that the stack was deployed with, with the values that its parameters and resources have.

    The processed stage, which a template with a transform has in JSON; botocore parses that. (CloudFormation API
    Reference, "GetTemplate"; botocore.handlers.json_decode_template_body)
    """
    described = describe_stack(name)
    if described is None:
        raise StoreRefused(f"read the template of the stack {name}: there is no such stack")
    if described.is_changing:
        raise StoreRefused(f"read the template of the stack {described.name}: it is being changed ({described.status})")
    with translated(f"read the template of the stack {described.name}"):
        body = aws.client("cloudformation").get_template(StackName=name, TemplateStage="Processed")["TemplateBody"]
    if isinstance(body, str):
        try:
            body = json.loads(body)
        except ValueError:
            raise StoreRefused(f"read the template of the stack {described.name}: it did not come in JSON") from None
    _, partition, _, region, account = described.arn.split(":")[:5]
    return Template(
        body=body,
        parameters=described.parameters,
        physical={each.logical_id: each.physical_id for each in read_stack(name).resources if each.physical_id},
        pseudo={
            "AWS::Partition": partition,
            "AWS::Region": region,
            "AWS::AccountId": account,
            "AWS::StackName": described.name,
            "AWS::StackId": described.arn,
        },
    )
