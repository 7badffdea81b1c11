"""What of each service's demand is not explained yet: each step takes its part out of it, so nothing counts twice."""

from dataclasses import dataclass
from decimal import Decimal

from cost_reporting.domain.causes.bill import ZERO, Bill


@dataclass
class Left:
    """Exact amounts by service that are left of the period before and of this one, and what incidents took of each."""

    before: dict[str, Decimal]
    now: dict[str, Decimal]
    incidents: dict[str, tuple[Decimal, Decimal]]

    @classmethod
    def of(cls, bill: Bill) -> "Left":
        """All of the demand."""
        return cls(before=dict(bill.before.demand), now=dict(bill.now.demand), incidents={})

    @property
    def services(self) -> list[str]:
        """Every service, by name."""
        return sorted(self.before.keys() | self.now.keys())

    def change(self, service: str) -> Decimal:
        """How much more of ``service`` there is now."""
        return self.now.get(service, ZERO) - self.before.get(service, ZERO)
