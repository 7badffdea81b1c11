"""The sentences of the report: why it changed, and how far the figures can be trusted.

They never say more than the figures do: a young account has no earlier period rather than a rise without end, and where
nothing can be compared the sentence says why. Each is one message with named places (see ``language``).
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from babel.numbers import get_currency_precision

from cost_reporting.clients import Metric
from cost_reporting.costs import Split
from cost_reporting.domain.causes import Part
from cost_reporting.money import cents
from cost_reporting.periods import final_from, length
from cost_reporting.report import headline
from cost_reporting.report.causes import Reason, fees, reasons_of_a_mail
from cost_reporting.report.causes import reasons as causes_of
from cost_reporting.report.edition import BILLED, Edition, one_line
from cost_reporting.report.gaps import gaps, part_name, unread
from cost_reporting.report.language import to_say
from cost_reporting.report.phrases import day_ranges, during, during_previous
from cost_reporting.report.revision import since_last_report, since_preliminary

REASONS: Final = 3
_CHANGED: Final = to_say("Why it changed, in {currency}")
_OF_ACCOUNTS_READ: Final = to_say("Why it changed, of the accounts read, in {currency}")
_USAGE_ROSE: Final = to_say("Credits paid for everything. Why usage rose, in {currency}")
_USAGE_FELL: Final = to_say("Credits paid for everything. Why usage fell, in {currency}")
_REFUNDED_ROSE: Final = to_say("Credits or refunds paid for everything. Why usage rose, in {currency}")
_REFUNDED_FELL: Final = to_say("Credits or refunds paid for everything. Why usage fell, in {currency}")
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


def reasons_title(edition: Edition) -> str:
    """What the reasons explain."""
    explained, change = edition.explanation, edition.explanation.change or 0
    if explained.basis == "usage" and not change:
        covered = edition.say("What the credits covered")
        return edition.say("What credits or refunds covered") if edition.has_refunds else covered
    if explained.basis == "usage":
        refunds = edition.has_refunds or edition.had_refunds
        rose, fell = (_REFUNDED_ROSE, _REFUNDED_FELL) if refunds else (_USAGE_ROSE, _USAGE_FELL)
        message = rose if change > 0 else fell
    elif explained.basis == "change":
        message = _OF_ACCOUNTS_READ if edition.costs.accounts_not_read else _CHANGED
    else:
        known = explained.basis in {"not_there_yet", "not_known"}
        return edition.say("What is known so far") if known else edition.say("What it was spent on")
    return edition.say(message, currency=edition.currency)


def reasons(edition: Edition, *, brief: bool = False) -> tuple[Reason, ...]:
    """The causes with their amounts, or what is said where there is no list of them; ``brief`` is for a mail."""
    return (reasons_of_a_mail if brief else causes_of)(edition) or tuple(_instead(edition))


def _instead(edition: Edition) -> Iterator[Reason]:
    """What is said where there is no list of causes: why there is none, and what is known all the same."""
    match edition.explanation.basis:
        case "change" if edition.by_service:
            yield Reason(sentence=edition.say("Nothing changed enough to be named."))
        case "usage":
            yield from _largest(edition)
        case "first":
            yield from (*_largest(edition), *_first_facts(edition))
        case "previous_not_known":
            then = during_previous(edition)
            said = edition.say("The figures {then} are not known in full, so nothing is compared.", then=then)
            yield from (Reason(sentence=said), *_largest(edition))
        case "not_known":
            when = during(edition)
            said = edition.say("The figures {when} are not known in full, so nothing is explained.", when=when)
            yield Reason(sentence=said)
        case "not_there_yet":
            yield from _so_far(edition)


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
    billed = (("support", edition.by_group.get("support")), ("tax", edition.by_group.get("tax")))
    parts = tuple(Part(name=name, amount=cents(amount)) for name, amount in billed if amount and cents(amount))
    if parts:
        yield Reason(sentence=edition.say("Charged once a month: {parts}.", parts=fees(edition, parts)))
    began = min((day for day, amount in edition.by_day.items() if amount), default=edition.period.start)
    if began > edition.period.start:
        yield Reason(sentence=edition.say("Costs began on {day}.", day=edition.figures.day(began)))


def _so_far(edition: Edition) -> Iterator[Reason]:
    """The average of the days that are there, against the same days before."""
    there = edition.days_there
    if there is None or not edition.days_not_there or not edition.comparable:
        return
    now, before = edition.total / length(there), edition.previous_total / length(there)
    yield Reason(
        sentence=edition.say(
            "A day came to {average} on average, against {previous} on {before}.",
            average=_money(edition, now),
            previous=_money(edition, before),
            before=headline.days_before(edition),
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
    if edition.days_not_there:
        found.append(
            edition.say(
                "Cost Explorer returned no figures for {which}; they are not in the total.",
                which=day_ranges(edition, edition.days_not_there),
            )
        )
    found += [*unread(edition), *gaps(edition), *_not_known(edition)]
    if edition.rate_is_old and edition.client.exchange_rate is not None:
        found.append(
            edition.say(
                "No amounts in {currency}: the exchange rate is of {day}, too long before the end of the period.",
                currency=edition.client.currency,
                day=figures.day(edition.client.exchange_rate.as_of),
            )
        )
    elif edition.rate_is_of_another:
        found.append(
            edition.say(
                "No amounts in {currency}: the exchange rate is for {rated}, and AWS bills in {billed}.",
                currency=edition.client.currency,
                rated=BILLED,
                billed=edition.currency,
            )
        )
    since = [line for line in (since_preliminary(edition), since_last_report(edition)) if line]
    return (*since, *(found or [edition.say("Nothing is estimated, and nothing is missing.")]))


def _not_known(edition: Edition) -> Iterator[str]:
    """What of the time before the period is not known in full: it is missing, if nothing of the period itself is."""
    costs, known = edition.costs, edition.costs.not_comparable is None
    if not known:
        then = during_previous(edition)
        yield edition.say("The figures {then} are not known in full, so nothing is compared.", then=then)
    splits = [(name, getattr(costs, name)) for name in ("accounts", "regions")]
    splits += [(f"tags.{tag.tag_key}", tag.split) for tag in (costs.tags if isinstance(costs.tags, tuple) else ())]
    before = edition.figures.period(edition.compared)
    parts = [
        edition.say("{name} ({id})", name=part_name(edition, name), id=before)
        for name, split in splits
        if known and isinstance(split, Split) and split.previous is None and not edition.days_not_there
    ]
    parts += [edition.figures.period(month) for month in costs.months_not_known if known or month != costs.previous]
    if parts:
        yield edition.say("Not known in full: {parts}.", parts=edition.language.listed(parts))


def equivalent(edition: Edition) -> str | None:
    """The total in the client's own currency, with rate, date and source; None if it is billed in it, or zero.

    None, too, if the rate is too old for the period, or from another currency, which :func:`caveats` says.
    """
    rate = edition.client.exchange_rate
    if rate is None or edition.client.currency == edition.currency or not cents(edition.total):
        return None
    if edition.rate_is_old or edition.rate_is_of_another:
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
