"""The steps of a key's rotation, from the facts alone: from wherever it is, it ends with one key."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from cost_reporting.credentials import LEASE, PAUSE, Key, Rotation, judged, masked, next_step
from cost_reporting.errors import RotationStopped

NOW = datetime(2026, 11, 8, 6, tzinfo=UTC)
OLD = "AKIAOLDOLDOLDOLDOLD1"


class Account:
    """A user's keys and the secret that holds one of them, with AWS's limits."""

    def __init__(self) -> None:
        self.keys = {OLD: True}
        self.current, self.pending, self.made = OLD, None, 0
        self.rotation = Rotation(replaces=OLD, known=(OLD,), began_at=NOW, holder="me", until=NOW + LEASE)
        self.pending: str | None = None

    def step(self, *, dies: bool) -> str:
        """Take the next step; ``dies``: after the first of its two halves, if it has two."""
        keys = {name: Key(key_id=name, active=active, created_at=NOW) for name, active in self.keys.items()}
        step = next_step(self.rotation, self.current, self.pending, keys, NOW)
        name = step.key_id or ""
        match step.action:
            case "create":
                assert len(self.keys) < 2, "IAM refuses a third key"
                self.made += 1
                self.keys[f"AKIANEW{self.made:013d}"] = True
                self.pending = self.pending if dies else f"AKIANEW{self.made:013d}"
            case "promote":
                assert self.keys[name]
                self.current = name
            case "drop_pending":
                self.pending = None
            case "discard":
                self.keys.pop(name, None)
                self.pending = self.pending if dies else None
            case "delete_lost":
                assert name not in (self.current, self.pending, OLD)
                del self.keys[name]
            case "pause":
                self.rotation = self.rotation.model_copy(update={"promoted_at": NOW - PAUSE})
            case "deactivate":
                assert name == OLD != self.current
                self.keys[name] = False
            case "delete":
                assert not self.keys[name]
                del self.keys[name]
        assert self.keys[self.current], "what a run reads works, whatever happens"
        return step.action


@given(some.lists(some.booleans(), max_size=12))
def test_however_often_it_dies_it_ends_with_one_key_that_is_stored(deaths: list[bool]) -> None:
    account = Account()
    dying = iter(deaths)
    for _ in range(40):
        if account.step(dies=next(dying, False)) == "close":
            break
    else:
        raise AssertionError("it does not end")
    assert account.keys == {account.current: True}
    assert account.current != OLD
    assert account.pending is None


def test_a_key_that_was_there_before_is_never_deleted() -> None:
    account = Account()
    account.rotation = account.rotation.model_copy(update={"known": (OLD, "AKIATHEIRS0000000001")})
    account.keys["AKIATHEIRS0000000001"] = True
    with pytest.raises(RotationStopped, match="AKIA…0001, that this rotation did not make"):
        account.step(dies=False)


def test_the_old_key_is_left_alone_until_runs_that_have_read_it_are_over() -> None:
    account = Account()
    while account.current == OLD or account.pending:
        account.step(dies=False)
    for ago, action in ((PAUSE - timedelta(seconds=1), "pause"), (PAUSE, "deactivate")):
        account.rotation = account.rotation.model_copy(update={"promoted_at": NOW - ago})
        keys = {name: Key(key_id=name, active=active, created_at=NOW) for name, active in account.keys.items()}
        assert next_step(account.rotation, account.current, None, keys, NOW).action == action


def test_a_limit_is_passed_the_day_after_it_and_what_nobody_knows_is_due() -> None:
    assert judged(NOW - timedelta(days=90), 90, NOW) == ("ok", 90)
    assert judged(NOW - timedelta(days=91), 90, NOW) == ("due", 91)
    assert judged(None, 90, NOW) == ("due", None)


def test_a_masked_key_is_not_the_key() -> None:
    assert masked(OLD) == "AKIA…OLD1"
