"""How a service's cost is spread over linked accounts, regions, usage types and tags; the same on every day."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Self

from local.accounts.account import Account, Linked, Spike
from local.accounts.dice import throw
from local.accounts.services import (
    GLOBAL,
    NO_REGION,
    NO_USAGE_TYPE,
    REGION_CODES,
    SAVINGS_PLANS,
    TAX,
    usage_types,
    without_region,
)

_ENVIRONMENTS = ((150, "production"), (200, "staging"), (232, "development"))
_PROJECTS = ("atlas", "borealis", "cascade", "delta", "ember")


@dataclass(frozen=True)
class Cell:
    """The smallest part of a service's cost that a query can tell apart."""

    linked: Linked
    region: str
    usage_type: str
    tags: Mapping[str, str]


@dataclass(frozen=True)
class Cells:
    """A cost split by weight: cell i owns the part from ``bounds[i]`` to ``bounds[i + 1]`` of ``bounds[-1]``."""

    members: tuple[Cell, ...]
    bounds: tuple[int, ...]

    @classmethod
    def of(cls, weighted: Iterable[tuple[Cell, int]]) -> Self:
        pairs = tuple(weighted)
        return cls(tuple(cell for cell, _ in pairs), tuple(accumulate((weight for _, weight in pairs), initial=0)))


@lru_cache(maxsize=2048)
def cells_of(account: Account, service: str, usage_type: str | None = None) -> Cells:
    """The spread of a service, or of one of its usage types.

    Cells of one linked account stand side by side: grouping by account is cheap.
    """
    members = account.members
    reach = 70 + throw(service)[1] % 180
    dice = [(member, throw(account.id, service, member.id)) for member in members]
    users = [(member, roll) for member, roll in dice if len(members) == 1 or roll[0] < reach] or dice[:1]
    return Cells.of(_spread(account, service, users, usage_type))


def spike_cell(account: Account, spike: Spike) -> Cell:
    """Whose usage a spike is: the root cause that anomaly detection names. What is kept for a month has no spikes."""
    cells = cells_of(account, spike.service).members
    place = throw(account.id, spike.service, "spike")[0] % len(cells)
    kept = {kind.name for kind in usage_types(spike.service) if kind.by_month}
    return next(cell for cell in cells[place:] + cells[:place] if without_region(cell.usage_type) not in kept)


def shared_cells(account: Account) -> Cells:
    """Tax: every member pays a part, in no region and for no usage type."""
    return Cells.of(
        (Cell(member, NO_REGION, NO_USAGE_TYPE, {}), 1 + throw(member.id, TAX)[0]) for member in account.members
    )


def _spread(
    account: Account, service: str, users: list[tuple[Linked, bytes]], only: str | None
) -> Iterator[tuple[Cell, int]]:
    for member, roll in users:
        tags = _tags(member.id if account.linked else f"{member.id}|{service}")
        for rank, region in enumerate(_regions(account, service, member, roll)):
            prefix = REGION_CODES.get(region, "")
            for n, kind in enumerate(usage_types(service)):
                weight = (10 + roll[1] * roll[2]) * (10 + roll[4 + n]) // (1 + 2 * rank) + 1
                if only in (None, kind.name):
                    yield Cell(member, region, prefix + kind.name, tags), weight


def _regions(account: Account, service: str, member: Linked, roll: bytes) -> tuple[str, ...]:
    if service in GLOBAL:
        return ("global",)
    if service == SAVINGS_PLANS:
        return (NO_REGION,)
    if not account.linked:
        return account.regions
    home = throw(member.id, "home")[0] * len(account.regions) // 256
    away = (home + 1 + roll[3] % max(len(account.regions) - 1, 1)) % len(account.regions)
    return (account.regions[home],) if roll[3] >= 64 or away == home else (account.regions[home], account.regions[away])


def _tags(seed: str) -> dict[str, str]:
    """Tags of a cell; about one in ten is untagged, as in life."""
    roll = throw(seed, "tags")
    place = bisect_right([limit for limit, _ in _ENVIRONMENTS], roll[0])
    if place == len(_ENVIRONMENTS):
        return {}
    return {"Environment": _ENVIRONMENTS[place][1], "Project": _PROJECTS[roll[1] % len(_PROJECTS)]}
