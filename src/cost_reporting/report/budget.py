"""What a month has cost of the client's monthly budget.

A total that lacks an account or a day of a month that is over has used at least so much of it: what is left of the
budget is then not known.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from cost_reporting.contracts import Period
from cost_reporting.costs import Forecast, running_month
from cost_reporting.money import cents
from cost_reporting.periods import days as days_of
from cost_reporting.periods import month_of
from cost_reporting.report.edition import Edition


@dataclass(frozen=True)
class Spending:
    """Exact amounts of one month: what it cost so far, and what it may cost.

    ``until`` is the first day that is not counted: the month's end, or the first day that is not known yet. ``lacks``
    says whether something before it is missing, so that the amount is a least one.
    """

    month: Period
    spent: Decimal
    budget: Decimal
    until: date
    lacks: bool

    @property
    def ratio(self) -> Decimal:
        """The part of the budget that is used; a credit uses nothing."""
        return max(cents(self.spent), Decimal(0)) / self.budget

    @property
    def over(self) -> Decimal:
        """By how many cents the budget is exceeded; negative while something is left."""
        return cents(self.spent) - self.budget


def spending(edition: Edition) -> Spending | None:
    """The month of a monthly report against the budget; of a weekly one the running month, if a day of it is known."""
    budget, costs = edition.client.monthly_budget, edition.costs
    if budget is None:
        return None
    lacks = bool(costs.accounts_not_read)
    if costs.cadence == "monthly":
        gaps = edition.known != edition.period or any(day not in edition.by_day for day in days_of(edition.period))
        return Spending(edition.period, edition.total, budget, until=edition.known.end, lacks=lacks or gaps)
    if (so_far := running_month(costs)) is not None:
        return Spending(month_of(so_far.days.start), so_far.amount, budget, until=so_far.days.end, lacks=lacks)
    if isinstance(forecast := costs.forecast, Forecast) and forecast.until > forecast.month.start:
        return Spending(forecast.month, forecast.so_far, budget, until=forecast.until, lacks=lacks)
    return None


def expected(edition: Edition) -> Spending | None:
    """The month that is running, at its most likely cost, against the budget."""
    budget, forecast = edition.client.monthly_budget, edition.costs.forecast
    if budget is None or not isinstance(forecast, Forecast):
        return None
    lacks = bool(edition.costs.accounts_not_read)
    return Spending(forecast.month, forecast.mean, budget, until=forecast.month.end, lacks=lacks)
