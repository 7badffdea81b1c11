"""How long a run may take: one rule, from its number of clients, for the alarm LongExecution and for the watch.

A fixed number is wrong for most lists: ten minutes are long for twelve clients, and 10,000 take hours. So List Clients
writes down with each run what this rule needs, and whoever judges the run's time later reads it there.
"""

from datetime import timedelta
from typing import Annotated, Final

from pydantic import Field

from cost_reporting.contracts import Fact

CLIENT_SECONDS: Final = 16
"""Seconds that a client may take on average, unless the parameter ClientSeconds says otherwise.

Twice the 8 s that are expected on Lambda. Of these, 3.4 s were measured (``benchmarks/load.py``: 300 clients, five at
once, in 3.4 minutes on two cores, with an emulated Cost Explorer that answers at once); Cost Explorer's two answers,
Lambda's slower processor and the transitions between states are estimated at as much again. Not measured on AWS.
Clients of many accounts take longer: Fetch Costs may take 900 s. Then the parameter is to be raised.
"""
SLOW_CLIENT: Final = timedelta(minutes=10)
"""How much longer a run may take than that average comes to, since its last client may be a slow one.

The number that the alarm LongExecution has always had (600,000 ms), so a run of a few clients rings as before.
"""
LONGEST_CLIENT: Final = timedelta(hours=1)
"""What one client may take in one pass of a run, by the state machine's own limits: every state killed by time once,
and each service throttling until its last retry. ``tests/contract/test_run_time.py`` adds it up from the definition."""
FORMER: Final = timedelta(hours=9)
"""What the watch allowed every run before runs had a time of their own; such runs are on record."""


class RunTime(Fact):
    """What decides how long a run may take. ``waits``: before each further look at clients whose figures are late."""

    clients: Annotated[int, Field(ge=0)]
    at_once: Annotated[int, Field(ge=1)]
    client_seconds: Annotated[int, Field(ge=1)] = CLIENT_SECONDS
    waits: tuple[timedelta, ...] = ()

    @property
    def work(self) -> timedelta:
        """How long the run may work, its waits apart. Beyond this it is a long one.

        Late clients are looked at up to three times, but only the last look renders and mails: that is within the
        average's reserve.
        """
        rounds = -(-self.clients // self.at_once)
        return SLOW_CLIENT + rounds * timedelta(seconds=self.client_seconds)

    @property
    def under_way(self) -> timedelta:
        """How long the run may be under way, as seen from outside, where it is not known how often it has waited."""
        return self.work + sum(self.waits, timedelta())

    @property
    def at_most(self) -> timedelta:
        """How long a client of its list may be without an outcome before it counts as missing.

        In each pass the last client may be the slowest that there can be.
        """
        return self.under_way + (len(self.waits) + 1) * LONGEST_CLIENT
