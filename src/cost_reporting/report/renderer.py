"""From figures to a report: the PDF, the words of its mail and its file name."""

import hashlib
import logging
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Final
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined, TemplateError

import report_fonts
from cost_reporting.clients import Client
from cost_reporting.contracts import Fact, MailWords, Run
from cost_reporting.costs import CostDocument
from cost_reporting.errors import RenderFailed
from cost_reporting.report import branding
from cost_reporting.report.edition import Edition
from cost_reporting.report.mail import mail_words
from cost_reporting.report.pdf import Printer
from cost_reporting.report.sections import SECTIONS
from cost_reporting.report.sections.cover import PREPARED_BY

LANGUAGE: Final = "en"
WATERMARK: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="600" height="600" viewBox="0 0 600 600"><text x="300" y="360" '
    'font-family="Source Sans 3" font-weight="700" font-size="190" text-anchor="middle" fill="#f8e8e3" '
    'transform="rotate(-35 300 300)">TEST</text></svg>'
)
_PACKAGE: Final = Path(__file__).parent
_SOURCES: Final = ("**/*.py", "templates/*")
_TOOLS: Final = ("babel", "jinja2", "weasyprint")
_log = logging.getLogger(__name__)


class Rendered(Fact):
    """A finished report. ``mail`` is stored as JSON beside the PDF, so that sending needs nothing of this package."""

    pdf: bytes
    mail: MailWords


class Renderer:
    """Renders reports. Keep one for as long as the process lives: fonts, style sheet and templates are read once."""

    def __init__(self) -> None:
        self._templates = Environment(
            loader=PackageLoader("cost_reporting.report"),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def render(self, client: Client, costs: CostDocument, run: Run, logo: bytes | None = None) -> Rendered:
        """The report of ``client`` about ``costs``.

        A ``logo`` that cannot be embedded safely is left out; the client's name stands in its place.

        Raises RenderFailed if the pages cannot be set, ClientMisconfigured if the client's locale is unknown.
        """
        edition = Edition(client=client, costs=costs, run=run)
        colour, logo_uri = branding.legible(client.branding.colour), branding.logo_uri(logo)
        if logo is not None and logo_uri is None:
            _log.warning("logo left out: not a sound PNG", extra={"client_id": client.client_id})
        try:
            html = self._templates.get_template("report.html.j2").render(
                edition=edition,
                language=LANGUAGE,
                colour=colour,
                logo=logo_uri,
                prepared_by=PREPARED_BY,
                watermark="data:image/svg+xml," + quote(WATERMARK),
                sections=[(section.name, view) for section in SECTIONS if (view := section.view(edition)) is not None],
            )
            mail = mail_words(edition, self._templates.get_template("mail.html.j2"), language=LANGUAGE, colour=colour)
        except TemplateError as fault:
            raise RenderFailed(f"a template does not fit: {type(fault).__name__}: {fault}") from fault
        pdf = self._printer.print(html, created=costs.fetched_at)
        return Rendered(pdf=pdf, mail=mail)

    @cached_property
    def template_version(self) -> str:
        """The hash of all that shapes a report: code, templates, style sheet, the list of fonts, versions of tools."""
        digest = hashlib.sha256("".join(f"{tool} {version(tool)}\n" for tool in _TOOLS).encode())
        for path in sorted({path for pattern in _SOURCES for path in _PACKAGE.glob(pattern) if path.is_file()}):
            digest.update(f"{path.relative_to(_PACKAGE).as_posix()}\n".encode() + path.read_bytes())
        for font in report_fonts.files():
            digest.update(f"{font.name} {font.stat().st_size}\n".encode())
        return digest.hexdigest()

    @cached_property
    def _printer(self) -> Printer:
        return Printer((_PACKAGE / "templates" / "report.css").read_text(encoding="utf-8"), report_fonts.files())
