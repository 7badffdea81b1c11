"""Causes beside the usage: credits, refunds, tax, support, fees, purchases, plans and the rate of agreed discounts."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from statistics import median
from typing import Final, Literal

from cost_reporting.costs import holds
from cost_reporting.domain.causes.bill import FEES, ZERO, Bill, Side
from cost_reporting.domain.causes.facts import Cause, Kind, Part
from cost_reporting.domain.causes.left import Left
from cost_reporting.money import cents, total
from cost_reporting.periods import days
from cost_reporting.record_types import charge_category_of

LUMP: Final = Decimal(1)
"""The least that is called a lump of the 1st, and below which no price and no percentage is told."""
LUMP_TIMES: Final = 5
"""A lump is more than five times what the other days cost."""
RATE_STEP: Final = Decimal("0.005")
"""Half a percentage point: a smaller change of a discount's rate stays with the usage."""

type Fee = Literal["tax", "support", "reservations", "purchase", "other"]
_FEES: Final[tuple[Fee, ...]] = ("tax", "support", "reservations", "purchase", "other")


def offsets(bill: Bill) -> Iterator[Cause]:
    """Credits and refunds, each with the part of all charges that they paid for."""
    for bucket in ("credits", "refunds"):
        now, before = bill.now.sum(bucket), bill.before.sum(bucket)
        rates = [abs(side.sum(bucket)) / side.charges if side.charges > 0 else None for side in (bill.now, bill.before)]
        told = dict(zip(("rate", "rate_before"), rates, strict=True)) if bucket == "credits" else {}
        yield _compared(bucket, now, before, **told)


def fees(bill: Bill, left: Left) -> Iterator[Cause]:
    """Tax, support, reservations, what was bought once, and other charges, one cause each.

    Of two weeks, what was billed on the 1st is one cause together; the usage billed then is taken out of ``left``.
    """
    lumps = _on_the_first(bill)
    for kind in _FEES:
        now, before = _named(bill.now, kind), _named(bill.before, kind)
        if lumps and kind in lumps.fees:
            side = now if lumps.now else before
            for name, amount in lumps.fees[kind].items():
                side[name] -= amount
        parts = _parts({name: now.get(name, ZERO) - before.get(name, ZERO) for name in sorted(now | before)})
        cause = _compared(kind, total(now.values()), total(before.values()))
        waits = not cause.now and (cause.before or 0) > 0 and _still_open(bill) and kind != "purchase"
        yield cause.model_copy(
            update={"parts": _fitting(parts, cause.amount), "kind": "not_billed_yet" if waits else kind}
        )
    if lumps:
        yield from lumps.cause(left)


def _still_open(bill: Bill) -> bool:
    """Whether a fee may still come: support is billed days after its month."""
    return bill.costs.estimated or (not bill.weekly and bill.costs.issue == "preliminary")


class _Lumps:
    """What two weeks have of charges of the 1st, by fee and of services' usage. ``now``: this week has the 1st."""

    def __init__(self, fees: Mapping[Fee, Mapping[str, Decimal]], usage: Mapping[str, Decimal], *, now: bool) -> None:
        self.fees, self.usage, self.now = fees, usage, now

    def cause(self, left: Left) -> Iterator[Cause]:
        """All of them as one, positive in the week that has them."""
        side, sign = (left.now, 1) if self.now else (left.before, -1)
        for service, amount in self.usage.items():
            side[service] -= amount
        amounts: dict[str, Decimal] = {kind: total(by_name.values()) for kind, by_name in self.fees.items()}
        parts = _parts({name: sign * amount for name, amount in (amounts | dict(self.usage)).items()})
        if parts:
            yield Cause(kind="once_a_month", amount=total(part.amount for part in parts), parts=parts)


def _on_the_first(bill: Bill) -> _Lumps | None:
    first = next((day for side in bill.sides for day in days(side.period) if day.day == 1), None)
    if first not in bill.by_record:
        return None
    fees: dict[Fee, dict[str, Decimal]] = {}
    for kind in _FEES:
        if kind in FEES:
            by_day = {day: _named(side, kind) for day, side in bill.by_record.items()}
            names = sorted({name for of_day in by_day.values() for name in of_day})
            found = {name: _fee_lump({day: of.get(name, ZERO) for day, of in by_day.items()}, first) for name in names}
            fees[kind] = {name: amount for name, amount in found.items() if amount}
    by_day = {day: side.demand for day, side in bill.by_record.items()}
    services = sorted({name for of_day in by_day.values() for name in of_day})
    usage = {name: lump({day: of.get(name, ZERO) for day, of in by_day.items()}, first) for name in services}
    return _Lumps(
        {kind: of_kind for kind, of_kind in fees.items() if of_kind},
        {name: amount for name, amount in usage.items() if amount},
        now=holds(bill.now.period, first),
    )


def _fee_lump(amounts: Mapping[date, Decimal], first: date) -> Decimal:
    """What of a fee was billed on the 1st: all of that day's, unless the fee comes every day."""
    others = [amount for day, amount in amounts.items() if day != first]
    return lump(amounts, first) if others and median(others) else amounts[first]


def lump(amounts: Mapping[date, Decimal], first: date) -> Decimal:
    """What of the usage of the 1st is billed once a month, such as hosted zones and licences; else zero.

    If the days behind it cost alike, something began on the 1st; if the days on which it cost at all do, before it.
    """
    others = [amount for day, amount in amounts.items() if day != first]
    behind = [amount for day, amount in amounts.items() if day > first]
    if first not in amounts or not others:
        return ZERO
    usual, used = median(others), [amount for amount in others if amount]
    most = max([usual, *(median(alike) for alike in (behind, used) if alike)])
    amount = amounts[first]
    return amount - usual if amount >= LUMP and amount > LUMP_TIMES * most else ZERO


def plans(bill: Bill) -> tuple[list[Cause], Decimal]:
    """What Savings Plans saved more or less at equal days, and what of it belongs to the calendar."""
    now, before = bill.now.sum("plans"), bill.before.sum("plans")
    had, has = any(bill.before.lines("plans").values()), any(bill.now.lines("plans").values())
    if had and has:
        at_equal_days = before * bill.now.length / bill.before.length
        return [_compared("plans", now, at_equal_days)], at_equal_days - before
    if not has:
        return [_compared("plans", now, before)], ZERO
    by_type = bill.now.by_type("plans")
    fee = total(amount for name, amount in by_type.items() if charge_category_of(name) != "Usage")
    parts = _parts({"SavingsPlanRecurringFee": fee, "SavingsPlanNegation": now - fee})
    amount = total(part.amount for part in parts)
    return [Cause(kind="new_plan", amount=amount, now=amount, before=cents(ZERO), parts=parts)], ZERO


def discounts(bill: Bill, left: Left) -> Iterator[Cause]:
    """The agreed discount at another rate. What is ``left`` of this period is then at the rate of the one before."""
    before, now = (_rate(side) for side in bill.sides)
    if before is None or now is None or abs(now - before) < RATE_STEP:
        return
    moved = ZERO
    for service in left.services:
        usage, old = bill.now.usage.get(service, ZERO), bill.before.usage.get(service, ZERO)
        rate = bill.before.demand[service] / old if old else 1 - before
        is_now = bill.now.demand.get(service, ZERO)
        moved += is_now - usage * rate
        left.now[service] = left.now.get(service, ZERO) - (is_now - usage * rate)
    yield Cause(kind="discounts", amount=cents(moved), rate=now, rate_before=before)


def _rate(side: Side) -> Decimal | None:
    usage = total(side.usage.values())
    return -side.sum("discounts") / usage if usage > 0 else None


def together(causes: Iterable[Cause]) -> list[Cause]:
    """Tax, support, reservations and other fees as one cause if two or more moved and none of them is large."""
    known = list(causes)
    small = [cause for cause in known if cause.kind in FEES and cause.amount]
    whole = total(abs(cause.amount) for cause in known)
    if len(small) < 2 or any(abs(cause.amount) * 5 >= whole for cause in small):
        return known
    small.sort(key=lambda cause: FEES.index(cause.kind))
    parts = tuple(Part(name=cause.kind, amount=cause.amount) for cause in small)
    rest = [cause for cause in known if cause.kind not in FEES]
    return [*rest, Cause(kind="fees", amount=total(part.amount for part in parts), parts=parts)]


def _named(side: Side, kind: Fee) -> dict[str, Decimal]:
    """By AWS's own word: other charges by record type, the rest by service."""
    return side.by_type(kind) if kind == "other" else side.by_service(kind)


def _compared(kind: Kind, now: Decimal, before: Decimal, **facts: Decimal | None) -> Cause:
    """A cause of which both amounts are printed, so that a reader who subtracts them finds the third."""
    shown, was = cents(now), cents(before)
    return Cause.model_validate({"kind": kind, "amount": shown - was, "now": shown, "before": was} | facts)


def _parts(amounts: Mapping[str, Decimal]) -> tuple[Part, ...]:
    """The largest first; what is no cent is none."""
    shown = [Part(name=name, amount=cents(amount)) for name, amount in amounts.items()]
    return tuple(sorted((part for part in shown if part.amount), key=lambda part: (-abs(part.amount), part.name)))


def _fitting(parts: tuple[Part, ...], amount: Decimal) -> tuple[Part, ...]:
    """The same parts, of which the largest takes what rounding leaves of ``amount``."""
    if not parts:
        return ()
    (largest, *others) = parts
    return (Part(name=largest.name, amount=amount - total(part.amount for part in others)), *others)
