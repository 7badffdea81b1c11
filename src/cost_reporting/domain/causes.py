"""Why the costs of a period differ from those of the one before: causes that add up to the printed change.

Amounts are in the document's currency, rounded to cents half up, so that the printed causes add up to the printed
change exactly.
"""

from datetime import date
from decimal import Decimal
from typing import Literal

from cost_reporting.contracts import Amount, Fact
from cost_reporting.costs import Anomaly

Kind = Literal[
    "incident",
    "incident_before",
    "calendar",
    "once_a_month",
    "not_billed_yet",
    "refunds",
    "credits",
    "discounts",
    "tax",
    "support",
    "reservations",
    "other",
    "fees",
    "purchase",
    "plans",
    "new_plan",
    "reserved",
    "new",
    "again",
    "ended",
    "begun",
    "costs_began",
    "service",
    "else",
]
"""What changed. ``incident_before``: an incident of the previous period that is over. ``fees``: tax, support,
reservations and other fees together. ``else``: what is too small to be named."""
Basis = Literal["change", "usage", "first", "previous_not_known", "not_known", "not_there_yet"]
"""change: the causes explain the net change. usage: credits paid for everything, the causes explain the usage.
The others have no causes, and say why."""


class Part(Fact):
    """A part of a cause that is named: a kind of fee, a service, a record type in Cost Explorer's spelling."""

    name: str
    amount: Amount


class Cause(Fact):
    """One cause. ``amount`` is its part of the change, in cents; ``now`` and ``before`` where both are printed.

    ``over``: whether an incident is over; None: not known. ``otherwise``: the rest of a service of which an incident is
    a cause of its own. ``days`` is how many days more (negative: fewer) a calendar cause is about, ``working_days`` how
    many of them are Monday to Friday. ``day`` is the day on which something began, or since which there is nothing;
    ``month`` the first day of the month in which a service was last in use. ``up`` and ``down`` are the two sides of
    ``else`` where both are worth saying, ``services`` how many services are in it.
    """

    kind: Kind
    amount: Amount
    now: Amount | None = None
    before: Amount | None = None
    service: str | None = None
    otherwise: bool = False
    anomaly: Anomaly | None = None
    over: bool | None = None
    days: int | None = None
    working_days: int | None = None
    day: date | None = None
    month: date | None = None
    rate: Decimal | None = None
    rate_before: Decimal | None = None
    parts: tuple[Part, ...] = ()
    services: int = 0
    up: Amount | None = None
    down: Amount | None = None


class Explanation(Fact):
    """The causes in the order in which they are printed. They add up to ``change`` exactly, in cents.

    ``change`` is cents(total now) - cents(total before), of the usage if that is the ``basis``.
    """

    basis: Basis
    change: Amount | None
    causes: tuple[Cause, ...] = ()
