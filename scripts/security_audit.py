"""Is the deployed stack as safe as its template says? Findings with what to do, and what could not be looked at."""

import _console

# isort: split
import json
import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError

import _dependencies
import _operators
from _console import WrongInput
from cost_reporting import wiring
from cost_reporting.audit import Check, Finding
from cost_reporting.clients import faults
from cost_reporting.contracts import Fact
from cost_reporting.operations.audit import audit_security
from cost_reporting.operations.audit.scope import Scope
from cost_reporting.report.operators import safety
from cost_reporting.report.operators.document import markdown

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class Baseline(Fact):
    """Findings that somebody has accepted: the reason of each by its id."""

    accepted: dict[str, str]


@app.command(help=__doc__)
def audit(
    output: Annotated[Path | None, typer.Option(help="A file: .json, .md or .pdf; without it, Markdown here.")] = None,
    form: Annotated[str | None, typer.Option("--format", help="json, md or pdf, whatever the file is called.")] = None,
    baseline: Annotated[
        Path | None, typer.Option(help='Accepted findings: {"accepted": {"<id>": "<reason>"}}; they do not count.')
    ] = None,
    probe_clients: Annotated[
        bool, typer.Option("--probe-clients", help="Try each client's role without its ExternalId.")
    ] = False,
    dependencies: Annotated[
        bool, typer.Option("--dependencies", help="Ask pip-audit for known faults; it needs the network.")
    ] = False,
    max_key_age: Annotated[int, typer.Option(min=1, help="Days after which a client's keys are old.")] = 90,
    log_days: Annotated[int, typer.Option(min=1, max=365, help="Days of logs that are looked through.")] = 7,
    log_lines: Annotated[int, typer.Option(min=1, help="Lines that are read of each log, at most.")] = 2_000,
    stack_name: Annotated[
        str | None, typer.Option(help="The deployed stack; else the environment's, or the local.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Answer with one JSON object: the report itself.")] = False,
) -> int:
    """Look at a deployed stack and change nothing.

    Exit codes: 0 no grave finding, 1 there are some, 2 wrong input. What was not looked at is named and never passed.
    """
    if output is None and form is not None:
        raise WrongInput("--format: goes with --output.", remedy="Name a file, or leave it out.")
    form = None if output is None else _operators.form_of(output, form)
    accepted = {} if baseline is None else _accepted(baseline)
    deployment, stack = _operators.stack_of(stack_name)
    machine = _operators.part(stack, "CostReportsStateMachine")
    with _operators.reading() as reading:
        scope = Scope(
            stack=stack,
            account=machine.split(":")[4],
            clients_table=deployment.clients_table,
            bucket=deployment.bucket,
            sender=deployment.sender,
            configuration_set=deployment.configuration_set,
            now=wiring.now(),
            wait=time.sleep,
            progress=reading,
            probe=probe_clients,
            key_age_days=max_key_age,
            log_days=log_days,
            log_lines=log_lines,
        )
        report = audit_security(scope, accepted=accepted, more=[_packages(asked=dependencies)])
    document = safety.document(report)
    if output is not None and form is not None:
        _operators.write(output, form, report, document)
    for check in report.checks:
        if check.standing == "not checked":
            _console.tell(f"not checked: {check.name}: {check.note}", "yellow")
    for stale in report.stale:
        _console.tell(f"--baseline: {stale} is not found any more", "yellow")
    if as_json:
        written = {} if output is None else {"output": str(output)}
        status = {"status": "findings" if report.high else "done", "high": report.high}
        _console.answer({**status, **written, "report": report.model_dump(mode="json")})
    elif output is None:
        print(markdown(document), end="")
    else:
        _console.tell(document.lead)
        print(output)
    return 1 if report.high else 0


def _packages(*, asked: bool) -> tuple[Check, tuple[Finding, ...]]:
    if asked:
        return _dependencies.audited()
    return Check(
        name=_dependencies.NAME, standing="not checked", note="only with --dependencies: it needs the network"
    ), ()


def _accepted(baseline: Path) -> dict[str, str]:
    try:
        found = json.loads(baseline.read_text(encoding="utf-8"))
        accepted = TypeAdapter(Baseline).validate_python(found).accepted
    except OSError as fault:
        raise WrongInput(f"--baseline: {baseline}: {fault.strerror}.", remedy="Name a file that can be read.") from None
    except ValidationError as invalid:
        raise WrongInput(
            f"--baseline: {baseline}: {faults(invalid)[:300]}", remedy="Correct the named fields; see --help."
        ) from None
    except ValueError:
        raise WrongInput(f"--baseline: {baseline} is not JSON.", remedy="See --help for its form.") from None
    if unexplained := sorted(each for each, reason in accepted.items() if not reason.strip()):
        raise WrongInput(f"--baseline: no reason for {', '.join(unexplained[:5])}.", remedy="Say why each is accepted.")
    return accepted


if __name__ == "__main__":
    sys.exit(_console.main(app))
