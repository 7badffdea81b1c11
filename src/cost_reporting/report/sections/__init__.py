"""The sections of the report, in the order in which they are read.

To add one: a file here with ``view``, a template of the same name, one line in SECTIONS, and its test. A view turns the
edition into words and figures that are ready to print, into a Gap where its figures could not be had, or into None
where the section has nothing to say.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from cost_reporting.contracts import Fact
from cost_reporting.report.edition import Edition
from cost_reporting.report.gaps import Gap
from cost_reporting.report.sections import (
    about,
    accounts,
    anomalies,
    budget_and_forecast,
    commitments,
    cover,
    invoice,
    regions,
    savings,
    services,
    summary,
    tags,
    trend,
    what_changed,
)


class Section(NamedTuple):
    """A section: the name of its template, and the function that makes its view."""

    name: str
    view: Callable[[Edition], Fact | None]


SECTIONS: Final = (
    Section("cover", cover.view),
    Section("summary", summary.view),
    Section("what_changed", what_changed.view),
    Section("trend", trend.view),
    Section("services", services.view),
    Section("accounts", accounts.view),
    Section("regions", regions.view),
    Section("tags", tags.view),
    Section("budget_and_forecast", budget_and_forecast.view),
    Section("anomalies", anomalies.view),
    Section("commitments", commitments.view),
    Section("savings", savings.view),
    Section("invoice", invoice.view),
    Section("about", about.view),
)


def printed(edition: Edition) -> list[tuple[str, Fact]]:
    """The sections that have something to say, each with the name of its template; all gaps look the same."""
    views = ((section.name, section.view(edition)) for section in SECTIONS)
    return [("gap" if isinstance(view, Gap) else name, view) for name, view in views if view is not None]
