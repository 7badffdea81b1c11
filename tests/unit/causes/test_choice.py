"""Which causes are named, how the cents add up, and what a headline may say of them."""

from datetime import date
from decimal import Decimal

import pytest

from cost_reporting.domain.causes import Explanation, explain, headline_cause, judged_by_usage
from tests.unit.causes.rows import EC2, S3, Row, a_bill, daily, once, said, the

D = Decimal


def moved(*amounts: tuple[str, str]) -> list[Row]:
    """Services of one charge a month, that cost ``before`` in August and September and ``now`` in October."""
    rows: list[Row] = []
    for number, (before, now) in enumerate(amounts):
        name = f"Service {number:02d}"
        rows += once(name, before, date(2026, 8, 5), date(2026, 9, 5)) + once(name, now, date(2026, 10, 5))
    return rows


def test_six_are_named_and_the_rest_is_everything_else() -> None:
    rows = moved(*((f"{1000 - n * 100}", f"{2000 - n * 201}") for n in range(6)), *(("10", "15") for _ in range(4)))
    made = explain(a_bill("2026-10", rows))
    assert len(made.causes) == 7
    assert said(made)[-1] == ("else", None, "20.00")
    assert made.causes[-1].services == 4


def test_a_single_cause_that_is_left_over_is_named() -> None:
    rows = moved(*((f"{1000 - n * 100}", f"{2000 - n * 201}") for n in range(6)), ("10", "15"))
    assert said(explain(a_bill("2026-10", rows)))[-1] == ("service", "Service 06", "5.00")


def test_up_to_three_more_are_named_where_everything_else_would_be_much() -> None:
    made = explain(a_bill("2026-10", moved(*(("100", "200") for _ in range(12)))))
    assert [cause.kind for cause in made.causes] == ["service"] * 9 + ["else"]
    assert made.causes[-1].amount == D("300.00")


def test_rises_and_falls_that_cancel_out_are_both_told() -> None:
    large = ((f"{10_000 - n}", f"{20_000 - 2 * n}") for n in range(6))
    many = [("100", "200") if n % 2 else ("200", "101") for n in range(40)]
    last = explain(a_bill("2026-10", moved(*large, *many))).causes[-1]
    assert (last.kind, last.amount, last.up, last.down) == ("else", D("20.00"), D("2000.00"), D("-1980.00"))


def test_a_large_bill_names_nothing_that_is_small_in_it() -> None:
    made = explain(a_bill("2026-10", moved(("100000", "100000"), ("50", "150"), ("60", "150"))))
    assert said(made) == [("else", None, "190.00")]


def test_a_small_bill_names_what_is_small() -> None:
    made = explain(a_bill("2026-10", moved(("30", "30.12"), ("1", "1.06"))))
    assert said(made) == [("service", "Service 00", "0.12"), ("service", "Service 01", "0.06")]


def test_nothing_is_named_where_nothing_changed_enough() -> None:
    made = explain(a_bill("2026-10", moved(("10000", "10000.30"), ("10000", "9999.70"))))
    assert (made.change, made.causes) == (D("0.00"), ())


def test_a_refund_of_this_month_is_named_however_small() -> None:
    rows = [
        *moved(("100000", "103000"), ("50", "52")),
        *once("Service 01", "-1", date(2026, 10, 9), record_type="Refund"),
    ]
    assert ("refunds", None, "-1.00") in said(explain(a_bill("2026-10", rows)))


@pytest.mark.parametrize("currency", ["USD", "JPY"])
def test_currencies_without_decimals_have_a_larger_floor(currency: str) -> None:
    rows = moved(("1800", "1890"), ("1800", "1820"), ("1800", "1821"))
    made = explain(a_bill("2026-10", rows, currency=currency))
    assert (said(made)[-1] == ("else", None, "41.00")) is (currency == "JPY")


def test_cents_that_rounding_loses_go_into_everything_else() -> None:
    rows = moved(("100", "150.004"), *(("10", "10.004") for _ in range(9)))
    made = explain(a_bill("2026-10", rows))
    assert said(made) == [("service", "Service 00", "50.04")]
    rows = moved(("100", "150.004"), *(("10", "10.014") for _ in range(9)))
    assert said(explain(a_bill("2026-10", rows))) == [("service", "Service 00", "50.00"), ("else", None, "0.13")]


def test_amounts_that_a_reader_can_subtract_make_their_cause() -> None:
    rows = [
        *moved(("100", "100.006")),
        *once(S3, "-10.005", date(2026, 9, 3), record_type="Credit"),
        *once(S3, "-3.004", date(2026, 10, 3), record_type="Credit"),
    ]
    made = explain(a_bill("2026-10", rows))
    credits_ = the(made, "credits")
    assert (credits_.now, credits_.before, credits_.amount) == (D("-3.00"), D("-10.01"), D("7.01"))
    assert sum(cause.amount for cause in made.causes) == made.change


# -- headlines ---------------------------------------------------------------------------------------------------------


def a_list(change: str, *causes: tuple[str, str]) -> Explanation:
    return Explanation.model_validate(
        {
            "basis": "change",
            "change": change,
            "causes": [{"kind": kind, "amount": amount, "service": EC2} for kind, amount in causes],
        }
    )


@pytest.mark.parametrize(
    ("explanation", "share", "count"),
    [
        (a_list("100", ("service", "96"), ("new", "4")), "all", 1),
        (a_list("100", ("service", "105"), ("new", "-5")), "all", 1),
        (a_list("100", ("service", "140"), ("new", "-40")), None, 1),
        (a_list("-100", ("service", "-60"), ("new", "-40")), "most", 1),
        (a_list("100", ("service", "50"), ("new", "40"), ("else", "10")), "together", 2),
        (a_list("100", ("service", "50"), ("calendar", "40"), ("else", "10")), "half", 1),
        (a_list("100", ("service", "41"), ("new", "40"), ("else", "19")), "together", 2),
        (a_list("-100", ("not_billed_yet", "-300"), ("new", "-100")), "all", 1),
    ],
)
def test_a_headline_names_what_made_the_change(explanation: Explanation, share: str | None, count: int) -> None:
    made = headline_cause(explanation)
    assert made is not None
    assert (made.share, len(made.causes), made.with_usage) == (share, count, False)


@pytest.mark.parametrize(
    "explanation",
    [
        a_list("100", ("calendar", "90"), ("new", "10")),
        a_list("100", ("service", "-300"), ("new", "200"), ("again", "200")),
        a_list("100", ("service", "40"), ("new", "30"), ("else", "30")),
        a_list("100", ("else", "100")),
        a_list("-412", ("not_billed_yet", "-412")),
        a_list("0"),
        Explanation(basis="first", change=None),
    ],
)
def test_a_headline_names_nothing_where_nothing_stands_out(explanation: Explanation) -> None:
    assert headline_cause(explanation) is None


def test_a_refund_tells_the_usage_beside_it() -> None:
    rows = [*daily(EC2, "100"), *once(EC2, "-2750", date(2026, 10, 14), record_type="Refund")]
    costs = a_bill("2026-10", rows)
    made = headline_cause(explain(costs))
    assert made is not None
    assert ([cause.kind for cause in made.causes], made.with_usage) == (["refunds"], True)
    assert judged_by_usage(costs)
    assert not judged_by_usage(a_bill("2026-10", daily(EC2, "100")))
