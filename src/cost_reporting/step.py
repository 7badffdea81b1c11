"""What every handler has around it: types checked both ways, logs that say who and what, and metrics."""

import logging
import resource
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, get_type_hints

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit, single_metric
from pydantic import BaseModel, TypeAdapter, ValidationError

from cost_reporting import measures
from cost_reporting.clients import faults
from cost_reporting.errors import ContractViolated, CostReportingError
from cost_reporting.periods import label
from cost_reporting.settings import metrics_namespace

logger = Logger(service="cost-reporting")
_events = logging.getLogger("cost_reporting")
"""What the layers below say with the standard library: written like the rest, with the keys of the step around it."""
_events.handlers = list(logger.handlers)
_events.setLevel(logging.INFO)
_events.propagate = False


def step[Received: BaseModel, Returned: BaseModel](
    verb: Callable[[Received], Returned] | Callable[[Received, str], Returned],
) -> Callable[[Mapping[str, Any], object], Any]:
    """A Lambda handler from a function of one fact to another, both named by its annotations.

    The event is validated into the argument and the result into plain JSON; whatever does not fit raises
    ContractViolated naming the fields. One log event says how the step ended, with run_id, client_id and period, and no
    payload, address or secret. The product's errors pass as they are: their class names are words of the state machine.

    A verb that takes a second argument is told the request id: the same in every try of an asynchronous invocation.
    """
    hints = get_type_hints(verb)
    received: TypeAdapter[Received] = TypeAdapter(hints.pop(next(iter(hints))))
    returned: TypeAdapter[Returned] = TypeAdapter(hints["return"])
    wants_request_id = len(hints) > 1

    @wraps(verb)
    def handler(event: Mapping[str, Any], context: object) -> Any:
        logger.clear_state()
        try:
            fact = received.validate_python(event)
        except ValidationError as invalid:
            raise _reported(ContractViolated(f"received: {faults(invalid)}")) from None
        request_id = getattr(context, "aws_request_id", None)
        logger.append_keys(**_who(fact), request_id=request_id)
        more = (request_id,) if wants_request_id else ()
        try:
            result = returned.validate_python(verb(fact, *more))
        except ValidationError as invalid:
            raise _reported(ContractViolated(f"returned: {faults(invalid)}")) from None
        except CostReportingError as error:
            raise _reported(error) from None
        except Exception as error:
            logger.exception("step_broke", error=type(error).__name__)
            raise
        finally:
            _measure_memory(context)
        logger.info("step_done", fact=type(result).__name__)
        _measure(result)
        return returned.dump_python(result, mode="json")

    return handler


def _who(fact: BaseModel) -> dict[str, str]:
    run = getattr(fact, "run", None)
    keys = {} if run is None else {"run_id": run.run_id, "period": label(run.period)}
    client_id = getattr(fact, "client_id", None)
    return keys if client_id is None else keys | {"client_id": client_id}


def _reported(error: CostReportingError) -> CostReportingError:
    logger.error("step_failed", error=error.name, reason=str(error))
    _measure(error)
    return error


def _measure(fact: Any) -> None:
    counts = measures.of(fact)
    if not counts:
        return
    metrics = Metrics(namespace=metrics_namespace())
    for name, count in counts.items():
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=count)
    metrics.flush_metrics()


def _measure_memory(context: object) -> None:
    """The peak of this environment's memory in per cent of what the function has: AWS/Lambda has no such metric."""
    function, limit = getattr(context, "function_name", None), getattr(context, "memory_limit_in_mb", None)
    if function is None or limit is None:
        return
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # KiB on Linux
    with single_metric(
        name="MemoryUtilization", unit=MetricUnit.Percent, value=100 * peak / int(limit), namespace=metrics_namespace()
    ) as metric:
        metric.add_dimension(name="FunctionName", value=function)
