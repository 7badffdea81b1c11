"""The command blocks of docs/RUNBOOKS.md, as a person would work through them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).parents[2]
RUNBOOKS: Final = ROOT / "docs" / "RUNBOOKS.md"
_HEADING = re.compile(r"(#{2,3}) (.+)")
_MEANWHILE = re.compile(r"<!-- meanwhile: (.+) -->")


class Block(NamedTuple):
    """Commands, the line at which they begin, and what somebody else has done before, if they rest on that."""

    line: int
    commands: str
    meanwhile: str = ""


@dataclass
class Procedure:
    """What stands below one heading."""

    title: str
    blocks: list[Block] = field(default_factory=list)


def procedures(text: str) -> Iterator[Procedure]:
    """Those that have commands, in order. The blocks of one follow each other in one shell."""
    found, meanwhile = Procedure(""), ""
    lines = iter(enumerate(text.splitlines(), start=1))
    for number, line in lines:
        if heading := _HEADING.fullmatch(line):
            if found.blocks:
                yield found
            found = Procedure(heading[2])
        elif happening := _MEANWHILE.fullmatch(line.strip()):
            meanwhile = happening[1]
        elif line.strip() == "```bash":
            indent = len(line) - len(line.lstrip())
            block = []
            for _, inner in lines:
                if inner.strip() == "```":
                    break
                block.append(inner[indent:])
            found.blocks.append(Block(number, "\n".join(block), meanwhile))
            meanwhile = ""
    if found.blocks:
        yield found
