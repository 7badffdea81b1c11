"""Savings Plans and reservations: how much of them an account used, in amounts that add up, and which of them end."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final, Literal

from cost_reporting.contracts import Period
from cost_reporting.costs import Commitment, Commitments, Expiry
from cost_reporting.errors import CostsNotReady
from cost_reporting.money import total
from cost_reporting.sources.cost_explorer.asking import Questions
from cost_reporting.sources.cost_explorer.usage import time_period

EXPIRY_DAYS: Final = 60
Kind = Literal["savings_plans", "reservations"]


@dataclass(frozen=True)
class Use:
    """One kind of commitment in one account, in dollars or hours: what it covered, and how much of it was used.

    ``coverable`` is None if Cost Explorer does not say, and ``committed`` zero if there is none of the kind.
    """

    covered: Decimal = Decimal(0)
    coverable: Decimal | None = None
    used: Decimal = Decimal(0)
    committed: Decimal = Decimal(0)
    net_savings: Decimal = Decimal(0)


@dataclass(frozen=True)
class Held:
    """What an account holds of both kinds."""

    plans: Use
    reservations: Use
    expiring: tuple[Expiry, ...]


def held(questions: Questions, period: Period, today: date) -> Held:
    """Five questions. An account without Savings Plans answers that there is no data, which is an answer."""
    when = {"TimePeriod": time_period(period)}
    try:
        coverage = questions.ask("savings plans coverage", "GetSavingsPlansCoverage", when)
        use = plans_use(questions, period)
        details = questions.ask("savings plans", "GetSavingsPlansUtilizationDetails", when)
    except CostsNotReady:
        return Held(plans=Use(), reservations=_reservations(questions, period), expiring=())
    figures = [each["Coverage"] for page in coverage for each in page["SavingsPlansCoverages"]]
    plans = Use(
        covered=total(Decimal(each["SpendCoveredBySavingsPlans"]) for each in figures),
        coverable=total(Decimal(each["TotalCost"]) for each in figures),
        used=Decimal(use["Utilization"]["UsedCommitment"]),
        committed=Decimal(use["Utilization"]["TotalCommitment"]),
        net_savings=Decimal(use["Savings"]["NetSavings"]),
    )
    return Held(plans=plans, reservations=_reservations(questions, period), expiring=tuple(_expiring(details, today)))


def together(parts: Sequence[Held]) -> Commitments:
    """The commitments of several accounts as if they were one's."""
    expiring = sorted((expiry for part in parts for expiry in part.expiring), key=lambda expiry: expiry.ends)
    return Commitments(
        commitments=(
            _commitment("savings_plans", [part.plans for part in parts]),
            _commitment("reservations", [part.reservations for part in parts]),
        ),
        expiring=tuple(expiring),
    )


def _commitment(kind: Kind, uses: Sequence[Use]) -> Commitment:
    """Coverage is a part of what all accounts could have had covered, so it is unknown if one's is."""
    committed = total(use.committed for use in uses)
    coverable = [use.coverable for use in uses if use.coverable is not None]
    known = len(coverable) == len(uses)
    return Commitment(
        kind=kind,
        coverage=_percent(total(use.covered for use in uses), total(coverable)) if committed and known else None,
        utilisation=_percent(total(use.used for use in uses), committed),
        net_savings=total(use.net_savings for use in uses) if committed else None,
    )


def plans_use(questions: Questions, period: Period) -> Mapping[str, Any]:
    """How all Savings Plans were used. Raises CostsNotReady if there is none."""
    when = {"TimePeriod": time_period(period)}
    (use,) = questions.ask("savings plans utilisation", "GetSavingsPlansUtilization", when)
    of_all: Mapping[str, Any] = use["Total"]
    return of_all


def reservations_use(questions: Questions, period: Period) -> Mapping[str, Any]:
    """How all reservations were used; zeros if there is none."""
    when = {"TimePeriod": time_period(period)}
    (use,) = questions.ask("reservation utilisation", "GetReservationUtilization", when)
    of_all: Mapping[str, Any] = use["Total"]
    return of_all


def _reservations(questions: Questions, period: Period) -> Use:
    when = {"TimePeriod": time_period(period)}
    pages = questions.ask("reservation coverage", "GetReservationCoverage", when)
    hours = pages[0]["Total"]["CoverageHours"]
    use = reservations_use(questions, period)
    return Use(
        covered=Decimal(hours["ReservedHours"]),
        coverable=Decimal(hours["TotalRunningHours"]),
        used=Decimal(use["TotalActualHours"]),
        committed=Decimal(use["PurchasedHours"]),
        net_savings=Decimal(use["NetRISavings"]),
    )


def _expiring(details: Iterable[Mapping[str, Any]], today: date) -> Iterator[Expiry]:
    found = (detail for page in details for detail in page["SavingsPlansUtilizationDetails"])
    ends = ((detail["SavingsPlanArn"].rpartition("/")[2], detail["Attributes"].get("EndDateTime")) for detail in found)
    days = [(commitment_id, date.fromisoformat(end[:10])) for commitment_id, end in ends if end]
    for commitment_id, day in sorted(days, key=lambda item: item[1]):
        if today <= day <= today + timedelta(days=EXPIRY_DAYS):
            yield Expiry(kind="savings_plans", commitment_id=commitment_id, ends=day)


def _percent(part: Decimal, whole: Decimal) -> Decimal | None:
    return (100 * part / whole).quantize(Decimal("0.01")) if whole else None
