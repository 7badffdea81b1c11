"""What clients are told about made-up bills: each case of ``tests/cases/figures``, with its right values.

The pages are read as HTML, which takes a tenth of the time; ``tests/replay.py`` replays the same cases as PDF.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.replay import ROOT, NoCase, read, replayed
from tests.stage import Stage

CASES = sorted((ROOT / "tests" / "cases" / "figures").glob("*.json"))


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with Stage(printed=False) as stage:
        yield stage


@pytest.fixture(autouse=True)
def environment(stage: Stage) -> None:
    """The stage's own, and not that of the other functional tests."""


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_client_is_told_what_is_true_of_its_bill(path: Path, stage: Stage) -> None:
    case = read(path)
    assert case is not None
    assert case.why, "a case says what is right, and how that was worked out"
    told, wrong = replayed(case, stage)
    assert not wrong, told.words


SOUND: dict[str, Any] = {
    "why": "31 x 2.00 = 62.00",
    "now": "2026-11-08T06:00:00Z",
    "period": "2026-10",
    "rows": [{"service": "Amazon DynamoDB", "amount": "2.00", "from": "2026-09-01", "to": "2026-11-08"}],
    "must_end": "a report",
    "must_say": ["62\\.00"],
}


def the_case(folder: Path, name: str, **changes: Any) -> Path:
    file = folder / f"{name}.json"
    file.write_text(json.dumps(SOUND | changes), encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"colour": "red"}, "colour: unknown key"),
        ({"rows": [*SOUND["rows"], {"service": "S", "amount": "1", "on": ["2026-10-01"], "tax": "1"}]}, "tax: unknown"),
        ({"changes": [{"do": "nothing"}]}, "changes.0.do"),
        ({"changes": [{"do": "amount"}]}, "amount is missing"),
        ({"rows": [{"service": "S", "amount": "1"}]}, "either on, or from and to"),
        ({"must_say": ["("]}, "no regular expression"),
        ({"answers": {"GetCostAndUsage": {}}}, "answered from the rows"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else value,
)
def test_what_is_no_case_is_an_error_that_names_what_is_wrong(
    changes: dict[str, Any], said: str, tmp_path: Path
) -> None:
    with pytest.raises(NoCase, match=said):
        read(the_case(tmp_path, "a-case", **changes))


def test_a_record_without_a_bill_is_no_case_and_no_fault(tmp_path: Path) -> None:
    file = tmp_path / "record.json"
    file.write_text('{"client_id": "acme"}', encoding="utf-8")
    assert read(file) is None


def test_a_case_that_says_the_false_thing_fails_and_says_why(stage: Stage, tmp_path: Path) -> None:
    case = read(the_case(tmp_path, "a-case", must_say=["63\\.00"], must_not_say=["62\\.00"], must_end="CostsRefused"))
    assert case is not None
    _, wrong = replayed(case, stage)
    assert [each.partition(" ")[0] for each in wrong] == ["says", "never", "ends"]


def test_the_command_prints_a_line_for_each_case_and_its_exit_code_says_how_it_went(tmp_path: Path) -> None:
    files = [the_case(tmp_path, "a-good-one"), the_case(tmp_path, "a-bad-one", must_say=["63\\.00"])]
    strange = the_case(tmp_path, "a-strange-one", colour="red")

    def replay(*cases: Path) -> tuple[int, list[str]]:
        asked = [sys.executable, "tests/replay.py", *map(str, cases)]
        done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout.splitlines()

    assert replay(files[0]) == (0, ["ok    a-good-one"])
    code, lines = replay(*files, strange)
    assert code == 2
    assert [line for line in lines if not line.startswith(" ")] == [
        "ok    a-good-one",
        "FAILS a-bad-one",
        "FAILS a-strange-one",
    ]
    assert replay(files[1])[0] == 1
