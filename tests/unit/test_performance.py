"""The system's own figures, from REPORT lines as Lambda writes them."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cost_reporting import prices
from cost_reporting.performance import (
    FunctionFacts,
    FunctionFigures,
    Invocation,
    PerformanceReport,
    Work,
    figures_of,
    parse_report,
    percentile,
    performance_report,
    suggestions,
)
from cost_reporting.periods import parse

ID = "8a3b6c1e-6f1d-4c0e-9a55-0d0d0f9f7a11"
COLD = (
    f"REPORT RequestId: {ID}\tDuration: 812.31 ms\tBilled Duration: 2403 ms\tMemory Size: 512 MB\t"
    "Max Memory Used: 131 MB\tInit Duration: 1590.20 ms\t\n"
    "XRAY TraceId: 1-5f5e8ecf-1d6cd1b4a9e1c34d8a2f1e0b\tSegmentId: 0f3c2a1b4d5e6f70\tSampled: true\t\n"
)
WARM = (
    f"REPORT RequestId: {ID}\tDuration: 41.07 ms\tBilled Duration: 42 ms\tMemory Size: 512 MB\t"
    "Max Memory Used: 132 MB\t\n"
)
LATE = (
    f"REPORT RequestId: {ID}\tDuration: 120000.00 ms\tBilled Duration: 120000 ms\tMemory Size: 1769 MB\t"
    "Max Memory Used: 600 MB\tStatus: timeout\t\n"
)
DEAD = (
    f"REPORT RequestId: {ID}\tDuration: 950.00 ms\tBilled Duration: 950 ms\tMemory Size: 128 MB\t"
    "Max Memory Used: 128 MB\tStatus: error\tError Type: Runtime.OutOfMemory\t\n"
)
WORK = Work(reports_sent=10, mails=20, paid_requests=22, transitions=80)


def a_function(*lines: str, **changes: Any) -> FunctionFacts:
    done = tuple(filter(None, map(parse_report, lines)))
    facts = {"name": "cost-reporting-fetch-costs", "states": ("Fetch Costs",), "architecture": "x86_64"}
    sizes = {"memory_mb": 512, "timeout_s": 120, "invocations": done}
    return FunctionFacts.model_validate(facts | sizes | changes)


def report(*functions: FunctionFacts, work: Work | None = WORK) -> PerformanceReport:
    at = datetime(2026, 11, 17, tzinfo=UTC)
    return performance_report(functions, work, cadence="weekly", period=parse("2026-W46"), read_at=at)


def test_a_cold_start_s_report_line_is_read() -> None:
    assert parse_report(COLD) == Invocation(
        duration_ms=Decimal("812.31"),
        billed_ms=Decimal(2403),
        memory_mb=512,
        used_mb=131,
        init_ms=Decimal("1590.20"),
        timed_out=False,
        error=None,
    )


def test_warm_late_and_dead_invocations_are_told_apart() -> None:
    warm, late, dead = (parse_report(line) for line in (WARM, LATE, DEAD))
    assert warm is not None
    assert late is not None
    assert dead is not None
    assert (warm.init_ms, warm.timed_out, warm.error) == (None, False, None)
    assert (late.timed_out, dead.error) == (True, "Runtime.OutOfMemory")


@pytest.mark.parametrize(
    "line", [f"START RequestId: {ID} Version: $LATEST", '{"REPORT RequestId": 1}', "", "REPORT of a client"]
)
def test_other_lines_are_no_reports(line: str) -> None:
    assert parse_report(line) is None


@pytest.mark.parametrize("damage", ["Duration: 812.31", "Memory Size: 512", "812.31", "2403"])
def test_a_report_line_without_what_every_one_has_is_an_error(damage: str) -> None:
    with pytest.raises(ValueError, match="REPORT line without"):
        parse_report(COLD.replace(damage, "x"))


@given(st.text(max_size=200))
def test_no_line_is_read_as_something_else(text: str) -> None:
    assert parse_report(text) is None
    with pytest.raises(ValueError, match="REPORT line"):
        parse_report(f"REPORT RequestId: {text}")


def test_figures_are_those_of_the_lines() -> None:
    figures = figures_of(a_function(COLD, WARM, WARM, LATE))
    assert (figures.invocations, figures.cold_starts, figures.cold_rate) == (4, 1, Decimal("0.25"))
    assert (figures.p50_ms, figures.p95_ms, figures.max_ms) == (Decimal("41.07"), Decimal(120_000), Decimal(120_000))
    assert (figures.used_mb, figures.timeouts) == (600, 1)
    billed = Decimal(2403 + 42 + 42) * 512 + Decimal(120_000) * 1769
    assert figures.gb_seconds == billed / 1024 / 1000


@given(st.lists(st.decimals(0, 10**6, places=2), min_size=1, max_size=60), st.integers(1, 100))
def test_a_percentile_is_a_value_that_occurred_and_covers_its_share(values: list[Decimal], percent: int) -> None:
    found = percentile(values, percent)
    assert found in values
    assert sum(value <= found for value in values) * 100 >= percent * len(values)
    assert sum(value < found for value in values) * 100 < percent * len(values)


def test_a_function_that_did_nothing_has_no_durations_and_one_that_cannot_be_read_has_no_counts() -> None:
    idle, unread = figures_of(a_function()), figures_of(a_function(invocations=None))
    assert (idle.invocations, idle.p50_ms, idle.cold_rate, idle.used_mb) == (0, None, None, None)
    assert (unread.invocations, unread.cold_starts, unread.gb_seconds, unread.timeouts) == (None, None, None, None)


# -- cost -------------------------------------------------------------------------------------------------------------


def test_costs_add_up_and_are_divided_by_the_reports_sent() -> None:
    shown = report(a_function(COLD, WARM), a_function(LATE, name="cost-reporting-render-pdf", architecture="arm64"))
    assert shown.usd == sum(line.usd for line in shown.costs)
    assert shown.usd_per_report == shown.usd / 10
    costs = {line.what: (line.quantity, line.usd) for line in shown.costs}
    assert costs["requests to Cost Explorer"] == (22, Decimal("0.22"))
    assert costs["state transitions"] == (80, Decimal("0.002"))
    assert costs["mails through SES"] == (20, Decimal("0.002"))
    assert costs["GB-seconds of Lambda on x86"] == (
        Decimal("1.2225"),
        Decimal("1.2225") * Decimal("0.0000166667"),
    )
    assert costs["GB-seconds of Lambda on Arm"][0] == Decimal("207.3046875")


def test_without_reports_there_is_no_cost_per_report() -> None:
    assert report(a_function(COLD), work=WORK.model_copy(update={"reports_sent": 0})).usd_per_report is None
    assert report(a_function(COLD), work=None).usd_per_report is None


def test_what_the_sums_lack_is_said() -> None:
    unread = a_function(invocations=None, name="cost-reporting-a")
    lossy = a_function(COLD, name="cost-reporting-b", counted=Decimal(5), unreadable=2)
    said = "\n".join(report(unread, lossy, work=None).unknowns)
    assert "cost-reporting-a: its log could not be read" in said
    assert "cost-reporting-b: CloudWatch counts 4 more" in said
    assert "cost-reporting-b: 2 REPORT lines could not be read" in said
    assert "transitions, Cost Explorer and mails are missing" in said


def test_each_price_names_its_source_and_its_day() -> None:
    found = [each for each in vars(prices).values() if isinstance(each, prices.Price)]
    found += prices.LAMBDA_GB_SECONDS.values()
    assert len(found) == 10
    assert all(price.source.startswith("https://aws.amazon.com/") and price.as_of and price.usd > 0 for price in found)


# -- suggestions ------------------------------------------------------------------------------------------------------


def advice(**changes: Any) -> list[str]:
    lines = [WARM] * 30
    facts = figures_of(a_function(*lines, **{name: changes.pop(name) for name in ("throttles",) if name in changes}))
    return [each.advice for each in suggestions(FunctionFigures.model_validate(dict(facts) | changes))]


def test_a_function_that_is_as_it_should_be_needs_nothing() -> None:
    assert advice(used_mb=300, used_share=Decimal("0.59")) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"used_mb": 480, "used_share": Decimal("0.94")}, "Raise MemorySize to 704 MB"),
        ({"used_mb": 100, "used_share": Decimal("0.2")}, "MemorySize 192 MB would hold it"),
        ({"used_share": None, "timeouts": 2}, "Raise Timeout, or find"),
        ({"used_share": None, "max_ms": Decimal(97_000)}, "Raise Timeout before"),
        ({"used_share": None, "throttles": Decimal(3)}, "Lower the parameter ConcurrentClients"),
        ({"used_share": None, "init_p95_ms": Decimal(9_100)}, "AWS gives it 10 s"),
    ],
)
def test_what_needs_a_look_is_said_with_what_to_do(changes: dict[str, Any], said: str) -> None:
    (only,) = advice(**changes)
    assert said in only


def test_a_few_invocations_say_nothing_about_too_much_memory() -> None:
    assert list(suggestions(figures_of(a_function(WARM)))) == []
