"""Two reports held against each other, one from whole answers and one from answers that lack something.

A line that has gone, or says something else, is a loss that its reader does not see, unless the report says in words
that something is not known. A change in per cent or a
zero that was not printed before is a false one, whatever else is said.
"""

import re
from collections import Counter
from typing import Final, Literal, NamedTuple

from tests.stage import Broke, Refused, Report, Told

Verdict = Literal["unchanged", "marked", "refused by name", "silent", "nameless"]
VERDICTS: Final[tuple[Verdict, ...]] = ("unchanged", "marked", "refused by name", "silent", "nameless")
MARKS: Final = (
    r"\bnot available\b",
    r"\bn/a\b",
    r"\bnot (yet )?(known|there|said|filled|compared|comparable)\b",
    r"\bunknown\b",
    r"\bno name known\b",
    r"\bno figures\b",
    r"\bdoes not say\b",
    r"\bincomplete\b",
    r"\bsince [A-Z]",
    r"(?<!\S)[–?](?!\S)",
)
"""What a report says where something is missing; a dash or a question mark is the cell of a table."""
FAULT: Final = "ContractViolated"
"""What a function says of a fault of its own, such as an answer that it could not read: no name for that."""
_MARK: Final = re.compile("|".join(MARKS), re.IGNORECASE)
ZERO: Final = re.compile(r"(?<![\d.,])0\.00(?!\d)")
_CHANGE: Final = re.compile(r"[−+].*%")
_FIGURE: Final = re.compile(r"[−+-]?\d[\d,]*(?:\.\d+)?(?:\s?%)?")


class Compared(NamedTuple):
    """``verdict``, and the lines that only one of the two reports has."""

    verdict: Verdict
    gone: tuple[str, ...] = ()
    come: tuple[str, ...] = ()
    figures: frozenset[str] = frozenset()
    """Those that the whole report nowhere prints."""


def compared(whole: Report, told: Told, *, may_change: bool = False) -> Compared:
    """What has become of the ``whole`` report. ``may_change``: a mark excuses other percentages and zeros."""
    if isinstance(told, Broke) or (isinstance(told, Refused) and told.name == FAULT):
        return Compared("nameless", come=(told.words,))
    if isinstance(told, Refused):
        return Compared("refused by name", come=(told.words,))
    if told is whole:
        return Compared("unchanged")
    before, now = Counter(lines(whole)), Counter(lines(told))
    gone, come = tuple((before - now).elements()), tuple((now - before).elements())
    if not gone and not come:
        return Compared("unchanged")
    figures = frozenset(figures_in(come) - figures_in(before))
    marked = _count(_MARK, come) > _count(_MARK, gone)
    false = not may_change and (any(_CHANGE.match(each) for each in figures) or _count(ZERO, come) > _count(ZERO, gone))
    return Compared("marked" if marked and not false else "silent", gone, come, figures)


def _count(pattern: re.Pattern[str], text: tuple[str, ...]) -> int:
    return sum(len(pattern.findall(line)) for line in text)


def lines(report: Report) -> list[str]:
    """The report's lines, without what names nothing to a reader."""
    return [line for each in report.words.splitlines() if (line := " ".join(each.split()))]


def figures_in(text: "tuple[str, ...] | Counter[str]") -> set[str]:
    """Every amount, percentage and count."""
    return {figure for line in text for figure in _FIGURE.findall(line)}
