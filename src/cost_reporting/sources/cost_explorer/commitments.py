"""Savings Plans and reservations: how much of them an account used, in amounts that add up, and which of them end."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final, Literal

from cost_reporting.contracts import Period
from cost_reporting.costs import Commitment, Commitments, Expiry
from cost_reporting.errors import CostsNotReady
from cost_reporting.money import total
from cost_reporting.sources.cost_explorer.answers import (
    PlansCoveragePage,
    PlansPage,
    PlansUtilizationPage,
    ReservationCoveragePage,
    ReservationUtilizationPage,
)
from cost_reporting.sources.cost_explorer.asking import Questions
from cost_reporting.sources.cost_explorer.usage import time_period

EXPIRY_DAYS: Final = 60
PLANS_USE: Final = "GetSavingsPlansUtilization"
RESERVATIONS_USE: Final = "GetReservationUtilization"
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
    try:
        use = plans_use(questions, period)
    except CostsNotReady:
        return Held(plans=Use(), reservations=_reservations(questions, period), expiring=())
    covered, coverable = _covered(questions, period)
    plans = Use(
        covered=covered,
        coverable=coverable,
        used=use.used,
        committed=use.committed,
        net_savings=questions.needed(use.net_savings, PLANS_USE, "NetSavings"),
    )
    expiring = tuple(_expiring(questions, period, today))
    return Held(plans=plans, reservations=_reservations(questions, period), expiring=expiring)


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


@dataclass(frozen=True)
class Used:
    """How one kind of commitment was used, in dollars or hours. What it saved may be left out of the answer."""

    used: Decimal
    committed: Decimal
    net_savings: Decimal | None


def plans_use(questions: Questions, period: Period) -> Used:
    """How all Savings Plans were used. Raises CostsNotReady if there is none, CostsUnreadable if it is not said."""
    pages = questions.read(PlansUtilizationPage, PLANS_USE, questions.ask(
        "savings plans utilisation", PLANS_USE, {"TimePeriod": time_period(period)}
    ))  # fmt: skip
    of_all = questions.needed(pages[0].total, PLANS_USE, "Total")
    use = questions.needed(of_all.utilization, PLANS_USE, "Utilization")
    return Used(
        used=questions.needed(use.used_commitment, PLANS_USE, "UsedCommitment"),
        committed=questions.needed(use.total_commitment, PLANS_USE, "TotalCommitment"),
        net_savings=of_all.savings.net_savings if of_all.savings else None,
    )


def reservations_use(questions: Questions, period: Period) -> Used:
    """How all reservations were used; zeros if there is none. Raises CostsUnreadable if it is not said.

    A further page goes on with parts, and repeats the total (API reference, GetReservationUtilization).
    """
    pages = questions.read(ReservationUtilizationPage, RESERVATIONS_USE, questions.ask(
        "reservation utilisation", RESERVATIONS_USE, {"TimePeriod": time_period(period)}
    ))  # fmt: skip
    of_all = questions.needed(pages[0].total, RESERVATIONS_USE, "Total")
    return Used(
        used=questions.needed(of_all.total_actual_hours, RESERVATIONS_USE, "TotalActualHours"),
        committed=questions.needed(of_all.purchased_hours, RESERVATIONS_USE, "PurchasedHours"),
        net_savings=of_all.net_ri_savings,
    )


def _covered(questions: Questions, period: Period) -> tuple[Decimal, Decimal | None]:
    """What Savings Plans covered, and what they could have; None if there are no figures about it."""
    operation = "GetSavingsPlansCoverage"
    answer = questions.ask("savings plans coverage", operation, {"TimePeriod": time_period(period)})
    figures = [
        questions.needed(each.coverage, operation, "Coverage")
        for page in questions.read(PlansCoveragePage, operation, answer)
        for each in questions.needed(page.savings_plans_coverages, operation, "SavingsPlansCoverages")
    ]
    covered = [
        questions.needed(each.spend_covered_by_savings_plans, operation, "SpendCoveredBySavingsPlans")
        for each in figures
    ]
    coverable = [questions.needed(each.total_cost, operation, "TotalCost") for each in figures]
    return total(covered), total(coverable) if figures else None


def _reservations(questions: Questions, period: Period) -> Use:
    operation = "GetReservationCoverage"
    answer = questions.ask("reservation coverage", operation, {"TimePeriod": time_period(period)})
    pages = questions.read(ReservationCoveragePage, operation, answer)
    of_all = questions.needed(pages[0].total, operation, "Total")
    hours = questions.needed(of_all.coverage_hours, operation, "CoverageHours")
    use = reservations_use(questions, period)
    return Use(
        covered=questions.needed(hours.reserved_hours, operation, "ReservedHours"),
        coverable=questions.needed(hours.total_running_hours, operation, "TotalRunningHours"),
        used=use.used,
        committed=use.committed,
        net_savings=questions.needed(use.net_savings, RESERVATIONS_USE, "NetRISavings"),
    )


def _expiring(questions: Questions, period: Period, today: date) -> Iterator[Expiry]:
    """The plans that end soon, in order. One of which the end is not known would be left out, so there is no list."""
    operation = "GetSavingsPlansUtilizationDetails"
    answer = questions.ask("savings plans", operation, {"TimePeriod": time_period(period)})
    days: list[tuple[str, date]] = []
    for page in questions.read(PlansPage, operation, answer):
        for plan in questions.needed(page.savings_plans_utilization_details, operation, "its list of plans"):
            arn = questions.needed(plan.savings_plan_arn, operation, "SavingsPlanArn")
            end = questions.needed((plan.attributes or {}).get("EndDateTime"), operation, "EndDateTime")
            try:
                days.append((arn.rpartition("/")[2], date.fromisoformat(end[:10])))
            except ValueError:
                raise questions.unreadable(operation, "EndDateTime is no date") from None
    for commitment_id, day in sorted(days, key=lambda item: item[1]):
        if today <= day <= today + timedelta(days=EXPIRY_DAYS):
            yield Expiry(kind="savings_plans", commitment_id=commitment_id, ends=day)


def _percent(part: Decimal, whole: Decimal) -> Decimal | None:
    return (100 * part / whole).quantize(Decimal("0.01")) if whole else None
