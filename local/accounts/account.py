"""Facts about an account: what it uses, how its bill is made up, and how it misbehaves."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Linked:
    """A member account of a client's organization, as LINKED_ACCOUNT shows it."""

    id: str
    name: str


@dataclass(frozen=True)
class SavingsPlan:
    """A no-upfront Compute Savings Plan.

    ``hourly`` is the commitment in USD an hour; ``covers`` the permille of each day's EC2, Fargate and Lambda usage
    that it may cover, and ``rate`` the permille of the on-demand price that covered usage costs. It always ends in
    ``ends_in_days`` from now.
    """

    hourly: Decimal
    covers: int = 600
    rate: int = 720
    ends_in_days: int = 200


@dataclass(frozen=True)
class Reservation:
    """Reserved RDS instances: ``upfront`` USD each 1 March, and ``hourly`` USD billed on the first of each month."""

    upfront: Decimal
    hourly: Decimal
    used: int = 930
    """Permille of the reserved hours that ran."""


@dataclass(frozen=True)
class Event:
    """One charge, so many calendar months before the current one: a refund, a promotional credit."""

    months_ago: int
    day: int
    service: str
    record_type: str
    amount: Decimal


@dataclass(frozen=True)
class Spike:
    """Unusual usage by one linked account: ``amount`` USD of extra ``service`` usage on each of ``days`` days."""

    months_ago: int
    day: int
    days: int
    service: str
    amount: Decimal


@dataclass(frozen=True)
class Account:
    """One client's payer account: what it uses, how its bill is made up, and how it misbehaves.

    ``services`` holds (Cost Explorer's name, list price in USD a month at the trend's start). The permilles: ``trend``
    per month since January 2025, ``weekend`` for Saturdays and Sundays, ``credit`` of each day's usage given back,
    ``tax`` and ``support`` of a month's usage, ``discount`` of an enterprise discount programme. ``opened_months_ago``
    counts calendar months; nothing was spent before that month. The last block are faults.
    """

    id: str
    name: str
    services: tuple[tuple[str, Decimal], ...]
    regions: tuple[str, ...] = ("us-east-1",)
    linked: tuple[Linked, ...] = ()
    trend: int = 0
    weekend: int = 1000
    mood: int = 120
    """Permille by which a service's month may differ from its trend."""
    tax: int = 0
    support: tuple[str, int] | None = None
    credit: int = 0
    discount: int = 0
    savings_plan: SavingsPlan | None = None
    reservation: Reservation | None = None
    events: tuple[Event, ...] = ()
    spikes: tuple[Spike, ...] = ()
    opened_months_ago: int | None = None
    rightsizing: bool = False
    """Whether the account has opted in to advice about its instances."""

    access_denied: bool = False
    not_enabled: bool = False
    no_data: bool = False
    throttle_first: int = 0

    @property
    def members(self) -> tuple[Linked, ...]:
        """The accounts of the organization; an account without one is its own only member."""
        return self.linked or (Linked(self.id, self.name),)
