"""The table of docs/OLD-RUNBOOK.md: every command of the runbook before this one, and what became of it."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from tests.runbook.blocks import ROOT

OLD_RUNBOOK: Final = ROOT / "docs" / "OLD-RUNBOOK.md"
_ROW = re.compile(r"\| (\d+) \| `(.+?)` \| (as written|mended|do not run|no) \| (.*) ?\|")
_SPAN = re.compile(r"`([^`]+)`")
_COMMAND = re.compile(r"(aws|python|printf) |[A-Z]+=\$\(")
LINES: Final = frozenset(
    {
        27, 30, 39, 48, 55, 79, 91, 97, 107, 129, 138, 141, 147, 150, 159, 165, 196, 207, 213, 218, 224, 234, 251, 259,
        262, 268, 271, 278, 305, 314, 324, 339, 347, 355, 380, 381, 384, 390, 399, 402, 418, 424, 444, 450, 453, 461,
        471, 480, 483, 496, 512, 551, 574, 584, 585, 591, 594, 600, 603, 618, 621, 628, 631, 644, 672, 675, 678, 684,
        687, 693, 698, 706, 709, 717, 737, 743, 751, 762, 768, 776, 791, 801, 814, 825, 830,
    }
)  # fmt: skip
"""Where the commands of the old runbook begin, but for editors and assignments of CLIENT_ID."""


class Row(NamedTuple):
    """A command by its line in the old runbook, and the commands that stand beside it."""

    line: int
    command: str
    verdict: str
    beside: tuple[str, ...]


def rows() -> Iterator[Row]:
    """The rows of all tables, in order. Raises ValueError at one that is no row."""
    for text in OLD_RUNBOOK.read_text(encoding="utf-8").splitlines():
        if not re.match(r"\| \d", text):
            continue
        row = _ROW.fullmatch(text)
        if row is None:
            raise ValueError(f"{OLD_RUNBOOK.name}: {text}")
        beside = [plain(span) for span in _SPAN.findall(row[4])]
        yield Row(int(row[1]), plain(row[2]), row[3], tuple(span for span in beside if _COMMAND.match(span)))


def plain(cell: str) -> str:
    """What a reader sees: a table writes a bar as ``\\|``."""
    return cell.replace("\\|", "|")
