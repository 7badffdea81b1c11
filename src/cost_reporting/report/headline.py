"""The sentences that open the report, and the change that the mail's subject names.

They never say more than the figures do: a rise from nothing has no percentage, a zero says what made it zero, and a
total that credits or refunds moved is judged by usage. ``when``, ``then`` and ``before`` are phrases of time that fit
these places in every language.
"""

from decimal import Decimal
from typing import Final, NamedTuple

from cost_reporting.domain.causes import Share
from cost_reporting.money import cents
from cost_reporting.record_types import Group
from cost_reporting.report.causes import label
from cost_reporting.report.edition import Edition
from cost_reporting.report.figures import change_ratio
from cost_reporting.report.language import to_say
from cost_reporting.report.phrases import day_ranges, during, during_previous, lacking

_NAME_LENGTH: Final = 40


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
_LARGEST: Final = to_say("Largest change: {causes}.")
_OF_RISE: Final[dict[Share | None, str]] = {
    "all": to_say("All of the rise: {causes}."),
    "most": to_say("Most of the rise: {causes}."),
    "half": to_say("About half of the rise: {causes}."),
    "together": to_say("Most of the rise, together: {causes}."),
    None: _LARGEST,
}
_OF_FALL: Final[dict[Share | None, str]] = {
    "all": to_say("All of the fall: {causes}."),
    "most": to_say("Most of the fall: {causes}."),
    "half": to_say("About half of the fall: {causes}."),
    "together": to_say("Most of the fall, together: {causes}."),
    None: _LARGEST,
}


def headline(edition: Edition) -> str:
    """The sentences that open the report: the amount and its change, what is not there, and the main cause."""
    sentences = [opening(edition)]
    if edition.days_not_there:
        sentences.append(edition.say("Not there yet: {days}.", days=day_ranges(edition, edition.days_not_there)))
    if cause := _main_cause(edition):
        sentences.append(cause)
    return edition.language.together(*sentences)


def opening(edition: Edition) -> str:
    """The amount, and what it is compared with."""
    when, spent = during(edition), _without(edition, _money(edition, edition.total))
    by_usage = edition.comparable and not edition.days_not_there
    if edition.covered_by_credits:
        return _covered(edition, when)
    if not edition.total:
        return _nothing(edition, when)
    if cents(edition.total) >= 0:
        return (_by_usage if by_usage and edition.judged_by_usage else _spent)(edition, spent, when)
    credit = edition.say(
        "You have a net credit of {credit} {when}: credits and refunds were larger than the charges.",
        credit=_without(edition, _money(edition, -edition.total)),
        when=when,
    )
    usage = _usage_alone(edition) if by_usage else None
    return edition.language.together(credit, usage) if usage else credit


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
    now, before = _offset(edition.by_group), _offset(edition.previous_by_group)
    ratio = change_ratio(edition.demand, edition.previous_demand) if _has_percent(edition.previous_demand) else None
    facts = {"amount": amount, "when": when, "usage": usage}
    if now is not None:
        facts["offset"] = _offset_words(edition, now)
        return _usage_message(edition, ratio, facts, _AFTER)
    if before is not None and cents(edition.previous_total) <= 0:
        usage_too = _usage_alone(edition)
        said = _spent(edition, amount, when)
        return edition.language.together(said, usage_too) if usage_too else said
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
    message = to_say("Usage rose {percent} to {usage}.") if ratio > 0 else to_say("Usage fell {percent} to {usage}.")
    return edition.say(message, percent=edition.figures.percent(abs(ratio)), usage=usage)


def _has_percent(before: Decimal) -> bool:
    """A percentage needs a base that means something."""
    return before >= 1


def _offset(groups: dict[Group, Decimal]) -> tuple[Decimal, Decimal] | None:
    """Credits and refunds as positive amounts; None where there are none."""
    credit = max(-cents(groups.get("credit", Decimal(0))), Decimal(0))
    refund = max(-cents(groups.get("refund", Decimal(0))), Decimal(0))
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
    named = edition.language.listed(label(edition, cause, _NAME_LENGTH) for cause in main.causes)
    message = (_OF_RISE if (edition.explanation.change or 0) > 0 else _OF_FALL)[main.share]
    return edition.say(message, causes=named)


def _spent(edition: Edition, amount: str, when: str) -> str:  # noqa: PLR0911 - one for each thing to compare with
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
        case "zero" if edition.previous_covered_by_credits and edition.had_refunds:
            message = to_say("You spent {amount} {when}; {then}, credits or refunds covered all of the usage.")
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
        case "partial" if edition.first_cost and rate_change(edition) and rates(edition) is None:
            return edition.say(
                "You spent {amount} {when}, as much per day as {then}, when costs began on {day}.",
                amount=amount,
                when=when,
                then=then,
                day=edition.figures.day(edition.first_cost),
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
    previous, like = edition.previous_total, bool(edition.days_not_there)
    difference = cents(edition.total) - cents(previous)
    ratio = change_ratio(edition.total, previous) if _has_percent(previous) else None
    before = days_before(edition) if like else edition.previous_words
    facts = {"amount": amount, "when": when, "difference": _money(edition, abs(difference))}
    if not difference:
        if like:
            return edition.say(
                "You spent {amount} {when}, the same as on {before}.", amount=amount, when=when, before=before
            )
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


def subject_change(edition: Edition) -> str:
    """The change for the mail's subject: ``+12 %``, ``+22 % per day``, ``usage +7.3 %``; nothing without a meaning."""
    if edition.covered_by_credits or not edition.comparable or edition.days_not_there:
        return ""
    if edition.judged_by_usage or _is_once_a_month(edition):
        percent = _percent(edition, edition.demand, edition.previous_demand)
        return edition.say("usage {percent}", percent=percent) if percent else ""
    rate = rate_change(edition)
    if rate is not None:
        return edition.say("{percent} per day", percent=rate)
    return _percent(edition, edition.total, edition.previous_total)


def _is_once_a_month(edition: Edition) -> bool:
    """Whether charges of the 1st made a week's change, so that its percentage would say nothing of the week."""
    main = edition.headline_cause
    return main is not None and any(cause.kind == "once_a_month" for cause in main.causes)


def _percent(edition: Edition, now: Decimal, before: Decimal) -> str:
    ratio = change_ratio(now, before) if _has_percent(before) else None
    return "" if ratio is None else edition.figures.percent(ratio, sign=True)


def rate_change(edition: Edition) -> str | None:
    """The change of the daily rate in percent, where the costs began in the previous period; else None."""
    ratio = _rate_change(edition)
    return None if ratio is None else edition.figures.percent(ratio, sign=True)


def rates(edition: Edition) -> str | None:
    """The daily rates behind that change: ``10.00 against 9.50``; None where they do not differ when printed."""
    now, before = edition.figures.amount(edition.per_day), edition.figures.amount(edition.previous_per_day)
    return edition.say("{now} against {before}", now=now, before=before) if now != before else None


def like_for_like(edition: Edition) -> str | None:
    """The change of usage by the day, where the periods differ in length; None where they do not or nothing compares.

    Fees, tax and credits are left out: they are billed by the month, and spread over its days they would be a rate that
    no day has.
    """
    if edition.basis != "whole" or not edition.lengths_differ or edition.days_not_there or not edition.comparable:
        return None
    if not _has_percent(edition.previous_demand) or cents(edition.demand) <= 0:
        return None
    now, before = (edition.figures.amount(each) for each in (edition.usage_per_day, edition.previous_usage_per_day))
    if now == before:
        return edition.say("usage per day unchanged")
    return edition.say(
        "usage per day {percent}: {now} against {before}",
        percent=edition.figures.percent(edition.usage_per_day / edition.previous_usage_per_day - 1, sign=True),
        now=now,
        before=before,
    )


def _rate_change(edition: Edition) -> Decimal | None:
    if edition.basis != "partial" or edition.days_not_there or not edition.comparable or cents(edition.total) <= 0:
        return None
    return edition.per_day / edition.previous_per_day - 1


def _money(edition: Edition, amount: Decimal) -> str:
    return edition.figures.money(amount, edition.currency)
