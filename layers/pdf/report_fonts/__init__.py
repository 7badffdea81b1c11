"""The fonts of the report, and the only ones it is set in: whatever the host has installed, the pages are the same."""

from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent
"""Where the font files, their licences and a fonts.conf that names nothing else are."""


def files() -> tuple[Path, ...]:
    """Every font file, in the order of their names."""
    return tuple(sorted(path for path in FOLDER.iterdir() if path.suffix == ".ttf"))
