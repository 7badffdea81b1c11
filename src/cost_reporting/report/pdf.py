"""HTML to PDF: the only importer of WeasyPrint.

What may be reached while a report is set is decided here. Client names, service names and logos come from elsewhere, so
nothing outside of the page itself can be loaded: not the network, not a file, not a font of the host. Identical input
gives identical bytes, on every machine with the same versions of WeasyPrint and Pango.
"""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from weasyprint import CSS, HTML
from weasyprint.text import ffi as native
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

from cost_reporting.errors import RenderFailed

native.ffi.cdef("FcConfig * FcConfigCreate (void);")


class OwnFonts(FontConfiguration):  # type: ignore[misc]
    """Exactly the given font files, where WeasyPrint's own configuration starts from the fonts of the host.

    They are registered and not copied, as fonts of an ``@font-face`` would be.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        # WeasyPrint's constructor with another configuration; it reads the host's and offers no choice.
        self._config = native.fontconfig.FcConfigCreate()
        self.font_map = native.ffi.gc(native.pangoft2.pango_ft2_font_map_new(), native.gobject.g_object_unref)
        for file in files:
            if not native.fontconfig.FcConfigAppFontAddFile(self._config, str(file).encode()):
                raise RenderFailed(f"{file.name} is not a font that Fontconfig can read")
        native.pangoft2.pango_fc_font_map_set_config(native.ffi.cast("PangoFcFontMap *", self.font_map), self._config)
        native.fontconfig.FcConfigDestroy(self._config)  # the font map holds its own reference
        self._folder = None
        self.strut_layouts: dict[object, object] = {}
        self.font_features: dict[object, object] = {}


class PageOnlyFetcher(URLFetcher):  # type: ignore[misc]
    """Opens ``data:`` and nothing else; anything else ends the rendering, so that no report lacks a part in silence."""

    def fetch(self, url: str, headers: dict[str, str] | None = None) -> URLFetcherResponse:
        """What ``url`` holds, if it holds it itself."""
        if url[:5].lower() != "data:":
            raise ValueError(f"{url[:80]!r} lies outside of the page")
        return super().fetch(url, headers)


class Printer:
    """Sets pages. One is shared by all reports of a warm function: fonts and the style sheet are read once."""

    def __init__(self, stylesheet: str, fonts: Sequence[Path]) -> None:
        self._fetcher = PageOnlyFetcher(allowed_protocols=("data",), allow_redirects=False, fail_on_errors=True)
        self._fonts = OwnFonts(fonts)
        self._stylesheet = CSS(string=stylesheet, font_config=self._fonts, url_fetcher=self._fetcher)

    def print(self, html: str, *, created: datetime) -> bytes:
        """A tagged PDF/UA-1 of ``html``, which names its language and title, dated ``created``.

        Raises RenderFailed for whatever goes wrong.
        """
        stamp = f'<meta name="dcterms.created" content="{created.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}">'
        stamp += stamp.replace("created", "modified")
        dated = html.replace("</head>", f"{stamp}</head>", 1)
        options: dict[str, Any] = {
            "stylesheets": [self._stylesheet],
            "font_config": self._fonts,
            "pdf_variant": "pdf/ua-1",
            "pdf_identifier": hashlib.sha256(dated.encode()).hexdigest()[:32].encode(),
        }
        try:
            pdf = HTML(string=dated, url_fetcher=self._fetcher).write_pdf(**options)
        except (Exception, FatalURLFetchingError) as fault:  # the latter is a BaseException
            raise RenderFailed(f"the page could not be set: {type(fault).__name__}: {fault}") from fault
        if not isinstance(pdf, bytes):
            raise RenderFailed("the page was set, but no PDF came of it")
        return pdf
