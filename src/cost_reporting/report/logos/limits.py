"""How much a logo may hold, draw and unpack. All limits are here; ``tests/unit/report/test_logos.py`` tries each.

A logo may cost its report some seconds: Render PDF has 120 s and 1,769 MB, and a report takes one or two seconds
itself. What WeasyPrint 70 does with each part was read in ``weasyprint/svg`` and measured (``benchmarks/logos.py``
measures it anew).
"""

from typing import Final

MOST_BYTES: Final = 1_000_000
"""Bytes of a logo of either kind. The page shows it some centimetres wide."""

# -- PNG ---------------------------------------------------------------------------------------------------------------

LARGEST_SIDE: Final = 4_000
MOST_PIXELS: Final = 4_000_000
"""At eight bytes for a pixel, the most that there are, 32 MB: little for a function of 1.7 GB."""

# -- SVG: what it holds ------------------------------------------------------------------------------------------------

MOST_SVG_BYTES: Final = 300_000
"""Also of all attributes, and of the style sheet, once entities stand for their text."""
MOST_ELEMENTS: Final = 3_000
DEEPEST: Final = 24
"""Elements in each other, references followed: WeasyPrint calls itself for each."""
LARGEST_NUMBER: Final = 1e6
SMALLEST_SIDE: Final = 1e-3
"""Of the view box, in its own units: below, nothing is left of it in the six decimals that are written."""
WIDEST: Final = 40
HEIGHT: Final = 400
"""CSS pixels, more than a page gives to a logo."""
LONGEST_STYLE: Final = 100
"""Characters of a property's value. A class repeats it at each element."""
MOST_WRITTEN: Final = 1_000_000
"""Characters of the document that is written anew."""
MOST_ENTITIES: Final = 50
LONGEST_ENTITY: Final = 200
"""Characters. Drawing programs name their namespaces so."""

# -- SVG: what is drawn ------------------------------------------------------------------------------------------------
# In characters of attributes: WeasyPrint takes 2 to 5 microseconds of a slow core for one, whenever it is drawn.

MOST_DRAWN: Final = 500_000
"""All of the below together, references followed: some 2.5 seconds."""
PER_ELEMENT: Final = 60
"""An element that is drawn is a node, its styles and a state of the page, 0.25 ms."""
ARC: Final = 4
"""A path with arcs counts so many times: each arc becomes up to three curves."""
PER_GROUP: Final = 100
"""Opacity makes an object of its own in the PDF; what is in it is also measured once more, at each such level."""
PER_PAINT: Final = 300
"""A gradient makes a pattern, a group and a shading wherever it paints; the shape is also measured once more."""
PER_SEARCH: Final = 1
"""Each name that is referred to is searched for among all elements, once."""
