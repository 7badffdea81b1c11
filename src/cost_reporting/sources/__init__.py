"""Where costs come from. One file for each source; a source translates its service's refusals into our errors."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from cost_reporting.clients import Client, RoleAccess, SecretAccess
from cost_reporting.contracts import Fact, Run
from cost_reporting.costs import CostDocument


class Fetched(Fact):
    """The costs of a client in one shape, and the answers they were made from, as they came."""

    costs: CostDocument
    raw: bytes


class Reached(NamedTuple):
    """An account that has let us in, by which access, and the ``field`` of the record that says so."""

    account_id: str
    access: RoleAccess | SecretAccess
    field: str


Admit = Callable[[Sequence[Reached]], None]
"""Judges the accounts that have let us in, before anything is asked of them. It raises if one is not the client's."""


class CostSource(Protocol):
    """Anything that knows a client's costs."""

    def fetch(self, client: Client, run: Run, admit: Admit) -> Fetched:
        """The costs of the run's period and the one before, of accounts that ``admit`` has let pass.

        Raises one of the cost errors of ``errors``, or what ``admit`` raises.
        """
        ...
