"""Savings Plans and reservations: how well they were used, what they saved, and which of them end soon."""

from decimal import Decimal
from typing import Final, Literal

from cost_reporting.contracts import Fact
from cost_reporting.costs import Commitment, Commitments, Expiry, NotAvailable
from cost_reporting.money import cents, shown, total
from cost_reporting.report import charts
from cost_reporting.report.decisions import SOON
from cost_reporting.report.edition import Edition, one_line
from cost_reporting.report.figures import EN_DASH
from cost_reporting.report.gaps import Gap, gap
from cost_reporting.report.language import to_say

LATER: Final = 60
TOP: Final = 8
_ID_LENGTH: Final = 60
Kind = Literal["savings_plans", "reservations"]
_NAMES: Final[dict[Kind, str]] = {
    "savings_plans": to_say("Savings Plans"),
    "reservations": to_say("Reservations"),
}
_ONE: Final[dict[Kind, str]] = {
    "savings_plans": to_say("Savings Plan"),
    "reservations": to_say("Reservation"),
}
_NONE: Final[dict[Kind, str]] = {
    "savings_plans": to_say("There are no Savings Plans."),
    "reservations": to_say("There are no reservations."),
}


class Use(Fact):
    """A row of the table of use."""

    name: str
    coverage: str
    utilisation: str
    savings: str
    is_rest: bool = False


class Ending(Fact):
    """A row of the table of ends."""

    name: str
    id: str
    ends: str
    days: str
    within: str


class Committed(Fact):
    """Both tables; ``aside`` says what they leave out."""

    finding: str
    aside: str
    currency: str
    uses: tuple[Use, ...]
    saved: str
    endings: tuple[Ending, ...]
    more_endings: str | None


def view(edition: Edition) -> Committed | Gap | None:
    """The commitments, if they were asked for; a weekly report leaves the tables to the monthly one."""
    commitments = edition.costs.commitments
    if isinstance(commitments, NotAvailable):
        return gap(edition, edition.say("Commitments"), "commitments", commitments)
    if commitments is None:
        return None
    used = [each for each in commitments.commitments if _exists(each)]
    absent = [each.kind for each in commitments.commitments if not _exists(each)]
    savings = [each.net_savings or Decimal(0) for each in used]
    endings = sorted(commitments.expiring, key=lambda expiry: (expiry.ends, expiry.commitment_id))
    monthly = edition.costs.cadence == "monthly"
    further = len(endings) - TOP if monthly else 0
    return Committed(
        finding=achieved(edition, exists=bool(used), saved=total(savings)),
        aside=edition.language.together(
            *(edition.say(_NONE[kind]) for kind in absent if used), *_ends(edition, commitments, used)
        ),
        currency=edition.currency,
        uses=_uses(edition, used, savings) if monthly else (),
        saved=edition.figures.amount(total(savings)),
        endings=tuple(_ending(edition, expiry) for expiry in endings[:TOP]) if monthly else (),
        more_endings=edition.say_n("{n} more ends later.", "{n} more end later.", further) if further > 0 else None,
    )


def _exists(commitment: Commitment) -> bool:
    return any(figure is not None for figure in (commitment.coverage, commitment.utilisation, commitment.net_savings))


def achieved(edition: Edition, *, exists: bool, saved: Decimal) -> str:
    """What the commitments saved in the period, if any ``exists``."""
    if not exists:
        return edition.say("All usage was charged on demand: there is no commitment that could lower its price.")
    amount = edition.figures.money(abs(saved), edition.currency)
    if not cents(saved):
        return edition.say("The commitments neither saved nor lost anything against the prices on demand.")
    if saved < 0:
        return edition.say(
            "The commitments cost {amount} more than the same usage would have cost on demand.", amount=amount
        )
    return edition.say("The commitments saved {amount} against the prices on demand.", amount=amount)


def _uses(edition: Edition, used: list[Commitment], savings: list[Decimal]) -> tuple[Use, ...]:
    column = shown([*savings, Decimal(0)])
    rows = [
        Use(
            name=edition.say(_NAMES[each.kind]),
            coverage=_percent(edition, each.coverage),
            utilisation=_percent(edition, each.utilisation),
            savings=EN_DASH if each.net_savings is None else edition.figures.cell(amount, each.net_savings),
        )
        for each, amount in zip(used, column, strict=False)
    ]
    if used and column[-1]:
        rest = edition.figures.amount(column[-1])
        rows.append(Use(name=edition.say("Rounding"), coverage="", utilisation="", savings=rest, is_rest=True))
    return tuple(rows)


def _percent(edition: Edition, percentage: Decimal | None) -> str:
    return EN_DASH if percentage is None else edition.figures.percent(percentage / 100)


def _ends(edition: Edition, commitments: Commitments, used: list[Commitment]) -> tuple[str, ...]:
    kinds = {each.kind for each in used}
    said = []
    if commitments.expiring and edition.costs.cadence != "monthly":
        said.append(
            edition.say_n(
                "{n} commitment ends within 60 days, on {day}.",
                "{n} commitments end within 60 days, the first on {day}.",
                len(commitments.expiring),
                day=edition.figures.day(min(expiry.ends for expiry in commitments.expiring)),
            )
        )
    if "savings_plans" in kinds and not any(expiry.kind == "savings_plans" for expiry in commitments.expiring):
        said.append(edition.say("No Savings Plan ends within 60 days."))
    if "reservations" in kinds and not any(expiry.kind == "reservations" for expiry in commitments.expiring):
        said.append(edition.say("Cost Explorer does not say when reservations end."))
    return tuple(said)


def _ending(edition: Edition, expiry: Expiry) -> Ending:
    left = (expiry.ends - edition.issued).days
    return Ending(
        name=edition.say(_ONE[expiry.kind]),
        id=charts.shortened(one_line(expiry.commitment_id), _ID_LENGTH),
        ends=edition.figures.day(expiry.ends),
        days=edition.say_n("in {n} day", "in {n} days", left) if left > 0 else edition.say("today"),
        within=edition.say("within {days} days", days=SOON if left <= SOON else LATER),
    )
