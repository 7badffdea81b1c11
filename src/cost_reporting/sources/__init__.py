"""Where costs come from. One file for each source; a source translates its service's refusals into our errors."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

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


class Answer(NamedTuple):
    """Every page of an answer as it came, and the ids of the requests that were paid for it."""

    pages: list[dict[str, Any]]
    request_ids: list[str]


class Kept(Protocol):
    """Answers that were paid before, by account and question. Any thread may ask."""

    def find(self, account_id: str, operation: str, question: Mapping[str, Any]) -> Answer | None:
        """The answer, if it may still be used."""
        ...

    def keep(self, account_id: str, operation: str, question: Mapping[str, Any], answer: Answer) -> None:
        """Keep a whole answer. Raises StoreThrottled or StoreRefused."""
        ...

    def forget(self, account_id: str) -> None:
        """Use none of the account's answers any more: the next try asks anew."""
        ...


class CostSource(Protocol):
    """Anything that knows a client's costs."""

    def fetch(self, client: Client, run: Run, admit: Admit, kept: Kept | None = None) -> Fetched:
        """The costs of the run's period and the one before, of accounts that ``admit`` has let pass.

        ``kept`` has answers that an earlier try has paid, and takes this one's as they come.

        Raises one of the cost errors of ``errors``, or what ``admit`` raises.
        """
        ...
