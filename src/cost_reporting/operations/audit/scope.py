"""What an audit looks at, and how far."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from cost_reporting.audit import Finding
from cost_reporting.store.stacks import Stack


class NotLookedAt(Exception):
    """A check could not look, and so has not passed. The message is the reason."""


@dataclass
class Scope:
    """A stack, and the names and limits that checks need.

    ``wait`` lets so many seconds pass while AWS works something out. ``probe`` allows to try the clients' roles without
    their ExternalId, which leaves a trace in the clients' accounts. ``log_lines`` are read of each log, at most.
    """

    stack: Stack
    account: str
    clients_table: str
    bucket: str
    sender: str
    configuration_set: str
    now: datetime
    wait: Callable[[float], None]
    progress: Callable[[str, int, int], None]
    probe: bool = False
    key_age_days: int = 90
    log_days: int = 7
    log_lines: int = 2_000
    notes: list[str] = field(default_factory=list)

    def physical(self, kind: str) -> list[str]:
        """What AWS calls the stack's resources of a type. Raises NotLookedAt if it has none: then nothing is proved."""
        found = [resource.physical_id for resource in self.stack.of_kind(kind)]
        if not found:
            raise NotLookedAt(f"the stack has no {kind}")
        return found

    def note(self, text: str) -> None:
        """Say what was looked at."""
        self.notes.append(text)


Look = Callable[[Scope], Iterable[Finding]]
