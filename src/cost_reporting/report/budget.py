"""What a month has cost of the client's monthly budget."""

from dataclasses import dataclass
from decimal import Decimal

from cost_reporting.contracts import Period
from cost_reporting.costs import Forecast
from cost_reporting.money import cents
from cost_reporting.report.edition import Edition


@dataclass(frozen=True)
class Spending:
    """Exact amounts of one month: what it cost so far, and what it may cost."""

    month: Period
    spent: Decimal
    budget: Decimal

    @property
    def ratio(self) -> Decimal:
        """The part of the budget that is used; a credit uses nothing."""
        return max(cents(self.spent), Decimal(0)) / self.budget

    @property
    def over(self) -> Decimal:
        """By how many cents the budget is exceeded; negative while something is left."""
        return cents(self.spent) - self.budget


def spending(edition: Edition) -> Spending | None:
    """The month of a monthly report against the budget; of a weekly one the running month, if it is known."""
    budget, forecast = edition.client.monthly_budget, edition.costs.forecast
    if budget is None:
        return None
    if edition.costs.cadence == "monthly":
        return Spending(month=edition.period, spent=edition.total, budget=budget)
    if isinstance(forecast, Forecast):
        return Spending(month=forecast.month, spent=forecast.so_far, budget=budget)
    return None


def expected(edition: Edition) -> Spending | None:
    """The month that is running, at its most likely cost, against the budget."""
    budget, forecast = edition.client.monthly_budget, edition.costs.forecast
    if budget is None or not isinstance(forecast, Forecast):
        return None
    return Spending(month=forecast.month, spent=forecast.mean, budget=budget)
