"""`scripts/generate_ops_report.py` and `scripts/performance_report.py`, with their AWS calls emulated."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

import _console
import _operators
import generate_ops_report
import performance_report
from cost_reporting.contracts import Outcome
from cost_reporting.ledger import Entry, State, fingerprint
from cost_reporting.outcomes import failed
from cost_reporting.store.ledger import LedgerStore
from cost_reporting.store.runs import RunStore
from cost_reporting.store.stacks import Resource, Stack
from tests.builders import a_client, an_outcome
from tests.functional.conftest import ENVIRONMENT, NOW, Answer, Clock, Wire, World, refusal
from tests.functional.test_preview import Ended
from tests.unit.test_performance import COLD, WARM

Invoke = Callable[[str, Any], Any]
MACHINE = "arn:aws:states:eu-central-1:123456789012:stateMachine:cost-reporting"
RUN_OF = "arn:aws:states:eu-central-1:123456789012:execution:cost-reporting:one"
FUNCTION = "cost-reporting-fetch-costs"
STACK = Stack(
    name="cost-reporting",
    resources=(
        Resource(logical_id="CostReportsStateMachine", kind="AWS::StepFunctions::StateMachine", physical_id=MACHINE),
        Resource(logical_id="FetchCostsFunction", kind="AWS::Lambda::Function", physical_id=FUNCTION),
    ),
)


class Deployed:
    clients_table, outcomes_table, bucket = (
        ENVIRONMENT[name] for name in ("CLIENTS_TABLE", "OUTCOMES_TABLE", "BUCKET")
    )


@pytest.fixture
def deployed(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(_operators, "stack_of", lambda name: (Deployed, STACK))
    return world


@pytest.fixture
def ops(deployed: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    def ops(*arguments: str, output: str = "ops.json") -> Ended:
        capsys.readouterr()
        asked = ["--period", "weekly", "--at", "2026-11-08", "--output", str(tmp_path / output), *arguments]
        return Ended(_console.main(generate_ops_report.app, asked), *capsys.readouterr())

    return ops


@pytest.fixture
def performance(deployed: World, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    def performance(*arguments: str) -> Ended:
        capsys.readouterr()
        asked = ["--period", "weekly", "--at", "2026-11-08", *arguments]
        return Ended(_console.main(performance_report.app, asked), *capsys.readouterr())

    return performance


def began(invoke: Invoke, world: World, *client_ids: str, cadence: str = "monthly", execution: str = RUN_OF) -> Any:
    for client_id in client_ids:
        world.add(a_client(client_id=client_id))
    asked = {"request": {"cadence": cadence}, "execution_id": execution, "started_at": NOW.isoformat()}
    return invoke("list_clients", asked)["run"]


def ended(run: Any, *outcomes: Outcome) -> None:
    from cost_reporting.contracts import Run

    for outcome in outcomes:
        RunStore("outcomes").record(Run.model_validate(run), outcome, NOW)


def mailed(client_id: str, state: State, to: str = "a@client.example") -> None:
    entry = Entry(
        report=f"{client_id}#monthly#2026-10#final#live",
        recipient=fingerprint(to),
        state=state,
        try_id="try-00000001",
        attempt=1,
        run_id="r",
        report_sha256="0" * 64,
        updated_at=NOW,
    )
    assert LedgerStore("outcomes").begin(entry, replacing=None)


def executions(wire: Wire, *statuses: tuple[str, str]) -> None:
    """What Step Functions says, now and of the period before: (ARN, status)."""
    found = [
        {
            "executionArn": arn,
            "stateMachineArn": MACHINE,
            "name": arn.rpartition(":")[2],
            "status": status,
            "startDate": NOW,
        }
        for arn, status in statuses
    ]
    for _ in range(2):
        wire.order("stepfunctions.ListExecutions", Answer(200, {"executions": found}))


# -- the list of runs -------------------------------------------------------------------------------------------------


def test_a_run_is_listed_by_the_month_in_which_it_began(invoke: Invoke, world: World) -> None:
    run = began(invoke, world, "acme")
    (item,) = world.outcomes("RUNS#")
    assert item["pk"] == "RUNS#2026-11"
    assert item["sk"] == f"2026-11-08T06:00:03.000+00:00#{run['run_id']}"
    assert (item["client_count"], item["period"], item["mode"]) == (1, "2026-10", "live")
    assert "recipients" not in item


def test_runs_of_a_span_are_found_across_months_and_its_end_is_not_in_it(invoke: Invoke, world: World) -> None:
    for days, client_id in ((-9, "acme"), (0, "globex"), (31, "initech")):
        world.add(a_client(client_id=client_id))
        at = (NOW + timedelta(days=days)).isoformat()
        asked = {"request": {"cadence": "weekly"}, "execution_id": f"arn:{days}", "started_at": at}
        invoke("list_clients", asked)
    runs = RunStore("outcomes")
    assert [run.execution_id for run in runs.listed(NOW - timedelta(days=9), NOW)] == ["arn:-9"]
    assert [run.execution_id for run in runs.listed(NOW, NOW + timedelta(days=32))] == ["arn:0", "arn:31"]
    assert not list(runs.listed(datetime(2020, 1, 1, tzinfo=UTC), datetime(2020, 3, 1, tzinfo=UTC)))


# -- the report -------------------------------------------------------------------------------------------------------


def test_a_report_says_who_got_theirs_and_who_did_not(invoke: Invoke, world: World, wire: Wire, ops: Any) -> None:
    run = began(invoke, world, "acme", "globex", "initech", "lost")
    denied = failed("initech", "Fetch Costs", "ClientAccessDenied", "role: AccessDenied")
    ended(run, an_outcome("acme", paid_requests=2), an_outcome("globex", paid_requests=3), denied)
    mailed("acme", "DELIVERED", "finance@northwind.example")
    mailed("globex", "BOUNCED", "finance@northwind.example")
    executions(wire, (RUN_OF, "FAILED"), (f"{MACHINE}:stray", "FAILED"))
    wire.order("stepfunctions.DescribeExecution", Answer(200, {"error": "InvalidRequest"}))
    answer = ops("--json")
    assert answer.code == 0, answer.err
    report = answer.json["report"]
    assert {line["client_id"]: line["status"] for line in report["reports"]} == {
        "acme": "delivered",
        "globex": "bounced",
        "initech": "failed",
        "lost": "underway",
    }
    assert [(each["error"], each["clients"]) for each in report["errors"]] == [
        ("ClientAccessDenied", ["initech"]),
        ("NoOutcome", ["lost"]),
    ]
    assert (report["totals"]["paid_requests"], report["totals"]["paid_usd"]) == (5, "0.05")
    assert (report["totals"]["mails_delivered_rate"], report["previous"]) == ("0.5", None)
    assert [(stray["status"], stray["error"]) for stray in report["strays"]] == [("FAILED", "InvalidRequest")]
    assert json.loads(Path(answer.json["output"]).read_text()) == report


def test_the_form_of_a_report_is_its_suffix(invoke: Invoke, world: World, wire: Wire, ops: Any, tmp_path: Path) -> None:
    began(invoke, world, "acme")
    for name, start in (("ops.pdf", b"%PDF-1.7"), ("ops.md", b"# Weekly operations report"), ("ops.json", b"{")):
        executions(wire)
        assert ops(output=name).code == 0
        assert (tmp_path / name).read_bytes().startswith(start)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ops.json", "ops.md", "ops.pdf"]


def test_what_aws_does_not_tell_is_not_known_and_the_report_is_made(
    invoke: Invoke, world: World, wire: Wire, ops: Any
) -> None:
    run = began(invoke, world, "acme", "lost")
    ended(run, an_outcome("acme"))
    world.delete(f"runs/{run['run_id']}/worklist-1.jsonl")
    for _ in range(2):
        wire.order("stepfunctions.ListExecutions", refusal("AccessDeniedException"))
        wire.order("cloudwatch.GetMetricStatistics", refusal("AccessDenied", 403))
    answer = ops("--json")
    assert answer.code == 0
    report = answer.json["report"]
    assert (report["strays"], report["totals"]["failed_executions"]) == (None, None)
    assert {check["measured"] for check in report["checks"]} == {None}
    assert report["runs"][0]["without_outcome"] == 1
    assert report["runs"][0]["state"] == "unknown"
    said = "\n".join(report["unknowns"])
    assert "Executions: " in said
    assert "CloudWatch: " in said
    assert "Who lacks an outcome" in said
    assert "not known: Executions" in answer.err


def test_without_the_runs_there_is_no_report(ops: Any, wire: Wire, tmp_path: Path) -> None:
    executions(wire)
    wire.order("dynamodb.Query", refusal("AccessDeniedException"))
    answer = ops()
    assert (answer.code, list(tmp_path.iterdir())) == (1, [])
    assert "StoreRefused: read the outcomes table" in answer.err


def test_a_count_that_differs_from_cloudwatch_s_is_said(invoke: Invoke, world: World, wire: Wire, ops: Any) -> None:
    ended(began(invoke, world, "acme"), an_outcome("acme"))
    executions(wire)
    boto3.client("cloudwatch").put_metric_data(
        Namespace="CostReporting", MetricData=[{"MetricName": "ReportsSent", "Value": 3, "Timestamp": NOW}]
    )
    answer = ops("--json")
    (check,) = [each for each in answer.json["report"]["checks"] if each["what"].startswith("Reports sent")]
    assert (check["recorded"], check["measured"], check["agrees"]) == (1, "3.0", False)
    assert "CloudWatch counts 2 more" in answer.err


@pytest.mark.parametrize(
    ("arguments", "output", "said"),
    [
        (("--at", "2026-10"), "ops.json", "--at: 2026-10 is not a period of a weekly report"),
        (("--at", "2026-12-24"), "ops.json", "--at: 2026-W52 has not begun"),
        (("--at", "yesterday"), "ops.json", "--at: 'yesterday'"),
        ((), "ops.txt", "--output: 'txt' is no form of a report"),
        (("--format", "xls"), "ops.txt", "--format: 'xls' is no form"),
        ((), "none/ops.json", "--output: the folder"),
    ],
)
def test_wrong_input_is_named_before_aws_is_asked(
    ops: Any, wire: Wire, clock: Clock, arguments: tuple[str, ...], output: str, said: str
) -> None:
    answer = ops(*arguments, output=output)
    assert (answer.code, wire.calls) == (2, [])
    assert said in answer.err


# -- performance ------------------------------------------------------------------------------------------------------


def a_function(wire: Wire) -> None:
    arn = f"arn:aws:lambda:eu-central-1:123456789012:function:{FUNCTION}"
    definition = {"StartAt": "Fetch Costs", "States": {"Fetch Costs": {"Parameters": {"FunctionName": arn}}}}
    wire.order("stepfunctions.DescribeStateMachine", Answer(200, {"definition": json.dumps(definition)}))
    wire.order(
        "lambda.GetFunctionConfiguration",
        Answer(200, {"FunctionName": FUNCTION, "FunctionArn": arn, "Role": "r", "MemorySize": 512, "Timeout": 120}),
    )


def test_report_lines_become_figures(invoke: Invoke, world: World, wire: Wire, performance: Any) -> None:
    run = began(invoke, world, "acme")
    ended(run, an_outcome("acme", recipients=2, paid_requests=2))
    executions(wire, (RUN_OF, "SUCCEEDED"))
    events = ["PassStateEntered", "TaskStateEntered", "TaskScheduled", "TaskScheduled", "TaskStateExited"]
    history = [{"id": at, "type": kind, "timestamp": NOW} for at, kind in enumerate(events, start=1)]
    wire.order("stepfunctions.GetExecutionHistory", Answer(200, {"events": history}))
    a_function(wire)
    wire.order(
        "logs.FilterLogEvents",
        Answer(200, {"events": [{"message": COLD}], "nextToken": "more"}),
        Answer(200, {"events": [{"message": WARM}, {"message": "REPORT RequestId: torn"}]}),
    )
    answer = performance("--json")
    assert answer.code == 0, answer.err
    report = answer.json["report"]
    (figures,) = report["functions"]
    assert (figures["name"], figures["states"], figures["invocations"]) == (FUNCTION, ["Fetch Costs"], 2)
    assert (figures["cold_starts"], figures["p95_ms"], figures["used_mb"]) == (1, "812.31", 132)
    assert figures["unreadable"] == 1
    costs = {line["what"]: line["quantity"] for line in report["costs"]}
    started, entered, retried, of_children = 1, 2, 1, 2
    assert costs["state transitions"] == str(started + entered + retried + of_children)
    assert (costs["mails through SES"], costs["requests to Cost Explorer"]) == ("2", "2")
    assert any("1 REPORT lines could not be read" in each for each in report["unknowns"])


def test_only_the_period_s_lines_are_asked_for(world: World, wire: Wire, performance: Any) -> None:
    executions(wire)
    a_function(wire)
    wire.order("logs.FilterLogEvents", Answer(200, {"events": []}))
    performance("--json")
    (asked,) = [call.parameters for call in wire.calls if call.operation == "logs.FilterLogEvents"]
    first, last = (datetime.fromtimestamp(asked[name] / 1000, UTC) for name in ("startTime", "endTime"))
    assert (first.isoformat(), last.isoformat()) == ("2026-11-02T00:00:00+00:00", "2026-11-08T23:59:59.999000+00:00")
    assert asked["filterPattern"] == '"REPORT RequestId"'


def test_a_log_that_is_not_there_makes_its_function_unknown(world: World, wire: Wire, performance: Any) -> None:
    executions(wire)
    a_function(wire)
    answer = performance()
    assert answer.code == 0
    assert f"{FUNCTION} | Fetch Costs | n/a | n/a" in answer.out
    assert f"Log of {FUNCTION}: " in answer.out


def test_a_form_without_a_file_is_wrong(performance: Any, wire: Wire) -> None:
    assert performance("--format", "pdf").code == 2
    assert not wire.calls
