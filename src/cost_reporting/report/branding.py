"""The client's colour and logo, taken as far as they are safe and legible.

Colour stands on bands and rules only, with white text on it, so it must reach a contrast of 4.5:1 against white (WCAG
2.2, 1.4.3). A logo is embedded only as what ``logos`` makes of it; one that is left out is a warning, and no failure.
"""

import base64
import colorsys
from typing import Final

from cost_reporting.clients import Branding
from cost_reporting.contracts import Fact
from cost_reporting.report.logos import Unusable, limits, png, svg

_ENOUGH: Final = 4.5


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


class Logo(Fact):
    """What became of a logo: it is embedded as ``uri``, or left out because of ``fault``; neither, if there is none."""

    uri: str | None = None
    fault: str | None = None


def logo_of(branding: Branding, stored: bytes | None) -> Logo:
    """The logo that the client's record names, rebuilt from what is known to be harmless.

    ``stored`` are its bytes, or None if nothing is stored under its name. What it is, its bytes say, not its name.
    """
    if branding.logo is None:
        return Logo()
    if stored is None:
        return Logo(fault="nothing is stored under its name")
    if len(stored) > limits.MOST_BYTES:
        return Logo(fault=f"it has more than {limits.MOST_BYTES:,} bytes")
    try:
        if stored.startswith(png.SIGNATURE):
            kind, body = "png", png.rebuilt(stored)
        elif stored.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
            kind, body = "svg+xml", svg.rebuilt(stored)
        else:
            return Logo(fault="it is neither PNG nor SVG")
    except Unusable as unusable:
        return Logo(fault=str(unusable))
    return Logo(uri=f"data:image/{kind};base64,{base64.b64encode(body).decode('ascii')}")
