"""The sentences of the report: what happened, why, and how far the figures can be trusted.

They never say more than the figures do: a rise from nothing has no percentage, a zero says what made it zero, and a
young account has no earlier period rather than a rise without end.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal

from babel.numbers import get_currency_precision

from cost_reporting.clients import Metric
from cost_reporting.money import cents
from cost_reporting.periods import final_from, length
from cost_reporting.report.edition import Edition, Mover, one_line
from cost_reporting.report.figures import NBSP, change_ratio

REASONS = 3

METRIC_NAMES: dict[Metric, str] = {
    "unblended": "unblended cost",
    "amortized": "amortised cost",
    "net_unblended": "net unblended cost",
    "net_amortized": "net amortised cost",
}
METRIC_WORDS: dict[Metric, str] = {
    "unblended": "each charge on the day on which it was billed, at the rate that the account itself was charged",
    "amortized": "upfront and recurring fees of reservations and Savings Plans are spread over the days that they cover",
    "net_unblended": "each charge on the day on which it was billed, after the discounts agreed with AWS",
    "net_amortized": (
        "fees of reservations and Savings Plans are spread over the days that they cover, after the discounts agreed with AWS"
    ),
}


def headline(edition: Edition) -> str:
    """The sentence that opens the report."""
    words, spent = edition.period_words, _money(edition, edition.total)
    when = f"in {words}" if edition.costs.cadence == "monthly" else f"in the week of {words}"
    if edition.covered_by_credits:
        return f"Your usage {when} was {_money(edition, edition.usage)}; {_what_covered(edition)} covered all of it."
    if not edition.total:
        return f"AWS charged nothing {when}{_after_nothing(edition)}."
    if cents(edition.total) < 0:
        credit = _money(edition, -edition.total)
        return f"You have a net credit of {credit} {when}: credits and refunds were larger than the charges."
    return f"You spent {spent} {when}{_comparison(edition)}."


def _what_covered(edition: Edition) -> str:
    names = [name for name in ("credit", "refund") if cents(edition.by_group.get(name, Decimal(0))) < 0]  # type: ignore[call-overload]
    return " and ".join(f"{name}s" for name in names)


def _after_nothing(edition: Edition) -> str:
    if edition.basis in {"whole", "partial"}:
        return f", after {_money(edition, edition.previous_total)} in {edition.previous_words}"
    return ""


def _comparison(edition: Edition) -> str:
    before = edition.previous_words
    match edition.basis:
        case "none":
            return "; there is no earlier period to compare with"
        case "zero":
            return f", after nothing in {before}" if not before.startswith("the ") else f", after nothing {before}"
        case "credit":
            return f", after a net credit of {_money(edition, -edition.previous_total)} in {before}"
        case _:
            difference = cents(edition.total) - cents(edition.previous_total)
            if not difference:
                return f", the same as in {before}"
            direction = "up" if difference > 0 else "down"
            return f", {direction} {_percent(edition)} ({_money(edition, abs(difference))}) on {before}"


def _percent(edition: Edition) -> str:
    ratio = change_ratio(edition.total, edition.previous_total)
    return edition.figures.percent(abs(ratio)) if ratio is not None else ""


def like_for_like(edition: Edition) -> str | None:
    """The change of the daily rate, where the periods differ in length; None where they do not or nothing compares."""
    if not edition.lengths_differ or edition.basis not in {"whole"}:
        return None
    ratio = edition.per_day / edition.previous_per_day - 1
    now, before = edition.figures.amount(edition.per_day), edition.figures.amount(edition.previous_per_day)
    return f"{edition.figures.percent(ratio, sign=True)} per day: {now} against {before}"


def reasons(edition: Edition) -> tuple[str, ...]:
    """The three largest movers in words; of a first period, its three largest services."""
    if edition.comparable:
        if not edition.movers:
            return ("No service changed by as much as a cent.",) if edition.by_service else ()
        return tuple(_mover_words(edition, mover) for mover in edition.movers[:REASONS])
    largest = sorted(edition.by_service.items(), key=lambda item: (-abs(item[1]), item[0]))[:REASONS]
    return tuple(
        f"{one_line(name)} cost {_money(edition, amount)}{_share_words(edition, amount)}." for name, amount in largest if cents(amount)
    )


def _share_words(edition: Edition, amount: Decimal) -> str:
    share = edition.figures.share(amount, edition.total)
    return f", {share} of the total" if cents(edition.total) > 0 and amount > 0 else ""


def _mover_words(edition: Edition, mover: Mover) -> str:
    name, change = one_line(mover.service), cents(mover.now) - cents(mover.before) or mover.change
    now = _money(edition, mover.now)
    if not cents(mover.before):
        return f"{name} is new: {now}." if mover.now > 0 else f"{name} is new: a credit of {_money(edition, -mover.now)}."
    if not cents(mover.now):
        if mover.before < 0:
            return f"{name} brought a credit of {_money(edition, -mover.before)} in {edition.previous_words}, and none now."
        return f"{name} cost {_money(edition, mover.before)} in {edition.previous_words}, and nothing now."
    ratio = change_ratio(mover.now, mover.before)
    percent = f" ({edition.figures.percent(ratio, sign=True)})" if ratio is not None else ""
    verb = "rose" if change > 0 else "fell"
    return f"{name} {verb} by {_money(edition, abs(change))}{percent} to {now}."


def caveats(edition: Edition) -> tuple[str, ...]:
    """What is estimated, partial or missing, each with its mark; never empty: an honest "nothing" is a statement too."""
    figures, found = edition.figures, []
    if not edition.is_final:
        found.append(
            f"Preliminary: AWS has not closed this bill. Usage, credits, tax and support may still change; "
            f"final figures are available from {figures.day(final_from(edition.period))}."
        )
    estimated = sorted(day for day in edition.estimated_days if edition.period.start <= day < edition.period.end)
    if estimated:
        found.append(
            f"e{NBSP}estimated: AWS may still change {figures.count(len(estimated))} of {figures.count(length(edition.period))} "
            f"days ({day_ranges(edition, estimated)})."
        )
    if edition.basis == "partial" and edition.first_cost is not None:
        found.append(
            f"p{NBSP}partial: costs began on {figures.day(edition.first_cost)}, so {edition.previous_words} is not a whole "
            "period and the change is not like for like."
        )
    if edition.missing_days:
        found.append(f"Cost Explorer returned no figures for {day_ranges(edition, edition.missing_days)}; they are not in the total.")
    return tuple(found) or ("Nothing is estimated, and nothing is missing.",)


def day_ranges(edition: Edition, dates: Sequence[date]) -> str:
    """``3 Oct, 29 Oct to 31 Oct``."""
    runs: list[list[date]] = []
    for day in sorted(dates):
        if runs and day - runs[-1][-1] == timedelta(days=1):
            runs[-1].append(day)
        else:
            runs.append([day])
    short = edition.figures.short_day
    return ", ".join(short(run[0]) if len(run) == 1 else f"{short(run[0])} to {short(run[-1])}" for run in runs)


def equivalent(edition: Edition) -> str | None:
    """The total in the client's own currency, with rate, date and source; None if it is billed in it."""
    rate = edition.client.exchange_rate
    if rate is None or edition.client.currency == edition.currency:
        return None
    figures, currency = edition.figures, edition.client.currency
    converted = (edition.total * rate.rate).quantize(Decimal(1).scaleb(-get_currency_precision(currency)), rounding="ROUND_HALF_UP")
    return (
        f"{currency}{NBSP}{figures.plain(converted)} at {figures.rate(rate.rate)} {currency} for 1 {edition.currency} "
        f"on {figures.day(rate.as_of)} ({one_line(rate.source)})"
    )


def joined(parts: Iterable[str]) -> str:
    """Sentences in one paragraph."""
    return " ".join(parts)


def _money(edition: Edition, amount: Decimal) -> str:
    return edition.figures.money(amount, edition.currency)
