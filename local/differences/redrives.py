"""A failed execution can be redriven, and a Distributed Map may take its concurrency from its input.

MiniStack knows no RedriveExecution, its context object lacks ``$$.Execution.RedriveCount`` (a path to it gives null),
and it ignores ``MaxConcurrencyPath``: a Distributed Map that has one runs up to 64 children at once. Restored:

- **RedriveExecution**: the execution goes on with the state that it had entered and not left, with the input that this
  state had, and with the definition that it was started with; its history grows by ExecutionRedriven, and
  DescribeExecution says redriveCount, redriveDate and redriveStatus. A Task is scheduled anew, with its retries; a
  Choice is evaluated again; a Fail state fails again. One that runs or has SUCCEEDED is ExecutionNotRedrivable.
  (Step Functions Developer Guide, "Restarting state machine executions with redrive"; API reference, RedriveExecution;
  botocore's model for the members of DescribeExecution)
- **$$.Execution.RedriveCount**: a number in every execution, 0 before the first redrive; RedriveTime only after one.
  (Developer Guide, "Accessing execution data from the Context object")
- **MaxConcurrencyPath**: a non-negative integer of the input, else the state fails with States.Runtime, which no Catch
  holds. (Developer Guide, "Using Map state in Distributed mode"; "Handling errors")

Not restored: children of a Map Run that itself has failed (all of them run again), the 14 days after which AWS refuses,
the limit of 24,999 events, and UpdateMapRun during a Map Run.
"""

import contextvars
import json
import threading
from typing import Any

from local.differences.upstream import upstream

Execution = dict[str, Any]


def restore() -> None:
    """Before ``roles`` and ``measured``, which look at whose execution it is when it begins to run."""
    machines = upstream("services.stepfunctions")
    _go_on_where_it_stopped(machines)
    _answer_redrives(machines)
    _describe_redrives(machines)
    _count_in_the_context(machines)
    _take_concurrency_from_the_input(machines)


def _go_on_where_it_stopped(machines: Any) -> None:
    run, add_event = machines._run_execution, machines._add_event
    at_work: dict[str, threading.Lock] = {}

    def run_execution(arn: str) -> Any:
        # The thread of an aborted Wait sleeps on: it must have seen that its execution is over before this one runs.
        with at_work.setdefault(arn, threading.Lock()):
            execution = machines._executions.get(arn)
            machine = machines._state_machines.get((execution or {}).get("stateMachineArn"))
            if execution is None or machine is None:
                return run(arn)
            execution.setdefault("_definition", machine["definition"])
            again = execution.pop("_again", None)
            return run(arn) if again is None else go_on(arn, execution, machine, *again)

    def go_on(arn: str, execution: Execution, machine: dict[str, Any], state: str, given: str) -> Any:
        """Run from ``state``, by way of a machine that starts there; ``event`` takes that back at once.

        The machine is the execution's own, since others may be redriven from the same state at this moment.
        """
        execution["status"] = "RUNNING"
        derived = f"{execution['stateMachineArn']}#{state}#{arn.rpartition(':')[2]}"
        definition = json.loads(execution["_definition"]) | {"StartAt": state}
        machines._state_machines[derived] = machine | {"definition": json.dumps(definition)}
        execution["_as_it_was"] = {name: execution[name] for name in ("stateMachineArn", "input")}
        execution |= {"stateMachineArn": derived, "input": given}
        return run(arn)

    def event(execution: Execution, *args: Any, **kwargs: Any) -> Any:
        if "_as_it_was" in execution:
            machines._state_machines.pop(execution["stateMachineArn"], None)
            execution.update(execution.pop("_as_it_was"))
        return add_event(execution, *args, **kwargs)

    machines._run_execution, machines._add_event = run_execution, event


def _answer_redrives(machines: Any) -> None:
    handle = machines.handle_request

    def redrive(data: Any) -> Any:
        execution = machines._executions.get(data.get("executionArn"))
        if not execution:
            return machines.error_response_json("ExecutionDoesNotExist", "Execution Does Not Exist", 400)
        if refusal := _refusal(execution):
            return machines.error_response_json("ExecutionNotRedrivable", refusal, 400)
        entered = next(each for each in reversed(execution["events"]) if each["type"].endswith("StateEntered"))
        details, date = entered["stateEnteredEventDetails"], machines.now_iso()
        execution.update(status="PENDING_REDRIVE", stopDate=None, output=None, redriveDate=date)
        execution["redriveCount"] = execution.get("redriveCount", 0) + 1
        for name in ("error", "cause"):
            execution.pop(name, None)
        counted = {"executionRedrivenEventDetails": {"redriveCount": execution["redriveCount"]}}
        machines._add_event(execution, "ExecutionRedriven", counted)
        execution["_again"] = details["name"], details["input"]
        arguments = (machines._run_execution, execution["executionArn"])
        threading.Thread(target=contextvars.copy_context().run, args=arguments, daemon=True).start()
        return machines.json_response({"redriveDate": date})

    async def handle_request(method: str, path: str, headers: Any, body: Any, query: Any) -> Any:
        if headers.get("x-amz-target", "").endswith(".RedriveExecution"):
            return machines._finalize_response(redrive(json.loads(body)))
        return await handle(method, path, headers, body, query)

    machines.handle_request = handle_request


def _describe_redrives(machines: Any) -> None:
    describe = machines._describe_execution

    def described(data: Any) -> Any:
        execution = machines._executions.get(data.get("executionArn"))
        answer = describe(data)
        if not execution:
            return answer
        redriven = {name: execution[name] for name in ("redriveCount", "redriveDate") if name in execution}
        redrivable = "NOT_REDRIVABLE" if _refusal(execution) else "REDRIVABLE"
        shown = json.loads(answer[2]) | {"redriveCount": 0, "redriveStatus": redrivable} | redriven
        return machines.json_response(shown)

    machines._describe_execution = described


def _count_in_the_context(machines: Any) -> None:
    resolve = machines._resolve_ctx_path

    def resolved(path: str, context: Any) -> Any:
        of = context.get("Execution") if isinstance(context, dict) else None
        execution = machines._executions.get(of.get("Id")) if of else None
        if of and execution:
            of["RedriveCount"] = execution.get("redriveCount", 0)
            of |= {"RedriveTime": execution["redriveDate"]} if "redriveDate" in execution else {}
        return resolve(path, context)

    machines._resolve_ctx_path = resolved


def _take_concurrency_from_the_input(machines: Any) -> None:
    run_map = machines._run_distributed_map

    def distributed(state: Any, raw: Any, effective: Any, iterator: Any, execution: Execution, context: Any) -> Any:
        if "MaxConcurrencyPath" in state:
            at_once = machines._resolve_path(state["MaxConcurrencyPath"], effective)
            if not isinstance(at_once, int) or isinstance(at_once, bool) or at_once < 0:
                raise machines._ExecutionError("States.Runtime", f"MaxConcurrencyPath gives {at_once!r}")
            state = state | {"MaxConcurrency": at_once}
        return run_map(state, raw, effective, iterator, execution, context)

    machines._run_distributed_map = distributed


def _refusal(execution: Execution) -> str:
    """Why AWS would not redrive the execution, or nothing."""
    if execution["status"] in ("RUNNING", "PENDING_REDRIVE", "SUCCEEDED"):
        return f"Execution is {execution['status']} and cannot be redriven"
    return ""
