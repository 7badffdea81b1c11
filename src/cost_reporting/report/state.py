"""How final and how complete a report is, in words: the badge of its first page, and the end of its subject.

The calendar decides whether a bill is closed; whether its figures may still change, AWS says day by day.
"""

from cost_reporting.report.edition import Edition
from cost_reporting.report.phrases import lacking


def badge(edition: Edition) -> str:
    """``Final``, ``Preliminary``, and what keeps the figures from being it."""
    estimated, what = edition.still_estimated, lacking(edition)
    if what and estimated:
        return edition.say_n(
            "Final date reached, incomplete: without {what}; AWS still marks {n} day as estimated",
            "Final date reached, incomplete: without {what}; AWS still marks {n} days as estimated",
            estimated,
            what=what,
        )
    if estimated:
        return edition.say_n(
            "Final date reached; AWS still marks {n} day as estimated",
            "Final date reached; AWS still marks {n} days as estimated",
            estimated,
        )
    if edition.is_final:
        return edition.say("Final, incomplete: without {what}", what=what) if what else edition.say("Final")
    return edition.say("Preliminary, incomplete: without {what}", what=what) if what else edition.say("Preliminary")


def in_subject(edition: Edition) -> str:
    """The same for the end of a line."""
    if what := lacking(edition):
        return (
            edition.say("final, incomplete: without {what}", what=what)
            if edition.is_final and not edition.still_estimated
            else edition.say("incomplete: without {what}", what=what)
        )
    if edition.still_estimated:
        return edition.say("final date reached, still estimated")
    return edition.say("final") if edition.is_final else edition.say("preliminary")
