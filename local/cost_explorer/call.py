"""A request that may be answered, and the rules for its dates."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from botocore.model import OperationModel

from local.accounts.spend import HISTORY_MONTHS, Ledger, months_before
from local.cost_explorer.wire import Json, invalid


@dataclass(frozen=True)
class Bucket:
    """One TimePeriod of an answer, half-open and never across months.

    ``first`` and ``last`` are its ends in running totals, and ``month`` is where its month begins.
    """

    start: date
    end: date
    month: int
    first: int
    last: int

    @property
    def period(self) -> Json:
        """As answers write it."""
        return {"Start": self.start.isoformat(), "End": self.end.isoformat()}


@dataclass(frozen=True)
class Call:
    """A valid request of an account that may ask, with what is needed to answer it."""

    model: OperationModel
    request: Json
    ledger: Ledger
    now: datetime
    page_size: int

    @property
    def today(self) -> date:
        """The day in UTC."""
        return self.now.date()

    @property
    def by(self) -> list[Json]:
        """The request's GroupBy."""
        groups: list[Json] = self.request.get("GroupBy", [])
        return groups

    @property
    def chosen(self) -> Json | None:
        """The request's Filter."""
        return self.request.get("Filter")

    @property
    def granularity(self) -> str:
        """DAILY or MONTHLY; HOURLY is an opt-in of the payer that no account here has made (not AWS's words)."""
        granularity: str = self.request.get("Granularity", "MONTHLY")
        if granularity == "HOURLY":
            raise invalid("Hourly granularity is not enabled. The payer can enable it in Cost Management preferences.")
        return granularity

    def interval(self, field: str = "TimePeriod") -> tuple[date, date]:
        """Start and exclusive end of a DateInterval, in order."""
        start, end = (day(self.request[field][side], f"{field}.{side}") for side in ("Start", "End"))
        if start >= end:
            raise invalid("Start date (and hour) should be before end date (and hour)")
        return start, end

    def past(self, field: str = "TimePeriod") -> tuple[date, date]:
        """An interval that Cost Explorer has data for: 13 months back and the current month to its end."""
        start, end = self.interval(field)
        if end > months_before(self.today, -1):
            raise invalid("end date past the beginning of next month")
        if start > self.today:
            raise invalid("start date should not be after today")
        if start < months_before(self.today, HISTORY_MONTHS):
            raise invalid("You haven't enabled historical data beyond 14 months")
        return start, end

    def buckets(self, start: date, end: date, granularity: str) -> list[Bucket]:
        """The interval cut into days or calendar months; the first and the last month only as far as asked for."""
        found, place = [], self.ledger.index
        while start < end:
            after = months_before(start, -1) if granularity == "MONTHLY" else start + timedelta(days=1)
            until = min(after, end)
            found.append(Bucket(start, until, place(start.replace(day=1)), place(start), place(until)))
            start = after
        return found


def day(text: str, at: str) -> date:
    """A date of the request; Cost Explorer takes no other form without the opt-in to hours."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        raise invalid(f"Value '{text}' at '{at}' is not a date of the form yyyy-MM-dd") from None
