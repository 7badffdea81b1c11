"""The table of faults as people read it: docs/FAULTS.md, and what `make faults` prints."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from tests.faults.laboratory import Result
from tests.faults.rows import OPERATOR, Row

FILE: Final = Path(__file__).resolve().parents[2] / "docs" / "FAULTS.md"
HEAD: Final = """\
# Faults, and what becomes of a report

Written by `make faults`, which lets each of these happen to a client of its own in the deployed local stack, lifts it,
does what the last column says, and holds the ledger, the outcome, the run's status and its words, the mails that SES
has accepted and the sums in them against the truth. Network and services are disturbed by
[microburst](https://github.com/pingedbrain/microburst), a proxy between the functions and the emulated account;
processes are ended, hung and put to another time by a layer before every handler (`tests/faults/saboteur.py`).

"The run says" is how the first run ended: SUCCEEDED; or FAILED with this error of the client, named with its remedy;
or, with *run:*, FAILED before it could say more, which no rerun minds. "Mails" is how many SES has accepted in the end.
Where several executions are listed, they ended so in this order; LEFT_OUT, REMOVED, HELD and REJECTED are how a run
that SUCCEEDED has ended for its client. An operator is asked only where it cannot be known whether SES has accepted a
mail: `DeliveryUncertain`.

"Against an operator's word" counts the mails that SES accepted for a client while it was suspended, held, rejected or
removed: by the emulator's mails, not by what the product says. A mail that an operator forces is no double.

"""


def totals(results: Sequence[Result]) -> dict[str, int]:
    """The sums of the table."""
    return {
        "faults tried": len(results),
        "mails sent": sum(result.mails for result in results),
        "doubles": sum(len(result.doubles) for result in results),
        "lost": sum(len(result.lost) for result in results),
        "status wrong": sum(len(result.wrong) + (not as_declared(result)) for result in results),
        "against an operator's word": sum(result.against for result in results),
        "left to an operator": sum(result.row.then == OPERATOR for result in results),
    }


def as_declared(result: Result) -> bool:
    """Whether the runs ended as the row says, each of them."""
    row, said = result.row, [end.word for end in result.ends]
    if row.story is not None:
        return tuple(said) == row.ends
    return sorted(said[: row.together]) == sorted(row.ends)


def text(results: Iterable[Result]) -> str:
    """docs/FAULTS.md. Nothing in it changes from one run to the next: no times, no ids."""
    everything = list(results)
    parts = [HEAD, ", ".join(f"{name}: {count}" for name, count in totals(everything).items()).capitalize() + ".\n"]
    for group, members in groupby(everything, key=lambda result: result.row.group):
        parts.append(f"\n## {group}\n\n| What happens | The run says | Then | Mails |\n|---|---|---|---|\n")
        parts += (
            f"| {each.row.claim} | {_ends(each.row)} | {each.row.then or ''} | {each.mails} |\n" for each in members
        )
    return "".join(parts)


def show(results: Iterable[Result], console: Console) -> None:
    """The same, on the screen, with what is wrong."""
    everything = list(results)
    table = Table("What happens", "The run says", "Then", "Mails", "s", "Wrong", row_styles=["", "dim"])
    for each in everything:
        wrong = [*each.doubles, *each.lost, *each.wrong]
        if not as_declared(each):
            wrong.append(f"ended in {', '.join(end.word for end in each.ends[: each.row.together])}")
        table.add_row(
            each.row.claim,
            _ends(each.row),
            each.row.then or "",
            str(each.mails),
            f"{each.seconds:.0f}",
            "; ".join(wrong),
        )
    console.print(table)
    console.print(" · ".join(f"{name} {count}" for name, count in totals(everything).items()))


def _ends(row: Row) -> str:
    if row.story is None and len(set(row.ends)) == 1:
        return row.ends[0] if len(row.ends) == 1 else f"{row.ends[0]}, each"
    return ", ".join(row.ends)
