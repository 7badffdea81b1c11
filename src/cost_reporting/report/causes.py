"""Why it changed, in words: each cause of ``domain.causes`` is one whole sentence beside its amount.

The sign stands with the amount; the words beside it say rose or fell. No sentence says what AWS does not tell: there
is no "because", no percentage of a base that means nothing, and "new" only where the history is known.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from cost_reporting.contracts import Fact
from cost_reporting.costs import Anomaly
from cost_reporting.domain.causes import Cause, Kind, Part
from cost_reporting.money import cents, total
from cost_reporting.report import charts, unusual
from cost_reporting.report.edition import Edition, one_line
from cost_reporting.report.figures import MINUS
from cost_reporting.report.language import to_say
from cost_reporting.report.phrases import during_previous

_FEW: Final = 3
OF_A_MAIL: Final = 3
"""Causes that a mail names; the others are a sum there."""
_OTHER: Final = to_say("other charges")
_FEES: Final = {
    "tax": to_say("tax"),
    "support": to_say("AWS Support"),
    "recurring": to_say("reservation fees"),
    "rifee": to_say("reservation fees"),
    "reservations": to_say("reservation fees"),
    "other": _OTHER,
}
"""What a reader calls a kind of fee, by its kind and by Cost Explorer's record type."""
_LABELS: Final[dict[Kind, str]] = {
    "calendar": to_say("number of days"),
    "once_a_month": to_say("charges once a month"),
    "refunds": to_say("refunds"),
    "credits": to_say("credits"),
    "discounts": to_say("agreed discount"),
    "tax": _FEES["tax"],
    "support": _FEES["support"],
    "reservations": _FEES["reservations"],
    "other": _FEES["other"],
    "fees": to_say("tax, support and other fees"),
    "purchase": to_say("bought once"),
    "plans": to_say("Savings Plans"),
    "new_plan": to_say("a new Savings Plan"),
    "costs_began": to_say("costs that began within the period before"),
    "else": to_say("everything else"),
}

_INCIDENTS: Final[dict[bool | None, str]] = {
    True: to_say("one incident, which is over ({what})"),
    False: to_say("one incident, which goes on ({what})"),
    None: to_say("one incident ({what})"),
}


class Reason(Fact):
    """A line of the reasons: a cause with its amount and sign, or a sentence without one."""

    sentence: str
    amount: str = ""
    is_sum: bool = False


def reasons(edition: Edition) -> tuple[Reason, ...]:
    """Every cause in the order in which it is printed, and their sum, which is the change."""
    causes = edition.explanation.causes
    if not causes:
        return ()
    lines = (Reason(sentence=sentence(edition, each), amount=_change(edition, each.amount)) for each in causes)
    return (*lines, _sum(edition))


def reasons_of_a_mail(edition: Edition) -> tuple[Reason, ...]:
    """The first causes, the sum of the others in one line, and the sum of all."""
    causes = edition.explanation.causes
    if len(causes) <= OF_A_MAIL + 1:
        return reasons(edition)
    others = causes[OF_A_MAIL:]
    rest = Reason(
        sentence=edition.say_n("{n} other change.", "{n} other changes.", len(others)),
        amount=_change(edition, total(each.amount for each in others)),
    )
    named = (
        Reason(sentence=sentence(edition, each), amount=_change(edition, each.amount)) for each in causes[:OF_A_MAIL]
    )
    return (*named, rest, _sum(edition))


def _sum(edition: Edition) -> Reason:
    explained = edition.explanation
    name = edition.say("Usage, in all") if explained.basis == "usage" else edition.say("Change in all")
    return Reason(sentence=name, amount=_change(edition, explained.change or Decimal(0)), is_sum=True)


def _change(edition: Edition, amount: Decimal) -> str:
    return edition.figures.difference(amount)


def label(edition: Edition, cause: Cause, room: int | None = None) -> str:
    """What the cause is called beside a bar, and in the headline, with AWS's names cut to ``room`` letters."""

    def short(name: str) -> str:
        return name if room is None else charts.shortened(name, room)

    match cause.kind:
        case "incident" | "incident_before":
            what = short(_service_of(edition, cause))
            if cause.kind == "incident_before":
                return edition.say(
                    "an incident {then}, which is over ({what})", then=during_previous(edition), what=what
                )
            return edition.say(_INCIDENTS[cause.over], what=what)
        case "not_billed_yet":
            return edition.say("{fee}, not billed yet", fee=short(_fee(edition, cause)))
        case "other":
            return short(_fee(edition, cause))
        case kind:
            return edition.say(_LABELS[kind]) if kind in _LABELS else short(one_line(cause.service or ""))


def sentence(edition: Edition, cause: Cause) -> str:
    """The cause as a whole sentence."""
    return _SENTENCES[cause.kind](edition, cause)


def fees(edition: Edition, parts: tuple[Part, ...], sign: int = 1) -> str:
    """``tax 15,819.06, reservation fees 3,024.00``."""
    return edition.language.listed(
        edition.say("{name} {amount}", name=_named(edition, part.name), amount=_amount(edition, sign * part.amount))
        for part in parts
    )


# -- incidents ---------------------------------------------------------------------------------------------------------


def _incident(edition: Edition, cause: Cause) -> str:
    found = cause.anomaly
    if found is None:
        return edition.say("Incident: {what}.", what=_service_of(edition, cause))
    facts = {"what": _what(edition, found), "when": unusual.when(edition, found), "state": _state(edition, cause)}
    if cause.now is not None and cause.before:
        said = edition.say(
            "Incident: {what}, {when}, {state}; {now} of it in this period, {before} in the one before.",
            now=_amount(edition, cause.now),
            before=_amount(edition, cause.before),
            **facts,
        )
    elif unusual.reaches_out(edition, found):
        said = edition.say("Incident: {what}, {when}, {state}; the amount is its part in this period.", **facts)
    else:
        said = edition.say("Incident: {what}, {when}, {state}.", **facts)
    return _about(edition, said)


def _incident_before(edition: Edition, cause: Cause) -> str:
    found, then = cause.anomaly, during_previous(edition)
    if found is None:
        what = _service_of(edition, cause)
        return edition.say("Incident {then}, not in this period: {what}.", then=then, what=what)
    return _about(
        edition,
        edition.say(
            "Incident {then}, not in this period: {what}, {when}.",
            then=then,
            what=_what(edition, found),
            when=unusual.when(edition, found),
        ),
    )


def _about(edition: Edition, said: str) -> str:
    return edition.language.together(said, unusual.approximate(edition)) if unusual.is_approximate(edition) else said


def _state(edition: Edition, cause: Cause) -> str:
    if cause.over is None:
        return edition.say("whether it goes on is not known")
    return edition.say("over") if cause.over else edition.say("still going on")


def _what(edition: Edition, anomaly: Anomaly) -> str:
    """``EC2 - Other (SAE1-NatGateway-Bytes, catalogue-dev, sa-east-1)``."""
    service = unusual.service(edition, anomaly)
    details = [each for each in (anomaly.usage_type, _account(edition, anomaly), anomaly.region) if each]
    if not details:
        return service
    listed = edition.language.listed(one_line(each) for each in details)
    return edition.say("{name} ({id})", name=service, id=listed)


def _account(edition: Edition, anomaly: Anomaly) -> str | None:
    known = edition.account_names
    return known.get(anomaly.account_id, anomaly.account_id) if anomaly.account_id else None


def _service_of(edition: Edition, cause: Cause) -> str:
    if cause.anomaly is not None:
        return unusual.service(edition, cause.anomaly)
    return one_line(cause.service) if cause.service else edition.say("several services")


# -- the calendar, and what is charged once a month --------------------------------------------------------------------


def _calendar(edition: Edition, cause: Cause) -> str:
    more, working = cause.days or 0, cause.working_days
    if not more:
        return _working_days(edition, working or 0)
    if working is None:
        return (
            edition.say_n(
                "{n} day more, at the daily rate of the month before, without monthly fees.",
                "{n} days more, at the daily rate of the month before, without monthly fees.",
                more,
            )
            if more > 0
            else edition.say_n(
                "{n} day fewer, at the daily rate of the month before, without monthly fees.",
                "{n} days fewer, at the daily rate of the month before, without monthly fees.",
                -more,
            )
        )
    if working == 0:
        return (
            edition.say_n(
                "{n} day more, on a weekend, at the daily rate of the month before, without monthly fees.",
                "{n} days more, on weekends, at the daily rate of the month before, without monthly fees.",
                more,
            )
            if more > 0
            else edition.say_n(
                "{n} day fewer, on a weekend, at the daily rate of the month before, without monthly fees.",
                "{n} days fewer, on weekends, at the daily rate of the month before, without monthly fees.",
                -more,
            )
        )
    return (
        edition.say_n(
            "{n} day more (working days: {working}), at the daily rate of the month before, without monthly fees.",
            "{n} days more (working days: {working}), at the daily rate of the month before, without monthly fees.",
            more,
            working=_signed(edition, working),
        )
        if more > 0
        else edition.say_n(
            "{n} day fewer (working days: {working}), at the daily rate of the month before, without monthly fees.",
            "{n} days fewer (working days: {working}), at the daily rate of the month before, without monthly fees.",
            -more,
            working=_signed(edition, -abs(working)),
        )
    )


def _working_days(edition: Edition, more: int) -> str:
    if more > 0:
        return edition.say_n("{n} working day more, as many days.", "{n} working days more, as many days.", more)
    if more < 0:
        return edition.say_n("{n} working day fewer, as many days.", "{n} working days fewer, as many days.", -more)
    return edition.say("Other weekdays, as many days.")


def _once_a_month(edition: Edition, cause: Cause) -> str:
    if not cause.parts:
        return (
            edition.say("Charged once a month, on the 1st, in this week.")
            if cause.amount >= 0
            else edition.say("Charged once a month, on the 1st, in the week before.")
        )
    if cause.amount >= 0:
        return edition.say("Charged once a month, on the 1st, in this week: {parts}.", parts=fees(edition, cause.parts))
    return edition.say(
        "Charged once a month, on the 1st, in the week before: {parts}.", parts=fees(edition, cause.parts, -1)
    )


def _not_billed_yet(edition: Edition, cause: Cause) -> str:
    before = cause.before if cause.before is not None else -cause.amount
    return edition.say(
        "Not billed yet: {fee}; {then} it was {before}.",
        fee=_fee(edition, cause),
        then=during_previous(edition),
        before=_amount(edition, before),
    )


# -- credits, refunds, discounts, fees ---------------------------------------------------------------------------------


def _refunds(edition: Edition, cause: Cause) -> str:
    now, before = _both(cause)
    facts = {"now": _amount(edition, -now), "before": _amount(edition, -before), "then": during_previous(edition)}
    if not before:
        return edition.say("A refund of {now}; none {then}.", **_without(facts, "before"))
    if not now:
        return edition.say("No refund now; {then} there was one of {before}.", **_without(facts, "now"))
    return edition.say("Refunds: {now}, after {before} {then}.", **facts)


def _credits(edition: Edition, cause: Cause) -> str:
    now, before = _both(cause)
    facts = {"now": _amount(edition, -now), "before": _amount(edition, -before), "then": during_previous(edition)}
    if cause.rate is not None and cause.rate_before is not None and now and before:
        percent, percent_before = (edition.figures.percent(abs(each)) for each in (cause.rate, cause.rate_before))
        if percent == percent_before:
            return edition.say(
                "Credits paid the same part of the usage ({percent}), so also of its change.", percent=percent
            )
    if not before:
        return edition.say("Credits of {now}; none {then}.", **_without(facts, "before"))
    if not now:
        return edition.say("No credits any more; {then} they were {before}.", **_without(facts, "now"))
    if abs(now) < abs(before):
        return edition.say("Fewer credits: {now}, after {before} {then}.", **facts)
    return edition.say("More credits: {now}, after {before} {then}.", **facts)


def _discounts(edition: Edition, cause: Cause) -> str:
    if cause.rate is None or cause.rate_before is None:
        return edition.say("Agreed discount.")
    now, before = (edition.figures.percent(abs(each)) for each in (cause.rate, cause.rate_before))
    return edition.say(
        "Agreed discount: {now} of usage, after {before} {then}.", now=now, before=before, then=during_previous(edition)
    )


def _fee_changed(edition: Edition, cause: Cause) -> str:
    now, before = _both(cause)
    facts = {
        "fee": _capital(_fee(edition, cause)),
        "now": _amount(edition, now),
        "before": _amount(edition, before),
        "then": during_previous(edition),
    }
    if not before:
        return edition.say("{fee}: {now}; nothing {then}.", **_without(facts, "before"))
    if not now:
        return edition.say("{fee}: nothing now; {before} {then}.", **_without(facts, "now"))
    return edition.say("{fee}: {now}, after {before} {then}.", **facts)


def _fees_together(edition: Edition, cause: Cause) -> str:
    if not cause.parts:
        return edition.say("Tax, support and other fees.")
    parts = edition.language.listed(
        edition.say("{name} {amount}", name=_named(edition, part.name), amount=_change(edition, part.amount))
        for part in cause.parts
    )
    return edition.say("Tax, support and other fees: {parts}.", parts=parts)


def _purchase(edition: Edition, cause: Cause) -> str:
    now, before = _both(cause)
    facts = {"now": _amount(edition, now), "before": _amount(edition, before), "then": during_previous(edition)}
    if not before:
        return edition.say("Bought once: {now}; nothing {then}.", **_without(facts, "before"))
    if not now:
        return edition.say("Nothing bought once; {then} it was {before}.", **_without(facts, "now"))
    return edition.say("Bought once: {now}, after {before} {then}.", **facts)


def _plans(edition: Edition, cause: Cause) -> str:
    if cause.now is None or cause.before is None:
        return edition.say("Savings Plans, at equal days.")
    return edition.say(
        "Savings Plans saved {now}, after {before} {then}, at equal days.",
        now=_amount(edition, -cause.now),
        before=_amount(edition, -cause.before),
        then=during_previous(edition),
    )


def _new_plan(edition: Edition, cause: Cause) -> str:
    if not (fee := total(part.amount for part in cause.parts if part.name.endswith("Fee"))):
        return edition.say("A new Savings Plan: its fee, and what it covers at on-demand prices.")
    return edition.say(
        "A new Savings Plan: fee {fee}, less what it covers at on-demand prices.", fee=_amount(edition, fee)
    )


# -- services ----------------------------------------------------------------------------------------------------------


def _reserved(edition: Edition, cause: Cause) -> str:
    return edition.say(
        "{service}: the same hours, now paid by reservations: {parts}.",
        service=_service_of(edition, cause),
        parts=edition.language.listed(
            edition.say("{name} {amount}", name=_named(edition, part.name), amount=_change(edition, part.amount))
            for part in cause.parts
        ),
    )


def _new(edition: Edition, cause: Cause) -> str:
    service = _service_of(edition, cause)
    if edition.costs.cadence != "monthly":  # there is no history of a week that would tell
        return edition.say("{service}: nothing {then}.", service=service, then=during_previous(edition))
    return edition.say("{service} is new.", service=service)


def _again(edition: Edition, cause: Cause) -> str:
    service = _service_of(edition, cause)
    if cause.month is None:
        return edition.say("{service}: nothing {then}.", service=service, then=during_previous(edition))
    return edition.say(
        "{service} is in use again (last in {month}).",
        service=service,
        month=edition.figures.month(cause.month, year=True),
    )


def _ended(edition: Edition, cause: Cause) -> str:
    before = cause.before if cause.before is not None else -cause.amount
    return edition.say(
        "{service}: {before} {then}, nothing now.",
        service=_service_of(edition, cause),
        before=_amount(edition, before),
        then=during_previous(edition),
    )


def _begun(edition: Edition, cause: Cause) -> str:
    service = _service_of(edition, cause)
    if cause.day is None:
        return edition.say("{service} began within the period before.", service=service)
    return edition.say(
        "{service} began on {day}, so this is its first whole period.",
        service=service,
        day=edition.figures.day(cause.day),
    )


def _costs_began(edition: Edition, cause: Cause) -> str:
    if cause.day is None:
        return edition.say("Costs began within the period before.")
    return edition.say("Costs began on {day}, so this is the first whole period.", day=edition.figures.day(cause.day))


def _service(edition: Edition, cause: Cause) -> str:
    service, rose = _service_of(edition, cause), cause.amount > 0
    if cause.day is not None and not rose:
        return edition.say(
            to_say("{service} otherwise fell; nothing after {day}.")
            if cause.otherwise
            else to_say("{service} fell; nothing after {day}."),
            service=service,
            day=edition.figures.short_day(cause.day),
        )
    if cause.otherwise:
        message = to_say("{service} otherwise rose.") if rose else to_say("{service} otherwise fell.")
    else:
        message = to_say("{service} rose.") if rose else to_say("{service} fell.")
    return edition.say(message, service=service)


def _else(edition: Edition, cause: Cause) -> str:
    if cause.up is not None and cause.down is not None:
        facts = {"up": _amount(edition, abs(cause.up)), "down": _amount(edition, abs(cause.down))}
        if not cause.services:
            return edition.say("Everything else: {up} up, {down} down.", **facts)
        return edition.say_n(
            "Everything else ({n} service): {up} up, {down} down.",
            "Everything else ({n} services): {up} up, {down} down.",
            cause.services,
            **facts,
        )
    if not cause.services:
        return edition.say("Everything else.")
    return edition.say_n("Everything else ({n} service).", "Everything else ({n} services).", cause.services)


_SENTENCES: Final[dict[Kind, Callable[[Edition, Cause], str]]] = {
    "incident": _incident,
    "incident_before": _incident_before,
    "calendar": _calendar,
    "once_a_month": _once_a_month,
    "not_billed_yet": _not_billed_yet,
    "refunds": _refunds,
    "credits": _credits,
    "discounts": _discounts,
    "tax": _fee_changed,
    "support": _fee_changed,
    "reservations": _fee_changed,
    "other": _fee_changed,
    "fees": _fees_together,
    "purchase": _purchase,
    "plans": _plans,
    "new_plan": _new_plan,
    "reserved": _reserved,
    "new": _new,
    "again": _again,
    "ended": _ended,
    "begun": _begun,
    "costs_began": _costs_began,
    "service": _service,
    "else": _else,
}


def _fee(edition: Edition, cause: Cause) -> str:
    """The name of a fee: its kind's, or for other charges AWS's own word."""
    if cause.kind in {"tax", "support", "reservations"}:
        return _named(edition, cause.kind)
    if 0 < len(cause.parts) <= _FEW:
        return edition.language.listed(_named(edition, part.name) for part in cause.parts)
    return edition.say("monthly charges") if cause.kind == "not_billed_yet" else edition.say(_OTHER)


def _named(edition: Edition, name: str) -> str:
    known = _FEES.get(name.casefold())
    return edition.say(known) if known else one_line(name)


def _both(cause: Cause) -> tuple[Decimal, Decimal]:
    return cents(cause.now or Decimal(0)), cents(cause.before or Decimal(0))


def _without(facts: dict[str, str], name: str) -> dict[str, str]:
    return {key: value for key, value in facts.items() if key != name}


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _amount(edition: Edition, amount: Decimal) -> str:
    return edition.figures.amount(amount)


def _signed(edition: Edition, count: int) -> str:
    return f"{'+' if count > 0 else MINUS if count < 0 else ''}{edition.figures.count(abs(count))}"
