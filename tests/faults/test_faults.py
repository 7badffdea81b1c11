"""Exactly once, whatever happens: each row of the table is tried, and held against the truth."""

from collections.abc import Mapping
from concurrent.futures import Future

import pytest

from tests.faults import table
from tests.faults.laboratory import Result
from tests.faults.rows import Row
from tests.faults.stories import ALL as ROWS

pytestmark = pytest.mark.timeout(1200)  # the first test waits for the stack, and each for all that happens at once

Results = Mapping[str, "Future[Result]"]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.claim)
def test_one_mail_and_a_true_word_though(row: Row, results: Results) -> None:
    result = results[row.claim].result()
    said = [(end.word, end.said, end.outcome and end.outcome.message) for end in result.ends]
    assert (result.doubles, result.lost, result.wrong) == ([], [], []), said
    assert table.as_declared(result), [end.word for end in result.ends]


def test_the_table_stands_in_the_documentation(results: Results) -> None:
    """If not, it does now: look at what has changed, and commit it."""
    wanted = table.text(results[row.claim].result() for row in ROWS)
    there = table.FILE.read_text() if table.FILE.exists() else ""
    table.FILE.write_text(wanted)
    assert there == wanted, f"{table.FILE.name} was not up to date, and has been written anew"


def test_every_row_is_a_fault_of_its_own() -> None:
    assert len({row.claim for row in ROWS}) == len(ROWS) > 200
