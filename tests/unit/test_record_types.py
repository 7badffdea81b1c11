"""The one table of record types: what each means in a report, in the reasons of a change, and in FOCUS."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cost_reporting.record_types import (
    GROUPS,
    RECORD_TYPES,
    Bucket,
    ChargeCategory,
    Group,
    bucket_of,
    charge_category_of,
    group_of,
)


@pytest.mark.parametrize(
    ("record_type", "group", "bucket", "category"),
    [
        ("Usage", "usage", "usage", "Usage"),
        ("DiscountedUsage", "usage", "usage", "Usage"),
        ("SavingsPlanCoveredUsage", "usage", "usage", "Usage"),
        ("SavingsPlanNegation", "commitment", "plans", "Usage"),
        ("SavingsPlanRecurringFee", "commitment", "plans", "Purchase"),
        ("SavingsPlanUpfrontFee", "commitment", "purchase", "Purchase"),
        ("Recurring", "commitment", "reservations", "Purchase"),
        ("RIFee", "commitment", "reservations", "Purchase"),
        ("Upfront", "commitment", "purchase", "Purchase"),
        ("Fee", "commitment", "purchase", "Purchase"),
        ("FlatRateSubscription", "subscription", "other", "Purchase"),
        ("Other out-of-cycle charges", "subscription", "other", "Purchase"),
        ("Enterprise Discount Program Discount", "discount", "discounts", "Adjustment"),
        ("EdpDiscount", "discount", "discounts", "Adjustment"),
        ("BundledDiscount", "discount", "discounts", "Usage"),
        ("Support", "support", "support", "Usage"),
        ("Tax", "tax", "tax", "Tax"),
        ("Credit", "credit", "credits", "Credit"),
        ("Refund", "refund", "refunds", "Adjustment"),
        ("A Discount Of Next Year", "discount", "discounts", "Adjustment"),
        ("SomethingThatAwsInventsTomorrow", "other", "other", "Adjustment"),
        ("", "other", "other", "Adjustment"),
    ],
)
def test_a_record_type_has_a_group_a_bucket_and_a_charge_category(
    record_type: str, group: str, bucket: str, category: str
) -> None:
    assert (group_of(record_type), bucket_of(record_type), charge_category_of(record_type)) == (group, bucket, category)


@pytest.mark.parametrize(
    ("console", "api"),
    [
        ("Savings Plan negation", "SavingsPlanNegation"),
        ("Savings Plan covered usage", "SavingsPlanCoveredUsage"),
        ("Savings Plan recurring fee", "SavingsPlanRecurringFee"),
        ("Savings Plan upfront fee", "SavingsPlanUpfrontFee"),
        ("Recurring reservation fee", "Recurring"),
        ("Upfront reservation fee", "Upfront"),
        ("Reservation applied usage", "DiscountedUsage"),
        ("Support fee", "Support"),
        ("RECURRING", "Recurring"),
        ("other out of cycle charges", "Other out-of-cycle charges"),
    ],
)
def test_the_consoles_label_means_what_the_apis_word_means(console: str, api: str) -> None:
    assert group_of(console) == group_of(api) != "other"
    assert bucket_of(console) == bucket_of(api)
    assert charge_category_of(console) == charge_category_of(api)


def test_every_word_of_the_table_is_one_that_a_report_has() -> None:
    assert set(GROUPS) == set(get_args(Group))
    for group, bucket, category in RECORD_TYPES.values():
        assert group in get_args(Group)
        assert bucket in get_args(Bucket)
        assert category in get_args(ChargeCategory)


@given(st.text())
def test_any_text_at_all_has_a_meaning(record_type: str) -> None:
    assert group_of(record_type) in GROUPS
