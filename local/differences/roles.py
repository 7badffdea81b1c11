"""What a state machine may do is what its role may do.

MiniStack (with AUTH=true) asks the policies of a role for every request that comes over HTTP with its credentials,
which is what Lambda functions do. What a state machine does itself happens inside the emulator and is never asked
about. Restored: invoking a function (``lambda:InvokeFunction``), reading the items of a Distributed Map
(``s3:GetObject``) and starting its children (``states:StartExecution``) need the permission of the state machine's
role, and fail without it.

The error names of the first two are AWS's. That of the third is a guess: AWS does not document it.
"""

from contextvars import ContextVar
from typing import Any

from local.differences.upstream import upstream

_role: ContextVar[str] = ContextVar("role", default="")


def restore() -> None:
    """Ask the role before each of the three."""
    machines = upstream("services.stepfunctions")
    run, call_lambda = machines._run_execution, machines._call_lambda
    read_object, run_map = machines._s3_object_text, machines._run_distributed_map

    def run_execution(arn: str) -> Any:
        machine = machines._state_machines.get((machines._executions.get(arn) or {}).get("stateMachineArn")) or {}
        token = _role.set(machine.get("roleArn", ""))
        try:
            return run(arn)
        finally:
            _role.reset(token)

    def call(reference: str, event: Any) -> Any:
        _, config, _ = upstream("services.lambda_svc")._get_func_record_for_ref(reference)
        if config:
            require("lambda:InvokeFunction", config["FunctionArn"], "Lambda.AWSLambdaException")
        return call_lambda(reference, event)

    def read(bucket: str, key: str) -> Any:
        require("s3:GetObject", f"arn:aws:s3:::{bucket}/{key}", "States.ItemReaderFailed")
        return read_object(bucket, key)

    def distributed(
        state: Any, raw: Any, effective: Any, iterator: Any, execution: dict[str, Any], context: Any
    ) -> Any:
        require("states:StartExecution", execution["stateMachineArn"], "States.Runtime")
        return run_map(state, raw, effective, iterator, execution, context)

    machines._run_execution, machines._call_lambda = run_execution, call
    machines._s3_object_text, machines._run_distributed_map = read, distributed


def require(action: str, resource: str, error: str) -> None:
    """Fail the state with ``error`` unless the role of the running state machine allows ``action`` on ``resource``."""
    role = _role.get()
    if not role or not upstream("app").AUTH:
        return
    evaluator = upstream("core.iam_evaluator")
    account, name = role.split(":")[4], role.rpartition("/")[2]
    principal = f"arn:aws:sts::{account}:assumed-role/{name}/stepfunctions"
    context = evaluator.EvalContext(
        principal_arn=principal,
        principal_type="AssumedRole",
        principal_account=account,
        action=action,
        resource_arn=resource,
        region=upstream("core.responses").get_region(),
    )
    if evaluator.evaluate(context, evaluator._gather_role_policies(name, account)).decision != "Allow":
        raise upstream("services.stepfunctions")._ExecutionError(
            error,
            f"User: {principal} is not authorized to perform: {action} on resource: {resource} "
            f"because no identity-based policy allows the {action} action",
        )
