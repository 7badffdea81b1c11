"""The process in which one Lambda function runs: what ``/var/runtime/bootstrap`` is on AWS.

Started by ``environments.py`` with ``-I -S``, so that a handler sees the standard library, boto3, its layers and its
own code, and nothing else that happens to be installed on this machine.

Requests come as JSON lines on the original stdin. Answers go to stdout as lines marked with NUL, between the lines that
the handler prints: whatever stands before an answer belongs to that invocation's log.
"""

import importlib
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from decimal import Decimal
from typing import Any, BinaryIO


class Context:
    """The second argument of a handler."""

    identity = None
    client_context = None

    def __init__(self, request_id: str, arn: str, deadline: float) -> None:
        self.aws_request_id = request_id
        self.invoked_function_arn = arn
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self._deadline = deadline

    def get_remaining_time_in_millis(self) -> int:
        """Until the function's Timeout."""
        return max(0, int((self._deadline - time.time()) * 1000))


def main() -> None:
    """Import the handler, then answer one request after the other until stdin ends, which it does with the emulator."""
    requests = os.fdopen(os.dup(0), "rb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(1, 2)
    begin: dict[str, Any] = json.loads(requests.readline())
    sys.path[:0] = begin["path"]
    sys.path += begin["runtime_path"]
    handler, failure = load(begin["handler"])
    answer({"ready": failure is None, "failure": failure})
    if handler is not None:
        serve(requests, handler)


def load(name: str) -> tuple[Callable[[Any, Context], Any] | None, dict[str, Any] | None]:
    """The handler called ``module.function``, or why there is none, in the runtime's words."""
    module, _, function = name.rpartition(".")
    try:
        return getattr(importlib.import_module(module.replace("/", ".")), function), None
    except ImportError as error:
        return None, {
            "errorMessage": f"Unable to import module '{module}': {error}",
            "errorType": "Runtime.ImportModuleError",
            "stackTrace": [],
        }
    except AttributeError as error:
        if error.name != function:
            return None, described(error)
        return None, {
            "errorMessage": f"Handler '{function}' missing on module '{module}'",
            "errorType": "Runtime.HandlerNotFound",
            "stackTrace": [],
        }
    except Exception as error:  # noqa: BLE001 - whatever the module raises is its answer
        return None, described(error)


def serve(requests: BinaryIO, handler: Callable[[Any, Context], Any]) -> None:
    """One request, one answer."""
    for line in requests:
        request = json.loads(line)
        if request["trace_id"]:
            os.environ["_X_AMZN_TRACE_ID"] = request["trace_id"]
        context = Context(request["request_id"], request["arn"], time.time() + request["timeout"])
        try:
            result = handler(request["event"], context)
        except Exception as error:  # noqa: BLE001 - whatever the handler raises is its answer
            failure = described(error, skip=1) | {"requestId": request["request_id"]}
            log(failure)
            answer({"failure": failure})
            continue
        try:
            answer({"result": result})
        except (TypeError, ValueError) as error:
            answer({"failure": described(error) | {
                "errorMessage": f"Unable to marshal response: {error}", "errorType": "Runtime.MarshalError",
            }})  # fmt: skip


def described(error: Exception, skip: int = 0) -> dict[str, Any]:
    """An exception as the Python runtime reports it: the name is that of its class, without the module."""
    frames = traceback.extract_tb(error.__traceback__)[skip:]
    return {
        "errorMessage": str(error),
        "errorType": type(error).__name__,
        "stackTrace": traceback.format_list(frames),
    }


def log(failure: dict[str, Any]) -> None:
    """The runtime's own line about an exception that left the handler."""
    lines = "".join(["Traceback (most recent call last):\n", *failure["stackTrace"]])
    print(f"[ERROR] {failure['errorType']}: {failure['errorMessage']}\n{lines}", end="")


def answer(message: dict[str, Any]) -> None:
    """Write a line that no handler writes, after all that the handler has written."""
    line = json.dumps(message, default=plain)
    sys.stdout.flush()
    sys.stderr.flush()
    with open(1, "wb", closefd=False) as pipe:
        pipe.write(b"\0" + line.encode() + b"\n")


def plain(value: object) -> float:
    """The runtime writes a Decimal as a number, and nothing else that JSON does not know."""
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


if __name__ == "__main__":
    main()
