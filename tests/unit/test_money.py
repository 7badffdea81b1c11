"""Amounts, and sums that stay true when they are shown rounded."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cost_reporting.money import Money, cents, shown, total

AMOUNTS = st.decimals(min_value=-(10**12), max_value=10**12, places=10)


@given(st.lists(AMOUNTS, min_size=1))
def test_the_rows_of_a_table_add_up_to_the_total_that_is_shown(amounts: list[Decimal]) -> None:
    assert total(shown(amounts)) == cents(total(amounts))


@given(st.lists(AMOUNTS, min_size=1), st.data())
def test_only_the_row_for_the_rest_is_shown_other_than_rounded(amounts: list[Decimal], data: st.DataObject) -> None:
    rest = data.draw(st.integers(0, len(amounts) - 1))
    rows = shown(amounts, rest=rest)
    assert [row for at, row in enumerate(rows) if at != rest] == [
        cents(amount) for at, amount in enumerate(amounts) if at != rest
    ]


@given(st.lists(AMOUNTS))
def test_every_amount_that_is_shown_has_two_decimals_and_is_no_negative_zero(amounts: list[Decimal]) -> None:
    for row in shown(amounts):
        assert row.as_tuple().exponent == -2
        assert not (row.is_zero() and row.is_signed())


@given(AMOUNTS)
def test_an_amount_to_the_cent_is_at_most_half_a_cent_away(amount: Decimal) -> None:
    assert abs(cents(amount) - amount) <= Decimal("0.005")


@pytest.mark.parametrize(
    ("amount", "to_the_cent"),
    [("0.005", "0.01"), ("-0.005", "-0.01"), ("2.675", "2.68"), ("-0.004", "0.00"), ("-0", "0.00"), ("1E-10", "0.00")],
)
def test_half_a_cent_is_rounded_away_from_zero_as_on_an_invoice(amount: str, to_the_cent: str) -> None:
    assert str(cents(Decimal(amount))) == to_the_cent


def test_nothing_is_shown_of_nothing() -> None:
    assert shown([]) == []


def test_two_currencies_cannot_be_added() -> None:
    dollars, euros = Money(amount=Decimal(1), currency="USD"), Money(amount=Decimal(1), currency="EUR")
    with pytest.raises(ValueError, match="cannot be added"):
        dollars + euros
    with pytest.raises(ValueError, match="cannot be added"):
        dollars - euros


@given(AMOUNTS, AMOUNTS)
def test_what_is_added_can_be_taken_away_exactly(one: Decimal, other: Decimal) -> None:
    first, second = Money(amount=one, currency="USD"), Money(amount=other, currency="USD")
    assert first + second - second == first


@given(AMOUNTS)
def test_an_amount_survives_json_to_the_last_digit_and_without_an_exponent(amount: Decimal) -> None:
    text = Money(amount=amount, currency="USD").model_dump_json()
    assert "E" not in text.replace("USD", "")
    assert Money.model_validate_json(text).amount == amount
