"""SVG, written anew from a small subset: shapes, groups, gradients, clipping, local references. Never the file itself.

What could act, load or grow is refused by name, since a logo without it would be another logo: scripts, handlers,
entities, references to elsewhere, images, foreign objects, animation, text (fonts differ), filters, patterns. What an
editor leaves behind (metadata, titles, foreign namespaces, comments) is left out in silence.

Expat reads the file as a stream and fetches nothing; no element is kept before it has been judged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Final
from xml.parsers import expat

from cost_reporting.report.logos import Unusable

MOST_BYTES: Final = 300_000
MOST_ELEMENTS: Final = 3_000
MOST_DRAWN: Final = 6_000
"""Elements that are drawn once all local references are followed."""
DEEPEST: Final = 24
LARGEST_NUMBER: Final = 1e6
WIDEST: Final = 40
HEIGHT: Final = 400
"""CSS pixels, more than a page gives to a logo."""

_SVG: Final = "http://www.w3.org/2000/svg"
_XLINK: Final = "http://www.w3.org/1999/xlink"
_SHAPES: Final = frozenset({"path", "rect", "circle", "ellipse", "line", "polyline", "polygon"})
_GRADIENTS: Final = frozenset({"linearGradient", "radialGradient"})
_DRAWN: Final = _SHAPES | _GRADIENTS | {"svg", "g", "defs", "stop", "clipPath", "use"}
_USED: Final = _SHAPES | {"g", "use"}
_EDITORS: Final = frozenset({"title", "desc", "metadata"})
_STYLES: Final = frozenset(
    [
        "fill",
        "fill-opacity",
        "fill-rule",
        "clip-rule",
        "clip-path",
        "color",
        "display",
        "opacity",
        "stop-color",
        "stop-opacity",
        "stroke",
        "stroke-linecap",
        "stroke-linejoin",
        "stroke-miterlimit",
        "stroke-opacity",
        "stroke-width",
        "visibility",
    ]
)
_GEOMETRY: Final = frozenset(
    [
        "cx",
        "cy",
        "d",
        "fx",
        "fy",
        "gradientTransform",
        "height",
        "offset",
        "points",
        "r",
        "rx",
        "ry",
        "transform",
        "viewBox",
        "width",
        "x",
        "x1",
        "x2",
        "y",
        "y1",
        "y2",
    ]
)
_WORDS: Final = frozenset(["clipPathUnits", "gradientUnits", "id", "preserveAspectRatio", "spreadMethod"])

_NAME: Final = re.compile(r"[A-Za-z_][\w.-]{0,99}", re.ASCII)
_VALUE: Final = re.compile(r"[\w#.,%()\s+-]*", re.ASCII)
_CALL: Final = re.compile(r"([A-Za-z]*)\(")
_CALLS: Final = frozenset({"rgb", "rgba", "hsl", "matrix", "translate", "scale", "rotate", "skewX", "skewY"})
_LOCAL: Final = re.compile(r"url\(\s*['\"]?#([A-Za-z_][\w.-]{0,99})['\"]?\s*\)(\s+[\w#]+)?", re.ASCII)
_NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_RULE: Final = re.compile(r"\s*((?:\.[\w-]+\s*,\s*)*\.[\w-]+)\s*\{([^{}@\\<]*)\}\s*", re.ASCII)


@dataclass
class _Element:
    tag: str
    attributes: dict[str, str]
    classes: tuple[str, ...] = ()
    inline: dict[str, str] = field(default_factory=dict)
    children: list[_Element] = field(default_factory=list)

    def walk(self) -> Iterator[_Element]:
        yield self
        for child in self.children:
            yield from child.walk()


def rebuilt(logo: bytes) -> bytes:
    """``logo`` as a document of our own writing, which holds its shapes and nothing else.

    Raises Unusable with the reason.
    """
    if len(logo) > MOST_BYTES:
        raise Unusable(f"the SVG has more than {MOST_BYTES:,} bytes")
    reader = _Reader()
    root = reader.read(logo)
    root.attributes |= _size(root.attributes)
    styles = _style_sheet("".join(reader.style))
    for element in root.walk():
        for name in element.classes:
            element.attributes |= styles.get(name, {})
        element.attributes |= element.inline
    _References(root).measure(root)
    if not any(element.tag in _SHAPES for element in root.walk()):
        raise Unusable("the SVG draws nothing")
    return _written(root, namespace=f' xmlns="{_SVG}" xmlns:xlink="{_XLINK}"').encode()


class _Reader:
    """Builds the tree out of what is allowed, and stops at the first thing that is not."""

    def __init__(self) -> None:
        self.style: list[str] = []
        self._open: list[_Element] = []
        self._root: _Element | None = None
        self._count = 0
        self._skipped = 0
        self._in_style = False

    def read(self, logo: bytes) -> _Element:
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.EntityDeclHandler = parser.SkippedEntityHandler = self._entity
        parser.AttlistDeclHandler = self._entity
        parser.ProcessingInstructionHandler = self._instruction
        try:
            parser.Parse(logo, True)
        except (expat.ExpatError, ValueError, LookupError):
            raise Unusable("the SVG is not sound XML") from None
        if self._root is None:
            raise Unusable("the SVG is not sound XML")
        return self._root

    def _entity(self, *_: object) -> None:
        raise Unusable("the SVG holds entities or a document type of its own")

    def _instruction(self, *_: object) -> None:
        raise Unusable("the SVG holds a processing instruction")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > MOST_ELEMENTS or len(self._open) + self._skipped >= DEEPEST:
            raise Unusable(f"the SVG has more than {MOST_ELEMENTS:,} elements, or more than {DEEPEST} in each other")
        space, _, tag = name.rpartition(" ")
        if self._root is None and (space, tag) != (_SVG, "svg"):
            raise Unusable("it is neither PNG nor SVG")
        if self._in_style:
            raise Unusable("the SVG's style sheet holds elements")
        if self._skipped or space != _SVG or tag in _EDITORS:
            _require_harmless(tag)
            self._skipped += 1
        elif tag == "style":
            self._in_style = True
        elif tag in _DRAWN and (tag != "svg" or self._root is None):
            element = _element(tag, attributes)
            if self._open:
                self._open[-1].children.append(element)
            else:
                self._root = element
            self._open.append(element)
        else:
            raise Unusable(f"the SVG holds {tag!r:.40}, which is not among what is safe to draw")

    def _end(self, _name: str) -> None:
        if self._in_style:
            self._in_style = False
        elif self._skipped:
            self._skipped -= 1
        else:
            self._open.pop()

    def _text(self, text: str) -> None:
        if self._in_style:
            self.style.append(text)


def _size(attributes: Mapping[str, str]) -> dict[str, str]:
    """The root's own size: the shape of its view box, and as high as a logo may be, since the page scales it down."""
    numbers = [float(number) for number in _NUMBER.findall(attributes.get("viewBox", ""))]
    if not numbers:
        sides = [_NUMBER.match(attributes.get(side, "")) for side in ("width", "height")]
        numbers = [0.0, 0.0, *(float(side[0]) for side in sides if side)]
    if len(numbers) != 4 or min(numbers[2:]) <= 0:
        raise Unusable("the SVG does not say its size")
    ratio = numbers[2] / numbers[3]
    if not 1 / WIDEST <= ratio <= WIDEST:
        raise Unusable(f"the SVG is more than {WIDEST} times as long as it is broad")
    box = " ".join(f"{number:.6f}".rstrip("0").rstrip(".") for number in numbers)
    return {"viewBox": box, "width": f"{HEIGHT * ratio:.3f}", "height": f"{HEIGHT}"}


def _require_harmless(tag: str) -> None:
    """Even in what is left out, a script says what the file is for."""
    if tag.casefold() in {"script", "foreignobject", "image", "iframe", "object", "embed", "handler"}:
        raise Unusable(f"the SVG holds {tag!r:.40}, which is not among what is safe to draw")


def _element(tag: str, attributes: Mapping[str, str]) -> _Element:
    element = _Element(tag, {})
    for name, value in attributes.items():
        space, _, plain = name.rpartition(" ")
        if plain.casefold().startswith("on"):
            raise Unusable("the SVG holds an event handler")
        if plain == "href" and space in {"", _XLINK}:
            if tag not in _GRADIENTS | {"use"} or not (value.startswith("#") and _NAME.fullmatch(value[1:])):
                raise Unusable("the SVG refers to something outside of itself")
            element.attributes["xlink:href"] = value
        elif space:
            continue
        elif plain == "class":
            element.classes = tuple(value.split())
        elif plain == "style":
            element.inline = _declarations(value)
        elif plain in _STYLES | _GEOMETRY | _WORDS:
            element.attributes[plain] = _value(plain, value)
        elif "url" in value.casefold() and "(" in value:
            raise Unusable("the SVG refers to something outside of itself")
    return element


def _value(name: str, value: str) -> str:
    value = value.strip()
    if name == "id":
        if not _NAME.fullmatch(value):
            raise Unusable("an id in the SVG is not a name")
        return value
    if name in {"fill", "stroke", "clip-path"} and (local := _LOCAL.fullmatch(value)):
        return f"url(#{local[1]}){local[2] or ''}"
    if not _VALUE.fullmatch(value) or {call[1] for call in _CALL.finditer(value)} - _CALLS:
        raise Unusable(f"the SVG's {name} is not among what is safe to draw")
    if name not in _WORDS and any(abs(float(number)) > LARGEST_NUMBER for number in _NUMBER.findall(value)):
        raise Unusable(f"the SVG's {name} is out of all measure")
    return value


def _declarations(style: str) -> dict[str, str]:
    """The declarations of a style attribute or a rule. What is not drawn is left out, if it loads nothing."""
    found = {}
    for declaration in filter(None, (part.strip() for part in _without_comments(style).split(";"))):
        name, colon, value = declaration.partition(":")
        name = name.strip().lower()
        if name in _STYLES and colon:
            found[name] = _value(name, value.replace("!important", ""))
        elif re.search(r"[\\@<]|url\s*\(|expression", declaration, re.IGNORECASE):
            raise Unusable("the SVG's style refers to something outside of itself")
    return found


def _style_sheet(text: str) -> dict[str, dict[str, str]]:
    """What each class looks like. Raises Unusable for anything but rules for classes."""
    text, at, found = _without_comments(text).strip(), 0, dict[str, dict[str, str]]()
    while at < len(text):
        rule = _RULE.match(text, at)
        if rule is None:
            raise Unusable("the SVG's style sheet holds more than rules for classes")
        declarations = _declarations(rule[2])
        for name in rule[1].split(","):
            found[name.strip()[1:]] = found.get(name.strip()[1:], {}) | declarations
        at = rule.end()
    return found


def _without_comments(css: str) -> str:
    """``css`` without its comments. Not by a pattern: that would take a quadratic time over comments without an end."""
    before, comment, rest = css.partition("/*")
    kept = [before]
    while comment:
        _, end, rest = rest.partition("*/")
        if not end:
            raise Unusable("a comment in the SVG's style has no end")
        before, comment, rest = rest.partition("/*")
        kept.append(before)
    return "".join(kept)


class _References:
    """Follows every local reference from the root down, so that what is drawn is finite, and counts it."""

    def __init__(self, root: _Element) -> None:
        self._named: dict[str, _Element] = {}
        for element in root.walk():
            if "id" in element.attributes:
                self._named.setdefault(element.attributes["id"], element)
        self._measured: dict[int, tuple[int, int] | None] = {}

    def measure(self, element: _Element) -> tuple[int, int]:
        """How many elements are drawn for ``element``, and how deep in each other.

        Raises Unusable for a reference that leads nowhere, in a circle, to the wrong kind of element, or to too much.
        """
        if id(element) in self._measured:
            known = self._measured[id(element)]
            if known is None:
                raise Unusable("a reference in the SVG leads back to itself")
            return known
        self._measured[id(element)] = None
        parts = [self.measure(each) for each in (*element.children, *self._targets(element))]
        drawn, depth = 1 + sum(part[0] for part in parts), 1 + max((part[1] for part in parts), default=0)
        if drawn > MOST_DRAWN or depth > DEEPEST:
            raise Unusable(f"the SVG draws more than {MOST_DRAWN:,} elements, or more than {DEEPEST} in each other")
        self._measured[id(element)] = drawn, depth
        return drawn, depth

    def _targets(self, element: _Element) -> Iterator[_Element]:
        for name, target_id in _references(element):
            target = self._named.get(target_id)
            if target is None:
                raise Unusable("the SVG refers to something that it does not hold")
            kinds = {"clip-path": {"clipPath"}, "xlink:href": _GRADIENTS if element.tag in _GRADIENTS else _USED}
            if target.tag not in kinds.get(name, _GRADIENTS):
                raise Unusable("a reference in the SVG leads to the wrong kind of element")
            yield target


def _references(element: _Element) -> Iterator[tuple[str, str]]:
    for name in ("fill", "stroke", "clip-path"):
        if local := _LOCAL.fullmatch(element.attributes.get(name, "")):
            yield name, local[1]
    if "xlink:href" in element.attributes:
        yield "xlink:href", element.attributes["xlink:href"][1:]


def _written(element: _Element, *, namespace: str = "") -> str:
    attributes = "".join(f' {name}="{escape(value)}"' for name, value in sorted(element.attributes.items()))
    inside = "".join(_written(child) for child in element.children)
    return f"<{element.tag}{namespace}{attributes}>{inside}</{element.tag}>"
