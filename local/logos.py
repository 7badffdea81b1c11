"""Logos drawn by a few lines of code: emblems in one colour on a transparent ground, as PNG."""

import math
import struct
import zlib
from collections.abc import Callable

Shape = Callable[[float, float], bool]
"""Whether a point of the square from (-1, -1) to (1, 1), y downward, belongs to the emblem."""

SIDE = 132
SAMPLES = 3
"""Points per pixel and direction, for smooth edges."""


def compass(x: float, y: float) -> bool:
    """A needle in a ring."""
    radius = math.hypot(x, y)
    needle = abs(x) / 0.22 + abs(y) / 0.74 < 1 or abs(y) / 0.22 + abs(x) / 0.74 < 1
    return 0.82 < radius < 0.98 or needle


def loaf(x: float, y: float) -> bool:
    """A round loaf with three cuts."""
    bread = (x / 0.95) ** 2 + ((y - 0.18) / 0.72) ** 2 < 1 and y < 0.62
    cut = any(abs(x - middle + (y + 0.1) * 0.35) < 0.06 and -0.42 < y < 0.2 for middle in (-0.42, 0.0, 0.42))
    return bread and not cut


def waves(x: float, y: float) -> bool:
    """Three waves in a disc."""
    if math.hypot(x, y) > 0.97:
        return False
    return (y - 0.14 * math.sin(4.2 * x)) % 0.5 > 0.2


def arrow(x: float, y: float) -> bool:
    """Two chevrons to the right."""
    tip = 0.75 - abs(y)
    return tip > 0 and any(start < x - tip < start + 0.48 for start in (-0.95, -0.27))


def png(shape: Shape, colour: str) -> bytes:
    """The emblem as a square image; ``colour`` is ``#rrggbb``."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    rows = bytearray()
    for row in range(SIDE):
        rows.append(0)
        for column in range(SIDE):
            hits = sum(
                shape(_place(column, across), _place(row, down)) for across in range(SAMPLES) for down in range(SAMPLES)
            )
            rows += bytes((red, green, blue, 255 * hits // SAMPLES**2))
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 6, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(rows), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, body) for kind, body in chunks)


def _place(pixel: int, sample: int) -> float:
    return 2 * (pixel + (sample + 0.5) / SAMPLES) / SIDE - 1


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
