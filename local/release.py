"""A release: what version, tag and changelog must say of one another. `make release-check TAG=v1.2.3`.

The version's home is pyproject.toml. Prints the release's notes; exit code 1 and the faults if something differs, 2 if
the tag is none. The standard library only, since the job that publishes installs nothing.
"""

import re
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
_TAG: Final = re.compile(r"v(\d+\.\d+\.\d+)")
_HEADING: Final = re.compile(r"^## \[(?P<name>[^\]]+)\](?: - (?P<date>\d{4}-\d{2}-\d{2}))?$", re.MULTILINE)


def main(arguments: Sequence[str]) -> int:
    """Check a tag against this checkout."""
    named = _TAG.fullmatch(arguments[0]) if len(arguments) == 1 else None
    if named is None:
        print("TAG: a tag is v and a version of three numbers. Run `make release-check TAG=v1.2.3`.", file=sys.stderr)
        return 2
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    sections = sections_of((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    found = faults(named[1], project["version"], sections)
    for fault in found:
        print(fault, file=sys.stderr)
    if not found:
        print(sections[named[1]][1])
    return 1 if found else 0


def sections_of(changelog: str) -> dict[str, tuple[str | None, str]]:
    """Date and text of each version, in order; what is not released has no date."""
    headings = list(_HEADING.finditer(changelog))
    ends = [*(each.start() for each in headings[1:]), len(changelog)]
    return {
        each["name"]: (each["date"], changelog[each.end() : end].strip())
        for each, end in zip(headings, ends, strict=False)
    }


def faults(tagged: str, version: str, sections: dict[str, tuple[str | None, str]]) -> list[str]:
    """What keeps ``tagged`` from being released."""
    found = []
    if tagged != version:
        found.append(f"pyproject.toml: the version is {version}, the tag says {tagged}. Set both to the same.")
    date, text = sections.get(tagged, (None, ""))
    if date is None or not text:
        found.append(f"CHANGELOG.md: needs a heading `## [{tagged}] - <date>` with text below it.")
    if sections.get("Unreleased", (None, ""))[1]:
        found.append(f"CHANGELOG.md: there are changes under [Unreleased]. Move them under [{tagged}].")
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
