"""The command blocks of docs/RUNBOOKS.md, as a person would work through them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
RUNBOOKS: Final = ROOT / "docs" / "RUNBOOKS.md"
_HEADING = re.compile(r"(#{2,3}) (.+)")


@dataclass
class Procedure:
    """What stands below one heading: the line of each block, and its commands."""

    title: str
    blocks: list[tuple[int, str]] = field(default_factory=list)


def procedures(text: str) -> Iterator[Procedure]:
    """Those that have commands, in order. The blocks of one follow each other in one shell."""
    found = Procedure("")
    lines = iter(enumerate(text.splitlines(), start=1))
    for number, line in lines:
        if heading := _HEADING.fullmatch(line):
            if found.blocks:
                yield found
            found = Procedure(heading[2])
        elif line.strip() == "```bash":
            indent = len(line) - len(line.lstrip())
            block = []
            for _, inner in lines:
                if inner.strip() == "```":
                    break
                block.append(inner[indent:])
            found.blocks.append((number, "\n".join(block)))
    if found.blocks:
        yield found
