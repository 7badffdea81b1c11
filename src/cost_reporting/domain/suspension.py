"""Suspension: an operator's word that no report of a client goes out, not even one whose run is under way."""

from collections.abc import Iterable

from cost_reporting.clients import Client
from cost_reporting.contracts import Run
from cost_reporting.ledger import Entry, begun


def is_stopped(client: Client, run: Run, mails: Iterable[Entry] = ()) -> bool:
    """Whether the client's suspension stops its report of ``run``; ``mails`` are the ledger's entries of the report.

    It does not if an operator named the client in the request of this very run, nor once SES has accepted a mail of
    the report: what was begun is finished then. A mail that may or may not have been accepted does not count.
    """
    return client.status == "suspended" and not run.named and not begun(mails)
