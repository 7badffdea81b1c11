"""What an answer about costs and usage does not say."""

from typing import Any

import pytest

from cost_reporting.sources.cost_explorer.usage import Span, spans


def span(*said: dict[str, Any]) -> Span:
    """A day, as each of several pages speaks of it."""
    day = {"TimePeriod": {"Start": "2026-10-01", "End": "2026-10-02"}, "Groups": []}
    (found,) = spans([{"ResultsByTime": [day | each]} for each in said])
    return found


def test_a_day_is_estimated_if_a_page_says_so() -> None:
    assert not span({"Estimated": False}, {"Estimated": False}).estimated
    assert span({"Estimated": False}, {"Estimated": True}).estimated


@pytest.mark.parametrize("said", [[{}], [{}, {"Estimated": False}], [{"Estimated": False}, {}]])
def test_a_day_of_which_something_is_not_said_to_be_final_is_neither_final_nor_estimated(said: Any) -> None:
    assert span(*said).estimated is None
