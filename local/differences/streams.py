"""A log stream carries the name of its function where the function's log group is configured.

``2026/11/28/cost-reporting-settle-run[$LATEST]<environment>`` (Lambda Developer Guide, "Configuring CloudWatch log
groups"), so that functions that share a group can be told apart. MiniStack names every stream as for a group of the
function's own, without its name.
"""

import time
import uuid
from typing import Any

from local.differences.upstream import upstream


def restore() -> None:
    """Write the log of a function with a configured group into a stream of that form."""
    lambdas = upstream("services.lambda_svc")
    as_before = lambdas._emit_lambda_logs

    def emitted(
        func: dict[str, Any], request_id: str, log_text: str, error: bool, duration_ms: int, **more: Any
    ) -> None:
        config = func.get("config") or func
        group = group_of(config)
        if group is None or not log_text:
            as_before(func, request_id, log_text, error, duration_ms, **more)
        else:
            write(group, name(config), log_text.splitlines())

    lambdas._emit_lambda_logs = emitted


def group_of(config: dict[str, Any]) -> str | None:
    """The log group that the function is configured with. MiniStack fills in the function's own where none is."""
    group = (config.get("LoggingConfig") or {}).get("LogGroup")
    return group if group and group != f"/aws/lambda/{config['FunctionName']}" else None


def name(config: dict[str, Any]) -> str:
    """A stream's name."""
    of = "" if group_of(config) is None else config["FunctionName"]
    return f"{time.strftime('%Y/%m/%d', time.gmtime())}/{of}[{config.get('Version', '$LATEST')}]{uuid.uuid4().hex}"


def write(group: str, stream: str, lines: list[str]) -> None:
    """Put lines into a new stream, and make the group if it is not there, as Lambda does."""
    logs = upstream("services.cloudwatch_logs")
    if group not in logs._log_groups:
        logs._create_log_group({"logGroupName": group})
    logs._create_log_stream({"logGroupName": group, "logStreamName": stream})
    now = int(time.time() * 1000)
    events = [{"timestamp": now, "message": line, "ingestionTime": now} for line in lines]
    logs._append_log_events(logs._log_groups[group]["streams"][stream], events)
