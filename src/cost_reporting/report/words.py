"""The sentences of the report: what happened, why, and how far the figures can be trusted.

They never say more than the figures do: a rise from nothing has no percentage, a zero says what made it zero, and a
young account has no earlier period rather than a rise without end. Each is one message with named places (see
``language``). ``when``, ``then`` and ``before`` in them are phrases of time that fit these places in every language.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final, NamedTuple

from babel.numbers import get_currency_precision

from cost_reporting.clients import Metric
from cost_reporting.costs import Group
from cost_reporting.domain.causes import Part, Share
from cost_reporting.money import cents
from cost_reporting.periods import final_from, length
from cost_reporting.report.causes import Reason, fees, label, reasons_of_a_mail
from cost_reporting.report.causes import reasons as causes_of
from cost_reporting.report.edition import Edition, one_line
from cost_reporting.report.figures import EN_DASH, change_ratio
from cost_reporting.report.gaps import gaps, unread
from cost_reporting.report.language import to_say
from cost_reporting.report.phrases import day_ranges, during, during_previous, lacking
from cost_reporting.report.revision import since_last_report, since_preliminary

REASONS: Final = 3


class _Messages(NamedTuple):
    """A sentence about what was paid and what became of the usage, by the latter."""

    rose: str
    fell: str
    same: str
    unknown: str


_AFTER: Final = _Messages(
    rose=to_say("You paid {amount} {when} after {offset}; usage rose {percent} to {usage}."),
    fell=to_say("You paid {amount} {when} after {offset}; usage fell {percent} to {usage}."),
    same=to_say("You paid {amount} {when} after {offset}; usage stayed at {usage}."),
    unknown=to_say("You paid {amount} {when} after {offset}; usage was {usage}."),
)
_NO_LONGER: Final = _Messages(
    rose=to_say("You paid {amount} {when}, against {previous} {then} after {offset}; usage rose {percent} to {usage}."),
    fell=to_say("You paid {amount} {when}, against {previous} {then} after {offset}; usage fell {percent} to {usage}."),
    same=to_say("You paid {amount} {when}, against {previous} {then} after {offset}; usage stayed at {usage}."),
    unknown=to_say("You paid {amount} {when}, against {previous} {then} after {offset}; usage was {usage}."),
)
_OF_RISE: Final[dict[Share | None, str]] = {
    "all": to_say("All of the rise: {causes}."),
    "most": to_say("Most of the rise: {causes}."),
    "half": to_say("About half of the rise: {causes}."),
    "together": to_say("Most of the rise, together: {causes}."),
    None: to_say("Largest cause of the rise: {causes}."),
}
_OF_FALL: Final[dict[Share | None, str]] = {
    "all": to_say("All of the fall: {causes}."),
    "most": to_say("Most of the fall: {causes}."),
    "half": to_say("About half of the fall: {causes}."),
    "together": to_say("Most of the fall, together: {causes}."),
    None: to_say("Largest cause of the fall: {causes}."),
}
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
    """The sentences that open the report: the amount and its change, what is not there, and the main cause."""
    sentences = [_opening(edition)]
    if edition.days_not_there:
        sentences.append(edition.say("Not there yet: {days}.", days=day_ranges(edition, edition.days_not_there)))
    if cause := _main_cause(edition):
        sentences.append(cause)
    return edition.language.together(*sentences)


def _opening(edition: Edition) -> str:
    when, spent = during(edition), _spent_amount(edition)
    if edition.covered_by_credits:
        return _covered(edition, when)
    if not edition.total:
        return _nothing(edition, when)
    if cents(edition.total) < 0:
        credit = edition.say(
            "You have a net credit of {credit} {when}: credits and refunds were larger than the charges.",
            credit=_without(edition, _money(edition, -edition.total)),
            when=when,
        )
        usage = _usage_alone(edition) if edition.comparable and not edition.days_not_there else None
        return edition.language.together(credit, usage) if usage else credit
    if edition.comparable and not edition.days_not_there and edition.judged_by_usage:
        return _by_usage(edition, spent, when)
    return _spent(edition, spent, when)


def _nothing(edition: Edition, when: str) -> str:
    if edition.is_incomplete:
        return edition.say("AWS charged nothing {when} for what could be read.", when=when)
    if edition.comparable and edition.basis in {"whole", "partial"}:
        return edition.say(
            "AWS charged nothing {when}, after {amount} {then}.",
            when=when,
            amount=_money(edition, edition.previous_total),
            then=during_previous(edition),
        )
    return edition.say("AWS charged nothing {when}.", when=when)


def _spent_amount(edition: Edition) -> str:
    return _without(edition, _money(edition, edition.total))


def _without(edition: Edition, amount: str) -> str:
    """An amount of an incomplete total, with what it lacks; days at the end of the period are told beside it."""
    if not edition.costs.accounts_not_read and edition.days_there is not None:
        return amount
    return edition.say("{amount} (incomplete: without {what})", amount=amount, what=lacking(edition))


def _covered(edition: Edition, when: str) -> str:
    usage = _without(edition, _money(edition, edition.usage))
    credit, refund = (cents(edition.by_group.get(group, Decimal(0))) < 0 for group in ("credit", "refund"))
    if credit and refund:
        message = to_say("Your usage {when} was {usage}; credits and refunds covered all of\u00a0it.")
    elif credit:
        message = to_say("Your usage {when} was {usage}; credits covered all of\u00a0it.")
    else:
        message = to_say("Your usage {when} was {usage}; refunds covered all of\u00a0it.")
    return edition.say(message, when=when, usage=usage)


def _by_usage(edition: Edition, amount: str, when: str) -> str:
    """Credits or refunds moved the total: what was paid, and what became of the usage."""
    then, usage = during_previous(edition), _money(edition, edition.demand)
    now, before = _offset(edition, edition.by_group), _offset(edition, edition.previous_by_group)
    ratio = change_ratio(edition.demand, edition.previous_demand) if _has_percent(edition.previous_demand) else None
    facts = {"amount": amount, "when": when, "usage": usage}
    if now is not None:
        facts["offset"] = _offset_words(edition, now)
        return _usage_message(edition, ratio, facts, _AFTER)
    if before is not None:
        previous = _money(edition, edition.previous_total)
        facts |= {"offset": _offset_words(edition, before), "then": then, "previous": previous}
        return _usage_message(edition, ratio, facts, _NO_LONGER)
    return _spent(edition, amount, when)


def _usage_message(edition: Edition, ratio: Decimal | None, facts: dict[str, str], of: _Messages) -> str:
    if ratio is None:
        return edition.say(of.unknown, **facts)
    percent = edition.figures.percent(abs(ratio))
    if not ratio:
        return edition.say(of.same, **facts)
    return edition.say(of.rose if ratio > 0 else of.fell, percent=percent, **facts)


def _usage_alone(edition: Edition) -> str | None:
    """What became of the usage, as a sentence of its own; None where there is nothing to say."""
    usage = _money(edition, edition.demand)
    if not cents(edition.demand) or not _has_percent(edition.previous_demand):
        return None
    ratio = change_ratio(edition.demand, edition.previous_demand)
    if not ratio:
        return edition.say("Usage stayed at {usage}.", usage=usage) if ratio is not None else None
    message = (
        to_say("Usage rose {percent} to {usage}.") if ratio > 0 else to_say("Usage fell {percent} to {usage}.")
    )
    return edition.say(message, percent=edition.figures.percent(abs(ratio)), usage=usage)


def _has_percent(before: Decimal) -> bool:
    """A percentage needs a base that means something."""
    return before >= 1


def _offset(edition: Edition, groups: dict[Group, Decimal]) -> tuple[Decimal, Decimal] | None:
    """Credits and refunds as positive amounts; None where there are none."""
    credit, refund = (max(-cents(groups.get(group, Decimal(0))), Decimal(0)) for group in ("credit", "refund"))
    return (credit, refund) if credit or refund else None


def _offset_words(edition: Edition, offset: tuple[Decimal, Decimal]) -> str:
    credit, refund = offset
    if credit and refund:
        return edition.say("credits and refunds of {amount}", amount=_money(edition, credit + refund))
    if credit:
        return edition.say("credits of {amount}", amount=_money(edition, credit))
    return edition.say("a refund of {amount}", amount=_money(edition, refund))


def _main_cause(edition: Edition) -> str | None:
    """The causes that make most of the change; None where none does, or where the usage has been told instead."""
    main = edition.headline_cause
    if main is None or edition.judged_by_usage or cents(edition.total) <= 0 or edition.explanation.basis != "change":
        return None
    named = edition.language.listed(label(edition, cause) for cause in main.causes)
    message = (_OF_RISE if (edition.explanation.change or 0) > 0 else _OF_FALL)[main.share]
    return edition.say(message, causes=named)


def _spent(edition: Edition, amount: str, when: str) -> str:
    then = during_previous(edition)
    if edition.costs.not_comparable is not None:
        return edition.say(
            "You spent {amount} {when}; nothing is compared, since the figures {then} are not known in full.",
            amount=amount,
            when=when,
            then=then,
        )
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
    """The change; where the last days are not there yet, against as many days of the period before."""
    previous, like = edition.compared_total, bool(edition.days_not_there)
    difference = cents(edition.total) - cents(previous)
    ratio = change_ratio(edition.total, previous) if _has_percent(previous) else None
    before = days_before(edition) if like else edition.previous_words
    facts = {"amount": amount, "when": when, "difference": _money(edition, abs(difference))}
    if not difference:
        if like:
            return edition.say("You spent {amount} {when}, the same as on {before}.", amount=amount, when=when, before=before)
        return edition.say(
            "You spent {amount} {when}, the same as {then}.", amount=amount, when=when, then=during_previous(edition)
        )
    if ratio is None:
        return edition.say(
            to_say("You spent {amount} {when}, {difference} more than the {previous} of {before}.")
            if difference > 0
            else to_say("You spent {amount} {when}, {difference} less than the {previous} of {before}."),
            previous=_money(edition, previous),
            before=before,
            **facts,
        )
    return edition.say(
        to_say("You spent {amount} {when}, up {percent} ({difference}) on {before}.")
        if difference > 0
        else to_say("You spent {amount} {when}, down {percent} ({difference}) on {before}."),
        percent=edition.figures.percent(abs(ratio)),
        before=before,
        **facts,
    )


def days_before(edition: Edition) -> str:
    """``the same days of September``: what is compared with where the last days are not there yet."""
    if edition.previous_kind == "monthly":
        return edition.say("the same days of {month}", month=edition.previous_words)
    return edition.say("the same days of the week before")


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
    if edition.days_not_there or not edition.comparable:
        return None
    unequal = edition.basis == "partial" or (edition.basis == "whole" and edition.lengths_differ)
    return edition.per_day / edition.previous_per_day - 1 if unequal and cents(edition.total) > 0 else None


def subject_change(edition: Edition) -> str:
    """The change for the subject of a mail: ``+12 %``, ``+22 % per day``, ``usage +7.3 %``; nothing without a meaning."""
    if edition.covered_by_credits or not edition.comparable or edition.days_not_there:
        return ""
    if edition.judged_by_usage:
        if not _has_percent(edition.previous_demand) or change_ratio(edition.demand, edition.previous_demand) is None:
            return ""
        return edition.say("usage {percent}", percent=edition.figures.change(edition.demand, edition.previous_demand))
    rate = rate_change(edition)
    if edition.basis == "partial" and rate is not None:
        return edition.say("{percent} per day", percent=rate)
    if not _has_percent(edition.previous_total) or change_ratio(edition.total, edition.previous_total) is None:
        return ""
    return edition.figures.change(edition.total, edition.previous_total)


def reasons_title(edition: Edition) -> str:
    """What the reasons explain."""
    explained = edition.explanation
    match explained.basis:
        case "usage" if not explained.change:
            return edition.say("What the credits covered")
        case "usage":
            return (
                edition.say("Credits paid for everything. Why usage rose, in {currency}", currency=edition.currency)
                if explained.change > 0
                else edition.say("Credits paid for everything. Why usage fell, in {currency}", currency=edition.currency)
            )
        case "change" if edition.costs.accounts_not_read:
            return edition.say("Why it changed, of the accounts read, in {currency}", currency=edition.currency)
        case "change":
            return edition.say("Why it changed, in {currency}", currency=edition.currency)
        case "not_there_yet" | "not_known":
            return edition.say("What is known so far")
        case _:
            return edition.say("What it was spent on")


def reasons(edition: Edition, *, brief: bool = False) -> tuple[Reason, ...]:
    """The causes with their amounts, or what is said where there is no list of them; ``brief`` is for a mail."""
    listed = (reasons_of_a_mail if brief else causes_of)(edition)
    if listed:
        return listed
    match edition.explanation.basis:
        case "usage":
            return tuple(_largest(edition))
        case "change":
            return (Reason(sentence=edition.say("Nothing changed enough to be named.")),) if edition.by_service else ()
        case "not_there_yet":
            return tuple(_so_far(edition))
        case "previous_not_known":
            said = edition.say("The figures {then} are not known in full, so nothing is compared.", then=during_previous(edition))
            return (Reason(sentence=said), *_largest(edition))
        case "not_known":
            said = edition.say("The figures {when} are not known in full, so nothing is explained.", when=during(edition))
            return (Reason(sentence=said),)
        case _:
            return (*_largest(edition), *_first_facts(edition))


def _largest(edition: Edition) -> Iterator[Reason]:
    """The services that were used most, before credits, fees and tax."""
    used = sorted(edition.demand_by_service.items(), key=lambda item: (-item[1], item[0]))[:REASONS]
    for name, amount in used:
        if cents(amount) > 0:
            yield Reason(
                sentence=edition.say(
                    "{service}: usage of {amount}, {share} of all usage.",
                    service=one_line(name),
                    amount=_money(edition, amount),
                    share=edition.figures.share(amount, edition.demand),
                )
            )


def _first_facts(edition: Edition) -> Iterator[Reason]:
    """Of a first period: what is charged once a month, and the day on which the costs began."""
    groups = (("support", "support"), ("tax", "tax"))
    parts = tuple(
        Part(name=name, amount=cents(edition.by_group[group]))
        for name, group in groups
        if cents(edition.by_group.get(group, Decimal(0)))
    )
    if parts:
        yield Reason(sentence=edition.say("Charged once a month: {parts}.", parts=fees(edition, parts)))
    began = min((day for day, amount in edition.by_day.items() if amount), default=edition.period.start)
    if began > edition.period.start:
        yield Reason(sentence=edition.say("Costs began on {day}.", day=edition.figures.day(began)))


def _so_far(edition: Edition) -> Iterator[Reason]:
    """The average of the days that are there, against the same days before."""
    there = edition.days_there
    if there is None or not edition.comparable:
        return
    now, before = edition.total / length(there), edition.compared_total / length(there)
    yield Reason(
        sentence=edition.say(
            "A day came to {average} on average, against {previous} on {before}.",
            average=_money(edition, now),
            previous=_money(edition, before),
            before=days_before(edition),
        )
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
    since = [line for line in (since_preliminary(edition), since_last_report(edition)) if line]
    return (*since, *(found or [edition.say("Nothing is estimated, and nothing is missing.")]))


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
