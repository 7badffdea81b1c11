"""How long a run may take, from its number of clients."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cost_reporting.domain.run_time import CLIENT_SECONDS, LONGEST_CLIENT, SLOW_CLIENT, RunTime

MINUTES, HOURS = timedelta(minutes=1), timedelta(hours=1)
WAITS = (timedelta(minutes=30), timedelta(hours=2))
TIMES = st.builds(
    RunTime,
    clients=st.integers(0, 10_000),
    at_once=st.integers(1, 1000),
    client_seconds=st.integers(1, 3600),
    waits=st.sampled_from([(), WAITS, (timedelta(days=1),) * 5]),
)


@pytest.mark.parametrize(
    ("clients", "at_once", "work"),
    [
        (0, 5, 10 * MINUTES),
        (1, 5, 10 * MINUTES + timedelta(seconds=16)),
        (5, 5, 10 * MINUTES + timedelta(seconds=16)),
        (6, 5, 10 * MINUTES + timedelta(seconds=32)),
        (1000, 5, timedelta(seconds=3800)),
        (10_000, 5, timedelta(seconds=32_600)),
        (10_000, 20, timedelta(seconds=8600)),
        (12, 1000, 10 * MINUTES + timedelta(seconds=16)),
    ],
)
def test_a_run_may_work_for_as_many_rounds_as_its_clients_need_and_ten_minutes(
    clients: int, at_once: int, work: timedelta
) -> None:
    assert RunTime(clients=clients, at_once=at_once).work == work


def test_10_000_clients_at_twice_the_expected_pace_are_within_their_time() -> None:
    """They were not within the nine hours that every run had before."""
    ten_thousand = RunTime(clients=10_000, at_once=5, waits=WAITS)
    assert ten_thousand.work >= 2 * (10_000 / 5) * timedelta(seconds=8)
    assert ten_thousand.at_most > 9 * HOURS


@given(TIMES)
def test_what_is_seen_from_outside_is_never_less_than_the_work_and_a_client_is_missed_last(time: RunTime) -> None:
    assert SLOW_CLIENT <= time.work <= time.under_way < time.at_most
    assert time.under_way - time.work == sum(time.waits, timedelta())
    assert time.at_most - time.under_way == (len(time.waits) + 1) * LONGEST_CLIENT


@given(TIMES, st.sampled_from(["clients", "client_seconds"]))
def test_more_clients_or_slower_ones_never_have_less_time_and_more_at_once_never_more(time: RunTime, name: str) -> None:
    more = time.model_copy(update={name: getattr(time, name) + 1})
    assert more.work >= time.work
    assert time.model_copy(update={"at_once": time.at_once + 1}).work <= time.work


def test_the_expected_pace_lets_a_list_of_any_length_through_in_its_time() -> None:
    """8 s a client, whatever the number at once: the average is doubled, so the list never outgrows its time."""
    lengths = [1, 12, 300, 1000, 5000, 10_000]
    for at_once in (1, 5, 20, 1000):
        left = [RunTime(clients=n, at_once=at_once).work - -(-n // at_once) * timedelta(seconds=8) for n in lengths]
        assert all(before <= after for before, after in pairwise(left))
    assert CLIENT_SECONDS == 2 * 8


@pytest.mark.parametrize("wrong", [{"clients": -1}, {"at_once": 0}, {"client_seconds": 0}])
def test_there_is_no_time_of_nothing_at_once(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        RunTime.model_validate({"clients": 1, "at_once": 1} | wrong)
