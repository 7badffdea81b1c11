"""What the largest logos that are accepted cost to draw: processor time and memory for each family of limits.

Each is drawn in a process of its own, by WeasyPrint as for a report: rebuilt first, then as an image. The limits are a
tenth of Render PDF's 120 s and a third of its memory, on whatever machine this runs.
"""

import base64
import multiprocessing
import resource
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Final

import subject
import table

from cost_reporting.report.logos import Unusable, limits, svg

_SECONDS: Final = 12
_MEGABYTES: Final = 590
_SHAPE: Final = '<rect width="9" height="9"/>'
_GRADIENT: Final = '<linearGradient id="g"><stop offset="0"/><stop offset="1" stop-color="#fff"/></linearGradient>'
_PATH: Final = f'<path id="p" d="M0 0{"L1 1" * 1_000}"/>'
_Body = Callable[[int], str]
FAMILIES: Final[dict[str, _Body]] = {
    "a plain logo": lambda _: _SHAPE,
    "a path": lambda n: f'<path d="M0 0{"L1 1" * n}"/>',
    "a path of arcs": lambda n: f'<path d="M0 0{"a1 1 0 1 1 2 2" * n}"/>',
    "points": lambda n: f'<polyline points="{"1 1 " * n}"/>',
    "elements": lambda n: _SHAPE * n,
    "a path, used": lambda n: _PATH + '<use href="#p"/>' * n,
    "names": lambda n: "".join(f'<path id="r{i}" d="M0 0"/><use href="#r{i}"/>' for i in range(n)),
    "gradients": lambda n: _GRADIENT + '<path fill="url(#g)" d="M0 0L9 9H0"/>' * n,
    "a path, painted": lambda n: f'{_GRADIENT}<path fill="url(#g)" stroke="url(#g)" d="M0 0{"L1 1" * n}"/>',
    "opacity": lambda n: '<rect opacity=".5" width="9" height="9"/>' * n,
    "opacity in each other": lambda n: '<g opacity=".9">' * 20 + _SHAPE * n + "</g>" * 20,
    "clips": lambda n: f'<clipPath id="c">{_PATH}</clipPath>' + f'<g clip-path="url(#c)">{_SHAPE}</g>' * n,
}


def main() -> None:
    """Measure, print, and leave with 1 if a limit is missed."""
    asked = table.arguments("What logos cost to draw.")
    rows = []
    for name, body in FAMILIES.items():
        logo = largest(body)
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            seconds, megabytes = pool.submit(drawn, logo).result()
        rows.append(table.Row(name, seconds, "s", _SECONDS, f"{len(logo):,} bytes"))
        rows.append(table.Row(f"{name}: memory", megabytes, "MB", _MEGABYTES))
    table.say(f"The largest logos that are accepted ({subject.ROOT.name})", rows, as_json=asked.json)


def largest(body: _Body) -> bytes:
    """The largest document of a family that is accepted, as it is embedded."""
    low, high = 1, limits.MOST_SVG_BYTES
    while high - low > 1:
        middle = (low + high) // 2
        if _accepted(body(middle)) is None:
            high = middle
        else:
            low = middle
    return _accepted(body(low)) or b""


def _accepted(body: str) -> bytes | None:
    if len(body) > limits.MOST_SVG_BYTES:
        return None
    try:
        return svg.rebuilt(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 50">{body}</svg>'.encode())
    except Unusable:
        return None


def drawn(logo: bytes) -> tuple[float, float]:
    """Seconds of the processor for a page with ``logo``, and the most memory that the process ever had, in MB."""
    import weasyprint  # noqa: PLC0415  (its import is not what is measured)

    uri = f"data:image/svg+xml;base64,{base64.b64encode(logo).decode('ascii')}"
    began = time.process_time()
    weasyprint.HTML(string=f'<img style="height: 40px" src="{uri}">').write_pdf()
    return time.process_time() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
