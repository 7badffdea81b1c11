"""The last roll-up that operators were mailed."""

from datetime import date

from cost_reporting import aws
from cost_reporting.contracts import Fact, Sha256
from cost_reporting.store.translation import translated

_KEY = {"pk": "ROLLUP", "sk": "LAST"}


class RolledUp(Fact):
    """What a roll-up said, by the hash of its news, and on which day."""

    said: Sha256
    day: date


class RollUpStore:
    """One item of the outcomes table. That a letter goes out once is not its business but the ledger's."""

    def __init__(self, table: str) -> None:
        self._table = aws.table(table)

    def last(self) -> RolledUp | None:
        """The last one, if there was any."""
        with translated("read the last roll-up"):
            item = self._table.get_item(Key=_KEY, ConsistentRead=True).get("Item")
        return None if item is None else RolledUp.model_validate({"said": item["said"], "day": item["day"]})

    def remember(self, mailed: RolledUp) -> None:
        """Write down that this one was mailed."""
        with translated("write the last roll-up"):
            self._table.put_item(Item=_KEY | mailed.model_dump(mode="json"))
