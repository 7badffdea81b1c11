"""Whether memory grows with the number of reports that one process makes: the large client, again and again."""

import gc
import statistics
from pathlib import Path
from typing import Final

import subject
import table

from cost_reporting.report.renderer import Renderer

LIMIT: Final = 0.1
_WARM_UP: Final = 20
_EDGE: Final = 20
_MIB: Final = 1024 * 1024
_PAGE_SIZE: Final = 4096


def main() -> None:
    """Measure, print, and leave with 1 if the limit is missed."""
    asked = table.arguments("Growth of memory over many reports.", runs=300, unit="reports")
    large = subject.large()
    renderer = Renderer()
    resident = []
    for at in range(_WARM_UP + asked.runs):
        renderer.render(large.client, large.costs, large.run, large.logo)
        if at >= _WARM_UP:
            gc.collect()
            resident.append(_resident())
    edge = min(_EDGE, len(resident) // 3 or 1)
    first, last = statistics.median(resident[:edge]), statistics.median(resident[-edge:])
    rows = [
        table.Row("after the warm-up", first, "MiB", note=f"the first {_WARM_UP} reports"),
        table.Row("at the end", last, "MiB"),
        table.Row("growth for each report", (last - first) / max(len(resident) - edge, 1), "MiB", LIMIT),
    ]
    table.say(f"Resident memory over {asked.runs} reports ({subject.LARGE})", rows, as_json=asked.json)


def _resident() -> float:
    """MiB of this process that are in memory. Linux only."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * _PAGE_SIZE / _MIB


if __name__ == "__main__":
    main()
