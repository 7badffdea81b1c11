"""The sections of the report, in the order in which they are read.

To add one: a file here with ``view``, a template of the same name, one line in SECTIONS, and its test. A view turns the
edition into words and figures that are ready to print, or into None where the section has nothing to say.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from cost_reporting.contracts import Fact
from cost_reporting.report.edition import Edition
from cost_reporting.report.sections import about, accounts, cover, invoice, services, summary, trend


class Section(NamedTuple):
    """A section: the name of its template, and the function that makes its view."""

    name: str
    view: Callable[[Edition], Fact | None]


SECTIONS: Final = (
    Section("cover", cover.view),
    Section("summary", summary.view),
    Section("trend", trend.view),
    Section("services", services.view),
    Section("accounts", accounts.view),
    Section("invoice", invoice.view),
    Section("about", about.view),
)
