"""A week or a month of the system's own work: how long its functions took, what memory they had, what it all cost."""

import _console

# isort: split
import sys
from pathlib import Path
from typing import Annotated

import typer

import _operators
from _console import WrongInput
from cost_reporting import wiring
from cost_reporting.contracts import Cadence
from cost_reporting.errors import InvalidRequest
from cost_reporting.operations.generate_ops_report import period_asked
from cost_reporting.operations.measure_performance import measure_performance
from cost_reporting.report.operators import system
from cost_reporting.report.operators.document import markdown
from cost_reporting.store.histories import ExecutionStore
from cost_reporting.store.logs import LogStore
from cost_reporting.store.metrics import MetricStore
from cost_reporting.store.runs import RunStore

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(help=__doc__)
def measure(
    period: Annotated[Cadence, typer.Option(help="A week or a month.")],
    output: Annotated[Path | None, typer.Option(help="A file: .json, .md or .pdf; without it, Markdown here.")] = None,
    at: Annotated[
        str | None, typer.Option(help="2026-10-17 (the period that holds it), 2026-10 or 2026-W42; the last one over.")
    ] = None,
    form: Annotated[str | None, typer.Option("--format", help="json, md or pdf, whatever the file is called.")] = None,
    stack_name: Annotated[
        str | None, typer.Option(help="The deployed stack; else the environment's, or the local.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Answer with one JSON object: the report itself.")] = False,
) -> None:
    """Read the REPORT lines and the runs of a period, and write the report about them. Nothing is changed."""
    if output is None and form is not None:
        raise WrongInput("--format: goes with --output.", remedy="Name a file, or leave it out.")
    form = None if output is None else _operators.form_of(output, form)
    try:
        covered = period_asked(period, at, wiring.now())
    except InvalidRequest as wrong:
        raise WrongInput(f"--{wrong}", remedy="Correct it; --help has examples.") from None
    deployment, stack = _operators.stack_of(stack_name)
    machine = _operators.part(stack, "CostReportsStateMachine")
    with _operators.reading() as reading:
        report = measure_performance(
            period,
            covered,
            functions=[one.physical_id for one in stack.of_kind("AWS::Lambda::Function")],
            machine_arn=machine,
            runs=RunStore(deployment.outcomes_table),
            executions=ExecutionStore(machine),
            logs=LogStore(),
            metrics=MetricStore("AWS/Lambda"),
            now=wiring.now,
            progress=reading,
        )
    document = system.document(report)
    if output is not None and form is not None:
        _operators.write(output, form, report, document)
    if as_json:
        written = {} if output is None else {"output": str(output)}
        _console.answer({"status": "done", **written, "report": report.model_dump(mode="json")})
    elif output is None:
        print(markdown(document), end="")
    else:
        _console.tell(document.lead)
        print(output)


if __name__ == "__main__":
    sys.exit(_console.main(app))
