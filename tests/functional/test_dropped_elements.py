"""What one answer lacks and another one has is never printed as a zero, a percentage, as new or as gone.

A bill is taken, and one element is left out of one answer: a day or a month, all groups of it, or one group. Days and
record types tell the same of both periods; accounts, regions and tags tell it once more. ``ALONE`` names what no second
answer covers: there, nothing may break, and nothing may become 0.00.

The amounts of the bill are such that no true difference is 0.00. Which elements are tried is fixed; ``ELEMENTS=all``
tries each of them.
"""

import os
import random
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, Final, NamedTuple

import pytest

from tests.bill import FIRST, Bill, Row
from tests.marks import ZERO, compared, lines
from tests.replay import Case
from tests.stage import Refused, Report, Stage, Told

ECS, CDN, SUPPORT = "Amazon Elastic Container Service", "Amazon CloudFront", "AWS Support (Business)"
OTHER: Final = "210000000007"
NAMES: Final = {FIRST: "red", OTHER: "blue"}
START, TODAY = date(2025, 10, 1), date(2026, 11, 8)
BILLED: Final = [START + timedelta(days=n) for n in range((TODAY - START).days)]
Json = dict[str, Any]

ALONE: Final[Mapping[str, str]] = {
    "GetCostAndUsage SERVICE RECORD_TYPE": "months before the two periods: no other question reaches back so far",
    "GetCostAndUsage SERVICE": "days of the running month, which are asked for the forecast only",
    "GetCostForecast": "one bucket, and a total that the report does not use",
    "GetAnomalies": "each anomaly stands for itself",
    "GetSavingsPlansCoverage": "sums of the account, once",
    "GetSavingsPlansUtilization": "sums of the account, once",
    "GetSavingsPlansUtilizationDetails": "each plan stands for itself",
    "GetReservationCoverage": "sums of the account, once",
    "GetReservationUtilization": "sums of the account, once",
    "GetSavingsPlansPurchaseRecommendation": "each advice stands for itself",
    "GetRightsizingRecommendation": "each advice stands for itself",
}
"""Answers, or the parts of them, that no second answer covers, and why."""


class Element(NamedTuple):
    """A day or month (``start``) of the answer grouped by ``by``: ``key`` is a group, else ``what`` says what goes."""

    by: tuple[str, ...]
    start: date
    what: str
    key: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " ".join(("+".join(self.by), self.start.isoformat(), self.what, *self.key))


class Without:
    """A bill of which one element is left out."""

    def __init__(self, bill: Bill, element: Element | None) -> None:
        self._bill, self._element = bill, element
        self.seen: dict[Element, None] = {}

    def answer(self, operation: str, question: Json, account: str) -> tuple[int, Json]:
        """The bill's answer, less the element."""
        status, body = self._bill.answer(operation, question, account)
        by = tuple(each["Key"] for each in question.get("GroupBy", ()))
        if status == 200 and operation == "GetCostAndUsage":
            kept = [result for result in body["ResultsByTime"] if self._keeps(by, result)]
            body["ResultsByTime"] = kept
        return status, body

    def _keeps(self, by: tuple[str, ...], result: Json) -> bool:
        start = date.fromisoformat(result["TimePeriod"]["Start"])
        self.seen |= dict.fromkeys(Element(by, start, what) for what in ("left out", "without groups"))
        self.seen |= dict.fromkeys(Element(by, start, "without", tuple(group["Keys"])) for group in result["Groups"])
        if self._element is None or (by, start) != (self._element.by, self._element.start):
            return True
        gone = [
            group for group in result["Groups"] if not self._element.key or tuple(group["Keys"]) == self._element.key
        ]
        result["Groups"] = [group for group in result["Groups"] if group not in gone]
        return self._element.what != "left out"


def _rows() -> Iterator[Row]:
    """Amounts that differ from day to day, and never by the same in two periods."""
    for n, day in enumerate(BILLED):
        odd = 37 * (n % 7) + 11 * (n % 31) + n
        ecs, blue, cdn, credit = (
            Decimal(cents) / 100 for cents in (4000 + odd, 500 + odd // 3, 400 + odd // 5, -40 - n)
        )
        yield Row(service=ECS, amount=ecs, on=(day,), tags={"Team": "red"})
        yield Row(service=ECS, amount=blue, on=(day,), account=OTHER, region="eu-west-1", tags={"Team": "blue"})
        yield Row(service=CDN, amount=cdn, on=(day,), region="global")
        yield Row(service=ECS, record_type="Credit", amount=credit, on=(day,), tags={"Team": "red"})
        if day.day == 1:
            yield Row(service=SUPPORT, record_type="Support", amount=ecs, on=(day,))


FORECAST: Final = {
    "MeanValue": "1201.17",
    "PredictionIntervalLowerBound": "1100.31",
    "PredictionIntervalUpperBound": "1300.53",
}
RUNS: Final[Mapping[str, Json]] = {
    "month": {"period": "2026-10", "now": "2026-11-08T06:00:00Z"},
    "preliminary month": {"period": "2026-10", "now": "2026-11-08T06:00:00Z", "issue": "preliminary"},
    "week": {"period": "2026-W42", "now": "2026-10-20T06:00:00Z", "cadence": "weekly", "issue": "preliminary"},
}


@cache
def a_case(run: str) -> Case:
    """The bill, told in a month's or a week's report."""
    client = {
        "sections": ["accounts", "regions", "tags", "forecast"],
        "tag_keys": ["Team"],
        "cadences": ["monthly", "weekly"],
        "preliminary": True,
    }
    today = RUNS[run]["now"][:10]
    end = "2026-11-01" if today < "2026-11" else "2026-12-01"
    forecast = {"ForecastResultsByTime": [FORECAST | {"TimePeriod": {"Start": today, "End": end}}]}
    answers = {"GetCostForecast": forecast}
    return Case.model_validate(
        {"rows": tuple(_rows()), "names": NAMES, "client": client, "answers": answers} | RUNS[run]
    )


def is_covered(run: str, element: Element) -> bool:
    """Whether a second answer tells the same."""
    first, end = (date(2026, 10, 5), date(2026, 10, 19)) if run == "week" else (date(2026, 9, 1), date(2026, 11, 1))
    return first <= element.start < end


def chosen(run: str, seen: list[Element]) -> list[Element]:
    """The first and last days of both periods, one in the middle and the two months; some of the others by lot.

    A preliminary month differs from a final one in what is said of its last days only.
    """
    if os.environ.get("ELEMENTS") == "all":
        return seen
    if run == "preliminary month":
        return [element for element in seen if date(2026, 10, 29) <= element.start < date(2026, 11, 1)]
    days = {date(2026, 9, day) for day in (1, 16, 29, 30)} | {date(2026, 10, day) for day in (1, 15, 30, 31)}
    if run == "week":
        days = {date(2026, 10, day) for day in (19, 22, 25, 26, 28, 31)} | {date(2026, 11, 1)}
    days |= {date(2026, 11, 7), date(2026, 6, 1)}
    fixed = [
        element for element in seen if element.start in days or (len(element.by) == 1 and element.by != ("SERVICE",))
    ]
    others = [element for element in seen if element not in fixed]
    return fixed + random.Random(run).sample(others, 12)


def _counted(report: Report) -> Counter[str]:
    """How often it prints a zero, or says that something is new or gone."""
    found: Counter[str] = Counter()
    for line in lines(report):
        found["0.00"] += len(ZERO.findall(line))
        found["new"] += bool(re.search(r" new( |$)|^Services new|in use again", line))
        found["gone"] += bool(re.search(r"nothing now|without costs now|−100 %", line))
    return found


def faults(run: str, element: Element, whole: Report, told: Told) -> list[str]:
    """What is false in the report that lacks ``element``."""
    result = compared(whole, told, may_change=True)
    if result.verdict == "nameless":
        return ["breaks: " + result.come[0][:200]]
    if isinstance(told, Refused):
        optional = "RECORD_TYPE" not in element.by and element.by != ("SERVICE",)
        return [f"a section ends the report: {told.words[:160]}"] if optional else []
    assert isinstance(told, Report)
    more = {word: _counted(told)[word] - count for word, count in _counted(whole).items()}
    wrong = [f"{count} more that is {word}" for word, count in more.items() if count > 0]
    if not is_covered(run, element):
        return [each for each in wrong if each.endswith("0.00")]
    percentages = sorted(figure for figure in result.figures if figure.endswith("%"))
    if result.verdict == "silent":
        wrong.append(f"nothing says so: {[*result.gone[:3]]} became {[*result.come[:3]]}, percentages {percentages}")
    return wrong


@pytest.mark.timeout(600)
@pytest.mark.parametrize("run", RUNS)
def test_what_one_answer_lacks_is_no_zero_no_percentage_not_new_and_not_gone(run: str) -> None:
    case = a_case(run)
    with Stage(printed=False) as stage:
        listened = Without(case.bill, None)
        whole = case.told(listened, stage)
        assert isinstance(whole, Report), whole
        assert not _counted(whole)["0.00"], "the bill itself has a zero"
        found = [
            f"{element}: {fault}"
            for element in chosen(run, list(listened.seen))
            for fault in faults(run, element, whole, case.told(Without(case.bill, element), stage, known=whole))
        ]
    assert found == []


def test_each_answer_without_a_second_view_is_one_that_reports_ask_for() -> None:
    """The table of ``ALONE`` names no answer that nothing asks for."""
    from tests.functional.test_dropped_members import CASE, Answers
    from tests.replay import read

    case = read(CASE)
    assert case is not None
    answers = Answers(case.bill)
    with Stage(printed=False) as stage:
        assert isinstance(case.told(answers, stage), Report)
    twice = {f"GetCostAndUsage {by}" for by in ("LINKED_ACCOUNT", "REGION", "Project")}
    assert answers.bodies.keys() - twice == ALONE.keys()
