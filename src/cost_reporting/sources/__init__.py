"""Where costs come from. One file for each source; a source translates its service's refusals into our errors."""

from typing import Protocol

from cost_reporting.clients import Client
from cost_reporting.contracts import Fact, Run
from cost_reporting.costs import CostDocument


class Fetched(Fact):
    """The costs of a client in one shape, and the answers they were made from, as they came."""

    costs: CostDocument
    raw: bytes


class CostSource(Protocol):
    """Anything that knows a client's costs."""

    def fetch(self, client: Client, run: Run) -> Fetched:
        """The costs of the run's period and the one before. Raises one of the cost errors of ``errors``."""
        ...
