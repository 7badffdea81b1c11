"""The steps in their order: each takes its part out of what the next one works on."""

from datetime import date
from decimal import Decimal
from typing import Final

from cost_reporting.contracts import Period
from cost_reporting.costs import TOLERANCE, CostDocument, by_service, holds, period_total
from cost_reporting.domain.causes import calendar, choice, fees, incidents, services
from cost_reporting.domain.causes.bill import NETTED, ZERO, Bill, bill_of
from cost_reporting.domain.causes.facts import Basis, Cause, Explanation
from cost_reporting.domain.causes.left import Left
from cost_reporting.money import cents, total
from cost_reporting.periods import days

_TRAILING: Final = 2
"""Days at the end that Cost Explorer may not have filled yet."""


def explain(costs: CostDocument) -> Explanation:
    """Why the costs of the period differ from those of the one before, or why that cannot be said.

    The causes add up to the change to the cent. Pure: the same document makes the same explanation.
    """
    unknown = _nothing_to_explain(costs)
    if unknown is not None:
        return Explanation(basis=unknown, change=None)
    bill = bill_of(costs)
    if _credits_paid_for_all(bill):
        change = cents(bill.now.charges) - cents(bill.before.charges)
        causes = choice.chosen(bill, fees.together(_beside_credits(bill)), change)
        return Explanation(basis="usage", change=change, causes=causes)
    change = cents(period_total(costs, costs.period)) - cents(period_total(costs, costs.previous))
    every = [*fees.offsets(bill), *_beside_credits(bill)]
    return Explanation(basis="change", change=change, causes=choice.chosen(bill, fees.together(every), change))


def _beside_credits(bill: Bill) -> list[Cause]:
    left = Left.of(bill)
    beside = list(fees.fees(bill, left))
    beside += fees.discounts(bill, left)
    found = incidents.events(bill)
    beside += incidents.incidents(bill, left, found)
    turnover = services.turnover(bill, left)
    begun = services.begun(bill, left, but=turnover.services)
    of_plans, in_calendar = fees.plans(bill)
    apart = turnover.services | begun.amounts.keys()
    by_days = calendar.calendar(bill, left, found, in_calendar, but=apart)
    rest = services.rest(bill, left, {**by_days.by_service, **begun.amounts}, but=turnover.services)
    return [*beside, *turnover.causes, *begun.causes, *of_plans, *by_days.causes, *rest]


def _credits_paid_for_all(bill: Bill) -> bool:
    """Whether both totals are 0.00 since credits or refunds paid for everything: then the usage is what changed."""
    return all(not cents(side.sum()) and cents(side.sum(*NETTED)) < 0 for side in bill.sides)


def _nothing_to_explain(costs: CostDocument) -> Basis | None:
    """Why the two periods cannot be compared, or None if they can."""
    if costs.not_comparable is None and _is_first(costs):
        return "first"
    known = {day.day for day in costs.days}
    if (
        costs.not_comparable is not None
        or any(day not in known for day in days(costs.previous))
        or any(holds(costs.previous, day) for day in costs.days_not_filled)
        or _views_differ(costs, costs.previous)
    ):
        return "previous_not_known"
    missing = {day for day in days(costs.period) if day not in known}
    if missing - set(costs.days_not_filled):
        return "not_known"
    if missing or any(holds(costs.period, day) for day in costs.days_not_filled):
        return "not_there_yet"
    if _views_differ(costs, costs.period):
        return "not_known"
    return "not_there_yet" if _ends_empty(costs) else None


def _is_first(costs: CostDocument) -> bool:
    """Whether there are no costs before this period, as far as the document looks back and knows all of it."""
    known = {day.day: day for day in costs.days}
    older = (span for span in costs.spans if span.period.end <= costs.period.start)
    return (
        not costs.months_not_known
        and all(day in known and not known[day].lines for day in days(costs.previous))
        and not any(span.lines for span in older)
    )


def _views_differ(costs: CostDocument, period: Period) -> bool:
    """Whether the days and the record types of ``period`` differ by more than a cent, in a service or in all."""
    by_days = by_service(costs, period)
    by_record: dict[str, Decimal] = {}
    for span in costs.spans:
        if period.start <= span.period.start and span.period.end <= period.end:
            for line in span.lines:
                by_record[line.service] = by_record.get(line.service, ZERO) + line.amounts.by(costs.metric)
    differences = [
        by_days.get(name, ZERO) - by_record.get(name, ZERO) for name in sorted(by_days.keys() | by_record.keys())
    ]
    return any(abs(each) > TOLERANCE for each in (*differences, total(differences)))


def _ends_empty(costs: CostDocument) -> bool:
    """Whether the last day or two have no lines yet, of an account that has lines on every other day.

    Cost Explorer lists such a day as estimated, without groups; it is not a day without costs. In a week the one before
    must have lines on each day as well.
    """
    by_day = {day.day: day for day in costs.days}
    every: list[date] = list(days(costs.period))
    filled = [day for day in every if by_day[day].lines]
    empty = every[len(filled) :]
    looked_at = [*(days(costs.previous) if costs.cadence == "weekly" else ()), *every[: len(filled)]]
    return (
        0 < len(empty) <= _TRAILING
        and all(by_day[day].estimated for day in empty)
        and all(by_day[day].lines for day in looked_at)
    )
