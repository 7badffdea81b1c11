"""The sentences of the report: what happened, why, and how far the figures can be trusted.

They never say more than the figures do: a rise from nothing has no percentage, a zero says what made it zero, and a
young account has no earlier period rather than a rise without end. Each is one message with named places (see
``language``). ``when``, ``then`` and ``before`` in them are phrases of time that fit these places in every language.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from babel.numbers import get_currency_precision

from cost_reporting.clients import Metric
from cost_reporting.money import cents
from cost_reporting.periods import final_from, length
from cost_reporting.report.edition import Edition, Mover, one_line
from cost_reporting.report.figures import EN_DASH, change_ratio
from cost_reporting.report.gaps import gaps, unread
from cost_reporting.report.language import to_say
from cost_reporting.report.revision import since_preliminary

REASONS: Final = 3
TRUST_TITLE: Final = to_say("How far to trust the figures")

METRIC_WORDS: Final[dict[Metric, str]] = {
    "unblended": to_say(
        "AWS's unblended cost: each charge on the day on which it was billed, at the rate that the account itself was "
        "charged."
    ),
    "amortized": to_say(
        "AWS's amortised cost: the fees of reservations and Savings Plans are spread over the days that they cover."
    ),
    "net_unblended": to_say(
        "AWS's net unblended cost: each charge on the day on which it was billed, after the discounts agreed with AWS."
    ),
    "net_amortized": to_say(
        "AWS's net amortised cost: the fees of reservations and Savings Plans are spread over the days that they "
        "cover, after the discounts agreed with AWS."
    ),
}


def headline(edition: Edition) -> str:
    """The sentence that opens the report."""
    when, spent = during(edition), _money(edition, edition.total)
    if edition.covered_by_credits:
        return _covered(edition, when)
    if not edition.total:
        if edition.basis in {"whole", "partial"}:
            return edition.say(
                "AWS charged nothing {when}, after {amount} {then}.",
                when=when,
                amount=_money(edition, edition.previous_total),
                then=during_previous(edition),
            )
        return edition.say("AWS charged nothing {when}.", when=when)
    if cents(edition.total) < 0:
        return edition.say(
            "You have a net credit of {credit} {when}: credits and refunds were larger than the charges.",
            credit=_money(edition, -edition.total),
            when=when,
        )
    return _spent(edition, spent, when)


def during(edition: Edition) -> str:
    """``in October 2026``, ``in the week of 12 to 18 October 2026``: when the period was, to stand in a sentence."""
    if edition.costs.cadence == "monthly":
        return edition.say("in {month}", month=edition.period_words)
    return edition.say("in the week of {days}", days=edition.period_words)


def during_previous(edition: Edition) -> str:
    """``in September``, ``in the week before``: when the previous period was, to stand in a sentence."""
    match edition.previous_kind:
        case "monthly":
            return edition.say("in {month}", month=edition.previous_words)
        case "weekly":
            return edition.say("in the week before")
        case _:
            return edition.say("in the days before")


def _covered(edition: Edition, when: str) -> str:
    usage = _money(edition, edition.usage)
    credit, refund = (cents(edition.by_group.get(group, Decimal(0))) < 0 for group in ("credit", "refund"))
    if credit and refund:
        message = to_say("Your usage {when} was {usage}; credits and refunds covered all of\u00a0it.")
    elif credit:
        message = to_say("Your usage {when} was {usage}; credits covered all of\u00a0it.")
    else:
        message = to_say("Your usage {when} was {usage}; refunds covered all of\u00a0it.")
    return edition.say(message, when=when, usage=usage)


def _spent(edition: Edition, amount: str, when: str) -> str:
    then = during_previous(edition)
    match edition.basis:
        case "none":
            return edition.say(
                "You spent {amount} {when}; there is no earlier period to compare with.", amount=amount, when=when
            )
        case "zero" if edition.previous_covered_by_credits:
            message = to_say("You spent {amount} {when}; {then}, credits covered all of the usage.")
        case "zero" if not edition.previous_total:
            message = to_say("You spent {amount} {when}, after nothing {then}.")
        case "zero":
            return edition.say(
                "You spent {amount} {when}, after {previous} {then}.",
                amount=amount,
                when=when,
                previous=_money(edition, edition.previous_total),
                then=then,
            )
        case "credit":
            return edition.say(
                "You spent {amount} {when}, after a net credit of {credit} {then}.",
                amount=amount,
                when=when,
                credit=_money(edition, -edition.previous_total),
                then=then,
            )
        case "partial" if edition.first_cost and (rate := _rate_change(edition)) is not None:
            return edition.say(
                to_say("You spent {amount} {when}, {percent} more per day than {then}, when costs began on {day}.")
                if rate > 0
                else to_say(
                    "You spent {amount} {when}, {percent} less per day than {then}, when costs began on {day}."
                ),
                amount=amount,
                when=when,
                percent=edition.figures.percent(abs(rate)),
                then=then,
                day=edition.figures.day(edition.first_cost),
            )
        case _:
            return _up_or_down(edition, amount, when)
    return edition.say(message, amount=amount, when=when, then=then)


def _up_or_down(edition: Edition, amount: str, when: str) -> str:
    difference = cents(edition.total) - cents(edition.previous_total)
    if not difference:
        return edition.say(
            "You spent {amount} {when}, the same as {then}.", amount=amount, when=when, then=during_previous(edition)
        )
    ratio = change_ratio(edition.total, edition.previous_total) or Decimal(0)  # it has one: neither is a credit here
    return edition.say(
        to_say("You spent {amount} {when}, up {percent} ({difference}) on {before}.")
        if difference > 0
        else to_say("You spent {amount} {when}, down {percent} ({difference}) on {before}."),
        amount=amount,
        when=when,
        percent=edition.figures.percent(abs(ratio)),
        difference=_money(edition, abs(difference)),
        before=edition.previous_words,
    )


def rate_change(edition: Edition) -> str | None:
    """The change of the daily rate in percent, where the periods differ in length; else None."""
    ratio = _rate_change(edition)
    return None if ratio is None else edition.figures.percent(ratio, sign=True)


def rates(edition: Edition) -> str | None:
    """The daily rates behind that change: ``10.00 against 9.50``; None where they do not differ when printed."""
    now, before = edition.figures.amount(edition.per_day), edition.figures.amount(edition.previous_per_day)
    return edition.say("{now} against {before}", now=now, before=before) if now != before else None


def like_for_like(edition: Edition) -> str | None:
    """The change of the daily rate, where the periods differ in length; None where they do not or nothing compares."""
    percent = rate_change(edition)
    if percent is None:
        return None
    compared = rates(edition)
    if compared is None:
        return edition.say("{percent} per day, like for like", percent=percent)
    return edition.say("{percent} per day: {rates}", percent=percent, rates=compared)


def _rate_change(edition: Edition) -> Decimal | None:
    unequal = edition.basis == "partial" or (edition.basis == "whole" and edition.lengths_differ)
    return edition.per_day / edition.previous_per_day - 1 if unequal and cents(edition.total) > 0 else None


def subject_change(edition: Edition) -> str:
    """The change for the subject of a mail: ``+12 %``, ``+22 % per day``, ``new``; nothing where it has no meaning."""
    if edition.covered_by_credits or not edition.comparable:
        return ""
    rate = rate_change(edition)
    if edition.basis == "partial" and rate is not None:
        return edition.say("{percent} per day", percent=rate)
    change = edition.figures.change(edition.total, edition.previous_total)
    return "" if change in {edition.figures.not_available, EN_DASH} else change


def reasons_title(edition: Edition) -> str:
    """What the reasons explain."""
    if edition.covered_by_credits:
        return edition.say("What the credits covered")
    return edition.say("Why it changed") if edition.comparable else edition.say("What it was spent on")


def reasons(edition: Edition) -> tuple[str, ...]:
    """The three largest movers in words; of a first period, its three largest services."""
    if edition.covered_by_credits:
        used = sorted(edition.usage_by_service.items(), key=lambda item: (-item[1], item[0]))[:REASONS]
        return tuple(
            edition.say("{service}: usage of {amount}.", service=one_line(name), amount=_money(edition, amount))
            for name, amount in used
            if cents(amount) > 0
        )
    if edition.comparable:
        if not edition.movers:
            return (edition.say("No service changed by as much as a cent."),) if edition.by_service else ()
        return tuple(_mover_words(edition, mover) for mover in edition.movers[:REASONS])
    largest = sorted(edition.by_service.items(), key=lambda item: (-abs(item[1]), item[0]))[:REASONS]
    return tuple(_cost_words(edition, one_line(name), amount) for name, amount in largest if cents(amount))


def _cost_words(edition: Edition, service: str, amount: Decimal) -> str:
    cost = _money(edition, amount)
    if cents(edition.total) > 0 and amount > 0:
        share = edition.figures.share(amount, edition.total)
        return edition.say("{service} cost {amount}, {share} of the total.", service=service, amount=cost, share=share)
    return edition.say("{service} cost {amount}.", service=service, amount=cost)


def _mover_words(edition: Edition, mover: Mover) -> str:
    service = one_line(mover.service)
    if not mover.before:
        if mover.now > 0:
            return edition.say("{service} is new: {amount}.", service=service, amount=_money(edition, mover.now))
        return edition.say(
            "{service} is new: a credit of {credit}.", service=service, credit=_money(edition, -mover.now)
        )
    if not mover.now:
        message = (
            to_say("{service} brought a credit of {amount} {then}, and none now.")
            if mover.before < 0
            else to_say("{service} cost {amount} {then}, and nothing now.")
        )
        amount, then = _money(edition, abs(mover.before)), during_previous(edition)
        return edition.say(message, service=service, amount=amount, then=then)
    return _changed_words(edition, mover, service)


def _changed_words(edition: Edition, mover: Mover, service: str) -> str:
    change = cents(mover.now) - cents(mover.before) or mover.change
    ratio = change_ratio(mover.now, mover.before) if edition.basis != "partial" else None
    rose, difference = change > 0, _money(edition, abs(change))
    now, before = _money(edition, abs(mover.now)), _money(edition, abs(mover.before))
    if mover.before < 0 and mover.now < 0:
        message = (
            to_say("{service} rose by {difference} from a credit of {before} to a credit of {now}.")
            if rose
            else to_say("{service} fell by {difference} from a credit of {before} to a credit of {now}.")
        )
        return edition.say(message, service=service, difference=difference, before=before, now=now)
    if mover.before < 0:
        return edition.say(
            "{service} rose by {difference} from a credit of {before} to {now}.",
            service=service,
            difference=difference,
            before=before,
            now=now,
        )
    if mover.now < 0:
        return edition.say(
            "{service} fell by {difference} to a credit of {now}.", service=service, difference=difference, now=now
        )
    if ratio is None:
        message = (
            to_say("{service} rose by {difference} to {now}.")
            if rose
            else to_say("{service} fell by {difference} to {now}.")
        )
        return edition.say(message, service=service, difference=difference, now=now)
    return edition.say(
        to_say("{service} rose by {difference} ({percent}) to {now}.")
        if rose
        else to_say("{service} fell by {difference} ({percent}) to {now}."),
        service=service,
        difference=difference,
        percent=edition.figures.percent(ratio, sign=True),
        now=now,
    )


def caveats(edition: Edition) -> tuple[str, ...]:
    """What is estimated, partial or missing, each with its mark. Never empty: an honest "nothing" is a statement."""
    figures, found = edition.figures, []
    if not edition.is_final:
        found.append(
            edition.say(
                "Preliminary: AWS has not closed this bill. Usage, credits, tax and support may still change; final "
                "figures are available from {day}.",
                day=figures.day(final_from(edition.period)),
            )
        )
    estimated = sorted(day for day in edition.estimated_days if edition.period.start <= day < edition.period.end)
    if estimated:
        found.append(
            edition.say(
                "e\u00a0estimated: AWS may still change {some} of {all} days ({which}).",
                some=figures.count(len(estimated)),
                all=figures.count(length(edition.period)),
                which=day_ranges(edition, estimated),
            )
        )
    if edition.basis == "partial" and edition.first_cost is not None:
        found.append(
            edition.say(
                "p\u00a0partial: costs began on {day}, so there is no whole period to compare with, and only rates per "
                "day compare.",
                day=figures.day(edition.first_cost),
            )
        )
    if edition.missing_days:
        found.append(
            edition.say(
                "Cost Explorer returned no figures for {which}; they are not in the total.",
                which=day_ranges(edition, edition.missing_days),
            )
        )
    found += [*unread(edition), *gaps(edition)]
    since = since_preliminary(edition)
    return (*([since] if since else []), *(found or [edition.say("Nothing is estimated, and nothing is missing.")]))


def day_ranges(edition: Edition, dates: Sequence[date]) -> str:
    """``3 Oct, 29 Oct to 31 Oct``."""
    runs: list[list[date]] = []
    for day in sorted(dates):
        if runs and day - runs[-1][-1] == timedelta(days=1):
            runs[-1].append(day)
        else:
            runs.append([day])
    figures = edition.figures
    return edition.language.listed(
        figures.short_day(run[0])
        if len(run) == 1
        else figures.from_to(figures.short_day(run[0]), figures.short_day(run[-1]))
        for run in runs
    )


def equivalent(edition: Edition) -> str | None:
    """The total in the client's own currency, with rate, date and source; None if it is billed in it, or zero."""
    rate = edition.client.exchange_rate
    if rate is None or edition.client.currency == edition.currency or not cents(edition.total):
        return None
    figures, currency = edition.figures, edition.client.currency
    converted = (edition.total * rate.rate).quantize(
        Decimal(1).scaleb(-get_currency_precision(currency)), rounding="ROUND_HALF_UP"
    )
    return edition.say(
        "{amount} at {rate} for 1 {billed} on {day} ({source})",
        amount=figures.of_currency(figures.plain(converted), currency),
        rate=figures.of_currency(figures.rate(rate.rate), currency),
        billed=edition.currency,
        day=figures.day(rate.as_of),
        source=one_line(rate.source),
    )


def _money(edition: Edition, amount: Decimal) -> str:
    return edition.figures.money(amount, edition.currency)
