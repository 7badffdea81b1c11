"""Every member that botocore's model of an answer does not require, left out in turn: never an error without a name."""

import copy
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

import botocore.session
import pytest
from botocore.model import Shape

from cost_reporting import aws
from cost_reporting.clients import Section
from cost_reporting.contracts import Period
from cost_reporting.costs import DayCosts, Line, NotAvailable, Savings
from cost_reporting.errors import CostReportingError
from cost_reporting.sources.access import Reader
from cost_reporting.sources.cost_explorer import asking
from cost_reporting.sources.cost_explorer.asking import Questions
from cost_reporting.sources.cost_explorer.reading import Reading, read
from cost_reporting.sources.cost_explorer.sections import Asked, ask_all
from local.accounts import ACCOUNTS
from local.cost_explorer import CostExplorer
from tests.builders import a_client, a_run

NORTHWIND = "210000000001"
NOW = datetime(2026, 11, 8, 6, 0, 3, tzinfo=UTC)
PREVIOUS = Period(start=date(2026, 9, 1), end=date(2026, 10, 1))
SECTIONS: tuple[Section, ...] = ("accounts", "regions", "tags", "forecast", "anomalies", "commitments", "savings")
OF: dict[str, Section | None] = {
    "GetCostAndUsage": None,
    "GetCostForecast": "forecast",
    "GetAnomalies": "anomalies",
    "GetSavingsPlansCoverage": "commitments",
    "GetSavingsPlansUtilization": "commitments",
    "GetSavingsPlansUtilizationDetails": "commitments",
    "GetReservationCoverage": "commitments",
    "GetReservationUtilization": "commitments",
    "GetSavingsPlansPurchaseRecommendation": "savings",
    "GetRightsizingRecommendation": "savings",
}
MAY_CHANGE = {
    ("GetCostAndUsage", "Attributes"): "the name of an account",
    ("GetCostAndUsage", "Value"): "the name of an account",
    ("GetCostAndUsage", "DimensionValueAttributes"): "the names of accounts",
    ("GetCostForecast", "PredictionIntervalLowerBound"): "the range, which is not known without both",
    ("GetCostForecast", "PredictionIntervalUpperBound"): "the range, which is not known without both",
    ("GetAnomalies", "AnomalyEndDate"): "the last day, which is not known",
    ("GetAnomalies", "RootCauses"): "where it was",
    ("GetAnomalies", "Region"): "where it was",
    ("GetAnomalies", "UsageType"): "what it was",
    ("GetAnomalies", "LinkedAccount"): "whose it was",
    ("GetAnomalies", "TotalExpectedSpend"): "what was expected, which is not known",
    ("GetRightsizingRecommendation", "InstanceName"): "what an instance is called",
    ("GetRightsizingRecommendation", "Region"): "where an instance is",
    ("GetRightsizingRecommendation", "InstanceType"): "of what type an instance is, or would be: ?",
    ("GetRightsizingRecommendation", "ResourceDetails"): "of what type an instance is, or would be: ?",
    ("GetRightsizingRecommendation", "EC2ResourceDetails"): "of what type an instance is, or would be: ?",
    ("GetRightsizingRecommendation", "DefaultTargetInstance"): "which of several targets AWS prefers",
    ("GetSavingsPlansPurchaseRecommendation", "AccountId"): "whose advice it is: the answering account's",
}
"""What a report says otherwise, without an amount that is not among AWS's own."""


class Canned:
    """A Cost Explorer that answers what it has answered before, but for one change."""

    def __init__(self, explorer: CostExplorer) -> None:
        self.answers: dict[tuple[str, str], Any] = {}
        self.changed: dict[tuple[str, str], Any] = {}
        self._explorer = explorer

    def __getattr__(self, method: str) -> Any:
        operation = next(name for name in (*OF, "GetAnomalyMonitors") if aws.method(name) == method)

        def call(**question: Any) -> Any:
            key = operation, json.dumps(question, sort_keys=True)
            if key not in self.answers:
                status, body = self._explorer.answer(operation, question, NORTHWIND)
                assert status == 200, body
                self.answers[key] = body
            return copy.deepcopy(self.changed.get(key, self.answers[key]))

        return call


@cache
def canned() -> Canned:
    return Canned(CostExplorer(ACCOUNTS, lambda: NOW, page_size=100_000))


def questions() -> Questions:
    keys = aws.Credentials(access_key_id="a", secret_access_key="b")
    return Questions("acme", Reader(account_id=NORTHWIND, credentials=keys))


def reading() -> Reading:
    """What every report asks."""
    return read(
        questions(),
        a_client(client_id="acme", sections=()),
        a_run(),
        name="Acme",
        previous=PREVIOUS,
        history=Period(start=date(2025, 10, 1), end=date(2026, 11, 1)),
        today=NOW.date(),
    )


@cache
def november() -> tuple[DayCosts, ...]:
    """The running month, for the forecast."""
    return tuple(
        DayCosts(day=date(2026, 11, day), estimated=True, lines=(Line(key="A", amount=Decimal(3)),))
        for day in range(1, 8)
    )


def section(name: Section) -> Any:
    client = a_client(client_id="acme", sections=(name,), tag_keys=("Environment",) if name == "tags" else ())
    return ask_all(Asked(questions(), client, a_run(), PREVIOUS, NOW.date(), november(), "USD"))[name]


def section_of(operation: str, question: str) -> Section | None:
    """Whose question it is; None: of every report."""
    for word, name in (("LINKED_ACCOUNT", "accounts"), ('"REGION"', "regions"), ('"TAG"', "tags")):
        if word in question:
            return name  # type: ignore[return-value]
    return OF[operation]


@pytest.fixture(autouse=True)
def explorer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Canned]:
    monkeypatch.setattr(asking, "_connected", lambda account: canned())
    yield canned()
    canned().changed.clear()


@cache
def outputs() -> Any:
    return botocore.session.get_session().get_service_model("ce")


def optional(shape: Shape, body: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to each member that is there and not required, of the first and the last element of each list."""
    if shape.type_name == "structure" and isinstance(body, dict):
        for name, member in shape.members.items():  # type: ignore[attr-defined]
            if name in body:
                if name not in shape.required_members:  # type: ignore[attr-defined]
                    yield (*way, name)
                yield from optional(member, body[name], (*way, name))
    elif shape.type_name == "list" and body:
        for at in dict.fromkeys((0, len(body) - 1)):
            yield from optional(shape.member, body[at], (*way, at))  # type: ignore[attr-defined]
    elif shape.type_name == "map" and body:
        name = next(iter(body))
        yield from optional(shape.value, body[name], (*way, name))  # type: ignore[attr-defined]


def dropped(body: Any, way: tuple[Any, ...]) -> Any:
    changed = copy.deepcopy(body)
    at = changed
    for step in way[:-1]:
        at = at[step]
    del at[way[-1]]
    return changed


def figures(section: Any) -> Counter[str]:
    """The amounts in a section, as text."""
    return Counter(each for each in _leaves(section) if each.lstrip("-").replace(".", "").isdigit())


def _leaves(part: Any) -> Iterator[str]:
    if hasattr(part, "model_dump"):
        part = part.model_dump(mode="json")
    elif hasattr(part, "__dataclass_fields__"):
        part = vars(part)
    if isinstance(part, dict):
        for each in part.values():
            yield from _leaves(each)
    elif isinstance(part, list | tuple):
        for each in part:
            yield from _leaves(each)
    elif part is not None:
        yield str(part)


def outcome(name: Section | None) -> Any:
    return reading() if name is None else section(name)


def refused_or(name: Section | None) -> Any:
    try:
        return outcome(name)
    except CostReportingError as error:
        return error


@pytest.mark.parametrize("operation", OF)
def test_a_member_that_is_left_out_is_named_or_unknown_and_never_another_figure(
    operation: str, explorer: Canned
) -> None:
    wholes = {name: outcome(name) for name in (None, *SECTIONS)}
    told, shape = Counter[str](), outputs().operation_model(operation).output_shape
    asked = [(key, body) for key, body in explorer.answers.items() if key[0] == operation]
    for (key, body), way in ((each, way) for each in asked for way in optional(shape, each[1])):
        name, said = section_of(*key), f"{operation} without {'.'.join(map(str, way))}"
        whole = wholes[name]
        explorer.changed = {key: dropped(body, way)}
        found = refused_or(name)
        if isinstance(found, CostReportingError):
            assert name is None, f"{said}: a section ends no report"
            assert str(found).startswith("acme: "), said
            told["refused by name"] += 1
            continue
        new = [gap for gap in gaps(found) if gap not in gaps(whole)]
        if found == whole:
            told["the same"] += 1
        elif new:
            assert {gap.error for gap in new} == {"CostsUnreadable"}, said
            told["not available"] += 1
        elif isinstance(found, Reading) and set(found.days) < set(whole.days) and found.spans == whole.spans:
            told["a day is absent, and not zero"] += 1
        else:
            member = next(step for step in reversed(way) if isinstance(step, str))
            assert (operation, member) in MAY_CHANGE, said
            assert figures(found) <= figures(whole), said
            told["less is said"] += 1
    print(f"{operation}: {dict(told)}")  # noqa: T201 - shown by -s
    assert told.total() > 2


def gaps(found: Any) -> list[NotAvailable]:
    """What is not available: a whole section, or a part of one."""
    if isinstance(found, Savings):
        return [part for _, part in found if isinstance(part, NotAvailable)]
    return [found] if isinstance(found, NotAvailable) else []
