"""The month against the client's budget, and what the month that is running may come to: a range, never one figure."""

from collections.abc import Callable, Iterator
from datetime import UTC, timedelta
from decimal import Decimal
from typing import Final

from cost_reporting.contracts import Fact, Period
from cost_reporting.costs import Forecast, NotAvailable
from cost_reporting.money import cents
from cost_reporting.report import budget, charts, gaps
from cost_reporting.report.budget import Spending
from cost_reporting.report.edition import Edition, capitalised
from cost_reporting.report.figures import EN_DASH

WIDTH: Final = 600.0
ROW: Final = 34.0
_BAR: Final = 13.0
_LINES: Final = 5


class Bullet(Fact):
    """A month in the chart: a bar of what is billed, the range that is likely, its middle, and the budget."""

    label: str
    label_y: float
    billed: str
    band: str
    likely: str
    budget: str


class BulletTick(Fact):
    """A labelled place on the axis below."""

    at: float
    label: str


class Bullets(Fact):
    """What the chart's macro draws. Lengths are in the units of its view box."""

    alt: str
    width: float
    height: float
    zero: float
    rows: tuple[Bullet, ...]
    ticks: tuple[BulletTick, ...]
    has_band: bool
    has_budget: bool


class Line(Fact):
    """A month in the table."""

    month: str
    billed: str
    low: str
    likely: str
    high: str
    used: str
    left: str


class BudgetAndForecast(Fact):
    """What there is of both; ``gap`` says why there is no forecast, if one was asked for."""

    title: str
    finding: str
    gap: str | None
    currency: str
    chart: Bullets | None
    lines: tuple[Line, ...]
    has_forecast: bool
    budget: str | None


def view(edition: Edition) -> BudgetAndForecast | None:
    """The section, if there is a budget or a forecast was asked for; a weekly report says it without the table."""
    forecast, spent, expected = edition.costs.forecast, budget.spending(edition), budget.expected(edition)
    if spent is None and forecast is None:
        return None
    known = forecast if isinstance(forecast, Forecast) else None
    finding = edition.language.together(*_sentences(edition, spent, known, expected))
    return BudgetAndForecast(
        title=_title(edition, spent or expected),
        finding=finding,
        gap=_gap(edition, forecast),
        currency=edition.currency,
        chart=_chart(edition, spent, known, expected, finding),
        lines=tuple(_lines(edition, spent, known, expected)) if edition.costs.cadence == "monthly" else (),
        has_forecast=known is not None,
        budget=edition.figures.amount(against.budget) if (against := spent or expected) else None,
    )


def _title(edition: Edition, against: Spending | None) -> str:
    if against is None:
        return edition.say("Forecast")
    return edition.say("Budget") if edition.costs.forecast is None else edition.say("Budget and forecast")


def _gap(edition: Edition, forecast: Forecast | NotAvailable | None) -> str | None:
    if not isinstance(forecast, NotAvailable):
        return None
    return edition.say("Forecast: not available, {reason}.", reason=gaps.reason(edition, "forecast", forecast))


def _sentences(
    edition: Edition, spent: Spending | None, forecast: Forecast | None, expected: Spending | None
) -> Iterator[str]:
    if spent is not None:
        yield _of_budget(edition, spent)
        if edition.costs.cadence != "monthly" and spent.until < edition.issued:
            yield edition.say("Costs are known until {day}.", day=edition.figures.day(spent.until - timedelta(days=1)))
    if forecast is not None:
        yield _of_forecast(edition, forecast)
        yield from _known_until(edition, forecast)
    if expected is not None and expected.over > 0:
        yield edition.say(
            "At the most likely amount, that is {over} over the budget.", over=_money(edition, expected.over)
        )
    elif expected is not None and not edition.is_incomplete:
        yield edition.say(
            "At the most likely amount, {left} of the budget is left.", left=_money(edition, -expected.over)
        )


def _of_budget(edition: Edition, spent: Spending) -> str:
    month, share = edition.figures.period(spent.month), edition.figures.percent(spent.ratio)
    whole = _money(edition, spent.budget)
    if edition.is_incomplete and spent.over > 0:
        return edition.say(
            "{month} is at least {over} over its budget of {budget}; the total is incomplete.",
            month=month,
            over=_money(edition, spent.over),
            budget=whole,
        )
    if edition.is_incomplete:
        return edition.say(
            "{month} used at least {spent} of its budget of {budget}; the total is incomplete.",
            month=month,
            spent=_money(edition, spent.spent),
            budget=whole,
        )
    if spent.over > 0:
        return edition.say(
            "{month} used {share} of its budget of {budget}: {over} too much.",
            month=month,
            share=share,
            budget=whole,
            over=_money(edition, spent.over),
        )
    return edition.say(
        "{month} used {share} of its budget of {budget}: {left} was left.",
        month=month,
        share=share,
        budget=whole,
        left=_money(edition, -spent.over),
    )


def _known_until(edition: Edition, forecast: Forecast) -> Iterator[str]:
    """That the last days before the costs were fetched are forecast as well, if they are: they are not billed yet."""
    if forecast.until < edition.costs.fetched_at.astimezone(UTC).date():
        yield edition.say(
            "The costs of {month} are known up to {day}; AWS's forecast stands for the days after it.",
            month=edition.figures.period(forecast.month),
            day=edition.figures.short_day(forecast.until - timedelta(days=1)),
        )


def _of_forecast(edition: Edition, forecast: Forecast) -> str:
    month = edition.figures.period(forecast.month)
    lowest, highest = forecast.bounds
    low, likely, high = (_money(edition, amount) for amount in (lowest, forecast.mean, highest))
    if edition.covered_by_credits and not cents(highest):
        return edition.say("AWS expects credits to cover all of {month} as well.", month=month)
    if low == high:
        return edition.say("AWS expects {month} to come to {likely}.", month=month, likely=likely)
    if len(edition.costs.accounts_read) > 1:
        return edition.say(
            "AWS expects {month} to come to between {low} and {high}, most likely {likely}: its expectations of the "
            "accounts, added up.",
            month=month,
            low=low,
            high=high,
            likely=likely,
        )
    return edition.say(
        "AWS expects {month} to come to between {low} and {high}, most likely {likely}; four months out of five end "
        "within such a range.",
        month=month,
        low=low,
        high=high,
        likely=likely,
    )


def _money(edition: Edition, amount: Decimal) -> str:
    return edition.figures.money(amount, edition.currency)


def _lines(
    edition: Edition, spent: Spending | None, forecast: Forecast | None, expected: Spending | None
) -> Iterator[Line]:
    figures = edition.figures
    if spent is not None and (forecast is None or spent.month != forecast.month):
        yield Line(
            month=capitalised(figures.period(spent.month)),
            billed=figures.amount(spent.spent),
            low=EN_DASH,
            likely=EN_DASH,
            high=EN_DASH,
            used=EN_DASH if edition.is_incomplete else figures.percent(spent.ratio),
            left=EN_DASH if edition.is_incomplete else figures.amount(-spent.over),
        )
    if forecast is not None and any(cents(each) for each in (forecast.so_far, *forecast.bounds)):
        yield Line(
            month=edition.say("{month} (forecast)", month=capitalised(figures.period(forecast.month))),
            billed=figures.amount(forecast.so_far) if forecast.until > forecast.month.start else EN_DASH,
            low=EN_DASH if forecast.low is None else figures.amount(forecast.low),
            likely=figures.amount(forecast.mean),
            high=EN_DASH if forecast.high is None else figures.amount(forecast.high),
            used="" if expected is None else EN_DASH if edition.is_incomplete else figures.percent(expected.ratio),
            left="" if expected is None else EN_DASH if edition.is_incomplete else figures.amount(-expected.over),
        )


def _chart(
    edition: Edition, spent: Spending | None, forecast: Forecast | None, expected: Spending | None, finding: str
) -> Bullets | None:
    months: list[tuple[Period, Decimal, Forecast | None]] = []
    if spent is not None and (forecast is None or spent.month != forecast.month):
        months.append((spent.month, spent.spent, None))
    if forecast is not None:
        months.append((forecast.month, forecast.so_far, forecast))
    limit = against.budget if (against := spent or expected) else None
    amounts = [billed for _, billed, _ in months] + ([*forecast.bounds] if forecast else [])
    if limit is not None:
        amounts.append(limit)
    if not any(cents(amount) for amount in amounts):
        return None
    axis = charts.scale(amounts, lines=_LINES)

    def x(amount: Decimal) -> float:
        return round(WIDTH - axis.y(amount, WIDTH), 2)

    return Bullets(
        alt=edition.say("Bar chart of the budget and of what is expected. {finding}", finding=finding),
        width=WIDTH,
        height=ROW * len(months),
        zero=x(Decimal(0)),
        rows=tuple(
            _bullet(capitalised(edition.figures.period(month)), at * ROW, x, billed, expected, limit)
            for at, (month, billed, expected) in enumerate(months)
        ),
        ticks=tuple(BulletTick(at=x(tick), label=edition.figures.axis(tick, axis.ticks)) for tick in axis.ticks),
        has_band=forecast is not None and forecast.low is not None,
        has_budget=limit is not None,
    )


def _bullet(
    label: str,
    top: float,
    x: Callable[[Decimal], float],
    billed: Decimal,
    expected: Forecast | None,
    limit: Decimal | None,
) -> Bullet:
    """The bar is thinner than the range behind it, so that both are seen."""
    bar = top + ROW - _BAR
    zero, end = x(Decimal(0)), x(billed)
    band = likely = mark = ""
    if expected is not None:
        low, middle, high = (x(amount) for amount in (expected.bounds[0], expected.mean, expected.bounds[1]))
        band = f"M{low} {bar}H{high}v{_BAR}H{low}z" if high > low else ""
        likely = f"M{middle} {bar}v{_BAR}"
    if limit is not None:
        mark = f"M{x(limit)} {bar - 3}v{_BAR + 6}"
    return Bullet(
        label=label,
        label_y=bar - 5,
        billed=f"M{zero} {bar + 3}H{end}v{_BAR - 6}H{zero}z" if end != zero else "",
        band=band,
        likely=likely,
        budget=mark,
    )
