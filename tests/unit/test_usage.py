"""What an answer about costs and usage does not say."""

from typing import Any

import pytest

from cost_reporting.sources.cost_explorer.usage import spans


@pytest.mark.parametrize(
    ("said", "estimated"), [({}, True), ({"Estimated": True}, True), ({"Estimated": False}, False)]
)
def test_what_aws_does_not_call_settled_is_estimated(said: dict[str, Any], estimated: bool) -> None:
    result = {"TimePeriod": {"Start": "2026-10-01", "End": "2026-10-02"}, "Groups": []} | said
    assert [span.estimated for span in spans([{"ResultsByTime": [result]}])] == [estimated]
