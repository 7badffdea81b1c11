"""What AWS's services measure of themselves.

Restored here, where MiniStack differs:

- ``AWS/Lambda``: Invocations, Errors and Duration of every execution of a function; upstream counts only those that
  come as a request of their own, so none of a state machine, of an event or of a retry;
- ``AWS/States``: ExecutionsStarted, ExecutionsSucceeded, ExecutionsFailed, ExecutionsAborted, ExecutionsTimedOut and
  ExecutionTime of a state machine. The children of a Distributed Map are counted with none, since AWS does not say
  where it counts them;
- ``AWS/SQS``: ApproximateNumberOfMessagesVisible of every queue, before each look at the alarms;
- ``AWS/SES``: Reputation.BounceRate and Reputation.ComplaintRate of the account and of each configuration set. AWS
  takes "a representative volume" of mail; here it is that of the last day.
"""

import time
from typing import Any

from local.differences import alarms
from local.differences.upstream import upstream

DAY = 24 * 60 * 60
_mails: list[tuple[float, tuple[str, str], str, set[str]]] = []
"""When, in which account and region, with which configuration set, and what became of it."""


def restore() -> None:
    """Have each service say what it does."""
    alarms.before_each_look(queues)
    lambda_svc, machines = upstream("services.lambda_svc"), upstream("services.stepfunctions")
    theirs_run, theirs_invocation = machines._run_execution, lambda_svc._emit_lambda_metrics

    def run(arn: str) -> Any:
        execution = machines._executions.get(arn) or {}
        of = {"StateMachineArn": execution.get("stateMachineArn", "")}
        began = time.monotonic()
        record("AWS/States", "ExecutionsStarted", 1, "Count", of)
        try:
            return theirs_run(arn)
        finally:
            ended = {"SUCCEEDED": "Succeeded", "FAILED": "Failed", "ABORTED": "Aborted", "TIMED_OUT": "TimedOut"}
            status = ended.get(execution.get("status", ""))
            if status:
                record("AWS/States", f"Executions{status}", 1, "Count", of)
                record("AWS/States", "ExecutionTime", (time.monotonic() - began) * 1000, "Milliseconds", of)

    def invocation(name: str, duration_ms: float, error: bool, throttle: bool) -> None:
        if throttle:
            theirs_invocation(name, duration_ms, error, throttle)

    machines._run_execution = run
    lambda_svc._emit_lambda_metrics = invocation


def invoked(function: str, seconds: float, *, failed: bool) -> None:
    """A function has been executed once."""
    of = {"FunctionName": function}
    record("AWS/Lambda", "Invocations", 1, "Count", of)
    record("AWS/Lambda", "Errors", int(failed), "Count", of)
    record("AWS/Lambda", "Throttles", 0, "Count", of)
    record("AWS/Lambda", "Duration", seconds * 1000, "Milliseconds", of)


def queues() -> None:
    """How many messages wait in each queue of this account."""
    sqs = upstream("services.sqs")
    for queue in list(sqs._queues.values()):
        sqs._refresh_counts(queue)
        waiting = float(queue["attributes"]["ApproximateNumberOfMessages"])
        record("AWS/SQS", "ApproximateNumberOfMessagesVisible", waiting, "Count", {"QueueName": queue["name"]})


def mailed(configuration_set: str | None, events: set[str]) -> None:
    """A mail was accepted, and these kinds of events say what became of it."""
    responses, now = upstream("core.responses"), alarms.clock.time()
    where = (responses.get_account_id(), responses.get_region())
    _mails[:] = [each for each in _mails if each[0] > now - DAY]
    _mails.append((now, where, configuration_set or "", events))
    here = [each for each in _mails if each[1] == where]
    ours = [each for each in here if each[2] == configuration_set]
    dimensions: tuple[tuple[list[Any], dict[str, str]], ...] = (
        (here, {}),
        (ours, {"ses:configuration-set": configuration_set or ""}),
    )
    for mails, of in dimensions:
        for kind, rate in (("BOUNCE", "BounceRate"), ("COMPLAINT", "ComplaintRate")):
            if mails:
                share = sum(kind in each[3] for each in mails) / len(mails)
                record("AWS/SES", f"Reputation.{rate}", share, "None", of)


def record(namespace: str, name: str, value: float, unit: str, dimensions: dict[str, str]) -> None:
    """One datum, now."""
    upstream("services.cloudwatch").record_metric(namespace, name, value, unit, dimensions)
