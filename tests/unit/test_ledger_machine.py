"""The ledger under any interleaving, many times: with a table of this process.

The search is the same each time, so that a change is judged by itself. By hand it looks elsewhere each time:
``LEDGER_SEARCH=random``, or ``LEDGER_SEARCH=20000`` for so many random orders.
"""

import os
from datetime import timedelta
from typing import Final

import pytest
from hypothesis import settings

from cost_reporting.contracts import Run
from cost_reporting.ledger import Entry, State
from tests.ledger_machine import LedgerMachine, Process

SEARCH: Final = os.environ.get("LEDGER_SEARCH", "")
ORDERS: Final = int(SEARCH) if SEARCH.isdecimal() else 300

TestLedger = LedgerMachine.TestCase
TestLedger.settings = settings(max_examples=ORDERS, stateful_step_count=40, deadline=None, derandomize=not SEARCH)
# hypothesis stops shrinking after five minutes; pytest's own timeout would hide what it has found.
TestLedger.pytestmark = [pytest.mark.timeout(0 if SEARCH else 900)]


# -- orders that have mailed twice: each is replayed, whatever the search looks at ------------------------------------

ARRIVES: Final[tuple[State, ...]] = ("SENT", "DELIVERED")
IS_REJECTED: Final[tuple[State, ...]] = ("SENT", "REJECTED")


class Replay(LedgerMachine):
    """Named moves of the machine. What always holds is looked at after each of them."""

    def __init__(self) -> None:
        super().__init__()
        self.an_empty_ledger()

    def sends(self, run: Run | None = None, *, forced: bool = False, asked: str = "accepts", **more: object) -> Run:
        """A new run mails, or ``run`` once more, to its end; ``fate`` is what SES will tell of the mail."""
        fate, again = more.get("fate", ARRIVES), bool(more.get("again"))
        if run is None:
            self.a_run_begins(forced, again)
        else:
            self._send(run)
        if self.working:
            self.somebody_gets_through(0, asked, fate)  # type: ignore[arg-type]
        self.holds()
        return run or self.runs[-1]

    def tells(self, mail: int, state: State) -> None:
        """SES's event about the mail with this number arrives."""
        event = self._event(self.accepted[mail - 1], state)
        process = Process(self._name("event"))
        self._begin(process, lambda: self._apply(event))
        self.somebody_gets_through(0, "accepts", ARRIVES)
        self.holds()

    def holds(self) -> None:
        self.nobody_gets_a_mail_twice_unless_an_operator_said_so()
        self.what_ses_accepted_is_never_sent_again_unasked()
        self.the_ledger_says_nothing_that_ses_did_not()
        self.an_entry_never_goes_back_on_its_line()

    def entry(self) -> Entry:
        found = self._entry()
        assert found is not None
        return found

    def later(self) -> None:
        self.now += timedelta(minutes=20)


@pytest.fixture
def replay() -> Replay:
    return Replay()


def test_a_forced_mail_that_is_rejected_by_event_gives_the_mail_before_it_back(replay: Replay) -> None:
    """Order I: the run whose answer was lost is redriven, as its remedy advises."""
    run = replay.sends(asked="accepts, answer lost")
    replay.tells(1, "DELIVERED")
    replay.later()
    replay.sends(forced=True, fate=IS_REJECTED)
    replay.tells(2, "REJECTED")
    replay.later()
    replay.sends(run)
    assert len(replay.accepted) == 2
    assert replay.entry().state == "DELIVERED"
    replay.teardown()


def test_a_forced_run_mails_once_whatever_another_one_has_forced_since(replay: Replay) -> None:
    """Order II: two forced runs, and a retry of the first."""
    first = replay.sends(forced=True)
    replay.later()
    second = replay.sends(forced=True)
    replay.later()
    for run in (first, second, first):
        replay.sends(run)
    assert len(replay.accepted) == 2
    replay.teardown()


EVENTS: Final[tuple[tuple[int, State], ...]] = (
    (1, "SENT"), (1, "DELIVERED"), (2, "SENT"), (2, "REJECTED"), (3, "REJECTED"),
)  # fmt: skip


@pytest.mark.parametrize("asked", ["accepts", "accepts, answer lost"])
@pytest.mark.parametrize("turned", range(5))
@pytest.mark.parametrize("backwards", [False, True])
def test_events_about_three_mails_that_replaced_each_other_end_the_same_in_any_order_and_twice(
    replay: Replay, asked: str, turned: int, backwards: bool
) -> None:
    """The last two are rejected: the first one, delivered, is what the ledger knows in the end."""
    first = replay.sends(asked=asked)
    runs = [first]
    for _ in range(2):
        replay.later()
        runs.append(replay.sends(forced=True, fate=IS_REJECTED, asked=asked))
    order = EVENTS[turned:] + EVENTS[:turned]
    for mail, state in (order[::-1] if backwards else order) + EVENTS:
        replay.tells(mail, state)
    assert (replay.entry().state, replay.entry().message_id) == ("DELIVERED", "message-1")
    replay.later()
    for run in runs:
        replay.sends(run)
    assert len(replay.accepted) == 3
    replay.teardown()


def test_an_event_about_a_mail_that_was_replaced_is_not_lost_when_that_comes_back(replay: Replay) -> None:
    replay.sends(asked="accepts, answer lost")
    replay.later()
    replay.sends(forced=True, fate=IS_REJECTED)
    replay.tells(1, "DELIVERED")
    replay.tells(2, "REJECTED")
    replay.tells(1, "SENT")
    assert replay.entry().state == "DELIVERED"
    replay.teardown()


def test_a_replaced_mail_that_is_rejected_meanwhile_does_not_come_back(replay: Replay) -> None:
    """Else the recipient would have nothing, and the ledger would say that they have."""
    replay.sends(fate=IS_REJECTED)
    replay.later()
    replay.sends(forced=True, fate=IS_REJECTED)
    replay.tells(1, "REJECTED")
    replay.tells(2, "REJECTED")
    assert replay.entry().state == "REJECTED"
    replay.later()
    replay.sends()
    assert replay.entry().state == "SENT"
    replay.teardown()


def test_a_forced_mail_over_one_whose_outcome_is_unknown_gives_it_back_as_unknown(replay: Replay) -> None:
    run = replay.sends(asked="accepts, answer lost")
    replay.later()
    for asked in ("throttles", "rejects"):
        replay.sends(forced=True, asked=asked)
        replay.later()
        replay.sends(run)
        assert replay.entry().state == "SENDING"
    replay.tells(1, "SENT")
    assert replay.entry().state == "SENT"
    assert len(replay.accepted) == 1


def test_a_forced_run_whose_call_ses_refused_may_try_again(replay: Replay) -> None:
    replay.sends()
    replay.later()
    forced = replay.sends(forced=True, asked="throttles")
    assert len(replay.accepted) == 1
    replay.sends(forced)
    assert len(replay.accepted) == 2


@pytest.mark.parametrize("again", [False, True])
def test_of_two_equal_forced_mails_at_the_same_moment_one_goes(replay: Replay, again: bool) -> None:
    replay.sends()
    replay.later()
    replay.a_run_begins(True, again)
    replay.a_run_begins(True, again)
    replay.everybody_reads()
    while replay.working:
        replay.somebody_moves(0, "done", "done", "accepts", ARRIVES)
        replay.holds()
    assert len(replay.accepted) == 2
    for run in replay.runs[1:] if not again else ():
        replay.sends(run)
    assert len(replay.accepted) == 2


def test_a_forced_mail_within_ten_minutes_of_another_needs_a_second_word(replay: Replay) -> None:
    replay.sends(forced=True)
    replay.now += timedelta(minutes=9, seconds=59)
    replay.sends(forced=True)
    assert len(replay.accepted) == 1
    replay.sends(forced=True, again=True)
    assert len(replay.accepted) == 2
    replay.now += timedelta(minutes=10)
    replay.sends(forced=True)
    assert len(replay.accepted) == 3
