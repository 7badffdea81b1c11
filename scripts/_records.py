"""Client records at the command line: read from files with every fault of them, and told in a terminal."""

import csv
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

import _console
import _files
from _console import Failed, WrongInput
from cost_reporting import aws, records, wiring
from cost_reporting.clients import Client
from cost_reporting.errors import InvalidRequest
from cost_reporting.records import Unsound, printable
from cost_reporting.soundness import Fault, Standpoint, today

_FORMULA = re.compile(r"^\s*[=+\-@\uff1d\uff0b\uff0d\uff20]")


def body_of(path: Path, option: str = "--config") -> bytes:
    """The bytes of a file. Raises WrongInput naming the option."""
    try:
        with path.open("rb") as file:
            return file.read(records.LARGEST * 40 + 1)
    except (OSError, ValueError) as fault:
        said = getattr(fault, "strerror", None) or str(fault)
        remedy = "Name a file that can be read."
        raise WrongInput(f"{option}: {printable(str(path))}: {said}.", remedy=remedy) from None


def standpoint() -> Standpoint:
    """From where a command judges a record: today, in the partition of its region."""
    return Standpoint(today(wiring.now()), aws.partition())


def record_of(path: Path, option: str = "--config", *, body: bytes | None = None) -> Client:
    """The record in a JSON file. Raises WrongInput with every fault of it."""
    read = records.read(body_of(path, option) if body is None else body, standpoint())
    if isinstance(read, Client):
        return read
    raise refused(f"{option}: {printable(str(path))}", read)


def parsed(path: Path, option: str = "--config") -> dict[str, Any]:
    """The JSON object in a file, a sound record or not. Raises WrongInput."""
    found = records.object_in(body_of(path, option))
    if isinstance(found, Fault):
        raise refused(f"{option}: {printable(str(path))}", (found,))
    return found


def refused(what: str, faults: Sequence[Fault], *, remedy: str = "Correct them; nothing was changed.") -> WrongInput:
    """What a command says of a record that is not sound: every fault, each with its remedy."""
    count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
    lines = "".join(f"\n  {each.field}: expected {each.expected}. {each.remedy}" for each in faults)
    details = {"faults": [each.model_dump() for each in faults]}
    return WrongInput(f"{what}: {count} in the record:{lines}", remedy=remedy, details=details)


@contextmanager
def asked(remedy: str) -> Iterator[None]:
    """Say of an InvalidRequest which option it is about, and of a record that is not sound every fault."""
    try:
        yield
    except Unsound as unsound:
        raise refused(unsound.what, unsound.faults) from None
    except InvalidRequest as wrong:
        field, colon, rest = str(wrong).partition(": ")
        raise WrongInput(f"--{field.replace('_', '-')}{colon}{rest}.", remedy=remedy) from None


def write(path: Path, body: bytes, option: str, *, replace: bool) -> None:
    """Write a file for the owner's eyes only, whole or not at all. Raises WrongInput or Failed."""
    try:
        _files.write(path, body, replace=replace)
    except FileExistsError:
        remedy = f"Give another name with {option}, or remove it."
        raise WrongInput(f"{option}: {printable(str(path))} is there already.", remedy=remedy) from None
    except (OSError, ValueError) as fault:
        said = getattr(fault, "strerror", None) or str(fault)
        remedy = f"Give another file with {option}."
        raise Failed(f"{option}: {printable(str(path))}: {said}.", remedy=remedy) from None


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table on stdout, as wide as it needs to be if nobody looks at it."""
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        shown.add_column(column, overflow="fold")
    for cells in rows:
        shown.add_row(*(printable(str(cell)).replace("[", "\\[") for cell in cells))
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=400)
    with console.capture() as captured:
        console.print(shown)
    print("\n".join(line.rstrip() for line in captured.get().splitlines()))


def as_csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Comma-separated values on stdout. A cell that a spreadsheet would take for a formula is made a text."""
    lines = csv.writer(sys.stdout, lineterminator="\n")
    lines.writerow(columns)
    for cells in rows:
        texts = (printable(str(cell)) for cell in cells)
        lines.writerow([f"'{text}" if _FORMULA.match(text) else text for text in texts])


@contextmanager
def progress(what: str, total: int | None) -> Iterator[Any]:
    """A bar for people who watch; the yielded function moves it on to a number."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=_console.notes, transient=True, disable=not _console.notes.is_terminal) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.update(task, completed=done)
