"""What AWS's anomaly detection found: when, what, and how much more than expected."""

from cost_reporting.contracts import Fact
from cost_reporting.costs import NotAvailable
from cost_reporting.money import cents, shown, total
from cost_reporting.report import charts, unusual
from cost_reporting.report.edition import Edition, one_line
from cost_reporting.report.figures import EN_DASH
from cost_reporting.report.gaps import Gap, gap


class Found(Fact):
    """A row of the table. Its number is the one in the chart of the days."""

    number: str
    when: str
    what: str
    usage_type: str
    region: str
    account: str
    expected: str
    impact: str
    is_rest: bool


class Anomalies(Fact):
    """The anomalies; without any, the finding says so."""

    finding: str
    currency: str
    rows: tuple[Found, ...]
    sum: str


def view(edition: Edition) -> Anomalies | Gap | None:
    """The anomalies, if they were asked for; a weekly report explains them below the chart of its days."""
    anomalies = edition.costs.anomalies
    if isinstance(anomalies, NotAvailable):
        return gap(edition, edition.say("Anomalies"), "anomalies", anomalies)
    if anomalies is None:
        return None
    above = total(anomaly.impact for anomaly in unusual.of_period(edition))
    return Anomalies(
        finding=_finding(edition),
        currency=edition.currency,
        rows=_rows(edition) if edition.costs.cadence == "monthly" else (),
        sum=edition.figures.amount(above),
    )


def _finding(edition: Edition) -> str:
    anomalies = unusual.of_period(edition)
    if not anomalies:
        return edition.say("AWS's anomaly detection reported nothing unusual in this period.")
    said = edition.say_n(
        "AWS's anomaly detection reported {n} case of unusual costs: {amount} above what it expected.",
        "AWS's anomaly detection reported {n} cases of unusual costs: {amount} above what it expected, together.",
        len(anomalies),
        amount=edition.figures.money(total(anomaly.impact for anomaly in anomalies), edition.currency),
    )
    return edition.language.together(said, unusual.approximate(edition)) if unusual.is_approximate(edition) else said


def _rows(edition: Edition) -> tuple[Found, ...]:
    anomalies, chosen, figures = unusual.of_period(edition), unusual.numbered(edition), edition.figures
    rest = total(anomaly.impact for anomaly in anomalies) - total(anomaly.impact for anomaly in chosen)
    impacts = shown([*(anomaly.impact for anomaly in chosen), rest])
    rows = [
        Found(
            number=figures.count(number),
            when=unusual.when(edition, anomaly),
            what=unusual.service(edition, anomaly),
            usage_type=_cut(anomaly.usage_type, 40) or EN_DASH,
            region=_cut(anomaly.region, 20) or EN_DASH,
            account=_cut(anomaly.account_id, 16) or EN_DASH,
            expected=figures.not_available if anomaly.expected is None else figures.amount(anomaly.expected),
            impact=figures.cell(impact, anomaly.impact),
            is_rest=False,
        )
        for number, (anomaly, impact) in enumerate(zip(chosen, impacts, strict=False), 1)
    ]
    others = len(anomalies) - len(chosen)
    if others or cents(impacts[-1]):
        what = (
            edition.say_n("Other ({n} anomaly)", "Other ({n} anomalies)", others) if others else edition.say("Rounding")
        )
        rows.append(
            Found(
                number="",
                when="",
                what=what,
                usage_type="",
                region="",
                account="",
                expected="",
                impact=figures.cell(impacts[-1], rest),
                is_rest=True,
            )
        )
    return tuple(rows)


def _cut(name: str | None, room: int) -> str | None:
    """A name in a narrow column."""
    return charts.shortened(one_line(name), room) if name else None
