"""What a final report changes about the preliminary one for the same period."""

from datetime import UTC

from cost_reporting.money import cents
from cost_reporting.report.edition import Edition


def since_preliminary(edition: Edition) -> str | None:
    """One line; None where there was no preliminary report, or this is one."""
    preliminary = edition.costs.preliminary
    if preliminary is None or not edition.is_final:
        return None
    figures = edition.figures
    day = figures.day(preliminary.fetched_at.astimezone(UTC).date())
    change = cents(edition.total) - cents(preliminary.total)
    if not change:
        return edition.say("The total has not changed since the preliminary report of {day}.", day=day)
    before, amount = (figures.money(each, edition.currency) for each in (preliminary.total, abs(change)))
    if change > 0:
        return edition.say(
            "Since the preliminary report of {day} the total has risen by {amount}; it was {before} then.",
            day=day,
            amount=amount,
            before=before,
        )
    return edition.say(
        "Since the preliminary report of {day} the total has fallen by {amount}; it was {before} then.",
        day=day,
        amount=amount,
        before=before,
    )
