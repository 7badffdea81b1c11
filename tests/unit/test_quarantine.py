"""Who is left out: the rule, sign by sign."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from cost_reporting.quarantine import Kind, Sign, finding

NOW = datetime(2026, 11, 8, 6, tzinfo=UTC)


def sign(kind: Kind, days_ago: float, source: str = "") -> Sign:
    at = NOW - timedelta(days=days_ago)
    return Sign(recipient="0123456789abcdef", kind=kind, at=at, source=source or f"ledger of {at}")


def why(*signs: Sign, **more: Any) -> str | None:
    found = finding(signs, now=NOW, **more)
    return found.why if found else None


@pytest.mark.parametrize(
    ("signs", "verdict"),
    [
        ([], None),
        ([("delivered", 1)], None),
        ([("bounce", 30)], "bounced"),
        ([("bounce", 30), ("delivered", 10)], None),
        ([("delivered", 30), ("bounce", 10)], "bounced"),
        ([("complaint", 300), ("delivered", 10)], "complained"),
        ([("suppressed", 300), ("delivered", 10)], "suppressed"),
        ([("transient_bounce", 1)], None),
        ([("transient_bounce", 1), ("transient_bounce", 8)], None),
        ([("transient_bounce", 1), ("transient_bounce", 8), ("transient_bounce", 15)], "bounced_repeatedly"),
        ([("transient_bounce", 1), ("transient_bounce", 8), ("transient_bounce", 91)], None),
        ([("transient_bounce", 1), ("transient_bounce", 8), ("delivered", 9), ("transient_bounce", 15)], None),
    ],
)
def test_the_rule(signs: list[tuple[Kind, float]], verdict: str | None) -> None:
    for order in permutations(signs):
        assert why(*(sign(kind, days) for kind, days in order)) == verdict


def test_the_same_mail_does_not_bounce_three_times() -> None:
    assert why(*(sign("transient_bounce", days, "ledger of one mail") for days in (1, 2, 3))) is None


@pytest.mark.parametrize("kind", ["bounce", "complaint", "suppressed"])
def test_what_was_forgiven_counts_no_more_and_what_comes_after_does(kind: Kind) -> None:
    lifted_at = NOW - timedelta(days=5)
    assert why(sign(kind, 6), lifted_at=lifted_at) is None
    assert why(sign(kind, 6), sign(kind, 4), lifted_at=lifted_at) is not None
