"""What is said of a change: its causes, what they are made of, and what a headline may say.

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
reservations and other fees together. ``again``: in use now and not in the period before; in ``month`` it was, or, if
that is None, whether it is new is not known, as in every week. ``reserved`` needs hours by usage type, which the
document does not have. ``else``: what is too small to be named."""
Basis = Literal["change", "usage", "first", "previous_not_known", "not_known", "not_there_yet"]
"""change: the causes explain the net change. usage: credits paid for everything in both periods, the causes explain
the charges before credits and refunds. The others have no causes, and say why. first: there is nothing to compare with;
of a week nothing older is known, so that its costs need not be the client's first."""
Share = Literal["all", "most", "half", "together"]
"""How much of the change a headline's causes are: 95 to 105 %, 60 % and more, 45 % and more, or two with 80 %."""


class Part(Fact):
    """A part of a cause; the parts add up to it.

    ``name`` is a kind (``tax``, ``support``, ``reservations``, ``other``), a service, or a record type in Cost
    Explorer's spelling: see :class:`Cause`.
    """

    name: str
    amount: Amount


class Cause(Fact):
    """One cause. ``amount`` is its part of the change, in cents; ``now`` and ``before`` where both are printed.

    ``amount`` is then ``now - before`` exactly. All three count as costs: credits, refunds and what Savings Plans save
    are negative. Of ``plans`` (Savings Plans in both periods) ``before`` is at as many days as this period has. An
    incident has both if it lies in both periods: its parts in each.

    ``anomaly`` is AWS's report of an incident. ``over``: whether the incident is over; None: not known. ``otherwise``:
    the rest of a service of which an incident is a named cause. ``days`` is how many days more (negative: fewer) a
    calendar cause is about, ``working_days`` how many of these are Monday to Friday (None: not worth saying); with
    ``days`` 0 the periods are equally long. ``day`` is the day on which something began, or, of a ``service``, the last
    one with costs, since which there is nothing; ``month`` the first day of the month in which a service was last in
    use. ``rate`` and ``rate_before`` are agreed discounts as a part of usage, or credits as a part of all charges
    before credits and refunds, both positive. ``up`` and ``down`` are the two sides of ``else`` where both are worth
    saying, ``services`` how many services are in it, maybe none.

    ``parts``: of ``fees`` its kinds; of ``once_a_month`` kinds and services; of ``tax``, ``support``, ``reservations``,
    ``purchase`` and ``not_billed_yet`` the services as Cost Explorer bills them, of ``other`` the record types, of
    ``new_plan`` the record types of fee and covered usage. ``not_billed_yet`` is one cause for each kind, its
    ``before`` what was billed then; it never makes a headline.
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

    ``change`` is cents(total now) - cents(total before), of the charges before credits and refunds if the ``basis`` is
    usage. None if nothing is compared.
    """

    basis: Basis
    change: Amount | None
    causes: tuple[Cause, ...] = ()

    @property
    def compares(self) -> bool:
        """Whether this period is compared with the one before at all."""
        return self.basis in {"change", "usage"}


class Headline(Fact):
    """The cause or the two causes that a headline names. ``share`` None: larger than the change itself, or a part of
    it that is not worth saying.

    ``with_usage``: credits, refunds or Savings Plans moved the total most, so that the usage is to be told beside it.
    """

    causes: tuple[Cause, ...]
    share: Share | None
    with_usage: bool
