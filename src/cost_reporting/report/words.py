"""The sentences of the report: what happened, why, and how far the figures can be trusted.

They never say more than the figures do: a rise from nothing has no percentage, a zero says what made it zero, and a
young account has no earlier period rather than a rise without end.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from babel.numbers import get_currency_precision

from cost_reporting.clients import Metric
from cost_reporting.costs import Group
from cost_reporting.money import cents
from cost_reporting.periods import final_from, length
from cost_reporting.report.edition import Edition, Mover, one_line
from cost_reporting.report.figures import EN_DASH, NBSP, NOT_AVAILABLE, change_ratio

REASONS: Final = 3
TRUST_TITLE: Final = "How far to trust the figures"

METRIC_NAMES: Final[dict[Metric, str]] = {
    "unblended": "unblended cost",
    "amortized": "amortised cost",
    "net_unblended": "net unblended cost",
    "net_amortized": "net amortised cost",
}
METRIC_WORDS: Final[dict[Metric, str]] = {
    "unblended": "each charge on the day on which it was billed, at the rate that the account itself was charged",
    "amortized": "the fees of reservations and Savings Plans are spread over the days that they cover",
    "net_unblended": "each charge on the day on which it was billed, after the discounts agreed with AWS",
    "net_amortized": (
        "the fees of reservations and Savings Plans are spread over the days that they cover, after the discounts "
        "agreed with AWS"
    ),
}


def headline(edition: Edition) -> str:
    """The sentence that opens the report."""
    words, spent = edition.period_words, _money(edition, edition.total)
    when = f"in {words}" if edition.costs.cadence == "monthly" else f"in the week of {words}"
    if edition.covered_by_credits:
        return (
            f"Your usage {when} was {_money(edition, edition.usage)}; {_what_covered(edition)} covered all of{NBSP}it."
        )
    if not edition.total:
        return f"AWS charged nothing {when}{_after_nothing(edition)}."
    if cents(edition.total) < 0:
        credit = _money(edition, -edition.total)
        return f"You have a net credit of {credit} {when}: credits and refunds were larger than the charges."
    return f"You spent {spent} {when}{_comparison(edition)}."


def during_previous(edition: Edition) -> str:
    """``in September``, ``the week before``: when the previous period was."""
    before = edition.previous_words
    return before if before.startswith("the ") else f"in {before}"


def _what_covered(edition: Edition) -> str:
    offsets: tuple[Group, ...] = ("credit", "refund")
    return " and ".join(f"{group}s" for group in offsets if cents(edition.by_group.get(group, Decimal(0))) < 0)


def _after_nothing(edition: Edition) -> str:
    if edition.basis in {"whole", "partial"}:
        return f", after {_money(edition, edition.previous_total)} {during_previous(edition)}"
    return ""


def _comparison(edition: Edition) -> str:
    before = during_previous(edition)
    match edition.basis:
        case "none":
            return "; there is no earlier period to compare with"
        case "zero" if edition.previous_covered_by_credits:
            return f"; {before}, credits covered all of the usage"
        case "zero":
            little = _money(edition, edition.previous_total) if edition.previous_total else "nothing"
            return f", after {little} {before}"
        case "credit":
            return f", after a net credit of {_money(edition, -edition.previous_total)} {before}"
        case "partial" if edition.first_cost and (rate := _rate_change(edition)) is not None:
            more = "more" if rate > 0 else "less"
            began = edition.figures.day(edition.first_cost)
            return f", {edition.figures.percent(abs(rate))} {more} per day than {before}, when costs began on {began}"
        case _:
            return _up_or_down(edition)


def _up_or_down(edition: Edition) -> str:
    difference = cents(edition.total) - cents(edition.previous_total)
    if not difference:
        return f", the same as {during_previous(edition)}"
    direction = "up" if difference > 0 else "down"
    ratio = change_ratio(edition.total, edition.previous_total)
    percent = f" {edition.figures.percent(abs(ratio))}" if ratio is not None else ""
    return f", {direction}{percent} ({_money(edition, abs(difference))}) on {edition.previous_words}"


def like_for_like(edition: Edition) -> str | None:
    """The change of the daily rate, where the periods differ in length; None where they do not or nothing compares."""
    ratio = _rate_change(edition)
    if ratio is None:
        return None
    now, before = edition.figures.amount(edition.per_day), edition.figures.amount(edition.previous_per_day)
    percent = f"{edition.figures.percent(ratio, sign=True)} per day"
    return f"{percent}: {now} against {before}" if now != before else f"{percent}, like for like"


def _rate_change(edition: Edition) -> Decimal | None:
    unequal = edition.basis == "partial" or (edition.basis == "whole" and edition.lengths_differ)
    return edition.per_day / edition.previous_per_day - 1 if unequal and cents(edition.total) > 0 else None


def subject_change(edition: Edition) -> str:
    """The change for the subject of a mail: ``+12 %``, ``+22 % per day``, ``new``; nothing where it has no meaning."""
    if edition.covered_by_credits or not edition.comparable:
        return ""
    rate = _rate_change(edition)
    if edition.basis == "partial" and rate is not None:
        return f"{edition.figures.percent(rate, sign=True)} per day"
    change = edition.figures.change(edition.total, edition.previous_total)
    return "" if change in {NOT_AVAILABLE, EN_DASH} else change


def reasons_title(edition: Edition) -> str:
    """What the reasons explain."""
    if edition.covered_by_credits:
        return "What the credits covered"
    return "Why it changed" if edition.comparable else "What it was spent on"


def reasons(edition: Edition) -> tuple[str, ...]:
    """The three largest movers in words; of a first period, its three largest services."""
    if edition.covered_by_credits:
        used = sorted(edition.usage_by_service.items(), key=lambda item: (-item[1], item[0]))[:REASONS]
        return tuple(
            f"{one_line(name)}: usage of {_money(edition, amount)}." for name, amount in used if cents(amount) > 0
        )
    if edition.comparable:
        if not edition.movers:
            return ("No service changed by as much as a cent.",) if edition.by_service else ()
        return tuple(_mover_words(edition, mover) for mover in edition.movers[:REASONS])
    largest = sorted(edition.by_service.items(), key=lambda item: (-abs(item[1]), item[0]))[:REASONS]
    return tuple(
        f"{one_line(name)} cost {_money(edition, amount)}{_share_words(edition, amount)}."
        for name, amount in largest
        if cents(amount)
    )


def _share_words(edition: Edition, amount: Decimal) -> str:
    share = edition.figures.share(amount, edition.total)
    return f", {share} of the total" if cents(edition.total) > 0 and amount > 0 else ""


def _mover_words(edition: Edition, mover: Mover) -> str:
    name, change = one_line(mover.service), cents(mover.now) - cents(mover.before) or mover.change
    now = _money(edition, mover.now)
    if not mover.before:
        return (
            f"{name} is new: {now}." if mover.now > 0 else f"{name} is new: a credit of {_money(edition, -mover.now)}."
        )
    if not mover.now:
        if mover.before < 0:
            return (
                f"{name} brought a credit of {_money(edition, -mover.before)} {during_previous(edition)}, and none now."
            )
        return f"{name} cost {_money(edition, mover.before)} {during_previous(edition)}, and nothing now."
    ratio = change_ratio(mover.now, mover.before) if edition.basis != "partial" else None
    percent = f" ({edition.figures.percent(ratio, sign=True)})" if ratio is not None else ""
    verb, reached = (
        "rose" if change > 0 else "fell",
        now if mover.now > 0 else f"a credit of {_money(edition, -mover.now)}",
    )
    origin = f" from a credit of {_money(edition, -mover.before)}" if mover.before < 0 else ""
    return f"{name} {verb} by {_money(edition, abs(change))}{percent}{origin} to {reached}."


def caveats(edition: Edition) -> tuple[str, ...]:
    """What is estimated, partial or missing, each with its mark. Never empty: an honest "nothing" is a statement."""
    figures, found = edition.figures, []
    if not edition.is_final:
        found.append(
            f"Preliminary: AWS has not closed this bill. Usage, credits, tax and support may still change; "
            f"final figures are available from {figures.day(final_from(edition.period))}."
        )
    estimated = sorted(day for day in edition.estimated_days if edition.period.start <= day < edition.period.end)
    if estimated:
        some, all_days = figures.count(len(estimated)), figures.count(length(edition.period))
        which = day_ranges(edition, estimated)
        found.append(f"e{NBSP}estimated: AWS may still change {some} of {all_days} days ({which}).")
    if edition.basis == "partial" and edition.first_cost is not None:
        found.append(
            f"p{NBSP}partial: costs began on {figures.day(edition.first_cost)}, so {edition.previous_words} is not a "
            "whole period, and only rates per day compare."
        )
    if edition.missing_days:
        which = day_ranges(edition, edition.missing_days)
        found.append(f"Cost Explorer returned no figures for {which}; they are not in the total.")
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
    converted = (edition.total * rate.rate).quantize(
        Decimal(1).scaleb(-get_currency_precision(currency)), rounding="ROUND_HALF_UP"
    )
    return (
        f"{currency}{NBSP}{figures.plain(converted)} at {figures.rate(rate.rate)} {currency} for 1 {edition.currency} "
        f"on {figures.day(rate.as_of)} ({one_line(rate.source)})"
    )


def _money(edition: Edition, amount: Decimal) -> str:
    return edition.figures.money(amount, edition.currency)
