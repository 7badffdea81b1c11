"""Logos are rebuilt from what is harmless, or left out for a reason that an operator understands."""

import base64
import io
import struct
import time
import tracemalloc
import zlib
from collections.abc import Callable
from itertools import pairwise

import pikepdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cost_reporting.report.branding import Logo, logo_of
from cost_reporting.report.logos import Unusable, png, svg
from cost_reporting.report.renderer import Renderer
from tests.builders import a_client, a_cost_document, a_run

BRANDING = a_client(branding={"colour": "#0b4f6c", "logo": "logo.svg"}).branding
SHAPE = '<rect width="60" height="40" fill="#0b4f6c"/>'


def a_svg(body: str = SHAPE, *, attributes: str = 'viewBox="0 0 100 50"', before: str = "") -> bytes:
    namespaces = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return f"{before}<svg {namespaces} {attributes}>{body}</svg>".encode()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def a_png(
    width: int = 4,
    height: int = 4,
    *,
    header: bytes | None = None,
    data: bytes | None = None,
    more: tuple[tuple[bytes, bytes], ...] = (),
) -> bytes:
    rows = b"".join(b"\x00" + b"\x0b\x4f\x6c" * width for _ in range(height)) if data is None else data
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0) if header is None else header
    chunks = ((b"IHDR", head), *more, (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return png.SIGNATURE + b"".join(chunk(kind, body) for kind, body in chunks)


def pillow_png(mode: str, **options: object) -> bytes:
    body = io.BytesIO()
    Image.new(mode, (13, 7)).save(body, "PNG", **options)
    return body.getvalue()


def fault(logo: bytes) -> str:
    return logo_of(BRANDING, logo).fault or ""


def embedded(logo: bytes) -> bytes:
    uri = logo_of(BRANDING, logo).uri or ""
    return base64.b64decode(uri.partition(",")[2])


# -- PNG ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_a_png_of_any_kind_is_embedded_and_looks_the_same(mode: str) -> None:
    logo = pillow_png(mode)
    with Image.open(io.BytesIO(embedded(logo))) as kept, Image.open(io.BytesIO(logo)) as given_:
        assert kept.tobytes() == given_.tobytes()


def test_a_png_keeps_its_picture_and_loses_everything_else() -> None:
    more = ((b"tEXt", b"Author\x00canary"), (b"eXIf", b"canary"), (b"acTL", b"\x00" * 8))
    kept = embedded(a_png(more=more))
    assert b"canary" not in kept
    assert kept == a_png()


def a_header(width: int, height: int, depth: int = 8, colour: int = 2) -> bytes:
    return struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)


BROKEN = {
    "empty": (b"", "neither PNG nor SVG"),
    "another format": (b"GIF89a" + b"\x00" * 40, "neither PNG nor SVG"),
    "too many bytes": (b"\x00" * 1_000_001, "more than 1,000,000 bytes"),
    "cut off": (a_png()[:-6], "cut off"),
    "cut off in the middle": (a_png()[:40], "cut off"),
    "damaged": (a_png().replace(b"IDAT", b"IDAX"), "damaged"),
    "with a tail": (a_png() + b"<script>", "cut off"),
    "with two ends": (a_png() + chunk(b"IEND", b""), "does not begin and end"),
    "without a header": (png.SIGNATURE + chunk(b"IDAT", b"") + chunk(b"IEND", b""), "does not begin and end"),
    "short header": (a_png(header=b"\x00" * 5), "header is broken"),
    "impossible depth": (a_png(header=a_header(4, 4, depth=3)), "header is broken"),
    "palette without one": (a_png(header=a_header(4, 4, colour=3)), "palette is broken"),
    "no pixels": (a_png(header=a_header(0, 4)), "pixels"),
    "huge": (a_png(header=a_header(2**31 - 1, 2**31 - 1)), "pixels"),
    "large": (a_png(header=a_header(3_000, 3_000)), "pixels"),
    "bomb": (a_png(data=b"\x00" * 100_000_000), "do not fit its size"),
    "too little": (a_png(data=b"\x00" * 20), "do not fit its size"),
    "impossible filter": (a_png(data=b"\x09" + b"\x00" * 51), "damaged"),
    "zeros": (png.SIGNATURE + b"\x00" * 40, "damaged"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_png_that_is_broken_huge_or_a_bomb_is_left_out_and_at_once(name: str) -> None:
    logo, reason = BROKEN[name]
    began = time.perf_counter()
    assert reason in fault(logo)
    assert time.perf_counter() - began < 1


# -- SVG ---------------------------------------------------------------------------------------------------------------


def test_an_svg_is_written_anew_with_its_shapes_and_its_proportions() -> None:
    kept = embedded(a_svg('<g id="a" fill="red"><path d="M0 0L10 1e1z"/></g>', before="<?xml version='1.0'?>"))
    assert kept == (
        b'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" height="400" '
        b'viewBox="0 0 100 50" width="800.000"><g fill="red" id="a"><path d="M0 0L10 1e1z"></path></g></svg>'
    )


def test_what_editors_leave_behind_goes_in_silence() -> None:
    body = (
        '<metadata><rdf:RDF xmlns:rdf="u">canary</rdf:RDF></metadata><title>canary</title><!-- canary -->'
        '<s:namedview xmlns:s="v" s:zoom="canary"/>' + SHAPE.replace("<rect", '<rect data-name="canary" aria-label="x"')
    )
    doctype = '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">'
    kept = embedded(a_svg(body, before=f"\ufeff{doctype}"))
    assert b"canary" not in kept
    assert b"DTD" not in kept
    assert b"<rect" in kept


def test_classes_and_styles_become_attributes() -> None:
    style = "<style>/* Illustrator */ .st0, .st1 { fill:#fff; enable-background:new } .st1{stroke:red}</style>"
    kept = embedded(a_svg(f'{style}<rect class="st1" style="opacity:.5;-x-y:1" fill="blue" width="1" height="1"/>'))
    assert b'<rect fill="#fff" height="1" opacity=".5" stroke="red" width="1">' in kept


def test_gradients_clips_and_local_references_stay() -> None:
    body = (
        '<defs><linearGradient id="a"><stop offset="0" stop-color="#fff"/></linearGradient>'
        '<linearGradient id="b" xlink:href="#a" x1="5"/><rect id="r" width="9" height="9"/></defs>'
        '<clipPath id="c"><use xlink:href="#r"/></clipPath><g clip-path="url(#c)" fill="url(\'#b\')">' + SHAPE + "</g>"
    )
    kept = embedded(a_svg(body))
    for part in (b'clip-path="url(#c)"', b'fill="url(#b)"', b'<use xlink:href="#r">', b'xlink:href="#a"'):
        assert part in kept


LAUGHS = "".join(f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in pairwise("abcdefghi"))
BOMB = f'<!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa">{LAUGHS}]>'
USES = "".join(f'<g id="u{number}">' + f'<use xlink:href="#u{number - 1}"/>' * 10 + "</g>" for number in range(1, 9))
UNSAFE = {
    "script": (a_svg("<script>alert(1)</script>" + SHAPE), "'script'"),
    "script elsewhere": (a_svg('<h:script xmlns:h="http://www.w3.org/1999/xhtml"/>' + SHAPE), "'script'"),
    "script in what is left out": (a_svg("<metadata><script/></metadata>" + SHAPE), "'script'"),
    "handler": (a_svg(SHAPE, attributes='viewBox="0 0 1 1" onload="alert(1)"'), "event handler"),
    "foreignObject": (a_svg("<foreignObject><p xmlns='http://www.w3.org/1999/xhtml'/></foreignObject>"), "foreignObj"),
    "image": (a_svg('<image xlink:href="http://evil.example/x.png"/>'), "'image'"),
    "image with data": (a_svg('<image href="data:image/png;base64,AA=="/>'), "'image'"),
    "link": (a_svg(f'<a xlink:href="javascript:alert(1)">{SHAPE}</a>'), "'a'"),
    "use of a URL": (a_svg('<use xlink:href="http://evil.example/#a"/>'), "outside of itself"),
    "use of a file": (a_svg('<use href="file:///etc/passwd#a"/>'), "outside of itself"),
    "use of nothing": (a_svg('<use href="#absent"/>'), "does not hold"),
    "use of itself": (a_svg('<g id="a"><use href="#a"/></g>'), "back to itself"),
    "use of uses": (a_svg(f'<g id="u0">{SHAPE}</g>{USES}'), "draws more than"),
    "fill by URL": (a_svg('<rect fill="url(http://evil.example/#a)"/>'), "fill"),
    "style by URL": (a_svg('<rect style="fill:url(file:///etc/passwd)"/>'), "fill"),
    "style of something else by URL": (a_svg('<rect style="background:URL (x)"/>'), "outside of itself"),
    "style with an escape": (a_svg(r'<rect style="f\69ll:u\72l(x)"/>'), "outside of itself"),
    "style sheet with an import": (a_svg("<style>@import url(http://evil.example/x.css);</style>"), "style sheet"),
    "style sheet with a font": (a_svg("<style>@font-face{src:url(file:///x)}</style>"), "style sheet"),
    "style sheet by instruction": (a_svg(before='<?xml-stylesheet href="http://evil.example/x.css"?>'), "instruction"),
    "filter": (a_svg('<filter id="f"><feImage href="file:///etc/passwd"/></filter>'), "'filter'"),
    "filter by URL": (a_svg('<rect filter="url(http://evil.example/#f)"/>'), "outside of itself"),
    "animation": (a_svg('<rect><animate attributeName="href" to="http://evil.example"/></rect>'), "'animate'"),
    "text": (a_svg("<text>Acme</text>"), "'text'"),
    "entity": (a_svg(before='<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>'), "entities"),
    "entity from elsewhere": (a_svg("&x;", before='<!DOCTYPE svg SYSTEM "http://evil.example/x.dtd">'), "entities"),
    "parameter entity": (a_svg(before='<!DOCTYPE svg [<!ENTITY % x SYSTEM "http://evil.example/x"> %x;]>'), "entities"),
    "billion laughs": (a_svg("&i;", before=BOMB), "entities"),
    "deep": (a_svg("<g>" * 30 + "</g>" * 30), "in each other"),
    "deep in what is left out": (a_svg("<metadata>" + "<x>" * 30 + "</x>" * 30 + "</metadata>"), "in each other"),
    "broad": (a_svg("<g/>" * 3_001), "elements"),
    "heavy": (a_svg(f'<path d="{"M0 0" * 80_000}"/>'), "more than 300,000 bytes"),
    "beyond measure": (a_svg('<rect width="1e999" height="1"/>'), "out of all measure"),
    "moved beyond measure": (a_svg('<rect transform="scale(99999999)"/>'), "out of all measure"),
    "without size": (a_svg(attributes=""), "does not say its size"),
    "of no size": (a_svg(attributes='viewBox="0 0 0 50"'), "does not say its size"),
    "of no shape": (a_svg(attributes='viewBox="0 0 1000000 1"'), "as long as it is broad"),
    "empty": (a_svg(""), "draws nothing"),
    "nested svg": (a_svg("<svg/>"), "'svg'"),
    "another document": (b"<html><body/></html>", "neither PNG nor SVG"),
    "svg of another namespace": (b"<svg><rect/></svg>", "neither PNG nor SVG"),
    "broken": (b"<svg xmlns='http://www.w3.org/2000/svg'", "not sound XML"),
    "two documents": (a_svg() + a_svg(), "not sound XML"),
    "comment without an end": (a_svg(f"<style>{'/*' * 100_000}</style>"), "has no end"),
}


STOPS = '<stop offset="0"/><stop offset="1" stop-color="#fff"/>'
GRADIENT = f'<linearGradient id="g">{STOPS}</linearGradient>'
WAVE = "L1 1" * 5_000
"""20,000 characters of path data."""
TOO_MUCH = "draws more than 500,000 characters"
HEAVY = {
    "a long path, used often": (f'<path id="p" d="M0 0{WAVE}"/>' + '<use href="#p"/>' * 30, TOO_MUCH),
    "a long path, used by what is used": (
        f'<path id="p" d="M0 0{WAVE}"/><g id="q">{"<use href='#p'/>" * 6}</g>' + '<use href="#q"/>' * 5,
        TOO_MUCH,
    ),
    "many points, used often": (f'<polygon id="p" points="{"1 1 " * 5_000}"/>' + '<use href="#p"/>' * 30, TOO_MUCH),
    "arcs": (f'<path d="M0 0{"a1 1 0 1 1 2 2" * 10_000}"/>', TOO_MUCH),
    "an element, used often": (
        f'<g id="a">{SHAPE * 40}</g><g id="b">{"<use href='#a'/>" * 40}</g>' + '<use href="#b"/>' * 40,
        TOO_MUCH,
    ),
    "a long path, painted by gradients": (
        GRADIENT + f'<path fill="url(#g)" stroke="url(#g)" d="M0 0{WAVE * 10}"/>',
        TOO_MUCH,
    ),
    "a gradient that shapes inherit": (
        (
            f'<linearGradient id="g">{STOPS * 100}</linearGradient>'
            f'<g fill="url(#g)">{"<rect width='1' height='1'/>" * 100}</g>'
        ),
        TOO_MUCH,
    ),
    "a gradient that shapes inherit by use": (
        f'<linearGradient id="g">{STOPS * 100}</linearGradient>{SHAPE.replace(" fill=", " id='r' class=")}'
        + '<use fill="url(#g)" href="#r"/>' * 100,
        TOO_MUCH,
    ),
    "a gradient's transforms": (
        f'<linearGradient id="g" gradientTransform="{"rotate(1)" * 1_000}">{STOPS}</linearGradient>'
        + '<rect fill="url(#g)" width="5" height="5"/>' * 60,
        TOO_MUCH,
    ),
    "a chain of gradients": (
        GRADIENT
        + "".join(f'<linearGradient id="g{n}" href="#g{n - 1 or ""}"/>' for n in range(1, 30))
        + '<rect fill="url(#g29)" width="5" height="5"/>',
        "in each other",
    ),
    "a clip, applied often": (
        f'<clipPath id="c"><path d="M0 0{WAVE}"/></clipPath>' + f'<g clip-path="url(#c)">{SHAPE}</g>' * 30,
        TOO_MUCH,
    ),
    "clips in each other": (
        f'<clipPath id="c"><path d="M0 0{WAVE}"/></clipPath>'
        + "".join(
            f'<clipPath id="c{n}" clip-path="url(#c{n - 1 or ""})"><use href="#p"/></clipPath>' for n in range(1, 9)
        )
        + f'<path id="p" d="M0 0{WAVE}"/>'
        + f'<g clip-path="url(#c8)">{SHAPE}</g>' * 3,
        TOO_MUCH,
    ),
    "opacity in each other": (
        '<g opacity=".9">' * 20 + f'<path opacity=".5" d="M0 0{WAVE * 2}"/>' + "</g>" * 20,
        TOO_MUCH,
    ),
    "names to search for": (
        "".join(f'<path id="r{n}" d="M0 0"/><use href="#r{n}"/>' for n in range(700)),
        TOO_MUCH,
    ),
    "a long value of a class": (
        f"<style>.a{{fill:{'a' * 200}}}</style>" + '<rect class="a"/>' * 2_000,
        "fill has more",
    ),
    "many values of a class": (
        f"<style>.a{{fill:{'a' * 100};stroke:{'a' * 100};color:{'a' * 100};stop-color:{'a' * 100}}}</style><defs>"
        + '<rect class="a"/>' * 2_900
        + "</defs>",
        "more than 1,000,000 bytes",
    ),
}
for _spread in ("repeat", "reflect"):
    for _kind in ("linear", "radial"):
        _vector = 'x2="1e-7"' if _kind == "linear" else 'r="1e-7"'
        HEAVY[f"a {_kind} gradient, {_spread}ed"] = (
            (
                f'<{_kind}Gradient id="g" {_vector} spreadMethod="{_spread}">{STOPS}</{_kind}Gradient>'
                '<rect fill="url(#g)" width="9" height="9"/>'
            ),
            "gradient that repeats",
        )


@pytest.mark.parametrize("name", HEAVY)
def test_an_svg_that_is_small_and_takes_long_to_draw_is_left_out_before_it_is_drawn(name: str) -> None:
    body, reason = HEAVY[name]
    assert reason in fault(a_svg(body))


LIGHT = {
    "a long path": f'<path d="M0 0{WAVE * 10}"/>',
    "a shape, used often": f'<g id="a">{SHAPE}</g>' + '<use href="#a"/>' * 1_000,
    "a gradient that pads": GRADIENT.replace(" id", ' spreadMethod="pad" id') + '<rect fill="url(#g)"/>' * 200,
    "opacity that hides nothing": '<g opacity="1">' * 20 + f'<path d="M0 0{WAVE * 10}"/>' + "</g>" * 20,
    "clips": f'<clipPath id="c">{SHAPE}</clipPath>' + f'<g clip-path="url(#c)">{SHAPE}</g>' * 300,
}


@pytest.mark.parametrize("name", LIGHT)
def test_an_svg_of_a_logos_size_is_embedded(name: str) -> None:
    assert fault(a_svg(LIGHT[name])) == ""


@pytest.mark.parametrize(
    ("holder", "attribute"),
    [
        ("g", f'd="M0 0{WAVE}"'),
        ("g", f'points="{"1 1 " * 5_000}"'),
        ("g", 'spreadMethod="pad"'),
        ("g", 'gradientTransform="rotate(1)"'),
        ("rect", 'stroke-dasharray="1e-6"'),
        ("rect", 'marker-mid="x"'),
        ("rect", 'font-size="1000000"'),
        ("stop", 'gradientUnits="userSpaceOnUse"'),
    ],
)
def test_an_attribute_is_kept_only_where_it_means_something(holder: str, attribute: str) -> None:
    kept = embedded(a_svg(f"<{holder} {attribute}></{holder}>{SHAPE}")).decode()
    assert f" {attribute.partition('=')[0]}=" not in kept


@pytest.mark.parametrize("number", ["nan", "1_0", "infinity", "Infinity"])
def test_what_only_python_takes_for_a_number_is_not_drawn(number: str) -> None:
    assert "not among what is safe" in fault(a_svg(f'<path d="M0 0L{number} 1"/>'))


ILLUSTRATOR = (
    '<?xml version="1.0" encoding="utf-8"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" '
    '"http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd" [<!ENTITY ns_svg "http://www.w3.org/2000/svg">'
    '<!ENTITY ns_ai "http://ns.example/a/">]>'
)


def test_entities_that_name_namespaces_are_read() -> None:
    body = '<svg xmlns="&ns_svg;" xmlns:i="&ns_ai;" i:viewOrigin="&ns_ai;" viewBox="0 0 120 40">' + SHAPE + "</svg>"
    kept = embedded((ILLUSTRATOR + body).encode())
    assert b"rect" in kept
    assert b"ns.example" not in kept


@pytest.mark.parametrize(
    ("entities", "body", "reason"),
    [
        ('<!ENTITY a "<rect/>">', "&a;", "Save As without Preserve Illustrator"),
        ('<!ENTITY a "&#38;b;"><!ENTITY b "b">', "&a;", "entities"),
        (f'<!ENTITY a "{"a" * 201}">', "", "entities"),
        ("".join(f'<!ENTITY a{n} "a">' for n in range(51)), "", "entities"),
        ('<!ATTLIST rect d CDATA "M0 0">', SHAPE, "entities"),
        (f'<!ENTITY a "{"1/" * 100}">', f'<path d="{"&a;" * 2_000}"/>', "characters, its entities replaced"),
        (f'<!ENTITY a "{"1/" * 100}">', f"<style>{'&a;' * 2_000}</style>", "characters, its entities replaced"),
    ],
    ids=["markup", "another", "long", "many", "attributes", "grown path", "grown style"],
)
def test_other_entities_leave_the_logo_out(entities: str, body: str, reason: str) -> None:
    assert reason in fault(a_svg(body, before=f"<!DOCTYPE svg [{entities}]>"))


def test_a_png_is_unpacked_no_further_than_its_picture() -> None:
    bomb = a_png(data=b"\x00" * 100_000_000)
    tracemalloc.start()
    try:
        assert "do not fit its size" in fault(bomb)
        assert tracemalloc.get_traced_memory()[1] < 10 * len(bomb)
    finally:
        tracemalloc.stop()


def test_a_png_in_very_many_chunks_is_one_picture() -> None:
    whole = zlib.compress(b"".join(b"\x00" + b"\x0b\x4f\x6c" * 4 for _ in range(4)), 9)
    chunks = [(b"IHDR", a_header(4, 4)), *((b"IDAT", whole[at : at + 1]) for at in range(len(whole)))]
    chunks += [(b"IDAT", b"")] * 50_000 + [(b"IEND", b"")]
    logo = png.SIGNATURE + b"".join(chunk(kind, body) for kind, body in chunks)
    assert fault(logo) == ""


@pytest.mark.parametrize("name", UNSAFE)
def test_an_svg_that_could_act_load_or_grow_is_left_out_by_name_and_at_once(name: str) -> None:
    logo, reason = UNSAFE[name]
    began = time.perf_counter()
    assert reason in fault(logo)
    assert time.perf_counter() - began < 1


@given(st.binary(max_size=300))
@settings(max_examples=200, deadline=None)
def test_whatever_is_stored_is_embedded_or_left_out_and_never_an_error(noise: bytes) -> None:
    for logo in (noise, png.SIGNATURE + noise, b"<svg xmlns='http://www.w3.org/2000/svg'>" + noise):
        made = logo_of(BRANDING, logo)
        assert (made.uri is None) != (made.fault is None)


@given(
    st.sampled_from(["fill", "style", "d", "transform", "viewBox", "class", "id", "href", "clip-path", "onx"]),
    st.text(alphabet=st.sampled_from("url(#a)'\";:{}/\\@<&>. 019eE+-%*datjvscrip"), max_size=40),
)
@settings(max_examples=300, deadline=None)
def test_no_value_of_an_attribute_survives_that_reaches_out(name: str, value: str) -> None:
    escaped = value.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    try:
        kept = svg.rebuilt(a_svg(f'<rect {name}="{escaped}" width="1" height="1"/>')).decode()
    except Unusable:
        return
    body = kept.partition(">")[2]
    assert not any(part in body for part in (":", "\\", "@")), "what reaches out needs one of these"
    assert body.count("url(") == body.count("url(#")


# -- in the report -----------------------------------------------------------------------------------------------------


def test_without_a_logo_in_the_record_there_is_nothing_to_warn_of() -> None:
    assert logo_of(a_client().branding, None) == Logo()


def test_a_logo_that_is_not_stored_is_a_fault() -> None:
    assert logo_of(BRANDING, None) == Logo(fault="nothing is stored under its name")


@pytest.mark.parametrize("logo", [a_svg(), a_png(), pillow_png("P")], ids=["svg", "png", "palette"])
def test_a_logo_is_on_the_cover(logo: bytes, renderer: Renderer) -> None:
    client = a_client(branding={"colour": "#0b4f6c", "logo": "logo.svg"})
    with_logo = renderer.render(client, a_cost_document(), a_run(), logo)
    without = renderer.render(a_client(), a_cost_document(), a_run())
    assert with_logo.warnings == without.warnings == ()
    figures = [_figures(rendered.pdf) for rendered in (with_logo, without)]
    assert figures[0] == figures[1] + 1


def test_a_logo_that_is_left_out_is_a_warning_and_the_name_stands_in_its_place(
    renderer: Renderer, text_of: Callable[[bytes], str]
) -> None:
    client = a_client(branding={"colour": "#0b4f6c", "logo": "logo.svg"})
    rendered = renderer.render(client, a_cost_document(), a_run(), UNSAFE["script"][0])
    assert len(rendered.warnings) == 1
    assert rendered.warnings[0].startswith("logo left out: the SVG holds 'script'")
    assert "Northwind Retail" in text_of(rendered.pdf).split("\f")[0]


def _figures(pdf: bytes) -> int:
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        return sum(isinstance(item, pikepdf.Dictionary) and item.get("/S") == "/Figure" for item in opened.objects)
