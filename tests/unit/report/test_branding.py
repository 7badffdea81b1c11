"""A colour is legible under white text, and a logo is a sound PNG or not there."""

import struct
import zlib

import pytest

from cost_reporting.report.branding import contrast_with_white, legible, logo_uri


def a_png(width: int = 4, height: int = 4) -> bytes:
    rows = b"".join(b"\x00" + b"\x0b\x4f\x6c" * width for _ in range(height))
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )


@pytest.mark.parametrize("colour", ["#ffffff", "#ffcc00", "#00ff88", "#777777", "#FF0000"])
def test_a_pale_colour_is_darkened_until_white_text_stands_out(colour: str) -> None:
    assert contrast_with_white(legible(colour)) >= 4.5


def test_a_dark_colour_stays_as_it_is() -> None:
    assert legible("#0B4F6C") == "#0b4f6c"


def test_a_sound_png_is_embedded() -> None:
    uri = logo_uri(a_png())
    assert uri is not None
    assert uri.startswith("data:image/png;base64,")


@pytest.mark.parametrize(
    "logo",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>",
        a_png()[:-6],
        a_png().replace(b"IDAT", b"IDAX"),
        a_png() + b"<script>",
        b"\x89PNG\r\n\x1a\n" + b"\x00" * 40,
        a_png(width=5000, height=1),
    ],
    ids=["empty", "svg", "cut off", "damaged", "with a tail", "header only", "too wide"],
)
def test_anything_else_is_left_out(logo: bytes) -> None:
    assert logo_uri(logo) is None
