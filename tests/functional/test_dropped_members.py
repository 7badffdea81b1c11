"""No member that botocore calls optional is missed in silence: each is left out of each answer, one at a time.

Every time the report is the same, or says what is missing, or there is an error with a name. The client has every
section, and its answers have every member that the service model of ``ce`` knows.
"""

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import botocore.session
import pytest

from tests.bill import Bill
from tests.marks import VERDICTS, Compared, compared
from tests.replay import Case, read
from tests.stage import Report, Stage

CASE: Final = Path(__file__).parent.parent / "cases" / "figures" / "every-section.json"
EACH: Final = "[]"
ALL: Final = os.environ.get("MEMBERS") == "all"
Json = dict[str, Any]


class Member(NamedTuple):
    """A member of an answer. ``answer`` is the operation, and of GetCostAndUsage what it is grouped by as well."""

    answer: str
    path: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.answer}: {'.'.join(self.path).replace('.[]', '[]')}"


class Answers:
    """What ``bill`` answers, each question once; ``bodies`` has every good answer by its name."""

    def __init__(self, bill: Bill) -> None:
        self._bill = bill
        self._known: dict[str, tuple[int, Json]] = {}
        self.bodies: dict[str, tuple[str, Json]] = {}

    def answer(self, operation: str, question: Json, account: str) -> tuple[int, Json]:
        """The bill's answer."""
        key = json.dumps([operation, question, account], sort_keys=True)
        if key not in self._known:
            self._known[key] = self._bill.answer(operation, question, account)
        status, body = self._known[key]
        if status == 200:
            self.bodies.setdefault(name_of(operation, question), (operation, body))
        return status, body


def name_of(operation: str, question: Json) -> str:
    """The operation, and what it is grouped by."""
    return " ".join((operation, *(by["Key"] for by in question.get("GroupBy", ()))))


class Lossy:
    """Answers that lack ``member``: in every element of the lists above it, or in the first that has it only."""

    def __init__(self, answers: Answers, member: Member, *, first_only: bool) -> None:
        self._answers, self._member, self._first_only = answers, member, first_only

    def answer(self, operation: str, question: Json, account: str) -> tuple[int, Json]:
        """The answer, less the member."""
        status, body = self._answers.answer(operation, question, account)
        if status == 200 and self._member.answer == name_of(operation, question):
            body = deepcopy(body)
            _drop(body, self._member.path, first_only=self._first_only)
        return status, body


def _drop(value: Any, path: tuple[str, ...], *, first_only: bool) -> bool:
    """Delete the member at ``path``, and say whether it was there."""
    step, *rest = path
    if step == EACH:
        dropped = (_drop(each, tuple(rest), first_only=first_only) for each in value)
        return any(dropped) if first_only else any(list(dropped))
    if step not in value:
        return False
    if rest:
        return _drop(value[step], tuple(rest), first_only=first_only)
    del value[step]
    return True


def optional(shape: Any, value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The members that are there and that ``shape`` does not require. The entries of a map are optional, too."""
    if shape.type_name == "list":
        for each in value:
            yield from optional(shape.member, each, (*path, EACH))
    if shape.type_name == "map":
        for key, each in value.items():
            yield (*path, key)
            yield from optional(shape.value, each, (*path, key))
    if shape.type_name == "structure":
        assert value.keys() <= shape.members.keys(), (
            f"{path}: {shape.name} has no {value.keys() - shape.members.keys()}"
        )
        for name, each in value.items():
            if name not in shape.required_members:
                yield (*path, name)
            yield from optional(shape.members[name], each, (*path, name))


@cache
def _shapes() -> Any:
    return botocore.session.get_session().get_service_model("ce")


def members(bodies: dict[str, tuple[str, Json]]) -> list[Member]:
    """Every optional member of the answers, each once."""
    return [
        Member(name, path)
        for name, (operation, body) in bodies.items()
        for path in dict.fromkeys(optional(_shapes().operation_model(operation).output_shape, body))
    ]


class Found(NamedTuple):
    """What became of the report without a member."""

    member: Member
    where: str
    result: Compared

    def __str__(self) -> str:
        more = "; ".join(f"{sign}{line}" for sign, of in zip("-+", self.result[1:3], strict=True) for line in of[:8])
        return f"{self.result.verdict:16}{self.member} ({self.where}) {sorted(self.result.figures)[:6]} {more[:400]}"


def drop_each(case: Case, stage: Stage) -> Iterator[Found]:
    """Leave out each member: everywhere, and, where that changes something, of the first element alone.

    What is inside a member that changes nothing is not read, and is not tried; neither is the first element of answers
    that have no periods. ``MEMBERS=all`` tries those as well.
    """
    unread: list[Member] = []
    answers = Answers(case.bill)
    whole = case.told(answers, stage)
    assert isinstance(whole, Report), whole
    for member in members(answers.bodies):
        if any(member.answer == each.answer and member.path[: len(each.path)] == each.path for each in unread):
            continue
        for where in ("everywhere", "first"):
            told = case.told(Lossy(answers, member, first_only=where == "first"), stage, known=whole)
            result = compared(whole, told)
            yield Found(member, where, result)
            if result.verdict == "unchanged" and where == "everywhere" and not ALL:
                unread.append(member)
            has_first = EACH in member.path and (ALL or member.answer.startswith("GetCostAndUsage"))
            if not has_first or result.verdict == "unchanged":
                break


@pytest.mark.timeout(1800 if ALL else 600)
def test_a_member_that_is_not_there_is_never_missed_in_silence(capsys: pytest.CaptureFixture[str]) -> None:
    case = read(CASE)
    assert case is not None
    with Stage(printed=False) as stage:
        found = list(drop_each(case, stage))
    counts = Counter(each.result.verdict for each in found)
    with capsys.disabled():
        dropped = len({each.member for each in found})
        sys.stdout.write(f"\n{dropped} members dropped, {len(found)} reports: {table(counts)}\n")
    assert [str(each) for each in found if each.result.verdict in ("silent", "nameless")] == []
    assert counts["marked"], "nothing was found missing at all"


def table(counts: Counter[str]) -> str:
    """The counts, each verdict with its number."""
    return ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS)
