"""The doors of the functions, and what the state machine writes down."""

from collections.abc import Iterator

from cost_reporting import aws
from cost_reporting.audit import Finding, finding, open_to_all
from cost_reporting.operations.audit.scope import NotLookedAt, Scope
from cost_reporting.store.functions import read_machine
from cost_reporting.store.translation import translated


def doors(scope: Scope) -> Iterator[Finding]:
    """Function URLs without authentication, and policies that let everybody call."""
    functions = aws.client("lambda")
    names = scope.physical("AWS::Lambda::Function")
    for name in names:
        with translated(f"read the doors of {name}"):
            for url in functions.list_function_url_configs(FunctionName=name)["FunctionUrlConfigs"]:
                if url["AuthType"] == "NONE":
                    yield finding("LAMBDA-URL", "high", name, "has a public URL", "Delete the function URL.")
            try:
                policy = functions.get_policy(FunctionName=name)["Policy"]
            except aws.Refused as refused:
                if aws.code(refused) != "ResourceNotFoundException":
                    raise
                continue
        yield from open_to_all("LAMBDA-PUBLIC", name, policy)
    scope.note(f"{len(names)} functions read")


def payloads(scope: Scope) -> Iterator[Finding]:
    """Payloads may hold recipients of test reports, so they do not belong into logs; failures do."""
    for arn in scope.physical("AWS::StepFunctions::StateMachine"):
        machine = read_machine(arn)
        if machine.logs is None:
            raise NotLookedAt(f"Step Functions does not say what {arn} logs")
        if machine.logs_payloads:
            yield finding(
                "STATES-PAYLOADS-LOGGED",
                "medium",
                arn,
                "logs what states receive and return",
                "Set IncludeExecutionData to false.",
            )
        if not machine.logs:
            yield finding("STATES-NOT-LOGGED", "low", arn, "logs nothing", "Set the level of its logging to ALL.")
