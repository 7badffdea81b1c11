"""What every handler has around it: types both ways, logs that say who and what, and metrics."""

import contextlib
import io
import json
import logging
from types import SimpleNamespace
from typing import Any

import pytest

from cost_reporting import step as module
from cost_reporting.contracts import ClientDue, CostsFetched, Health, HealthAsked, Outcome, RunSummary, Worklist
from cost_reporting.errors import ClientAccessDenied, ContractViolated, RunIncomplete
from cost_reporting.step import step
from tests.builders import a_client_due, a_run, a_stored_object, an_outcome, costs_fetched

CANARY = "canary-7f3a@leak.example"
CONTEXT = SimpleNamespace(aws_request_id="request-1")
Event = dict[str, Any]


class Output:
    """What a handler wrote: log events and, in the same stream on Lambda, metrics."""

    def __init__(self, logs: io.StringIO, capture: pytest.CaptureFixture[str]) -> None:
        self._logs, self._capture = logs, capture

    def events(self) -> list[Event]:
        return [json.loads(line) for line in self._logs.getvalue().splitlines()]

    def metrics(self) -> list[Event]:
        return [json.loads(line) for line in self._capture.readouterr().out.splitlines()]


@pytest.fixture
def output(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Output:
    stream = io.StringIO()
    (handler,) = module.logger.handlers
    monkeypatch.setattr(handler, "stream", stream)
    return Output(stream, capsys)


def event_of(fact: Any) -> Event:
    return json.loads(fact.model_dump_json())


def test_a_verb_that_wants_to_know_is_told_the_request_id() -> None:
    told = []

    @step
    def handler(due: ClientDue, request_id: str) -> ClientDue:
        told.append(request_id)
        return due

    handler(event_of(a_client_due()), CONTEXT)
    assert told == ["request-1"]


@step
def fetch(due: ClientDue) -> CostsFetched:
    """A verb that works."""
    return costs_fetched(due.client_id, due.run)


def fetching(result: Any) -> Any:
    """A handler whose verb returns ``result``, or raises it."""

    @step
    def handler(due: ClientDue) -> CostsFetched:
        """A verb of which only the annotations are true."""
        if isinstance(result, BaseException):
            raise result
        return result

    return handler


def test_a_fact_goes_in_and_plain_json_comes_out() -> None:
    due = a_client_due()
    answer = fetch(event_of(due), CONTEXT)
    assert answer == event_of(costs_fetched())
    assert json.loads(json.dumps(answer)) == answer


@pytest.mark.parametrize(
    ("event", "field"),
    [
        ({"client_id": "acme"}, "run"),
        (event_of(a_client_due()) | {"surprise": CANARY}, "surprise"),
        (event_of(a_client_due()) | {"client_id": [CANARY]}, "client_id"),
        (event_of(a_client_due()) | {"run": {"cadence": CANARY}}, "run.cadence"),
        ([], "received"),
        (CANARY, "received"),
        (None, "received"),
    ],
)
def test_an_event_that_does_not_fit_is_a_violation_that_names_the_field_and_not_the_value(
    event: Any, field: str, output: Output
) -> None:
    with pytest.raises(ContractViolated) as raised:
        fetch(event, CONTEXT)
    assert str(raised.value).startswith("received: ")
    assert field in str(raised.value)
    assert CANARY not in str(raised.value) + json.dumps(output.events())
    assert [(event["message"], event["error"]) for event in output.events()] == [("step_failed", "ContractViolated")]


@pytest.mark.parametrize(
    ("result", "field"),
    [
        (None, "returned"),
        (event_of(a_client_due()), "costs"),
        (event_of(costs_fetched()) | {"address": CANARY}, "address"),
        (an_outcome(), "returned"),
    ],
)
def test_a_result_that_does_not_fit_is_a_violation_as_well(result: Any, field: str, output: Output) -> None:
    with pytest.raises(ContractViolated) as raised:
        fetching(result)(event_of(a_client_due()), CONTEXT)
    assert str(raised.value).startswith("returned: ")
    assert field in str(raised.value)
    assert CANARY not in str(raised.value) + json.dumps(output.events())


def test_one_log_event_says_who_and_what_and_nothing_of_the_payload(output: Output) -> None:
    fetch(event_of(a_client_due("acme")), CONTEXT)
    (event,) = output.events()
    known = {"level", "location", "message", "timestamp", "service"}
    assert {key: value for key, value in event.items() if key not in known} == {
        "run_id": a_run().run_id,
        "client_id": "acme",
        "period": "2026-10",
        "request_id": "request-1",
        "fact": "CostsFetched",
    }
    assert event["message"] == "step_done"


def test_addresses_and_reasons_in_a_run_stay_out_of_the_log(output: Output) -> None:
    run = a_run(recipients=(CANARY,), force_send={"reason": CANARY})
    fetch(event_of(a_client_due("acme", run)), CONTEXT)
    with pytest.raises(ClientAccessDenied):
        fetching(ClientAccessDenied("acme: role: AccessDenied"))(event_of(a_client_due("acme", run)), CONTEXT)
    assert len(output.events()) == 2
    assert CANARY not in json.dumps(output.events())


def test_an_error_of_the_product_passes_as_it_is_and_is_logged_by_name_and_reason(output: Output) -> None:
    with pytest.raises(ClientAccessDenied, match=r"^acme: role: AccessDenied$") as raised:
        fetching(ClientAccessDenied("acme: role: AccessDenied"))(event_of(a_client_due("acme")), CONTEXT)
    assert raised.value.__suppress_context__
    (event,) = output.events()
    assert (event["level"], event["error"], event["reason"]) == (
        "ERROR",
        "ClientAccessDenied",
        "acme: role: AccessDenied",
    )
    assert (event["client_id"], event["period"]) == ("acme", "2026-10")


def test_an_unknown_exception_keeps_its_name_and_leaves_a_traceback(output: Output) -> None:
    with pytest.raises(ZeroDivisionError):
        fetching(ZeroDivisionError("by zero"))(event_of(a_client_due("acme")), CONTEXT)
    (event,) = output.events()
    assert (event["message"], event["error"], event["client_id"]) == ("step_broke", "ZeroDivisionError", "acme")
    assert "Traceback" in event["exception"]


def test_what_a_layer_below_says_is_an_event_with_the_keys_of_its_step(output: Output) -> None:
    @step
    def render(due: ClientDue) -> CostsFetched:
        logging.getLogger("cost_reporting.report.renderer").warning("logo_left_out", extra={"reason": "it is a script"})
        return costs_fetched(due.client_id, due.run)

    render(event_of(a_client_due("acme")), CONTEXT)
    said, _done = output.events()
    assert (said["level"], said["message"], said["reason"]) == ("WARNING", "logo_left_out", "it is a script")
    assert (said["client_id"], said["run_id"], said["request_id"]) == ("acme", a_run().run_id, "request-1")


def test_who_of_one_event_is_not_told_of_the_next(output: Output) -> None:
    @step
    def look(_asked: HealthAsked) -> Health:
        return Health.model_validate({"status": "healthy", "checked_at": "2026-11-08T06:00:00Z", "checks": []})

    fetch(event_of(a_client_due("acme")), CONTEXT)
    look({"test": True}, CONTEXT)
    assert "client_id" in output.events()[0]
    assert not {"run_id", "client_id", "period"} & output.events()[1].keys()


def test_metrics_are_counts_without_dimensions(output: Output) -> None:
    fetch(event_of(a_client_due("acme")), CONTEXT)
    (metric,) = output.metrics()
    (directive,) = metric["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "CostReporting"
    assert directive["Dimensions"] == [[]]
    assert directive["Metrics"] == [{"Name": "PaidRequests", "Unit": "Count"}]
    assert metric["PaidRequests"] == [2.0]
    assert "acme" not in json.dumps(metric)


def test_a_run_that_ends_incomplete_is_counted_although_it_raises(output: Output) -> None:
    @step
    def settle(_worklist: Worklist) -> RunSummary:
        raise RunIncomplete("1 of 2 clients have no report.")

    worklist = Worklist(run=a_run(), pass_number=1, worklist=a_stored_object("runs/r/worklist-1.jsonl"), client_count=2)
    with pytest.raises(RunIncomplete):
        settle(event_of(worklist), CONTEXT)
    (metric,) = output.metrics()
    assert metric["ExecutionsIncomplete"] == [1.0]


def test_a_second_deployment_counts_in_a_namespace_of_its_own(output: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Second")
    fetch(event_of(a_client_due("acme")), CONTEXT)
    (metric,) = output.metrics()
    assert metric["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Second"


@pytest.mark.parametrize("result", [costs_fetched(paid_requests=0), ClientAccessDenied("acme"), ZeroDivisionError("x")])
def test_each_step_tells_its_memory_by_function_however_it_ends(result: Any, output: Output) -> None:
    context = SimpleNamespace(aws_request_id="request-1", function_name="render-pdf", memory_limit_in_mb="1769")
    with contextlib.suppress(ClientAccessDenied, ZeroDivisionError):
        fetching(result)(event_of(a_client_due("acme")), context)
    (metric,) = [metric for metric in output.metrics() if "MemoryUtilization" in metric]
    (directive,) = metric["_aws"]["CloudWatchMetrics"]
    assert (directive["Namespace"], directive["Dimensions"]) == ("CostReporting", [["FunctionName"]])
    assert directive["Metrics"] == [{"Name": "MemoryUtilization", "Unit": "Percent"}]
    assert metric["FunctionName"] == "render-pdf"
    (used,) = metric["MemoryUtilization"]
    assert 1 < used < 100, "a Python with this package takes tens of MiB, not bytes and not GiB"


def test_a_fact_without_counts_writes_no_metrics(output: Output) -> None:
    @step
    def record(_due: ClientDue) -> Outcome:
        return an_outcome(status="NOT_SENT")

    record(event_of(a_client_due()), CONTEXT)
    assert output.metrics() == []


def test_a_union_of_facts_may_be_returned() -> None:
    worklist = Worklist(run=a_run(), pass_number=2, worklist=a_stored_object("runs/r/worklist-2.jsonl"), client_count=1)

    @step
    def settle(_due: ClientDue) -> Worklist | RunSummary:
        return worklist

    assert settle(event_of(a_client_due()), CONTEXT) == event_of(worklist)
