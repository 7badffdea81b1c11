"""PNG, by its structure (PNG Specification, 3rd edition, 5 and 11), before anything decodes it."""

import struct
import zlib
from collections.abc import Iterator
from typing import Final

from cost_reporting.report.logos import Unusable, limits

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"

_KEPT: Final = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
_SAMPLES: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_DEPTHS: Final = {0: {1, 2, 4, 8, 16}, 2: {8, 16}, 3: {1, 2, 4, 8}, 4: {8, 16}, 6: {8, 16}}
_ADAM7: Final = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_LAST_FILTER: Final = 4


def rebuilt(logo: bytes) -> bytes:
    """``logo`` with nothing but its picture: no text, no profile, no animation.

    Raises Unusable if a chunk is broken or out of place, the picture is too large, or its data are more or fewer than
    its size says: a small file that unpacks to a huge one is stopped where the picture should end.
    """
    chunks = list(_chunks(logo))
    kinds = [kind for kind, _ in chunks]
    if kinds[:1] != [b"IHDR"] or kinds[-1:] != [b"IEND"] or kinds.count(b"IHDR") + kinds.count(b"IEND") != 2:
        raise Unusable("the PNG does not begin and end as one")
    if kinds.count(b"PLTE") > 1 or kinds.count(b"tRNS") > 1:
        raise Unusable("a chunk of the PNG stands there twice")
    packed = b"".join(body for kind, body in chunks if kind == b"IDAT")
    rows = _rows(chunks[0][1], palette=dict(chunks).get(b"PLTE"))
    _require_picture(packed, rows)
    return SIGNATURE + b"".join(_chunk(kind, body) for kind, body in chunks if kind in _KEPT)


def _chunks(logo: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(SIGNATURE)
    while at < len(logo):
        if at + 12 > len(logo):
            raise Unusable("the PNG is cut off")
        (length,) = struct.unpack_from(">I", logo, at)
        end = at + 8 + length
        if end + 4 > len(logo):
            raise Unusable("the PNG is cut off")
        if zlib.crc32(logo[at + 4 : end]) != struct.unpack_from(">I", logo, end)[0]:
            raise Unusable("the PNG is damaged")
        yield logo[at + 4 : at + 8], logo[at + 8 : end]
        at = end + 4


def _rows(header: bytes, palette: bytes | None) -> list[tuple[int, int]]:
    """(how many, bytes each with the filter's) of the rows of each pass."""
    if len(header) != 13:
        raise Unusable("the PNG's header is broken")
    width, height, depth, colour, compression, filtering, interlace = struct.unpack(">IIBBBBB", header)
    side, pixels = limits.LARGEST_SIDE, limits.MOST_PIXELS
    if not (0 < width <= side and 0 < height <= side and width * height <= pixels):
        raise Unusable(f"the PNG has more than {pixels:,} pixels, a side of more than {side:,}, or none")
    if depth not in _DEPTHS.get(colour, ()) or compression or filtering or interlace > 1:
        raise Unusable("the PNG's header is broken")
    if colour == 3 and not (palette and len(palette) % 3 == 0 and len(palette) // 3 <= 1 << depth):
        raise Unusable("the PNG's palette is broken")
    passes = _ADAM7 if interlace else ((0, 0, 1, 1),)
    sizes = (
        (-(-(height - top) // down), -(-(width - left) // across))
        for left, top, across, down in passes
        if width > left and height > top
    )
    return [(rows, 1 + -(-columns * _SAMPLES[colour] * depth // 8)) for rows, columns in sizes]


def _require_picture(packed: bytes, rows: list[tuple[int, int]]) -> None:
    size = sum(count * length for count, length in rows)
    unpacker = zlib.decompressobj()
    try:
        picture = unpacker.decompress(packed, size + 1)
    except zlib.error:
        raise Unusable("the PNG is damaged") from None
    if len(picture) != size or not unpacker.eof:
        raise Unusable("the PNG's data do not fit its size")
    at = 0
    for count, length in rows:
        if max(picture[at : at + count * length : length]) > _LAST_FILTER:
            raise Unusable("the PNG is damaged")
        at += count * length


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
