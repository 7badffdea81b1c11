"""The pages of a PDF as pictures, by poppler."""

import shutil
import subprocess
import tempfile
from pathlib import Path


class NoPoppler(Exception):
    """pdftoppm is not installed."""


def draw(pdf: bytes, dots_per_inch: int) -> list[bytes]:
    """Each page as a PNG, in order. Raises NoPoppler if that is not to be had."""
    if shutil.which("pdftoppm") is None:
        raise NoPoppler("pdftoppm is not installed. Run `make setup`.")
    with tempfile.TemporaryDirectory() as folder:
        command = ["pdftoppm", "-png", "-r", str(dots_per_inch), "-", f"{folder}/page"]
        subprocess.run(command, input=pdf, check=True)
        return [page.read_bytes() for page in sorted(Path(folder).iterdir())]
