"""Known vulnerabilities of the packages in the locks, as pip-audit finds them in PyPI's advisories."""

import _console

# isort: split
import sys
from typing import Annotated

import typer

import _dependencies

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
WORDS = {"passed": "ok", "found": "fault", "not checked": "not checked"}


@app.command(help=__doc__)
def known_vulnerabilities(
    pip_audit: Annotated[
        str | None, typer.Option(help="The command pip-audit. [default: that of `make audit`, or the one on PATH]")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Answer with one JSON object.")] = False,
) -> int:
    """Ask about each lock.

    Exit codes: 0 each package was compared and none has a known vulnerability, 1 one has, or a lock was not checked.
    """
    answered = {lock: _dependencies.audited(pip_audit, locks=(lock,)) for lock in _dependencies.ALL_LOCKS}
    if as_json:
        _console.answer(
            {
                "status": "done" if all(check.standing == "passed" for check, _ in answered.values()) else "findings",
                "locks": {
                    lock: {
                        "standing": WORDS[check.standing],
                        "note": check.note,
                        "findings": [each.model_dump(mode="json") for each in found],
                    }
                    for lock, (check, found) in answered.items()
                },
            }
        )
    else:
        for lock, (check, found) in answered.items():
            print(f"{WORDS[check.standing]}: {lock}: {check.note}")
            for each in found:
                print(f"fault: {lock}: {each.resource} {each.fact}\n    fix: {each.remedy}")
    return 0 if all(check.standing == "passed" for check, _ in answered.values()) else 1


if __name__ == "__main__":
    sys.exit(_console.main(app))
