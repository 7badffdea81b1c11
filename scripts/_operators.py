"""What the commands that report to operators have in common: the forms of their reports, progress, and the stack."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pydantic import BaseModel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

import _console
import _deployment
import _files
from _console import Failed, WrongInput
from cost_reporting.report.operators.document import Document, markdown
from cost_reporting.report.operators.printed import pdf
from cost_reporting.store.stacks import Stack, read_stack

FORMS: Final = ("json", "md", "pdf")
Reading = Callable[[str, int, int], None]


def form_of(output: Path, asked: str | None) -> str:
    """The form of the report: what was asked for, or else what the name of the file says."""
    form = asked or output.suffix.removeprefix(".").casefold().replace("markdown", "md")
    if form not in FORMS:
        field = "--output" if asked is None else "--format"
        raise WrongInput(
            f"{field}: {form or output.name!r} is no form of a report.",
            remedy="End the name in .json, .md or .pdf, or say --format json, md or pdf.",
        )
    if not output.parent.is_dir():
        raise WrongInput(f"--output: the folder {output.parent} does not exist.", remedy="Make it, or name another.")
    return form


def write(output: Path, form: str, report: BaseModel, document: Document) -> None:
    """Put the report into its place, whole or not at all, for its owner's eyes only."""
    body = pdf(document) if form == "pdf" else (_json(report) if form == "json" else markdown(document)).encode()
    try:
        _files.write(output, body)
    except OSError as fault:
        raise Failed(f"{output}: {fault.strerror}.", remedy="Give another file with --output.") from None


def _json(report: BaseModel) -> str:
    return report.model_dump_json(indent=2) + "\n"


def stack_of(stack_name: str | None) -> tuple[_deployment.Deployment, Stack]:
    """The deployment and its stack. Raises WrongInput if the environment names parts but no stack."""
    deployment = _deployment.find(stack_name)
    name = stack_name or os.environ.get("STACK_NAME")
    if not name:
        raise WrongInput(
            "--stack-name: this command looks at all parts of a stack, and the environment names only some.",
            remedy="Name the stack: `--stack-name cost-reporting`.",
        )
    return deployment, read_stack(name)


def part(stack: Stack, logical_id: str) -> str:
    """What AWS calls a resource of the template."""
    found = stack.physical(logical_id)
    if not found:
        raise WrongInput(
            f"--stack-name: stack {stack.name} has no {logical_id}.",
            remedy="Name a stack that was deployed from this template.",
        )
    return found


@contextmanager
def reading() -> Iterator[Reading]:
    """Shows on stderr what is being read and how far it is."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=_console.notes, transient=True) as shown:
        tasks = {}

        def read(what: str, done: int, of: int) -> None:
            if what not in tasks:
                tasks[what] = shown.add_task(what, total=of or None)
            shown.update(tasks[what], completed=done, total=of or None)

        yield read
