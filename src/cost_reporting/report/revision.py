"""What a report changes about an earlier one: a final about the preliminary, and the next about the one before."""

from datetime import UTC

from cost_reporting.money import cents
from cost_reporting.report.edition import Edition
from cost_reporting.report.language import to_say


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


def since_last_report(edition: Edition) -> str | None:
    """What AWS has changed about the previous period since its last report; None if nothing, or it is not known."""
    restated = edition.costs.restated
    if restated is None or edition.costs.not_comparable is not None:
        return None
    change = cents(restated.now) - cents(restated.then)
    if not change:
        return None
    figures = edition.figures
    day = figures.day(restated.fetched_at.astimezone(UTC).date())
    facts = {"period": figures.period(edition.previous), "day": day}
    amounts = (restated.then, restated.now, abs(change))
    before, now, amount = (figures.money(each, edition.currency) for each in amounts)
    return edition.say(
        to_say("AWS has restated {period} since its report of {day}: {now}, {amount} more than the {before} there.")
        if change > 0
        else to_say(
            "AWS has restated {period} since its report of {day}: {now}, {amount} less than the {before} there."
        ),
        before=before,
        now=now,
        amount=amount,
        **facts,
    )
