"""A report for operators as a tagged PDF, with the style sheet and the fonts of the clients' reports."""

from pathlib import Path
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined, TemplateError

import report_fonts
from cost_reporting.errors import RenderFailed
from cost_reporting.report.branding import legible
from cost_reporting.report.language import isolated
from cost_reporting.report.operators.document import Document
from cost_reporting.report.pdf import Printer

COLOUR: Final = "#334155"
_STYLE: Final = Path(__file__).parents[1] / "templates" / "report.css"


def html(document: Document, *, consultancy: str = "") -> str:
    """The page that is printed."""
    templates = Environment(
        loader=PackageLoader("cost_reporting.report.operators"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["isolated"] = isolated
    try:
        return templates.get_template("report.html.j2").render(
            document=document, colour=legible(COLOUR), consultancy=consultancy
        )
    except TemplateError as fault:
        raise RenderFailed(f"a template does not fit: {type(fault).__name__}: {fault}") from fault


def pdf(document: Document, *, consultancy: str = "") -> bytes:
    """A PDF/UA-1 of the document. Raises RenderFailed if the pages cannot be set."""
    printer = Printer(_STYLE.read_text(encoding="utf-8"), report_fonts.files())
    return printer.print(html(document, consultancy=consultancy), created=document.issued)
