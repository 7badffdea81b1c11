"""The anomalies of a period, numbered: the same number in the chart of the days, below it and in their table."""

from datetime import timedelta
from typing import Final

from cost_reporting.contracts import Period
from cost_reporting.costs import Anomaly
from cost_reporting.domain.causes.incidents import once
from cost_reporting.report import charts
from cost_reporting.report.edition import Edition, one_line

MOST: Final = 9
MOST_OF_A_WEEK: Final = 3
_NAME_LENGTH: Final = 40
_SEVERAL: Final = "several services"
"""What the source calls an anomaly without a service."""


def numbered(edition: Edition) -> tuple[Anomaly, ...]:
    """The largest in the order of their days: the first has the number 1. None if there is none, or none known."""
    anomalies = of_period(edition)
    most = MOST if edition.costs.cadence == "monthly" else MOST_OF_A_WEEK
    largest = sorted(anomalies, key=lambda anomaly: (-anomaly.impact, anomaly.first_day, anomaly.service))[:most]
    return tuple(sorted(largest, key=lambda anomaly: (anomaly.first_day, -anomaly.impact, anomaly.service)))


def of_period(edition: Edition) -> tuple[Anomaly, ...]:
    """Those that overlap the period, each event once; what was over before it is a cause of a fall, and not here.

    One of which AWS says no end may reach into the period.
    """
    anomalies, period = edition.costs.anomalies, edition.period
    if not isinstance(anomalies, tuple):
        return ()
    events = [event.anomaly for event in once(anomalies, until=period.end - timedelta(days=1))]
    return tuple(
        each
        for each in anomalies
        if (each in events or each.impact <= 0)
        and each.first_day < period.end
        and (each.last_day is None or max(each.first_day, each.last_day) >= period.start)
    )


def reaches_out(edition: Edition, anomaly: Anomaly) -> bool:
    """Whether some of its days lie outside of the period, or may."""
    last_day = anomaly.last_day or edition.period.end
    return anomaly.first_day < edition.period.start or last_day >= edition.period.end


def is_approximate(edition: Edition) -> bool:
    """Whether the report's metric is another one than that of AWS's impact, which is unblended."""
    return edition.costs.metric in {"amortized", "net_amortized"}


def approximate(edition: Edition) -> str:
    """Why an impact is about so much."""
    return edition.say("Amounts of incidents are approximate here: AWS gives them as unblended cost.")


def impact(edition: Edition, anomaly: Anomaly) -> str:
    """The amount above what was expected, to stand in a sentence: ``USD 126.85``, ``about USD 126.85``."""
    amount = edition.figures.money(anomaly.impact, edition.currency)
    return edition.say("about {amount}", amount=amount) if is_approximate(edition) else amount


def service(edition: Edition, anomaly: Anomaly) -> str:
    """Whose costs were unusual."""
    return edition.say("several services") if anomaly.service == _SEVERAL else one_line(anomaly.service)


def when(edition: Edition, anomaly: Anomaly) -> str:
    """``Oct 17``, or ``Oct 17 to Oct 19``."""
    short = edition.figures.short_day
    if anomaly.last_day is None:
        return edition.say("since {first}", first=short(anomaly.first_day))
    if anomaly.last_day <= anomaly.first_day:
        return short(anomaly.first_day)
    return edition.say("{first} to {last}", first=short(anomaly.first_day), last=short(anomaly.last_day))


def note(edition: Edition, anomaly: Anomaly) -> str:
    """The explanation of a number in the chart."""
    if anomaly.expected is None:
        return edition.say(
            "{when}: {service} cost {impact} more than AWS expected.",
            when=when(edition, anomaly),
            service=charts.shortened(service(edition, anomaly), _NAME_LENGTH),
            impact=impact(edition, anomaly),
        )
    return edition.say(
        "{when}: {service} cost {impact} more than the {expected} that AWS expected.",
        when=when(edition, anomaly),
        service=charts.shortened(service(edition, anomaly), _NAME_LENGTH),
        impact=impact(edition, anomaly),
        expected=edition.figures.amount(anomaly.expected),
    )


def days_in(period: Period, anomaly: Anomaly) -> tuple[int, int] | None:
    """The places of its first and last day in the period, or None if it lies outside."""
    length = (period.end - period.start).days
    first, last = (
        (day - period.start).days
        for day in (anomaly.first_day, max(anomaly.last_day or anomaly.first_day, anomaly.first_day))
    )
    return (max(first, 0), min(last, length - 1)) if first < length and last >= 0 else None
