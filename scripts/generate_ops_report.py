"""A week or a month of runs for those who run the system: who got a report, who did not and why, and what it cost."""

import _console

# isort: split
import sys
from pathlib import Path
from typing import Annotated

import typer

import _operators
from _console import WrongInput
from cost_reporting import measures, wiring
from cost_reporting.contracts import Cadence
from cost_reporting.errors import InvalidRequest
from cost_reporting.operations.generate_ops_report import generate_ops_report, period_asked
from cost_reporting.report.operators import ops
from cost_reporting.store.clients import ClientStore
from cost_reporting.store.histories import ExecutionStore
from cost_reporting.store.ledger import LedgerStore
from cost_reporting.store.metrics import MetricStore
from cost_reporting.store.objects import ObjectStore
from cost_reporting.store.runs import RunStore

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(help=__doc__)
def generate(
    period: Annotated[Cadence, typer.Option(help="A week or a month of runs.")],
    output: Annotated[Path, typer.Option(help="The file; its suffix says the form: .json, .md or .pdf.")],
    at: Annotated[
        str | None, typer.Option(help="2026-10-17 (the period that holds it), 2026-10 or 2026-W42; the last one over.")
    ] = None,
    form: Annotated[str | None, typer.Option("--format", help="json, md or pdf, whatever the file is called.")] = None,
    stack_name: Annotated[
        str | None, typer.Option(help="The deployed stack; else the environment's, or the local.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Answer with one JSON object: the report itself.")] = False,
) -> None:
    """Read the runs of a period and of the one before, and write the report about them. Nothing is changed."""
    form = _operators.form_of(output, form)
    try:
        covered = period_asked(period, at, wiring.now())
    except InvalidRequest as wrong:
        raise WrongInput(f"--{wrong}", remedy="Correct it; --help has examples.") from None
    deployment, stack = _operators.stack_of(stack_name)
    with _operators.reading() as reading:
        report = generate_ops_report(
            period,
            covered,
            runs=RunStore(deployment.outcomes_table),
            ledger=LedgerStore(deployment.outcomes_table),
            clients=ClientStore(deployment.clients_table),
            objects=ObjectStore(deployment.bucket),
            executions=ExecutionStore(_operators.part(stack, "CostReportsStateMachine")),
            metrics=MetricStore(measures.NAMESPACE),
            now=wiring.now,
            progress=reading,
        )
    document = ops.document(report)
    _operators.write(output, form, report, document)
    for unknown in report.unknowns:
        _console.tell(f"not known: {unknown}", "yellow")
    for check in report.checks:
        if check.agrees is False:
            _console.tell(f"{check.what}: {check.recorded} in the table. {check.note}", "yellow")
    if as_json:
        _console.answer({"status": "done", "output": str(output), "report": report.model_dump(mode="json")})
    else:
        _console.tell(document.lead)
        print(output)


if __name__ == "__main__":
    sys.exit(_console.main(app))
