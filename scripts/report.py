"""Reports: seen before they are sent, run, run again, approved, and what became of them.

Exit codes: 0 done, 1 something failed or somebody has no report, 2 wrong input.
"""

import _console

# isort: split
import sys

import typer

import _approval
import _runs
import _status
from _preview import OURS, preview

__all__ = ["OURS", "app"]

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.command()(preview)
for command in (
    _runs.run,
    _runs.rerun,
    _runs.resend,
    _runs.backfill,
    _status.status,
    _approval.approve,
    _approval.reject,
):
    app.command()(command)
app.command(name="test")(_runs.send_test)


@app.callback(help=__doc__)
def _report() -> None:
    """The commands."""


if __name__ == "__main__":
    sys.exit(_console.main(app))
