"""SVG, written anew from a small subset: shapes, groups, gradients, clipping, local references. Never the file itself.

What could act, load or grow is refused by name, since a logo without it would be another logo: scripts, handlers,
references to elsewhere, images, foreign objects, animation, text (fonts differ), filters, patterns, masks, gradients
that repeat. What an editor leaves behind (metadata, titles, foreign namespaces, comments) is left out in silence, and
so are attributes where they mean nothing: WeasyPrint hands all of them down to an element's children.

Of entities only short words without markup are taken, as Adobe Illustrator writes them for its namespaces.

What is drawn is weighed as WeasyPrint would draw it, references and inherited paint followed (``limits``). Expat reads
the file as a stream and fetches nothing; no element is kept before it has been judged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Final
from xml.parsers import expat

from cost_reporting.report.logos import Unusable, limits

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
_GEOMETRY: Final[dict[str, frozenset[str]]] = {
    "svg": frozenset({"viewBox", "width", "height", "transform"}),
    "g": frozenset({"transform"}),
    "clipPath": frozenset({"transform"}),
    "use": frozenset({"x", "y", "transform"}),
    "path": frozenset({"d", "transform"}),
    "rect": frozenset({"x", "y", "width", "height", "rx", "ry", "transform"}),
    "circle": frozenset({"cx", "cy", "r", "transform"}),
    "ellipse": frozenset({"cx", "cy", "rx", "ry", "transform"}),
    "line": frozenset({"x1", "x2", "y1", "y2", "transform"}),
    "polyline": frozenset({"points", "transform"}),
    "polygon": frozenset({"points", "transform"}),
    "linearGradient": frozenset({"x1", "x2", "y1", "y2", "gradientTransform"}),
    "radialGradient": frozenset({"cx", "cy", "fx", "fy", "r", "gradientTransform"}),
    "stop": frozenset({"offset"}),
}
"""The attributes that say where an element is drawn, and where alone they are kept."""
_WORDS: Final[dict[str, frozenset[str]]] = {
    "svg": frozenset({"preserveAspectRatio"}),
    "clipPath": frozenset({"clipPathUnits"}),
    "linearGradient": frozenset({"gradientUnits"}),
    "radialGradient": frozenset({"gradientUnits"}),
}

_NAME: Final = re.compile(r"[A-Za-z_][\w.-]{0,99}", re.ASCII)
_VALUE: Final = re.compile(r"[\w#.,%()\s+-]*", re.ASCII)
_NO_NUMBER: Final = re.compile(r"_|nan|inf", re.IGNORECASE)
"""What Python reads as a number and SVG does not."""
_PLAIN: Final = re.compile(r"[A-Za-z0-9:/._~#?=+,-]*")
"""An entity that can hold neither markup nor another entity."""
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
    if len(logo) > limits.MOST_SVG_BYTES:
        raise Unusable(f"the SVG has more than {limits.MOST_SVG_BYTES:,} bytes")
    reader = _Reader()
    root = reader.read(logo)
    root.attributes |= _size(root.attributes)
    styles = _style_sheet("".join(reader.style))
    for element in root.walk():
        for name in element.classes:
            element.attributes |= styles.get(name, {})
        element.attributes |= element.inline
    _Drawing(root).weigh()
    if not any(element.tag in _SHAPES for element in root.walk()):
        raise Unusable("the SVG draws nothing")
    written = _written(root, namespace=f' xmlns="{_SVG}" xmlns:xlink="{_XLINK}"').encode()
    if len(written) > limits.MOST_WRITTEN:
        raise Unusable(f"the SVG would have more than {limits.MOST_WRITTEN:,} bytes with its style sheet applied")
    return written


class _Reader:
    """Builds the tree out of what is allowed, and stops at the first thing that is not."""

    def __init__(self) -> None:
        self.style: list[str] = []
        self._open: list[_Element] = []
        self._root: _Element | None = None
        self._count = 0
        self._skipped = 0
        self._in_style = False
        self._entities = 0
        self._characters = 0

    def read(self, logo: bytes) -> _Element:
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.EntityDeclHandler = self._entity
        parser.SkippedEntityHandler = parser.AttlistDeclHandler = self._refuse_entities
        parser.ProcessingInstructionHandler = self._instruction
        try:
            parser.Parse(logo, True)
        except (expat.ExpatError, ValueError, LookupError):
            raise Unusable("the SVG is not sound XML") from None
        if self._root is None:
            raise Unusable("the SVG is not sound XML")
        return self._root

    def _entity(self, _name: str, is_parameter: bool, value: str | None, *_: object) -> None:
        self._entities += 1
        plain = value is not None and len(value) <= limits.LONGEST_ENTITY and _PLAIN.fullmatch(value)
        if is_parameter or not plain or self._entities > limits.MOST_ENTITIES:
            self._refuse_entities()

    def _refuse_entities(self, *_: object) -> None:
        raise Unusable(
            "the SVG holds entities or a document type of its own. Adobe Illustrator saves it without them by "
            "File > Export > Export As > SVG, or by Save As without Preserve Illustrator Editing Capabilities"
        )

    def _count_characters(self, count: int) -> None:
        self._characters += count
        if self._characters > limits.MOST_SVG_BYTES:
            raise Unusable(f"the SVG has more than {limits.MOST_SVG_BYTES:,} characters, its entities replaced")

    def _instruction(self, *_: object) -> None:
        raise Unusable("the SVG holds a processing instruction")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        self._count_characters(sum(map(len, attributes.values())))
        if self._count > limits.MOST_ELEMENTS or len(self._open) + self._skipped >= limits.DEEPEST:
            raise Unusable(
                f"the SVG has more than {limits.MOST_ELEMENTS:,} elements, or more than {limits.DEEPEST} in each other"
            )
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
        self._count_characters(len(text) if self._in_style else 0)
        if self._in_style:
            self.style.append(text)


def _size(attributes: Mapping[str, str]) -> dict[str, str]:
    """The root's own size: the shape of its view box, and as high as a logo may be, since the page scales it down."""
    numbers = [float(number) for number in _NUMBER.findall(attributes.get("viewBox", ""))]
    if not numbers:
        sides = [_NUMBER.match(attributes.get(side, "")) for side in ("width", "height")]
        numbers = [0.0, 0.0, *(float(side[0]) for side in sides if side)]
    if len(numbers) != 4 or min(numbers[2:]) < limits.SMALLEST_SIDE:
        raise Unusable("the SVG does not say its size")
    ratio = numbers[2] / numbers[3]
    if not 1 / limits.WIDEST <= ratio <= limits.WIDEST:
        raise Unusable(f"the SVG is more than {limits.WIDEST} times as long as it is broad")
    box = " ".join(f"{number:.6f}".rstrip("0").rstrip(".") for number in numbers)
    return {"viewBox": box, "width": f"{limits.HEIGHT * ratio:.3f}", "height": f"{limits.HEIGHT}"}


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
        elif plain == "spreadMethod":
            _require_pad(value)
        elif plain == "id" or plain in _STYLES | _GEOMETRY[tag] | _WORDS.get(tag, frozenset()):
            element.attributes[plain] = _value(plain, value)
        elif "url" in value.casefold() and "(" in value:
            raise Unusable("the SVG refers to something outside of itself")
    return element


def _require_pad(spread: str) -> None:
    """A gradient that is repeated is drawn as often as its vector fits into the page: no bound is to be had."""
    if spread.strip() not in {"", "pad"}:
        raise Unusable("the SVG holds a gradient that repeats (spreadMethod), which is not among what is safe to draw")


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
    if name in _STYLES and len(value) > limits.LONGEST_STYLE:
        raise Unusable(f"the SVG's {name} has more than {limits.LONGEST_STYLE} characters")
    if name not in _STYLES and _NO_NUMBER.search(value):
        raise Unusable(f"the SVG's {name} is not among what is safe to draw")
    if any(abs(float(number)) > limits.LARGEST_NUMBER for number in _NUMBER.findall(value)):
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
    kept, at = list[str](), 0
    while (opens := css.find("/*", at)) >= 0:
        kept.append(css[at:opens])
        closes = css.find("*/", opens + 2)
        if closes < 0:
            raise Unusable("a comment in the SVG's style has no end")
        at = closes + 2
    return "".join((*kept, css[at:]))


@dataclass(frozen=True)
class _Context:
    """What is above an element that is drawn: the paint that it inherits, and how often its shapes are gone through.

    ``turns`` is one for drawing, and one more for each opacity above, which measures all that is in it.
    """

    fill: str | None = None
    stroke: str | None = None
    turns: int = 1
    above: tuple[int, ...] = ()

    def of(self, element: _Element) -> _Context:
        paint = {name: element.attributes.get(name, "inherit") for name in ("fill", "stroke")}
        return _Context(
            fill=self.fill if paint["fill"] == "inherit" else paint["fill"],
            stroke=self.stroke if paint["stroke"] == "inherit" else paint["stroke"],
            turns=self.turns + _fades(element),
            above=(*self.above, id(element)),
        )


class _Drawing:
    """Goes through the document as WeasyPrint draws it, until the weight that a logo may have is spent.

    Every step weighs something, so this ends soon, however often the document refers to its own parts.
    """

    def __init__(self, root: _Element) -> None:
        self._root = root
        self._named: dict[str, _Element] = {}
        self._elements = 0
        for element in root.walk():
            self._elements += 1
            if "id" in element.attributes:
                self._named.setdefault(element.attributes["id"], element)
        self._sought: set[str] = set()
        self._spent = 0

    def weigh(self) -> None:
        """Raises Unusable for a reference that leads nowhere, in a circle, to the wrong kind, or to too much."""
        for element in self._root.walk():
            for name, target in _references(element):
                self._target(element, name, target)
        self._draw(self._root, _Context())

    def _draw(self, element: _Element, outside: _Context) -> None:
        if id(element) in outside.above:
            raise Unusable("a reference in the SVG leads back to itself")
        context = outside.of(element)
        if len(context.above) > limits.DEEPEST:
            raise Unusable(f"the SVG draws more than {limits.DEEPEST} elements in each other")
        own = _weight(element)
        self._spend(own * context.turns + limits.PER_GROUP * _fades(element))
        if element.tag in _SHAPES:
            for paint in (context.fill, context.stroke):
                if local := _LOCAL.fullmatch(paint or ""):
                    self._spend(own + limits.PER_PAINT)
                    self._paint(self._named[local[1]])
        for name, target in _references(element):
            if name == "clip-path" or element.tag == "use":
                self._draw(self._named[target], _Context(above=context.above) if name == "clip-path" else context)
        if element.tag != "defs":
            for child in element.children:
                if child.tag != "clipPath":
                    self._draw(child, context)

    def _paint(self, gradient: _Element) -> None:
        """A gradient and those that it takes its stops from."""
        chain = [gradient]
        for each in chain:
            if len(chain) > limits.DEEPEST:
                raise Unusable(f"the SVG draws more than {limits.DEEPEST} elements in each other")
            self._spend(sum(map(_weight, each.walk())))
            chain.extend(self._named[target] for name, target in _references(each) if name == "xlink:href")

    def _spend(self, weight: int) -> None:
        self._spent += weight
        if self._spent > limits.MOST_DRAWN:
            raise Unusable(
                f"the SVG draws more than {limits.MOST_DRAWN:,} characters of shapes, its references followed"
            )

    def _target(self, element: _Element, name: str, target_id: str) -> None:
        target = self._named.get(target_id)
        if target is None:
            raise Unusable("the SVG refers to something that it does not hold")
        kinds = {"clip-path": {"clipPath"}, "xlink:href": _GRADIENTS if element.tag in _GRADIENTS else _USED}
        if target.tag not in kinds.get(name, _GRADIENTS):
            raise Unusable("a reference in the SVG leads to the wrong kind of element")
        if target_id not in self._sought:
            self._sought.add(target_id)
            self._spend(limits.PER_SEARCH * self._elements)


def _fades(element: _Element) -> bool:
    """Whether the element is made a group of, to be seen through."""
    try:
        return float(element.attributes.get("opacity", "1")) < 1
    except ValueError:
        return True


def _weight(element: _Element) -> int:
    """What it takes to draw ``element`` once, without what it refers to."""
    length = sum(map(len, element.attributes.values()))
    arcs = element.tag == "path" and "a" in element.attributes.get("d", "").lower()
    return limits.PER_ELEMENT + length * (limits.ARC if arcs else 1)


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
