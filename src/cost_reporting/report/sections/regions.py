"""Costs by region, for clients who ask for them."""

from decimal import Decimal
from typing import Final

from cost_reporting.costs import NotAvailable
from cost_reporting.report.edition import Edition, one_line
from cost_reporting.report.gaps import Gap, gap
from cost_reporting.report.splits import Breakdown, breakdown, largest_share

TOP: Final = 12
_NO_REGION: Final = frozenset({"", "NoRegion"})
"""How Cost Explorer spells what has no region, such as tax."""
_GLOBAL: Final = "global"


def view(edition: Edition) -> Breakdown | Gap | None:
    """The regions, if they were asked for."""
    regions = edition.costs.regions
    if isinstance(regions, NotAvailable):
        return gap(edition, edition.say("By region"), "regions", regions)
    if regions is None:
        return None
    return breakdown(
        edition,
        regions,
        top=TOP,
        finding=lambda now: _finding(edition, now),
        first_title=edition.say("Region"),
        caption=edition.say("Net costs by region, in {currency}", currency=edition.currency),
        name=lambda key: _name(edition, key),
        others=lambda n: edition.say_n("Other ({n} region)", "Other ({n} regions)", n),
    )


def _name(edition: Edition, key: str) -> str:
    if key in _NO_REGION:
        return edition.say("without a region")
    return edition.say("global") if key == _GLOBAL else one_line(key)


def _finding(edition: Edition, now: dict[str, Decimal]) -> str:
    regions = {key: amount for key, amount in now.items() if key not in _NO_REGION and key != _GLOBAL}
    if (largest := largest_share(edition, regions)) is None:
        return edition.say_n("{n} region had costs.", "{n} regions had costs.", len(regions))
    return edition.say_n(
        "{n} region had costs. The largest, {name}, makes up {share} of the total.",
        "{n} regions had costs. The largest, {name}, makes up {share} of the total.",
        len(regions),
        name=_name(edition, largest[0]),
        share=largest[1],
    )
