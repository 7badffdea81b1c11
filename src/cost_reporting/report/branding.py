"""The client's colour and logo, taken as far as they are safe and legible.

Colour stands on bands and rules only, with white text on it, so it must reach a contrast of 4.5:1 against white (WCAG
2.2, 1.4.3). A logo is embedded only if it is a sane PNG. SVG logos are left out for now: an SVG is a program that may
reference other things, and there is no sanitiser here that one would want to answer for.
"""

import base64
import colorsys
import struct
import zlib
from typing import Final

_ENOUGH: Final = 4.5
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_LOGO_BYTES: Final = 1_000_000
_LOGO_SIDE: Final = 4_000


def legible(colour: str) -> str:
    """``colour``, darkened as little as needed for white text on it."""
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    hue, lightness, saturation = colorsys.rgb_to_hls(red, green, blue)
    while contrast_with_white(colour) < _ENOUGH:
        lightness = max(lightness - 0.01, 0.0)
        rgb = colorsys.hls_to_rgb(hue, lightness, saturation)
        colour = "#" + "".join(f"{round(part * 255):02x}" for part in rgb)
    return colour.lower()


def contrast_with_white(colour: str) -> float:
    """WCAG's contrast ratio of ``#rrggbb`` against white: 1 to 21."""

    def linear(part: float) -> float:
        return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)


def logo_uri(logo: bytes | None) -> str | None:
    """The logo as a ``data:`` URI, or None if it is not a PNG of reasonable size with sound chunks."""
    if logo is None or len(logo) > _LOGO_BYTES or not _is_sound_png(logo):
        return None
    return "data:image/png;base64," + base64.b64encode(logo).decode("ascii")


def _is_sound_png(logo: bytes) -> bool:
    if not logo.startswith(_PNG):
        return False
    at, chunks = len(_PNG), []
    while at + 12 <= len(logo):
        (length,) = struct.unpack_from(">I", logo, at)
        kind, end = logo[at + 4 : at + 8], at + 8 + length
        if end + 4 > len(logo) or zlib.crc32(logo[at + 4 : end]) != struct.unpack_from(">I", logo, end)[0]:
            return False
        if kind == b"IHDR":
            width, height = struct.unpack_from(">II", logo, at + 8) if length == 13 else (0, 0)
            if not (0 < width <= _LOGO_SIDE and 0 < height <= _LOGO_SIDE):
                return False
        chunks.append(kind)
        at = end + 4
    return at == len(logo) and chunks[:1] == [b"IHDR"] and b"IDAT" in chunks and chunks[-1] == b"IEND"
