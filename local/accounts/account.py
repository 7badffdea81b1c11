"""Facts about an account: what it uses, how its bill is made up, and how it misbehaves."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Denial = Literal[
    "no_policy", "identity_policy", "service_control_policy", "permissions_boundary", "payer_switch", "closed"
]
"""Why an account that denies access does so; the service says it in AWS's words (``cost_explorer/service.py``)."""


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
    """Unusual usage by one linked account: ``amount`` USD of extra ``service`` usage on each of ``days`` days.

    None: it goes on.
    """

    months_ago: int
    day: int
    days: int | None
    service: str
    amount: Decimal


@dataclass(frozen=True)
class Account:
    """One client's payer account: what it uses, how its bill is made up, and how it misbehaves.

    ``services`` holds (Cost Explorer's name, list price in USD a month at the trend's start). The permilles: ``trend``
    per month since January 2025, ``weekend`` for Saturdays and Sundays, ``credit`` of each day's usage given back,
    ``tax`` and ``support`` of a month's usage, ``discount`` of an enterprise discount programme. ``opened_months_ago``
    counts calendar months; nothing was spent before that month. The last blocks say what its Cost Explorer leaves out
    or gets late, and how it refuses.
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

    monitored: bool = True
    """Whether anomaly detection has a monitor; without one nothing is detected. (AWS Cost Management User Guide,
    "Getting started with AWS Cost Anomaly Detection")"""
    leaves_out: tuple[str, ...] = ()
    """Members that its answers lack, as ``Operation.Member.Member``, through lists: only such as botocore's model does
    not require."""
    unfilled_days: int = 0
    """The last days before today that Cost Explorer lists without groups: figures come up to 24 hours late, and some
    later. (AWS Cost Management User Guide, Analyzing your costs; reply-fr/sustainable-personal-accounts#84)"""
    last_filled: int = 1000
    """Permille of the last filled day's costs that are there."""
    support_by_account: bool = True
    """Whether support is part of the answers by LINKED_ACCOUNT; of some it is not. (boto/boto3#2140)"""
    forecast_of_whole_months: bool = False
    """Whether a MONTHLY forecast's first bucket begins on the 1st of the month and holds what is billed already. AWS
    does not say which it is, and public scripts read it both ways."""

    access_denied: bool = False
    denied_by: Denial = "no_policy"
    not_enabled: bool = False
    no_data: bool = False
    throttle_first: int = 0
    repeats_token: bool = False
    """Whether each page leads to the first page again, by the same token. (boto/boto#3811)"""

    @property
    def members(self) -> tuple[Linked, ...]:
        """The accounts of the organization; an account without one is its own only member."""
        return self.linked or (Linked(self.id, self.name),)
