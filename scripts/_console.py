"""What every command of this folder has in common: how it starts, how it fails, and what it answers.

Exit codes: 0 done, 1 something failed, 2 wrong input. What went wrong is one sentence, and what to do about it another;
with ``--json`` both are one JSON object on stdout, where otherwise the result stands, and nothing else does.

A command imports this module before any other, so that it can say what to do where nothing is installed.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

_HELP = """{what}
Run it with the interpreter of the checkout's environment:

    .venv/bin/python {command} …

and if there is none, `make setup` makes it."""


def _not_ready(what: str) -> NoReturn:
    sys.exit(_HELP.format(what=what, command=sys.argv[0] or "scripts/report.py"))


if sys.version_info < (3, 13):  # noqa: UP036 - whoever reads this far may be any Python 3
    _not_ready(f"This needs Python 3.13 and is run by {sys.version_info[0]}.{sys.version_info[1]}.")

try:
    import typer
    from rich.console import Console
    from typer.exceptions import TyperException

    from cost_reporting.errors import AccountTaken, ClientUnknown, CostReportingError, InvalidRequest
except ModuleNotFoundError as missing:
    _not_ready(f"{missing.name} is not installed for this Python, {sys.executable}.")

notes = Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)
"""For people: what happens and what went wrong. Machines read stdout."""


class Stopped(Exception):
    """A command cannot go on. ``error`` is a name, the message one sentence, ``remedy`` what to do about it.

    ``details`` are more for machines; people read them in the message.
    """

    exit_code = 1

    def __init__(self, message: str, *, remedy: str, error: str = "", details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.remedy = remedy
        self.details = details or {}
        self.error = error or type(self).__name__


class Failed(Stopped):
    """Something that was needed did not work."""


class WrongInput(Stopped):
    """What was asked for makes no sense; the message begins with the field."""

    exit_code = 2


def tell(text: str, style: str = "") -> None:
    """A line for people, printed as it stands."""
    notes.print(text, style=style, markup=False)


def answer(document: dict[str, Any]) -> None:
    """The result for machines."""
    print(json.dumps(document, ensure_ascii=False, indent=2))


def agreed(question: str, *, yes: bool, flag: str = "--yes") -> None:
    """Go on only if ``flag`` or a person says so."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise WrongInput(f"{flag}: {question} Nobody is here to answer.", remedy=f"Say {flag} if it shall.")
    notes.print(f"{question} [y/N] ", end="", markup=False)
    if input().strip().casefold() not in ("y", "yes"):
        raise Failed("The answer was no, so nothing was done.", remedy="Nothing.", error="Declined")


def is_willing(question: str) -> bool:
    """Whether somebody is here and says yes."""
    if not sys.stdin.isatty():
        return False
    notes.print(f"{question} [y/N] ", end="", markup=False)
    return input().strip().casefold() in ("y", "yes")


def main(app: typer.Typer, arguments: Sequence[str] | None = None) -> int:
    """Run the command and return the exit code. A fault of the software is a traceback; nothing else is."""
    asked = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in asked
    try:
        code = app(asked, standalone_mode=False)
    except Stopped as stopped:
        return _failed(
            stopped.exit_code, stopped.error, str(stopped), stopped.remedy, as_json=as_json, details=stopped.details
        )
    except CostReportingError as error:
        wrong_input = isinstance(error, AccountTaken | ClientUnknown | InvalidRequest)
        return _failed(2 if wrong_input else 1, error.name, str(error), error.remedy, as_json=as_json)
    except TyperException as wrong:
        message = getattr(wrong, "format_message", wrong.__str__)()
        # Without a message it was no command at all, and the help stands there already.
        return _failed(2, "WrongInput", message, "See --help.", as_json=as_json) if message else 2
    except (typer.Abort, KeyboardInterrupt):
        return _failed(1, "Interrupted", "Interrupted; nothing half-done was left.", "Start it again.", as_json=as_json)
    return code if isinstance(code, int) else 0


def _failed(
    code: int, error: str, message: str, remedy: str, *, as_json: bool, details: Mapping[str, Any] | None = None
) -> int:
    if as_json:
        answer({"status": "failed", "error": error, "message": message, "remedy": remedy} | dict(details or {}))
    else:
        notes.print(f"{error}: {message}", style="red", markup=False)
        notes.print(remedy, markup=False)
    return code
