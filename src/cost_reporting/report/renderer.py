"""From figures to a report: the PDF, the words of its mail and its file name."""

import hashlib
import logging
import re
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Final
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined, TemplateError

import report_fonts
from cost_reporting.clients import ReportRecord, require_sound
from cost_reporting.contracts import Fact, MailWords, Run
from cost_reporting.costs import CostDocument
from cost_reporting.errors import RenderFailed
from cost_reporting.report import branding
from cost_reporting.report.downloads import too_large
from cost_reporting.report.edition import Edition
from cost_reporting.report.exports import File, exports
from cost_reporting.report.language import isolated
from cost_reporting.report.mail import mail_words
from cost_reporting.report.naming import file_name
from cost_reporting.report.pdf import Printer
from cost_reporting.report.sections import printed
from cost_reporting.soundness import Standpoint, today

WATERMARK: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="600" height="600" viewBox="0 0 600 600"><text x="300" y="360" '
    'font-family="Source Sans 3" font-weight="700" font-size="190" text-anchor="middle" fill="#f8e8e3" '
    'transform="rotate(-35 300 300)">TEST</text></svg>'
)
_PACKAGE: Final = Path(__file__).parent
_SOURCES: Final = ("**/*.py", "templates/*", "locales/**/*.mo")
_TOOLS: Final = ("babel", "jinja2", "weasyprint", "xlsxwriter")
_LONG_WORD: Final = re.compile(r">[^<]*[^\s<>-]{26}")
"""A word that no column is sure to hold. To break words anywhere costs a sixth of the time of a page: only then."""
_log = logging.getLogger(__name__)


class Rendered(Fact):
    """A finished report. ``mail`` is stored as JSON beside the PDF, so that sending needs nothing of this package.

    ``files`` go with the PDF. ``warnings`` are for operators: what the report lacks that its client would expect in it.
    ``html`` is the page as it was printed, for eyes only; :attr:`Renderer.stylesheet` goes with it.
    """

    pdf: bytes
    file_name: str
    html: str
    mail: MailWords
    files: tuple[File, ...]
    warnings: tuple[str, ...]


class Renderer:
    """Renders reports. Keep one for as long as the process lives: fonts, style sheet and templates are read once.

    ``consultancy`` is the name that stands on the cover as the one who prepared it.
    """

    def __init__(self, *, consultancy: str = "") -> None:
        self._consultancy = consultancy
        self._templates = Environment(
            loader=PackageLoader("cost_reporting.report"),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters["isolated"] = isolated

    def render(
        self,
        client: ReportRecord,
        costs: CostDocument,
        run: Run,
        logo: bytes | None = None,
        without_logo: str | None = None,
    ) -> Rendered:
        """The report of ``client`` about ``costs``.

        A ``logo`` that cannot be embedded safely is left out; the client's name stands in its place. ``without_logo``
        is the reason for which it is not even tried.

        Raises RenderFailed if the pages cannot be set, ClientMisconfigured if the client's record makes no sense: the
        same as the commands say of it before it is stored.
        """
        require_sound(client, Standpoint(today(max(run.nominal_at, costs.fetched_at))))
        edition = Edition(client=client, costs=costs, run=run, consultancy=self._consultancy)
        colour = branding.legible(client.branding.colour)
        emblem = branding.Logo(fault=without_logo) if without_logo else branding.logo_of(client.branding, logo)
        if emblem.fault is not None:
            _log.warning("logo_left_out", extra={"reason": emblem.fault})
        files = exports(edition)
        try:
            html = self._templates.get_template("report.html.j2").render(
                edition=edition,
                say=edition.say,
                say_n=edition.say_n,
                language=edition.language.code,
                colour=colour,
                logo=emblem.uri,
                prepared_by=edition.prepared_by,
                page_of=_page_of(edition),
                watermark="data:image/svg+xml," + quote(WATERMARK),
                sections=printed(edition),
            )
            if _LONG_WORD.search(html):
                html = html.replace("<html ", '<html class="long-words" ', 1)
            pdf = self._printer.print(html, created=costs.fetched_at)
            name = file_name(client.client_id, run, estimated=costs.estimated, incomplete=costs.total_is_incomplete)
            names = (name, *(file.file_name for file in files))
            heavy = too_large((len(pdf), *(len(file.body) for file in files)))
            mail = mail_words(
                edition, self._templates.get_template("mail.html.j2"), colour=colour, files=() if heavy else names
            )
        except TemplateError as fault:
            raise RenderFailed(f"a template does not fit: {type(fault).__name__}: {fault}") from fault
        warnings = () if emblem.fault is None else (f"logo left out: {emblem.fault}",)
        return Rendered(pdf=pdf, file_name=name, html=html, mail=mail, files=files, warnings=warnings)

    @cached_property
    def template_version(self) -> str:
        """The hash of all that shapes a report: code, templates, style sheet, the list of fonts, versions of tools."""
        digest = hashlib.sha256("".join(f"{tool} {version(tool)}\n" for tool in _TOOLS).encode())
        digest.update(f"{self._consultancy}\n".encode())
        found = {path for pattern in _SOURCES for path in _PACKAGE.glob(pattern) if path.is_file()}
        for path in sorted(path for path in found if "operators" not in path.relative_to(_PACKAGE).parts):
            digest.update(f"{path.relative_to(_PACKAGE).as_posix()}\n".encode() + path.read_bytes())
        for font in report_fonts.files():
            digest.update(f"{font.name} {font.stat().st_size}\n".encode())
        return digest.hexdigest()

    @cached_property
    def stylesheet(self) -> str:
        """The style sheet of every report."""
        return (_PACKAGE / "templates" / "report.css").read_text(encoding="utf-8")

    @cached_property
    def _printer(self) -> Printer:
        return Printer(self.stylesheet, report_fonts.files())


def _page_of(edition: Edition) -> str:
    """``"Page " counter(page) " of " counter(pages) ""``: what a style sheet puts at the foot of a page."""
    said = edition.say("Page {page} of {pages}", page='" counter(page) "', pages='" counter(pages) "')
    return f'"{said}"'
