"""The template of this checkout as a stack that was deployed from it: what CloudFormation would say about it."""

from typing import Any

import _template
from cost_reporting.domain.templates import Template

ACCOUNT, REGION, STACK = "123456789012", "eu-central-1", "cost-reporting"
STACK_ID = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{STACK}/0b1c"
TABLES = {"ClientsTable": "clients", "OutcomesTable": "outcomes", "Bucket": "reports-of-a-test"}
"""What tests/functional calls some resources."""
PARAMETERS = {"Sender": "reports@consultancy.example", "Operators": "operations@consultancy.example"}


def physical_id(name: str, kind: str) -> str:
    """What Ref returns for a resource, in the form that its type has."""
    plain = f"{STACK}-{name}"
    match kind:
        case "AWS::SQS::Queue":
            return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{plain}"
        case "AWS::SNS::Topic":
            return f"arn:aws:sns:{REGION}:{ACCOUNT}:{STACK}-alerts"
        case "AWS::Serverless::StateMachine":
            return f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{STACK}"
    return TABLES.get(name, plain)


def deployed(**parameters: str) -> Template:
    """The template with its default parameters, but for those that are named, and made-up resources."""
    body = _template.body()
    values = _template.values(body, ("a test", PARAMETERS | parameters))
    made = {name: physical_id(name, each["Type"]) for name, each in body["Resources"].items()}
    pseudo = {"AWS::Partition": "aws", "AWS::Region": REGION, "AWS::AccountId": ACCOUNT, "AWS::StackName": STACK}
    return Template(body=body, parameters=values, physical=made, pseudo=pseudo)


def described(template: Template, **changes: Any) -> dict[str, Any]:
    """What DescribeStacks answers."""
    parameters = [{"ParameterKey": name, "ParameterValue": value} for name, value in template.parameters.items()]
    stack = {"StackName": STACK, "StackId": STACK_ID, "StackStatus": "UPDATE_COMPLETE", "Parameters": parameters}
    return stack | changes


def listed(template: Template) -> list[dict[str, str]]:
    """What ListStackResources answers; schedules, which SAM makes of events, are among them."""
    made = [
        {"LogicalResourceId": name, "ResourceType": each["Type"], "PhysicalResourceId": template.physical[name]}
        for name, each in template.body["Resources"].items()
    ]
    made.append(
        {"LogicalResourceId": "Weekly", "ResourceType": "AWS::Scheduler::Schedule", "PhysicalResourceId": "weekly"}
    )
    return [each | {"ResourceStatus": "CREATE_COMPLETE"} for each in made]
