"""What a benchmark says: a small table for people or JSON for machines, and an exit code."""

import argparse
import json
import statistics
import sys
from collections.abc import Sequence
from typing import NamedTuple


class Row(NamedTuple):
    """A measured figure. One without a limit is for information."""

    what: str
    value: float
    unit: str
    limit: float | None = None
    note: str = ""

    @property
    def kept(self) -> bool:
        """Whether the figure is within its limit."""
        return self.limit is None or self.value <= self.limit


def arguments(description: str, *, runs: int | None = None, unit: str = "rounds") -> argparse.Namespace:
    """The options of a benchmark; ``--runs`` only if it repeats something."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    if runs is not None:
        parser.add_argument("--runs", type=int, default=runs, metavar="N", help=f"number of {unit} (default {runs})")
    return parser.parse_args()


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of the ratios within each round: what slows the machine down slows both."""
    return statistics.median(mine / other for mine, other in zip(ours, theirs, strict=True))


def say(title: str, rows: Sequence[Row], *, as_json: bool, missing: Sequence[str] = ()) -> None:
    """Print the rows, and leave with 1 if a limit is missed. ``missing`` says what could not be measured."""
    if as_json:
        found = [row._asdict() | {"kept": row.kept} for row in rows]
        print(json.dumps({"title": title, "rows": found, "missing": list(missing)}, indent=1))
    else:
        print(title)
        width = max(len(row.what) for row in rows)
        for row in rows:
            limit = "" if row.limit is None else f"limit {row.limit:g}"
            verdict = "" if row.limit is None else "kept" if row.kept else "MISSED"
            print(f"  {row.what:{width}}  {row.value:10.3f} {row.unit:5} {limit:12} {verdict:7} {row.note}".rstrip())
        for each in missing:
            print(f"  not measured: {each}")
    sys.exit(0 if all(row.kept for row in rows) else 1)
